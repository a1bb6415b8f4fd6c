/**
 * OP_REGISTERS: a system call with a pattern in every other register, and what they hold afterwards, in the order of
 * test/executor/arch-*.h.
 */
import { A64, X86 } from '../../../src/abi/registers.js';
import type { Code, Processor } from '../../../src/platform/script/processor.js';
import type { ScriptThread } from '../../../src/platform/script/thread.js';

interface Patterns {
  /** What each general register gets, by word. */
  readonly general: readonly (readonly [word: number, value: bigint])[];
  /** What the low half of each vector register gets, by place in the FP image. */
  readonly vector: readonly (readonly [at: number, value: bigint])[];
  readonly directionFlag: boolean;
  /** The general registers as they are reported. */
  readonly report: (thread: ScriptThread) => bigint[];
}

const DIRECTION_FLAG = 0x400n;
const digits = (digit: number): bigint => BigInt(`0x${String(digit).repeat(16)}`);
/** Where the vector registers lie in the FXSAVE image. */
const XMM = 160;

const PATTERNS: Readonly<Record<'x86_64' | 'aarch64', Patterns>> = {
  x86_64: {
    general: [X86.rbx, X86.rbp, X86.r12, X86.r13, X86.r14, X86.r15].map((word, i) => [word, digits(i + 1)]),
    vector: [
      [XMM, digits(1)],
      [XMM + 16, digits(2)],
      [XMM + 2 * 16, digits(3)],
      [XMM + 3 * 16, digits(4)],
      [XMM + 7 * 16, digits(5)],
      [XMM + 8 * 16, digits(6)],
      [XMM + 14 * 16, digits(1)],
      [XMM + 15 * 16, digits(4)],
    ],
    directionFlag: true,
    report: (thread) => {
      const word = (index: number): bigint => thread.word(index);
      return [
        word(X86.rcx) - word(X86.rip), // 0 if it is the return address
        ...[X86.rdx, X86.rsi, X86.rdi, X86.rbp, X86.r8, X86.r9, X86.r10].map(word),
        word(X86.r11) ^ word(X86.eflags), // 0 if it holds the flags
        ...[X86.r12, X86.r13, X86.r14, X86.r15, X86.rbx, X86.eflags].map(word),
      ];
    },
  },
  aarch64: {
    general: Array.from({ length: 31 }, (_, i) => i)
      .filter((i) => i >= A64.x7 - 1 && i !== A64.x8)
      .map((i) => [i, BigInt(0x1100 + i)]),
    vector: [
      [0, 0x1113n],
      [7 * 16, 0x1114n],
      [8 * 16, 0x1115n],
      [31 * 16, 0x1116n],
    ],
    directionFlag: false,
    report: (thread) => Array.from({ length: 30 }, (_, i) => thread.word(i + 1)),
  },
};

export function* registers(p: Processor, nr: number, args: readonly bigint[]): Code<{ result: bigint; saved: Buffer }> {
  const { thread } = p;
  const { general, vector, directionFlag, report } = PATTERNS[thread.regs.layout.arch];
  for (const [word, value] of general) thread.setWord(word, value);
  const fp = Buffer.from(thread.getFpState());
  for (const [at, value] of vector) {
    fp.writeBigUInt64LE(value, at);
    fp.writeBigUInt64LE(0n, at + 8);
  }
  thread.setFpState(fp);
  if (directionFlag) thread.setWord(X86.eflags, thread.word(X86.eflags) | DIRECTION_FLAG);
  const result = yield* p.call(nr, ...args);

  const after = Buffer.from(thread.getFpState());
  const words = [...report(thread), ...vector.map(([at]) => after.readBigUInt64LE(at))];
  if (directionFlag) thread.setWord(X86.eflags, thread.word(X86.eflags) & ~DIRECTION_FLAG);
  return { result, saved: Buffer.from(BigUint64Array.from(words).buffer) };
}
