/**
 * ScriptSpace: an address space without a process. Regions (like host VMAs) say what may be touched; pages that differ from
 * what the region shows (written private memory) are byte arrays, shared copy-on-write after fork.
 *
 * It behaves as the host does where mm depends on it: operations are queued until `flush`, which stops at the first failure
 * and drops the rest; mprotect over a hole is ENOMEM after changing what lies before it; mremap wants one region.
 * Tests may look at `flushes` and `operations` (batching is a property worth testing) and make a flush fail.
 */
import { EFAULT, ENOMEM } from '../../abi/errno.js';
import { PROT_EXEC, PROT_READ, PROT_WRITE, type AddressSpace } from '../platform.js';
import type { ScriptPhysical } from './physical.js';
import type { ScriptThread } from './thread.js';

interface Region {
  start: number;
  end: number;
  prot: number;
  /** Physical offset of `start`, or -1 for anonymous memory. */
  physical: number;
  shared: boolean;
}

/** Contents of a private page; copied before a write when another space refers to it. */
interface Page {
  bytes: Uint8Array;
  references: number;
}

type Operation = () => number;

export class ScriptSpace implements AddressSpace {
  readonly threads = new Set<ScriptThread>();
  /** Batches run and operations in them, for tests. */
  flushes = 0;
  operations = 0;
  /** The next flush fails with this errno before its operation number `failAt`. */
  failErrno = 0;
  failAt = 0;
  private queue: Operation[] = [];
  private regions: Region[] = [];
  private readonly pages = new Map<number, Page>();
  private readonly zeros: Uint8Array;
  private readonly physical: ScriptPhysical;
  private readonly pageSize: number;
  private readonly taskSize: number;

  constructor(physical: ScriptPhysical, pageSize: number, taskSize: number) {
    this.physical = physical;
    this.zeros = new Uint8Array(pageSize);
    this.pageSize = pageSize;
    this.taskSize = taskSize;
  }

  mapAnonymous(addr: number, len: number, prot: number): void {
    this.enqueue(addr, len, () => this.place({ start: addr, end: addr + len, prot, physical: -1, shared: false }));
  }
  mapPhysical(addr: number, len: number, prot: number, offset: number, shared: boolean): void {
    if (offset % this.pageSize !== 0 || offset + len > this.physical.size)
      throw new RangeError(`physical ${offset}+${len}`);
    this.enqueue(addr, len, () => this.place({ start: addr, end: addr + len, prot, physical: offset, shared }));
  }
  unmap(addr: number, len: number): void {
    this.enqueue(addr, len, () => {
      this.cut(addr, addr + len);
      return 0;
    });
  }
  protect(addr: number, len: number, prot: number): void {
    this.enqueue(addr, len, () => {
      let at = addr;
      this.split(addr);
      this.split(addr + len);
      for (const region of this.regions) {
        if (region.end <= addr || region.start >= addr + len) continue;
        if (region.start > at) return ENOMEM;
        region.prot = prot;
        at = region.end;
      }
      return at < addr + len ? ENOMEM : 0;
    });
  }
  move(from: number, oldLen: number, to: number, newLen: number): void {
    this.check(from, oldLen);
    this.enqueue(to, newLen, () => {
      this.split(from);
      this.split(from + oldLen);
      const inside = this.regions.filter((r) => r.start < from + oldLen && r.end > from);
      if (inside.length === 0 || inside[0].start !== from || inside.at(-1)!.end !== from + oldLen) return EFAULT;
      for (let i = 1; i < inside.length; i++) {
        const [a, b] = [inside[i - 1], inside[i]];
        const joined = a.physical < 0 ? b.physical < 0 : b.physical === a.physical + (a.end - a.start);
        if (a.end !== b.start || a.prot !== b.prot || a.shared !== b.shared || !joined) return EFAULT;
      }
      const moved: [number, Page][] = [];
      for (let at = 0; at < oldLen; at += this.pageSize) {
        const page = this.pages.get((from + at) / this.pageSize);
        if (page === undefined) continue;
        this.pages.delete((from + at) / this.pageSize);
        if (at < newLen) moved.push([(to + at) / this.pageSize, page]);
        else page.references--;
      }
      const { prot, physical, shared } = inside[0];
      this.cut(from, from + oldLen);
      this.place({ start: to, end: to + newLen, prot, physical, shared });
      for (const [index, page] of moved) this.pages.set(index, page);
      return 0;
    });
  }
  discard(addr: number, len: number): void {
    this.enqueue(addr, len, () => {
      this.dropPages(addr, addr + len);
      return 0;
    });
  }
  clear(): void {
    this.queue.push(() => {
      this.cut(0, this.taskSize);
      return 0;
    });
  }
  flush(): number {
    if (this.queue.length === 0) return 0;
    let stopped = this.threads.size === 0;
    for (const thread of this.threads) if (!thread.running || thread.parked) stopped = true;
    if (!stopped) throw new Error('flush() of an address space without a stopped thread');
    const { queue, failErrno, failAt } = this;
    this.queue = [];
    this.failErrno = 0;
    this.flushes++;
    for (let i = 0; i < queue.length; i++) {
      if (failErrno !== 0 && i === failAt) return failErrno;
      this.operations++;
      const error = queue[i]();
      if (error !== 0) return error;
    }
    return 0;
  }
  get dirty(): boolean {
    return this.queue.length !== 0;
  }

