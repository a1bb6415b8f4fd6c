/**
 * close(2) and everything that closes descriptors on request: dup2, dup3, close_range.
 */
import { EBADF, EINVAL, errno } from '../src/abi/errno.js';
import { RLIMIT_NOFILE } from '../src/abi/flags/limits.js';
import { CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE, O_CLOEXEC } from '../src/abi/flags/open.js';
import type { Task } from '../sched/task.js';
import { dropFile } from '../fs/fd-table.js';

export function close(task: Task, fd: number): number {
  task.files.close(fd, task);
  return 0;
}

export function closeRange(task: Task, first: number, last: number, flags: number): number {
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0 || first > last) throw errno(EINVAL);
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0 && task.files.users > 1) {
    const copy = task.files.copy();
    task.files.users--;
    task.files = copy;
  }
  const { files } = task;
  for (const [fd] of files.entries()) {
    if (fd < first) continue;
    if (fd > last) break;
    if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) files.setCloexec(fd, true);
    else close(task, fd);
  }
  return 0;
}

export function dup(task: Task, fd: number): number {
  return task.files.install(task.files.get(fd), false, task.group.limits[RLIMIT_NOFILE].soft);
}

export function dup2(task: Task, oldFd: number, newFd: number): number {
  if (oldFd !== newFd) return replace(task, oldFd, newFd, false);
  task.files.get(oldFd);
  return newFd;
}

export function dup3(task: Task, oldFd: number, newFd: number, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0 || oldFd === newFd) throw errno(EINVAL);
  return replace(task, oldFd, newFd, (flags & O_CLOEXEC) !== 0);
}

function replace(task: Task, oldFd: number, newFd: number, cloexec: boolean): number {
  const { files } = task;
  if (newFd < 0 || newFd >= task.group.limits[RLIMIT_NOFILE].soft) throw errno(EBADF);
  const file = files.get(oldFd);
  // Held, because what is closed may be the last other descriptor of it.
  file.references++;
  try {
    if (files.find(newFd) !== undefined) close(task, newFd);
    files.set(newFd, file, cloexec);
  } finally {
    dropFile(file);
  }
  return newFd;
}
