/** Text on its way to a host file, gathered as bytes into pieces of 64 KiB: no text is longer than the next call. */
import { latin1Write } from './latin1.js';

const PIECE = 65536;
const SMALLEST = 1024;
const LARGEST = 2 * PIECE;
/** Up to here copying char by char costs less than a call of the engine's own copy. */
const SHORT = 96;
/** The same for text that is looked at as well: then a char at a time costs more. */
const SHORT_JSON = 24;
const MOST_DIGITS = 18;
/** 000001002... */
const TRIPLETS = Buffer.from(Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0')).join(''), 'latin1');
const [SPACE, QUOTE, BACKSLASH, TILDE] = [0x20, 0x22, 0x5c, 0x7e];

/** Chars are bytes (Latin-1). With `lateMs`, nothing waits longer than that to be written. */
export class TextSink {
  private buffer = new Uint8Array(SMALLEST);
  private words = new Int32Array(this.buffer.buffer);
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
    if (length > this.buffer.length - this.used && !this.makeRoom(length)) {
      this.write(Buffer.from(text, 'latin1'));
      return;
    }
    let { used } = this;
    const bytes = this.buffer;
    if (length > SHORT) latin1Write(bytes, text, used);
    else for (let i = 0; i < length; i++) bytes[used++] = text.charCodeAt(i);
    this.used += length;
  }
  /** Text that is bytes already. */
  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > this.buffer.length - this.used && !this.makeRoom(length)) {
      this.write(bytes);
      return;
    }
    this.buffer.set(bytes, this.used);
    this.used += length;
  }
  /** An integer from 0 to 2^53. */
  number(value: number): void {
    if (MOST_DIGITS > this.buffer.length - this.used) this.makeRoom(MOST_DIGITS);
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9);
      this.head(high);
      this.triplets(value - high * 1e9, 3);
    } else this.head(value);
  }
  /** Below 1e9, without zeros before it. */
  private head(value: number): void {
    const groups = value < 1e3 ? 0 : value < 1e6 ? 1 : 2;
    const first = groups === 0 ? value : groups === 1 ? (value / 1e3) | 0 : (value / 1e6) | 0;
    const { buffer } = this;
    const at = 3 * first;
    if (first >= 100) buffer[this.used++] = TRIPLETS[at];
    if (first >= 10) buffer[this.used++] = TRIPLETS[at + 1];
    buffer[this.used++] = TRIPLETS[at + 2];
    if (groups > 0) this.triplets(groups === 1 ? value - first * 1e3 : value - first * 1e6, groups);
  }
  private triplets(value: number, groups: number): void {
    const { buffer } = this;
    let rest = value | 0;
    for (let at = this.used + 3 * groups; at > this.used;) {
      const next = (rest / 1000) | 0;
      const from = 3 * (rest - next * 1000);
      buffer[--at] = TRIPLETS[from + 2];
      buffer[--at] = TRIPLETS[from + 1];
      buffer[--at] = TRIPLETS[from];
      rest = next;
    }
    this.used += 3 * groups;
  }
  /** A JSON string of ASCII. */
  json(text: string): void {
    const { length } = text;
    const room = 2 * length + 2;
    if (room > this.buffer.length - this.used && !this.makeRoom(room)) {
      this.put(asciiJson(text));
      return;
    }
    const { buffer: bytes, used } = this;
    bytes[used] = QUOTE;
    const from = used + 1;
    const end = from + length;
    if (length > SHORT_JSON) latin1Write(bytes, text, from);
    else for (let i = 0; i < length; i++) bytes[from + i] = text.charCodeAt(i);
    const special = this.special(from, end);
    if (special < 0) {
      this.put(asciiJson(text));
      return;
    }
    let to = end + special;
    bytes[to] = QUOTE;
    this.used = to + 1;
    if (special === 0) return;
    // From the end, so that nothing is overwritten that has not been moved; what lies behind the last one in a piece.
    const tail = this.last + 1;
    bytes.copyWithin(tail + special, tail, end);
    to = tail + special;
    for (let i = tail; to > i;) {
      const char = bytes[--i];
      bytes[--to] = char;
      if (char === QUOTE || char === BACKSLASH) bytes[--to] = BACKSLASH;
    }
  }
  /** Where `special` saw the last one. */
  private last = 0;
  /** How many bytes there JSON wants a backslash for; -1: one that is not of printable ASCII. */
  private special(from: number, end: number): number {
    const { buffer: bytes, words } = this;
    let count = 0;
    for (let i = from; i < end;) {
      // Four at a time, while nothing is special about them.
      while ((i & 3) === 0 && i + 4 <= end && isOrdinary(words[i >> 2])) i += 4;
      for (const stop = Math.min((i | 3) + 1, end); i < stop; i++) {
        const char = bytes[i];
        if (char < SPACE || char > TILDE) return -1;
        if (char !== QUOTE && char !== BACKSLASH) continue;
        count++;
        this.last = i;
      }
    }
    return count;
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
    this.write(this.buffer.subarray(0, used));
  }
  /** False: not so much, and all that was there is written. */
  private makeRoom(length: number): boolean {
    let size = this.buffer.length;
    while (size < LARGEST && size < this.used + length) size *= 2;
    if (size < this.used + length) this.flush();
    if (size > this.buffer.length) {
      const bytes = new Uint8Array(size);
      bytes.set(this.buffer.subarray(0, this.used));
      this.buffer = bytes;
      this.words = new Int32Array(bytes.buffer);
    }
    return length <= size;
  }
}

const [ONES, HIGHS] = [0x0101_0101, 0x8080_8080 | 0];
const hasZero = (word: number): boolean => ((word - ONES) & ~word & HIGHS) !== 0;
/** Four bytes of printable ASCII, none a quote or backslash; may be false for some that are. */
const isOrdinary = (word: number): boolean =>
  ((word | (word + ONES) | (word - SPACE * ONES)) & HIGHS) === 0 &&
  !hasZero(word ^ (QUOTE * ONES)) &&
  !hasZero(word ^ (BACKSLASH * ONES));

/** Whatever is not ASCII becomes an escape. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
