/**
 * The ptrace platform: real host processes whose every system call stops and is never executed by the host.
 *
 * `wait` is one native call. Threads to resume travel in a queue in shared memory; the stop comes back in the same
 * control block, registers in the thread's own block. Nothing is allocated per stop.
 *
 * Node's event loop: `loopPending` turns true when the loop has work; the owner then returns to the loop. The loop is
 * watched again from its next turn on: reading a true `loopPending`, or a `wait` that found nothing, queues an immediate for
 * that, which runs before any immediate the owner queues afterwards.
 */
import { errnoName } from './errors.js';
import type { ArchName } from '../../abi/types.js';
import { REGISTER_LAYOUTS, type RegisterLayout } from '../../abi/registers.js';
import type { NativeContext } from '../native.js';
import { HostError, STOP_GONE, STOP_INTERRUPTED, STOP_NONE, STOP_SIGNAL, STOP_SYSCALL } from '../platform.js';
import type { AddressSpace, HostArea, HostThread, PhysicalPages, Platform, StopInfo } from '../platform.js';
import * as L from './layout.js';
import { HOST_CALLS, type HostCalls } from './layout.js';
import { CallChannel } from './channel.js';
import { Channels } from './channels.js';
import { PtraceGate } from './gate.js';
import { PhysicalMemory } from './physical.js';
import { openContext } from './preflight.js';
import { FpArea } from '../fp-area.js';
import { Scratch } from '../scratch.js';
import { PtraceSpace } from './space.js';
import { PtraceThread } from './thread.js';

export interface PtraceOptions {
  /** Size of physical memory in bytes; rounded down to whole pages. Default: 4 GiB or the host's RAM if that is less. */
  physicalBytes?: number;
  /** Let guests share the supervisor's CPU while they take turns (default true). */
  place?: boolean;
  /**
   * Let hot system calls pass without a stop: needs `place`, two CPUs and a CPU that can, see src/gate. Default: yes, unless
   * LEVITATE_GATE is 0 in the environment. With LEVITATE_GATE=poll the supervisor always polls for calls (for tests), and both
   * sides wait 8 times longer for one another than they would, or N times with poll:N.
   */
  gate?: boolean;
}

const TWO32 = 0x1_0000_0000;

const GATE_POLLS = 2;
const PATIENCE = 8;
/** createContext's `gate`. */
function gateMode(wanted: boolean | undefined): number {
  const setting = process.env['LEVITATE_GATE'];
  if (!(wanted ?? setting !== '0')) return 0;
  const polls = /^poll(?::(\d+))?$/.exec(setting ?? '');
  return polls === null ? 1 : Math.max(GATE_POLLS, Number(polls[1] ?? PATIENCE));
}
const MAX_TIMEOUT_MS = 2_000_000;
const SETTLE_MS = 2;

export class PtracePlatform implements Platform {
  readonly arch: ArchName;
  readonly layout: RegisterLayout;
  readonly calls: HostCalls;
  readonly pageSize: number;
  readonly taskSize: number;
  readonly vdso: number;
  readonly sigreturn: number;
  readonly hostAreas: readonly HostArea[];
  readonly auxv: { hwcap: number; hwcap2: number; minsigstksz: number; platform: string };
  readonly physical: PhysicalPages;
  readonly scratch = new Scratch();
  readonly fp: FpArea;
  readonly stop: StopInfo = { thread: null, signal: 0, code: 0, address: 0, access: -1 };

  readonly gate: PtraceGate | null;
  readonly channels: Channels;
  readonly channel: CallChannel;
  readonly native: NativeContext;
  readonly control: Int32Array;
  readonly arguments: Float64Array;
  readonly registerWords: Uint32Array;
  /** The batch page as pairs of 32-bit halves. */
  readonly batch: Uint32Array;
  readonly threads: (PtraceThread | undefined)[] = [];
  /** By the native side's number; an ended one stays until its number is used again. */
  private readonly spaces: (PtraceSpace | undefined)[] = [];
  private queued = 0;
  private closed = false;
  private leaving = false;
  private armDue = false;
  private settling = false;
  private inTurn = false;

  constructor(options: PtraceOptions = {}) {
    const native = openContext(options.physicalBytes, options.place ?? true, gateMode(options.gate));
    this.native = native;
    this.arch = native.arch;
    this.layout = REGISTER_LAYOUTS[native.arch];
    this.calls = HOST_CALLS[native.arch];
    this.pageSize = native.pageSize;
    this.taskSize = native.taskSize;
    this.vdso = native.vdso;
    this.sigreturn = native.sigreturn;
    this.hostAreas = native.hostAreas;
    this.auxv = {
      hwcap: native.hwcap,
      hwcap2: native.hwcap2,
      minsigstksz: native.minsigstksz,
      platform: native.arch,
    };
    this.control = new Int32Array(native.control);
    this.arguments = new Float64Array(native.control, L.ARGUMENTS_AT, L.ARGUMENTS);
    this.fp = new FpArea(native.fpSize, native.fpArea);
    this.registerWords = new Uint32Array(native.registers);
    this.batch = new Uint32Array(native.batchPage);
    this.physical = new PhysicalMemory(native);
    this.channels = new Channels(native);
    this.channel = new CallChannel(this.channels, this.control);
    this.gate = native.gate ? new PtraceGate(native, this.channels, this.control) : null;
  }

