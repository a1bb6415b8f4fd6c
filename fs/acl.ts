/**
 * POSIX access control lists (fs/posix_acl.c), kept by filesystems whose inodes say `keepsAcls`.
 *
 * Invariants: an inode's access list says more than its mode (else there is only the mode), and the mode's group bits are
 * the list's mask. Linux oddities: reading one needs no permission; XATTR_CREATE and XATTR_REPLACE mean nothing to them;
 * removing one that is not there succeeds; the default list of a directory takes the umask's place.
 */
import { EACCES, EINVAL, ENODATA, EOPNOTSUPP, EPERM, errno } from '../src/abi/errno.js';
import { ACL_UNDEFINED_ID, AclTag, POSIX_ACL_XATTR_VERSION } from '../src/abi/flags/acl.js';
import { CAP_FSETID } from '../src/abi/flags/capability.js';
import { S_ISGID } from '../src/abi/flags/stat.js';
import { type Credentials, capable } from '../sched/credentials.js';
import type { Task } from '../sched/task.js';
import type { Inode } from './inode.js';
import { inGroup, ownerOrCapable, refuseFixed } from './permissions.js';

const HEADER = 4;
const ENTRY = 8;
const RWX = 7;
const NAMES: Record<string, keyof Acls> = {
  'system.posix_acl_access': 'access',
  'system.posix_acl_default': 'default',
};

export interface AclEntry {
  readonly tag: number;
  readonly perm: number;
  readonly id: number;
}
export type Acl = readonly AclEntry[];
export interface Acls {
  readonly access: Acl | null;
  readonly default: Acl | null;
}

export function isAclName(name: string): boolean {
  return Object.hasOwn(NAMES, name);
}

/** The value of an attribute as a list; null takes the list away (posix_acl_from_xattr). */
function parse(value: Uint8Array): Acl | null {
  if (value.length === 0) return null;
  if (value.length < HEADER) throw errno(EINVAL);
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  if (view.getUint32(0, true) !== POSIX_ACL_XATTR_VERSION) throw errno(EOPNOTSUPP);
  if ((value.length - HEADER) % ENTRY !== 0) throw errno(EINVAL);
  const acl: AclEntry[] = [];
  for (let at = HEADER; at < value.length; at += ENTRY) {
    const tag = view.getUint16(at, true);
    const named = tag === AclTag.USER || tag === AclTag.GROUP;
    const id = named ? view.getUint32(at + 4, true) : ACL_UNDEFINED_ID;
    if (named ? id === ACL_UNDEFINED_ID : !UNNAMED.has(tag)) throw errno(EINVAL);
    acl.push({ tag, perm: view.getUint16(at + 2, true), id });
  }
  return acl.length === 0 ? null : acl;
}
const UNNAMED = new Set<number>([AclTag.USER_OBJ, AclTag.GROUP_OBJ, AclTag.MASK, AclTag.OTHER]);

function format(acl: Acl): Uint8Array {
  const bytes = new Uint8Array(HEADER + acl.length * ENTRY);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, POSIX_ACL_XATTR_VERSION, true);
  acl.forEach(({ tag, perm, id }, index) => {
    const at = HEADER + index * ENTRY;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, perm, true);
    view.setUint32(at + 4, id, true);
  });
  return bytes;
}

/** The order of entries, one of each that is not named, a mask if any is (posix_acl_valid). */
function checkValid(acl: Acl): void {
  const order = acl.map(({ tag }) => String.fromCharCode(96 + Math.log2(tag) + 1)).join('');
  // a USER_OBJ, b USER, c GROUP_OBJ, d GROUP, e MASK, f OTHER
  if (!/^ab*cd*e?f$/.test(order) || (/[bd]/.test(order) && !order.includes('e'))) throw errno(EINVAL);
  if (acl.some(({ perm }) => (perm & ~RWX) !== 0)) throw errno(EINVAL);
}

/** The permission bits that a list amounts to, and whether they say all of it (posix_acl_equiv_mode). */
function equivalentMode(acl: Acl): { mode: number; whole: boolean } {
  let mode = 0;
  let whole = true;
  for (const { tag, perm } of acl)
    if (tag === AclTag.USER_OBJ) mode |= perm << 6;
    else if (tag === AclTag.GROUP_OBJ) mode |= perm << 3;
    else if (tag === AclTag.OTHER) mode |= perm;
    else {
      whole = false;
      if (tag === AclTag.MASK) mode = (mode & ~0o070) | (perm << 3);
    }
  return { mode, whole };
}

function store(inode: Inode, change: Partial<Acls>): void {
  const acls: Acls = { access: null, default: null, ...inode.acls, ...change };
  inode.acls = acls.access === null && acls.default === null ? null : acls;
}

