/**
 * Scheduling: sched_setscheduler(2), affinity, priorities, sched_yield(2), getcpu(2).
 */
import { capable } from '../sched/credentials.js';
import { CAP_SYS_ADMIN, CAP_SYS_NICE } from '../src/abi/flags/capability.js';
import { E2BIG, EACCES, EFAULT, EINVAL, EPERM, ESRCH, errno, errnoOf } from '../src/abi/errno.js';
import {
  SCHED_BATCH,
  SCHED_DEADLINE,
  SCHED_FIFO,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_IDLE,
  SCHED_OTHER,
  SCHED_RR,
} from '../src/abi/flags/sched.js';
import { getU64 } from '../src/abi/layout.js';
import { SCHED_ATTR } from '../src/abi/layouts/process.js';
import { type Row, addr, dynamic, enumeration, hex32, int, pid, row, struct, uint, word } from './row.js';
import {
  SAME_POLICY,
  SCHED_FLAG_UTIL_CLAMP,
  type SchedAttr,
  baseSlice,
  mayLower,
  ownedBy,
  realtime,
  setScheduler,
} from '../sched/policy.js';
import { Task } from '../sched/task.js';
import { writeTimespecNs } from '../sched/user-time.js';

export const rows: readonly Row[] = [
  row('sched_yield', { x86_64: 24, aarch64: 124 }, [], { ret: 'zero' }, () => 0),
  row(
    'sched_setscheduler',
    { x86_64: 144, aarch64: 119 },
    [pid('pid'), enumeration('policy', 'schedulers'), struct('param', 'in', 'sched_param')],
    { ret: 'zero', disposition: { partial: 'kept and reported; the host schedules every guest alike' } },
    schedSetscheduler,
  ),
  row('sched_getscheduler', { x86_64: 145, aarch64: 120 }, [pid('pid')], { ret: 'dynamic' }, (task, id) =>
    policyOf(taskOf(task, id)),
  ),
  row(
    'sched_setparam',
    { x86_64: 142, aarch64: 118 },
    [pid('pid'), struct('param', 'in', 'sched_param')],
    {
      ret: 'zero',
      disposition: { partial: 'kept and reported; the host schedules every guest alike' },
    },
    schedSetparam,
  ),
  row(
    'sched_getparam',
    { x86_64: 143, aarch64: 121 },
    [pid('pid'), struct('param', 'out', 'sched_param')],
    {
      ret: 'zero',
    },
    schedGetparam,
  ),
  row(
    'sched_setattr',
    { x86_64: 314, aarch64: 274 },
    [pid('pid'), dynamic('attr', 'sched_attr'), hex32('flags')],
    {
      ret: 'zero',
      disposition: { partial: 'kept and reported; the host schedules every guest alike' },
    },
    schedSetattr,
  ),
  row(
    'sched_getattr',
    { x86_64: 315, aarch64: 275 },
    [pid('pid'), dynamic('attr', 'sched_attr'), uint('size'), hex32('flags')],
    { ret: 'zero' },
    schedGetattr,
  ),
  row(
    'sched_get_priority_max',
    { x86_64: 146, aarch64: 125 },
    [enumeration('policy', 'schedulers')],
    {},
    (_task, policy) => priorityRange(policy, true),
  ),
  row(
    'sched_get_priority_min',
    { x86_64: 147, aarch64: 126 },
    [enumeration('policy', 'schedulers')],
    {},
    (_task, policy) => priorityRange(policy, false),
  ),
  row(
    'sched_rr_get_interval',
    { x86_64: 148, aarch64: 127 },
    [pid('pid'), struct('tp', 'out', 'timespec')],
    {
      ret: 'zero',
    },
    schedRrGetInterval,
  ),
  row(
    'sched_setaffinity',
    { x86_64: 203, aarch64: 122 },
    [pid('pid'), uint('cpusetsize'), dynamic('mask', 'cpu_set')],
    { ret: 'zero', disposition: { partial: 'kept and reported; the kernel places threads itself' } },
    schedSetaffinity,
  ),
  row(
    'sched_getaffinity',
    { x86_64: 204, aarch64: 123 },
    [pid('pid'), uint('cpusetsize'), dynamic('mask', 'cpu_set')],
    { ret: 'size', varies: ['mask', 'result'] },
    schedGetaffinity,
  ),
  row('getpriority', { x86_64: 140, aarch64: 141 }, [enumeration('which', 'priorities'), int('who')], {}, getpriority),
  row(
    'setpriority',
    { x86_64: 141, aarch64: 140 },
    [enumeration('which', 'priorities'), int('who'), int('prio')],
    {
      ret: 'zero',
      disposition: { partial: 'kept and reported; the host schedules every guest alike' },
    },
    setpriority,
  ),
  row(
    'ioprio_get',
    { x86_64: 252, aarch64: 31 },
    [enumeration('which', 'ioprio_who'), int('who')],
    {
      ret: 'dynamic',
    },
    ioprioGet,
  ),
  row(
    'ioprio_set',
    { x86_64: 251, aarch64: 30 },
    [enumeration('which', 'ioprio_who'), int('who'), dynamic('ioprio', 'ioprio', 'int')],
    { ret: 'zero', disposition: { partial: 'kept and reported; there is no disk to schedule' } },
    ioprioSet,
  ),
  row(
    'getcpu',
    { x86_64: 309, aarch64: 168 },
    [word('cpu', 'out', 'uint'), word('node', 'out', 'uint'), addr('tcache')],
    { ret: 'zero', disposition: { partial: 'always CPU 0, node 0' }, varies: ['cpu', 'node'] },
    getcpu,
  ),
];

