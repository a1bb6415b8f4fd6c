/**
 * tar archives: v7, ustar, GNU (long names and links, sparse files, base-256 numbers, increments) and pax (any of
 * path, linkpath, size, uid, gid, mtime in nanoseconds, SCHILY.xattr.*, GNU.sparse.* 0.0, 0.1 and 1.0), as tar(5) and
 * GNU tar's manual describe them.
 *
 * Only headers are read; contents stay in the source. Every size is checked against the source before it is believed.
 */
import { SliceContent, SparseContent } from './source.js';
import { PaxState, applyPax, parsePax } from './tar-pax.js';
import { checkExtents, gnuSparseExtents, paxSparse } from './tar-sparse.js';
import { TreeBuilder, printable, type TreeOptions } from './tree.js';
import { ArchiveError, type ArchiveEntry, type ByteSource, type EntryType, type RawEntry } from './types.js';

export const BLOCK = 512;
/** Longest pax header, GNU long name or long link that is read into memory. */
const MAX_META = 1 << 20;

const TYPES: Record<string, EntryType> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  D: 'dir',
  '6': 'fifo',
};

export interface TarHeader {
  offset: number;
  block: Uint8Array;
  flag: string;
  path: string;
  link: string;
  size: number;
  /** Where the entry's stored bytes start. */
  dataStart: number;
}

/** Does this block hold a tar header? The checksum decides: v7 archives have no magic. */
export function isTar(block: Uint8Array): boolean {
  return block.length >= BLOCK && block.subarray(0, BLOCK).some((byte) => byte !== 0) && checksumMatches(block);
}

export function readTar(
  name: string,
  source: ByteSource,
  options: TreeOptions = {},
): { entries: ArchiveEntry[]; warnings: string[] } {
  const tree = new TreeBuilder(name, options);
  const state = new PaxState();
  let longName: string | undefined;
  let longLink: string | undefined;
  let at = 0;
  let zeroBlocks = 0;
  while (at < source.size) {
    const block = new Uint8Array(BLOCK);
    const count = source.read(block, 0, at, BLOCK);
    if (count < BLOCK) throw new ArchiveError(name, at, 'truncated tar header');
    if (block.every((byte) => byte === 0)) {
      at += BLOCK;
      if (++zeroBlocks === 2) break;
      continue;
    }
    zeroBlocks = 0;
    if (!checksumMatches(block)) throw new ArchiveError(name, at, 'no tar header here (the checksum is wrong)');
    const header = parseHeader(name, source, at, block);
    const meta = 'xgLKXVMN'.includes(header.flag);
    if (!meta && state.size !== undefined) header.size = state.size;
    checkInside(name, source, header, meta);
    at = header.dataStart + Math.ceil(header.size / BLOCK) * BLOCK;
    if (header.flag === 'x' || header.flag === 'X')
      state.setLocal(parsePax(name, header.offset, readMeta(name, source, header)));
    else if (header.flag === 'g') state.setGlobal(parsePax(name, header.offset, readMeta(name, source, header)));
    else if (header.flag === 'L') longName = cString(readMeta(name, source, header));
    else if (header.flag === 'K') longLink = cString(readMeta(name, source, header));
    else if (meta)
      tree.warn(
        `tar entry of type '${printable(header.flag)}' left out (volume labels and continuations have no meaning here)`,
      );
    else {
      if (longName !== undefined) header.path = longName;
      if (longLink !== undefined) header.link = longLink;
      const entry = toEntry(name, source, header, state, tree);
      if (entry) {
        at = Math.max(at, entry.end);
        tree.add(entry.raw);
      }
      longName = longLink = undefined;
      state.endEntry();
    }
  }
  if (zeroBlocks === 0) tree.warn('the tar archive ends without its end mark');
  return { entries: tree.finish(), warnings: tree.warnings };
}

function checkInside(name: string, source: ByteSource, header: TarHeader, meta: boolean): void {
  if (header.dataStart + header.size > source.size) {
    const rest = source.size - header.dataStart;
    throw new ArchiveError(
      name,
      header.offset,
      `'${printable(header.path)}' claims ${header.size} bytes but the archive ends after ${rest}`,
    );
  }
  if (meta && header.size > MAX_META)
    throw new ArchiveError(name, header.offset, `extended header of ${header.size} bytes (at most ${MAX_META})`);
}

