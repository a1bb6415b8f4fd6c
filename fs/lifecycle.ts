/**
 * What tasks share and lose of fs: descriptor tables, root and working directory, the program (kernel/fork.c copy_files,
 * copy_fs; exit_files, exit_fs).
 *
 * Invariant: `users` of a table or context is the number of live tasks that point to it. A dead task has neither
 * (`task.files` is an empty table), so that nothing can be opened by it.
 */
import { CLONE_FILES, CLONE_FS } from '../src/abi/flags/process.js';
import type { LifecycleHooks } from '../sched/hooks.js';
import type { KernelState } from '../sched/kernel-state.js';
import type { Task } from '../sched/task.js';
import type { ThreadGroup } from '../sched/thread-group.js';
import { FdTable } from './fd-table.js';
import { setExe } from './references.js';
import { FsContext } from './task-parts.js';

/** The parts of the first task: an empty descriptor table, at the root of the first mount. */
export function initialParts(kernel: KernelState, task: Task): void {
  const { root } = kernel.vfs.namespace;
  const place = { mount: root, dentry: root.root };
  task.files = new FdTable();
  task.fs = new FsContext(place, place, 0o022);
  task.group.exe = null;
}

export function fsHooks(_kernel: KernelState): LifecycleHooks {
  return {
    clone(parent: Task, child: Task, flags: number): void {
      if ((flags & CLONE_FILES) !== 0) {
        parent.files.users++;
        child.files = parent.files;
      } else child.files = parent.files.copy();
      if ((flags & CLONE_FS) !== 0) {
        parent.fs.users++;
        child.fs = parent.fs;
      } else child.fs = parent.fs.copy();
      if (child.group !== parent.group) setExe(child.group, parent.group.exe ?? null);
    },
    exec(task: Task): void {
      unshareFiles(task);
      task.files.closeOnExec(task);
    },
    exit(task: Task): void {
      const { files, fs } = task;
      // A clone that failed half-way may lack them.
      if ((files as FdTable | undefined) !== undefined) {
        task.files = new FdTable();
        if (--files.users === 0) files.closeAll(task);
      }
      if ((fs as FsContext | undefined) !== undefined) fs.drop();
    },
    groupExit(group: ThreadGroup): void {
      setExe(group, null);
    },
  };
}

/** Gives the task a descriptor table of its own (exec, unshare(CLONE_FILES), close_range). */
export function unshareFiles(task: Task): void {
  const { files } = task;
  if (files.users === 1) return;
  task.files = files.copy();
  files.users--;
}

/** The same for root, working directory and umask (unshare(CLONE_FS)). */
export function unshareFs(task: Task): void {
  const { fs } = task;
  if (fs.users === 1) return;
  task.fs = fs.copy();
  fs.drop();
}
