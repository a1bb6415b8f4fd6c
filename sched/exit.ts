/**
 * The end of tasks and processes (kernel/exit.c).
 *
 * Order that guests can see: robust futexes and clear_child_tid, then files (hooks), then the zombie, then SIGCHLD. A process
 * whose parent ignores SIGCHLD reaps itself. Orphans go to the nearest subreaper, else to process 1; the end of process 1 is
 * the end of the system.
 */
import { CLD_DUMPED, CLD_EXITED, CLD_KILLED, SIGCONT, SIGHUP } from '../src/abi/flags/signal.js';
import { exitRobustList, wakeClearChildTid } from './futex-exit.js';
import type { ProcessGroup } from './process-group.js';
import { notifyParent } from './signal/notify.js';
import { kernelInfo, sendSignalToProcessGroup, sendSignalToTask, unpark, wakeForSignal } from './signal/send.js';
import type { Task } from './task.js';
import { GROUP_RUNNING, GROUP_STOPPED, type ThreadGroup } from './thread-group.js';

/** SIGKILL as the wake reason: ends any sleep. */
const SIGKILL = 9;

/** exit_group(2) and fatal signals: the whole group ends with wait status `status`. `current` is ended at once. */
export function exitGroup(group: ThreadGroup, status: number, current: Task | null): void {
  if (!group.exiting) {
    group.exiting = true;
    group.exitStatus = status;
    group.jobState = GROUP_RUNNING;
  }
  for (const task of [...group.threads]) {
    if (task === current) continue;
    // A thread in user mode, asleep or parked has nothing left to do: it ends now.
    task.parked = false;
    exitTask(task, group.exitStatus);
  }
  if (current !== null) exitTask(current, group.exitStatus);
}

/** Ends one task with wait status `status`. The group becomes a zombie with its last task. */
export function exitTask(task: Task, status: number): void {
  if (task.exited) return;
  const { group, kernel } = task;
  if (task.sleep.active) task.sleep.end();
  task.exitStatus = status;
  if (!group.exiting && task === group.leader) group.exitStatus = status;
  exitRobustList(task);
  releaseMm(task);
  kernel.hooks.exit(task);
  const times = task.thread.cpuTimeNs();
  group.deadUserNs += times.user;
  group.deadSystemNs += times.system;
  task.sighand.users--;
  task.exited = true;
  group.threads.delete(task);
  // Children asked to be told of this thread's end.
  for (const child of group.children)
    for (const thread of child.threads)
      if (thread.pdeathSignal !== 0 && thread.parentTask === task)
        sendSignalToTask(thread, { signo: thread.pdeathSignal, code: 0, pid: task.tgid, uid: task.creds.uid });
  kernel.taskGone(task);
  task.thread.exit();
  if (task !== group.leader) kernel.pids.tasks.delete(task.tid);
  if (group.threads.size === 0) exitLast(group);
}

/** Lets go of the address space (exit and exec): clear_child_tid, vfork's parent, the map itself. */
export function releaseMm(task: Task): void {
  const { mm } = task;
  wakeClearChildTid(task);
  if (task.vforkDone !== null) {
    task.vforkDone.wakeAll();
    task.vforkDone = null;
  }
  mm.users--;
  if (mm.users === 0) mm.release();
}

function exitLast(group: ThreadGroup): void {
  const { kernel } = group;
  if (!group.exiting) group.exitStatus = group.leader.exitStatus;
  group.timers.clear(true);
  kernel.hooks.groupExit(group);
  reparentChildren(group);
  group.zombie = true;
  const { processGroup } = group;
  const status = group.exitStatus;
  // Our end may orphan our own process group.
  hangUpOrphaned(processGroup, group);
  if (processGroup.session.leader === group) processGroup.session.leader = null;
  const code = (status & 0x7f) === 0 ? CLD_EXITED : (status & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED;
  const reap = notifyParent(group, code, code === CLD_EXITED ? (status >> 8) & 0xff : status & 0x7f);
  if (reap) reapGroup(group);
  if (group === kernel.init) kernel.initExited(status);
}

/** Takes a zombie off every table (release_task). */
export function reapGroup(group: ThreadGroup): void {
  const { kernel, parent } = group;
  if (parent !== null) {
    parent.children.delete(group);
    parent.childUserNs += group.deadUserNs + group.childUserNs;
    parent.childSystemNs += group.deadSystemNs + group.childSystemNs;
    parent.childMinorFaults += group.minorFaults + group.childMinorFaults;
    parent.childMaxRssBytes = Math.max(parent.childMaxRssBytes, group.maxRssBytes, group.childMaxRssBytes);
    group.parent = null;
  }
  group.processGroup.remove(group);
  kernel.pids.groups.delete(group.tgid);
  kernel.pids.tasks.delete(group.leader.tid);
}

/** The process that adopts orphans of `group`: its nearest living subreaper ancestor, else process 1. */
function reaperOf(group: ThreadGroup): ThreadGroup | null {
  for (let ancestor = group.parent; ancestor !== null; ancestor = ancestor.parent)
    if (ancestor.subreaper && !ancestor.zombie && !ancestor.exiting) return ancestor;
  const { init } = group.kernel;
  return init === null || init === group || init.zombie ? null : init;
}

function reparentChildren(group: ThreadGroup): void {
  const reaper = reaperOf(group);
  for (const child of [...group.children]) {
    group.children.delete(child);
    child.parent = reaper;
    reaper?.children.add(child);
    if (!child.zombie) hangUpOrphaned(child.processGroup, null);
    else if (reaper === null || notifyParent(child, CLD_EXITED, child.exitStatus)) reapGroup(child);
  }
}

/**
 * A process group that has just become orphaned and holds stopped processes gets SIGHUP and SIGCONT
 * (kill_orphaned_pgrp). `leaving` does not count as a member any more.
 */
function hangUpOrphaned(processGroup: ProcessGroup, leaving: ThreadGroup | null): void {
  let stopped = false;
  for (const member of processGroup.members) {
    if (member === leaving || member.zombie) continue;
    if (member.jobState === GROUP_STOPPED) stopped = true;
    const { parent } = member;
    if (parent !== null && parent !== leaving && parent.processGroup !== processGroup && !parent.zombie &&
      parent.processGroup.session === processGroup.session && parent !== member.kernel.init) return;
  }
  if (!stopped) return;
  sendSignalToProcessGroup(processGroup, kernelInfo(SIGHUP));
  sendSignalToProcessGroup(processGroup, kernelInfo(SIGCONT));
}

/** Ends every process but `except` (the end of process 1; kernel shutdown). */
export function killAll(groups: Iterable<ThreadGroup>, except: ThreadGroup | null): void {
  for (const group of [...groups]) {
    if (group === except || group.zombie) continue;
    group.exitSignal = 0;
    exitGroup(group, SIGKILL, null);
  }
}

/** A thread of an exec'ing process is taken down without ending the process (de_thread). */
export function killOtherThreads(survivor: Task): void {
  const { group } = survivor;
  for (const task of [...group.threads]) {
    if (task === survivor) continue;
    unpark(task);
    wakeForSignal(task, SIGKILL);
    exitTask(task, SIGKILL);
  }
}
