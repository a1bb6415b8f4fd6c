/**
 * Clocks: clock_gettime(2), nanosleep(2), gettimeofday(2), adjtimex(2), times(2).
 */
import { cpuClockNs, deadlineOf, readClock, readOnlyClock } from '../sched/clocks.js';
import {
  CLOCK_MONOTONIC_COARSE,
  CLOCK_REALTIME,
  CLOCK_REALTIME_COARSE,
  CLOCK_THREAD_CPUTIME_ID,
} from '../src/abi/flags/time.js';
import { CAP_SYS_TIME } from '../src/abi/flags/capability.js';
import { capable } from '../sched/credentials.js';
import { EINVAL, EOPNOTSUPP, EPERM, ERESTARTNOHAND, ERESTART_RESTARTBLOCK, errno } from '../src/abi/errno.js';
import { type Row, dynamic, enumeration, flags, row, struct, word } from './row.js';
import { TIMER_ABSTIME } from '../src/abi/flags/time.js';
import { getI64, setU64 } from '../src/abi/layout.js';
import { TIMEVAL, TIMEX } from '../src/abi/layouts/time.js';
import { Task } from '../sched/task.js';
import { WOULD_BLOCK, block } from '../sched/wait.js';
import { cpuTimes } from '../sched/accounting.js';
import { KTIME_MAX, readTimespec, readTimespecNs, writeTimespec, writeTimespecNs } from '../sched/user-time.js';

export const rows: readonly Row[] = [
  row(
    'clock_gettime',
    { x86_64: 228, aarch64: 113 },
    [enumeration('clockid', 'clocknames'), struct('tp', 'out', 'timespec')],
    { ret: 'zero', classes: ['clock'], varies: ['tp'] },
    clockGettime,
  ),
  row(
    'clock_settime',
    { x86_64: 227, aarch64: 112 },
    [enumeration('clockid', 'clocknames'), struct('tp', 'in', 'timespec')],
    { ret: 'zero', classes: ['clock'], disposition: { partial: "the clock is the host's: any change is EPERM" } },
    clockSettime,
  ),
  row(
    'clock_getres',
    { x86_64: 229, aarch64: 114 },
    [enumeration('clockid', 'clocknames'), struct('res', 'out', 'timespec')],
    { ret: 'zero', classes: ['clock'], varies: ['res'] },
    clockGetres,
  ),
  row(
    'clock_nanosleep',
    { x86_64: 230, aarch64: 115 },
    [
      enumeration('clockid', 'clocknames'),
      flags('flags', 'clockflags'),
      struct('request', 'in', 'timespec'),
      dynamic('remain', 'nanosleep_remain'),
    ],
    { stops: true, ret: 'zero', varies: ['remain'] },
    clockNanosleep,
  ),
  row(
    'clock_adjtime',
    { x86_64: 305, aarch64: 266 },
    [enumeration('clockid', 'clocknames'), struct('buf', 'inout', 'timex')],
    {
      ret: 'dynamic',
      classes: ['clock'],
      disposition: { partial: "the clock is the host's: any change is EPERM" },
      varies: ['buf'],
    },
    clockAdjtime,
  ),
  row(
    'adjtimex',
    { x86_64: 159, aarch64: 171 },
    [struct('buf', 'inout', 'timex')],
    {
      ret: 'dynamic',
      classes: ['clock'],
      disposition: { partial: "the clock is the host's: any change is EPERM" },
      varies: ['buf'],
    },
    adjtimex,
  ),
  row(
    'nanosleep',
    { x86_64: 35, aarch64: 101 },
    [struct('req', 'in', 'timespec'), dynamic('rem', 'nanosleep_remain')],
    { stops: true, ret: 'zero', varies: ['rem'] },
    nanosleep,
  ),
  row(
    'gettimeofday',
    { x86_64: 96, aarch64: 169 },
    [struct('tv', 'out', 'timeval'), struct('tz', 'out', 'timezone')],
    { ret: 'zero', classes: ['clock'], varies: ['tv'] },
    gettimeofday,
  ),
  row(
    'settimeofday',
    { x86_64: 164, aarch64: 170 },
    [struct('tv', 'in', 'timeval'), struct('tz', 'in', 'timezone')],
    { ret: 'zero', classes: ['clock'], disposition: { partial: "the clock is the host's: any change is EPERM" } },
    settimeofday,
  ),
  row(
    'time',
    { x86_64: 201 },
    [word('tloc', 'out', 'long')],
    { ret: 'time', classes: ['clock'], varies: ['tloc'] },
    time,
  ),
  row('times', { x86_64: 100, aarch64: 153 }, [struct('buf', 'out', 'tms')], { varies: ['buf', 'result'] }, times),
];

