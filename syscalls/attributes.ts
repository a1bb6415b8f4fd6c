/**
 * Modes, owners and times: chmod(2), chown(2), utimensat(2), umask(2), file_getattr(2).
 */
import { EBADF, EINVAL, EISDIR, ENODEV, EFBIG, EOPNOTSUPP, ESPIPE, EPERM, errno } from '../src/abi/errno.js';
import {
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_UNSHARE_RANGE,
  FALLOC_FL_ZERO_RANGE,
} from '../src/abi/flags/file.js';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../src/abi/flags/open.js';
import { IN_MODIFY } from '../src/abi/flags/poll.js';
import { S_IFIFO, UTIME_NOW, UTIME_OMIT } from '../src/abi/flags/stat.js';
import { getI64, getU64 } from '../src/abi/layout.js';
import type { Task } from '../sched/task.js';
import {
  changeMode,
  changeOwner,
  changeTimes,
  setSize,
  truncatePath,
  type Target,
  type TimeChange,
} from '../fs/attributes.js';
import { fileTarget, placeAt, readPath } from '../fs/guest-path.js';
import { withoutLeases } from '../fs/leases.js';
import { notifyFile } from '../fs/notify.js';
import { isReadOnly, wantWrite } from '../fs/permissions.js';
import { opensForWrite } from '../fs/references.js';
import { MAX_FILE_SIZE } from '../fs/regular-file.js';
import { checkNewSize } from '../fs/size-limit.js';
import { LOOKUP_FOLLOW, resolve } from '../fs/walk.js';
import { absent, row, dirfd, dynamic, fd, flags, gid, mode, path, size, struct, uid, type Row } from './row.js';

const NOFOLLOW_EMPTY = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;

function chmodTarget(task: Task, target: Target, mode: number): number {
  if (target.place !== null) wantWrite(target.place.mount);
  if (target.inode.isSymlink) throw errno(EOPNOTSUPP);
  changeMode(task, target, mode);
  return 0;
}
function chmodAt(task: Task, dirfd: number, pathname: number, mode: number, flags: number): number {
  const place = placeAt(task, dirfd, pathname, flags, NOFOLLOW_EMPTY);
  return chmodTarget(task, { inode: place.dentry.inode!, place }, mode);
}
function fchmod(task: Task, fd: number, mode: number): number {
  return chmodTarget(task, fileTarget(task, fd), mode);
}

function chownAt(task: Task, dirfd: number, pathname: number, owner: number, group: number, flags: number): number {
  const { mount, dentry } = placeAt(task, dirfd, pathname, flags, NOFOLLOW_EMPTY);
  wantWrite(mount);
  changeOwner(task, { inode: dentry.inode!, place: { mount, dentry } }, owner, group);
  return 0;
}
function fchown(task: Task, fd: number, owner: number, group: number): number {
  const target = fileTarget(task, fd);
  if (target.mount !== null) wantWrite(target.mount);
  changeOwner(task, target, owner, group);
  return 0;
}

function umask(task: Task, mask: number): number {
  const old = task.fs.umask;
  task.fs.umask = mask & 0o777;
  return old;
}

/** Two struct timespec or timeval (or NULL) as changes; `unit`: nanoseconds in their second field's unit. */
interface Times {
  readonly atime: { sec: number; nsec: number };
  readonly mtime: { sec: number; nsec: number };
}
function readTimes(task: Task, times: number): Times | null {
  if (times === 0) return null;
  const view = task.mm.readStruct(times, 32);
  return {
    atime: { sec: getI64(view, 0), nsec: getU64(view, 8) },
    mtime: { sec: getI64(view, 16), nsec: getU64(view, 24) },
  };
}
const isSpecial = (nsec: number): boolean => nsec === UTIME_NOW || nsec === UTIME_OMIT;
const validNsec = (nsec: number): boolean => isSpecial(nsec) || nsec < 1e9;
function timeChange({ sec, nsec }: { sec: number; nsec: number }): TimeChange {
  if (nsec === UTIME_NOW) return 'now';
  return nsec === UTIME_OMIT ? null : { sec, nsec };
}

