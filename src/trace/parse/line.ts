/**
 * Lines of strace: who, when, and which event. Works on the text alone; what a call's arguments mean is read later and only
 * where it is needed.
 */
import { literal } from './value.js';
import { TraceTextError, unescaped, type Term } from './term.js';

/** What follows `) = `. */
export interface Outcome {
  /** As written, without the time of -T. */
  readonly text: string;
  /** Null for `?`. */
  readonly value: bigint | null;
  /** `ENOENT`, or a restart's name; '' for success. */
  readonly error: string;
  /** What stands in <> behind a descriptor. */
  readonly note: string;
  /** What stands in parentheses behind a success: `(Timeout)`, `([{fd=3, revents=POLLIN}])`. */
  readonly aux: string;
  readonly injected: boolean;
  /** Nanoseconds in the call (-T), or -1. */
  readonly took: number;
  /** Of scripts, where `value` is null: `success` whatever it is, or the variable that it equals. */
  readonly expects?: string;
}

export type TraceEvent = {
  /** 0: the line does not say. */
  readonly pid: number;
  /** Nanoseconds of the clock that the lines show; -1: they show none. */
  readonly time: number;
  /** From 1. */
  readonly line: number;
} & (
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: string;
      readonly column: number;
      /** The variable that takes the result, in scripts. */
      readonly keep?: string;
      readonly outcome: Outcome;
    }
  | { readonly kind: 'unfinished'; readonly name: string; readonly args: string; readonly column: number }
  | {
      readonly kind: 'resumed';
      readonly name: string;
      readonly args: string;
      readonly column: number;
      readonly outcome: Outcome;
    }
  /** A call that never returned: exit, or the death of a sleeper. */
  | {
      readonly kind: 'lost';
      readonly name: string;
      readonly args: string;
      readonly column: number;
      readonly resumed: boolean;
    }
  | { readonly kind: 'signal'; readonly signal: string; readonly info: string }
  | { readonly kind: 'stopped'; readonly signal: string }
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string; readonly core: boolean }
  /** A thread took over its group by execve: `+++ superseded by execve in pid 7 +++`. */
  | { readonly kind: 'superseded'; readonly by: number }
  /** A line of a script that is no call. */
  | { readonly kind: 'directive'; readonly directive: { readonly name: string; readonly terms: readonly Term[] } }
  /** strace's own messages. */
  | { readonly kind: 'note'; readonly text: string }
);

