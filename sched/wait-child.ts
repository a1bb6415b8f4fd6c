/**
 * Waiting for children (kernel/exit.c, do_wait): wait4(2) and waitid(2) over one function.
 *
 * A child matches only its own parent process; each event (exit, stop, continue) is seen once unless WNOWAIT.
 */
import { ECHILD, errno } from '../src/abi/errno.js';
import {
  CLD_CONTINUED,
  CLD_DUMPED,
  CLD_EXITED,
  CLD_KILLED,
  CLD_STOPPED,
  SIGCHLD,
  SIGCONT,
} from '../src/abi/flags/signal.js';
import { WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED } from '../src/abi/flags/process.js';
import { reapGroup } from './exit.js';
import type { Task } from './task.js';
import { GROUP_STOPPED, type ThreadGroup } from './thread-group.js';
import { WOULD_BLOCK, block } from './wait.js';

export const __WNOTHREAD = 0x2000_0000;
export const __WALL = 0x4000_0000;
export const __WCLONE = 0x8000_0000;

export interface WaitEvent {
  pid: number;
  uid: number;
  /** CLD_*. */
  code: number;
  /** Exit code or signal number. */
  status: number;
  /** The status word of wait4. */
  word: number;
  child: ThreadGroup;
}

/** Which children: all, one pid, or a process group. */
export type ChildSelector = { kind: 'all' } | { kind: 'pid'; pid: number } | { kind: 'group'; id: number };

function matches(task: Task, child: ThreadGroup, selector: ChildSelector, options: number): boolean {
  if (selector.kind === 'pid' && child.tgid !== selector.pid) return false;
  if (selector.kind === 'group' && child.processGroup.id !== selector.id) return false;
  if ((options & __WNOTHREAD) !== 0 && child.leader.parentTask !== task) return false;
  if ((options & __WALL) !== 0) return true;
  // "Clone" children announce their end by another signal than SIGCHLD.
  return (child.exitSignal !== SIGCHLD) === ((options & __WCLONE) !== 0);
}

/** Takes one event from one child, or null. */
function take(child: ThreadGroup, options: number): WaitEvent | null {
  const keep = (options & WNOWAIT) !== 0;
  const event = (code: number, status: number, word: number): WaitEvent => ({
    pid: child.tgid,
    uid: child.leader.creds.uid,
    code,
    status,
    word,
    child,
  });
  if (child.zombie) {
    if ((options & WEXITED) === 0) return null;
    const word = child.exitStatus;
    const signal = word & 0x7f;
    const found =
      signal === 0
        ? event(CLD_EXITED, (word >> 8) & 0xff, word)
        : event((word & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED, signal, word);
    if (!keep) reapGroup(child);
    return found;
  }
  if ((options & WSTOPPED) !== 0 && child.jobState === GROUP_STOPPED && !child.stopReported) {
    if (!keep) child.stopReported = true;
    return event(CLD_STOPPED, child.stopSignal, (child.stopSignal << 8) | 0x7f);
  }
  if ((options & WCONTINUED) !== 0 && !child.continueReported) {
    if (!keep) child.continueReported = true;
    return event(CLD_CONTINUED, SIGCONT, 0xffff);
  }
  return null;
}

/**
 * Waits for a child event; `found` stores it for the guest (and may throw EFAULT) and gives the result. ECHILD when no child
 * could ever match; WNOHANG gives `none()`.
 */
export function waitForChild(
  task: Task,
  selector: ChildSelector,
  options: number,
  found: (event: WaitEvent) => number,
  none: () => number,
): number {
  const { group } = task;
  const attempt = (): number => {
    let any = false;
    for (const child of group.children) {
      if (!matches(task, child, selector, options)) continue;
      any = true;
      const event = take(child, options);
      if (event !== null) return found(event);
    }
    if (!any) throw errno(ECHILD);
    return (options & WNOHANG) !== 0 ? none() : WOULD_BLOCK;
  };
  return block(task, attempt, [group.childQueue]);
}
