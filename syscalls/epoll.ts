/**
 * epoll(7).
 */
import { absent, dynamic, enumeration, fd, flags, hex, int, sigset, size, struct, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('epoll_create', { x86_64: 213 }, [int('size')], { ret: 'fd', classes: ['desc'] }),
  absent('epoll_create1', { x86_64: 291, aarch64: 20 }, [flags('flags', 'epollflags')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  absent(
    'epoll_ctl',
    { x86_64: 233, aarch64: 21 },
    [fd('epfd'), enumeration('op', 'epollctls'), fd('fd'), dynamic('event', 'epoll_event')],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent(
    'epoll_wait',
    { x86_64: 232 },
    [fd('epfd'), dynamic('events', 'epoll_events'), int('maxevents'), int('timeout')],
    { classes: ['desc'] },
  ),
  absent(
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
  ),
  absent(
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
  ),
  absent('epoll_ctl_old', { x86_64: 214 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4')], {}),
  absent('epoll_wait_old', { x86_64: 215 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4')], {}),
];
