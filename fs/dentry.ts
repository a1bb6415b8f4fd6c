/**
 * Dentries: the names under a directory, cached. A dentry belongs to one superblock; mounts are looked up by
 * (mount, dentry), so a dentry that is a mount point in one mount need not be in another.
 *
 * A negative dentry (inode null) caches a missing name. A dentry whose name was removed is `unlinked`: paths of it end in
 * ' (deleted)'. Dentries of a volatile superblock (procfs) are in `children` only while something is mounted on them.
 * Invariant: a directory inode has at most one linked dentry, `inode.dentry`.
 */
import type { Inode } from './inode.js';

export class Dentry {
  name: string;
  parent: Dentry;
  inode: Inode | null;
  children: Map<string, Dentry> | null = null;
  unlinked = false;
  /** How many mounts sit on this dentry; 0 skips the mount lookup during walks. */
  mounts = 0;

  constructor(name: string, parent: Dentry | null, inode: Inode | null) {
    this.name = name;
    this.parent = parent ?? this;
    this.inode = inode;
    if (inode !== null && inode.isDir) inode.dentry = this;
  }

  /** Whether this is `other` or below it. */
  isWithin(other: Dentry): boolean {
    if (this === other) return true;
    let { parent } = this;
    while (parent !== other && parent.parent !== parent) ({ parent } = parent);
    return parent === other;
  }
}

/** Puts a dentry under its parent, in place of what had the name. */
export function attachDentry(dentry: Dentry): void {
  const { parent } = dentry;
  (parent.children ??= new Map<string, Dentry>()).set(dentry.name, dentry);
}

/** Takes a dentry out of its parent's cache. */
export function detachDentry(dentry: Dentry): void {
  const { children } = dentry.parent;
  if (children !== null && children.get(dentry.name) === dentry) children.delete(dentry.name);
}

/** The name is gone (d_delete): whoever holds the dentry sees it as deleted. */
export function unlinkDentry(dentry: Dentry): void {
  detachDentry(dentry);
  dentry.unlinked = true;
}

/** Renames (d_move): `replaced`, the dentry that had the new name, is gone. */
export function moveDentry(
  dentry: Dentry,
  parent: Dentry,
  name: string,
  replaced: Dentry | null,
  cache: boolean,
): void {
  detachDentry(dentry);
  if (replaced !== null) unlinkDentry(replaced);
  dentry.parent = parent;
  dentry.name = name;
  if (cache) attachDentry(dentry);
}

/** Swaps two names (d_exchange). */
export function exchangeDentries(a: Dentry, b: Dentry, cache: boolean): void {
  detachDentry(a);
  detachDentry(b);
  const { parent, name } = a;
  a.parent = b.parent;
  a.name = b.name;
  b.parent = parent;
  b.name = name;
  if (!cache) return;
  attachDentry(a);
  attachDentry(b);
}

/** Bounds the negative dentries of a kernel: the oldest go first. */
export class NegativeCache {
  private readonly ring: (Dentry | undefined)[];
  private at = 0;

  constructor(limit = 8192) {
    this.ring = new Array<Dentry | undefined>(limit);
  }
  add(dentry: Dentry): void {
    const old = this.ring[this.at];
    if (old !== undefined && old.inode === null) detachDentry(old);
    this.ring[this.at] = dentry;
    this.at = this.at + 1 === this.ring.length ? 0 : this.at + 1;
  }
}
