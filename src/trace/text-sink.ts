/** Text on its way to a host file, gathered as bytes into pieces of 64 KiB: no text is longer than the next call. */
import { latin1Write } from './latin1.js';

const PIECE = 65536;
const SMALLEST = 1024;
const LARGEST = 2 * PIECE;
/** Up to here copying char by char costs less than a call of the engine's own copy. */
const SHORT = 96;
const [SPACE, QUOTE, ZERO, BACKSLASH, TILDE] = [0x20, 0x22, 0x30, 0x5c, 0x7e];

/** Chars are bytes (Latin-1). With `lateMs`, nothing waits longer than that to be written. */
export class TextSink {
  private bytes = new Uint8Array(SMALLEST);
  private used = 0;
  private readonly write: (bytes: Uint8Array) => void;
  private readonly lateMs: number | undefined;
  private timer: NodeJS.Timeout | null = null;
  /** Runs before what is there is written because it is late. */
  onLate: () => void = () => {};

  /** `write` is done with the bytes when it returns. */
  constructor(write: (bytes: Uint8Array) => void, lateMs?: number) {
    this.write = write;
    this.lateMs = lateMs;
  }

  /** What follows may be written later. */
  add(text: string): void {
    this.put(text);
    this.end();
  }
  put(text: string): void {
    const { length } = text;
    if (length > this.bytes.length - this.used && !this.makeRoom(length)) {
      this.write(Buffer.from(text, 'latin1'));
      return;
    }
    let { used } = this;
    const { bytes } = this;
    if (length > SHORT) latin1Write(bytes, text, used);
    else for (let i = 0; i < length; i++) bytes[used++] = text.charCodeAt(i);
    this.used += length;
  }
  /** An integer from 0 to 2^53. */
  number(value: number): void {
    if (value >= 1e9) {
      this.number(Math.floor(value / 1e9));
      this.digits(value % 1e9, 9);
      return;
    }
    let count = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) count++;
    this.digits(value, count);
  }
  private digits(value: number, count: number): void {
    if (count > this.bytes.length - this.used) this.makeRoom(count);
    const { bytes } = this;
    let at = this.used + count;
    for (let rest = value | 0; at > this.used; rest = (rest / 10) | 0) bytes[--at] = ZERO + (rest % 10);
    this.used += count;
  }
  /** A JSON string of ASCII. */
  json(text: string): void {
    const { length } = text;
    const room = 2 * length + 2;
    if (room > this.bytes.length - this.used && !this.makeRoom(room)) {
      this.put(asciiJson(text));
      return;
    }
    const { bytes } = this;
    let { used } = this;
    bytes[used++] = QUOTE;
    for (let i = 0; i < length; i++) {
      const char = text.charCodeAt(i);
      if (char < SPACE || char > TILDE) {
        this.put(asciiJson(text));
        return;
      }
      if (char === QUOTE || char === BACKSLASH) bytes[used++] = BACKSLASH;
      bytes[used++] = char;
    }
    bytes[used++] = QUOTE;
    this.used = used;
  }
  /** A line has been put together. */
  end(): void {
    if (this.used >= PIECE) this.flush();
    else if (this.timer === null && this.lateMs !== undefined) this.timer = setTimeout(this.late, this.lateMs).unref();
  }

  private readonly late = (): void => {
    this.timer = null;
    this.onLate();
    this.flush();
  };
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.used === 0) return;
    const { used } = this;
    this.used = 0;
    this.write(this.bytes.subarray(0, used));
  }
  /** False: not so much, and all that was there is written. */
  private makeRoom(length: number): boolean {
    let size = this.bytes.length;
    while (size < LARGEST && size < this.used + length) size *= 2;
    if (size < this.used + length) this.flush();
    if (size > this.bytes.length) {
      const bytes = new Uint8Array(size);
      bytes.set(this.bytes.subarray(0, this.used));
      this.bytes = bytes;
    }
    return length <= size;
  }
}

/** Whatever is not ASCII becomes an escape. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
