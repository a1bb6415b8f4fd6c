/**
 * The platform's side of the gate: tells its client (src/gate) of stops at sites that could be rewritten, sends threads that
 * trapped inside a rewritten site on to the moved instruction, and shows addresses of the guest's own code only.
 */
import type { ArchName } from '../../abi/types.js';
import type { NativeContext } from '../native.js';
import { KEPT_NOWHERE, KEPT_ON_STACK } from '../platform.js';
import type { GateClient, GatePort, HostThread, SharedState } from '../platform.js';
import type { Channels } from './channels.js';
import { GATE_ARCH, type GateArch } from './gate-arch.js';
import * as L from './layout.js';
import type { PtraceSpace } from './space.js';
import { PtraceThread } from './thread.js';

/** Layout of a channel, see native/gate.h. */
const OPEN = 0x04 / 4;
const MASK = 0x78 / 4;
const PENDING = 0x80 / 4;
const TID_ADDRESS = 0x88 / 4;
const FACTS = 0x90 / 4;
const SCRATCH = 0xc0 / 4;
const TWO32 = 0x1_0000_0000;

const SIGILL = 4;
const SIGTRAP = 5;
const SIGBUS = 7;
const SIGSEGV = 11;
/** An int3 leaves ip behind itself. */
const INT3 = 1;
const SI_KERNEL = 128;

export class PtraceGate implements GatePort {
  readonly arch: ArchName;
  readonly address: number;
  readonly channels: number;
  readonly classes: Uint8Array;
  client: GateClient | null = null;
  private readonly memory: Channels;
  private readonly native: NativeContext;
  private readonly control: Int32Array;
  private readonly local: GateArch;
  /** Words from one channel to the next. */
  private readonly step: number;
  private readonly spilled: Uint8Array;
  private final: Int32Array | null = null;

  constructor(native: NativeContext, channels: Channels, control: Int32Array) {
    this.arch = native.arch;
    this.local = GATE_ARCH[native.arch];
    this.step = channels.step / 4;
    this.spilled = new Uint8Array(this.local.used.length * 8);
    this.address = native.gateAt;
    this.channels = native.channelsAt;
    this.classes = new Uint8Array(native.gateControl, 0, 512);
    this.native = native;
    this.memory = channels;
    this.control = control;
  }
  get handedOver(): number {
    return (this.final ?? this.control)[L.GATED_CALLS] >>> 0;
  }
  get pollingTimes(): number {
    return (this.final ?? this.control)[L.POLLING_TIMES] >>> 0;
  }
  /** The control block is about to go: keeps the figures. */
  close(): void {
    this.final = this.control.slice(0, L.RESUME_QUEUE);
  }

  site(thread: PtraceThread): void {
    const { regs } = thread;
    const { nr } = regs;
    if (this.local.mayBeUnserved(regs) && (this.show(thread) || !this.local.ofProcess)) return;
    if (nr >= 0 && nr < this.classes.length && this.classes[nr] !== 0) this.client?.stopped(thread, regs.ip, nr);
  }

  /** Which channel is the thread's, or may be. */
  channelOf(thread: PtraceThread): number {
    return this.local.ofProcess ? thread.space.id : thread.slot;
  }
  /** Whether the channel is the thread's, which is about to run: where a process has one, while nothing is left of others. */
  admits(thread: PtraceThread): boolean {
    if (!this.local.ofProcess) return true;
    const { space } = thread;
    if (space.served === thread) return true;
    if (space.threads.size !== 1 || !this.native.alone(thread.slot)) return false;
    space.served = thread;
    this.memory.words[space.id * this.step + OPEN] = 1;
    return true;
  }
  /** Before a second thread comes; the first one is stopped, and not in the gate. */
  withdraw(space: PtraceSpace): void {
    space.served = null;
    this.memory.words[space.id * this.step + OPEN] = 0;
  }

