/**
 * The signal mask argument of ppoll, pselect6, epoll_pwait: in force for the duration of the call.
 *
 * The old mask waits in `task.savedMask`. The call restores it unless a signal ended it: then the signal layer does, after
 * the handler was set up under the temporary mask (set_user_sigmask, restore_saved_sigmask_unless).
 */
import { EINVAL, errno } from '../src/abi/errno.js';
import type { Task } from '../sched/task.js';

/** Puts the mask at `ptr` in force; a null pointer leaves all as it is. */
export function swapMask(task: Task, ptr: number, size: number): void {
  if (ptr === 0) return;
  if (size !== 8) throw errno(EINVAL);
  const view = task.mm.readStruct(ptr, 8);
  const lo = view.getInt32(0, true);
  const hi = view.getInt32(4, true);
  task.savedMask = task.blocked.copy();
  task.blocked.lo = lo;
  task.blocked.hi = hi;
  task.dropUnblockable();
}

export function restoreMask(task: Task): void {
  if (task.savedMask === null) return;
  task.blocked.assign(task.savedMask);
  task.savedMask = null;
}
