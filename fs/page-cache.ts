/**
 * PageCache: the content of one regular file in physical pages (mm/filemap.c, mm/shmem.c).
 *
 * Invariants: a page is in `segments`, or only in the backing content (`unread`), or a hole that reads as zeros; never two
 * of them. Bytes behind the end of the file in its last page are zero whenever the file grows over them. Before frames are
 * freed, every mapping has been told. Only whole pages count in `account`.
 *
 * Files that grow at the end get their frames in growing blocks; the part not yet used (`spare`) belongs to no page.
 */
import { EFAULT, ENOMEM, ENOSPC, ENXIO, errno, errnoOf } from '../src/abi/errno.js';
import { RangeSet } from '../src/mm/range-set.js';
import { invalidateMappings, type FileMapping, type MappingListener } from '../src/mm/file-mapping.js';
import type { Extent, FrameAllocator } from '../src/mm/frames.js';
import type { CodeShadow } from '../src/mm/rewritten-code.js';
import { Backing, type BackingContent } from './backing.js';
import type { GuestBuffer } from './file.js';
import type { Inode } from './inode.js';
import { fullPath } from './paths.js';
import { holdInode, releaseInode } from './references.js';
import { SegmentMap } from './segments.js';

/** Block accounting of a filesystem, in pages. */
export interface PageAccount {
  /** How many of `pages` may be used (and now are). */
  take(pages: number): number;
  /** Uses pages whatever the limit is. */
  force(pages: number): void;
  give(pages: number): void;
}

const READ_PIECE = 1 << 20;
/** Holes touched through a mapping are filled by this much at once. */
const FAULT_PIECE = 64 * 1024;
const MAX_GROWTH = 2 << 20;

export class PageCache implements FileMapping {
  size = 0;
  shadow: CodeShadow | null = null;
  private readonly inode: Inode;
  private readonly frames: FrameAllocator;
  private readonly account: PageAccount;
  private readonly segments = new SegmentMap();
  private backing: Backing | null = null;
  private spare: { phys: number; length: number } | null = null;
  /** Shared mappings that may write. */
  writableMappings = 0;
  private readonly listeners = new Map<MappingListener, number>();

  constructor(inode: Inode, frames: FrameAllocator, account: PageAccount) {
    this.inode = inode;
    this.frames = frames;
    this.account = account;
  }

  /** The file's content is that of an archive; before anything else is done with it. */
  setContent(content: BackingContent): void {
    this.size = content.size;
    if (content.size > 0) this.backing = new Backing(content, this.frames.pageSize);
  }

  /** 512-byte blocks: also of what has not been read yet. */
  get blocks(): number {
    return (this.segments.bytes + (this.backing?.unread.bytes ?? 0)) / 512;
  }

  // --- reading and writing

  /** Copies from [offset, offset+length) as far as the file and the buffer go. */
  read(into: GuestBuffer, offset: number, length: number): number {
    const end = Math.min(offset + length, this.size);
    const { segments } = this;
    let at = offset;
    try {
      while (at < end) {
        const segment = segments.list[segments.search(at)];
        let n: number;
        let moved: number;
        if (segment !== undefined && segment.start <= at) {
          n = (end < segment.end ? end : segment.end) - at;
          moved = into.putPhysical(segment.phys + (at - segment.start), n);
        } else {
          if (this.backing !== null && this.load(at)) continue;
          n = Math.min(end, segment?.start ?? end, this.backing?.unread.at(at)?.start ?? end) - at;
          moved = into.putZeros(n);
        }
        at += moved;
        if (moved < n) break;
      }
    } catch (error) {
      if (errnoOf(error) !== EFAULT || at === offset) throw error;
    }
    return at - offset;
  }

