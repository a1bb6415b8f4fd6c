/**
 * The options of `levitate-run`: one table (names, values, help), the checks of their values, and the parsed result that
 * `run()` takes. No parser here: yargs is loaded by parse.ts, and only if the command line has options at all.
 */
import type { ByteString } from '../abi/types.js';
import type { StraceSettings } from '../trace/settings.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const PLATFORMS = ['ptrace', 'script'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type PlatformName = (typeof PLATFORMS)[number];

/** Everything a run is told. Strings that reach the guest are byte strings. */
export interface RunOptions {
  /** The program and its arguments; the program is looked up in the guest's PATH if it has no slash. */
  argv: ByteString[];
  /** Host path of a directory or archive; absent: the default root filesystem. */
  root?: string;
  /**
   * The guest's environment. Where the command line says nothing, it holds PATH, and TERM if there is a terminal;
   * `run` adds HOME, USER and LOGNAME from the guest's /etc/passwd unless they are set or `clearEnv`.
   */
  env: Record<ByteString, ByteString>;
  clearEnv: boolean;
  /** Absolute path in the guest. */
  cwd?: ByteString;
  /** `USER[:GROUP]`, each a name of the guest's /etc/passwd and /etc/group or a number. */
  user?: ByteString;
  hostname?: ByteString;
  timeoutMs?: number;
  memoryBytes?: number;
  pids?: number;
  /** `true`: to stderr; else a host file. */
  strace?: true | string;
  /** Texts of strace's own options, and what they mean once they have been read. */
  straceOptions?: string[];
  straceSettings?: StraceSettings;
  summary?: true | string;
  /** Host files. */
  record?: string;
  traceEvents?: string;
  /** Expressions of --inject and --fault, in the order given. */
  inject?: readonly { readonly option: 'inject' | 'fault'; readonly text: ByteString }[];
  platform: PlatformName;
  logLevel: LogLevel;
  /** Print what was counted (stub system calls, resources) on stderr at the end. */
  report: boolean;
  /** Let hot system calls pass without a stop; absent: yes, where the machine can. */
  gate?: boolean;
  /** Give the guest a terminal; absent: if stdin and stdout are terminals. */
  tty?: boolean;
}

/** A wrong command line; the message is for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const EXIT_TIMEOUT = 124;
export const EXIT_FAILED = 125;
export const EXIT_NOT_EXECUTABLE = 126;
export const EXIT_NOT_FOUND = 127;

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface OptionSpec {
  group: 'Root filesystem' | 'The program' | 'Limits' | 'Looking inside' | 'Comparing' | 'The recording' | 'Other';
  describe: string;
  /** `none`: a switch; `required`: takes the next word or `=VALUE`; `optional`: only `=VALUE`. */
  value: 'none' | 'required' | 'optional';
  placeholder?: string;
  alias?: string;
  repeat?: boolean;
  choices?: readonly string[];
}

/** A command for the parser: its name, its options, and the words of its help. */
export interface Command {
  readonly name: string;
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly (readonly [string, string])[];
  readonly epilogue: string;
}

