/**
 * Descriptor tables: dup(2), fcntl(2), flock(2), ioctl(2), pidfd_getfd(2), kcmp(2).
 */
import { absent, dynamic, enumeration, fd, flags, hex32, pid, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('dup', { x86_64: 32, aarch64: 23 }, [fd('oldfd')], { ret: 'fd', classes: ['desc'] }),
  absent('dup2', { x86_64: 33 }, [fd('oldfd'), fd('newfd')], { ret: 'fd', classes: ['desc'] }),
  absent('dup3', { x86_64: 292, aarch64: 24 }, [fd('oldfd'), fd('newfd'), dynamic('flags', 'dup_flags', 'uint')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  absent(
    'fcntl',
    { x86_64: 72, aarch64: 25 },
    [fd('fd'), enumeration('cmd', 'fcntlcmds', 'uint'), dynamic('arg', 'fcntl_arg')],
    { ret: 'dynamic', classes: ['desc'] },
  ),
  absent('flock', { x86_64: 73, aarch64: 32 }, [fd('fd'), flags('operation', 'flockcmds')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  absent(
    'ioctl',
    { x86_64: 16, aarch64: 29 },
    [fd('fd'), dynamic('request', 'ioctl_cmd', 'uint'), dynamic('argp', 'ioctl_arg')],
    { ret: 'dynamic', classes: ['desc'] },
  ),
  absent(
    'kcmp',
    { x86_64: 312, aarch64: 272 },
    [
      pid('pid1'),
      pid('pid2'),
      enumeration('type', 'kcmp_types'),
      dynamic('idx1', 'kcmp_idx'),
      dynamic('idx2', 'kcmp_idx'),
    ],
    {},
  ),
  absent('pidfd_getfd', { x86_64: 438, aarch64: 438 }, [fd('pidfd'), fd('targetfd'), hex32('flags')], {
    ret: 'fd',
    classes: ['desc'],
  }),
];
