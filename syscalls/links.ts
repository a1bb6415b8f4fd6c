/**
 * Names: link(2), symlink(2), readlink(2), unlink(2), rename(2), mknod(2).
 */
import { absent, buffer, dirfd, dynamic, flags, int, path, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('link', { x86_64: 86 }, [path('oldpath'), path('newpath')], { ret: 'zero', classes: ['file'] }),
  absent(
    'linkat',
    { x86_64: 265, aarch64: 37 },
    [dirfd('olddirfd'), path('oldpath'), dirfd('newdirfd'), path('newpath'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent('symlink', { x86_64: 88 }, [path('target'), path('linkpath')], { ret: 'zero', classes: ['file'] }),
  absent('symlinkat', { x86_64: 266, aarch64: 36 }, [path('target'), dirfd('newdirfd'), path('linkpath')], {
    ret: 'zero',
    classes: ['desc', 'file'],
  }),
  absent('readlink', { x86_64: 89 }, [path('pathname'), buffer('buf', 'out', 'ret'), int('bufsiz')], {
    ret: 'size',
    classes: ['file'],
  }),
  absent(
    'readlinkat',
    { x86_64: 267, aarch64: 78 },
    [dirfd('dirfd'), path('pathname'), buffer('buf', 'out', 'ret'), int('bufsiz')],
    { ret: 'size', classes: ['desc', 'file'] },
  ),
  absent('unlink', { x86_64: 87 }, [path('pathname')], { ret: 'zero', classes: ['file'] }),
  absent('unlinkat', { x86_64: 263, aarch64: 35 }, [dirfd('dirfd'), path('pathname'), flags('flags', 'at_flags')], {
    ret: 'zero',
    classes: ['desc', 'file'],
  }),
  absent('rename', { x86_64: 82 }, [path('oldpath'), path('newpath')], { ret: 'zero', classes: ['file'] }),
  absent(
    'renameat',
    { x86_64: 264, aarch64: 38 },
    [dirfd('olddirfd'), path('oldpath'), dirfd('newdirfd'), path('newpath')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'renameat2',
    { x86_64: 316, aarch64: 276 },
    [dirfd('olddirfd'), path('oldpath'), dirfd('newdirfd'), path('newpath'), flags('flags', 'rename_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'mknod',
    { x86_64: 133 },
    [path('pathname'), dynamic('mode', 'mknod_mode', 'mode'), dynamic('dev', 'mknod_dev', 'uint')],
    { ret: 'zero', classes: ['file'] },
  ),
  absent(
    'mknodat',
    { x86_64: 259, aarch64: 33 },
    [dirfd('dirfd'), path('pathname'), dynamic('mode', 'mknod_mode', 'mode'), dynamic('dev', 'mknod_dev', 'uint')],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
];
