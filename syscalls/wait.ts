/**
 * wait4(2), waitid(2).
 */
import { absent, dynamic, enumeration, flags, pid, struct, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'wait4',
    { x86_64: 61, aarch64: 260 },
    [
      pid('pid'),
      dynamic('wstatus', 'wait_status'),
      flags('options', 'wait4_options'),
      struct('rusage', 'out', 'rusage'),
    ],
    { ret: 'pid', classes: ['process'] },
  ),
  absent(
    'waitid',
    { x86_64: 247, aarch64: 95 },
    [
      enumeration('idtype', 'waitid_types'),
      dynamic('id', 'waitid_id', 'int'),
      dynamic('infop', 'siginfo'),
      flags('options', 'wait4_options'),
      struct('rusage', 'out', 'rusage'),
    ],
    { ret: 'zero', classes: ['process'] },
  ),
];
