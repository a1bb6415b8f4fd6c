/**
 * A script as data: what the builder makes, the encoder writes for the executor, and the comparison reads again.
 *
 * Nothing here knows how a script is run, so that the same script can be played on the host, under ptrace, and by an
 * interpreter on the `script` platform.
 */
import type { View } from './outcome.js';

export const ARG_CONST = 0;
export const ARG_RESULT = 1;
export const ARG_NEGATED = 2;
export const ARG_LOAD32 = 3;
export const ARG_LOAD64 = 4;
export const ARG_SYMBOL = 5;

export const SYMBOL_HANDLER = 0;
export const SYMBOL_RESTORER = 1;
export const SYMBOL_RETURN = 2;
export const SYMBOL_STACK = 3;

export const OP_CALL = 1;
export const OP_SPAWN = 2;
export const OP_STORE = 3;
export const OP_REPORT = 4;
export const OP_FILL = 5;
export const OP_TOUCH = 6;
export const OP_WAIT_WORD = 7;
export const OP_SPIN = 8;
export const OP_HANDLE = 9;
export const OP_WAIT_BLOCKED = 10;
export const OP_START = 11;
export const OP_REGISTERS = 12;
export const OP_COPY = 13;

export const OP_TIMED = 1;
export const NO_SECTION = 0xffff_ffff;
export const MAX_OPS = 8192;

/** Fixed addresses of script.h, and a free stretch for scripts that map memory at an address of their choice. */
export const ARENA_BASE = 0x11_0000_0000;
export const FREE_BASE = 0x20_0000_0000;
/** Bytes; of the machine that runs the tests. */
export const PAGE = Number(process.env['LEVITATE_TEST_PAGE'] ?? 4096);

export interface EncodedArg {
  readonly kind: number;
  readonly value: bigint;
  readonly addend: bigint;
}

/** How the two sides' results must agree. */
export type Agreement = 'exact' | 'relation' | 'free';

export interface ResultExpectation {
  agreement: Agreement;
  /** For `relation`: values of one kind must map one to one between the sides. */
  relation?: string;
  /** Text of what each side must show, and the test of it. */
  text?: string;
  accepts?: (result: number) => boolean;
}

export interface Op {
  readonly kind: number;
  readonly id: number;
  readonly nr: number;
  readonly target: number;
  readonly args: readonly EncodedArg[];
  /** For messages: `openat(-100, "x", 0x41, 0600)`. */
  readonly text: string;
  flags: number;
  expect: ResultExpectation;
  /** Set where levitate is meant to differ from the host, with the reason. */
  differs?: { reason: string; expect: ResultExpectation };
  /** Elapsed time in ms, checked on each side. */
  takes?: { min: number; max: number };
  /** May run any number of times, also never (an operation after a race). */
  optional: boolean;
  /** Something about memory or earlier results that must hold once this operation is done, on each side. */
  checks: Check[];
}

export interface Check {
  readonly text: string;
  /** True, or what was found instead. */
  readonly run: (view: View) => true | string;
}

export const SECTION_PROCESS = 0;
export const SECTION_THREAD = 1;
export const SECTION_HANDLER = 2;

export interface SectionData {
  readonly index: number;
  readonly kind: number;
  readonly ops: Op[];
  /** The section whose memory this one continues, and whether it is the same memory (vfork, CLONE_VM) or a copy. */
  readonly from: { section: number; shared: boolean } | null;
  /** Signals that the process of this section must see, in this order; null for any. */
  signals: readonly number[] | null;
}

export interface Region {
  readonly mapStart: number;
  readonly mapEnd: number;
  readonly dataStart: number;
  data: Uint8Array;
  readonly fill: number;
  readonly quiet: boolean;
}

/** Bytes that may differ between the sides: freely, or as values of one kind that map one to one. */
export interface Tolerance {
  readonly address: number;
  readonly length: number;
  readonly relation?: string;
}

export interface TestScript {
  readonly name: string;
  readonly sections: SectionData[];
  readonly regions: Region[];
  readonly tolerances: Tolerance[];
  noDiff: boolean;
  timeoutMs: number;
  /** Wait status of the test's own process. */
  status: number;
  /** Set if the whole test makes no sense in levitate: the reason. */
  hostOnly?: string;
}
