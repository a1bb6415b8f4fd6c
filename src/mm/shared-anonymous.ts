/**
 * SharedMemory: a fixed-size object of zero-filled frames behind MAP_SHARED|MAP_ANONYMOUS mappings (Linux: an unlinked tmpfs
 * file, shown as `/dev/zero (deleted)`), shared by every process that forked with it. SysV segments may use it too.
 *
 * Frames come in aligned chunks when first needed; the last mapping to go frees them. Its size never changes: a mapping that
 * mremap grew beyond it gives SIGBUS there, as in Linux.
 */
import { errnoOf } from '../abi/errno.js';
import { charge, uncharge } from './account.js';
import type { FileMapping, MappingListener } from './file-mapping.js';
import type { Extent, FrameAllocator } from './frames.js';
import type { MemoryAccount } from './memory-map.js';

/** Frames are allocated this many bytes at a time where the object is that long. */
const CHUNK = 64 * 1024;

export interface SharedMemoryOptions {
  frames: FrameAllocator;
  account: MemoryAccount;
  size: number;
  path?: string;
  ino?: number;
  /** Not promised in advance (MAP_NORESERVE): frames are charged when they are made. */
  noReserve?: boolean;
}

export class SharedMemory implements FileMapping {
  readonly size: number;
  private readonly frames: FrameAllocator;
  private readonly account: MemoryAccount;
  private readonly path: string;
  private readonly ino: number;
  /** Physical offset of each page, or -1. */
  private readonly pages: Float64Array;
  private extents: Extent[] = [];
  private reserved: number;
  private users = 0;

  constructor(options: SharedMemoryOptions) {
    const { frames, account, size } = options;
    this.frames = frames;
    this.account = account;
    this.size = size;
    this.path = options.path ?? '/dev/zero (deleted)';
    this.ino = options.ino ?? 1;
    this.reserved = options.noReserve === true ? 0 : size;
    charge(account, frames, this.reserved);
    this.pages = new Float64Array(Math.ceil(size / frames.pageSize)).fill(-1);
  }

  frameAt(offset: number): number {
    const index = offset / this.frames.pageSize;
    if (this.pages[index] < 0) this.make(index, 1);
    return this.pages[index];
  }
  contiguous(offset: number, max: number): number {
    const { pageSize } = this.frames;
    const first = offset / pageSize;
    const last = Math.min(this.pages.length, first + Math.ceil(max / pageSize));
    const start = this.frameAt(offset);
    let index = first + 1;
    while (index < last) {
      if (this.pages[index] < 0) {
        try {
          this.make(index, last - index);
        } catch (error) {
          errnoOf(error); // no frames left: what is there will do
          break;
        }
      }
      if (this.pages[index] !== start + (index - first) * pageSize) break;
      index++;
    }
    return (index - first) * pageSize;
  }
  cached(offset: number): boolean {
    return this.pages[offset / this.frames.pageSize] >= 0;
  }
  attach(_listener: MappingListener, _writable: boolean): void {
    this.users++;
  }
  detach(_listener: MappingListener, _writable: boolean): void {
    if (--this.users > 0) return;
    for (const extent of this.extents) this.frames.free(extent);
    this.extents = [];
    this.pages.fill(-1);
    uncharge(this.account, this.reserved);
    this.reserved = 0;
  }
  describe(): { devMajor: number; devMinor: number; ino: number; path: string } {
    return { devMajor: 0, devMinor: 1, ino: this.ino, path: this.path };
  }

  /** Gives frames to the missing pages of the chunk around `index`, and on to `index + wanted` if they are missing too. */
  private make(index: number, wanted: number): void {
    const { pageSize } = this.frames;
    const chunk = CHUNK / pageSize;
    let first = index;
    while (first % chunk !== 0 && this.pages[first - 1] < 0) first--;
    let last = Math.min(this.pages.length, Math.ceil((index + wanted) / chunk) * chunk);
    for (let i = index; i < last; i++) if (this.pages[i] >= 0) last = i;
    let length = (last - first) * pageSize;
    if (length > this.frames.freeBytes + Math.min(this.reserved, length)) {
      first = index;
      length = pageSize;
    }
    // The promise turns into frames: give it back first, or the allocator would count both.
    const paid = Math.min(this.reserved, length);
    uncharge(this.account, paid);
    let extents: Extent[];
    try {
      extents = this.frames.allocate(length);
    } catch (error) {
      this.account.committedBytes += paid;
      throw error;
    }
    this.reserved -= paid;
    let page = first;
    for (const extent of extents) {
      this.extents.push(extent);
      for (let at = 0; at < extent.length; at += pageSize) this.pages[page++] = extent.offset + at;
    }
  }
}
