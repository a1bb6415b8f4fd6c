/**
 * cpio archives of the kinds Linux unpacks as initramfs: newc (070701) and crc (070702), any number of them one after
 * the other with zero padding between (cpio(5), Documentation/driver-api/early-userspace/buffer-format.rst).
 *
 * Only headers and names are read; contents stay in the source. The checksum of crc archives covers contents and is
 * therefore not verified. Names of one inode (same device and number, link count above one) become hard links.
 */
import { SliceContent } from './source.js';
import { TreeBuilder, printable, type TreeOptions } from './tree.js';
import { ArchiveError, type ArchiveEntry, type ByteSource, type EntryType, type RawEntry } from './types.js';

const HEADER = 110;
const MAX_NAME = 65536;
const TRAILER = 'TRAILER!!!';
const S_IFMT = 0o170000;
const TYPES: Record<number, EntryType> = {
  0o100000: 'file',
  0o040000: 'dir',
  0o120000: 'symlink',
  0o020000: 'char',
  0o060000: 'block',
  0o010000: 'fifo',
};

/** Field numbers of the header: thirteen 8-digit hexadecimal numbers after the magic. */
const INO = 0;
const MODE = 1;
const UID = 2;
const GID = 3;
const NLINK = 4;
const MTIME = 5;
const FILESIZE = 6;
const DEVMAJOR = 7;
const DEVMINOR = 8;
const RDEVMAJOR = 9;
const RDEVMINOR = 10;
const NAMESIZE = 11;

export function isCpio(start: Uint8Array): boolean {
  return /^07070[12]/.test(Buffer.from(start.subarray(0, 6)).toString('latin1'));
}

export function readCpio(
  name: string,
  source: ByteSource,
  options: TreeOptions = {},
): { entries: ArchiveEntry[]; warnings: string[] } {
  const tree = new TreeBuilder(name, options);
  const header = new Uint8Array(HEADER);
  let segment = 0;
  let at = 0;
  for (;;) {
    at = skipZeros(source, at);
    if (at >= source.size) break;
    at = readSegment(name, source, at, segment++, tree, header);
  }
  if (segment === 0) throw new ArchiveError(name, 0, 'no cpio archive');
  return { entries: tree.finish(), warnings: tree.warnings };
}

/** Reads entries up to and including a trailer (or the end of the source); returns the offset behind it. */
function readSegment(
  name: string,
  source: ByteSource,
  start: number,
  segment: number,
  tree: TreeBuilder,
  header: Uint8Array,
): number {
  let at = start;
  while (at < source.size) {
    const offset = at;
    if (source.read(header, 0, at, HEADER) < HEADER) throw new ArchiveError(name, at, 'truncated cpio header');
    if (!isCpio(header)) throw new ArchiveError(name, at, 'no cpio header here (newc or crc format)');
    const fields = parseFields(name, header, at);
    const nameSize = fields[NAMESIZE];
    if (nameSize === 0 || nameSize > MAX_NAME) throw new ArchiveError(name, at, `cpio name of ${nameSize} bytes`);
    const path = readText(source, at + HEADER, nameSize);
    if (path === undefined) throw new ArchiveError(name, at, 'truncated cpio name');
    if (!path.endsWith('\0')) throw new ArchiveError(name, at, 'cpio name without its final NUL');
    const clean = path.slice(0, -1);
    const dataStart = align4(at + HEADER + nameSize);
    const size = fields[FILESIZE];
    if (clean === TRAILER) return align4(dataStart + size);
    if (dataStart + size > source.size) {
      throw new ArchiveError(
        name,
        at,
        `'${printable(clean)}' claims ${size} bytes but the archive ends after ${Math.max(0, source.size - dataStart)}`,
      );
    }
    const entry = toEntry(name, source, fields, clean, dataStart, offset);
    if (fields[NLINK] > 1 && entry.type !== 'dir')
      entry.inode = `${segment}:${fields[DEVMAJOR]}:${fields[DEVMINOR]}:${fields[INO]}`;
    tree.add(entry);
    at = align4(dataStart + size);
  }
  tree.warn('the cpio archive ends without a trailer');
  return at;
}

function toEntry(
  name: string,
  source: ByteSource,
  fields: number[],
  path: string,
  dataStart: number,
  offset: number,
): RawEntry {
  const mode = fields[MODE];
  const type = TYPES[mode & S_IFMT];
  if (!type)
    throw new ArchiveError(
      name,
      offset,
      `'${printable(path)}' has the unknown file type 0${(mode & S_IFMT).toString(8)}`,
    );
  const size = fields[FILESIZE];
  const entry: RawEntry = {
    path,
    type,
    mode: mode & 0o7777,
    uid: fields[UID],
    gid: fields[GID],
    mtimeSec: fields[MTIME],
    mtimeNsec: 0,
    size: 0,
    offset,
  };
  if (type === 'file') {
    entry.size = size;
    entry.data = new SliceContent(source, dataStart, size);
  } else if (type === 'symlink') {
    if (size > MAX_NAME) throw new ArchiveError(name, offset, `symbolic link target of ${size} bytes`);
    entry.link = readText(source, dataStart, size)!;
    entry.size = size;
  } else if (type === 'char' || type === 'block') {
    entry.rdevMajor = fields[RDEVMAJOR]!;
    entry.rdevMinor = fields[RDEVMINOR]!;
  }
  return entry;
}

function parseFields(name: string, header: Uint8Array, at: number): number[] {
  const text = Buffer.from(header.buffer, header.byteOffset + 6, HEADER - 6).toString('latin1');
  if (!/^[0-9a-fA-F]{104}$/.test(text)) throw new ArchiveError(name, at, 'cpio header field that is not hexadecimal');
  const fields: number[] = [];
  for (let index = 0; index < 13; index++) fields.push(parseInt(text.slice(index * 8, index * 8 + 8), 16));
  return fields;
}

function readText(source: ByteSource, offset: number, length: number): string | undefined {
  const bytes = Buffer.alloc(length);
  return source.read(bytes, 0, offset, length) === length ? bytes.toString('latin1') : undefined;
}

function skipZeros(source: ByteSource, from: number): number {
  const block = new Uint8Array(65536);
  let at = from;
  for (;;) {
    const count = source.read(block, 0, at, block.length);
    for (let index = 0; index < count; index++) if (block[index] !== 0) return at + index;
    at += count;
    if (count < block.length) return at;
  }
}

function align4(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}
