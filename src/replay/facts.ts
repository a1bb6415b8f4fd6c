/** A fact: what is known of one path as it was when the recording began, and how that becomes an entry of an archive. */
import type { ArchName } from '../abi/types.js';
import type { ArchiveEntry, EntryType } from '../../fs/archive/types.js';
import type { Content } from './contents.js';
import { stubProgram } from './stub-program.js';

/** Types of files as modes name them, and directory entries. */
export const MODES: Readonly<Record<string, EntryType>> = {
  S_IFREG: 'file',
  S_IFDIR: 'dir',
  S_IFLNK: 'symlink',
  S_IFCHR: 'char',
  S_IFBLK: 'block',
  S_IFIFO: 'fifo',
};
export const TYPES: Readonly<Record<string, EntryType>> = {
  DT_REG: 'file',
  DT_DIR: 'dir',
  DT_LNK: 'symlink',
  DT_CHR: 'char',
  DT_BLK: 'block',
  DT_FIFO: 'fifo',
};
/** Fields of structs that tell nothing here. */
const NEEDLESS: ReadonlySet<string> = new Set([
  ...['st_blksize', 'st_blocks', 'd_ino', 'd_off', 'd_reclen'],
  ...['st_atime', 'st_mtime', 'st_ctime', 'st_atime_nsec', 'st_mtime_nsec', 'st_ctime_nsec'],
  ...['stx_mask', 'stx_blksize', 'stx_attributes', 'stx_blocks', 'stx_attributes_mask'],
  ...['stx_atime', 'stx_btime', 'stx_ctime', 'stx_mtime', 'stx_mnt_id'],
]);
export const needless = (field: string): boolean => NEEDLESS.has(field);

export interface Fact {
  type: EntryType;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  /** Written by the recording, through whatever name. */
  changed: boolean;
  link: string;
  /** What is known of a link's text that nobody read whole. */
  shown: string;
  /** Where what it leads to lies then. */
  hidden: string;
  rdev: bigint;
  program: boolean;
  /** What was read of it. */
  content: Content | null;
  /** Names in the order they were listed. */
  names: string[];
}
export const newFact = (type: EntryType, mode: number): Fact => ({
  type,
  mode,
  uid: 0,
  gid: 0,
  size: -1,
  changed: false,
  link: '',
  shown: '',
  hidden: '',
  rdev: 0n,
  program: false,
  content: null,
  names: [],
});
export function entryOf(path: string, fact: Fact, arch: ArchName): ArchiveEntry {
  const entry: ArchiveEntry = {
    path: path.slice(1),
    type: fact.type,
    mode: fact.mode & 0o7777,
    uid: fact.uid,
    gid: fact.gid,
    mtimeSec: 1_600_000_000,
    mtimeNsec: 0,
    size: 0,
  };
  if (fact.type === 'symlink') {
    // As long as its st_size: its text leads nowhere (arrange.ts).
    entry.link = fact.link || fact.shown.padEnd(Math.max(fact.size, 1), '_');
    entry.size = entry.link.length;
  } else if (fact.type === 'char' || fact.type === 'block') {
    entry.rdevMajor = Number((fact.rdev >> 8n) & 0xfffn);
    entry.rdevMinor = Number((fact.rdev & 0xffn) | ((fact.rdev >> 12n) & 0xffff_ff00n));
  } else if (fact.type === 'file') {
    // A script is what was read of it; its interpreter is the stub.
    const stub = fact.program && interpreter(fact) === '' ? stubProgram(arch) : null;
    const size = Math.max(fact.size, stub?.length ?? 0, 0);
    entry.size = size;
    entry.data = {
      size,
      read(dst, dstOffset, offset, length) {
        const n = Math.max(0, Math.min(length, size - offset));
        dst.fill(0, dstOffset, dstOffset + n);
        fact.content?.read(dst, dstOffset, offset, n);
        if (stub !== null && offset < stub.length) dst.set(stub.subarray(offset, offset + n), dstOffset);
        return n;
      },
    };
  }
  return entry;
}

/** One more name of what has been entered as `first`. */
export function hardLink(path: string, first: string, { mode, uid, gid }: Fact): ArchiveEntry {
  const link = first.slice(1);
  return { path: path.slice(1), type: 'hardlink', link, mode, uid, gid, mtimeSec: 0, mtimeNsec: 0, size: 0 };
}

/** What a script that was read names behind its #!. */
export function interpreter(fact: Fact): string {
  return /^#!\s*(\S+)/.exec(fact.content?.head(256) ?? '')?.[1] ?? '';
}
/** `/a/./b/../c` without its dots; the text decides, as nobody knows the links. */
export function normal(path: string): string {
  if (path.startsWith('/') && !/\/(?:\.{0,2})(?:\/|$)/.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}
