/**
 * Sending signals (kernel/signal.c: prepare_signal, send_signal_locked, complete_signal).
 *
 * A signal that its target ignores is dropped here unless it is blocked or the target traced. SIGCONT takes effect when it is sent, even if it
 * is blocked or caught; a stop signal when it is delivered. Deviation from Linux: process 1 is not shielded from
 * default actions, so that `levitate-run PROGRAM` can report 128+N for a program that kills itself.
 */
import {
  CLD_CONTINUED,
  CLD_STOPPED,
  SIGCONT,
  SIGKILL,
  SIG_DFL,
  SIG_IGN,
  SI_KERNEL,
  SI_USER,
} from '../../src/abi/flags/signal.js';
import { RLIMIT_SIGPENDING } from '../../src/abi/flags/limits.js';
import type { ProcessGroup } from '../process-group.js';
import type { Task } from '../task.js';
import { GROUP_RUNNING, GROUP_STOPPED, type ThreadGroup } from '../thread-group.js';
import { IGNORED_BY_DEFAULT, STOP_SIGNALS } from './defaults.js';
import { DEFAULT_ACTION } from './handlers.js';
import { notifyParent } from './notify.js';
import { SIGRTMIN, type PendingSignals } from './pending.js';
import type { SigInfo } from './siginfo.js';
import { SigSet } from './sigset.js';

const CONT = SigSet.of(SIGCONT);

/** siginfo of kill(2) and friends by `sender`. */
export function userInfo(signo: number, sender: Task, code = SI_USER): SigInfo {
  return { signo, code, pid: sender.tgid, uid: sender.creds.uid };
}
/** siginfo of a signal the kernel itself makes. */
export const kernelInfo = (signo: number): SigInfo => ({ signo, code: SI_KERNEL, pid: 0, uid: 0 });

/** What became of a signal: queued; of no effect (ignored, or pending already); lost against RLIMIT_SIGPENDING (EAGAIN). */
export const SENT = 0;
export const DROPPED = 1;
export const OVERFLOW = 2;

/** To the whole process; any thread may take it. */
export function sendSignalToGroup(group: ThreadGroup, info: SigInfo): number {
  if (group.zombie || !prepare(group, group.leader, info)) return DROPPED;
  const result = queue(group, group.pending, info);
  if (result !== SENT) return result;
  const target = pickThread(group, info.signo);
  if (target !== null) wakeForSignal(target, info.signo);
  return SENT;
}

/** To one thread (tkill, faults, timers with SIGEV_THREAD_ID). */
export function sendSignalToTask(task: Task, info: SigInfo): number {
  if (task.exited || !prepare(task.group, task, info)) return DROPPED;
  const result = queue(task.group, task.pending, info);
  if (result !== SENT) return result;
  if (wants(task, info.signo)) wakeForSignal(task, info.signo);
  wakeSignalReaders(task);
  return SENT;
}

export function sendSignalToProcessGroup(processGroup: ProcessGroup, info: SigInfo): void {
  for (const member of [...processGroup.members]) sendSignalToGroup(member, info);
}

/**
 * A signal a thread cannot escape (a fault, an unusable signal stack): if it is blocked or ignored, the disposition goes
 * back to the default first (force_sig_info_to_task).
 */
export function forceSignal(task: Task, info: SigInfo): void {
  const { signo } = info;
  const action = task.sighand.actions[signo];
  const blocked = task.blocked.has(signo);
  if (blocked || action.handler === SIG_IGN) {
    task.sighand.actions[signo] = DEFAULT_ACTION;
    task.blocked.delete(signo);
  }
  task.pending.add(info);
  wakeForSignal(task, signo);
}

/**
 * Whether the signal would have no effect. A blocked one is kept: it may be caught by the time it is unblocked; and one of a
 * traced task, for the tracer to see it taken (sig_ignored). So tracing ends sleeps that then begin again, as on Linux.
 */
function ignored(task: Task, signo: number): boolean {
  if (task.kernel.watcher !== null && signo !== SIGKILL) return false;
  if (task.blocked.has(signo) || task.signalWaitSet?.has(signo) === true) return false;
  const { handler } = task.sighand.actions[signo];
  return handler === SIG_IGN || (handler === SIG_DFL && IGNORED_BY_DEFAULT.has(signo));
}

