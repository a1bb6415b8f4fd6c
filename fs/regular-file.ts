/**
 * Open regular files whose content is in a page cache (mm/filemap.c generic_file_read_iter, generic_file_write_iter).
 *
 * A write takes the set-id bits and updates the times before it copies; RLIMIT_FSIZE cuts it short, or is SIGXFSZ and
 * EFBIG when not one byte fits.
 */
import { EFBIG, EINVAL, ENODEV, errno } from '../src/abi/errno.js';
import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from '../src/abi/flags/file.js';
import { RLIMIT_FSIZE } from '../src/abi/flags/limits.js';
import { O_APPEND, O_NOATIME } from '../src/abi/flags/open.js';
import type { FileMapping } from '../src/mm/file-mapping.js';
import type { Task } from '../sched/task.js';
import { touchAccessed } from './access-time.js';
import { AT_POSITION, type GuestBuffer, OpenFile } from './file.js';
import type { Inode } from './inode.js';
import { FIONREAD } from '../src/abi/flags/ioctl.js';
import type { PageCache } from './page-cache.js';
import { privilegeBits } from './permissions.js';
import { exceededFileSize } from './size-limit.js';

/** Largest file: offsets are exact numbers. */
export const MAX_FILE_SIZE = Number.MAX_SAFE_INTEGER - (Number.MAX_SAFE_INTEGER % 65536);

/** Positions may be larger, as in Linux: LLONG_MAX, which as a number is 2^63. They are kept below it. */
const MAX_POSITION = 2 ** 63;

export interface CachedInode extends Inode {
  readonly cache: PageCache;
  /** Throws when the filesystem forbids writing there (seals). */
  checkWrite?(offset: number, length: number): void;
}

export class RegularFile extends OpenFile {
  declare readonly inode: CachedInode;

  override read(_task: Task, into: GuestBuffer, offset: number): number {
    const { inode } = this;
    const at = offset === AT_POSITION ? this.position : offset;
    const length = into.remaining;
    if (length > 0 && at + length >= MAX_POSITION) throw errno(EINVAL);
    const n = inode.cache.read(into, at, length);
    if (offset === AT_POSITION) this.position = at + n;
    if (this.place !== null && (this.flags & O_NOATIME) === 0) touchAccessed(this.place.mount, inode);
    return n;
  }

  override write(task: Task, from: GuestBuffer, offset: number): number {
    const { inode } = this;
    let at = offset === AT_POSITION ? this.position : offset;
    let length = from.remaining;
    if (length === 0) return 0;
    if (at + length >= MAX_POSITION) throw errno(EINVAL);
    if ((this.flags & O_APPEND) !== 0) at = inode.size;
    const limit = task.group.limits[RLIMIT_FSIZE].soft;
    if (at + length > limit) {
      if (at >= limit) exceededFileSize(task);
      length = limit - at;
    }
    if (at >= MAX_FILE_SIZE) throw errno(EFBIG);
    if (at + length > MAX_FILE_SIZE) length = MAX_FILE_SIZE - at;
    inode.checkWrite?.(at, length);
    inode.mode &= ~privilegeBits(inode, task.creds);
    const n = inode.cache.write(from, at, length);
    inode.touch(false, true);
    if (offset === AT_POSITION) this.position = at + n;
    return n;
  }

  override seek(_task: Task, offset: number, whence: number): number {
    let to: number;
    if (whence === SEEK_SET) to = offset;
    else if (whence === SEEK_CUR) to = this.position + offset;
    else if (whence === SEEK_END) to = this.inode.size + offset;
    else if (whence === SEEK_DATA || whence === SEEK_HOLE) {
      const { cache } = this.inode;
      if (offset < 0) offset = Infinity; // ENXIO
      to = whence === SEEK_DATA ? cache.seekData(offset) : cache.seekHole(offset);
    } else throw errno(EINVAL);
    if (to < 0 || to > MAX_POSITION) throw errno(EINVAL);
    if (to >= MAX_POSITION - 1024) {
      if (whence !== SEEK_SET) throw errno(EINVAL);
      to = MAX_POSITION - 1024;
    }
    this.position = to;
    return to;
  }
  override get seekable(): boolean {
    return true;
  }

  override ioctl(task: Task, request: number, arg: number): number {
    if (request !== FIONREAD) return super.ioctl(task, request, arg);
    task.mm.writeU32(arg, Math.max(-0x8000_0000, Math.min(0x7fff_ffff, this.inode.size - this.position)) >>> 0);
    return 0;
  }

  override mapping(_task: Task, sharedWritable = false): FileMapping {
    if (sharedWritable) this.inode.checkWrite?.(0, 0);
    const mapping = this.inode.mapping?.() ?? null;
    if (mapping === null) throw errno(ENODEV);
    return mapping;
  }

  override release(): void {
    // `writers` still counts this file.
    if (this.inode.writers <= 1) this.inode.cache.trim();
  }
}
