/**
 * epoll(7).
 */
import { EINTR, EINVAL, EPERM, errno, errnoOf } from '../src/abi/errno.js';
import { O_CLOEXEC } from '../src/abi/flags/open.js';
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from '../src/abi/flags/poll.js';
import { EPOLL_EVENT } from '../src/abi/layouts/io.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK } from '../sched/wait.js';
import { accessOk } from '../fs/guest-buffer.js';
import { EpollFile, type EpollItem } from '../src/ipc/epoll.js';
import { deadlineAt, deadlineInMs } from './deadline.js';
import { blockOn, installFile, ioFile } from './file-io.js';
import { restoreMask, swapMask } from './sigmask.js';
import { absent, dynamic, enumeration, fd, flags, hex, int, sigset, size, struct, row, type Row } from './row.js';

function epollCreate(task: Task, size: number): number {
  if (size <= 0) throw errno(EINVAL);
  return epollCreate1(task, 0);
}

function epollCreate1(task: Task, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0) throw errno(EINVAL);
  return installFile(task, new EpollFile(task.kernel), (flags & O_CLOEXEC) !== 0);
}

function epollCtl(task: Task, epfd: number, op: number, fd: number, event: number): number {
  const { offsets, size } = EPOLL_EVENT[task.mm.platform.arch];
  let events = 0;
  let lo = 0;
  let hi = 0;
  if (op !== EPOLL_CTL_DEL) {
    const view = task.mm.readStruct(event, size);
    events = view.getUint32(offsets.events, true);
    lo = view.getUint32(offsets.data, true);
    hi = view.getUint32(offsets.data + 4, true);
  }
  const ep = ioFile(task, epfd);
  const file = ioFile(task, fd);
  if (file.queue === null) throw errno(EPERM);
  if (!(ep instanceof EpollFile) || ep === file) throw errno(EINVAL);
  if (op === EPOLL_CTL_ADD) ep.add(task, file, fd, events, lo, hi);
  else if (op === EPOLL_CTL_MOD) ep.modify(task, file, fd, events, lo, hi);
  else if (op === EPOLL_CTL_DEL) ep.remove(file, fd);
  else throw errno(EINVAL);
  return 0;
}

const MAX_EVENTS_BYTES = 0x7fff_ffff;

function epollWait(task: Task, epfd: number, events: number, maxEvents: number, deadlineNs: number): number {
  const { mm } = task;
  const { offsets, size } = EPOLL_EVENT[mm.platform.arch];
  const ep = ioFile(task, epfd);
  if (maxEvents <= 0 || maxEvents > Math.floor(MAX_EVENTS_BYTES / size)) throw errno(EINVAL);
  accessOk(mm, events, maxEvents * size);
  if (!(ep instanceof EpollFile)) throw errno(EINVAL);
  const emit = (index: number, item: EpollItem, bits: number): void => {
    const at = events + index * size;
    // Linux puts the two fields one after the other: what lies between them stays.
    const first = offsets.data === 4 ? 0 : offsets.data;
    if (first !== 0) mm.writeU32(at, bits);
    const view = mm.scratchView;
    if (first === 0) view.setUint32(0, bits, true);
    view.setUint32(offsets.data - first, item.dataLo, true);
    view.setUint32(offsets.data - first + 4, item.dataHi, true);
    mm.writeStruct(at + first, size - first);
  };
  // The mask of epoll_pwait is restored by whatever ends the call but a signal.
  const finish = (count: number): number => {
    restoreMask(task);
    return count;
  };
  const attempt = (): number => {
    const count = ep.collect(task, maxEvents, emit);
    return count === 0 ? WOULD_BLOCK : finish(count);
  };
  const first = attempt();
  if (first !== WOULD_BLOCK) return first;
  return blockOn(task, ep, attempt, { deadlineNs, restart: EINTR, onTimeout: () => finish(0) });
}

function epollPwait(
  task: Task,
  epfd: number,
  events: number,
  maxEvents: number,
  timeoutMs: number,
  sigmask: number,
  size: number,
): number {
  const deadlineNs = deadlineInMs(task, timeoutMs);
  return masked(task, sigmask, size, () => epollWait(task, epfd, events, maxEvents, deadlineNs));
}

function epollPwait2(
  task: Task,
  epfd: number,
  events: number,
  maxEvents: number,
  timeout: number,
  sigmask: number,
  size: number,
): number {
  const deadlineNs = deadlineAt(task, timeout);
  return masked(task, sigmask, size, () => epollWait(task, epfd, events, maxEvents, deadlineNs));
}

function masked(task: Task, sigmask: number, size: number, wait: () => number): number {
  swapMask(task, sigmask, size);
  try {
    return wait();
  } catch (error) {
    if (errnoOf(error) !== EINTR) restoreMask(task);
    throw error;
  }
}

export const rows: readonly Row[] = [
  row('epoll_create', { x86_64: 213 }, [int('size')], { ret: 'fd', classes: ['desc'] }, epollCreate),
  row(
    'epoll_create1',
    { x86_64: 291, aarch64: 20 },
    [flags('flags', 'epollflags')],
    {
      ret: 'fd',
      classes: ['desc'],
    },
    epollCreate1,
  ),
  row(
    'epoll_ctl',
    { x86_64: 233, aarch64: 21 },
    [fd('epfd'), enumeration('op', 'epollctls'), fd('fd'), dynamic('event', 'epoll_event')],
    { ret: 'zero', classes: ['desc'] },
    epollCtl,
  ),
  row(
    'epoll_wait',
    { x86_64: 232 },
    [fd('epfd'), dynamic('events', 'epoll_events'), int('maxevents'), int('timeout')],
    { classes: ['desc'] },
    (task, epfd, events, maxevents, timeout) => epollWait(task, epfd, events, maxevents, deadlineInMs(task, timeout)),
  ),
  row(
    'epoll_pwait',
    { x86_64: 281, aarch64: 22 },
    [
      fd('epfd'),
      dynamic('events', 'epoll_events'),
      int('maxevents'),
      int('timeout'),
      sigset('sigmask', 'in'),
      size('sigsetsize'),
    ],
    { classes: ['desc'] },
    epollPwait,
  ),
  row(
    'epoll_pwait2',
    { x86_64: 441, aarch64: 441 },
    [
      fd('epfd'),
      dynamic('events', 'epoll_events'),
      int('maxevents'),
      struct('timeout', 'in', 'timespec'),
      sigset('sigmask', 'in'),
      size('sigsetsize'),
    ],
    { classes: ['desc'] },
    epollPwait2,
  ),
  absent('epoll_ctl_old', { x86_64: 214 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4')], {}),
  absent('epoll_wait_old', { x86_64: 215 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4')], {}),
];
