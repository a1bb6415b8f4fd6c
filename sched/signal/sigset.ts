/** A set of signals 1 to 64 as two int32 halves: bit n-1 of the 64-bit mask is signal n, as in the kernel's sigset_t. */
export class SigSet {
  lo: number;
  hi: number;

  constructor(lo = 0, hi = 0) {
    this.lo = lo | 0;
    this.hi = hi | 0;
  }
  static of(...signals: number[]): SigSet {
    const set = new SigSet();
    for (const signal of signals) set.add(signal);
    return set;
  }
  has(signal: number): boolean {
    return signal <= 32 ? ((this.lo >>> (signal - 1)) & 1) !== 0 : ((this.hi >>> (signal - 33)) & 1) !== 0;
  }
  add(signal: number): void {
    if (signal <= 32) this.lo |= 1 << (signal - 1);
    else this.hi |= 1 << (signal - 33);
  }
  delete(signal: number): void {
    if (signal <= 32) this.lo &= ~(1 << (signal - 1));
    else this.hi &= ~(1 << (signal - 33));
  }
  get empty(): boolean {
    return (this.lo | this.hi) === 0;
  }
  copy(): SigSet {
    return new SigSet(this.lo, this.hi);
  }
  assign(other: SigSet): void {
    this.lo = other.lo;
    this.hi = other.hi;
  }
  or(other: SigSet): void {
    this.lo |= other.lo;
    this.hi |= other.hi;
  }
  andNot(other: SigSet): void {
    this.lo &= ~other.lo;
    this.hi &= ~other.hi;
  }
}
