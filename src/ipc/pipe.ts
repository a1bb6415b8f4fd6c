/**
 * Pipes (pipe(7), fs/pipe.c): a ring of page-sized slots.
 *
 * Invariant: slot i always uses page i of `pages`, so that consecutive full slots are one copy. A slot holds 1 byte to a page;
 * a write merges into the last slot only when its odd part (length mod page size) fits there whole, which is what makes writes of
 * up to PIPE_BUF atomic and what F_GETPIPE_SZ, FIONREAD and poll show.
 *
 * Linux oddities: a pipe of 16 pages is full after 16 writes of a page and a byte each; a write of 0 bytes succeeds even
 * without readers; with O_DIRECT each write is a packet and a read that is too small drops the packet's rest.
 */
import { EBUSY, EFAULT, EINVAL, EPIPE, EPERM, errno, errnoOf } from '../abi/errno.js';
import { SIGPIPE } from '../abi/flags/signal.js';
import { capable } from '../../sched/credentials.js';
import { CAP_SYS_RESOURCE } from '../abi/flags/capability.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { sendSignalToTask, userInfo } from '../../sched/signal/send.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK } from '../../sched/wait.js';
import type { GuestBuffer } from '../../fs/file.js';
import { PollQueue } from '../../fs/poll-queue.js';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../fs/poll-events.js';

export const PIPE_BUF = 4096;
const DEFAULT_SLOTS = 16;
/** /proc/sys/fs/pipe-max-size. */
export const PIPE_MAX_SIZE = 1 << 20;
/** How many unused page arrays of default size a kernel keeps. */
const POOL = 16;

const READ_EVENTS = POLLIN | POLLRDNORM;
const WRITE_EVENTS = POLLOUT | POLLWRNORM;

interface Slot {
  offset: number;
  length: number;
  /** Whether the next write may add to it. */
  merge: boolean;
  packet: boolean;
}

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    pipePages?: Uint8Array[];
  }
}

export class Pipe {
  private readonly kernel: KernelState;
  /** Bytes of a slot. */
  private readonly pageSize: number;
  readers = 0;
  writers = 0;
  /** How often it was opened for reading and writing: FIFO opens wait for these to move. */
  readOpens = 0;
  writeOpens = 0;
  /** Woken for readers, for writers, and for files opened for both. */
  readonly readQueue = new PollQueue();
  readonly writeQueue = new PollQueue();
  readonly bothQueue = new PollQueue();
  private pages: Uint8Array | null = null;
  private slots: Slot[] = [];
  /** Index of the oldest slot, number of slots in use, number there may be. */
  private tail = 0;
  private used = 0;
  maxSlots = DEFAULT_SLOTS;
  /** Bytes held. */
  bytes = 0;
  /** Somebody polls: wake on every write, not only the first (fs/pipe.c, poll_usage). */
  pollUsed = false;

  constructor(kernel: KernelState) {
    this.kernel = kernel;
    this.pageSize = kernel.pageSize;
  }

  get empty(): boolean {
    return this.used === 0;
  }
  get full(): boolean {
    return this.used >= this.maxSlots;
  }
  get capacity(): number {
    return this.maxSlots * this.pageSize;
  }

  wake(events: number): void {
    if ((events & READ_EVENTS) !== 0) this.readQueue.wakeFor(events);
    if ((events & WRITE_EVENTS) !== 0) this.writeQueue.wakeFor(events);
    this.bothQueue.wakeFor(events);
  }

  read(into: GuestBuffer): number {
    if (into.remaining === 0) return 0;
    if (this.used === 0) return this.writers === 0 ? 0 : WOULD_BLOCK;
    const wasFull = this.full;
    let total = 0;
    try {
      while (this.used > 0 && into.remaining > 0) {
        const slot = this.slots[this.tail];
        if (slot.packet) {
          const size = Math.min(slot.length, into.remaining);
          if (into.put(this.pages!, this.tail * this.pageSize + slot.offset, size) < size) throw errno(EFAULT);
          total += size;
          this.bytes -= slot.length;
          this.dropTail();
          break;
        }
        const want = Math.min(this.run(), into.remaining);
        const got = this.drain(into, want);
        total += got;
        if (got < want) break;
      }
    } catch (error) {
      if (total === 0) throw error;
    }
    if (wasFull && !this.full) this.wake(WRITE_EVENTS);
    return total;
  }

