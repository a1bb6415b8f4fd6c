/**
 * The tracing of one run as the command line asks for it: strace text, a summary table, or both at once.
 *
 * The execve that starts process 1 is no system call of a guest; strace shows it, so it is announced here with the strings the
 * kernel was given. Text is buffered and written to the sink in pieces of 64 KiB and at the end.
 */
import type { ArchName } from '../abi/types.js';
import type { Row } from '../../syscalls/row.js';
import type { Task } from '../../sched/task.js';
import { Call } from './call.js';
import type { EventSink } from './events.js';
import { touches } from './path-filter.js';
import { Recorder } from './recorder.js';
import { DEFAULT_SETTINGS, DEFAULT_SUMMARY, type StraceSettings } from './settings.js';
import type { TraceClock } from './stamps.js';
import { StraceWriter } from './strace.js';
import { Summary } from './summary.js';
import { taskMemory } from './task-memory.js';
import type { TextSink } from './text-sink.js';
import type { TaskTracer, TraceMemory, TraceSignal, Tracer } from './tracer.js';

/** argv and its strings laid out at made-up addresses. */
export class LaunchMemory implements TraceMemory {
  private readonly bytes: Uint8Array;
  private readonly base: number;
  readonly path: bigint;
  readonly argv: bigint;
  readonly envp: bigint;

  constructor(base: number, path: string, argv: readonly string[], envp: readonly string[]) {
    this.base = base;
    const strings = [path, ...argv, ...envp];
    const pointers = argv.length + envp.length + 2;
    const size = 8 * pointers + strings.reduce((sum, text) => sum + text.length + 1, 0);
    this.bytes = new Uint8Array(size);
    const view = new DataView(this.bytes.buffer);
    let at = 8 * pointers;
    let slot = 0;
    const place = (text: string): bigint => {
      const address = BigInt(base + at);
      this.bytes.set(Buffer.from(`${text}\0`, 'latin1'), at);
      at += text.length + 1;
      return address;
    };
    const array = (texts: readonly string[]): bigint => {
      const address = BigInt(base + 8 * slot);
      for (const text of texts) view.setBigUint64(8 * slot++, place(text), true);
      slot++;
      return address;
    };
    this.path = place(path);
    this.argv = array(argv);
    this.envp = array(envp);
  }
  read(addr: number, length: number): Uint8Array | null {
    const at = addr - this.base;
    if (at < 0 || at >= this.bytes.length) return null;
    // Strings are read in pieces that go beyond their end.
    const bytes = new Uint8Array(length);
    bytes.set(this.bytes.subarray(at, at + length));
    return bytes;
  }
}

export interface TraceSessionOptions {
  arch: ArchName;
  clock: TraceClock;
  /** What is shown, and how; absent: as strace -f does. */
  settings?: StraceSettings | undefined;
  /** Where lines go; null with -ff, which has a sink for each thread id. */
  strace: TextSink | null;
  separate?: ((tid: number) => TextSink) | undefined;
  /** Lines go to a file: every one begins with the thread id, as with strace -f -o. */
  toFile: boolean;
  summary: TextSink | null;
  /** What wants everything as events, and their texts' way out. */
  events?: readonly EventSink[];
  eventTexts?: readonly TextSink[];
  /** For the header of a recording. */
  cwd?: string;
}

export class TraceSession implements TaskTracer {
  private readonly options: TraceSessionOptions;
  private readonly tracers: Tracer<Task>[] = [];
  private readonly writer: StraceWriter<Task> | null = null;
  private readonly table: Summary<Task> | null = null;
  /** Where the table is written at the end. */
  private readonly tableSinks: TextSink[] = [];
  private readonly sinks = new Map<number, TextSink>();
  private readonly recorder: Recorder | null = null;
  private launching: LaunchMemory | null = null;
  readonly waking: ((task: Task, by: Task | null) => void) | undefined;
  readonly woke: ((task: Task) => void) | undefined;
  readonly afterwards: (() => void) | undefined;

