/**
 * futex(2), its 6.7 successors, robust lists.
 */
import { capable } from '../sched/credentials.js';
import { CAP_SYS_PTRACE } from '../src/abi/flags/capability.js';
import { deadlineOf } from '../sched/clocks.js';
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from '../src/abi/flags/time.js';
import { EAGAIN, EINVAL, ENOSYS, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import { FUTEX_BITSET_MATCH_ANY, type FutexKey, futexWait } from '../sched/futex.js';
import {
  FUTEX_CLOCK_REALTIME,
  FUTEX_CMP_REQUEUE,
  FUTEX_FD,
  FUTEX_LOCK_PI2,
  FUTEX_PRIVATE_FLAG,
  FUTEX_REQUEUE,
  FUTEX_WAIT,
  FUTEX_WAIT_BITSET,
  FUTEX_WAIT_REQUEUE_PI,
  FUTEX_WAKE,
  FUTEX_WAKE_BITSET,
  FUTEX_WAKE_OP,
} from '../src/abi/flags/futex.js';
import {
  type Row,
  absent,
  addr,
  dynamic,
  enumeration,
  hex,
  hex32,
  int,
  pid,
  row,
  size,
  struct,
  uint,
  word,
} from './row.js';
import { Task } from '../sched/task.js';
import { readTimespec } from '../sched/user-time.js';

export const rows: readonly Row[] = [
  row(
    'futex',
    { x86_64: 202, aarch64: 98 },
    [
      addr('uaddr'),
      dynamic('futex_op', 'futex_op', 'uint'),
      uint('val'),
      dynamic('timeout', 'futex_timeout'),
      dynamic('uaddr2', 'futex_uaddr2'),
      dynamic('val3', 'futex_val3', 'uint'),
    ],
    { disposition: { partial: 'no priority inheritance; FUTEX_WAKE_OP changes its word in two steps' } },
    futex,
  ),
  absent(
    'futex_waitv',
    { x86_64: 449, aarch64: 449 },
    [
      dynamic('waiters', 'futex_waiters'),
      uint('nr_futexes'),
      hex32('flags'),
      struct('timeout', 'in', 'timespec'),
      enumeration('clockid', 'clocknames'),
    ],
    {},
  ),
  absent('futex_wake', { x86_64: 454, aarch64: 454 }, [addr('uaddr'), hex('mask'), int('nr'), hex32('flags')], {}),
  absent(
    'futex_wait',
    { x86_64: 455, aarch64: 455 },
    [
      addr('uaddr'),
      hex('val'),
      hex('mask'),
      hex32('flags'),
      struct('timeout', 'in', 'timespec'),
      enumeration('clockid', 'clocknames'),
    ],
    {},
  ),
  absent(
    'futex_requeue',
    { x86_64: 456, aarch64: 456 },
    [addr('waiters'), hex32('flags'), int('nr_wake'), int('nr_requeue')],
    {},
  ),
  row('set_robust_list', { x86_64: 273, aarch64: 99 }, [addr('head'), size('len')], { ret: 'zero' }, setRobustList),
  row(
    'get_robust_list',
    { x86_64: 274, aarch64: 100 },
    [pid('pid'), word('head_ptr', 'out', 'ulong'), word('len_ptr', 'out', 'size')],
    { ret: 'zero' },
    getRobustList,
  ),
];

function futex(
  task: Task,
  addr: number,
  op: number,
  value: number,
  timeout: number,
  addr2: number,
  value3: number,
): number {
  const command = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
  const shared = (op & FUTEX_PRIVATE_FLAG) === 0;
  const realtime = (op & FUTEX_CLOCK_REALTIME) !== 0;
  if (realtime && command !== FUTEX_WAIT_BITSET && command !== FUTEX_WAIT_REQUEUE_PI && command !== FUTEX_LOCK_PI2)
    throw errno(ENOSYS);
  const { mm, kernel } = task;
  const key = (at: number): FutexKey => {
    if (at % 4 !== 0) throw errno(EINVAL);
    return mm.futexKey(at, shared);
  };
  switch (command) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      let deadlineNs = Infinity;
      if (timeout !== 0) {
        const at = readTimespec(task, timeout);
        if (command === FUTEX_WAIT) deadlineNs = kernel.clock.monotonicNs() + at.sec * 1e9 + at.nsec;
        else deadlineNs = deadlineOf(task, realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, at);
      }
      key(addr);
      const bitset = command === FUTEX_WAIT ? FUTEX_BITSET_MATCH_ANY : value3 >>> 0;
      return futexWait(task, addr, shared, value, deadlineNs, bitset, timeout !== 0);
    }
    case FUTEX_WAKE:
      return kernel.futexes.wake(key(addr), Math.max(1, value | 0));
    case FUTEX_WAKE_BITSET:
      if (value3 >>> 0 === 0) throw errno(EINVAL);
      return kernel.futexes.wake(key(addr), Math.max(1, value | 0), value3 >>> 0);
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: {
      const requeue = timeout | 0;
      if ((value | 0) < 0 || requeue < 0) throw errno(EINVAL);
      const from = key(addr);
      const to = key(addr2);
      if (command === FUTEX_CMP_REQUEUE && mm.readU32(addr) !== value3 >>> 0) throw errno(EAGAIN);
      const woken = kernel.futexes.wake(from, value | 0);
      if (from.object === to.object && from.offset === to.offset) return woken;
      return woken + kernel.futexes.requeue(from, to, requeue);
    }
    case FUTEX_WAKE_OP:
      return wakeOp(task, key(addr), key(addr2), addr2, value | 0, timeout | 0, value3 | 0);
    case FUTEX_FD:
      throw errno(ENOSYS);
    default:
      // Priority inheritance: not there, as on a kernel without CONFIG_FUTEX_PI.
      throw errno(ENOSYS);
  }
}

