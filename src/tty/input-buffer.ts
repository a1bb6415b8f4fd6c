/**
 * The read buffer of N_TTY: a 4096-byte ring with a flag per byte that ends a line, and the two ways of taking bytes out
 * (drivers/tty/n_tty.c: canon_copy_from_read_buf, copy_from_read_buf, canon_skip_eof, inq_canon).
 *
 * Indices run freely; tail <= canonHead <= head and tail <= commitHead <= head. In canonical mode a reader may take what
 * lies before canonHead, otherwise what lies before commitHead. End of file is a flagged NUL byte, so a line is never
 * joined with what follows it.
 */
import { DISABLED_CHAR } from './termios.js';

export const BUFFER_SIZE = 4096;
const MASK = BUFFER_SIZE - 1;

export class InputBuffer {
  private readonly bytes = new Uint8Array(BUFFER_SIZE);
  private readonly ends = new Uint8Array(BUFFER_SIZE);
  head = 0;
  commitHead = 0;
  canonHead = 0;
  tail = 0;

  reset(): void {
    this.head = this.commitHead = this.canonHead = this.tail = 0;
    this.ends.fill(0);
  }

  put(c: number): void {
    this.bytes[this.head++ & MASK] = c;
  }

  at(index: number): number {
    return this.bytes[index & MASK];
  }

  /** Everything held, an unfinished line included. */
  get count(): number {
    return this.head - this.tail;
  }

  /** Puts `c` as the last byte of a line. */
  putEnd(c: number): void {
    this.ends[this.head & MASK] = 1;
    this.put(c);
    this.canonHead = this.head;
  }

  /** ICANON or EXTPROC changed: pending bytes become one finished line, or all of them become readable. */
  switchMode(canonical: boolean): void {
    this.ends.fill(0);
    if (!canonical || this.count === 0) {
      this.canonHead = this.tail;
    } else {
      this.ends[(this.head - 1) & MASK] = 1;
      this.canonHead = this.head;
    }
    this.commitHead = this.head;
  }

  private copy(dst: Uint8Array, at: number, count: number): void {
    const from = this.tail & MASK;
    const first = Math.min(count, BUFFER_SIZE - from);
    dst.set(this.bytes.subarray(from, from + first), at);
    if (first < count) dst.set(this.bytes.subarray(0, count - first), at + first);
  }

  /**
   * Copies up to the end of the line, at most `room` bytes. Returns the bytes copied; `this.more` tells whether the line
   * goes on.
   */
  takeLine(dst: Uint8Array, at: number, room: number): number {
    this.more = false;
    const limit = this.tail + Math.min(room, this.canonHead - this.tail);
    if (limit === this.tail) return 0;
    let end = this.tail;
    while (end < limit && !this.ends[end & MASK]) end++;
    const found = end < limit;
    let count = end - this.tail;
    if (found && this.bytes[end & MASK] !== DISABLED_CHAR) count++;
    this.copy(dst, at, count);
    if (found) {
      this.ends[end & MASK] = 0;
      this.tail = end + 1;
    } else {
      this.tail = end;
      this.more = this.tail !== this.canonHead;
    }
    return count;
  }

  /** Whether the last take left something that belongs to the same read. */
  more = false;

  /** A read that ended exactly before an end of file swallows it. */
  skipEof(): void {
    if (this.tail === this.canonHead) return;
    const at = this.tail & MASK;
    if (!this.ends[at] || this.bytes[at] !== DISABLED_CHAR) return;
    this.ends[at] = 0;
    this.tail++;
  }

  /** Copies at most `room` bytes regardless of lines. */
  takeRaw(dst: Uint8Array, at: number, room: number): number {
    const count = Math.min(room, this.commitHead - this.tail);
    this.copy(dst, at, count);
    this.tail += count;
    this.more = this.tail !== this.commitHead;
    return count;
  }

  /** FIONREAD in canonical mode: finished lines without their end-of-file marks. */
  canonicalCount(): number {
    let count = this.canonHead - this.tail;
    for (let i = this.tail; i < this.canonHead; i++) {
      if (this.ends[i & MASK] && this.bytes[i & MASK] === DISABLED_CHAR) count--;
    }
    return count;
  }
}
