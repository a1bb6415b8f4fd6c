/**
 * BuddyAllocator: frames of the platform's physical pages in power-of-two blocks, kept in typed arrays (no object per page).
 *
 * Invariants: every free frame reads as zeros; a page is either used (its bit is set) or part of exactly one free block whose
 * first page carries `order + 1` in `head`; two free buddies of one order never exist side by side. An allocation gets
 * exactly its length: the tail of the power-of-two block goes back at once, untouched.
 *
 * Arrays are made for all of physical memory but zero means "nothing here", so the host only backs what is in use.
 */
import { ENOMEM, errno } from '../abi/errno.js';
import type { PhysicalPages } from '../platform/platform.js';
import type { Extent, FrameAllocator } from './frames.js';
import type { MemoryAccount } from './memory-map.js';

/** Largest block: 2^18 pages, 1 GiB of 4 KiB pages. */
const MAX_ORDER = 18;
/** Frees up to this many bytes are zeroed in place; longer ones too as long as no more than that is kept, else the host gets them back. */
const ZERO_IN_PLACE = 64 * 1024;
const KEEP = 64 * 1024 * 1024;

export interface BuddyOptions {
  limitBytes?: number;
  /** Promised private memory counts against the limit too. */
  account?: MemoryAccount;
}

export interface BuddyStatistics {
  /** Number of free blocks by order, as /proc/buddyinfo shows them. */
  freeBlocks: number[];
  allocations: number;
  frees: number;
  peakBytes: number;
}

export class BuddyAllocator implements FrameAllocator {
  readonly physical: PhysicalPages;
  readonly pageSize: number;
  limitBytes: number;
  outsideBytes = 0;
  private readonly account: MemoryAccount | null;
  private readonly pages: number;
  private usedPages = 0;
  private peakPages = 0;
  private allocations = 0;
  private frees = 0;
  /** order + 1 at the first page of a free block, else 0. */
  private readonly head: Uint8Array;
  /** One bit a page: in use. */
  private readonly used: Uint32Array;
  /** One bit a page: free, and zeroed in place by a long free. */
  private readonly kept: Uint32Array;
  private keptPages = 0;
  /** Free lists, page number + 1; 0 ends a list. */
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly lists = new Int32Array(MAX_ORDER + 1);
  private readonly counts = new Int32Array(MAX_ORDER + 1);

  constructor(physical: PhysicalPages, pageSize: number, options: BuddyOptions = {}) {
    this.physical = physical;
    this.pageSize = pageSize;
    this.limitBytes = options.limitBytes ?? Infinity;
    this.account = options.account ?? null;
    this.pages = Math.floor(physical.size / pageSize);
    this.head = new Uint8Array(this.pages);
    this.used = new Uint32Array((this.pages + 31) >>> 5);
    this.kept = new Uint32Array((this.pages + 31) >>> 5);
    this.next = new Int32Array(this.pages);
    this.previous = new Int32Array(this.pages);
    // From the top down, so that the lists start with the lowest block.
    const whole = this.pages - (this.pages % (1 << MAX_ORDER));
    this.insertRange(whole, this.pages - whole);
    for (let page = whole - (1 << MAX_ORDER); page >= 0; page -= 1 << MAX_ORDER) this.push(page, MAX_ORDER);
  }

  get usedBytes(): number {
    return this.usedPages * this.pageSize - this.outsideBytes;
  }
  get freeBytes(): number {
    const free = (this.pages - this.usedPages) * this.pageSize;
    const allowed = this.limitBytes - this.usedBytes - (this.account?.committedBytes ?? 0);
    return Math.max(0, Math.min(free, allowed));
  }
  get statistics(): BuddyStatistics {
    const { allocations, frees, pageSize } = this;
    return { freeBlocks: Array.from(this.counts), allocations, frees, peakBytes: this.peakPages * pageSize };
  }

  allocate(length: number): Extent[] {
    const { pageSize } = this;
    if (!(length > 0) || length % pageSize !== 0) throw new RangeError(`allocate(${length})`);
    if (length > this.freeBytes) throw errno(ENOMEM);
    const extents: Extent[] = [];
    let left = length / pageSize;
    while (left > 0) {
      const order = this.orderFor(left);
      const page = this.take(order);
      const block = 2 ** order;
      const count = block < left ? block : left;
      if (count < block) this.insertRange(page + count, block - count);
      this.mark(page, count, true);
      this.physical.reach((page + count) * pageSize);
      if (this.keptPages > 0) this.forgetKept(page, count);
      const previous = extents.at(-1);
      if (previous !== undefined && previous.offset + previous.length === page * pageSize)
        extents[extents.length - 1] = { offset: previous.offset, length: previous.length + count * pageSize };
      else extents.push({ offset: page * pageSize, length: count * pageSize });
      left -= count;
    }
    this.usedPages += length / pageSize;
    if (this.usedPages > this.peakPages) this.peakPages = this.usedPages;
    this.allocations++;
    return extents;
  }

