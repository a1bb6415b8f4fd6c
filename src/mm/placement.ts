/**
 * Where a mapping goes: get_unmapped_area. Top-down below `layout.mmapBase`, with Linux's bottom-up fallback; hints are
 * honoured when free; MAP_32BIT searches the second GiB upwards (x86 only).
 *
 * The gap below a stack is never given out. (Linux, once a stack's guard has spoilt a gap, passes over the smaller gaps within
 * the guard's reach too; here they are used.) Nothing is ever placed below MMAP_MIN_ADDR or at or above `taskSize`.
 */
import { EINVAL, ENOMEM, EPERM, errno } from '../abi/errno.js';
import { MAP_32BIT, MAP_FIXED } from '../abi/flags/memory.js';
import { MMAP_MIN_ADDR, STACK_GUARD_PAGES, type MapCore } from './map-core.js';
import { VM_GROWSDOWN } from './memory-map.js';

const LOW_START = 0x4000_0000;
const LOW_END = 0x8000_0000;
const LOW_RANDOM = 0x0200_0000;

const randomBytes = new Uint8Array(8);
const randomWords = new Uint32Array(randomBytes.buffer);

/** A random integer in [0, range). */
export function randomBelow(map: MapCore, range: number): number {
  map.random.fill(randomBytes, 0, 8);
  return ((randomWords[0] & 0x1fffff) * 2 ** 32 + randomWords[1]) % range;
}
/** A random page-aligned offset in [0, range). */
export function randomOffset(map: MapCore, range: number): number {
  return map.pageDown(randomBelow(map, range));
}

/** The address for a mapping of `length` (page aligned) bytes; throws as __get_unmapped_area does. */
export function unmappedArea(map: MapCore, addr: number, length: number, flags: number): number {
  const { taskSize } = map.platform;
  if (length > taskSize) throw errno(ENOMEM);
  const found = (flags & MAP_FIXED) !== 0 ? addr : search(map, addr, length, flags);
  if (found > taskSize - length) throw errno(ENOMEM);
  if (!map.aligned(found)) throw errno(EINVAL);
  if (found < MMAP_MIN_ADDR) throw errno(EPERM);
  return found;
}

function search(map: MapCore, addr: number, length: number, flags: number): number {
  const { taskSize } = map.platform;
  const low32 = (flags & (MAP_32BIT[map.platform.arch] ?? 0)) !== 0;
  const top = low32 ? LOW_END : taskSize;
  const hint = map.pageDown(addr);
  if (addr !== 0 && hint <= top - length && hint >= MMAP_MIN_ADDR) {
    const next = map.list.findFrom(hint);
    if (next === null || hint + length <= map.startGap(next)) return hint;
  }
  if (low32) {
    const start = LOW_START + randomOffset(map, LOW_RANDOM);
    const found = lowest(map, start, LOW_END, length);
    if (found === -1) throw errno(ENOMEM);
    return found;
  }
  let found = highest(map, MMAP_MIN_ADDR, map.layout.mmapBase, length);
  if (found === -1) found = lowest(map, map.pageUp(taskSize / 3), taskSize, length);
  if (found === -1) throw errno(ENOMEM);
  return found;
}

/**
 * The top-down search remembers where it stood, so that a program with thousands of mappings does not walk all of them for each
 * new one: every gap above `from` (and below `high`, for which it holds) is at most `largest` bytes long.
 */
export class SearchHint {
  high = -1;
  from = 0;
  largest = 0;

  reset(): void {
    this.high = -1;
  }
}

/** The highest free range of `length` in [low, high), or -1. */
function highest(map: MapCore, low: number, high: number, length: number): number {
  const { items } = map.list;
  const { searchHint: hint } = map;
  const guard = STACK_GUARD_PAGES * map.pageSize;
  if (hint.high !== high || length <= hint.largest) {
    hint.high = high;
    hint.from = high;
    hint.largest = 0;
  }
  let i = map.list.indexFrom(hint.from);
  // A VMA at or above the start still reserves its guard gap below.
  let ceiling = i < items.length ? Math.min(hint.from, map.startGap(items[i])) : hint.from;
  for (;;) {
    const floor = i > 0 ? Math.max(low, items[i - 1].end) : low;
    if (ceiling - floor >= length) {
      hint.from = ceiling;
      return ceiling - length;
    }
    hint.largest = Math.max(hint.largest, ceiling - floor);
    if (i === 0 || items[i - 1].start <= low) {
      hint.reset();
      return -1;
    }
    i--;
    const { start, flags } = items[i];
    ceiling = Math.min(high, (flags & VM_GROWSDOWN) === 0 ? start : start - guard);
  }
}

/** Something was unmapped in front of `end`: gaps up to there may be larger than the hint says. */
export function widenHint(map: MapCore, end: number): void {
  const { searchHint: hint } = map;
  if (end <= hint.from || hint.high < 0) return;
  const next = map.list.findFrom(end);
  // The gap reaches up to the next VMA; if that is a stack, what its guard leaves is still below.
  hint.from = Math.min(hint.high, next === null ? hint.high : next.start);
}

/** The lowest free range of `length` in [low, high), or -1. */
function lowest(map: MapCore, low: number, high: number, length: number): number {
  const { items } = map.list;
  let floor = low;
  for (let i = map.list.indexFrom(low); ; i++) {
    const ceiling = i < items.length ? Math.min(high, map.startGap(items[i])) : high;
    if (ceiling - floor >= length) return floor;
    if (i >= items.length || items[i].end >= high) return -1;
    floor = Math.max(floor, items[i].end);
  }
}
