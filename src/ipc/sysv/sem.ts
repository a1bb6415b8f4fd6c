/**
 * System V semaphores (ipc/sem.c): sets of counters, changed by lists of operations that succeed together or sleep.
 *
 * SEM_UNDO keeps, per process and set, what must be taken back when the process ends. Oddities: a sleep is never restarted
 * after a handler (EINTR); counters live in 0 to 32767; the pid of the last change is the process that made the call.
 */
import { E2BIG, EAGAIN, EFBIG, EIDRM, EINVAL, ERANGE, errno } from '../../abi/errno.js';
import { IPC_NOWAIT, SEM_UNDO } from '../../abi/flags/ipc.js';
import type { LifecycleHooks } from '../../../sched/hooks.js';
import type { KernelState } from '../../../sched/kernel-state.js';
import type { Task } from '../../../sched/task.js';
import type { ThreadGroup } from '../../../sched/thread-group.js';
import { WOULD_BLOCK, WaitQueue } from '../../../sched/wait.js';
import { IPC_READ, IPC_WRITE, IpcObject, IpcSet, nowSec } from './ipc.js';

export const SEMMNI = 32000;
export const SEMMSL = 32000;
export const SEMOPM = 500;
export const SEMVMX = 32767;

export interface SemOperation {
  readonly index: number;
  readonly delta: number;
  readonly flags: number;
}

export class SemaphoreSet extends IpcObject {
  readonly values: Int32Array;
  /** Process of the last change, per semaphore. */
  readonly pids: Int32Array;
  otime = 0;
  readonly queue = new WaitQueue();
  /** Sleepers and the operation each is stuck at. */
  readonly waiting = new Map<Task, SemOperation>();
  readonly undo = new Map<ThreadGroup, Int32Array>();

  constructor(task: Task, key: number, count: number, flags: number) {
    super(task, key, flags);
    this.values = new Int32Array(count);
    this.pids = new Int32Array(count);
  }

  /** How many sleep for the semaphore to become zero, or to grow. */
  waiters(index: number, forZero: boolean): number {
    let count = 0;
    for (const op of this.waiting.values()) if (op.index === index && (op.delta === 0) === forZero) count++;
    return count;
  }

  /** Does all operations, or none: null when done, else the one that does not go. ERANGE. */
  tryAll(task: Task, operations: readonly SemOperation[]): SemOperation | null {
    const { values } = this;
    let stuck: SemOperation | null = null;
    let done = 0;
    let bad = false;
    for (const op of operations) {
      const value = values[op.index];
      if ((op.delta === 0 && value !== 0) || (op.delta < 0 && value + op.delta < 0)) {
        stuck = op;
        break;
      }
      if (value + op.delta > SEMVMX || ((op.flags & SEM_UNDO) !== 0 && this.undoBeyond(task, op))) {
        bad = true;
        break;
      }
      values[op.index] = value + op.delta;
      done++;
    }
    if (stuck !== null || bad) {
      for (let i = done - 1; i >= 0; i--) values[operations[i].index] -= operations[i].delta;
      if (bad) throw errno(ERANGE);
      return stuck;
    }
    for (const op of operations) {
      this.pids[op.index] = task.tgid;
      if ((op.flags & SEM_UNDO) !== 0) this.undoOf(task.group)[op.index] -= op.delta;
    }
    this.otime = nowSec(this.kernel);
    if (operations.some(({ delta }) => delta !== 0)) this.queue.wakeAll();
    return null;
  }
  private undoBeyond(task: Task, op: SemOperation): boolean {
    const undo = (this.undo.get(task.group)?.[op.index] ?? 0) - op.delta;
    return undo < -SEMVMX - 1 || undo > SEMVMX;
  }
  private undoOf(group: ThreadGroup): Int32Array {
    let undo = this.undo.get(group);
    if (undo === undefined) this.undo.set(group, (undo = new Int32Array(this.values.length)));
    return undo;
  }
  /** The process ends. */
  applyUndo(group: ThreadGroup): void {
    const undo = this.undo.get(group);
    if (undo === undefined) return;
    this.undo.delete(group);
    undo.forEach((delta, index) => {
      if (delta === 0) return;
      this.values[index] = Math.min(SEMVMX, Math.max(0, this.values[index] + delta));
      this.pids[index] = group.tgid;
    });
    this.otime = nowSec(this.kernel);
    this.queue.wakeAll();
  }
  /** SETVAL, SETALL: what others would undo of it is forgotten. */
  set(task: Task, index: number, value: number): void {
    if (value < 0 || value > SEMVMX) throw errno(ERANGE);
    this.values[index] = value;
    this.pids[index] = task.tgid;
    for (const undo of this.undo.values()) undo[index] = 0;
    this.ctime = nowSec(this.kernel);
    this.queue.wakeAll();
  }
  destroy(): void {
    sets(this.kernel).remove(this);
    this.queue.wakeAll();
  }
  procLine(): string {
    const n = (value: number, width = 5): string => String(value).padStart(width);
    return (
      `${this.head()} ${n(this.values.length, 10)} ${n(this.uid)} ${n(this.gid)} ${n(this.cuid)} ${n(this.cgid)} ` +
      `${n(this.otime, 10)} ${n(this.ctime, 10)}\n`
    );
  }
}

declare module '../../../sched/kernel-state.js' {
  interface KernelState {
    sem?: IpcSet<SemaphoreSet>;
  }
}
export const sets = (kernel: KernelState): IpcSet<SemaphoreSet> => (kernel.sem ??= new IpcSet(SEMMNI));

export function semget(task: Task, key: number, count: number, flags: number): number {
  if (count < 0 || count > SEMMSL) throw errno(EINVAL);
  const check = (old: SemaphoreSet): void => {
    if (count > old.values.length) throw errno(EINVAL);
  };
  return sets(task.kernel).get(task, key, flags, check, () => {
    if (count === 0) throw errno(EINVAL);
    return new SemaphoreSet(task, key, count, flags);
  });
}

export function checkCount(count: number): void {
  if (count < 1) throw errno(EINVAL);
  if (count > SEMOPM) throw errno(E2BIG);
}

/** One attempt of semop(2): 0, or WOULD_BLOCK with the task noted as waiting. */
export function semAttempt(task: Task, set: SemaphoreSet, operations: readonly SemOperation[]): number {
  set.waiting.delete(task);
  if (set.removed) throw errno(EIDRM);
  const stuck = set.tryAll(task, operations);
  if (stuck === null) return 0;
  if ((stuck.flags & IPC_NOWAIT) !== 0) throw errno(EAGAIN);
  set.waiting.set(task, stuck);
  return WOULD_BLOCK;
}

export function checkOperations(task: Task, set: SemaphoreSet, operations: readonly SemOperation[]): void {
  for (const { index } of operations) if (index >= set.values.length) throw errno(EFBIG);
  set.check(task, operations.some(({ delta }) => delta !== 0) ? IPC_WRITE : IPC_READ);
}

export const semHooks: LifecycleHooks = {
  exit(task) {
    if (task.kernel.sem !== undefined) for (const set of task.kernel.sem.all()) set.waiting.delete(task);
  },
  groupExit(group) {
    if (group.kernel.sem !== undefined) for (const set of group.kernel.sem.all()) set.applyUndo(group);
  },
};