/** vfs_utimes. */
function setTimes(task: Task, target: Target, times: Times | null): number {
  if (times !== null && (!validNsec(times.atime.nsec) || !validNsec(times.mtime.nsec))) throw errno(EINVAL);
  if (target.place !== null) wantWrite(target.place.mount);
  const touch = times === null || (times.atime.nsec === UTIME_NOW && times.mtime.nsec === UTIME_NOW);
  if (touch) changeTimes(task, target, 'now', 'now', true);
  else changeTimes(task, target, timeChange(times.atime), timeChange(times.mtime), false);
  return 0;
}

function timesAt(task: Task, dirfd: number, pathname: number, times: Times | null, flags: number): number {
  const place = placeAt(task, dirfd, pathname, flags, NOFOLLOW_EMPTY);
  return setTimes(task, { inode: place.dentry.inode!, place }, times);
}

function utimensat(task: Task, dirfd: number, pathname: number, timesAddr: number, flags: number): number {
  const times = readTimes(task, timesAddr);
  if (times !== null && times.atime.nsec === UTIME_OMIT && times.mtime.nsec === UTIME_OMIT) return 0;
  if (pathname !== 0 || dirfd === AT_FDCWD) return timesAt(task, dirfd, pathname, times, flags);
  if (flags !== 0) throw errno(EINVAL);
  return setTimes(task, fileTarget(task, dirfd), times);
}

function futimesat(task: Task, dirfd: number, pathname: number, timesAddr: number): number {
  const times = readTimes(task, timesAddr);
  if (times !== null) {
    for (const time of [times.atime, times.mtime]) {
      if (time.nsec >= 1e6) throw errno(EINVAL);
      time.nsec *= 1000;
    }
  }
  if (pathname !== 0 || dirfd === AT_FDCWD) return timesAt(task, dirfd, pathname, times, 0);
  return setTimes(task, fileTarget(task, dirfd), times);
}

function utime(task: Task, filename: number, timesAddr: number): number {
  if (timesAddr === 0) return timesAt(task, AT_FDCWD, filename, null, 0);
  const view = task.mm.readStruct(timesAddr, 16);
  const times = { atime: { sec: getI64(view, 0), nsec: 0 }, mtime: { sec: getI64(view, 8), nsec: 0 } };
  return timesAt(task, AT_FDCWD, filename, times, 0);
}

export function truncate(task: Task, path: number, length: number): number {
  if (length < 0) throw errno(EINVAL);
  const place = resolve(task, AT_FDCWD, readPath(task, path), LOOKUP_FOLLOW);
  return withoutLeases(task, () => {
    truncatePath(task, place, length, isReadOnly(place.mount));
    return 0;
  });
}

export function ftruncate(task: Task, fd: number, length: number): number {
  if (length < 0) throw errno(EINVAL);
  const file = task.files.getIo(fd);
  if (!file.inode.isRegular || !opensForWrite(file.flags)) throw errno(EINVAL);
  if (file.inode.isAppendOnly) throw errno(EPERM);
  setSize(task, file.inode, length);
  notifyFile(file, IN_MODIFY);
  return 0;
}

