/**
 * Summary: the table of `strace -c`: time, calls and errors per system call, most time first.
 *
 * Time is the wall time between enter and leave as the injected clock sees it, so a seeded clock makes it reproducible.
 * Calls that never return (exit) are not counted, as in strace.
 */
import type { Row } from '../../syscalls/row.js';
import type { TraceSubject, Tracer } from './tracer.js';

export interface SummaryEntry {
  readonly name: string;
  ns: number;
  calls: number;
  errors: number;
}

export class Summary<Subject extends TraceSubject> implements Tracer<Subject> {
  private readonly nowNs: () => number;
  private readonly entries = new Map<string, SummaryEntry>();
  private readonly started = new Map<number, number>();

  constructor(nowNs: () => number) {
    this.nowNs = nowNs;
  }

  enter(task: Subject): void {
    this.started.set(task.tid, this.nowNs());
  }
  leave(task: Subject, row: Row, _args: readonly bigint[], _result: number, errno: number): void {
    const start = this.started.get(task.tid);
    if (start === undefined) return;
    this.started.delete(task.tid);
    this.add(row.name, Math.max(0, this.nowNs() - start), errno !== 0);
  }
  signal(): void {}
  stopped(): void {}
  exited(task: Subject): void {
    this.started.delete(task.tid);
  }

  add(name: string, ns: number, failed: boolean): void {
    let entry = this.entries.get(name);
    if (entry === undefined) this.entries.set(name, (entry = { name, ns: 0, calls: 0, errors: 0 }));
    entry.ns += ns;
    entry.calls++;
    if (failed) entry.errors++;
  }

  /** Rows of the table, most time first; equal times in order of first use. */
  rows(): readonly SummaryEntry[] {
    return [...this.entries.values()].sort((a, b) => b.ns - a.ns);
  }

  toString(): string {
    return summaryText(this.rows());
  }
}

/** The table as text. */
export function summaryText(rows: readonly SummaryEntry[]): string {
  const total = { ns: 0, calls: 0, errors: 0 };
  for (const row of rows) {
    total.ns += row.ns;
    total.calls += row.calls;
    total.errors += row.errors;
  }
  const usecs = (ns: number, calls: number): string => String(calls === 0 ? 0 : Math.floor(ns / calls / 1000));
  const line = (percent: number, e: { ns: number; calls: number; errors: number }, name: string): string[] => [
    percent.toFixed(2),
    (e.ns / 1e9).toFixed(6),
    usecs(e.ns, e.calls),
    String(e.calls),
    e.errors === 0 ? '' : String(e.errors),
    name,
  ];
  const body = rows.map((row) => line(row.ns === 0 ? 0 : (100 * row.ns) / total.ns, row, row.name));
  const last = line(100, total, 'total');
  const least = [6, 11, 11, 9, 9, 16];
  const widths = least.map((width, i) => Math.max(width, last[i].length, ...body.map((cells) => cells[i].length)));
  widths[5] = Math.max(least[5], ...rows.map((row) => row.name.length + 1));
  const text = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padStart(widths[i]))).join(' ');
  const rule = widths.map((width) => '-'.repeat(width)).join(' ');
  const head = text(['% time', 'seconds', 'usecs/call', 'calls', 'errors', 'syscall']);
  return `${[head, rule, ...body.map(text), rule, text(last)].join('\n')}\n`;
}
