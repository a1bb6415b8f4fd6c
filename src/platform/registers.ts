/**
 * One thread's general registers: a view of its block in the array shared with the native addon.
 *
 * Values are read as JS numbers: exact below 2^53, which covers every address; a register above that loses low bits,
 * and every such value is out of range for what it is used for. `lo`/`hi` give the exact halves.
 */
import type { RegisterLayout } from '../abi/registers.js';

const TWO32 = 0x1_0000_0000;

export class Registers {
  readonly words: Uint32Array;
  readonly base: number;
  readonly layout: RegisterLayout;

  private wide: BigUint64Array | null = null;

  constructor(words: Uint32Array, base: number, layout: RegisterLayout) {
    this.words = words;
    this.base = base;
    this.layout = layout;
  }

  /** System call number at a stop, signed 32 bits (Linux looks at 32 bits on x86_64 since 5.14). */
  get nr(): number {
    return this.words[this.base + 2 * this.layout.nr] | 0;
  }
  get ip(): number {
    return this.get(this.layout.ip);
  }
  set ip(value: number) {
    this.set(this.layout.ip, value);
  }
  get sp(): number {
    return this.get(this.layout.sp);
  }
  set sp(value: number) {
    this.set(this.layout.sp, value);
  }
  get ret(): number {
    return this.getSigned(this.layout.ret);
  }
  set ret(value: number) {
    this.set(this.layout.ret, value);
  }

  lo(word: number): number {
    return this.words[this.base + 2 * word];
  }
  hi(word: number): number {
    return this.words[this.base + 2 * word + 1];
  }
  /** Word as an unsigned number. */
  get(word: number): number {
    const at = this.base + 2 * word;
    return this.words[at + 1] * TWO32 + this.words[at];
  }
  /** Word as a signed number. */
  getSigned(word: number): number {
    const at = this.base + 2 * word;
    return (this.words[at + 1] | 0) * TWO32 + this.words[at];
  }
  /** Stores any integer of magnitude below 2^53, two's complement when negative. */
  set(word: number, value: number): void {
    const at = this.base + 2 * word;
    this.words[at] = value;
    this.words[at + 1] = (value | 0) === value ? value >> 31 : Math.floor(value / TWO32);
  }
  /** All bits of a word, unsigned. */
  big(word: number): bigint {
    const { words, base, layout } = this;
    this.wide ??= new BigUint64Array(words.buffer, words.byteOffset + 4 * base, layout.count);
    return this.wide[word];
  }
  setHalves(word: number, lo: number, hi: number): void {
    const at = this.base + 2 * word;
    this.words[at] = lo;
    this.words[at + 1] = hi;
  }
  /** Copies every register of another thread of the same platform (fork, clone). */
  copyFrom(other: Registers): void {
    this.words.copyWithin(this.base, other.base, other.base + 2 * other.layout.count);
  }
}
