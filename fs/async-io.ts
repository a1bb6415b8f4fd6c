/**
 * Signal-driven I/O (fcntl(2), F_SETOWN and O_ASYNC): SIGIO, or F_SETSIG's signal, to a file's owner when it becomes ready.
 *
 * Any file with a wait queue can do it: a standing entry on that queue sends the signal. Only signals are queued from the
 * wake, so the rule of WaitEntry holds.
 */
import { F_OWNER_PGRP, F_OWNER_TID } from '../src/abi/flags/fcntl.js';
import { FASYNC } from '../src/abi/flags/open.js';
import { POLL_IN, POLL_OUT, SIGIO } from '../src/abi/flags/signal.js';
import type { Task } from '../sched/task.js';
import type { SigInfo } from '../sched/signal/siginfo.js';
import { kernelInfo, sendSignalToGroup, sendSignalToTask } from '../sched/signal/send.js';
import type { ThreadGroup } from '../sched/thread-group.js';
import type { WaitEntry } from '../sched/wait.js';
import type { KernelState } from '../sched/kernel-state.js';
import { atRelease } from './at-release.js';
import type { OpenFile } from './file.js';
import { POLLIN } from './poll-events.js';
import { PollQueue } from './poll-queue.js';

declare module './file.js' {
  interface OpenFile {
    asyncEntry?: WaitEntry | null;
  }
}

/** Turns O_ASYNC on or off; returns false for a file that never waits. */
export function setAsync(task: Task, file: OpenFile, fd: number, on: boolean): boolean {
  const { queue } = file;
  if (queue === null) return false;
  if (on === ((file.flags & FASYNC) !== 0)) return true;
  const { kernel } = task;
  if (on) {
    const entry = { wake: () => signalReady(kernel, file, fd) };
    if (file.asyncEntry === undefined)
      atRelease(file, () => {
        if (file.asyncEntry) queue.remove(file.asyncEntry);
      });
    file.asyncEntry = entry;
    queue.add(entry);
    file.flags |= FASYNC;
  } else {
    if (file.asyncEntry) queue.remove(file.asyncEntry);
    file.asyncEntry = null;
    file.flags &= ~FASYNC;
  }
  return true;
}

function signalReady(kernel: KernelState, file: OpenFile, fd: number): void {
  if (file.owner.id === 0) return;
  const { queue } = file;
  const events = queue instanceof PollQueue && queue.events !== 0 ? queue.events : file.poll(null);
  signalOwner(kernel, file, fd, { code: (events & POLLIN) !== 0 ? POLL_IN : POLL_OUT, events });
}
/** send_sigio: the owner's permission is that of who set it. */
export function signalOwner(
  kernel: KernelState,
  file: OpenFile,
  fd: number,
  { code, events }: { code: number; events: number },
): void {
  const { type, id, signal } = file.owner;
  if (id === 0) return;
  const info: SigInfo = signal === 0 ? kernelInfo(SIGIO) : { signo: signal, code, band: events, fd };
  if (type === F_OWNER_TID) {
    const task = kernel.pids.tasks.get(id);
    if (task !== undefined && allowed(file, task)) sendSignalToTask(task, info);
  } else if (type === F_OWNER_PGRP) {
    for (const group of [...(kernel.pids.processGroups.get(id)?.members ?? [])]) toGroup(file, group, info);
  } else {
    const group = kernel.pids.groups.get(id);
    if (group !== undefined) toGroup(file, group, info);
  }
}
function toGroup(file: OpenFile, group: ThreadGroup, info: SigInfo): void {
  if (allowed(file, group.leader)) sendSignalToGroup(group, info);
}
/** sigio_perm. */
function allowed(file: OpenFile, target: Task): boolean {
  const { uid, euid } = file.owner;
  const { suid, uid: targetUid } = target.creds;
  return euid === 0 || euid === suid || euid === targetUid || uid === suid || uid === targetUid;
}
