/**
 * An address space: one host process, the queue of mapping calls to be made in it, and copies of its memory.
 *
 * Invariant: the queue is empty whenever a thread of the space runs: `resume()` of any thread and every memory copy
 * flush it first. The queue is plain numbers, seven an entry; `flush` writes them into the batch page.
 */
import { PROT_EXEC, type AddressSpace } from '../platform.js';
import type { PtracePlatform } from './platform.js';
import type { PtraceThread } from './thread.js';
import * as L from './layout.js';

const TWO32 = 0x1_0000_0000;
const ESRCH = 3;
/** The page is not there any more. */
const EIO = 5;
const QUEUED = 7;
/** A peak that the native side has not written. */
const UNKNOWN = -1;

export class PtraceSpace implements AddressSpace {
  readonly platform: PtracePlatform;
  /** Index on the native side; -1 when the process has ended. */
  id: number;
  /** The same, kept for the time until the exit status has been collected; -1 from then on. */
  private ending: number;
  private peakBytes = 0;
  readonly threads = new Set<PtraceThread>();
  /** Whose the process's channel is, where there is one for all: see PtraceGate.admits. */
  served: PtraceThread | null = null;
  private readonly queue: number[] = [];

  constructor(platform: PtracePlatform, id: number) {
    this.platform = platform;
    this.id = id;
    this.ending = id;
    platform.control[L.PEAKS + id] = UNKNOWN;
  }

  mapAnonymous(addr: number, len: number, prot: number): void {
    const flags = L.MAP_PRIVATE | L.MAP_ANONYMOUS | L.MAP_FIXED | L.MAP_NORESERVE;
    this.queue.push(this.platform.calls.mmap, addr, len, prot, flags, -1, 0);
  }
  mapPhysical(addr: number, len: number, prot: number, offset: number, shared: boolean): void {
    const { native } = this.platform;
    if ((prot & PROT_EXEC) !== 0 && !native.coherentCode) native.syncCode(offset, len);
    const flags = L.MAP_FIXED | (shared ? L.MAP_SHARED : L.MAP_PRIVATE | L.MAP_NORESERVE);
    this.queue.push(this.platform.calls.mmap, addr, len, prot, flags, L.PHYSICAL_FD, offset);
  }
  unmap(addr: number, len: number): void {
    this.queue.push(this.platform.calls.munmap, addr, len, 0, 0, 0, 0);
  }
  protect(addr: number, len: number, prot: number): void {
    this.queue.push(this.platform.calls.mprotect, addr, len, prot, 0, 0, 0);
  }
  move(from: number, oldLen: number, to: number, newLen: number): void {
    this.queue.push(this.platform.calls.mremap, from, oldLen, newLen, L.MREMAP_MAYMOVE | L.MREMAP_FIXED, to, 0);
  }
  discard(addr: number, len: number): void {
    this.queue.push(this.platform.calls.madvise, addr, len, L.MADV_DONTNEED, 0, 0, 0);
  }
  clear(): void {
    this.queue.length = 0; // whatever was to be mapped would be dropped again
    this.queue.push(this.platform.calls.munmap, 0, this.platform.taskSize, 0, 0, 0, 0);
  }

  get dirty(): boolean {
    return this.queue.length !== 0;
  }

  flush(): number {
    const queue = this.queue;
    if (queue.length === 0) return 0;
    if (this.platform.channel.space === this) this.platform.channel.leave();
    const thread = this.stoppedThread();
    if (thread === null) throw new Error('levitate: flush() of an address space without a stopped thread');
    const { batch, native } = this.platform;
    let error = 0;
    for (let at = 0; at < queue.length && error === 0;) {
      let count = 0;
      let word = 0;
      while (count < L.BATCH_ENTRIES && at < queue.length) {
        for (let i = 0; i < QUEUED; i++, at++, word += 2) {
          const value = queue[at];
          batch[word] = value;
          batch[word + 1] = (value | 0) === value ? value >> 31 : Math.floor(value / TWO32);
        }
        word += 2 * (L.ENTRY_WORDS - QUEUED);
        count++;
      }
      error = native.batch(thread.slot, count);
    }
    queue.length = 0;
    return error;
  }