export const OPTIONS: Record<string, OptionSpec> = {
  root: {
    group: 'Root filesystem',
    describe:
      'Directory, or tar, tar.gz or cpio archive, that the guest gets as a private copy of /. Default: BusyBox, built on first use',
    value: 'required',
    placeholder: 'PATH',
    alias: 'r',
  },
  'print-root': {
    group: 'Root filesystem',
    describe: 'Build the default root filesystem if it is not there yet, and print its folder',
    value: 'none',
  },
  env: {
    group: 'The program',
    describe: "Set a variable; without =VALUE, pass the host's one on. Can be repeated",
    value: 'required',
    placeholder: 'NAME[=VALUE]',
    alias: 'e',
    repeat: true,
  },
  'clear-env': {
    group: 'The program',
    describe: 'Start from an empty environment, without PATH, HOME and TERM',
    value: 'none',
  },
  cwd: {
    group: 'The program',
    describe: 'Working directory in the guest',
    value: 'required',
    placeholder: 'DIR',
    alias: 'w',
  },
  user: {
    group: 'The program',
    describe: "User and group in the guest, by the guest's names or by number. Default: root",
    value: 'required',
    placeholder: 'USER[:GROUP]',
    alias: 'u',
  },
  hostname: {
    group: 'The program',
    describe: 'Host name the guest sees. Default: levitate',
    value: 'required',
    placeholder: 'NAME',
  },
  tty: {
    group: 'The program',
    describe: 'Give the guest a terminal, or not (--no-tty). Default: if stdin and stdout are one',
    value: 'none',
  },
  timeout: {
    group: 'Limits',
    describe: 'Kill the guest after this time: 30, 30s, 500ms, 5m, 2h',
    value: 'required',
    placeholder: 'TIME',
  },
  memory: {
    group: 'Limits',
    describe: 'Memory of all processes together: bytes, or with K, M, G, T. More gives ENOMEM',
    value: 'required',
    placeholder: 'SIZE',
    alias: 'm',
  },
  pids: {
    group: 'Limits',
    describe: 'Processes and threads at a time. More gives EAGAIN',
    value: 'required',
    placeholder: 'N',
  },
  strace: {
    group: 'Looking inside',
    describe: 'Write every system call in the form of strace -f, to stderr or a file',
    value: 'optional',
    placeholder: '[=FILE]',
  },
  'strace-options': {
    group: 'Looking inside',
    describe:
      "What --strace shows and how, in strace's own spelling: -e trace=%file, -s 200, -v, -y, -T, -c, ... Can be repeated. Without --strace, the trace goes to stderr",
    value: 'required',
    placeholder: 'OPTIONS',
    repeat: true,
  },
  summary: {
    group: 'Looking inside',
    describe: 'At the end, write a table of system calls in the form of strace -c, to stderr or a file',
    value: 'optional',
    placeholder: '[=FILE]',
  },
  record: {
    group: 'Looking inside',
    describe:
      'Write every system call, signal and exit to a file as JSON lines, with all bytes of every buffer. levitate-trace convert reads it: --record run.rec, then levitate-trace convert run.rec -o run.json',
    value: 'required',
    placeholder: 'FILE',
  },
  'trace-events': {
    group: 'Looking inside',
    describe:
      'Write a timeline for ui.perfetto.dev or chrome://tracing: what each task did, what it waited for and who woke it (Chrome trace events)',
    value: 'required',
    placeholder: 'FILE',
  },
  inject: {
    group: 'Looking inside',
    describe:
      "Tamper with system calls as strace --inject does: make them fail, return what you say, get a signal, take longer. --inject='openat:error=ENOSPC:when=2+' lets no task open a second file. SET is a list of names, %class or /regex; !SET is all others. error and retval: the call is not made. Beyond strace, path=GLOB, fd=N and pid=N narrow the set, and probability=0.1:seed=1 leaves it to chance, the same every time. Can be repeated; for each call the last one counts",
    value: 'required',
    placeholder: 'SET:error=E|retval=N|signal=S|delay_enter=TIME|delay_exit=TIME[:when=FIRST[..LAST][+[STEP]]]',
    repeat: true,
  },
  fault: {
    group: 'Looking inside',
    describe: 'The same for errors alone, ENOSYS unless another is given: --fault=%network:when=3+. Can be repeated',
    value: 'required',
    placeholder: 'SET[:error=E][:when=...]',
    repeat: true,
  },
  report: {
    group: 'Looking inside',
    describe: 'At the end, say on stderr which unimplemented system calls were hit, and what the gate did',
    value: 'none',
  },
  'log-level': {
    group: 'Looking inside',
    describe: 'Diagnostics on stderr: readable on a terminal, else JSON lines',
    value: 'required',
    choices: LOG_LEVELS,
  },
  gate: {
    group: 'Other',
    describe: 'Let hot system calls pass without a stop, or not (--no-gate: slower, the same results)',
    value: 'none',
  },
  platform: {
    group: 'Other',
    describe: 'How guests run: as traced processes (script: only for levitate-replay)',
    value: 'required',
    choices: PLATFORMS,
  },
  'completion-script': { group: 'Other', describe: 'Print a completion script for bash or zsh', value: 'none' },
  version: { group: 'Other', describe: 'Print the version', value: 'none', alias: 'V' },
  help: { group: 'Other', describe: 'Print this help', value: 'none', alias: 'h' },
};

const TIME_UNITS: Record<string, number> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const MAX_TIMEOUT_MS = 365 * 86_400_000;
const MIN_MEMORY = 2 ** 20;
const MAX_MEMORY = 2 ** 44;
const MAX_PIDS = 4_194_304;
const MAX_HOSTNAME = 64;

export function parseTimeout(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h|d)?$/.exec(text);
  const ms = match ? Number(match[1]) * TIME_UNITS[match[2] ?? ''] : NaN;
  if (!(ms > 0 && ms <= MAX_TIMEOUT_MS))
    throw new UsageError(`--timeout: '${text}' is not a time like 30, 30s, 500ms, 5m or 2h`);
  return ms;
}

export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmgt])?(?:i?b)?$/i.exec(text);
  const bytes = match ? Math.floor(Number(match[1]) * SIZE_UNITS[(match[2] ?? '').toUpperCase()]) : NaN;
  if (!(bytes >= MIN_MEMORY && bytes <= MAX_MEMORY))
    throw new UsageError(`--memory: '${text}' is not a size from 1M to 16T, like 512M or 2G`);
  return bytes;
}

export function parsePids(text: string): number {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : NaN;
  if (!(count >= 1 && count <= MAX_PIDS))
    throw new UsageError(`--pids: '${text}' is not a number from 1 to ${MAX_PIDS}`);
  return count;
}

export function parseHostname(text: ByteString): ByteString {
  if (text === '' || text.length > MAX_HOSTNAME || !/^[\x21-\x7e]+$/.test(text)) {
    throw new UsageError(`--hostname: '${text}' is not a name of 1 to ${MAX_HOSTNAME} printable characters`);
  }
  return text;
}

