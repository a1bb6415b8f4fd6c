/**
 * Making and removing names (fs/namei.c: do_mkdirat, do_mknodat, do_symlinkat, do_linkat, do_unlinkat, do_rmdir).
 * Renaming is fs/rename.ts.
 *
 * The filesystem's operations keep link counts and times; this file keeps the dentry cache in step, and orders the checks
 * as Linux does: an existing name is EEXIST before a read-only mount is EROFS, but removing asks for EROFS first.
 */
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EROFS,
  EXDEV,
  errno,
} from '../src/abi/errno.js';
import { AT_EMPTY_PATH, AT_SYMLINK_FOLLOW } from '../src/abi/flags/open.js';
import { IN_ATTRIB, IN_CREATE, IN_DELETE, IN_ISDIR } from '../src/abi/flags/poll.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from '../src/abi/flags/stat.js';
import { capable } from '../sched/credentials.js';
import { CAP_DAC_READ_SEARCH, CAP_MKNOD } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import { umaskIn } from './acl.js';
import { type Dentry, unlinkDentry } from './dentry.js';
import type { Inode } from './inode.js';
import type { Place } from './mount.js';
import { notify } from './notify.js';
import { isReadOnly, mayCreate, mayDelete, refuseFixed, wantWrite } from './permissions.js';
import { dropUnused } from './references.js';
import {
  LAST_DOT,
  LAST_DOTDOT,
  LAST_NORM,
  LOOKUP_EMPTY,
  LOOKUP_FOLLOW,
  lookupAt,
  resolve,
  resolveParent,
} from './walk.js';

const MAX_LINKS = 0x7fff_ffff;

export interface NewName extends Place {
  /** The directory. */
  readonly dentry: Dentry;
  readonly child: Dentry;
}

/** The directory and negative dentry of a name to make (filename_create): EEXIST, ENOENT, EROFS. */
export function newName(task: Task, dirfd: number, path: string, directory: boolean): NewName {
  const { mount, dir, name, type, trailingSlash } = resolveParent(task, dirfd, path);
  if (type !== LAST_NORM) throw errno(EEXIST);
  const child = lookupAt(task, dir, name);
  if (child.inode !== null) throw errno(EEXIST);
  if (trailingSlash && !directory) throw errno(ENOENT);
  if (isReadOnly(mount)) throw errno(EROFS);
  return { mount, dentry: dir, child };
}

/** The dentry has become `inode`. */
export function instantiate(dir: Dentry, child: Dentry, inode: Inode): void {
  child.inode = inode;
  if (inode.isDir) inode.dentry = child;
  notify(dir.inode!, inode.isDir ? IN_CREATE | IN_ISDIR : IN_CREATE, child.name);
}

export function mkdir(task: Task, dirfd: number, path: string, mode: number): void {
  const { dentry, child } = newName(task, dirfd, path, true);
  const dir = dentry.inode!;
  mayCreate(dentry, child, task.creds);
  if (dir.mkdir === undefined) throw errno(EPERM);
  if (dir.nlink >= MAX_LINKS) throw errno(EMLINK);
  instantiate(dentry, child, dir.mkdir(child.name, mode & 0o1777 & ~umaskIn(dir, task.fs.umask), task.creds));
}

export function mknod(task: Task, dirfd: number, path: string, mode: number, major: number, minor: number): void {
  let type = mode & S_IFMT;
  if (type === S_IFDIR) throw errno(EPERM);
  if (type === 0) type = S_IFREG;
  if (type !== S_IFREG && type !== S_IFCHR && type !== S_IFBLK && type !== S_IFIFO && type !== S_IFSOCK)
    throw errno(EINVAL);
  const place = newName(task, dirfd, path, false);
  const umask = umaskIn(place.dentry.inode!, task.fs.umask);
  makeNode(task, place, type | (mode & 0o7777 & ~umask), major, minor);
}

/** Makes a file, device, FIFO or socket (bind of a Unix socket) at a new name. */
export function makeNode(task: Task, { dentry, child }: NewName, mode: number, major = 0, minor = 0): Inode {
  const dir = dentry.inode!;
  const type = mode & S_IFMT;
  mayCreate(dentry, child, task.creds);
  // The device 0:0 is a whiteout, which anybody may make.
  const device = type === S_IFBLK || (type === S_IFCHR && (major !== 0 || minor !== 0));
  if (device && !capable(task.creds, CAP_MKNOD)) throw errno(EPERM);
  let inode: Inode;
  if (type === S_IFREG) {
    if (dir.create === undefined) throw errno(EPERM);
    inode = dir.create(child.name, mode & 0o7777, task.creds);
  } else {
    if (dir.mknod === undefined) throw errno(EPERM);
    inode = dir.mknod(child.name, mode, major, minor, task.creds);
  }
  instantiate(dentry, child, inode);
  return inode;
}

