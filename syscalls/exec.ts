/**
 * execve(2), execveat(2), uselib(2).
 */
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../src/abi/flags/open.js';
import { EINVAL, errno } from '../src/abi/errno.js';
import { RLIMIT_STACK } from '../src/abi/flags/limits.js';
import { type Row, absent, dirfd, environ, flags, path, row, strings } from './row.js';
import { Task } from '../sched/task.js';
import { execve } from '../fs/exec.js';
import { readArguments } from '../src/mm/exec-arguments.js';

export const rows: readonly Row[] = [
  row(
    'execve',
    { x86_64: 59, aarch64: 221 },
    [path('pathname'), strings('argv'), environ('envp')],
    { stops: true, ret: 'zero', classes: ['file', 'process'] },
    (task, pathname, argv, envp) => exec(task, AT_FDCWD, task.mm.readString(pathname, PATH_MAX), argv, envp, 0),
  ),
  row(
    'execveat',
    { x86_64: 322, aarch64: 281 },
    [dirfd('dirfd'), path('pathname'), strings('argv'), environ('envp'), flags('flags', 'at_flags')],
    { stops: true, ret: 'zero', classes: ['desc', 'file', 'process'] },
    (task, dfd, pathname, argv, envp, how) => {
      if ((how & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) throw errno(EINVAL);
      return exec(task, dfd, task.mm.readString(pathname, PATH_MAX), argv, envp, how);
    },
  ),
  absent('uselib', { x86_64: 134 }, [path('library')], { ret: 'zero', classes: ['file'] }),
];

const PATH_MAX = 4096;

function exec(task: Task, dfd: number, path: string, argv: number, envp: number, how: number): number {
  const stack = task.group.limits[RLIMIT_STACK].soft;
  return execve(task, {
    dirfd: dfd,
    path,
    flags: how,
    strings: (execfn) => readArguments(task.mm, execfn, argv, envp, stack),
  });
}
