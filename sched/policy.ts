/**
 * Scheduling policies, kept and reported: the host's scheduler runs every guest alike.
 *
 * Source: __sched_setscheduler, user_check_sched_setscheduler and sched_fork of kernel/sched.
 */
import { CAP_SYS_NICE } from '../src/abi/flags/capability.js';
import { EINVAL, EOPNOTSUPP, EPERM, errno } from '../src/abi/errno.js';
import { RLIMIT_NICE, RLIMIT_RTPRIO } from '../src/abi/flags/limits.js';
import {
  SCHED_BATCH,
  SCHED_FIFO,
  SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_RECLAIM,
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_UTIL_CLAMP_MAX,
  SCHED_FLAG_UTIL_CLAMP_MIN,
  SCHED_IDLE,
  SCHED_OTHER,
  SCHED_RR,
} from '../src/abi/flags/sched.js';
import { capable } from './credentials.js';
import type { Task } from './task.js';

/** For SchedAttr.policy: what the task has (SETPARAM_POLICY). */
export const SAME_POLICY = -1;

export const SCHED_FLAG_UTIL_CLAMP = SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX;
const SCHED_FLAG_ALL =
  SCHED_FLAG_RESET_ON_FORK |
  SCHED_FLAG_RECLAIM |
  SCHED_FLAG_DL_OVERRUN |
  SCHED_FLAG_KEEP_POLICY |
  SCHED_FLAG_KEEP_PARAMS |
  SCHED_FLAG_UTIL_CLAMP;

const SLICE_MIN_NS = 100_000;
const SLICE_MAX_NS = 100_000_000;

export interface SchedAttr {
  policy: number;
  /** SCHED_FLAG_*. */
  flags: number;
  nice: number;
  priority: number;
  /** Time slice of a fair policy in ns; 0: the default. */
  slice: number;
}

export const realtime = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;
const fair = (policy: number): boolean => policy === SCHED_OTHER || policy === SCHED_BATCH || policy === SCHED_IDLE;

/** sysctl_sched_base_slice in ns: longer the more CPUs there are. */
export const baseSlice = (cpus: number): number => 700_000 * (1 + Math.floor(Math.log2(Math.min(cpus, 8))));

/** Whether the task may be given this nice value without a capability (is_nice_reduction). */
export const mayLower = (target: Task, nice: number): boolean => 20 - nice <= target.group.limits[RLIMIT_NICE].soft;

export const ownedBy = (target: Task, { creds }: Task): boolean =>
  target.creds.uid === creds.euid || target.creds.euid === creds.euid;

function privileged(target: Task, caller: Task, attr: SchedAttr, policy: number, resetOnFork: boolean): boolean {
  if (fair(policy) && attr.nice < target.nice && !mayLower(target, attr.nice)) return true;
  if (realtime(policy)) {
    const limit = target.group.limits[RLIMIT_RTPRIO].soft;
    if (policy !== target.policy && limit === 0) return true;
    if (attr.priority > target.priority && attr.priority > limit) return true;
  }
  if (target.policy === SCHED_IDLE && policy !== SCHED_IDLE && !mayLower(target, target.nice)) return true;
  return !ownedBy(target, caller) || (target.resetOnFork && !resetOnFork);
}

/** EINVAL, EOPNOTSUPP (utilization clamping), EPERM. SCHED_DEADLINE is EINVAL: nothing could keep its promise. */
export function setScheduler(caller: Task, target: Task, attr: SchedAttr): void {
  const { flags } = attr;
  const same = attr.policy < 0;
  const policy = same ? target.policy : attr.policy;
  const resetOnFork = same ? target.resetOnFork : (flags & SCHED_FLAG_RESET_ON_FORK) !== 0;
  if (!realtime(policy) && !fair(policy)) throw errno(EINVAL);
  if (flags > SCHED_FLAG_ALL) throw errno(EINVAL);
  if (attr.priority < 0 || attr.priority > 99) throw errno(EINVAL);
  if (realtime(policy) !== (attr.priority !== 0)) throw errno(EINVAL);
  if (privileged(target, caller, attr, policy, resetOnFork) && !capable(caller.creds, CAP_SYS_NICE)) throw errno(EPERM);
  if ((flags & SCHED_FLAG_UTIL_CLAMP) !== 0) throw errno(EOPNOTSUPP);
  target.resetOnFork = resetOnFork;
  if ((flags & SCHED_FLAG_KEEP_PARAMS) !== 0) return;
  target.policy = policy;
  target.priority = attr.priority;
  if (!fair(policy)) return;
  target.nice = attr.nice;
  target.slice = attr.slice === 0 ? 0 : Math.min(SLICE_MAX_NS, Math.max(SLICE_MIN_NS, attr.slice));
}

/** What a clone's child begins with. */
export function inheritScheduling(parent: Task, child: Task): void {
  child.nice = parent.nice;
  if (parent.resetOnFork) {
    child.nice = realtime(parent.policy) ? 0 : Math.max(0, parent.nice);
    child.policy = realtime(parent.policy) ? SCHED_OTHER : parent.policy;
    return;
  }
  child.policy = parent.policy;
  child.priority = parent.priority;
  child.slice = parent.slice;
}
