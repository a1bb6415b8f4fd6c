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
import { SA_ONSTACK, SA_RESTORER, SA_SIGINFO, SS_AUTODISARM } from '../../src/abi/flags/signal.js';
import { X86 } from '../../src/abi/registers.js';
import { getU64, setHalves, setU64 } from '../../src/abi/layout.js';
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
/** AMX tile state starts here in the standard format: Linux leaves it out of frames unless a program asked for it. */
const AMX_OFFSET = 2752;

/** AC OF DF TF SF ZF AF PF CF RF: what sigreturn may change (FIX_EFLAGS). */
const FIX_EFLAGS = 0x50dd5;
const X86_EFLAGS_TF = 0x100;
const X86_EFLAGS_DF = 0x400;
const X86_EFLAGS_RF = 0x10000;

const frameBytes = new Uint8Array(FRAME_SIZE);
const frame = new DataView(frameBytes.buffer);

const put = (at: number, value: number): void => setU64(frame, at, value);

/** The FP image as it stands in a frame: XSAVE area with Linux's software bytes, plus the trailing magic. */
function fpImage(task: Task): Uint8Array {
  const state = task.thread.getFpState();
  if (state.length <= FXSAVE_SIZE) return state.slice();
  const size = Math.min(state.length, AMX_OFFSET);
  const image = new Uint8Array(size + 4);
  image.set(state.subarray(0, size));
  const view = new DataView(image.buffer);
  const features = view.getUint32(SW_RESERVED, true) & 0x2ff;
  image.fill(0, SW_RESERVED, FXSAVE_SIZE);
  view.setUint32(SW_RESERVED, FP_XSTATE_MAGIC1, true);
  view.setUint32(SW_RESERVED + 4, size + 4, true);
  view.setUint32(SW_RESERVED + 8, features, true);
  view.setUint32(SW_RESERVED + 16, size, true);
  view.setUint32(size, FP_XSTATE_MAGIC2, true);
  return image;
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
  const fp = fpImage(task);
  const fpAddress = Math.floor((sp - fp.length) / 64) * 64;
  const at = Math.floor((fpAddress - FRAME_SIZE) / 16) * 16 - 8;
  // Overflow of the signal stack must not write below it.
  if ((nested || entering) && !(at > task.altStack.sp && at - task.altStack.sp <= task.altStack.size))
    throw errno(EFAULT);
  if (at <= 0) throw errno(EFAULT);

  frameBytes.fill(0);
  put(0, action.restorer);
  put(UC, UC_FLAGS);
  put(UC_STACK, task.altStack.sp);
  frame.setUint32(UC_STACK + 8, task.altStack.flags, true);
  put(UC_STACK + 16, task.altStack.size);
  for (let i = 0; i < SC_ORDER.length; i++) {
    setHalves(frame, SC + 8 * i, regs.lo(SC_ORDER[i]), regs.hi(SC_ORDER[i]));
  }
  put(SC_FLAGS, regs.lo(X86.eflags));
  frame.setUint16(SC_SEGMENTS, regs.lo(X86.cs), true);
  frame.setUint16(SC_SEGMENTS + 6, regs.lo(X86.ss), true);
  const { fault } = task;
  put(SC_ERR, fault.err);
  put(SC_TRAPNO, fault.trapno);
  put(SC_CR2, fault.cr2);
  setHalves(frame, SC_OLDMASK, restoreMask.lo, restoreMask.hi);
  put(SC_FPSTATE, fpAddress);
  setHalves(frame, UC_SIGMASK, restoreMask.lo, restoreMask.hi);
  // Without SA_SIGINFO the place of the siginfo keeps what was there.
  const withInfo = (action.flags & SA_SIGINFO) !== 0;
  if (withInfo) writeSigInfo(frame, INFO, info);

  mm.copyOut(fpAddress, fp, 0, fp.length);
  mm.copyOut(at, frameBytes, 0, withInfo ? FRAME_SIZE : INFO);
  // Handlers start with the FP state of a new program (fpu__clear_user_states).
  task.thread.resetFpState();

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
  // The handler's `ret` popped the return address.
  const at = regs.sp - 8;
  mm.copyIn(at, frameBytes, 0, FRAME_SIZE);
  const saved = SC_ORDER.map((_, i) => [frame.getUint32(SC + 8 * i, true), frame.getUint32(SC + 8 * i + 4, true)]);
  const flags = frame.getUint32(SC_FLAGS, true);
  const fpAddress = getU64(frame, SC_FPSTATE);
  const stack = {
    sp: getU64(frame, UC_STACK),
    flags: frame.getInt32(UC_STACK + 8, true),
    size: getU64(frame, UC_STACK + 16),
  };
  task.blocked.lo = frame.getInt32(UC_SIGMASK, true);
  task.blocked.hi = frame.getInt32(UC_SIGMASK + 4, true);
  task.dropUnblockable();
  restoreFp(task, fpAddress);
  for (let i = 0; i < SC_ORDER.length; i++) regs.setHalves(SC_ORDER[i], saved[i][0], saved[i][1]);
  setFlags(regs, flags);
  // A bad stack is not an error of sigreturn (restore_altstack ignores it).
  setAltStack(task, stack, regs.sp, true);
}

function restoreFp(task: Task, address: number): void {
  if (address === 0) {
    task.thread.resetFpState();
    return;
  }
  const { mm } = task;
  const current = task.thread.getFpState();
  const image = new Uint8Array(current.length);
  mm.copyIn(address, image, 0, FXSAVE_SIZE);
  const view = new DataView(image.buffer);
  const extended = view.getUint32(SW_RESERVED + 4, true);
  const size = view.getUint32(SW_RESERVED + 16, true);
  const valid =
    current.length > FXSAVE_SIZE &&
    view.getUint32(SW_RESERVED, true) === FP_XSTATE_MAGIC1 &&
    size >= FXSAVE_SIZE + 64 &&
    size <= current.length &&
    extended >= size &&
    mm.readU32(address + size) === FP_XSTATE_MAGIC2;
  if (valid) mm.copyIn(address + FXSAVE_SIZE, image, FXSAVE_SIZE, size - FXSAVE_SIZE);
  else if (current.length > FXSAVE_SIZE) view.setUint32(FXSAVE_SIZE, 3, true); // x87 and SSE only
  if (task.thread.setFpState(image) !== 0) throw errno(EFAULT);
}

function setFlags(regs: Registers, flags: number): void {
  regs.setHalves(X86.eflags, (regs.lo(X86.eflags) & ~FIX_EFLAGS) | (flags & FIX_EFLAGS), 0);
}

function restartSyscall(task: Task, nr: number): void {
  const { regs } = task;
  regs.set(X86.rax, nr);
  regs.ip = regs.ip - 2;
}

export const x86Frame: SignalFrame = { setup, restore, restartSyscall };
