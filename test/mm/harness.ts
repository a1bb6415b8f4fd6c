/** A memory map on the script platform, and a file in memory, for tests of src/mm. */
import { SystemMemory } from '../../src/mm/account.js';
import { BuddyAllocator } from '../../src/mm/buddy.js';
import { invalidateMappings, type FileMapping, type MappingListener } from '../../src/mm/file-mapping.js';
import { AddressMap } from '../../src/mm/map.js';
import type { MmapRequest } from '../../src/mm/memory-map.js';
import { ScriptPlatform, type ScriptPlatformOptions } from '../../src/platform/script/platform.js';
import type { ScriptSpace } from '../../src/platform/script/address-space.js';
import type { ScriptThread } from '../../src/platform/script/thread.js';
import { Errno } from '../../src/abi/errno.js';

export const PAGE = 4096;
export const R = 1;
export const W = 2;
export const X = 4;

export interface Machine {
  platform: ScriptPlatform;
  frames: BuddyAllocator;
  account: SystemMemory;
  space: ScriptSpace;
  thread: ScriptThread;
  map: AddressMap;
}

export function machine(options: ScriptPlatformOptions & { limitBytes?: number } = {}): Machine {
  const platform = new ScriptPlatform(options);
  const account = new SystemMemory(options.limitBytes ?? Infinity);
  const frames = new BuddyAllocator(platform.physical, platform.pageSize, { limitBytes: account.limitBytes, account });
  const { space, thread } = platform.createAddressSpace();
  let seed = 1;
  const random = {
    fill(dst: Uint8Array, offset: number, length: number) {
      for (let i = 0; i < length; i++) dst[offset + i] = (seed = (seed * 1103515245 + 12345) % 2147483648) >>> 16;
    },
  };
  const map = new AddressMap({ platform, frames, space, account, random });
  return { platform, frames, account, space, thread, map };
}

/** A file whose pages get frames when touched. */
export class TestFile implements FileMapping {
  size: number;
  readonly listeners = new Map<MappingListener, number>();
  readonly frames: BuddyAllocator;
  readonly pages = new Map<number, number>();
  writes = 0;
  writers = 0;
  /** frameAt throws this instead. */
  failure: Errno | null = null;

  constructor(frames: BuddyAllocator, size: number, fill?: (page: number) => number) {
    this.frames = frames;
    this.size = size;
    if (fill !== undefined)
      for (let at = 0; at < size; at += PAGE) {
        const frame = this.frameAt(at);
        frames.physical.bytes.fill(fill(at / PAGE), frame, frame + Math.min(PAGE, size - at));
      }
  }
  frameAt(offset: number): number {
    if (this.failure !== null) throw this.failure;
    let frame = this.pages.get(offset);
    if (frame === undefined) {
      frame = this.frames.allocate(PAGE)[0].offset;
      this.pages.set(offset, frame);
    }
    return frame;
  }
  contiguous(offset: number, max: number): number {
    const start = this.frameAt(offset);
    let n = PAGE;
    while (n < max && this.frameAt(offset + n) === start + n) n += PAGE;
    return n;
  }
  cached(offset: number): boolean {
    return this.pages.has(offset);
  }
  attach(listener: MappingListener, writable: boolean): void {
    this.listeners.set(listener, (this.listeners.get(listener) ?? 0) + 1);
    if (writable) this.writers++;
  }
  detach(listener: MappingListener, writable: boolean): void {
    const count = this.listeners.get(listener)! - 1;
    if (count === 0) this.listeners.delete(listener);
    else this.listeners.set(listener, count);
    if (writable) this.writers--;
  }
  written(): void {
    this.writes++;
  }
  describe() {
    return { devMajor: 8, devMinor: 1, ino: 42, path: '/file' };
  }
  truncate(size: number): void {
    const from = Math.ceil(size / PAGE) * PAGE;
    this.size = size;
    const gone: number[] = [];
    for (const [offset, frame] of this.pages)
      if (offset >= from) {
        gone.push(frame);
        this.pages.delete(offset);
      }
    invalidateMappings(this.listeners.keys(), from, Infinity, () => {
      for (const offset of gone) this.frames.free({ offset, length: PAGE });
    });
  }
  dispose(): void {
    for (const offset of this.pages.values()) this.frames.free({ offset, length: PAGE });
    this.pages.clear();
  }
}

const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;

export function anonymous(options: Partial<MmapRequest> & { fixed?: boolean; shared?: boolean } = {}): MmapRequest {
  const { fixed, shared, ...rest } = options;
  const flags = MAP_ANONYMOUS | (shared === true ? MAP_SHARED : MAP_PRIVATE) | (fixed === true ? MAP_FIXED : 0);
  return {
    addr: 0,
    length: PAGE,
    prot: R | W,
    file: null,
    offset: 0,
    mayWrite: true,
    ...rest,
    flags: (rest.flags ?? 0) | flags,
  };
}
export function ofFile(
  file: FileMapping,
  options: Partial<MmapRequest> & { fixed?: boolean; shared?: boolean } = {},
): MmapRequest {
  const { fixed, shared, ...rest } = options;
  const flags = (shared === true ? MAP_SHARED : MAP_PRIVATE) | (fixed === true ? MAP_FIXED : 0) | (rest.flags ?? 0);
  return { addr: 0, length: PAGE, prot: R | W, offset: 0, mayWrite: true, ...rest, file, flags };
}

/** The errno a call throws, or 0. */
export function errnoOf(call: () => unknown): number {
  try {
    call();
    return 0;
  } catch (error) {
    if (error instanceof Errno) return error.errno;
    throw error;
  }
}

/** A touch of guest memory as the kernel loop handles it: fault, retry, or the signal it ends in ('SEGV 1'). */
export function touch({ map, space }: Machine, addr: number, access: number): string {
  for (let tries = 0; tries < 200; tries++) {
    if (space.permits(addr, access)) return 'ok';
    const result = map.fault(addr, access, 0);
    if (!result.retry) return `${result.signal} ${result.code}`;
  }
  return 'loops';
}

/** /proc/PID/maps in short: [start, end, prot] in pages from `base`. */
export function shape(map: AddressMap, base = 0): [number, number, number][] {
  return map.vmas().map((vma) => [(vma.start - base) / PAGE, (vma.end - base) / PAGE, vma.prot]);
}
