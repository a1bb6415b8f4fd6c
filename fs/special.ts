/**
 * Openers of device nodes and FIFOs. A node in any filesystem only says type and number; who serves it registers here:
 * tty, memory devices, ... for (type, major, minor range), and the pipe layer for FIFOs.
 *
 * An opener returns a new OpenFile with references 0; it may throw (ENXIO, EBUSY). To block, it returns a file whose
 * `openPending()` is true (fs/file.ts). Linux oddity: no driver is ENXIO, a mount with nodev EACCES before that.
 */
import { ENXIO, errno } from '../src/abi/errno.js';
import type { Task } from '../sched/task.js';
import type { OpenFile } from './file.js';
import type { Inode } from './inode.js';

export type DeviceType = 'c' | 'b';
export type Opener = (inode: Inode, flags: number, task: Task) => OpenFile;

interface DeviceRange {
  readonly first: number;
  readonly last: number;
  readonly open: Opener;
  readonly name: string;
}

export class DeviceRegistry {
  private readonly ranges = { c: new Map<number, DeviceRange[]>(), b: new Map<number, DeviceRange[]>() };

  /** Later registrations win where ranges overlap. `name` is what /proc/devices shows. */
  register(type: DeviceType, major: number, minor: number | readonly [number, number], open: Opener, name = ''): void {
    const [first, last] = typeof minor === 'number' ? [minor, minor] : minor;
    const list = this.ranges[type].get(major);
    const range = { first, last, open, name };
    if (list === undefined) this.ranges[type].set(major, [range]);
    else list.unshift(range);
  }

  find(type: DeviceType, major: number, minor: number): Opener | null {
    const list = this.ranges[type].get(major);
    if (list !== undefined)
      for (const range of list) if (minor >= range.first && minor <= range.last) return range.open;
    return null;
  }

  open(type: DeviceType, inode: Inode, flags: number, task: Task): OpenFile {
    const opener = this.find(type, inode.rdevMajor, inode.rdevMinor);
    if (opener === null) throw errno(ENXIO);
    return opener(inode, flags, task);
  }

  /** Majors with the name of their first driver, ascending. */
  *majors(type: DeviceType): IterableIterator<[number, string]> {
    for (const major of [...this.ranges[type].keys()].sort((a, b) => a - b))
      yield [major, this.ranges[type].get(major)!.at(-1)!.name];
  }
}
