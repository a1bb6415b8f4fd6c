/**
 * The kernel loop: resumes guests, waits for their stops, answers them.
 *
 * One JS thread, the tracer, runs everything. A turn: run due timers, retry woken sleeps, send tasks back to user mode, wait for
 * the next stop. When nothing can run, the loop returns to Node's event loop and is kicked by a timer or by host input;
 * while guests run it lets the event loop turn every few milliseconds.
 *
 * A bug (any exception that is not an Errno) ends as a kernel panic: named, reported, every guest killed.
 */
import { Errno, EINTR } from './abi/errno.js';
import { BUS_ADRALN, SIGBUS, SIGKILL, SIGSEGV } from './abi/flags/signal.js';
import {
  STOP_GONE,
  STOP_INTERRUPTED,
  STOP_NONE,
  STOP_SIGNAL,
  STOP_SYSCALL,
  type HostThread,
  type Platform,
} from './platform/platform.js';
import { AddressMap } from './mm/map.js';
import { exitGroup, killAll } from '../sched/exit.js';
import { KernelState, type KernelStateOptions } from '../sched/kernel-state.js';
import { returnToUser } from '../sched/signal/deliver.js';
import { SIGINFO_SIZE, writeSigInfo } from '../sched/signal/info-bytes.js';
import { forceSignal, kernelInfo, sendSignalToTask } from '../sched/signal/send.js';
import type { Task } from '../sched/task.js';
import { GROUP_RUNNING } from '../sched/thread-group.js';
import { BLOCKED, NO_RETURN, WOULD_BLOCK, block } from '../sched/wait.js';
import { Dispatcher } from '../syscalls/dispatch.js';
import { allArguments, unknownRow } from './trace/capture.js';
import type { Injection } from './trace/inject.js';
import type { Injector } from './trace/injector.js';
import { DELAYED, INJECTED, type TaskTracer, type WatchedCall } from './trace/tracer.js';

/** Stops handled before Node's event loop gets a turn, even if it did not ask for one. */
const STOPS_PER_TURN = 256;
/** Longest timer Node can hold, in ms. */
const MAX_TIMEOUT_MS = 0x7fff_ffff;
/** Below this the deadline is waited for in the platform, which is precise; above it in Node. */
const PRECISE_MS = 2;

export class KernelPanic extends Error {
  constructor(text: string, cause: unknown) {
    super(`kernel panic: ${text}`, { cause });
    this.name = 'KernelPanic';
  }
}

/** How the system ended. */
export interface Ended {
  /** Wait status of process 1. */
  status: number;
  timedOut: boolean;
}

export class Loop {
  readonly state: KernelState;
  readonly platform: Platform;
  readonly table: Dispatcher;
  private tracer: TaskTracer | null = null;
  private injector: Injector | null = null;
  /** There is a tracer or an injector. */
  private watched = false;
  /** The task that the kernel works for, if any: who makes tasks and wakes others. Kept up to date while calls are watched. */
  private current: Task | null = null;
  private readonly tasks = new Map<HostThread, Task>();
  private scheduled = false;
  private idleTimer: NodeJS.Timeout | null = null;
  private ended: Ended | null = null;
  private finish: { resolve: (ended: Ended) => void; reject: (error: unknown) => void } | null = null;
  private closed = false;

  constructor(options: KernelStateOptions) {
    this.state = new KernelState(options);
    this.platform = options.platform;
    this.table = new Dispatcher(options.platform.arch);
    this.state.taskMade = (task) => {
      this.tasks.set(task.thread, task);
      task.thread.share?.(task);
    };
    this.state.taskGone = (task) => {
      if (task.exited) this.tracer?.exited(task, task.exitStatus);
      this.tasks.delete(task.thread);
    };
    this.state.initExited = (status) => {
      this.ended ??= { status, timedOut: false };
    };
    this.state.kick = () => this.kick();
  }

