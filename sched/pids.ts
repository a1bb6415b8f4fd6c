/**
 * The pid table: one number space for tasks, thread groups, process groups and sessions, allocated cyclically as
 * Linux does (alloc_pid): the next free number above the last one, wrapping at pid_max to 300.
 */
import { EAGAIN, errno } from '../src/abi/errno.js';
import type { ProcessGroup, Session } from './process-group.js';
import type { Task } from './task.js';
import type { ThreadGroup } from './thread-group.js';

const RESERVED_PIDS = 300;

export class PidTable {
  readonly max: number;
  readonly tasks = new Map<number, Task>();
  readonly groups = new Map<number, ThreadGroup>();
  readonly processGroups = new Map<number, ProcessGroup>();
  readonly sessions = new Map<number, Session>();
  private last = 0;

  constructor(max = 32768) {
    this.max = max;
  }

  /** A number that names no task, process group or session; throws EAGAIN when there is none. */
  allocate(): number {
    for (let tries = 0; tries < this.max; tries++) {
      this.last = this.last + 1 >= this.max ? RESERVED_PIDS : this.last + 1;
      if (!this.inUse(this.last)) return this.last;
    }
    throw errno(EAGAIN);
  }
  /** The last number given out (/proc/loadavg). */
  get lastPid(): number {
    return this.last;
  }
  private inUse(pid: number): boolean {
    return this.tasks.has(pid) || this.groups.has(pid) || this.processGroups.has(pid) || this.sessions.has(pid);
  }
}
