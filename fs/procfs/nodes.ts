/**
 * The building blocks of procfs: its superblock and the three kinds of inode (directories, generated text, links).
 *
 * Inodes are made anew by each lookup (the superblock is volatile, the VFS caches no names); only their numbers are stable:
 * fixed ones in steps from PROC_DYNAMIC_FIRST, those of a process computed from its pid. They own nothing, so it does not
 * matter that two may exist for one file.
 *
 * Linux oddity: chmod of a procfs file is EPERM (proc_setattr), truncation is accepted and does nothing.
 */
import { ENXIO, EPERM, errno } from '../../src/abi/errno.js';
import { PROC_SUPER_MAGIC } from '../../src/abi/flags/filesystems.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../src/abi/flags/stat.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { DirectoryFile } from '../directory-file.js';
import type { OpenFile } from '../file.js';
import { Inode, type Attributes } from '../inode.js';
import type { Place } from '../mount.js';
import { SuperBlock, type StatFs, simpleStatFs } from '../superblock.js';
import { TextFile } from './text-file.js';
import type {} from '../task-parts.js';

/** Numbers of fixed entries start here (fs/proc/generic.c). */
export const PROC_DYNAMIC_FIRST = 0xf0000000;
/** Readdir positions of a directory's own entries: behind '.' and '..'. */
export const FIRST_COOKIE = 2;

const BLOCK_SIZE = 1024;

export class ProcSuperBlock extends SuperBlock {
  readonly fsType: string = 'proc';
  protected readonly magic: number = PROC_SUPER_MAGIC;
  override readonly volatile = true;
  readonly kernel: KernelState;

  constructor(kernel: KernelState, blockSize = BLOCK_SIZE) {
    super(kernel.vfs.allocateMinor(), kernel.clock, blockSize);
    this.kernel = kernel;
  }
  statfs(): StatFs {
    return simpleStatFs(this.magic, this.kernel.pageSize);
  }
  /** One per kernel: it outlives its mounts. */
  override shutdown(): void {}
}

export abstract class ProcInode extends Inode {
  declare readonly sb: ProcSuperBlock;

  constructor(sb: ProcSuperBlock, ino: number, mode: number, uid = 0, gid = 0) {
    super(sb, ino, mode, uid, gid);
    this.touch(true, true);
  }
  get kernel(): KernelState {
    return this.sb.kernel;
  }
  get size(): number {
    return 0;
  }
  override truncate(): void {}
  override setAttributes(attributes: Attributes): void {
    if (attributes.mode !== undefined) throw errno(EPERM);
    super.setAttributes(attributes);
  }
}

export type Emit = (name: string, ino: number, type: number, next: number) => boolean;

export abstract class ProcDirectory extends ProcInode {
  constructor(sb: ProcSuperBlock, ino: number, mode = 0o555, uid = 0, gid = 0) {
    super(sb, ino, S_IFDIR | mode, uid, gid);
    this.nlink = 2;
  }
  open(_task: Task, flags: number): OpenFile {
    return new DirectoryFile(this, null, flags);
  }
  abstract override lookup(name: string, task: Task): Inode | null;
  abstract override iterate(cookie: number, task: Task, emit: Emit): void;
}

/** An entry of a fixed table. `mode` with its type bits. */
export interface Entry<Subject> {
  readonly name: string;
  readonly mode: number;
  make(subject: Subject, ino: number): Inode;
}

/** Emits a fixed table from `cookie` on; returns false when the caller's buffer is full. */
export function emitTable<Subject>(
  table: readonly Entry<Subject>[],
  cookie: number,
  inoOf: (index: number) => number,
  emit: Emit,
): boolean {
  for (let i = Math.max(0, cookie - FIRST_COOKIE); i < table.length; i++)
    if (!emit(table[i].name, inoOf(i), table[i].mode >> 12, FIRST_COOKIE + i + 1)) return false;
  return true;
}

/** A directory that is nothing but a fixed table about one subject. */
export class TableDirectory<Subject> extends ProcDirectory {
  private readonly table: readonly Entry<Subject>[];
  private readonly subject: Subject;

  constructor(
    sb: ProcSuperBlock,
    ino: number,
    table: readonly Entry<Subject>[],
    subject: Subject,
    mode = 0o555,
    uid = 0,
    gid = 0,
  ) {
    super(sb, ino, mode, uid, gid);
    this.table = table;
    this.subject = subject;
  }
  private inoOf(index: number): number {
    // Nests without leaving exact numbers.
    return (this.ino * 251 + index + 1) % 2 ** 44;
  }
  lookup(name: string): Inode | null {
    const index = this.table.findIndex((entry) => entry.name === name);
    return index < 0 ? null : this.table[index].make(this.subject, this.inoOf(index));
  }
  iterate(cookie: number, _task: Task, emit: Emit): void {
    emitTable(this.table, cookie, (index) => this.inoOf(index), emit);
  }
}

/** What a text file shows and, if it can be written, takes. Byte strings. */
export interface TextSource {
  read(reader: Task): string;
  /** Throws EINVAL and friends. */
  write?(writer: Task, text: string): void;
  /** Runs at open: throws EACCES where Linux checks then. */
  check?(opener: Task): void;
  /** False for the many whose file operations have no splice_read. */
  splices?: boolean;
}

export class TextInode extends ProcInode {
  readonly source: TextSource;

  constructor(sb: ProcSuperBlock, ino: number, mode: number, source: TextSource, uid = 0, gid = 0) {
    super(sb, ino, S_IFREG | mode, uid, gid);
    this.source = source;
  }
  open(task: Task, flags: number): OpenFile {
    this.source.check?.(task);
    return new TextFile(this, flags);
  }
}

export interface LinkSource {
  readlink(reader: Task): string;
  /** Magic links: where it leads; throws ENOENT or EACCES. */
  follow?(reader: Task): Place | OpenFile;
}

export class LinkInode extends ProcInode {
  private readonly source: LinkSource;

  constructor(sb: ProcSuperBlock, ino: number, source: LinkSource, mode = 0o777, uid = 0, gid = 0, size = 0) {
    super(sb, ino, S_IFLNK | mode, uid, gid);
    this.source = source;
    this.linkSize = size;
  }
  private readonly linkSize: number;
  override get size(): number {
    return this.linkSize;
  }
  open(): OpenFile {
    throw errno(ENXIO);
  }
  override readlink(reader: Task): string {
    return this.source.readlink(reader);
  }
  override follow(reader: Task): Place | OpenFile | null {
    return this.source.follow?.(reader) ?? null;
  }
}
