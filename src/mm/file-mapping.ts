/**
 * What mm needs of a mapped file (or shared memory object): implemented by the page cache in fs, by SysV and POSIX shared
 * memory, and by shared anonymous memory in mm itself.
 *
 * Index unit is bytes, page aligned. The frames of a page stay the same as long as any mapping holds the object, except
 * after a truncation, which calls `MappingListener.invalidate` on every mapping first and frees the frames only when none
 * of them can be reached through a host mapping any more: use `invalidateMappings`.
 */
import type { CodeShadow } from './rewritten-code.js';

export interface MappingListener {
  /** Pages at and beyond `fromOffset` are gone (truncate) or [from, to) was punched: unmap them on the host. */
  invalidate(fromOffset: number, toOffset: number): void;
  /**
   * Calls `then` once the host is in step with every `invalidate` so far: at once when a thread of that address space is
   * stopped, else at its next stop. Until then the old frames may still be written to and must not be reused.
   */
  whenSettled?(then: () => void): void;
  /**
   * Visits the parts of [fromOffset, toOffset) of which this address space may have private copies. Punching a hole leaves
   * those alone (unmap_mapping_range without even_cows), truncation does not.
   */
  privateCopies?(fromOffset: number, toOffset: number, visit: (from: number, to: number) => void): void;
  /** The file's content changes under mappings that may run from stand-ins: they go back to the file's own pages. */
  codeChanged?(): void;
}

export interface FileMapping {
  /** Stand-ins for code pages; set by the gate, and null again as soon as the content changes. Absent: never any. */
  shadow?: CodeShadow | null;
  /** Whether the content may change without the object noticing: somebody maps it shared and writable. */
  readonly writableMappings?: number;
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
  /**
   * A mapping came or went: keeps the object alive and lets truncation find it. `writable`: shared and may be written. Each
   * address space attaches one listener per kind (writable or not), and detaches it when its last VMA of that kind goes.
   */
  attach(listener: MappingListener, writable: boolean): void;
  detach(listener: MappingListener, writable: boolean): void;
  /** Called when a shared writable mapping of [offset, offset+length) may have been written (msync, munmap): mtime. */
  written?(offset: number, length: number): void;
  /** madvise(MADV_REMOVE): makes [from, to) a hole; absent gives EOPNOTSUPP. */
  punch?(from: number, to: number): void;
  /** What /proc/PID/maps prints: device, inode, path (read lazily: renames show). */
  describe(): { devMajor: number; devMinor: number; ino: number; path: string };
}

/**
 * Takes [from, to) off every mapping, then calls `free`: at once in the usual case, else when the last address space whose
 * threads were all running has stopped. For truncate and hole punching in the page cache.
 */
export function invalidateMappings(
  listeners: Iterable<MappingListener>,
  fromOffset: number,
  toOffset: number,
  free: () => void,
): void {
  const all = [...listeners];
  let waiting = all.length;
  for (const listener of all) listener.invalidate(fromOffset, toOffset);
  const settled = (): void => {
    if (--waiting === 0) free();
  };
  if (waiting === 0) free();
  else
    for (const listener of all) {
      if (listener.whenSettled === undefined) settled();
      else listener.whenSettled(settled);
    }
}
