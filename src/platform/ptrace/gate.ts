/**
 * The platform's side of the gate: tells its client (src/gate) of stops at sites that could be rewritten, sends threads that
 * trapped inside a rewritten site on to the moved instruction, and shows addresses of the guest's own code only.
 */
import { X86 } from '../../abi/registers.js';
import type { NativeContext } from '../native.js';
import type { GateClient, GatePort, HostThread, SharedState } from '../platform.js';
import * as L from './layout.js';
import { PtraceThread } from './thread.js';

const MASK = 0x78 / 4;
const PENDING = 0x80 / 4;
const TID_ADDRESS = 0x88 / 4;
const FACTS = 0x90 / 4;
const TWO32 = 0x1_0000_0000;

const SIGILL = 4;
const SIGTRAP = 5;
const SIGSEGV = 11;
/** An int3 leaves ip behind itself. */
const INT3 = 1;
const SI_KERNEL = 128;

export class PtraceGate implements GatePort {
  readonly address: number;
  readonly channels: number;
  readonly classes: Uint8Array;
  client: GateClient | null = null;
  private readonly words: Int32Array;
  private readonly native: NativeContext;
  private readonly control: Int32Array;
  private final: Int32Array | null = null;

  constructor(native: NativeContext, control: Int32Array) {
    this.address = native.gateAt;
    this.channels = native.channelsAt;
    this.classes = new Uint8Array(native.gateControl, 0, 512);
    this.native = native;
    this.words = new Int32Array(native.channels);
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
    // A thread with a GS base of its own stops in the trampoline.
    if (regs.lo(X86.gs_base) !== 0 || regs.hi(X86.gs_base) !== 0) this.show(thread);
    else if (nr >= 0 && nr < this.classes.length && this.classes[nr] !== 0) this.client?.stopped(thread, regs.ip, nr);
  }

  /** Words of a slot's channel: see native/gate.h. */
  setFacts(slot: number, { pid, tid, creds }: SharedState): void {
    const at = slot * L.CHANNEL_WORDS + FACTS;
    const { words } = this;
    words[at] = pid;
    words[at + 2] = tid;
    words[at + 4] = creds.uid;
    words[at + 6] = creds.euid;
    words[at + 8] = creds.gid;
    words[at + 10] = creds.egid;
  }
  /** What the thread may look at and change while it runs; `state` null: it is as it was left there. */
  publish(slot: number, state: SharedState | null, pending: boolean): void {
    const { words } = this;
    const at = slot * L.CHANNEL_WORDS;
    words[at + PENDING] = pending ? 1 : 0;
    if (state === null) return;
    words[at + MASK] = state.mask.lo;
    words[at + MASK + 1] = state.mask.hi;
    words[at + TID_ADDRESS] = state.tidAddress;
    words[at + TID_ADDRESS + 1] = Math.floor(state.tidAddress / TWO32);
  }
  /** A running thread that sets its mask later than this finds PENDING, and stops. */
  fetch(slot: number, state: SharedState, running: boolean): void {
    const { words } = this;
    const at = slot * L.CHANNEL_WORDS;
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
    if (this.client === null || (signal !== SIGTRAP && signal !== SIGILL && signal !== SIGSEGV)) return false;
    const { regs } = thread;
    if (signal === SIGSEGV) {
      const original = address === regs.ip ? this.client.escape(thread, address) : 0;
      if (original !== 0) regs.ip = original;
      return original !== 0;
    }
    const at = signal === SIGTRAP && code === SI_KERNEL ? regs.ip - INT3 : regs.ip;
    const landing = this.client.landing(thread, at);
    if (landing === 0) return false;
    regs.ip = landing;
    return true;
  }

  /** ip as the guest knows it. */
  show(thread: PtraceThread): void {
    const { regs } = thread;
    const original = this.client?.original(thread, regs.ip) ?? 0;
    if (original !== 0) regs.ip = original;
  }
}
