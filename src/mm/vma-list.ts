/**
 * VmaList: the sorted array of VMAs of one address space, with binary search and a one-entry cache.
 *
 * Invariants: VMAs do not overlap, are in address order, are never empty, and page aligned. Splitting and merging are here;
 * what may merge is Linux's is_mergeable_vma: equal flags (VM_ACCOUNT included), protection, file and name, and for files a
 * continuing offset. As in Linux, merging happens only at the edges of what a call changed, so two neighbours that could be
 * one (after munmap and mremap) may stay two: /proc/PID/maps shows it.
 */
import type { FileMapping } from './file-mapping.js';
import type { Vma } from './memory-map.js';

export class VmaRecord implements Vma {
  start: number;
  end: number;
  prot: number;
  flags: number;
  file: FileMapping | null;
  offset: number;
  /** What /proc/PID/maps shows; refreshed by MemoryMap.vmas(). */
  name = '';
  /** Set by prctl(PR_SET_VMA_ANON_NAME): part of what must agree to merge. */
  label: string;

  constructor(
    start: number,
    end: number,
    prot: number,
    flags: number,
    file: FileMapping | null,
    offset: number,
    label = '',
  ) {
    this.start = start;
    this.end = end;
    this.prot = prot;
    this.flags = flags;
    this.file = file;
    this.offset = offset;
    this.label = label;
  }
  copy(): VmaRecord {
    const { start, end, prot, flags, file, offset, label } = this;
    return new VmaRecord(start, end, prot, flags, file, offset, label);
  }
  /** Offset into the file of the page at `address`. */
  fileOffset(address: number): number {
    return this.offset + (address - this.start);
  }
}

/** Whether `a`, which ends where `b` starts, may be one VMA with it. */
export function mergeable(a: VmaRecord, b: VmaRecord): boolean {
  return (
    a.end === b.start &&
    a.flags === b.flags &&
    a.prot === b.prot &&
    a.file === b.file &&
    a.label === b.label &&
    (a.file === null || a.offset + (a.end - a.start) === b.offset)
  );
}

/** Told when one VMA became two or two became one: file references are counted per VMA. */
export interface VmaOwner {
  attach(vma: VmaRecord): void;
  detach(vma: VmaRecord): void;
}

export class VmaList {
  readonly items: VmaRecord[] = [];
  private last: VmaRecord | null = null;
  private readonly owner: VmaOwner;

  constructor(owner: VmaOwner) {
    this.owner = owner;
  }

  get size(): number {
    return this.items.length;
  }
  /** Index of the first VMA that ends above `address` (find_vma). */
  indexFrom(address: number): number {
    const { items } = this;
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (items[middle].end <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** The VMA that contains `address`, or null. */
  find(address: number): VmaRecord | null {
    const { last } = this;
    if (last !== null && address >= last.start && address < last.end) return last;
    const i = this.indexFrom(address);
    if (i === this.items.length) return null;
    const vma = this.items[i];
    if (vma.start > address) return null;
    this.last = vma;
    return vma;
  }
  /** The first VMA that ends above `address`: it may start above it. */
  findFrom(address: number): VmaRecord | null {
    const i = this.indexFrom(address);
    return i === this.items.length ? null : this.items[i];
  }
  intersects(start: number, end: number): boolean {
    const vma = this.findFrom(start);
    return vma !== null && vma.start < end;
  }
  /** VMAs that touch [start, end), as a new array. */
  within(start: number, end: number): VmaRecord[] {
    const i = this.indexFrom(start);
    let j = i;
    while (j < this.items.length && this.items[j].start < end) j++;
    return this.items.slice(i, j);
  }
  /** Bytes of [start, end) that are mapped. */
  overlap(start: number, end: number): number {
    let bytes = 0;
    for (let i = this.indexFrom(start); i < this.items.length && this.items[i].start < end; i++) {
      const vma = this.items[i];
      bytes += Math.min(end, vma.end) - Math.max(start, vma.start);
    }
    return bytes;
  }

  /** Makes `address` a border between VMAs if it lies inside one. */
  split(address: number): void {
    const i = this.indexFrom(address);
    if (i === this.items.length) return;
    const vma = this.items[i];
    if (vma.start >= address) return;
    const upper = vma.copy();
    upper.start = address;
    upper.offset = vma.file === null ? 0 : vma.fileOffset(address);
    vma.end = address;
    this.items.splice(i + 1, 0, upper);
    this.owner.attach(upper);
  }
  /** Puts a new VMA in (its range must be free) without merging. */
  insert(vma: VmaRecord): void {
    this.items.splice(this.indexFrom(vma.start), 0, vma);
  }
  /** The same for one that lies above all others. */
  append(vma: VmaRecord): void {
    this.items.push(vma);
  }
  /** Takes whole VMAs out; [start, end) must have been split at its ends. */
  removeRange(start: number, end: number): VmaRecord[] {
    const i = this.indexFrom(start);
    let j = i;
    while (j < this.items.length && this.items[j].start < end) j++;
    this.last = null;
    return this.items.splice(i, j - i);
  }
  removeAll(): VmaRecord[] {
    this.last = null;
    return this.items.splice(0);
  }
  /** Joins the VMAs that meet at `address` if they agree. */
  mergeAt(address: number): void {
    const i = this.indexFrom(address);
    if (i === 0 || i === this.items.length) return;
    const below = this.items[i - 1];
    const above = this.items[i];
    if (above.start !== address || !mergeable(below, above)) return;
    below.end = above.end;
    this.items.splice(i, 1);
    if (this.last === above) this.last = null;
    this.owner.detach(above);
  }
}
