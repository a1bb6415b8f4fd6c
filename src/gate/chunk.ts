/**
 * A chunk of a file's code and everything the gate has made for it: the rewritten pages, and the island of trampolines they
 * jump to, at a fixed distance from the code in every address space.
 *
 * Rewritten code is never changed in place where a process may run it: a new site gives its page a new frame, and `image`, one
 * contiguous copy of the whole chunk for programs started later, is made anew when enough pages have changed. Islands only
 * grow, in places nothing has jumped to yet.
 */
import type { FrameAllocator } from '../mm/frames.js';
import { SharedFrames, type IslandOwner, type RewrittenCode } from '../mm/rewritten-code.js';
import type { PageState, Reason, SiteCode, SitePlan } from './site-code.js';

/** Where the code comes from: a FileMapping, or private memory. */
export interface CodeSource {
  /** The frame with the page at `offset`. */
  frameAt(offset: number): number;
}

/** A rewritten system call instruction; offsets in the chunk and in its island. */
export interface Site {
  readonly offset: number;
  readonly trampoline: number;
  readonly plan: SitePlan;
}

/** Whether an island could lie at [start, start + length) of a process. */
export type Fits = (start: number, length: number) => boolean;

/** How far from code at `address` its island is to be: where it can be in the process at hand, if anywhere. */
export function islandDistance(code: SiteCode, address: number, turn: number, length: number, fits: Fits): number {
  const distances = code.distances(address, turn);
  return distances.find((distance) => fits(address + distance, length)) ?? distances[0];
}

const GRANULE = 16;
/** Stands for the chunk's address where only distances matter. */
const BASE = 2 ** 44;
/** A new image is made for a new mapping when so many sites are missing in the old one, or so many mappings came since. */
const STALE_SITES = 3;
const STALE_USES = 4;

export class Chunk implements IslandOwner {
  version = 0;
  /** Version of `image`. */
  imageVersion = 0;
  /** Version in which each page was rewritten last. */
  private readonly changedAt = new Map<number, number>();
  readonly file: CodeSource;
  readonly from: number;
  readonly to: number;
  /** Distance from the chunk's first byte to its island's. */
  readonly distance: number;
  readonly islandLength: number;
  readonly island: SharedFrames;
  /** By offset in the chunk. */
  readonly sites = new Map<number, Site>();
  readonly refused = new Map<number, Reason>();
  private readonly siteCode: SiteCode;
  private readonly frames: FrameAllocator;
  private readonly gate: number;
  private readonly channels: number;
  private readonly trampolines = new Map<number, Site>(); // by granule of the island
  private readonly usedGranules: Uint8Array;
  private readonly usedPages: Uint8Array;
  private readonly pages = new Map<number, SharedFrames>();
  private readonly overwritten = new Uint8Array(0x10_0000 >> 3);
  private image: SharedFrames | null = null;
  private missing = 0;
  private uses = 0;

  constructor(options: {
    siteCode: SiteCode;
    file: CodeSource;
    frames: FrameAllocator;
    from: number;
    to: number;
    distance: number;
    island: SharedFrames;
    gate: number;
    channels: number;
  }) {
    const { file, frames, from, to, island } = options;
    this.siteCode = options.siteCode;
    this.file = file;
    this.frames = frames;
    this.from = from;
    this.to = to;
    this.gate = options.gate;
    this.channels = options.channels;
    this.distance = options.distance;
    this.islandLength = island.extent.length;
    this.island = island;
    this.usedGranules = new Uint8Array(this.islandLength / GRANULE);
    this.usedPages = new Uint8Array(this.islandLength / frames.pageSize);
  }

  /** Rewrites the system call at `offset`. Returns the reason if it cannot be. */
  add(offset: number): Reason | null {
    const known = this.refused.get(offset);
    if (known !== undefined) return known;
    const reason = this.tryAdd(offset);
    if (reason !== null) this.refused.set(offset, reason);
    return reason;
  }

  private tryAdd(offset: number): Reason | null {
    const { pageSize, physical } = this.frames;
    const page = offset - (offset % pageSize);
    const original = this.file.frameAt(this.from + page);
    const code = physical.bytes.subarray(original, original + pageSize);
    const within = offset - page;
    const state: PageState = { overwritten: (at, length) => this.anyOverwritten(page + at, length) };
    const plan = this.siteCode.plan(code, within, state);
    if (typeof plan === 'string') return plan;
    for (const [at, length] of plan.overwrites)
      if (this.anyOverwritten(offset + at, length)) return 'overlaps another site';
    const place = this.place(offset, plan);
    if (place < 0) return 'no room';
    let text: Uint8Array;
    try {
      text = plan.emit(BASE + this.distance + place, BASE + offset, this.gate, this.channels);
    } catch (error) {
      if (error instanceof RangeError) return 'out of reach';
      throw error;
    }
    const copy = SharedFrames.allocate(this.frames, pageSize);
    if (copy === null) return 'no room';
    const frame = copy.extent;
    const start = this.island.extent.offset + place;
    // No memmove: with SVE registers, an emulator may not see what it writes (test/aarch64/README.md).
    for (let i = 0; i < text.length; i++) physical.bytes[start + i] = text[i];
    physical.codeWritten(start, text.length);
    const site: Site = { offset, trampoline: place, plan };
    for (let at = place; at < place + text.length; at += GRANULE) {
      this.usedGranules[at / GRANULE] = 1;
      this.usedPages[Math.floor(at / pageSize)] = 1;
      this.trampolines.set(at / GRANULE, site);
    }
    this.sites.set(offset, site);
    // The page as it was so far, with one more site.
    const source = this.pageFrame(page);
    physical.bytes.copyWithin(frame.offset, source, source + pageSize);
    const view = new DataView(physical.bytes.buffer, physical.bytes.byteOffset + frame.offset, pageSize);
    plan.write(view, within, this.distance + place - offset);
    for (const [at, length] of plan.overwrites) this.markOverwritten(offset + at, length);
    this.pages.get(page)?.retire();
    this.pages.set(page, copy);
    this.missing++;
    this.version++;
    this.changedAt.set(page, this.version);
    return null;
  }