  free({ offset, length }: Extent): void {
    const { pageSize } = this;
    const page = offset / pageSize;
    const count = length / pageSize;
    if (!Number.isInteger(page) || !Number.isInteger(count) || page < 0 || count <= 0 || page + count > this.pages)
      throw new RangeError(`free of frames ${offset}+${length}`);
    this.mark(page, count, false);
    if (length <= ZERO_IN_PLACE) this.physical.bytes.fill(0, offset, offset + length);
    else if ((this.keptPages + count) * pageSize <= KEEP) {
      this.physical.clear(offset, length);
      this.keep(page, count);
    } else this.physical.release(offset, length);
    this.insertRange(page, count);
    this.usedPages -= count;
    this.frees++;
  }

  /** Whether the page at byte `offset` is allocated (consistency checks). */
  isUsed(offset: number): boolean {
    const page = offset / this.pageSize;
    return ((this.used[page >>> 5] >>> (page & 31)) & 1) === 1;
  }

  /** The smallest order that holds `count` pages and is available, else the largest that is. */
  private orderFor(count: number): number {
    let order = count <= 1 ? 0 : 32 - Math.clz32(count - 1);
    if (order > MAX_ORDER) order = MAX_ORDER;
    for (let o = order; o <= MAX_ORDER; o++) if (this.lists[o] !== 0) return order;
    for (let o = order - 1; o >= 0; o--) if (this.lists[o] !== 0) return o;
    throw new Error('buddy allocator: free count and free lists disagree');
  }
  /** Takes a block of exactly `order` off the lists, splitting a larger one when needed. */
  private take(order: number): number {
    let from = order;
    while (this.lists[from] === 0) from++;
    const page = this.lists[from] - 1;
    this.remove(page, from);
    for (let o = from - 1; o >= order; o--) this.push(page + (1 << o), o);
    return page;
  }
  /** Puts free pages back as the largest aligned blocks, joined with their buddies. */
  private insertRange(page: number, count: number): void {
    while (count > 0) {
      let order = page === 0 ? MAX_ORDER : Math.min(MAX_ORDER, 31 - Math.clz32(page & -page));
      while (1 << order > count) order--;
      this.join(page, order);
      page += 1 << order;
      count -= 1 << order;
    }
  }
  private join(page: number, order: number): void {
    while (order < MAX_ORDER) {
      const buddy = page ^ (1 << order);
      if (buddy >= this.pages || this.head[buddy] !== order + 1) break;
      this.remove(buddy, order);
      if (buddy < page) page = buddy;
      order++;
    }
    this.push(page, order);
  }
  private push(page: number, order: number): void {
    const first = this.lists[order];
    this.head[page] = order + 1;
    this.next[page] = first;
    this.previous[page] = 0;
    if (first !== 0) this.previous[first - 1] = page + 1;
    this.lists[order] = page + 1;
    this.counts[order]++;
  }
  private remove(page: number, order: number): void {
    const after = this.next[page];
    const before = this.previous[page];
    if (before === 0) this.lists[order] = after;
    else this.next[before - 1] = after;
    if (after !== 0) this.previous[after - 1] = before;
    this.head[page] = 0;
    this.counts[order]--;
  }
  private keep(page: number, count: number): void {
    for (let at = page; at < page + count; at++) this.kept[at >>> 5] |= 1 << (at & 31);
    this.keptPages += count;
  }
  private forgetKept(page: number, count: number): void {
    for (let at = page; at < page + count; at++) {
      const bit = 1 << (at & 31);
      if ((this.kept[at >>> 5] & bit) === 0) continue;
      this.kept[at >>> 5] &= ~bit;
      this.keptPages--;
    }
  }
  /** Sets or clears the used bits of a run; a page already in that state is a double allocation or double free. */
  private mark(page: number, count: number, use: boolean): void {
    for (let at = page, end = page + count; at < end;) {
      const bit = at & 31;
      const n = Math.min(32 - bit, end - at);
      const mask = (n === 32 ? 0xffffffff : ((1 << n) - 1) << bit) >>> 0;
      const word = this.used[at >>> 5];
      if (((use ? word : ~word) & mask) !== 0)
        throw new Error(`${use ? 'double allocation' : 'double free'} of frames ${page}+${count} at ${at}`);
      this.used[at >>> 5] = use ? word | mask : word & ~mask;
      at += n;
    }
  }
}
