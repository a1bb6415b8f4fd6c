/**
 * Extended attributes, xattr(7), with the *at forms of Linux 6.13.
 */
import { E2BIG, EINVAL, errno } from '../src/abi/errno.js';
import { XATTR_CREATE, XATTR_REPLACE } from '../src/abi/flags/file.js';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../src/abi/flags/open.js';
import { IN_ATTRIB } from '../src/abi/flags/poll.js';
import { getU64 } from '../src/abi/layout.js';
import { XATTR_ARGS } from '../src/abi/layouts/stat.js';
import type { Task } from '../sched/task.js';
import { fileTarget, placeAt } from '../fs/guest-path.js';
import type { Inode } from '../fs/inode.js';
import type { Mount, Place } from '../fs/mount.js';
import { notify, notifyPlace } from '../fs/notify.js';
import { wantWrite } from '../fs/permissions.js';
import * as xattrs from '../fs/xattr.js';
import { row, buffer, dirfd, fd, flags, path, size, string, struct, type Row } from './row.js';

const AT_FLAGS = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;

/** What a call is about: by path or descriptor. */
interface Target {
  readonly inode: Inode;
  readonly mount: Mount | null;
  readonly place: Place | null;
}
function byPath(task: Task, dirfd: number, path: number, flags: number): Target {
  const place = placeAt(task, dirfd, path, flags, AT_FLAGS);
  return { inode: place.dentry.inode!, mount: place.mount, place };
}

function set(task: Task, target: () => Target, name: number, value: number, size: number, flags: number): number {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) throw errno(EINVAL);
  const key = xattrs.readName(task, name);
  if (size > xattrs.VALUE_MAX) throw errno(E2BIG);
  const bytes = new Uint8Array(size);
  if (size > 0) task.mm.copyIn(value, bytes, 0, size);
  const { inode, mount, place } = target();
  if (mount !== null) wantWrite(mount);
  xattrs.setXattr(task, inode, key, bytes, flags);
  notifyAttributes(inode, place);
  return 0;
}

/** fsnotify_xattr. */
function notifyAttributes(inode: Inode, place: Place | null): void {
  if (place !== null) notifyPlace(place, IN_ATTRIB, inode);
  else notify(inode, IN_ATTRIB);
}

function get(task: Task, target: () => Target, name: number, value: number, size: number): number {
  const key = xattrs.readName(task, name);
  return xattrs.copyResult(task, xattrs.getXattr(task, target().inode, key), value, size, xattrs.VALUE_MAX);
}

function list(task: Task, { inode }: Target, buffer: number, size: number): number {
  return xattrs.copyResult(task, xattrs.listXattrs(task, inode), buffer, size, xattrs.LIST_MAX);
}

function remove(task: Task, target: () => Target, name: number): number {
  const key = xattrs.readName(task, name);
  const { inode, mount, place } = target();
  if (mount !== null) wantWrite(mount);
  xattrs.removeXattr(task, inode, key);
  notifyAttributes(inode, place);
  return 0;
}

function readArgs(task: Task, uargs: number, usize: number): { value: number; size: number; flags: number } {
  const view = task.mm.readSizedStruct(uargs, usize, XATTR_ARGS.size, XATTR_ARGS.size);
  return { value: getU64(view, 0), size: view.getUint32(8, true), flags: view.getUint32(12, true) };
}

function checkAtFlags(flags: number): void {
  if ((flags & ~AT_FLAGS) !== 0) throw errno(EINVAL);
}

