/**
 * pipe(2).
 */
import { EINVAL, ENOPKG, errno } from '../src/abi/errno.js';
import { O_CLOEXEC, O_DIRECT, O_EXCL, O_NONBLOCK } from '../src/abi/flags/open.js';
import type { Task } from '../sched/task.js';
import { createPipe } from '../src/ipc/pipe-file.js';
import { installPair } from './file-io.js';
import { dynamic, word, row, type Row } from './row.js';

function pipe2(task: Task, pipefd: number, flags: number): number {
  const known = O_CLOEXEC | O_NONBLOCK | O_DIRECT[task.mm.platform.arch];
  if ((flags & ~(known | O_EXCL)) !== 0) throw errno(EINVAL);
  // O_EXCL is O_NOTIFICATION_PIPE: kernel notifications, which need CONFIG_WATCH_QUEUE.
  if ((flags & O_EXCL) !== 0) throw errno(ENOPKG);
  return installPair(task, pipefd, createPipe(task, flags & ~O_CLOEXEC), (flags & O_CLOEXEC) !== 0);
}

export const rows: readonly Row[] = [
  row('pipe', { x86_64: 22 }, [word('pipefd', 'out', 'fdpair')], { ret: 'zero', classes: ['desc'] }, (task, pipefd) =>
    pipe2(task, pipefd, 0),
  ),
  row(
    'pipe2',
    { x86_64: 293, aarch64: 59 },
    [word('pipefd', 'out', 'fdpair'), dynamic('flags', 'dup_flags', 'uint')],
    { ret: 'zero', classes: ['desc'] },
    pipe2,
  ),
];
