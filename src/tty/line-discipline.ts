/**
 * N_TTY, the line discipline: what a terminal does with the bytes typed into it (drivers/tty/n_tty.c of 6.18). Echo and
 * output processing are in output.ts, the ring in input-buffer.ts, reading in read.ts, editing in canonical.ts.
 *
 * Invariant: for any termios and any input, in any chunks, what is echoed and what read(2) returns is what the host's own
 * pty gives; test/tty/line-discipline.property.test.ts checks that against the host.
 *
 * Oddities copied: IMAXBEL does nothing (since 3.12 Linux neither rings nor stops); in canonical mode without a finished
 * line byte 4096 is overwritten for ever, so that editing goes on; ^C throws away the echoes queued before it.
 */
import { SIGINT, SIGQUIT, SIGTSTP } from '../abi/flags/signal.js';
import { eraseInput, receiveCanonical } from './canonical.js';
import { toLower } from './ctype.js';
import { TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHWRITE, TIOCPKT_START, TIOCPKT_STOP, type TtyDriver } from './driver.js';
import { BUFFER_SIZE, InputBuffer } from './input-buffer.js';
import { TtyOutput } from './output.js';
import * as t from './termios.js';

/** How a byte arrived (TTY_ flags of linux/tty_flip.h). */
export const INPUT_NORMAL = 0;
export const INPUT_BREAK = 1;
export const INPUT_PARITY = 3;

const NEWLINE = 10;
const RETURN = 13;

export class LineDiscipline {
  readonly termios: t.Termios;
  private readonly driver: TtyDriver;
  readonly input = new InputBuffer();
  readonly output: TtyOutput;
  /** Bytes that need a closer look under the current termios. */
  private readonly special = new Uint8Array(256);
  icanon = true;
  private raw = false;
  /** The next byte is literal (^V). */
  literalNext = false;
  /** Between \ and / of ECHOPRT. */
  erasing = false;
  private noRoom = false;
  /** Input already searched for ^S and ^Q while it waited for room. */
  private lookedAhead = 0;
  private readonly single = new Uint8Array(1);

  constructor(termios: t.Termios, driver: TtyDriver) {
    this.termios = termios;
    this.driver = driver;
    this.output = new TtyOutput(termios, driver);
    this.termiosChanged(null);
  }

  /** n_tty_open: after a hangup, and when the discipline is set anew. */
  reset(): void {
    this.resetInput();
    this.literalNext = false;
    this.output.reset();
    this.termiosChanged(null);
  }

  private resetInput(): void {
    this.input.reset();
    this.erasing = false;
    this.lookedAhead = 0;
  }

  /** TCIFLUSH. */
  flushInput(): void {
    this.dropInput();
    this.kick();
  }
  /** The flush of TCSETSF: input held by the driver comes in under the new rules, after `kick`. */
  dropInput(): void {
    this.resetInput();
    this.driver.packetEvent(TIOCPKT_FLUSHREAD);
  }

  flushOutput(): void {
    this.driver.discardOutput();
    this.driver.packetEvent(TIOCPKT_FLUSHWRITE);
  }

  /** `termios` has been changed in place; `old` is what it was, null at the start. */
  termiosChanged(old: t.Termios | null): void {
    const { iflag, lflag, cc } = this.termios;
    if (!old || (old.lflag ^ lflag) & (t.ICANON | t.EXTPROC)) {
      this.input.switchMode((lflag & t.ICANON) !== 0);
      this.erasing = this.literalNext = false;
    }
    this.icanon = (lflag & t.ICANON) !== 0;
    const translating = t.ISTRIP | t.IUCLC | t.IGNCR | t.ICRNL | t.INLCR | t.IXON | t.PARMRK;
    this.raw = !(iflag & translating) && !(lflag & (t.ICANON | t.ISIG | t.ECHO));
    const special = this.special.fill(0);
    if (iflag & (t.IGNCR | t.ICRNL)) special[RETURN] = 1;
    if (iflag & t.INLCR) special[NEWLINE] = 1;
    if (this.icanon) {
      special[NEWLINE] = 1;
      for (const i of [t.VERASE, t.VKILL, t.VEOF, t.VEOL]) special[cc[i]] = 1;
      if (lflag & t.IEXTEN) {
        for (const i of [t.VWERASE, t.VLNEXT, t.VEOL2]) special[cc[i]] = 1;
        if (lflag & t.ECHO) special[cc[t.VREPRINT]] = 1;
      }
    }
    if (iflag & t.IXON) special[cc[t.VSTART]] = special[cc[t.VSTOP]] = 1;
    if (lflag & t.ISIG) special[cc[t.VINTR]] = special[cc[t.VQUIT]] = special[cc[t.VSUSP]] = 1;
    special[t.DISABLED_CHAR] = 0;
    // A terminal held by ^S must not stay so once ^Q has lost its meaning.
    if (old && old.iflag & t.IXON && !(iflag & t.IXON) && !this.output.tcoStopped) {
      this.start();
      this.output.processEchoes();
    }
    this.driver.wakeWriters();
    this.driver.wakeReaders();
  }