  /** Tells `tracer` of every system call, signal and end from now on. */
  trace(tracer: TaskTracer): void {
    this.tracer = tracer;
    this.watchCalls();
    const bytes = new Uint8Array(SIGINFO_SIZE);
    const view = new DataView(bytes.buffer);
    this.state.watcher = {
      signal: (task, info) => {
        writeSigInfo(view, 0, info);
        tracer.signal(task, { signal: info.signo, info: bytes });
      },
      stopped: (task, signo) => tracer.stopped(task, signo),
    };
    const made = this.state.taskMade;
    this.state.taskMade = (task) => {
      made(task);
      tracer.attach?.(task, this.current);
    };
    if (tracer.waking) this.state.waking = (task) => tracer.waking?.(task, this.current);
  }

  /** Tampers with system calls from now on. */
  inject(injector: Injector): void {
    this.injector = injector;
    this.watchCalls();
  }

  /** Every call comes to the kernel, also those that the gate could answer. */
  private watchCalls(): void {
    this.watched = true;
    if (this.platform.gate) this.table.fillGateClasses(this.platform.gate.classes, true);
  }

  protected mapOf(thread: HostThread): AddressMap | null {
    const mm = this.tasks.get(thread)?.mm;
    return mm instanceof AddressMap ? mm : null;
  }

  /** Runs until process 1 ends or the time is over (then SIGKILL ends all). Rejects with KernelPanic. */
  async run(options: { timeoutMs?: number | undefined } = {}): Promise<Ended> {
    if (options.timeoutMs !== undefined) {
      const { clock, timers } = this.state;
      timers.add(clock.monotonicNs() + options.timeoutMs * 1e6, () => {
        this.ended ??= { status: SIGKILL, timedOut: true };
      });
    }
    // Keeps Node's loop alive while every guest sleeps.
    const alive = setInterval(() => {}, MAX_TIMEOUT_MS);
    try {
      return await new Promise<Ended>((resolve, reject) => {
        this.finish = { resolve, reject };
        this.kick();
      });
    } finally {
      clearInterval(alive);
      this.shutdown();
    }
  }

  /** Something outside changed (host input, a timer): run the loop soon. Safe to call at any time. */
  kick(): void {
    if (this.scheduled || this.closed || this.finish === null) return;
    this.scheduled = true;
    if (this.idleTimer !== null) clearTimeout(this.idleTimer);
    this.idleTimer = null;
    setImmediate(this.turn);
  }

