/**
 * Recorder: a tracer that tells everything, in full, as events of text.
 *
 * The last call that has entered is held back until it leaves or something else happens, so that most calls are one event; and
 * that event is told when the guest runs again.
 */
import { signalName } from '../abi/signals.js';
import type { ArchName } from '../abi/types.js';
import type { Row } from '../../syscalls/row.js';
import type { Task } from '../../sched/task.js';
import { KernelBuffer } from '../../fs/guest-buffer.js';
import { describeFile } from '../../fs/procfs/process-files.js';
import { Call } from './call.js';
import type { EventSink } from './events.js';
import { KnownCalls, NotedMemory, type Knowledge } from './known-calls.js';
import { siginfo } from './printers/signals.js';
import { NO_CALL, resultText } from './strace.js';
import { RECORD_STYLE } from './style.js';
import type { TraceMemory, TraceSignal, Tracer } from './tracer.js';

export interface RecorderOptions {
  readonly arch: ArchName;
  readonly memory: (task: Task) => TraceMemory;
  readonly nowNs: () => number;
  readonly sinks: readonly EventSink[];
}

interface State extends Knowledge {
  tid: number;
  call: Call | null;
  name: string;
  /** Its arguments, as far as they are known. */
  text: string;
  at: number;
  /** Once it has left. */
  left: Call | null;
  took: number;
  tampered: number;
  previous: string;
  /** Who woke its sleep last, and when. */
  wokenBy: number;
  wokenAt: number;
}

/** Calls that move bytes of files without showing them: which argument the file is, and which points to the offset in it. */
const MOVERS: Readonly<Record<string, { fd: number; offset: number } | undefined>> = {
  sendfile: { fd: 1, offset: 2 },
  copy_file_range: { fd: 0, offset: 1 },
  splice: { fd: 0, offset: 1 },
};
const PIECE = 1 << 20;

export class Recorder implements Tracer<Task> {
  private readonly options: RecorderOptions;
  private readonly calls = new KnownCalls();
  private readonly states = new Map<Task, State>();
  private readonly startNs: number;
  /** Those that want to know what was moved. */
  private readonly contents: readonly EventSink[];
  /** Whose enter is held back. */
  private held: State | null = null;
  /** Whose call has left and is yet to be told of. */
  private due: State | null = null;

  constructor(options: RecorderOptions) {
    this.options = options;
    this.startNs = options.nowNs();
    this.contents = options.sinks.filter((sink) => sink.moved !== undefined);
  }

  enter(task: Task, row: Row, args: readonly bigint[]): void {
    const state = this.state(task);
    this.release();
    // What is launched has no memory of its own yet.
    state.memory.plain = this.options.memory(task);
    const call = new Call(row, args, this.options.arch, state.memory, RECORD_STYLE);
    call.previous = state.previous;
    state.call = call;
    state.name = row.name;
    state.text = this.calls.enter(call, state);
    this.held = state;
    state.at = this.now();
  }

  leave(task: Task, row: Row, _args: readonly bigint[], result: number, errno: number, tampered = 0): void {
    const now = this.now();
    const state = this.state(task);
    const { call } = state;
    this.afterwards();
    state.previous = row.name;
    if (call === null) return;
    state.call = null;
    call.result = errno === 0 ? result : -1;
    call.errno = errno;
    if (result > 0 && errno === 0 && this.contents.length > 0) this.moved(task, call, result);
    const rest = this.calls.leave(call, tampered, state);
    const { leave } = state;
    const took = now - state.at;
    if (this.held === state) {
      this.held = null;
      state.text = leave === null ? state.text + rest : leave.whole;
      state.left = call;
      state.took = took;
      state.tampered = tampered;
      this.due = state;
      return;
    }
    this.release();
    const ret = leave?.outcome ?? resultText(call, tampered);
    for (const sink of this.options.sinks) sink.leave(task.tid, now, took, row.name, rest, ret);
  }

