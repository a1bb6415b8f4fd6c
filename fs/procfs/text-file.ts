/**
 * Open text files of procfs (fs/seq_file.c): the content is made when reading begins at offset 0 and stays the same until the
 * reader comes back there, so that a file read in pieces is of one moment.
 */
import { EIO, errno } from '../../src/abi/errno.js';
import type { Task } from '../../sched/task.js';
import { AT_POSITION, OpenFile, type GuestBuffer } from '../file.js';
import type { TextInode } from './nodes.js';

export class TextFile extends OpenFile {
  declare readonly inode: TextInode;
  private bytes: Uint8Array | null = null;

  constructor(inode: TextInode, flags: number) {
    super(inode, null, flags);
  }
  override read(task: Task, into: GuestBuffer, offset: number): number {
    const at = offset === AT_POSITION ? this.position : offset;
    if (this.bytes === null || at === 0) this.bytes = Buffer.from(this.inode.source.read(task), 'latin1');
    const n = Math.min(into.remaining, this.bytes.length - at);
    if (n <= 0) return 0;
    const moved = into.put(this.bytes, at, n);
    if (offset === AT_POSITION) this.position += moved;
    return moved;
  }
  override write(task: Task, from: GuestBuffer, offset: number): number {
    const { source } = this.inode;
    if (source.write === undefined) throw errno(EIO);
    const length = from.remaining;
    // A write is one value: longer ones are cut off (proc_dostring and friends take at most a page).
    const bytes = Buffer.alloc(Math.min(length, task.kernel.pageSize));
    const got = from.take(bytes, 0, bytes.length);
    const at = offset === AT_POSITION ? this.position : offset;
    // sysctl_writes_strict: only a write at the start means anything.
    if (at === 0) source.write(task, bytes.toString('latin1', 0, got));
    if (offset === AT_POSITION) this.position += length;
    this.bytes = null;
    return length;
  }
  override seek(_task: Task, offset: number, whence: number): number {
    return this.seekWithoutEnd(offset, whence);
  }
  override get seekable(): boolean {
    return true;
  }
  override get splices(): boolean {
    return this.inode.source.splices !== false;
  }
}
