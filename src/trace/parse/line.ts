/**
 * Lines of strace: who, when, and which event. Works on the text alone; what a call's arguments mean is read later and only
 * where it is needed.
 */
import { literal, small } from './value.js';
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
      /** The text that `args` are from `column` on of, if that is read faster. */
      readonly source?: string | undefined;
      /** The variable that takes the result, in scripts. */
      readonly keep?: string | undefined;
      readonly outcome: Outcome;
    }
  | { readonly kind: 'unfinished'; readonly name: string; readonly args: string; readonly column: number }
  | {
      readonly kind: 'resumed';
      readonly name: string;
      readonly args: string;
      readonly column: number;
      readonly keep?: string | undefined;
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
  /** Bytes of a file that the call that ends next moves without showing them; only in our own recordings. */
  | { readonly kind: 'moved'; readonly fd: number; readonly offset: number; readonly data: Uint8Array }
  /** strace's own messages. */
  | { readonly kind: 'note'; readonly text: string }
);

const UNFINISHED = ' <unfinished ...>';
const RELATIVE = /^(?:\(\+)? +(\d+\.\d+)\)? /;
// Character codes.
const SPACE = 32;
const OPEN = 40;
const CLOSE = 41;
const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const COLON = 58;
const LESS = 60;
const EQUALS = 61;
const UNDERSCORE = 95;
const isDigit = (c: number): boolean => c >= ZERO && c < COLON;
const isName = (c: number): boolean => (c >= 97 && c <= 122) || c === UNDERSCORE || isDigit(c);

/**
 * Whether anybody wants a call; asked before most of its line is read. Its arguments are in `text` from `at` on; -1: not all of
 * them.
 */
export type Wanted = (pid: number, name: string, text: string, at: number) => boolean;

export class LineReader {
  private readonly wanted: Wanted | null;
  private line = 0;
  private pid = 0;
  private time = -1;
  private number = 0;
  /** What -r counts up. */
  private elapsed = 0;

  constructor(wanted: Wanted | null = null) {
    this.wanted = wanted;
  }
  /** Reads the next line of a trace; null for an empty one, and for calls that nobody wants. Throws TraceTextError. */
  read(text: string): TraceEvent | null {
    this.line++;
    if (text === '') return null;
    let at = this.prefix(text);
    const { line, pid, time } = this;
    const head = { pid, time, line };
    const c = text.charCodeAt(at);
    if (c === MINUS && text.startsWith('--- ', at)) return this.signal(text, at, head);
    if (c === PLUS && text.startsWith('+++ ', at)) return this.ending(text, at, head);
    if (text.startsWith('strace: ', at)) return { ...head, kind: 'note', text: text.slice(at + 8) };
    const resumed = c === LESS && text.startsWith('<... ', at);
    const start = at;
    if (resumed) at += 5;
    const first = at;
    if (!isDigit(text.charCodeAt(at))) while (isName(text.charCodeAt(at))) at++;
    const name = text.slice(first, at);
    const known = resumed ? text.startsWith(' resumed>', at) : text.charCodeAt(at) === OPEN;
    if (name === '' || !known)
      throw new TraceTextError('this is no line of strace: a call, signal or exit belongs here', start);
    let from = at + 1;
    if (resumed) from = at + (text.charCodeAt(at + 9) === SPACE ? 10 : 9);
    const unfinished = text.endsWith(UNFINISHED);
    if (this.wanted !== null && !this.wanted(pid, name, text, resumed || unfinished ? -1 : from)) return null;
    if (unfinished) {
      if (resumed) throw new TraceTextError('a call is resumed and unfinished at once', from);
      return { ...head, kind: 'unfinished', name, args: text.slice(from, -UNFINISHED.length), column: from };
    }
    const close = closing(text, from);
    if (close < 0) throw new TraceTextError("the call's result is missing", text.length);
    const equals = text.indexOf('= ', close);
    const args = text.slice(from, close);
    const outcome = resultAt(text, equals);
    if (outcome.value === null && outcome.error === '')
      return {
        ...head,
        kind: 'lost',
        name,
        args: args.replace(/ ?<unfinished \.\.\.>$/, ''),
        column: from,
        resumed,
      };
    // Spreading `head` costs three times all the rest.
    if (resumed) return { pid, time, line, kind: 'resumed', name, args, column: from, outcome };
    return { pid, time, line, kind: 'call', name, args, column: from, source: text, outcome };
  }