export const rows: readonly Row[] = [
  row(
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
    (task, path, name, value, size, flags) =>
      set(task, () => byPath(task, AT_FDCWD, path, 0), name, value, size, flags),
  ),
  row(
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
    (task, path, name, value, size, flags) =>
      set(task, () => byPath(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), name, value, size, flags),
  ),
  row(
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
    (task, fd, name, value, size, flags) => set(task, () => fileTarget(task, fd), name, value, size, flags),
  ),
  row(
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
    (task, dirfd, path, atFlags, name, uargs, usize) => {
      const args = readArgs(task, uargs, usize);
      checkAtFlags(atFlags);
      return set(task, () => byPath(task, dirfd, path, atFlags), name, args.value, args.size, args.flags);
    },
  ),
  row(
    'getxattr',
    { x86_64: 191, aarch64: 8 },
    [path('path'), string('name', 'xattr'), buffer('value', 'out', 'ret'), size('size')],
    { ret: 'size', classes: ['file'] },
    (task, path, name, value, size) => get(task, () => byPath(task, AT_FDCWD, path, 0), name, value, size),
  ),
  row(
    'lgetxattr',
    { x86_64: 192, aarch64: 9 },
    [path('path'), string('name', 'xattr'), buffer('value', 'out', 'ret'), size('size')],
    { ret: 'size', classes: ['file'] },
    (task, path, name, value, size) =>
      get(task, () => byPath(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), name, value, size),
  ),
  row(
    'fgetxattr',
    { x86_64: 193, aarch64: 10 },
    [fd('fd'), string('name', 'xattr'), buffer('value', 'out', 'ret'), size('size')],
    { ret: 'size', classes: ['desc'] },
    (task, fd, name, value, size) => get(task, () => fileTarget(task, fd), name, value, size),
  ),
  row(
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
    (task, dirfd, path, atFlags, name, uargs, usize) => {
      const args = readArgs(task, uargs, usize);
      if (args.flags !== 0) throw errno(EINVAL);
      checkAtFlags(atFlags);
      return get(task, () => byPath(task, dirfd, path, atFlags), name, args.value, args.size);
    },
  ),
  row(
    'listxattr',
    { x86_64: 194, aarch64: 11 },
    [path('path'), buffer('list', 'out', 'ret'), size('size')],
    {
      ret: 'size',
      classes: ['file'],
    },
    (task, path, buffer, size) => list(task, byPath(task, AT_FDCWD, path, 0), buffer, size),
  ),
  row(
    'llistxattr',
    { x86_64: 195, aarch64: 12 },
    [path('path'), buffer('list', 'out', 'ret'), size('size')],
    {
      ret: 'size',
      classes: ['file'],
    },
    (task, path, buffer, size) => list(task, byPath(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), buffer, size),
  ),
  row(
    'flistxattr',
    { x86_64: 196, aarch64: 13 },
    [fd('fd'), buffer('list', 'out', 'ret'), size('size')],
    {
      ret: 'size',
      classes: ['desc'],
    },
    (task, fd, buffer, size) => list(task, fileTarget(task, fd), buffer, size),
  ),
  row(
    'listxattrat',
    { x86_64: 465, aarch64: 465 },
    [dirfd('dirfd'), path('pathname'), flags('at_flags', 'at_flags'), buffer('list', 'out', 'ret'), size('size')],
    { ret: 'size', classes: ['desc', 'file'] },
    (task, dirfd, path, atFlags, buffer, size) => list(task, byPath(task, dirfd, path, atFlags), buffer, size),
  ),
  row(
    'removexattr',
    { x86_64: 197, aarch64: 14 },
    [path('path'), string('name', 'xattr')],
    {
      ret: 'zero',
      classes: ['file'],
    },
    (task, path, name) => remove(task, () => byPath(task, AT_FDCWD, path, 0), name),
  ),
  row(
    'lremovexattr',
    { x86_64: 198, aarch64: 15 },
    [path('path'), string('name', 'xattr')],
    {
      ret: 'zero',
      classes: ['file'],
    },
    (task, path, name) => remove(task, () => byPath(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), name),
  ),
  row(
    'fremovexattr',
    { x86_64: 199, aarch64: 16 },
    [fd('fd'), string('name', 'xattr')],
    {
      ret: 'zero',
      classes: ['desc'],
    },
    (task, fd, name) => remove(task, () => fileTarget(task, fd), name),
  ),
  row(
    'removexattrat',
    { x86_64: 466, aarch64: 466 },
    [dirfd('dirfd'), path('pathname'), flags('at_flags', 'at_flags'), string('name', 'xattr')],
    { ret: 'zero', classes: ['desc', 'file'] },
    (task, dirfd, path, atFlags, name) => {
      checkAtFlags(atFlags);
      return remove(task, () => byPath(task, dirfd, path, atFlags), name);
    },
  ),
];