/**
 * FUTEX_WAKE_OP: op:4 cmp:4 oparg:12 cmparg:12, signed arguments.
 *
 * Linux changes the word with one atomic instruction. The supervisor has none on a guest's private memory, only copies in and
 * out: a store of a sibling that runs between the two is lost. Stopping the siblings first would close that, but a stop ends in
 * the kernel loop, not within a call, and costs each of them a round trip.
 */
function wakeOp(
  task: Task,
  key: FutexKey,
  key2: FutexKey,
  addr2: number,
  count: number,
  count2: number,
  encoded: number,
): number {
  const op = (encoded >>> 28) & 7;
  const cmp = (encoded >>> 24) & 15;
  let arg = (encoded << 8) >> 20;
  const cmpArg = (encoded << 20) >> 20;
  if ((encoded & (8 << 28)) !== 0) arg = 1 << (arg & 31);
  const old = task.mm.readI32(addr2);
  const next = [arg, old + arg, old | arg, old & ~arg, old ^ arg][op];
  if (next === undefined) throw errno(ENOSYS);
  task.mm.writeU32(addr2, next >>> 0);
  const { futexes } = task.kernel;
  let woken = futexes.wake(key, Math.max(1, count));
  const holds = [old === cmpArg, old !== cmpArg, old < cmpArg, old <= cmpArg, old > cmpArg, old >= cmpArg][cmp];
  if (holds === undefined) throw errno(ENOSYS);
  if (holds) woken += futexes.wake(key2, Math.max(1, count2));
  return woken;
}

function getRobustList(task: Task, pid: number, head: number, length: number): number {
  const target = pid === 0 ? task : task.kernel.pids.tasks.get(pid);
  if (target === undefined) throw errno(ESRCH);
  if (target.group !== task.group && target.creds.uid !== task.creds.euid && !capable(task.creds, CAP_SYS_PTRACE))
    throw errno(EPERM);
  task.mm.writeU64(length, ROBUST_LIST_HEAD_SIZE);
  task.mm.writeU64(head, target.robustList);
  return 0;
}

const ROBUST_LIST_HEAD_SIZE = 24;
function setRobustList(task: Task, head: number, length: number): number {
  if (length !== ROBUST_LIST_HEAD_SIZE) throw errno(EINVAL);
  task.robustList = head;
  return 0;
}
