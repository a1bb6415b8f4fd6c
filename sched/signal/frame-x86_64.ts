/**
 * x86_64's rt_sigframe, byte for byte as arch/x86/kernel/signal_64.c lays it out:
 *
 *   frame +0   return address (sa_restorer)
 *         +8   ucontext: flags, link, stack_t (24), sigcontext (256), sigmask (8)     304 bytes
 *         +312 siginfo                                                                128 bytes
 *   FP state (XSAVE image, 64-byte aligned) above, found through sigcontext.fpstate
 *
 * The stack pointer at the handler's entry is 8 below a 16-byte boundary, as after a call; the 128-byte red zone is skipped.
 * Everything read back by sigreturn is hostile: segments stay as they are, only user-changeable flags are taken.
 */
import { EFAULT, errno } from '../../src/abi/errno.js';
import { SA_ONSTACK, SA_RESTORER, SA_SIGINFO, SIGSEGV, SI_KERNEL, SS_AUTODISARM } from '../../src/abi/flags/signal.js';
import { X86 } from '../../src/abi/registers.js';
import { getU64, setHalves, setU64 } from '../../src/abi/layout.js';
import { FP_ROOM, type FpArea } from '../../src/platform/fp-area.js';
import type { Registers } from '../../src/platform/registers.js';
import type { Task } from '../task.js';
import { setAltStack } from './altstack.js';
import { altStackFlags, onAltStack, type SignalFrame } from './frame.js';
import type { SigAction } from './handlers.js';
import { writeSigInfo } from './info-bytes.js';
import type { SigInfo } from './siginfo.js';

const FRAME_SIZE = 440;
const UC = 8;
const UC_STACK = UC + 16;
const SC = UC + 40;
const UC_SIGMASK = UC + 296;
const INFO = 312;
const RED_ZONE = 128;
/** UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS */
const UC_FLAGS = 7;

/** Order of the 64-bit registers at the start of struct sigcontext. */
const SC_ORDER = [
  X86.r8,
  X86.r9,
  X86.r10,
  X86.r11,
  X86.r12,
  X86.r13,
  X86.r14,
  X86.r15,
  X86.rdi,
  X86.rsi,
  X86.rbp,
  X86.rbx,
  X86.rdx,
  X86.rax,
  X86.rcx,
  X86.rsp,
  X86.rip,
] as const;
const SC_FLAGS = SC + 136;
const SC_SEGMENTS = SC + 144;
const SC_ERR = SC + 152;
const SC_TRAPNO = SC + 160;
const SC_OLDMASK = SC + 168;
const SC_CR2 = SC + 176;
const SC_FPSTATE = SC + 184;

const FP_XSTATE_MAGIC1 = 0x46505853;
const FP_XSTATE_MAGIC2 = 0x46505845;
/** Offset of _fpx_sw_bytes in the legacy FXSAVE area. */
const SW_RESERVED = 464;
const FXSAVE_SIZE = 512;
/** What the instructions that Linux restores with insist on. */
const FXRSTOR_ALIGNMENT = 16;
const XRSTOR_ALIGNMENT = 64;
/** AMX tile state starts here in the standard format: Linux leaves it out of frames unless a program asked for it. */
const AMX_OFFSET = 2752;

/** AC OF DF TF SF ZF AF PF CF RF: what sigreturn may change (FIX_EFLAGS). */
const FIX_EFLAGS = 0x50dd5;
const X86_EFLAGS_TF = 0x100;
const X86_EFLAGS_DF = 0x400;
const X86_EFLAGS_RF = 0x10000;

const TRAP_GP = 13;
const TRAP_PF = 14;
/** Trap numbers behind a signal that is no page fault. */
const TRAPS: Readonly<Record<number, number>> = { 4: 6, 5: 3, 8: 0, 11: 13, 7: 17 };
const PF_WRITE = 2;
const PF_USER = 4;
const PF_INSTR = 16;

/** From the frame to the FP state, when setup has put them there: both addresses follow from the stack pointer alone. */
const FRAME_TO_FP = 456;
/** The frame's place in the platform's FP area: one copy moves both. */
const FRAME = FP_ROOM - FRAME_TO_FP;
const SC_WORD = (FRAME + SC) / 4;

/** Bytes of FP state in a frame, without the magic number at the end. */
const framedSize = (fp: FpArea): number => Math.min(fp.size, AMX_OFFSET);

