/**
 * Blocking, the one primitive: try; on WOULD_BLOCK register on wait queues with an optional deadline and sleep; on each
 * wake, try again. A sleeping task costs memory only.
 *
 * `block` returns the result when the first attempt succeeds (the hot path: no allocation besides the caller's closure),
 * else BLOCKED after putting the task to sleep; the kernel loop later runs the attempt again and completes the system
 * call with its result. The system call layer passes BLOCKED through unchanged.
 *
 * Interruption: a signal that wants delivery ends an interruptible sleep with `options.restart` (default ERESTARTSYS),
 * which the signal layer turns into a restart or EINTR.
 */
import { ERESTARTSYS, errno } from '../src/abi/errno.js';
import type { Task } from './task.js';

/** An operation cannot complete now. Never a valid result of a system call. */
export const WOULD_BLOCK = -0x3fff_ffff;
/** The task sleeps; its system call completes later. */
export const BLOCKED = -0x3fff_fffe;
/** The registers are already what the guest must see (sigreturn, exec), or there is no guest any more (exit). */
export const NO_RETURN = -0x3fff_fffd;

/** Something registered on a wait queue: a sleeping task, or an epoll instance's entry. */
export interface WaitEntry {
  /** Called on each wake of the queue; must only mark and queue, never run kernel work synchronously. */
  wake(): void;
}

/** A list of who wants to know when something changes. */
export class WaitQueue {
  private entries: WaitEntry[] = [];

  add(entry: WaitEntry): void {
    this.entries.push(entry);
  }
  /** Ahead of all others, as Linux adds who is not exclusive (add_wait_queue). */
  addFirst(entry: WaitEntry): void {
    this.entries.unshift(entry);
  }
  remove(entry: WaitEntry): void {
    const at = this.entries.indexOf(entry);
    if (at >= 0) this.entries.splice(at, 1);
  }
  /** Wakes every entry. An entry that is not satisfied simply stays asleep. */
  wakeAll(): void {
    // An entry may remove itself or others while it is woken (task death): walk a stable copy when there is more than one.
    const entries = this.entries;
    if (entries.length === 0) return;
    if (entries.length === 1) {
      entries[0].wake();
      return;
    }
    for (const entry of entries.slice()) entry.wake();
  }
  get empty(): boolean {
    return this.entries.length === 0;
  }
}

export interface BlockOptions {
  /** CLOCK_MONOTONIC nanoseconds at which the sleep ends. Absent or Infinity: none. */
  deadlineNs?: number;
  /** Result when the deadline passes (default: throw ETIMEDOUT is the caller's business; default 0). Runs once. */
  onTimeout?: () => number;
  /** What a signal makes of the sleep: ERESTARTSYS (default), EINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK. */
  restart?: number;
  /** Runs just before an interrupted sleep ends; may fill in a remaining time or set `task.restart`. */
  onInterrupt?: () => void;
  /** Runs when the sleep ends for any reason, the death of the task included. */
  onEnd?: () => void;
  /** Only a fatal signal ends the sleep (vfork). */
  killable?: boolean;
}

const NO_OPTIONS: BlockOptions = {};

/** The sleep of one task; one per task, reused. */
export class Sleep implements WaitEntry {
  readonly task: Task;
  active = false;
  /** In the kernel's list of tasks to retry. */
  queued = false;
  attempt: (() => number) | null = null;
  options: BlockOptions = NO_OPTIONS;
  /** Set when the deadline fired. */
  timedOut = false;
  private queues: readonly WaitQueue[] = [];
  private timer: { cancel(): void } | null = null;

  constructor(task: Task) {
    this.task = task;
  }

  get interruptible(): boolean {
    return this.active && this.options.killable !== true;
  }

  wake(): void {
    if (!this.active || this.queued) return;
    this.queued = true;
    const { kernel } = this.task;
    kernel.wakeups.push(this);
    if (kernel.waking !== null) kernel.waking(this.task);
  }

  start(attempt: () => number, queues: readonly WaitQueue[], options: BlockOptions): void {
    this.active = true;
    this.timedOut = false;
    this.attempt = attempt;
    this.options = options;
    this.queues = queues;
    for (const queue of queues) queue.add(this);
    const deadline = options.deadlineNs;
    if (deadline !== undefined && deadline !== Infinity)
      this.timer = this.task.kernel.timers.add(deadline, () => {
        this.timer = null;
        this.timedOut = true;
        this.wake();
      });
  }

  /** Ends the sleep: off every queue, timer cancelled. */
  end(): void {
    this.active = false;
    this.options.onEnd?.();
    for (const queue of this.queues) queue.remove(this);
    this.timer?.cancel();
    this.timer = null;
    this.attempt = null;
    this.queues = [];
    this.options = NO_OPTIONS;
  }

  /**
   * Runs after a wake: tries again. Returns WOULD_BLOCK while the task must go on sleeping, else the result (or throws the
   * errno) of the system call, with the sleep ended.
   */
  retry(): number {
    this.queued = false;
    if (!this.active) return WOULD_BLOCK;
    const { task, options } = this;
    let result: number;
    try {
      result = this.attempt!();
    } catch (error) {
      this.end();
      throw error;
    }
    if (result !== WOULD_BLOCK) {
      this.end();
      return result;
    }
    if (this.timedOut) {
      this.end();
      return options.onTimeout === undefined ? 0 : options.onTimeout();
    }
    if (options.killable === true ? task.fatalSignalPending() : task.signalPending()) {
      const { onInterrupt, restart } = options;
      this.end();
      onInterrupt?.();
      throw errno(restart ?? ERESTARTSYS);
    }
    return WOULD_BLOCK;
  }
}

/**
 * Tries `attempt`; if it would block, puts `task` to sleep on `queues` until an attempt succeeds, the deadline passes or a
 * signal arrives. The attempt must take its effect exactly when it returns something other than WOULD_BLOCK.
 */
export function block(
  task: Task,
  attempt: () => number,
  queues: readonly WaitQueue[],
  options: BlockOptions = NO_OPTIONS,
): number {
  const result = attempt();
  if (result !== WOULD_BLOCK) return result;
  if (options.deadlineNs !== undefined && options.deadlineNs <= task.kernel.clock.monotonicNs())
    return options.onTimeout === undefined ? 0 : options.onTimeout();
  if (options.killable === true ? task.fatalSignalPending() : task.signalPending()) {
    options.onInterrupt?.();
    throw errno(options.restart ?? ERESTARTSYS);
  }
  task.sleep.start(attempt, queues, options);
  return BLOCKED;
}
