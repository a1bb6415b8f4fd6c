/**
 * The differences between two runs: the trees of tasks are walked together, tasks matched by their place among their parent's
 * children, and within each pair of tasks the entries are aligned and compared.
 */
import type { Row } from '../../../syscalls/row.js';
import { align } from './align.js';
import { compareCalls, sameText, type Difference } from './compare.js';
import { settle, type Frame } from './frames.js';
import { Maps } from './maps.js';
import { lineOf, type CallRecord, type Entry, type TaskTrace } from './record.js';

export interface Found {
  /** `1`, `1.2` for its second child, and so on. */
  readonly task: string;
  readonly hostTid: number;
  readonly oursTid: number;
  /** What it is of; undefined for signals and ends. */
  readonly row: Row | undefined;
  readonly host: Entry | null;
  readonly ours: Entry | null;
  readonly difference: Difference;
  /** Lines that came before, in the two runs. */
  readonly before: readonly { host: string | null; ours: string | null }[];
  /** Order of the host's run. */
  readonly at: number;
}

export interface Comparison {
  readonly differences: Found[];
  readonly calls: number;
  readonly tasks: number;
}

const whole = (host: Entry | null, ours: Entry | null): Difference => ({
  where: 'call',
  index: -1,
  host: host === null ? '' : lineOf(host),
  ours: ours === null ? '' : lineOf(ours),
});

type Report = (left: Entry | null, right: Entry | null, difference: Difference) => void;

class Walk {
  readonly differences: Found[] = [];
  calls = 0;
  tasks = 0;
  private readonly context: number;

  constructor(context: number) {
    this.context = context;
  }

  task(host: TaskTrace, ours: TaskTrace, place: string, maps: Maps): void {
    this.tasks++;
    const [a, b] = [settle(host.entries), settle(ours.entries)];
    const before: { host: string | null; ours: string | null }[] = [];
    const report: Report = (left, right, difference) => {
      const at = left?.at ?? (right === null ? 0 : this.between(a.entries, right, b.entries));
      this.differences.push({
        task: place,
        hostTid: host.tid,
        oursTid: ours.tid,
        row: rowOf(left ?? right),
        host: left,
        ours: right,
        difference,
        before: this.context === 0 ? [] : before.slice(-this.context),
        at,
      });
    };
    this.entries(a.entries, b.entries, maps, report, (left, right) => {
      before.push({ host: left && lineOf(left), ours: right && lineOf(right) });
      if (left?.kind === 'call' && right?.kind === 'call') this.child(left, right, maps, host, place);
    });
    this.frames(a.frames, b.frames, maps, report);
  }

  private entries(
    host: readonly Entry[],
    ours: readonly Entry[],
    maps: Maps,
    report: Report,
    seen?: (left: Entry | null, right: Entry | null) => void,
  ): void {
    for (const pair of align(host, ours)) {
      const left = pair.host < 0 ? null : host[pair.host];
      const right = pair.ours < 0 ? null : ours[pair.ours];
      this.calls++;
      const difference = this.compare(left, right, maps);
      if (difference !== null) report(left, right, difference);
      seen?.(left, right);
    }
  }

  private compare(left: Entry | null, right: Entry | null, maps: Maps): Difference | null {
    if (left?.kind === 'call' && right?.kind === 'call') return compareCalls(left, right, maps);
    if (left === null || right === null || left.kind !== right.kind) return whole(left, right);
    return sameText(lineOf(left), lineOf(right), 'exact', maps) ? null : whole(left, right);
  }

  private child(left: CallRecord, right: CallRecord, maps: Maps, parent: TaskTrace, place: string): void {
    if (left.child === null || right.child === null) return;
    const thread = left.args.some((text) => text.includes('CLONE_THREAD'));
    const nth = parent.children.indexOf(left.child) + 1;
    this.task(left.child, right.child, `${place}.${nth}`, thread ? maps.thread() : maps.fork());
  }

  /** Signals of one kind go together in order. How many deaths of children one SIGCHLD stands for is a matter of time. */
  private frames(host: readonly Frame[], ours: readonly Frame[], maps: Maps, report: Report): void {
    for (const signal of new Set([...host, ...ours].map((frame) => frame.signal.signal))) {
      const [a, b] = [host, ours].map((frames) => frames.filter((frame) => frame.signal.signal === signal));
      const merging = a.length > 0 && b.length > 0 && a.length !== b.length;
      for (let i = 0; i < Math.max(a.length, b.length) && !merging; i++) {
        const [left, right] = [a.at(i)?.signal ?? null, b.at(i)?.signal ?? null];
        const difference = this.compare(left, right, maps);
        if (difference !== null) report(left, right, difference);
        if (left !== null && right !== null) this.entries(a[i].entries, b[i].entries, maps, report);
      }
    }
  }

  /** When an entry that only levitate has would have come on the host: after the last one before it that both have. */
  private between(host: readonly Entry[], extra: Entry, ours: readonly Entry[]): number {
    const index = Math.min(ours.indexOf(extra), host.length) - 1;
    return index < 0 ? 0 : host[index].at + 0.5;
  }
}

const rowOf = (entry: Entry | null): Row | undefined => (entry?.kind === 'call' ? entry.row : undefined);

/** Every difference, in the order of the host's run, with up to `context` lines before each. */
export function compareRuns(host: TaskTrace, ours: TaskTrace, context: number): Comparison {
  const walk = new Walk(context);
  walk.task(host, ours, '1', new Maps());
  const differences = walk.differences.sort((a, b) => a.at - b.at);
  return { differences, calls: walk.calls, tasks: walk.tasks };
}
