/** levitate-replay's command line: its options, help, and the checks of their values. */
import type { ArchName, ByteString } from '../abi/types.js';
import { ARCHS, SYSCALL_NUMBERS } from '../abi/numbers.js';
import {
  list,
  nonEmpty,
  parseChoice,
  parseCount,
  parseCwd,
  text,
  OPTIONS,
  UsageError,
  type Command,
  type RawOptions,
} from './options.js';

export interface ReplayCommand {
  files: ByteString[];
  root?: ByteString;
  cwd?: ByteString;
  arch?: ArchName;
  show: number;
  context: number;
  ignore: ReadonlySet<string>;
  quiet: boolean;
}

export const EXIT_SAME = 0;
export const EXIT_DIFFERENT = 1;
export const EXIT_UNREADABLE = 2;

const MOST = 1_000_000;
const { root, cwd, version, help } = OPTIONS;

export const REPLAY: Command = {
  name: 'levitate-replay',
  usage: `Usage: $0 [options] FILE...

Plays recorded system calls into levitate's kernel and shows what comes out differently.

No process is started and nothing is traced: this works on any host, as any user. A FILE is
what strace wrote of a program on a real Linux, a recording of levitate-run --record, or a
script in the same notation.`,
  options: {
    root: {
      ...root,
      describe:
        'Directory, or tar, tar.gz or cpio archive, with the files that the recording began with. Default: what the recording itself tells of them',
    },
    cwd: { ...cwd, describe: 'Directory that the recording began in. Default: what it tells, or /' },
    arch: {
      group: 'The recording',
      describe: 'Whose system calls these are. Default: what the recording says, or this host',
      value: 'required',
      choices: ARCHS,
    },
    differences: {
      group: 'Comparing',
      describe: 'How many differences to show of each file; the others are counted. Default: 10',
      value: 'required',
      placeholder: 'N',
      alias: 'n',
    },
    context: {
      group: 'Comparing',
      describe: 'Calls to show before a difference. Default: 3',
      value: 'required',
      placeholder: 'N',
      alias: 'C',
    },
    ignore: {
      group: 'Comparing',
      describe: 'Calls that are made but not compared, by name. Can be repeated',
      value: 'required',
      placeholder: 'CALL[,CALL...]',
      alias: 'i',
      repeat: true,
    },
    quiet: { group: 'Comparing', describe: 'Say nothing of files without differences', value: 'none', alias: 'q' },
    version,
    help,
  },
  examples: [
    ['strace -f -ttt -T -yy -v -xx -s 65535 -o trace ls /etc && $0 trace', 'a program of this host, call by call'],
    ['levitate-run --record run.jsonl busybox ls / && $0 run.jsonl', 'a run of levitate again'],
    ['$0 --root alpine.tar.gz --ignore getrandom trace', 'with the files it really had'],
  ],
  epilogue: `How it compares: errors, strings, flags, counts and small results must be equal. Descriptors
and process ids may be others as long as they mean the same. Addresses, inode numbers, times and
figures of the machine are not compared, nor is what /proc and /sys contain.

Record with strace -f -ttt -T -yy -v -xx -s 65535: what a recording leaves out can be neither
made again nor compared.

Exit status:
  0      nothing differs
  1      something does
  2      a file cannot be read as a recording, or a bad option
  125    levitate-replay itself failed`,
};

export function toReplayCommand(raw: RawOptions, files: ByteString[]): ReplayCommand {
  if (files.length === 0) throw new UsageError('no file given');
  const stray = files.find((file) => file.startsWith('-') && file !== '-');
  if (stray !== undefined) throw new UsageError(`options stand before the files: ${stray}`);
  const command: ReplayCommand = {
    files,
    show: parseCount('differences', text(raw, 'differences') ?? '10', MOST),
    context: parseCount('context', text(raw, 'context') ?? '3', MOST),
    ignore: new Set(list(raw, 'ignore').flatMap((word) => word.split(',').filter((name) => name !== ''))),
    quiet: raw['quiet'] === true,
  };
  for (const name of command.ignore) {
    if (!ARCHS.some((arch) => Object.hasOwn(SYSCALL_NUMBERS[arch], name)))
      throw new UsageError(`--ignore: '${name}' is no system call`);
  }
  const set = <Key extends 'root' | 'cwd'>(key: Key, parse: (value: string) => string): void => {
    const value = text(raw, key);
    if (value !== undefined) command[key] = parse(value);
  };
  set('root', (value) => nonEmpty('root', value));
  set('cwd', parseCwd);
  const arch = text(raw, 'arch');
  if (arch !== undefined) command.arch = parseChoice('arch', arch, ARCHS);
  return command;
}
