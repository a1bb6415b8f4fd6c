/**
 * IoBuffer: the GuestBuffer of a task, over one segment or an iovec array; and the small kernel-side buffers that splice,
 * sendfile and core-internal reads use in its place.
 *
 * Invariant: one IoBuffer per task, set up anew by each call, so that read and write allocate nothing. It stays valid while
 * the task sleeps in the call that set it up. `moved` counts what went through since the set-up.
 *
 * Linux oddities: a count beyond MAX_RW_COUNT is silently cut (fs/read_write.c, vfs_read); an address range outside user
 * space is EFAULT even when nothing would be moved (access_ok), but an unmapped one is not.
 */
import { EFAULT, EINVAL, errno, errnoOf } from '../src/abi/errno.js';
import { getU64 } from '../src/abi/layout.js';
import type { MemoryMap } from '../src/mm/memory-map.js';
import type { Task } from '../sched/task.js';
import type { GuestBuffer } from './file.js';

/** INT_MAX rounded down to a page. */
export const MAX_RW_COUNT = 0x7fff_f000;
export const UIO_MAXIOV = 1024;
const IOVEC_SIZE = 16;
const SSIZE_MAX_PLUS_1 = 2 ** 63;
/** End of user addresses: TASK_SIZE_MAX. */
const USER_END = { x86_64: 2 ** 47 - 4096, aarch64: 2 ** 48 } as const;

declare module '../sched/task.js' {
  interface Task {
    /** Made by the first transfer. */
    ioBuffer?: IoBuffer;
  }
}

/** Throws EFAULT when [addr, addr+length) is not all in the range of user addresses. */
export function accessOk(mm: MemoryMap, addr: number, length: number): void {
  if (addr + length > USER_END[mm.platform.arch]) throw errno(EFAULT);
}

export class IoBuffer implements GuestBuffer {
  remaining = 0;
  moved = 0;
  private mm!: MemoryMap;
  /** The guest is written to (a read call). */
  private intoGuest = false;
  private base = 0;
  private left = 0;
  /** Segments after the current one. */
  private bases: number[] = [];
  private lengths: number[] = [];
  private next = 0;
  private count = 0;

  /** One segment. EFAULT outside user space, EINVAL beyond SSIZE_MAX, cut at MAX_RW_COUNT. */
  single(mm: MemoryMap, addr: number, length: number, intoGuest: boolean): this {
    accessOk(mm, addr, length);
    if (length >= SSIZE_MAX_PLUS_1) throw errno(EINVAL);
    const size = length > MAX_RW_COUNT ? MAX_RW_COUNT : length;
    this.mm = mm;
    this.intoGuest = intoGuest;
    this.base = addr;
    this.left = size;
    this.remaining = size;
    this.moved = 0;
    this.next = 0;
    this.count = 0;
    return this;
  }

  /** An array of `struct iovec` (import_iovec): EINVAL for too many or a negative length, EFAULT. */
  vector(mm: MemoryMap, iov: number, count: number, intoGuest: boolean): this {
    this.begin(mm, intoGuest);
    if (count === 0) return this;
    if (count > UIO_MAXIOV) throw errno(EINVAL);
    const view = mm.readStruct(iov, count * IOVEC_SIZE);
    for (let i = 0; i < count; i++) {
      const base = getU64(view, i * IOVEC_SIZE);
      const length = getU64(view, i * IOVEC_SIZE + 8);
      if (length >= SSIZE_MAX_PLUS_1) throw errno(EINVAL);
      this.append(base, length);
    }
    this.advanceSegment();
    return this;
  }

  /** Starts an empty buffer; `append` then `ready` fill it (recvmmsg, process_vm_readv). */
  begin(mm: MemoryMap, intoGuest: boolean): void {
    this.mm = mm;
    this.intoGuest = intoGuest;
    this.base = 0;
    this.left = 0;
    this.remaining = 0;
    this.moved = 0;
    this.next = 0;
    this.count = 0;
  }
  private append(base: number, length: number): void {
    accessOk(this.mm, base, length);
    const size = Math.min(length, MAX_RW_COUNT - this.remaining);
    if (size === 0) return;
    this.bases[this.count] = base;
    this.lengths[this.count] = size;
    this.count++;
    this.remaining += size;
  }
  private advanceSegment(): void {
    if (this.next >= this.count) return;
    this.base = this.bases[this.next];
    this.left = this.lengths[this.next];
    this.next++;
  }
  private advance(length: number): void {
    this.base += length;
    this.left -= length;
    this.remaining -= length;
    this.moved += length;
    if (this.left === 0) this.advanceSegment();
  }

  /** Forgets all but the next `length` bytes (a file's size limit, a message's boundary). */
  truncate(length: number): void {
    if (length >= this.remaining) return;
    this.remaining = length;
    if (this.left >= length) {
      this.left = length;
      this.count = this.next;
      return;
    }
    let rest = length - this.left;
    for (let i = this.next; i < this.count; i++) {
      if (this.lengths[i] >= rest) {
        this.lengths[i] = rest;
        this.count = i + 1;
        return;
      }
      rest -= this.lengths[i];
    }
  }

