/**
 * A set of system calls in the language of strace -e trace=: `[!]word[,word...]`, each a name, `%class`, `/regex`, a number,
 * `all` or `none`; `?` before a word lets it match nothing. The classes are those of the rows.
 */
import type { ArchName } from '../abi/types.js';
import type { Row, TraceClass } from '../../syscalls/row.js';

/** What is wrong with an expression, and the first character of what is wrong. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  constructor(message: string, at: number) {
    super(`${message} (at character ${at + 1})`);
  }
}

const CLASSES: Readonly<Record<string, TraceClass>> = {
  file: 'file',
  process: 'process',
  net: 'network',
  network: 'network',
  signal: 'signal',
  memory: 'memory',
  desc: 'desc',
  ipc: 'ipc',
  creds: 'creds',
  clock: 'clock',
  stat: 'stat',
  lstat: 'lstat',
  fstat: 'fstat',
  '%stat': 'stat-like',
  statfs: 'statfs',
  fstatfs: 'fstatfs',
  '%statfs': 'statfs-like',
  pure: 'pure',
};
/** strace's older spelling, without the percent sign. */
const BARE = new Set(['file', 'process', 'net', 'network', 'signal', 'memory', 'desc', 'ipc']);

/** The calls that `text` names; `at` is its place in the expression, for errors. */
export function parseCallSet(text: string, rows: readonly Row[], arch: ArchName, at = 0): Set<Row> {
  const known = rows.filter((row) => row.numbers[arch] !== undefined);
  const inverted = text.startsWith('!');
  const chosen = new Set<Row>();
  let from = inverted ? 1 : 0;
  for (const word of text.slice(from).split(',')) {
    for (const row of matching(word, known, arch, at + from)) chosen.add(row);
    from += word.length + 1;
  }
  return inverted ? new Set(known.filter((row) => !chosen.has(row))) : chosen;
}

function matching(word: string, rows: readonly Row[], arch: ArchName, at: number): readonly Row[] {
  const optional = word.startsWith('?');
  const name = optional ? word.slice(1) : word;
  if (name === '') throw new ExpressionError('the name of a system call is missing', at);
  if (name === 'all') return rows;
  if (name === 'none') return [];
  const found = rows.filter(matcher(name, arch, at));
  if (found.length === 0 && !optional) {
    const what = name.startsWith('/') ? 'matches no system call' : 'is no system call';
    throw new ExpressionError(`'${name}' ${what}`, at);
  }
  return found;
}

function matcher(name: string, arch: ArchName, at: number): (row: Row) => boolean {
  if (name.startsWith('/')) {
    const pattern = regex(name.slice(1), at);
    return (row) => pattern.test(row.name);
  }
  if (name.startsWith('%') || BARE.has(name)) {
    const key = name.startsWith('%') ? name.slice(1) : name;
    const wanted = Object.hasOwn(CLASSES, key) ? CLASSES[key] : undefined;
    if (wanted === undefined) throw new ExpressionError(`'${name}' is no class of system calls`, at);
    return (row) => row.classes.includes(wanted);
  }
  if (/^\d+$/.test(name)) return (row) => row.numbers[arch] === Number(name);
  return (row) => row.name === name;
}

function regex(source: string, at: number): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw new ExpressionError(`'/${source}' is no regular expression`, at);
  }
}
