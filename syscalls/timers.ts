/**
 * Timers: setitimer(2), alarm(2), timer_create(2).
 */
import { EINVAL, errno } from '../src/abi/errno.js';
import { ITIMER_REAL, absoluteExpiry } from '../sched/interval-timers.js';
import { type Row, dynamic, enumeration, flags, int, row, struct, uint, word } from './row.js';
import { SIGALRM, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID } from '../src/abi/flags/signal.js';
import { getI64, setU64 } from '../src/abi/layout.js';
import { SIGEVENT } from '../src/abi/layouts/signal.js';
import { TIMER_ABSTIME } from '../src/abi/flags/time.js';
import { Task } from '../sched/task.js';

export const rows: readonly Row[] = [
  row('alarm', { x86_64: 37 }, [uint('seconds')], {}, alarm),
  row(
    'getitimer',
    { x86_64: 36, aarch64: 102 },
    [enumeration('which', 'itimer_which'), struct('curr_value', 'out', 'itimerval')],
    { ret: 'zero', varies: ['curr_value'] },
    getitimer,
  ),
  row(
    'setitimer',
    { x86_64: 38, aarch64: 103 },
    [
      enumeration('which', 'itimer_which'),
      struct('new_value', 'in', 'itimerval'),
      struct('old_value', 'out', 'itimerval'),
    ],
    { ret: 'zero', varies: ['old_value'] },
    setitimer,
  ),
  row(
    'timer_create',
    { x86_64: 222, aarch64: 107 },
    [enumeration('clockid', 'clocknames'), dynamic('sevp', 'sigevent'), word('timerid', 'out', 'int')],
    { ret: 'zero' },
    timerCreate,
  ),
  row(
    'timer_settime',
    { x86_64: 223, aarch64: 110 },
    [
      int('timerid'),
      flags('flags', 'clockflags'),
      struct('new_value', 'in', 'itimerspec'),
      struct('old_value', 'out', 'itimerspec'),
    ],
    { ret: 'zero' },
    timerSettime,
  ),
  row(
    'timer_gettime',
    { x86_64: 224, aarch64: 108 },
    [int('timerid'), struct('curr_value', 'out', 'itimerspec')],
    { ret: 'zero', varies: ['curr_value'] },
    timerGettime,
  ),
  row(
    'timer_getoverrun',
    { x86_64: 225, aarch64: 109 },
    [int('timerid')],
    {},
    (task, id) => task.group.timers.get(id).overrun,
  ),
  row('timer_delete', { x86_64: 226, aarch64: 111 }, [int('timerid')], { ret: 'zero' }, timerDelete),
];

