/**
 * KernelState: what is global in Linux hangs here, so that several kernels can live in one Node process.
 *
 * Higher layers add their own parts with `declare module` (fs adds `vfs`, tty adds `ttys`, ...), filled in by
 * src/kernel.ts at boot.
 */
import type { Platform } from '../src/platform/platform.js';
import type { MemoryAccount } from '../src/mm/memory-map.js';
import type { FrameAllocator } from '../src/mm/frames.js';
import type { Clock, Random } from './clock.js';
import { FutexTable } from './futex.js';
import { Hooks } from './hooks.js';
import type { PidTable } from './pids.js';
import type { ThreadGroup } from './thread-group.js';
import type { SigInfo } from './signal/siginfo.js';
import { Timers } from './timers.js';
import type { Sleep } from './wait.js';
import type { Task } from './task.js';

export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Who wants to see signals: the tracer. */
export interface SignalWatcher {
  /** Before the handler's frame is made, the default action taken, or the signal ignored. */
  signal(task: Task, info: SigInfo): void;
  stopped(task: Task, signo: number): void;
}

/** Limits of the whole system, each with a default; hitting one is the Linux errno or signal for it. */
export interface Limits {
  /** Bytes of guest memory (anonymous, page cache, shared): ENOMEM beyond. */
  memoryBytes: number;
  /** Tasks alive at once: fork and clone give EAGAIN beyond. */
  pids: number;
}

export interface KernelStateOptions {
  platform: Platform;
  frames: FrameAllocator;
  memory: MemoryAccount;
  pids: PidTable;
  clock: Clock;
  random: Random;
  log: Log;
  limits: Limits;
  hostname: string;
  /** CPUs that guests see. */
  cpus: number;
}

export class KernelState {
  readonly platform: Platform;
  /** Physical page frames: page cache, shared memory. */
  readonly frames: FrameAllocator;
  /** What guests were promised, against the limit. */
  readonly memory: MemoryAccount;
  readonly pids: PidTable;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  readonly timers = new Timers();
  readonly hooks = new Hooks();
  readonly futexes = new FutexTable();
  /** Sleeps whose attempt must run again; the kernel loop drains it. */
  wakeups: Sleep[] = [];
  /** Tasks that may go back to user mode once their pending work (signals, stops) is done; drained by the kernel loop. */
  returning: Task[] = [];
  readonly cpus: number;
  hostname: string;
  domainname = '(none)';
  /** Boot time: CLOCK_MONOTONIC ns and wall clock seconds. */
  readonly bootNs: number;
  readonly bootSec: number;
  /** Process 1: adopts orphans; its end ends the system. */
  init: ThreadGroup | null = null;
  /** Forks since boot, context switches are not counted: /proc/stat. */
  forks = 0;

  /** Told of signals as they are taken, and of stops; set while tracing. */
  watcher: SignalWatcher | null = null;
  /** Told when a sleep is about to be retried; set while tracing that wants to know who wakes whom. */
  waking: ((sleeper: Task) => void) | null = null;
  /** Set by the kernel loop: something outside the loop made work (host input); call it after changing state. */
  kick: () => void = () => {};
  /** Set by the kernel loop: a task has a host thread. */
  taskMade: (task: Task) => void = () => {};
  /** Set by the kernel loop: a task's host thread is about to end. */
  taskGone: (task: Task) => void = () => {};
  /** Set by the kernel loop: process 1 ended with this wait status. */
  initExited: (status: number) => void = () => {};

  constructor(options: KernelStateOptions) {
    this.platform = options.platform;
    this.frames = options.frames;
    this.memory = options.memory;
    this.pids = options.pids;
    this.clock = options.clock;
    this.random = options.random;
    this.log = options.log;
    this.limits = options.limits;
    this.hostname = options.hostname;
    this.cpus = options.cpus;
    this.bootNs = options.clock.monotonicNs();
    options.clock.readRealtime();
    this.bootSec = options.clock.realtimeSec;
  }
  /** Bytes; the host's. */
  get pageSize(): number {
    return this.frames.pageSize;
  }
}
