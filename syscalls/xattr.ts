/**
 * Extended attributes, xattr(7), with the *at forms of Linux 6.13.
 */
import { absent, buffer, dirfd, fd, flags, path, size, string, struct, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'setxattr',
    { x86_64: 188, aarch64: 5 },
    [
      path('path'),
      string('name', 'xattr'),
      buffer('value', 'in', { arg: 'size' }),
      size('size'),
      flags('flags', 'xattrflags'),
    ],
    { ret: 'zero', classes: ['file'] },
  ),
  absent(
    'lsetxattr',
    { x86_64: 189, aarch64: 6 },
    [
      path('path'),
      string('name', 'xattr'),
      buffer('value', 'in', { arg: 'size' }),
      size('size'),
      flags('flags', 'xattrflags'),
    ],
    { ret: 'zero', classes: ['file'] },
  ),
  absent(
    'fsetxattr',
    { x86_64: 190, aarch64: 7 },
    [
      fd('fd'),
      string('name', 'xattr'),
      buffer('value', 'in', { arg: 'size' }),
      size('size'),
      flags('flags', 'xattrflags'),
    ],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent(
    'setxattrat',
    { x86_64: 463, aarch64: 463 },
    [
      dirfd('dirfd'),
      path('pathname'),
      flags('at_flags', 'at_flags'),
      string('name', 'xattr'),
      struct('uargs', 'in', 'xattr_args'),
      size('usize'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'getxattr',
    { x86_64: 191, aarch64: 8 },
    [path('path'), string('name', 'xattr'), buffer('value', 'out', 'ret'), size('size')],
    { ret: 'size', classes: ['file'] },
  ),
  absent(
    'lgetxattr',
    { x86_64: 192, aarch64: 9 },
    [path('path'), string('name', 'xattr'), buffer('value', 'out', 'ret'), size('size')],
    { ret: 'size', classes: ['file'] },
  ),
  absent(
    'fgetxattr',
    { x86_64: 193, aarch64: 10 },
    [fd('fd'), string('name', 'xattr'), buffer('value', 'out', 'ret'), size('size')],
    { ret: 'size', classes: ['desc'] },
  ),
  absent(
    'getxattrat',
    { x86_64: 464, aarch64: 464 },
    [
      dirfd('dirfd'),
      path('pathname'),
      flags('at_flags', 'at_flags'),
      string('name', 'xattr'),
      struct('uargs', 'inout', 'xattr_args'),
      size('usize'),
    ],
    { ret: 'size', classes: ['desc', 'file'] },
  ),
  absent('listxattr', { x86_64: 194, aarch64: 11 }, [path('path'), buffer('list', 'out', 'ret'), size('size')], {
    ret: 'size',
    classes: ['file'],
  }),
  absent('llistxattr', { x86_64: 195, aarch64: 12 }, [path('path'), buffer('list', 'out', 'ret'), size('size')], {
    ret: 'size',
    classes: ['file'],
  }),
  absent('flistxattr', { x86_64: 196, aarch64: 13 }, [fd('fd'), buffer('list', 'out', 'ret'), size('size')], {
    ret: 'size',
    classes: ['desc'],
  }),
  absent(
    'listxattrat',
    { x86_64: 465, aarch64: 465 },
    [dirfd('dirfd'), path('pathname'), flags('at_flags', 'at_flags'), buffer('list', 'out', 'ret'), size('size')],
    { ret: 'size', classes: ['desc', 'file'] },
  ),
  absent('removexattr', { x86_64: 197, aarch64: 14 }, [path('path'), string('name', 'xattr')], {
    ret: 'zero',
    classes: ['file'],
  }),
  absent('lremovexattr', { x86_64: 198, aarch64: 15 }, [path('path'), string('name', 'xattr')], {
    ret: 'zero',
    classes: ['file'],
  }),
  absent('fremovexattr', { x86_64: 199, aarch64: 16 }, [fd('fd'), string('name', 'xattr')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  absent(
    'removexattrat',
    { x86_64: 466, aarch64: 466 },
    [dirfd('dirfd'), path('pathname'), flags('at_flags', 'at_flags'), string('name', 'xattr')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
];
