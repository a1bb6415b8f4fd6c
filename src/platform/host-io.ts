/**
 * Host services for the terminal and the command line: readiness of descriptors, reads and writes that never block,
 * terminal modes that are always restored, the host's clocks and randomness.
 *
 * One object per JS thread (`hostIo()` makes it; callers pass it on, nothing is kept in module state). Descriptors may
 * be shared with the shell that started us, so O_NONBLOCK is never set. Results are byte counts or -errno.
 */
import { loadNative, type NativeHostIo, type NativeWatcher } from './native.js';
import { errnoName } from './ptrace/errors.js';

export const POLLIN = 1;
export const POLLPRI = 2;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_BOOTTIME = 7;

/** Bytes of the kernel's struct termios: iflag, oflag, cflag, lflag (4 bytes each), c_line, 19 control characters. */
export const TERMIOS_SIZE = 36;
export const TCSANOW = 0;
export const TCSADRAIN = 1;
export const TCSAFLUSH = 2;

const ENOTTY = 25;

export interface Watch {
  /** Hear of the next readiness; the watch is armed when made, and must be armed again after each callback. */
  arm(): void;
  stop(): void;
}

export interface Winsize {
  rows: number;
  columns: number;
  xPixels: number;
  yPixels: number;
}

export class HostIo {
  /** Seconds and nanoseconds of the last `clock()`. */
  readonly time: Float64Array;
  private readonly native: NativeHostIo;
  private readonly guard: string;
  private watcher: NativeWatcher | null = null;
  private readonly callbacks = new Map<number, (revents: number) => void>();
  private nextId = 1;
  private readonly winsize = new Uint16Array(4);

  constructor() {
    const { addon, guard } = loadNative();
    this.native = addon.createHostIo();
    this.guard = guard;
    this.time = new Float64Array(this.native.clockResult);
  }

  /** Reads a host clock into `time`; allocates nothing. Same source as the vDSO that guests see. */
  clock(id: number): void {
    const error = this.native.clock(id);
    if (error !== 0) throw new Error(`levitate: clock ${id}: ${errnoName(error)}`);
  }

  fillRandom(to: Uint8Array): void {
    const error = this.native.random(to);
    if (error !== 0) throw new Error(`levitate: getrandom: ${errnoName(error)}`);
  }

  /** Calls back once when `fd` is ready for one of `events`; keeps Node's loop alive while armed. */
  watch(fd: number, events: number, callback: (revents: number) => void): Watch {
    const watcher = (this.watcher ??= this.native.createWatcher((id, revents) => this.callbacks.get(id)?.(revents)));
    const id = this.nextId++;
    this.callbacks.set(id, callback);
    watcher.arm(id, fd, events);
    return {
      arm: () => {
        if (this.callbacks.has(id)) watcher.arm(id, fd, events);
      },
      stop: () => {
        this.callbacks.delete(id);
        watcher.disarm(id);
      },
    };
  }

  /** Bytes read, 0 at the end, -EAGAIN when nothing is there. */
  readSome(fd: number, to: Uint8Array, offset: number, len: number): number {
    return this.native.read(fd, to, offset, len);
  }
  /** Bytes written (perhaps fewer than asked), -EAGAIN, -EPIPE... */
  writeSome(fd: number, from: Uint8Array, offset: number, len: number): number {
    return this.native.write(fd, from, offset, len);
  }

  isatty(fd: number): boolean {
    return this.native.getTermios(fd, new Uint8Array(TERMIOS_SIZE)) === 0;
  }
  /** Null when `fd` is not a terminal. */
  getTermios(fd: number): Uint8Array | null {
    const bytes = new Uint8Array(TERMIOS_SIZE);
    return this.native.getTermios(fd, bytes) === 0 ? bytes : null;
  }
  /** 0 or errno. */
  setTermios(fd: number, termios: Uint8Array, when: number = TCSADRAIN): number {
    return this.native.setTermios(fd, termios, when);
  }
  /**
   * Raw mode until `restore()`; restored also when this thread or the process ends, however it ends (a guard process
   * does it after SIGKILL). Returns 0 or errno.
   */
  makeRaw(fd: number): number {
    return this.native.makeRaw(fd, this.guard);
  }
  restore(fd: number): number {
    return this.native.restoreTerminal(fd);
  }
  /** Null when `fd` is not a terminal. */
  getWinsize(fd: number): Winsize | null {
    const error = this.native.getWinsize(fd, this.winsize);
    if (error === ENOTTY) return null;
    if (error !== 0) return null;
    const [rows, columns, xPixels, yPixels] = this.winsize;
    return { rows, columns, xPixels, yPixels };
  }

  /** Stops every watch. Terminals stay as they are. */
  close(): void {
    this.watcher?.close();
    this.watcher = null;
    this.callbacks.clear();
  }
}

export function hostIo(): HostIo {
  return new HostIo();
}
