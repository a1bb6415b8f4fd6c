/**
 * /proc/PID/maps, smaps, cmdline, environ, auxv and mem (fs/proc/task_mmu.c, fs/proc/base.c).
 *
 * Linux oddities: the path of a mapping begins in column 74; cmdline runs on into the environment when a program has
 * overwritten the NUL at its end (setproctitle); a process without memory (zombie) shows empty files.
 */
import { EINVAL, EIO, errno } from '../../src/abi/errno.js';
import { SEEK_CUR, SEEK_SET } from '../../src/abi/flags/file.js';
import {
  VM_DONTDUMP,
  VM_DONTFORK,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
  VM_WIPEONFORK,
  type MemoryMap,
  type Vma,
} from '../../src/mm/memory-map.js';
import type { Task } from '../../sched/task.js';
import { AT_POSITION, OpenFile, type GuestBuffer } from '../file.js';
import type { Inode } from '../inode.js';
import { memoryOf } from './process-status.js';

/** Column (from 0) where the name of a mapping starts. */
const NAME_COLUMN = 73;
const hex8 = (n: number): string => n.toString(16).padStart(8, '0');
const hex2 = (n: number): string => n.toString(16).padStart(2, '0');

function mapLine(vma: Vma): string {
  const { start, end, prot, flags, file, offset } = vma;
  const mode =
    ((prot & 1) !== 0 ? 'r' : '-') +
    ((prot & 2) !== 0 ? 'w' : '-') +
    ((prot & 4) !== 0 ? 'x' : '-') +
    ((flags & VM_SHARED) !== 0 ? 's' : 'p');
  const about = file?.describe();
  const line =
    `${hex8(start)}-${hex8(end)} ${mode} ${hex8(about === undefined ? 0 : offset)} ` +
    `${hex2(about?.devMajor ?? 0)}:${hex2(about?.devMinor ?? 0)} ${about?.ino ?? 0} `;
  const name = (about?.path ?? vma.name).replace(/\n/g, '\\012');
  return name === '' ? `${line}\n` : `${line.padEnd(NAME_COLUMN)}${name}\n`;
}

function hostLines(task: Task): string {
  return task.mm.platform.hostAreas
    .map(
      ({ start, end, mode, name }) =>
        `${hex8(start)}-${hex8(end)} ${mode} 00000000 00:00 0 `.padEnd(NAME_COLUMN) + `${name}\n`,
    )
    .join('');
}

export function mapsText(task: Task): string {
  const mm = memoryOf(task);
  if (mm === null) return '';
  let text = '';
  for (const vma of mm.vmas()) text += mapLine(vma);
  return text + hostLines(task);
}

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [VM_GROWSDOWN, 'gd'],
  [VM_LOCKED, 'lo'],
  [VM_NORESERVE, 'nr'],
  [VM_DONTFORK, 'dc'],
  [VM_WIPEONFORK, 'wf'],
  [VM_DONTDUMP, 'dd'],
];

interface Counts {
  size: number;
  rss: number;
  anonymous: number;
  shared: number;
  locked: number;
}
function countsOf(mm: MemoryMap, vma: Vma): Counts {
  const size = vma.end - vma.start;
  let rss = 0;
  for (const page of mm.mincore(vma.start, size)) if ((page & 1) !== 0) rss += mm.platform.pageSize;
  const locked = (vma.flags & VM_LOCKED) !== 0 ? rss : 0;
  return { size, rss, anonymous: vma.file === null ? rss : 0, shared: (vma.flags & VM_SHARED) !== 0 ? rss : 0, locked };
}
function smapsFields({ size, rss, anonymous, shared, locked }: Counts, pageSize: number, whole: boolean): string {
  const kb = (name: string, bytes: number): string =>
    `${`${name}:`.padEnd(16)}${String(bytes / 1024).padStart(8)} kB\n`;
  const dirty = anonymous;
  return (
    (whole ? '' : kb('Size', size) + kb('KernelPageSize', pageSize) + kb('MMUPageSize', pageSize)) +
    kb('Rss', rss) +
    kb('Pss', rss) +
    kb('Pss_Dirty', dirty) +
    (whole ? kb('Pss_Anon', anonymous) + kb('Pss_File', rss - anonymous) + kb('Pss_Shmem', 0) : '') +
    kb('Shared_Clean', shared) +
    kb('Shared_Dirty', 0) +
    kb('Private_Clean', rss - shared - dirty) +
    kb('Private_Dirty', dirty) +
    kb('Referenced', rss) +
    kb('Anonymous', anonymous) +
    kb('KSM', 0) +
    kb('LazyFree', 0) +
    kb('AnonHugePages', 0) +
    kb('ShmemPmdMapped', 0) +
    kb('FilePmdMapped', 0) +
    kb('Shared_Hugetlb', 0) +
    kb('Private_Hugetlb', 0) +
    kb('Swap', 0) +
    kb('SwapPss', 0) +
    kb('Locked', locked)
  );
}

