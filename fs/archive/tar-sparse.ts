/**
 * Sparse files in tar archives: GNU's old header type 'S' (extents in the header and in extension blocks behind it) and
 * its three pax forms: 0.0 (repeated offset/numbytes records), 0.1 (one map record), 1.0 (a text map before the data).
 * The number of extents an entry may have is bounded, and they are checked before anything relies on them.
 */
import type { StoredExtent } from './source.js';
import { BLOCK, number, type TarHeader } from './tar.js';
import type { PaxState } from './tar-pax.js';
import { ArchiveError, type ByteSource, type Extent } from './types.js';

const MAX_EXTENTS = 1 << 20;
const MAX_MAP_TEXT = 32 << 20;

export interface SparseMap {
  size: number;
  extents: Extent[];
  /** Where the data of the first extent is stored; the others follow without gaps. */
  dataStart: number;
}

/** Adds the place in the archive; throws unless extents ascend, do not overlap, and have all their data stored. */
export function checkExtents(name: string, header: TarHeader, map: SparseMap, stored: number): StoredExtent[] {
  const result: StoredExtent[] = [];
  let end = 0;
  let used = 0;
  for (const { offset, length } of map.extents) {
    if (offset < end || offset + length > map.size)
      throw new ArchiveError(name, header.offset, 'sparse map out of order or beyond the file');
    if (used + length > stored)
      throw new ArchiveError(name, header.offset, 'sparse map that covers more than what is stored');
    if (length > 0) result.push({ offset, length, stored: map.dataStart + used });
    end = offset + length;
    used += length;
  }
  return result;
}

export function gnuSparseExtents(name: string, source: ByteSource, header: TarHeader): SparseMap {
  const extents: Extent[] = [];
  const size = number(name, header.offset, header.block, 483, 12, 'real size');
  if (size < 0) throw new ArchiveError(name, header.offset, 'negative real size');
  readTriples(name, header, header.block, 386, 4, extents);
  let extended = header.block[482] !== 0;
  let at = header.dataStart;
  const block = new Uint8Array(BLOCK);
  while (extended) {
    if (source.read(block, 0, at, BLOCK) < BLOCK) throw new ArchiveError(name, at, 'truncated sparse map');
    readTriples(name, header, block, 0, 21, extents);
    extended = block[504] !== 0;
    at += BLOCK;
  }
  return { size, extents, dataStart: at };
}

function readTriples(
  name: string,
  header: TarHeader,
  block: Uint8Array,
  start: number,
  count: number,
  out: Extent[],
): void {
  for (let index = 0; index < count; index++) {
    const at = start + index * 24;
    if (block[at] === 0) return;
    const offset = number(name, header.offset, block, at, 12, 'sparse offset');
    out.push({ offset, length: number(name, header.offset, block, at + 12, 12, 'sparse length') });
    if (out.at(-1)!.length < 0) throw new ArchiveError(name, header.offset, 'negative sparse length');
    if (out.length > MAX_EXTENTS)
      throw new ArchiveError(name, header.offset, `more than ${MAX_EXTENTS} sparse extents`);
  }
}

/** The map of a pax sparse file, or undefined for a plain file. */
export function paxSparse(name: string, source: ByteSource, header: TarHeader, state: PaxState): SparseMap | undefined {
  const size = decimal(name, header, state.get('GNU.sparse.realsize') ?? state.get('GNU.sparse.size'));
  if (state.get('GNU.sparse.major') === '1') {
    if (size === undefined) throw new ArchiveError(name, header.offset, 'sparse file without its real size');
    return { size, ...mapBeforeData(name, source, header) };
  }
  if (size === undefined) return undefined;
  const map = state.get('GNU.sparse.map');
  const values = map !== undefined ? map.split(',') : state.sparseList.map(([, value]) => value);
  return {
    size,
    extents: pairs(
      name,
      header,
      values.filter((value) => value !== ''),
    ),
    dataStart: header.dataStart,
  };
}

/** Version 1.0: decimal lines (count, then offset and length of each) in front of the data, padded to a block. */
function mapBeforeData(name: string, source: ByteSource, header: TarHeader): { extents: Extent[]; dataStart: number } {
  const limit = Math.min(header.size, MAX_MAP_TEXT);
  const values: string[] = [];
  const block = Buffer.alloc(BLOCK);
  let rest = '';
  let wanted = 1;
  let at = 0;
  while (values.length < wanted) {
    if (at >= limit) throw new ArchiveError(name, header.offset, 'sparse map without an end');
    source.read(block, 0, header.dataStart + at, BLOCK);
    at += BLOCK;
    const lines = (rest + block.toString('latin1')).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (values.length === wanted) break;
      values.push(line);
      if (values.length === 1) wanted = 1 + 2 * (decimal(name, header, line) ?? 0);
    }
    if (rest.length > 20 && values.length < wanted) throw new ArchiveError(name, header.offset, 'malformed sparse map');
  }
  return { extents: pairs(name, header, values.slice(1)), dataStart: header.dataStart + at };
}

function pairs(name: string, header: TarHeader, values: string[]): Extent[] {
  if (values.length % 2 !== 0 || values.length > 2 * MAX_EXTENTS)
    throw new ArchiveError(name, header.offset, 'malformed sparse map');
  const extents: Extent[] = [];
  for (let index = 0; index < values.length; index += 2) {
    extents.push({ offset: decimal(name, header, values[index])!, length: decimal(name, header, values[index + 1])! });
  }
  return extents;
}

function decimal(name: string, header: TarHeader, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,15}$/.test(value)) throw new ArchiveError(name, header.offset, 'malformed number in a sparse map');
  return Number(value);
}
