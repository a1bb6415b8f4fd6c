/**
 * Descriptor tables: dup(2), fcntl(2), flock(2), ioctl(2), pidfd_getfd(2), kcmp(2).
 */
import { EINVAL, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import { RLIMIT_NOFILE } from '../src/abi/flags/limits.js';
import type { Task } from '../sched/task.js';
import { mayInspect } from '../fs/procfs/access.js';
import { pidFileOf } from '../src/ipc/pidfd.js';
import { dup, dup2, dup3 } from './closing.js';
import { fcntl } from './fcntl.js';
import { ioFile } from './file-io.js';
import { ioctl } from './ioctl.js';
import { kcmp } from './kcmp.js';
import { flock } from './locking.js';
import { dynamic, enumeration, fd, flags, hex32, pid, row, type Row } from './row.js';

function pidfdGetfd(task: Task, pidfd: number, targetFd: number, flags: number): number {
  if (flags !== 0) throw errno(EINVAL);
  const { group } = pidFileOf(ioFile(task, pidfd));
  const target = group.leader;
  if (group.zombie || target.exited) throw errno(ESRCH);
  if (!mayInspect(task, target)) throw errno(EPERM);
  return task.files.install(target.files.get(targetFd), true, task.group.limits[RLIMIT_NOFILE].soft);
}

export const rows: readonly Row[] = [
  row('dup', { x86_64: 32, aarch64: 23 }, [fd('oldfd')], { ret: 'fd', classes: ['desc'] }, dup),
  row('dup2', { x86_64: 33 }, [fd('oldfd'), fd('newfd')], { ret: 'fd', classes: ['desc'] }, dup2),
  row(
    'dup3',
    { x86_64: 292, aarch64: 24 },
    [fd('oldfd'), fd('newfd'), dynamic('flags', 'dup_flags', 'uint')],
    {
      ret: 'fd',
      classes: ['desc'],
    },
    dup3,
  ),
  row(
    'fcntl',
    { x86_64: 72, aarch64: 25 },
    [fd('fd'), enumeration('cmd', 'fcntlcmds', 'uint'), dynamic('arg', 'fcntl_arg')],
    { ret: 'dynamic', classes: ['desc'], disposition: { partial: 'no dnotify' } },
    fcntl,
  ),
  row(
    'flock',
    { x86_64: 73, aarch64: 32 },
    [fd('fd'), flags('operation', 'flockcmds')],
    {
      ret: 'zero',
      classes: ['desc'],
    },
    flock,
  ),
  row(
    'ioctl',
    { x86_64: 16, aarch64: 29 },
    [fd('fd'), dynamic('request', 'ioctl_cmd', 'uint'), dynamic('argp', 'ioctl_arg')],
    { ret: 'dynamic', classes: ['desc'], disposition: { partial: 'the requests of the devices and files that exist' } },
    ioctl,
  ),
  row(
    'kcmp',
    { x86_64: 312, aarch64: 272 },
    [
      pid('pid1'),
      pid('pid2'),
      enumeration('type', 'kcmp_types'),
      dynamic('idx1', 'kcmp_idx'),
      dynamic('idx2', 'kcmp_idx'),
    ],
    { disposition: { partial: 'no KCMP_EPOLL_TFD' } },
    kcmp,
  ),
  row(
    'pidfd_getfd',
    { x86_64: 438, aarch64: 438 },
    [fd('pidfd'), fd('targetfd'), hex32('flags')],
    {
      ret: 'fd',
      classes: ['desc'],
    },
    pidfdGetfd,
  ),
];
