/**
 * Terms: strace's text of arguments and results as a tree. What a call means by them is encode.ts's business.
 *
 *     openat(AT_FDCWD</tmp>, "a\n"..., O_RDWR|O_CREAT, 0644)      symbol, string (cut), operation |, number
 *     [{fd=3, events=POLLIN}], ~[CHLD RT_1], {sa_family=AF_UNIX, ...}, makedev(0x1, 0x3), [16 => 2], 0x7ffd /\* 21 vars *\/
 *
 * Texts are bytes: one char each. Trace files are foreign input: whatever is no term ends in a TraceTextError with its column.
 */

import { latin1Slice, latin1Write } from '../latin1.js';

/** The text at `column` (from 0) is not what strace writes. */
export class TraceTextError extends Error {
  override readonly name = 'TraceTextError';
  readonly column: number;
  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}

export type TermKind =
  | 'number' // text: as written
  | 'string' // text: its bytes
  | 'symbol' // text: the name
  | 'struct' // parts: fields (`name`) and positional ones
  | 'array' // parts; of sets, separated by blanks, too
  | 'call' // text: the name; makedev(0, 5), htons(80), WIFEXITED(s)
  | 'operation' // text: | && == * << => + -; parts: its operands
  | 'complement' // ~[...]; parts: one
  | 'dots' // ... : something is left out
  | 'nothing'; // only a comment, or the empty field after `=`

const NONE: readonly Term[] = [];

export class Term {
  readonly kind: TermKind;
  readonly text: string;
  readonly parts: readonly Term[];
  readonly column: number;
  /** Name of a struct's field. */
  name = '';
  /** What stands in <> behind a descriptor or pid, as written. */
  rawNote = '';
  comment = '';
  /** A string that goes on: "abc"... */
  cut = false;

  constructor(kind: TermKind, text: string, parts: readonly Term[], column: number) {
    this.kind = kind;
    this.text = text;
    this.parts = parts;
    this.column = column;
  }
  /** The same without escapes: few ever look. */
  get note(): string {
    return this.rawNote === '' ? '' : unescaped(this.rawNote);
  }
  /** A field of a struct. */
  field(name: string): Term | undefined {
    for (const part of this.parts) if (part.name === name) return part;
    return undefined;
  }
}

// Character codes.
const TAB = 9;
const X = 120;
const B = 98;
const SPACE = 32;
const QUOTE = 34;
const AMPERSAND = 38;
const OPEN = 40;
const CLOSE = 41;
const STAR = 42;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const COLON = 58;
const DOT = 46;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;
const QUESTION = 63;
const AT = 64;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const UNDERSCORE = 95;
const OPEN_BRACE = 123;
const BAR = 124;
const CLOSE_BRACE = 125;
const TILDE = 126;

/** Deeper nesting is nothing that strace writes. */
const MAX_DEPTH = 64;

const isDigit = (c: number): boolean => c >= ZERO && c <= NINE;
const isLetter = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === UNDERSCORE || c === 36;
const isWord = (c: number): boolean => isLetter(c) || isDigit(c);
/** What ends a list. Past the text's end there is NaN. */
const isEnd = (c: number): boolean => c === CLOSE || c === CLOSE_BRACKET || c === CLOSE_BRACE || Number.isNaN(c);

/** Stands where a field was left out that nobody asked for. */
const LEFT_OUT = new Term('dots', '...', NONE, 0);

export class TermParser {
  readonly text: string;
  at: number;
  private depth = 0;
  /** Fields of structs that need not be read. */
  skips: ((field: string) => boolean) | null = null;

  constructor(text: string, at = 0) {
    this.text = text;
    this.at = at;
  }

  /** The arguments of a call; of those whose bit is in `lean`, fields that `skips` names are left out. */
  arguments(lean: number, skips: (field: string) => boolean): Term[] {
    const terms: Term[] = [];
    this.blanks();
    while (!this.closes()) {
      this.skips = terms.length < 31 && (lean & (1 << terms.length)) !== 0 ? skips : null;
      terms.push(this.element());
      this.blanks();
      if (this.text.charCodeAt(this.at) !== COMMA) continue;
      this.at++;
      this.blanks();
    }
    return terms;
  }

  /** Terms up to `)` or `]` or `}` or the end, none of which is consumed. */
  list(): Term[] {
    const terms: Term[] = [];
    this.blanks();
    if (this.closes()) return terms;
    for (;;) {
      terms.push(this.element());
      this.blanks();
      const c = this.text.charCodeAt(this.at);
      if (c === COMMA) {
        this.at++;
        this.blanks();
        // `[pid 3, ]`: an argument list that was cut by <unfinished ...>
        if (this.closes()) return terms;
        continue;
      }
      if (isEnd(c)) return terms;
      // `0x7ffd... 21 vars`, sets `[HUP INT]` and `left {...}`: separated by blanks.
    }
  }
  fail(message: string): never {
    throw new TraceTextError(message, this.at);
  }

