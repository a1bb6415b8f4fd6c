/** What fs hangs on a task: the descriptor table and the root, working directory and umask (fs_struct). */
import type { KernelState } from '../sched/kernel-state.js';
import type { FdTable } from './fd-table.js';
import type { Place } from './mount.js';
import type { Vfs } from './vfs.js';

export class FsContext {
  root: Place;
  cwd: Place;
  umask: number;
  users = 1;

  constructor(root: Place, cwd: Place, umask: number) {
    this.root = root;
    this.cwd = cwd;
    this.umask = umask;
  }
  copy(): FsContext {
    return new FsContext(this.root, this.cwd, this.umask);
  }
}

declare module '../sched/task.js' {
  interface Task {
    files: FdTable;
    fs: FsContext;
  }
}
declare module '../sched/thread-group.js' {
  interface ThreadGroup {
    /** The program being run: /proc/PID/exe. */
    exe: Place | null;
  }
}
declare module '../sched/kernel-state.js' {
  interface KernelState {
    vfs: Vfs;
  }
}
export type { KernelState };
