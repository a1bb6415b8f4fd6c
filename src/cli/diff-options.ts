/** levitate-diff's command line: its options, help, and the checks of their values. */
import type { ByteString } from '../abi/types.js';
import {
  defaultEnv,
  emptyEnv,
  list,
  nonEmpty,
  parseCount,
  parseCwd,
  parseEnv,
  parseTimeout,
  text,
  OPTIONS,
  UsageError,
  type Command,
  type RawOptions,
} from './options.js';

export interface DiffCommand {
  argv: ByteString[];
  env: Map<ByteString, ByteString>;
  root?: ByteString;
  cwd?: ByteString;
  stdin?: ByteString;
  timeoutMs?: number;
  gate?: boolean;
  all: boolean;
  json: boolean;
  context: number;
  ignore: ReadonlySet<string>;
}

export const EXIT_SAME = 0;
export const EXIT_DIFFERENT = 1;
export const EXIT_USAGE = 2;

const MOST_CONTEXT = 10_000;

const { root, env, cwd, timeout, gate, version, help } = OPTIONS;

export const DIFF: Command = {
  name: 'levitate-diff',
  usage: `Usage: $0 [options] -- PROGRAM [ARGS...]

Runs a program on this host's kernel and on levitate's, and shows the first system call that differs.

The program really runs on this host, with your rights: in a scratch copy of the root
filesystem, where it is root, with processes, mounts, network and host name of its own. That
keeps its files apart, but it is no sandbox: compare no program that you would not run. In
levitate none of its calls reaches the host.`,
  options: {
    root: {
      ...root,
      describe:
        'Directory, or tar, tar.gz or cpio archive, that both runs get a private copy of as /. Default: BusyBox, built on first use',
    },
    env: { ...env, describe: "Set a variable in both runs; without =VALUE, pass the host's one on. Can be repeated" },
    'clear-env': { group: 'The program', describe: 'Start from an empty environment', value: 'none' },
    cwd: { ...cwd, describe: 'Working directory, in the root filesystem' },
    stdin: {
      group: 'The program',
      describe: 'Host file that both programs read from a pipe as standard input. Default: nothing',
      value: 'required',
      placeholder: 'FILE',
    },
    timeout: { ...timeout, describe: 'Kill either run after this time: 30, 30s, 500ms, 5m, 2h' },
    all: {
      group: 'Comparing',
      describe: 'List every difference, grouped by call, instead of the first one',
      value: 'none',
      alias: 'a',
    },
    json: {
      group: 'Comparing',
      describe: 'Every difference as a line of JSON; how much was compared goes to stderr',
      value: 'none',
    },
    context: {
      group: 'Comparing',
      describe: 'Lines to show before the first difference. Default: 5',
      value: 'required',
      placeholder: 'N',
      alias: 'C',
    },
    ignore: {
      group: 'Comparing',
      describe: 'Calls to leave out of both runs, by name. Can be repeated',
      value: 'required',
      placeholder: 'CALL[,CALL...]',
      alias: 'i',
      repeat: true,
    },
    gate,
    version,
    help,
  },
  examples: [
    ['$0 -- busybox sort /etc/passwd', 'is it the same? (it is)'],
    ["$0 --all -- busybox sh -c 'ls -l /proc/self/fd | cat'", 'every difference, pipelines too'],
    ['$0 --root alpine.tar.gz --ignore futex -- /usr/bin/program', 'a program of your own'],
    ['$0 --stdin data.txt --context 20 -- busybox gzip -c', 'with input, and more lines before'],
  ],
  epilogue: `How it compares: tasks are matched by their place in the tree of processes and threads, and
calls within a task in order. Names, flags, strings, counts and errors must be equal.
Descriptors, process ids, inode numbers and addresses must stand for each other throughout.
Times, random bytes and usage are not compared. Signals from outside and their handlers are
compared apart from the calls that they happen to interrupt.

The note on a call that differs is what levitate knows to be missing in it. Without one, the
difference is a bug.

Exit status:
  0      nothing differs
  1      something does
  2      bad option, the program cannot be run on this host, or neither run ended in time
  125    levitate-diff itself failed`,
};

export function toDiffCommand(
  raw: RawOptions,
  argv: ByteString[],
  hostEnv: Record<ByteString, ByteString>,
): DiffCommand {
  if (argv.length === 0) throw new UsageError('no program given');
  const variables =
    raw['clear-env'] === true ? emptyEnv() : { ...defaultEnv(hostEnv), HOME: '/root', USER: 'root', LOGNAME: 'root' };
  for (const word of list(raw, 'env')) {
    const pair = parseEnv(word, hostEnv);
    if (pair) variables[pair[0]] = pair[1];
  }
  const command: DiffCommand = {
    argv,
    env: new Map(Object.entries(variables)),
    all: raw['all'] === true,
    json: raw['json'] === true,
    context: parseCount('context', text(raw, 'context') ?? '5', MOST_CONTEXT),
    ignore: new Set(list(raw, 'ignore').flatMap((word) => word.split(',').filter((name) => name !== ''))),
  };
  const set = <Key extends 'root' | 'stdin' | 'cwd'>(key: Key, parse: (value: string) => string): void => {
    const value = text(raw, key);
    if (value !== undefined) command[key] = parse(value);
  };
  set('root', (value) => nonEmpty('root', value));
  set('stdin', (value) => nonEmpty('stdin', value));
  set('cwd', parseCwd);
  const limit = text(raw, 'timeout');
  if (limit !== undefined) command.timeoutMs = parseTimeout(limit);
  if (typeof raw['gate'] === 'boolean') command.gate = raw['gate'];
  return command;
}
