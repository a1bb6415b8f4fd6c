/**
 * How one architecture's code is rewritten: what a site becomes, and how its trampoline is read. Everything else about the gate is
 * the same everywhere (chunk.ts, gate.ts).
 */
import type { ArchName } from '../abi/types.js';
import type { Kept } from '../platform/platform.js';
import { A64_CODE } from './aarch64/code.js';
import type { Refusal } from './x86_64/mover.js';
import { X86_CODE } from './x86_64/code.js';

export type Reason = Refusal | 'no room' | 'overlaps another site' | 'out of reach';

/** What is in a page already. */
export interface PageState {
  /** Whether some of [at, at + length) has been overwritten, counted from the start of the page. */
  overwritten(at: number, length: number): boolean;
}

/** How one system call instruction is to be rewritten. Offsets without another word are from that instruction. */
export interface SitePlan {
  /** Bytes of the trampoline. */
  readonly size: number;
  /** Where the jump to the trampoline stands. */
  readonly jumpAt: number;
  /** Offset and length of what is overwritten. */
  readonly overwrites: readonly (readonly [number, number])[];
  /** Where trampolines may begin: ranges of distances from the jump less that of code to island. */
  readonly windows: readonly (readonly [number, number])[] | null;
  /**
   * The trampoline at address `at` for the instruction at address `site`. Only differences of the two matter.
   * @throws RangeError when something it refers to is out of reach.
   */
  emit(at: number, site: number, gate: number, channels: number): Uint8Array;
  /** Overwrites the instruction at `within` of the page; the trampoline is `distance` behind it. */
  write(page: DataView, within: number, distance: number): void;
  /** Where in the trampoline a thread goes on that wanted to go `back` behind the instruction, or -1. */
  landing(back: number): number;
  /** What stands for the place `inside` the trampoline. */
  original(inside: number): number;
}

export interface SiteCode {
  /** Bytes from a rewritten site on that jumps may lead into. */
  readonly siteLength: number;
  /** Whether threads of a process with several are served: else its calls stay stops. */
  readonly servesThreads: boolean;
  /** Bytes of an island for `length` bytes of code. */
  islandLength(length: number, pageSize: number): number;
  /** Distances at which the island of code at `address` may lie, best first; neighbouring pieces of code take `turn` 0 and 1. */
  distances(address: number, turn: number): readonly number[];
  /** `code` is the page, as it was originally; the instruction is at `at`. */
  plan(code: Uint8Array, at: number, state: PageState): SitePlan | Reason;
  /** Where a thread's registers are that is at `inside` in a trampoline. */
  kept(inside: number): Kept;
  /** Where in a trampoline a thread goes on that has a fault at `inside`, or -1: the fault is its own. */
  bypass(inside: number): number;
}

export const SITE_CODE: Readonly<Record<ArchName, SiteCode>> = { x86_64: X86_CODE, aarch64: A64_CODE };
