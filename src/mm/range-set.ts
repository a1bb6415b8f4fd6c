/**
 * RangeSet: a set of addresses as sorted, disjoint, non-touching ranges. mm keeps in one which pages of file mappings have
 * been mapped on the host, so that they are mapped lazily but a private page that was written is never mapped over.
 */
export class RangeSet {
  private starts: number[] = [];
  private ends: number[] = [];

  get size(): number {
    return this.starts.length;
  }
  clear(): void {
    if (this.starts.length === 0) return;
    this.starts.length = 0;
    this.ends.length = 0;
  }
  copyTo(other: RangeSet): void {
    other.starts = this.starts.slice();
    other.ends = this.ends.slice();
  }
  add(from: number, to: number): void {
    if (to <= from) return;
    const { starts, ends } = this;
    const i = this.indexTouching(from);
    let j = i;
    while (j < starts.length && starts[j] <= to) {
      if (starts[j] < from) from = starts[j];
      if (ends[j] > to) to = ends[j];
      j++;
    }
    starts.splice(i, j - i, from);
    ends.splice(i, j - i, to);
  }
  remove(from: number, to: number): void {
    if (to <= from) return;
    const { starts, ends } = this;
    const i = this.indexAfter(from);
    let j = i;
    const keepStarts: number[] = [];
    const keepEnds: number[] = [];
    while (j < starts.length && starts[j] < to) {
      if (starts[j] < from) {
        keepStarts.push(starts[j]);
        keepEnds.push(from);
      }
      if (ends[j] > to) {
        keepStarts.push(to);
        keepEnds.push(ends[j]);
      }
      j++;
    }
    starts.splice(i, j - i, ...keepStarts);
    ends.splice(i, j - i, ...keepEnds);
  }
  /** Where the range that contains `address` ends, or `address` itself if none does. */
  coveredTo(address: number): number {
    const i = this.indexAfter(address);
    return i < this.starts.length && this.starts[i] <= address ? this.ends[i] : address;
  }
  /** The first address at or above `address` that is in the set, at most `limit`. */
  nextCovered(address: number, limit: number): number {
    const i = this.indexAfter(address);
    if (i === this.starts.length) return limit;
    return Math.min(limit, Math.max(address, this.starts[i]));
  }
  /** Calls back with each part of [from, to) that is in the set. */
  each(from: number, to: number, visit: (from: number, to: number) => void): void {
    for (let at = this.nextCovered(from, to); at < to; at = this.nextCovered(at, to)) {
      const end = Math.min(to, this.coveredTo(at));
      visit(at, end);
      at = end;
    }
  }
  overlaps(from: number, to: number): boolean {
    return this.nextCovered(from, to) < to;
  }

  /** Index of the first range that ends above `address`. */
  private indexAfter(address: number): number {
    const { ends } = this;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle] <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** Index of the first range that ends at or above `address`. */
  private indexTouching(address: number): number {
    const i = this.indexAfter(address);
    return i > 0 && this.ends[i - 1] === address ? i - 1 : i;
  }
}
