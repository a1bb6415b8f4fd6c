/**
 * Clocks: clock_gettime(2), nanosleep(2), gettimeofday(2), adjtimex(2), times(2).
 */
import { absent, dynamic, enumeration, flags, struct, word, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'clock_gettime',
    { x86_64: 228, aarch64: 113 },
    [enumeration('clockid', 'clocknames'), struct('tp', 'out', 'timespec')],
    { ret: 'zero', classes: ['clock'] },
  ),
  absent(
    'clock_settime',
    { x86_64: 227, aarch64: 112 },
    [enumeration('clockid', 'clocknames'), struct('tp', 'in', 'timespec')],
    { ret: 'zero', classes: ['clock'] },
  ),
  absent(
    'clock_getres',
    { x86_64: 229, aarch64: 114 },
    [enumeration('clockid', 'clocknames'), struct('res', 'out', 'timespec')],
    { ret: 'zero', classes: ['clock'] },
  ),
  absent(
    'clock_nanosleep',
    { x86_64: 230, aarch64: 115 },
    [
      enumeration('clockid', 'clocknames'),
      flags('flags', 'clockflags'),
      struct('request', 'in', 'timespec'),
      dynamic('remain', 'nanosleep_remain'),
    ],
    { ret: 'zero' },
  ),
  absent(
    'clock_adjtime',
    { x86_64: 305, aarch64: 266 },
    [enumeration('clockid', 'clocknames'), struct('buf', 'inout', 'timex')],
    { ret: 'dynamic', classes: ['clock'] },
  ),
  absent('adjtimex', { x86_64: 159, aarch64: 171 }, [struct('buf', 'inout', 'timex')], {
    ret: 'dynamic',
    classes: ['clock'],
  }),
  absent(
    'nanosleep',
    { x86_64: 35, aarch64: 101 },
    [struct('req', 'in', 'timespec'), dynamic('rem', 'nanosleep_remain')],
    { ret: 'zero' },
  ),
  absent(
    'gettimeofday',
    { x86_64: 96, aarch64: 169 },
    [struct('tv', 'out', 'timeval'), struct('tz', 'out', 'timezone')],
    { ret: 'zero', classes: ['clock'] },
  ),
  absent(
    'settimeofday',
    { x86_64: 164, aarch64: 170 },
    [struct('tv', 'in', 'timeval'), struct('tz', 'in', 'timezone')],
    { ret: 'zero', classes: ['clock'] },
  ),
  absent('time', { x86_64: 201 }, [word('tloc', 'out', 'long')], { ret: 'time', classes: ['clock'] }),
  absent('times', { x86_64: 100, aarch64: 153 }, [struct('buf', 'out', 'tms')], {}),
];
