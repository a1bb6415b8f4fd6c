/**
 * Standard streams that are no terminal on the host: a pipe, a file, a device, a socket the supervisor was started with.
 *
 * Invariants: host input is read only when the guest reads, and no more than it asked for (poll looks one byte ahead), so what
 * a guest leaves stays for the next host program; a guest that writes faster than the host takes is put to sleep, with at most
 * WRITE_LIMIT bytes between the two. A closed reader on the host is EPIPE and SIGPIPE for the guest.
 *
 * fstat shows the host's file type and, for regular files, its size. Regular files have a position of their own in the guest;
 * as long as it agrees with the host's offset the host's moves along, so that `{ levitate-run a; b; } > file` works.
 */
import { EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EPIPE, ESPIPE, errno } from '../abi/errno.js';
import { SEEK_CUR, SEEK_END, SEEK_SET } from '../abi/flags/file.js';
import { O_ACCMODE, O_APPEND, O_RDONLY, O_WRONLY } from '../abi/flags/open.js';
import { SIGPIPE } from '../abi/flags/signal.js';
import { S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from '../abi/flags/stat.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { kernelInfo, sendSignalToTask } from '../../sched/signal/send.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK } from '../../sched/wait.js';
import { PseudoInode, pseudoFs } from '../../fs/anon-inode.js';
import { AT_POSITION, OpenFile, type GuestBuffer } from '../../fs/file.js';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../fs/poll-events.js';
import { PollQueue } from '../../fs/poll-queue.js';
import type { Vfs } from '../../fs/vfs.js';
import type { HostIo, Watch } from '../platform/host-io.js';

/** fstat(2) of the host, as node:fs gives it. */
export interface HostStat {
  mode: number;
  size: number;
  rdev: number;
  dev: number;
  ino: number;
}

export interface StreamHost extends Pick<HostIo, 'readSome' | 'writeSome' | 'watch'> {
  fstat(fd: number): HostStat;
  /** pread and pwrite; only regular files. Bytes or -errno. */
  readAt(fd: number, to: Uint8Array, offset: number, length: number, position: number): number;
  writeAt(fd: number, from: Uint8Array, offset: number, length: number, position: number): number;
  /** 0 or errno. */
  truncate(fd: number, size: number): number;
  /** Present offset of a regular file (/proc/self/fdinfo). */
  offsetOf(fd: number): number;
}

const WRITE_LIMIT = 65536;
const READ_LIMIT = 65536;
const WATCH_IN = 1;
const WATCH_OUT = 4;

class HostStreamInode extends PseudoInode {
  private readonly stream: HostStream;

  constructor(stream: HostStream, kernel: KernelState, stat: HostStat) {
    const { pipefs, sockfs, anon } = pseudoFs(kernel);
    const type = stat.mode & S_IFMT;
    super(type === S_IFIFO ? pipefs : type === S_IFSOCK ? sockfs : anon, stat.mode, 0, 0);
    this.stream = stream;
    // Minor bits 0 to 7 are below the major, the rest above it (new_encode_dev).
    this.rdevMajor = (stat.rdev >>> 8) & 0xfff;
    this.rdevMinor = (stat.rdev & 0xff) | ((stat.rdev >>> 12) & ~0xff);
  }
  override get size(): number {
    return this.isRegular ? this.stream.stat().size : 0;
  }
  /** /dev/stdin and the like, through /proc/PID/fd. */
  override open(_task: Task, flags: number): OpenFile {
    return new HostStreamFile(this.stream, flags, 0);
  }
  override truncate(size: number): void {
    if (!this.isRegular) throw errno(EINVAL);
    this.stream.truncate(size);
  }
}

/** One host descriptor; several open files may show it. */
export class HostStream {
  readonly inode: HostStreamInode;
  readonly queue = new PollQueue();
  readonly regular: boolean;
  readonly fd: number;
  private readonly kernel: KernelState;
  private readonly host: StreamHost;
  /** Reading: one byte that poll looked at, or how the input ended. */
  private ahead = -1;
  private ended = false;
  private readError = 0;
  private inputWatch: Watch | null = null;
  private inputArmed = false;
  /** Writing: the part of `chunk` taken from the guest and not yet by the host; until it is gone nothing more is taken. */
  private chunk: Uint8Array | null = null;
  private pending: Uint8Array | null = null;
  private broken = 0;
  private outputWatch: Watch | null = null;
  private drained: (() => void)[] = [];
  /** For reads; made by the first. */
  private readBuffer: Uint8Array | null = null;
  /** Regular files: where the host's own offset is. */
  hostOffset = 0;

  constructor(kernel: KernelState, host: StreamHost, fd: number) {
    this.kernel = kernel;
    this.host = host;
    this.fd = fd;
    const stat = host.fstat(fd);
    this.inode = new HostStreamInode(this, kernel, stat);
    this.regular = (stat.mode & S_IFMT) === S_IFREG;
    if (this.regular) this.hostOffset = host.offsetOf(fd);
  }

