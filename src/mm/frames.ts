/**
 * FrameAllocator: a buddy allocator over the platform's physical pages.
 *
 * Invariants: every free frame reads as zeros; an extent is a run of frames whose length is exactly what was asked for (the
 * rest of the power-of-two block goes back at once); frames are reference counted per extent owner, not per page: the owner
 * (page cache inode, shared memory object) frees them.
 */
import type { PhysicalPages } from '../platform/platform.js';

/** A run of physical pages. Offsets and lengths in bytes, page aligned. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

export interface FrameAllocator {
  readonly physical: PhysicalPages;
  readonly pageSize: number;
  /** Bytes allocated now that are not the guests': rewritten code (src/gate). Neither used nor limited. */
  outsideBytes: number;
  /** Bytes allocated now. */
  readonly usedBytes: number;
  /** Bytes that may still be allocated (limit and physical size). */
  readonly freeBytes: number;
  /**
   * Allocates exactly `length` bytes (page multiple) as one contiguous extent when possible, else as several, in order.
   * Throws ENOMEM. Zero-filled.
   */
  allocate(length: number): Extent[];
  free(extent: Extent): void;
  /** Lowers or raises the limit. */
  limitBytes: number;
}
