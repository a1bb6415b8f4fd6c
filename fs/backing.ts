/**
 * Backing: file content that lives elsewhere (an archive's member, fs/archive/types.ts) until it is first touched. The page
 * cache reads it in pieces; what has been read, cut off or overwritten leaves `unread` and is never asked for again.
 */
import { Ranges } from './segments.js';

/** The same as FileContent of fs/archive. */
export interface BackingContent {
  readonly size: number;
  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number;
  extents?(): Iterable<{ offset: number; length: number }>;
}

export class Backing {
  /** Whole pages that are only here. */
  readonly unread: Ranges;
  private readonly content: BackingContent;
  /** Content counts up to here. */
  private end: number;

  constructor(content: BackingContent, pageSize: number) {
    const { size } = content;
    const ranges: { start: number; end: number }[] = [];
    for (const { offset, length } of content.extents?.() ?? [{ offset: 0, length: size }]) {
      const start = Math.floor(offset / pageSize) * pageSize;
      const end = Math.ceil(Math.min(offset + length, size) / pageSize) * pageSize;
      const previous = ranges.at(-1);
      if (previous !== undefined && start <= previous.end) previous.end = Math.max(previous.end, end);
      else if (end > start) ranges.push({ start, end });
    }
    this.content = content;
    this.end = size;
    this.unread = new Ranges(ranges);
  }

  /** The file was cut off at `size`: content beyond it does not come back when the file grows again. */
  truncate(size: number): void {
    if (size < this.end) this.end = size;
  }

  /** Reads into zeroed memory; what is beyond the end stays zero. */
  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): void {
    const wanted = Math.min(this.end - offset, length);
    if (wanted > 0) this.content.read(dst, dstOffset, offset, wanted);
  }
}
