/**
 * File status: stat(2), statx(2), statfs(2), access(2), and the old ustat(2), sysfs(2).
 */
import { EACCES, EINVAL, ENOENT, EROFS, errno } from '../src/abi/errno.js';
import { AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW } from '../src/abi/flags/open.js';
import { AT_STATX_SYNC_TYPE } from '../src/abi/flags/stat.js';
import { USTAT } from '../src/abi/layouts/stat.js';
import { capable, type Credentials } from '../sched/credentials.js';
import type { Task } from '../sched/task.js';
import { emptyPathTarget, lookupFlags, readPath, readPathMaybeNull } from '../fs/guest-path.js';
import type { Inode } from '../fs/inode.js';
import { MNT_NOEXEC } from '../fs/mount.js';
import { MAY_WRITE, checkPermission, isReadOnly } from '../fs/permissions.js';
import { encodeDevice, fillStat, fillStatfs, fillStatx } from '../fs/stat-structs.js';
import { LOOKUP_FOLLOW, resolve } from '../fs/walk.js';
import { row, dirfd, dynamic, fd, flags, int, path, struct, type Row } from './row.js';

const STATX_RESERVED = 0x8000_0000;

function writeStat(task: Task, inode: Inode, statbuf: number): number {
  task.mm.writeStruct(statbuf, fillStat(task.mm.scratchView, inode, task.kernel.platform.arch));
  return 0;
}

function statPath(task: Task, path: number, statbuf: number, lookup: number): number {
  return writeStat(task, resolve(task, AT_FDCWD, readPath(task, path), lookup).dentry.inode!, statbuf);
}

function fstat(task: Task, fd: number, statbuf: number): number {
  return writeStat(task, task.files.get(fd).inode, statbuf);
}

function fstatat(task: Task, dirfd: number, path: number, statbuf: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE)) !== 0)
    throw errno(EINVAL);
  const name = readPathMaybeNull(task, path, flags);
  if (name === '' && (flags & AT_EMPTY_PATH) !== 0) return writeStat(task, emptyPathTarget(task, dirfd).inode, statbuf);
  return writeStat(task, resolve(task, dirfd, name, lookupFlags(flags)).dentry.inode!, statbuf);
}

function statx(task: Task, dirfd: number, path: number, flags: number, mask: number, statxbuf: number): number {
  if ((mask & STATX_RESERVED) !== 0 || (flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) throw errno(EINVAL);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE)) !== 0)
    throw errno(EINVAL);
  const name = readPathMaybeNull(task, path, flags);
  const { mm } = task;
  if (name === '' && (flags & AT_EMPTY_PATH) !== 0) {
    const { inode, place } = emptyPathTarget(task, dirfd);
    mm.writeStruct(statxbuf, fillStatx(mm.scratchView, inode, place, mask));
    return 0;
  }
  const place = resolve(task, dirfd, name, lookupFlags(flags));
  mm.writeStruct(statxbuf, fillStatx(mm.scratchView, place.dentry.inode!, place, mask));
  return 0;
}

function statfs(task: Task, path: number, buf: number): number {
  const { mount, dentry } = resolve(task, AT_FDCWD, readPath(task, path), LOOKUP_FOLLOW);
  task.mm.writeStruct(buf, fillStatfs(task.mm.scratchView, dentry.inode!, mount));
  return 0;
}

function fstatfs(task: Task, fd: number, buf: number): number {
  const { inode, place } = task.files.get(fd);
  task.mm.writeStruct(buf, fillStatfs(task.mm.scratchView, inode, place?.mount ?? null));
  return 0;
}

function ustat(task: Task, dev: number, ubuf: number): number {
  for (const { sb } of task.kernel.vfs.namespace.mounts) {
    if (encodeDevice(sb.devMajor, sb.devMinor) !== dev) continue;
    const { bfree, ffree } = sb.statfs();
    const { scratch, scratchView } = task.mm;
    scratch.fill(0, 0, USTAT.size);
    scratchView.setInt32(USTAT.offsets.f_tfree, bfree, true);
    scratchView.setUint32(USTAT.offsets.f_tinode, ffree, true);
    task.mm.writeStruct(ubuf, USTAT.size);
    return 0;
  }
  throw errno(EINVAL);
}

/** Credentials for access(2): real ids, and root's or no capabilities (access_override_creds). */
function realCredentials(creds: Credentials): Credentials {
  const capEffective = creds.uid === 0 ? creds.capPermitted : 0n;
  return { ...creds, fsuid: creds.uid, fsgid: creds.gid, capEffective };
}

