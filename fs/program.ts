/**
 * Files as programs: what execve needs before it may look inside (do_open_execat, deny_write_access).
 *
 * A file that is open for writing cannot be run (ETXTBSY), and one that is being run cannot be opened for writing: `executors`
 * counts from here until `closeProgram` or, once it is the process's program, until exec or exit (references.ts).
 */
import { EACCES, ELOOP, ENOEXEC, ETXTBSY, errno } from '../src/abi/errno.js';
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from '../src/abi/flags/open.js';
import type { FileMapping } from '../src/mm/file-mapping.js';
import type { Task } from '../sched/task.js';
import type { Inode } from './inode.js';
import { MNT_NOEXEC, type Place } from './mount.js';
import { MAY_EXEC, checkPermission } from './permissions.js';
import { holdPlace, releasePlace } from './references.js';
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, resolve } from './walk.js';

/** A program file, held open. */
export class Program {
  readonly place: Place;
  readonly inode: Inode;
  readonly mapping: FileMapping;
  private readonly task: Task;

  constructor(task: Task, place: Place, mapping: FileMapping) {
    this.task = task;
    this.place = place;
    this.inode = place.dentry.inode!;
    this.mapping = mapping;
    holdPlace(place);
    this.inode.executors++;
  }

  /** Copies file bytes; returns how many there were. */
  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number {
    const { mapping } = this;
    const { frames } = this.task.kernel;
    const { pageSize } = frames;
    const end = Math.min(offset + length, mapping.size);
    let at = offset;
    while (at < end) {
      const page = Math.floor(at / pageSize) * pageSize;
      const count = Math.min(end, page + pageSize) - at;
      const from = mapping.frameAt(page) + (at - page);
      dst.set(frames.physical.bytes.subarray(from, from + count), dstOffset + (at - offset));
      at += count;
    }
    return Math.max(0, at - offset);
  }

  close(): void {
    this.inode.executors--;
    releasePlace(this.place);
  }
}

/** Opens the file to execute. `flags`: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. */
export function openProgram(task: Task, dirfd: number, path: string, flags: number): Program {
  const lookup =
    ((flags & AT_SYMLINK_NOFOLLOW) !== 0 ? 0 : LOOKUP_FOLLOW) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0);
  const place = resolve(task, dirfd, path, lookup);
  const inode = place.dentry.inode!;
  if (inode.isSymlink) throw errno(ELOOP);
  if (inode.isDir) throw errno(EACCES);
  if (!inode.isRegular || (place.mount.flags & MNT_NOEXEC) !== 0) throw errno(EACCES);
  checkPermission(inode, MAY_EXEC, task.creds);
  if (inode.writers > 0) throw errno(ETXTBSY);
  const mapping = inode.mapping?.() ?? null;
  if (mapping === null) throw errno(ENOEXEC);
  return new Program(task, place, mapping);
}
