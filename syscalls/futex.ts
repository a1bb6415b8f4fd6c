/**
 * futex(2), its 6.7 successors, robust lists.
 */
import { absent, addr, dynamic, enumeration, hex, hex32, int, pid, size, struct, uint, word, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
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
    {},
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
  absent('set_robust_list', { x86_64: 273, aarch64: 99 }, [addr('head'), size('len')], { ret: 'zero' }),
  absent(
    'get_robust_list',
    { x86_64: 274, aarch64: 100 },
    [pid('pid'), word('head_ptr', 'out', 'ulong'), word('len_ptr', 'out', 'size')],
    { ret: 'zero' },
  ),
];