  read(addr: number, dst: Uint8Array, dstOffset: number, len: number): number {
    if (this.dirty) this.flush();
    return this.load(addr, dst, dstOffset, len);
  }
  write(addr: number, src: Uint8Array, srcOffset: number, len: number): number {
    if (this.dirty) this.flush();
    return this.store(addr, src, srcOffset, len);
  }
  /** The same as user code of a running thread does it: what the kernel has queued and not flushed has not happened. */
  load(addr: number, dst: Uint8Array, dstOffset: number, len: number): number {
    return this.visitPages(addr, len, PROT_READ, (bytes, offset, done, n) =>
      dst.set(bytes.subarray(offset, offset + n), dstOffset + done),
    );
  }
  store(addr: number, src: Uint8Array, srcOffset: number, len: number): number {
    return this.visitPages(addr, len, PROT_WRITE, (bytes, offset, done, n) =>
      bytes.set(src.subarray(srcOffset + done, srcOffset + done + n), offset),
    );
  }
  readToPhysical(addr: number, physOffset: number, len: number): number {
    return this.read(addr, this.physical.bytes, physOffset, len);
  }
  writeFromPhysical(addr: number, physOffset: number, len: number): number {
    return this.write(addr, this.physical.bytes, physOffset, len);
  }
  resident(addr: number, len: number, out?: Uint8Array): number {
    let count = 0;
    for (let at = 0; at < len; at += this.pageSize) {
      const region = this.find(addr + at);
      const here = region !== undefined && (region.physical >= 0 || this.pages.has((addr + at) / this.pageSize));
      if (here) count++;
      if (out !== undefined) out[at / this.pageSize] = here ? 1 : 0;
    }
    return count;
  }
  rssBytes(): number {
    let bytes = this.pages.size * this.pageSize;
    for (const region of this.regions) if (region.shared) bytes += region.end - region.start;
    return bytes;
  }
  /** Not kept: what is resident now. */
  peakRssBytes(): number {
    return this.rssBytes();
  }
  get peakSettled(): boolean {
    return this.threads.size === 0;
  }

