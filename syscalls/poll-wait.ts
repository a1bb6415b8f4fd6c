/**
 * The common middle of poll(2) and select(2) (fs/select.c): look at every file; sleep on all their queues; look again.
 *
 * Oddities: a pending signal wins over a timeout, even one of zero; the time left is written back by ppoll, select and
 * pselect6 whatever the result, unless the timeout was zero or the personality says STICKY_TIMEOUTS; a fault there is no
 * error, but then the call can no longer be restarted (EINTR).
 */
import { EINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK, errno } from '../src/abi/errno.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK, block, type WaitQueue } from '../sched/wait.js';
import { dropFile } from '../fs/fd-table.js';
import type { OpenFile } from '../fs/file.js';
import { NO_WAIT, writeRemaining } from './deadline.js';
import { restoreMask } from './sigmask.js';

const STICKY_TIMEOUTS = 0x4000000;

export interface PollWait {
  /** Looks at the files: the count to return, or WOULD_BLOCK; `final` when nothing more will come (copy out zeros). */
  look(final: boolean): number;
  /** A signal ends the call. */
  interrupted?(): void;
  files: readonly OpenFile[];
  deadlineNs: number;
  /** Where the time left goes, or 0. */
  timeoutPtr: number;
  timeoutUnitNs: 1 | 1000;
  /** poll(2) is restarted by restart_syscall(2) with its deadline; the others by running again. */
  restart: (() => number) | null;
}

export function pollWait(task: Task, wait: PollWait): number {
  const queues = new Set<WaitQueue>();
  for (const { queue } of wait.files) if (queue !== null) queues.add(queue);
  for (const file of wait.files) file.references++;
  const drop = (): void => {
    task.heldBySleep = null;
    for (const file of wait.files) dropFile(file);
  };
  task.heldBySleep = drop;
  const restart = wait.restart === null ? ERESTARTNOHAND : ERESTART_RESTARTBLOCK;
  /** Returns whether the call may be restarted. */
  const finish = (restoring: boolean): boolean => {
    drop();
    if (restoring) restoreMask(task);
    if (wait.timeoutPtr === 0 || wait.deadlineNs === NO_WAIT) return true;
    if ((task.personality & STICKY_TIMEOUTS) !== 0) return false;
    return writeRemaining(task, wait.timeoutPtr, wait.deadlineNs, wait.timeoutUnitNs);
  };
  const look = (final: boolean): number => {
    let result: number;
    try {
      result = wait.look(final);
    } catch (error) {
      finish(true);
      throw error;
    }
    if (result !== WOULD_BLOCK) finish(true);
    return result;
  };
  const onInterrupt = (): void => {
    wait.interrupted?.();
    if (!finish(false)) throw errno(EINTR);
    if (wait.restart !== null) task.restart = wait.restart;
  };
  const onTimeout = (): number => {
    if (!task.signalPending()) return look(true);
    onInterrupt();
    throw errno(restart);
  };
  return block(task, () => look(false), [...queues], { deadlineNs: wait.deadlineNs, onTimeout, onInterrupt, restart });
}
