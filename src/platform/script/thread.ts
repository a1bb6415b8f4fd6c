/**
 * ScriptThread: a guest thread whose instructions are a function. When it is resumed, `script` runs the "user code" up to the
 * next stop: it loads registers for a system call, reports a fault, or ends.
 */
import { EINVAL } from '../../abi/errno.js';
import { FP_FULL, FP_ROOM } from '../fp-area.js';
import type { HostThread } from '../platform.js';
import { Registers } from '../registers.js';
import type { ScriptSpace } from './address-space.js';
import type { ScriptPlatform } from './platform.js';

/** A fault or trap of the thread itself (STOP_SIGNAL). */
export interface ScriptFault {
  signal: number;
  code: number;
  address: number;
  access: number;
}

/** The thread does not stop: it goes on computing once the others have had their turn. */
export const SPINNING = 'spinning';
/** The thread computes until `ScriptPlatform.unpark`: whoever plays it has nothing for it now. */
export const PARKED = 'parked';

/** What user code did: true: the registers hold a system call; false: the thread is gone; or it stops with a fault. */
export type Step = boolean | typeof SPINNING | typeof PARKED | ScriptFault;
export type Script = (thread: ScriptThread) => Step;

const SIGSEGV = 11;
const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;
const SI_KERNEL = 128;
const MASK64 = (1n << 64n) - 1n;

export class ScriptThread implements HostThread {
  readonly platform: ScriptPlatform;
  readonly space: ScriptSpace;
  readonly regs: Registers;
  readonly hostTid: number;
  readonly slot: number;
  running = false;
  parked = false;
  interrupted = false;
  gone = false;
  /** The user code; a clone or fork inherits it until the driver sets another. */
  script: Script;
  /** CPU time that user code has used, for a driver that measures it. */
  userNs = 0;
  readonly fpState: Uint8Array;

  constructor(platform: ScriptPlatform, space: ScriptSpace, slot: number, hostTid: number, script: Script) {
    this.platform = platform;
    this.space = space;
    this.slot = slot;
    this.hostTid = hostTid;
    this.script = script;
    this.regs = new Registers(platform.words, slot * platform.slotWords, platform.layout);
    this.fpState = new Uint8Array(platform.machine.fpSize);
    space.threads.add(this);
  }

  /** Loads the registers for a system call at the instruction pointer and executes it; for scripts. */
  call(nr: number, ...args: (number | bigint)[]): true {
    const { layout } = this.regs;
    for (let i = 0; i < 6; i++) this.setWord(layout.args[i], args[i] ?? 0);
    this.regs.set(layout.callNumber, nr);
    return this.trap();
  }
  /** Executes the system call instruction with the registers as they are. */
  trap(): true {
    const { regs } = this;
    regs.ip += regs.layout.syscallLength;
    this.platform.machine.trap(regs);
    return true;
  }
  /** A register, all 64 bits of it. */
  word(index: number): bigint {
    return (BigInt(this.regs.hi(index)) << 32n) | BigInt(this.regs.lo(index));
  }
  setWord(index: number, value: number | bigint): void {
    const small = Number(value);
    if (small >= 0 && small <= Number.MAX_SAFE_INTEGER) {
      this.regs.setHalves(index, small >>> 0, Math.floor(small / 0x1_0000_0000));
      return;
    }
    const bits = BigInt(value) & MASK64;
    this.regs.setHalves(index, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  }
  /** Reads guest memory as user code; null stands for the fault that `faultAt` describes. */
  load(addr: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    return this.space.load(addr, bytes, 0, length) === length ? bytes : null;
  }
  store(addr: number, bytes: Uint8Array): boolean {
    return this.space.store(addr, bytes, 0, bytes.length) === bytes.length;
  }
  /** What the host would report for a failed access. */
  faultAt(address: number, access: number): ScriptFault {
    const { nonCanonical } = this.platform.machine;
    if (address >= nonCanonical && address < 2 ** 64 - nonCanonical)
      return { signal: SIGSEGV, code: SI_KERNEL, address: 0, access: -1 };
    const mapped = this.space.permits(address, 0) || this.space.permits(address, 1) || this.space.permits(address, 2);
    return { signal: SIGSEGV, code: mapped ? SEGV_ACCERR : SEGV_MAPERR, address, access };
  }

  resume(): void {
    if (this.running || this.gone) throw new Error(`resume of a ${this.gone ? 'dead' : 'running'} thread`);
    if (this.space.dirty && this.space.flush() !== 0) throw new Error('a queued host operation failed at resume');
    this.running = true;
    this.platform.runnable.push(this);
  }
  interrupt(): void {
    if (this.running) this.interrupted = true;
  }
  cloneThread(): ScriptThread {
    return this.platform.newThread(this.space, this);
  }
  fork(): ScriptThread {
    this.space.flush();
    return this.platform.newThread(this.space.copy(), this);
  }
  exit(): void {
    if (this.gone) return;
    this.gone = true;
    this.running = false;
    this.space.threads.delete(this);
    this.platform.forget(this);
    this.parked = false;
  }
  loadFp(): number {
    this.platform.fp.bytes.set(this.fpState, FP_ROOM);
    return FP_FULL;
  }
  storeFp(): number {
    return this.setFpState(this.platform.fp.bytes.subarray(FP_ROOM, FP_ROOM + this.platform.fp.size));
  }
  resetFpState(): void {
    this.fpState.fill(0);
  }
  getFpState(): Uint8Array {
    return this.fpState.slice();
  }
  setFpState(state: Uint8Array): number {
    if (state.length !== this.fpState.length) return EINVAL;
    this.fpState.set(state);
    return 0;
  }
  cpuTimeNs(): { user: number; system: number } {
    return { user: this.userNs, system: 0 };
  }
}
