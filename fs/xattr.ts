/**
 * Extended attributes (fs/xattr.c): who may see and change which names.
 *
 * Linux oddities: user.* exists on files and directories only (EPERM to set elsewhere, ENODATA to get), and in sticky
 * directories only their owner sets it; trusted.* does not exist for the unprivileged; a name without a known prefix is
 * EOPNOTSUPP. Access control lists are attributes by name only (fs/acl.ts).
 */
import { EINVAL, E2BIG, EACCES, ENODATA, EOPNOTSUPP, EPERM, ERANGE, errno } from '../src/abi/errno.js';
import { S_ISVTX } from '../src/abi/flags/stat.js';
import { capable } from '../sched/credentials.js';
import { CAP_SETFCAP, CAP_SYS_ADMIN } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import { getAcl, isAclName, listAcls, removeAcl, setAcl } from './acl.js';
import type { Inode } from './inode.js';
import { MAY_READ, MAY_WRITE, ownerOrCapable, permits, refuseFixed } from './permissions.js';

const NAME_MAX = 255;
export const VALUE_MAX = 65536;
export const LIST_MAX = 65536;

/** The name argument: ERANGE when empty or too long. */
export function readName(task: Task, addr: number): string {
  const name = task.mm.readString(addr, NAME_MAX + 1, ERANGE);
  if (name === '') throw errno(ERANGE);
  return name;
}

/** xattr_permission and the prefix's handler. */
function check(task: Task, inode: Inode, name: string, write: boolean): void {
  const { creds } = task;
  if (write) refuseFixed(inode);
  if (name.startsWith('security.')) {
    const needed = name === 'security.capability' ? CAP_SETFCAP : CAP_SYS_ADMIN;
    if (write && !capable(creds, needed)) throw errno(EPERM);
  } else if (name.startsWith('trusted.')) {
    if (!capable(creds, CAP_SYS_ADMIN)) throw errno(write ? EPERM : ENODATA);
  } else {
    if (name.startsWith('user.')) {
      if (!inode.isRegular && !inode.isDir) throw errno(write ? EPERM : ENODATA);
      if (write && inode.isDir && (inode.mode & S_ISVTX) !== 0 && !ownerOrCapable(inode, creds)) throw errno(EPERM);
    }
    if (!permits(inode, write ? MAY_WRITE : MAY_READ, creds)) throw errno(EACCES);
    if (!name.startsWith('user.')) throw errno(EOPNOTSUPP);
  }
  // A prefix alone names nothing (xattr_resolve_name).
  if (name.indexOf('.') === name.length - 1) throw errno(EINVAL);
}

export function setXattr(task: Task, inode: Inode, name: string, value: Uint8Array, flags: number): void {
  if (isAclName(name)) return setAcl(task, inode, name, value);
  check(task, inode, name, true);
  if (inode.setxattr === undefined) throw errno(EOPNOTSUPP);
  inode.setxattr(name, value, flags);
}

export function getXattr(task: Task, inode: Inode, name: string): Uint8Array {
  if (isAclName(name)) return getAcl(inode, name);
  check(task, inode, name, false);
  if (inode.getxattr === undefined) throw errno(EOPNOTSUPP);
  const value = inode.getxattr(name);
  if (value === null) throw errno(ENODATA);
  return value;
}

/** All visible names, each with its NUL. Filesystems without attributes have none. */
export function listXattrs(task: Task, inode: Inode): Uint8Array {
  const all = [...listAcls(inode), ...(inode.listxattr?.() ?? [])];
  const trusted = capable(task.creds, CAP_SYS_ADMIN);
  const names = all.filter((name) => trusted || !name.startsWith('trusted.'));
  return Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1');
}

export function removeXattr(task: Task, inode: Inode, name: string): void {
  if (isAclName(name)) return removeAcl(task, inode, name);
  check(task, inode, name, true);
  if (inode.removexattr === undefined) throw errno(EOPNOTSUPP);
  inode.removexattr(name);
}

/** Hands out a value: its length for size 0, ERANGE when it does not fit, E2BIG beyond what a buffer may ever be. */
export function copyResult(task: Task, value: Uint8Array, addr: number, size: number, max: number): number {
  if (size === 0) return value.length;
  if (value.length > size) throw errno(size >= max ? E2BIG : ERANGE);
  task.mm.copyOut(addr, value, 0, value.length);
  return value.length;
}
