/**
 * Signals: actions, siginfo, alternate stacks, and the frames that delivery puts on the guest stack.
 *
 * siginfo is a struct of unions; it is written flat, every member at its own offset (`_sifields`, asm-generic/siginfo.h).
 * `struct sigaction` is the kernel's (the libc one has the mask in another place); aarch64 has SA_RESTORER too, so both agree.
 */
import { struct } from '../layout.js';

export const SIGACTION = struct('sigaction', {
  sa_handler: 'u64',
  sa_flags: 'u64',
  sa_restorer: 'u64',
  sa_mask: 'u64',
});
export const STACK_T = struct('stack_t', { ss_sp: 'u64', ss_flags: 'i32', ss_size: 'u64' });
export const SIGINFO = struct(
  'siginfo_t',
  {
    si_signo: 'i32',
    si_errno: 'i32',
    si_code: 'i32',
    // kill, sigqueue, SIGCHLD
    si_pid: { type: 'i32', at: 16 },
    si_uid: { type: 'u32', at: 20 },
    si_value: { type: 'u64', at: 24 },
    si_status: { type: 'i32', at: 24 },
    si_utime: { type: 'i64', at: 32 },
    si_stime: { type: 'i64', at: 40 },
    // timers
    si_timerid: { type: 'i32', at: 16 },
    si_overrun: { type: 'i32', at: 20 },
    // faults
    si_addr: { type: 'u64', at: 16 },
    si_addr_lsb: { type: 'i16', at: 24 },
    si_lower: { type: 'u64', at: 32 },
    si_upper: { type: 'u64', at: 40 },
    si_pkey: { type: 'u32', at: 32 },
    // SIGPOLL
    si_band: { type: 'i64', at: 16 },
    si_fd: { type: 'i32', at: 24 },
    // SIGSYS
    si_call_addr: { type: 'u64', at: 16 },
    si_syscall: { type: 'i32', at: 24 },
    si_arch: { type: 'u32', at: 28 },
  },
  { size: 128, align: 8 },
);
export const SIGEVENT = struct(
  'sigevent',
  {
    sigev_value: 'u64',
    sigev_signo: 'i32',
    sigev_notify: 'i32',
    sigev_notify_thread_id: { type: 'i32', at: 16 },
    sigev_notify_function: { type: 'u64', at: 16 },
    sigev_notify_attributes: { type: 'u64', at: 24 },
  },
  { size: 64, align: 8 },
);
export const SIGNALFD_SIGINFO = struct('signalfd_siginfo', {
  ssi_signo: 'u32',
  ssi_errno: 'i32',
  ssi_code: 'i32',
  ssi_pid: 'u32',
  ssi_uid: 'u32',
  ssi_fd: 'i32',
  ssi_tid: 'u32',
  ssi_band: 'u32',
  ssi_overrun: 'u32',
  ssi_trapno: 'u32',
  ssi_status: 'i32',
  ssi_int: 'i32',
  ssi_ptr: 'u64',
  ssi_utime: 'u64',
  ssi_stime: 'u64',
  ssi_addr: 'u64',
  ssi_addr_lsb: 'u16',
  __pad2: 'u16',
  ssi_syscall: 'i32',
  ssi_call_addr: 'u64',
  ssi_arch: 'u32',
  __pad: ['u8', 28],
});

/** The extra sigset argument of pselect6(2). */
export const SIGSET_ARGPACK = struct('sigset_argpack', { p: 'u64', size: 'u64' });