  createAddressSpace(): { space: AddressSpace; thread: HostThread } {
    this.mustBeOpen();
    const slot = this.native.createAddressSpace();
    if (slot < 0) throw this.failure('fork', -slot);
    const thread = this.firstThread(slot);
    return { space: thread.space, thread };
  }

  /** The object of a new process's only thread. */
  firstThread(slot: number): PtraceThread {
    const id = this.control[L.SLOT];
    this.spaces[id]?.settle();
    const space = new PtraceSpace(this, id);
    this.spaces[id] = space;
    return new PtraceThread(this, space, slot, this.control[L.HOST_TID]);
  }

  queueResume(slot: number): void {
    this.control[L.RESUME_QUEUE + this.queued++] = slot;
    this.control[L.RESUME_COUNT] = this.queued;
  }

  /** Takes a thread out of the queue; false when it has been started already. */
  takeFromQueue(slot: number): boolean {
    for (let i = 0; i < this.queued; i++) {
      if (this.control[L.RESUME_QUEUE + i] !== slot) continue;
      this.control[L.RESUME_QUEUE + i] = this.control[L.RESUME_QUEUE + --this.queued];
      this.control[L.RESUME_COUNT] = this.queued;
      return true;
    }
    return false;
  }

  send(): void {
    if (this.closed || this.queued === 0) return;
    this.answer();
    this.native.send();
  }
  /** The call being served has its answer, if it was to have one now. */
  private answer(): void {
    if (this.channel.space !== null) this.channel.close(this.queued, this.control[L.RESUME_QUEUE]);
    this.queued = 0;
  }
  wait(timeoutMs: number): number {
    const control = this.control;
    if (this.closed) return STOP_NONE;
    if (this.armDue) this.arm();
    control[L.TIMEOUT_US] = timeoutMs > MAX_TIMEOUT_MS ? -1 : timeoutMs > 0 ? Math.ceil(timeoutMs * 1000) : 0;
    this.answer();
    if (!this.inTurn) {
      this.inTurn = true;
      queueMicrotask(this.turnEnds);
    }
    this.native.wait();
    const kind = control[L.RESULT];
    const stop = this.stop;
    if (kind === STOP_NONE) {
      stop.thread = null;
      if (timeoutMs !== 0) this.leaveToLoop();
      return STOP_NONE;
    }
    const thread = this.threads[control[L.SLOT]] as PtraceThread;
    thread.running = false;
    stop.thread = thread;
    const { gate } = this;
    if (kind === STOP_SYSCALL) {
      const via = control[L.VIA];
      if (via === L.VIA_CHANNEL) this.channel.open(thread, gate!.channelOf(thread));
      else if (gate !== null && via === L.VIA_SITE) gate.site(thread);
    } else if (kind === STOP_SIGNAL) {
      stop.signal = control[L.SIGNAL];
      stop.code = control[L.CODE];
      stop.address = (control[L.ADDR_HI] >>> 0) * TWO32 + (control[L.ADDR_LO] >>> 0);
      stop.access = control[L.ACCESS];
      // Not gone on with here: somebody may have wanted the thread to stop meanwhile, and this was its stop.
      if (gate !== null && gate.redirects(thread, stop.signal, stop.code, stop.address)) return STOP_INTERRUPTED;
    } else if (kind === STOP_INTERRUPTED) {
      gate?.show(thread);
    } else if (kind === STOP_GONE) {
      thread.forget();
    }
    return kind;
  }

  get runningCount(): number {
    return this.control[L.RUNNING] + this.queued;
  }

  /** Read from shared memory: no host call. */
  get loopPending(): boolean {
    if (this.armDue) this.arm();
    if (this.control[L.LOOP_PENDING] === 0) return false;
    this.leaveToLoop();
    return true;
  }
  /** Nothing runs: ends and collects what has exited, now and once more when it has had time to die. */
  idle(): void {
    if (this.closed) return;
    if (this.native.settle() > 0 && !this.settling) {
      this.settling = true;
      setTimeout(this.settleAgain, SETTLE_MS).unref();
    }
  }
  private readonly settleAgain = (): void => {
    this.settling = false;
    this.idle();
  };

  /** Runs when the owner's turn is over: what Node does next has the whole CPU mask again (child processes inherit it). */
  private readonly turnEnds = (): void => {
    this.inTurn = false;
    if (!this.closed) this.native.unpin();
  };

  private leaveToLoop(): void {
    if (this.leaving || this.closed) return;
    this.leaving = true;
    setImmediate(this.backFromLoop);
  }
  private readonly backFromLoop = (): void => {
    this.leaving = false;
    this.armDue = true;
  };
  /** Not before the owner's own immediate runs, which does not count as work that waits then. */
  private arm(): void {
    this.armDue = false;
    if (!this.closed) this.native.arm(process.getActiveResourcesInfo().includes('Immediate'));
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.gate?.close();
    for (const space of this.spaces) space?.settle();
    this.native.close();
    for (const thread of this.threads) thread?.forget();
  }

  failure(what: string, error: number): HostError {
    return new HostError(`levitate: ${what} failed on the host: ${errnoName(error)}`, error);
  }

  private mustBeOpen(): void {
    if (this.closed) throw new Error('levitate: the platform is closed');
  }
}

/** Throws an Error with one clear line when this host cannot run guests. */
export function createPtracePlatform(options?: PtraceOptions): PtracePlatform {
  return new PtracePlatform(options);
}
