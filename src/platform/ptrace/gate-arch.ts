/** What differs between architectures on the platform's side of the gate (native/arch has the native side's part). */
import { A64, X86 } from '../../abi/registers.js';
import type { ArchName } from '../../abi/types.js';
import type { Registers } from '../registers.js';

export interface GateArch {
  /** Whether a process has one channel, for its only thread, and none when there are more; else every thread has its own. */
  readonly ofProcess: boolean;
  /** Registers that trampolines use. The first one's value is kept so far below the stack pointer, the others' behind it. */
  readonly used: readonly number[];
  readonly spill: number;
  /** Whether a thread that stopped outside the gate's page may have done so in a trampoline, since it has no channel. */
  mayBeUnserved(regs: Registers): boolean;
}

export const GATE_ARCH: Readonly<Record<ArchName, GateArch>> = {
  x86_64: {
    ofProcess: false,
    used: [],
    spill: 0,
    // With a GS base of its own.
    mayBeUnserved: (regs) => regs.lo(X86.gs_base) !== 0 || regs.hi(X86.gs_base) !== 0,
  },
  aarch64: {
    ofProcess: true,
    used: [A64.x16, A64.x17],
    spill: 256,
    mayBeUnserved: () => true,
  },
};
