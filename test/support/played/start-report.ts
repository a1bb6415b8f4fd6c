/** What a program finds on its stack: argv, environment and auxiliary vector. For OP_START, and to find what to run. */
import type { Code, Processor } from '../../../src/platform/script/processor.js';
import type { PlayedExecutor } from './executor.js';

const PAGE = 4096;

export interface Entry {
  /** The stack pointer at entry. */
  readonly sp: number;
  /** All other registers at entry, ORed. */
  readonly registers: bigint;
}

export interface Stack {
  readonly argv: readonly Text[];
  readonly env: readonly Text[];
  readonly auxv: Buffer;
}
export interface Text {
  readonly at: number;
  readonly text: string;
}

function* text(p: Processor, at: number): Code<Text> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const from = at + bytes.length;
    bytes = Buffer.concat([bytes, yield* p.load(from, PAGE - (from % PAGE))]);
    const end = bytes.indexOf(0);
    if (end >= 0) return { at, text: bytes.toString('latin1', 0, end) };
  }
}

/** Reads the stack as the kernel made it. */
export function* readStack(p: Processor, sp: number): Code<Stack> {
  let at = sp;
  const word = function* (): Code<number> {
    at += 8;
    return Number((yield* p.load(at - 8, 8)).readBigUInt64LE());
  };
  const strings = function* (): Code<Text[]> {
    const list: Text[] = [];
    for (let pointer = yield* word(); pointer !== 0; pointer = yield* word()) list.push(yield* text(p, pointer));
    return list;
  };
  const argc = yield* word();
  const argv = yield* strings();
  if (argv.length !== argc) argv.length = Math.min(argc, argv.length);
  const env = yield* strings();
  const auxv: Buffer[] = [];
  for (;;) {
    const pair = yield* p.load(at, 16);
    at += 16;
    if (pair.readBigUInt64LE() === 0n) return { argv, env, auxv: Buffer.concat(auxv) };
    auxv.push(pair);
  }
}

export function* startReport(executor: PlayedExecutor, p: Processor) {
  const { entry } = executor.data(p);
  const { argv, env, auxv } = yield* readStack(p, entry.sp);
  const all = [...argv, ...env];
  let strings: Buffer = Buffer.alloc(0);
  if (all.length > 0) {
    const last = all[all.length - 1];
    const length = last.at + last.text.length + 1 - all[0].at;
    strings = yield* p.load(all[0].at, Math.min(length, 2048));
  }
  return {
    argc: BigInt(argv.length),
    envc: BigInt(env.length),
    strings,
    auxv,
    sp: BigInt(entry.sp),
    registers: entry.registers,
  };
}