const SCHED_RESET_ON_FORK = 0x4000_0000;

const policyOf = ({ policy, resetOnFork }: Task): number => policy | (resetOnFork ? SCHED_RESET_ON_FORK : 0);

function taskOf(task: Task, pid: number): Task {
  if (pid < 0) throw errno(EINVAL);
  return anyTask(task, pid);
}
/** Of the affinity calls, to whom a negative number is as good as any that nobody has. */
function anyTask(task: Task, pid: number): Task {
  const found = pid === 0 ? task : task.kernel.pids.tasks.get(pid);
  if (found === undefined) throw errno(ESRCH);
  return found;
}
/** As the old calls ask: all else stays, and the flag is a bit of the policy. */
function setPolicy(task: Task, target: Task, policy: number, priority: number): number {
  const { nice, slice } = target;
  const reset = policy >= 0 && (policy & SCHED_RESET_ON_FORK) !== 0;
  setScheduler(task, target, {
    policy: reset ? policy & ~SCHED_RESET_ON_FORK : policy,
    flags: reset ? SCHED_FLAG_RESET_ON_FORK : 0,
    nice,
    priority,
    slice,
  });
  return 0;
}
function schedSetscheduler(task: Task, pid: number, policy: number, param: number): number {
  if (policy < 0 || param === 0 || pid < 0) throw errno(EINVAL);
  const priority = task.mm.readI32(param);
  return setPolicy(task, taskOf(task, pid), policy, priority);
}
function schedSetparam(task: Task, pid: number, param: number): number {
  if (param === 0 || pid < 0) throw errno(EINVAL);
  const priority = task.mm.readI32(param);
  return setPolicy(task, taskOf(task, pid), SAME_POLICY, priority);
}
function schedGetparam(task: Task, pid: number, param: number): number {
  if (param === 0 || pid < 0) throw errno(EINVAL);
  task.mm.writeU32(param, taskOf(task, pid).priority);
  return 0;
}