function toEntry(
  name: string,
  source: ByteSource,
  header: TarHeader,
  state: PaxState,
  tree: TreeBuilder,
): { raw: RawEntry; end: number } | undefined {
  const { block } = header;
  let type = TYPES[header.flag];
  if (!type) {
    tree.warn(`'${printable(header.path)}' of the unknown tar type '${printable(header.flag)}' taken as a file`);
    type = 'file';
  }
  if (type === 'file' && header.path.endsWith('/') && header.flag !== 'S') type = 'dir'; // v7 directories
  const raw: RawEntry = {
    path: header.path,
    type,
    mode: number(name, header.offset, block, 100, 8, 'mode') & 0o7777,
    uid: number(name, header.offset, block, 108, 8, 'uid'),
    gid: number(name, header.offset, block, 116, 8, 'gid'),
    mtimeSec: number(name, header.offset, block, 136, 12, 'mtime'),
    mtimeNsec: 0,
    size: 0,
    offset: header.offset,
  };
  let end = 0;
  if (type === 'symlink' || type === 'hardlink') raw.link = header.link;
  if (type === 'char' || type === 'block') {
    raw.rdevMajor = number(name, header.offset, block, 329, 8, 'device major');
    raw.rdevMinor = number(name, header.offset, block, 337, 8, 'device minor');
  }
  applyPax(raw, state);
  if (raw.type === 'symlink') raw.size = raw.link!.length;
  if (type !== 'file') return { raw, end };

  if (header.flag === 'S') {
    const sparse = gnuSparseExtents(name, source, header);
    end = sparse.dataStart + Math.ceil(header.size / BLOCK) * BLOCK;
    if (sparse.dataStart + header.size > source.size)
      throw new ArchiveError(name, header.offset, `'${printable(raw.path)}': its data is truncated`);
    raw.data = new SparseContent(source, sparse.size, checkExtents(name, header, sparse, header.size));
  } else {
    const sparse = paxSparse(name, source, header, state);
    if (sparse) {
      const stored = header.size - (sparse.dataStart - header.dataStart);
      raw.data = new SparseContent(source, sparse.size, checkExtents(name, header, sparse, stored));
    } else raw.data = new SliceContent(source, header.dataStart, header.size);
  }
  raw.size = raw.data.size;
  return { raw, end };
}

function parseHeader(name: string, source: ByteSource, offset: number, block: Uint8Array): TarHeader {
  const flag = String.fromCharCode(block[156]);
  const isUstar = text(block, 257, 6) === 'ustar' && block[263] === 0x30;
  const prefix = isUstar ? text(block, 345, 155) : '';
  const path = prefix === '' ? text(block, 0, 100) : `${prefix}/${text(block, 0, 100)}`;
  // Links, devices and directories have no stored bytes, whatever the field says (as every tar reads them).
  const size = '123456'.includes(flag) ? 0 : number(name, offset, block, 124, 12, 'size');
  if (size < 0) throw new ArchiveError(name, offset, 'negative size');
  return { offset, block, flag, path, link: text(block, 157, 100), size, dataStart: offset + BLOCK };
}

function readMeta(name: string, source: ByteSource, header: TarHeader): string {
  const bytes = Buffer.alloc(header.size);
  if (source.read(bytes, 0, header.dataStart, header.size) < header.size)
    throw new ArchiveError(name, header.offset, 'truncated extended header');
  return bytes.toString('latin1');
}

function checksumMatches(block: Uint8Array): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let index = 0; index < BLOCK; index++) {
    const byte = index >= 148 && index < 156 ? 0x20 : block[index];
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const stored = parseInt(text(block, 148, 8).trim(), 8);
  return stored === unsigned || stored === signed;
}

function text(block: Uint8Array, start: number, length: number): string {
  return cString(Buffer.from(block.buffer, block.byteOffset + start, length).toString('latin1'));
}

export function cString(value: string): string {
  const end = value.indexOf('\0');
  return end < 0 ? value : value.slice(0, end);
}

/** A header's number: octal text, or base-256 where the first bit is set (two's complement). */
export function number(
  name: string,
  offset: number,
  block: Uint8Array,
  start: number,
  length: number,
  what: string,
): number {
  const first = block[start];
  if (first & 0x80) {
    let value = first & 0x40 ? (first & 0x7f) - 0x80 : first & 0x3f;
    for (let index = 1; index < length; index++) value = value * 256 + block[start + index];
    if (!Number.isSafeInteger(value)) throw new ArchiveError(name, offset, `tar header with a ${what} out of range`);
    return value;
  }
  const digits = text(block, start, length).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw new ArchiveError(name, offset, `tar header with a malformed ${what}`);
  return parseInt(digits, 8);
}
