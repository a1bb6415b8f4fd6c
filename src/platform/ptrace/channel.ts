/**
 * The channel of the call being served, when it came without a stop: small buffers the guest sent along, and small answers that
 * it copies out itself before the call returns (native/stub/gate_*.S). Saves a host call each.
 *
 * Invariants: between `open` (the call) and `close` (the next wait) only. Answers are deferred, so they are delivered at once when
 * anything could see that: a read of other memory, a stop of the thread, another thread resumed.
 */
import type { Channels } from './channels.js';
import type { PtraceSpace } from './space.js';
import * as L from './layout.js';
import type { PtraceThread } from './thread.js';

/** Layout of a channel, see native/gate.h. */
const OUT = 0x100;
const DATA = 0x200;
const DATA_BYTES = 0x1e00;
const MOST = 15;
const TWO32 = 0x1_0000_0000;

export class CallChannel {
  /** The space of the call; null when there is none. */
  space: PtraceSpace | null = null;
  /** Answers waiting. */
  count = 0;
  private slot = 0;
  private inAddr = 0;
  private inLength = 0;
  /** Where answers begin in DATA, behind what was sent along, and where they end. */
  private first = 0;
  private used = 0;
  private base = 0;
  private bytes: Uint8Array;
  private words: Uint32Array;
  private readonly channels: Channels;
  private readonly control: Int32Array;

  constructor(channels: Channels, control: Int32Array) {
    this.channels = channels;
    this.control = control;
    this.bytes = channels.bytes;
    this.words = channels.unsigned;
  }

  /** `index`: which channel it came through. */
  open(thread: PtraceThread, index: number): void {
    const { channels, control } = this;
    this.bytes = channels.bytes;
    this.words = channels.unsigned;
    this.space = thread.space;
    this.slot = thread.slot;
    this.base = index * channels.step;
    this.inLength = control[L.IN_LENGTH];
    this.inAddr = (control[L.IN_ADDR_HI] >>> 0) * TWO32 + (control[L.IN_ADDR_LO] >>> 0);
    this.first = this.used = this.inLength;
    this.count = 0;
  }

  /** The call is served. Its answers travel with the result if nobody but its thread is about to run. */
  close(resumed: number, first: number): void {
    if (this.count > 0) {
      if (resumed === 1 && first === this.slot) {
        const at = (this.base + OUT + this.count * 16) >> 2;
        this.words[at] = this.words[at + 1] = 0;
        this.control[L.OUT_COUNT] = this.count;
        this.space = null;
        return;
      }
      this.deliver();
    }
    this.space = null;
  }

  /** Bytes that were sent along from `addr` on. */
  available(addr: number): number {
    return addr >= this.inAddr && addr < this.inAddr + this.inLength ? this.inAddr + this.inLength - addr : 0;
  }

  /** Reads what was sent along, with the answers that lie over it, or part of an answer; false when it is something else. */
  take(addr: number, to: Uint8Array, offset: number, len: number): boolean {
    const sent = addr >= this.inAddr && addr + len <= this.inAddr + this.inLength;
    if (sent) copy(this.bytes, this.base + DATA + (addr - this.inAddr), to, offset, len);
    return this.count === 0 ? sent : this.lay(addr, to, offset, len, sent);
  }
  /** Lays waiting answers over what has been read of [addr, addr + len); `whole`: all of it has. Whether all of it has now. */
  private lay(addr: number, to: Uint8Array, offset: number, len: number, whole: boolean): boolean {
    const { words, base, used } = this;
    let from = this.first;
    for (let i = 0; i < this.count; i++) {
      const at = (base + OUT + i * 16) >> 2;
      const there = words[at + 1] * TWO32 + words[at];
      // The guest may have written over it.
      const length = Math.min(words[at + 2], used - from);
      const first = Math.max(addr, there);
      const n = Math.min(addr + len, there + length) - first;
      if (n > 0) {
        if (n === len) whole = true;
        if (!whole) return false;
        copy(this.bytes, base + DATA + from + (first - there), to, offset + (first - addr), n);
      }
      from += length;
    }
    return whole;
  }

  /** Leaves an answer; false when there is no room. */
  give(addr: number, from: Uint8Array, offset: number, len: number): boolean {
    if (this.count === MOST || len > DATA_BYTES - this.used || len === 0) return false;
    const { words } = this;
    const at = (this.base + OUT + this.count * 16) >> 2;
    words[at] = addr;
    words[at + 1] = Math.floor(addr / TWO32);
    words[at + 2] = len;
    words[at + 3] = 0;
    copy(from, offset, this.bytes, this.base + DATA + this.used, len);
    this.used += len;
    this.count++;
    return true;
  }

  /** The thread leaves the gate, or may: what waits is written now, and nothing travels with the call any more. */
  leave(): void {
    this.deliver();
    this.space = null;
  }

  /** Writes the waiting answers at once. */
  deliver(): void {
    const { space, count, base, words } = this;
    if (space === null || count === 0) return;
    this.count = 0;
    const end = this.used;
    let from = this.first;
    for (let i = 0; i < count; i++) {
      const at = (base + OUT + i * 16) >> 2;
      const len = Math.min(words[at + 2], end - from);
      if (len <= 0) break;
      space.writeNow(words[at + 1] * TWO32 + words[at], this.bytes, base + DATA + from, len);
      from += len;
    }
    words[(base + OUT) >> 2] = words[((base + OUT) >> 2) + 1] = 0;
    this.used = this.first;
    // What was sent along may be what has been written over.
    this.inLength = 0;
  }
}

/** Short copies are faster as a loop than as a call with a view made for it. */
const LOOP_BYTES = 48;
function copy(from: Uint8Array, at: number, to: Uint8Array, offset: number, len: number): void {
  if (len <= LOOP_BYTES) for (let i = 0; i < len; i++) to[offset + i] = from[at + i];
  else to.set(from.subarray(at, at + len), offset);
}
