/**
 * strace's own command line, read into settings: `-f -e trace=%file -s 100 -tt`, short and long spellings.
 *
 * Options follow getopt_long(3): short ones may be joined (`-fv`, `-s64`), long ones shortened while only one fits. What makes no
 * sense here is refused with the reason rather than ignored.
 */
import type { ArchName } from '../abi/types.js';
import type { Row } from '../../syscalls/row.js';
import { callsOf, OptionSet, parseSet, signalsOf } from './option-sets.js';
import {
  column,
  count,
  descriptors,
  duration,
  named,
  precision,
  QUIET,
  refuse,
  Refused,
  same,
  summaryColumns,
  timestamps,
  words,
  type Absolute,
} from './option-values.js';
import { splitWords, StraceOptionError, type Word } from './option-words.js';
import {
  DEFAULT_SUMMARY,
  STATUSES,
  type Column,
  type Precision,
  type Status,
  type StraceSettings,
} from './settings.js';
import type { Constants, Style } from './style.js';

/** What has been read so far. */
interface State {
  readonly rows: readonly Row[];
  readonly arch: ArchName;
  traced: OptionSet<Row>;
  abbrev: OptionSet<Row>;
  verbose: OptionSet<Row>;
  raw: OptionSet<Row>;
  signals: OptionSet<number>;
  statuses: OptionSet<Status>;
  quiet: OptionSet<string> | null;
  descriptors: Style['descriptors'] | null;
  hex: Style['hex'] | null;
  absolute: Absolute | undefined;
  paths: Set<string>;
  strings: number;
  constants: Constants;
  column: number;
  relative: Precision | null;
  spent: Precision | null;
  numbers: boolean;
  lines: boolean;
  summary: boolean;
  sort: Column | 'nothing' | null;
  columns: readonly Column[] | null;
  overheadNs: number;
  separately: boolean;
  /** How often -f, -q, -t, -x and -y were given. */
  readonly times: Record<'f' | 'q' | 't' | 'x' | 'y', number>;
  wallClock: boolean;
}

interface Option {
  readonly short?: string;
  readonly long?: readonly string[];
  readonly value?: 'required' | 'optional';
  readonly apply: (s: State, value: string) => void;
}
const calls = (s: State, text: string): OptionSet<Row> =>
  named('system call', () => parseSet(text, (word) => callsOf(word, s.rows, s.arch)));
/** Qualifiers of -e, and long options of the same names. */
const QUALIFIERS: readonly { readonly names: readonly string[]; readonly apply: Option['apply'] }[] = [
  { names: ['trace', 't'], apply: (s, v) => (s.traced = calls(s, v)) },
  { names: ['abbrev', 'a'], apply: (s, v) => (s.abbrev = calls(s, v)) },
  { names: ['verbose', 'v'], apply: (s, v) => (s.verbose = calls(s, v)) },
  { names: ['raw', 'x'], apply: (s, v) => (s.raw = calls(s, v)) },
  { names: ['signal', 'signals', 's'], apply: (s, v) => (s.signals = named('signal', () => parseSet(v, signalsOf))) },
  { names: ['status'], apply: (s, v) => (s.statuses = words('status', v, same(STATUSES))) },
  { names: ['quiet', 'silent', 'silence', 'q'], apply: (s, v) => (s.quiet = words('quiet', v, QUIET)) },
  { names: ['decode-fds', 'decode-fd'], apply: (s, v) => (s.descriptors = descriptors(v)) },
  ...[
    'read',
    'reads',
    'r',
    'write',
    'writes',
    'w',
    'fault',
    'inject',
    'kvm',
    'decode-pids',
    'decode-pid',
    'secontext',
  ].map((name) => ({ names: [name], apply: () => refuse('not supported') })),
];
const qualifier = (name: string): Option['apply'] | undefined =>
  QUALIFIERS.find(({ names }) => names.includes(name))?.apply;
