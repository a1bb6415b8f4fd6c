/**
 * Opening (fs/open.c, the open half of fs/namei.c): flags in, an open file description out.
 *
 * Flags are those of the guest's architecture: a few O_ values differ (src/abi/flags/open.ts), so this file asks for them by
 * name. Invariant: a returned file is tracked (fs/references.ts) and has no reference yet; `discardFile` undoes it.
 *
 * Linux oddities: O_TRUNC asks for write permission whatever the access mode; a file that this open created is neither
 * checked nor truncated; O_CREAT goes through dangling links; O_EXCL does not follow a last link; O_CREAT with a
 * trailing slash is EISDIR; a read-only mount matters only when something would really be written.
 */
import {
  EACCES,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  ENOENT,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EROFS,
  ETXTBSY,
  errno,
} from '../src/abi/errno.js';
import {
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_SYNC,
  O_TRUNC,
  FASYNC,
  __O_TMPFILE,
} from '../src/abi/flags/open.js';
import { IN_CREATE, IN_MODIFY, IN_OPEN } from '../src/abi/flags/poll.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../src/abi/flags/stat.js';
import type { ArchName } from '../src/abi/types.js';
import type { Task } from '../sched/task.js';
import { umaskIn } from './acl.js';
import { setSize } from './attributes.js';
import { Dentry } from './dentry.js';
import { dropFile } from './fd-table.js';
import type { OpenFile } from './file.js';
import type { Inode } from './inode.js';
import { breakLeases } from './leases.js';
import { MNT_NODEV, MNT_NOEXEC, type Mount, type Place } from './mount.js';
import { notify, notifyFile } from './notify.js';
import { PathFile } from './path-file.js';
import {
  MAY_EXEC,
  MAY_READ,
  MAY_WRITE,
  checkPermission,
  isDead,
  isReadOnly,
  ownerOrCapable,
  wantWrite,
} from './permissions.js';
import { opensForWrite, track } from './references.js';
import { LAST_NORM, LOOKUP_DIRECTORY, LOOKUP_FOLLOW, type Walk, acquireWalk, releaseWalk, resolve } from './walk.js';

/** Bits of open(2) that are kept; others are ignored by open and openat, and EINVAL in openat2. */
export function validOpenFlags(arch: ArchName): number {
  return (
    O_ACCMODE |
    O_CREAT |
    O_EXCL |
    O_NOCTTY |
    O_TRUNC |
    O_APPEND |
    O_NONBLOCK |
    O_SYNC |
    O_DSYNC |
    FASYNC |
    O_NOATIME |
    O_CLOEXEC |
    O_PATH |
    __O_TMPFILE |
    O_DIRECT[arch] |
    O_LARGEFILE[arch] |
    O_DIRECTORY[arch] |
    O_NOFOLLOW[arch]
  );
}
/** The only bits that count next to O_PATH. */
export function pathFlags(arch: ArchName): number {
  return O_PATH | O_CLOEXEC | O_DIRECTORY[arch] | O_NOFOLLOW[arch];
}

/** What open, openat and creat make of their flags and mode (build_open_how): anything goes, and files may be large. */
export function legacyOpenHow(arch: ArchName, flags: number, mode: number): { flags: number; mode: number } {
  flags = (flags | O_LARGEFILE[arch]) & validOpenFlags(arch);
  if ((flags & O_PATH) !== 0) flags &= pathFlags(arch);
  return { flags, mode: (flags & (O_CREAT | __O_TMPFILE)) === 0 ? 0 : mode & 0o7777 };
}

const ACCESS = [MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE];
const accessOf = (flags: number): number =>
  ((flags & O_PATH) !== 0 ? 0 : ACCESS[flags & O_ACCMODE]) | ((flags & O_TRUNC) !== 0 ? MAY_WRITE : 0);

