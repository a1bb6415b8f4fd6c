/** What fs hangs on a task: the descriptor table and the root, working directory and umask (fs_struct). */
import type { KernelState } from '../sched/kernel-state.js';
import type { FdTable } from './fd-table.js';
import type { Place } from './mount.js';
import { holdPlace, releasePlace } from './references.js';
import type { Vfs } from './vfs.js';

/** Root, working directory and umask; shared by CLONE_FS. Both places are held (fs/references.ts). */
export class FsContext {
  private top: Place;
  private current: Place;
  umask: number;
  users = 1;

  constructor(root: Place, cwd: Place, umask: number) {
    this.top = root;
    this.current = cwd;
    this.umask = umask;
    holdPlace(root);
    holdPlace(cwd);
  }
  get root(): Place {
    return this.top;
  }
  set root(place: Place) {
    holdPlace(place);
    releasePlace(this.top);
    this.top = place;
  }
  get cwd(): Place {
    return this.current;
  }
  set cwd(place: Place) {
    holdPlace(place);
    releasePlace(this.current);
    this.current = place;
  }
  copy(): FsContext {
    return new FsContext(this.top, this.current, this.umask);
  }
  /** One user less; the last one lets the places go. */
  drop(): void {
    if (--this.users > 0) return;
    releasePlace(this.top);
    releasePlace(this.current);
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
