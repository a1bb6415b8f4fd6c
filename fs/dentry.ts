/**
 * Dentries: the names under a directory, cached. A dentry belongs to one superblock; mounts are looked up by
 * (mount, dentry), so a dentry that is a mount point in one mount need not be in another.
 *
 * A negative dentry (inode null) caches a missing name. A dentry whose name was removed is `unlinked`: paths of it end in
 * ' (deleted)'.
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
  }
}