function expression(s: State, text: string): void {
  const equals = text.indexOf('=');
  const apply = equals < 0 ? undefined : qualifier(text.slice(0, equals));
  if (apply === undefined) s.traced = calls(s, text);
  else apply(s, text.slice(equals + 1));
}
const only = (status: Status) => new OptionSet<Status>(new Set([status]), false);
function counted(s: State, lines: boolean): void {
  if (s.summary && s.lines !== lines) refuse('-c and -C exclude each other');
  s.summary = true;
  s.lines = lines;
}

const OPTIONS: readonly Option[] = [
  { short: 'a', long: ['columns'], value: 'required', apply: (s, v) => (s.column = count(v)) },
  { short: 'c', long: ['summary-only'], apply: (s) => counted(s, false) },
  { short: 'C', long: ['summary'], apply: (s) => counted(s, true) },
  { short: 'e', value: 'required', apply: expression },
  { short: 'f', apply: (s) => s.times.f++ },
  { long: ['follow-forks'], apply: () => undefined },
  { long: ['output-separately'], apply: (s) => (s.separately = true) },
  { short: 'n', long: ['syscall-number'], apply: (s) => (s.numbers = true) },
  {
    short: 'O',
    long: ['summary-syscall-overhead'],
    value: 'required',
    apply: (s, v) => (s.overheadNs = duration(v)),
  },
  { short: 'P', long: ['trace-path'], value: 'required', apply: (s, v) => s.paths.add(v) },
  { short: 'q', apply: (s) => s.times.q++ },
  { short: 'r', apply: (s) => (s.relative = 'us') },
  { long: ['relative-timestamps'], value: 'optional', apply: (s, v) => (s.relative = precision(v || 'us')) },
  { short: 's', long: ['string-limit'], value: 'required', apply: (s, v) => (s.strings = count(v)) },
  {
    short: 'S',
    long: ['summary-sort-by'],
    value: 'required',
    apply: (s, v) =>
      (s.sort = v === 'none' || v === 'nothing' ? 'nothing' : (column(v) ?? refuse(`cannot sort by '${v}'`))),
  },
  { short: 't', apply: (s) => s.times.t++ },
  {
    long: ['absolute-timestamps', 'timestamps'],
    value: 'optional',
    apply: (s, v) => (s.absolute = timestamps(s.absolute, v || 'time')),
  },
  { short: 'T', apply: (s) => (s.spent = 'us') },
  { long: ['syscall-times'], value: 'optional', apply: (s, v) => (s.spent = precision(v || 'us')) },
  { short: 'U', long: ['summary-columns'], value: 'required', apply: (s, v) => (s.columns = summaryColumns(v)) },
  { short: 'v', long: ['no-abbrev'], apply: (s) => (s.abbrev = new OptionSet<Row>(new Set(), false)) },
  { short: 'w', long: ['summary-wall-clock'], apply: (s) => (s.wallClock = true) },
  { short: 'x', apply: (s) => s.times.x++ },
  {
    long: ['strings-in-hex'],
    value: 'optional',
    apply: (s, v) => (s.hex = HEX[v || 'all'] ?? refuse(`'${v}' is not none, non-ascii or all`)),
  },
  {
    short: 'X',
    long: ['const-print-style'],
    value: 'required',
    apply: (s, v) =>
      (s.constants =
        (['raw', 'abbrev', 'verbose'] as const).find((name) => name === v) ??
        refuse(`'${v}' is not raw, abbrev or verbose`)),
  },
  { short: 'y', apply: (s) => s.times.y++ },
  { short: 'z', long: ['successful-only'], apply: (s) => (s.statuses = only('successful')) },
  { short: 'Z', long: ['failed-only', 'failing-only'], apply: (s) => (s.statuses = only('failed')) },
  // Those of the qualifiers have no short form but -e's.
  ...['trace', 'abbrev', 'verbose', 'raw', 'signals', 'status', 'read', 'write', 'fault', 'inject', 'kvm'].map(
    (name): Option => ({ long: [name], value: 'required', apply: qualifier(name)! }),
  ),
  {
    long: ['quiet', 'silent', 'silence'],
    value: 'optional',
    apply: (s, v) => qualifier('quiet')!(s, v || 'attach,personality'),
  },
  { long: ['decode-fds'], value: 'optional', apply: (s, v) => (s.descriptors = descriptors(v || 'path')) },
  ...unsupported('A', 'output-append-mode'),
  ...unsupported('b', 'detach-on', 'required'),
  ...unsupported('d', 'debug'),
  ...unsupported('D', 'daemonize', 'optional', 'levitate-run stays where it is'),
  ...unsupported('E', 'env', 'required', 'use --env'),
  ...unsupported('F', undefined, undefined, 'forks are always followed'),
  ...unsupported('h', 'help', undefined, 'see levitate-run --help'),
  ...unsupported('i', 'instruction-pointer'),
  ...unsupported('I', 'interruptible', 'required'),
  ...unsupported('k', 'stack-traces'),
  ...unsupported('o', 'output', 'required', 'use --strace=FILE'),
  ...unsupported('p', 'attach', 'required', 'there is one run, and it is traced from its start'),
  ...unsupported('u', 'user', 'required', 'use --user'),
  ...unsupported('V', 'version', undefined, 'see levitate-run --version'),
  ...unsupported('Y', 'decode-pids', undefined),
  ...unsupported(undefined, 'seccomp-bpf'),
  ...unsupported(undefined, 'secontext', 'optional'),
  ...unsupported(undefined, 'tips', 'optional'),
  ...unsupported(undefined, 'pidns-translation'),
];
const HEX: Readonly<Record<string, Style['hex'] | undefined>> = { none: 'no', 'non-ascii': 'unprintable', all: 'all' };

