/**
 * Summary: the table of `strace -c`: time, calls and errors per system call.
 *
 * Time is the wall time between enter and leave as the injected clock sees it, so a seeded clock makes it reproducible; strace
 * counts system time unless -w is given, which nobody here knows. Calls that never return (exit) are not counted, as in strace.
 */
import type { Row } from '../../syscalls/row.js';
import { DEFAULT_SUMMARY, type Column, type SummarySettings } from './settings.js';
import type { TraceSubject, Tracer } from './tracer.js';

export interface SummaryEntry {
  readonly name: string;
  ns: number;
  minNs: number;
  maxNs: number;
  calls: number;
  errors: number;
}

export interface SummaryOptions<Subject extends TraceSubject> {
  readonly nowNs: () => number;
  readonly settings?: SummarySettings;
  /** Which calls are counted. */
  readonly counted?: (task: Subject, row: Row, args: readonly bigint[]) => boolean;
}

export class Summary<Subject extends TraceSubject> implements Tracer<Subject> {
  private readonly options: SummaryOptions<Subject>;
  private readonly settings: SummarySettings;
  private readonly entries = new Map<string, SummaryEntry>();
  private readonly started = new Map<number, number>();

  constructor(options: SummaryOptions<Subject>) {
    this.options = options;
    this.settings = options.settings ?? DEFAULT_SUMMARY;
  }

  enter(task: Subject, row: Row, args: readonly bigint[]): void {
    const { counted, nowNs } = this.options;
    if (counted === undefined || counted(task, row, args)) this.started.set(task.tid, nowNs());
  }
  leave(task: Subject, row: Row, _args: readonly bigint[], _result: number, errno: number): void {
    const start = this.started.get(task.tid);
    if (start === undefined) return;
    this.started.delete(task.tid);
    this.add(row.name, Math.max(0, this.options.nowNs() - start - this.settings.overheadNs), errno !== 0);
  }
  signal(): void {}
  stopped(): void {}
  exited(task: Subject): void {
    this.started.delete(task.tid);
  }

  private add(name: string, ns: number, failed: boolean): void {
    let entry = this.entries.get(name);
    if (entry === undefined) {
      entry = { name, ns: 0, minNs: Infinity, maxNs: 0, calls: 0, errors: 0 };
      this.entries.set(name, entry);
    }
    entry.ns += ns;
    entry.minNs = Math.min(entry.minNs, ns);
    entry.maxNs = Math.max(entry.maxNs, ns);
    entry.calls++;
    if (failed) entry.errors++;
  }

  toString(): string {
    return summaryText([...this.entries.values()], this.settings);
  }
}

const average = (e: SummaryEntry): number =>
  e.calls === 0 ? 0 : Math.floor((e.ns + Math.floor(e.calls / 2)) / e.calls);
/** Largest first, names in order; equal ones stay in order of first use. */
const ORDERS: Readonly<Record<Column, (a: SummaryEntry, b: SummaryEntry) => number>> = {
  'time-percent': (a, b) => b.ns - a.ns,
  'total-time': (a, b) => b.ns - a.ns,
  'min-time': (a, b) => b.minNs - a.minNs,
  'max-time': (a, b) => b.maxNs - a.maxNs,
  'avg-time': (a, b) => average(b) - average(a),
  calls: (a, b) => b.calls - a.calls,
  errors: (a, b) => b.errors - a.errors,
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
};
const HEADS: Readonly<Record<Column, readonly [head: string, least: number]>> = {
  'time-percent': ['% time', 6],
  'total-time': ['seconds', 11],
  'min-time': ['shortest', 8],
  'max-time': ['longest', 8],
  'avg-time': ['usecs/call', 11],
  calls: ['calls', 9],
  errors: ['errors', 9],
  name: ['syscall', 16],
};
const seconds = (ns: number): string => (ns / 1e9).toFixed(6);
/** As strace has them: by way of seconds in floating point, so that 249 become 248. */
const microseconds = (ns: number): number => Math.trunc((Math.floor(ns / 1e9) + (ns % 1e9) / 1e9) * 1e6);

function cell(column: Column, e: SummaryEntry, percent: number): string {
  switch (column) {
    case 'time-percent':
      return percent.toFixed(2);
    case 'total-time':
      return seconds(e.ns);
    case 'min-time':
      return seconds(e.minNs);
    case 'max-time':
      return seconds(e.maxNs);
    case 'avg-time':
      return String(microseconds(average(e)));
    case 'calls':
      return String(e.calls);
    case 'errors':
      return e.errors === 0 ? '' : String(e.errors);
    case 'name':
      return e.name;
  }
}

/** The table as text. The name's column stands left, and unpadded at the end of a line. */
export function summaryText(entries: readonly SummaryEntry[], settings: SummarySettings = DEFAULT_SUMMARY): string {
  const { columns, sort } = settings;
  const rows = sort === 'nothing' ? [...entries] : [...entries].sort(ORDERS[sort]);
  const total: SummaryEntry = { name: 'total', ns: 0, minNs: Infinity, maxNs: 0, calls: 0, errors: 0 };
  for (const row of rows) {
    total.ns += row.ns;
    total.minNs = Math.min(total.minNs, row.minNs);
    total.maxNs = Math.max(total.maxNs, row.maxNs);
    total.calls += row.calls;
    total.errors += row.errors;
  }
  if (rows.length === 0) total.minNs = 0;
  const line = (e: SummaryEntry, percent: number): string[] => columns.map((column) => cell(column, e, percent));
  const body = rows.map((row) => line(row, row.ns === 0 ? 0 : (100 * row.ns) / total.ns));
  const last = line(total, 100);
  const widths = columns.map((column, i) => {
    const least = HEADS[column][1];
    if (column === 'name') return Math.max(least, ...rows.map((row) => row.name.length + 1));
    return Math.max(least, last[i].length, ...body.map((cells) => cells[i].length));
  });
  const text = (cells: readonly string[]): string =>
    cells
      .map((value, i) => {
        if (columns[i] !== 'name') return value.padStart(widths[i]);
        return i === cells.length - 1 ? value : value.padEnd(widths[i]);
      })
      .join(' ');
  const rule = widths.map((width) => '-'.repeat(width)).join(' ');
  const head = text(columns.map((column) => HEADS[column][0]));
  return `${[head, rule, ...body.map(text), rule, text(last)].join('\n')}\n`;
}