const UNFINISHED = ' <unfinished ...>';
const PREFIX = /^(?:\[pid +(\d+)\] |(\d+) +)?(?:(\d+\.\d+) |(\d\d):(\d\d):(\d\d)(\.\d+)? |(?:\(\+)? +(\d+\.\d+)\)? )?/;
const CALL = /^([a-z_][a-z0-9_]*|syscall_0x[0-9a-f]+)\(/;
const RESUMED = /^<\.\.\. ([a-z_][a-z0-9_]*|syscall_0x[0-9a-f]+) resumed> ?/;

export class LineReader {
  private line = 0;
  /** What -r counts up. */
  private elapsed = 0;

  /** Reads the next line of a trace; null for an empty one. Throws TraceTextError. */
  read(text: string): TraceEvent | null {
    this.line++;
    if (text === '') return null;
    const prefix = PREFIX.exec(text)!;
    const pid = Number(prefix[1] ?? prefix[2] ?? 0);
    const time = this.time(prefix);
    const at = prefix[0].length;
    const { line } = this;
    const head = { pid, time, line };
    const c = text.charCodeAt(at);
    if (c === 45 && text.startsWith('--- ', at)) return this.signal(text, at, head);
    if (c === 43 && text.startsWith('+++ ', at)) return this.ending(text, at, head);
    if (text.startsWith('strace: ', at)) return { ...head, kind: 'note', text: text.slice(at + 8) };
    const rest = at === 0 ? text : text.slice(at);
    const resumed = c === 60 ? RESUMED.exec(rest) : null;
    const match = resumed ?? CALL.exec(rest);
    if (match === null) throw new TraceTextError('this is no line of strace: a call, signal or exit belongs here', at);
    const from = at + match[0].length;
    const name = match[1];
    if (text.endsWith(UNFINISHED)) {
      if (resumed !== null) throw new TraceTextError('a call is resumed and unfinished at once', from);
      return { ...head, kind: 'unfinished', name, args: text.slice(from, -UNFINISHED.length), column: from };
    }
    const close = closing(text, from);
    if (close < 0) throw new TraceTextError("the call's result is missing", text.length);
    const equals = text.indexOf('= ', close);
    const args = text.slice(from, close);
    const outcome = result(text.slice(equals), equals);
    if (outcome.value === null && outcome.error === '')
      return {
        ...head,
        kind: 'lost',
        name,
        args: args.replace(/ ?<unfinished \.\.\.>$/, ''),
        column: from,
        resumed: resumed !== null,
      };
    return { ...head, kind: resumed === null ? 'call' : 'resumed', name, args, column: from, outcome };
  }

  private time(prefix: RegExpExecArray): number {
    const [, , , epoch, hours, minutes, seconds, fraction, relative] = prefix as (string | undefined)[];
    if (epoch !== undefined) return nanoseconds(epoch);
    if (hours !== undefined)
      return (Number(hours) * 3600 + Number(minutes) * 60) * 1e9 + nanoseconds(`${seconds}${fraction ?? ''}`);
    if (relative !== undefined) return (this.elapsed += nanoseconds(relative));
    return -1;
  }
  private signal(text: string, at: number, head: { pid: number; time: number; line: number }): TraceEvent {
    const match = /^--- (?:stopped by (\w+)|(\w+) (\{.*\})) ---$/.exec(text.slice(at));
    if (match === null) throw new TraceTextError('this is no signal as strace writes it', at);
    if (match[1] !== undefined) return { ...head, kind: 'stopped', signal: match[1] };
    return { ...head, kind: 'signal', signal: match[2], info: match[3] };
  }
  private ending(text: string, at: number, head: { pid: number; time: number; line: number }): TraceEvent {
    const match =
      /^\+\+\+ (?:exited with (\d+)|killed by (\w+)( \(core dumped\))?|superseded by execve in pid (\d+)) \+\+\+$/.exec(
        text.slice(at),
      ) as (string | undefined)[] | null;
    if (match === null) throw new TraceTextError('this is no exit as strace writes it', at);
    if (match[1] !== undefined) return { ...head, kind: 'exited', status: Number(match[1]) };
    if (match[4] !== undefined) return { ...head, kind: 'superseded', by: Number(match[4]) };
    return { ...head, kind: 'killed', signal: match[2]!, core: match[3] !== undefined };
  }
}

/** Seconds with a fraction as nanoseconds, to the microsecond and better. */
function nanoseconds(text: string): number {
  const dot = text.indexOf('.');
  if (dot < 0) return Number(text) * 1e9;
  return (
    Number(text.slice(0, dot)) * 1e9 +
    Number(
      text
        .slice(dot + 1)
        .padEnd(9, '0')
        .slice(0, 9),
    )
  );
}

/** Where the arguments end: the `)` before the last ` = ` that has one before it. Strings may hold anything. */
function closing(text: string, from: number): number {
  for (let at = text.lastIndexOf('= '); at >= from; at = text.lastIndexOf('= ', at - 1)) {
    let close = at - 1;
    while (text.charCodeAt(close) === 32) close--;
    if (close < at - 1 && text.charCodeAt(close) === 41) return close;
  }
  return -1;
}

const RESULT = /^= (-?\d+|0x[0-9a-f]+|0[0-7]*|\?)(?:<|$| )/;

/** Reads `= 3</etc/passwd>`, `= -1 ENOENT (No such file or directory)`, `= ? ERESTARTSYS (...)`, `= 0 (Timeout) <0.000012>`. */
export function result(given: string, column: number): Outcome {
  const timed = / <(\d+\.\d+)>$/.exec(given);
  let text = timed === null ? given : given.slice(0, timed.index);
  const injected = / \((?:INJECTED|INJECTED, DELAYED|DELAYED)(?:: [^)]*)?\)$/.exec(text);
  if (injected !== null) text = text.slice(0, injected.index);
  const match = RESULT.exec(text);
  if (match === null) throw new TraceTextError('this is no result of a call', column);
  const took = timed === null ? -1 : nanoseconds(timed[1]);
  const value = match[1] === '?' ? null : literal(match[1]);
  let rest = text.slice(2 + match[1].length);
  let note = '';
  if (rest.startsWith('<')) {
    const end = noteEnd(rest);
    note = unescaped(rest.slice(1, end));
    rest = rest.slice(end + 1);
  }
  const error = value === null || value === -1n ? /^ (E[A-Z0-9_]+|\(errno \d+\))/.exec(rest) : null;
  if (error !== null) rest = '';
  const aux = /^ \((.*)\)$/s.exec(rest);
  return { text, value, error: error?.[1] ?? '', note, aux: aux?.[1] ?? '', injected: injected !== null, took };
}
function noteEnd(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '<') depth++;
    else if (text[i] === '>' && text[i - 1] !== '-' && --depth === 0) return i;
  }
  return text.length;
}
