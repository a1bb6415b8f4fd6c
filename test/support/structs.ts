/** Layouts of the structs that tests look into, per architecture, as [offset, width] of each field. */
import { hostArch } from './executor.js';
import { Mem, type Expected } from './memory.js';

export type Layout = Readonly<Record<string, readonly [offset: number, width: number]>>;

export class Struct extends Mem {
  layout: Layout = {};

  /** Checks fields at this point of the script. */
  has(fields: Readonly<Record<string, Expected>>): this {
    for (const [name, expected] of Object.entries(fields)) {
      const [at, width] = this.#field(name);
      if (width === 1) this.u8(at, expected);
      else if (width === 2) this.u16(at, expected);
      else if (width === 4 && typeof expected === 'number' && expected < 0) this.i32(at, expected);
      else if (width === 4) this.u32(at, expected);
      else this.i64(at, expected);
    }
    return this;
  }

  ignoreFields(...names: string[]): this {
    for (const name of names) this.ignore(...this.#field(name));
    return this;
  }

  relateField(name: string, relation: string): this {
    return this.relate(...this.#field(name), relation);
  }

  at(name: string): number {
    return this.#field(name)[0];
  }

  #field(name: string): readonly [number, number] {
    const field = this.layout[name];
    if (field === undefined) throw new Error(`${this.name} has no field ${name}`);
    return field;
  }
}

const statX86: Layout = {
  dev: [0, 8], ino: [8, 8], nlink: [16, 8], mode: [24, 4], uid: [28, 4], gid: [32, 4], rdev: [40, 8], size: [48, 8],
  blksize: [56, 8], blocks: [64, 8], atime: [72, 8], atimeNsec: [80, 8], mtime: [88, 8], mtimeNsec: [96, 8],
  ctime: [104, 8], ctimeNsec: [112, 8],
}; // prettier-ignore
const statGeneric: Layout = {
  dev: [0, 8], ino: [8, 8], mode: [16, 4], nlink: [20, 4], uid: [24, 4], gid: [28, 4], rdev: [32, 8], size: [48, 8],
  blksize: [56, 4], blocks: [64, 8], atime: [72, 8], atimeNsec: [80, 8], mtime: [88, 8], mtimeNsec: [96, 8],
  ctime: [104, 8], ctimeNsec: [112, 8],
}; // prettier-ignore

export const statLayout = hostArch === 'x86_64' ? statX86 : statGeneric;
export const statSize = hostArch === 'x86_64' ? 144 : 128;

export const statxLayout: Layout = {
  mask: [0, 4], blksize: [4, 4], attributes: [8, 8], nlink: [16, 4], uid: [20, 4], gid: [24, 4], mode: [28, 2],
  ino: [32, 8], size: [40, 8], blocks: [48, 8], attributesMask: [56, 8], atime: [64, 8], atimeNsec: [72, 4],
  btime: [80, 8], btimeNsec: [88, 4], ctime: [96, 8], ctimeNsec: [104, 4], mtime: [112, 8], mtimeNsec: [120, 4],
  rdevMajor: [128, 4], rdevMinor: [132, 4], devMajor: [136, 4], devMinor: [140, 4], mountId: [144, 8],
}; // prettier-ignore

export const statfsLayout: Layout = {
  type: [0, 8], bsize: [8, 8], blocks: [16, 8], bfree: [24, 8], bavail: [32, 8], files: [40, 8], ffree: [48, 8],
  fsid: [56, 8], namelen: [64, 8], frsize: [72, 8], flags: [80, 8],
}; // prettier-ignore

export const siginfoLayout: Layout = {
  signo: [0, 4], errno: [4, 4], code: [8, 4], pid: [16, 4], uid: [20, 4], status: [24, 4], value: [24, 8],
  timerid: [16, 4], overrun: [20, 4], addr: [16, 8],
}; // prettier-ignore

export const rusageLayout: Layout = {
  utime: [0, 8], utimeUsec: [8, 8], stime: [16, 8], stimeUsec: [24, 8], maxrss: [32, 8], minflt: [64, 8], majflt: [72, 8],
}; // prettier-ignore

export const sysinfoLayout: Layout = {
  uptime: [0, 8], load1: [8, 8], totalram: [32, 8], freeram: [40, 8], totalswap: [64, 8], freeswap: [72, 8],
  procs: [80, 2], totalhigh: [88, 8], freehigh: [96, 8], unit: [104, 4],
}; // prettier-ignore