  /** Reads who and when; gives where the event begins. */
  private prefix(text: string): number {
    let at = 0;
    this.pid = 0;
    this.time = -1;
    if (text.startsWith('[pid ')) {
      at = 5;
      while (text.charCodeAt(at) === SPACE) at++;
      at = this.digits(text, at);
      this.pid = this.number;
      if (!text.startsWith('] ', at)) throw new TraceTextError("']' is missing", at);
      at += 2;
    } else if (isDigit(text.charCodeAt(0))) {
      const end = this.digits(text, 0);
      if (text.charCodeAt(end) === SPACE) {
        this.pid = this.number;
        at = end;
        while (text.charCodeAt(at) === SPACE) at++;
      }
    }
    const c = text.charCodeAt(at);
    if (isDigit(c)) return this.clock(text, at);
    if (c === SPACE || c === OPEN) {
      const relative = RELATIVE.exec(text.slice(at, at + 64));
      if (relative !== null) {
        this.time = this.elapsed += nanoseconds(relative[1]);
        return at + relative[0].length;
      }
    }
    return at;
  }
  /** `1700000000.123456 `, `12:34:56 `, `12:34:56.123456 ` */
  private clock(text: string, from: number): number {
    let at = this.digits(text, from);
    let seconds = this.number;
    for (let i = 0; i < 2 && text.charCodeAt(at) === COLON; i++) {
      at = this.digits(text, at + 1);
      seconds = seconds * 60 + this.number;
    }
    let ns = 0;
    if (text.charCodeAt(at) === DOT) {
      const first = at + 1;
      at = this.digits(text, first);
      ns = this.number * 10 ** (9 - (at - first));
    }
    if (text.charCodeAt(at) !== SPACE) throw new TraceTextError('a time belongs here', from);
    this.time = seconds * 1e9 + ns;
    return at + 1;
  }
  /** Reads digits into `number`; gives where they end. */
  private digits(text: string, from: number): number {
    let at = from;
    let value = 0;
    for (let c = text.charCodeAt(at); isDigit(c); c = text.charCodeAt(++at)) value = value * 10 + (c - ZERO);
    this.number = value;
    return at;
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
    while (text.charCodeAt(close) === SPACE) close--;
    if (close < at - 1 && text.charCodeAt(close) === CLOSE) return close;
  }
  return -1;
}

/** Reads the end of a line, or what is all result; the commonest ones without a copy. `took`: what is known of the time. */
export function resultAt(text: string, equals: number, took = -1): Outcome {
  let at = equals + 2;
  let value = 0;
  for (let c = text.charCodeAt(at); isDigit(c) && at < equals + 12; c = text.charCodeAt(++at))
    value = value * 10 + (c - ZERO);
  if (text.startsWith('= -1 E', equals)) return failed(text, equals, took);
  const plain = at > equals + 2 && (text.charCodeAt(equals + 2) !== ZERO || at === equals + 3);
  const timed = text.charCodeAt(at) === SPACE && text.charCodeAt(at + 1) === LESS;
  if (!plain || (at < text.length && !timed) || text.charCodeAt(equals) !== EQUALS)
    return result(equals === 0 ? text : text.slice(equals), equals, took);
  const spent = timed ? nanoseconds(text.slice(at + 2, -1)) : took;
  return { text: `= ${value}`, value: small(value), error: '', note: '', aux: '', injected: false, took: spent };
}
/** `= -1 ENOENT (No such file or directory) <0.000012>` */
function failed(text: string, equals: number, took: number): Outcome {
  const from = equals + 5;
  const end = text.indexOf(' ', from);
  const timed = text.endsWith('>') ? text.lastIndexOf(' <') : text.length;
  const error = text.slice(from, end < 0 ? text.length : end);
  const rest = text.slice(equals, timed);
  if (!ERROR.test(error) || timed < end || rest.endsWith('ED)'))
    return result(equals === 0 ? text : text.slice(equals), equals, took);
  const spent = timed === text.length ? took : nanoseconds(text.slice(timed + 2, -1));
  return { text: rest, value: -1n, error, note: '', aux: '', injected: false, took: spent };
}
const ERROR = /^E[A-Z0-9_]+$/;
const RESULT = /^= (-?\d+|0x[0-9a-f]+|0[0-7]*|\?)(?:<|$| )/;

/** Ends of lines without their time that were read before; those with something behind the number are few, and read slowly. */
const results = new Map<string, Outcome>();
const MOST_RESULTS = 256;
const LONGEST_RESULT = 100;

/** Reads `= 3</etc/passwd>`, `= -1 ENOENT (No such file or directory)`, `= ? ERESTARTSYS (...)`, `= 0 (Timeout) <0.000012>`. */
export function result(given: string, column: number, known = -1): Outcome {
  const timed = given.endsWith('>') ? TIME.exec(given) : null;
  const text = timed === null ? given : given.slice(0, timed.index);
  const took = timed === null ? known : nanoseconds(timed[1]);
  let found = results.get(text);
  if (found === undefined) {
    found = untimed(text, column);
    if (results.size === MOST_RESULTS) results.clear();
    if (text.length <= LONGEST_RESULT) results.set(text, found);
  }
  const { value, error, note, aux, injected } = found;
  return { text: found.text, value, error, note, aux, injected, took };
}
const TIME = / <(\d+\.\d+)>$/;
function untimed(given: string, column: number): Outcome {
  let text = given;
  const injected = / \((?:INJECTED|INJECTED, DELAYED|DELAYED)(?:: [^)]*)?\)$/.exec(text);
  if (injected !== null) text = text.slice(0, injected.index);
  const match = RESULT.exec(text);
  if (match === null) throw new TraceTextError('this is no result of a call', column);
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
  return { text, value, error: error?.[1] ?? '', note, aux: aux?.[1] ?? '', injected: injected !== null, took: -1 };
}
function noteEnd(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '<') depth++;
    else if (text[i] === '>' && text[i - 1] !== '-' && --depth === 0) return i;
  }
  return text.length;
}
