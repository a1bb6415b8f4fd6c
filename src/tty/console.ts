/**
 * The console: the terminal levitate was started on. The host side is made raw and only carries bytes; echo, editing and
 * signals are our own line discipline's.
 *
 * Invariants: host input is read only while the discipline takes it (back-pressure reaches whoever types or pastes); output
 * waits in a ring of OUTPUT_LIMIT bytes, which ^C can still take back; the host terminal's modes come back with `close`, and
 * by HostIo's guard if we never get there.
 *
 * `lazy` leaves the host terminal alone until a guest wants input: in `levitate-run ls | less` the terminal is less's.
 */
import { EAGAIN, EINTR } from '../abi/errno.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { HostIo, Watch } from '../platform/host-io.js';
import { CREAD, CS8, B38400, HUPCL, Termios, keepByteSize } from './termios.js';
import { Tty } from './tty.js';

/** What the console needs of the host. */
export type ConsoleHost = Pick<HostIo, 'readSome' | 'writeSome' | 'watch' | 'makeRaw' | 'restore' | 'getWinsize'>;

export interface ConsoleOptions {
  host: ConsoleHost;
  /** Host descriptors of the terminal; may be the same. */
  inputFd: number;
  outputFd: number;
  lazy?: boolean;
}

const OUTPUT_LIMIT = 16384;
const INPUT_PIECE = 4096;
const CR = 13;
const NL = 10;
const POLLIN = 1;
const POLLOUT = 4;

export class Console extends Tty {
  private readonly host: ConsoleHost;
  private readonly inputFd: number;
  private readonly outputFd: number;
  private active = false;
  private gone = false;
  /** Output: a ring. */
  private readonly ring = new Uint8Array(OUTPUT_LIMIT);
  private ringAt = 0;
  private ringBytes = 0;
  private outputWatch: Watch | null = null;
  private waitingForHost = false;
  private drained: (() => void)[] = [];
  /** Input: read from the host, not yet taken by the discipline. */
  private readonly piece = new Uint8Array(INPUT_PIECE);
  private pieceAt = 0;
  private pieceEnd = 0;
  private inputWatch: Watch | null = null;

  constructor(kernel: KernelState, options: ConsoleOptions) {
    const termios = new Termios();
    termios.cflag = B38400 | CS8 | CREAD | HUPCL;
    super(kernel, 'console', 5, 1, termios);
    this.host = options.host;
    this.inputFd = options.inputFd;
    this.outputFd = options.outputFd;
    this.hostResized();
    if (options.lazy !== true) this.activate();
  }

  /** Takes the host terminal over. */
  private activate(): void {
    if (this.active || this.gone) return;
    this.active = true;
    this.host.makeRaw(this.inputFd);
    this.inputWatch = this.host.watch(this.inputFd, POLLIN, () => this.readHost());
  }
  override inputWanted(): void {
    if (!this.active) this.activate();
  }

  /** SIGWINCH of the host. */
  hostResized(): void {
    const size = this.host.getWinsize(this.outputFd) ?? this.host.getWinsize(this.inputFd);
    if (size === null) return;
    const { rows, columns, xPixels, yPixels } = size;
    this.resize({ rows, columns, xpixel: xPixels, ypixel: yPixels });
    this.kernel.kick();
  }

  /** A signal that the host's own line discipline made of a key before the terminal was raw (lazy mode). */
  hostSignal(signal: number): void {
    this.signal(signal);
    this.kernel.kick();
  }

  protected override keepHardware(old: Termios): void {
    keepByteSize(this.termios, old);
  }

  // Input.

  private readHost(): void {
    if (this.gone) return;
    const n = this.host.readSome(this.inputFd, this.piece, 0, INPUT_PIECE);
    if (n > 0) {
      this.pieceAt = 0;
      this.pieceEnd = n;
      this.deliver();
      this.ld.lookahead(this.piece, this.pieceAt, this.pieceEnd);
      this.flush();
      this.kernel.kick();
    } else if (n === -EAGAIN || n === -EINTR) this.inputWatch?.arm();
    else this.lost();
  }
  /** Gives the discipline what it takes; asks the host for more once everything is taken. */
  private deliver(): void {
    this.pieceAt += this.ld.receive(this.piece, this.pieceAt, this.pieceEnd);
    if (this.pieceAt === this.pieceEnd) this.inputWatch?.arm();
  }
  resumeInput(): void {
    if (this.pieceAt < this.pieceEnd) this.deliver();
  }
  discardInput(): void {
    if (this.pieceAt === this.pieceEnd) return;
    this.pieceAt = this.pieceEnd;
    this.inputWatch?.arm();
  }

