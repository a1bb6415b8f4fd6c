/**
 * rename(2) (fs/namei.c: do_renameat2, vfs_rename): RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT (which leaves the
 * character device 0:0 at the old name, and has needed no capability since Linux 5.8).
 *
 * Linux oddities: two names of one inode are left alone with success; a trailing slash is fine on either name when the
 * source is a directory, whatever the target is; moving a directory to another parent needs write permission on the
 * directory itself, because its '..' changes.
 */
import { EBUSY, EEXIST, EINVAL, EMLINK, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EXDEV, errno } from '../src/abi/errno.js';
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../src/abi/flags/open.js';
import { IN_ISDIR, IN_MOVED_FROM, IN_MOVED_TO, IN_MOVE_SELF } from '../src/abi/flags/poll.js';
import type { KernelState } from '../sched/kernel-state.js';
import type { Task } from '../sched/task.js';
import { Dentry, attachDentry, exchangeDentries, moveDentry } from './dentry.js';
import type { Inode } from './inode.js';
import { dropUnused } from './references.js';
import { nextCookie, notify } from './notify.js';
import { MAY_WRITE, checkPermission, mayCreate, mayDelete, wantWrite } from './permissions.js';
import { LAST_NORM, type LastOf, lookupAt, resolveParent } from './walk.js';

const MAX_LINKS = 0x7fff_ffff;

/** renameat2 looks at its flags before it looks at its paths. */
export function checkRenameFlags(flags: number): void {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) throw errno(EINVAL);
  if ((flags & RENAME_EXCHANGE) !== 0 && flags !== RENAME_EXCHANGE) throw errno(EINVAL);
}

export function rename(
  task: Task,
  oldDirfd: number,
  oldPath: string,
  newDirfd: number,
  newPath: string,
  flags: number,
): void {
  checkRenameFlags(flags);
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  const from = resolveParent(task, oldDirfd, oldPath);
  const to = resolveParent(task, newDirfd, newPath);
  if (from.mount !== to.mount) throw errno(EXDEV);
  if (from.type !== LAST_NORM) throw errno(EBUSY);
  if (to.type !== LAST_NORM) throw errno((flags & RENAME_NOREPLACE) !== 0 ? EEXIST : EBUSY);
  wantWrite(from.mount);
  const source = lookupAt(task, from.dir, from.name);
  if (source.inode === null) throw errno(ENOENT);
  const target = lookupAt(task, to.dir, to.name);
  if ((flags & RENAME_NOREPLACE) !== 0 && target.inode !== null) throw errno(EEXIST);
  if (exchange && target.inode === null) throw errno(ENOENT);
  checkSlashes(from, to, source.inode, target.inode, exchange);
  // A directory may not move into itself, nor replace one of its ancestors.
  if (to.dir.isWithin(source)) throw errno(EINVAL);
  if (from.dir.isWithin(target)) throw errno(exchange ? EINVAL : ENOTEMPTY);
  move(task, from.dir, source, to.dir, target, flags);
}

function checkSlashes(from: LastOf, to: LastOf, source: Inode, target: Inode | null, exchange: boolean): void {
  if (exchange && to.trailingSlash && !target!.isDir) throw errno(ENOTDIR);
  if (source.isDir) return;
  if (from.trailingSlash || (!exchange && to.trailingSlash)) throw errno(ENOTDIR);
}

/** vfs_rename. */
function move(task: Task, oldDir: Dentry, source: Dentry, newDir: Dentry, target: Dentry, flags: number): void {
  const { creds, kernel } = task;
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  const inode = source.inode!;
  const other = target.inode;
  if (inode === other) return;
  mayDelete(oldDir, source, inode.isDir, creds);
  if (other === null) mayCreate(newDir, target, creds);
  else mayDelete(newDir, target, exchange ? other.isDir : inode.isDir, creds);
  const from = oldDir.inode!;
  const to = newDir.inode!;
  if (from.rename === undefined) throw errno(EPERM);
  if (from.sb !== to.sb) throw errno(EXDEV);
  if (from !== to) {
    if (inode.isDir) checkPermission(inode, MAY_WRITE, creds);
    if (exchange && other!.isDir) checkPermission(other!, MAY_WRITE, creds);
    if (inode.isDir && !(other?.isDir ?? false) && to.nlink >= MAX_LINKS) throw errno(EMLINK);
  }
  if (source.mounts > 0 || target.mounts > 0) throw errno(EBUSY);
  const oldName = source.name;
  const newName = target.name;
  const whiteout = from.rename(oldName, inode, to, newName, other, flags, creds);
  const cache = !from.sb.volatile;
  if (exchange) exchangeDentries(source, target, cache);
  else moveDentry(source, newDir, newName, target, cache);
  if (whiteout !== null && cache) attachDentry(new Dentry(oldName, oldDir, whiteout));
  tellWatchers(kernel, from, oldName, to, newName, inode);
  if (exchange) tellWatchers(kernel, to, newName, from, oldName, other!);
  else if (other !== null) dropUnused(other);
}

function tellWatchers(
  kernel: KernelState,
  from: Inode,
  oldName: string,
  to: Inode,
  newName: string,
  moved: Inode,
): void {
  if ((from.sb.watched ?? 0) === 0) return;
  const cookie = nextCookie(kernel);
  const bit = moved.isDir ? IN_ISDIR : 0;
  notify(from, IN_MOVED_FROM | bit, oldName, cookie);
  notify(to, IN_MOVED_TO | bit, newName, cookie);
  notify(moved, IN_MOVE_SELF);
}