  /** Any thread the stub can run on. */
  private stoppedThread(): PtraceThread | null {
    for (const thread of this.threads) if (!thread.running) return thread;
    return null;
  }

  read(addr: number, dst: Uint8Array, dstOffset: number, len: number): number {
    const { channel } = this.platform;
    if (channel.space === this && channel.take(addr, dst, dstOffset, len)) return len;
    const { native, arguments: args } = this.platform;
    if (!this.prepareCopy(addr, dstOffset, len)) return 0;
    native.read(dst);
    return args[L.LENGTH];
  }
  write(addr: number, src: Uint8Array, srcOffset: number, len: number): number {
    const { channel } = this.platform;
    if (channel.space === this && channel.give(addr, src, srcOffset, len)) return len;
    return this.writeNow(addr, src, srcOffset, len);
  }
  /** By the host, at once. */
  writeNow(addr: number, src: Uint8Array, srcOffset: number, len: number): number {
    const { native, arguments: args } = this.platform;
    if (!this.prepareCopy(addr, srcOffset, len)) return 0;
    native.write(src);
    return args[L.LENGTH];
  }
  readToPhysical(addr: number, physOffset: number, len: number): number {
    const { channel, physical } = this.platform;
    if (channel.space === this && channel.take(addr, physical.bytes, physOffset, len)) return len;
    const { native, arguments: args } = this.platform;
    if (!this.prepareCopy(addr, physOffset, len)) return 0;
    native.readToPhysical();
    return args[L.LENGTH];
  }
  writeFromPhysical(addr: number, physOffset: number, len: number): number {
    const { channel, physical } = this.platform;
    if (channel.space === this && channel.give(addr, physical.bytes, physOffset, len)) return len;
    const { native, arguments: args } = this.platform;
    if (!this.prepareCopy(addr, physOffset, len)) return 0;
    native.writeFromPhysical();
    return args[L.LENGTH];
  }
  /** Flushes and passes the arguments; false when the process is gone. */
  private prepareCopy(addr: number, offset: number, len: number): boolean {
    if (this.queue.length !== 0) this.mustFlush();
    if (this.id < 0) return false;
    const { channel } = this.platform;
    if (channel.space === this && channel.count > 0) channel.deliver();
    const { control, arguments: args } = this.platform;
    control[L.WHO] = this.id;
    args[L.ADDRESS] = addr;
    args[L.OFFSET] = offset;
    args[L.LENGTH] = len;
    return true;
  }
  poke(addr: number, bytes: Uint8Array): void {
    if (this.queue.length !== 0) this.mustFlush();
    if (this.id < 0) return;
    const error = this.platform.native.poke(this.id, addr, bytes);
    if (error !== 0 && error !== ESRCH && error !== EIO) throw this.platform.failure('writing over code', error);
  }
  handy(addr: number): number {
    const { channel } = this.platform;
    return channel.space === this ? channel.available(addr) : 0;
  }
  resident(addr: number, len: number, out?: Uint8Array): number {
    if (this.queue.length !== 0) this.mustFlush();
    return Math.max(this.platform.native.resident(this.id, addr, len, out), 0);
  }
  rssBytes(): number {
    return this.platform.native.rss(this.id);
  }
  peakRssBytes(): number {
    const { native } = this.platform;
    if (this.id >= 0) return native.peakRss(this.id);
    if (!this.peakSettled) {
      native.collect(this.ending);
      this.settle();
    }
    return this.peakBytes;
  }
  get peakSettled(): boolean {
    if (this.ending >= 0 && this.id < 0 && this.platform.control[L.PEAKS + this.ending] !== UNKNOWN) this.settle();
    return this.ending < 0;
  }
  /** Takes over what the native side knows of the peak: its number is about to be used again. */
  settle(): void {
    if (this.ending < 0) return;
    this.peakBytes = Math.max(0, this.platform.control[L.PEAKS + this.ending]) * 1024;
    this.ending = -1;
  }

  /** For callers that cannot report an error of the queue: it is a bug not to have flushed before. */
  mustFlush(): void {
    const error = this.flush();
    if (error !== 0 && error !== ESRCH) throw this.platform.failure('a queued mapping', error);
  }
}