/** Turns the FP image into what stands in a frame: XSAVE area with Linux's software bytes, plus the trailing magic. Its length. */
function frameFp(fp: FpArea): number {
  if (fp.size <= FXSAVE_SIZE) return fp.size;
  const size = framedSize(fp);
  const { bytes, view } = fp;
  const software = FP_ROOM + SW_RESERVED;
  const features = view.getUint32(software, true) & 0x2ff;
  bytes.fill(0, software, FP_ROOM + FXSAVE_SIZE);
  view.setUint32(software, FP_XSTATE_MAGIC1, true);
  view.setUint32(software + 4, size + 4, true);
  view.setUint32(software + 8, features, true);
  view.setUint32(software + 16, size, true);
  view.setUint32(FP_ROOM + size, FP_XSTATE_MAGIC2, true);
  return size + 4;
}

function setup(task: Task, action: SigAction, info: SigInfo, restoreMask: { lo: number; hi: number }): void {
  const { regs, mm } = task;
  // x86_64 has no other way back from a handler.
  if ((action.flags & SA_RESTORER) === 0) throw errno(EFAULT);
  let sp = regs.sp - RED_ZONE;
  const nested = onAltStack(task, sp);
  let entering = false;
  if ((action.flags & SA_ONSTACK) !== 0 && altStackFlags(task, sp) === 0) {
    sp = task.altStack.sp + task.altStack.size;
    entering = true;
  }
  const { fp } = task.kernel.platform;
  const fpKind = task.thread.loadFp();
  const fpLength = frameFp(fp);
  const fpAddress = Math.floor((sp - fpLength) / 64) * 64;
  // The frame, aligned, less the place of a return address (align_sigframe).
  const at = fpAddress - FRAME_TO_FP;
  // Overflow of the signal stack must not write below it.
  if ((nested || entering) && !(at > task.altStack.sp && at - task.altStack.sp <= task.altStack.size))
    throw errno(EFAULT);
  if (at <= 0) throw errno(EFAULT);

  const { view } = fp;
  fp.words.fill(0, FRAME / 4, FP_ROOM / 4);
  setU64(view, FRAME, action.restorer);
  setU64(view, FRAME + UC, UC_FLAGS);
  setU64(view, FRAME + UC_STACK, task.altStack.sp);
  view.setUint32(FRAME + UC_STACK + 8, task.altStack.flags, true);
  setU64(view, FRAME + UC_STACK + 16, task.altStack.size);
  for (let i = 0; i < SC_ORDER.length; i++) {
    fp.words[SC_WORD + 2 * i] = regs.lo(SC_ORDER[i]);
    fp.words[SC_WORD + 2 * i + 1] = regs.hi(SC_ORDER[i]);
  }
  setU64(view, FRAME + SC_FLAGS, regs.lo(X86.eflags));
  view.setUint16(FRAME + SC_SEGMENTS, regs.lo(X86.cs), true);
  view.setUint16(FRAME + SC_SEGMENTS + 6, regs.lo(X86.ss), true);
  const { signal, page, access, address } = task.fault;
  setU64(view, FRAME + SC_ERR, page ? PF_USER | (access === 1 ? PF_WRITE : 0) | (access === 2 ? PF_INSTR : 0) : 0);
  setU64(view, FRAME + SC_TRAPNO, page ? TRAP_PF : signal === 0 ? 0 : (TRAPS[signal] ?? TRAP_GP));
  setU64(view, FRAME + SC_CR2, address);
  setHalves(view, FRAME + SC_OLDMASK, restoreMask.lo, restoreMask.hi);
  setU64(view, FRAME + SC_FPSTATE, fpAddress);
  setHalves(view, FRAME + UC_SIGMASK, restoreMask.lo, restoreMask.hi);
  if ((action.flags & SA_SIGINFO) !== 0) writeSigInfo(view, FRAME + INFO, info);

  // In one go, though Linux leaves out the gap, and without SA_SIGINFO the siginfo: nobody's bytes below the stack pointer.
  mm.copyOut(at, fp.bytes, FRAME, FRAME_TO_FP + fpLength);
  // Handlers start with the FP state of a new program (fpu__clear_user_states).
  task.thread.resetFpState(fpKind);

  regs.set(X86.rdi, info.signo);
  regs.set(X86.rsi, at + INFO);
  regs.set(X86.rdx, at + UC);
  regs.set(X86.rax, 0);
  regs.ip = action.handler;
  regs.sp = at;
  regs.setHalves(X86.eflags, regs.lo(X86.eflags) & ~(X86_EFLAGS_DF | X86_EFLAGS_RF | X86_EFLAGS_TF), 0);
  if ((task.altStack.flags & SS_AUTODISARM) !== 0) task.altStack = { sp: 0, size: 0, flags: 2 };
}

