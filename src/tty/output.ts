/**
 * Output half of the line discipline: OPOST processing with its column count, and the echo buffer (drivers/tty/n_tty.c:
 * do_output_char, process_output_block, __process_echoes and what feeds them).
 *
 * Invariant: nothing is dropped for want of room in the driver. Program output stops at the byte that did not fit; echoes
 * wait in their own ring, as operations rather than bytes, because the width of an erased tab is known only when it is
 * written. Only an echo ring about to overrun discards its oldest entries, as Linux does.
 */
import { isCntrl, toUpper } from './ctype.js';
import type { TtyDriver } from './driver.js';
import * as t from './termios.js';

const BUFFER_SIZE = 4096;
const MASK = BUFFER_SIZE - 1;

/** Echo operations: this byte, then one of the codes below, itself, or a control character to show as ^X. */
const OP_START = 0xff;
const OP_MOVE_BACK_COL = 0x80;
const OP_SET_CANON_COL = 0x81;
const OP_ERASE_TAB = 0x82;

/** Echoes gather up to this many bytes before they are written in the middle of a chunk of input. */
const COMMIT_WATERMARK = 256;
const BLOCK = 256;
const DISCARD_WATERMARK = BUFFER_SIZE - (BLOCK + 32);

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const BACKSPACE = 8;
const CR_LF = Uint8Array.of(RETURN, NEWLINE);
const SPACES = new Uint8Array(8).fill(32);

export class TtyOutput {
  private readonly termios: t.Termios;
  private readonly driver: TtyDriver;
  /** tty->flow: output is held by ^S or TCOOFF; the latter is not undone by ^Q. */
  stopped = false;
  tcoStopped = false;
  private column = 0;
  /** Column at which the line being typed started: what an erased tab is measured from. */
  private canonColumn = 0;

  private readonly echoes = new Uint8Array(BUFFER_SIZE);
  /** Free-running indices: written up to head, released for output up to commit, written out up to tail. */
  private echoHead = 0;
  private echoCommit = 0;
  private echoMark = 0;
  private echoTail = 0;
  private readonly one = new Uint8Array(1);

  constructor(termios: t.Termios, driver: TtyDriver) {
    this.termios = termios;
    this.driver = driver;
  }

  reset(): void {
    this.stopped = this.tcoStopped = false;
    this.column = this.canonColumn = 0;
    this.discardEchoes();
  }

  /** Room in the driver, none while output is held. */
  room(): number {
    return this.stopped ? 0 : this.driver.writeRoom();
  }

  /** Program output. Returns how many bytes of [start, end) were taken; the rest waits for `wakeWriters`. */
  write(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (!(this.termios.oflag & t.OPOST)) {
      while (at < end) {
        const n = this.stopped ? 0 : this.driver.output(bytes, at, end);
        if (n === 0) break;
        at += n;
      }
      return at - start;
    }
    while (at < end) {
      at += this.writePlain(bytes, at, end);
      if (at === end || this.put(bytes[at], this.room()) < 0) break;
      at++;
    }
    return at - start;
  }

  /** process_output_block: the longest prefix that needs no translation, in one piece. */
  private writePlain(bytes: Uint8Array, start: number, end: number): number {
    const room = this.room();
    if (room === 0) return 0;
    const limit = Math.min(end, start + room);
    const flags = this.termios.oflag;
    const iutf8 = (this.termios.iflag & t.IUTF8) !== 0;
    let at = start;
    scan: for (; at < limit; at++) {
      const c = bytes[at];
      if (c === NEWLINE) {
        if (flags & t.ONLRET) this.column = 0;
        if (flags & t.ONLCR) break scan;
        this.canonColumn = this.column;
      } else if (c === RETURN) {
        if ((flags & t.ONOCR && this.column === 0) || flags & t.OCRNL) break scan;
        this.canonColumn = this.column = 0;
      } else if (c === TAB) {
        break scan;
      } else if (c === BACKSPACE) {
        if (this.column > 0) this.column--;
      } else if (!isCntrl(c)) {
        if (flags & t.OLCUC) break scan;
        if (!(iutf8 && (c & 0xc0) === 0x80)) this.column++;
      }
    }
    return at === start ? 0 : this.driver.output(bytes, start, at);
  }

  private emit(c: number): void {
    this.one[0] = c;
    this.driver.output(this.one, 0, 1);
  }

