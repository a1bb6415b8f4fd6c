/**
 * Named sets of constants: what an argument of kind `flags` or `enum` may hold, in the order strace prints them.
 *
 * A set is written as an object of constants (`flagSet('O_???', { O_CREAT, O_EXCL })`), whose order is the order of decode:
 * an entry of several bits stands before its parts. An entry that one architecture lacks is undefined there.
 */
import type { ArchName } from '../types.js';

export type ArchValue = { readonly x86_64?: number | undefined; readonly aarch64?: number | undefined };
export type FlagEntry = readonly [name: string, value: number];

type Members = Readonly<Record<string, number | ArchValue>>;

export interface FlagSet {
  /** What strace prints in a comment for unknown bits, e.g. `O_???`; may be empty. */
  readonly unknown: string;
  readonly entries: Readonly<Record<ArchName, readonly FlagEntry[]>>;
}

export function flagSet(unknown: string, members: Members): FlagSet {
  return new LazySet(unknown, members);
}

/** There are hundreds of sets and a run prints few of them, if any: the tables are made when one is first looked at. */
class LazySet implements FlagSet {
  readonly unknown: string;
  private readonly members: Members;
  private made: FlagSet['entries'] | null = null;

  constructor(unknown: string, members: Members) {
    this.unknown = unknown;
    this.members = members;
  }
  get entries(): FlagSet['entries'] {
    return (this.made ??= { x86_64: this.of('x86_64'), aarch64: this.of('aarch64') });
  }
  private of(arch: ArchName): FlagEntry[] {
    const entries: FlagEntry[] = [];
    for (const [name, value] of Object.entries(this.members)) {
      const mine = typeof value === 'number' ? value : value[arch];
      if (mine !== undefined) entries.push([name, mine]);
    }
    return entries;
  }
}
