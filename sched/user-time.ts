/** Times in guest memory: timespec in and out (timespec64_valid rules: EINVAL for negative or unnormalised ones). */
import { EINVAL, errno } from '../src/abi/errno.js';
import { TIMESPEC } from '../src/abi/layouts/time.js';
import { Task } from './task.js';
import type { Timespec } from './clocks.js';

/** Longer times are as good as for ever (ktime_set). */
export const KTIME_MAX = 2 ** 63 - 2 ** 33;

/** Nanoseconds of a valid timespec, never negative; EINVAL otherwise. */
export function readTimespec(task: Task, at: number): Timespec {
  const view = task.mm.readStruct(at, TIMESPEC.size);
  const sec = view.getInt32(4, true) * 2 ** 32 + view.getUint32(0, true);
  const nsec = view.getInt32(12, true) * 2 ** 32 + view.getUint32(8, true);
  if (sec < 0 || nsec < 0 || nsec >= 1e9) throw errno(EINVAL);
  return { sec, nsec };
}
export function readTimespecNs(task: Task, at: number): number {
  const { sec, nsec } = readTimespec(task, at);
  return Math.min(sec * 1e9 + nsec, KTIME_MAX);
}
export function writeTimespec(task: Task, at: number, sec: number, nsec: number): void {
  const out = task.mm.scratchView;
  out.setUint32(0, sec % 2 ** 32, true);
  out.setInt32(4, Math.floor(sec / 2 ** 32), true);
  out.setUint32(8, nsec, true);
  out.setUint32(12, 0, true);
  task.mm.writeStruct(at, TIMESPEC.size);
}
export function writeTimespecNs(task: Task, at: number, ns: number): void {
  const sec = Math.floor(ns / 1e9);
  writeTimespec(task, at, sec, Math.floor(ns - sec * 1e9));
}
