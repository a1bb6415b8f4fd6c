/** Mounts: where superblocks appear in the tree (mount(2), mount_namespaces(7)). */
import { WaitQueue } from '../sched/wait.js';
import type { Dentry } from './dentry.js';
import type { SuperBlock } from './superblock.js';

export const MNT_NOSUID = 2;
export const MNT_NODEV = 4;
export const MNT_NOEXEC = 8;
export const MNT_NOSYMFOLLOW = 256;
export const MNT_NOATIME = 1024;
export const MNT_NODIRATIME = 2048;
export const MNT_RELATIME = 1 << 21;
export const MNT_READONLY = 1;

export class Mount {
  readonly id: number;
  readonly sb: SuperBlock;
  /** The dentry shown at the mount point (bind mounts show a subtree). */
  readonly root: Dentry;
  parent: Mount | null;
  /** Where it sits in the parent; null for a root. */
  point: Dentry | null;
  /** MNT_ flags. */
  flags: number;
  source: string;
  readonly children = new Set<Mount>();
  /** The same by mount point. One mount per point: a second one on the same directory sits on the root of the first. */
  readonly covers = new Map<Dentry, Mount>();
  /** Open files, working and root directories and programs that keep it busy. */
  users = 0;
  /** Files open for writing: it cannot become read-only. */
  writers = 0;
  /** The namespace whose tree it is in; null once unmounted. */
  namespace: MountNamespace | null = null;
  /** MNT_EXPIRE marked it, and it was not used since. */
  expiring = false;

  constructor(id: number, sb: SuperBlock, root: Dentry, source: string, flags: number) {
    this.id = id;
    this.sb = sb;
    this.root = root;
    this.source = source;
    this.flags = flags;
    this.parent = null;
    this.point = null;
  }
}

/** A tree of mounts. There is one for now; tasks reach it through their root directory. */
export class MountNamespace {
  root!: Mount;
  /** In the order they were mounted: /proc/mounts. */
  readonly mounts = new Set<Mount>();
  /** Counts changes, and is woken by each (poll on /proc/mounts). */
  generation = 0;
  readonly queue = new WaitQueue();
}

/** A place in the tree. */
export interface Place {
  readonly mount: Mount;
  readonly dentry: Dentry;
}