  // Output.

  writeRoom(): number {
    return OUTPUT_LIMIT - this.ringBytes;
  }
  output(bytes: Uint8Array, start: number, end: number): number {
    const count = Math.min(end - start, this.writeRoom());
    if (!this.active) return this.outputCooked(bytes, start, start + count);
    const to = (this.ringAt + this.ringBytes) % OUTPUT_LIMIT;
    const first = Math.min(count, OUTPUT_LIMIT - to);
    this.ring.set(bytes.subarray(start, start + first), to);
    if (first < count) this.ring.set(bytes.subarray(start + first, start + count), 0);
    this.ringBytes += count;
    return count;
  }
  /** The host terminal still turns NL into CR NL itself: the CR that our discipline put before it goes. */
  private outputCooked(bytes: Uint8Array, start: number, end: number): number {
    for (let i = start; i < end; i++) {
      if (bytes[i] === CR && bytes[i + 1] === NL && i + 1 < end) continue;
      this.ring[(this.ringAt + this.ringBytes) % OUTPUT_LIMIT] = bytes[i];
      this.ringBytes++;
    }
    return end - start;
  }
  pendingOutput(): number {
    return this.ringBytes;
  }
  discardOutput(): void {
    this.ringBytes = 0;
    this.outputMoved(true);
  }

  override flush(): void {
    if (!this.waitingForHost && this.ringBytes > 0) this.writeHost();
  }
  private writeHost(): void {
    this.waitingForHost = false;
    const wasFull = this.ringBytes === OUTPUT_LIMIT;
    while (this.ringBytes > 0) {
      const length = Math.min(this.ringBytes, OUTPUT_LIMIT - this.ringAt);
      const n = this.gone ? length : this.host.writeSome(this.outputFd, this.ring, this.ringAt, length);
      if (n === -EAGAIN || n === -EINTR || n === 0) {
        this.waitForHost();
        break;
      }
      if (n < 0) return this.lost();
      this.ringAt = (this.ringAt + n) % OUTPUT_LIMIT;
      this.ringBytes -= n;
    }
    this.outputMoved(wasFull);
  }
  private waitForHost(): void {
    this.waitingForHost = true;
    if (this.outputWatch !== null) return this.outputWatch.arm();
    this.outputWatch = this.host.watch(this.outputFd, POLLOUT, () => {
      this.writeHost();
      this.kernel.kick();
    });
  }
  private outputMoved(wake: boolean): void {
    if (this.ringBytes > 0 && !wake) return;
    // Echoes that had no room go first.
    this.ld.output.processEchoes();
    this.wakeWriters();
    if (this.ringBytes > 0) return this.flush();
    for (const done of this.drained.splice(0)) done();
  }

  // The end.

  /** The host terminal has gone. */
  private lost(): void {
    if (this.gone) return;
    this.gone = this.ioError = true;
    this.ringBytes = 0;
    this.stopWatching();
    this.hangup();
    for (const done of this.drained.splice(0)) done();
    this.kernel.kick();
  }
  private stopWatching(): void {
    this.inputWatch?.stop();
    this.outputWatch?.stop();
    this.inputWatch = this.outputWatch = null;
  }

  /** Calls back once everything written has reached the host. */
  whenDrained(done: () => void): void {
    if (this.ringBytes === 0 || this.gone) return done();
    this.drained.push(done);
    this.ld.start();
    this.flush();
  }

  /** Gives the host terminal back as it was. Idempotent. */
  close(): void {
    this.stopWatching();
    this.gone = true;
    if (this.active) this.host.restore(this.inputFd);
    this.active = false;
  }
}