/** A timeval at `at` in nanoseconds; EINVAL unless it is normal. */
function timevalNs(view: DataView, at: number): number {
  const sec = getI64(view, at);
  const usec = getI64(view, at + 8);
  if (sec < 0 || usec < 0 || usec >= 1e6) throw errno(EINVAL);
  return sec * 1e9 + usec * 1000;
}
/** Interval and value, in the unit given by `unitNs` below the second; times left round up. */
function writeSetting(task: Task, at: number, intervalNs: number, valueNs: number, unitNs: number): void {
  const out = task.mm.scratchView;
  for (const [offset, ns] of [
    [0, intervalNs],
    [16, valueNs],
  ] as const) {
    const units = Math.ceil(ns / unitNs);
    const perSecond = 1e9 / unitNs;
    setU64(out, offset, Math.floor(units / perSecond));
    setU64(out, offset + 8, units % perSecond);
  }
  task.mm.writeStruct(at, 32);
}
function getitimer(task: Task, which: number, at: number): number {
  if (which < 0 || which > 2) throw errno(EINVAL);
  const timer = task.group.timers.itimer(which);
  writeSetting(task, at, timer.intervalNs, timer.remainingNs(), 1000);
  return 0;
}
function setitimer(task: Task, which: number, next: number, old: number): number {
  let intervalNs = 0;
  let valueNs = 0;
  if (next !== 0) {
    const view = task.mm.readStruct(next, 32);
    intervalNs = timevalNs(view, 0);
    valueNs = timevalNs(view, 16);
  }
  if (which < 0 || which > 2) throw errno(EINVAL);
  const timer = task.group.timers.itimer(which);
  const before = { intervalNs: timer.intervalNs, remainingNs: timer.remainingNs() };
  timer.set(valueNs === 0 ? 0 : timer.source.now() + valueNs, intervalNs);
  if (old !== 0) writeSetting(task, old, before.intervalNs, before.remainingNs, 1000);
  return 0;
}
/** Seconds left round to the nearest, but a running timer never shows as 0 (alarm_setitimer). */
function alarm(task: Task, seconds: number): number {
  const timer = task.group.timers.itimer(ITIMER_REAL);
  const left = timer.remainingNs();
  timer.set(seconds === 0 ? 0 : timer.source.now() + seconds * 1e9, 0);
  return left === 0 ? 0 : Math.max(1, Math.round(left / 1e9));
}
function timerCreate(task: Task, clock: number, event: number, out: number): number {
  let notify = SIGEV_SIGNAL;
  let signo = SIGALRM;
  let value: bigint | null = null;
  let target: Task | null = null;
  if (event !== 0) {
    const view = task.mm.readStruct(event, SIGEVENT.size);
    value = view.getBigInt64(0, true);
    signo = view.getInt32(8, true);
    notify = view.getInt32(12, true);
    const tid = view.getInt32(16, true);
    if (notify === SIGEV_THREAD_ID || notify === (SIGEV_THREAD_ID | SIGEV_SIGNAL)) {
      target = task.kernel.pids.tasks.get(tid) ?? null;
      if (target === null || target.group !== task.group) throw errno(EINVAL);
      notify = SIGEV_THREAD_ID;
    } else if (notify !== SIGEV_SIGNAL && notify !== SIGEV_NONE && notify !== SIGEV_THREAD) throw errno(EINVAL);
    if (notify !== SIGEV_NONE && (signo < 1 || signo > 64)) throw errno(EINVAL);
  }
  const created = task.group.timers.create(task, clock, notify, signo, value, target);
  try {
    task.mm.writeU32(out, created.id);
  } catch (error) {
    task.group.timers.delete(created.id);
    throw error;
  }
  return 0;
}
function timerSettime(task: Task, id: number, flags: number, next: number, old: number): number {
  if (next === 0) throw errno(EINVAL);
  const view = task.mm.readStruct(next, 32);
  const spec = (at: number): { sec: number; nsec: number } => {
    const sec = getI64(view, at);
    const nsec = getI64(view, at + 8);
    if (sec < 0 || nsec < 0 || nsec >= 1e9) throw errno(EINVAL);
    return { sec, nsec };
  };
  const interval = spec(0);
  const value = spec(16);
  const found = task.group.timers.get(id);
  const { timer } = found;
  const before = { intervalNs: timer.intervalNs, remainingNs: timer.remainingNs() };
  found.overrun = 0;
  if (value.sec === 0 && value.nsec === 0) timer.set(0, 0);
  else
    timer.set(
      (flags & TIMER_ABSTIME) !== 0
        ? absoluteExpiry(task, found, value)
        : timer.source.now() + value.sec * 1e9 + value.nsec,
      interval.sec * 1e9 + interval.nsec,
    );
  if (old !== 0) writeSetting(task, old, before.intervalNs, before.remainingNs, 1);
  return 0;
}
function timerGettime(task: Task, id: number, at: number): number {
  const { timer } = task.group.timers.get(id);
  writeSetting(task, at, timer.intervalNs, timer.remainingNs(), 1);
  return 0;
}

function timerDelete(task: Task, id: number): number {
  task.group.timers.delete(id);
  return 0;
}
