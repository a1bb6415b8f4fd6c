/**
 * Addresses of a recording and where they are now, for one address space: regions as they are mapped, and shadow pages for memory the
 * recorded program had from elsewhere (its own data, its stack), made when first mentioned.
 */
import { MAP_ANONYMOUS, MAP_NORESERVE, MAP_PRIVATE } from '../abi/flags/memory.js';
import { PROT_READ, PROT_WRITE } from '../platform/platform.js';
import type { MemoryMap } from '../mm/memory-map.js';

/** `length` in whole pages, up. */
export function pages({ platform: { pageSize } }: MemoryMap, length: number): number {
  return Math.ceil(length / pageSize) * pageSize;
}

/** Private memory of a played task; at `addr` with MAP_FIXED_NOREPLACE, else anywhere. Throws errno. */
export function mapAnonymous(mm: MemoryMap, addr: number, length: number, flags = 0): number {
  const prot = PROT_READ | PROT_WRITE;
  return mm.mmap({
    addr,
    length,
    prot,
    flags: MAP_PRIVATE | MAP_ANONYMOUS | flags,
    file: null,
    offset: 0,
    mayWrite: true,
  });
}

interface Region {
  /** As recorded. */
  start: number;
  end: number;
  /** Where `start` is now. */
  now: number;
}

export class Addresses {
  private regions: Region[] = [];

  copy(): Addresses {
    const copy = new Addresses();
    copy.regions = this.regions.map((region) => ({ ...region }));
    return copy;
  }
  /** A mapping made by a call. */
  bind(start: number, length: number, now: number): void {
    this.unbind(start, length);
    this.regions.push({ start, end: start + length, now });
    this.regions.sort((a, b) => a.start - b.start);
  }
  unbind(start: number, length: number): void {
    const end = start + length;
    this.regions = this.regions.flatMap((r) => {
      if (r.end <= start || r.start >= end) return [r];
      const left = r.start < start ? [{ ...r, end: start }] : [];
      const right = r.end > end ? [{ start: end, end: r.end, now: r.now + (end - r.start) }] : [];
      return [...left, ...right];
    });
  }
  /** Where a recorded address is now, or null. */
  find(address: number): number | null {
    let low = 0;
    let high = this.regions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.regions[middle].end <= address) low = middle + 1;
      else high = middle;
    }
    const region = this.regions.at(low);
    return region !== undefined && region.start <= address ? region.now + (address - region.start) : null;
  }
  /** The same, with shadow pages for `length` bytes where nothing is known. */
  reach(mm: MemoryMap, address: number, length: number): number {
    const known = this.find(address);
    if (known !== null) return known;
    const start = address - (address % mm.platform.pageSize);
    const wanted = pages(mm, address + Math.max(length, 1));
    const next = this.regions.find((r) => r.start > address);
    const end = next === undefined ? wanted : Math.min(wanted, next.start);
    if (!(end - start > 0 && end - start <= 1 << 30)) return address;
    const now = mapAnonymous(mm, 0, end - start, MAP_NORESERVE);
    this.bind(start, end - start, now);
    return now + (address - start);
  }
}
