/**
 * `levitate-run [options] PROGRAM [ARGS...]`: parses, runs, and turns the outcome into an exit status as env(1), timeout(1)
 * and docker run do (see options.ts). Its own messages go to stderr as `levitate-run: ...`; stdout is the guest's.
 *
 * Everything that a plain run does not need is loaded on demand: start-up time is a feature (CONTRIBUTING: under three
 * times `node -e 0`).
 */
import { HOST_ARCH } from '../abi/host-arch.js';
import { argvBytes, environmentBytes, fromBytes } from './host-strings.js';
import type { StraceSettings } from '../trace/settings.js';
import { EXIT_FAILED, OPTIONS, UsageError, toRunOptions, type RunOptions } from './options.js';
import { version } from './version.js';

export async function main(words: string[], onGuestDone?: () => void): Promise<void> {
  process.exitCode = EXIT_FAILED; // until something better is known
  let status = EXIT_FAILED;
  try {
    const options = await commandLine(words);
    if (options === undefined) status = 0;
    else {
      const { run } = await import('../api/run.js');
      status = await run(options);
      onGuestDone?.();
    }
  } catch (error) {
    process.stderr.write(`levitate-run: ${explain(error)}\n`);
  }
  process.exit(status);
}

/** The options of a run, or undefined if something was printed instead. */
async function commandLine(words: string[]): Promise<RunOptions | undefined> {
  const hostEnv = environmentBytes();
  const bytes = argvBytes(words);
  if (words.length === 0) throw new UsageError('no program given');
  if (!words[0].startsWith('-') && !hasDefaults()) return toRunOptions({}, bytes, hostEnv);
  if (words[0] === '--version' || words[0] === '-V') {
    print(`levitate ${version()} (Node ${process.version}, ${process.platform} ${process.arch})\n`);
    return undefined;
  }
  const { parse } = await import('./parse.js');
  const parsed = await parse(bytes, hostEnv, process.stderr.columns ?? 100);
  if (parsed.raw['version']) return commandLine(['--version']);
  if (parsed.print !== undefined) {
    print(parsed.print.endsWith('\n') || parsed.print === '' ? parsed.print : `${parsed.print}\n`);
    return undefined;
  }
  if (parsed.raw['print-root']) {
    const { provideRootfs } = await import('../../rootfs/provide.js');
    print(`${await provideRootfs()}\n`);
    return undefined;
  }
  const argv = bytes.slice(parsed.program);
  const options = toRunOptions(parsed.raw, argv, hostEnv);
  if (options.platform === 'script')
    throw new UsageError(
      "the script platform runs no programs: without processes, it replays recorded system calls, which is levitate-replay's work",
    );
  if (argv.length === 0) throw new UsageError('no program given');
  if (options.straceOptions !== undefined)
    options.straceSettings = await straceSettings(options, options.straceOptions);
  // Host paths are for Node, which takes them as text.
  if (options.root !== undefined) options.root = fromBytes(options.root);
  if (typeof options.strace === 'string') options.strace = fromBytes(options.strace);
  if (options.record !== undefined) options.record = fromBytes(options.record);
  if (options.traceEvents !== undefined) options.traceEvents = fromBytes(options.traceEvents);
  if (typeof options.summary === 'string') options.summary = fromBytes(options.summary);
  return options;
}

async function straceSettings(options: RunOptions, texts: string[]): Promise<StraceSettings> {
  const [{ parseStraceOptions }, { StraceOptionError }, { ROWS }] = await Promise.all([
    import('../trace/strace-options.js'),
    import('../trace/option-words.js'),
    import('../../syscalls/table.js'),
  ]);
  try {
    const settings = parseStraceOptions(texts, ROWS, HOST_ARCH);
    if (settings.separately && typeof options.strace !== 'string')
      throw new UsageError('--strace-options: -ff needs --strace=FILE');
    return settings;
  } catch (error) {
    throw error instanceof StraceOptionError ? new UsageError(`--strace-options: ${error.message}`) : error;
  }
}

/** Is any option given through the environment? Then yargs has to look. */
function hasDefaults(): boolean {
  for (const name in process.env) {
    if (name.startsWith('LEVITATE_') && Object.hasOwn(OPTIONS, name.slice(9).toLowerCase().replaceAll('_', '-')))
      return true;
  }
  return false;
}

function print(text: string): void {
  process.stdout.write(text);
}

function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nTry 'levitate-run --help'.`;
  if (!(error instanceof Error)) return `internal error: ${String(error)}`;
  const expected = ['ArchiveError', 'RootfsError', 'PreflightError'].includes(error.name) || 'syscall' in error;
  return expected ? error.message : `internal error: ${error.stack ?? error.message}`;
}
