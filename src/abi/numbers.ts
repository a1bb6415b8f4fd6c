/** System call numbers by architecture; the rows in syscalls/ name them, nothing else needs them. */
import type { ArchName } from './types.js';
import { NR_AARCH64 } from './numbers-aarch64.js';
import { NR_X86_64 } from './numbers-x86_64.js';

export { NR_AARCH64, NR_X86_64 };

export const SYSCALL_NUMBERS: Readonly<Record<ArchName, Readonly<Record<string, number>>>> = {
  x86_64: NR_X86_64,
  aarch64: NR_AARCH64,
};

/** Bit of an x32 system call number (x86_64 only). */
export const X32_SYSCALL_BIT = 0x4000_0000;

/** Every architecture there is. */
export const ARCHS = Object.keys(SYSCALL_NUMBERS) as ArchName[];
