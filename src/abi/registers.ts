/**
 * Where each register of an architecture sits in a thread's register block.
 *
 * A thread's general registers are an array of 64-bit words in the host's own order (x86_64: struct user_regs_struct,
 * 27 words; aarch64: struct user_pt_regs, x0-x30 sp pc pstate, then the TLS registers). Word i is `words[base + 2*i]` (low half) and
 * `words[base + 2*i + 1]` (high half) of a Uint32Array shared with the native addon.
 */
import type { ArchName } from './types.js';

export interface RegisterLayout {
  readonly arch: ArchName;
  /** How many 64-bit words the register block holds. */
  readonly count: number;
  /** Word index of the system call number at a syscall stop (x86_64: orig_rax; aarch64: x8). */
  readonly nr: number;
  /** Word index of the return value. */
  readonly ret: number;
  /** Word indices of the six arguments. */
  readonly args: readonly number[];
  readonly ip: number;
  readonly sp: number;
  /** Length in bytes of the system call instruction (both ABIs: restart subtracts it from ip). */
  readonly syscallLength: number;
  /** Where a program puts the number of its call. */
  readonly callNumber: number;
  /** How much of the signal frame the handler's return has popped when sigreturn is called: its return address. */
  readonly sigreturnPops: number;
  /** The thread pointer, which clone(2) sets, and what else that sets to 0. */
  readonly tls: number;
  readonly clearedWithTls: readonly number[];
  /** Left as they are by exec: what the host set up. */
  readonly keptByExec: ReadonlySet<number>;
  /** What a new program starts with, where it is not 0. */
  readonly initial: readonly (readonly [word: number, value: number])[];
}

/** x86_64: word indices of struct user_regs_struct (sys/user.h). */
export const X86 = {
  r15: 0,
  r14: 1,
  r13: 2,
  r12: 3,
  rbp: 4,
  rbx: 5,
  r11: 6,
  r10: 7,
  r9: 8,
  r8: 9,
  rax: 10,
  rcx: 11,
  rdx: 12,
  rsi: 13,
  rdi: 14,
  orig_rax: 15,
  rip: 16,
  cs: 17,
  eflags: 18,
  rsp: 19,
  ss: 20,
  fs_base: 21,
  gs_base: 22,
  ds: 23,
  es: 24,
  fs: 25,
  gs: 26,
} as const;

export const X86_LAYOUT: RegisterLayout = {
  arch: 'x86_64',
  count: 27,
  nr: X86.orig_rax,
  ret: X86.rax,
  args: [X86.rdi, X86.rsi, X86.rdx, X86.r10, X86.r8, X86.r9],
  ip: X86.rip,
  sp: X86.rsp,
  syscallLength: 2,
  callNumber: X86.rax,
  sigreturnPops: 8,
  tls: X86.fs_base,
  clearedWithTls: [],
  keptByExec: new Set([X86.cs, X86.ss, X86.ds, X86.es, X86.fs, X86.gs]),
  initial: [[X86.eflags, 0x202]],
};

/** aarch64: struct user_pt_regs is x0..x30, sp, pc, pstate; words 34 and 35 are tpidr_el0 and tpidr2_el0. */
export const A64 = {
  x0: 0,
  x7: 7,
  x8: 8,
  x16: 16,
  x17: 17,
  x29: 29,
  x30: 30,
  sp: 31,
  pc: 32,
  pstate: 33,
  tpidr: 34,
  tpidr2: 35,
} as const;

export const A64_LAYOUT: RegisterLayout = {
  arch: 'aarch64',
  count: 36,
  nr: A64.x8,
  ret: A64.x0,
  args: [0, 1, 2, 3, 4, 5],
  ip: A64.pc,
  sp: A64.sp,
  syscallLength: 4,
  callNumber: A64.x8,
  sigreturnPops: 0,
  tls: A64.tpidr,
  clearedWithTls: [A64.tpidr2],
  keptByExec: new Set(),
  initial: [],
};

export const REGISTER_LAYOUTS: Readonly<Record<ArchName, RegisterLayout>> = { x86_64: X86_LAYOUT, aarch64: A64_LAYOUT };