  /** Words of a thread's channel. */
  setFacts(thread: PtraceThread, { pid, tid, creds }: SharedState): void {
    const at = this.channelOf(thread) * this.step + FACTS;
    const { words } = this.memory;
    words[at] = pid;
    words[at + 2] = tid;
    words[at + 4] = creds.uid;
    words[at + 6] = creds.euid;
    words[at + 8] = creds.gid;
    words[at + 10] = creds.egid;
  }
  /** What the thread may look at and change while it runs; `state` null: it is as it was left there. */
  publish(thread: PtraceThread, state: SharedState | null, pending: boolean): void {
    const { words } = this.memory;
    const at = this.channelOf(thread) * this.step;
    words[at + PENDING] = pending ? 1 : 0;
    if (state === null) return;
    words[at + MASK] = state.mask.lo;
    words[at + MASK + 1] = state.mask.hi;
    words[at + TID_ADDRESS] = state.tidAddress;
    words[at + TID_ADDRESS + 1] = Math.floor(state.tidAddress / TWO32);
  }
  /** A running thread that sets its mask later than this finds PENDING, and stops. */
  fetch(thread: PtraceThread, state: SharedState, running: boolean): void {
    const { words } = this.memory;
    const at = this.channelOf(thread) * this.step;
    if (running) Atomics.store(words, at + PENDING, 1);
    state.mask.lo = Atomics.load(words, at + MASK);
    state.mask.hi = Atomics.load(words, at + MASK + 1);
    state.tidAddress = (words[at + TID_ADDRESS + 1] >>> 0) * TWO32 + (words[at + TID_ADDRESS] >>> 0);
  }

  continues(thread: HostThread, ret: number, at: number): void {
    if (thread instanceof PtraceThread && thread.slot >= 0) this.native.continues(thread.slot, ret, at);
  }

  /** Whether a trap was that of a rewritten site; the thread then is where it wanted to go. */
  redirects(thread: PtraceThread, signal: number, code: number, address: number): boolean {
    if (this.client === null) return false;
    const { regs } = thread;
    if (signal === SIGSEGV || signal === SIGBUS) {
      const to = this.local.used.length > 0 ? this.client.bypass(thread, regs.ip) : 0;
      if (to !== 0) regs.ip = to;
      if (to !== 0 || signal === SIGBUS) return to !== 0;
      const original = address === regs.ip ? this.client.escape(thread, address) : 0;
      if (original !== 0) this.move(thread, original);
      return original !== 0;
    }
    if (signal !== SIGTRAP && signal !== SIGILL) return false;
    const at = signal === SIGTRAP && code === SI_KERNEL ? regs.ip - INT3 : regs.ip;
    const landing = this.client.landing(thread, at);
    if (landing === 0) return false;
    regs.ip = landing;
    return true;
  }

  /** Shows a thread in a trampoline as the guest knows it, if it is in one. */
  show(thread: PtraceThread): boolean {
    const original = this.client?.original(thread, thread.regs.ip) ?? 0;
    if (original !== 0) this.move(thread, original);
    return original !== 0;
  }
  /** Out of a trampoline to `ip`, with the registers that were used there. */
  private move(thread: PtraceThread, ip: number): void {
    const { regs } = thread;
    const { used, spill } = this.local;
    const kept = used.length > 0 ? this.client!.kept(thread, regs.ip) : KEPT_NOWHERE;
    regs.ip = ip;
    if (kept === KEPT_NOWHERE) return;
    if (kept === KEPT_ON_STACK) {
      const { spilled } = this;
      if (thread.space.read(regs.sp - spill, spilled, 0, spilled.length) !== spilled.length) return;
      const view = new DataView(spilled.buffer);
      used.forEach((word, i) => regs.setHalves(word, view.getUint32(8 * i, true), view.getUint32(8 * i + 4, true)));
    } else {
      const at = this.channelOf(thread) * this.step + SCRATCH;
      const { words } = this.memory;
      used.forEach((word, i) => regs.setHalves(word, words[at + 2 * i], words[at + 2 * i + 1]));
    }
  }
}