/** struct sigcontext_64 of x86_64 (asm/sigcontext.h). */
export const SIGCONTEXT_X86_64 = struct('sigcontext', {
  r8: 'u64',
  r9: 'u64',
  r10: 'u64',
  r11: 'u64',
  r12: 'u64',
  r13: 'u64',
  r14: 'u64',
  r15: 'u64',
  rdi: 'u64',
  rsi: 'u64',
  rbp: 'u64',
  rbx: 'u64',
  rdx: 'u64',
  rax: 'u64',
  rcx: 'u64',
  rsp: 'u64',
  rip: 'u64',
  eflags: 'u64',
  cs: 'u16',
  gs: 'u16',
  fs: 'u16',
  ss: 'u16',
  err: 'u64',
  trapno: 'u64',
  oldmask: 'u64',
  cr2: 'u64',
  fpstate: 'u64',
  reserved1: ['u64', 8],
});
export const UCONTEXT_X86_64 = struct('ucontext', {
  uc_flags: 'u64',
  uc_link: 'u64',
  uc_stack: STACK_T,
  uc_mcontext: SIGCONTEXT_X86_64,
  uc_sigmask: 'u64',
});
/** What rsp points to in a handler on x86_64; the FP state lies above, 64-byte aligned. */
export const RT_SIGFRAME_X86_64 = struct('rt_sigframe', { pretcode: 'u64', uc: UCONTEXT_X86_64, info: SIGINFO });
/** Software-reserved bytes of the FXSAVE image, at offset 464 (struct _fpx_sw_bytes). */
export const FPX_SW_BYTES = struct('_fpx_sw_bytes', {
  magic1: 'u32',
  extended_size: 'u32',
  xfeatures: 'u64',
  xstate_size: 'u32',
  padding: ['u32', 7],
});
/** FXSAVE image of x86_64 (struct _fpstate_64); an XSAVE header of 64 bytes and the rest follow. */
export const FPSTATE_X86_64 = struct('_fpstate_64', {
  cwd: 'u16',
  swd: 'u16',
  twd: 'u16',
  fop: 'u16',
  rip: 'u64',
  rdp: 'u64',
  mxcsr: 'u32',
  mxcsr_mask: 'u32',
  st_space: ['u32', 32],
  xmm_space: ['u32', 64],
  reserved2: ['u32', 12],
  sw_reserved: FPX_SW_BYTES,
});

/** struct sigcontext of aarch64; records (`AARCH64_CTX` headers) fill __reserved and end with a zero magic. */
export const SIGCONTEXT_AARCH64 = struct(
  'sigcontext',
  {
    fault_address: 'u64',
    regs: ['u64', 31],
    sp: 'u64',
    pc: 'u64',
    pstate: 'u64',
    __reserved: { type: 'u8', count: 4096, at: 288 },
  },
  { align: 16 },
);
export const UCONTEXT_AARCH64 = struct('ucontext', {
  uc_flags: 'u64',
  uc_link: 'u64',
  uc_stack: STACK_T,
  uc_sigmask: 'u64',
  __unused: ['u8', 120],
  uc_mcontext: SIGCONTEXT_AARCH64,
});
/** What sp points to in a handler on aarch64; a frame record (fp, lr) lies above. */
export const RT_SIGFRAME_AARCH64 = struct('rt_sigframe', { info: SIGINFO, uc: UCONTEXT_AARCH64 });
export const AARCH64_CTX = struct('_aarch64_ctx', { magic: 'u32', size: 'u32' });
export const FPSIMD_CONTEXT = struct(
  'fpsimd_context',
  {
    head: AARCH64_CTX,
    fpsr: 'u32',
    fpcr: 'u32',
    vregs: ['u8', 512],
  },
  { align: 16 },
);
export const ESR_CONTEXT = struct('esr_context', { head: AARCH64_CTX, esr: 'u64' });
export const EXTRA_CONTEXT = struct(
  'extra_context',
  { head: AARCH64_CTX, datap: 'u64', size: 'u32', __reserved: ['u32', 3] },
  { align: 16 },
);
export const FPSIMD_MAGIC = 0x46508001;
export const ESR_MAGIC = 0x45535201;
export const EXTRA_MAGIC = 0x45585401;
export const SVE_MAGIC = 0x53564501;
export const FP_XSTATE_MAGIC1 = 0x46505853;
export const FP_XSTATE_MAGIC2 = 0x46505845;
export const UC_FP_XSTATE = 1;
export const UC_SIGCONTEXT_SS = 2;
export const UC_STRICT_RESTORE_SS = 4;
