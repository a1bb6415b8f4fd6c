/** A mounted filesystem instance. */
import type { Clock } from '../sched/clock.js';
import { Dentry } from './dentry.js';
import type { Inode } from './inode.js';

export interface StatFs {
  type: number;
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  fsid: number;
  namelen: number;
}

/** Of file systems that keep no account: simple_statfs. */
export function simpleStatFs(type: number, bsize: number): StatFs {
  return { type, bsize, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, fsid: 0, namelen: 255 };
}

export abstract class SuperBlock {
  /** Name in /proc/filesystems and mount(2). */
  abstract readonly fsType: string;
  readonly devMajor = 0;
  /** Anonymous device number, unique per instance: st_dev. */
  readonly devMinor: number;
  readonly clock: Clock;
  /** Bytes: st_blksize of its files. */
  readonly blockSize: number;
  root!: Inode;
  private top: Dentry | null = null;
  /** Mounts that show it; the last one that goes shuts it down. */
  mounts = 0;
  /** Mappings of its files: they keep its last mount busy. */
  mappings = 0;
  /** Open file descriptions of its inodes. */
  openFiles = 0;
  /** Lookups must not be cached (procfs). */
  readonly volatile: boolean = false;
  /** Mounted read-only as a whole. */
  readOnly = false;
  /** Mount options shown in /proc/mounts after ro/rw. */
  options = '';

  constructor(devMinor: number, clock: Clock, blockSize: number) {
    this.devMinor = devMinor;
    this.clock = clock;
    this.blockSize = blockSize;
  }
  /** The dentry of the root, shared by all mounts of this instance. */
  get rootDentry(): Dentry {
    if (this.top === null) {
      this.top = new Dentry('', null, this.root);
      this.root.dentry = this.top;
    }
    return this.top;
  }
  abstract statfs(): StatFs;
  /** New options of a remount; EINVAL. */
  remount(_data: string): void {}
  /** The last mount is gone. */
  shutdown(): void {}
}

/** Nothing but an identity: behind files without a name. */
export class PlainSuperBlock extends SuperBlock {
  readonly fsType: string = 'anon';

  statfs(): StatFs {
    return simpleStatFs(0, this.blockSize);
  }
}
