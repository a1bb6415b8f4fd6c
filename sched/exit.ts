/**
 * The end of tasks and processes (kernel/exit.c).
 *
 * Order that guests can see: robust futexes and clear_child_tid, then files (hooks), then the zombie, then SIGCHLD. A process
 * whose parent ignores SIGCHLD reaps itself. Orphans go to the nearest subreaper, else to process 1; the end of process 1 is
 * the end of the system.
 */
import { CLD_DUMPED, CLD_EXITED, CLD_KILLED, SIGCHLD, SIGCONT, SIGHUP, SI_USER } from '../src/abi/flags/signal.js';
import { addChildUsage, keepPeak } from './accounting.js';
import type { MemoryMap } from '../src/mm/memory-map.js';
import { exitRobustList, wakeClearChildTid } from './futex-exit.js';
import type { ProcessGroup } from './process-group.js';
import { notifyParent } from './signal/notify.js';
import {
  kernelInfo,
  retargetShared,
  sendSignalToGroup,
  sendSignalToProcessGroup,
  threadStopped,
} from './signal/send.js';
import type { Task } from './task.js';
import { GROUP_RUNNING, GROUP_STOPPED, type ThreadGroup } from './thread-group.js';

const SIGKILL = 9;

/** exit_group(2) and fatal signals: the whole group ends with wait status `status`. `current` is ended at once. */
export function exitGroup(group: ThreadGroup, status: number, current: Task | null): void {
  if (!group.exiting) {
    group.exiting = true;
    group.exitStatus = status;
    group.jobState = GROUP_RUNNING;
  }
  if (current === null || group.threads.size > 1)
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
  // Without exit_group the status is that of the thread which happens to be the last (synchronize_group_exit).
  if (!group.exiting) group.exitStatus = status;
  if (group.threads.size === 1) keepPeak(group, task.thread.space, task.mm.users > 1);
  leaveMm(task);
  kernel.hooks.exit(task);
  const times = task.thread.cpuTimeNs();
  group.deadUserNs += times.user;
  group.deadSystemNs += times.system;
  task.sighand.users--;
  task.exited = true;
  task.parked = false;
  group.threads.delete(task);
  retargetShared(task);
  kernel.taskGone(task);
  task.thread.exit();
  // Only now: frames that the host thread could reach may be used again.
  dropMm(task.mm);
  if (task !== group.leader) kernel.pids.tasks.delete(task.tid);
  orphanChildren(task);
  if (group.threads.size === 0) exitLast(group);
  else threadStopped(group);
}

/** What a task owes to others that see its address space, at exit and exec: robust futexes, clear_child_tid, vfork's parent. */
export function leaveMm(task: Task): void {
  exitRobustList(task);
  wakeClearChildTid(task);
  if (task.vforkDone !== null) {
    task.vforkDone.wakeAll();
    task.vforkDone = null;
  }
}
/** One user of the map less; the last one releases it. */
export function dropMm(mm: MemoryMap): void {
  mm.users--;
  if (mm.users === 0) mm.release();
}

/** A thread that ends is nobody's parent any more: its siblings or the reaper take over (forget_original_parent). */
function orphanChildren(task: Task): void {
  const { group } = task;
  if (group.children.size === 0) return;
  const heir = group.threads.values().next().value ?? reaperOf(group)?.leader ?? null;
  for (const child of [...group.children]) {
    if (child.leader.parentTask !== task && group.threads.size > 0) continue;
    let signo = 0;
    for (const thread of child.threads) {
      thread.parentTask = heir;
      signo ||= thread.pdeathSignal;
    }
    child.leader.parentTask = heir;
    if (signo !== 0) sendSignalToGroup(child, { signo, code: SI_USER, pid: group.tgid, uid: task.creds.uid });
  }
}

function exitLast(group: ThreadGroup): void {
  const { kernel } = group;
  group.timers.clear(true);
  kernel.hooks.groupExit(group);
  group.zombie = true;
  reparentChildren(group);
  const { processGroup } = group;
  const status = group.exitStatus;
  // Our end may orphan our own process group, if we were what linked it to the session.
  const { parent } = group;
  if (parent !== null && parent.processGroup !== processGroup && parent.processGroup.session === processGroup.session)
    hangUpOrphaned(processGroup);
  if (processGroup.session.leader === group) processGroup.session.leader = null;
  if (notifyOfExit(group)) reapGroup(group);
  if (group === kernel.init) kernel.initExited(status);
}

/** Tells the parent of the end; true when it does not want to wait for the zombie. */
function notifyOfExit(group: ThreadGroup): boolean {
  const status = group.exitStatus;
  const code = (status & 0x7f) === 0 ? CLD_EXITED : (status & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED;
  return notifyParent(group, code, code === CLD_EXITED ? (status >> 8) & 0xff : status & 0x7f);
}

/** Takes a zombie off every table (release_task). */
export function reapGroup(group: ThreadGroup): void {
  const { kernel, parent } = group;
  if (parent !== null) {
    parent.children.delete(group);
    addChildUsage(parent, group);
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
  if (group.children.size === 0) return;
  const reaper = reaperOf(group);
  for (const child of [...group.children]) {
    group.children.delete(child);
    child.parent = reaper;
    child.exitSignal = SIGCHLD;
    reaper?.children.add(child);
    if (child.zombie && (reaper === null || notifyOfExit(child))) reapGroup(child);
    else if (child.processGroup !== group.processGroup && child.processGroup.session === group.processGroup.session)
      hangUpOrphaned(child.processGroup);
  }
}

/**
 * A process group that has just become orphaned and holds stopped processes gets SIGHUP and SIGCONT
 * (kill_orphaned_pgrp). Zombies do not count.
 */
function hangUpOrphaned(processGroup: ProcessGroup): void {
  let stopped = false;
  for (const member of processGroup.members) {
    if (member.zombie) continue;
    if (member.jobState === GROUP_STOPPED) stopped = true;
    const { parent } = member;
    if (parent !== null && parent.processGroup !== processGroup && parent.processGroup.session === processGroup.session)
      return;
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

/** The other threads of an exec'ing process end as if they had exited: no signal is seen (de_thread, do_group_exit). */
export function killOtherThreads(survivor: Task): void {
  const { group } = survivor;
  const others = [...group.threads].filter((task) => task !== survivor && task !== group.leader);
  for (const task of others) exitTask(task, 0);
  if (group.leader === survivor) return;
  group.leader.supersededBy = survivor.tid;
  if (group.threads.has(group.leader)) exitTask(group.leader, 0);
}
