/**
 * eventfd(2), signalfd(2), timerfd_create(2) and friends, pidfd_open(2).
 */
import { EINVAL, ENOENT, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import { O_CLOEXEC, O_NONBLOCK } from '../src/abi/flags/open.js';
import { EFD_SEMAPHORE, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET } from '../src/abi/flags/poll.js';
import { SIGKILL, SIGSTOP, SI_TKILL, SI_USER } from '../src/abi/flags/signal.js';
import { getI64, setU64 } from '../src/abi/layout.js';
import { capable } from '../sched/credentials.js';
import { SIGINFO_SIZE, readSigInfo } from '../sched/signal/info-bytes.js';
import { checkMaySignal } from '../sched/signal/permission.js';
import { sendSignalToGroup, userInfo } from '../sched/signal/send.js';
import { SigSet } from '../sched/signal/sigset.js';
import { readClock } from '../sched/clocks.js';
import {
  CLOCK_BOOTTIME,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM,
} from '../src/abi/flags/time.js';
import type { Task } from '../sched/task.js';
import { EventFile } from '../src/ipc/eventfd.js';
import { PidFile, pidFileOf } from '../src/ipc/pidfd.js';
import { SignalFile } from '../src/ipc/signalfd.js';
import { TimerFile, type TimerSetting } from '../src/ipc/timerfd.js';
import { installFile, ioFile } from './file-io.js';
import {
  dynamic,
  enumeration,
  fd,
  flags,
  hex32,
  pid,
  signal,
  sigset,
  size,
  struct,
  uint,
  row,
  type Row,
} from './row.js';

function eventfd2(task: Task, initval: number, flags: number): number {
  if ((flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) !== 0) throw errno(EINVAL);
  return installFile(task, new EventFile(task.kernel, initval, flags & ~O_CLOEXEC), (flags & O_CLOEXEC) !== 0);
}

function signalfd4(task: Task, fd: number, mask: number, size: number, flags: number): number {
  if (size !== 8) throw errno(EINVAL);
  const view = task.mm.readStruct(mask, 8);
  const set = new SigSet(view.getInt32(0, true), view.getInt32(4, true));
  set.delete(SIGKILL);
  set.delete(SIGSTOP);
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) throw errno(EINVAL);
  if (fd === -1)
    return installFile(task, new SignalFile(task.kernel, set, flags & O_NONBLOCK), (flags & O_CLOEXEC) !== 0);
  const file = ioFile(task, fd);
  if (!(file instanceof SignalFile)) throw errno(EINVAL);
  file.setMask(set);
  return fd;
}

const TIMER_CLOCKS = [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM];

function timerfdCreate(task: Task, clockId: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0 || !TIMER_CLOCKS.includes(clockId)) throw errno(EINVAL);
  const alarm = clockId === CLOCK_REALTIME_ALARM || clockId === CLOCK_BOOTTIME_ALARM;
  if (alarm && !capable(task.creds, CAP_WAKE_ALARM)) throw errno(EPERM);
  return installFile(task, new TimerFile(task.kernel, clockId, flags & O_NONBLOCK), (flags & O_CLOEXEC) !== 0);
}
const CAP_WAKE_ALARM = 35;

function timerFile(task: Task, fd: number): TimerFile {
  const file = ioFile(task, fd);
  if (!(file instanceof TimerFile)) throw errno(EINVAL);
  return file;
}

function timerfdSettime(task: Task, fd: number, flags: number, newValue: number, oldValue: number): number {
  const view = task.mm.readStruct(newValue, 32);
  const [intervalSec, intervalNsec, sec, nsec] = [0, 8, 16, 24].map((at) => getI64(view, at));
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0) throw errno(EINVAL);
  if (sec < 0 || intervalSec < 0 || nsec < 0 || nsec >= 1e9 || intervalNsec < 0 || intervalNsec >= 1e9)
    throw errno(EINVAL);
  const file = timerFile(task, fd);
  let atNs = Infinity;
  if (sec !== 0 || nsec !== 0) {
    // A time in the past is kept as it is: the periods since then count.
    const now = (flags & TFD_TIMER_ABSTIME) === 0 ? { sec: 0, nsec: 0 } : readClock(task, file.clockId);
    atNs = task.kernel.clock.monotonicNs() + (sec - now.sec) * 1e9 + (nsec - now.nsec);
  }
  const before = file.set(atNs, intervalSec * 1e9 + intervalNsec, flags);
  if (oldValue !== 0) writeSetting(task, oldValue, before);
  return 0;
}

function timerfdGettime(task: Task, fd: number, value: number): number {
  writeSetting(task, value, timerFile(task, fd).get());
  return 0;
}