/** The side effects of sending; returns whether the signal is to be queued. */
function prepare(group: ThreadGroup, task: Task, info: SigInfo): boolean {
  const { signo } = info;
  if (group.exiting && signo !== SIGKILL) return false;
  if (STOP_SIGNALS.has(signo)) {
    group.pending.flush(CONT);
    for (const thread of group.threads) thread.pending.flush(CONT);
  } else if (signo === SIGCONT) {
    group.pending.flush(STOP_SIGNALS);
    for (const thread of group.threads) thread.pending.flush(STOP_SIGNALS);
    continueGroup(group, true);
  } else if (signo === SIGKILL) continueGroup(group, false);
  return !ignored(task, signo);
}

/**
 * Queues within RLIMIT_SIGPENDING (__send_signal_locked). Beyond it a real-time signal with information is refused; others
 * stay pending, once, without their information; standard signals of the kernel and of kill(2) always have room.
 */
function queue(group: ThreadGroup, pending: PendingSignals, info: SigInfo): number {
  const { signo, code } = info;
  const exempt = info.taken !== undefined || (signo < SIGRTMIN && code >= 0);
  if (exempt || queued(group) < group.limits[RLIMIT_SIGPENDING].soft) return pending.add(info) ? SENT : DROPPED;
  if (signo >= SIGRTMIN && code < 0) return OVERFLOW;
  if (pending.set.has(signo)) return DROPPED;
  pending.add({ signo, code: SI_USER, pid: 0, uid: 0 });
  return SENT;
}
/** Entries of a process; Linux counts those of all processes of the user. */
function queued(group: ThreadGroup): number {
  let count = group.pending.size;
  for (const thread of group.threads) count += thread.pending.size;
  return count;
}

/** Ends a job-control stop; `report` tells the parent (WCONTINUED, CLD_CONTINUED). */
export function continueGroup(group: ThreadGroup, report: boolean): void {
  if (group.jobState === GROUP_RUNNING) return;
  group.jobState = GROUP_RUNNING;
  group.stopReported = true;
  const { stopping } = group;
  group.stopping = false;
  if (report) {
    group.continueReported = false;
    // A stop that was still under way is reported now.
    if (stopping) notifyParent(group, CLD_STOPPED, group.stopSignal);
    else notifyParent(group, CLD_CONTINUED, SIGCONT);
  }
  for (const thread of group.threads) unpark(thread);
}

/** Stops the whole group: each thread parks on its way back to user mode, out of its sleep if need be (do_signal_stop). */
export function stopGroup(group: ThreadGroup, signo: number): void {
  group.jobState = GROUP_STOPPED;
  group.stopping = true;
  group.stopSignal = signo;
  for (const thread of group.threads)
    if (thread.sleep.active) thread.sleep.wake();
    else if (thread.thread.running) thread.thread.interrupt();
}

/** A thread has parked or ended while its group stops: the last one tells the parent. */
export function threadStopped(group: ThreadGroup): void {
  if (!group.stopping) return;
  for (const thread of group.threads) if (!thread.parked) return;
  group.stopping = false;
  group.stopReported = false;
  group.continueReported = true;
  notifyParent(group, CLD_STOPPED, group.stopSignal);
}

/** `task` blocks more signals than before, or ends: those of the process that it was woken for go to another thread. */
export function retargetShared(task: Task): void {
  const { group } = task;
  const { pending, threads } = group;
  if (pending.set.empty || threads.size < 2) return;
  for (const thread of threads)
    if (thread !== task && !thread.parked && pending.deliverable(thread.blocked)) wakeForSignal(thread, 0);
}

/** Lets a parked thread go on towards user mode. */
export function unpark(task: Task): void {
  if (!task.parked) return;
  task.parked = false;
  task.kernel.returning.push(task);
}

function wants(task: Task, signo: number): boolean {
  if (task.exited || (task.blocked.has(signo) && task.signalWaitSet?.has(signo) !== true)) return false;
  return signo === SIGKILL || !task.parked;
}

/** The thread that shall take a process-wide signal: the leader if it can, else one that can, else nobody yet. */
function pickThread(group: ThreadGroup, signo: number): Task | null {
  for (const thread of group.threads) wakeSignalReaders(thread);
  if (group.threads.has(group.leader) && wants(group.leader, signo)) return group.leader;
  for (const thread of group.threads) if (wants(thread, signo)) return thread;
  return null;
}

/** signalfd readers and pollers. */
function wakeSignalReaders(task: Task): void {
  task.sighand.queue.wakeAll();
}

/** Makes a thread notice that a signal waits: ends its sleep, or stops it in user mode. */
export function wakeForSignal(task: Task, signo: number): void {
  // A killable sleep goes on by itself if the signal does not kill.
  if (task.sleep.active) task.sleep.wake();
  else if (task.parked) {
    if (signo === SIGKILL) unpark(task);
  } else if (task.thread.running) task.thread.interrupt();
}
