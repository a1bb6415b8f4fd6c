/** A mounted filesystem instance. */
import type { Clock } from '../sched/clock.js';
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

export abstract class SuperBlock {
  /** Name in /proc/filesystems and mount(2). */
  abstract readonly fsType: string;
  readonly devMajor = 0;
  /** Anonymous device number, unique per instance: st_dev. */
  readonly devMinor: number;
  readonly clock: Clock;
  root!: Inode;
  /** Lookups must not be cached (procfs). */
  readonly volatile: boolean = false;
  /** Mounted read-only as a whole. */
  readOnly = false;
  /** Mount options shown in /proc/mounts after ro/rw. */
  options = '';

  constructor(devMinor: number, clock: Clock) {
    this.devMinor = devMinor;
    this.clock = clock;
  }
  abstract statfs(): StatFs;
  /** The last mount is gone. */
  shutdown(): void {}
}
