/**
 * Making tasks (kernel/fork.c, copy_process): fork, vfork, clone and clone3 are one function with flags.
 *
 * A task that shares its parent's memory is a host thread of the same host process, whether Linux would call it a thread
 * or a process; one with a copy is a host fork. Nothing of a child that could not be made stays behind.
 */
import { EAGAIN, EINVAL, ENOMEM, EPERM, Errno, errno, errnoOf } from '../src/abi/errno.js';
import {
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_CLEAR_SIGHAND,
  CLONE_FS,
  CLONE_INTO_CGROUP,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SETTLS,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
} from '../src/abi/flags/process.js';
import type { MemoryMap } from '../src/mm/memory-map.js';
import { HostError, type HostThread } from '../src/platform/platform.js';
import { capable } from './credentials.js';
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from '../src/abi/flags/capability.js';
import { exitTask } from './exit.js';
import { inheritScheduling } from './policy.js';
import { Task } from './task.js';
import { ThreadGroup } from './thread-group.js';
import { WOULD_BLOCK, WaitQueue, block } from './wait.js';

/** Arguments of clone3(2), which contain those of all others. */
export interface CloneRequest {
  flags: number;
  exitSignal: number;
  /** New stack pointer; 0: the parent's. */
  sp: number;
  tls: number;
  parentTid: number;
  childTid: number;
  pidfd: number;
}

/** Has no meaning any more; an error with CLONE_PIDFD. */
const CLONE_DETACHED = 0x40_0000;
const NAMESPACES =
  CLONE_NEWNS +
  CLONE_NEWUTS +
  CLONE_NEWIPC +
  CLONE_NEWUSER +
  CLONE_NEWPID +
  CLONE_NEWNET +
  CLONE_NEWCGROUP +
  CLONE_NEWTIME;
const RLIMIT_NPROC = 6;

/** Flags reach 2^33; bit operations look at the low 32 bits only. */
const has = (flags: number, flag: number): boolean =>
  flag < 2 ** 32 ? (flags & flag) !== 0 : Math.floor(flags / flag) % 2 === 1;

/**
 * Makes a task; returns its tid to the parent (after its exec or exit for CLONE_VFORK), or BLOCKED. `made` runs before the
 * child does and may throw, which undoes everything.
 */
export function clone(parent: Task, request: CloneRequest, made?: (child: Task) => void): number {
  const { flags } = request;
  validate(parent, request);
  const { kernel } = parent;
  checkLimits(parent);
  const sharesVm = has(flags, CLONE_VM);
  const isThread = has(flags, CLONE_THREAD);
  const tid = kernel.pids.allocate();
  const thread = hostThread(parent, sharesVm, has(flags, CLONE_VFORK));
  const child = new Task({
    kernel,
    tid,
    thread,
    mm: sharesVm ? parent.mm : copyMap(parent, thread),
    creds: parent.creds,
    sighand: has(flags, CLONE_SIGHAND) ? parent.sighand : parent.sighand.copy(),
    comm: parent.comm,
  });
  if (sharesVm) parent.mm.users++;
  if (has(flags, CLONE_SIGHAND)) parent.sighand.users++;
  inherit(parent, child, flags);
  if (isThread) {
    child.group = parent.group;
    parent.group.threads.add(child);
  } else makeGroup(parent, child, request);
  kernel.pids.tasks.set(tid, child);
  kernel.taskMade(child);
  kernel.forks++;
  try {
    kernel.hooks.clone(parent, child, flags);
    setUpMemory(parent, child, request);
    made?.(child);
  } catch (error) {
    discard(child);
    throw error instanceof Errno ? error : new Error('clone hook failed', { cause: error });
  }
  if (has(flags, CLONE_SETTLS)) setTls(child, request.tls);
  child.regs.ret = 0;
  if (request.sp !== 0) child.regs.sp = request.sp;
  if (!has(flags, CLONE_VFORK)) {
    kernel.returning.push(child);
    return tid;
  }
  const done = new WaitQueue();
  child.vforkDone = done;
  kernel.returning.push(child);
  return block(parent, () => (child.vforkDone === done ? WOULD_BLOCK : tid), [done], { killable: true });
}

/** What the host refuses (its own limits) is EAGAIN or ENOMEM for the guest, too. */
function hostThread(parent: Task, sharesVm: boolean, waits: boolean): HostThread {
  try {
    if (!sharesVm) parent.mm.renewCode();
    else if (!waits) parent.mm.becomeShared();
    return sharesVm ? parent.thread.cloneThread() : parent.thread.fork();
  } catch (error) {
    if (error instanceof HostError) throw errno(error.errno === ENOMEM ? ENOMEM : EAGAIN);
    throw error;
  }
}
function copyMap(parent: Task, thread: HostThread): MemoryMap {
  try {
    return parent.mm.forkInto(thread.space);
  } catch (error) {
    thread.exit();
    throw error;
  }
}