/** simple_set_acl, with the checks of set_posix_acl. */
function set(task: Task, inode: Inode, name: string, acl: Acl | null): void {
  const { creds } = task;
  const which = NAMES[name];
  refuseFixed(inode);
  if (!inode.keepsAcls) throw errno(EOPNOTSUPP);
  if (which === 'default' && !inode.isDir) {
    if (acl !== null) throw errno(EACCES);
    return;
  }
  if (!ownerOrCapable(inode, creds)) throw errno(EPERM);
  if (acl !== null) checkValid(acl);
  replace(inode, which, acl);
  if (which === 'access' && !inGroup(creds, inode.gid) && !capable(creds, CAP_FSETID)) inode.mode &= ~S_ISGID;
  inode.touch(false, false);
}

/** Puts a sound list in place; the mode's bits follow an access list (posix_acl_update_mode). */
function replace(inode: Inode, which: keyof Acls, acl: Acl | null): void {
  if (which === 'access' && acl !== null) {
    const { mode, whole } = equivalentMode(acl);
    inode.mode = (inode.mode & ~0o777) | mode;
    if (whole) acl = null;
  }
  store(inode, { [which]: acl });
}

export function setAcl(task: Task, inode: Inode, name: string, value: Uint8Array): void {
  set(task, inode, name, parse(value));
}
/** A list out of an archive. */
export function loadAcl(inode: Inode, name: string, value: Uint8Array): void {
  if (!inode.keepsAcls) throw errno(EOPNOTSUPP);
  const acl = parse(value);
  if (acl !== null) checkValid(acl);
  replace(inode, NAMES[name], acl);
}
export function removeAcl(task: Task, inode: Inode, name: string): void {
  set(task, inode, name, null);
}
export function getAcl(inode: Inode, name: string): Uint8Array {
  if (!inode.keepsAcls) throw errno(EOPNOTSUPP);
  const acl = inode.acls?.[NAMES[name]] ?? null;
  if (acl === null) throw errno(ENODATA);
  return format(acl);
}
export function listAcls({ acls }: Inode): string[] {
  return acls === null ? [] : Object.keys(NAMES).filter((name) => acls[NAMES[name]] !== null);
}

/** Whether a list lets `creds`, who does not own `inode`, access it with all of MAY_* `mask` (posix_acl_permission). */
export function aclPermits(inode: Inode, acl: Acl, mask: number, creds: Credentials): boolean {
  const limit = acl.find(({ tag }) => tag === AclTag.MASK)?.perm ?? RWX;
  let found = false;
  for (const { tag, perm, id } of acl)
    if (tag === AclTag.USER) {
      if (id === creds.fsuid) return (perm & limit & mask) === mask;
    } else if (tag === AclTag.GROUP_OBJ || tag === AclTag.GROUP) {
      if (!inGroup(creds, tag === AclTag.GROUP ? id : inode.gid)) continue;
      found = true;
      if ((perm & mask) === mask) return (limit & mask) === mask;
    } else if (tag === AclTag.OTHER) return !found && (perm & mask) === mask;
  return false;
}

/** The permission bits of the mode have been set: the list follows (posix_acl_chmod). */
export function followMode(inode: Inode): void {
  const { acls, mode } = inode;
  if (acls === null || acls.access === null) return;
  const masked = acls.access.some(({ tag }) => tag === AclTag.MASK);
  const access = acls.access.map((entry) => ({ ...entry, perm: permOf(entry, mode, masked) }));
  inode.acls = { ...acls, access };
}
/** What `mode` says about an entry: of the group about the mask, if there is one. */
function permOf({ tag, perm }: AclEntry, mode: number, masked: boolean): number {
  if (tag === AclTag.USER_OBJ) return (mode >> 6) & RWX;
  if (tag === AclTag.OTHER) return mode & RWX;
  return tag === (masked ? AclTag.MASK : AclTag.GROUP_OBJ) ? (mode >> 3) & RWX : perm;
}

/** What is left of the umask in `dir`: nothing where there is a default list. */
export function umaskIn(dir: Inode, umask: number): number {
  return dir.acls !== null && dir.acls.default !== null ? 0 : umask;
}

/** A new inode of `dir` gets its default list, as far as the mode asked for allows (posix_acl_create). */
export function inheritAcls(dir: Inode, inode: Inode): void {
  const inherited = dir.acls?.default ?? null;
  if (inherited === null || !inode.keepsAcls) return;
  const masked = inherited.some(({ tag }) => tag === AclTag.MASK);
  const access = inherited.map((entry) => ({
    ...entry,
    perm: entry.perm & permOf({ ...entry, perm: RWX }, inode.mode, masked),
  }));
  const { mode, whole } = equivalentMode(access);
  inode.mode = (inode.mode & ~0o777) | mode;
  store(inode, { access: whole ? null : access, default: inode.isDir ? inherited : null });
}
