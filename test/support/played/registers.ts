/** OP_REGISTERS: a system call with a pattern in every other register, and what they hold afterwards. x86_64 only. */
import { X86 } from '../../../src/abi/registers.js';
import type { Code, Processor } from '../../../src/platform/script/processor.js';

const DIRECTION_FLAG = 0x400;
const pattern = (digit: number): bigint => BigInt(`0x${String(digit).repeat(16)}`);
/** Which pattern each general and vector register gets. */
const GENERAL: readonly (readonly [word: number, digit: number])[] = [
  [X86.rbx, 1],
  [X86.rbp, 2],
  [X86.r12, 3],
  [X86.r13, 4],
  [X86.r14, 5],
  [X86.r15, 6],
];
const VECTOR: readonly (readonly [xmm: number, digit: number])[] = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 4],
  [7, 5],
  [8, 6],
  [14, 1],
  [15, 4],
];
/** Where the vector registers lie in the FXSAVE image. */
const XMM = 160;

export function* registers(p: Processor, nr: number, args: readonly bigint[]): Code<{ result: bigint; saved: Buffer }> {
  const { thread } = p;
  const { regs } = thread;
  for (const [word, digit] of GENERAL) thread.setWord(word, pattern(digit));
  const fp = Buffer.from(thread.getFpState());
  for (const [xmm, digit] of VECTOR) {
    fp.writeBigUInt64LE(pattern(digit), XMM + 16 * xmm);
    fp.writeBigUInt64LE(0n, XMM + 16 * xmm + 8);
  }
  thread.setFpState(fp);
  thread.setWord(X86.eflags, thread.word(X86.eflags) | BigInt(DIRECTION_FLAG));
  const result = yield* p.call(nr, ...args);

  const flags = thread.word(X86.eflags);
  const after = Buffer.from(thread.getFpState());
  const words = [
    thread.word(X86.rcx) - BigInt(regs.ip), // 0 if it is the return address
    ...[X86.rdx, X86.rsi, X86.rdi, X86.rbp, X86.r8, X86.r9, X86.r10].map((word) => thread.word(word)),
    thread.word(X86.r11) ^ flags, // 0 if it holds the flags
    ...[X86.r12, X86.r13, X86.r14, X86.r15, X86.rbx].map((word) => thread.word(word)),
    flags,
    ...VECTOR.map(([xmm]) => after.readBigUInt64LE(XMM + 16 * xmm)),
  ];
  thread.setWord(X86.eflags, flags & ~BigInt(DIRECTION_FLAG));
  return { result, saved: Buffer.from(BigUint64Array.from(words).buffer) };
}
