/**
 * Process groups and sessions: setpgid(2), setsid(2), vhangup(2).
 */
import { EPERM, ESRCH, errno } from '../src/abi/errno.js';
import { type Row, pid, row } from './row.js';
import { CAP_SYS_TTY_CONFIG } from '../src/abi/flags/capability.js';
import { capable } from '../sched/credentials.js';
import { Task } from '../sched/task.js';
import { ThreadGroup } from '../sched/thread-group.js';
import { setpgid, setsid } from '../sched/job-control.js';
import { controllingTty } from '../src/tty/index.js';

export const rows: readonly Row[] = [
  row(
    'getpgid',
    { x86_64: 121, aarch64: 155 },
    [pid('pid')],
    { ret: 'pid' },
    (task, id) => groupOf(task, id).processGroup.id,
  ),
  row('setpgid', { x86_64: 109, aarch64: 154 }, [pid('pid'), pid('pgid')], { ret: 'zero' }, sysSetpgid),
  row('getpgrp', { x86_64: 111 }, [], { ret: 'pid', classes: ['pure'] }, (task) => task.group.processGroup.id),
  row(
    'getsid',
    { x86_64: 124, aarch64: 156 },
    [pid('pid')],
    { ret: 'pid' },
    (task, id) => groupOf(task, id).processGroup.session.id,
  ),
  row('setsid', { x86_64: 112, aarch64: 157 }, [], { ret: 'pid' }, sysSetsid),
  row('vhangup', { x86_64: 153, aarch64: 58 }, [], { ret: 'zero' }, vhangup),
];

/** The process `pid` names (0: the caller's); ESRCH. */
function groupOf(task: Task, pid: number): ThreadGroup {
  if (pid === 0) return task.group;
  const found = task.kernel.pids.tasks.get(pid)?.group ?? task.kernel.pids.groups.get(pid);
  if (found === undefined) throw errno(ESRCH);
  return found;
}
function sysSetsid(task: Task): number {
  const id = setsid(task);
  // A new session has no terminal (proc_clear_tty).
  controllingTty(task.group)?.clearSession();
  return id;
}
/** tty_vhangup_self. */
function vhangup(task: Task): number {
  if (!capable(task.creds, CAP_SYS_TTY_CONFIG)) throw errno(EPERM);
  controllingTty(task.group)?.hangup(true);
  return 0;
}
function sysSetpgid(task: Task, id: number, pgid: number): number {
  setpgid(task, id, pgid);
  return 0;
}
