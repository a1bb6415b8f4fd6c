/**
 * Named sets of constants: what an argument of kind `flags` or `enum` may hold, in the order strace prints them.
 *
 * A set is written as an object of constants (`flagSet('O_???', { O_CREAT, O_EXCL })`), whose order is the order of decode:
 * an entry of several bits stands before its parts. An entry that one architecture lacks is undefined there.
 */
import type { ArchName } from '../types.js';

export type ArchValue = { readonly x86_64?: number | undefined; readonly aarch64?: number | undefined };
export type FlagEntry = readonly [name: string, value: number];

export interface FlagSet {
  /** What strace prints in a comment for unknown bits, e.g. `O_???`; may be empty. */
  readonly unknown: string;
  readonly entries: Readonly<Record<ArchName, readonly FlagEntry[]>>;
}

export function flagSet(unknown: string, members: Readonly<Record<string, number | ArchValue>>): FlagSet {
  const of = (arch: ArchName): FlagEntry[] => {
    const entries: FlagEntry[] = [];
    for (const [name, value] of Object.entries(members)) {
      const mine = typeof value === 'number' ? value : value[arch];
      if (mine !== undefined) entries.push([name, mine]);
    }
    return entries;
  };
  return { unknown, entries: { x86_64: of('x86_64'), aarch64: of('aarch64') } };
}
