/**
 * What every archive reader gives: entries in the order a filesystem can create them, with contents that are read on use.
 *
 * Invariants: paths are byte strings relative to the root without `.`, `..`, empty components or NUL; a parent always
 * comes before its children; no path occurs twice; a hard link's target came before it and is a file or special file.
 * Readers hold metadata only: however large an archive claims its files to be, memory stays proportional to the
 * number of entries, and nothing is ever written to the host.
 */
import type { ByteString } from '../../src/abi/types.js';

export type EntryType = 'file' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo';

export interface ArchiveEntry {
  /** No leading slash; '' is the root directory itself. */
  path: ByteString;
  type: EntryType;
  /** Permission bits including set-uid, set-gid and sticky: 0 to 0o7777. */
  mode: number;
  uid: number;
  gid: number;
  mtimeSec: number;
  mtimeNsec: number;
  /** Of a file: its length. Of a symbolic link: the target's length. Otherwise 0. */
  size: number;
  /** Target of a symbolic link (any bytes but NUL), or path of the entry that a hard link names. */
  link?: ByteString;
  rdevMajor?: number;
  rdevMinor?: number;
  data?: FileContent;
  xattrs?: ReadonlyMap<ByteString, Uint8Array>;
}

export interface Extent {
  offset: number;
  length: number;
}

export interface FileContent {
  readonly size: number;
  /**
   * Reads bytes [offset, offset + length) into `dst` at `dstOffset`, synchronously; holes read as zeros.
   * Returns how many were read: fewer at the end of the content (or when a host file shrank meanwhile).
   */
  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number;
  /** The parts that may hold data, ascending; the rest is holes. Absent: everything is data. */
  extents?(): Iterable<Extent>;
}

/** Random access to the bytes of an archive. `read` follows the rule of FileContent. */
export interface ByteSource {
  readonly size: number;
  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number;
}

export type ArchiveFormat = 'image' | 'cpio' | 'tar' | 'directory';

export interface Archive {
  readonly format: ArchiveFormat;
  /** What the user called it, for messages. */
  readonly name: string;
  readonly entries: readonly ArchiveEntry[];
  /** Things left out or changed, one sentence each; at most a few dozen are kept. */
  readonly warnings: readonly string[];
  /** Gives back host descriptors. Contents cannot be read afterwards. */
  close(): void;
}

/** A malformed archive: the message names the archive and the byte offset of what is wrong. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
  readonly archive: string;
  readonly offset: number | undefined;

  constructor(archive: string, offset: number | undefined, problem: string) {
    super(`${archive}: ${problem}${offset === undefined ? '' : ` (at byte ${offset})`}`);
    this.archive = archive;
    this.offset = offset;
  }
}

/** An entry as a format's parser reports it: names unchecked, duplicates possible. */
export interface RawEntry extends ArchiveEntry {
  /** Where its header starts, for messages. */
  offset: number;
  /** Entries of the same key are one inode (cpio). */
  inode?: string;
}
