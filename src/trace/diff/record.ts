/**
 * Recorder: a run as lists of entries, one per task, in a tree of tasks. What levitate-diff compares.
 *
 * Text is made by the printers of strace text, so an entry reads as a trace does; what such text cuts short (buffers of more than
 * 32 bytes) is kept beside it. `at` orders the ends of entries over all tasks of a run.
 */
import { ERRNO_NAMES } from '../../abi/errno.js';
import { SIGINFO } from '../../abi/layouts/signal.js';
import { forArch, readScalar } from '../../abi/layout.js';
import { signalName } from '../../abi/signals.js';
import type { ArchName } from '../../abi/types.js';
import type { ReturnKind, Row } from '../../../syscalls/row.js';
import { Call, viewOf } from '../call.js';
import { DEFAULT_STYLE } from '../style.js';
import { CallTexts } from '../printers/index.js';
import { siginfo } from '../printers/signals.js';
import { NO_CALL, resultText } from '../strace.js';
import type { TraceMemory, TraceSignal, TraceSubject, Tracer } from '../tracer.js';
import { splitArguments } from './texts.js';

export interface CallRecord {
  readonly kind: 'call';
  readonly row: Row;
  /** Registers, in the row's order. */
  readonly raw: readonly bigint[];
  /** What is printed between commas; for most calls one text per argument of the row that is not `unused`. */
  args: readonly string[];
  /** Without the equals sign: `3`, `-1 ENOENT (No such file or directory)`, `?`. */
  result: string;
  value: number;
  /** Its name; '' when the call succeeded. */
  errno: string;
  ret: ReturnKind | 'hex';
  /** False for a call that never came back. */
  returned: boolean;
  /** Bytes of long buffers, by index of the row's argument. */
  data: Map<number, Uint8Array>;
  /** The task that this call made. */
  child: TaskTrace | null;
  at: number;
}

export interface SignalRecord {
  readonly kind: 'signal';
  readonly signal: number;
  readonly code: number;
  readonly text: string;
  at: number;
}

/** A group stop, or the end of the task. */
export interface EventRecord {
  readonly kind: 'stop' | 'exit';
  readonly text: string;
  at: number;
}

export type Entry = CallRecord | SignalRecord | EventRecord;

export interface TaskTrace {
  readonly tid: number;
  readonly parent: TaskTrace | null;
  readonly entries: Entry[];
  readonly children: TaskTrace[];
}

export interface RecorderOptions<Subject extends TraceSubject> {
  readonly arch: ArchName;
  readonly memory: (task: Subject) => TraceMemory;
  /** Names of calls to leave out. */
  readonly ignore?: ReadonlySet<string>;
}

/** Longer buffers are compared by what is printed of them. */
const DATA_LIMIT = 1 << 16;
const IOV_MAX = 1024;
const SIGINFO_CODE = (arch: ArchName): number => forArch(SIGINFO, arch).fields['si_code'].offset;

interface Open {
  readonly call: Call;
  readonly text: string;
  readonly record: CallRecord;
}

export class Recorder<Subject extends TraceSubject> implements Tracer<Subject> {
  /** The first task. */
  root: TaskTrace | null = null;
  private readonly options: RecorderOptions<Subject>;
  private readonly texts = new CallTexts();
  private readonly tasks = new Map<Subject, TaskTrace>();
  private readonly open = new Map<Subject, Open>();
  private readonly previous = new Map<Subject, string>();
  private latest: Subject | null = null;
  private clock = 0;

  constructor(options: RecorderOptions<Subject>) {
    this.options = options;
  }

  /** A new task, made by `parent`; default: by the task that entered a call last. */
  attach(task: Subject, parent: Subject | null = this.latest): void {
    if (!this.tasks.has(task)) this.born(task, parent);
  }

  enter(task: Subject, row: Row, args: readonly bigint[]): void {
    this.latest = task;
    this.trace(task);
    const call = new Call(row, args, this.options.arch, this.options.memory(task));
    call.previous = this.previous.get(task) ?? '';
    const record: CallRecord = {
      kind: 'call',
      row,
      raw: args,
      args: [],
      result: '?',
      value: 0,
      errno: '',
      ret: call.ret,
      returned: false,
      data: new Map(),
      child: null,
      at: this.clock++,
    };
    const text = this.texts.enter(call);
    this.keep(call, record, 'in');
    record.args = splitArguments(text.replace(/, $/, ''));
    this.open.set(task, { call, text, record });
    if (this.options.ignore?.has(row.name) !== true) this.trace(task).entries.push(record);
  }