  /** Program output; returns how many bytes were taken. */
  write(bytes: Uint8Array, start: number, end: number): number {
    this.output.processEchoes();
    return this.output.write(bytes, start, end);
  }

  // Flow control.

  start(): void {
    if (!this.output.stopped || this.output.tcoStopped) return;
    this.output.stopped = false;
    this.driver.packetEvent(TIOCPKT_START);
    this.driver.wakeWriters();
  }

  stop(): void {
    if (this.output.stopped) return;
    this.output.stopped = true;
    this.driver.packetEvent(TIOCPKT_STOP);
  }

  /** TCXONC TCOOFF and TCOON: a stop that ^Q does not undo. */
  holdOutput(hold: boolean): void {
    if (this.output.tcoStopped === hold) return;
    this.output.tcoStopped = hold;
    if (hold) this.stop();
    else this.start();
  }

  /** TCXONC TCIOFF and TCION: the character itself goes out, held or not. */
  sendFlowChar(which: typeof t.VSTART | typeof t.VSTOP): void {
    const c = this.termios.cc[which];
    // Linux lifts ^S for the moment but not TCOOFF, and then the character is lost.
    if (c === t.DISABLED_CHAR || this.output.tcoStopped) return;
    this.single[0] = c;
    this.driver.output(this.single, 0, 1);
  }

  private flowControl(c: number): boolean {
    if (c === this.termios.cc[t.VSTART]) {
      this.start();
      this.output.processEchoes();
      return true;
    }
    if (c !== this.termios.cc[t.VSTOP]) return false;
    this.stop();
    return true;
  }

  /** The driver holds this input for want of room; ^S and ^Q in it act at once. */
  lookahead(bytes: Uint8Array, start: number, end: number): void {
    this.lookedAhead += end - start;
    if (!(this.termios.iflag & t.IXON)) return;
    for (let i = start; i < end; i++) this.flowControl(bytes[i]);
  }

  private restartOnAny(): void {
    const ixany = t.IXON | t.IXANY;
    if (!this.output.stopped || this.output.tcoStopped || (this.termios.iflag & ixany) !== ixany) return;
    this.start();
    this.output.processEchoes();
  }

  // Input.

  /**
   * Bytes from the terminal. Returns how many were taken; when fewer than given, `resumeInput` follows as soon as there is
   * room. `flags` has an INPUT_ constant per byte where anything went wrong on the line.
   */
  receive(bytes: Uint8Array, start = 0, end = bytes.length, flags?: Uint8Array): number {
    let at = start;
    for (;;) {
      let room = BUFFER_SIZE - this.input.count;
      // With PARMRK one byte may become three.
      if (this.termios.iflag & t.PARMRK) room = Math.ceil(room / 3);
      room--;
      let overflow = false;
      if (room <= 0) {
        overflow = this.icanon && this.input.canonHead === this.input.tail;
        if (overflow && room < 0) this.input.head--;
        room = overflow ? 1 : 0;
        this.noRoom = !overflow;
      }
      const count = Math.min(end - at, room);
      if (count === 0) return at - start;
      if (!overflow || flags?.[at] !== INPUT_PARITY) this.receivePiece(bytes, at, at + count, flags);
      at += count;
    }
  }

  private receivePiece(bytes: Uint8Array, start: number, end: number, flags: Uint8Array | undefined): void {
    const { iflag, lflag } = this.termios;
    const extproc = (lflag & t.EXTPROC) !== 0;
    const translating = iflag & t.ISTRIP || (iflag & t.IUCLC && lflag & t.IEXTEN);
    const seen = Math.min(this.lookedAhead, end - start);
    if (this.raw || (extproc && !translating)) {
      for (let i = start; i < end; i++) {
        if (flags?.[i]) this.receiveFlagged(bytes[i], flags[i]);
        else this.input.put(bytes[i]);
      }
    } else {
      for (let i = start; i < end; i++) this.receiveByte(bytes[i], flags ? flags[i] : INPUT_NORMAL, i < start + seen);
      this.output.flushEchoes();
    }
    // A signal character in between has reset the count.
    this.lookedAhead = Math.max(0, this.lookedAhead - seen);
    if (this.icanon && !extproc) return;
    this.input.commitHead = this.input.head;
    if (this.input.count > 0) this.driver.wakeReaders();
  }

