/**
 * Resource limits and usage: prlimit64(2), getrusage(2), acct(2).
 */
import { absent, enumeration, path, pid, struct, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'getrlimit',
    { x86_64: 97, aarch64: 163 },
    [enumeration('resource', 'resources', 'uint'), struct('rlim', 'out', 'rlimit')],
    { ret: 'zero' },
  ),
  absent(
    'setrlimit',
    { x86_64: 160, aarch64: 164 },
    [enumeration('resource', 'resources', 'uint'), struct('rlim', 'in', 'rlimit')],
    { ret: 'zero' },
  ),
  absent(
    'prlimit64',
    { x86_64: 302, aarch64: 261 },
    [
      pid('pid'),
      enumeration('resource', 'resources', 'uint'),
      struct('new_limit', 'in', 'rlimit'),
      struct('old_limit', 'out', 'rlimit'),
    ],
    { ret: 'zero' },
  ),
  absent(
    'getrusage',
    { x86_64: 98, aarch64: 165 },
    [enumeration('who', 'usagewho'), struct('usage', 'out', 'rusage')],
    { ret: 'zero' },
  ),
  absent('acct', { x86_64: 163, aarch64: 89 }, [path('filename')], { ret: 'zero', classes: ['file'] }),
];
