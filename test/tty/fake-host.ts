/** A host whose descriptors are scripts: what can be read now, and how much will be taken. */
import type { ConsoleHost } from '../../src/tty/console.js';
import type { HostStat, StreamHost } from '../../src/tty/host-stream.js';
import type { Watch } from '../../src/platform/host-io.js';

const EAGAIN = 11;

export class FakeHost implements ConsoleHost, StreamHost {
  /** What the next reads give: bytes, 0 for the end, -errno; nothing left: -EAGAIN. */
  input: (string | number)[] = [];
  /** Bytes the host takes before it says -EAGAIN; or -errno. */
  room = Infinity;
  output = '';
  reads = 0;
  raw = false;
  size = { rows: 24, columns: 80, xPixels: 0, yPixels: 0 };
  stat: HostStat = { mode: 0o010600, size: 0, rdev: 0, dev: 1, ino: 1 };
  offset = 0;
  /** Contents of a regular file. */
  file = Buffer.alloc(0);
  private readonly armed = new Map<number, () => void>();

  readSome(_fd: number, to: Uint8Array, offset: number, len: number): number {
    this.reads++;
    if ((this.stat.mode & 0o170000) === 0o100000) {
      const n = this.readAt(0, to, offset, len, this.offset);
      this.offset += n;
      return n;
    }
    const next = this.input.shift();
    if (next === undefined) return -EAGAIN;
    if (typeof next === 'number') return next;
    const bytes = Buffer.from(next, 'latin1');
    to.set(bytes.subarray(0, len), offset);
    if (bytes.length > len) this.input.unshift(next.slice(len));
    return Math.min(bytes.length, len);
  }
  writeSome(_fd: number, from: Uint8Array, offset: number, len: number): number {
    if (this.room <= 0) return this.room === 0 ? -EAGAIN : this.room;
    const n = Math.min(len, this.room);
    this.room -= n;
    this.output += Buffer.from(from.subarray(offset, offset + n)).toString('latin1');
    return n;
  }
  watch(_fd: number, events: number, callback: (revents: number) => void): Watch {
    const arm = (): void => void this.armed.set(events, () => callback(events));
    arm();
    return { arm, stop: () => void this.armed.delete(events) };
  }
  /** Whether somebody waits for readability (1) or room (4). */
  waits(events: number): boolean {
    return this.armed.has(events);
  }
  /** Tells whoever waits that the descriptor is ready. */
  ready(events: number): void {
    const callback = this.armed.get(events);
    this.armed.delete(events);
    callback?.();
  }
  makeRaw(): number {
    this.raw = true;
    return 0;
  }
  restore(): number {
    this.raw = false;
    return 0;
  }
  getWinsize(): FakeHost['size'] {
    return this.size;
  }
  fstat(): HostStat {
    return { ...this.stat, size: this.file.length };
  }
  readAt(_fd: number, to: Uint8Array, offset: number, length: number, position: number): number {
    return this.file.copy(to, offset, position, Math.min(position + length, this.file.length));
  }
  writeAt(_fd: number, from: Uint8Array, offset: number, length: number, position: number): number {
    if (this.file.length < position + length)
      this.file = Buffer.concat([this.file, Buffer.alloc(position + length - this.file.length)]);
    this.file.set(from.subarray(offset, offset + length), position);
    return length;
  }
  truncate(_fd: number, size: number): number {
    this.file = this.file.subarray(0, size);
    return 0;
  }
  offsetOf(): number {
    return this.offset;
  }
}
