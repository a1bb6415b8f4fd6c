/**
 * Standard streams that are no terminal on the host: a pipe, a file, a device, a socket the supervisor was started with.
 *
 * Invariants: host input is read only when the guest reads, and no more than it asked for (poll looks one byte ahead), so what
 * a guest leaves stays for the next host program; a guest that writes faster than the host takes is put to sleep, with at most
 * WRITE_LIMIT bytes between the two. A closed reader on the host is EPIPE and SIGPIPE for the guest.
 *
 * fstat shows the host's file type and, for regular files, its size. Regular files are read and written at the offset they
 * share with whoever started us, until a guest seeks: from then on at the guest's own position.
 */
import { EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EPIPE, ESPIPE, errno } from '../abi/errno.js';
import { SEEK_CUR, SEEK_END, SEEK_SET } from '../abi/flags/file.js';
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '../abi/flags/open.js';
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
import type { HostIo, Watch } from '../platform/host-io.js';

/** fstat(2) of the host, as node:fs gives it. */
export interface HostStat {
  mode: number;
  size: number;
  rdev: number;
}

export interface StreamHost extends Pick<HostIo, 'readSome' | 'writeSome' | 'watch'> {
  fstat(fd: number): HostStat;
  /** pread and pwrite; only regular files. Bytes or -errno. */
  readAt(fd: number, to: Uint8Array, offset: number, length: number, position: number): number;
  writeAt(fd: number, from: Uint8Array, offset: number, length: number, position: number): number;
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
    return new HostStreamFile(this.stream, flags);
  }
}

/** One host descriptor; several open files may show it. */
export class HostStream {
  readonly inode: HostStreamInode;
  readonly queue = new PollQueue();
  readonly regular: boolean;
  private readonly kernel: KernelState;
  private readonly host: StreamHost;
  private readonly fd: number;
  /** Reading: one byte that poll looked at, or how the input ended. */
  private ahead = -1;
  private ended = false;
  private readError = 0;
  private inputWatch: Watch | null = null;
  private inputArmed = false;
  /** Writing: taken from the guest, not yet by the host. */
  private pending: Uint8Array | null = null;
  private broken = 0;
  private outputWatch: Watch | null = null;
  private drained: (() => void)[] = [];
  private readonly buffer = new Uint8Array(READ_LIMIT);
  /** Position of a regular file: own once somebody has sought, the host's before. */
  private ownPosition = false;
  private position = 0;

  constructor(kernel: KernelState, host: StreamHost, fd: number) {
    this.kernel = kernel;
    this.host = host;
    this.fd = fd;
    const stat = host.fstat(fd);
    this.inode = new HostStreamInode(this, kernel, stat);
    this.regular = (stat.mode & S_IFMT) === S_IFREG;
    if (this.regular) this.position = host.offsetOf(fd);
  }

  stat(): HostStat {
    return this.host.fstat(this.fd);
  }

  // Reading.

  read(into: GuestBuffer): number {
    const want = into.accessible(Math.min(into.remaining, READ_LIMIT));
    if (want === 0) {
      if (into.remaining > 0) throw errno(EFAULT);
      return 0;
    }
    let n = this.ahead >= 0 ? 1 : 0;
    if (n > 0) this.buffer[0] = this.ahead;
    this.ahead = -1;
    if (n < want && !this.ended && this.readError === 0) {
      const got = this.readHost(n, want - n);
      if (got > 0) n += got;
    }
    if (n > 0) {
      this.position += n;
      return into.put(this.buffer, 0, n);
    }
    if (this.readError !== 0) {
      const error = this.readError;
      this.readError = 0;
      throw errno(error);
    }
    // A terminal, a growing file: the end may not be for ever.
    if (this.ended) {
      this.ended = false;
      return 0;
    }
    this.awaitInput();
    return WOULD_BLOCK;
  }
  /** Into the buffer at `at`; keeps an end or an error for later. */
  private readHost(at: number, length: number): number {
    const n = this.ownPosition
      ? this.host.readAt(this.fd, this.buffer, at, length, this.position + at)
      : this.host.readSome(this.fd, this.buffer, at, length);
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
    if (this.ahead < 0 && !this.ended && this.readError === 0) {
      const n = this.readHost(0, 1);
      if (n > 0) this.ahead = this.buffer[0];
    }
    if (this.ahead >= 0 || this.readError !== 0) return POLLIN | POLLRDNORM;
    if (this.ended) return (this.inode.mode & S_IFMT) === S_IFIFO ? POLLHUP : POLLIN | POLLRDNORM;
    this.awaitInput();
    return 0;
  }

