/**
 * ScriptThread: a guest thread whose instructions are a function. When it is resumed, `script` runs the "user code" up to the
 * next stop: it loads registers for a system call, reports a fault, or ends.
 */
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

/** True: the registers hold a system call. False: the thread is gone. A fault: it stops with that signal. */
export type Script = (thread: ScriptThread) => boolean | ScriptFault;

const SIGSEGV = 11;
const SEGV_MAPERR = 1;
const SEGV_ACCERR = 2;

export class ScriptThread implements HostThread {
  readonly platform: ScriptPlatform;
  readonly space: ScriptSpace;
  readonly regs: Registers;
  readonly hostTid: number;
  readonly slot: number;
  running = false;
  interrupted = false;
  gone = false;
  /** The user code; a clone or fork inherits it until the driver sets another. */
  script: Script;
  private fpState = new Uint8Array(512);

  constructor(platform: ScriptPlatform, space: ScriptSpace, slot: number, hostTid: number, script: Script) {
    this.platform = platform;
    this.space = space;
    this.slot = slot;
    this.hostTid = hostTid;
    this.script = script;
    this.regs = new Registers(platform.words, slot * platform.slotWords, platform.layout);
    space.threads.add(this);
  }

  /** Loads the registers for a system call; for scripts. */
  call(nr: number, ...args: number[]): true {
    const { layout } = this.regs;
    for (let i = 0; i < 6; i++) this.regs.set(layout.args[i], args[i] ?? 0);
    this.regs.set(layout.nr, nr);
    if (layout.arch === 'x86_64') this.regs.ret = -38; // the entry code sets rax to -ENOSYS
    return true;
  }
  /** Reads guest memory as user code; null stands for the fault that `faultAt` describes. */
  load(addr: number, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    return this.space.read(addr, bytes, 0, length) === length ? bytes : null;
  }
  store(addr: number, bytes: Uint8Array): boolean {
    return this.space.write(addr, bytes, 0, bytes.length) === bytes.length;
  }
  /** What the host would report for a failed access. */
  faultAt(address: number, access: number): ScriptFault {
    const mapped = this.space.permits(address, 0) || this.space.permits(address, 1) || this.space.permits(address, 2);
    return { signal: SIGSEGV, code: mapped ? SEGV_ACCERR : SEGV_MAPERR, address, access };
  }

  resume(): void {
    if (this.running || this.gone) throw new Error(`resume of a ${this.gone ? 'dead' : 'running'} thread`);
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
  }
  getFpState(): Uint8Array {
    return this.fpState.slice();
  }
  setFpState(state: Uint8Array): number {
    if (state.length > 1 << 16) return 22;
    this.fpState = state.slice();
    return 0;
  }
  resetFpState(): void {
    this.fpState = new Uint8Array(512);
  }
  cpuTimeNs(): { user: number; system: number } {
    return { user: 0, system: 0 };
  }
}
