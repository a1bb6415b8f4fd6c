/** Differences as text: where, what was recorded and what came out now, with the calls before it. */
import type { Difference } from './player.js';

/** More of one line nobody reads. */
const LONGEST = 1000;

export interface ReportOptions {
  readonly colors: boolean;
}

export class ReplayReport {
  private readonly options: ReportOptions;

  constructor(options: ReportOptions) {
    this.options = options;
  }

  /** One difference; `before` are the lines that were played before it, oldest first. */
  difference(file: string, difference: Difference, before: readonly string[]): string {
    const { line, pid, what, recorded, now, row } = difference;
    const lines = [this.paint(1, `${file}:${line}:${pid === 0 ? '' : ` [pid ${pid}]`} ${what}`)];
    for (const text of before) lines.push(`    ${cut(text)}`);
    lines.push(this.paint(31, `  - ${cut(recorded)}`));
    if (now !== '') lines.push(this.paint(32, `  + ${cut(now)}`));
    const note = row === null ? '' : noteOf(row.disposition);
    if (note !== '') lines.push(`    note: ${row!.name}: ${note}`);
    return `${lines.join('\n')}\n`;
  }
  private paint(color: number, text: string): string {
    return this.options.colors ? `\x1b[${color}m${text}\x1b[0m` : text;
  }
}
/** In the middle, because both ends tell. */
function cut(text: string): string {
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST - 200)} [${text.length - LONGEST} more] ${text.slice(-200)}`;
}
function noteOf(disposition: NonNullable<Difference['row']>['disposition']): string {
  if (typeof disposition === 'string') return '';
  if ('partial' in disposition) return disposition.partial;
  return 'stub' in disposition ? disposition.stub : 'levitate does not have this call';
}