  private closes(): boolean {
    return isEnd(this.text.charCodeAt(this.at));
  }
  private blanks(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== SPACE && c !== TAB) return;
      this.at++;
    }
  }

  /** `name=term`, or a term. */
  private element(): Term {
    const { text, at: from } = this;
    if (isLetter(text.charCodeAt(from))) {
      let end = from + 1;
      while (isWord(text.charCodeAt(end))) end++;
      if (text.charCodeAt(end) === EQUALS) {
        const next = text.charCodeAt(end + 1);
        if (next !== EQUALS && next !== GREATER) {
          const name = text.slice(from, end);
          this.at = end + 1;
          if (this.skips?.(name) === true) {
            this.skip();
            return LEFT_OUT;
          }
          this.blanks();
          const c = text.charCodeAt(this.at);
          const term = c === COMMA || isEnd(c) ? new Term('nothing', '', NONE, this.at) : this.term();
          term.name = name;
          return term;
        }
      }
    }
    return this.term();
  }

  /** Goes on to the end of a field's value. */
  private skip(): void {
    const { text } = this;
    for (let depth = 0; ; this.at++) {
      const c = text.charCodeAt(this.at);
      if (c === QUOTE) {
        do {
          this.at = text.indexOf('"', this.at + 1);
          if (this.at < 0) {
            this.at = text.length;
            this.fail('a string without its end');
          }
        } while (isEscaped(text, this.at));
      } else if (c === OPEN || c === OPEN_BRACKET || c === OPEN_BRACE) depth++;
      else if (isEnd(c)) {
        if (depth-- === 0) return;
        if (Number.isNaN(c)) this.fail('the text ends here');
      } else if (c === COMMA && depth === 0) return;
    }
  }

  /** Operands joined by operators; strace never needs precedence: `=>` and `==` stand outermost. */
  term(): Term {
    if (++this.depth > MAX_DEPTH) this.fail('nested too deeply');
    const first = this.operand();
    // Most terms stand alone.
    const c = this.text.charCodeAt(this.at);
    const result = c === COMMA || isEnd(c) ? first : this.operations(first);
    this.depth--;
    return result;
  }
  private operations(first: Term): Term {
    let left = this.factors(first);
    for (;;) {
      const operator = this.operator();
      if (operator === '') return left;
      this.at += operator.length;
      this.blanks();
      if (operator === '=>' || operator === '==' || operator === '&&') {
        const right = operator === '&&' ? this.operations(this.operand()) : this.term();
        left = new Term('operation', operator, [left, right], left.column);
        continue;
      }
      const right = this.factors(this.operand());
      const parts = left.kind === 'operation' && left.text === operator ? [...left.parts, right] : [left, right];
      left = new Term('operation', operator, parts, left.column);
    }
  }
  /** `63<<MAP_HUGE_SHIFT` within a list of flags, `8*1024`. */
  private factors(first: Term): Term {
    let left = first;
    for (;;) {
      this.comments(left);
      const from = this.at;
      const operator = this.operator();
      if (operator !== '<<' && operator !== '*') {
        this.at = from;
        return left;
      }
      this.at += operator.length;
      this.blanks();
      left = new Term('operation', operator, [left, this.operand()], left.column);
    }
  }
  private operator(): string {
    let { at } = this;
    while (this.text.charCodeAt(at) === SPACE) at++;
    const c = this.text.charCodeAt(at);
    if (c === COMMA || isEnd(c)) return '';
    const next = this.text.charCodeAt(at + 1);
    let operator: string;
    if (c === BAR) operator = '|';
    else if (c === AMPERSAND && next === AMPERSAND) operator = '&&';
    else if (c === EQUALS && next === EQUALS) operator = '==';
    else if (c === EQUALS && next === GREATER) operator = '=>';
    else if (c === STAR) operator = '*';
    else if (c === LESS && next === LESS) operator = '<<';
    else if (c === PLUS) operator = '+';
    // TCGETS or SNDCTL_TMR_TIMEBASE: one number, several names
    else if (c === 111 && at > this.at && this.text.startsWith('or ', at)) operator = 'or';
    else return '';
    this.at = at;
    return operator;
  }
  private comments(term: Term): void {
    for (;;) {
      let { at } = this;
      while (this.text.charCodeAt(at) === SPACE) at++;
      if (this.text.charCodeAt(at) !== SLASH || this.text.charCodeAt(at + 1) !== STAR) return;
      const end = this.text.indexOf('*/', at + 2);
      if (end < 0) this.fail('a comment without its end');
      term.comment = this.text.slice(at + 2, end).trim();
      this.at = end + 2;
    }
  }

  private operand(): Term {
    const { text } = this;
    const from = this.at;
    const c = text.charCodeAt(from);
    if (c === QUOTE) return this.string();
    if (isDigit(c) || ((c === MINUS || c === PLUS) && isDigit(text.charCodeAt(from + 1)))) return this.number();
    if (isLetter(c)) return c === B && text.startsWith('b64"', from) ? this.packed() : this.symbol();
    switch (c) {
      case OPEN_BRACKET:
        this.at++;
        return this.closed('array', CLOSE_BRACKET, from);
      case OPEN_BRACE:
        this.at++;
        return this.closed('struct', CLOSE_BRACE, from);
      case MINUS: {
        // A script's variable: kill(-child, SIGTERM)
        if (!isLetter(text.charCodeAt(from + 1))) break;
        this.at++;
        const inner = this.operand();
        return new Term('operation', '-', [inner], from);
      }
      case TILDE: {
        this.at++;
        const inner = this.operand();
        return new Term('complement', '~', [inner], from);
      }
      case DOT:
        if (text.startsWith('...', from)) {
          this.at += 3;
          return new Term('dots', '...', NONE, from);
        }
        break;
      case QUESTION: {
        while (text.charCodeAt(this.at) === QUESTION) this.at++;
        return new Term('symbol', text.slice(from, this.at), NONE, from);
      }
      case AMPERSAND:
        // inet_pton(AF_INET6, "::1", &sin6_addr)
        if (isLetter(text.charCodeAt(from + 1))) {
          this.at++;
          return this.symbol();
        }
        break;
      case AT:
        // "@name": an abstract socket
        if (text.charCodeAt(from + 1) === QUOTE) {
          this.at++;
          const inner = this.string();
          const name = new Term('string', `\0${inner.text}`, NONE, from);
          name.cut = inner.cut;
          return name;
        }
        break;
      case SLASH:
        if (text.charCodeAt(from + 1) === STAR) {
          const nothing = new Term('nothing', '', NONE, from);
          this.comments(nothing);
          return nothing;
        }
        break;
      case LESS:
        // restart_syscall(<... resuming interrupted nanosleep ...>)
        if (text.startsWith('<...', from)) {
          const end = text.indexOf('...>', from + 4);
          if (end < 0) break;
          this.at = end + 4;
          return new Term('symbol', text.slice(from, this.at), NONE, from);
        }
        break;
    }
    this.fail(this.at >= text.length ? 'the text ends here' : `'${text[from]}' does not begin a value`);
  }
  private closed(kind: 'array' | 'struct', end: number, from: number): Term {
    if (++this.depth > MAX_DEPTH) this.fail('nested too deeply');
    const parts = this.list();
    if (this.text.charCodeAt(this.at) !== end) this.fail(`'${String.fromCharCode(end)}' is missing`);
    this.at++;
    this.depth--;
    return new Term(kind, '', parts, from);
  }

  private number(): Term {
    const { text } = this;
    const from = this.at++;
    for (;;) {
      const c = text.charCodeAt(this.at);
      // Digits, 0x, hexadecimal letters; a fraction of seconds; a hardware address.
      if (isWord(c) || c === COLON || (c === DOT && isDigit(text.charCodeAt(this.at + 1)))) this.at++;
      else break;
    }
    const term = new Term('number', text.slice(from, this.at), NONE, from);
    if (text.charCodeAt(this.at) === LESS && text.charCodeAt(this.at + 1) !== LESS) this.note(term);
    return term;
  }
  private symbol(): Term {
    const { text } = this;
    const from = this.at++;
    while (isWord(text.charCodeAt(this.at))) this.at++;
    const name = text.slice(from, this.at);
    const c = text.charCodeAt(this.at);
    if (c === OPEN) {
      this.at++;
      if (++this.depth > MAX_DEPTH) this.fail('nested too deeply');
      const parts = this.list();
      if (text.charCodeAt(this.at) !== CLOSE) this.fail("')' is missing");
      this.at++;
      this.depth--;
      return new Term('call', name, parts, from);
    }
    if (c === COLON) return this.hardwareAddress(from);
    const term = new Term('symbol', name, NONE, from);
    if (c === LESS && text.charCodeAt(this.at + 1) !== LESS) this.note(term);
    return term;
  }
  /** One that begins with a letter. */
  private hardwareAddress(from: number): Term {
    const { text } = this;
    while (isWord(text.charCodeAt(this.at)) || text.charCodeAt(this.at) === COLON) this.at++;
    return new Term('number', text.slice(from, this.at), NONE, from);
  }
  /** `<...>` of -y: nested for devices, and with arrows in it for sockets. */
  private note(term: Term): void {
    const { text } = this;
    let depth = 0;
    let at = this.at;
    for (; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c === LESS) depth++;
      else if (c === GREATER && text.charCodeAt(at - 1) !== MINUS && --depth === 0) {
        term.rawNote = text.slice(this.at + 1, at);
        this.at = at + 1;
        return;
      }
    }
    this.fail("'>' is missing");
  }
  private string(): Term {
    const { text } = this;
    const from = this.at;
    const end = text.indexOf('"', from + 1);
    if (end < 0) this.fail('a string without its end');
    let bytes = text.slice(from + 1, end);
    if (bytes.includes('\\')) bytes = this.escaped(from + 1, end);
    else this.at = end + 1;
    const term = new Term('string', bytes, NONE, from);
    if (text.startsWith('...', this.at)) {
      this.at += 3;
      term.cut = true;
    }
    return term;
  }
  /** Bytes as recordings of our own have them. */
  private packed(): Term {
    const from = this.at + 4;
    const end = this.text.indexOf('"', from);
    const packed = end < 0 ? '' : this.text.slice(from, end);
    if (end < 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) this.fail('this is no base64');
    this.at = end + 1;
    return new Term('string', Buffer.from(packed, 'base64').toString('latin1'), NONE, from - 4);
  }
  /** The bytes of a string that has escapes in it; a quote at `first`, which may be one of them. */
  private escaped(from: number, first: number): string {
    const { text } = this;
    let end = first;
    while (isEscaped(text, end)) {
      end = text.indexOf('"', end + 1);
      if (end < 0) {
        this.at = from - 1;
        this.fail('a string without its end');
      }
    }
    const size = end - from;
    if (size > scratch.length) scratch = new Uint8Array(2 * size);
    // Bytes are read several times as fast as characters of a string that is part of another.
    const raw = scratch;
    latin1Write(raw, text.slice(from, end), 0);
    let length = 0;
    for (let at = 0; at < size; at++) {
      const c = raw[at];
      if (c !== BACKSLASH) {
        raw[length++] = c;
        continue;
      }
      const e = raw[++at];
      if (e === X) {
        const value = at + 2 < size ? (HEX_DIGITS[raw[at + 1]] << 4) | HEX_DIGITS[raw[at + 2]] : -1;
        if (value < 0) {
          this.at = from + at + 1;
          this.fail('two hexadecimal digits are missing');
        }
        at += 2;
        raw[length++] = value;
      } else if (e >= ZERO && e <= SEVEN) {
        let value = e - ZERO;
        for (let i = 0; i < 2 && at + 1 < size; i++) {
          const digit = raw[at + 1];
          if (!(digit >= ZERO && digit <= SEVEN)) break;
          value = value * 8 + digit - ZERO;
          at++;
        }
        raw[length++] = value;
      } else {
        const known = SIMPLE.get(e);
        if (known === undefined) {
          this.at = from + at - 1;
          this.fail('strace writes no such escape');
        }
        raw[length++] = known;
      }
    }
    this.at = end + 1;
    return latin1Slice(raw, 0, length);
  }
}

