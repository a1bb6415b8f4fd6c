/**
 * Controlling terminals (drivers/tty/tty_jobctrl.c): who may read, write and change a terminal, how a session gets one and
 * loses it.
 *
 * Oddities copied: a process may give up its controlling terminal alone (TIOCNOTTY by anyone but the leader); SIGTTIN that
 * is blocked or ignored makes read fail with EIO, but SIGTTOU makes the write succeed; an orphaned group gets EIO.
 */
import { EINVAL, EIO, ENOTTY, EPERM, ERESTARTSYS, ESRCH, Errno, errno } from '../abi/errno.js';
import { SIGCONT, SIGHUP, SIGTTIN, SIGTTOU, SIG_IGN } from '../abi/flags/signal.js';
import { O_ACCMODE, O_WRONLY } from '../abi/flags/open.js';
import { capable } from '../../sched/credentials.js';
import { CAP_SYS_ADMIN } from '../abi/flags/capability.js';
import type { LifecycleHooks } from '../../sched/hooks.js';
import type { Session } from '../../sched/process-group.js';
import { kernelInfo, sendSignalToProcessGroup } from '../../sched/signal/send.js';
import type { Task } from '../../sched/task.js';
import type { ThreadGroup } from '../../sched/thread-group.js';
import type { Tty } from './tty.js';

declare module '../../sched/thread-group.js' {
  interface ThreadGroup {
    /** The session whose terminal this process has given up for itself. */
    leftTtyOf?: Session | null;
  }
}

/** The controlling terminal of a process (signal->tty). */
export function controllingTty(group: ThreadGroup): Tty | null {
  const { session } = group.processGroup;
  return group.leftTtyOf === session ? null : (session.tty ?? null);
}

function isLeader(group: ThreadGroup): boolean {
  return group.processGroup.session.leader === group;
}

/** __tty_check_change: throws when a background process must not go on. SIGTTIN for reading, SIGTTOU for the rest. */
export function checkForeground(task: Task, tty: Tty, signal: typeof SIGTTIN | typeof SIGTTOU = SIGTTOU): void {
  const { group } = task;
  const { processGroup } = group;
  if (tty.foregroundId === 0 || processGroup.id === tty.foregroundId || controllingTty(group) !== tty) return;
  if (task.blocked.has(signal) || task.sighand.actions[signal].handler === SIG_IGN) {
    if (signal === SIGTTIN) throw errno(EIO);
    return;
  }
  if (processGroup.orphaned()) throw errno(EIO);
  sendSignalToProcessGroup(processGroup, kernelInfo(signal));
  throw errno(ERESTARTSYS);
}

function take(task: Task, tty: Tty): void {
  const { processGroup } = task.group;
  task.group.leftTtyOf = null;
  tty.setSession(processGroup.session, processGroup.id);
}

/** An open without O_NOCTTY: a session leader without a terminal gets this one if nobody has it. */
export function takeOnOpen(task: Task, tty: Tty, flags: number): void {
  if (!isLeader(task.group) || controllingTty(task.group) !== null || tty.session !== null) return;
  // A terminal that may only be written to is not one's own.
  if ((flags & O_ACCMODE) !== O_WRONLY) take(task, tty);
}

/** TIOCSCTTY. `steal`: root takes it away from another session. */
export function setControllingTty(task: Task, tty: Tty, flags: number, steal: boolean): void {
  const { group, creds } = task;
  const { session } = group.processGroup;
  if (isLeader(group) && tty.session === session) return;
  if (!isLeader(group) || controllingTty(group) !== null) throw errno(EPERM);
  if (tty.session !== null) {
    if (!steal || !capable(creds, CAP_SYS_ADMIN)) throw errno(EPERM);
    tty.clearSession();
  }
  if ((flags & O_ACCMODE) === O_WRONLY && !capable(creds, CAP_SYS_ADMIN)) throw errno(EPERM);
  take(task, tty);
}

/** TIOCNOTTY. */
export function giveUpTty(task: Task, tty: Tty): void {
  const { group } = task;
  if (controllingTty(group) !== tty) throw errno(ENOTTY);
  if (isLeader(group)) disassociate(group, false);
  else group.leftTtyOf = group.processGroup.session;
}

/** disassociate_ctty: a session leader lets go of its terminal, or exits. */
export function disassociate(group: ThreadGroup, exiting: boolean): void {
  if (!isLeader(group)) return;
  const { session } = group.processGroup;
  const tty = controllingTty(group);
  if (tty === null) {
    if (!exiting || session.hungUpGroup === undefined) return;
    const left = group.kernel.pids.processGroups.get(session.hungUpGroup);
    session.hungUpGroup = undefined;
    if (left?.session !== session) return;
    sendSignalToProcessGroup(left, kernelInfo(SIGHUP));
    sendSignalToProcessGroup(left, kernelInfo(SIGCONT));
    return;
  }
  const { foreground } = tty;
  if (foreground !== null) {
    sendSignalToProcessGroup(foreground, kernelInfo(SIGHUP));
    if (!exiting) sendSignalToProcessGroup(foreground, kernelInfo(SIGCONT));
  }
  tty.clearSession();
}

/** TIOCGPGRP. A master may look without being in the session. */
export function getForeground(task: Task, tty: Tty): number {
  const { real } = tty;
  if (tty === real && controllingTty(task.group) !== real) throw errno(ENOTTY);
  return real.foregroundId;
}

/** TIOCSPGRP. `read` gets the number from the guest, after the job-control check. */
export function setForeground(task: Task, tty: Tty, read: () => number): void {
  const { real } = tty;
  try {
    checkForeground(task, real);
  } catch (error) {
    if (error instanceof Errno && error.errno === EIO) throw errno(ENOTTY);
    throw error;
  }
  const id = read();
  if (id < 0) throw errno(EINVAL);
  const { session } = task.group.processGroup;
  if (controllingTty(task.group) !== real || real.session !== session) throw errno(ENOTTY);
  const { pids } = task.kernel;
  const owner = pids.processGroups.get(id)?.session ?? pids.tasks.get(id)?.group.processGroup.session;
  if (owner === undefined) throw errno(pids.sessions.has(id) ? EPERM : ESRCH);
  if (owner !== session) throw errno(EPERM);
  real.foregroundId = id;
}

/** TIOCGSID. */
export function getSession(task: Task, tty: Tty): number {
  const { real } = tty;
  if ((tty === real && controllingTty(task.group) !== real) || real.session === null) throw errno(ENOTTY);
  return real.session.id;
}

/** Forks inherit, and exits give up, the controlling terminal. */
export const jobControlHooks: LifecycleHooks = {
  clone(parent, child) {
    if (child.group !== parent.group) child.group.leftTtyOf = parent.group.leftTtyOf ?? null;
  },
  groupExit(group) {
    disassociate(group, true);
  },
};
