/**
 * An open file on a terminal: read, write, poll, ioctl with job control and hangup (drivers/tty/tty_io.c, n_tty.c).
 *
 * Invariant: a write takes from the guest only what the terminal is sure to take, so nothing needs to be given back. After a
 * hangup the file stays dead: reads give end of file, writes EIO.
 *
 * Oddities copied: reads and writes through a terminal that is not one's controlling terminal are never stopped; a
 * non-blocking read returns fewer than VMIN bytes; TIOCSPGRP on a hung-up terminal is ENOTTY, everything else EIO.
 */
import { EIO, ENOTTY, errno } from '../abi/errno.js';
import { O_NONBLOCK } from '../abi/flags/open.js';
import { SIGTTIN, SIGTTOU } from '../abi/flags/signal.js';
import { TIOCPKT_DATA } from './driver.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK, type WaitQueue } from '../../sched/wait.js';
import { OpenFile, type GuestBuffer } from '../../fs/file.js';
import type { Inode } from '../../fs/inode.js';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../../fs/poll-events.js';
import { checkForeground } from './job-control.js';
import { ttyIoctl } from './ioctl.js';
import { TIOCSPGRP } from '../abi/flags/ioctl.js';
import { ReadProgress } from './read.js';
import { ONLCR, OPOST, TABDLY, TOSTOP, XTABS } from './termios.js';
import type { Tty } from './tty.js';

/** Bytes taken from the guest at a time: the piece in which Linux hands a write to the discipline. */
const WRITE_PIECE = 2048;
const HUNG_UP_EVENTS = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;

export class TtyFile extends OpenFile {
  readonly tty: Tty;
  override readonly queue: WaitQueue;
  hungUp = false;
  /** Opened as /dev/console. */
  throughConsole = false;
  /** Reads asleep with VTIME running. */
  private readonly progress = new WeakMap<Task, ReadProgress>();

  constructor(inode: Inode, flags: number, tty: Tty) {
    super(inode, null, flags);
    this.tty = tty;
    this.queue = tty.queue;
    tty.files.add(this);
  }

  override read(task: Task, into: GuestBuffer): number {
    const { tty } = this;
    if (this.hungUp) return 0;
    if (tty.ioError) throw errno(EIO);
    checkForeground(task, tty, SIGTTIN);
    if (into.remaining === 0) return 0;
    tty.inputWanted();
    const status = tty.takePacketStatus();
    if (status > 0) {
      tty.scratch[0] = status;
      return into.put(tty.scratch, 0, 1);
    }
    const prefix = status === TIOCPKT_DATA ? 1 : 0;
    tty.scratch[0] = TIOCPKT_DATA;
    const want = Math.min(into.remaining, tty.scratch.length) - prefix;
    // A packet of no data: what one byte of room gives.
    if (want === 0 && tty.ld.readable()) return into.put(tty.scratch, 0, 1);
    const n = this.attempt(task, prefix === 0 ? tty.scratch : tty.scratch.subarray(1), Math.max(want, 1));
    if (n === WOULD_BLOCK || n === 0) return n;
    return into.put(tty.scratch, 0, n + prefix);
  }

  private attempt(task: Task, dst: Uint8Array, want: number): number {
    const { tty } = this;
    const { clock, timers } = task.kernel;
    const cut = (this.flags & O_NONBLOCK) !== 0 || tty.otherClosed || task.signalPending();
    // A task that is not asleep begins a new read.
    const known = task.sleep.active ? this.progress.get(task) : undefined;
    const progress = known ?? new ReadProgress();
    const deadline = progress.deadlineNs;
    const n = progress.attempt(tty.ld, dst, want, clock.monotonicNs(), cut);
    if (n !== WOULD_BLOCK) {
      if (known !== undefined) this.progress.delete(task);
      tty.flush();
      return n;
    }
    if (tty.otherClosed) throw errno(EIO);
    this.progress.set(task, progress);
    if (progress.deadlineNs !== deadline && progress.deadlineNs !== Infinity)
      timers.add(progress.deadlineNs, () => tty.queue.wakeAll());
    return WOULD_BLOCK;
  }

  override write(task: Task, from: GuestBuffer): number {
    const { tty } = this;
    if (this.hungUp || tty.ioError) throw errno(EIO);
    if ((tty.termios.lflag & TOSTOP) !== 0) checkForeground(task, tty, SIGTTOU);
    let total = 0;
    tty.ld.output.processEchoes();
    while (from.remaining > 0) {
      const room = Math.min(this.sureRoom(), WRITE_PIECE);
      if (room === 0) break;
      let got: number;
      try {
        got = from.take(tty.scratch, 0, room);
      } catch (error) {
        if (total > 0) break;
        throw error;
      }
      total += tty.ld.output.write(tty.scratch, 0, got);
    }
    tty.flush();
    return total === 0 && from.remaining > 0 ? WOULD_BLOCK : total;
  }

  /** How many bytes fit whatever they are: a newline may become two, a tab eight. */
  private sureRoom(): number {
    const { oflag } = this.tty.termios;
    const room = this.tty.ld.output.room();
    if ((oflag & OPOST) === 0) return room;
    if ((oflag & TABDLY) === XTABS) return room >> 3;
    return (oflag & ONLCR) !== 0 ? room >> 1 : room;
  }

  override poll(): number {
    if (this.hungUp) return HUNG_UP_EVENTS;
    const { tty } = this;
    tty.inputWanted();
    return tty.pollEvents() | (tty.packetPending ? POLLPRI | POLLIN | POLLRDNORM : 0);
  }

  override ioctl(task: Task, request: number, arg: number): number {
    if (this.hungUp) throw errno(request === TIOCSPGRP ? ENOTTY : EIO);
    return ttyIoctl(task, this, request, arg);
  }

  override release(): void {
    this.tty.files.delete(this);
    this.tty.closed();
  }
}