/** Combinations that make no sense (build_open_flags): EINVAL. */
export function checkOpenFlags(arch: ArchName, flags: number): void {
  const directory = (flags & O_DIRECTORY[arch]) !== 0;
  if (directory && (flags & O_CREAT) !== 0) throw errno(EINVAL);
  if ((flags & __O_TMPFILE) !== 0 && (!directory || (accessOf(flags) & MAY_WRITE) === 0)) throw errno(EINVAL);
}

/** Opens a path. `flags` have been sanitized (legacyOpenHow or openat2's rules), `lookup` are LOOKUP_ restrictions. */
export function openAt(task: Task, dirfd: number, path: string, flags: number, mode: number, lookup = 0): OpenFile {
  const { arch } = task.kernel.platform;
  checkOpenFlags(arch, flags);
  const directory = (flags & O_DIRECTORY[arch]) !== 0;
  const noFollow = (flags & (O_NOFOLLOW[arch] | (flags & O_CREAT ? O_EXCL : 0))) !== 0;
  lookup |= (directory ? LOOKUP_DIRECTORY : 0) | (noFollow ? 0 : LOOKUP_FOLLOW);
  if ((flags & __O_TMPFILE) !== 0) return openTemporary(task, dirfd, path, flags, mode, lookup);

  const walk = acquireWalk(task.kernel.vfs);
  let created = false;
  let place: Place;
  try {
    walk.begin(task, dirfd, path, lookup);
    for (;;) {
      walk.toLast();
      if ((flags & O_CREAT) === 0 || walk.lastType !== LAST_NORM) {
        if (walk.last()) break;
        continue;
      }
      if (walk.trailingSlash) throw errno(EISDIR);
      const child = walk.lookupLast();
      if (child.inode === null) {
        createLast(walk, child, mode);
        created = true;
        break;
      }
      if (walk.step(child)) break;
    }
    place = walk.place();
  } finally {
    releaseWalk(walk);
  }
  if ((flags & O_CREAT) !== 0) {
    if ((flags & O_EXCL) !== 0 && !created) throw errno(EEXIST);
    if (place.dentry.inode!.isDir) throw errno(EISDIR);
  }
  return openPlace(task, place, flags, created);
}

/** Creates the missing last component as a regular file and steps onto it. */
function createLast(walk: Walk, child: Dentry, mode: number): void {
  const { dentry: parent, task, mount } = walk;
  const dir = parent.inode!;
  if (isDead(parent)) throw errno(ENOENT);
  if (isReadOnly(mount)) throw errno(EROFS);
  checkPermission(dir, MAY_WRITE | MAY_EXEC, task.creds);
  if (dir.create === undefined) throw errno(EACCES);
  child.inode = dir.create(child.name, mode & ~umaskIn(dir, task.fs.umask) & 0o7777, task.creds);
  walk.dentry = child;
  notify(dir, IN_CREATE, child.name);
}

/** Opens what is at a place (do_open): checks, then the inode's own open. */
export function openPlace(task: Task, place: Place, flags: number, created = false): OpenFile {
  const { mount } = place;
  const inode = place.dentry.inode!;
  const type = inode.mode & S_IFMT;
  let file: OpenFile;
  if ((flags & O_PATH) !== 0) file = new PathFile(inode, place, flags & ~O_CLOEXEC);
  else {
    const truncate = !created && (flags & O_TRUNC) !== 0 && type === S_IFREG;
    if (truncate) wantWrite(mount);
    mayOpen(task, mount, inode, created ? 0 : accessOf(flags), flags);
    const regularWrite = (opensForWrite(flags) || truncate) && (type === S_IFREG || type === S_IFDIR);
    if (regularWrite) {
      if (inode.executors > 0) throw errno(ETXTBSY);
      wantWrite(mount);
    }
    breakLeases(task, inode, opensForWrite(flags) || truncate, flags);
    // A driver still sees O_NOCTTY; no open file keeps it.
    const kept = flags & ~(O_CREAT | O_EXCL | (type === S_IFCHR ? 0 : O_NOCTTY) | O_TRUNC | O_CLOEXEC);
    // A pipe met through /proc/PID/fd: its inode knows whether and how it can be opened again.
    const anonymous = task.kernel.vfs.isAnonymous(mount);
    file = anonymous ? inode.open(task, kept) : openInode(task, inode, kept);
    file.flags &= ~O_NOCTTY;
    file.place = anonymous ? null : place;
    track(file);
    if (truncate) truncateOpened(task, file);
  }
  if (!file.tracked) track(file);
  file.opener = task.creds;
  notifyFile(file, IN_OPEN);
  return file;
}

