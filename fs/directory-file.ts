/**
 * Open directories: reading entries (fs/readdir.c). '.' and '..' have positions 0 and 1; every other position is a cookie
 * of the filesystem.
 */
import { ENOENT, errno } from '../src/abi/errno.js';
import { DT_DIR } from '../src/abi/flags/file.js';
import type { Task } from '../sched/task.js';
import { touchAccessed } from './access-time.js';
import { OpenFile } from './file.js';

/** Returns false when the entry does not fit; `next` is the position behind it. */
export type EmitEntry = (name: string, ino: number, type: number, next: number) => boolean;

export class DirectoryFile extends OpenFile {
  /** Gives entries from the position on and moves it; stops when `emit` returns false. ENOENT once removed. */
  iterate(task: Task, emit: EmitEntry): void {
    const { inode, place } = this;
    if (inode.nlink === 0) throw errno(ENOENT);
    const step: EmitEntry = (name, ino, type, next) => {
      if (!emit(name, ino, type, next)) return false;
      this.position = next;
      return true;
    };
    if (this.position === 0 && !step('.', inode.ino, DT_DIR, 1)) return;
    if (this.position === 1 && !step('..', this.parentIno(), DT_DIR, 2)) return;
    inode.iterate?.(this.position, task, step);
    if (place !== null) touchAccessed(place.mount, inode);
  }

  private parentIno(): number {
    const { dentry } = this.place ?? {};
    return (dentry?.parent.inode ?? this.inode).ino;
  }

  override seek(_task: Task, offset: number, whence: number): number {
    return this.seekWithoutEnd(offset, whence);
  }
  override get seekable(): boolean {
    return true;
  }
}
