/** Paths as system calls take them: copied in (getname) and resolved under their AT_ flags. */
import { EBADF, EINVAL, errno } from '../src/abi/errno.js';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../src/abi/flags/open.js';
import type { Task } from '../sched/task.js';
import type { Inode } from './inode.js';
import type { Mount, Place } from './mount.js';
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, resolve } from './walk.js';

/** PATH_MAX, with the NUL. */
const PATH_MAX = 4096;

/** EFAULT, ENAMETOOLONG. An empty path is the walk's business (ENOENT). */
export function readPath(task: Task, addr: number): string {
  return task.mm.readString(addr, PATH_MAX);
}

/** The same where AT_EMPTY_PATH may come with a null pointer (stat and statx, since Linux 6.11). */
export function readPathMaybeNull(task: Task, addr: number, flags: number): string {
  return addr === 0 && (flags & AT_EMPTY_PATH) !== 0 ? '' : readPath(task, addr);
}

/** LOOKUP_ flags of AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW. */
export function lookupFlags(flags: number): number {
  return ((flags & AT_SYMLINK_NOFOLLOW) !== 0 ? 0 : LOOKUP_FOLLOW) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0);
}

/** The place of a path argument; `allowed`: the AT_ flags the call knows, others are EINVAL before anything else. */
export function placeAt(task: Task, dirfd: number, pathAddr: number, flags: number, allowed: number): Place {
  if ((flags & ~allowed) !== 0) throw errno(EINVAL);
  return resolve(task, dirfd, readPath(task, pathAddr), lookupFlags(flags));
}

/** The inode and, if it has one, mount behind a descriptor that is open for more than its path; EBADF. */
export function fileTarget(task: Task, fd: number): { inode: Inode; mount: Mount | null; place: Place | null } {
  const { inode, place } = task.files.getIo(fd);
  return { inode, mount: place?.mount ?? null, place };
}

/** The same for O_PATH descriptors too, as AT_EMPTY_PATH with an empty path finds them. */
export function emptyPathTarget(task: Task, dirfd: number): { inode: Inode; mount: Mount | null; place: Place | null } {
  if (dirfd === AT_FDCWD) {
    const { cwd } = task.fs;
    return { inode: cwd.dentry.inode!, mount: cwd.mount, place: cwd };
  }
  const file = task.files.find(dirfd);
  if (file === undefined) throw errno(EBADF);
  return { inode: file.inode, mount: file.place?.mount ?? null, place: file.place };
}
