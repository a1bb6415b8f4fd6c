/**
 * Fault injection as the command line writes it, in strace's language (strace(1), "Tampering"):
 *
 *     SET[:error=E|:retval=N][:signal=S][:syscall=NAME][:delay_enter=T][:delay_exit=T][:when=FIRST[..LAST][+[STEP]]]
 *
 * and beyond strace what narrows the calls: `path=GLOB`, `fd=N`, `pid=N`, `probability=P`, `seed=N`. As strace has it, `when`
 * counts the calls of one name in one task, and of several expressions for one call the last counts.
 */
import { ERRNO_NAMES } from '../abi/errno.js';
import { SIGNAL_NAMES, SIGRTMAX, signalName } from '../abi/signals.js';
import type { ArchName } from '../abi/types.js';
import type { Row } from '../../syscalls/row.js';
import { ExpressionError, parseCallSet } from './call-set.js';

/** What is done to a call. */
export interface Injection {
  /** The 64 bits the call returns without being made; null: it is made. */
  readonly value: bigint | null;
  /** Not 0: `value` is this error. */
  readonly errno: number;
  /** Sent when the call begins; 0: none. */
  readonly signal: number;
  readonly enterNs: number;
  readonly exitNs: number;
}

/** Which calls of the set: all of these must fit. */
export interface Conditions {
  readonly path: RegExp | null;
  readonly fd: number | null;
  readonly pid: number | null;
}

export interface InjectRule extends Injection, Conditions {
  readonly calls: ReadonlySet<Row>;
  readonly first: number;
  readonly last: number;
  /** Calls from one injection to the next; 0: only the first. */
  readonly step: number;
  /** Of being injected, where everything else fits. */
  readonly probability: number;
  /** Null: the kernel chooses. */
  readonly seed: number | null;
}

/** strace's limits. */
const WHEN_MAX = 65535;
const ERRNO_MAX = 4095;
const ENOSYS = 38;
const DELAY_UNITS: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1, '': 1e3 };
/** 2^63 ns would be past every clock; this is 31 years. */
const DELAY_MAX = 1e18;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Parses one expression; `fault`: --fault's, which knows only error and when. Throws ExpressionError. */
export function parseInject(text: string, fault: boolean, rows: readonly Row[], arch: ArchName): InjectRule {
  const [set, ...words] = text.split(':');
  const rule: Mutable<InjectRule> = {
    calls: parseCallSet(set, rows, arch),
    value: null,
    errno: 0,
    signal: 0,
    enterNs: 0,
    exitNs: 0,
    first: 1,
    last: Infinity,
    step: 1,
    path: null,
    fd: null,
    pid: null,
    probability: 1,
    seed: null,
  };
  const seen = new Set<string>();
  let at = set.length + 1;
  for (const word of words) {
    const equals = word.indexOf('=');
    const key = equals < 0 ? word : word.slice(0, equals);
    const parser = Object.hasOwn(WORDS, key) && (!fault || FAULT_WORDS.has(key)) ? WORDS[key] : undefined;
    if (parser === undefined) throw new ExpressionError(`'${key}' is nothing that can be injected`, at);
    if (equals < 0) throw new ExpressionError(`${key} needs a value: ${key}=...`, at);
    if (seen.has(key) && key !== 'when') throw new ExpressionError(`${key} is given twice`, at);
    if ((key === 'retval' && seen.has('error')) || (key === 'error' && seen.has('retval')))
      throw new ExpressionError('error and retval exclude each other', at);
    seen.add(key);
    parser(rule, word.slice(equals + 1), at + equals + 1, rows, arch);
    at += word.length + 1;
  }
  const acts = ['error', 'retval', 'signal', 'delay_enter', 'delay_exit'].some((key) => seen.has(key));
  if (!acts && fault) setError(rule, ENOSYS);
  else if (!acts)
    throw new ExpressionError('nothing to inject: give error, retval, signal, delay_enter or delay_exit', text.length);
  if (seen.has('syscall') && rule.value === null)
    throw new ExpressionError('syscall replaces the call only together with error or retval', text.length);
  if (seen.has('seed') && !seen.has('probability'))
    throw new ExpressionError('seed is of use only together with probability', text.length);
  return rule;
}

type Word = (rule: Mutable<InjectRule>, value: string, at: number, rows: readonly Row[], arch: ArchName) => void;

const FAULT_WORDS = new Set(['error', 'when', 'path', 'fd', 'pid', 'probability', 'seed']);

const unsupported: Word = (_rule, _value, at) => {
  throw new ExpressionError('poke_enter and poke_exit are not supported', at);
};