function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text.charCodeAt(from - 1) === BACKSLASH) from--;
  return (at - from) % 2 === 1;
}

/** Where strings are decoded, in place; grows as they do. */
let scratch = new Uint8Array(4096);
const SEVEN = 55;
const SIMPLE: ReadonlyMap<number, number> = new Map(
  Object.entries({ n: 10, t: 9, r: 13, f: 12, v: 11, '"': 34, '\\': 92, e: 27 }).map(([k, v]) => [k.charCodeAt(0), v]),
);
/** By character; -1 for what is none. */
const HEX_DIGITS = Int8Array.from({ length: 256 }, (_, c) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(c).toLowerCase()),
);

/** Text with strace's escapes in it, as in the <> behind descriptors. */
export function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const parser = new TermParser(`"${text.replaceAll('"', '\\"')}"`);
  return parser.term().text;
}

/** The arguments of a call: the text between its parentheses, which may be part of a longer one. */
export function parseArguments(
  text: string,
  lean = 0,
  skips: (field: string) => boolean = keeps,
  from = 0,
  to = text.length,
): Term[] {
  const parser = new TermParser(text, from);
  const terms = lean === 0 ? parser.list() : parser.arguments(lean, skips);
  if (parser.at !== to) parser.fail(`'${text[parser.at]}' is not expected here`);
  return terms;
}
/** The first argument only. */
export const parseFirst = (text: string): Term[] => [new TermParser(text).term()];
const keeps = (): boolean => false;
