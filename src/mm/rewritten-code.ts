/**
 * Code that one address space runs from stand-in pages: copies of a file's pages in which the gate (src/gate) has rewritten
 * system call sites into jumps to "islands", hidden pages of trampolines at a fixed distance.
 *
 * Invariants: only private file mappings that are executable and were never writable run from stand-ins. Islands are no VMAs:
 * whatever the guest maps over one wins, and the code that needed it goes back to the file's own pages.
 */
import { errnoOf } from '../abi/errno.js';
import type { Extent, FrameAllocator } from './frames.js';
import { RangeSet } from './range-set.js';

/** Frames that host mappings of several address spaces may reach: freed when retired and unused. */
export class SharedFrames {
  readonly extent: Extent;
  private readonly frames: FrameAllocator;
  private users = 0;
  private retired = false;

  private constructor(frames: FrameAllocator, extent: Extent) {
    this.frames = frames;
    this.extent = extent;
    frames.outsideBytes += extent.length;
  }
  /** One run of `length` bytes, or null. */
  static allocate(frames: FrameAllocator, length: number): SharedFrames | null {
    let extents: Extent[];
    try {
      extents = frames.allocate(length);
    } catch (error) {
      errnoOf(error);
      return null;
    }
    if (extents.length === 1) return new SharedFrames(frames, extents[0]);
    for (const extent of extents) frames.free(extent);
    return null;
  }
  use(): void {
    this.users++;
  }
  drop(): void {
    this.users--;
    this.settle();
  }
  /** Nobody will map it from now on. */
  retire(): void {
    if (this.retired) return;
    this.retired = true;
    this.settle();
  }
  private settle(): void {
    if (!this.retired || this.users > 0) return;
    this.frames.outsideBytes -= this.extent.length;
    this.frames.free(this.extent);
  }
}

export interface Island {
  readonly start: number;
  readonly end: number;
  /** The code that jumps to it. */
  readonly codeStart: number;
  readonly codeEnd: number;
  /** Whose trampolines they are: see src/gate. */
  readonly owner: IslandOwner;
  /** How much of what the owner has rewritten since is mapped here. */
  version: number;
  /** Pages that were mapped one by one: each makes the host's copy of the address space dearer. */
  fragments: number;
}

export interface IslandOwner {
  /** `code` has lost its island. */
  left(code: RewrittenCode): void;
  /** The file the code is of (its FileMapping), and where in it the code begins. */
  readonly file: object;
  readonly from: number;
  readonly version: number;
  /** Calls back for every page rewritten after `version`, with its offset in the code. */
  changes(version: number, visit: (offset: number, frames: SharedFrames) => void): void;
  /** All of the code in one run, in its newest version; null when there is no memory for it. */
  newest(): SharedFrames | null;
}

/** A run of stand-in pages, or of the file's own ones when `frame` is -1. */
export interface CodePiece {
  frame: number;
  length: number;
}

/** Stand-ins for a file's code pages; FileMapping.shadow. */
export interface CodeShadow {
  /** What to map at `address` for [offset, offset + max) of the file. May map an island into `space`'s queue. */
  pieceAt(code: RewrittenCode, address: number, offset: number, max: number): CodePiece;
  /** It is not mapped anew from now on; frees what nobody runs from. */
  retire(): void;
}

/** The host's mappings of islands in one address space. */
export interface IslandHost {
  /** Whether at most one thread runs there. */
  readonly alone: boolean;
  /** Whether nothing of the guest's is in the way. */
  canMapIsland(island: Pick<Island, 'start' | 'end'>): boolean;
  mapIsland(island: Island, frame: number): void;
  unmapIsland(island: Island): void;
  /** Writes over private memory, whatever its protection. */
  poke(address: number, bytes: Uint8Array): void;
}

/** Bytes of private memory that the gate has written over: jumps to trampolines of `island`. */
export interface Patch {
  readonly island: Island;
  readonly start: number;
  readonly original: Uint8Array;
}

const HEAT = 128;

