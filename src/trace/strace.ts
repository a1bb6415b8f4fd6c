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
import { touches } from './path-filter.js';
import { CallTexts } from './printers/index.js';
import { siginfo } from './printers/signals.js';
import { DEFAULT_SETTINGS, type Status, type StraceSettings } from './settings.js';
import { Stamps, spentText, type TraceClock } from './stamps.js';
import { hex, octal, unsigned } from './text.js';
import { DELAYED, INJECTED, type TraceMemory, type TraceSignal, type TraceSubject, type Tracer } from './tracer.js';

export interface StraceOptions<Subject extends TraceSubject> extends Partial<StraceSettings> {
  readonly arch: ArchName;
  readonly memory: (task: Subject) => TraceMemory;
  /** Takes text of the task `tid`, which matters if every one has a file (`separately`). */
  readonly write: (text: string, tid: number) => void;
  /** `auto`: `[pid 12] ` while more than one task is alive, as on a terminal; `always`: `12    `, as in a file (-o with -f). */
  readonly prefix?: 'auto' | 'always' | 'never';
  /** For times; without it there are none. */
  readonly clock?: TraceClock | undefined;
}

interface TaskState {
  tid: number;
  call: Call | null;
  column: number;
  previous: string;
  /** Number of the call made last. */
  number: number;
  enteredNs: number;
  /** The line so far, while it is not known whether it will be shown. */
  staged: string | null;
}

export class StraceWriter<Subject extends TraceSubject> implements Tracer<Subject> {
  private readonly options: StraceOptions<Subject> & StraceSettings;
  private readonly texts = new CallTexts();
  private readonly states = new Map<number, TaskState>();
  private readonly stamps: Stamps | null;
  /** Thread id of the task whose line is open. */
  private open: number | null = null;

  constructor(options: StraceOptions<Subject>) {
    this.options = { ...DEFAULT_SETTINGS, ...options };
    const { clock, absolute, relative } = this.options;
    this.stamps = clock && (absolute !== null || relative !== null) ? new Stamps(clock, this.options) : null;
  }

  /** Announces a task before its first call, so that prefixes appear from its birth on (strace attaches at fork). */
  attach(task: Subject): void {
    this.state(task);
  }

  enter(task: Subject, row: Row, args: readonly bigint[]): void {
    const { arch, memory, traced, style, paths, statuses, numbers, spent, clock } = this.options;
    const state = this.state(task);
    state.call = null;
    if (numbers) state.number = numberOf(row, arch);
    if (!traced(row)) return;
    const call = new Call(row, args, arch, memory(task), style(row));
    if (paths.size > 0 && !touches(call, paths)) return;
    call.previous = state.previous;
    if (statuses !== null) state.staged = '';
    this.leader(task);
    state.call = call;
    this.put(state, `${row.name}(${this.texts.enter(call)}`);
    if (spent !== null && clock) state.enteredNs = clock.monotonicNs();
  }

  leave(task: Subject, row: Row, _args: readonly bigint[], result: number, errno: number, tampered = 0): void {
    const { spent, clock } = this.options;
    const state = this.state(task);
    const call = state.call;
    state.previous = row.name;
    if (call === null) return;
    const leftNs = spent !== null && clock ? clock.monotonicNs() : 0;
    state.call = null;
    this.resume(task, state, row);
    call.result = errno === 0 ? result : -1;
    call.errno = errno;
    this.put(state, `${this.texts.leave(call)}) `);
    if (!this.publish(state, errno === 0 ? 'successful' : 'failed')) return;
    this.align(state);
    this.put(state, resultText(call, tampered));
    if (spent !== null && clock) this.put(state, ` ${spentText(leftNs - state.enteredNs, spent)}`);
    this.end(state);
  }

  signal(task: Subject, { signal, info }: TraceSignal): void {
    const { arch, memory, signals, style } = this.options;
    if (!signals(signal)) return;
    const text = siginfo(new Call(NO_CALL, [], arch, memory(task), style(NO_CALL)), info);
    this.line(task, `--- ${signalName(signal)} ${text} ---`);
  }

  stopped(task: Subject, signal: number): void {
    if (this.options.signals(signal)) this.line(task, `--- stopped by ${signalName(signal)} ---`);
  }

  /** The call that is open will not return (PTRACE_EVENT_EXIT); `exited` says so itself where nobody has. */
  dying(task: Subject): void {
    const state = this.state(task);
    const call = state.call;
    if (call === null) return;
    state.call = null;
    const other =
      this.open !== null && this.open !== task.tid && !this.options.separately ? this.states.get(this.open) : undefined;
    if (other && other.column > 0) this.unfinished(other);
    this.resume(task, state, call.row);
    this.put(state, `${call.complete ? '' : ' <unfinished ...>'}) `);
    if (!this.publish(state, 'unfinished')) return;
    this.align(state);
    this.put(state, '= ?');
    this.end(state);
  }

