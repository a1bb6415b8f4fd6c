/**
 * The open file descriptions of pipes and FIFOs, pipe(2)'s pair and the opening of FIFOs (fifo(7), fs/pipe.c: fifo_open).
 *
 * A FIFO's pipe hangs on its inode while anything has it open. An open that must wait for the other side is two steps:
 * `openFifo` takes part as a reader or writer at once (so that the partner finds it), then is pending until the partner's
 * open counter has moved, even if the partner has closed again meanwhile; giving up takes the part back.
 */
import { EINVAL, ENOTTY, ENXIO, errno } from '../abi/errno.js';
import { O_ACCMODE, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../abi/flags/open.js';
import { S_IFIFO } from '../abi/flags/stat.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import type { WaitQueue } from '../../sched/wait.js';
import { PseudoInode, pseudoFs } from '../../fs/anon-inode.js';
import { OpenFile, type GuestBuffer } from '../../fs/file.js';
import type { Inode } from '../../fs/inode.js';
import type { Place } from '../../fs/mount.js';
import { FIONREAD } from '../abi/flags/ioctl.js';
import { Pipe } from './pipe.js';

const READ = 1;
const WRITE = 2;
/** The FMODE_ bits of an access mode. */
const modeOf = (flags: number): number => ((flags & O_ACCMODE) + 1) & (READ | WRITE);

declare module '../../fs/inode.js' {
  interface Inode {
    /** FIFOs: while open. */
    pipe?: Pipe | null;
  }
}

export class PipeFile extends OpenFile {
  readonly pipe: Pipe;
  override readonly queue: WaitQueue;
  private readonly mode: number;
  /** FIFO reader without a writer yet: no POLLHUP until one has come (fs/pipe.c keeps it in f_version). */
  openedAt = 0;
  /** While the open waits: the partner's open counter when it began. */
  partnerOpens: number | null = null;

  constructor(inode: Inode, place: Place | null, flags: number, pipe: Pipe) {
    super(inode, place, flags);
    this.pipe = pipe;
    this.mode = modeOf(flags);
    this.queue = this.mode === READ ? pipe.readQueue : this.mode === WRITE ? pipe.writeQueue : pipe.bothQueue;
  }
  /** Takes part in the pipe. */
  join(): void {
    if ((this.mode & READ) !== 0) {
      this.pipe.readers++;
      this.pipe.readOpens++;
    }
    if ((this.mode & WRITE) !== 0) {
      this.pipe.writers++;
      this.pipe.writeOpens++;
    }
  }

  override openPending(): boolean {
    if (this.partnerOpens === null) return false;
    const { pipe } = this;
    if ((this.mode === READ ? pipe.writeOpens : pipe.readOpens) === this.partnerOpens) return true;
    this.partnerOpens = null;
    return false;
  }

  override read(_task: Task, into: GuestBuffer): number {
    return this.pipe.read(into);
  }
  override write(task: Task, from: GuestBuffer): number {
    const packet = (this.flags & O_DIRECT[task.mm.platform.arch]) !== 0;
    const n = this.pipe.write(task, from, packet);
    if (n > 0 && this.place !== null) this.inode.touch(false, true);
    return n;
  }
  override poll(): number {
    return this.pipe.poll(this.mode, this.openedAt);
  }
  override ioctl(task: Task, request: number, arg: number): number {
    if (request !== FIONREAD) throw errno(ENOTTY);
    task.mm.writeU32(arg, this.pipe.bytes);
    return 0;
  }
  override fsync(): void {
    throw errno(EINVAL);
  }
  override release(): void {
    const { pipe } = this;
    if ((this.mode & READ) !== 0) pipe.readers--;
    if ((this.mode & WRITE) !== 0) pipe.writers--;
    pipe.endClosed();
    if (pipe.readers === 0 && pipe.writers === 0 && this.inode.pipe === pipe) this.inode.pipe = null;
  }
  override describe(): string {
    return `pipe:[${this.inode.ino}]`;
  }
}

/** The inode of pipe(2); opening /proc/PID/fd/N of one opens it anew. */
class PipeInode extends PseudoInode {
  constructor(kernel: KernelState, uid: number, gid: number) {
    super(pseudoFs(kernel).pipefs, S_IFIFO | 0o600, uid, gid);
  }
  override open(task: Task, flags: number): OpenFile {
    return openFifo(this, flags, task);
  }
}

/** pipe(2): [read end, write end]; `flags` may hold O_NONBLOCK and O_DIRECT. */
export function createPipe(task: Task, flags: number): [PipeFile, PipeFile] {
  const inode = new PipeInode(task.kernel, task.creds.fsuid, task.creds.fsgid);
  const pipe = new Pipe(task.kernel);
  inode.pipe = pipe;
  const readEnd = new PipeFile(inode, null, O_RDONLY | (flags & O_NONBLOCK), pipe);
  const writeEnd = new PipeFile(inode, null, O_WRONLY | flags, pipe);
  readEnd.join();
  writeEnd.join();
  return [readEnd, writeEnd];
}

/**
 * Opens a FIFO (the VFS's `fifoOpen`): ENXIO for a non-blocking writer without readers. The file may be `openPending` until
 * the partner comes; closing it gives the open up.
 */
export function openFifo(inode: Inode, flags: number, task: Task): PipeFile {
  const access = flags & O_ACCMODE;
  if (access === O_ACCMODE) throw errno(EINVAL);
  const nonblock = (flags & O_NONBLOCK) !== 0;
  const anonymous = inode instanceof PipeInode;
  if (access === O_WRONLY && nonblock && !anonymous && (inode.pipe?.readers ?? 0) === 0) throw errno(ENXIO);
  const pipe = (inode.pipe ??= new Pipe(task.kernel));
  const file = new PipeFile(inode, null, flags, pipe);
  file.join();
  pipe.endOpened();
  if (access === O_RDONLY && pipe.writers === 0 && !anonymous) {
    if (nonblock) file.openedAt = pipe.writeOpens;
    else file.partnerOpens = pipe.writeOpens;
  } else if (access === O_WRONLY && pipe.readers === 0 && !anonymous) file.partnerOpens = pipe.readOpens;
  return file;
}

/** The pipe behind a descriptor for splice, tee and fcntl; null for other files. */
export function pipeOf(file: OpenFile): Pipe | null {
  return file instanceof PipeFile ? file.pipe : null;
}