  /** do_output_char: one byte with translation. Returns the bytes it became, or -1 when they do not fit. */
  private put(c: number, room: number): number {
    if (room === 0) return -1;
    const flags = this.termios.oflag;
    switch (c) {
      case NEWLINE:
        if (flags & t.ONLRET) this.column = 0;
        if (flags & t.ONLCR) {
          if (room < 2) return -1;
          this.canonColumn = this.column = 0;
          this.driver.output(CR_LF, 0, 2);
          return 2;
        }
        this.canonColumn = this.column;
        break;
      case RETURN:
        if (flags & t.ONOCR && this.column === 0) return 0;
        if (flags & t.OCRNL) {
          c = NEWLINE;
          if (flags & t.ONLRET) this.canonColumn = this.column = 0;
          break;
        }
        this.canonColumn = this.column = 0;
        break;
      case TAB: {
        const spaces = 8 - (this.column & 7);
        if ((flags & t.TABDLY) === t.XTABS) {
          if (room < spaces) return -1;
          this.column += spaces;
          this.driver.output(SPACES, 0, spaces);
          return spaces;
        }
        this.column += spaces;
        break;
      }
      case BACKSPACE:
        if (this.column > 0) this.column--;
        break;
      default:
        if (!isCntrl(c)) {
          if (flags & t.OLCUC) c = toUpper(c);
          if (!(this.termios.iflag & t.IUTF8 && (c & 0xc0) === 0x80)) this.column++;
        }
    }
    this.emit(c);
    return 1;
  }

  // What the input side queues.

  private add(c: number): void {
    this.echoes[this.echoHead++ & MASK] = c;
  }

  moveBackColumn(): void {
    this.add(OP_START);
    this.add(OP_MOVE_BACK_COL);
  }

  setCanonColumn(): void {
    this.add(OP_START);
    this.add(OP_SET_CANON_COL);
  }

  /** `columns` used since the start of the line, or since the tab before if `afterTab`. */
  eraseTab(columns: number, afterTab: boolean): void {
    this.add(OP_START);
    this.add(OP_ERASE_TAB);
    this.add((columns & 7) | (afterTab ? 0x80 : 0));
  }

  echoRaw(c: number): void {
    if (c === OP_START) this.add(OP_START);
    this.add(c);
  }

  /** As echoRaw, but control characters appear as ^X with ECHOCTL. */
  echo(c: number): void {
    if (c === OP_START || (this.termios.lflag & t.ECHOCTL && isCntrl(c) && c !== TAB)) this.add(OP_START);
    this.add(c);
  }

  // Writing echoes out.

  /** commit_echoes: in the middle of a chunk echoes go out only when a block of them has gathered. */
  commitEchoes(): void {
    this.echoMark = this.echoHead;
    const old = this.echoCommit - this.echoTail;
    const count = this.echoHead - this.echoTail;
    if (count < COMMIT_WATERMARK || count % BLOCK > old % BLOCK) return;
    this.echoCommit = this.echoHead;
    this.writeEchoes();
  }

  /** process_echoes: retry what was committed before (output restarted, a program writes). */
  processEchoes(): void {
    if (this.echoMark === this.echoTail) return;
    this.echoCommit = this.echoMark;
    this.writeEchoes();
  }

  /** flush_echoes: end of a chunk of input. */
  flushEchoes(): void {
    if (!(this.termios.lflag & (t.ECHO | t.ECHONL)) || this.echoCommit === this.echoHead) return;
    this.echoCommit = this.echoHead;
    this.writeEchoes();
  }

  discardEchoes(): void {
    this.echoHead = this.echoTail = this.echoMark = this.echoCommit = 0;
  }

  private writeEchoes(): void {
    let room = this.room();
    const opost = (this.termios.oflag & t.OPOST) !== 0;
    // Compared modulo the ring, as Linux does: a ring overrun by exactly its size counts as empty.
    while ((this.echoCommit & MASK) !== (this.echoTail & MASK)) {
      const c = this.echoes[this.echoTail & MASK];
      let used: number;
      if (c === OP_START) {
        used = this.runEchoOp(room);
      } else if (opost) {
        used = this.put(c, room);
        if (used >= 0) this.echoTail++;
      } else if (room > 0) {
        this.emit(c);
        used = 1;
        this.echoTail++;
      } else {
        used = -1;
      }
      if (used < 0) break;
      room -= used;
    }
    while (this.echoCommit - this.echoTail >= DISCARD_WATERMARK) this.echoTail += this.echoLength();
  }

  private echoLength(): number {
    if (this.echoes[this.echoTail & MASK] !== OP_START) return 1;
    return this.echoes[(this.echoTail + 1) & MASK] === OP_ERASE_TAB ? 3 : 2;
  }

  /** Returns the room used, or -1 if there is not enough. */
  private runEchoOp(room: number): number {
    const op = this.echoes[(this.echoTail + 1) & MASK];
    let used = 0;
    switch (op) {
      case OP_ERASE_TAB: {
        let columns = this.echoes[(this.echoTail + 2) & MASK];
        if (!(columns & 0x80)) columns += this.canonColumn;
        used = 8 - (columns & 7);
        if (used > room) return -1;
        for (let i = 0; i < used; i++) this.emit(BACKSPACE);
        this.column = Math.max(0, this.column - used);
        break;
      }
      case OP_SET_CANON_COL:
        this.canonColumn = this.column;
        break;
      case OP_MOVE_BACK_COL:
        if (this.column > 0) this.column--;
        break;
      case OP_START:
        if (room < 1) return -1;
        this.emit(OP_START);
        this.column++;
        used = 1;
        break;
      default:
        if (room < 2) return -1;
        this.emit(0x5e);
        this.emit(op ^ 0o100);
        this.column += 2;
        used = 2;
    }
    this.echoTail += this.echoLength();
    return used;
  }
}