  exited(task: Subject, status: number): void {
    this.dying(task);
    const signal = status & 0x7f;
    const { supersededBy } = task;
    if (supersededBy !== undefined) {
      if (this.options.superseded) this.line(task, `+++ superseded by execve in pid ${supersededBy} +++`);
      this.rename(supersededBy, task.tid);
      return;
    }
    if (signal === 0) {
      if (this.options.exits) this.line(task, `+++ exited with ${(status >>> 8) & 0xff} +++`);
    } else if (this.options.signals(signal)) {
      this.line(task, `+++ killed by ${signalName(signal)} ${status & 0x80 ? '(core dumped) ' : ''}+++`);
    }
    this.states.delete(task.tid);
  }

  /** The thread `from` goes on as `to`, in the middle of its execve. */
  private rename(from: number, to: number): void {
    const state = this.states.get(from);
    if (this.open === from) this.open = to;
    this.states.delete(from);
    this.states.delete(to);
    if (state === undefined) return;
    state.tid = to;
    this.states.set(to, state);
  }
  private state({ tid }: Subject): TaskState {
    let state = this.states.get(tid);
    if (state === undefined) {
      state = { tid, call: null, column: 0, previous: '', number: 0, enteredNs: 0, staged: null };
      this.states.set(tid, state);
    }
    return state;
  }
  private put(state: TaskState, text: string): void {
    state.column += text.length;
    if (state.staged === null) this.options.write(text, state.tid);
    else state.staged += text;
  }
  /** Shows the line kept so far, or forgets it. */
  private publish(state: TaskState, status: Status): boolean {
    const { staged } = state;
    if (staged === null) return true;
    state.staged = null;
    if (this.options.statuses!.has(status)) {
      this.options.write(staged, state.tid);
      return true;
    }
    state.column = 0;
    this.open = null;
    return false;
  }
  private align(state: TaskState): void {
    const { column } = this.options;
    if (state.column < column) this.put(state, ' '.repeat(column - state.column));
  }
  private end(state: TaskState): void {
    this.put(state, '\n');
    state.column = 0;
    this.open = null;
  }
  private unfinished(state: TaskState): void {
    this.put(state, ' <unfinished ...>\n');
    state.column = 0;
  }
  /** Closes whatever line is open, and begins one of this task. */
  private leader(task: Subject): void {
    const { separately, prefix = 'auto', numbers } = this.options;
    const state = this.state(task);
    const other = separately ? state : this.open === null ? undefined : this.states.get(this.open);
    if (other && other.column > 0 && state.staged === null) this.unfinished(other);
    this.open = task.tid;
    state.column = 0;
    if (separately || prefix === 'never') {
      // The file's name, or the caller, says who it is.
    } else if (prefix === 'always') this.put(state, `${String(task.tid).padEnd(5)} `);
    else if (this.states.size > 1) this.put(state, `[pid ${String(task.tid).padStart(5)}] `);
    if (this.stamps !== null) this.put(state, this.stamps.next());
    if (numbers) this.put(state, `[${String(state.number).padStart(4)}] `);
  }
  private resume(task: Subject, state: TaskState, row: Row): void {
    if (this.open !== task.tid && state.staged === null && !this.options.separately) {
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

/** The number a row has; one without a row carries it in its name. */
function numberOf(row: Row, arch: ArchName): number {
  return row.numbers[arch] ?? Number(/^syscall_(0x[0-9a-f]+)$/.exec(row.name)?.[1] ?? 0);
}

/** What a signal's text is printed for. */
export const NO_CALL = absent('', {}, [], {});

/** What never reaches a program: the call is made again, or fails with EINTR. */
export const RESTART_TEXTS: Readonly<Record<number, string>> = {
  512: 'ERESTARTSYS (To be restarted if SA_RESTART is set)',
  513: 'ERESTARTNOINTR (To be restarted)',
  514: 'ERESTARTNOHAND (To be restarted if no handler)',
  516: 'ERESTART_RESTARTBLOCK (Interrupted by signal)',
};

/** `= 3`, `= -1 ENOENT (No such file or directory)`, `= 0x7f0000001000`, `= 0 (Timeout)`, `= 1 (INJECTED) (DELAYED)`. */
export function resultText(call: Call, tampered = 0): string {
  const aux = call.aux === '' ? '' : ` (${call.aux})`;
  const injected = (tampered & INJECTED) === 0 ? '' : ' (INJECTED)';
  const delayed = (tampered & DELAYED) === 0 ? '' : ' (DELAYED)';
  if (call.ret === 'none' && injected === '') return `= ?${delayed}`;
  // A success has the comment before the mark, an error after it.
  if (call.failed) return `= ${errorText(call.errno)}${injected}${aux}${delayed}`;
  const value =
    call.ret === 'addr' || call.ret === 'hex'
      ? hex(call.result)
      : call.ret === 'fd'
        ? call.fd(call.result)
        : call.ret === 'mode'
          ? octal(call.result)
          : call.ret === 'uid' && call.result < 0
            ? unsigned(BigInt(call.result))
            : String(call.result);
  return `= ${value}${aux}${injected}${delayed}`;
}

function errorText(errno: number): string {
  const restart = RESTART_TEXTS[errno];
  if (restart !== undefined) return `? ${restart}`;
  const name = ERRNO_NAMES[errno];
  return name === undefined ? `-1 (errno ${errno})` : `-1 ${name} (${ERRNO_TEXTS[errno]})`;
}
