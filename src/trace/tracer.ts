/**
 * What the kernel tells a tracer. The kernel holds a `Tracer | null` and asks nothing else, so tracing that is off costs one
 * comparison per system call.
 *
 * `enter` comes before the handler runs and `leave` after it, both on the kernel's thread and in the order things happen; a
 * call that never returns (exit, a killed sleeper) has no `leave`. Arguments are the raw 64-bit registers in the row's order.
 */
import type { Row } from '../../syscalls/row.js';
import type { Task } from '../../sched/task.js';
import type { Injection } from './inject.js';

/** Who acts; class Task fits. */
export interface TraceSubject {
  readonly tid: number;
  /** The leader of a process in which another thread, the one of this number, called execve and goes on as the leader. */
  readonly supersededBy?: number | undefined;
}

/** What a descriptor is open on: a path, or (with `path` empty) what `more` says. */
export interface DescriptorName {
  readonly path: string;
  /** Printed as it is after the path: `<char 1:3>`, `UNIX-STREAM:[9->10]`. */
  readonly more?: string;
  readonly deleted?: boolean;
}

/** Guest memory as a tracer sees it: bytes, or null when any of them cannot be read. Never faults, never changes anything. */
export interface TraceMemory {
  /** The bytes may be overwritten after the next `begin`. */
  read(addr: number, length: number): Uint8Array | null;
  /** How many bytes from `addr` on cost nothing to read; 0: nobody knows. */
  handy?(addr: number): number;
  /** Another text begins: nobody holds what was read for the last one. */
  begin?(): void;
  /** The name of an open descriptor as /proc/PID/fd gives it; detail 2: more about sockets, devices and pidfds. */
  descriptor?(fd: number, detail: 1 | 2): DescriptorName | null;
  cwd?(): string | null;
}

/** A signal about to be delivered: the bytes of its siginfo (128, layout SIGINFO). */
export interface TraceSignal {
  readonly signal: number;
  readonly info: Uint8Array;
}

/** Bits of `tampered`: the result is not the call's own; the call was delayed. */
export const INJECTED = 1;
export const DELAYED = 2;

export interface Tracer<Subject extends TraceSubject = TraceSubject> {
  enter(task: Subject, row: Row, args: readonly bigint[]): void;
  /** `errno` 0: success with `result`. Restart codes (512 up) are errors here. */
  leave(task: Subject, row: Row, args: readonly bigint[], result: number, errno: number, tampered?: number): void;
  /** Before the handler's frame is made, the default action taken, or the signal ignored (strace shows those too). */
  signal(task: Subject, signal: TraceSignal): void;
  /** A group stop by this signal began. */
  stopped(task: Subject, signal: number): void;
  /** The thread is gone; `status` as wait(2) would report it. */
  exited(task: Subject, status: number): void;
}

/** A tracer of the kernel's own tasks, which may want to know more. `by`: the task that did it; null: a timer, the world outside. */
export interface TaskTracer extends Tracer<Task> {
  /** The task was made, or has another host thread. */
  attach?(task: Task, by: Task | null): void;
  /** The task's sleep is about to be looked at; it may go on sleeping. */
  waking?(task: Task, by: Task | null): void;
  /** The sleep has ended, which the last `waking` began. */
  woke?(task: Task): void;
  /** Before every wait for guests, which run already: time for what they need not wait for. */
  afterwards?(): void;
}

/** A call that is watched: by a tracer, or because it may be tampered with. */
export interface WatchedCall {
  readonly row: Row;
  readonly args: readonly bigint[];
  readonly injection: Injection | null;
  /** Not waiting for the end of an injected delay any more. */
  begun: boolean;
}

declare module '../../sched/task.js' {
  interface Task {
    /** The call that has been seen to enter and not to leave. */
    traced?: WatchedCall | null;
  }
}
