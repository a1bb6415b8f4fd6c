/**
 * SegmentMap: which parts of a file are in which physical pages, as a sorted list of maximal runs.
 *
 * Invariants: runs are page aligned, do not overlap, and two that touch in the file and in memory are one. So a file that
 * grew in order is few runs, and reading 64 KiB of it is one or two copies.
 */
export interface Segment {
  start: number;
  end: number;
  /** Physical offset of `start`. */
  phys: number;
}

export class SegmentMap {
  readonly list: Segment[] = [];
  /** Bytes in all runs. */
  bytes = 0;
  /** Where the last search ended: sequential access stays there. */
  private hint = 0;

  /** Index of the first run that ends beyond `offset`; list.length when there is none. */
  search(offset: number): number {
    const { list } = this;
    const hint = this.hint;
    if (hint < list.length && list[hint].end > offset && (hint === 0 || list[hint - 1].end <= offset)) return hint;
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].end > offset) high = middle;
      else low = middle + 1;
    }
    this.hint = low;
    return low;
  }

  /** Physical offset of the byte at `offset`, or -1. */
  physAt(offset: number): number {
    const segment = this.list[this.search(offset)];
    return segment !== undefined && segment.start <= offset ? segment.phys + (offset - segment.start) : -1;
  }

  /** Adds a run where nothing is. */
  insert(start: number, length: number, phys: number): void {
    const { list } = this;
    const at = this.search(start);
    const end = start + length;
    const before = at > 0 ? list[at - 1] : undefined;
    const after = list[at] as Segment | undefined;
    const joinsAfter = after !== undefined && after.start === end && after.phys === phys + length;
    this.bytes += length;
    if (before !== undefined && before.end === start && before.phys + (before.end - before.start) === phys) {
      before.end = end;
      if (joinsAfter) {
        before.end = after.end;
        list.splice(at, 1);
      }
    } else if (joinsAfter) {
      after.start = start;
      after.phys = phys;
    } else if (at === list.length) list.push({ start, end, phys });
    else list.splice(at, 0, { start, end, phys });
  }

  /** Removes [from, to); `freed` gets the physical runs. */
  remove(from: number, to: number, freed: (phys: number, length: number) => void): void {
    const { list } = this;
    let at = this.search(from);
    while (at < list.length && list[at].start < to) {
      const segment = list[at];
      const start = Math.max(segment.start, from);
      const end = Math.min(segment.end, to);
      const phys = segment.phys + (start - segment.start);
      this.bytes -= end - start;
      if (start === segment.start && end === segment.end) list.splice(at, 1);
      else if (start === segment.start) {
        segment.phys += end - start;
        segment.start = end;
        at++;
      } else {
        if (end < segment.end)
          list.splice(at + 1, 0, { start: end, end: segment.end, phys: segment.phys + (end - segment.start) });
        segment.end = start;
        at++;
      }
      freed(phys, end - start);
    }
  }
}

/** Sorted, disjoint byte ranges: what of a file is still only in its archive. */
export class Ranges {
  private list: { start: number; end: number }[];

  constructor(list: { start: number; end: number }[]) {
    this.list = list;
  }
  get empty(): boolean {
    return this.list.length === 0;
  }
  /** The range that holds `offset`, or the next one after it. */
  at(offset: number): { start: number; end: number } | undefined {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].end > offset) high = middle;
      else low = middle + 1;
    }
    return this.list[low];
  }
  remove(from: number, to: number): void {
    const out: { start: number; end: number }[] = [];
    for (const { start, end } of this.list) {
      if (start < from) out.push({ start, end: Math.min(end, from) });
      if (end > to) out.push({ start: Math.max(start, to), end });
    }
    this.list = out;
  }
  get bytes(): number {
    return this.list.reduce((sum, { start, end }) => sum + (end - start), 0);
  }
}