  /** The rewritten page with the site at `offset`, to be mapped over the one a process runs from; null when there is no memory for it. */
  page(offset: number): SharedFrames | null {
    const page = offset - (offset % this.frames.pageSize);
    return this.pages.get(page) ?? this.pageOfImage(page);
  }

  /** All of the chunk in one run, as new as it need be; null when there is no memory for it. */
  whole(): SharedFrames | null {
    this.uses++;
    if (this.image !== null && (this.missing === 0 || (this.missing < STALE_SITES && this.uses < STALE_USES)))
      return this.image;
    return this.newest() ?? this.image;
  }
  newest(): SharedFrames | null {
    if (this.image !== null && this.missing === 0) return this.image;
    const image = SharedFrames.allocate(this.frames, this.to - this.from);
    if (image === null) return null;
    const { extent } = image;
    const { bytes } = this.frames.physical;
    const { pageSize } = this.frames;
    for (let at = 0; at < extent.length; at += pageSize) {
      const source = this.pageFrame(at);
      bytes.copyWithin(extent.offset + at, source, source + pageSize);
    }
    this.image?.retire();
    for (const page of this.pages.values()) page.retire();
    this.pages.clear();
    this.image = image;
    this.imageVersion = this.version;
    this.missing = this.uses = 0;
    return image;
  }

  changes(version: number, visit: (offset: number, frames: SharedFrames) => void): void {
    for (const [page, changed] of this.changedAt) {
      if (changed <= version) continue;
      const frames = this.page(page);
      if (frames !== null) visit(page, frames);
    }
  }

  /** Where a thread goes on that was sent to `offset`, inside a rewritten site: an island offset, or -1. */
  landing(offset: number): number {
    for (let back = 1; back < this.siteCode.siteLength; back++) {
      const site = this.sites.get(offset - back);
      const landing = site?.plan.landing(back) ?? -1;
      if (landing >= 0) return site!.trampoline + landing;
    }
    return -1;
  }

  /** The site whose trampoline is at `at` in the island. */
  siteAt(at: number): Site | undefined {
    return this.trampolines.get(Math.floor(at / GRANULE));
  }
  /** The offset in the code that stands for `at` in the island: the system call itself in front of the gate. -1: nothing's. */
  original(at: number): number {
    const site = this.siteAt(at);
    return site === undefined ? -1 : site.offset + site.plan.original(at - site.trampoline);
  }

  /** A free place for the trampoline of the site at `offset`, or -1. */
  private place(offset: number, { size, jumpAt, windows }: SitePlan): number {
    const granules = Math.ceil(size / GRANULE);
    const { pageSize } = this.frames;
    const jump = offset + jumpAt;
    let fallback = -1;
    for (const [from, to] of windows ?? [[-jump, this.islandLength - jump] as const]) {
      for (let granule = Math.ceil((jump + from) / GRANULE); granule * GRANULE < jump + to; granule++) {
        if (!this.free(granule, granules)) continue;
        const at = granule * GRANULE;
        if (this.usedPages[Math.floor(at / pageSize)] === 1) return at;
        if (fallback < 0) fallback = at;
        break;
      }
    }
    return fallback;
  }
  private free(granule: number, count: number): boolean {
    if (granule + count > this.usedGranules.length) return false;
    for (let i = 0; i < count; i++) if (this.usedGranules[granule + i] !== 0) return false;
    return true;
  }

  private anyOverwritten(offset: number, length: number): boolean {
    for (let at = offset; at < offset + length; at++)
      if ((this.overwritten[at >> 3] & (1 << (at & 7))) !== 0) return true;
    return false;
  }
  private markOverwritten(offset: number, length: number): void {
    for (let at = offset; at < offset + length; at++) this.overwritten[at >> 3] |= 1 << (at & 7);
  }

  /** A copy of the page with the site at `offset`, as rewritten so far. */
  pageBytes(offset: number): Uint8Array {
    const { pageSize, physical } = this.frames;
    const frame = this.pageFrame(offset - (offset % pageSize));
    return physical.bytes.slice(frame, frame + pageSize);
  }
  private pageFrame(page: number): number {
    const newer = this.pages.get(page);
    if (newer !== undefined) return newer.extent.offset;
    if (this.image !== null) return this.image.extent.offset + page;
    return this.file.frameAt(this.from + page);
  }
  private pageOfImage(page: number): SharedFrames | null {
    const copy = SharedFrames.allocate(this.frames, this.frames.pageSize);
    if (copy === null) return null;
    const { extent } = copy;
    const source = this.pageFrame(page);
    this.frames.physical.bytes.copyWithin(extent.offset, source, source + extent.length);
    this.pages.set(page, copy);
    return copy;
  }

  /** Its file's other mappings go on with it. */
  left(_code: RewrittenCode): void {}

  retire(): void {
    this.island.retire();
    this.image?.retire();
    for (const page of this.pages.values()) page.retire();
  }
}
