/**
 * HardLinks: which names of a recording's beginning were one file, by st_ino, and how many names it had, by st_nlink.
 *
 * Counts are of the beginning: names that the recording itself made or removed before a count was shown are taken off it.
 */
import type { Evaluator } from '../trace/parse/value.js';
import type { Term } from '../trace/parse/term.js';
import type { Fact } from './facts.js';

interface Names {
  /** As it was; -1: nobody showed it. */
  before: number;
  /** How many more there are now. */
  more: number;
}

export class HardLinks {
  private readonly values: Evaluator;
  private readonly inodes = new Map<string, Fact>();
  private readonly names = new WeakMap<Fact, Names>();
  /** Files of the beginning by names that they have got since. */
  private readonly later = new Map<string, Fact>();

  constructor(values: Evaluator) {
    this.values = values;
  }

  /** A stat showed `fact`: gives the fact that is the same file, if there is another. */
  shown(fact: Fact, stat: Term): Fact | null {
    const count = this.number(stat.field('st_nlink') ?? stat.field('stx_nlink'));
    const inode = this.number(stat.field('st_ino') ?? stat.field('stx_ino'));
    if (fact.type === 'dir' || !(count > 0)) return null;
    const names = this.of(fact);
    if (names.before < 0) names.before = count - names.more;
    // A file of one name, known by several, was reached through symbolic links.
    if (!(inode > 0) || names.before < 2) return null;
    const key = `${this.device(stat)} ${inode}`;
    const known = this.inodes.get(key);
    if (known === undefined) this.inodes.set(key, fact);
    return known === undefined || known === fact || known.type !== fact.type ? null : known;
  }
  /** `path` is one more name of `fact` from now on. */
  made(path: string, fact: Fact | null): void {
    if (fact === null) return;
    this.of(fact).more++;
    this.later.set(path, fact);
  }
  /** The name is gone; `fact` is what it was at the beginning. */
  removed(path: string, fact: Fact | null): Fact | null {
    const file = this.later.get(path) ?? fact;
    this.later.delete(path);
    if (file !== null) this.of(file).more--;
    return file;
  }
  /** What has been given this name. */
  called(path: string): Fact | null {
    return this.later.get(path) ?? null;
  }
  /** How many names it had when the recording began; 0 if nobody knows. */
  count(fact: Fact): number {
    return Math.max(0, this.names.get(fact)?.before ?? 0);
  }

  private of(fact: Fact): Names {
    let names = this.names.get(fact);
    if (names === undefined) this.names.set(fact, (names = { before: -1, more: 0 }));
    return names;
  }
  private number(term: Term | undefined): number {
    return term === undefined ? NaN : Number(this.values.number(term) ?? NaN);
  }
  private device(stat: Term): string {
    const device = stat.field('st_dev');
    const parts = device?.kind === 'call' ? device.parts : [stat.field('stx_dev_major'), stat.field('stx_dev_minor')];
    return parts.map((part) => this.number(part)).join();
  }
}
