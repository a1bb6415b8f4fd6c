/**
 * Futexes (futex(2)): wait queues keyed by a word of guest memory. A private key is (memory map, address), a shared one
 * (memory object, offset); FUTEX_PRIVATE_FLAG is only a hint about which.
 *
 * Invariant: the compare and the enqueue happen in one kernel turn, and wakes are kernel calls too, so no wake is lost.
 * Waiters wake in order of arrival, exactly as many as asked for.
 */
import { EAGAIN, EINVAL, ETIMEDOUT, ERESTARTSYS, ERESTART_RESTARTBLOCK, errno } from '../src/abi/errno.js';
import type { Task } from './task.js';
import { BLOCKED, WOULD_BLOCK, block } from './wait.js';

export interface FutexKey {
  readonly object: object;
  readonly offset: number;
}

/** One sleeping waiter of one word. */
export interface FutexWaiter {
  readonly task: Task;
  key: FutexKey;
  /** FUTEX_WAIT_BITSET's mask, unsigned. */
  readonly bitset: number;
  woken: boolean;
}

export const FUTEX_BITSET_MATCH_ANY = 0xffff_ffff;

export class FutexTable {
  private readonly objects = new WeakMap<object, Map<number, FutexWaiter[]>>();

  private list(key: FutexKey): FutexWaiter[] | undefined {
    return this.objects.get(key.object)?.get(key.offset);
  }
  add(waiter: FutexWaiter): void {
    let words = this.objects.get(waiter.key.object);
    if (words === undefined) this.objects.set(waiter.key.object, (words = new Map<number, FutexWaiter[]>()));
    const list = words.get(waiter.key.offset);
    if (list === undefined) words.set(waiter.key.offset, [waiter]);
    else list.push(waiter);
  }
  remove(waiter: FutexWaiter): void {
    const words = this.objects.get(waiter.key.object);
    const list = words?.get(waiter.key.offset);
    if (words === undefined || list === undefined) return;
    const at = list.indexOf(waiter);
    if (at >= 0) list.splice(at, 1);
    if (list.length === 0) words.delete(waiter.key.offset);
  }
  /** Wakes up to `count` waiters whose bitset meets `bitset`; returns how many. */
  wake(key: FutexKey, count: number, bitset = FUTEX_BITSET_MATCH_ANY): number {
    const list = this.list(key);
    if (list === undefined) return 0;
    let woken = 0;
    for (const waiter of list.slice()) {
      if (woken >= count) break;
      if ((waiter.bitset & bitset) === 0) continue;
      this.remove(waiter);
      waiter.woken = true;
      waiter.task.sleep.wake();
      woken++;
    }
    return woken;
  }
  /** Moves up to `count` waiters from one word to another; returns how many. */
  requeue(from: FutexKey, to: FutexKey, count: number): number {
    let moved = 0;
    for (const waiter of this.list(from)?.slice() ?? []) {
      if (moved >= count) break;
      this.remove(waiter);
      waiter.key = to;
      this.add(waiter);
      moved++;
    }
    return moved;
  }
}

/** FUTEX_WAIT and FUTEX_WAIT_BITSET. `deadlineNs` on CLOCK_MONOTONIC, Infinity for none. EAGAIN when the word differs. */
export function futexWait(
  task: Task,
  addr: number,
  shared: boolean,
  expected: number,
  deadlineNs: number,
  bitset: number,
  restart: boolean,
): number {
  if (bitset === 0) throw errno(EINVAL);
  const { mm } = task;
  const key = mm.futexKey(addr, shared);
  if (mm.readU32(addr) !== expected >>> 0) throw errno(EAGAIN);
  const table = task.kernel.futexes;
  const waiter: FutexWaiter = { task, key, bitset, woken: false };
  table.add(waiter);
  let result: number;
  try {
    result = block(task, () => (waiter.woken ? 0 : WOULD_BLOCK), [], {
      deadlineNs,
      onTimeout: () => {
        throw errno(ETIMEDOUT);
      },
      onEnd: () => table.remove(waiter),
      // With a relative timeout the call restarts with the original deadline through restart_syscall.
      restart: restart ? ERESTART_RESTARTBLOCK : ERESTARTSYS,
    });
  } catch (error) {
    table.remove(waiter);
    throw error;
  }
  if (result !== BLOCKED) table.remove(waiter);
  if (restart) task.restart = () => futexWait(task, addr, shared, expected, deadlineNs, bitset, true);
  return result;
}
