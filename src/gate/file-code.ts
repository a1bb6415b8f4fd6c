/**
 * The rewritten code of one file, in chunks of at most 1 MiB: what mm maps instead of the file's own pages where a program is
 * to run it.
 */
import type { FileMapping } from '../mm/file-mapping.js';
import type { FrameAllocator } from '../mm/frames.js';
import {
  SharedFrames,
  type CodePiece,
  type CodeShadow,
  type Island,
  type RewrittenCode,
} from '../mm/rewritten-code.js';
import { Chunk, islandDistance, type Fits } from './chunk.js';
import type { SiteCode } from './site-code.js';

const CHUNK = 2 ** 20;
/** Rewritten copies may take this share of what memory is free. */
const MEMORY_SHARE = 8;

export class FileCode implements CodeShadow {
  private readonly chunks: Chunk[] = [];
  private readonly siteCode: SiteCode;
  private readonly file: FileMapping;
  private readonly frames: FrameAllocator;
  private readonly gate: number;
  private readonly channels: number;

  constructor(siteCode: SiteCode, file: FileMapping, frames: FrameAllocator, gate: number, channels: number) {
    this.siteCode = siteCode;
    this.file = file;
    this.frames = frames;
    this.gate = gate;
    this.channels = channels;
  }

  chunkAt(offset: number): Chunk | null {
    for (const chunk of this.chunks) if (offset >= chunk.from && offset < chunk.to) return chunk;
    return null;
  }

  /** The chunk of the page at `offset`, made for code that spans [from, to) of the file and has that page at `address`. */
  makeChunk(offset: number, from: number, to: number, address: number, fits: Fits): Chunk | null {
    const existing = this.chunkAt(offset);
    if (existing !== null) return existing;
    let start = Math.max(from, offset - (offset % CHUNK));
    let end = Math.min(to, start - (start % CHUNK) + CHUNK);
    for (const chunk of this.chunks) {
      if (chunk.to > start && chunk.to <= offset) start = chunk.to;
      if (chunk.from < end && chunk.from > offset) end = chunk.from;
    }
    const { siteCode } = this;
    const island = siteCode.islandLength(end - start, this.frames.pageSize);
    if ((island + end - start) * MEMORY_SHARE > this.frames.freeBytes) return null;
    const memory = SharedFrames.allocate(this.frames, island);
    if (memory === null) return null;
    const { file, frames, gate, channels } = this;
    const turn = Math.floor(offset / CHUNK) % 2;
    const distance = islandDistance(siteCode, address - (offset - start), turn, island, fits);
    const chunk = new Chunk({ siteCode, file, frames, from: start, to: end, distance, island: memory, gate, channels });
    this.chunks.push(chunk);
    return chunk;
  }

  pieceAt(code: RewrittenCode, address: number, offset: number, max: number): CodePiece {
    const chunk = this.chunkAt(offset);
    if (chunk === null) {
      let length = max;
      for (const { from } of this.chunks) if (from > offset && from - offset < length) length = from - offset;
      return { frame: -1, length };
    }
    const length = Math.min(max, chunk.to - offset);
    const image = chunk.sites.size > 0 ? chunk.whole() : null;
    if (image === null || !this.mapIsland(code, chunk, address - (offset - chunk.from), chunk.imageVersion))
      return { frame: -1, length };
    code.use(image);
    return { frame: image.extent.offset + (offset - chunk.from), length };
  }

  /** Sees to the island of `chunk`, whose code begins at `codeStart` and is of `version`; false when its place is taken. */
  mapIsland(code: RewrittenCode, chunk: Chunk, codeStart: number, version: number): boolean {
    if (code.islandOf(chunk, codeStart) !== undefined) return true;
    const start = codeStart + chunk.distance;
    const island: Island = {
      start,
      end: start + chunk.islandLength,
      codeStart,
      codeEnd: codeStart + (chunk.to - chunk.from),
      owner: chunk,
      version,
      fragments: 0,
    };
    if (!code.addIsland(island, chunk.island.extent.offset)) return false;
    code.use(chunk.island);
    return true;
  }

  retire(): void {
    for (const chunk of this.chunks) chunk.retire();
  }
}
