/**
 * /proc/PID/map_files, numa_maps, pagemap and clear_refs: a process's mappings page by page (fs/proc/task_mmu.c, base.c).
 *
 * Linux oddities: pagemap is binary, 8 bytes a page, and takes whole entries only (EINVAL); the names in map_files are not
 * padded; writing 1 to 5 to clear_refs succeeds whatever there is to clear, and nothing here keeps what it clears.
 */
import { EINVAL, ENOENT, EPERM, errno } from '../../src/abi/errno.js';
import { CAP_SYS_ADMIN } from '../../src/abi/flags/capability.js';
import { DT_LNK } from '../../src/abi/flags/file.js';
import type { MemoryMap, Vma } from '../../src/mm/memory-map.js';
import { VM_SHARED } from '../../src/mm/memory-map.js';
import { capable } from '../../sched/credentials.js';
import type { Task } from '../../sched/task.js';
import { AT_POSITION, OpenFile, type GuestBuffer } from '../file.js';
import type { Inode } from '../inode.js';
import type { Place } from '../mount.js';
import { checkInspect } from './access.js';
import { FIRST_COOKIE, LinkInode, ProcDirectory, type Emit, type ProcSuperBlock } from './nodes.js';
import { memoryOf } from './process-status.js';

const ENTRY = 8;
/** The file of a mapping as a place, where it still has one. */
interface Placed {
  readonly inode?: { readonly lastPlace: Place | null };
}

function residentPages(mm: MemoryMap, { start, end }: Vma): number {
  let pages = 0;
  for (const page of mm.mincore(start, end - start)) pages += page & 1;
  return pages;
}

export function numaMapsText(task: Task): string {
  const mm = memoryOf(task);
  if (mm === null) return '';
  let text = '';
  for (const vma of [...mm.vmas()]) {
    const { start, file, name } = vma;
    text += `${start.toString(16).padStart(8, '0')} default`;
    if (file !== null) text += ` file=${file.describe().path}`;
    else if (name === '[heap]' || name === '[stack]') text += ` ${name.slice(1, -1)}`;
    const pages = residentPages(mm, vma);
    if (pages > 0) {
      text += file === null ? ` anon=${pages} dirty=${pages}` : ` mapped=${pages}`;
      text += ` N0=${pages} kernelpagesize_kB=4`;
    }
    text += '\n';
  }
  return text;
}

export function clearRefs(_task: Task, _writer: Task, value: string): void {
  if (!/^\s*[1-5]\s*$/.test(value)) throw errno(EINVAL);
}

const PRESENT = 1n << 63n;
const OF_FILE = 1n << 61n;
const EXCLUSIVE = 1n << 56n;
const SOFT_DIRTY = 1n << 55n;

export class PagemapFile extends OpenFile {
  private readonly task: Task;

  constructor(inode: Inode, flags: number, task: Task) {
    super(inode, null, flags);
    this.task = task;
  }
  /** Frame numbers are hidden, as from everybody without CAP_SYS_ADMIN. */
  private entries(mm: MemoryMap, first: number, bytes: Buffer): void {
    const { pageSize } = mm.platform;
    const from = first * pageSize;
    const to = from + (bytes.length / ENTRY) * pageSize;
    for (const vma of [...mm.vmas()]) {
      const start = Math.max(from, vma.start);
      const end = Math.min(to, vma.end);
      if (start >= end) continue;
      const kind = vma.file !== null || (vma.flags & VM_SHARED) !== 0 ? OF_FILE : EXCLUSIVE;
      mm.mincore(start, end - start).forEach((page, i) => {
        const entry = SOFT_DIRTY | ((page & 1) === 0 ? 0n : PRESENT | kind);
        bytes.writeBigUInt64LE(entry, ((start - from) / pageSize + i) * ENTRY);
      });
    }
  }
  override read(_task: Task, into: GuestBuffer, offset: number): number {
    const at = offset === AT_POSITION ? this.position : offset;
    if (at % ENTRY !== 0 || into.remaining % ENTRY !== 0) throw errno(EINVAL);
    const mm = memoryOf(this.task);
    if (mm === null) return 0;
    const left = Math.ceil(mm.platform.taskSize / mm.platform.pageSize) * ENTRY - at;
    const bytes = Buffer.alloc(Math.max(0, Math.min(into.remaining, left, 64 * 1024)));
    if (bytes.length === 0) return 0;
    this.entries(mm, at / ENTRY, bytes);
    const moved = into.put(bytes, 0, bytes.length);
    if (offset === AT_POSITION) this.position += moved;
    return moved;
  }
  override seek(_task: Task, offset: number, whence: number): number {
    return this.seekWithoutEnd(offset, whence);
  }
  override get seekable(): boolean {
    return true;
  }
  override get splices(): boolean {
    return false;
  }
}

const rangeOf = ({ start, end }: Vma): string => `${start.toString(16)}-${end.toString(16)}`;

export class MapFilesDirectory extends ProcDirectory {
  private readonly task: Task;

  constructor(sb: ProcSuperBlock, ino: number, task: Task) {
    super(sb, ino, 0o500, task.creds.euid, task.creds.egid);
    this.task = task;
  }
  private mappings(reader: Task): Vma[] {
    checkInspect(reader, this.task);
    return [...(memoryOf(this.task)?.vmas() ?? [])].filter(({ file }) => file !== null && file.describe().path !== '');
  }
  lookup(name: string, task: Task): Inode | null {
    const index = this.mappings(task).findIndex((vma) => rangeOf(vma) === name);
    if (index < 0) return null;
    const find = (reader: Task): Vma => {
      const now = this.mappings(reader).find((vma) => rangeOf(vma) === name);
      if (now === undefined) throw errno(ENOENT);
      return now;
    };
    const follow = (reader: Task): Place => {
      // Paths lead through directories that the reader may not pass otherwise.
      if (!capable(reader.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
      const place = (find(reader).file as Placed).inode?.lastPlace ?? null;
      if (place === null) throw errno(ENOENT);
      return place;
    };
    const source = { readlink: (reader: Task) => find(reader).file!.describe().path, follow };
    return new LinkInode(this.sb, this.inoOf(index), source, 0o400, this.uid, this.gid, 64);
  }
  iterate(cookie: number, reader: Task, emit: Emit): void {
    for (const [index, vma] of this.mappings(reader).entries()) {
      const next = FIRST_COOKIE + index + 1;
      if (next > cookie && !emit(rangeOf(vma), this.inoOf(index), DT_LNK, next)) return;
    }
  }
  private inoOf(index: number): number {
    return this.ino * 65536 + index + 1;
  }
}
