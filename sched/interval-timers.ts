/**
 * Interval timers: setitimer(2), alarm(2), POSIX timers (timer_create(2)) and RLIMIT_CPU, over kernel timers.
 *
 * A timer with an interval does not run while its signal waits to be taken; how many intervals passed meanwhile is the overrun
 * (posixtimer_rearm; for ITIMER_REAL dequeue_signal). So a short interval costs no more than the signals that are taken.
 *
 * A CPU-time timer sleeps for the time that is left (CPU time cannot run faster than real time for one thread) and looks
 * again; nothing polls. Several threads may overshoot by what the others used meanwhile, then catch up.
 */
import { EAGAIN, EINVAL, EOPNOTSUPP, errno } from '../src/abi/errno.js';
import {
  SIGALRM,
  SIGEV_NONE,
  SIGEV_THREAD_ID,
  SIGKILL,
  SIGPROF,
  SIGVTALRM,
  SIGXCPU,
  SI_KERNEL,
  SI_TIMER,
} from '../src/abi/flags/signal.js';
import { cpuTimes } from './accounting.js';
import { cpuClockNs, deadlineOf, readClock, readOnlyClock } from './clocks.js';
import { RLIMIT_CPU, RLIMIT_SIGPENDING } from '../src/abi/flags/limits.js';
import { SENT, sendSignalToGroup, sendSignalToTask } from './signal/send.js';
import type { SigInfo } from './signal/siginfo.js';
import type { Task } from './task.js';
import type { ThreadGroup } from './thread-group.js';
import type { Timer } from './timers.js';

/** A time source a timer counts on: its reading in ns, and whether it is real time. */
interface Source {
  now(): number;
  /** Reading cannot jump and runs with CLOCK_MONOTONIC. */
  readonly steady: boolean;
}

/** What CPU timers, and timers whose signal is ignored, are accurate to: a tick. */
const TICK_NS = 4_000_000;

/** One timer: next expiry on its source (0: disarmed) and interval, ns. */
export class IntervalTimer {
  expiresNs = 0;
  intervalNs = 0;
  /** Its signal waits: the next interval begins with `goOn`. */
  private held = false;
  private timer: Timer | null = null;
  private readonly group: ThreadGroup;
  readonly source: Source;
  /** Sends the signal; true: hold until `goOn`. Null for a timer that is only looked at. */
  private readonly fire: (() => boolean) | null;

  constructor(group: ThreadGroup, source: Source, fire: (() => boolean) | null) {
    this.group = group;
    this.source = source;
    this.fire = fire;
  }
  /** Arms for `expiresNs` on the source (0 disarms). */
  set(expiresNs: number, intervalNs: number): void {
    this.timer?.cancel();
    this.timer = null;
    this.expiresNs = expiresNs;
    this.intervalNs = intervalNs;
    this.held = false;
    if (expiresNs !== 0 && this.fire !== null) this.arm(0);
  }
  /** Time left until the next expiry; at least 1 ns while armed, 0 when disarmed. */
  remainingNs(): number {
    const { expiresNs, intervalNs } = this;
    if (expiresNs === 0) return 0;
    const left = expiresNs - this.source.now();
    if (left > 0) return left;
    if (intervalNs > 0) return Math.max(1, intervalNs - (-left % intervalNs));
    return this.fire === null ? 0 : 1;
  }
  /** The signal was taken: starts the next interval; returns how many were missed. */
  goOn(): number {
    if (!this.held) return 0;
    this.held = false;
    const missed = this.forward() - 1;
    this.arm(0);
    return missed;
  }
  /** Moves the expiry into the future; returns by how many intervals. */
  private forward(): number {
    const late = this.source.now() - this.expiresNs;
    if (late < 0) return 1;
    const intervals = Math.floor(late / this.intervalNs) + 1;
    this.expiresNs += intervals * this.intervalNs;
    return intervals;
  }
  private arm(atLeastNs: number): void {
    const { kernel } = this.group;
    const left = Math.max(0, this.expiresNs - this.source.now());
    // CPU time may stand still: it is looked at once a tick at most.
    const wait = Math.max(left, this.source.steady || left === 0 ? atLeastNs : TICK_NS);
    this.timer = kernel.timers.add(kernel.clock.monotonicNs() + wait, () => this.check());
  }
  private check(): void {
    this.timer = null;
    if (this.source.now() < this.expiresNs) {
      this.arm(0);
      return;
    }
    if (this.intervalNs === 0) {
      this.expiresNs = 0;
      this.fire!();
      return;
    }
    this.held = true;
    if (this.fire!() || !this.held) return;
    this.held = false;
    this.forward();
    this.arm(TICK_NS);
  }
}

export const ITIMER_REAL = 0;
export const ITIMER_VIRTUAL = 1;
export const ITIMER_PROF = 2;

/** POSIX timer of timer_create(2). */
export interface PosixTimer {
  readonly id: number;
  readonly clockId: number;
  readonly timer: IntervalTimer;
  readonly notify: number;
  readonly signo: number;
  readonly value: bigint;
  readonly target: Task | null;
  overrun: number;
}

/** Everything one process has of timers; made on first use. */
export class GroupTimers {
  private readonly group: ThreadGroup;
  private readonly itimers: (IntervalTimer | undefined)[] = [];
  private posix: Map<number, PosixTimer> | null = null;
  private nextId = 0;
  private cpuLimit: IntervalTimer | null = null;

  constructor(group: ThreadGroup) {
    this.group = group;
  }