function nanosleepUntil(task: Task, deadlineNs: number, remaining: number, restartable: boolean): number {
  const sleep = (): number =>
    block(task, () => WOULD_BLOCK, [], {
      deadlineNs,
      restart: restartable ? ERESTART_RESTARTBLOCK : ERESTARTNOHAND,
      onInterrupt: () => {
        if (!restartable) return;
        task.restart = sleep;
        if (remaining !== 0) {
          const left = Math.max(0, deadlineNs - task.kernel.clock.monotonicNs());
          writeTimespecNs(task, remaining, left);
        }
      },
    });
  return sleep();
}
function nanosleep(task: Task, request: number, remaining: number): number {
  const ns = readTimespecNs(task, request);
  return nanosleepUntil(task, task.kernel.clock.monotonicNs() + ns, remaining, true);
}
function clockNanosleep(task: Task, clock: number, flags: number, request: number, remaining: number): number {
  if (clock === CLOCK_THREAD_CPUTIME_ID || readOnlyClock(clock)) throw errno(EOPNOTSUPP);
  const at = readTimespec(task, request);
  readClock(task, clock);
  // Nobody can wait for the time of the thread that waits.
  const thread = ~(clock >> 3);
  if (clock < 0 && (clock & 4) !== 0 && (thread === 0 || thread === task.tid)) throw errno(EINVAL);
  const cpu = cpuClockNs(task, clock);
  if (cpu !== null)
    return cpuSleep(task, cpu, (flags & TIMER_ABSTIME) !== 0 ? at.sec * 1e9 + at.nsec : cpu() + at.sec * 1e9 + at.nsec);
  if ((flags & TIMER_ABSTIME) !== 0) return nanosleepUntil(task, deadlineOf(task, clock, at), 0, false);
  const ns = Math.min(at.sec * 1e9 + at.nsec, KTIME_MAX);
  return nanosleepUntil(task, task.kernel.clock.monotonicNs() + ns, remaining, true);
}
function clockGettime(task: Task, id: number, at: number): number {
  const { sec, nsec } = readClock(task, id);
  writeTimespec(task, at, sec, nsec);
  return 0;
}
function clockGetres(task: Task, id: number, at: number): number {
  readClock(task, id);
  if (at !== 0)
    writeTimespecNs(task, at, id === CLOCK_REALTIME_COARSE || id === CLOCK_MONOTONIC_COARSE ? 4_000_000 : 1);
  return 0;
}
/** The clock belongs to the host: what a process without CAP_SYS_TIME gets. */
function clockSettime(task: Task, id: number, at: number): number {
  if (id !== CLOCK_REALTIME) {
    if (cpuClockNs(task, id) !== null) throw errno(EPERM);
    throw errno(EINVAL);
  }
  readTimespec(task, at);
  throw errno(EPERM);
}
function gettimeofday(task: Task, tv: number, tz: number): number {
  if (tv !== 0) {
    const { clock } = task.kernel;
    clock.readRealtime();
    writeTimespec(task, tv, clock.realtimeSec, Math.floor(clock.realtimeNsec / 1000));
  }
  if (tz !== 0) task.mm.writeU64(tz, 0);
  return 0;
}
function settimeofday(task: Task, tv: number, tz: number): number {
  if (tv !== 0) {
    const view = task.mm.readStruct(tv, TIMEVAL.size);
    const usec = getI64(view, 8);
    if (view.getInt32(4, true) < 0 || usec < 0 || usec >= 1e6) throw errno(EINVAL);
  }
  if (tz !== 0) task.mm.readStruct(tz, 8);
  if (tv === 0 && tz === 0 && capable(task.creds, CAP_SYS_TIME)) return 0;
  throw errno(EPERM);
}
function time(task: Task, at: number): number {
  const { clock } = task.kernel;
  clock.readRealtime();
  if (at !== 0) task.mm.writeU64(at, clock.realtimeSec);
  return clock.realtimeSec;
}
/** In USER_HZ ticks of 10 ms; the result is ticks since boot (Linux: minus 5 minutes, at an arbitrary point). */
function times(task: Task, at: number): number {
  const { group, kernel } = task;
  if (at !== 0) {
    const own = cpuTimes(group);
    const ticks = (ns: number): number => Math.floor(ns / 1e7);
    const { mm } = task;
    mm.writeU64(at, ticks(own.userNs));
    mm.writeU64(at + 8, ticks(own.systemNs));
    mm.writeU64(at + 16, ticks(group.childUserNs));
    mm.writeU64(at + 24, ticks(group.childSystemNs));
  }
  return Math.floor(kernel.clock.monotonicNs() / 1e7);
}
/** Reading is open to all; any change needs CAP_SYS_TIME, and the host's clock is not ours. */
function adjtimex(task: Task, at: number): number {
  const view = task.mm.readStruct(at, TIMEX.size);
  const modes = view.getUint32(0, true);
  if (modes !== 0 && modes !== 0xa001) throw errno(EPERM);
  const { offsets } = TIMEX;
  const { clock } = task.kernel;
  clock.readRealtime();
  task.mm.scratch.fill(0, 0, TIMEX.size);
  const put = (offset: number, value: number): void => setU64(view, offset, value);
  view.setUint32(0, modes, true);
  put(offsets.maxerror, 16_000_000);
  put(offsets.esterror, 16_000_000);
  view.setUint32(offsets.status, 0x40, true);
  put(offsets.constant, 2);
  put(offsets.precision, 1);
  put(offsets.tolerance, 32_768_000);
  put(offsets.time, clock.realtimeSec);
  put(offsets.time + 8, Math.floor(clock.realtimeNsec / 1000));
  put(offsets.tick, 10_000);
  task.mm.writeStruct(at, TIMEX.size);
  return TIME_ERROR;
}
const TIME_ERROR = 5;

function clockAdjtime(task: Task, id: number, at: number): number {
  if (id !== CLOCK_REALTIME) throw errno(cpuClockNs(task, id) === null && id > 11 ? EINVAL : EOPNOTSUPP);
  return adjtimex(task, at);
}
/** clock_nanosleep on a CPU clock: looks again when the time that is left could have passed. */
function cpuSleep(task: Task, cpuNs: () => number, untilNs: number): number {
  const attempt = (): number => {
    if (cpuNs() >= untilNs) return 0;
    const { kernel } = task;
    kernel.timers.add(kernel.clock.monotonicNs() + Math.max(100_000, untilNs - cpuNs()), () => task.sleep.wake());
    return WOULD_BLOCK;
  };
  return block(task, attempt, [], { restart: ERESTARTNOHAND });
}
