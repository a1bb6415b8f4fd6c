/**
 * eventfd(2), signalfd(2), timerfd_create(2) and friends, pidfd_open(2).
 */
import {
  absent,
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
  type Row,
} from './row.js';

export const rows: readonly Row[] = [
  absent('eventfd', { x86_64: 284 }, [uint('initval')], { ret: 'fd', classes: ['desc'] }),
  absent('eventfd2', { x86_64: 290, aarch64: 19 }, [uint('initval'), flags('flags', 'efd_flags')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  absent('signalfd', { x86_64: 282 }, [fd('fd'), sigset('mask', 'in'), size('sizemask')], {
    ret: 'fd',
    classes: ['desc', 'signal'],
  }),
  absent(
    'signalfd4',
    { x86_64: 289, aarch64: 74 },
    [fd('fd'), sigset('mask', 'in'), size('sizemask'), flags('flags', 'sfd_flags')],
    { ret: 'fd', classes: ['desc', 'signal'] },
  ),
  absent(
    'timerfd_create',
    { x86_64: 283, aarch64: 85 },
    [enumeration('clockid', 'clocknames'), flags('flags', 'timerfdflags')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent(
    'timerfd_settime',
    { x86_64: 286, aarch64: 86 },
    [
      fd('fd'),
      flags('flags', 'timerfdflags'),
      struct('new_value', 'in', 'itimerspec'),
      struct('old_value', 'out', 'itimerspec'),
    ],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent('timerfd_gettime', { x86_64: 287, aarch64: 87 }, [fd('fd'), struct('curr_value', 'out', 'itimerspec')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  absent('pidfd_open', { x86_64: 434, aarch64: 434 }, [pid('pid'), flags('flags', 'pidfd_open_flags')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  absent(
    'pidfd_send_signal',
    { x86_64: 424, aarch64: 424 },
    [fd('pidfd'), signal('sig'), dynamic('info', 'siginfo'), hex32('flags')],
    { ret: 'zero', classes: ['desc', 'signal', 'process'] },
  ),
];