  itimer(which: number): IntervalTimer {
    const existing = this.itimers[which];
    if (existing !== undefined) return existing;
    const { group } = this;
    const signal = [SIGALRM, SIGVTALRM, SIGPROF][which];
    const source: Source =
      which === ITIMER_REAL
        ? { now: () => group.kernel.clock.monotonicNs(), steady: true }
        : {
            now: () => {
              const times = cpuTimes(group);
              return which === ITIMER_VIRTUAL ? times.userNs : times.userNs + times.systemNs;
            },
            steady: false,
          };
    return (this.itimers[which] = new IntervalTimer(group, source, () => {
      sendSignalToGroup(group, { signo: signal, code: SI_KERNEL, pid: 0, uid: 0 });
      return which === ITIMER_REAL && group.pending.set.has(SIGALRM);
    }));
  }
  /** Some SIGALRM of the process was taken. */
  alarmTaken(): void {
    this.itimers[ITIMER_REAL]?.goOn();
  }

  /** timer_create(2). `target` for SIGEV_THREAD_ID. */
  create(
    task: Task,
    clockId: number,
    notify: number,
    signo: number,
    value: bigint | null,
    target: Task | null,
  ): PosixTimer {
    const posix = (this.posix ??= new Map<number, PosixTimer>());
    if (posix.size >= this.group.limits[RLIMIT_SIGPENDING].soft) throw errno(EAGAIN);
    const { group } = this;
    if (readOnlyClock(clockId)) throw errno(EOPNOTSUPP);
    const cpu = cpuClockNs(task, clockId);
    if (cpu === null) readClock(task, clockId);
    const source: Source =
      cpu === null ? { now: () => group.kernel.clock.monotonicNs(), steady: true } : { now: cpu, steady: false };
    const id = this.freeId(posix);
    /** The entry in the queue; a newer one, or a setting in between, makes it stale. */
    let entry: object | null = null;
    const fire = (): boolean => {
      if (entry !== null) return true;
      const info: SigInfo = {
        signo,
        code: SI_TIMER,
        timerId: id,
        overrun: 0,
        value: value ?? BigInt(id),
        taken: () => {
          entry = null;
          created.overrun = created.timer.goOn();
          return { ...info, taken: undefined, overrun: created.overrun };
        },
      };
      entry = info;
      const sent =
        notify === SIGEV_THREAD_ID && target !== null ? sendSignalToTask(target, info) : sendSignalToGroup(group, info);
      if (sent !== SENT) entry = null;
      return sent === SENT;
    };
    const timer = new IntervalTimer(group, source, notify === SIGEV_NONE ? null : fire);
    const created: PosixTimer = {
      id,
      clockId,
      notify,
      signo,
      value: value ?? BigInt(id),
      target,
      overrun: 0,
      timer,
    };
    posix.set(id, created);
    return created;
  }
  /** In the order of their ids. */
  get created(): readonly PosixTimer[] {
    return [...(this.posix?.values() ?? [])].sort((a, b) => a.id - b.id);
  }
  /** Ids go up and wrap at INT_MAX. */
  private freeId(posix: ReadonlyMap<number, PosixTimer>): number {
    for (;;) {
      const id = this.nextId;
      this.nextId = (this.nextId + 1) & 0x7fff_ffff;
      if (!posix.has(id)) return id;
    }
  }

  /** The timer, or EINVAL. */
  get(id: number): PosixTimer {
    const found = this.posix?.get(id);
    if (found === undefined) throw errno(EINVAL);
    return found;
  }

  delete(id: number): void {
    this.get(id).timer.set(0, 0);
    this.posix?.delete(id);
  }

  /** exec deletes POSIX timers and keeps interval timers; exit drops all. */
  clear(all: boolean): void {
    if (this.posix !== null) for (const id of [...this.posix.keys()]) this.delete(id);
    if (!all) return;
    for (const timer of this.itimers) timer?.set(0, 0);
    this.cpuLimit?.set(0, 0);
  }

  /** RLIMIT_CPU changed: SIGXCPU at the soft limit and every second after it, SIGKILL at the hard one. */
  cpuLimitChanged(): void {
    const { soft, hard } = this.group.limits[RLIMIT_CPU];
    if (soft === Infinity && this.cpuLimit === null) return;
    const { group } = this;
    const now = (): number => {
      const times = cpuTimes(group);
      return times.userNs + times.systemNs;
    };
    this.cpuLimit ??= new IntervalTimer(group, { now, steady: false }, () => {
      const limit = group.limits[RLIMIT_CPU];
      if (now() >= limit.hard * 1e9) sendSignalToGroup(group, { signo: SIGKILL, code: SI_KERNEL, pid: 0, uid: 0 });
      else sendSignalToGroup(group, { signo: SIGXCPU, code: SI_KERNEL, pid: 0, uid: 0 });
      return false;
    });
    if (soft === Infinity) this.cpuLimit.set(hard === Infinity ? 0 : Math.max(1, hard * 1e9), 1e9);
    else this.cpuLimit.set(Math.max(1, soft * 1e9), 1e9);
  }
}

/** Absolute expiry on the timer's own source for a time given on its clock. */
export function absoluteExpiry(task: Task, timer: PosixTimer, at: { sec: number; nsec: number }): number {
  const ns = timer.timer.source.steady ? deadlineOf(task, timer.clockId, at) : at.sec * 1e9 + at.nsec;
  return Math.max(1, ns);
}
