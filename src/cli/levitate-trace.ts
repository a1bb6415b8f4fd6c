/**
 * `levitate-trace convert RECORDING [-o FILE]`: recordings of `levitate-run --record` in formats of other programs.
 * Its own messages go to stderr as `levitate-trace: ...`.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Argv } from 'yargs';
import { ChromeWriter } from '../trace/chrome.js';
import { readRecording } from '../trace/recording-reader.js';
import { TextSink } from '../trace/text-sink.js';

declare const LEVITATE_VERSION: string | undefined;

const EXIT_WRONG = 1;
const EXIT_USAGE = 2;

class UsageError extends Error {}

export async function main(words: string[]): Promise<void> {
  process.exitCode = EXIT_WRONG; // until something better is known
  process.exitCode = await command(words);
}

async function command(words: string[]): Promise<number> {
  try {
    const { default: yargs } = await import('yargs');
    const parser = describe(yargs(), process.stderr.columns ?? 100);
    const parsed = await parser.parseAsync(words);
    const [command, ...files] = parsed._.map(String);
    if (parsed['help'] === true) process.stdout.write(`${await parser.getHelp()}\n`);
    else if (parsed['version'] === true)
      process.stdout.write(`${typeof LEVITATE_VERSION === 'string' ? LEVITATE_VERSION : 'source'}\n`);
    else if (command === undefined) throw new UsageError('no command given');
    else if (command !== 'convert') throw new UsageError(`unknown command '${command}'`);
    else if (files.length !== 1) throw new UsageError('convert takes one recording');
    else convert(files[0], parsed['output'] as string | undefined);
    return 0;
  } catch (error) {
    const usage = error instanceof UsageError;
    process.stderr.write(`levitate-trace: ${explain(error)}${usage ? "\nTry 'levitate-trace --help'." : ''}\n`);
    return usage ? EXIT_USAGE : EXIT_WRONG;
  }
}

function describe(parser: Argv, columns: number): Argv {
  return parser
    .scriptName('levitate-trace')
    .help(false)
    .version(false)
    .usage(
      'Usage: $0 convert RECORDING [-o FILE]\n\nTurns a recording of levitate-run --record into Chrome trace events, which ui.perfetto.dev opens: a track for each task, its system calls, what it waited for and who woke it.',
    )
    .option('output', {
      alias: 'o',
      describe: 'File to write. Default: standard output',
      type: 'string',
      requiresArg: true,
    })
    .option('help', { alias: 'h', describe: 'Print this help', type: 'boolean' })
    .option('version', { alias: 'V', describe: 'Print the version', type: 'boolean' })
    .parserConfiguration({ 'camel-case-expansion': false, 'parse-positional-numbers': false, 'dot-notation': false })
    .strictOptions()
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message: string, error: Error | undefined) => {
      throw error ?? new UsageError(message);
    })
    .wrap(Math.max(60, Math.min(100, columns)))
    .example('levitate-run --record run.rec busybox sh -c "ls | wc -l"', 'record a run')
    .example('$0 convert run.rec -o run.json', 'and look at run.json in ui.perfetto.dev');
}

function convert(recording: string, output: string | undefined): void {
  const fd = output === undefined ? 1 : openSync(output, 'w');
  const sink = new TextSink((bytes) => {
    for (let at = 0; at < bytes.length;) at += writeAgain(fd, bytes, at);
  });
  const writer = new ChromeWriter(sink);
  const { complete, torn, lastAt } = readRecording(recording, writer);
  // A run that was killed: its tracks end with its last event.
  if (!complete) {
    writer.end(lastAt);
    const how = torn ? 'in the middle of a line' : 'without the end of the run';
    process.stderr.write(`levitate-trace: ${recording} stops ${how}; what is there was converted\n`);
  }
  sink.flush();
  if (output !== undefined) closeSync(fd);
}

/** A pipe that is not read yet is no error. */
function writeAgain(fd: number, bytes: Uint8Array, at: number): number {
  try {
    return writeSync(fd, bytes, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof UsageError || error.name === 'TraceFileError' || 'syscall' in error;
  return expected ? error.message : `internal error: ${error.stack ?? error.message}`;
}