export class RewrittenCode {
  /** Addresses mapped from stand-ins. */
  readonly ranges = new RangeSet();
  islands: Island[] = [];
  /** Gone, while other threads may have been inside, or on their way back there. */
  evicted: Island[] = [];
  /** In private memory nobody can write to now, of an address space with one thread; oldest first. */
  patches: Patch[] = [];
  /** How often patches have been taken back. */
  takenBack = 0;
  private heat: Uint8Array | null = null;
  private readonly uses = new Set<SharedFrames>();
  private readonly host: IslandHost;

  constructor(host: IslandHost) {
    this.host = host;
  }
  /** Counts stops of one kind (0..1023, kinds may fall together) in this address space, modulo 256. */
  heatOf(kind: number): number {
    this.heat ??= new Uint8Array(HEAT);
    const at = kind % HEAT;
    return ++this.heat[at];
  }
  use(frames: SharedFrames): void {
    if (this.uses.has(frames)) return;
    this.uses.add(frames);
    frames.use();
  }
  islandOf(owner: IslandOwner, codeStart: number): Island | undefined {
    return this.islands.find((island) => island.owner === owner && island.codeStart === codeStart);
  }
  islandAt(address: number): Island | undefined {
    return this.islands.find((island) => address >= island.start && address < island.end);
  }
  /** Whether at most one thread runs here. */
  get alone(): boolean {
    return this.host.alone;
  }
  private isUsed(island: Island): boolean {
    const { codeStart, codeEnd } = island;
    return this.ranges.overlaps(codeStart, codeEnd) || this.patches.some((patch) => patch.island === island);
  }
  /** Maps an island, unless its place is taken: false then. */
  addIsland(island: Island, frame: number): boolean {
    const inTheWay = this.islands.filter((other) => other.start < island.end && other.end > island.start);
    // The code of another one may have gone; but who runs in it now must not find other trampolines there.
    if (inTheWay.some((other) => this.isUsed(other))) return false;
    if (inTheWay.length > 0 && !this.host.alone) return false;
    if (!this.host.canMapIsland(island)) return false;
    for (const other of inTheWay) this.evict(other);
    this.host.mapIsland(island, frame);
    this.islands.push(island);
    return true;
  }
  /** Its place goes to something else. */
  evict(island: Island): void {
    if (this.patches.length > 0) this.takeBackAll(island);
    this.islands = this.islands.filter((other) => other !== island);
    this.evicted = this.evicted.filter((other) => other.start !== island.start);
    this.evicted.push(island);
    this.host.unmapIsland(island);
    island.owner.left(this);
  }
  /** Whether `address` is in bytes that have been written over. */
  isPatched(address: number): boolean {
    return this.patches.some(({ start, original }) => address >= start && address < start + original.length);
  }
  /** Before the guest may change or move [from, to): it gets its own bytes back, and those that share an island with them. */
  takeBack(from: number, to: number): void {
    const islands = new Set<Island>();
    for (const { island, start, original } of this.patches)
      if (start < to && start + original.length > from) islands.add(island);
    for (const island of islands) {
      this.evict(island);
      this.takenBack++;
    }
  }
  /** Later patches may lie over earlier ones. */
  private takeBackAll(island: Island): void {
    for (let i = this.patches.length - 1; i >= 0; i--)
      if (this.patches[i].island === island) this.host.poke(this.patches[i].start, this.patches[i].original);
    this.patches = this.patches.filter((patch) => patch.island !== island);
  }
  copyTo(other: RewrittenCode): void {
    this.ranges.copyTo(other.ranges);
    const copies = new Map(this.islands.map((island) => [island, { ...island }]));
    other.islands = [...copies.values()];
    other.patches = this.patches.map((patch) => ({ ...patch, island: copies.get(patch.island)! }));
    other.evicted = this.evicted.slice();
    for (const frames of this.uses) other.use(frames);
  }
  /** Forgets everything; returns what to call when the host has unmapped it, or null when there is nothing. */
  clear(): (() => void) | null {
    this.ranges.clear();
    for (const { owner } of this.islands) owner.left(this);
    this.patches.length = this.takenBack = 0;
    this.islands.length = this.evicted.length = 0;
    this.heat = null;
    if (this.uses.size === 0) return null;
    const uses = [...this.uses];
    this.uses.clear();
    return () => {
      for (const frames of uses) frames.drop();
    };
  }
}