function faccessat(task: Task, dirfd: number, path: number, mode: number, flags: number): number {
  if ((mode & ~7) !== 0) throw errno(EINVAL);
  if ((flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) throw errno(EINVAL);
  const { creds } = task;
  const { fsuid, fsgid, uid, gid } = creds;
  const same = (flags & AT_EACCESS) !== 0 || (fsuid === uid && fsgid === gid && (uid === 0) === capable(creds, 1));
  const checked = same ? creds : realCredentials(creds);
  const name = readPath(task, path);
  task.creds = checked;
  try {
    const { mount, dentry } = resolve(task, dirfd, name, lookupFlags(flags));
    const inode = dentry.inode!;
    if ((mode & 1) !== 0 && inode.isRegular && (mount.flags & MNT_NOEXEC) !== 0) throw errno(EACCES);
    if (mode !== 0) checkPermission(inode, mode, checked);
    const special = !inode.isRegular && !inode.isDir && !inode.isSymlink;
    if ((mode & MAY_WRITE) !== 0 && !special && isReadOnly(mount)) throw errno(EROFS);
  } finally {
    task.creds = creds;
  }
  return 0;
}

/** sysfs(2): numbers of filesystem types, in the order of /proc/filesystems. */
function sysfs(task: Task, option: number, arg1: number, arg2: number): number {
  const types = [...task.kernel.vfs.filesystemTypes()].map(({ name }) => name);
  if (option === 3) return types.length;
  if (option === 1) {
    const name = readPath(task, arg1);
    if (name === '') throw errno(ENOENT);
    const index = types.indexOf(name);
    if (index < 0) throw errno(EINVAL);
    return index;
  }
  if (option !== 2 || types[arg1] === undefined) throw errno(EINVAL);
  const bytes = Buffer.from(`${types[arg1]}\0`, 'latin1');
  task.mm.copyOut(arg2, bytes, 0, bytes.length);
  return 0;
}

export const rows: readonly Row[] = [
  row(
    'stat',
    { x86_64: 4 },
    [path('pathname'), struct('statbuf', 'out', 'stat')],
    {
      ret: 'zero',
      classes: ['file', 'stat', 'stat-like'],
    },
    (task, path, statbuf) => statPath(task, path, statbuf, LOOKUP_FOLLOW),
  ),
  row(
    'lstat',
    { x86_64: 6 },
    [path('pathname'), struct('statbuf', 'out', 'stat')],
    {
      ret: 'zero',
      classes: ['file', 'lstat', 'stat-like'],
    },
    (task, path, statbuf) => statPath(task, path, statbuf, 0),
  ),
  row(
    'fstat',
    { x86_64: 5, aarch64: 80 },
    [fd('fd'), struct('statbuf', 'out', 'stat')],
    {
      ret: 'zero',
      classes: ['desc', 'fstat', 'stat-like'],
    },
    fstat,
  ),
  row(
    'newfstatat',
    { x86_64: 262, aarch64: 79 },
    [dirfd('dirfd'), path('pathname'), struct('statbuf', 'out', 'stat'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file', 'fstat', 'stat-like'] },
    fstatat,
  ),
  row(
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
    statx,
  ),
  row(
    'statfs',
    { x86_64: 137, aarch64: 43 },
    [path('path'), struct('buf', 'out', 'statfs')],
    { ret: 'zero', classes: ['file', 'statfs', 'statfs-like'], varies: ['buf'] },
    statfs,
  ),
  row(
    'fstatfs',
    { x86_64: 138, aarch64: 44 },
    [fd('fd'), struct('buf', 'out', 'statfs')],
    { ret: 'zero', classes: ['desc', 'fstatfs', 'statfs-like'], varies: ['buf'] },
    fstatfs,
  ),
  row(
    'ustat',
    { x86_64: 136 },
    [dynamic('dev', 'dev', 'ulong'), struct('ubuf', 'out', 'ustat')],
    {
      ret: 'zero',
      classes: ['statfs-like'],
    },
    ustat,
  ),
  row('sysfs', { x86_64: 139 }, [int('option'), dynamic('arg1', 'sysfs_arg'), dynamic('arg2', 'sysfs_arg')], {}, sysfs),
  row(
    'access',
    { x86_64: 21 },
    [path('pathname'), flags('mode', 'access_modes')],
    {
      ret: 'zero',
      classes: ['file'],
    },
    (task, path, mode) => faccessat(task, AT_FDCWD, path, mode, 0),
  ),
  row(
    'faccessat',
    { x86_64: 269, aarch64: 48 },
    [dirfd('dirfd'), path('pathname'), flags('mode', 'access_modes')],
    {
      ret: 'zero',
      classes: ['desc', 'file'],
    },
    (task, dirfd, path, mode) => faccessat(task, dirfd, path, mode, 0),
  ),
  row(
    'faccessat2',
    { x86_64: 439, aarch64: 439 },
    [dirfd('dirfd'), path('pathname'), flags('mode', 'access_modes'), flags('flags', 'faccessat_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
    faccessat,
  ),
];