function restore(task: Task): void {
  const { regs, mm } = task;
  const { fp } = task.kernel.platform;
  const { view } = fp;
  // The handler's `ret` popped the return address.
  const at = regs.sp - 8;
  // Frame and FP state are read once, and in one go where setup put them; anything unusual is read piece by piece.
  const fpLength = fp.size <= FXSAVE_SIZE ? fp.size : framedSize(fp) + 4;
  const whole = mm.tryCopyIn(at, fp.bytes, FRAME, FRAME_TO_FP + fpLength);
  if (!whole) mm.copyIn(at, fp.bytes, FRAME, FRAME_SIZE);
  const fpAddress = getU64(view, FRAME + SC_FPSTATE);
  task.blocked.lo = view.getInt32(FRAME + UC_SIGMASK, true);
  task.blocked.hi = view.getInt32(FRAME + UC_SIGMASK + 4, true);
  task.dropUnblockable();
  restoreFp(task, fpAddress, whole && fpAddress === at + FRAME_TO_FP ? fpLength : 0);
  for (let i = 0; i < SC_ORDER.length; i++)
    regs.setHalves(SC_ORDER[i], fp.words[SC_WORD + 2 * i], fp.words[SC_WORD + 2 * i + 1]);
  setFlags(regs, view.getUint32(FRAME + SC_FLAGS, true));
  const stack = {
    sp: getU64(view, FRAME + UC_STACK),
    flags: view.getInt32(FRAME + UC_STACK + 8, true),
    size: getU64(view, FRAME + UC_STACK + 16),
  };
  // A bad stack is not an error of sigreturn (restore_altstack ignores it).
  setAltStack(task, stack, regs.sp, true);
}

/** `have`: how much of the state is in the FP area already. Leaves the frame there alone. */
function restoreFp(task: Task, address: number, have: number): void {
  if (address === 0) {
    task.thread.resetFpState();
    return;
  }
  const { mm, thread } = task;
  const { bytes, view, size: full } = task.kernel.platform.fp;
  if (have === 0) mm.copyIn(address, bytes, FP_ROOM, FXSAVE_SIZE);
  let alignment = FXRSTOR_ALIGNMENT;
  if (full > FXSAVE_SIZE) {
    const software = FP_ROOM + SW_RESERVED;
    const extended = view.getUint32(software + 4, true);
    const size = view.getUint32(software + 16, true);
    const valid =
      view.getUint32(software, true) === FP_XSTATE_MAGIC1 &&
      size >= FXSAVE_SIZE + 64 &&
      size <= full &&
      extended >= size &&
      (size + 4 <= have ? view.getUint32(FP_ROOM + size, true) : mm.readU32(address + size)) === FP_XSTATE_MAGIC2;
    if (valid) {
      alignment = XRSTOR_ALIGNMENT;
      if (size > have) mm.copyIn(address + FXSAVE_SIZE, bytes, FP_ROOM + FXSAVE_SIZE, size - FXSAVE_SIZE);
      bytes.fill(0, FP_ROOM + size, FP_ROOM + full);
    } else {
      bytes.fill(0, FP_ROOM + FXSAVE_SIZE, FP_ROOM + full);
      view.setUint32(FP_ROOM + FXSAVE_SIZE, 3, true); // x87 and SSE only
    }
  }
  if (address % alignment !== 0 || thread.storeFp() !== 0) throw errno(EFAULT);
}

function setFlags(regs: Registers, flags: number): void {
  regs.setHalves(X86.eflags, (regs.lo(X86.eflags) & ~FIX_EFLAGS) | (flags & FIX_EFLAGS), 0);
}

function restartSyscall(task: Task, nr: number): void {
  const { regs } = task;
  regs.set(X86.rax, nr);
  regs.ip = regs.ip - 2;
}

const badFrame = (): SigInfo => ({ signo: SIGSEGV, code: SI_KERNEL, pid: 0, uid: 0 });

export const x86Frame: SignalFrame = { setup, restore, badFrame, restartSyscall };
