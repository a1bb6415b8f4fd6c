/** Numbers that terms stand for: literals, names, flags joined by |, and the macros strace writes. */
import type { ArchName } from '../../abi/types.js';
import { constants } from './constants.js';
import { Term, TraceTextError } from './term.js';

/** The value of a literal as written: 0644 octal, 0x1f, -7; null for what is no integer (12.5). */
export function literal(text: string): bigint | null {
  // Short decimal numbers are nearly all there are.
  const { length } = text;
  if (length < 10) {
    let value = 0;
    const first = text.charCodeAt(0);
    let at = first === 45 ? 1 : 0;
    const start = at;
    for (; at < length; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (at === length && at > start && (text.charCodeAt(start) !== 48 || at === start + 1)) {
      return first === 45 ? -small(value) : small(value);
    }
  }
  const negative = text.charCodeAt(0) === 45;
  const digits = negative || text.charCodeAt(0) === 43 ? text.slice(1) : text;
  const octal = digits.length > 1 && digits.charCodeAt(0) === 48 && /^0[0-7]+$/.test(digits);
  if (!octal && !/^(?:[0-9]+|0x[0-9a-fA-F]+)$/.test(digits)) return null;
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  return negative ? -value : value;
}
const SMALL = Array.from({ length: 256 }, (_, i) => BigInt(i));
/** Making a BigInt costs as much as reading its digits. */
export const small = (value: number): bigint => (value < SMALL.length ? SMALL[value] : BigInt(value));

/** Decimal and octal literals of up to 15 digits; NaN for others. */
function smallLiteral(text: string): number {
  const { length } = text;
  const start = text.charCodeAt(0) === 45 ? 1 : 0;
  if (length === start || length > 15) return NaN;
  const base = text.charCodeAt(start) === 48 ? 8 : 10;
  let value = 0;
  for (let at = start; at < length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit < base)) return NaN;
    value = value * base + digit;
  }
  return start === 1 ? -value : value;
}

/** major, minor as new_encode_dev and huge_encode_dev pack them. */
function makedev(major: bigint, minor: bigint): bigint {
  return (minor & 0xffn) | ((major & 0xfffn) << 8n) | ((minor & 0xffff_ff00n) << 12n) | ((major & 0xffff_f000n) << 32n);
}
const swap16 = (v: bigint): bigint => ((v & 0xffn) << 8n) | ((v >> 8n) & 0xffn);
const swap32 = (v: bigint): bigint => (swap16(v & 0xffffn) << 16n) | swap16(v >> 16n);

/** Names that the constants do not have: a script's variables. */
export type Variables = (name: string) => bigint | undefined;

export class Evaluator {
  private readonly names: ReadonlyMap<string, bigint>;
  private readonly variables: Variables;

  /** A script: what it names must be there. A recording may name what nobody knows here. */
  readonly strict: boolean;

  constructor(arch: ArchName, variables: Variables = () => undefined, strict = false) {
    this.names = constants(arch);
    this.variables = variables;
    this.strict = strict;
  }

  /** The number a term stands for; null if it stands for none. */
  number(term: Term): bigint | null {
    switch (term.kind) {
      case 'number':
        return literal(term.text);
      case 'symbol':
        return this.names.get(term.text) ?? this.variables(term.text) ?? null;
      case 'operation':
        return this.operation(term);
      case 'call':
        return this.macro(term);
      case 'complement': {
        const inner = this.number(term.parts[0]);
        return inner === null ? null : ~inner;
      }
      case 'nothing':
        return 0n;
      default:
        return null;
    }
  }
  /** The same as a JS number, for small ones as they are usually written; NaN for all others, which may be numbers too. */
  small(term: Term): number {
    switch (term.kind) {
      case 'number':
        return smallLiteral(term.text);
      case 'symbol':
        return Number(this.names.get(term.text) ?? NaN);
      case 'operation': {
        if (term.text !== '|') return NaN;
        let value = 0;
        for (const part of term.parts) {
          const bits = this.small(part);
          // What is no 31 bits is left to those who count in 64.
          if (!(bits >= 0 && bits <= 0x7fff_ffff)) return NaN;
          value |= bits;
        }
        return value;
      }
      default:
        return NaN;
    }
  }
  /** The number, for a place where nothing else makes sense. */
  need(term: Term, what: string): bigint {
    const value = this.number(term);
    if (value !== null) return value;
    const shown = term.kind === 'symbol' ? `unknown name '${term.text}'` : `a ${term.kind} where a number belongs`;
    throw new TraceTextError(`${what}: ${shown}`, term.column);
  }
  /** The number; where the text shows none, `otherwise`. */
  value(term: Term, otherwise = 0n): bigint {
    const value = this.number(term);
    if (value !== null) return value;
    if (this.strict) this.refuseUnknown(term);
    return otherwise;
  }
  private refuseUnknown(term: Term): void {
    if (term.kind === 'symbol' && term.text !== '_' && this.number(term) === null)
      throw new TraceTextError(`unknown name '${term.text}'`, term.column);
    // `a => b`: what was given, and what comes back.
    const given = term.kind === 'operation' && term.text === '=>' ? term.parts.slice(0, 1) : term.parts;
    for (const part of given) this.refuseUnknown(part);
  }
  /** The same of a signal. */
  signalValue(term: Term): bigint {
    return this.signal(term) ?? this.value(term);
  }
  /** Signal numbers, also without their SIG. */
  signal(term: Term): bigint | null {
    return (term.kind === 'symbol' ? this.names.get(`SIG${term.text}`) : undefined) ?? this.number(term);
  }

  private operation(term: Term): bigint | null {
    const { text, parts } = term;
    const first = this.number(parts[0]);
    // Several names of one number; a value before the call and after it.
    if (text === 'or' || text === '=>') return first ?? (text === 'or' ? this.number(parts[1]) : null);
    if (first === null) return null;
    let value = text === '-' ? -first : first;
    for (let i = 1; i < parts.length; i++) {
      const next = this.number(parts[i]);
      if (next === null) return null;
      if (text === '|') value |= next;
      else if (text === '*') value *= next;
      else if (text === '+') value += next;
      else if (text === '<<') value <<= next & 63n;
      else return null;
    }
    return value;
  }
  private macro(term: Term): bigint | null {
    const values: bigint[] = [];
    for (const part of term.parts) {
      const value = this.number(part);
      if (value === null) {
        return term.text === 'if_nametoindex' && part.text === 'lo' ? 1n : null;
      }
      values.push(value);
    }
    const [a = 0n, b = 0n, c = 0n, d = 0n] = values;
    switch (term.text) {
      case 'makedev':
        return makedev(a, b);
      case 'htons':
        return swap16(a);
      case 'htonl':
        return swap32(a);
      case 'IOPRIO_PRIO_VALUE':
        return (a << 13n) | b;
      case '_IOC':
        return (a << 30n) | (d << 16n) | (b << 8n) | c;
      default:
        return null;
    }
  }
}