const WORDS: Readonly<Record<string, Word>> = {
  error(rule, text, at) {
    const errno = /^\d+$/.test(text) ? Number(text) : errnoByName(text);
    if (!(errno >= 1 && errno <= ERRNO_MAX)) throw new ExpressionError(`'${text}' is no error`, at);
    setError(rule, errno);
  },
  retval(rule, text, at) {
    if (!/^-?(\d+|0[xX][\da-fA-F]+)$/.test(text)) throw new ExpressionError(`'${text}' is no number`, at);
    const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
    if (value >= 1n << 64n || value < -(1n << 63n)) throw new ExpressionError(`'${text}' is more than 64 bits`, at);
    rule.value = BigInt.asUintN(64, value);
  },
  signal(rule, text, at) {
    const signal = /^\d+$/.test(text) ? Number(text) : signalByName(text);
    if (!(signal >= 1 && signal <= SIGRTMAX)) throw new ExpressionError(`'${text}' is no signal`, at);
    rule.signal = signal;
  },
  syscall(_rule, text, at, rows, arch) {
    // Whatever it is, it has no effect and its result is replaced: the name is only checked.
    const named = rows.find((row) => row.name === text && row.numbers[arch] !== undefined);
    if (named?.classes.includes('pure') !== true)
      throw new ExpressionError(`'${text}' is no system call without side effects (%pure)`, at);
  },
  delay_enter(rule, text, at) {
    rule.enterNs = delay(text, at);
  },
  delay_exit(rule, text, at) {
    rule.exitNs = delay(text, at);
  },
  when(rule, text, at) {
    const match = /^(\d+)(?:\.\.(\d+))?(?:(\+)(\d*))?$/.exec(text);
    if (match === null) throw new ExpressionError(`'${text}' is not FIRST[..LAST][+[STEP]]`, at);
    const [, first, last, plus, step] = match;
    rule.first = Number(first);
    rule.last = last === undefined ? Infinity : Number(last);
    rule.step = plus === undefined ? (last === undefined ? 0 : 1) : step === '' ? 1 : Number(step);
    const valid =
      rule.first >= 1 &&
      rule.first <= WHEN_MAX &&
      (last === undefined || (rule.last >= rule.first && rule.last < WHEN_MAX)) &&
      (plus === undefined || (rule.step >= 1 && rule.step <= WHEN_MAX));
    if (!valid)
      throw new ExpressionError(
        `when=${text}: FIRST and STEP are 1 to ${WHEN_MAX}, LAST is FIRST to ${WHEN_MAX - 1}`,
        at,
      );
  },
  poke_enter: unsupported,
  poke_exit: unsupported,
  path(rule, text, at) {
    if (text === '') throw new ExpressionError('the path is empty', at);
    rule.path = glob(text, at);
  },
  fd(rule, text, at) {
    rule.fd = whole(text, at, 0);
  },
  pid(rule, text, at) {
    rule.pid = whole(text, at, 1);
  },
  probability(rule, text, at) {
    const match = /^(\d+(?:\.\d*)?|\.\d+)(%?)$/.exec(text);
    const value = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : NaN;
    if (!(value >= 0 && value <= 1)) throw new ExpressionError(`'${text}' is no probability from 0 to 1`, at);
    rule.probability = value;
  },
  seed(rule, text, at) {
    rule.seed = whole(text, at, 0);
  },
};

function setError(rule: Mutable<InjectRule>, errno: number): void {
  rule.errno = errno;
  rule.value = BigInt.asUintN(64, BigInt(-errno));
}

/** Names that errno.h has twice. */
const SYNONYMS: Readonly<Record<string, string>> = {
  EWOULDBLOCK: 'EAGAIN',
  EDEADLOCK: 'EDEADLK',
  ENOTSUP: 'EOPNOTSUPP',
};

function errnoByName(text: string): number {
  const name = SYNONYMS[text] ?? text;
  return Number(Object.keys(ERRNO_NAMES).find((number) => ERRNO_NAMES[Number(number)] === name) ?? NaN);
}

/** With or without SIG in front, SIGRT_1 too. */
function signalByName(text: string): number {
  const name = text.startsWith('SIG') ? text : `SIG${text}`;
  for (let signal = 1; signal <= SIGRTMAX; signal++) if (signalName(signal) === name) return signal;
  return SIGNAL_NAMES.indexOf(SIGNAL_SYNONYMS[name] ?? '');
}
const SIGNAL_SYNONYMS: Readonly<Record<string, string>> = { SIGCLD: 'SIGCHLD', SIGIOT: 'SIGABRT', SIGPOLL: 'SIGIO' };

function delay(text: string, at: number): number {
  const match = /^(\d+(?:\.\d*)?|\.\d+)(s|ms|us|ns)?$/.exec(text);
  const ns = match ? Math.floor(Number(match[1]) * DELAY_UNITS[match[2] ?? '']) : NaN;
  if (!(ns >= 0 && ns <= DELAY_MAX))
    throw new ExpressionError(`'${text}' is no time: microseconds, or with s, ms, us or ns`, at);
  return ns;
}

function whole(text: string, at: number, least: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least)) throw new ExpressionError(`'${text}' is no number from ${least} on`, at);
  return value;
}

/** `*`, `?` and `[...]` as in the shell, but `*` goes over slashes too. */
function glob(text: string, at: number): RegExp {
  const source = text.replace(/\[!?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    return part.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    throw new ExpressionError(`'${text}' is no pattern`, at);
  }
}
