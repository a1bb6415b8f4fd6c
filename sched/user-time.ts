/** Times in guest memory: timespec in and out (timespec64_valid rules: EINVAL for negative or unnormalised ones). */
import { EINVAL, errno } from '../src/abi/errno.js';
import { getI64, setU64 } from '../src/abi/layout.js';
import { TIMESPEC } from '../src/abi/layouts/time.js';
import type { Task } from './task.js';
import type { Timespec } from './clocks.js';

/** Longer times are as good as for ever (ktime_set). */
export const KTIME_MAX = 2 ** 63 - 2 ** 33;

/** Nanoseconds of a valid timespec, never negative; EINVAL otherwise. */
export function readTimespec(task: Task, at: number): Timespec {
  const view = task.mm.readStruct(at, TIMESPEC.size);
  const sec = getI64(view, 0);
  const nsec = getI64(view, 8);
  if (sec < 0 || nsec < 0 || nsec >= 1e9) throw errno(EINVAL);
  return { sec, nsec };
}
export function readTimespecNs(task: Task, at: number): number {
  const { sec, nsec } = readTimespec(task, at);
  return Math.min(sec * 1e9 + nsec, KTIME_MAX);
}
export function writeTimespec(task: Task, at: number, sec: number, nsec: number): void {
  const out = task.mm.scratchView;
  setU64(out, 0, sec);
  setU64(out, 8, nsec);
  task.mm.writeStruct(at, TIMESPEC.size);
}
export function writeTimespecNs(task: Task, at: number, ns: number): void {
  const sec = Math.floor(ns / 1e9);
  writeTimespec(task, at, sec, Math.floor(ns - sec * 1e9));
}
