/**
 * Telling a parent about its child: SIGCHLD (or the clone's exit signal) and a wake of its wait queue
 * (do_notify_parent, do_notify_parent_cldstop).
 */
import {
  CLD_CONTINUED,
  CLD_STOPPED,
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SIGCHLD,
  SIG_IGN,
} from '../../src/abi/flags/signal.js';
import type { ThreadGroup } from '../thread-group.js';
import { cpuTimes } from '../accounting.js';
import { sendSignalToGroup } from './send.js';

/** Kernel clock ticks a second (USER_HZ), the unit of si_utime and si_stime. */
const TICK_NS = 10_000_000;

/**
 * `code` is CLD_*, `status` the exit code or the signal. Returns true when the parent does not want the zombie
 * (SIGCHLD ignored or SA_NOCLDWAIT): it reaps itself.
 */
export function notifyParent(group: ThreadGroup, code: number, status: number): boolean {
  const { parent } = group;
  if (parent === null) return false;
  const action = parent.leader.sighand.actions[SIGCHLD];
  const times = cpuTimes(group);
  const stopOrContinue = code === CLD_STOPPED || code === CLD_CONTINUED;
  const signo = stopOrContinue ? SIGCHLD : group.exitSignal;
  let reap = false;
  if (!stopOrContinue && signo === SIGCHLD && (action.handler === SIG_IGN || (action.flags & SA_NOCLDWAIT) !== 0))
    reap = true;
  const quiet =
    signo === 0 ||
    signo > 64 ||
    (stopOrContinue && (action.handler === SIG_IGN || (action.flags & SA_NOCLDSTOP) !== 0)) ||
    (reap && action.handler === SIG_IGN);
  if (!quiet)
    sendSignalToGroup(parent, {
      signo,
      code,
      pid: group.tgid,
      uid: group.leader.creds.uid,
      status,
      utime: Math.floor(times.userNs / TICK_NS),
      stime: Math.floor(times.systemNs / TICK_NS),
    });
  parent.childQueue.wakeAll();
  return reap;
}
