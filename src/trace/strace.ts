/**
 * StraceWriter: system calls, signals and exits as lines of strace 6.1, column for column.
 *
 * Only one line is open at a time. When another task has something to say, the open call gets `<unfinished ...>`, and its
 * return is announced by `<... name resumed>` (strace.c: printleader). With more than one task alive, lines begin with the
 * thread id, once at least one other task has shown up.
 */
import { ERRNO_NAMES, ERRNO_TEXTS } from '../abi/errno.js';
import { signalName } from '../abi/signals.js';
import type { ArchName } from '../abi/types.js';
import { absent, type Row } from '../../syscalls/row.js';
import { Call } from './call.js';
import { CallTexts } from './printers/index.js';
import type { StraceStyle } from './style.js';
import { siginfo } from './printers/signals.js';
import { hex, octal } from './text.js';
import type { TraceMemory, TraceSignal, TraceSubject, Tracer } from './tracer.js';

export interface StraceOptions<Subject extends TraceSubject> {
  readonly arch: ArchName;
  readonly memory: (task: Subject) => TraceMemory;
  readonly write: (text: string) => void;
  /** Column of the equals sign (strace -a). */
  readonly column?: number;
  /** `auto`: `[pid 12] ` while more than one task is alive, as on a terminal; `always`: `12    `, as in a file (-o with -f). */
  readonly prefix?: 'auto' | 'always' | 'never';
  /** Which calls to show (strace -e trace=). */
  readonly filter?: (row: Row) => boolean;
  readonly style?: (row: Row) => StraceStyle;
}

interface TaskState {
  call: Call | null;
  column: number;
  previous: string;
}

export class StraceWriter<Subject extends TraceSubject> implements Tracer<Subject> {
  private readonly options: StraceOptions<Subject>;
  private readonly texts = new CallTexts();
  private readonly states = new Map<number, TaskState>();
  /** Thread id of the task whose line is open. */
  private open: number | null = null;

  constructor(options: StraceOptions<Subject>) {
    this.options = options;
  }

  /** Announces a task before its first call, so that prefixes appear from its birth on (strace attaches at fork). */
  attach(task: Subject): void {
    this.state(task);
  }

  enter(task: Subject, row: Row, args: readonly bigint[]): void {
    const state = this.state(task);
    state.call = null;
    if (this.options.filter && !this.options.filter(row)) return;
    const { arch, memory, style } = this.options;
    const call = new Call(row, args, arch, memory(task), style?.(row));
    call.previous = state.previous;
    this.leader(task);
    state.call = call;
    this.put(state, `${row.name}(${this.texts.enter(call)}`);
  }

  leave(task: Subject, row: Row, _args: readonly bigint[], result: number, errno: number): void {
    const state = this.state(task);
    const call = state.call;
    state.previous = row.name;
    if (call === null) return;
    state.call = null;
    this.resume(task, state, row);
    call.result = errno === 0 ? result : -1;
    call.errno = errno;
    this.put(state, `${this.texts.leave(call)}) `);
    this.align(state);
    this.put(state, resultText(call));
    this.end(state);
  }

  signal(task: Subject, { signal, info }: TraceSignal): void {
    this.line(
      task,
      `--- ${signalName(signal)} ${siginfo(new Call(NO_CALL, [], this.options.arch, this.options.memory(task)), info)} ---`,
    );
  }

  stopped(task: Subject, signal: number): void {
    this.line(task, `--- stopped by ${signalName(signal)} ---`);
  }

  /** The call that is open will not return (PTRACE_EVENT_EXIT); `exited` says so itself where nobody has. */
  dying(task: Subject): void {
    const state = this.state(task);
    const call = state.call;
    if (call === null) return;
    state.call = null;
    const other = this.open !== null && this.open !== task.tid ? this.states.get(this.open) : undefined;
    if (other && other.column > 0) this.unfinished(other);
    this.resume(task, state, call.row);
    this.put(state, `${call.complete ? '' : ' <unfinished ...>'}) `);
    this.align(state);
    this.put(state, '= ?');
    this.end(state);
  }

  exited(task: Subject, status: number): void {
    this.dying(task);
    const signal = status & 0x7f;
    const text = `killed by ${signalName(signal)} ${status & 0x80 ? '(core dumped) ' : ''}`;
    this.line(task, signal === 0 ? `+++ exited with ${(status >>> 8) & 0xff} +++` : `+++ ${text}+++`);
    this.states.delete(task.tid);
  }

  private state(task: Subject): TaskState {
    let state = this.states.get(task.tid);
    if (state === undefined) this.states.set(task.tid, (state = { call: null, column: 0, previous: '' }));
    return state;
  }
  private put(state: TaskState, text: string): void {
    state.column += text.length;
    this.options.write(text);
  }
  private align(state: TaskState): void {
    const column = this.options.column ?? 40;
    if (state.column < column) this.put(state, ' '.repeat(column - state.column));
  }
  private end(state: TaskState): void {
    this.options.write('\n');
    state.column = 0;
    this.open = null;
  }
  private unfinished(state: TaskState): void {
    this.options.write(' <unfinished ...>\n');
    state.column = 0;
  }
  /** Closes whatever line is open, and begins one of this task. */
  private leader(task: Subject): void {
    const other = this.open === null ? undefined : this.states.get(this.open);
    if (other && other.column > 0) this.unfinished(other);
    this.open = task.tid;
    const state = this.state(task);
    state.column = 0;
    const prefix = this.options.prefix ?? 'auto';
    if (prefix === 'always') this.put(state, `${String(task.tid).padEnd(5)} `);
    else if (prefix === 'auto' && this.states.size > 1) this.put(state, `[pid ${String(task.tid).padStart(5)}] `);
  }
  private resume(task: Subject, state: TaskState, row: Row): void {
    if (this.open !== task.tid) {
      this.leader(task);
      this.put(state, `<... ${row.name} resumed>`);
    }
    this.open = task.tid;
  }
  private line(task: Subject, text: string): void {
    this.leader(task);
    this.put(this.state(task), text);
    this.end(this.state(task));
  }
}

/** What a signal's text is printed for. */
const NO_CALL = absent('', {}, [], {});

const RESTART_TEXTS: Readonly<Record<number, string>> = {
  512: 'ERESTARTSYS (To be restarted if SA_RESTART is set)',
  513: 'ERESTARTNOINTR (To be restarted)',
  514: 'ERESTARTNOHAND (To be restarted if no handler)',
  516: 'ERESTART_RESTARTBLOCK (Interrupted by signal)',
};

/** `= 3`, `= -1 ENOENT (No such file or directory)`, `= 0x7f0000001000`, `= 0 (Timeout)`. */
export function resultText(call: Call): string {
  const aux = call.aux === '' ? '' : ` (${call.aux})`;
  if (call.ret === 'none') return '= ?';
  if (call.failed) {
    const restart = RESTART_TEXTS[call.errno];
    if (restart !== undefined) return `= ? ${restart}${aux}`;
    const name = ERRNO_NAMES[call.errno];
    return `${name === undefined ? `= -1 (errno ${call.errno})` : `= -1 ${name} (${ERRNO_TEXTS[call.errno]})`}${aux}`;
  }
  const value =
    call.ret === 'addr' || call.ret === 'hex'
      ? hex(call.result)
      : call.ret === 'fd'
        ? call.fd(call.result)
        : call.ret === 'mode'
          ? octal(call.result)
          : String(call.result);
  return `= ${value}${aux}`;
}
