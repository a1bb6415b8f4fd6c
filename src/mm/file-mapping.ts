/**
 * What mm needs of a mapped file (or shared memory object): implemented by the page cache in fs, by SysV and POSIX shared
 * memory, and by shared anonymous memory in mm itself.
 *
 * Index unit is bytes, page aligned. The frames of a page stay the same as long as any mapping holds the object, except
 * after a truncation, which calls `MappingListener.truncated` on every mapping first.
 */
export interface MappingListener {
  /** Pages at and beyond `fromOffset` are gone (truncate) or [from, to) was punched: unmap them on the host. */
  invalidate(fromOffset: number, toOffset: number): void;
}

export interface FileMapping {
  /** Current size in bytes; pages wholly beyond it fault with SIGBUS. */
  readonly size: number;
  /** Physical offset of the page at `offset`, made (read from the backing store, or zero) if need be; throws ENOMEM/EIO. */
  frameAt(offset: number): number;
  /**
   * How many bytes from `offset` are physically contiguous with frameAt(offset), at most `max`; all of them are made.
   */
  contiguous(offset: number, max: number): number;
  /** Whether the page at `offset` is in memory (mincore). */
  cached(offset: number): boolean;
  /** A mapping came or went: keeps the object alive and lets truncation find it. `writable`: shared and may be written. */
  attach(listener: MappingListener, writable: boolean): void;
  detach(listener: MappingListener, writable: boolean): void;
  /** Called when a shared writable mapping of [offset, offset+length) may have been written (msync, munmap): mtime. */
  written?(offset: number, length: number): void;
  /** What /proc/PID/maps prints: device, inode, path (read lazily: renames show). */
  describe(): { devMajor: number; devMinor: number; ino: number; path: string };
}