  private get buffer(): Uint8Array {
    return (this.readBuffer ??= new Uint8Array(READ_LIMIT));
  }

  /** Whether `fd` is the same pipe, file or device as this one: then guests get one open file for both. */
  shows(fd: number): boolean {
    const mine = this.stat();
    const other = this.host.fstat(fd);
    if (mine.dev !== other.dev || mine.ino !== other.ino) return false;
    return !this.regular || this.host.offsetOf(fd) === this.hostOffset;
  }

  stat(): HostStat {
    return this.host.fstat(this.fd);
  }

  // Regular files: they never block.

  readFile(into: GuestBuffer, position: number): number {
    const want = into.accessible(Math.min(into.remaining, READ_LIMIT));
    if (want === 0 && into.remaining > 0) throw errno(EFAULT);
    const along = position === this.hostOffset;
    const n = along
      ? this.host.readSome(this.fd, this.buffer, 0, want)
      : this.host.readAt(this.fd, this.buffer, 0, want, position);
    if (n < 0) throw errno(-n);
    if (along) this.hostOffset += n;
    return into.put(this.buffer, 0, n);
  }
  truncate(size: number): void {
    const error = this.host.truncate(this.fd, size);
    if (error !== 0) throw errno(error);
  }
  writeFile(from: GuestBuffer, position: number): number {
    const chunk = (this.chunk ??= new Uint8Array(WRITE_LIMIT));
    const along = position === this.hostOffset;
    let total = 0;
    while (from.remaining > 0) {
      const got = from.take(chunk, 0, Math.min(from.remaining, WRITE_LIMIT));
      const n = along
        ? this.host.writeSome(this.fd, chunk, 0, got)
        : this.host.writeAt(this.fd, chunk, 0, got, position + total);
      if (n < 0) {
        if (total > 0) break;
        throw errno(-n);
      }
      if (along) this.hostOffset += n;
      total += n;
      if (n < got) break;
    }
    return total;
  }

  // Streams: reading.

  read(into: GuestBuffer): number {
    const want = into.accessible(Math.min(into.remaining, READ_LIMIT));
    if (want === 0) {
      if (into.remaining > 0) throw errno(EFAULT);
      return 0;
    }
    let n = this.ahead >= 0 ? 1 : 0;
    if (n > 0) this.buffer[0] = this.ahead;
    this.ahead = -1;
    if (n < want && !this.ended && this.readError === 0) n += Math.max(0, this.readHost(n, want - n));
    if (n > 0) return into.put(this.buffer, 0, n);
    if (this.readError !== 0) {
      const error = this.readError;
      this.readError = 0;
      throw errno(error);
    }
    // A terminal: the end may not be for ever.
    if (this.ended) {
      this.ended = false;
      return 0;
    }
    this.awaitInput();
    return WOULD_BLOCK;
  }
  /** Into the buffer at `at`; keeps an end or an error for later. */
  private readHost(at: number, length: number): number {
    const n = this.host.readSome(this.fd, this.buffer, at, length);
    if (n === 0) this.ended = true;
    else if (n < 0 && n !== -EAGAIN && n !== -EINTR) this.readError = -n;
    return n;
  }
  private awaitInput(): void {
    if (this.inputArmed) return;
    this.inputArmed = true;
    if (this.inputWatch !== null) return this.inputWatch.arm();
    this.inputWatch = this.host.watch(this.fd, WATCH_IN, () => {
      this.inputArmed = false;
      this.wake(POLLIN | POLLRDNORM);
    });
  }
  pollIn(): number {
    if (this.regular) return POLLIN | POLLRDNORM;
    if (this.ahead < 0 && !this.ended && this.readError === 0 && this.readHost(0, 1) > 0) this.ahead = this.buffer[0];
    if (this.ahead >= 0 || this.readError !== 0) return POLLIN | POLLRDNORM;
    if (this.ended) return (this.inode.mode & S_IFMT) === S_IFIFO ? POLLHUP : POLLIN | POLLRDNORM;
    this.awaitInput();
    return 0;
  }

  // Streams: writing.