export function symlink(task: Task, target: string, dirfd: number, path: string): void {
  if (target === '') throw errno(ENOENT);
  const { dentry, child } = newName(task, dirfd, path, false);
  const dir = dentry.inode!;
  mayCreate(dentry, child, task.creds);
  if (dir.symlink === undefined) throw errno(EPERM);
  instantiate(dentry, child, dir.symlink(child.name, target, task.creds));
}

/** linkat looks at its flags before it looks at its paths. */
export function checkLinkFlags(flags: number): void {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) throw errno(EINVAL);
}

/** A descriptor may be linked by who opened it; others need the capability (LOOKUP_LINKAT_EMPTY, Linux 6.10). */
function checkEmptyLink(task: Task, dirfd: number): void {
  const opener = task.files.find(dirfd)?.opener;
  if (opener !== undefined && opener !== task.creds && !capable(task.creds, CAP_DAC_READ_SEARCH)) throw errno(ENOENT);
}

export function link(
  task: Task,
  oldDirfd: number,
  oldPath: string,
  newDirfd: number,
  newPath: string,
  flags: number,
): void {
  const { creds } = task;
  if (oldPath === '' && (flags & AT_EMPTY_PATH) !== 0) checkEmptyLink(task, oldDirfd);
  const lookup =
    ((flags & AT_SYMLINK_FOLLOW) !== 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0);
  const old = resolve(task, oldDirfd, oldPath, lookup);
  const { mount, dentry, child } = newName(task, newDirfd, newPath, false);
  if (mount !== old.mount) throw errno(EXDEV);
  const dir = dentry.inode!;
  const inode = old.dentry.inode!;
  mayCreate(dentry, child, creds);
  if (dir.sb !== inode.sb) throw errno(EXDEV);
  refuseFixed(inode);
  if (dir.link === undefined || inode.isDir) throw errno(EPERM);
  if (inode.nlink === 0 && !inode.linkable) throw errno(ENOENT);
  if (inode.nlink >= MAX_LINKS) throw errno(EMLINK);
  dir.link(child.name, inode);
  inode.linkable = false;
  instantiate(dentry, child, inode);
}

export function unlink(task: Task, dirfd: number, path: string): void {
  const { mount, dir, name, type, trailingSlash } = resolveParent(task, dirfd, path);
  if (type !== LAST_NORM) throw errno(EISDIR);
  wantWrite(mount);
  const victim = lookupAt(task, dir, name);
  const inode = victim.inode;
  if (inode === null) throw errno(ENOENT);
  if (trailingSlash) throw errno(inode.isDir ? EISDIR : ENOTDIR);
  mayDelete(dir, victim, false, task.creds);
  if (dir.inode!.unlink === undefined) throw errno(EPERM);
  if (victim.mounts > 0) throw errno(EBUSY);
  dir.inode!.unlink(name, inode);
  unlinkDentry(victim);
  notify(inode, IN_ATTRIB);
  notify(dir.inode!, IN_DELETE, name);
  dropUnused(inode);
}

export function rmdir(task: Task, dirfd: number, path: string): void {
  const { mount, dir, name, type } = resolveParent(task, dirfd, path);
  if (type === LAST_DOTDOT) throw errno(ENOTEMPTY);
  if (type === LAST_DOT) throw errno(EINVAL);
  if (type !== LAST_NORM) throw errno(EBUSY);
  wantWrite(mount);
  const victim = lookupAt(task, dir, name);
  const inode = victim.inode;
  if (inode === null) throw errno(ENOENT);
  mayDelete(dir, victim, true, task.creds);
  if (dir.inode!.rmdir === undefined) throw errno(EPERM);
  if (victim.mounts > 0) throw errno(EBUSY);
  dir.inode!.rmdir(name, inode);
  unlinkDentry(victim);
  notify(dir.inode!, IN_DELETE | IN_ISDIR, name);
  dropUnused(inode);
}