function validate(parent: Task, request: CloneRequest): void {
  const { flags } = request;
  const bad =
    (has(flags, CLONE_SIGHAND) && !has(flags, CLONE_VM)) ||
    (has(flags, CLONE_THREAD) && !has(flags, CLONE_SIGHAND)) ||
    (has(flags, CLONE_NEWNS) && has(flags, CLONE_FS)) ||
    (has(flags, CLONE_NEWUSER) && has(flags, CLONE_FS)) ||
    (has(flags, CLONE_CLEAR_SIGHAND) && has(flags, CLONE_SIGHAND)) ||
    (has(flags, CLONE_PARENT) && parent.group === parent.kernel.init) ||
    (has(flags, CLONE_THREAD) && (has(flags, CLONE_NEWUSER) || has(flags, CLONE_NEWPID))) ||
    (has(flags, CLONE_PIDFD) && (has(flags, CLONE_DETACHED) || has(flags, CLONE_THREAD))) ||
    (has(flags, CLONE_PIDFD) && has(flags, CLONE_PARENT_SETTID) && request.pidfd === request.parentTid) ||
    has(flags, CLONE_INTO_CGROUP);
  if (bad) throw errno(EINVAL);
  const namespaces = flags & NAMESPACES;
  if (namespaces !== 0) {
    const first = namespaces & -namespaces;
    if (first !== CLONE_NEWUSER && !capable(parent.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
    // Namespaces are not there yet: what a kernel built without them says.
    throw errno(EINVAL);
  }
  if (has(flags, CLONE_SETTLS) && request.tls >= parent.kernel.platform.taskSize) throw errno(EPERM);
}

function checkLimits(parent: Task): void {
  const { kernel } = parent;
  if (kernel.pids.tasks.size >= kernel.limits.pids) throw errno(EAGAIN);
  const limit = parent.group.limits[RLIMIT_NPROC].soft;
  const { creds } = parent;
  if (limit === Infinity || creds.uid === 0 || capable(creds, CAP_SYS_RESOURCE) || capable(creds, CAP_SYS_ADMIN))
    return;
  let count = 0;
  for (const task of kernel.pids.tasks.values()) if (task.creds.uid === parent.creds.uid) count++;
  if (count >= limit) throw errno(EAGAIN);
}

function inherit(parent: Task, child: Task, flags: number): void {
  child.parentTask = has(flags, CLONE_THREAD) || has(flags, CLONE_PARENT) ? parent.parentTask : parent;
  child.blocked.assign(parent.blocked);
  inheritScheduling(parent, child);
  child.ioprio = parent.ioprio;
  child.affinity = parent.affinity;
  child.timerSlackNs = parent.timerSlackNs;
  child.personality = parent.personality;
  child.regs.copyFrom(parent.regs);
  // A new stack needs its own signal stack; vfork's child runs on the parent's (sas_ss_reset).
  if (!has(flags, CLONE_VM) || has(flags, CLONE_VFORK)) child.altStack = { ...parent.altStack };
  if (!has(flags, CLONE_THREAD) && !has(flags, CLONE_VM)) child.rseq = { ...parent.rseq };
  if (has(flags, CLONE_CLEAR_SIGHAND)) child.sighand.resetForExec();
}

function makeGroup(parent: Task, child: Task, { flags, exitSignal }: CloneRequest): void {
  const from = parent.group;
  const siblings = has(flags, CLONE_PARENT);
  const group = new ThreadGroup(parent.kernel, child.tid, child, siblings ? from.parent : from, from.limits.slice());
  group.exitSignal = siblings ? from.exitSignal : exitSignal;
  group.processGroup = from.processGroup;
  group.processGroup.add(group);
  group.noNewPrivs = from.noNewPrivs;
  group.dumpable = from.dumpable;
  group.ioFlusher = from.ioFlusher;
  group.thpDisable = from.thpDisable;
  group.oomScoreAdj = from.oomScoreAdj;
  group.coredumpFilter = from.coredumpFilter;
  group.threads.add(child);
  child.group = group;
  group.timers.cpuLimitChanged();
}

function setUpMemory(parent: Task, child: Task, { flags, parentTid, childTid }: CloneRequest): void {
  if (has(flags, CLONE_PARENT_SETTID)) parent.mm.writeU32(parentTid, child.tid);
  if (has(flags, CLONE_CHILD_CLEARTID)) child.clearChildTid = childTid;
  if (has(flags, CLONE_CHILD_SETTID))
    try {
      child.mm.writeU32(childTid, child.tid);
    } catch (error) {
      // schedule_tail ignores a bad address.
      errnoOf(error);
    }
}

function setTls(child: Task, tls: number): void {
  const { regs } = child;
  regs.set(regs.layout.tls, tls);
  for (const word of regs.layout.clearedWithTls) regs.set(word, 0);
}

/** Takes back a child that never ran. */
function discard(child: Task): void {
  const { group, kernel } = child;
  child.clearChildTid = 0;
  if (group.leader === child) {
    group.exitSignal = 0;
    group.parent?.children.delete(group);
    group.parent = null;
  }
  exitTask(child, 0);
  if (group.leader === child) {
    group.processGroup.remove(group);
    kernel.pids.groups.delete(group.tgid);
    kernel.pids.tasks.delete(child.tid);
  }
}
