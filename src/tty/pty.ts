/**
 * Pseudo-terminals (drivers/tty/pty.c, pty(7)): a master, whose discipline is raw and only buffers, and a slave, the terminal
 * proper. What one end puts out is input of the other at once; what does not fit waits in `held`, up to HELD_LIMIT.
 *
 * Invariants: the pair lives as long as its master is open; then the slave is hung up and its name goes. While the slave is
 * closed the master may write (the slave's next opener reads it), and reads give EIO once a slave has come and gone.
 *
 * Oddities copied: a slave cannot be opened while locked (EIO); termios and size requests on the master act on the slave.
 */
import { EINVAL, EIO, ENOTTY, errno } from '../abi/errno.js';
import { SIGINT, SIGQUIT, SIGTSTP } from '../abi/flags/signal.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { TIOCPKT_DOSTOP, TIOCPKT_IOCTL, TIOCPKT_NOSTOP } from './driver.js';
import { TIOCPKT_START, TIOCPKT_STOP } from './driver.js';
import { TIOCGPKT, TIOCGPTLCK, TIOCGPTN, TIOCGPTPEER, TIOCPKT, TIOCSIG, TIOCSPTLCK } from '../abi/flags/ioctl.js';
import * as t from './termios.js';
import { Tty, type WindowSize } from './tty.js';
import type { TtyFile } from './tty-file.js';

/** Bytes on their way to an end whose discipline is full; the host's pty holds about as much. */
const HELD_LIMIT = 16384;
const PTS_MAJOR = 136;
const TTYAUX_MAJOR = 5;
const PTMX_MINOR = 2;

/** What both ends share. */
export abstract class PtyEnd extends Tty {
  abstract readonly link: PtyEnd;
  /** Input of this end that its discipline had no room for. */
  private held: Uint8Array[] = [];
  private heldBytes = 0;

  writeRoom(): number {
    return HELD_LIMIT - this.link.heldBytes;
  }
  output(bytes: Uint8Array, start: number, end: number): number {
    return this.link.accept(bytes, start, Math.min(end, start + this.writeRoom())) - start;
  }
  /** Takes [start, end); returns end. */
  private accept(bytes: Uint8Array, start: number, end: number): number {
    const at = this.heldBytes > 0 ? start : start + this.ld.receive(bytes, start, end);
    if (at < end) {
      this.ld.lookahead(bytes, at, end);
      this.held.push(bytes.slice(at, end));
      this.heldBytes += end - at;
    }
    return end;
  }
  resumeInput(): void {
    while (this.held.length > 0) {
      const first = this.held[0];
      const taken = this.ld.receive(first, 0, first.length);
      this.heldBytes -= taken;
      if (taken < first.length) {
        this.held[0] = first.subarray(taken);
        break;
      }
      this.held.shift();
    }
    this.link.wakeWriters();
  }
  discardInput(): void {
    this.held = [];
    this.heldBytes = 0;
    this.link.wakeWriters();
  }
  discardOutput(): void {
    this.link.discardInput();
  }
  pendingOutput(): number {
    return 0;
  }
}

export class PtyMaster extends PtyEnd {
  readonly link: PtySlave;
  packet = false;
  locked = true;
  /** The slave's name goes; set by devpts. */
  onClose: () => void = () => {};
  /** Opens the slave with O_ flags and installs it (TIOCGPTPEER); set by devpts. */
  openPeer: (task: Task, flags: number) => number = () => {
    throw errno(EIO);
  };

  constructor(kernel: KernelState, index: number) {
    super(kernel, 'ptmx', TTYAUX_MAJOR, PTMX_MINOR, t.ptyMasterTermios());
    this.link = new PtySlave(kernel, index, this);
  }
  override get real(): Tty {
    return this.link;
  }
  override get isMaster(): boolean {
    return true;
  }

