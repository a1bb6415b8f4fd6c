/** Who may signal whom (kernel/signal.c, kill_ok_by_cred and check_kill_permission). */
import { EPERM, errno } from '../../src/abi/errno.js';
import { SIGCONT } from '../../src/abi/flags/signal.js';
import { capable } from '../credentials.js';
import { CAP_KILL } from '../../src/abi/flags/capability.js';
import type { Task } from '../task.js';
import type { ThreadGroup } from '../thread-group.js';

/** Whether `sender` may send `signo` to `target`. SIGCONT reaches the whole session. */
export function maySignal(sender: Task, target: ThreadGroup, signo: number): boolean {
  if (target === sender.group) return true;
  const { creds } = sender;
  const other = target.leader.creds;
  if (creds.euid === other.suid || creds.euid === other.uid || creds.uid === other.suid || creds.uid === other.uid)
    return true;
  if (capable(creds, CAP_KILL)) return true;
  return signo === SIGCONT && target.processGroup.session === sender.group.processGroup.session;
}

export function checkMaySignal(sender: Task, target: ThreadGroup, signo: number): void {
  if (!maySignal(sender, target, signo)) throw errno(EPERM);
}