  /** Copies into the file, growing it; fewer bytes at a bad page or when space runs out after some. ENOSPC, EFAULT. */
  write(from: GuestBuffer, offset: number, length: number): number {
    if (length === 0) return 0;
    if (this.shadow !== null) this.dropShadow();
    const wanted = from.accessible(length);
    if (wanted === 0) throw errno(EFAULT);
    if (offset > this.size) this.clearTail();
    let end: number;
    try {
      end = Math.min(this.populate(offset, offset + wanted), offset + wanted);
    } catch (error) {
      throw errnoOf(error) === ENOMEM ? errno(ENOSPC) : error;
    }
    if (end <= offset) throw errno(ENOSPC);
    const { segments } = this;
    let at = offset;
    while (at < end) {
      const segment = segments.list[segments.search(at)];
      const n = Math.min(end, segment.end) - at;
      const moved = from.takePhysical(segment.phys + (at - segment.start), n);
      at += moved;
      if (moved < n) break;
    }
    if (at > this.size) this.size = at;
    return at - offset;
  }

  /** Sets the size; what is cut off reads as zeros if the file grows again. */
  truncate(size: number): void {
    if (size >= this.size) {
      if (size > this.size) this.clearTail();
      this.size = size;
      return;
    }
    const { pageSize } = this.frames;
    const pageEnd = Math.ceil(size / pageSize) * pageSize;
    this.size = size;
    this.backing?.truncate(size);
    this.drop(pageEnd, Infinity);
    this.clearTail();
  }

  /** Makes [from, to) read as zeros and gives its whole pages back. */
  punch(from: number, to: number): void {
    const { pageSize } = this.frames;
    const first = Math.ceil(from / pageSize) * pageSize;
    const last = Math.floor(to / pageSize) * pageSize;
    if (last < first) {
      this.clear(from, to);
      return;
    }
    this.clear(from, first);
    this.dropClean(first, last);
    this.clear(last, to);
  }
  /** Frees pages, but only clears those that somebody may have a private copy of: it hangs on the page's host mapping. */
  private dropClean(first: number, last: number): void {
    const { pageSize } = this.frames;
    const copied = new RangeSet();
    for (const listener of this.listeners.keys()) listener.privateCopies?.(first, last, (a, b) => copied.add(a, b));
    let at = first;
    copied.each(first, last, (from, to) => {
      if (from > at) this.drop(at, from);
      for (at = from; at < to; at += pageSize) this.clear(at, at + pageSize);
    });
    if (last > at) this.drop(at, last);
  }

  /** Gives every page of [from, to) a frame (fallocate); all or nothing: ENOSPC. */
  preallocate(from: number, to: number): void {
    const { pageSize } = this.frames;
    const missing: [number, number][] = [];
    this.eachGap(Math.floor(from / pageSize) * pageSize, Math.ceil(to / pageSize) * pageSize, (start, end) => {
      missing.push([start, end]);
      return true;
    });
    const done: [number, number][] = [];
    for (const [start, end] of missing) {
      let got = start;
      try {
        got = this.fill(start, end, false);
      } catch (error) {
        if (errnoOf(error) !== ENOMEM) throw error;
      }
      done.push([start, got]);
      if (got === end) continue;
      for (const [a, b] of done) if (b > a) this.drop(a, b);
      throw errno(ENOSPC);
    }
  }

  /** SEEK_DATA and SEEK_HOLE; ENXIO at or beyond the end. */
  seekData(offset: number): number {
    if (offset >= this.size) throw errno(ENXIO);
    const segment = this.segments.list[this.segments.search(offset)];
    const range = this.backing?.unread.at(offset);
    const at = Math.max(offset, Math.min(segment?.start ?? Infinity, range?.start ?? Infinity));
    if (at >= this.size) throw errno(ENXIO);
    return at;
  }
  seekHole(offset: number): number {
    if (offset >= this.size) throw errno(ENXIO);
    let at = offset;
    while (at < this.size) {
      const segment = this.segments.list[this.segments.search(at)];
      if (segment !== undefined && segment.start <= at) {
        at = segment.end;
        continue;
      }
      const range = this.backing?.unread.at(at);
      if (range === undefined || range.start > at) break;
      at = range.end;
    }
    return Math.min(at, this.size);
  }

  /** No more writers for now: frames kept for growth go back. */
  trim(): void {
    if (this.spare === null) return;
    this.frames.free({ offset: this.spare.phys, length: this.spare.length });
    this.spare = null;
  }