function writeSetting(task: Task, addr: number, { leftNs, intervalNs }: TimerSetting): void {
  const view = task.mm.scratchView;
  setU64(view, 0, Math.floor(intervalNs / 1e9));
  setU64(view, 8, Math.floor(intervalNs % 1e9));
  setU64(view, 16, Math.floor(leftNs / 1e9));
  setU64(view, 24, Math.floor(leftNs % 1e9));
  task.mm.writeStruct(addr, 32);
}

/** PIDFD_THREAD: a pidfd of one thread. */
const PIDFD_THREAD = 0o200;

function pidfdOpen(task: Task, pid: number, flags: number): number {
  if ((flags & ~(O_NONBLOCK | PIDFD_THREAD)) !== 0 || pid <= 0) throw errno(EINVAL);
  const { groups, tasks } = task.kernel.pids;
  const group = groups.get(pid);
  if (group === undefined) throw errno(tasks.has(pid) ? ((flags & PIDFD_THREAD) !== 0 ? EINVAL : ENOENT) : ESRCH);
  return installFile(task, new PidFile(task.kernel, group, flags & O_NONBLOCK), true);
}

function pidfdSendSignal(task: Task, pidfd: number, signo: number, info: number, flags: number): number {
  if (flags !== 0) throw errno(EINVAL);
  const file = pidFileOf(ioFile(task, pidfd));
  const { group } = file;
  let sent = userInfo(signo, task);
  if (info !== 0) {
    const view = task.mm.readStruct(info, SIGINFO_SIZE);
    if (view.getInt32(0, true) !== signo) throw errno(EINVAL);
    const code = view.getInt32(8, true);
    // Only to oneself may a signal look as if kill or the kernel had sent it.
    if (group !== task.group && (code >= SI_USER || code === SI_TKILL)) throw errno(EPERM);
    sent = readSigInfo(view, 0, signo);
  }
  if (signo < 0 || signo > 64) throw errno(EINVAL);
  if (!file.alive) throw errno(ESRCH);
  checkMaySignal(task, group, signo);
  if (signo !== 0) sendSignalToGroup(group, sent);
  return 0;
}

export const rows: readonly Row[] = [
  row('eventfd', { x86_64: 284 }, [uint('initval')], { ret: 'fd', classes: ['desc'] }, (task, initval) =>
    eventfd2(task, initval, 0),
  ),
  row(
    'eventfd2',
    { x86_64: 290, aarch64: 19 },
    [uint('initval'), flags('flags', 'efd_flags')],
    {
      ret: 'fd',
      classes: ['desc'],
    },
    eventfd2,
  ),
  row(
    'signalfd',
    { x86_64: 282 },
    [fd('fd'), sigset('mask', 'in'), size('sizemask')],
    {
      ret: 'fd',
      classes: ['desc', 'signal'],
    },
    (task, fd, mask, size) => signalfd4(task, fd, mask, size, 0),
  ),
  row(
    'signalfd4',
    { x86_64: 289, aarch64: 74 },
    [fd('fd'), sigset('mask', 'in'), size('sizemask'), flags('flags', 'sfd_flags')],
    { ret: 'fd', classes: ['desc', 'signal'] },
    signalfd4,
  ),
  row(
    'timerfd_create',
    { x86_64: 283, aarch64: 85 },
    [enumeration('clockid', 'clocknames'), flags('flags', 'timerfdflags')],
    { ret: 'fd', classes: ['desc'] },
    timerfdCreate,
  ),
  row(
    'timerfd_settime',
    { x86_64: 286, aarch64: 86 },
    [
      fd('fd'),
      flags('flags', 'timerfdflags'),
      struct('new_value', 'in', 'itimerspec'),
      struct('old_value', 'out', 'itimerspec'),
    ],
    {
      ret: 'zero',
      classes: ['desc'],
      disposition: { partial: 'the clock is never set, so TFD_TIMER_CANCEL_ON_SET never fires' },
    },
    timerfdSettime,
  ),
  row(
    'timerfd_gettime',
    { x86_64: 287, aarch64: 87 },
    [fd('fd'), struct('curr_value', 'out', 'itimerspec')],
    { ret: 'zero', classes: ['desc'], varies: ['curr_value'] },
    timerfdGettime,
  ),
  row(
    'pidfd_open',
    { x86_64: 434, aarch64: 434 },
    [pid('pid'), flags('flags', 'pidfd_open_flags')],
    {
      ret: 'fd',
      classes: ['desc'],
    },
    pidfdOpen,
  ),
  row(
    'pidfd_send_signal',
    { x86_64: 424, aarch64: 424 },
    [fd('pidfd'), signal('sig'), dynamic('info', 'siginfo'), hex32('flags')],
    { ret: 'zero', classes: ['desc', 'signal', 'process'] },
    pidfdSendSignal,
  ),
];