function unsupported(short?: string, long?: string, value?: Option['value'], why?: string): Option[] {
  return [
    {
      ...(short === undefined ? {} : { short }),
      ...(long === undefined ? {} : { long: [long] }),
      ...(value === undefined ? {} : { value }),
      apply: () => refuse(why === undefined ? 'not supported' : `not supported: ${why}`),
    },
  ];
}

/** Reads texts of options, one after the other. Throws StraceOptionError. */
export function parseStraceOptions(texts: readonly string[], rows: readonly Row[], arch: ArchName): StraceSettings {
  const all = new OptionSet<never>(new Set(), true);
  const s: State = {
    rows,
    arch,
    traced: all,
    abbrev: all,
    verbose: all,
    raw: new OptionSet<Row>(new Set(), false),
    signals: all,
    statuses: all,
    quiet: null,
    descriptors: null,
    hex: null,
    absolute: undefined,
    paths: new Set(),
    strings: 32,
    constants: 'abbrev',
    column: 40,
    relative: null,
    spent: null,
    numbers: false,
    lines: true,
    summary: false,
    sort: null,
    columns: null,
    overheadNs: 0,
    separately: false,
    times: { f: 0, q: 0, t: 0, x: 0, y: 0 },
    wallClock: false,
  };
  for (const text of texts) readWords(s, splitWords(text));
  return settingsOf(s);
}

