/** A task of the recording while it is played. */
import type { ScriptThread } from '../platform/script/thread.js';
import type { Task } from '../../sched/task.js';
import type { Call } from '../trace/call.js';
import type { Encoder } from '../trace/parse/encode.js';
import type { Outcome, TraceEvent } from '../trace/parse/line.js';
import type { Term } from '../trace/parse/term.js';
import { taskMemory } from '../trace/task-memory.js';
import type { TraceMemory } from '../trace/tracer.js';
import { Arena } from './arena.js';
import type { RowPlan } from './row-plan.js';

export type EndEvent = Extract<TraceEvent, { kind: 'call' | 'resumed' }>;
export type BeginEvent = Extract<TraceEvent, { kind: 'call' | 'unfinished' | 'lost' }>;
export type SignalEvent = Extract<TraceEvent, { kind: 'signal' }>;

/** A call under way. */
export interface Playing {
  readonly plan: RowPlan;
  readonly call: Call;
  readonly terms: readonly Term[];
  /** Its end is compared as soon as it has come, so that memory still tells. */
  readonly direct: boolean;
  /** What its end tells, as far as that has been read already. */
  readonly recorded: Outcome | null;
  done: boolean;
  /** It returned something else, but would have found what was recorded, had it been woken a little later. */
  foundLater: boolean;
  /** Its arguments as they were printed when it began, and when it had returned; null: nobody has asked. */
  entered: string | null;
  text: string | null;
}

/** So many parts have room in an address space. */
const MOST_AT_ONCE = 16_384;

export class PlayedTask {
  /** As recorded; 0 as long as the text shows none. */
  pid: number;
  readonly task: Task;
  readonly memory: TraceMemory;
  readonly arena: Arena;
  encoder: Encoder | null = null;
  next: { nr: number; args: readonly bigint[]; sigreturn: boolean } | null = null;
  playing: Playing | null = null;
  /** What is yet to be compared with the call under way. */
  awaited: EndEvent | null = null;
  backlog: TraceEvent[] = [];
  signals: string[] = [];
  /** The exit that its last line completes. */
  last: BeginEvent | null = null;
  /** Wait status of its end. */
  status: number | null = null;
  lost = false;

  constructor(pid: number, task: Task, index: number) {
    this.pid = pid;
    this.task = task;
    this.memory = taskMemory(task);
    this.arena = new Arena(index % MOST_AT_ONCE);
  }
  /** Another one after an execve that left a shared address space. */
  get thread(): ScriptThread {
    return this.task.thread as ScriptThread;
  }
}
