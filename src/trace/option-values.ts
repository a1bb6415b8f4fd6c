/** Values of strace's options: counts, times, columns, sets of names. A wrong one is refused with the reason. */
import { OptionSet, parseSet, SetError } from './option-sets.js';
import { COLUMNS, type Column, type Precision, type StraceSettings } from './settings.js';
import type { Style } from './style.js';

export type Absolute = StraceSettings['absolute'];

/** A wrong value: `reason` is told after the option. */
export class Refused extends Error {}
export const refuse = (reason: string): never => {
  throw new Refused(reason);
};

const PRECISIONS = ['s', 'ms', 'us', 'ns'] as const;
export const precision = (text: string): Precision =>
  PRECISIONS.find((name) => name === text.toLowerCase()) ?? refuse(`'${text}' is not s, ms, us or ns`);
export const count = (text: string, most = 0x3fff_ffff): number =>
  /^[0-9]+$/.test(text) && Number(text) <= most ? Number(text) : refuse(`'${text}' is not a number from 0 to ${most}`);
/** A set of fixed names, some with other spellings. */
export function words<T extends string>(what: string, text: string, names: Readonly<Record<string, T>>): OptionSet<T> {
  return named(what, () =>
    parseSet(text, (word) => {
      const key = word.toLowerCase();
      return Object.hasOwn(names, key) ? [names[key]] : null;
    }),
  );
}
export function named<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SetError) return refuse(`invalid ${what} '${error.message}'`);
    if (error instanceof SyntaxError) return refuse(error.message);
    throw error;
  }
}
export const same = <T extends string>(names: readonly T[]): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, name]));

export const QUIET: Readonly<Record<string, string>> = {
  ...same(['attach', 'exit', 'path-resolution', 'personality', 'thread-execve']),
  exits: 'exit',
  superseded: 'thread-execve',
};
const DETAILS: Readonly<Record<string, string>> = same(['path', 'socket', 'dev', 'pidfd']);
export function descriptors(text: string): Style['descriptors'] {
  const set = words('detail', text, DETAILS);
  const shown = Object.keys(DETAILS).filter((detail) => set.has(detail));
  if (shown.length === 0) return 0;
  if (!set.has('path')) return refuse('details without paths are not supported');
  return shown.length === 1 ? 1 : 2;
}
/** Spellings of columns, as strace has collected them. */
const COLUMN_NAMES: Readonly<Record<string, Column>> = (() => {
  const names: Record<string, Column> = {
    ...same(COLUMNS),
    time: 'time-percent',
    'time-total': 'total-time',
    shortest: 'min-time',
    'time-min': 'min-time',
    longest: 'max-time',
    'time-max': 'max-time',
    'time-avg': 'avg-time',
    count: 'calls',
    error: 'errors',
    syscall: 'name',
    'syscall-name': 'name',
  };
  for (const [name, column] of Object.entries(names)) names[name.replaceAll('-', '_')] = column;
  return names;
})();
export const column = (text: string): Column | null => (Object.hasOwn(COLUMN_NAMES, text) ? COLUMN_NAMES[text] : null);
export function summaryColumns(text: string): Column[] {
  const columns: Column[] = [];
  for (const word of text.split(',')) {
    const found = column(word) ?? refuse(`unknown column '${word}'`);
    if (columns.includes(found)) refuse(`column '${word}' is given twice`);
    columns.push(found);
  }
  return columns.includes('name') ? columns : [...columns, 'name'];
}
const UNIT_NS: Readonly<Record<string, number>> = { s: 1e9, ms: 1e6, us: 1e3, ns: 1, '': 1e3 };
export function duration(text: string): number {
  const match = /^\+?([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+\.)(s|ms|us|ns|)$/.exec(text);
  return match ? Math.floor(Number(match[1]) * UNIT_NS[match[2]]) : refuse(`'${text}' is not a time like 5us`);
}
export function timestamps(before: Absolute | undefined, text: string): Absolute {
  let unix = before?.unix ?? false;
  let fine: Precision = before?.precision ?? 's';
  let none = false;
  for (const token of text.toLowerCase().split(',')) {
    const [, kind, value] = /^(?:(format|precision):)?(.*)$/.exec(token)!;
    if (kind !== 'precision' && ['none', 'time', 'unix'].includes(value)) {
      none = value === 'none';
      unix = value === 'unix';
    } else if (kind !== 'format') fine = precision(value);
    else refuse(`'${value}' is not none, time or unix`);
  }
  return none ? null : { unix, precision: fine };
}
