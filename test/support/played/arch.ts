/** What of the executor differs per architecture: test/executor/arch-*.h in TypeScript. Word numbers count 64-bit words. */
import { A64, X86 } from '../../../src/abi/registers.js';
import type { ArchName } from '../../../src/abi/types.js';

export interface ExecutorArch {
  /** Words of the ucontext. */
  readonly mask: number;
  readonly pc: number;
  /** Null where there is none (then it reads as 0). */
  readonly trap: number | null;
  readonly fault: number;
  /** Bytes of the restorer before its system call instruction. */
  readonly restorerCall: number;
  /** The registers that a program starts with, all but the stack pointer and the instruction pointer. */
  readonly entryRegisters: readonly number[];
  /** The instruction that returns to the caller. */
  readonly returnInstruction: Buffer;
  /** What handlers are, by the symbol. */
  readonly handler: string;
  /** Where siginfo and ucontext are from a handler's stack pointer on; null: registers always point to them. */
  readonly frame: { readonly info: number; readonly context: number } | null;
  /** Whether calls leave the return address on the stack. */
  readonly stackReturn: boolean;
}

export const ARCHS: Readonly<Record<ArchName, ExecutorArch>> = {
  x86_64: {
    mask: 37,
    pc: 21,
    trap: 25,
    fault: 27,
    restorerCall: 5,
    entryRegisters: [
      ...[X86.rax, X86.rbx, X86.rcx, X86.rdx, X86.rsi, X86.rdi, X86.rbp, X86.r8, X86.r9, X86.r10, X86.r11],
      ...[X86.r12, X86.r13, X86.r14, X86.r15],
    ],
    returnInstruction: Buffer.from('c3', 'hex'),
    handler: 'on_signal',
    frame: null,
    stackReturn: true,
  },
  aarch64: {
    mask: 5,
    pc: 55,
    trap: null,
    fault: 22,
    restorerCall: 4,
    entryRegisters: Array.from({ length: 31 }, (_, i) => A64.x0 + i).filter((i) => i !== 16 && i !== 17),
    returnInstruction: Buffer.from('c0035fd6', 'hex'),
    handler: 'signal_entry',
    frame: { info: 0, context: 128 },
    stackReturn: false,
  },
};
