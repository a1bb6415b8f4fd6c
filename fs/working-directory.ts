/** Changing the working directory and the root (chdir(2), chroot(2)). */
import { ENOTDIR, EPERM, errno } from '../src/abi/errno.js';
import { AT_FDCWD } from '../src/abi/flags/open.js';
import { capable } from '../sched/credentials.js';
import { CAP_SYS_CHROOT } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import type { Place } from './mount.js';
import { MAY_EXEC, checkPermission } from './permissions.js';
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW, resolve } from './walk.js';

/** ENOTDIR or EACCES unless the place is a directory that may be searched. */
function checkDirectory(task: Task, place: Place): void {
  const inode = place.dentry.inode!;
  if (!inode.isDir) throw errno(ENOTDIR);
  checkPermission(inode, MAY_EXEC, task.creds);
}

export function chdir(task: Task, path: string): void {
  const place = resolve(task, AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
  checkDirectory(task, place);
  task.fs.cwd = place;
}

export function fchdir(task: Task, fd: number): void {
  const { place } = task.files.get(fd);
  if (place === null) throw errno(ENOTDIR);
  checkDirectory(task, place);
  task.fs.cwd = place;
}

/** The working directory stays where it is, even outside the new root. */
export function chroot(task: Task, path: string): void {
  const place = resolve(task, AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
  checkDirectory(task, place);
  if (!capable(task.creds, CAP_SYS_CHROOT)) throw errno(EPERM);
  task.fs.root = place;
}
