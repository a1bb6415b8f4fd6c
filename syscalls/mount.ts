/**
 * Mounting: mount(2), umount2(2), pivot_root(2), the fsopen(2) family, statmount(2), quotas, swap.
 */
import type { Task } from '../sched/task.js';
import { EFAULT, errno } from '../src/abi/errno.js';
import { readPath } from '../fs/guest-path.js';
import { checkUmountFlags, mount, pivotRoot, umount } from '../fs/mount-ops.js';
import {
  absent,
  row,
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

/** The option page (copy_mount_options): a page at most, or what of it is readable, up to its NUL. */
function readOptions(task: Task, data: number): string {
  if (data === 0) return '';
  const { mm } = task;
  const { pageSize } = task.kernel;
  const length = mm.readable(data, pageSize);
  if (length === 0) throw errno(EFAULT);
  const bytes = Buffer.alloc(length);
  mm.copyIn(data, bytes, 0, length);
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? Math.min(length, pageSize - 1) : end);
}

function mountCall(task: Task, source: number, target: number, type: number, flags: number, data: number): number {
  const { pageSize } = task.kernel;
  const typeName = type === 0 ? null : task.mm.readString(type, pageSize);
  const sourceName = source === 0 ? null : task.mm.readString(source, pageSize);
  const options = readOptions(task, data);
  mount(task, sourceName, readPath(task, target), typeName, Math.min(flags, 0xffff_ffff), options);
  return 0;
}

function umountCall(task: Task, target: number, flags: number): number {
  checkUmountFlags(flags);
  umount(task, readPath(task, target), flags);
  return 0;
}

function pivotRootCall(task: Task, newRoot: number, putOld: number): number {
  const path = readPath(task, newRoot);
  pivotRoot(task, path, readPath(task, putOld));
  return 0;
}

export const rows: readonly Row[] = [
  row(
    'mount',
    { x86_64: 165, aarch64: 40 },
    [
      path('source'),
      path('target'),
      string('filesystemtype', 'fstype'),
      longFlags('mountflags', 'mount_flags'),
      dynamic('data', 'mount_data'),
    ],
    { ret: 'zero', classes: ['file'], disposition: { partial: 'one namespace: propagation types change nothing' } },
    mountCall,
  ),
  row(
    'umount2',
    { x86_64: 166, aarch64: 39 },
    [path('target'), flags('flags', 'umount_flags')],
    {
      ret: 'zero',
      classes: ['file'],
    },
    umountCall,
  ),
  row(
    'pivot_root',
    { x86_64: 155, aarch64: 41 },
    [path('new_root'), path('put_old')],
    {
      ret: 'zero',
      classes: ['file'],
    },
    pivotRootCall,
  ),
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
