/**
 * Standard streams that live in the supervisor: input from bytes, output kept or handed to a callback. To the guest they are
 * the ends of a pipe; opening one again (/dev/stdout, through /proc/PID/fd) gives another open file of the same stream.
 */
import { EBADF, errno } from '../abi/errno.js';
import { S_IFIFO } from '../abi/flags/stat.js';
import { O_RDONLY, O_WRONLY } from '../abi/flags/open.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { PseudoInode, pseudoFs } from '../../fs/anon-inode.js';
import { OpenFile, type GuestBuffer } from '../../fs/file.js';
import { POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../fs/poll-events.js';

const CHUNK = 64 * 1024;

abstract class StreamInode extends PseudoInode {
  constructor(kernel: KernelState) {
    super(pseudoFs(kernel).pipefs, S_IFIFO | 0o600, 0, 0);
  }
  override open(_task: Task, flags: number): OpenFile {
    return new StreamFile(this, flags);
  }
  get(_into: GuestBuffer): number {
    throw errno(EBADF);
  }
  put(_from: GuestBuffer): number {
    throw errno(EBADF);
  }
  abstract poll(): number;
}

class StreamFile extends OpenFile {
  private readonly stream: StreamInode;

  constructor(stream: StreamInode, flags: number) {
    super(stream, null, flags);
    this.stream = stream;
  }
  override read(_task: Task, into: GuestBuffer): number {
    return this.stream.get(into);
  }
  override write(_task: Task, from: GuestBuffer): number {
    return this.stream.put(from);
  }
  override poll(): number {
    return this.stream.poll();
  }
  override describe(): string {
    return `pipe:[${this.inode.ino}]`;
  }
}

class InputInode extends StreamInode {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(kernel: KernelState, bytes: Uint8Array) {
    super(kernel);
    this.bytes = bytes;
  }
  override get(into: GuestBuffer): number {
    const moved = into.put(this.bytes, this.at, Math.min(into.remaining, this.bytes.length - this.at));
    this.at += moved;
    return moved;
  }
  override poll(): number {
    return this.at < this.bytes.length ? POLLIN | POLLRDNORM | POLLHUP : POLLHUP; // its writer has gone
  }
}

class OutputInode extends StreamInode {
  private readonly sink: (bytes: Uint8Array) => void;

  constructor(kernel: KernelState, sink: (bytes: Uint8Array) => void) {
    super(kernel);
    this.sink = sink;
  }
  override put(from: GuestBuffer): number {
    let total = 0;
    while (from.remaining > 0) {
      const bytes = new Uint8Array(Math.min(CHUNK, from.remaining));
      const moved = from.take(bytes, 0, bytes.length);
      if (moved === 0) break;
      this.sink(bytes.subarray(0, moved));
      total += moved;
      if (moved < bytes.length) break;
    }
    return total;
  }
  override poll(): number {
    return POLLOUT | POLLWRNORM;
  }
}

/** Standard input with fixed content. */
export class InputStream extends StreamFile {
  constructor(kernel: KernelState, bytes: Uint8Array) {
    super(new InputInode(kernel, bytes), O_RDONLY);
  }
}

/** Standard output or error whose bytes go to `sink` (a fresh copy each time). */
export class OutputStream extends StreamFile {
  constructor(kernel: KernelState, sink: (bytes: Uint8Array) => void) {
    super(new OutputInode(kernel, sink), O_WRONLY);
  }
}
