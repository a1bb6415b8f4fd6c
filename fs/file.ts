/**
 * Open file descriptions (struct file): what descriptors point to, shared by dup and fork. Subclasses implement the
 * operations; read and write take guest addresses, because large transfers go between guest memory and physical pages
 * without passing through JS.
 *
 * `read`/`write` return bytes moved or WOULD_BLOCK; they never sleep. The system call layer sleeps on `queue` (unless
 * O_NONBLOCK) and tries again. An operation that is missing gives the errno of the base class.
 */
import { EINVAL, EISDIR, ENODEV, ENOTTY, ESPIPE, errno } from '../src/abi/errno.js';
import { SEEK_CUR, SEEK_SET } from '../src/abi/flags/file.js';
import type { FileMapping } from '../src/mm/file-mapping.js';
import type { Credentials } from '../sched/credentials.js';
import type { Task } from '../sched/task.js';
import type { WaitQueue } from '../sched/wait.js';
import type { Inode } from './inode.js';
import type { Place } from './mount.js';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from './poll-events.js';

/** File offset argument meaning "use and advance the file position". */
export const AT_POSITION = -1;

/** A guest buffer made of one or more segments; reused per task, so hot paths allocate nothing. */
export interface GuestBuffer {
  /** Bytes left. */
  readonly remaining: number;
  /** Copies from JS bytes to the guest and advances; returns bytes moved (short at a bad page); EFAULT if 0 of >0. */
  put(src: Uint8Array, offset: number, length: number): number;
  /** Copies from the guest and advances. */
  take(dst: Uint8Array, offset: number, length: number): number;
  /** The same between the guest and physical memory. */
  putPhysical(physOffset: number, length: number): number;
  takePhysical(physOffset: number, length: number): number;
  /** Writes zeros to the guest. */
  putZeros(length: number): number;
  /** How many of the next `length` bytes are accessible (readable for a source, writable for a destination). */
  accessible(length: number): number;
}

export abstract class OpenFile {
  readonly inode: Inode;
  /** Null for files without a name in the tree (pipes, sockets, anonymous inodes). */
  place: Place | null;
  /** O_ access mode and status flags (not O_CREAT, O_EXCL, O_TRUNC, O_CLOEXEC...). */
  flags: number;
  position = 0;
  /** Descriptors, mappings and calls in progress that hold it; one without any is got rid of by `discardFile`. */
  references = 0;
  /** Counted in its inode and mount: set by the VFS open, undone by the last close (fs/references.ts). */
  tracked = false;
  /** Credentials of whoever opened it by path (f_cred). */
  opener: Credentials | null = null;
  /** F_SETOWN, F_SETSIG. */
  owner = { type: 0, id: 0, signal: 0, uid: 0, euid: 0 };

  constructor(inode: Inode, place: Place | null, flags: number) {
    this.inode = inode;
    this.place = place;
    this.flags = flags;
    inode.sb.openFiles++;
  }

  /** `offset` AT_POSITION or an explicit one (pread). */
  read(_task: Task, _into: GuestBuffer, _offset: number): number {
    throw errno(this.inode.isDir ? EISDIR : EINVAL);
  }
  write(_task: Task, _from: GuestBuffer, _offset: number): number {
    throw errno(EINVAL);
  }
  /** New position; whence SEEK_*. */
  seek(_task: Task, _offset: number, _whence: number): number {
    throw errno(ESPIPE);
  }
  /** The same for what has positions but no end: SEEK_SET and SEEK_CUR. */
  protected seekWithoutEnd(offset: number, whence: number): number {
    if (whence !== SEEK_SET && whence !== SEEK_CUR) throw errno(EINVAL);
    const to = whence === SEEK_SET ? offset : this.position + offset;
    if (to < 0) throw errno(EINVAL);
    this.position = to;
    return to;
  }
  /** Whether pread/pwrite make sense. */
  get seekable(): boolean {
    return false;
  }
  /** POLL* bits true now. */
  poll(_task: Task | null): number {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }
  /** Woken whenever poll, read or write may give another answer; null: always ready. */
  readonly queue: WaitQueue | null = null;

  ioctl(_task: Task, _request: number, _arg: number): number {
    throw errno(ENOTTY);
  }
  /**
   * Opening is not finished (a FIFO without its other end): open(2) sleeps on `queue` until this returns false. Given up, the
   * file is closed again.
   */
  openPending?(): boolean;
  /** Whether splice(2) and sendfile(2) can read from it (a splice_read of Linux): EINVAL otherwise. */
  get splices(): boolean {
    return true;
  }
  /** For mmap; throws ENODEV, or EPERM for a shared writable mapping of what may not be written. */
  mapping(_task: Task, _sharedWritable = false): FileMapping {
    throw errno(ENODEV);
  }
  /** Directory entries, see Inode.iterate. */
  fsync(_task: Task): void {}
  /** fcntl(F_SETFL) changed `flags`. */
  flagsChanged(): void {}
  /** A descriptor of it was closed (POSIX locks, flush). */
  flush(_task: Task): void {}
  /** The last reference is gone. */
  release(): void {}
  /** Text of /proc/PID/fd/N for files without a place: 'pipe:[123]'. */
  describe(): string {
    return `anon_inode:[${this.inode.ino}]`;
  }
  /** Extra lines of /proc/PID/fdinfo/N. */
  fdinfo(): string {
    return '';
  }
}