const SCHED_ATTR_SIZE_VER0 = 48;
const SCHED_ATTR_SIZE_VER1 = 56;
/** sched_copy_attr: the kernel's own size is told with E2BIG. */
function readAttr(task: Task, at: number): DataView {
  const size = task.mm.readU32(at);
  try {
    return task.mm.readSizedStruct(at, size === 0 ? SCHED_ATTR_SIZE_VER0 : size, SCHED_ATTR_SIZE_VER0, SCHED_ATTR.size);
  } catch (error) {
    if (errnoOf(error) === EFAULT) throw error;
    task.mm.writeU32(at, SCHED_ATTR.size);
    throw errno(E2BIG);
  }
}
function schedSetattr(task: Task, pid: number, at: number, reserved: number): number {
  if (at === 0 || pid < 0 || reserved !== 0) throw errno(EINVAL);
  const view = readAttr(task, at);
  const { size, sched_policy, sched_flags, sched_nice, sched_priority, sched_runtime } = SCHED_ATTR.offsets;
  const flags = getU64(view, sched_flags);
  const attr: SchedAttr = {
    policy: view.getInt32(sched_policy, true),
    flags,
    nice: Math.min(19, Math.max(-20, view.getInt32(sched_nice, true))),
    priority: view.getUint32(sched_priority, true),
    slice: getU64(view, sched_runtime),
  };
  if ((flags & SCHED_FLAG_UTIL_CLAMP) !== 0 && view.getUint32(size, true) < SCHED_ATTR_SIZE_VER1) throw errno(EINVAL);
  if (attr.policy < 0) throw errno(EINVAL);
  const target = taskOf(task, pid);
  if ((flags & SCHED_FLAG_KEEP_POLICY) !== 0) attr.policy = SAME_POLICY;
  if ((flags & SCHED_FLAG_KEEP_PARAMS) !== 0)
    if (realtime(target.policy)) attr.priority = target.priority;
    else attr.nice = target.nice;
  setScheduler(task, target, attr);
  return 0;
}
function schedGetattr(task: Task, pid: number, at: number, size: number, reserved: number): number {
  const { pageSize, cpus } = task.kernel;
  if (at === 0 || pid < 0 || reserved !== 0 || size < SCHED_ATTR_SIZE_VER0 || size > pageSize) throw errno(EINVAL);
  const { policy, resetOnFork, priority, nice, slice } = taskOf(task, pid);
  const length = Math.min(size, SCHED_ATTR.size);
  const { scratch, scratchView: out } = task.mm;
  const offsets = SCHED_ATTR.offsets;
  scratch.fill(0, 0, size);
  out.setUint32(offsets.size, length, true);
  out.setUint32(offsets.sched_policy, policy, true);
  out.setUint32(offsets.sched_flags, resetOnFork ? SCHED_FLAG_RESET_ON_FORK : 0, true);
  if (realtime(policy)) out.setUint32(offsets.sched_priority, priority, true);
  else {
    out.setInt32(offsets.sched_nice, nice, true);
    out.setUint32(offsets.sched_runtime, slice === 0 ? baseSlice(cpus) : slice, true);
  }
  task.mm.writeStruct(at, size);
  return 0;
}
function priorityRange(policy: number, top: boolean): number {
  if (realtime(policy)) return top ? 99 : 1;
  if ([SCHED_OTHER, SCHED_BATCH, SCHED_IDLE, SCHED_DEADLINE].includes(policy)) return 0;
  throw errno(EINVAL);
}
/** The guests' CPUs: bit i of byte i/8 for each CPU the host gives us. */
function schedGetaffinity(task: Task, pid: number, size: number, mask: number): number {
  const { cpus } = task.kernel;
  if (size * 8 < cpus || size % 8 !== 0) throw errno(EINVAL);
  const target = anyTask(task, pid);
  const length = Math.min(size, Math.ceil(cpus / 64) * 8);
  const { scratch } = task.mm;
  scratch.fill(0, 0, length);
  for (let cpu = 0; cpu < cpus; cpu++)
    if (target.affinity === null || target.affinity.has(cpu)) scratch[cpu >> 3] |= 1 << (cpu & 7);
  task.mm.writeStruct(mask, length);
  return length;
}
function schedSetaffinity(task: Task, pid: number, size: number, mask: number): number {
  const { cpus } = task.kernel;
  const bytes = new Uint8Array(Math.min(size, 1024));
  task.mm.copyIn(mask, bytes, 0, bytes.length);
  const target = anyTask(task, pid);
  if (!ownedBy(target, task) && !capable(task.creds, CAP_SYS_NICE)) throw errno(EPERM);
  const chosen = new Set<number>();
  for (let cpu = 0; cpu < Math.min(cpus, bytes.length * 8); cpu++)
    if ((bytes[cpu >> 3] & (1 << (cpu & 7))) !== 0) chosen.add(cpu);
  if (chosen.size === 0) throw errno(EINVAL);
  target.affinity = chosen;
  return 0;
}
function schedRrGetInterval(task: Task, pid: number, at: number): number {
  const target = taskOf(task, pid);
  writeTimespecNs(task, at, target.policy === SCHED_RR ? 100_000_000 : target.policy === SCHED_FIFO ? 0 : 4_000_000);
  return 0;
}

