/**
 * Kernel timers: a binary heap of monotonic deadlines. Callbacks run from the kernel loop, never re-entrantly.
 */
export interface Timer {
  cancel(): void;
}

class Entry implements Timer {
  readonly deadlineNs: number;
  readonly sequence: number;
  callback: (() => void) | null;
  private readonly owner: Timers;

  constructor(owner: Timers, deadlineNs: number, sequence: number, callback: () => void) {
    this.owner = owner;
    this.deadlineNs = deadlineNs;
    this.sequence = sequence;
    this.callback = callback;
  }
  cancel(): void {
    if (this.callback === null) return;
    this.callback = null;
    this.owner.cancelled();
  }
}

const before = (a: Entry, b: Entry): boolean =>
  a.deadlineNs < b.deadlineNs || (a.deadlineNs === b.deadlineNs && a.sequence < b.sequence);

export class Timers {
  private heap: Entry[] = [];
  private sequence = 0;
  private dead = 0;

  /** Calls `callback` once, at or after `deadlineNs` (CLOCK_MONOTONIC). */
  add(deadlineNs: number, callback: () => void): Timer {
    const entry = new Entry(this, deadlineNs, this.sequence++, callback);
    this.heap.push(entry);
    this.up(this.heap.length - 1);
    return entry;
  }

  /** How many will run. */
  get size(): number {
    return this.heap.length - this.dead;
  }
  /** The earliest deadline, or Infinity. */
  nextNs(): number {
    while (this.heap.length > 0 && this.heap[0].callback === null) this.pop();
    return this.heap.length === 0 ? Infinity : this.heap[0].deadlineNs;
  }

  /** Runs what is due; returns whether anything ran. */
  run(nowNs: number): boolean {
    let ran = false;
    while (this.nextNs() <= nowNs) {
      const entry = this.pop();
      const callback = entry.callback!;
      // Off the heap: cancelling it now must not count.
      entry.callback = null;
      ran = true;
      callback();
    }
    return ran;
  }

  /** Cancelled entries stay in the heap until they surface; rebuild when they are the majority. */
  cancelled(): void {
    this.dead++;
    if (this.dead < 64 || this.dead * 2 < this.heap.length) return;
    const live = this.heap.filter((entry) => entry.callback !== null);
    this.heap = [];
    this.dead = 0;
    for (const entry of live) {
      this.heap.push(entry);
      this.up(this.heap.length - 1);
    }
  }

  private pop(): Entry {
    const heap = this.heap;
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      this.down(0);
    }
    if (top.callback === null && this.dead > 0) this.dead--;
    return top;
  }
  private up(at: number): void {
    const heap = this.heap;
    const entry = heap[at];
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(entry, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }
  private down(at: number): void {
    const heap = this.heap;
    const entry = heap[at];
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], entry)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = entry;
  }
}