export function fallocate(task: Task, fd: number, mode: number, offset: number, length: number): number {
  const file = task.files.getIo(fd);
  const { inode } = file;
  if (offset < 0 || length <= 0) throw errno(EINVAL);
  const operation = mode & ~FALLOC_FL_KEEP_SIZE;
  const keepSize = mode !== operation;
  if (operation === FALLOC_FL_PUNCH_HOLE && !keepSize) throw errno(EOPNOTSUPP);
  if ((operation === FALLOC_FL_COLLAPSE_RANGE || operation === FALLOC_FL_INSERT_RANGE) && keepSize)
    throw errno(EOPNOTSUPP);
  if (!FALLOCATE_OPERATIONS.has(operation)) throw errno(EOPNOTSUPP);
  if (!opensForWrite(file.flags)) throw errno(EBADF);
  if ((inode.mode & 0o170000) === S_IFIFO) throw errno(ESPIPE);
  if (inode.isDir) throw errno(EISDIR);
  if (!inode.isRegular) throw errno(ENODEV);
  if (offset + length > MAX_FILE_SIZE) throw errno(EFBIG);
  if (inode.allocate === undefined) throw errno(EOPNOTSUPP);
  if (!keepSize && offset + length > inode.size) checkNewSize(task, offset + length);
  inode.allocate(mode, offset, length);
  notifyFile(file, IN_MODIFY);
  return 0;
}
const FALLOCATE_OPERATIONS = new Set([
  0,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_UNSHARE_RANGE,
]);

export const rows: readonly Row[] = [
  row(
    'chmod',
    { x86_64: 90 },
    [path('pathname'), mode('mode')],
    { ret: 'zero', classes: ['file'] },
    (task, path, mode) => chmodAt(task, AT_FDCWD, path, mode, 0),
  ),
  row('fchmod', { x86_64: 91, aarch64: 52 }, [fd('fd'), mode('mode')], { ret: 'zero', classes: ['desc'] }, fchmod),
  row(
    'fchmodat',
    { x86_64: 268, aarch64: 53 },
    [dirfd('dirfd'), path('pathname'), mode('mode')],
    {
      ret: 'zero',
      classes: ['desc', 'file'],
    },
    (task, dirfd, path, mode) => chmodAt(task, dirfd, path, mode, 0),
  ),
  row(
    'fchmodat2',
    { x86_64: 452, aarch64: 452 },
    [dirfd('dirfd'), path('pathname'), mode('mode'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
    chmodAt,
  ),
  row(
    'chown',
    { x86_64: 92 },
    [path('pathname'), uid('owner'), gid('group')],
    { ret: 'zero', classes: ['file'] },
    (task, path, owner, group) => chownAt(task, AT_FDCWD, path, owner, group, 0),
  ),
  row(
    'lchown',
    { x86_64: 94 },
    [path('pathname'), uid('owner'), gid('group')],
    { ret: 'zero', classes: ['file'] },
    (task, path, owner, group) => chownAt(task, AT_FDCWD, path, owner, group, AT_SYMLINK_NOFOLLOW),
  ),
  row(
    'fchown',
    { x86_64: 93, aarch64: 55 },
    [fd('fd'), uid('owner'), gid('group')],
    {
      ret: 'zero',
      classes: ['desc'],
    },
    fchown,
  ),
  row(
    'fchownat',
    { x86_64: 260, aarch64: 54 },
    [dirfd('dirfd'), path('pathname'), uid('owner'), gid('group'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
    chownAt,
  ),
  row('umask', { x86_64: 95, aarch64: 166 }, [mode('mask')], { ret: 'mode' }, umask),
  row(
    'utime',
    { x86_64: 132 },
    [path('filename'), struct('times', 'in', 'utimbuf')],
    {
      ret: 'zero',
      classes: ['file'],
    },
    utime,
  ),
  row(
    'utimes',
    { x86_64: 235 },
    [path('filename'), struct('times', 'in', 'timeval', { fixed: 2 })],
    {
      ret: 'zero',
      classes: ['file'],
    },
    (task, path, times) => futimesat(task, AT_FDCWD, path, times),
  ),
  row(
    'futimesat',
    { x86_64: 261 },
    [dirfd('dirfd'), path('pathname'), struct('times', 'in', 'timeval', { fixed: 2 })],
    { ret: 'zero', classes: ['desc', 'file'] },
    futimesat,
  ),
  row(
    'utimensat',
    { x86_64: 280, aarch64: 88 },
    [dirfd('dirfd'), path('pathname'), dynamic('times', 'utimensat_times'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
    utimensat,
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
