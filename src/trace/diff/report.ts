/** Differences as text for people: the first one with what came before it, or all of them grouped by call. */
import type { Row } from '../../../syscalls/row.js';
import { lineOf, type Entry } from './record.js';
import type { Comparison, Found } from './walk.js';

export interface ReportOptions {
  readonly colors: boolean;
  readonly all: boolean;
}

const RED = '31';
const GREEN = '32';
const BOLD = '1;4';
const DIM = '2';

/** The same for programs: one JSON object per difference. */
export function jsonLines({ differences }: Comparison): string {
  return differences
    .map((found) => {
      const { task, row, host, ours, difference } = found;
      const { where, detail } = difference;
      const line = (entry: Entry | null): string | null => (entry === null ? null : lineOf(entry));
      const note = noteOf(row);
      return `${JSON.stringify({ task, call: row?.name ?? nameOf(found), where, host: line(host), levitate: line(ours), detail, note })}\n`;
    })
    .join('');
}

/** What the row says about how much of the call there is. */
export function noteOf(row: Row | undefined): string | null {
  if (row === undefined) return null;
  const { disposition, name } = row;
  if (disposition === 'full') return null;
  if ('partial' in disposition) return `${name} is partial: ${disposition.partial}`;
  if ('stub' in disposition) return `${name} is a stub: ${disposition.stub}`;
  return `levitate has no ${name}`;
}

export class Report {
  private readonly options: ReportOptions;

  constructor(options: ReportOptions) {
    this.options = options;
  }

  text(comparison: Comparison): string {
    const { differences, calls, tasks } = comparison;
    const size = `${calls} call${calls === 1 ? '' : 's'} and events in ${tasks} task${tasks === 1 ? '' : 's'}`;
    if (differences.length === 0) return `nothing differs: ${size}, on this host and in levitate\n`;
    if (this.options.all) return `${this.all(differences)}\n${count(differences.length)} in ${size}\n`;
    const more = differences.length - 1;
    const rest = more === 0 ? '' : `\n${more} more of them, in ${size}; many follow from the first. --all lists them\n`;
    return this.first(differences[0]) + rest;
  }

  private first(found: Found): string {
    const what = `${nameOf(found)}${whereOf(found)}`;
    const lines = [`the first difference: ${what}, in ${taskOf(found)}`, ''];
    for (const { host, ours } of found.before) {
      if (host !== null && ours !== null) lines.push(this.color(DIM, `    ${host}`));
      else lines.push(host === null ? this.color(GREEN, `  + ${ours}`) : this.color(RED, `  - ${host}`));
    }
    lines.push(...this.both(found), '', 'legend: - this host, + levitate');
    const note = noteOf(found.row);
    if (note !== null) lines.push(`note: ${note}`);
    return `${lines.join('\n')}\n`;
  }

  private all(differences: readonly Found[]): string {
    const groups = new Map<string, Map<string, { found: Found; times: number }>>();
    for (const found of differences) {
      const name = nameOf(found);
      const key = this.both(found).join('\n');
      const group = groups.get(name) ?? new Map<string, { found: Found; times: number }>();
      groups.set(name, group);
      const same = group.get(key);
      if (same === undefined) group.set(key, { found, times: 1 });
      else same.times++;
    }
    const blocks = [...groups].map(([name, group]) => {
      const total = [...group.values()].reduce((sum, { times }) => sum + times, 0);
      const lines = [`${name}: ${count(total)}`];
      const [one] = group.values();
      const note = noteOf(one.found.row);
      if (note !== null) lines.push(`  note: ${note}`);
      for (const { found, times } of group.values()) {
        lines.push(`  ${taskOf(found)}${whereOf(found)}${times === 1 ? '' : `, ${times} times`}`);
        lines.push(...this.both(found));
      }
      return `${lines.join('\n')}\n`;
    });
    return blocks.join('\n');
  }

  /** The two texts, the part that differs marked. */
  private both(found: Found): string[] {
    const { detail } = found.difference;
    const sides = [...this.side('-', RED, found.host, found), ...this.side('+', GREEN, found.ours, found)];
    return detail === undefined ? sides : [...sides, `    ${detail}`];
  }
  private side(sign: string, color: string, entry: Entry | null, found: Found): string[] {
    if (entry === null) return [this.color(color, `  ${sign} ${this.absent(found)}`)];
    const line = lineOf(entry);
    const [from, to] = partOf(entry, found);
    if (from === to) return [this.color(color, `  ${sign} ${line}`)];
    if (this.options.colors) {
      const parts = [line.slice(0, from), line.slice(from, to), line.slice(to)];
      const marked = `\x1b[${BOLD}m${parts[1]}\x1b[22;24m`;
      return [this.color(color, `  ${sign} ${parts[0]}${marked}${parts[2]}`)];
    }
    return [`  ${sign} ${line}`, `    ${' '.repeat(from)}${'^'.repeat(to - from)}`];
  }
  private absent(found: Found): string {
    return found.row === undefined ? '(nothing)' : '(no such call)';
  }
  private color(code: string, text: string): string {
    return this.options.colors ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

const count = (n: number): string => `${n} difference${n === 1 ? '' : 's'}`;
const taskOf = ({ task, hostTid, oursTid }: Found): string =>
  `task ${task} (${hostTid} on the host, ${oursTid} in levitate)`;

function nameOf({ row, host, ours }: Found): string {
  if (row !== undefined) return row.name;
  const entry = host ?? ours;
  return entry?.kind === 'signal' ? 'a signal' : entry?.kind === 'exit' ? 'the end' : 'a stop';
}
function whereOf({ row, difference, host, ours }: Found): string {
  if (row === undefined) return '';
  if (host === null) return ', made in levitate only';
  if (ours === null) return ', made on the host only';
  return difference.where === 'result'
    ? ', the result'
    : difference.where === 'call'
      ? ''
      : `, argument ${difference.where}`;
}

/** Where in its line the part that differs is. */
function partOf(entry: Entry, { difference, host, ours }: Found): [number, number] {
  if (entry.kind !== 'call' || host === null || ours === null) return [0, 0];
  const line = lineOf(entry);
  if (difference.where === 'result') return [line.length - entry.result.length, line.length];
  if (difference.index < 0) return [0, entry.row.name.length];
  let from = entry.row.name.length + 1;
  for (let i = 0; i < difference.index; i++) from += entry.args[i].length + 2;
  return [from, from + (entry.args.at(difference.index)?.length ?? 0)];
}
