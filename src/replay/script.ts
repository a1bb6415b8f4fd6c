/**
 * Scripts: calls written by hand, in strace's notation, with what they are to give.
 *
 *     # a comment
 *     @file /tmp/data 0644 "hello"                  what is there when it begins; @dir PATH MODE, @symlink PATH "TARGET"
 *     @memory buffer 4096 "fill"                    a variable with the address of so many bytes
 *     fd = openat(AT_FDCWD, "/tmp/data", O_RDONLY)  any result but an error, kept
 *     read(fd, "hello", 10) = 5
 *     pipe2([r, w], 0) = 0                          a name that is new where the kernel writes is kept
 *     fstat(fd, {st_mode=S_IFREG|0644, st_size=_, ...}) = 0
 *     close(99) = -1 EBADF
 *     fcntl(fd, F_GETFL) = _ (flags O_RDONLY|O_LARGEFILE)   the number differs between architectures
 *     child = clone(child_stack=NULL, flags=SIGCHLD)
 *     [pid 2] exit_group(3) = ?                     another task; its number is its label
 *     [pid 2] +++ exited with 3 +++
 *     wait4(child, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = child
 *     @expect buffer "fill"                         memory as it is now
 *     @pages 4096                                   what a page is in the numbers below: on other machines they are not true
 *     read(r,  <unfinished ...>                     sleeps: others act meanwhile,
 *     [pid 2] write(w, "x", 1) = 1
 *     <... read resumed>"x", 1) = 1                 until it goes on
 *
 * Numbers mean themselves here: a script expects descriptor 3 where it says so. It begins in an empty directory.
 */
import { PAGE_SIZES } from '../platform/platform.js';
import { TermParser, TraceTextError, parseArguments, type Term } from '../trace/parse/term.js';
import { LineReader, result, type Outcome, type TraceEvent } from '../trace/parse/line.js';
import type { LineFile } from '../trace/line-file.js';
import type { EventSource } from './source.js';

/** What a line that begins with @ says. */
export interface Directive {
  readonly name: string;
  readonly terms: readonly Term[];
}

const CALL = /^(?:\[pid +(\d+)\] +)?(?:([A-Za-z_]\w*) = )?(?:([a-z_][a-z0-9_]*)\(|<\.\.\. ([a-z_][a-z0-9_]*) resumed>)/;
const UNFINISHED = ' <unfinished ...>';

export class ScriptSource implements EventSource {
  private readonly file: LineFile;

  constructor(file: LineFile) {
    this.file = file;
  }
  next(): TraceEvent | null {
    return this.file.read(this.read);
  }
  private readonly read = (line: string): TraceEvent | null => {
    const text = line.trimEnd();
    return text === '' || text.startsWith('#') ? null : scriptEvent(text, this.file.number);
  };
  close(): void {
    this.file.close();
  }
}

function scriptEvent(text: string, line: number): TraceEvent {
  if (text.startsWith('@')) return directive(text, line);
  const match = CALL.exec(text);
  // Signals and ends are written as strace writes them.
  if (match === null) {
    const event = /^(?:\[pid +\d+\] +)?(?:---|\+\+\+) /.test(text) ? new LineReader().read(text) : null;
    if (event === null || event.kind === 'call')
      throw new TraceTextError('a call, signal, end or directive belongs here', 0);
    return { ...event, line };
  }
  const [, label, variable, begun, resumed] = match as (string | undefined)[];
  const column = match[0].length;
  const pid = label === undefined ? 0 : Number(label);
  const name = begun ?? resumed!;
  if (begun !== undefined && text.endsWith(UNFINISHED)) {
    if (variable !== undefined) throw new TraceTextError('the variable belongs where the call is resumed', 0);
    return { pid, time: -1, line, kind: 'unfinished', name, args: text.slice(column, -UNFINISHED.length), column };
  }
  const parser = new TermParser(text, column);
  parser.list();
  if (text[parser.at] !== ')') parser.fail("')' is missing");
  const args = text.slice(column, parser.at);
  const rest = text.slice(parser.at + 1).trimStart();
  if (rest === '= ?') return { pid, time: -1, line, kind: 'lost', name, args, column, resumed: begun === undefined };
  const outcome = expectation(rest, text.length - rest.length);
  // Written out: spreading objects costs more than all the rest.
  const kind = begun === undefined ? 'resumed' : 'call';
  return { pid, time: -1, line, kind, name, args, column, outcome, keep: variable };
}
/** What follows the call: nothing (it succeeds), `= _`, `= _ (flags O_RDWR)`, `= name`, or a result as strace writes it. */
function expectation(rest: string, column: number): Outcome {
  const open = { text: rest, value: null, error: '', note: '', aux: '', injected: false, took: -1 };
  if (rest === '') return { ...open, text: '= _', expects: 'success' };
  const success = /^= _(?: \((.+)\))?$/.exec(rest);
  if (success !== null) return { ...open, aux: success[1] ?? '', expects: 'success' };
  const name = /^= ([A-Za-z_]\w*)$/.exec(rest)?.[1];
  if (name !== undefined) return { ...open, expects: name };
  return result(rest, column);
}

function directive(text: string, line: number): TraceEvent {
  const [, name, rest] = /^@(\w+)\s*(.*)$/.exec(text) ?? ['', '', ''];
  const column = text.length - rest.length;
  const words: Term[] = [];
  // Words are terms, but paths need no quotes.
  for (const match of rest.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)) {
    const word = match[0].startsWith('/') ? `"${match[0].replaceAll('"', '\\"')}"` : match[0];
    try {
      words.push(...parseArguments(word));
    } catch (error) {
      if (error instanceof TraceTextError) throw new TraceTextError(error.message, column + match.index + error.column);
      throw error;
    }
  }
  const shape = words.map((word) => word.kind).join(' ');
  const wanted = SHAPES[name];
  if (wanted === undefined)
    throw new TraceTextError(`there is no directive @${name}: ${Object.keys(SHAPES).join(', ')}`, 1);
  if (!wanted.test(shape)) throw new TraceTextError(`@${name} ${USAGE[name]}`, column);
  if (name === 'pages' && !PAGE_SIZES.includes(Number(words[0].text)))
    throw new TraceTextError(`pages have ${PAGE_SIZES.join(', ')} bytes`, column);
  return { pid: 0, time: -1, line, kind: 'directive', directive: { name, terms: words } };
}
const SHAPES: Readonly<Record<string, RegExp | undefined>> = {
  file: /^string number( string)?$/,
  dir: /^string number$/,
  symlink: /^string string$/,
  memory: /^symbol number( string)?$/,
  expect: /^symbol string$/,
  pages: /^number$/,
};
const USAGE: Readonly<Record<string, string>> = {
  file: 'PATH MODE ["CONTENT"]',
  dir: 'PATH MODE',
  symlink: 'PATH "TARGET"',
  memory: 'NAME SIZE ["CONTENT"]',
  expect: 'NAME "CONTENT"',
  pages: 'SIZE',
};
