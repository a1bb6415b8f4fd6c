/**
 * `levitate-replay [options] FILE...`: parses, replays each file, prints what differs on stdout. Exit status as diff(1): 0 the
 * same, 1 different, 2 a file that cannot be read; 125 for trouble of its own.
 */
import { replay } from '../replay/replay.js';
import { ReplayReport } from '../replay/report.js';
import { argvBytes, environmentBytes, fromBytes } from './host-strings.js';
import { EXIT_FAILED, UsageError } from './options.js';
import { parse } from './parse.js';
import {
  EXIT_DIFFERENT,
  EXIT_SAME,
  EXIT_UNREADABLE,
  REPLAY,
  toReplayCommand,
  type ReplayCommand,
} from './replay-options.js';
import { version } from './version.js';

export async function main(words: string[], onGuestDone?: () => void): Promise<void> {
  process.exitCode = EXIT_FAILED;
  let status: number;
  try {
    const command = await commandLine(words);
    status = command === undefined ? EXIT_SAME : await replayAll(command);
    onGuestDone?.();
  } catch (error) {
    status = failure(error);
  }
  // Not exit(): what was printed may still be on its way into a pipe.
  process.exitCode = status;
}

async function commandLine(words: string[]): Promise<ReplayCommand | undefined> {
  const bytes = argvBytes(words);
  const { raw, program, print } = await parse(bytes, environmentBytes(), process.stderr.columns ?? 100, REPLAY);
  if (raw['version']) process.stdout.write(`levitate ${version()} (Node ${process.version}, ${process.arch})\n`);
  else if (print !== undefined) process.stdout.write(print === '' || print.endsWith('\n') ? print : `${print}\n`);
  else return toReplayCommand(raw, bytes.slice(program));
  return undefined;
}

async function replayAll(command: ReplayCommand): Promise<number> {
  const { stdout } = process;
  const colors = stdout.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  const report = new ReplayReport({ colors });
  let status = EXIT_SAME;
  for (const path of command.files) {
    const file = fromBytes(path);
    try {
      let shown = 0;
      const result = await replay({
        file,
        arch: command.arch,
        root: command.root === undefined ? undefined : fromBytes(command.root),
        cwd: command.cwd,
        ignore: command.ignore,
        context: command.context,
        differ(difference, before) {
          if (shown++ < command.show) stdout.write(Buffer.from(report.difference(file, difference, before), 'latin1'));
        },
      });
      const { calls, tasks, differences } = result;
      if (differences > 0) status = Math.max(status, EXIT_DIFFERENT);
      const hidden = differences > command.show ? ` (${command.show} shown)` : '';
      const found = differences === 0 ? 'no difference' : `${plural(differences, 'difference')}${hidden}`;
      if (differences > 0 || !command.quiet)
        stdout.write(`${file}: ${plural(calls, 'call')} of ${plural(tasks, 'task')}: ${found}\n`);
    } catch (error) {
      status = Math.max(status, failure(error));
    }
  }
  return status;
}
const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Says what is wrong, and gives the exit status for it. */
function failure(error: unknown): number {
  const say = (text: string): void => void process.stderr.write(`levitate-replay: ${text}\n`);
  if (error instanceof UsageError) {
    say(`${error.message}\nTry 'levitate-replay --help'.`);
    return EXIT_UNREADABLE;
  }
  if (!(error instanceof Error)) say(`internal error: ${String(error)}`);
  else if (['TraceFileError', 'ArchiveError'].includes(error.name) || 'syscall' in error) {
    say(error.message);
    return EXIT_UNREADABLE;
  } else say(`internal error: ${error.stack ?? error.message}`);
  return EXIT_FAILED;
}