  signal(task: Task, { signal, info }: TraceSignal): void {
    this.release();
    const { arch, memory } = this.options;
    const text = siginfo(new Call(NO_CALL, [], arch, memory(task), RECORD_STYLE), info);
    const at = this.now();
    for (const sink of this.options.sinks) sink.signal(task.tid, at, signalName(signal), text);
  }
  stopped(task: Task, signal: number): void {
    this.release();
    const at = this.now();
    for (const sink of this.options.sinks) sink.stop(task.tid, at, signalName(signal));
  }
  exited(task: Task, status: number): void {
    this.release();
    this.states.delete(task);
    const at = this.now();
    for (const sink of this.options.sinks) sink.exit(task.tid, at, status);
  }
  attach(task: Task, by: Task | null): void {
    // An exec may give a task another host thread: it is no new one.
    if (this.states.has(task)) return;
    this.release();
    this.state(task);
    const thread = task.group.leader !== task;
    const at = this.now();
    for (const sink of this.options.sinks) sink.task(task.tid, by?.tid ?? 0, at, thread);
  }
  waking(task: Task, by: Task | null): void {
    const state = this.state(task);
    state.wokenBy = by?.tid ?? 0;
    state.wokenAt = this.now();
  }
  woke(task: Task): void {
    const { wokenBy, wokenAt, call } = this.state(task);
    if (call === null) return;
    this.release();
    const [first] = call.row.args;
    const file = first?.kind === 'fd' ? task.files.find(Number(BigInt.asIntN(32, call.args[0]))) : undefined;
    const on = file === undefined ? '' : describeFile(file, task);
    for (const sink of this.options.sinks) sink.wake(task.tid, wokenBy, wokenAt, on);
  }
  end(): void {
    this.release();
    const at = this.now();
    for (const sink of this.options.sinks) sink.end(at);
  }

  /** Tells of the call that has left. */
  afterwards(): void {
    const { due } = this;
    if (due === null) return;
    this.due = null;
    const { tid, at, took, name, text, leave } = due;
    const ret = leave?.outcome ?? resultText(due.left!, due.tampered);
    due.left = null;
    for (const sink of this.options.sinks) sink.call(tid, at, took, name, text, ret, leave);
  }
  /** Tells of the call that is held back: nothing else may come before it, and a reader may be waiting. */
  release(): void {
    this.afterwards();
    const { held } = this;
    if (held === null) return;
    this.held = null;
    for (const sink of this.options.sinks) sink.enter(held.tid, held.at, held.name, held.text);
  }

  /** What the call took from a regular file. The call's own text has only how much. */
  private moved(task: Task, { row, args }: Call, length: number): void {
    const places = MOVERS[row.name];
    if (places === undefined) return;
    const fd = Number(BigInt.asIntN(32, args[places.fd]));
    const pointer = Number(args[places.offset]);
    const file = task.files.find(fd);
    if (file?.inode.isRegular !== true) return;
    let offset = (pointer === 0 ? file.position : task.mm.readI64(pointer)) - length;
    for (let left = length; left > 0;) {
      const piece = new Uint8Array(Math.min(left, PIECE));
      const into = new KernelBuffer(piece, task.mm.platform.physical, 0, piece.length);
      const got = file.read(task, into, offset);
      if (got <= 0) return;
      const at = this.now();
      for (const sink of this.contents) sink.moved!(task.tid, at, fd, offset, piece.subarray(0, got));
      offset += got;
      left -= got;
    }
  }

  private now(): number {
    return this.options.nowNs() - this.startNs;
  }
  private state(task: Task): State {
    let state = this.states.get(task);
    if (state === undefined) {
      state = {
        tid: task.tid,
        call: null,
        name: '',
        text: '',
        at: 0,
        left: null,
        took: 0,
        tampered: 0,
        previous: '',
        memory: new NotedMemory(this.options.memory(task)),
        row: null,
        enter: null,
        leave: null,
        wokenBy: 0,
        wokenAt: 0,
      };
      this.states.set(task, state);
    }
    // An exec may have given it its leader's.
    state.tid = task.tid;
    return state;
  }
}