function readWords(s: State, given: readonly Word[]): void {
  for (let i = 0; i < given.length; i++) {
    const word = given[i];
    const next = (option: string): string => {
      i++;
      if (i >= given.length) throw new StraceOptionError(word.at, `${option} needs a value`);
      return given[i].text;
    };
    if (word.text.startsWith('--') && word.text.length > 2) readLong(s, word, next);
    else if (/^-[^-]/.test(word.text)) readShort(s, word, next);
    else throw new StraceOptionError(word.at, `'${word.text}' is not an option`);
  }
}
function readLong(s: State, word: Word, next: (option: string) => string): void {
  const [, name, value] = /^--([^=]*)(?:=([^]*))?$/.exec(word.text)!;
  const fits = (exactly: boolean) =>
    OPTIONS.filter((option) => option.long?.some((long) => (exactly ? long === name : long.startsWith(name))));
  const exact = fits(true);
  const found = exact.length > 0 ? exact : fits(false);
  if (found.length === 0) throw new StraceOptionError(word.at, `unknown option --${name}`);
  if (found.length > 1) {
    const names = found.map((option) => `--${option.long![0]}`).join(', ');
    throw new StraceOptionError(word.at, `--${name} may be ${names}`);
  }
  const [option] = found;
  if (option.value === undefined && value !== undefined)
    throw new StraceOptionError(word.at, `--${name} takes no value`);
  apply(s, word, `--${name}`, option, option.value === 'required' ? (value ?? next(`--${name}`)) : (value ?? ''));
}
function readShort(s: State, word: Word, next: (option: string) => string): void {
  for (let i = 1; i < word.text.length; i++) {
    const letter = word.text[i];
    const option = OPTIONS.find(({ short }) => short === letter);
    if (option === undefined) throw new StraceOptionError(word.at, `unknown option -${letter}`);
    const takes = option.value === 'required';
    const rest = word.text.slice(i + 1);
    apply(s, word, `-${letter}`, option, takes ? rest || next(`-${letter}`) : '');
    if (takes) return;
  }
}
function apply(s: State, word: Word, name: string, option: Option, value: string): void {
  try {
    option.apply(s, value);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new StraceOptionError(word.at, `${name}${value === '' ? '' : ` ${value}`}: ${error.message}`);
  }
}

/** -q, -t, -x and -y count; they and their long forms exclude each other. */
function repeated<T>(
  s: State,
  letter: 'q' | 't' | 'x' | 'y',
  long: T | null | undefined,
  forms: readonly T[],
): T | null {
  const given = s.times[letter];
  if (given === 0) return long ?? null;
  if (long !== null && long !== undefined)
    throw new StraceOptionError(1, `-${letter} and its long form exclude each other`);
  return forms[Math.min(given, forms.length) - 1];
}
const quietly = (...messages: string[]) => new OptionSet<string>(new Set(messages), false);

function settingsOf(s: State): StraceSettings {
  const needsSummary = (option: string): never => {
    throw new StraceOptionError(1, `${option} needs -c or -C`);
  };
  if (s.wallClock && !s.summary) needsSummary('-w');
  if (s.columns !== null && !s.summary) needsSummary('-U');
  const separately = s.separately || s.times.f > 1;
  if (separately && s.summary) throw new StraceOptionError(1, '-ff and -c or -C exclude each other');
  const quiet = repeated(s, 'q', s.quiet, [
    quietly('attach', 'personality'),
    quietly('attach', 'personality', 'exit'),
    new OptionSet<string>(new Set(), true),
  ]);
  const descriptors = repeated(s, 'y', s.descriptors, [1, 2] as const) ?? 0;
  const hex = repeated(s, 'x', s.hex, ['unprintable', 'all'] as const) ?? 'no';
  const absolute = repeated<Absolute>(s, 't', s.absolute, [
    { unix: false, precision: 's' },
    { unix: false, precision: 'us' },
    { unix: true, precision: 'us' },
  ]);
  const base = { strings: s.strings, hex, descriptors, constants: s.constants };
  const styles = new Map<Row, ReturnType<StraceSettings['style']>>();
  const statuses = STATUSES.filter((status) => s.statuses.has(status));
  return {
    traced: (row) => s.traced.has(row),
    style: (row) => {
      let style = styles.get(row);
      if (style === undefined) {
        style = { ...base, verbose: !s.abbrev.has(row), addresses: !s.verbose.has(row), raw: s.raw.has(row) };
        styles.set(row, style);
      }
      return style;
    },
    statuses: statuses.length === STATUSES.length ? null : new Set(statuses),
    signals: (signal) => s.signals.has(signal),
    exits: quiet === null || !quiet.has('exit'),
    superseded: quiet === null || !quiet.has('thread-execve'),
    paths: s.paths,
    column: s.column,
    separately,
    numbers: s.numbers,
    relative: s.relative,
    absolute,
    spent: s.spent,
    lines: s.lines,
    summary: s.summary
      ? {
          columns: s.columns ?? DEFAULT_SUMMARY.columns,
          sort: s.sort ?? DEFAULT_SUMMARY.sort,
          overheadNs: s.overheadNs,
        }
      : null,
  };
}
