/**
 * The command line of `levitate-run [options] PROGRAM [ARGS...]`: the first word that is no option ends the options.
 *
 * yargs parses, checks names and prints help and completion. Loading it costs as much as starting Node does, so a
 * command line without options (which is most of them, and the one whose start-up time counts) never gets here.
 */
import type { Argv } from 'yargs';
import { OPTIONS, UsageError, type OptionSpec, type RawOptions } from './options.js';

const EXIT_CODES = `Exit status:
  124    the guest was ended by --timeout
  125    levitate-run itself failed (bad option, no root filesystem, no ptrace)
  126    the program was found but cannot be executed
  127    the program was not found
  128+N  the program was killed by signal N (137: SIGKILL, 143: SIGTERM)
  else   the program's own exit status

Any option can also be given as an environment variable: LEVITATE_ROOT, LEVITATE_LOG_LEVEL, ...
Standard output holds only what the guest wrote. The root filesystem is a private copy: changes
to it are gone when the guest ends.`;

/** Asks for completions: not for people, so it is in no help text. */
const COMPLETE = '--complete';

export interface Parsed {
  raw: RawOptions;
  /** Index of the program in the words given. */
  program: number;
  /** What to print instead of running a program. */
  print?: string;
}

export async function parse(words: string[], hostEnv: Record<string, string>, columns: number): Promise<Parsed> {
  if (words[0] === COMPLETE) return { raw: {}, program: 0, print: completions(words.slice(2)) };
  const { words: own, program } = splitOptions(words);
  const { default: yargs } = await import('yargs');
  const parser = describe(yargs(), columns);
  const parsed = (await parser.config(fromEnvironment(hostEnv)).parseAsync(own)) as RawOptions;
  if (parsed['completion-script']) return { raw: {}, program, print: completionScript() };
  if (parsed['help']) return { raw: {}, program, print: await parser.getHelp() };
  return { raw: lastValues(parsed), program };
}

function describe(parser: Argv, columns: number): Argv {
  let y = parser
    .scriptName('levitate-run')
    .usage('Usage: $0 [options] PROGRAM [ARGS...]\n\nRuns a Linux program on a Linux kernel written in TypeScript.')
    .parserConfiguration({
      'halt-at-non-option': true,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
    })
    .strictOptions()
    .help(false)
    .version(false)
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message: string, error: Error | undefined) => {
      throw error ?? new UsageError(message.trim().replace(/\s*\n\s*/g, ' '));
    })
    .wrap(Math.max(60, Math.min(100, columns)))
    .example('$0 busybox sh', 'an interactive shell')
    .example("$0 busybox sh -c 'uname -a; ps'", 'one command')
    .example('echo hello | $0 busybox tr a-z A-Z', 'in a pipe')
    .example('$0 --strace=trace.txt busybox ls /', 'with every system call written to a file')
    .example(
      "$0 --strace-options='-y -e trace=%file' busybox ls /",
      'only calls with file names, descriptors explained',
    )
    .example("$0 --strace-options='-v -s 4096 -e write' busybox id", 'only writes, with all of their data')
    .example("$0 --strace-options='-c -S calls' busybox find /", 'how often each call was made')
    .example('$0 --root alpine.tar.gz --user 1000 /bin/ls', "somebody else's root filesystem")
    .example('$0 --timeout 10s --memory 64M --pids 20 ./untrusted', 'with limits')
    .epilogue(EXIT_CODES);
  for (const [name, spec] of Object.entries(OPTIONS)) y = y.option(name, toYargs(spec)).group(name, `${spec.group}:`);
  return y;
}

function toYargs(spec: OptionSpec): Record<string, unknown> {
  const option: Record<string, unknown> = {
    describe: spec.describe + (spec.placeholder ? ` (${spec.placeholder})` : ''),
  };
  if (spec.alias) option['alias'] = spec.alias;
  if (spec.choices) option['choices'] = spec.choices;
  option['type'] = spec.value === 'none' ? 'boolean' : 'string';
  if (spec.value === 'required') option['requiresArg'] = true;
  if (spec.repeat) Object.assign(option, { array: true, nargs: 1 });
  return option;
}

