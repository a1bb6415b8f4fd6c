/**
 * Timeouts of the waiting calls: a relative time in guest memory becomes a CLOCK_MONOTONIC deadline in nanoseconds; 0 means
 * "do not wait" (nothing is due before the boot), Infinity "for ever".
 */
import { EINVAL, errno } from '../src/abi/errno.js';
import { getI64, setU64 } from '../src/abi/layout.js';
import type { Task } from '../sched/task.js';

export const NO_WAIT = 0;

export function deadlineIn(task: Task, sec: number, nsec: number): number {
  if (sec < 0 || nsec < 0 || nsec >= 1e9) throw errno(EINVAL);
  if (sec === 0 && nsec === 0) return NO_WAIT;
  return task.kernel.clock.monotonicNs() + sec * 1e9 + nsec;
}

/** poll(2)'s and epoll_wait(2)'s: milliseconds, negative for ever. */
export function deadlineInMs(task: Task, ms: number): number {
  if (ms < 0) return Infinity;
  return ms === 0 ? NO_WAIT : task.kernel.clock.monotonicNs() + ms * 1e6;
}

/** A struct timespec, or no limit for a null pointer. */
export function deadlineAt(task: Task, ptr: number): number {
  if (ptr === 0) return Infinity;
  const view = task.mm.readStruct(ptr, 16);
  return deadlineIn(task, getI64(view, 0), getI64(view, 8));
}

/** A struct timeval; select(2) lets microseconds run over a second. */
export function deadlineAtTimeval(task: Task, ptr: number): number {
  if (ptr === 0) return Infinity;
  const view = task.mm.readStruct(ptr, 16);
  const usec = getI64(view, 8);
  return deadlineIn(task, getI64(view, 0) + Math.trunc(usec / 1e6), (usec % 1e6) * 1000);
}

/** Writes the time left; `unit` is nanoseconds per second fraction. A fault is not an error (poll_select_finish). */
export function writeRemaining(task: Task, ptr: number, deadlineNs: number, unitNs: 1 | 1000): boolean {
  const left = Math.max(0, deadlineNs - task.kernel.clock.monotonicNs());
  const view = task.mm.scratchView;
  setU64(view, 0, Math.floor(left / 1e9));
  setU64(view, 8, Math.floor((left % 1e9) / unitNs));
  try {
    task.mm.writeStruct(ptr, 16);
    return true;
  } catch {
    return false;
  }
}
