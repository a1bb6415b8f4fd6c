/**
 * struct termios and its relatives, as the kernel (not the C library) lays them out: asm-generic/termbits.h, the same on
 * x86_64 and AArch64. termios is 36 bytes with 19 control characters, termios2 adds the two speeds (44), termio is the
 * System V form (18). Defaults are tty_std_termios (drivers/tty/tty_io.c).
 *
 * Oddity kept: Bxxx codes in c_cflag and c_ispeed/c_ospeed are two encodings of the same thing; every TCSETS* makes the
 * speeds follow the codes, and BOTHER makes them count by themselves (drivers/tty/tty_baudrate.c).
 */
import {
  B38400,
  BOTHER,
  CBAUD,
  CREAD,
  CS8,
  CSIZE,
  PARENB,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  HUPCL,
} from '../abi/flags/termios.js';
import { ICANON, ICRNL, IEXTEN, ISIG, IXON, ONLCR, OPOST } from '../abi/flags/termios.js';

export * from '../abi/flags/termios.js';

export const NCCS = 19;
export const TERMIOS_SIZE = 36;
export const TERMIOS2_SIZE = 44;
export const TERMIO_SIZE = 18;
const TERMIO_NCC = 8;

/** A control character of this value is switched off; in the read buffer it stands for end of file. */
export const DISABLED_CHAR = 0;

/** Kept by TCSETS*, whatever the guest passes (a bus mode of RS-485). */
export const ADDRB = 0o4000000000;
const IBSHIFT = 16;

/** Speeds by Bxxx code: B0 to B38400, then CBAUDEX (BOTHER itself, B57600, ...). */
const SPEEDS = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];
const EXTENDED_SPEEDS = [
  0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000,
  3500000, 4000000,
];

function speedOfCode(code: number): number {
  return (code & BOTHER ? EXTENDED_SPEEDS : SPEEDS)[code & 0o17];
}

/** What differs between the four forms a guest may pass. */
export type TermiosForm = 'termios' | 'termios2' | 'termio';

export function termiosSize(form: TermiosForm): number {
  return form === 'termios' ? TERMIOS_SIZE : form === 'termios2' ? TERMIOS2_SIZE : TERMIO_SIZE;
}

/** ktermios. The flag words are unsigned 32-bit numbers. */
export class Termios {
  iflag = ICRNL | IXON;
  oflag = OPOST | ONLCR;
  cflag = B38400 | CS8 | CREAD | HUPCL;
  lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  line = 0;
  /** ^C ^\ DEL ^U ^D, VTIME 0, VMIN 1, -, ^Q ^S ^Z, -, ^R ^O ^W ^V, -. */
  cc = Uint8Array.of(3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0);
  ispeed = 38400;
  ospeed = 38400;

  clone(): Termios {
    const copy = new Termios();
    copy.assign(this);
    return copy;
  }

  assign(other: Termios): void {
    this.iflag = other.iflag;
    this.oflag = other.oflag;
    this.cflag = other.cflag;
    this.lflag = other.lflag;
    this.line = other.line;
    this.cc.set(other.cc);
    this.ispeed = other.ispeed;
    this.ospeed = other.ospeed;
  }

  encode(form: TermiosForm): Uint8Array {
    const bytes = new Uint8Array(termiosSize(form));
    const view = new DataView(bytes.buffer);
    if (form === 'termio') {
      [this.iflag, this.oflag, this.cflag, this.lflag].forEach((flag, i) => view.setUint16(i * 2, flag & 0xffff, true));
      bytes[8] = this.line;
      bytes.set(this.cc.subarray(0, TERMIO_NCC), 9);
      return bytes;
    }
    [this.iflag, this.oflag, this.cflag, this.lflag].forEach((flag, i) => view.setUint32(i * 4, flag, true));
    bytes[16] = this.line;
    bytes.set(this.cc, 17);
    if (form === 'termios2') {
      view.setUint32(36, this.ispeed, true);
      view.setUint32(40, this.ospeed, true);
    }
    return bytes;
  }

  /** Takes over what a guest passed; termio leaves the high halves and the characters it does not have. */
  decode(bytes: Uint8Array, form: TermiosForm): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (form === 'termio') {
      const merge = (old: number, i: number): number => ((old & ~0xffff) | view.getUint16(i * 2, true)) >>> 0;
      this.iflag = merge(this.iflag, 0);
      this.oflag = merge(this.oflag, 1);
      this.cflag = merge(this.cflag, 2);
      this.lflag = merge(this.lflag, 3);
      this.line = bytes[8];
      this.cc.set(bytes.subarray(9, 9 + TERMIO_NCC));
    } else {
      this.iflag = view.getUint32(0, true);
      this.oflag = view.getUint32(4, true);
      this.cflag = view.getUint32(8, true);
      this.lflag = view.getUint32(12, true);
      this.line = bytes[16];
      this.cc.set(bytes.subarray(17, 17 + NCCS));
      if (form === 'termios2') {
        this.ispeed = view.getUint32(36, true);
        this.ospeed = view.getUint32(40, true);
      }
    }
    this.followCodes();
  }

  /** tty_termios_input_baud_rate and tty_termios_baud_rate: the codes decide unless they say BOTHER. */
  private followCodes(): void {
    const inCode = (this.cflag >>> IBSHIFT) & CBAUD;
    const outCode = this.cflag & CBAUD;
    const ospeed = outCode === BOTHER ? this.ospeed : speedOfCode(outCode);
    // B0 as input code means "as the output".
    this.ispeed = inCode === 0 ? ospeed : inCode === BOTHER ? this.ispeed : speedOfCode(inCode);
    this.ospeed = ospeed;
  }
}

/** The other end of a pty: raw, so that everything the slave prints arrives unchanged. */
export function ptyMasterTermios(): Termios {
  const termios = new Termios();
  termios.iflag = termios.oflag = termios.lflag = 0;
  termios.cflag = B38400 | CS8 | CREAD;
  return termios;
}

/** pts: as the console, without HUPCL (pty.c: unix98_pty_init). */
export function ptySlaveTermios(): Termios {
  const termios = new Termios();
  termios.cflag = B38400 | CS8 | CREAD;
  return termios;
}

/** A terminal without wires: eight bits, no parity, always receiving, whatever a guest asks for (pty_set_termios). */
export function keepByteSize(termios: Termios, old: Termios): void {
  termios.cflag = ((termios.cflag & ~(CSIZE | PARENB | ADDRB)) | CS8 | CREAD | (old.cflag & ADDRB)) >>> 0;
}