/**
 * Cuts the words into our options and the guest's. Ours are rewritten to the one form that leaves yargs nothing to guess:
 * `--name` and `--name=value`, so that a value may start with a dash and `--strace ls` does not eat the program.
 */
function splitOptions(words: string[]): { words: string[]; program: number } {
  const own: string[] = [];
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at];
    if (word === '--') {
      at++;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    if (!word.startsWith('--')) {
      at = splitShort(words, at, own);
      continue;
    }
    const spec = word.includes('=') ? undefined : OPTIONS[word.slice(2)];
    if (spec?.value === 'optional') own.push(`${word}=`);
    else if (spec?.value === 'required') own.push(`${word}=${valueAfter(words, at++, word)}`);
    else own.push(word);
  }
  return { words: own, program: at };
}

/** `-r x`, `-rx`, `-r=x` and groups of switches. Returns the index of the last word used. */
function splitShort(words: string[], at: number, own: string[]): number {
  const word = words[at];
  for (let index = 1; index < word.length; index++) {
    const name = longName(word[index]);
    if (name === undefined) throw new UsageError(`unknown option -${word[index]}`);
    if (OPTIONS[name].value === 'none') {
      own.push(`--${name}`);
      continue;
    }
    const attached = word.slice(index + 1).replace(/^=/, '');
    own.push(`--${name}=${attached === '' ? valueAfter(words, at, `-${word[index]}`) : attached}`);
    return attached === '' ? at + 1 : at;
  }
  return at;
}

function valueAfter(words: string[], at: number, option: string): string {
  if (at + 1 >= words.length) throw new UsageError(`${option} needs a value`);
  return words[at + 1];
}

function longName(alias: string): string | undefined {
  return Object.keys(OPTIONS).find((name) => OPTIONS[name].alias === alias);
}

function fromEnvironment(hostEnv: Record<string, string>): RawOptions {
  const config: RawOptions = {};
  for (const [name, spec] of Object.entries(OPTIONS)) {
    const value = hostEnv[`LEVITATE_${name.toUpperCase().replaceAll('-', '_')}`];
    if (value === undefined || ['help', 'version', 'print-root', 'completion-script'].includes(name)) continue;
    if (spec.value === 'none') config[name] = value !== '' && value !== '0' && value !== 'false';
    else config[name] = spec.repeat ? [value] : value;
  }
  return config;
}

/** An option given twice is a list for yargs; the last one counts, as with every command. */
function lastValues(parsed: RawOptions): RawOptions {
  const raw: RawOptions = {};
  for (const [name, spec] of Object.entries(OPTIONS)) {
    const value: unknown = parsed[name];
    if (spec.repeat) raw[name] = value === undefined ? undefined : ([] as string[]).concat(value as string[]);
    else raw[name] = (Array.isArray(value) ? value.at(-1) : value) as string | boolean | undefined;
  }
  return raw;
}

/** What may follow the words of a command line of which the last is being typed: our options, or their values. */
function completions(words: string[]): string {
  const current = words.at(-1) ?? '';
  const equals = /^--([a-z-]+)=/.exec(current);
  if (equals) return (OPTIONS[equals[1]]?.choices ?? []).map((choice) => `--${equals[1]}=${choice}`).join('\n');
  const before = OPTIONS[(words.at(-2) ?? '').replace(/^--/, '')];
  if (before?.value === 'required') return (before.choices ?? []).join('\n');
  const names = Object.keys(OPTIONS).map((name) => `--${name}`);
  return names.filter((name) => current.startsWith('-') && name.startsWith(current)).join('\n');
}

function completionScript(): string {
  return `# Completion of levitate-run for bash and zsh. Load it with:  source <(levitate-run --completion-script)
if [ -n "\${ZSH_VERSION-}" ]; then autoload -U +X bashcompinit && bashcompinit; fi
_levitate_run() {
  local current="\${COMP_WORDS[COMP_CWORD]}" IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(levitate-run ${COMPLETE} "\${COMP_WORDS[@]}" 2>/dev/null)" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _levitate_run levitate-run
`;
}