  put(src: Uint8Array, offset: number, length: number): number {
    return this.each(length, (addr, n, done) => this.mm.copyOut(addr, src, offset + done, n));
  }
  take(dst: Uint8Array, offset: number, length: number): number {
    return this.each(length, (addr, n, done) => this.mm.copyIn(addr, dst, offset + done, n));
  }
  putZeros(length: number): number {
    return this.each(length, (addr, n) => this.mm.clearOut(addr, n));
  }
  putPhysical(physOffset: number, length: number): number {
    return this.eachPhysical(physOffset, length);
  }
  takePhysical(physOffset: number, length: number): number {
    return this.eachPhysical(physOffset, length);
  }

  /** Goes back to where it was when this was called. */
  mark(): () => void {
    const { base, left, next, remaining, moved } = this;
    return () => {
      this.base = base;
      this.left = left;
      this.next = next;
      this.remaining = remaining;
      this.moved = moved;
    };
  }

  accessible(length: number): number {
    let want = length < this.remaining ? length : this.remaining;
    let addr = this.base;
    let n = this.left < want ? this.left : want;
    let total = 0;
    for (let i = this.next; n > 0; i++) {
      const ok = this.intoGuest ? this.mm.writable(addr, n) : this.mm.readable(addr, n);
      total += ok;
      want -= ok;
      if (ok < n || want === 0 || i >= this.count) break;
      addr = this.bases[i];
      n = Math.min(this.lengths[i], want);
    }
    return total;
  }

  /** Runs an all-or-EFAULT copy over the segments; at a bad page the valid prefix is copied and the rest left. */
  private each(length: number, copy: (addr: number, n: number, done: number) => void): number {
    let done = 0;
    while (done < length && this.remaining > 0) {
      const want = length - done;
      const n = this.left < want ? this.left : want;
      try {
        copy(this.base, n, done);
      } catch (error) {
        if (errnoOf(error) !== EFAULT) throw error;
        const ok = this.intoGuest ? this.mm.writable(this.base, n) : this.mm.readable(this.base, n);
        if (ok > 0 && ok < n) {
          copy(this.base, ok, done);
          this.advance(ok);
          done += ok;
        }
        if (done === 0) throw error;
        return done;
      }
      this.advance(n);
      done += n;
    }
    return done;
  }

  private eachPhysical(physOffset: number, length: number): number {
    let done = 0;
    while (done < length && this.remaining > 0) {
      const want = length - done;
      const n = this.left < want ? this.left : want;
      let ok: number;
      try {
        ok = this.intoGuest
          ? this.mm.copyOutPhysical(this.base, physOffset + done, n)
          : this.mm.copyInPhysical(this.base, physOffset + done, n);
      } catch (error) {
        if (done === 0 || errnoOf(error) !== EFAULT) throw error;
        return done;
      }
      this.advance(ok);
      done += ok;
      if (ok < n) return done;
    }
    return done;
  }
}

/** The task's buffer. */
export function ioBuffer(task: Task): IoBuffer {
  return (task.ioBuffer ??= new IoBuffer());
}

/** A buffer in kernel memory, for transfers between two files; `pages` are the platform's, for page copies. */
export class KernelBuffer implements GuestBuffer {
  readonly bytes: Uint8Array;
  private readonly pages: { readonly bytes: Uint8Array };
  /** Next byte and end of the window. */
  at: number;
  end: number;

  constructor(bytes: Uint8Array, pages: { readonly bytes: Uint8Array }, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.pages = pages;
    this.at = start;
    this.end = end;
  }
  get remaining(): number {
    return this.end - this.at;
  }
  put(src: Uint8Array, offset: number, length: number): number {
    const n = Math.min(length, this.remaining);
    this.bytes.set(src.subarray(offset, offset + n), this.at);
    this.at += n;
    return n;
  }
  take(dst: Uint8Array, offset: number, length: number): number {
    const n = Math.min(length, this.remaining);
    dst.set(this.bytes.subarray(this.at, this.at + n), offset);
    this.at += n;
    return n;
  }
  putPhysical(physOffset: number, length: number): number {
    return this.put(this.pages.bytes, physOffset, length);
  }
  takePhysical(physOffset: number, length: number): number {
    return this.take(this.pages.bytes, physOffset, length);
  }
  putZeros(length: number): number {
    const n = Math.min(length, this.remaining);
    this.bytes.fill(0, this.at, this.at + n);
    this.at += n;
    return n;
  }
  mark(): () => void {
    const { at } = this;
    return () => {
      this.at = at;
    };
  }
  accessible(length: number): number {
    return Math.min(length, this.remaining);
  }
}

/** Remembers the place in a buffer: the result goes back there (a write that was looked at but could not be taken). */
export function markBuffer(buffer: GuestBuffer): () => void {
  return (buffer as GuestBuffer & { mark(): () => void }).mark();
}