  override takePacketStatus(): number {
    if (!this.packet) return -1;
    const status = this.link.packetStatus;
    this.link.packetStatus = 0;
    return status;
  }
  override get packetPending(): boolean {
    return this.packet && this.link.packetStatus !== 0;
  }

  override ioctl(task: Task, _file: TtyFile, request: number, arg: number): number {
    const { mm } = task;
    switch (request) {
      case TIOCGPTN:
        mm.writeU32(arg, this.link.minor);
        return 0;
      case TIOCSPTLCK:
        this.locked = mm.readU32(arg) !== 0;
        return 0;
      case TIOCGPTLCK:
        mm.writeU32(arg, this.locked ? 1 : 0);
        return 0;
      case TIOCPKT: {
        const on = mm.readU32(arg) !== 0;
        if (on && !this.packet) this.link.packetStatus = 0;
        this.packet = on;
        return 0;
      }
      case TIOCGPKT:
        mm.writeU32(arg, this.packet ? 1 : 0);
        return 0;
      case TIOCSIG:
        if (arg !== SIGINT && arg !== SIGQUIT && arg !== SIGTSTP) throw errno(EINVAL);
        this.link.signal(arg);
        return 0;
      case TIOCGPTPEER:
        return this.openPeer(task, arg);
    }
    throw errno(ENOTTY);
  }

  override closed(): void {
    if (this.files.size > 0) return;
    this.packet = false;
    this.ioError = true;
    this.link.ioError = true;
    this.onClose();
    this.link.hangup();
  }
}

/** Control characters by which a terminal on the other side may do flow control itself. */
function usualFlowControl(termios: t.Termios): boolean {
  return (termios.iflag & t.IXON) !== 0 && termios.cc[t.VSTOP] === 0o23 && termios.cc[t.VSTART] === 0o21;
}

export class PtySlave extends PtyEnd {
  readonly link: PtyMaster;
  /** TIOCPKT_ bits the master has not seen. */
  packetStatus = 0;

  constructor(kernel: KernelState, index: number, master: PtyMaster) {
    super(kernel, `pts/${index}`, PTS_MAJOR, index, t.ptySlaveTermios());
    this.link = master;
  }

  override packetEvent(bits: number): void {
    // The discipline reports while it is being made, too.
    if (!(this.link as PtyMaster | undefined)?.packet) return;
    if ((bits & TIOCPKT_STOP) !== 0) this.packetStatus &= ~TIOCPKT_START;
    if ((bits & TIOCPKT_START) !== 0) this.packetStatus &= ~TIOCPKT_STOP;
    if ((bits & TIOCPKT_DOSTOP) !== 0) this.packetStatus &= ~TIOCPKT_NOSTOP;
    if ((bits & TIOCPKT_NOSTOP) !== 0) this.packetStatus &= ~TIOCPKT_DOSTOP;
    this.packetStatus |= bits;
    this.link.wakeReaders();
  }

  /** pty_set_termios. */
  protected override keepHardware(old: t.Termios): void {
    const { termios } = this;
    const flow = usualFlowControl(termios);
    if (flow !== usualFlowControl(old)) this.packetEvent(flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP);
    if (((old.lflag | termios.lflag) & t.EXTPROC) !== 0) this.packetEvent(TIOCPKT_IOCTL);
    t.keepByteSize(termios, old);
  }

  override resize(size: WindowSize): void {
    super.resize(size);
    Object.assign(this.link.size, size);
  }

  /** An open is about to happen: EIO while locked or after the master has gone. */
  checkOpen(): void {
    if (this.link.locked || this.link.ioError) throw errno(EIO);
    this.ioError = false;
    this.link.otherClosed = false;
  }

  override closed(): void {
    if (this.files.size > 0 || this.link.ioError) return;
    this.link.otherClosed = true;
    this.link.queue.wakeAll();
  }

  override hangup(spareConsole = false): void {
    super.hangup(spareConsole);
    this.packetStatus = 0;
  }
}
