/** RLIMIT_FSIZE: a file that would grow beyond it is SIGXFSZ and EFBIG (inode_newsize_ok, generic_write_check_limits). */
import { EFBIG, errno } from '../src/abi/errno.js';
import { RLIMIT_FSIZE } from '../src/abi/flags/limits.js';
import { SIGXFSZ } from '../src/abi/flags/signal.js';
import { sendSignalToTask } from '../sched/signal/send.js';
import type { Task } from '../sched/task.js';

export function exceededFileSize(task: Task): never {
  sendSignalToTask(task, { signo: SIGXFSZ, code: 0, pid: task.tgid, uid: task.creds.uid });
  throw errno(EFBIG);
}

/** A file may get `size`: checked by truncate and fallocate. */
export function checkNewSize(task: Task, size: number): void {
  if (size > task.group.limits[RLIMIT_FSIZE].soft) exceededFileSize(task);
}
