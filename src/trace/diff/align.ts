/**
 * Which entry of one list goes with which of the other.
 *
 * Myers' greedy algorithm on keys (a call's name and what it was given, without numbers that differ anyway), bounded in how
 * many differences it looks for; then what is left over between two matches is paired by name, in order. So a call that was made
 * with another argument is one difference, not a missing call and an extra one.
 */
import { isOut } from '../printers/kinds.js';
import { lineOf, type Entry } from './record.js';

/** Indices of one entry in each list; -1: the other list has none. */
export interface Pair {
  readonly host: number;
  readonly ours: number;
}

/** Past this many differences, names only, and past it again, one by one. */
const MOST_EDITS = 600;

/** Numbers that stand for something else, and times. */
const mask = (text: string): string =>
  text.replace(/(?<![\w"/])(?:0x[0-9a-f]+|\d+)/g, '#').replace(/\/(\d+)(?=\/|")/g, '/#');

function keyOf(entry: Entry): string {
  if (entry.kind !== 'call') return `${entry.kind} ${mask(lineOf(entry))}`;
  const { row } = entry;
  const shown = row.args.filter((arg) => arg.kind !== 'unused');
  const given = entry.args.filter((_, i) => {
    const arg = shown.at(i);
    return arg === undefined || !(isOut(arg) || row.varies.includes(arg.name));
  });
  return `${row.name} ${given.map(mask).join(' ')}`;
}
const nameOf = (entry: Entry): string => (entry.kind === 'call' ? entry.row.name : entry.kind);

export function align(host: readonly Entry[], ours: readonly Entry[]): Pair[] {
  const matched =
    matches(host.map(keyOf), ours.map(keyOf)) ??
    matches(host.map(nameOf), ours.map(nameOf)) ??
    host.map((_, i) => ({ host: i, ours: i })).slice(0, ours.length);
  const pairs: Pair[] = [];
  let [h, o] = [0, 0];
  for (const match of [...matched, { host: host.length, ours: ours.length }]) {
    pairs.push(...between(host, ours, [h, match.host], [o, match.ours]));
    if (match.host < host.length) pairs.push(match);
    [h, o] = [match.host + 1, match.ours + 1];
  }
  return pairs;
}

/** What lies between two matches: pairs of one name where the order allows, then the rest. */
function between(
  host: readonly Entry[],
  ours: readonly Entry[],
  [h0, h1]: [number, number],
  [o0, o1]: [number, number],
): Pair[] {
  const names = (list: readonly Entry[], from: number, to: number): string[] => list.slice(from, to).map(nameOf);
  const found = matches(names(host, h0, h1), names(ours, o0, o1)) ?? [];
  const pairs: Pair[] = [];
  let [h, o] = [h0, o0];
  for (const match of [...found, { host: h1 - h0, ours: o1 - o0 }]) {
    for (; h < h0 + match.host; h++) pairs.push({ host: h, ours: -1 });
    for (; o < o0 + match.ours; o++) pairs.push({ host: -1, ours: o });
    if (h < h1 && o < o1) pairs.push({ host: h++, ours: o++ });
  }
  return pairs;
}

/** Pairs of equal keys of a shortest edit script (E. W. Myers, 1986), or null when it is longer than MOST_EDITS. */
function matches(a: readonly string[], b: readonly string[]): Pair[] | null {
  const limit = Math.min(a.length + b.length, MOST_EDITS);
  const size = 2 * limit + 3;
  const at = (k: number): number => k + limit + 1;
  let ends = new Int32Array(size);
  const history: Int32Array[] = [];
  for (let d = 0; d <= limit; d++) {
    history.push(ends.slice());
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && ends[at(k - 1)] < ends[at(k + 1)]);
      let x = down ? ends[at(k + 1)] : ends[at(k - 1)] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      ends[at(k)] = x;
      if (x >= a.length && x - k >= b.length) return trace(history, a.length, b.length, at);
    }
    ends = ends.slice();
  }
  return null;
}

function trace(history: readonly Int32Array[], length: number, other: number, at: (k: number) => number): Pair[] {
  const pairs: Pair[] = [];
  let [x, y] = [length, other];
  for (let d = history.length - 1; d >= 0; d--) {
    const ends = history[d];
    const k = x - y;
    const down = k === -d || (k !== d && ends[at(k - 1)] < ends[at(k + 1)]);
    const from = down ? k + 1 : k - 1;
    const startX = d === 0 ? 0 : ends[at(from)];
    const startY = d === 0 ? 0 : startX - from;
    const snake = d === 0 ? 0 : down ? startX : startX + 1;
    while (x > snake && y > (d === 0 ? 0 : snake - k)) pairs.push({ host: --x, ours: --y });
    [x, y] = [startX, startY];
  }
  return pairs.reverse();
}
