/**
 * Tty: one terminal (struct tty_struct): termios and line discipline, window size, and whose controlling terminal it is.
 * Subclasses are the console (console.ts) and the two ends of a pty (pty.ts); open files on it are TtyFile.
 *
 * Invariants: a session has at most one controlling terminal and a terminal belongs to at most one session; `session` and
 * `Session.tty` always agree. The foreground group is kept as a number, because Linux's struct pid outlives the group, and
 * names a group only while that group is in the terminal's session.
 */
import type { Task } from '../../sched/task.js';
import { ENOTTY, errno } from '../abi/errno.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { ProcessGroup, Session } from '../../sched/process-group.js';
import { kernelInfo, sendSignalToGroup, sendSignalToProcessGroup } from '../../sched/signal/send.js';
import { POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../fs/poll-events.js';
import { PollQueue } from '../../fs/poll-queue.js';
import { SIGCONT, SIGHUP, SIGWINCH } from '../abi/flags/signal.js';
import type { TtyDriver } from './driver.js';
import { LineDiscipline } from './line-discipline.js';
import type { Termios } from './termios.js';
import type { TtyFile } from './tty-file.js';

declare module '../../sched/process-group.js' {
  interface Session {
    /** The controlling terminal. */
    tty?: Tty | null;
    /** Foreground group at a hangup: gets SIGHUP and SIGCONT when the leader exits (tty_old_pgrp). */
    hungUpGroup?: number;
  }
}

export interface WindowSize {
  rows: number;
  columns: number;
  xpixel: number;
  ypixel: number;
}

/** poll(2) on a terminal promises room only below this much pending output. */
const WAKEUP_CHARS = 256;

export abstract class Tty implements TtyDriver {
  readonly kernel: KernelState;
  /** As /proc/tty and ps name it: 'console', 'pts/0'. */
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  readonly termios: Termios;
  readonly ld: LineDiscipline;
  /** Readers, writers and pollers. */
  readonly queue = new PollQueue();
  readonly size: WindowSize = { rows: 0, columns: 0, xpixel: 0, ypixel: 0 };
  readonly files = new Set<TtyFile>();
  session: Session | null = null;
  foregroundId = 0;
  exclusive = false;
  /** TTY_IO_ERROR: never came up, or went down for good. */
  ioError = false;
  /** The other end of a pty is closed. */
  otherClosed = false;
  private readonly initial: Termios;
  /** For transfers between guest and discipline; holds a whole read. */
  readonly scratch = new Uint8Array(4096 + 1);

  constructor(kernel: KernelState, name: string, major: number, minor: number, termios: Termios) {
    this.kernel = kernel;
    this.name = name;
    this.major = major;
    this.minor = minor;
    this.termios = termios;
    this.initial = termios.clone();
    this.ld = new LineDiscipline(termios, this);
  }

  // What is below.
  abstract writeRoom(): number;
  abstract output(bytes: Uint8Array, start: number, end: number): number;
  abstract discardOutput(): void;
  /** Input the discipline has not taken yet goes. */
  abstract discardInput(): void;
  abstract resumeInput(): void;
  /** Bytes written that have not left. */
  abstract pendingOutput(): number;
  /** A burst of output is over: send what is gathered. */
  flush(): void {}
  /** Somebody waits for input. */
  inputWanted(): void {}
  packetEvent(_bits: number): void {}
  /** Master of a pty in packet mode: pending TIOCPKT_ bits, taken, or 0. -1 otherwise. */
  takePacketStatus(): number {
    return -1;
  }
  get packetPending(): boolean {
    return false;
  }
  /** Requests of the driver. */
  ioctl(_task: Task, _file: TtyFile, _request: number, _arg: number): number {
    throw errno(ENOTTY);
  }

  /** The end whose state termios, size and job-control requests are about: the slave of a pty, also through its master. */
  get real(): Tty {
    return this;
  }
  /** Whether this is the master of a pty: never a controlling terminal. */
  get isMaster(): boolean {
    return false;
  }

  /** tty_set_termios: what cannot be changed stays, the discipline learns of the rest. */
  setTermios(wanted: Termios): void {
    const old = this.termios.clone();
    this.termios.assign(wanted);
    this.keepHardware(old);
    this.ld.termiosChanged(old);
    this.flush();
  }
  protected keepHardware(_old: Termios): void {}

  /** Input from outside; returns what was taken. */
  receive(bytes: Uint8Array, start: number, end: number): number {
    const taken = this.ld.receive(bytes, start, end);
    this.flush();
    return taken;
  }

  wakeReaders(): void {
    this.queue.wakeFor(POLLIN | POLLRDNORM);
  }
  wakeWriters(): void {
    this.queue.wakeFor(POLLOUT | POLLWRNORM);
  }

  pollEvents(): number {
    let events = 0;
    if (this.ld.readable(true)) events |= POLLIN | POLLRDNORM;
    if (this.otherClosed) events |= POLLHUP;
    if (this.pendingOutput() < WAKEUP_CHARS && this.ld.output.room() > 0) events |= POLLOUT | POLLWRNORM;
    return events;
  }

  // Job control.

  /** The foreground group while it exists in this terminal's session. */
  get foreground(): ProcessGroup | null {
    const group = this.kernel.pids.processGroups.get(this.foregroundId);
    return group !== undefined && group.session === this.session ? group : null;
  }

  signal(signal: number): void {
    const { foreground } = this;
    if (foreground !== null) sendSignalToProcessGroup(foreground, kernelInfo(signal));
  }

  setSession(session: Session, foregroundId: number): void {
    this.session = session;
    this.foregroundId = foregroundId;
    session.tty = this;
  }

  clearSession(): void {
    if (this.session !== null) this.session.tty = null;
    this.session = null;
    this.foregroundId = 0;
  }

  /** tty_do_resize: SIGWINCH only when something changed. */
  resize(size: WindowSize): void {
    const { rows, columns, xpixel, ypixel } = this.size;
    if (size.rows === rows && size.columns === columns && size.xpixel === xpixel && size.ypixel === ypixel) return;
    Object.assign(this.size, size);
    this.signal(SIGWINCH);
  }

  /**
   * __tty_hangup: every open file is dead from now on, the session loses its terminal and its leader gets SIGHUP and
   * SIGCONT. The terminal itself can be opened again. `spareConsole`: vhangup(2) leaves files alone that were opened as
   * /dev/console; when the host terminal has gone they are as dead as the rest.
   */
  hangup(spareConsole = false): void {
    for (const file of this.files) if (!spareConsole || !file.throughConsole) file.hungUp = true;
    const { session } = this;
    if (session !== null) {
      session.hungUpGroup = this.foregroundId;
      if (session.leader !== null) {
        sendSignalToGroup(session.leader, kernelInfo(SIGHUP));
        sendSignalToGroup(session.leader, kernelInfo(SIGCONT));
      }
    }
    this.clearSession();
    this.discardInput();
    this.discardOutput();
    this.termios.assign(this.initial);
    this.ld.reset();
    this.queue.wakeAll();
  }

  /** An open file is gone; it is off `files` already. */
  closed(): void {}
}
