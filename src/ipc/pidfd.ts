/**
 * Process descriptors (pidfd_open(2), CLONE_PIDFD): a file that names a process and becomes readable when it ends.
 *
 * Readable means POLLIN from the moment the process is a zombie, POLLHUP as well once it has been reaped.
 */
import { EBADF, EINVAL, ESPIPE, errno } from '../abi/errno.js';
import { O_RDWR } from '../abi/flags/open.js';
import type { LifecycleHooks } from '../../sched/hooks.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import type { ThreadGroup } from '../../sched/thread-group.js';
import { WaitQueue } from '../../sched/wait.js';
import { AnonFile } from '../../fs/anon-inode.js';
import type { OpenFile } from '../../fs/file.js';
import type {} from '../../fs/task-parts.js';
import { POLLHUP, POLLIN, POLLRDNORM } from '../../fs/poll-events.js';

declare module '../../sched/thread-group.js' {
  interface ThreadGroup {
    /** Made by the first pidfd. */
    pidfdQueue?: WaitQueue;
  }
}

export class PidFile extends AnonFile {
  readonly group: ThreadGroup;
  override readonly queue: WaitQueue;

  constructor(kernel: KernelState, group: ThreadGroup, flags: number) {
    super(kernel, '[pidfd]', O_RDWR | flags);
    this.group = group;
    this.queue = group.pidfdQueue ??= new WaitQueue();
  }
  /** Whether the process can still be found (not reaped). */
  get alive(): boolean {
    const { group } = this;
    return group.kernel.pids.groups.get(group.tgid) === group;
  }
  override poll(): number {
    if (!this.group.zombie) return 0;
    return POLLIN | POLLRDNORM | (this.alive ? 0 : POLLHUP);
  }
  override seek(): number {
    throw errno(ESPIPE);
  }
  override read(): number {
    throw errno(EINVAL);
  }
  override fdinfo(): string {
    const pid = this.alive ? this.group.tgid : -1;
    return `Pid:\t${pid}\nNSpid:\t${pid}\n`;
  }
}

/** The process behind a pidfd; EBADF for other files. */
export function pidFileOf(file: OpenFile): PidFile {
  if (!(file instanceof PidFile)) throw errno(EBADF);
  return file;
}

/** The process that descriptor `fd` of `task` names: EBADF. */
export const pidfdGroup = (task: Task, fd: number): ThreadGroup => pidFileOf(task.files.get(fd)).group;

export const pidfdHooks: LifecycleHooks = {
  groupExit(group) {
    group.pidfdQueue?.wakeAll();
  },
};