  /** Gives everything back. */
  evict(): void {
    this.size = 0;
    this.drop(0, Infinity);
    this.backing = null;
  }

  // --- FileMapping

  frameAt(offset: number): number {
    const phys = this.segments.physAt(offset);
    if (phys >= 0) return phys;
    if (this.backing === null || !this.load(offset)) {
      const { pageSize } = this.frames;
      const next = this.segments.list[this.segments.search(offset)];
      const end = Math.min(
        Math.floor(offset / FAULT_PIECE + 1) * FAULT_PIECE,
        next?.start ?? Infinity,
        this.backing?.unread.at(offset)?.start ?? Infinity,
        Math.max(offset + pageSize, Math.ceil(this.size / pageSize) * pageSize),
      );
      if (this.fill(offset, end, false) === offset) throw errno(ENOMEM);
    }
    return this.segments.physAt(offset);
  }
  contiguous(offset: number, max: number): number {
    this.frameAt(offset);
    const segment = this.segments.list[this.segments.search(offset)];
    return Math.min(max, segment.end - offset);
  }
  cached(offset: number): boolean {
    return this.segments.physAt(offset) >= 0;
  }
  attach(listener: MappingListener, writable: boolean): void {
    this.listeners.set(listener, (this.listeners.get(listener) ?? 0) + 1);
    holdInode(this.inode);
    this.inode.sb.mappings++;
    if (!writable) return;
    this.inode.writers++;
    this.writableMappings++;
    if (this.shadow !== null) this.dropShadow();
  }
  detach(listener: MappingListener, writable: boolean): void {
    const count = this.listeners.get(listener)! - 1;
    if (count === 0) this.listeners.delete(listener);
    else this.listeners.set(listener, count);
    if (writable) {
      this.inode.writers--;
      this.writableMappings--;
    }
    this.inode.sb.mappings--;
    releaseInode(this.inode);
  }
  written(_offset: number, _length: number): void {
    this.inode.touch(false, true);
  }
  describe(): { devMajor: number; devMinor: number; ino: number; path: string } {
    const { sb, ino, lastPlace } = this.inode;
    const path = lastPlace === null ? '' : fullPath(lastPlace);
    return { devMajor: sb.devMajor, devMinor: sb.devMinor, ino, path };
  }

  // --- frames

  /** Calls `gap` for each run of pages of [from, to) without frames, after loading what is in the backing content. */
  private eachGap(from: number, to: number, gap: (start: number, end: number) => boolean): void {
    const { segments } = this;
    let at = from;
    while (at < to) {
      const segment = segments.list[segments.search(at)];
      if (segment !== undefined && segment.start <= at) {
        at = segment.end;
        continue;
      }
      if (this.backing !== null && this.load(at)) continue;
      const end = Math.min(to, segment?.start ?? to, this.backing?.unread.at(at)?.start ?? to);
      if (!gap(at, end)) return;
      at = end;
    }
  }

  /** Makes the pages of [from, to); returns how far it got. */
  private populate(from: number, to: number): number {
    const { pageSize } = this.frames;
    const first = from - (from % pageSize);
    const last = Math.ceil(to / pageSize) * pageSize;
    const covering = this.segments.list[this.segments.search(first)];
    if (covering !== undefined && covering.start <= first && covering.end >= last) return to;
    let reached = to;
    this.eachGap(first, last, (start, end) => {
      const got = this.fill(start, end, start >= this.size - pageSize);
      if (got < end) reached = got;
      return got === end;
    });
    return reached;
  }

  /** Gives frames to the hole [start, end); returns how far it got. `growing`: more will follow behind it. */
  private fill(start: number, end: number, growing: boolean): number {
    const { pageSize } = this.frames;
    const pages = this.account.take((end - start) / pageSize);
    const goal = start + pages * pageSize;
    let at = start;
    try {
      while (at < goal) at += this.extend(at, goal - at, growing);
    } catch (error) {
      this.account.give((goal - at) / pageSize);
      if (errnoOf(error) !== ENOMEM || at === start) throw error;
    }
    return at;
  }