  constructor(options: TraceSessionOptions) {
    this.options = options;
    const { arch, strace, separate, summary, clock, toFile, settings = DEFAULT_SETTINGS } = options;
    const memory = (task: Task): TraceMemory => this.launching ?? taskMemory(task);
    if ((strace !== null || separate !== undefined) && settings.lines) {
      const write = (text: string, tid: number): void => (strace ?? this.sinkOf(tid)).add(text);
      const prefix = toFile ? 'always' : 'auto';
      this.writer = new StraceWriter<Task>({ ...settings, arch, memory, write, prefix, clock });
      this.tracers.push(this.writer);
    }
    if (strace !== null && settings.summary !== null) this.tableSinks.push(strace);
    if (summary !== null) this.tableSinks.push(summary);
    if (this.tableSinks.length > 0) {
      const { traced, paths } = settings;
      this.table = new Summary<Task>({
        nowNs: () => clock.monotonicNs(),
        settings: settings.summary ?? DEFAULT_SUMMARY,
        counted: (task, row, args) =>
          traced(row) && (paths.size === 0 || touches(new Call(row, args, arch, memory(task)), paths)),
      });
      this.tracers.push(this.table);
    }
    const { events = [], eventTexts = [] } = options;
    if (events.length === 0) return;
    const recorder = new Recorder({ arch, memory, nowNs: () => clock.monotonicNs(), sinks: events });
    this.recorder = recorder;
    this.tracers.push(recorder);
    this.afterwards = () => recorder.afterwards();
    this.waking = (task, by) => recorder.waking(task, by);
    this.woke = (task) => recorder.woke(task);
    for (const texts of eventTexts) texts.onLate = () => recorder.release();
  }

  private sinkOf(tid: number): TextSink {
    let sink = this.sinks.get(tid);
    if (sink === undefined) this.sinks.set(tid, (sink = this.options.separate!(tid)));
    return sink;
  }

  /** Process 1 was started: shows its execve. */
  launched(task: Task, row: Row, path: string, argv: readonly string[], envp: readonly string[]): void {
    const { arch, clock, cwd = '/', events = [] } = this.options;
    const { sec, nsec } = clock.realtime();
    const started = String(BigInt(sec) * 1_000_000_000n + BigInt(nsec));
    for (const sink of events) sink.start({ arch, pageSize: task.mm.platform.pageSize, argv, env: envp, cwd, started });
    const memory = new LaunchMemory(task.regs.sp, path, argv, envp);
    this.launching = memory;
    const args = [memory.path, memory.argv, memory.envp];
    this.enter(task, row, args);
    this.launching = null;
    this.leave(task, row, args, 0, 0);
  }

  enter(task: Task, row: Row, args: readonly bigint[]): void {
    for (const tracer of this.tracers) tracer.enter(task, row, args);
  }
  leave(task: Task, row: Row, args: readonly bigint[], result: number, errno: number, tampered = 0): void {
    for (const tracer of this.tracers) tracer.leave(task, row, args, result, errno, tampered);
  }
  signal(task: Task, signal: TraceSignal): void {
    for (const tracer of this.tracers) tracer.signal(task, signal);
  }
  stopped(task: Task, signal: number): void {
    for (const tracer of this.tracers) tracer.stopped(task, signal);
  }
  exited(task: Task, status: number): void {
    for (const tracer of this.tracers) tracer.exited(task, status);
    this.sinks.get(task.tid)?.flush();
    this.sinks.delete(task.tid);
  }
  /** A new task, so that lines carry thread ids from its birth on. */
  attach(task: Task, by: Task | null): void {
    this.writer?.attach(task);
    this.recorder?.attach(task, by);
  }

  /** The run is over: writes what is left. */
  finish(): void {
    this.recorder?.end();
    if (this.table !== null) for (const sink of this.tableSinks) sink.add(this.table.toString());
    this.options.summary?.flush();
    this.flush();
  }
  /** Writes what there is. */
  flush(): void {
    this.recorder?.release();
    for (const texts of this.options.eventTexts ?? []) texts.flush();
    for (const sink of this.sinks.values()) sink.flush();
    this.options.strace?.flush();
  }
}
