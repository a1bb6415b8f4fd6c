/** Memory of one played task for what its calls point to: a mapping of its own, used anew by every call. */
import { MAP_FIXED_NOREPLACE, MAP_NORESERVE } from '../abi/flags/memory.js';
import type { Placement } from '../trace/parse/encode.js';
import type { ScriptSpace } from '../platform/script/address-space.js';
import type { MemoryMap } from '../mm/memory-map.js';
import { mapAnonymous } from './addresses.js';

/** Above what programs map, below their stacks; each task has its part. */
const FIRST = 0x2000_0000_0000;
const SIZE = 0x1_0000_0000;
const STACK = 0x100_0000;
const ALIGN = 64;
/** At the end, so that nothing follows the last byte. */
const HOLE = 4096;

export class Arena implements Placement {
  /** Page 0 is nobody's. */
  readonly nowhere = 8n;
  readonly base: number;
  private top: number;
  private mm: MemoryMap | null = null;
  private space: ScriptSpace | null = null;

  constructor(index: number) {
    this.base = FIRST + index * SIZE;
    this.top = this.base + STACK;
  }
  /** The end of a stack for signal frames, for a task without one. */
  get stackTop(): number {
    return this.base + STACK;
  }

  /** A new call: all memory is free. */
  begin(mm: MemoryMap, space: ScriptSpace): void {
    this.top = this.base + STACK;
    if (this.mm === mm) return;
    try {
      mapAnonymous(mm, this.base, SIZE - HOLE, MAP_NORESERVE | MAP_FIXED_NOREPLACE);
    } catch {
      // It is there: inherited by fork, or this is another thread's address space.
    }
    this.mm = mm;
    this.space = space;
  }
  place(bytes: Uint8Array): bigint {
    return this.put(Number(this.room(bytes.length)), bytes);
  }
  edge(bytes: Uint8Array): bigint {
    return this.put(this.base + SIZE - HOLE - bytes.length, bytes);
  }
  private put(at: number, bytes: Uint8Array): bigint {
    if (this.space!.write(at, bytes, 0, bytes.length) !== bytes.length) throw new Error('the arena cannot be written');
    return BigInt(at);
  }
  room(size: number): bigint {
    const at = this.top;
    this.top = Math.ceil((at + Math.max(size, 1)) / ALIGN) * ALIGN;
    if (this.top > this.base + SIZE - HOLE) throw new RangeError('a call points to more memory than a replay has');
    return BigInt(at);
  }
}