function truncateOpened(task: Task, file: OpenFile): void {
  try {
    setSize(task, file.inode, 0);
  } catch (error) {
    discardFile(file);
    throw error;
  }
  notifyFile(file, IN_MODIFY);
}

/** may_open: type, permission and O_NOATIME rules. */
function mayOpen(task: Task, mount: Mount, inode: Inode, access: number, flags: number): void {
  switch (inode.mode & S_IFMT) {
    case S_IFLNK:
      throw errno(ELOOP);
    case S_IFDIR:
      if ((access & MAY_WRITE) !== 0) throw errno(EISDIR);
      if ((access & MAY_EXEC) !== 0) throw errno(EACCES);
      break;
    case S_IFBLK:
    case S_IFCHR:
      if ((mount.flags & MNT_NODEV) !== 0) throw errno(EACCES);
      if ((access & MAY_EXEC) !== 0) throw errno(EACCES);
      break;
    case S_IFREG:
      if ((access & MAY_EXEC) !== 0 && (mount.flags & MNT_NOEXEC) !== 0) throw errno(EACCES);
      break;
    default:
      if ((access & MAY_EXEC) !== 0) throw errno(EACCES);
  }
  if (access !== 0) checkPermission(inode, access, task.creds);
  if (inode.isAppendOnly) {
    if ((access & MAY_WRITE) !== 0 && (flags & O_APPEND) === 0) throw errno(EPERM);
    if ((flags & O_TRUNC) !== 0) throw errno(EPERM);
  }
  if ((flags & O_NOATIME) !== 0 && !ownerOrCapable(inode, task.creds)) throw errno(EPERM);
}

/** The open file description of an inode: drivers for special files, the inode itself for the rest. */
function openInode(task: Task, inode: Inode, flags: number): OpenFile {
  const { vfs } = task.kernel;
  switch (inode.mode & S_IFMT) {
    case S_IFCHR:
      return vfs.devices.open('c', inode, flags, task);
    case S_IFBLK:
      return vfs.devices.open('b', inode, flags, task);
    case S_IFIFO:
      return vfs.fifoOpen(inode, flags, task);
    case S_IFSOCK:
      throw errno(ENXIO);
    default:
      return inode.open(task, flags);
  }
}

/** O_TMPFILE: a file without a name in the directory `path`; link(2) may give it one unless O_EXCL. */
function openTemporary(task: Task, dirfd: number, path: string, flags: number, mode: number, lookup: number): OpenFile {
  const { mount, dentry } = resolve(task, dirfd, path, lookup | LOOKUP_DIRECTORY);
  const dir = dentry.inode!;
  wantWrite(mount);
  checkPermission(dir, MAY_WRITE | MAY_EXEC, task.creds);
  if (dir.tmpfile === undefined) throw errno(EOPNOTSUPP);
  const inode = dir.tmpfile(mode & ~umaskIn(dir, task.fs.umask) & 0o7777, task.creds);
  inode.linkable = (flags & O_EXCL) === 0;
  const child = new Dentry(`#${inode.ino}`, dentry, inode);
  child.unlinked = true;
  // Nothing is checked: the file is the caller's, whatever `mode` says.
  const file = inode.open(task, flags & ~(O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC));
  file.place = { mount, dentry: child };
  file.opener = task.creds;
  track(file);
  return file;
}

/** Closes a file that no descriptor took. */
export function discardFile(file: OpenFile): void {
  file.references++;
  dropFile(file);
}
