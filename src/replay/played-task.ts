/** A task of the recording while it is played. */
import type { ScriptThread } from '../platform/script/thread.js';
import type { Task } from '../../sched/task.js';
import type { Row } from '../../syscalls/row.js';
import type { Call } from '../trace/call.js';
import type { Encoder } from '../trace/parse/encode.js';
import type { TraceEvent } from '../trace/parse/line.js';
import type { Term } from '../trace/parse/term.js';
import { Arena } from './arena.js';

export type EndEvent = Extract<TraceEvent, { kind: 'call' | 'resumed' }>;
export type BeginEvent = Extract<TraceEvent, { kind: 'call' | 'unfinished' | 'lost' }>;
export type SignalEvent = Extract<TraceEvent, { kind: 'signal' }>;

/** A call under way. */
export interface Playing {
  readonly row: Row;
  readonly call: Call;
  readonly entered: string;
  readonly args: readonly bigint[];
  readonly terms: readonly Term[];
  done: boolean;
  text: string;
}

export class PlayedTask {
  readonly pid: number;
  readonly task: Task;
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
    this.arena = new Arena(index);
  }
  /** Another one after an execve that left a shared address space. */
  get thread(): ScriptThread {
    return this.task.thread as ScriptThread;
  }
}