  /** Kills every guest and gives back everything. Idempotent. */
  shutdown(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.idleTimer !== null) clearTimeout(this.idleTimer);
    try {
      killAll(this.state.pids.groups.values(), null);
    } finally {
      this.platform.close();
    }
  }

  private readonly turn = (): void => {
    this.scheduled = false;
    if (this.closed) return;
    try {
      this.loop();
    } catch (error) {
      this.finish?.reject(error instanceof KernelPanic ? error : new KernelPanic('in the kernel loop', error));
    }
  };

  private loop(): void {
    const { platform, state } = this;
    for (let stops = 0; ; stops++) {
      this.settle();
      if (this.ended !== null) {
        this.finish?.resolve(this.ended);
        return;
      }
      const nextMs = this.nextTimerMs();
      if (platform.runningCount === 0 && nextMs > PRECISE_MS) {
        if (nextMs !== Infinity)
          this.idleTimer = setTimeout(() => this.kick(), Math.min(Math.floor(nextMs) - 1, MAX_TIMEOUT_MS));
        platform.idle();
        return;
      }
      if (platform.loopPending || stops >= STOPS_PER_TURN) {
        this.kick();
        return;
      }
      const kind = this.wait(nextMs);
      if (kind === STOP_NONE) {
        if (state.timers.run(state.clock.monotonicNs())) continue;
        this.kick();
        return;
      }
      this.stopped(kind);
    }
  }

  /**
   * Handles stops until no guest has anything to say, all within this call: for whoever plays the guests of a script platform.
   * False once process 1 has ended.
   */
  drain(): boolean {
    const { state } = this;
    for (;;) {
      this.settle();
      if (this.ended !== null) return false;
      const kind = this.wait(0);
      if (kind !== STOP_NONE) this.stopped(kind);
      else if (!state.timers.run(state.clock.monotonicNs())) return true;
    }
  }

  private wait(timeoutMs: number): number {
    const { tracer, platform } = this;
    if (tracer?.afterwards !== undefined) {
      platform.send();
      tracer.afterwards();
    }
    return platform.wait(timeoutMs);
  }

  private stopped(kind: number): void {
    const task = this.tasks.get(this.platform.stop.thread!);
    if (task === undefined) return;
    if (task.mm.pendingSync) task.mm.syncHost();
    if (this.watched) this.current = task;
    if (kind === STOP_SYSCALL) this.syscall(task);
    else this.otherStop(task, kind);
    this.current = null;
  }

  /** Runs due timers, retries woken sleeps, and resumes tasks until nothing is left to do without a stop. */
  private settle(): void {
    const { state } = this;
    if (state.timers.nextNs() !== Infinity) state.timers.run(state.clock.monotonicNs());
    while (state.wakeups.length > 0 || state.returning.length > 0) {
      if (state.wakeups.length > 0) {
        const sleeps = state.wakeups;
        state.wakeups = [];
        for (const sleep of sleeps) {
          if (this.watched) this.current = sleep.task;
          let result: number;
          try {
            result = sleep.retry();
          } catch (error) {
            result = this.failure(sleep.task, error);
          }
          if (result === WOULD_BLOCK) continue;
          this.tracer?.woke?.(sleep.task);
          this.complete(sleep.task, result);
        }
      }
      if (state.returning.length > 0) {
        const tasks = state.returning;
        state.returning = [];
        for (const task of tasks) {
          if (this.watched) this.current = task;
          if (returnToUser(task)) task.thread.resume();
        }
      }
    }
    this.current = null;
  }

  private nextTimerMs(): number {
    const next = this.state.timers.nextNs();
    return next === Infinity ? Infinity : Math.max(0, (next - this.state.clock.monotonicNs()) / 1e6);
  }

  private syscall(task: Task): void {
    task.inSyscall = true;
    let result: number;
    try {
      result = this.watched ? this.watch(task) : this.table.dispatch(task, task.thread.regs);
    } catch (error) {
      result = this.failure(task, error);
    }
    this.complete(task, result);
  }

  private watch(task: Task): number {
    const { regs } = task.thread;
    const entry = this.table.entries[regs.nr];
    const row = entry?.row ?? unknownRow(regs.nr);
    // rt_sigreturn has no arguments; its frame is at the stack pointer.
    const args =
      entry === undefined
        ? allArguments(regs)
        : row.name === 'rt_sigreturn'
          ? [BigInt(regs.sp)]
          : this.table.rawArgs(entry, regs);
    const injection = this.injector === null ? null : this.injector.decide(task, row, args);
    task.traced = { row, args, injection, begun: injection === null };
    this.tracer?.enter(task, row, args);
    return injection === null ? this.table.dispatch(task, regs) : this.beginLate(task, injection);
  }

  private beginLate(task: Task, injection: Injection): number {
    return this.delay(task, injection.enterNs, () => this.begin(task, injection));
  }

  /** A call that is tampered with, after its delay: the signal, and the call unless its result is given. */
  private begin(task: Task, { signal, value }: Injection): number {
    task.traced!.begun = true;
    if (signal === SIGKILL) {
      exitGroup(task.group, SIGKILL, task);
      return NO_RETURN;
    }
    if (signal !== 0) sendSignalToTask(task, kernelInfo(signal));
    if (value !== null) return 0;
    if (task.mm.pendingSync) task.mm.syncHost();
    return this.table.dispatch(task, task.thread.regs);
  }

  /** Runs `then` later; the task sleeps as in a tracer's stop, which only its death ends. */
  private delay(task: Task, ns: number, then: () => number): number {
    if (ns === 0) return then();
    const deadlineNs = this.state.clock.monotonicNs() + ns;
    return block(task, () => WOULD_BLOCK, [], { deadlineNs, onTimeout: then, killable: true });
  }

  /** What a throw of a handler means: the negative errno, or a panic. */
  private failure(task: Task, error: unknown): number {
    if (error instanceof Errno) {
      if (error.stack !== undefined) this.state.log.debug({ tid: task.tid, origin: error.stack }, error.name);
      return -error.errno;
    }
    const nr = task.thread.regs.nr;
    throw new KernelPanic(
      `task ${task.tid} (${task.comm}), system call ${nr} ${this.table.row(nr)?.name ?? ''}`,
      error,
    );
  }

  /** A system call has its result: set it, or restart, or leave the registers alone. */
  private complete(task: Task, result: number): void {
    if (result === BLOCKED || task.exited) return;
    task.inSyscall = false;
    const traced = this.watched ? task.traced : null;
    if (!traced) setResult(task, result);
    else {
      task.traced = null;
      // Killed, in its delay or asleep: nobody sees a result.
      if (!traced.begun || task.killed) setResult(task, result);
      else if (this.leave(task, traced, result)) return;
    }
    if (
      task.restartErrno === 0 &&
      task.savedMask === null &&
      task.group.jobState === GROUP_RUNNING &&
      !task.signalPending()
    )
      task.thread.resume();
    else if (returnToUser(task)) task.thread.resume();
  }

  /** Sets the result, or the injected one, and tells the tracer. Returns whether the task has to wait before it goes on. */
  private leave(task: Task, { row, args, injection }: WatchedCall, result: number): boolean {
    const delayed = injection !== null && (injection.enterNs > 0 || injection.exitNs > 0) ? DELAYED : 0;
    if (injection === null || injection.value === null) {
      setResult(task, result);
      // What rt_sigreturn restored looks like its result.
      const value = result !== NO_RETURN ? result : row.name === 'rt_sigreturn' ? task.thread.regs.ret : 0;
      const failed = value < 0 && value > -4096;
      this.tracer?.leave(task, row, args, failed ? -1 : value, failed ? -value : 0, delayed);
    } else {
      const { errno, value } = injection;
      const { regs } = task.thread;
      regs.setHalves(regs.layout.ret, Number(value & 0xffff_ffffn), Number(value >> 32n));
      const shown = errno === 0 ? Number(BigInt.asIntN(64, value)) : -1;
      this.tracer?.leave(task, row, args, shown, errno, INJECTED | delayed);
    }
    if (injection === null || injection.exitNs === 0 || task.fatalSignalPending()) return false;
    return this.delay(task, injection.exitNs, () => NO_RETURN) === BLOCKED;
  }

  private otherStop(task: Task, kind: number): void {
    if (kind === STOP_GONE) {
      this.state.log.warn({ tid: task.tid }, 'the host killed a guest thread');
      exitGroup(task.group, SIGKILL, task);
      return;
    }
    // Even a fault that is resolved may have used up an interrupt for a signal.
    if (kind === STOP_SIGNAL) this.fault(task);
    else if (kind !== STOP_INTERRUPTED) throw new KernelPanic(`stop of unknown kind ${kind}`, null);
    if (returnToUser(task)) task.thread.resume();
  }

  /** A fault of the guest: resolved, and the instruction simply runs again, or a signal. */
  private fault(task: Task): void {
    const { signal, code, address, access } = this.platform.stop;
    const page = signal === SIGSEGV || (signal === SIGBUS && code !== BUS_ADRALN);
    if (page && code > 0 && code < 128) {
      const result = task.mm.fault(address, access, task.thread.regs.sp);
      if (result.retry) {
        task.group.minorFaults++;
        return;
      }
      task.fault = { signal, address, access, page, code: result.code };
      forceSignal(task, { signo: result.signal, code: result.code, addr: address });
      return;
    }
    task.fault = { signal, address: 0, access: -1, page: false, code };
    forceSignal(task, { signo: signal, code, addr: address });
  }
}

/** The result into the registers, or what is to be restarted into the task. */
function setResult(task: Task, result: number): void {
  if (result === NO_RETURN) return;
  const { regs } = task.thread;
  if (result <= -512 && result > -600) {
    task.restartErrno = -result;
    task.restartNr = regs.nr;
    const first = regs.layout.args[0];
    task.restartArgument = { lo: regs.lo(first), hi: regs.hi(first) };
    regs.ret = -EINTR;
  } else regs.ret = result;
}