  /** Bytes readable in one copy from the oldest slot on. */
  private run(): number {
    let at = this.tail;
    let n = this.slots[at].length;
    let end = this.slots[at].offset + n;
    for (let i = 1; i < this.used && end === this.pageSize; i++) {
      if (++at === this.maxSlots) break;
      const slot = this.slots[at];
      if (slot.offset !== 0 || slot.packet) break;
      n += slot.length;
      end = slot.length;
    }
    return n;
  }
  /** A slot that could not be copied whole because of a bad address is not consumed at all (pipe_read). */
  private drain(into: GuestBuffer, length: number): number {
    const from = this.tail * this.pageSize + this.slots[this.tail].offset;
    let got = into.put(this.pages!, from, length);
    if (got < length) {
      got = this.wholeSlots(got);
      if (got === 0) throw errno(EFAULT);
    }
    this.consume(got);
    return got;
  }
  /** Bytes of the oldest slots that end within the next `length` bytes. */
  private wholeSlots(length: number): number {
    let n = 0;
    for (let i = 0; i < this.used; i++) {
      const next = n + this.slots[(this.tail + i) % this.maxSlots].length;
      if (next > length) break;
      n = next;
    }
    return n;
  }
  private consume(length: number): void {
    this.bytes -= length;
    while (length > 0) {
      const slot = this.slots[this.tail];
      const n = Math.min(length, slot.length);
      slot.offset += n;
      slot.length -= n;
      length -= n;
      if (slot.length === 0) this.dropTail();
    }
  }
  private dropTail(): void {
    this.tail = this.tail + 1 === this.maxSlots ? 0 : this.tail + 1;
    this.used--;
  }

