/**
 * Process groups and sessions: setpgid(2), setsid(2) (kernel/sys.c).
 *
 * Process 1 leads a session from the start, so that a shell in its place has the terminal. On Linux it begins in session 0,
 * which it leaves with its first setsid: an init does that to make the terminal free for its children. Here that call
 * leaves it where it is.
 */
import { EACCES, EINVAL, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import { ProcessGroup, Session } from './process-group.js';
import type { Task } from './task.js';
import type { ThreadGroup } from './thread-group.js';

/** Moves a member to another process group. */
function move(member: ThreadGroup, to: ProcessGroup): void {
  const from = member.processGroup;
  if (from === to) return;
  to.add(member);
  member.processGroup = to;
  from.remove(member);
}

export function setpgid(task: Task, pid: number, pgid: number): void {
  const { kernel, group } = task;
  const target = pid === 0 ? group.tgid : pid;
  const id = pgid === 0 ? target : pgid;
  if (id < 0) throw errno(EINVAL);
  const member = kernel.pids.groups.get(target);
  if (member === undefined) throw errno(kernel.pids.tasks.has(target) ? EINVAL : ESRCH);
  if (member.parent === group) {
    if (member.processGroup.session !== group.processGroup.session) throw errno(EPERM);
    if (member.execed) throw errno(EACCES);
  } else if (member !== group) throw errno(ESRCH);
  if (member.processGroup.session.leader === member) throw errno(EPERM);
  const { session } = group.processGroup;
  let to = kernel.pids.processGroups.get(id);
  if (id !== member.tgid && to?.session !== session) throw errno(EPERM);
  to ??= new ProcessGroup(id, session);
  move(member, to);
}

/** Returns the new session's id. Its terminal, if process 1 has one, is to be taken away. */
export function setsid(task: Task): number {
  const { kernel, group } = task;
  const id = group.tgid;
  const old = group.processGroup.session;
  if (old.given && group === kernel.init && old.groups.size === 1 && group.processGroup.members.size === 1) {
    old.given = false;
    return id;
  }
  if (group.processGroup.session.leader === group || kernel.pids.processGroups.has(id)) throw errno(EPERM);
  const session = new Session(kernel, id, group);
  move(group, new ProcessGroup(id, session));
  return id;
}
