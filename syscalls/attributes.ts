/**
 * Modes, owners and times: chmod(2), chown(2), utimensat(2), umask(2), file_getattr(2).
 */
import { absent, dirfd, dynamic, fd, flags, gid, mode, path, size, struct, uid, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('chmod', { x86_64: 90 }, [path('pathname'), mode('mode')], { ret: 'zero', classes: ['file'] }),
  absent('fchmod', { x86_64: 91, aarch64: 52 }, [fd('fd'), mode('mode')], { ret: 'zero', classes: ['desc'] }),
  absent('fchmodat', { x86_64: 268, aarch64: 53 }, [dirfd('dirfd'), path('pathname'), mode('mode')], {
    ret: 'zero',
    classes: ['desc', 'file'],
  }),
  absent(
    'fchmodat2',
    { x86_64: 452, aarch64: 452 },
    [dirfd('dirfd'), path('pathname'), mode('mode'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent('chown', { x86_64: 92 }, [path('pathname'), uid('owner'), gid('group')], { ret: 'zero', classes: ['file'] }),
  absent('lchown', { x86_64: 94 }, [path('pathname'), uid('owner'), gid('group')], { ret: 'zero', classes: ['file'] }),
  absent('fchown', { x86_64: 93, aarch64: 55 }, [fd('fd'), uid('owner'), gid('group')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  absent(
    'fchownat',
    { x86_64: 260, aarch64: 54 },
    [dirfd('dirfd'), path('pathname'), uid('owner'), gid('group'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent('umask', { x86_64: 95, aarch64: 166 }, [mode('mask')], { ret: 'mode' }),
  absent('utime', { x86_64: 132 }, [path('filename'), struct('times', 'in', 'utimbuf')], {
    ret: 'zero',
    classes: ['file'],
  }),
  absent('utimes', { x86_64: 235 }, [path('filename'), struct('times', 'in', 'timeval', { fixed: 2 })], {
    ret: 'zero',
    classes: ['file'],
  }),
  absent(
    'futimesat',
    { x86_64: 261 },
    [dirfd('dirfd'), path('pathname'), struct('times', 'in', 'timeval', { fixed: 2 })],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'utimensat',
    { x86_64: 280, aarch64: 88 },
    [dirfd('dirfd'), path('pathname'), dynamic('times', 'utimensat_times'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'file_getattr',
    { x86_64: 468, aarch64: 468 },
    [
      dirfd('dirfd'),
      path('pathname'),
      struct('ufattr', 'out', 'file_attr'),
      size('usize'),
      flags('at_flags', 'at_flags'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'file_setattr',
    { x86_64: 469, aarch64: 469 },
    [
      dirfd('dirfd'),
      path('pathname'),
      struct('ufattr', 'in', 'file_attr'),
      size('usize'),
      flags('at_flags', 'at_flags'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
];