  /** A copy-on-write copy, as fork makes it. */
  copy(): ScriptSpace {
    const copy = new ScriptSpace(this.physical, this.pageSize, this.taskSize);
    copy.regions = this.regions.map((region) => ({ ...region }));
    for (const [index, page] of this.pages) {
      page.references++;
      copy.pages.set(index, page);
    }
    return copy;
  }
  /** What a guest instruction at `addr` would meet: true when it succeeds. access: 0 read, 1 write, 2 execute. */
  permits(addr: number, access: number): boolean {
    const region = this.find(addr);
    if (region === undefined) return false;
    if (access === 1) return (region.prot & PROT_WRITE) !== 0;
    if (access === 2) return (region.prot & PROT_EXEC) !== 0;
    return region.prot !== 0;
  }
  /** The regions as [start, end, prot, physical, shared], joined where a host would: for tests. */
  layout(): [number, number, number, number, boolean][] {
    const out: [number, number, number, number, boolean][] = [];
    for (const { start, end, prot, physical, shared } of this.regions) {
      const last = out.at(-1);
      const joined = last && last[1] === start && last[2] === prot && last[4] === shared;
      if (joined && (last[3] < 0 ? physical < 0 : physical === last[3] + (start - last[0]))) last[1] = end;
      else out.push([start, end, prot, physical, shared]);
    }
    return out;
  }

  private check(addr: number, len: number): void {
    if (addr % this.pageSize !== 0 || len % this.pageSize !== 0 || len <= 0 || addr < 0 || addr + len > this.taskSize)
      throw new RangeError(`host operation on ${addr.toString(16)}+${len.toString(16)}`);
  }
  private enqueue(addr: number, len: number, operation: Operation): void {
    this.check(addr, len);
    this.queue.push(operation);
  }
  private indexOf(addr: number): number {
    let low = 0;
    let high = this.regions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.regions[middle].end <= addr) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  private find(addr: number): Region | undefined {
    const region = this.regions[this.indexOf(addr)] as Region | undefined;
    return region !== undefined && region.start <= addr ? region : undefined;
  }
  private split(addr: number): void {
    const i = this.indexOf(addr);
    const region = this.regions[i] as Region | undefined;
    if (region === undefined || region.start >= addr) return;
    const physical = region.physical < 0 ? -1 : region.physical + (addr - region.start);
    this.regions.splice(i + 1, 0, { ...region, start: addr, physical });
    region.end = addr;
  }
  private cut(start: number, end: number): void {
    this.split(start);
    this.split(end);
    const i = this.indexOf(start);
    let j = i;
    while (j < this.regions.length && this.regions[j].start < end) j++;
    this.regions.splice(i, j - i);
    this.dropPages(start, end);
  }
  private place(region: Region): number {
    this.cut(region.start, region.end);
    this.regions.splice(this.indexOf(region.start), 0, region);
    return 0;
  }
  private dropPages(start: number, end: number): void {
    const [first, last] = [start / this.pageSize, end / this.pageSize];
    const drop = (index: number, page: Page): void => {
      page.references--;
      this.pages.delete(index);
    };
    if (last - first > this.pages.size) {
      for (const [index, page] of this.pages) if (index >= first && index < last) drop(index, page);
    } else {
      for (let index = first; index < last; index++) {
        const page = this.pages.get(index);
        if (page !== undefined) drop(index, page);
      }
    }
  }
  private visitPages(
    addr: number,
    len: number,
    need: number,
    visit: (bytes: Uint8Array, offset: number, done: number, n: number) => void,
  ): number {
    let done = 0;
    while (done < len) {
      const at = addr + done;
      const inPage = at % this.pageSize;
      const n = Math.min(this.pageSize - inPage, len - done);
      const region = this.find(at);
      if (region === undefined || (region.prot & need) === 0) break;
      if (region.shared) visit(this.physical.bytes, region.physical + (at - region.start), done, n);
      else visit(this.privatePage(region, at - inPage, need === PROT_WRITE), inPage, done, n);
      done += n;
    }
    return done;
  }
  private privatePage(region: Region, start: number, write: boolean): Uint8Array {
    const index = start / this.pageSize;
    let page = this.pages.get(index);
    if (page === undefined || (write && page.references > 1)) {
      const offset = region.physical + (start - region.start);
      const from =
        page?.bytes ?? (region.physical < 0 ? null : this.physical.bytes.subarray(offset, offset + this.pageSize));
      if (!write) return from ?? this.zeros;
      if (page !== undefined) page.references--;
      page = { bytes: from === null ? new Uint8Array(this.pageSize) : from.slice(), references: 1 };
      this.pages.set(index, page);
    }
    return page.bytes;
  }
}
