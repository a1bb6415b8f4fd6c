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
}

export interface IslandOwner {
  readonly version: number;
  /** Calls back for every page rewritten after `version`, with its offset in the code. */
  changes(version: number, visit: (offset: number, frames: SharedFrames) => void): void;
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

const HEAT = 128;

export class RewrittenCode {
  /** Addresses mapped from stand-ins. */
  readonly ranges = new RangeSet();
  islands: Island[] = [];
  /** Gone, while other threads may have been inside, or on their way back there. */
  evicted: Island[] = [];
  private heat: Uint8Array | null = null;
  private readonly uses = new Set<SharedFrames>();
  /** Maps an island on the host unless something else is there; false then. */
  readonly mapIsland: (island: Island, frame: number) => boolean;

  constructor(mapIsland: (island: Island, frame: number) => boolean) {
    this.mapIsland = mapIsland;
  }
  /** Counts stops of one kind (0..1023, kinds may fall together) in this address space. */
  heatOf(kind: number): number {
    this.heat ??= new Uint8Array(HEAT);
    const at = kind % HEAT;
    if (this.heat[at] < 255) this.heat[at]++;
    return this.heat[at];
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
  copyTo(other: RewrittenCode): void {
    this.ranges.copyTo(other.ranges);
    other.islands = this.islands.map((island) => ({ ...island }));
    other.evicted = this.evicted.slice();
    for (const frames of this.uses) other.use(frames);
  }
  /** Forgets everything; returns what to call when the host has unmapped it, or null when there is nothing. */
  clear(): (() => void) | null {
    this.ranges.clear();
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
