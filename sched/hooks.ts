/**
 * Where higher layers take part in the life of a task without sched importing them. Registered once at boot, run in
 * registration order (exit hooks in reverse).
 */
import type { Task } from './task.js';
import type { ThreadGroup } from './thread-group.js';

export interface LifecycleHooks {
  /** A child task was made from `parent` with CLONE_ `flags`; may throw (the child is discarded, its exit hooks run). */
  clone?(parent: Task, child: Task, flags: number): void;
  /** The point of no return of execve: close-on-exec, credentials. */
  exec?(task: Task): void;
  /** A task ends (before its parent can see it). */
  exit?(task: Task): void;
  /** The last thread of a group ended. */
  groupExit?(group: ThreadGroup): void;
}

export class Hooks {
  private readonly list: LifecycleHooks[] = [];

  register(hooks: LifecycleHooks): void {
    this.list.push(hooks);
  }
  clone(parent: Task, child: Task, flags: number): void {
    for (const hooks of this.list) hooks.clone?.(parent, child, flags);
  }
  exec(task: Task): void {
    for (const hooks of this.list) hooks.exec?.(task);
  }
  exit(task: Task): void {
    for (let i = this.list.length - 1; i >= 0; i--) this.list[i].exit?.(task);
  }
  groupExit(group: ThreadGroup): void {
    for (let i = this.list.length - 1; i >= 0; i--) this.list[i].groupExit?.(group);
  }
}
