/**
 * Who may do what to an inode: owner, group and other bits, capabilities, sticky directories, set-id bits
 * (fs/namei.c generic_permission, may_create, may_delete; fs/attr.c).
 *
 * Filesystem ids are fsuid and fsgid. Checks of writability by mount (EROFS) are separate, because Linux makes them at
 * different moments of each call. The sysctls fs.protected_* are off.
 */
import { EACCES, EEXIST, EISDIR, ENOENT, ENOTDIR, EPERM, EROFS, errno } from '../src/abi/errno.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID, S_ISUID, S_ISVTX, S_IXGRP } from '../src/abi/flags/stat.js';
import { type Credentials, capable } from '../sched/credentials.js';
import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID } from '../src/abi/flags/capability.js';
import { aclPermits } from './acl.js';
import type { Dentry } from './dentry.js';
import type { Inode } from './inode.js';
import { MNT_READONLY, type Mount } from './mount.js';

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

export function inGroup(creds: Credentials, gid: number): boolean {
  return creds.fsgid === gid || creds.groups.includes(gid);
}

/** Whether `creds` may access `inode` with all of MAY_* `mask` (without read-only filesystems). */
export function permits(inode: Inode, mask: number, creds: Credentials): boolean {
  const { mode, acls } = inode;
  // As Linux's fast path: bits that everybody has need no look at the ids.
  if (acls === null && (mode & (mask * 0o111)) === mask * 0o111) return true;
  if (grants(inode, mask, creds)) return true;
  if ((mode & S_IFMT) === S_IFDIR) {
    if ((mask & MAY_WRITE) === 0 && capable(creds, CAP_DAC_READ_SEARCH)) return true;
    return capable(creds, CAP_DAC_OVERRIDE);
  }
  if (mask === MAY_READ && capable(creds, CAP_DAC_READ_SEARCH)) return true;
  return ((mask & MAY_EXEC) === 0 || (mode & 0o111) !== 0) && capable(creds, CAP_DAC_OVERRIDE);
}

/** What mode and access control list say (acl_permission_check). */
function grants(inode: Inode, mask: number, creds: Credentials): boolean {
  const { acls } = inode;
  let bits = inode.mode;
  if (creds.fsuid === inode.uid) bits >>= 6;
  // Without group bits the mask of the list is empty, and Linux looks no further than the mode.
  else if (acls !== null && acls.access !== null && (bits & 0o070) !== 0)
    return aclPermits(inode, acls.access, mask, creds);
  else if ((((bits >> 3) ^ bits) & mask) !== 0 && inGroup(creds, inode.gid)) bits >>= 3;
  return (bits & mask) === mask;
}

/** EACCES unless permitted; EROFS for writing to a filesystem that is read-only as a whole. */
export function checkPermission(inode: Inode, mask: number, creds: Credentials): void {
  if ((mask & MAY_WRITE) !== 0 && inode.sb.readOnly) {
    const type = inode.mode & S_IFMT;
    if (type === S_IFREG || type === S_IFDIR || type === S_IFLNK) throw errno(EROFS);
  }
  if ((mask & MAY_WRITE) !== 0 && inode.isImmutable) throw errno(EPERM);
  if (!permits(inode, mask, creds)) throw errno(EACCES);
}

/** mnt_want_write: EROFS for a read-only mount or filesystem. */
export function wantWrite(mount: Mount): void {
  if (isReadOnly(mount)) throw errno(EROFS);
}
export function isReadOnly(mount: Mount): boolean {
  return (mount.flags & MNT_READONLY) !== 0 || mount.sb.readOnly;
}

/** Names, owner, mode, times and attributes of an immutable or append-only inode stay as they are. */
export function refuseFixed(inode: Inode): void {
  if (inode.isImmutable || inode.isAppendOnly) throw errno(EPERM);
}

export function ownerOrCapable(inode: Inode, creds: Credentials): boolean {
  return creds.fsuid === inode.uid || capable(creds, CAP_FOWNER);
}

/** Whether the sticky bit of `dir` protects `inode` from `creds`. */
export function isSticky(dir: Inode, inode: Inode, creds: Credentials): boolean {
  return (
    (dir.mode & S_ISVTX) !== 0 && creds.fsuid !== inode.uid && creds.fsuid !== dir.uid && !capable(creds, CAP_FOWNER)
  );
}

/** A removed directory takes no new names. */
export function isDead(dir: Dentry): boolean {
  return dir.unlinked && dir.inode!.nlink === 0;
}

/** A new name may be made at the negative dentry `child` of `dir`. */
export function mayCreate(dir: Dentry, child: Dentry, creds: Credentials): void {
  if (child.inode !== null) throw errno(EEXIST);
  if (isDead(dir)) throw errno(ENOENT);
  checkPermission(dir.inode!, MAY_WRITE | MAY_EXEC, creds);
}

/** `victim` may be removed from (or replaced in) `dir`, as a directory or as something else. */
export function mayDelete(dir: Dentry, victim: Dentry, asDirectory: boolean, creds: Credentials): void {
  const inode = victim.inode;
  if (inode === null) throw errno(ENOENT);
  checkPermission(dir.inode!, MAY_WRITE | MAY_EXEC, creds);
  if (dir.inode!.isAppendOnly) throw errno(EPERM);
  if (isSticky(dir.inode!, inode, creds)) throw errno(EPERM);
  refuseFixed(inode);
  if (asDirectory) {
    if (!inode.isDir) throw errno(ENOTDIR);
  } else if (inode.isDir) throw errno(EISDIR);
  if (isDead(dir)) throw errno(ENOENT);
}

export interface Ownership {
  mode: number;
  uid: number;
  gid: number;
}

/** Owner, group and mode of a new inode in `dir` (inode_init_owner): set-gid directories pass their group on. */
export function newOwnership(dir: Inode, mode: number, creds: Credentials): Ownership {
  let gid = creds.fsgid;
  if ((dir.mode & S_ISGID) !== 0) {
    gid = dir.gid;
    if ((mode & S_IFMT) === S_IFDIR) mode |= S_ISGID;
    else if (
      (mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP) &&
      !inGroup(creds, gid) &&
      !capable(creds, CAP_FSETID)
    )
      mode &= ~S_ISGID;
  }
  return { mode, uid: creds.fsuid, gid };
}

/** The set-id bits a write or truncation by `creds` takes away (file_remove_privs). */
export function privilegeBits(inode: Inode, creds: Credentials): number {
  const { mode } = inode;
  if ((mode & (S_ISUID | S_ISGID)) === 0 || (mode & S_IFMT) !== S_IFREG || capable(creds, CAP_FSETID)) return 0;
  return (mode & S_ISUID) | setgidBit(inode, creds);
}

/** S_ISGID when a change of owner or content must clear it (setattr_should_drop_sgid). */
export function setgidBit(inode: Inode, creds: Credentials): number {
  const { mode } = inode;
  if ((mode & S_ISGID) === 0) return 0;
  if ((mode & S_IXGRP) !== 0) return S_ISGID;
  return inGroup(creds, inode.gid) || capable(creds, CAP_FSETID) ? 0 : S_ISGID;
}
