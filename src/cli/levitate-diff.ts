/**
 * `levitate-diff [options] -- PROGRAM [ARGS...]`: parses, runs the program on both kernels, prints what differs on stdout.
 * Exit status as diff(1): 0 the same, 1 different, 2 trouble with the input; 125 for trouble of its own.
 */
import { readFileSync } from 'node:fs';
import { SIGNAL_NAMES } from '../abi/signals.js';
import { argvBytes, environmentBytes, fromBytes } from './host-strings.js';
import { DIFF, EXIT_DIFFERENT, EXIT_SAME, EXIT_USAGE, toDiffCommand, type DiffCommand } from './diff-options.js';
import { EXIT_FAILED, UsageError } from './options.js';
import { parse } from './parse.js';
import { version } from './version.js';

/** Their default is to end this process at once, with the scratch root left behind. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function main(words: string[], onGuestDone?: () => void): Promise<void> {
  process.exitCode = EXIT_FAILED;
  for (const name of ENDING) process.on(name, () => process.exit(128 + SIGNAL_NAMES.indexOf(name)));
  let status = EXIT_FAILED;
  try {
    const command = await commandLine(words);
    if (command === undefined) status = EXIT_SAME;
    else {
      status = await compare(command);
      onGuestDone?.();
    }
  } catch (error) {
    const [text, known] = explain(error);
    process.stderr.write(`levitate-diff: ${text}\n`);
    if (known) status = EXIT_USAGE;
  }
  process.exit(status);
}

/** The options of a comparison, or undefined if something was printed instead. */
async function commandLine(words: string[]): Promise<DiffCommand | undefined> {
  const hostEnv = environmentBytes();
  const bytes = argvBytes(words);
  const { raw, program, print } = await parse(bytes, hostEnv, process.stderr.columns ?? 100, DIFF);
  if (raw['version']) process.stdout.write(`levitate ${version()} (Node ${process.version}, ${process.arch})\n`);
  else if (print !== undefined) process.stdout.write(print === '' || print.endsWith('\n') ? print : `${print}\n`);
  else return toDiffCommand(raw, bytes.slice(program), hostEnv);
  return undefined;
}

async function compare(command: DiffCommand): Promise<number> {
  const { diff } = await import('../api/diff.js');
  const { Report, jsonLines } = await import('../trace/diff/report.js');
  const { root, stdin, all, json, ...options } = command;
  const result = await diff({
    ...options,
    // Host paths are for Node, which takes them as text.
    root: root === undefined ? undefined : fromBytes(root),
    input: stdin === undefined ? undefined : readFileSync(fromBytes(stdin)),
  });
  const colors = process.stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  const different = result.differences.length > 0 || result.problems.length > 0;
  const problems = result.problems.map((problem) => (json ? JSON.stringify({ problem }) : problem) + '\n').join('');
  const text = json ? jsonLines(result) : result.calls === 0 ? '' : new Report({ colors, all }).text(result);
  process.stdout.write(Buffer.from(text + problems, 'latin1'));
  if (json) process.stderr.write(`${result.calls} calls and events in ${result.tasks} tasks\n`);
  if (result.timedOut) return EXIT_USAGE;
  return different ? EXIT_DIFFERENT : EXIT_SAME;
}

/** The text, and whether it is the user's doing. */
function explain(error: unknown): [string, boolean] {
  if (error instanceof UsageError) return [`${error.message}\nTry 'levitate-diff --help'.`, true];
  if (!(error instanceof Error)) return [`internal error: ${String(error)}`, false];
  if (error.name === 'DiffError' || error.name === 'ArchiveError' || 'syscall' in error) return [error.message, true];
  if (error.name === 'RootfsError' || error.name === 'PreflightError') return [error.message, false];
  return [`internal error: ${error.stack ?? error.message}`, false];
}