  /** Writes what fits. `packet`: O_DIRECT. Raises SIGPIPE at `task` without readers. */
  write(task: Task, from: GuestBuffer, packet: boolean): number {
    if (from.remaining === 0) return 0;
    if (this.readers === 0) this.broken(task);
    const wasEmpty = this.used === 0;
    let total = 0;
    try {
      total = packet ? 0 : this.merge(from);
      while (from.remaining > 0 && !this.full) {
        const got = packet ? this.fillPacket(from) : this.fill(from);
        total += got;
        if (got === 0) break;
      }
    } catch (error) {
      if (total === 0 || errnoOf(error) !== EFAULT) throw error;
    }
    if (total > 0) {
      if (wasEmpty || this.pollUsed) this.wake(READ_EVENTS);
      return total;
    }
    return WOULD_BLOCK;
  }
  private broken(task: Task): never {
    sendSignalToTask(task, userInfo(SIGPIPE, task));
    throw errno(EPIPE);
  }
  private merge(from: GuestBuffer): number {
    const odd = from.remaining % this.pageSize;
    if (odd === 0 || this.used === 0) return 0;
    const last = (this.tail + this.used - 1) % this.maxSlots;
    const slot = this.slots[last];
    const at = slot.offset + slot.length;
    if (!slot.merge || at + odd > this.pageSize) return 0;
    const got = from.take(this.pages!, last * this.pageSize + at, odd);
    if (got < odd) throw errno(EFAULT);
    slot.length += odd;
    this.bytes += odd;
    return odd;
  }
  private fill(from: GuestBuffer): number {
    const head = (this.tail + this.used) % this.maxSlots;
    const free = Math.min(this.maxSlots - this.used, this.maxSlots - head);
    const want = Math.min(from.remaining, free * this.pageSize);
    const got = from.take(this.storage(), head * this.pageSize, want);
    // A page that could not be filled because of a bad address is not queued.
    const keep = got === want ? got : got - (got % this.pageSize);
    for (let at = 0; at < keep; at += this.pageSize) this.push(Math.min(this.pageSize, keep - at), true, false);
    if (keep === 0) throw errno(EFAULT);
    return keep;
  }
  private fillPacket(from: GuestBuffer): number {
    const head = (this.tail + this.used) % this.maxSlots;
    const want = Math.min(from.remaining, this.pageSize);
    const got = from.take(this.storage(), head * this.pageSize, want);
    if (got < want) throw errno(EFAULT);
    this.push(got, false, true);
    return got;
  }
  private push(length: number, merge: boolean, packet: boolean): void {
    const head = (this.tail + this.used) % this.maxSlots;
    const slot = (this.slots[head] ??= { offset: 0, length: 0, merge: false, packet: false });
    slot.offset = 0;
    slot.length = length;
    slot.merge = merge;
    slot.packet = packet;
    this.used++;
    this.bytes += length;
  }
  private storage(): Uint8Array {
    if (this.pages !== null) return this.pages;
    const pool = this.maxSlots === DEFAULT_SLOTS ? this.kernel.pipePages : undefined;
    return (this.pages = pool?.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(this.capacity).buffer));
  }

  // --- splice and tee: one slot a page, never merged into by later writes

  /** Free slots. */
  get freeSlots(): number {
    return this.maxSlots - this.used;
  }
  /** Adds a page's worth of bytes as a slot of its own. */
  pushPage(src: Uint8Array, offset: number, length: number): void {
    const head = (this.tail + this.used) % this.maxSlots;
    this.storage().set(src.subarray(offset, offset + length), head * this.pageSize);
    this.push(length, false, false);
  }
  /** The bytes of the `index`-th slot from the oldest, without consuming them. */
  peekSlot(index: number): Uint8Array | null {
    if (index >= this.used) return null;
    const at = (this.tail + index) % this.maxSlots;
    const slot = this.slots[at];
    return this.pages!.subarray(at * this.pageSize + slot.offset, at * this.pageSize + slot.offset + slot.length);
  }
  /** Takes `length` bytes off the oldest slots, after a peek. */
  discard(length: number): void {
    const wasFull = this.full;
    this.consume(length);
    if (wasFull && !this.full) this.wake(WRITE_EVENTS);
  }
  /** Tells readers about pages pushed. */
  pushed(): void {
    this.wake(READ_EVENTS);
  }

  poll(mode: number, openedAt: number): number {
    this.pollUsed = true;
    let events = 0;
    if ((mode & 1) !== 0) {
      if (this.used > 0) events |= READ_EVENTS;
      if (this.writers === 0 && this.writeOpens !== openedAt) events |= POLLHUP;
    }
    if ((mode & 2) !== 0) {
      if (!this.full) events |= WRITE_EVENTS;
      if (this.readers === 0) events |= POLLERR;
    }
    return events;
  }

  /** F_SETPIPE_SZ: EINVAL, EPERM beyond pipe-max-size, EBUSY when the contents do not fit. */
  resize(task: Task, size: number): number {
    if (size > 2 ** 31) throw errno(EINVAL);
    let bytes = this.pageSize;
    while (bytes < size) bytes *= 2;
    const slots = bytes / this.pageSize;
    if (slots > this.maxSlots && bytes > PIPE_MAX_SIZE && !capable(task.creds, CAP_SYS_RESOURCE)) throw errno(EPERM);
    if (slots < this.used) throw errno(EBUSY);
    const pages = new Uint8Array(bytes);
    const kept: Slot[] = [];
    for (let i = 0; i < this.used; i++) {
      const at = (this.tail + i) % this.maxSlots;
      pages.set(this.pages!.subarray(at * this.pageSize, (at + 1) * this.pageSize), i * this.pageSize);
      kept.push(this.slots[at]);
    }
    const wasFull = this.full;
    this.recycle();
    this.pages = pages;
    this.slots = kept;
    this.tail = 0;
    this.maxSlots = slots;
    if (wasFull && !this.full) this.wake(WRITE_EVENTS);
    return bytes;
  }

  /** An end was opened or closed: the other side must look again. */
  endOpened(): void {
    this.wake(READ_EVENTS | WRITE_EVENTS);
  }
  endClosed(): void {
    if (this.readers === 0 && this.writers === 0) {
      this.recycle();
      this.slots = [];
      this.tail = 0;
      this.used = 0;
      this.bytes = 0;
      this.maxSlots = DEFAULT_SLOTS;
      return;
    }
    this.wake(READ_EVENTS | WRITE_EVENTS | POLLHUP | POLLERR);
  }
  private recycle(): void {
    if (this.pages === null) return;
    const pool = (this.kernel.pipePages ??= []);
    if (this.maxSlots === DEFAULT_SLOTS && pool.length < POOL) pool.push(this.pages);
    this.pages = null;
  }
}