  /** pread(2): regular files only. */
  readFrom(into: GuestBuffer, position: number): number {
    const want = into.accessible(Math.min(into.remaining, READ_LIMIT));
    if (want === 0 && into.remaining > 0) throw errno(EFAULT);
    const n = this.host.readAt(this.fd, this.buffer, 0, want, position);
    if (n < 0) throw errno(-n);
    return into.put(this.buffer, 0, n);
  }

  // Writing.

  /** pwrite(2): regular files only. */
  writeTo(from: GuestBuffer, position: number): number {
    const got = from.take(this.buffer, 0, Math.min(from.remaining, WRITE_LIMIT));
    const n = this.host.writeAt(this.fd, this.buffer, 0, got, position);
    if (n < 0) throw errno(-n);
    return n;
  }

  write(task: Task, from: GuestBuffer): number {
    let total = 0;
    while (from.remaining > 0) {
      if (this.broken !== 0) {
        if (total > 0) return total;
        const error = this.broken;
        // A reader that has gone stays gone; a full disk may be emptied.
        if (error === EPIPE) sendSignalToTask(task, kernelInfo(SIGPIPE));
        else this.broken = 0;
        throw errno(error);
      }
      if (this.pending !== null) return total > 0 ? total : WOULD_BLOCK;
      const chunk = new Uint8Array(Math.min(from.remaining, WRITE_LIMIT));
      let got: number;
      try {
        got = from.take(chunk, 0, chunk.length);
      } catch (error) {
        if (total > 0) return total;
        throw error;
      }
      const sent = this.writeHost(chunk.subarray(0, got));
      // Nothing of it went out: the guest hears of the error itself.
      if (sent < 0) continue;
      total += got;
    }
    return total;
  }
  /** Sends what the host takes and keeps the rest. Returns -1 when the host refused everything. */
  private writeHost(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length) {
      const n = this.ownPosition
        ? this.host.writeAt(this.fd, bytes, at, bytes.length - at, this.position)
        : this.host.writeSome(this.fd, bytes, at, bytes.length - at);
      if (n > 0) {
        at += n;
        this.position += n;
      } else if (n === -EINTR) continue;
      else if (n === -EAGAIN || n === 0) {
        this.pending = bytes.subarray(at);
        this.awaitRoom();
        return at;
      } else {
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

  /** lseek of a regular file. */
  seek(offset: number, whence: number): number {
    if (!this.regular) throw errno(ESPIPE);
    const base = whence === SEEK_SET ? 0 : whence === SEEK_CUR ? this.position : this.stat().size;
    if (whence !== SEEK_SET && whence !== SEEK_CUR && whence !== SEEK_END) throw errno(EINVAL);
    const to = base + offset;
    if (to < 0) throw errno(EINVAL);
    if (to !== this.position) {
      this.ownPosition = true;
      this.position = to;
      this.ended = false;
    }
    return to;
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
  constructor(stream: HostStream, flags: number) {
    super(stream.inode, null, flags);
    this.stream = stream;
    this.queue = stream.queue;
  }
  override read(_task: Task, into: GuestBuffer, offset: number): number {
    if ((this.flags & O_ACCMODE) === O_WRONLY) throw errno(EBADF);
    return offset === AT_POSITION ? this.stream.read(into) : this.stream.readFrom(into, offset);
  }
  override write(task: Task, from: GuestBuffer, offset: number): number {
    if ((this.flags & O_ACCMODE) === O_RDONLY) throw errno(EBADF);
    return offset === AT_POSITION ? this.stream.write(task, from) : this.stream.writeTo(from, offset);
  }
  override seek(_task: Task, offset: number, whence: number): number {
    return this.stream.seek(offset, whence);
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