const PRIO_PROCESS = 0;
const PRIO_PGRP = 1;
const PRIO_USER = 2;
function priorityTargets(task: Task, which: number, who: number): Task[] {
  const { pids } = task.kernel;
  const tasks: Task[] = [];
  if (which === PRIO_PROCESS) {
    const found = who === 0 ? task : pids.tasks.get(who);
    if (found !== undefined) tasks.push(found);
  } else if (which === PRIO_PGRP) {
    const group = who === 0 ? task.group.processGroup : pids.processGroups.get(who);
    for (const member of group?.members ?? []) tasks.push(...member.threads);
  } else if (which === PRIO_USER) {
    const uid = who === 0 ? task.creds.uid : who;
    for (const other of pids.tasks.values()) if (other.creds.uid === uid && !other.exited) tasks.push(other);
  } else throw errno(EINVAL);
  if (tasks.length === 0) throw errno(ESRCH);
  return tasks;
}
/** Returns 20 - nice, 1 to 40, as the system call does. */
function getpriority(task: Task, which: number, who: number): number {
  return Math.max(...priorityTargets(task, which, who).map((target) => 20 - target.nice));
}
function setpriority(task: Task, which: number, who: number, value: number): number {
  const nice = Math.min(19, Math.max(-20, value));
  let failure = 0;
  for (const target of priorityTargets(task, which, who)) {
    if (!ownedBy(target, task) && !capable(task.creds, CAP_SYS_NICE)) failure = EPERM;
    else if (nice < target.nice && !mayLower(target, nice) && !capable(task.creds, CAP_SYS_NICE)) failure = EACCES;
    else target.nice = nice;
  }
  if (failure !== 0) throw errno(failure);
  return 0;
}
function ioprioGet(task: Task, which: number, who: number): number {
  if (which < 1 || which > 3) throw errno(EINVAL);
  // The highest of them: the smallest class, then level.
  return Math.min(...priorityTargets(task, which - 1, who).map((target) => target.ioprio));
}
function ioprioSet(task: Task, which: number, who: number, value: number): number {
  const level = value >> 13;
  if (level > 3 || (value & 7) > 7 || which < 1 || which > 3) throw errno(EINVAL);
  if (level === 1 && !capable(task.creds, CAP_SYS_NICE) && !capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
  for (const target of priorityTargets(task, which - 1, who)) target.ioprio = value;
  return 0;
}
function getcpu(task: Task, cpu: number, node: number): number {
  if (cpu !== 0) task.mm.writeU32(cpu, 0);
  if (node !== 0) task.mm.writeU32(node, 0);
  return 0;
}
