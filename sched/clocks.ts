/**
 * Clock ids (clock_gettime(2)): reading any of them, and turning an absolute time on one into a deadline on CLOCK_MONOTONIC.
 */
import {
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_TAI,
} from '../src/abi/flags/time.js';
import { EINVAL, errno } from '../src/abi/errno.js';
import { cpuTimes } from './accounting.js';
import type { Task } from './task.js';

export interface Timespec {
  sec: number;
  nsec: number;
}

const fromNs = (ns: number): Timespec => {
  const sec = Math.floor(ns / 1e9);
  return { sec, nsec: Math.floor(ns - sec * 1e9) };
};

/** Whether `id` is a wall clock. */
export const isRealtime = (id: number): boolean =>
  id === CLOCK_REALTIME || id === CLOCK_REALTIME_COARSE || id === CLOCK_REALTIME_ALARM || id === CLOCK_TAI;

/**
 * The group or task behind a CPU clock id: the two fixed ones, or the encoding of clock_getcpuclockid(3)
 * (~pid << 3 | thread bit 4 | 2). Null when `id` is no CPU clock; EINVAL when it names nobody.
 */
export function cpuClockNs(task: Task, id: number): (() => number) | null {
  const group = (target: Task['group']) => (): number => {
    const times = cpuTimes(target);
    return times.userNs + times.systemNs;
  };
  const thread = (target: Task) => (): number => {
    const times = target.thread.cpuTimeNs();
    return times.user + times.system;
  };
  if (id === CLOCK_PROCESS_CPUTIME_ID) return group(task.group);
  if (id === CLOCK_THREAD_CPUTIME_ID) return thread(task);
  if (id >= 0) return null;
  const pid = ~(id >> 3);
  // Type 3 names no clock; 7 with the thread bit a descriptor of a device (isDeviceClock).
  if ((id & 3) === 3) throw errno(EINVAL);
  if ((id & 4) !== 0) {
    const target = pid === 0 ? task : task.kernel.pids.tasks.get(pid);
    if (target === undefined || target.exited || target.group !== task.group) throw errno(EINVAL);
    return thread(target);
  }
  const target = pid === 0 ? task.group : task.kernel.pids.groups.get(pid);
  if (target === undefined) throw errno(EINVAL);
  return group(target);
}

/**
 * Whether `id` is a clock that can only be read: a coarse or raw one, a device's (FD_TO_CLOCKID), and those that need an RTC.
 * Timers and sleeps on them are EOPNOTSUPP.
 */
export const readOnlyClock = (id: number): boolean =>
  id === CLOCK_MONOTONIC_RAW ||
  id === CLOCK_REALTIME_COARSE ||
  id === CLOCK_MONOTONIC_COARSE ||
  id === CLOCK_REALTIME_ALARM ||
  id === CLOCK_BOOTTIME_ALARM ||
  (id < 0 && (id & 7) === 3);

/** Time now on clock `id`; EINVAL for an unknown one. */
export function readClock(task: Task, id: number): Timespec {
  const { clock } = task.kernel;
  switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
      clock.readRealtime();
      return { sec: clock.realtimeSec, nsec: clock.realtimeNsec };
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
      return fromNs(clock.monotonicNs());
    case CLOCK_BOOTTIME:
      return fromNs(clock.boottimeNs());
    // There is no RTC that could wake the machine.
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
      throw errno(EINVAL);
    default: {
      const cpu = cpuClockNs(task, id);
      if (cpu === null) throw errno(EINVAL);
      return fromNs(cpu());
    }
  }
}

/** The CLOCK_MONOTONIC deadline (ns) of absolute time `at` on wall, boot or monotonic clock `id`. */
export function deadlineOf(task: Task, id: number, at: Timespec): number {
  const now = readClock(task, id);
  const ahead = (at.sec - now.sec) * 1e9 + (at.nsec - now.nsec);
  return task.kernel.clock.monotonicNs() + Math.max(0, ahead);
}
