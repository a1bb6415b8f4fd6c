/** What a dying thread owes the futex world: robust mutexes and clear_child_tid (get_robust_list(2), clone(2)). */
import { errnoOf } from '../src/abi/errno.js';
import type { Task } from './task.js';

const FUTEX_WAITERS = 0x8000_0000;
const FUTEX_OWNER_DIED = 0x4000_0000;
const FUTEX_TID_MASK = 0x3fff_ffff;
const ROBUST_LIST_LIMIT = 2048;
/** struct robust_list_head, read at once: every thread of glibc and musl comes here, and a read of another process is dear. */
const HEAD = new Uint8Array(24);
const HEAD_VIEW = new DataView(HEAD.buffer);

/** Marks every robust mutex the thread holds as owner-died and wakes one waiter of each. A broken list ends the walk. */
export function exitRobustList(task: Task): void {
  const head = task.robustList;
  if (head === 0) return;
  task.robustList = 0;
  try {
    const { mm } = task;
    mm.copyIn(head, HEAD, 0, HEAD.length);
    let entry = Number(HEAD_VIEW.getBigUint64(0, true));
    const futexOffset = Number(HEAD_VIEW.getBigInt64(8, true));
    const pending = Number(HEAD_VIEW.getBigUint64(16, true));
    for (let i = 0; i < ROBUST_LIST_LIMIT && entry !== head; i++) {
      const next = mm.readU64(untag(entry));
      if (entry !== pending) ownerDied(task, untag(entry) + futexOffset, isPi(entry), false);
      entry = next;
    }
    if (pending !== 0) ownerDied(task, untag(pending) + futexOffset, isPi(pending), true);
  } catch (error) {
    errnoOf(error);
  }
}

/** Bit 0 of a list pointer marks a PI mutex. */
const isPi = (entry: number): boolean => entry % 2 === 1;
const untag = (entry: number): number => entry - (entry % 2);

function ownerDied(task: Task, addr: number, pi: boolean, pending: boolean): void {
  if (addr % 4 !== 0) return;
  const { mm } = task;
  const word = mm.readU32(addr);
  if (pending && !pi && word === 0) {
    task.kernel.futexes.wake(mm.futexKey(addr, true), 1);
    return;
  }
  if ((word & FUTEX_TID_MASK) !== task.tid) return;
  // Linux compares and exchanges; here a sibling may set FUTEX_WAITERS between the two steps and lose it. Nobody else may
  // change a word with this owner, and that sibling has not slept yet: its FUTEX_WAIT finds another value, EAGAIN, and tries anew.
  mm.writeU32(addr, ((word & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0);
  if (!pi && (word & FUTEX_WAITERS) !== 0) task.kernel.futexes.wake(mm.futexKey(addr, true), 1);
}

/** clear_child_tid: zero the word and wake a joiner, if anyone can still see the memory (mm_release). */
export function wakeClearChildTid(task: Task): void {
  const addr = task.clearChildTid;
  task.clearChildTid = 0;
  if (addr === 0 || task.mm.users < 2) return;
  try {
    task.mm.writeU32(addr, 0);
    task.kernel.futexes.wake(task.mm.futexKey(addr, true), 1);
  } catch (error) {
    errnoOf(error);
  }
}
