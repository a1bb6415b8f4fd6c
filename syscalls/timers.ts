/**
 * Timers: setitimer(2), alarm(2), timer_create(2).
 */
import { absent, dynamic, enumeration, flags, int, struct, uint, word, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('alarm', { x86_64: 37 }, [uint('seconds')], {}),
  absent(
    'getitimer',
    { x86_64: 36, aarch64: 102 },
    [enumeration('which', 'itimer_which'), struct('curr_value', 'out', 'itimerval')],
    { ret: 'zero' },
  ),
  absent(
    'setitimer',
    { x86_64: 38, aarch64: 103 },
    [
      enumeration('which', 'itimer_which'),
      struct('new_value', 'in', 'itimerval'),
      struct('old_value', 'out', 'itimerval'),
    ],
    { ret: 'zero' },
  ),
  absent(
    'timer_create',
    { x86_64: 222, aarch64: 107 },
    [enumeration('clockid', 'clocknames'), dynamic('sevp', 'sigevent'), word('timerid', 'out', 'int')],
    { ret: 'zero' },
  ),
  absent(
    'timer_settime',
    { x86_64: 223, aarch64: 110 },
    [
      int('timerid'),
      flags('flags', 'clockflags'),
      struct('new_value', 'in', 'itimerspec'),
      struct('old_value', 'out', 'itimerspec'),
    ],
    { ret: 'zero' },
  ),
  absent('timer_gettime', { x86_64: 224, aarch64: 108 }, [int('timerid'), struct('curr_value', 'out', 'itimerspec')], {
    ret: 'zero',
  }),
  absent('timer_getoverrun', { x86_64: 225, aarch64: 109 }, [int('timerid')], {}),
  absent('timer_delete', { x86_64: 226, aarch64: 111 }, [int('timerid')], { ret: 'zero' }),
];