export function smapsText(task: Task): string {
  const mm = memoryOf(task);
  if (mm === null) return '';
  let text = '';
  for (const vma of [...mm.vmas()]) {
    const { prot, flags } = vma;
    const names = [
      (prot & 1) !== 0 ? 'rd' : '',
      (prot & 2) !== 0 ? 'wr' : '',
      (prot & 4) !== 0 ? 'ex' : '',
      (flags & VM_SHARED) !== 0 ? 'sh' : '',
      'mr',
      (flags & VM_MAYWRITE) !== 0 || vma.file === null ? 'mw' : '',
      'me',
      ...FLAG_NAMES.map(([bit, name]) => ((flags & bit) !== 0 ? name : '')),
    ].filter((name) => name !== '');
    text +=
      mapLine(vma) +
      smapsFields(countsOf(mm, vma), mm.platform.pageSize, false) +
      `THPeligible:           0\nVmFlags: ${names.join(' ')} \n`;
  }
  return text;
}

export function smapsRollupText(task: Task): string {
  const mm = memoryOf(task);
  if (mm === null) return '';
  const sum: Counts = { size: 0, rss: 0, anonymous: 0, shared: 0, locked: 0 };
  const vmas = [...mm.vmas()];
  for (const vma of vmas) {
    const counts = countsOf(mm, vma);
    for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key];
  }
  if (vmas.length === 0) return '';
  const head = `${hex8(vmas[0].start)}-${hex8(vmas.at(-1)!.end)} ---p 00000000 00:00 0 `.padEnd(NAME_COLUMN);
  return `${head}[rollup]\n${smapsFields(sum, mm.platform.pageSize, true)}`;
}

/** Guest memory as a byte string; what is not readable ends it. */
function memoryText(mm: MemoryMap, start: number, end: number): string {
  const length = mm.readable(start, Math.max(0, Math.min(end - start, 1 << 20)));
  if (length === 0) return '';
  const bytes = Buffer.alloc(length);
  mm.copyIn(start, bytes, 0, length);
  return bytes.toString('latin1');
}

export function cmdlineText(task: Task): string {
  const mm = memoryOf(task);
  if (mm === null) return '';
  const { argStart, argEnd, envStart, envEnd } = mm.layout;
  if (argStart >= argEnd) return '';
  const text = memoryText(mm, argStart, argEnd);
  if (text.endsWith('\0') || text.length < argEnd - argStart) return text;
  const more = envStart === argEnd ? text + memoryText(mm, envStart, envEnd) : text;
  const end = more.indexOf('\0');
  return end < 0 ? more : more.slice(0, end);
}

export function environText(task: Task): string {
  const mm = memoryOf(task);
  return mm === null ? '' : memoryText(mm, mm.layout.envStart, mm.layout.envEnd);
}
export function auxvText(task: Task): string {
  return Buffer.from(memoryOf(task)?.layout.auxv ?? []).toString('latin1');
}

/** /proc/PID/mem: another process's memory as a file; offsets are addresses. */
export class MemoryFile extends OpenFile {
  private readonly task: Task;

  constructor(inode: Inode, flags: number, task: Task) {
    super(inode, null, flags);
    this.task = task;
  }
  private transfer(length: number, offset: number, move: (mm: MemoryMap, chunk: Buffer, at: number) => number): number {
    const mm = memoryOf(this.task);
    if (mm === null) return 0;
    const start = offset === AT_POSITION ? this.position : offset;
    const chunk = Buffer.alloc(Math.min(length, 65536));
    let total = 0;
    while (total < length) {
      let n: number;
      try {
        n = move(mm, chunk.subarray(0, Math.min(chunk.length, length - total)), start + total);
      } catch {
        n = 0;
      }
      if (n === 0) break;
      total += n;
    }
    if (total === 0 && length > 0) throw errno(EIO);
    if (offset === AT_POSITION) this.position = start + total;
    return total;
  }
  override read(_task: Task, into: GuestBuffer, offset: number): number {
    return this.transfer(into.remaining, offset, (mm, chunk, at) => {
      const n = mm.readable(at, chunk.length);
      if (n === 0) return 0;
      mm.copyIn(at, chunk, 0, n);
      return into.put(chunk, 0, n);
    });
  }
  override write(_task: Task, from: GuestBuffer, offset: number): number {
    return this.transfer(from.remaining, offset, (mm, chunk, at) => {
      const n = mm.writable(at, chunk.length);
      if (n === 0) return 0;
      const got = from.take(chunk, 0, n);
      mm.copyOut(at, chunk, 0, got);
      return got;
    });
  }
  override seek(_task: Task, offset: number, whence: number): number {
    if (whence !== SEEK_SET && whence !== SEEK_CUR) throw errno(EINVAL);
    this.position = whence === SEEK_SET ? offset : this.position + offset;
    return this.position;
  }
  override get seekable(): boolean {
    return true;
  }
  override get splices(): boolean {
    return false;
  }
}
