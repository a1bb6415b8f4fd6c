/**
 * Interval timers: setitimer(2), alarm(2), POSIX timers (timer_create(2)) and RLIMIT_CPU, over kernel timers.
 *
 * A CPU-time timer sleeps for the time that is left (CPU time cannot run faster than real time for one thread) and looks
 * again; nothing polls. Several threads may overshoot by what the others used meanwhile, then catch up.
 */
import { EAGAIN, EINVAL, errno } from '../src/abi/errno.js';
import {
  SIGALRM, SIGEV_NONE, SIGEV_THREAD_ID, SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU, SI_KERNEL, SI_TIMER,
} from '../src/abi/flags/signal.js';
import { cpuTimes } from './accounting.js';
import { cpuClockNs, deadlineOf, readClock } from './clocks.js';
import { RLIMIT_CPU } from '../src/abi/flags/limits.js';
import { sendSignalToGroup, sendSignalToTask } from './signal/send.js';
import type { Task } from './task.js';
import type { ThreadGroup } from './thread-group.js';
import type { Timer } from './timers.js';

/** A time source a timer counts on: its reading in ns, and whether it is real time. */
interface Source {
  now(): number;
  /** Reading cannot jump and runs with CLOCK_MONOTONIC. */
  readonly steady: boolean;
}

/** One timer: next expiry on its source (0: disarmed) and interval, ns. */
export class IntervalTimer {
  expiresNs = 0;
  intervalNs = 0;
  private timer: Timer | null = null;
  private readonly group: ThreadGroup;
  readonly source: Source;
  /** Called with how many intervals passed (at least 1). */
  private readonly fire: (expirations: number) => void;

  constructor(group: ThreadGroup, source: Source, fire: (expirations: number) => void) {
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
    if (expiresNs !== 0) this.arm();
  }
  /** Time left until the next expiry; at least 1 ns while armed, 0 when disarmed. */
  remainingNs(): number {
    return this.expiresNs === 0 ? 0 : Math.max(1, this.expiresNs - this.source.now());
  }
  private arm(): void {
    const { kernel } = this.group;
    const left = Math.max(0, this.expiresNs - this.source.now());
    // A CPU clock may lag behind: look again no sooner than 100 us from now.
    const wait = this.source.steady || left === 0 ? left : Math.max(left, 100_000);
    this.timer = kernel.timers.add(kernel.clock.monotonicNs() + wait, () => this.check());
  }
  private check(): void {
    this.timer = null;
    const late = this.source.now() - this.expiresNs;
    if (late < 0) {
      this.arm();
      return;
    }
    let expirations = 1;
    if (this.intervalNs > 0) {
      expirations += Math.floor(late / this.intervalNs);
      this.expiresNs += expirations * this.intervalNs;
      this.arm();
    } else this.expiresNs = 0;
    this.fire(expirations);
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
  overrun: number;
}

/** Everything one process has of timers; made on first use. */
export class GroupTimers {
  private readonly group: ThreadGroup;
  private readonly itimers: (IntervalTimer | undefined)[] = [];
  readonly posix = new Map<number, PosixTimer>();
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
    return (this.itimers[which] = new IntervalTimer(group, source, () =>
      sendSignalToGroup(group, { signo: signal, code: SI_KERNEL, pid: 0, uid: 0 }),
    ));
  }

  /** timer_create(2). `target` for SIGEV_THREAD_ID. */
  create(task: Task, clockId: number, notify: number, signo: number, value: bigint | null, target: Task | null): PosixTimer {
    if (this.posix.size >= this.group.limits[11].soft) throw errno(EAGAIN);
    const { group } = this;
    const cpu = cpuClockNs(task, clockId);
    if (cpu === null) readClock(task, clockId);
    const source: Source =
      cpu === null ? { now: () => group.kernel.clock.monotonicNs(), steady: true } : { now: cpu, steady: false };
    const id = this.nextId++;
    const created: PosixTimer = {
      id,
      clockId,
      notify,
      overrun: 0,
      timer: new IntervalTimer(group, source, (expirations) => {
        if (notify === SIGEV_NONE) return;
        const info = {
          signo, code: SI_TIMER, timerId: id, overrun: expirations - 1, value: value ?? BigInt(id),
        };
        created.overrun = expirations - 1;
        if (notify === SIGEV_THREAD_ID && target !== null) sendSignalToTask(target, info);
        else sendSignalToGroup(group, info);
      }),
    };
    this.posix.set(id, created);
    return created;
  }

  /** The timer, or EINVAL. */
  get(id: number): PosixTimer {
    const found = this.posix.get(id);
    if (found === undefined) throw errno(EINVAL);
    return found;
  }

  delete(id: number): void {
    this.get(id).timer.set(0, 0);
    this.posix.delete(id);
  }

  /** exec deletes POSIX timers and keeps interval timers; exit drops all. */
  clear(all: boolean): void {
    for (const id of [...this.posix.keys()]) this.delete(id);
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
