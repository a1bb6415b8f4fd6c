/**
 * Rewritten code in private memory that no file stands behind: what a program has generated itself. Its pages are the process's
 * own, so sites are written over in place, and the program's bytes are put back before it may change or move them (RewrittenCode.takeBack).
 *
 * Invariant: only in memory that is not writable, while its address space has one thread, which is stopped.
 */
import type { FrameAllocator } from '../mm/frames.js';
import type { AddressMap } from '../mm/map.js';
import { SharedFrames, type Island, type RewrittenCode } from '../mm/rewritten-code.js';
import { Chunk, islandDistance, type CodeSource, type Fits } from './chunk.js';
import type { SiteCode } from './site-code.js';

const WINDOW = 0x1_0000;

/** Copies of the program's pages as they were when the first site was found there. */
class Snapshot implements CodeSource {
  private readonly map: AddressMap;
  private readonly pages = new Map<number, SharedFrames>();

  constructor(map: AddressMap) {
    this.map = map;
  }
  /** @throws RangeError when there is no memory for it. */
  frameAt(address: number): number {
    let page = this.pages.get(address);
    if (page === undefined) {
      const { frames, space, pageSize } = this.map;
      const made = SharedFrames.allocate(frames, pageSize);
      if (made === null) throw new RangeError('no memory for a copy of code');
      space.readToPhysical(address, made.extent.offset, pageSize);
      this.pages.set(address, (page = made));
    }
    return page.extent.offset;
  }
  retire(): void {
    for (const page of this.pages.values()) page.retire();
  }
}

export class PrivateChunk extends Chunk {
  /** The address space it was made for; children inherit patches, but no sites are added there. */
  readonly code: RewrittenCode;
  private readonly snapshot: Snapshot;

  private constructor(map: AddressMap, options: ConstructorParameters<typeof Chunk>[0], snapshot: Snapshot) {
    super(options);
    this.code = map.code;
    this.snapshot = snapshot;
  }

  /** The island of the chunk around `site`, in memory that spans [start, end); null when there is no room. */
  static make(
    siteCode: SiteCode,
    map: AddressMap,
    fits: Fits,
    site: number,
    start: number,
    end: number,
    gate: number,
    channels: number,
  ): Island | null {
    const from = Math.max(start, site - (site % WINDOW));
    const to = Math.min(end, site - (site % WINDOW) + WINDOW);
    const length = siteCode.islandLength(to - from, map.pageSize);
    const memory = SharedFrames.allocate(map.frames, length);
    if (memory === null) return null;
    const snapshot = new Snapshot(map);
    const { frames }: { frames: FrameAllocator } = map;
    const turn = Math.floor(site / WINDOW) % 2;
    const distance = islandDistance(siteCode, from, turn, length, fits);
    const options = { siteCode, file: snapshot, frames, from, to, distance, island: memory, gate, channels };
    const chunk = new PrivateChunk(map, options, snapshot);
    const island: Island = {
      start: from + chunk.distance,
      end: from + chunk.distance + chunk.islandLength,
      codeStart: from,
      codeEnd: to,
      owner: chunk,
      version: 0,
      fragments: 0,
    };
    if (!map.code.addIsland(island, memory.extent.offset)) {
      chunk.retire();
      return null;
    }
    map.code.use(memory);
    return island;
  }

  /** Writes what `add` has changed in the page of `offset` over the program's own bytes; `before` is the page as it was. */
  apply(map: AddressMap, island: Island, offset: number, before: Uint8Array): void {
    const after = this.pageBytes(offset);
    let first = 0;
    while (first < after.length && after[first] === before[first]) first++;
    let last = after.length - 1;
    while (last >= first && after[last] === before[last]) last--;
    if (last < first) return;
    const start = map.pageDown(this.from + offset) + first;
    map.code.patches.push({ island, start, original: before.slice(first, last + 1) });
    map.poke(start, after.slice(first, last + 1));
  }

  override left(code: RewrittenCode): void {
    if (code === this.code) this.retire();
  }
  override retire(): void {
    super.retire();
    this.snapshot.retire();
  }
}