export function parseUser(text: ByteString): ByteString {
  const part = '(?:\\d{1,10}|[^:\\s/\\0]{1,32})';
  const match = new RegExp(`^${part}(?::${part})?$`).test(text);
  const tooLarge = text.split(':').some((word) => /^\d+$/.test(word) && Number(word) >= 2 ** 32 - 1);
  if (!match || tooLarge) throw new UsageError(`--user: '${text}' is not USER or USER:GROUP, names or numbers`);
  return text;
}

export function parseCwd(text: ByteString): ByteString {
  if (!text.startsWith('/')) throw new UsageError(`--cwd: '${text}' is not an absolute path in the guest`);
  return text;
}

/** `NAME=VALUE`, or `NAME` for the host's value; undefined if the host has none. */
export function parseEnv(text: ByteString, host: Record<ByteString, ByteString>): [ByteString, ByteString] | undefined {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '') throw new UsageError(`--env: '${text}' is not NAME=VALUE or NAME`);
  if (equals >= 0) return [name, text.slice(equals + 1)];
  return Object.hasOwn(host, name) ? [name, host[name]] : undefined;
}

export function parseChoice<Value extends string>(option: string, text: string, choices: readonly Value[]): Value {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new UsageError(`--${option}: '${text}' is not one of ${choices.join(', ')}`);
  return found;
}

/** Options as written, before their values are checked: the last value of each, all values of repeated ones. */
export type RawOptions = Record<string, string | boolean | string[] | undefined>;

export function toRunOptions(raw: RawOptions, argv: ByteString[], hostEnv: Record<ByteString, ByteString>): RunOptions {
  const clearEnv = raw['clear-env'] === true;
  const options: RunOptions = {
    argv,
    env: clearEnv ? emptyEnv() : defaultEnv(hostEnv),
    clearEnv,
    platform: parseChoice('platform', text(raw, 'platform') ?? 'ptrace', PLATFORMS),
    logLevel: parseChoice('log-level', text(raw, 'log-level') ?? 'warn', LOG_LEVELS),
    report: raw['report'] === true,
  };
  for (const word of (raw['env'] as string[] | undefined) ?? []) {
    const pair = parseEnv(word, hostEnv);
    if (pair) options.env[pair[0]] = pair[1];
  }
  const set = <Key extends keyof RunOptions>(
    key: Key,
    option: string,
    parse: (value: string) => RunOptions[Key],
  ): void => {
    const value = text(raw, option);
    if (value !== undefined) options[key] = parse(value);
  };
  set('root', 'root', (value) => nonEmpty('root', value));
  set('cwd', 'cwd', parseCwd);
  set('user', 'user', parseUser);
  set('hostname', 'hostname', parseHostname);
  set('timeoutMs', 'timeout', parseTimeout);
  set('memoryBytes', 'memory', parseMemory);
  set('pids', 'pids', parsePids);
  set('strace', 'strace', (value) => value || true);
  set('summary', 'summary', (value) => value || true);
  const straceOptions = raw['strace-options'] as string[] | undefined;
  if (straceOptions !== undefined) {
    options.straceOptions = straceOptions;
    options.strace ??= true;
  }
  set('record', 'record', (value) => nonEmpty('record', value));
  set('traceEvents', 'trace-events', (value) => nonEmpty('trace-events', value));
  const inject = (['fault', 'inject'] as const).flatMap((option) =>
    ((raw[option] as string[] | undefined) ?? []).map((expression) => ({ option, text: expression })),
  );
  if (inject.length > 0) options.inject = inject;
  if (typeof raw['tty'] === 'boolean') options.tty = raw['tty'];
  if (typeof raw['gate'] === 'boolean') options.gate = raw['gate'];
  return options;
}

/** Without a prototype: any name may be a variable's. */
export function emptyEnv(): Record<ByteString, ByteString> {
  return Object.create(null) as Record<ByteString, ByteString>;
}

export function defaultEnv(hostEnv: Record<ByteString, ByteString>): Record<ByteString, ByteString> {
  const env = emptyEnv();
  env['PATH'] = DEFAULT_PATH;
  // Harmless without a terminal, and programs that open /dev/tty want it.
  if (hostEnv['TERM']) env['TERM'] = hostEnv['TERM'];
  return env;
}

export function text(raw: RawOptions, option: string): string | undefined {
  const value = raw[option];
  return typeof value === 'string' ? value : undefined;
}

export function nonEmpty(option: string, value: string): string {
  if (value === '') throw new UsageError(`--${option}: the value is empty`);
  return value;
}

/** All values of a repeated option. */
export const list = (raw: RawOptions, name: string): string[] => (raw[name] as string[] | undefined) ?? [];

/** A number from 0 to `most`. */
export function parseCount(option: string, value: string, most: number): number {
  const number = /^\d+$/.test(value) && value.length <= String(most).length ? Number(value) : NaN;
  if (!(number <= most)) throw new UsageError(`--${option}: '${value}' is not a number from 0 to ${most}`);
  return number;
}
