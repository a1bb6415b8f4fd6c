/**
 * Descriptor tables (files_struct): shared by CLONE_FILES, copied by fork. Lowest free number first, RLIMIT_NOFILE gives
 * EMFILE. A closed descriptor is off the table before its file is released, as in close(2).
 */
import { EBADF, EMFILE, errno } from '../src/abi/errno.js';
import type { Task } from '../sched/task.js';
import { O_PATH } from '../src/abi/flags/open.js';
import { IN_CLOSE_NOWRITE, IN_CLOSE_WRITE } from '../src/abi/flags/poll.js';
import type { OpenFile } from './file.js';
import { dropRecordLocks } from './locks.js';
import { notifyFile } from './notify.js';
import { opensForWrite, untrack } from './references.js';

export class FdTable {
  private files: (OpenFile | undefined)[] = [];
  private cloexec = new Set<number>();
  /** Every number below is in use. */
  private hint = 0;
  users = 1;

  /** The file behind `fd`; EBADF. Also for O_PATH descriptors: see `getIo`. */
  get(fd: number): OpenFile {
    const file = fd >= 0 ? this.files[fd] : undefined;
    if (file === undefined) throw errno(EBADF);
    return file;
  }
  /** For reading, writing and control: an O_PATH descriptor is EBADF too. */
  getIo(fd: number): OpenFile {
    const file = fd >= 0 ? this.files[fd] : undefined;
    if (file === undefined || (file.flags & O_PATH) !== 0) throw errno(EBADF);
    return file;
  }
  find(fd: number): OpenFile | undefined {
    return fd >= 0 ? this.files[fd] : undefined;
  }
  /** Installs at the lowest free number at or above `from`; takes a reference. */
  install(file: OpenFile, cloexec: boolean, limit: number, from = 0): number {
    let fd = from > this.hint ? from : this.hint;
    const { files } = this;
    while (files[fd] !== undefined) fd++;
    if (fd >= limit) throw errno(EMFILE);
    this.set(fd, file, cloexec);
    if (from <= this.hint) this.hint = fd + 1;
    return fd;
  }
  /** EMFILE when no number is free below `limit`: open(2) finds out before it creates anything. */
  checkFree(limit: number): void {
    let fd = this.hint;
    while (this.files[fd] !== undefined) fd++;
    this.hint = fd;
    if (fd >= limit) throw errno(EMFILE);
  }
  /** Puts `file` at `fd`, which must be free. */
  set(fd: number, file: OpenFile, cloexec: boolean): void {
    while (this.files.length <= fd) this.files.push(undefined);
    this.files[fd] = file;
    file.references++;
    if (cloexec) this.cloexec.add(fd);
    else this.cloexec.delete(fd);
  }
  /** Takes the file off the table, with the record locks of the process on it, and drops the reference. EBADF. */
  close(fd: number, task: Task): void {
    const file = this.get(fd);
    this.files[fd] = undefined;
    this.cloexec.delete(fd);
    if (fd < this.hint) this.hint = fd;
    try {
      file.flush(task);
    } finally {
      if (file.inode.locks !== undefined && (file.flags & O_PATH) === 0) dropRecordLocks(file.inode, this);
      dropFile(file);
    }
  }
  getCloexec(fd: number): boolean {
    return this.cloexec.has(fd);
  }
  setCloexec(fd: number, on: boolean): void {
    if (on) this.cloexec.add(fd);
    else this.cloexec.delete(fd);
  }
  /** Open descriptors in ascending order. */
  *entries(): IterableIterator<[number, OpenFile]> {
    for (let fd = 0; fd < this.files.length; fd++) {
      const file = this.files[fd];
      if (file !== undefined) yield [fd, file];
    }
  }
  copy(): FdTable {
    const copy = new FdTable();
    copy.files = this.files.slice();
    for (const file of copy.files) if (file !== undefined) file.references++;
    copy.cloexec = new Set(this.cloexec);
    copy.hint = this.hint;
    return copy;
  }
  closeOnExec(task: Task): void {
    for (const fd of [...this.cloexec]) this.close(fd, task);
  }
  closeAll(task: Task): void {
    for (let fd = 0; fd < this.files.length; fd++) if (this.files[fd] !== undefined) this.close(fd, task);
  }
}

/** Drops one reference; the last one releases the file. */
export function dropFile(file: OpenFile): void {
  if (--file.references > 0) return;
  file.inode.sb.openFiles--;
  if (file.tracked) notifyFile(file, opensForWrite(file.flags) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
  file.release();
  if (file.tracked) untrack(file);
}
