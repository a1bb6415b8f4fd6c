/**
 * Host files, buffers and parts of them as byte sources. Reads are positioned (pread), so any number of contents share
 * one descriptor; a short read means the end of the source, never an interruption.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteSource, Extent, FileContent } from './types.js';

export class BufferSource implements ByteSource {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.length;
  }

  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number {
    if (offset >= this.size || length <= 0) return 0;
    const part = this.#bytes.subarray(offset, Math.min(offset + length, this.size));
    dst.set(part, dstOffset);
    return part.length;
  }
}

export class HostFileSource implements ByteSource {
  readonly size: number;
  #fd: number;

  /** Takes a path, or a descriptor that it then owns. */
  constructor(file: string | number) {
    this.#fd = typeof file === 'number' ? file : openSync(file, 'r');
    this.size = fstatSync(this.#fd).size;
  }

  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number {
    if (this.#fd < 0) throw new Error('archive read after close');
    const end = Math.min(length, dst.length - dstOffset);
    let done = 0;
    while (done < end) {
      const count = readSync(this.#fd, dst, dstOffset + done, end - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** A contiguous part of a source as a file's content. */
export class SliceContent implements FileContent {
  readonly size: number;
  readonly #source: ByteSource;
  readonly #start: number;

  constructor(source: ByteSource, start: number, size: number) {
    this.#source = source;
    this.#start = start;
    this.size = size;
  }

  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number {
    const count = Math.min(length, this.size - offset);
    return count > 0 ? this.#source.read(dst, dstOffset, this.#start + offset, count) : 0;
  }
}

/** Where a data extent of a sparse file lies in the archive. */
export interface StoredExtent extends Extent {
  stored: number;
}

/** A file of which the archive holds some extents; the rest is zeros. */
export class SparseContent implements FileContent {
  readonly size: number;
  readonly #source: ByteSource;
  readonly #extents: readonly StoredExtent[];

  /** `extents` are ascending, do not overlap and end at or before `size`. */
  constructor(source: ByteSource, size: number, extents: readonly StoredExtent[]) {
    this.#source = source;
    this.size = size;
    this.#extents = extents;
  }

  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number {
    const count = Math.min(length, this.size - offset, dst.length - dstOffset);
    if (count <= 0) return 0;
    dst.fill(0, dstOffset, dstOffset + count);
    const end = offset + count;
    for (let index = this.#firstAfter(offset); index < this.#extents.length; index++) {
      const extent = this.#extents[index];
      if (extent.offset >= end) break;
      const from = Math.max(offset, extent.offset);
      const to = Math.min(end, extent.offset + extent.length);
      this.#source.read(dst, dstOffset + from - offset, extent.stored + from - extent.offset, to - from);
    }
    return count;
  }

  extents(): Iterable<Extent> {
    return this.#extents.map(({ offset, length }) => ({ offset, length }));
  }

  /** Index of the first extent that ends after `offset`. */
  #firstAfter(offset: number): number {
    let low = 0;
    let high = this.#extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const extent = this.#extents[middle];
      if (extent.offset + extent.length > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