  private receiveByte(c: number, flag: number, flowDone: boolean): void {
    const { iflag, lflag } = this.termios;
    const literal = this.literalNext;
    this.literalNext = false;
    if (flag !== INPUT_NORMAL) {
      this.receiveFlagged(c, flag);
      return;
    }
    if (iflag & t.ISTRIP) c &= 0x7f;
    if (iflag & t.IUCLC && lflag & t.IEXTEN) c = toLower(c);
    if (literal) this.receivePlain(c);
    else if (lflag & t.EXTPROC) this.input.put(c);
    else if (this.special[c]) this.receiveSpecial(c, flowDone);
    else this.receivePlain(c);
  }

  private receivePlain(c: number): void {
    this.restartOnAny();
    if (this.termios.lflag & t.ECHO) {
      this.finishErasing();
      this.markCanonColumn();
      this.output.echo(c);
      this.output.commitEchoes();
    }
    this.putMarked(c);
  }

  private receiveSpecial(c: number, flowDone: boolean): void {
    const { iflag, lflag, cc } = this.termios;
    if (iflag & t.IXON) {
      if (flowDone ? c === cc[t.VSTART] || c === cc[t.VSTOP] : this.flowControl(c)) return;
    }
    if (lflag & t.ISIG) {
      const signal = c === cc[t.VINTR] ? SIGINT : c === cc[t.VQUIT] ? SIGQUIT : c === cc[t.VSUSP] ? SIGTSTP : 0;
      if (signal) return this.receiveSignal(signal, c);
    }
    this.restartOnAny();
    if (c === RETURN) {
      if (iflag & t.IGNCR) return;
      if (iflag & t.ICRNL) c = NEWLINE;
    } else if (c === NEWLINE && iflag & t.INLCR) {
      c = RETURN;
    }
    if (this.icanon && receiveCanonical(this, c)) return;
    if (lflag & t.ECHO) {
      this.finishErasing();
      if (c === NEWLINE) {
        this.output.echoRaw(NEWLINE);
      } else {
        this.markCanonColumn();
        this.output.echo(c);
      }
      this.output.commitEchoes();
    }
    this.putMarked(c);
  }

  private receiveSignal(signal: number, c: number): void {
    this.raiseSignal(signal);
    if (this.termios.iflag & t.IXON) this.start();
    if (this.termios.lflag & t.ECHO) {
      this.output.echo(c);
      this.output.commitEchoes();
    } else {
      this.output.processEchoes();
    }
  }

  private raiseSignal(signal: number): void {
    this.driver.signal(signal);
    if (this.termios.lflag & t.NOFLSH) return;
    this.output.discardEchoes();
    this.flushOutput();
    this.resetInput();
    this.driver.packetEvent(TIOCPKT_FLUSHREAD);
  }

  private receiveFlagged(c: number, flag: number): void {
    const { iflag } = this.termios;
    if (flag === INPUT_BREAK) {
      if (iflag & t.IGNBRK) return;
      if (iflag & t.BRKINT) return this.raiseSignal(SIGINT);
      c = 0;
    } else if (!(iflag & t.INPCK)) {
      this.input.put(c);
      return;
    } else if (iflag & t.IGNPAR) {
      return;
    }
    if (iflag & t.PARMRK) {
      this.input.put(0xff);
      this.input.put(0);
      this.input.put(c);
    } else {
      this.input.put(0);
    }
  }

  /** A byte of data; with PARMRK a real 0xff is told from a mark by doubling it. */
  private putMarked(c: number): void {
    this.markLiteral(c);
    this.input.put(c);
  }

  markLiteral(c: number): void {
    if (c === 0xff && this.termios.iflag & t.PARMRK) this.input.put(c);
  }

  markCanonColumn(): void {
    if (this.input.canonHead === this.input.head) this.output.setCanonColumn();
  }

  finishErasing(): void {
    if (!this.erasing) return;
    this.output.echoRaw(0x2f);
    this.erasing = false;
  }

  /** A finished line: readable from now on. */
  endLine(c: number): void {
    this.input.putEnd(c);
    this.driver.wakeReaders();
  }

  // What readers see.

  /** Reads return lines, not bytes. */
  get byLines(): boolean {
    return this.icanon && !(this.termios.lflag & t.EXTPROC);
  }

  /** Whether read(2) would return data. poll(2) without VTIME waits for VMIN bytes: `forPoll`. */
  readable(forPoll = false): boolean {
    const { cc } = this.termios;
    if (this.byLines) return this.input.canonHead !== this.input.tail;
    const want = forPoll && cc[t.VTIME] === 0 && cc[t.VMIN] > 0 ? cc[t.VMIN] : 1;
    return this.input.commitHead - this.input.tail >= want;
  }

  /** FIONREAD. */
  inputCount(): number {
    return this.byLines ? this.input.canonicalCount() : this.input.count;
  }

  /** n_tty_kick_worker: the driver may give what it holds back. */
  kick(): void {
    if (!this.noRoom) return;
    this.noRoom = false;
    this.driver.resumeInput();
  }

  erase(c: number): void {
    eraseInput(this, c);
    this.output.commitEchoes();
  }
}
