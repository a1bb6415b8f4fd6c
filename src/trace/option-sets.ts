/** The sets of strace's options: `[!]all`, `none`, or a list of names; system calls also by class, expression and number. */
import { NSIG, signalName } from '../abi/signals.js';
import type { ArchName } from '../abi/types.js';
import type { Row, TraceClass } from '../../syscalls/row.js';

/** Numbers or names, or all but them. */
export class OptionSet<T> {
  readonly items: ReadonlySet<T>;
  private readonly inverted: boolean;

  constructor(items: ReadonlySet<T>, inverted: boolean) {
    this.items = items;
    this.inverted = inverted;
  }
  has(item: T): boolean {
    return this.items.has(item) !== this.inverted;
  }
}

/** `parse` gives the members that one word means, or null. Throws the word that means nothing. */
export function parseSet<T>(text: string, parse: (word: string) => Iterable<T> | null): OptionSet<T> {
  const list = text.replace(/^!+/, '');
  const inverted = (text.length - list.length) % 2 === 1;
  if (list === 'none') return new OptionSet(new Set<T>(), inverted);
  if (list === 'all') return new OptionSet(new Set<T>(), !inverted);
  const items = new Set<T>();
  const words = list.split(',').filter((word) => word !== '');
  if (words.length === 0) throw new SetError(text);
  for (const word of words) {
    const found = parse(word);
    if (found === null) throw new SetError(word);
    for (const item of found) items.add(item);
  }
  return new OptionSet(items, inverted);
}
export class SetError extends Error {
  override readonly name = 'SetError';
}

export const signalsOf = (word: string): number[] | null => {
  if (/^[0-9]+$/.test(word)) return Number(word) <= 255 ? [Number(word)] : null;
  const wanted = word.toUpperCase().replace(/^(SIG)?/, 'SIG');
  for (let signal = 1; signal <= NSIG; signal++) if (signalName(signal) === wanted) return [signal];
  return null;
};

const CLASS_NAMES: Readonly<Record<string, TraceClass>> = {
  '%net': 'network',
  '%%stat': 'stat-like',
  '%%statfs': 'statfs-like',
  ...Object.fromEntries(
    (
      [
        'desc',
        'file',
        'memory',
        'process',
        'creds',
        'signal',
        'ipc',
        'network',
        'stat',
        'lstat',
        'fstat',
        'statfs',
        'fstatfs',
        'pure',
        'clock',
      ] as const
    ).map((name) => [`%${name}`, name]),
  ),
  // As strace accepts them from before classes had a sign.
  ...Object.fromEntries(
    (['desc', 'file', 'memory', 'process', 'signal', 'ipc', 'network'] as const).map((name) => [name, name]),
  ),
};

/** The rows that a word of -e trace= names: `open`, `%file`, `/regex`, `2`, each with `?` if it may be missing. */
export function callsOf(word: string, rows: readonly Row[], arch: ArchName): Row[] | null {
  const optional = word.startsWith('?');
  const [, text, personality] = /^\?*(.*?)(?:@([^@]*))?$/.exec(word)!;
  if (personality !== undefined && !['64', '32', 'x32'].includes(personality)) return null;
  // Guests have no other personality.
  const known =
    personality === undefined || personality === '64' ? rows.filter((row) => row.numbers[arch] !== undefined) : [];
  const found = known.filter(matcher(text, arch));
  return found.length > 0 || optional ? found : null;
}
function matcher(text: string, arch: ArchName): (row: Row) => boolean {
  if (text.startsWith('/')) {
    const pattern = new RegExp(text.slice(1));
    return (row) => pattern.test(row.name);
  }
  if (/^[0-9]+$/.test(text)) return (row) => row.numbers[arch] === Number(text);
  if (text === 'all') return () => true;
  const known = Object.hasOwn(CLASS_NAMES, text) ? CLASS_NAMES[text] : undefined;
  if (known !== undefined) return (row) => row.classes.includes(known);
  return (row) => row.name === text;
}