  leave(task: Subject, row: Row, _args: readonly bigint[], result: number, errno: number): void {
    this.previous.set(task, row.name);
    const open = this.open.get(task);
    if (open === undefined) return;
    this.open.delete(task);
    const { call, record } = open;
    call.result = errno === 0 ? result : -1;
    call.errno = errno;
    const text = open.text + this.texts.leave(call);
    this.keep(call, record, 'out');
    record.args = splitArguments(text);
    record.result = resultText(call).replace(/^= /, '');
    record.value = call.result;
    record.errno = errno === 0 ? '' : (ERRNO_NAMES[errno] ?? (errno >= 512 ? 'ERESTART' : `errno ${errno}`));
    record.ret = call.ret;
    record.returned = true;
    record.at = this.clock++;
  }

  signal(task: Subject, { signal, info }: TraceSignal): void {
    const { arch } = this.options;
    const code = readScalar(viewOf(info), SIGINFO_CODE(arch), 'i32');
    const text = `${signalName(signal)} ${siginfo(new Call(NO_CALL, [], arch, this.options.memory(task)), info)}`;
    this.trace(task).entries.push({ kind: 'signal', signal, code, text, at: this.clock++ });
  }

  stopped(task: Subject, signal: number): void {
    const text = `stopped by ${signalName(signal)}`;
    this.trace(task).entries.push({ kind: 'stop', text, at: this.clock++ });
  }

  exited(task: Subject, status: number): void {
    const signal = status & 0x7f;
    const core = status & 0x80 ? ' (core dumped)' : '';
    const text =
      task.supersededBy !== undefined
        ? 'superseded by execve'
        : signal === 0
          ? `exited with ${(status >>> 8) & 0xff}`
          : `killed by ${signalName(signal)}${core}`;
    this.trace(task).entries.push({ kind: 'exit', text, at: this.clock++ });
    this.open.delete(task);
    this.tasks.delete(task);
    if (this.latest === task) this.latest = null;
  }

  private trace(task: Subject): TaskTrace {
    return this.tasks.get(task) ?? this.born(task, null);
  }
  private born(task: Subject, by: Subject | null): TaskTrace {
    const parent = by === null ? null : (this.tasks.get(by) ?? null);
    const trace: TaskTrace = { tid: task.tid, parent, entries: [], children: [] };
    this.tasks.set(task, trace);
    this.root ??= trace;
    parent?.children.push(trace);
    const making = by === null ? undefined : this.open.get(by);
    if (making !== undefined) making.record.child = trace;
    return trace;
  }

  /** Bytes of buffers of which the text shows only the first. */
  private keep(call: Call, record: CallRecord, dir: 'in' | 'out'): void {
    if (call.failed) return;
    for (const [i, arg] of call.row.args.entries()) {
      if ((arg.kind !== 'buffer' && arg.kind !== 'iovec') || arg.dir !== dir) continue;
      const { length } = arg;
      const given = length === 'ret' ? call.result : 'arg' in length ? Number(call.arg(length.arg)) : length.fixed;
      const bytes = arg.kind === 'buffer' ? buffer(call, call.args[i], given) : pieces(call, call.args[i], given);
      if (bytes !== null && bytes.length > DEFAULT_STYLE.strings) record.data.set(i, bytes.slice());
    }
  }
}

const buffer = (call: Call, addr: bigint, size: number): Uint8Array | null =>
  size > DATA_LIMIT ? null : call.peek(addr, size);

/** The bytes of a scatter list; after the call, as many as its result says. */
function pieces(call: Call, addr: bigint, count: number): Uint8Array | null {
  const list = count > IOV_MAX ? null : call.peek(addr, 16 * count);
  if (list === null) return null;
  const view = viewOf(list);
  const found: Uint8Array[] = [];
  let left = call.exiting ? call.result : Infinity;
  for (let i = 0; i < count && left > 0; i++) {
    const size = Math.min(left, Number(view.getBigUint64(16 * i + 8, true)));
    if (size === 0) continue;
    const bytes = buffer(call, view.getBigUint64(16 * i, true), size);
    if (bytes === null) return null;
    found.push(bytes);
    left -= size;
  }
  return Buffer.concat(found);
}

/** An entry as a line of a trace. */
export function lineOf(entry: Entry): string {
  switch (entry.kind) {
    case 'call':
      return `${entry.row.name}(${entry.args.join(', ')}) = ${entry.result}`;
    case 'signal':
      return `--- ${entry.text} ---`;
    case 'stop':
      return `--- ${entry.text} ---`;
    case 'exit':
      return `+++ ${entry.text} +++`;
  }
}
