/** A fact: what is known of one path as it was when the recording began, and how that becomes an entry of an archive. */
import type { ArchName } from '../abi/types.js';
import type { ArchiveEntry, EntryType } from '../../fs/archive/types.js';
import type { Content } from './contents.js';
import { stubProgram } from './stub-program.js';

export interface Fact {
  type: EntryType;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  link: string;
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
  link: '',
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
    entry.link = fact.link || 'unknown';
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

/** What a script that was read names behind its #!. */
export function interpreter(fact: Fact): string {
  return /^#!\s*(\S+)/.exec(fact.content?.head(256) ?? '')?.[1] ?? '';
}
