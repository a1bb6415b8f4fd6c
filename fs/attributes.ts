/**
 * Changing attributes: chmod, chown, utimes, truncate, with the rules of fs/attr.c (setattr_prepare, notify_change).
 *
 * Callers have made sure that the mount is writable. Linux oddities: any chown of a file clears set-user-id, even one that
 * changes nothing, even by root; chmod drops set-group-id silently for those who are not in the group; times set to "now"
 * need write permission, explicit times need ownership.
 */
import { EACCES, EINVAL, EISDIR, EPERM, EROFS, ETXTBSY, errno } from '../src/abi/errno.js';
import { IN_ACCESS, IN_ATTRIB, IN_MODIFY } from '../src/abi/flags/poll.js';
import { S_ISGID, S_ISUID } from '../src/abi/flags/stat.js';
import { capable } from '../sched/credentials.js';
import { CAP_CHOWN, CAP_FSETID } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import type { Attributes, Inode } from './inode.js';
import type { Place } from './mount.js';
import { breakLeases } from './leases.js';
import { notify, notifyPlace } from './notify.js';
import { MAY_WRITE, inGroup, ownerOrCapable, permits, privilegeBits, refuseFixed, setgidBit } from './permissions.js';
import { checkNewSize } from './size-limit.js';

/** What is changed, and the name it was reached through: null for a descriptor without one. */
export interface Target {
  readonly inode: Inode;
  readonly place: Place | null;
}

/** Applies attributes that have been checked; tells watchers (fsnotify_change). */
function apply({ inode, place }: Target, attributes: Attributes): void {
  inode.setAttributes(attributes);
  if ((inode.sb.watched ?? 0) === 0) return;
  const { mode, uid, gid, atime, mtime } = attributes;
  const oneTime = atime === undefined ? IN_MODIFY : mtime === undefined ? IN_ACCESS : IN_ATTRIB;
  const ids = mode !== undefined || uid !== undefined || gid !== undefined;
  if (!ids && atime === undefined && mtime === undefined) return;
  tell(inode, place, ids ? IN_ATTRIB : oneTime);
}
function tell(inode: Inode, place: Place | null, mask: number): void {
  if (place !== null) notifyPlace(place, mask, inode);
  else notify(inode, mask);
}

export function changeMode(task: Task, target: Target, mode: number): void {
  const { inode } = target;
  const { creds } = task;
  refuseFixed(inode);
  if (!ownerOrCapable(inode, creds)) throw errno(EPERM);
  mode &= 0o7777;
  if ((mode & S_ISGID) !== 0 && !inGroup(creds, inode.gid) && !capable(creds, CAP_FSETID)) mode &= ~S_ISGID;
  apply(target, { mode });
}

/** `uid` and `gid` -1 (or 0xffffffff): unchanged. */
export function changeOwner(task: Task, target: Target, uid: number, gid: number): void {
  const { inode } = target;
  const { creds } = task;
  refuseFixed(inode);
  uid >>>= 0;
  gid >>>= 0;
  const attributes: Attributes = {};
  if (uid !== 0xffff_ffff) {
    if (!(creds.fsuid === inode.uid && uid === inode.uid) && !capable(creds, CAP_CHOWN)) throw errno(EPERM);
    attributes.uid = uid;
  }
  if (gid !== 0xffff_ffff) {
    const own = creds.fsuid === inode.uid && (gid === inode.gid || inGroup(creds, gid));
    if (!own && !capable(creds, CAP_CHOWN)) throw errno(EPERM);
    attributes.gid = gid;
  }
  if (!inode.isDir) {
    const killed = (inode.mode & S_ISUID) | setgidBit(inode, creds);
    if (killed !== 0) attributes.mode = inode.mode & 0o7777 & ~killed;
  }
  apply(target, attributes);
}

export interface TimeSpec {
  sec: number;
  nsec: number;
}
/** A time to set: explicit, 'now', or null for unchanged. */
export type TimeChange = TimeSpec | 'now' | null;

/** Sets times; `touch`: both to now because the caller gave none, which write permission allows too. */
export function changeTimes(task: Task, target: Target, atime: TimeChange, mtime: TimeChange, touch: boolean): void {
  const { inode } = target;
  const { creds } = task;
  if (touch) {
    if (inode.isImmutable) throw errno(EPERM);
  } else if (atime !== null || mtime !== null) refuseFixed(inode);
  if (!ownerOrCapable(inode, creds)) {
    if (!touch) throw errno(EPERM);
    if (!permits(inode, MAY_WRITE, creds)) throw errno(EACCES);
  }
  const { clock } = task.kernel;
  clock.readRealtime();
  const now = { sec: clock.realtimeSec, nsec: clock.realtimeNsec };
  const attributes: Attributes = {};
  if (atime !== null) attributes.atime = atime === 'now' ? now : atime;
  if (mtime !== null) attributes.mtime = mtime === 'now' ? now : mtime;
  apply(target, attributes);
}

/** Changes the size of a regular file (do_truncate): set-id bits go, times change even when the size stays. */
export function setSize(task: Task, inode: Inode, size: number): void {
  if (inode.truncate === undefined) throw errno(EINVAL);
  if (size > inode.size) checkNewSize(task, size);
  inode.mode &= ~privilegeBits(inode, task.creds);
  inode.truncate(size);
  inode.touch(false, true);
}

/** truncate(2) by path, after the lookup (vfs_truncate). `readOnly`: the mount is. */
export function truncatePath(task: Task, place: Place, size: number, readOnly: boolean): void {
  const inode = place.dentry.inode!;
  if (inode.isDir) throw errno(EISDIR);
  if (!inode.isRegular) throw errno(EINVAL);
  if (readOnly) throw errno(EROFS);
  refuseFixed(inode);
  if (!permits(inode, MAY_WRITE, task.creds)) throw errno(EACCES);
  if (inode.executors > 0) throw errno(ETXTBSY);
  breakLeases(task, inode, true, 0);
  setSize(task, inode, size);
  notifyPlace(place, IN_MODIFY);
}
