/**
 * The script platform: Platform without processes. Threads are scripts (see thread.ts), memory is ordinary buffers, and
 * `wait` runs the next resumed thread's script to its next stop, in the order they were resumed: deterministic.
 *
 * Plays either architecture's ABI on any host, which is what tests, trace replay and fuzzing need.
 */
import { REGISTER_LAYOUTS, type RegisterLayout } from '../../abi/registers.js';
import type { ArchName } from '../../abi/types.js';
import { EAGAIN } from '../../abi/errno.js';
import {
  HostError,
  STOP_GONE,
  STOP_INTERRUPTED,
  STOP_NONE,
  STOP_SIGNAL,
  STOP_SYSCALL,
  type Platform,
  type StopInfo,
} from '../platform.js';
import { FpArea } from '../fp-area.js';
import { Scratch } from '../scratch.js';
import { ScriptSpace } from './address-space.js';
import { ScriptPhysical } from './physical.js';
import { MACHINES, type Machine } from './machines.js';
import { PARKED, SPINNING, ScriptThread, type Script } from './thread.js';

export interface ScriptPlatformOptions {
  arch?: ArchName;
  pageSize?: number;
  /** Bytes of physical memory. */
  physicalBytes?: number;
  taskSize?: number;
  /** Threads alive at once. */
  maxThreads?: number;
  /** User code of the first thread of each new address space. */
  script?: Script;
  /** A thread was made from another one, which is at its system call: for user code that keeps state of its own. */
  cloned?: (child: ScriptThread, parent: ScriptThread) => void;
  /** Nanoseconds of any clock, to charge threads for the time their code takes. Default: it takes none. */
  cpuClock?: () => number;
}

const MIB = 1024 * 1024;

export class ScriptPlatform implements Platform {
  readonly arch: ArchName;
  readonly machine: Machine;
  readonly pageSize: number;
  readonly taskSize: number;
  readonly vdso = 0;
  readonly sigreturn = 0;
  readonly hostAreas = [];
  readonly auxv: Platform['auxv'];
  readonly physical: ScriptPhysical;
  readonly scratch = new Scratch();
  readonly fp: FpArea;
  readonly stop: StopInfo = { thread: null, signal: 0, code: 0, address: 0, access: -1 };
  readonly layout: RegisterLayout;
  /** Register blocks, one slot a thread. */
  readonly words: Uint32Array;
  readonly slotWords: number;
  readonly runnable: ScriptThread[] = [];
  script: Script;
  private readonly cloned: (child: ScriptThread, parent: ScriptThread) => void;
  private readonly cpuClock: () => number;
  private readonly free: number[] = [];
  private readonly alive = new Set<ScriptThread>();
  private nextTid = 1;
  private parkedCount = 0;

  constructor(options: ScriptPlatformOptions = {}) {
    this.arch = options.arch ?? 'x86_64';
    this.pageSize = options.pageSize ?? 4096;
    this.machine = MACHINES[this.arch];
    this.taskSize = options.taskSize ?? this.machine.taskSize;
    this.auxv = this.machine.auxv;
    this.physical = new ScriptPhysical(options.physicalBytes ?? 64 * MIB, this.pageSize);
    this.fp = new FpArea(this.machine.fpSize);
    this.layout = REGISTER_LAYOUTS[this.arch];
    this.slotWords = 2 * this.layout.count;
    const slots = options.maxThreads ?? 1024;
    this.words = new Uint32Array(slots * this.slotWords);
    for (let slot = slots - 1; slot >= 0; slot--) this.free.push(slot);
    this.script = options.script ?? (() => false);
    this.cloned = options.cloned ?? (() => {});
    this.cpuClock = options.cpuClock ?? (() => 0);
  }

  createAddressSpace(): { space: ScriptSpace; thread: ScriptThread } {
    const space = new ScriptSpace(this.physical, this.pageSize, this.taskSize);
    return { space, thread: this.newThread(space, null) };
  }
  /** Threads run within `wait` only. */
  send(): void {}
  wait(_timeoutMs: number): number {
    const { stop, runnable } = this;
    // Every thread at most once, so that the kernel's timers run while threads spin.
    for (let left = runnable.length; left > 0; left--) {
      const thread = runnable.shift()!;
      stop.thread = thread;
      if (thread.interrupted) {
        thread.interrupted = false;
        thread.running = false;
        return STOP_INTERRUPTED;
      }
      const from = this.cpuClock();
      const step = thread.script(thread);
      thread.userNs += this.cpuClock() - from;
      if (step === SPINNING) {
        runnable.push(thread);
        continue;
      }
      if (step === PARKED) {
        thread.parked = true;
        this.parkedCount++;
        continue;
      }
      thread.running = false;
      if (step === true) return STOP_SYSCALL;
      if (step === false) {
        thread.exit();
        return STOP_GONE;
      }
      stop.signal = step.signal;
      stop.code = step.code;
      stop.address = step.address;
      stop.access = step.access;
      return STOP_SIGNAL;
    }
    stop.thread = null;
    return STOP_NONE;
  }
  get runningCount(): number {
    return this.runnable.length + this.parkedCount;
  }
  /** Lets a thread whose script said PARKED go on. */
  unpark(thread: ScriptThread): void {
    if (!thread.parked) return;
    thread.parked = false;
    this.parkedCount--;
    this.runnable.push(thread);
  }
  readonly loopPending = false;
  idle(): void {}
  close(): void {
    for (const thread of [...this.alive]) thread.exit();
  }

  /** Makes a stopped thread in `space`; registers and FP state from `like`. */
  newThread(space: ScriptSpace, like: ScriptThread | null): ScriptThread {
    const slot = this.free.pop();
    if (slot === undefined) throw new HostError('script platform: too many threads', EAGAIN);
    const thread = new ScriptThread(this, space, slot, this.nextTid++, like?.script ?? this.script);
    if (like === null) this.words.fill(0, slot * this.slotWords, (slot + 1) * this.slotWords);
    else {
      thread.regs.copyFrom(like.regs);
      thread.fpState.set(like.fpState);
    }
    this.alive.add(thread);
    if (like !== null) this.cloned(thread, like);
    return thread;
  }
  /** A thread ended. */
  forget(thread: ScriptThread): void {
    if (thread.parked) this.parkedCount--;
    this.alive.delete(thread);
    this.free.push(thread.slot);
    const at = this.runnable.indexOf(thread);
    if (at >= 0) this.runnable.splice(at, 1);
  }
}
