/** What the script platform plays differently per architecture: the processor's part, where the kernel has its own tables. */
import { X86 } from '../../abi/registers.js';
import type { ArchName } from '../../abi/types.js';
import type { Platform } from '../platform.js';
import type { Registers } from '../registers.js';

export interface Machine {
  readonly taskSize: number;
  readonly auxv: Platform['auxv'];
  /** Of the FP state. */
  readonly fpSize: number;
  /** Addresses from here up to the same distance from the top have no meaning at all: a general protection fault. Infinity: none. */
  readonly nonCanonical: number;
  /** What the system call instruction does to registers, once the instruction pointer is behind it. */
  trap(regs: Registers): void;
}

export const MACHINES: Readonly<Record<ArchName, Machine>> = {
  x86_64: {
    taskSize: 0x7fff_ff00_0000,
    auxv: { hwcap: 0x178bfbff, hwcap2: 2, minsigstksz: 2048, platform: 'x86_64' },
    fpSize: 512, // FXSAVE
    nonCanonical: 0x8000_0000_0000,
    trap(regs) {
      regs.setHalves(X86.orig_rax, regs.lo(X86.rax), regs.hi(X86.rax));
      regs.ret = -38; // the entry code sets rax to -ENOSYS
      regs.set(X86.rcx, regs.ip);
      regs.set(X86.r11, regs.lo(X86.eflags));
    },
  },
  aarch64: {
    taskSize: 0xffff_ff00_0000,
    auxv: { hwcap: 0xff, hwcap2: 0, minsigstksz: 4720, platform: 'aarch64' },
    fpSize: 528, // struct user_fpsimd_state
    nonCanonical: Infinity,
    trap() {},
  },
};
