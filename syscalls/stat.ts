/**
 * File status: stat(2), statx(2), statfs(2), access(2), and the old ustat(2), sysfs(2).
 */
import { absent, dirfd, dynamic, fd, flags, int, path, struct, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('stat', { x86_64: 4 }, [path('pathname'), struct('statbuf', 'out', 'stat')], {
    ret: 'zero',
    classes: ['file', 'stat', 'stat-like'],
  }),
  absent('lstat', { x86_64: 6 }, [path('pathname'), struct('statbuf', 'out', 'stat')], {
    ret: 'zero',
    classes: ['file', 'lstat', 'stat-like'],
  }),
  absent('fstat', { x86_64: 5, aarch64: 80 }, [fd('fd'), struct('statbuf', 'out', 'stat')], {
    ret: 'zero',
    classes: ['desc', 'fstat', 'stat-like'],
  }),
  absent(
    'newfstatat',
    { x86_64: 262, aarch64: 79 },
    [dirfd('dirfd'), path('pathname'), struct('statbuf', 'out', 'stat'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file', 'fstat', 'stat-like'] },
  ),
  absent(
    'statx',
    { x86_64: 332, aarch64: 291 },
    [
      dirfd('dirfd'),
      path('pathname'),
      dynamic('flags', 'statx_flags', 'uint'),
      flags('mask', 'statx_masks'),
      struct('statxbuf', 'out', 'statx'),
    ],
    { ret: 'zero', classes: ['desc', 'file', 'fstat', 'stat-like'] },
  ),
  absent('statfs', { x86_64: 137, aarch64: 43 }, [path('path'), struct('buf', 'out', 'statfs')], {
    ret: 'zero',
    classes: ['file', 'statfs', 'statfs-like'],
  }),
  absent('fstatfs', { x86_64: 138, aarch64: 44 }, [fd('fd'), struct('buf', 'out', 'statfs')], {
    ret: 'zero',
    classes: ['desc', 'fstatfs', 'statfs-like'],
  }),
  absent('ustat', { x86_64: 136 }, [dynamic('dev', 'dev', 'ulong'), struct('ubuf', 'out', 'ustat')], {
    ret: 'zero',
    classes: ['statfs-like'],
  }),
  absent('sysfs', { x86_64: 139 }, [int('option'), dynamic('arg1', 'sysfs_arg'), dynamic('arg2', 'sysfs_arg')], {}),
  absent('access', { x86_64: 21 }, [path('pathname'), flags('mode', 'access_modes')], {
    ret: 'zero',
    classes: ['file'],
  }),
  absent('faccessat', { x86_64: 269, aarch64: 48 }, [dirfd('dirfd'), path('pathname'), flags('mode', 'access_modes')], {
    ret: 'zero',
    classes: ['desc', 'file'],
  }),
  absent(
    'faccessat2',
    { x86_64: 439, aarch64: 439 },
    [dirfd('dirfd'), path('pathname'), flags('mode', 'access_modes'), flags('flags', 'faccessat_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
];
