/**
 * Names: link(2), symlink(2), readlink(2), unlink(2), rename(2), mknod(2).
 */
import { EINVAL, ENOENT, errno } from '../src/abi/errno.js';
import { AT_FDCWD, AT_REMOVEDIR } from '../src/abi/flags/open.js';
import type { Task } from '../sched/task.js';
import { touchAccessed } from '../fs/access-time.js';
import { readPath } from '../fs/guest-path.js';
import * as names from '../fs/namespace-ops.js';
import { checkRenameFlags, rename } from '../fs/rename.js';
import { decodeDevice } from '../fs/stat-structs.js';
import { LOOKUP_EMPTY, resolve } from '../fs/walk.js';
import { row, buffer, dirfd, dynamic, flags, int, path, type Row } from './row.js';

function linkat(
  task: Task,
  oldDirfd: number,
  oldPath: number,
  newDirfd: number,
  newPath: number,
  flags: number,
): number {
  names.checkLinkFlags(flags);
  names.link(task, oldDirfd, readPath(task, oldPath), newDirfd, readPath(task, newPath), flags);
  return 0;
}

function symlinkat(task: Task, target: number, dirfd: number, linkpath: number): number {
  const text = readPath(task, target);
  names.symlink(task, text, dirfd, readPath(task, linkpath));
  return 0;
}

function readlinkat(task: Task, dirfd: number, pathname: number, buf: number, bufsiz: number): number {
  if (bufsiz <= 0) throw errno(EINVAL);
  const path = readPath(task, pathname);
  const { mount, dentry } = resolve(task, dirfd, path, LOOKUP_EMPTY);
  const inode = dentry.inode!;
  if (inode.readlink === undefined || !inode.isSymlink) throw errno(path === '' ? ENOENT : EINVAL);
  touchAccessed(mount, inode);
  const bytes = Buffer.from(inode.readlink(task), 'latin1');
  const length = Math.min(bytes.length, bufsiz);
  task.mm.copyOut(buf, bytes, 0, length);
  return length;
}

function unlinkat(task: Task, dirfd: number, pathname: number, flags: number): number {
  if ((flags & ~AT_REMOVEDIR) !== 0) throw errno(EINVAL);
  const path = readPath(task, pathname);
  if (flags !== 0) names.rmdir(task, dirfd, path);
  else names.unlink(task, dirfd, path);
  return 0;
}

function renameat(
  task: Task,
  oldDirfd: number,
  oldPath: number,
  newDirfd: number,
  newPath: number,
  flags: number,
): number {
  checkRenameFlags(flags);
  const from = readPath(task, oldPath);
  rename(task, oldDirfd, from, newDirfd, readPath(task, newPath), flags);
  return 0;
}

function mknodat(task: Task, dirfd: number, pathname: number, mode: number, dev: number): number {
  const { major, minor } = decodeDevice(dev);
  names.mknod(task, dirfd, readPath(task, pathname), mode, major, minor);
  return 0;
}

export const rows: readonly Row[] = [
  row(
    'link',
    { x86_64: 86 },
    [path('oldpath'), path('newpath')],
    { ret: 'zero', classes: ['file'] },
    (task, from, to) => linkat(task, AT_FDCWD, from, AT_FDCWD, to, 0),
  ),
  row(
    'linkat',
    { x86_64: 265, aarch64: 37 },
    [dirfd('olddirfd'), path('oldpath'), dirfd('newdirfd'), path('newpath'), flags('flags', 'at_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
    linkat,
  ),
  row(
    'symlink',
    { x86_64: 88 },
    [path('target'), path('linkpath')],
    { ret: 'zero', classes: ['file'] },
    (task, target, path) => symlinkat(task, target, AT_FDCWD, path),
  ),
  row(
    'symlinkat',
    { x86_64: 266, aarch64: 36 },
    [path('target'), dirfd('newdirfd'), path('linkpath')],
    {
      ret: 'zero',
      classes: ['desc', 'file'],
    },
    symlinkat,
  ),
  row(
    'readlink',
    { x86_64: 89 },
    [path('pathname'), buffer('buf', 'out', 'ret'), int('bufsiz')],
    {
      ret: 'size',
      classes: ['file'],
    },
    (task, path, buf, size) => readlinkat(task, AT_FDCWD, path, buf, size),
  ),
  row(
    'readlinkat',
    { x86_64: 267, aarch64: 78 },
    [dirfd('dirfd'), path('pathname'), buffer('buf', 'out', 'ret'), int('bufsiz')],
    { ret: 'size', classes: ['desc', 'file'] },
    readlinkat,
  ),
  row('unlink', { x86_64: 87 }, [path('pathname')], { ret: 'zero', classes: ['file'] }, (task, path) =>
    unlinkat(task, AT_FDCWD, path, 0),
  ),
  row(
    'unlinkat',
    { x86_64: 263, aarch64: 35 },
    [dirfd('dirfd'), path('pathname'), flags('flags', 'at_flags')],
    {
      ret: 'zero',
      classes: ['desc', 'file'],
    },
    unlinkat,
  ),
  row(
    'rename',
    { x86_64: 82 },
    [path('oldpath'), path('newpath')],
    { ret: 'zero', classes: ['file'] },
    (task, from, to) => renameat(task, AT_FDCWD, from, AT_FDCWD, to, 0),
  ),
  row(
    'renameat',
    { x86_64: 264, aarch64: 38 },
    [dirfd('olddirfd'), path('oldpath'), dirfd('newdirfd'), path('newpath')],
    { ret: 'zero', classes: ['desc', 'file'] },
    (task, fromDir, from, toDir, to) => renameat(task, fromDir, from, toDir, to, 0),
  ),
  row(
    'renameat2',
    { x86_64: 316, aarch64: 276 },
    [dirfd('olddirfd'), path('oldpath'), dirfd('newdirfd'), path('newpath'), flags('flags', 'rename_flags')],
    { ret: 'zero', classes: ['desc', 'file'] },
    renameat,
  ),
  row(
    'mknod',
    { x86_64: 133 },
    [path('pathname'), dynamic('mode', 'mknod_mode', 'mode'), dynamic('dev', 'mknod_dev', 'uint')],
    { ret: 'zero', classes: ['file'] },
    (task, path, mode, dev) => mknodat(task, AT_FDCWD, path, mode, dev),
  ),
  row(
    'mknodat',
    { x86_64: 259, aarch64: 33 },
    [dirfd('dirfd'), path('pathname'), dynamic('mode', 'mknod_mode', 'mode'), dynamic('dev', 'mknod_dev', 'uint')],
    { ret: 'zero', classes: ['desc', 'file'] },
    mknodat,
  ),
];
