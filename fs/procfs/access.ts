/** Who may look into a process (kernel/ptrace.c, __ptrace_may_access with PTRACE_MODE_READ). */
import { EACCES, errno } from '../../src/abi/errno.js';
import { capable } from '../../sched/credentials.js';
import { CAP_SYS_PTRACE } from '../../src/abi/flags/capability.js';
import type { Task } from '../../sched/task.js';

export function mayInspect(reader: Task, target: Task): boolean {
  if (reader.group === target.group || capable(reader.creds, CAP_SYS_PTRACE)) return true;
  const { fsuid, fsgid } = reader.creds;
  const { uid, euid, suid, gid, egid, sgid } = target.creds;
  if (fsuid !== uid || fsuid !== euid || fsuid !== suid) return false;
  return fsgid === gid && fsgid === egid && fsgid === sgid && target.group.dumpable;
}

export function checkInspect(reader: Task, target: Task): void {
  if (!mayInspect(reader, target)) throw errno(EACCES);
}