  write(task: Task, from: GuestBuffer): number {
    const chunk = (this.chunk ??= new Uint8Array(WRITE_LIMIT));
    let total = 0;
    while (from.remaining > 0) {
      if (this.broken !== 0) return total > 0 ? total : this.fail(task);
      if (this.pending !== null) return total > 0 ? total : WOULD_BLOCK;
      let got: number;
      try {
        got = from.take(chunk, 0, Math.min(from.remaining, WRITE_LIMIT));
      } catch (error) {
        if (total > 0) return total;
        throw error;
      }
      // When nothing of it went out the guest hears of the error itself.
      if (this.writeHost(chunk.subarray(0, got)) < 0) return total > 0 ? total : this.fail(task);
      total += got;
    }
    return total;
  }
  private fail(task: Task): never {
    const error = this.broken;
    // A reader that has gone stays gone; a full disk may be emptied.
    if (error === EPIPE) sendSignalToTask(task, kernelInfo(SIGPIPE));
    else this.broken = 0;
    throw errno(error);
  }
  /** Sends what the host takes and keeps the rest. Returns -1 when the host refused everything. */
  private writeHost(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length) {
      const n = this.host.writeSome(this.fd, bytes, at, bytes.length - at);
      if (n > 0) {
        at += n;
      } else if (n === -EAGAIN || n === 0) {
        this.pending = bytes.subarray(at);
        this.awaitRoom();
        return at;
      } else if (n !== -EINTR) {
        this.broken = -n;
        this.pending = null;
        return at > 0 ? at : -1;
      }
    }
    this.pending = null;
    return at;
  }
  private awaitRoom(): void {
    if (this.outputWatch !== null) return this.outputWatch.arm();
    this.outputWatch = this.host.watch(this.fd, WATCH_OUT, () => {
      if (this.pending !== null) this.writeHost(this.pending);
      if (this.pending !== null) return;
      for (const done of this.drained.splice(0)) done();
      this.wake(this.broken === 0 ? POLLOUT | POLLWRNORM : POLLOUT | POLLERR);
    });
  }
  pollOut(): number {
    if (this.broken !== 0) return POLLOUT | POLLWRNORM | POLLERR;
    return this.pending === null ? POLLOUT | POLLWRNORM : 0;
  }

  private wake(events: number): void {
    this.queue.wakeFor(events);
    this.kernel.kick();
  }

  // The end.

  /** Calls back once the host has taken everything, or never will. */
  whenDrained(done: () => void): void {
    if (this.pending === null) return done();
    this.drained.push(done);
  }
  close(): void {
    this.inputWatch?.stop();
    this.outputWatch?.stop();
    this.inputWatch = this.outputWatch = null;
    this.pending = null;
    for (const done of this.drained.splice(0)) done();
  }
}

export class HostStreamFile extends OpenFile {
  readonly stream: HostStream;
  override readonly queue: PollQueue;

  /** `flags`: O_RDONLY, O_WRONLY or O_RDWR and status flags. */
  constructor(stream: HostStream, flags: number, position = stream.hostOffset) {
    super(stream.inode, null, flags);
    this.stream = stream;
    this.queue = stream.queue;
    this.position = position;
  }
  override read(_task: Task, into: GuestBuffer, offset: number): number {
    if ((this.flags & O_ACCMODE) === O_WRONLY) throw errno(EBADF);
    if (!this.stream.regular) return this.stream.read(into);
    const n = this.stream.readFile(into, offset === AT_POSITION ? this.position : offset);
    if (offset === AT_POSITION) this.position += n;
    return n;
  }
  override write(task: Task, from: GuestBuffer, offset: number): number {
    if ((this.flags & O_ACCMODE) === O_RDONLY) throw errno(EBADF);
    if (!this.stream.regular) return this.stream.write(task, from);
    if (offset !== AT_POSITION) return this.stream.writeFile(from, offset);
    if ((this.flags & O_APPEND) !== 0) this.position = this.inode.size;
    const n = this.stream.writeFile(from, this.position);
    this.position += n;
    return n;
  }
  override seek(_task: Task, offset: number, whence: number): number {
    if (!this.stream.regular) throw errno(ESPIPE);
    if (whence !== SEEK_SET && whence !== SEEK_CUR && whence !== SEEK_END) throw errno(EINVAL);
    const to = offset + (whence === SEEK_SET ? 0 : whence === SEEK_CUR ? this.position : this.inode.size);
    if (to < 0) throw errno(EINVAL);
    this.position = to;
    return to;
  }
  override get seekable(): boolean {
    return this.stream.regular;
  }
  override poll(): number {
    const access = this.flags & O_ACCMODE;
    return (access === O_WRONLY ? 0 : this.stream.pollIn()) | (access === O_RDONLY ? 0 : this.stream.pollOut());
  }
  override fsync(): void {
    if (!this.stream.regular) throw errno(EINVAL);
  }
  override describe(): string {
    const type = this.inode.mode & S_IFMT;
    return type === S_IFIFO
      ? `pipe:[${this.inode.ino}]`
      : type === S_IFSOCK
        ? `socket:[${this.inode.ino}]`
        : 'host:[stream]';
  }
}

/** Makes /dev/stdin and the like open a host pipe again instead of a pipe of the guest's. */
export function serveHostFifos(vfs: Vfs): void {
  const next = vfs.fifoOpen;
  vfs.fifoOpen = (inode, flags, task) =>
    inode instanceof HostStreamInode ? inode.open(task, flags) : next(inode, flags, task);
}
