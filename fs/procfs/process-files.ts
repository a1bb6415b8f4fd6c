/**
 * /proc/PID/fd, fdinfo, and the magic links cwd, root, exe (fs/proc/fd.c).
 *
 * Linux oddities: a link to a descriptor is followed to the open object itself, not through its text, so deleted files and
 * pipes can be opened again; its mode shows how the file was opened; its size reads 64.
 */
import { EACCES, ENOENT, errno } from '../../src/abi/errno.js';
import { O_CLOEXEC, O_PATH } from '../../src/abi/flags/open.js';
import { DT_LNK, DT_REG } from '../../src/abi/flags/file.js';
import type { Task } from '../../sched/task.js';
import type { OpenFile } from '../file.js';
import type { Inode } from '../inode.js';
import type { Place } from '../mount.js';
import { pathOf } from '../paths.js';
import { checkInspect, mayInspect } from './access.js';
import {
  FIRST_COOKIE,
  LinkInode,
  ProcDirectory,
  TextInode,
  type Emit,
  type LinkSource,
  type ProcSuperBlock,
} from './nodes.js';

/** Mount id shown for files without a place. */
const INTERNAL_MOUNT = 13;
const LINK_SIZE = 64;

/** What /proc/PID/fd/N shows of a file. */
export function describeFile(file: OpenFile, reader: Task): string {
  const { place } = file;
  return place === null ? file.describe() : pathOf(reader.kernel.vfs, place, reader.fs.root);
}

/** A link to a place of the task; `place` returns null when there is none. */
export function placeLink(task: Task, place: (task: Task) => Place | null): LinkSource {
  const find = (reader: Task): Place => {
    checkInspect(reader, task);
    const found = task.exited ? null : place(task);
    if (found === null) throw errno(ENOENT);
    return found;
  };
  return {
    readlink: (reader) => pathOf(reader.kernel.vfs, find(reader), reader.fs.root),
    follow: find,
  };
}

const isNumber = /^(0|[1-9][0-9]{0,8})$/;

abstract class DescriptorDirectory extends ProcDirectory {
  protected readonly task: Task;

  constructor(sb: ProcSuperBlock, ino: number, mode: number, task: Task) {
    super(sb, ino, mode, task.creds.euid, task.creds.egid);
    this.task = task;
  }
  protected abstract make(fd: number, file: OpenFile): Inode;
  protected abstract readonly entryType: number;

  protected inoOf(fd: number): number {
    return this.ino * 65536 + fd + 1;
  }
  lookup(name: string): Inode | null {
    if (!isNumber.test(name)) return null;
    const fd = Number(name);
    const file = this.task.exited ? undefined : this.task.files.find(fd);
    return file === undefined ? null : this.make(fd, file);
  }
  iterate(cookie: number, reader: Task, emit: Emit): void {
    if (!mayInspect(reader, this.task)) throw errno(EACCES);
    if (this.task.exited) return;
    for (const [fd] of this.task.files.entries()) {
      const next = FIRST_COOKIE + fd + 1;
      if (next > cookie && !emit(String(fd), this.inoOf(fd), this.entryType, next)) return;
    }
  }
}

export class FdDirectory extends DescriptorDirectory {
  protected readonly entryType = DT_LNK;

  constructor(sb: ProcSuperBlock, ino: number, task: Task) {
    super(sb, ino, 0o500, task);
  }
  /** Number of open descriptors, as since Linux 6.2. */
  override get size(): number {
    let count = 0;
    if (!this.task.exited) for (const _ of this.task.files.entries()) count++;
    return count;
  }
  protected make(fd: number, file: OpenFile): Inode {
    const { task } = this;
    const access = (file.flags & O_PATH) !== 0 ? 0 : (file.flags + 1) & 3;
    const mode = ((access & 1) !== 0 ? 0o500 : 0) | ((access & 2) !== 0 ? 0o300 : 0);
    const find = (reader: Task): OpenFile => {
      checkInspect(reader, task);
      const now = task.exited ? undefined : task.files.find(fd);
      if (now === undefined) throw errno(ENOENT);
      return now;
    };
    const source: LinkSource = {
      readlink: (reader) => describeFile(find(reader), reader),
      follow: (reader) => {
        const now = find(reader);
        return now.place ?? now;
      },
    };
    return new LinkInode(this.sb, this.inoOf(fd), source, mode, this.uid, this.gid, LINK_SIZE);
  }
}

export class FdinfoDirectory extends DescriptorDirectory {
  protected readonly entryType = DT_REG;

  constructor(sb: ProcSuperBlock, ino: number, task: Task) {
    super(sb, ino, 0o555, task);
  }
  protected make(fd: number): Inode {
    const { task } = this;
    const read = (reader: Task): string => {
      checkInspect(reader, task);
      const file = task.exited ? undefined : task.files.find(fd);
      if (file === undefined) throw errno(ENOENT);
      const flags = file.flags | (task.files.getCloexec(fd) ? O_CLOEXEC : 0);
      return (
        `pos:\t${file.position}\nflags:\t0${(flags >>> 0).toString(8)}\nmnt_id:\t${file.place?.mount.id ?? INTERNAL_MOUNT}\n` +
        `ino:\t${file.inode.ino}\n${file.fdinfo()}`
      );
    };
    return new TextInode(this.sb, this.inoOf(fd), 0o444, { read, splices: false }, this.uid, this.gid);
  }
}