  /** Puts some frames, at most `length` bytes, at `at`; returns how many. ENOMEM. */
  private extend(at: number, length: number, growing: boolean): number {
    const { frames, segments, spare } = this;
    const tail = segments.list.at(-1);
    if (spare !== null) {
      if (tail !== undefined && tail.end === at && tail.phys + (tail.end - tail.start) === spare.phys) {
        const n = Math.min(length, spare.length);
        segments.insert(at, n, spare.phys);
        this.spare = n === spare.length ? null : { phys: spare.phys + n, length: spare.length - n };
        return n;
      }
      this.trim();
    }
    let want = Math.min(length, frames.freeBytes - (frames.freeBytes % frames.pageSize));
    if (want === 0) throw errno(ENOMEM);
    const atEnd = tail === undefined ? at === 0 : tail.end <= at;
    if (growing && atEnd && segments.bytes > 0) {
      const total = segments.bytes + want;
      const more = Math.min(2 ** Math.ceil(Math.log2(total)) - segments.bytes, MAX_GROWTH);
      if (more > want && more * 4 < frames.freeBytes) want = Math.ceil(more / frames.pageSize) * frames.pageSize;
    }
    let placed = 0;
    for (const extent of frames.allocate(want)) {
      const n = Math.min(extent.length, length - placed);
      if (n > 0) segments.insert(at + placed, n, extent.offset);
      placed += n;
      if (n === extent.length) continue;
      const rest = { offset: extent.offset + n, length: extent.length - n };
      if (n > 0) this.spare = { phys: rest.offset, length: rest.length };
      else frames.free(rest);
    }
    return placed;
  }

  /** Reads the backing content around `offset`, if that is where the page is. */
  private load(offset: number): boolean {
    const { frames, segments } = this;
    const backing = this.backing!;
    const range = backing.unread.at(offset);
    if (range === undefined || range.start > offset) return false;
    const { pageSize } = frames;
    const piece = Math.floor(offset / READ_PIECE) * READ_PIECE;
    let start = Math.max(range.start, piece);
    let end = Math.min(range.end, piece + READ_PIECE);
    if (frames.freeBytes < end - start) {
      start = offset - (offset % pageSize);
      end = start + pageSize;
    }
    let at = start;
    for (const extent of frames.allocate(end - start)) {
      backing.read(frames.physical.bytes, extent.offset, at, extent.length);
      segments.insert(at, extent.length, extent.offset);
      at += extent.length;
    }
    this.account.force((end - start) / pageSize);
    backing.unread.remove(start, end);
    if (backing.unread.empty) this.backing = null;
    return true;
  }

  /** The content changes: rewritten copies of it are not true any more. */
  private dropShadow(): void {
    const { shadow } = this;
    this.shadow = null;
    for (const listener of this.listeners.keys()) listener.codeChanged?.();
    shadow?.retire();
  }

  /** Frees whole pages [from, to). */
  private drop(from: number, to: number): void {
    if (this.shadow !== null) this.dropShadow();
    this.trim();
    this.backing?.unread.remove(from, to);
    const gone: Extent[] = [];
    this.segments.remove(from, to, (phys, length) => {
      gone.push({ offset: phys, length });
      this.account.give(length / this.frames.pageSize);
    });
    // A mapping whose threads are all running lets go at their next stop; nobody else may get the frames before.
    invalidateMappings(this.listeners.keys(), from, to, () => {
      for (const extent of gone) this.frames.free(extent);
    });
  }

  /** Zeroes bytes of at most one page, when they are there. */
  private clear(from: number, to: number): void {
    if (to <= from) return;
    if (this.shadow !== null) this.dropShadow();
    if (this.backing !== null && this.segments.physAt(from) < 0) this.load(from);
    const phys = this.segments.physAt(from);
    if (phys >= 0) this.frames.physical.bytes.fill(0, phys, phys + (to - from));
  }

  /** Zeroes what is behind the end of the file in its last page. */
  private clearTail(): void {
    const { pageSize } = this.frames;
    const within = this.size % pageSize;
    if (within === 0) return;
    const phys = this.segments.physAt(this.size);
    if (phys >= 0) this.frames.physical.bytes.fill(0, phys, phys + (pageSize - within));
  }
}
