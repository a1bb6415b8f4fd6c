/**
 * Mounting: mount(2), umount2(2), pivot_root(2), the fsopen(2) family, statmount(2), quotas, swap.
 */
import {
  absent,
  addr,
  dirfd,
  dynamic,
  enumeration,
  fd,
  flags,
  int,
  longFlags,
  path,
  size,
  string,
  struct,
  uint,
  type Row,
} from './row.js';

export const rows: readonly Row[] = [
  absent(
    'mount',
    { x86_64: 165, aarch64: 40 },
    [
      path('source'),
      path('target'),
      string('filesystemtype', 'fstype'),
      longFlags('mountflags', 'mount_flags'),
      dynamic('data', 'mount_data'),
    ],
    { ret: 'zero', classes: ['file'] },
  ),
  absent('umount2', { x86_64: 166, aarch64: 39 }, [path('target'), flags('flags', 'umount_flags')], {
    ret: 'zero',
    classes: ['file'],
  }),
  absent('pivot_root', { x86_64: 155, aarch64: 41 }, [path('new_root'), path('put_old')], {
    ret: 'zero',
    classes: ['file'],
  }),
  absent(
    'open_tree',
    { x86_64: 428, aarch64: 428 },
    [dirfd('dirfd'), path('pathname'), flags('flags', 'open_tree_flags')],
    { ret: 'fd', classes: ['desc', 'file'] },
  ),
  absent(
    'open_tree_attr',
    { x86_64: 467, aarch64: 467 },
    [
      dirfd('dirfd'),
      path('pathname'),
      flags('flags', 'open_tree_flags'),
      struct('uattr', 'in', 'mount_attr'),
      size('usize'),
    ],
    { ret: 'fd', classes: ['desc', 'file'] },
  ),
  absent(
    'move_mount',
    { x86_64: 429, aarch64: 429 },
    [
      dirfd('from_dirfd'),
      path('from_pathname'),
      dirfd('to_dirfd'),
      path('to_pathname'),
      flags('flags', 'move_mount_flags'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent('fsopen', { x86_64: 430, aarch64: 430 }, [string('fsname', 'fstype'), flags('flags', 'fsopen_flags')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  absent(
    'fsconfig',
    { x86_64: 431, aarch64: 431 },
    [
      fd('fd'),
      enumeration('cmd', 'fsconfig_cmds', 'uint'),
      dynamic('key', 'fsconfig_key'),
      dynamic('value', 'fsconfig_value'),
      dynamic('aux', 'fsconfig_aux', 'int'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'fsmount',
    { x86_64: 432, aarch64: 432 },
    [fd('fd'), flags('flags', 'fsmount_flags'), flags('attr_flags', 'fsmount_attr_flags')],
    { ret: 'fd', classes: ['desc'] },
  ),
  absent('fspick', { x86_64: 433, aarch64: 433 }, [dirfd('dirfd'), path('pathname'), flags('flags', 'fspick_flags')], {
    ret: 'fd',
    classes: ['desc', 'file'],
  }),
  absent(
    'mount_setattr',
    { x86_64: 442, aarch64: 442 },
    [
      dirfd('dirfd'),
      path('pathname'),
      dynamic('flags', 'mount_setattr_flags', 'uint'),
      struct('uattr', 'in', 'mount_attr'),
      size('usize'),
    ],
    { ret: 'zero', classes: ['desc', 'file'] },
  ),
  absent(
    'statmount',
    { x86_64: 457, aarch64: 457 },
    [struct('req', 'in', 'mnt_id_req'), struct('buf', 'out', 'statmount'), size('bufsize'), uint('flags')],
    { ret: 'zero' },
  ),
  absent(
    'listmount',
    { x86_64: 458, aarch64: 458 },
    [struct('req', 'in', 'mnt_id_req'), addr('mnt_ids'), size('nr_mnt_ids'), uint('flags')],
    { ret: 'size' },
  ),
  absent(
    'quotactl',
    { x86_64: 179, aarch64: 60 },
    [
      dynamic('cmd', 'quota_cmd', 'uint'),
      path('special'),
      dynamic('id', 'quota_id', 'uint'),
      dynamic('addr', 'quota_addr'),
    ],
    { ret: 'zero', classes: ['file'] },
  ),
  absent(
    'quotactl_fd',
    { x86_64: 443, aarch64: 443 },
    [fd('fd'), dynamic('cmd', 'quota_cmd', 'uint'), dynamic('id', 'quota_id', 'uint'), dynamic('addr', 'quota_addr')],
    { ret: 'zero', classes: ['desc'] },
  ),
  absent('swapon', { x86_64: 167, aarch64: 224 }, [path('path'), flags('swapflags', 'swap_flags')], {
    ret: 'zero',
    classes: ['file'],
  }),
  absent('swapoff', { x86_64: 168, aarch64: 225 }, [path('path')], { ret: 'zero', classes: ['file'] }),
  absent('nfsservctl', { x86_64: 180, aarch64: 42 }, [int('cmd'), addr('argp'), addr('resp')], {}),
];
