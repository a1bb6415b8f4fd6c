/**
 * What a line discipline needs below itself (struct tty_operations and the flip buffer, as far as N_TTY uses them). The
 * console and the pty ends implement it; unit tests use a plain object.
 *
 * Contract: `output` never takes more than `writeRoom` said, and takes at least one byte when that was not 0. When room
 * appears the driver tells its tty, which wakes the writers. Only `resumeInput` may call back into the discipline, with what
was held back.
 */
export interface TtyDriver {
  /** Bytes that `output` would take now. */
  writeRoom(): number;
  /** Takes bytes of [start, end), returns how many. */
  output(bytes: Uint8Array, start: number, end: number): number;
  /** Drops output that has not left yet (TCOFLUSH, ^C without NOFLSH). */
  discardOutput(): void;
  /** ISIG or BRKINT: to the foreground process group. */
  signal(signal: number): void;
  /** Input has arrived, or the rules for reading have changed. */
  wakeReaders(): void;
  wakeWriters(): void;
  /** `receive` took less than it was given, and can take more now. */
  resumeInput(): void;
  /** TIOCPKT_ events for the master of a pty in packet mode. */
  packetEvent(bits: number): void;
}

/** TIOCPKT_: first byte of every read of a master in packet mode. */
export const TIOCPKT_DATA = 0;
export const TIOCPKT_FLUSHREAD = 1;
export const TIOCPKT_FLUSHWRITE = 2;
export const TIOCPKT_STOP = 4;
export const TIOCPKT_START = 8;
export const TIOCPKT_NOSTOP = 16;
export const TIOCPKT_DOSTOP = 32;
export const TIOCPKT_IOCTL = 64;
