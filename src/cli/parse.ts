/**
 * The command line of `COMMAND [options] PROGRAM [ARGS...]`: the first word that is no option ends the options.
 *
 * yargs parses, checks names and prints help and completion. Loading it costs as much as starting Node does, so a
 * command line without options (which is most of them, and the one whose start-up time counts) never gets here.
 */
import type { Argv } from 'yargs';
import { UsageError, type Command, type OptionSpec, type RawOptions } from './options.js';
import { RUN } from './run-help.js';

/** Asks for completions: not for people, so it is in no help text. */
const COMPLETE = '--complete';

export interface Parsed {
  raw: RawOptions;
  /** Index of the program in the words given. */
  program: number;
  /** What to print instead of running a program. */
  print?: string;
}

export async function parse(
  words: string[],
  hostEnv: Record<string, string>,
  columns: number,
  command: Command = RUN,
): Promise<Parsed> {
  const { options } = command;
  if (words[0] === COMPLETE) return { raw: {}, program: 0, print: completions(options, words.slice(2)) };
  const { words: own, program } = splitOptions(options, words);
  const { default: yargs } = await import('yargs');
  const parser = describe(yargs(), command, columns);
  const parsed = (await parser.config(fromEnvironment(options, hostEnv)).parseAsync(own)) as RawOptions;
  if (parsed['completion-script']) return { raw: {}, program, print: completionScript(command.name) };
  if (parsed['help']) return { raw: {}, program, print: await parser.getHelp() };
  return { raw: lastValues(options, parsed), program };
}

function describe(parser: Argv, command: Command, columns: number): Argv {
  let y = parser
    .scriptName(command.name)
    .usage(command.usage)
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
    .epilogue(command.epilogue);
  for (const [example, text] of command.examples) y = y.example(example, text);
  for (const [name, spec] of Object.entries(command.options))
    y = y.option(name, toYargs(spec)).group(name, `${spec.group}:`);
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
function splitOptions(options: Command['options'], words: string[]): { words: string[]; program: number } {
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
      at = splitShort(options, words, at, own);
      continue;
    }
    const spec = word.includes('=') ? undefined : options[word.slice(2)];
    if (spec?.value === 'optional') own.push(`${word}=`);
    else if (spec?.value === 'required') own.push(`${word}=${valueAfter(words, at++, word)}`);
    else own.push(word);
  }
  return { words: own, program: at };
}

/** `-r x`, `-rx`, `-r=x` and groups of switches. Returns the index of the last word used. */
function splitShort(options: Command['options'], words: string[], at: number, own: string[]): number {
  const word = words[at];
  for (let index = 1; index < word.length; index++) {
    const name = longName(options, word[index]);
    if (name === undefined) throw new UsageError(`unknown option -${word[index]}`);
    if (options[name].value === 'none') {
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

function longName(options: Command['options'], alias: string): string | undefined {
  return Object.keys(options).find((name) => options[name].alias === alias);
}

function fromEnvironment(options: Command['options'], hostEnv: Record<string, string>): RawOptions {
  const config: RawOptions = {};
  for (const [name, spec] of Object.entries(options)) {
    const value = hostEnv[`LEVITATE_${name.toUpperCase().replaceAll('-', '_')}`];
    if (value === undefined || ['help', 'version', 'print-root', 'completion-script'].includes(name)) continue;
    if (spec.value === 'none') config[name] = value !== '' && value !== '0' && value !== 'false';
    else config[name] = spec.repeat ? [value] : value;
  }
  return config;
}

/** An option given twice is a list for yargs; the last one counts, as with every command. */
function lastValues(options: Command['options'], parsed: RawOptions): RawOptions {
  const raw: RawOptions = {};
  for (const [name, spec] of Object.entries(options)) {
    const value: unknown = parsed[name];
    if (spec.repeat) raw[name] = value === undefined ? undefined : ([] as string[]).concat(value as string[]);
    else raw[name] = (Array.isArray(value) ? value.at(-1) : value) as string | boolean | undefined;
  }
  return raw;
}

/** What may follow the words of a command line of which the last is being typed: our options, or their values. */
function completions(options: Command['options'], words: string[]): string {
  const current = words.at(-1) ?? '';
  const equals = /^--([a-z-]+)=/.exec(current);
  if (equals) return (options[equals[1]]?.choices ?? []).map((choice) => `--${equals[1]}=${choice}`).join('\n');
  const before = options[(words.at(-2) ?? '').replace(/^--/, '')];
  if (before?.value === 'required') return (before.choices ?? []).join('\n');
  const names = Object.keys(options).map((name) => `--${name}`);
  return names.filter((name) => current.startsWith('-') && name.startsWith(current)).join('\n');
}

function completionScript(name: string): string {
  const shell = name.replaceAll('-', '_');
  return `# Completion of ${name} for bash and zsh. Load it with:  source <(${name} --completion-script)
if [ -n "\${ZSH_VERSION-}" ]; then autoload -U +X bashcompinit && bashcompinit; fi
_${shell}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(${name} ${COMPLETE} "\${COMP_WORDS[@]}" 2>/dev/null)" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _${shell} ${name}
`;
}
