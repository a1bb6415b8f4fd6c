/** PlayedTasks: which task of the kernel plays which of the recording. Those that have ended are forgotten. */
import type { Task } from '../../sched/task.js';
import type { ScriptThread } from '../platform/script/thread.js';
import type { TraceEvent } from '../trace/parse/line.js';
import type { Identities } from './identities.js';
import { PlayedTask } from './played-task.js';

export class PlayedTasks {
  /** How many there were. */
  count = 0;
  /** Whose call is being made. */
  acting: PlayedTask | null = null;
  private readonly ids: Identities;
  private readonly script: boolean;
  private readonly byPid = new Map<number, PlayedTask>();
  private readonly byTask = new Map<Task, PlayedTask>();
  private readonly byThread = new Map<ScriptThread, PlayedTask>();
  /** Tasks that were made and have not said anything yet, oldest first. */
  private readonly unbound: { task: Task; parent: PlayedTask | null }[] = [];
  private only: PlayedTask | null = null;

  constructor(ids: Identities, script: boolean) {
    this.ids = ids;
    this.script = script;
  }

  get size(): number {
    return this.byPid.size;
  }
  [Symbol.iterator](): IterableIterator<PlayedTask> {
    return this.byPid.values();
  }
  ofTask(task: Task): PlayedTask | undefined {
    return this.byTask.get(task);
  }
  ofThread(thread: ScriptThread): PlayedTask | undefined {
    return this.byThread.get(thread) ?? this.moved(thread);
  }
  /** A task was made by the call that is under way. */
  made(task: Task): void {
    // An execve that leaves a shared address space makes it known again, on another thread.
    if (!this.byTask.has(task)) this.unbound.push({ task, parent: this.acting });
  }
  /** One that makes the first task of the recording, and is none of it. */
  addParent(played: PlayedTask): void {
    this.byThread.set(played.thread, played);
  }
  /** Whose event it is; null if no call has made such a task. */
  of(event: TraceEvent): PlayedTask | null {
    const { pid } = event;
    if (pid === 0) {
      if (this.only !== null && !this.only.lost && this.only.status === null) return this.only;
      for (const played of this.byPid.values()) if (played.status === null) return (this.only = played);
    }
    const known = this.byPid.get(pid);
    if (known !== undefined) return known;
    // strace shows pids once there are several tasks: lines without one were the first one's.
    const nameless = this.byPid.get(0);
    const mine = event.kind === 'resumed' || this.unbound.length === 0;
    if (nameless !== undefined && !this.script && mine && this.ids.pidNow(pid) === undefined) {
      this.byPid.delete(0);
      this.byPid.set(pid, nameless);
      nameless.pid = pid;
      this.ids.bindPid(pid, nameless.task.tid);
      return nameless;
    }
    // A task may speak before its clone returns: then it is none that another clone has told of.
    const wanted = this.ids.pidNow(pid);
    const fits = ({ tid }: Task): boolean => (wanted === undefined ? !this.ids.hasPid(tid) : tid === wanted);
    const at = Math.max(
      0,
      this.unbound.findIndex(({ task }) => fits(task)),
    );
    const next = this.unbound.at(at);
    if (next === undefined) return null;
    this.unbound.splice(at, 1);
    const bound = this.bind(pid, next.task, next.parent);
    if (pid === 0) this.only = bound;
    return bound;
  }
  /** The events of a task that nobody has made go to one that ignores them. */
  stray(pid: number, task: Task): PlayedTask {
    const stray = new PlayedTask(pid, task, 0);
    stray.lost = true;
    this.byPid.set(pid, stray);
    return stray;
  }
  /** Its last event has been played: the pid may be another's now. */
  forget(played: PlayedTask): void {
    this.byTask.delete(played.task);
    this.byThread.delete(played.thread);
    if (this.byPid.get(played.pid) === played) this.byPid.delete(played.pid);
    if (this.only === played) this.only = null;
  }

  private bind(pid: number, task: Task, parent: PlayedTask | null): PlayedTask {
    const played = new PlayedTask(pid, task, ++this.count);
    this.byPid.set(pid, played);
    this.byTask.set(task, played);
    this.byThread.set(played.thread, played);
    if (pid !== 0) this.ids.bindPid(pid, task.tid);
    if (parent !== null) this.ids.inherit(task, parent.task);
    return played;
  }
  private moved(thread: ScriptThread): PlayedTask | undefined {
    for (const played of this.byPid.values())
      if (played.thread === thread) {
        this.byThread.set(thread, played);
        return played;
      }
    return undefined;
  }
}
