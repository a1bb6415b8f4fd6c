/**
 * Opening, closing and creating files: open(2), openat2(2), close_range(2), memfd_create(2) and file handles.
 */
import { absent, dirfd, dynamic, fd, flags, mode, path, size, string, uint, word, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent(
    'open',
    { x86_64: 2 },
    [path('pathname'), dynamic('flags', 'open_flags', 'uint'), dynamic('mode', 'open_mode', 'mode')],
    { ret: 'fd', classes: ['desc', 'file'] },
  ),
  absent(
    'openat',
    { x86_64: 257, aarch64: 56 },
    [dirfd('dirfd'), path('pathname'), dynamic('flags', 'open_flags', 'uint'), dynamic('mode', 'open_mode', 'mode')],
    { ret: 'fd', classes: ['desc', 'file'] },
  ),
  absent(
    'openat2',
    { x86_64: 437, aarch64: 437 },
    [dirfd('dirfd'), path('pathname'), dynamic('how', 'open_how'), size('size')],
    { ret: 'fd', classes: ['desc', 'file'] },
  ),
  absent('creat', { x86_64: 85 }, [path('pathname'), mode('mode')], { ret: 'fd', classes: ['desc', 'file'] }),
  absent('close', { x86_64: 3, aarch64: 57 }, [fd('fd')], { ret: 'zero', classes: ['desc'] }),
  absent(
    'close_range',
    { x86_64: 436, aarch64: 436 },
    [uint('first'), uint('last'), flags('flags', 'close_range_flags')],
    { ret: 'zero' },
  ),
  absent(
    'memfd_create',
    { x86_64: 319, aarch64: 279 },
    [string('uname', 'name'), flags('flags', 'memfd_create_flags')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent('memfd_secret', { x86_64: 447, aarch64: 447 }, [flags('flags', 'memfd_secret_flags')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  absent(
    'name_to_handle_at',
    { x86_64: 303, aarch64: 264 },
    [
      dirfd('dirfd'),
      path('pathname'),
      dynamic('handle', 'file_handle'),
      word('mount_id', 'out', 'int'),
      flags('flags', 'name_to_handle_at_flags'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'open_by_handle_at',
    { x86_64: 304, aarch64: 265 },
    [dirfd('mount_fd'), dynamic('handle', 'file_handle'), dynamic('flags', 'open_flags', 'uint')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent('userfaultfd', { x86_64: 323, aarch64: 282 }, [dynamic('flags', 'uffd_flags', 'uint')], {
    ret: 'fd',
    classes: ['desc'],
  }),
];
