/**
 * Resource limits and usage: prlimit64(2), getrusage(2), acct(2).
 */
import { type ResourceUsage, childMaxRssBytes, cpuTimes, maxRssBytes } from '../sched/accounting.js';
import { writeRusage } from './wait.js';
import { capable } from '../sched/credentials.js';
import { CAP_IPC_LOCK, CAP_SYS_RESOURCE } from '../src/abi/flags/capability.js';
import { EFAULT, EINVAL, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import { getU64, setU64 } from '../src/abi/layout.js';
import { RLIMIT, RUSAGE } from '../src/abi/layouts/time.js';
import {
  RLIMIT_AS,
  RLIMIT_CPU,
  RLIMIT_DATA,
  RLIMIT_MEMLOCK,
  RLIMIT_NOFILE,
  RLIMIT_STACK,
} from '../src/abi/flags/limits.js';
import { type ResourceLimit, ThreadGroup } from '../sched/thread-group.js';
import { type Row, absent, enumeration, path, pid, row, struct } from './row.js';
import { Task } from '../sched/task.js';

export const rows: readonly Row[] = [
  row(
    'getrlimit',
    { x86_64: 97, aarch64: 163 },
    [enumeration('resource', 'resources', 'uint'), struct('rlim', 'out', 'rlimit')],
    { ret: 'zero' },
    (task, resource, at) => {
      // NULL is prlimit64's way to ask for nothing.
      const result = prlimit64(task, 0, resource, 0, at);
      if (at === 0) throw errno(EFAULT);
      return result;
    },
  ),
  row(
    'setrlimit',
    { x86_64: 160, aarch64: 164 },
    [enumeration('resource', 'resources', 'uint'), struct('rlim', 'in', 'rlimit')],
    { ret: 'zero' },
    (task, resource, at) => {
      if (at === 0) throw errno(EFAULT);
      return prlimit64(task, 0, resource, at, 0);
    },
  ),
  row(
    'prlimit64',
    { x86_64: 302, aarch64: 261 },
    [
      pid('pid'),
      enumeration('resource', 'resources', 'uint'),
      struct('new_limit', 'in', 'rlimit'),
      struct('old_limit', 'out', 'rlimit'),
    ],
    { ret: 'zero' },
    prlimit64,
  ),
  row(
    'getrusage',
    { x86_64: 98, aarch64: 165 },
    [enumeration('who', 'usagewho'), struct('usage', 'out', 'rusage')],
    { ret: 'zero', disposition: { partial: 'no block I/O and context switch counts' }, varies: ['usage'] },
    getrusage,
  ),
  absent('acct', { x86_64: 163, aarch64: 89 }, [path('filename')], { ret: 'zero', classes: ['file'] }),
];

const RLIM_NLIMITS = 16;
/** RLIM_INFINITY is all ones; numbers that high stand for it. */
const INFINITE = 2 ** 63;
const NR_OPEN = 1048576;

function readLimit(view: DataView, at: number): number {
  const value = getU64(view, at);
  return value >= INFINITE ? Infinity : value;
}
function writeLimit(view: DataView, at: number, value: number): void {
  setU64(view, at, value === Infinity ? -1 : value);
}

function changeLimit(task: Task, group: ThreadGroup, resource: number, next: ResourceLimit): void {
  if (next.soft > next.hard) throw errno(EINVAL);
  if (resource === RLIMIT_NOFILE && next.hard > NR_OPEN) throw errno(EPERM);
  const old = group.limits[resource];
  if (next.hard > old.hard && !capable(task.creds, CAP_SYS_RESOURCE)) throw errno(EPERM);
  group.limits[resource] = next;
  if (resource === RLIMIT_CPU) group.timers.cpuLimitChanged();
  syncMemoryLimits(group);
}

/** Tells the memory map about the limits it checks. */
export function syncMemoryLimits(group: ThreadGroup): void {
  const { limits, leader } = group;
  leader.mm.limits = {
    addressSpace: limits[RLIMIT_AS].soft,
    data: limits[RLIMIT_DATA].soft,
    stack: limits[RLIMIT_STACK].soft,
    memlock: capable(leader.creds, CAP_IPC_LOCK) ? Infinity : limits[RLIMIT_MEMLOCK].soft,
  };
}

function prlimit64(task: Task, pid: number, resource: number, next: number, old: number): number {
  if (resource >= RLIM_NLIMITS) throw errno(EINVAL);
  let limit: ResourceLimit | null = null;
  if (next !== 0) {
    const view = task.mm.readStruct(next, RLIMIT.size);
    limit = { soft: readLimit(view, 0), hard: readLimit(view, 8) };
  }
  const target = pid === 0 ? task : task.kernel.pids.tasks.get(pid);
  if (target === undefined) throw errno(ESRCH);
  if (target.group !== task.group && !capable(task.creds, CAP_SYS_RESOURCE)) {
    const { uid, gid } = task.creds;
    const t = target.creds;
    if (t.uid !== uid || t.euid !== uid || t.suid !== uid || t.gid !== gid || t.egid !== gid || t.sgid !== gid)
      throw errno(EPERM);
  }
  const before = target.group.limits[resource];
  if (limit !== null) changeLimit(task, target.group, resource, limit);
  if (old !== 0) {
    writeLimit(task.mm.scratchView, 0, before.soft);
    writeLimit(task.mm.scratchView, 8, before.hard);
    task.mm.writeStruct(old, RLIMIT.size);
  }
  return 0;
}

const RUSAGE_SELF = 0;
const RUSAGE_CHILDREN = -1;
const RUSAGE_THREAD = 1;
function getrusage(task: Task, who: number, at: number): number {
  const { group } = task;
  let usage: ResourceUsage;
  if (who === RUSAGE_SELF)
    usage = { ...cpuTimes(group), maxRssBytes: maxRssBytes(group), minorFaults: group.minorFaults };
  else if (who === RUSAGE_CHILDREN)
    usage = {
      userNs: group.childUserNs,
      systemNs: group.childSystemNs,
      maxRssBytes: childMaxRssBytes(group),
      minorFaults: group.childMinorFaults,
    };
  else if (who === RUSAGE_THREAD) {
    const cpu = task.thread.cpuTimeNs();
    usage = { userNs: cpu.user, systemNs: cpu.system, maxRssBytes: maxRssBytes(group), minorFaults: group.minorFaults };
  } else throw errno(EINVAL);
  writeRusage(task.mm.scratchView, 0, usage);
  task.mm.writeStruct(at, RUSAGE.size);
  return 0;
}
