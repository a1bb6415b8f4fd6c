/**
 * inotify(7), fanotify(7).
 */
import { absent, dirfd, dynamic, fd, flags, int, path, type Row } from './row.js';

export const rows: readonly Row[] = [
  absent('inotify_init', { x86_64: 253 }, [], { ret: 'fd', classes: ['desc'] }),
  absent('inotify_init1', { x86_64: 294, aarch64: 26 }, [flags('flags', 'inotify_init_flags')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  absent(
    'inotify_add_watch',
    { x86_64: 254, aarch64: 27 },
    [fd('fd'), path('pathname'), flags('mask', 'inotify_flags')],
    { classes: ['desc', 'file'] },
  ),
  absent('inotify_rm_watch', { x86_64: 255, aarch64: 28 }, [fd('fd'), int('wd')], { ret: 'zero', classes: ['desc'] }),
  absent(
    'fanotify_init',
    { x86_64: 300, aarch64: 262 },
    [dynamic('flags', 'fanotify_init_flags', 'uint'), dynamic('event_f_flags', 'open_flags', 'uint')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent(
    'fanotify_mark',
    { x86_64: 301, aarch64: 263 },
    [
      fd('fanotify_fd'),
      flags('flags', 'fan_mark_flags'),
      dynamic('mask', 'fanotify_mask'),
      dirfd('dirfd'),
      path('pathname'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
];
