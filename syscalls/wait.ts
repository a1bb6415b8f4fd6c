/**
 * wait4(2), waitid(2).
 */
import { type ResourceUsage, usageWithChildren } from '../sched/accounting.js';
import { pidFileOf } from '../src/ipc/pidfd.js';
import {
  type ChildSelector,
  type WaitEvent,
  __WALL,
  __WCLONE,
  __WNOTHREAD,
  waitForChild,
} from '../sched/wait-child.js';
import { EAGAIN, ECHILD, EINVAL, ESRCH, errno, errnoOf } from '../src/abi/errno.js';
import { O_NONBLOCK } from '../src/abi/flags/open.js';
import {
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
} from '../src/abi/flags/process.js';
import { setU64 } from '../src/abi/layout.js';
import { RUSAGE } from '../src/abi/layouts/time.js';
import { type Row, dynamic, enumeration, flags, pid, row, struct } from './row.js';
import { SIGCHLD } from '../src/abi/flags/signal.js';
import { Task } from '../sched/task.js';

export const rows: readonly Row[] = [
  row(
    'wait4',
    { x86_64: 61, aarch64: 260 },
    [
      pid('pid'),
      dynamic('wstatus', 'wait_status'),
      flags('options', 'wait4_options'),
      struct('rusage', 'out', 'rusage'),
    ],
    { stops: true, ret: 'pid', classes: ['process'], varies: ['rusage'] },
    wait4,
  ),
  row(
    'waitid',
    { x86_64: 247, aarch64: 95 },
    [
      enumeration('idtype', 'waitid_types'),
      dynamic('id', 'waitid_id', 'int'),
      dynamic('infop', 'siginfo'),
      flags('options', 'wait4_options'),
      struct('rusage', 'out', 'rusage'),
    ],
    { stops: true, ret: 'zero', classes: ['process'], varies: ['rusage'] },
    waitid,
  ),
];

/** ru_maxrss is in KiB, times in microseconds. */
export function writeRusage(view: DataView, at: number, usage: ResourceUsage): void {
  new Uint8Array(view.buffer, view.byteOffset + at, RUSAGE.size).fill(0);
  const word = (offset: number, value: number): void => setU64(view, at + offset, value);
  word(0, Math.floor(usage.userNs / 1e9));
  word(8, Math.floor((usage.userNs % 1e9) / 1000));
  word(16, Math.floor(usage.systemNs / 1e9));
  word(24, Math.floor((usage.systemNs % 1e9) / 1000));
  word(RUSAGE.offsets.ru_maxrss, Math.floor(usage.maxRssBytes / 1024));
  word(RUSAGE.offsets.ru_minflt, usage.minorFaults);
}

function wait4(task: Task, pid: number, status: number, options: number, rusage: number): number {
  if ((options & ~(WNOHANG | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0) throw errno(EINVAL);
  if (pid === -0x8000_0000) throw errno(ESRCH);
  const selector: ChildSelector =
    pid === -1
      ? { kind: 'all' }
      : pid < 0
        ? { kind: 'group', id: -pid }
        : pid === 0
          ? { kind: 'group', id: task.group.processGroup.id }
          : { kind: 'pid', pid };
  return waitForChild(
    task,
    selector,
    options | WEXITED,
    (event) => {
      if (status !== 0) task.mm.writeU32(status, event.word);
      if (rusage !== 0) {
        writeRusage(task.mm.scratchView, 0, usageWithChildren(event.child));
        task.mm.writeStruct(rusage, RUSAGE.size);
      }
      return event.pid;
    },
    () => 0,
  );
}

function waitid(task: Task, which: number, id: number, info: number, options: number, rusage: number): number {
  const known = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;
  if ((options & ~known) !== 0 || (options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) throw errno(EINVAL);
  const selector = selectorOf(task, which, id);
  const { mm } = task;
  const store = (event: WaitEvent | null): number => {
    if (event !== null && rusage !== 0) {
      writeRusage(mm.scratchView, 0, usageWithChildren(event.child));
      mm.writeStruct(rusage, RUSAGE.size);
    }
    if (info === 0) return 0;
    // Linux writes the fields one by one: si_errno and the rest, nothing beyond.
    mm.writeU32(info, event === null ? 0 : SIGCHLD);
    mm.writeU32(info + 4, 0);
    mm.writeU32(info + 8, event?.code ?? 0);
    mm.writeU32(info + 16, event?.pid ?? 0);
    mm.writeU32(info + 20, event?.uid ?? 0);
    mm.writeU32(info + 24, event?.status ?? 0);
    return 0;
  };
  let nonblocking = false;
  if (which === P_PIDFD && (options & WNOHANG) === 0) nonblocking = (task.files.get(id).flags & O_NONBLOCK) !== 0;
  try {
    return waitForChild(task, selector, nonblocking ? options | WNOHANG : options, store, () => {
      if (nonblocking) throw errno(EAGAIN);
      return store(null);
    });
  } catch (error) {
    // Linux fills in an empty siginfo with every error that is not of the arguments (ECHILD).
    if (errnoOf(error) === ECHILD) store(null);
    throw error;
  }
}

function selectorOf(task: Task, which: number, id: number): ChildSelector {
  switch (which) {
    case P_ALL:
      return { kind: 'all' };
    case P_PID:
      if (id <= 0) throw errno(EINVAL);
      return { kind: 'pid', pid: id };
    case P_PGID:
      if (id < 0) throw errno(EINVAL);
      return { kind: 'group', id: id === 0 ? task.group.processGroup.id : id };
    case P_PIDFD:
      if (id < 0) throw errno(EINVAL);
      return { kind: 'pid', pid: pidFileOf(task.files.get(id)).group.tgid };
    default:
      throw errno(EINVAL);
  }
}
