/**
 * aarch64's rt_sigframe, as arch/arm64/kernel/signal.c lays it out:
 *
 *   frame +0    siginfo                                                             128 bytes
 *         +128  ucontext: flags, link, stack_t (24), sigmask (8), padding; sigcontext at +176 of it:
 *               fault address, x0-x30, sp, pc, pstate, and at +288 records of 16-byte multiples, 4096 bytes of them
 *   more records above, where 4096 bytes are too few; then a frame record (fp, lr) at the old stack pointer
 *
 * Records: FP and SIMD state, always; the last fault's syndrome, once there was one; SVE, where the processor has it, but only
 * its head unless registers of it are in use. Handlers start with the FP state they interrupt.
 * Everything read back by sigreturn is hostile: pstate must be a user's, each record's size is what its kind has.
 */
import { EFAULT, errno } from '../../src/abi/errno.js';
import {
  SA_ONSTACK,
  SA_RESTORER,
  SA_SIGINFO,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGSEGV,
  SS_AUTODISARM,
  SS_DISABLE,
} from '../../src/abi/flags/signal.js';
import {
  ESR_CONTEXT,
  ESR_MAGIC,
  EXTRA_CONTEXT,
  EXTRA_MAGIC,
  FPSIMD_CONTEXT,
  FPSIMD_MAGIC,
  RT_SIGFRAME_AARCH64,
  SIGCONTEXT_AARCH64,
  SVE_MAGIC,
  UCONTEXT_AARCH64,
} from '../../src/abi/layouts/signal.js';
import { getU64, setHalves, setU64 } from '../../src/abi/layout.js';
import { A64 } from '../../src/abi/registers.js';
import { FP_ROOM, type FpArea } from '../../src/platform/fp-area.js';
import type { Task } from '../task.js';
import { setAltStack } from './altstack.js';
import { altStackFlags, type FaultDetail, type SignalFrame } from './frame.js';
import type { SigAction } from './handlers.js';
import { SIGINFO_SIZE, writeSigInfo } from './info-bytes.js';
import type { SigInfo } from './siginfo.js';

const UC = RT_SIGFRAME_AARCH64.fields['uc'].offset;
const UC_STACK = UC + UCONTEXT_AARCH64.fields['uc_stack'].offset;
const UC_SIGMASK = UC + UCONTEXT_AARCH64.fields['uc_sigmask'].offset;
const SC = UC + UCONTEXT_AARCH64.fields['uc_mcontext'].offset;
const SC_REGS = SC + SIGCONTEXT_AARCH64.fields['regs'].offset;
const SC_SP = SC + SIGCONTEXT_AARCH64.fields['sp'].offset;
const SC_PC = SC + SIGCONTEXT_AARCH64.fields['pc'].offset;
const SC_PSTATE = SC + SIGCONTEXT_AARCH64.fields['pstate'].offset;
const RECORDS = SC + SIGCONTEXT_AARCH64.fields['__reserved'].offset;
const RECORDS_SIZE = 4096;
const FRAME_SIZE = RT_SIGFRAME_AARCH64.size;
const FRAME_RECORD = 16;
const TERMINATOR = 16;
/** No frame is longer (SIGFRAME_MAXSZ). */
const FRAME_MAX = 65536;

/** In the FP image: registers, then their control; behind that what NT_ARM_SVE is, where there is SVE. */
const VREGS = FP_ROOM;
const FPSR = FP_ROOM + 512;
const SVE = FP_ROOM + 528;
const SVE_VL = SVE + 8;
const SVE_FLAGS = SVE + 12;
const SVE_HEADER = 16;
const SVE_IN_USE = 1;
/** struct sve_context without registers. */
const SVE_HEAD = 16;

const PSR_MODE_MASK = 0x1f;
/** D, A, I, F: interrupts a user cannot mask. */
const PSR_DAIF = 0x3c0;
const PSR_BTYPE = 0xc00;
const PSR_TCO = 1 << 25;
/** Bits without a meaning, which are dropped (SPSR_EL1_AARCH64_RES0_BITS). */
const PSR_RES0 = 0x0cdf_e020;

const EC_INSTRUCTION_ABORT = 0x20;
const EC_DATA_ABORT = 0x24;
const ESR_IL = 1 << 25;
const ESR_WNR = 1 << 6;
/** Fault status: at the last level of the page tables. */
const TRANSLATION_FAULT = 7;
const PERMISSION_FAULT = 15;

const bytes = new Uint8Array(FRAME_MAX);
const view = new DataView(bytes.buffer);
const words = new Uint32Array(bytes.buffer);
const roundUp = (n: number): number => (n + 15) & ~15;

/** What the processor would have said of the fault (ESR_EL1), as far as that is known; 0: there was none. */
function syndrome({ page, code, access }: FaultDetail): number {
  if (!page) return 0;
  const status = code === SEGV_ACCERR ? PERMISSION_FAULT : TRANSLATION_FAULT;
  const kind = access === 2 ? EC_INSTRUCTION_ABORT : EC_DATA_ABORT;
  return (((kind << 26) >>> 0) + ESR_IL + (access === 1 ? ESR_WNR : 0) + status) >>> 0;
}

/** Bytes of Z, P and FFR registers of a vector length. */
const sveRegisters = (vl: number): number => 32 * vl + (16 * vl) / 8 + vl / 8;

/** Places records: those that do not fit into the frame's own room go behind it. */
class Records {
  at = RECORDS;
  extra = 0;

  place(magic: number, size: number): number {
    const padded = roundUp(size);
    const room = RECORDS_SIZE - TERMINATOR - roundUp(EXTRA_CONTEXT.size);
    if (this.extra === 0 && this.at + padded > RECORDS + room) {
      this.extra = this.at;
      this.at += roundUp(EXTRA_CONTEXT.size) + TERMINATOR;
    }
    const { at } = this;
    if (at + padded > FRAME_MAX - TERMINATOR) throw errno(EFAULT);
    this.at += padded;
    bytes.fill(0, at, this.at);
    this.head(at, magic, padded);
    return at;
  }
  private head(at: number, magic: number, size: number): void {
    view.setUint32(at, magic, true);
    view.setUint32(at + 4, size, true);
  }
  /** Ends the list; returns where all ends. `address`: of the frame. */
  finish(address: number): number {
    bytes.fill(0, this.at, this.at + TERMINATOR);
    const end = this.at + TERMINATOR;
    if (this.extra === 0) return end;
    const { extra } = this;
    const size = roundUp(EXTRA_CONTEXT.size);
    bytes.fill(0, extra, extra + size + TERMINATOR);
    this.head(extra, EXTRA_MAGIC, size);
    const data = extra + size + TERMINATOR;
    setU64(view, extra + EXTRA_CONTEXT.fields['datap'].offset, address + data);
    view.setUint32(extra + EXTRA_CONTEXT.fields['size'].offset, end - data, true);
    return end;
  }
}

function frameFp(fp: FpArea, records: Records, esr: number): void {
  const simd = records.place(FPSIMD_MAGIC, FPSIMD_CONTEXT.size);
  view.setUint32(simd + 8, fp.view.getUint32(FPSR, true), true);
  view.setUint32(simd + 12, fp.view.getUint32(FPSR + 4, true), true);
  bytes.set(fp.bytes.subarray(VREGS, VREGS + 512), simd + 16);
  if (esr !== 0) setU64(view, records.place(ESR_MAGIC, ESR_CONTEXT.size) + 8, esr);
  if (!hasSve(fp)) return;
  const vl = fp.view.getUint16(SVE_VL, true);
  const length = (fp.view.getUint16(SVE_FLAGS, true) & SVE_IN_USE) === 0 ? 0 : sveRegisters(vl);
  const sve = records.place(SVE_MAGIC, SVE_HEAD + length);
  view.setUint16(sve + 8, vl, true);
  bytes.set(fp.bytes.subarray(SVE + SVE_HEADER, SVE + SVE_HEADER + length), sve + SVE_HEAD);
}
const hasSve = (fp: FpArea): boolean => FP_ROOM + fp.size > SVE;

function setup(task: Task, action: SigAction, info: SigInfo, restoreMask: { lo: number; hi: number }): void {
  const { regs, mm } = task;
  const { platform } = task.kernel;
  const restorer = (action.flags & SA_RESTORER) !== 0 ? action.restorer : platform.sigreturn;
  let top = regs.sp;
  if ((action.flags & SA_ONSTACK) !== 0 && altStackFlags(task, top) === 0) top = task.altStack.sp + task.altStack.size;

  const { fault } = task;
  task.thread.loadFp();
  const records = new Records();
  bytes.fill(0, 0, RECORDS);
  frameFp(platform.fp, records, syndrome(fault));
  const next = Math.floor((top - FRAME_RECORD) / 16) * 16;
  const at = next - Math.max(roundUp(FRAME_SIZE), roundUp(records.at + TERMINATOR));
  if (at <= 0) throw errno(EFAULT);
  const end = records.finish(at);

  if ((action.flags & SA_SIGINFO) !== 0) writeSigInfo(view, 0, info);
  setU64(view, UC_STACK, task.altStack.sp);
  view.setUint32(UC_STACK + 8, task.altStack.flags, true);
  setU64(view, UC_STACK + 16, task.altStack.size);
  setHalves(view, UC_SIGMASK, restoreMask.lo, restoreMask.hi);
  setU64(view, SC, fault.address);
  for (let i = 0; i < 31; i++) setHalves(view, SC_REGS + 8 * i, regs.lo(i), regs.hi(i));
  setHalves(view, SC_SP, regs.lo(A64.sp), regs.hi(A64.sp));
  setHalves(view, SC_PC, regs.lo(A64.pc), regs.hi(A64.pc));
  setHalves(view, SC_PSTATE, regs.lo(A64.pstate), regs.hi(A64.pstate));
  // Without SA_SIGINFO Linux leaves the siginfo's place alone.
  const from = (action.flags & SA_SIGINFO) !== 0 ? 0 : SIGINFO_SIZE;
  mm.copyOut(at + from, bytes, from, end - from);
  const linked = bytes.subarray(0, FRAME_RECORD);
  for (const [i, word] of [regs.lo(A64.x29), regs.hi(A64.x29), regs.lo(A64.x30), regs.hi(A64.x30)].entries())
    words[i] = word;
  mm.copyOut(next, linked, 0, FRAME_RECORD);

  regs.set(A64.x0, info.signo);
  if ((action.flags & SA_SIGINFO) !== 0) {
    regs.set(1, at);
    regs.set(2, at + UC);
  }
  regs.sp = at;
  regs.set(A64.x29, next);
  regs.set(A64.x30, restorer);
  regs.ip = action.handler;
  regs.setHalves(A64.pstate, regs.lo(A64.pstate) & ~(PSR_BTYPE | PSR_TCO), 0);
  if ((task.altStack.flags & SS_AUTODISARM) !== 0) task.altStack = { sp: 0, size: 0, flags: SS_DISABLE };
}

/** Where the records that sigreturn found lie in `bytes`; -1: there is none. */
interface Found {
  simd: number;
  sve: number;
}

/** parse_user_sigframe: every record of known kind and right size, each at most once; the list ends with a zero. */
function parse(task: Task, frame: number): Found {
  const found: Found = { simd: -1, sve: -1 };
  let limit = RECORDS + RECORDS_SIZE;
  let extended = false;
  for (let at = RECORDS; ;) {
    if (limit - at < 8) throw errno(EFAULT);
    const magic = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    if (magic === 0) {
      if (size !== 0) throw errno(EFAULT);
      return found;
    }
    if (size < 8 || size > limit - at || size % 16 !== 0) throw errno(EFAULT);
    if (magic === FPSIMD_MAGIC) {
      if (found.simd !== -1 || size < FPSIMD_CONTEXT.size) throw errno(EFAULT);
      found.simd = at;
    } else if (magic === SVE_MAGIC) {
      if (found.sve !== -1 || size < SVE_HEAD || !hasSve(task.kernel.platform.fp)) throw errno(EFAULT);
      found.sve = at;
    } else if (magic === EXTRA_MAGIC) {
      if (extended || size < EXTRA_CONTEXT.size) throw errno(EFAULT);
      const data = at + size + TERMINATOR;
      const length = view.getUint32(at + EXTRA_CONTEXT.fields['size'].offset, true);
      const address = getU64(view, at + EXTRA_CONTEXT.fields['datap'].offset);
      const ended = limit - at - size >= TERMINATOR && view.getUint32(at + size, true) === 0;
      if (!ended || view.getUint32(at + size + 4, true) !== 0) throw errno(EFAULT);
      if (address !== frame + data || length % 16 !== 0 || length > FRAME_MAX - data) throw errno(EFAULT);
      task.mm.copyIn(address, bytes, data, length);
      extended = true;
      limit = data + length;
      at = data;
      continue;
    } else if (magic !== ESR_MAGIC) throw errno(EFAULT);
    at += size;
  }
}

function restoreFp(task: Task, { simd, sve }: Found): void {
  if (simd === -1) throw errno(EFAULT);
  const { fp } = task.kernel.platform;
  task.thread.loadFp(); // the vector length
  fp.view.setUint32(FPSR, view.getUint32(simd + 8, true), true);
  fp.view.setUint32(FPSR + 4, view.getUint32(simd + 12, true), true);
  fp.bytes.set(bytes.subarray(simd + 16, simd + 16 + 512), VREGS);
  if (hasSve(fp)) {
    const vl = fp.view.getUint16(SVE_VL, true);
    const length = sveRegisters(vl);
    const inUse = sve !== -1 && view.getUint32(sve + 4, true) > SVE_HEAD;
    if (sve !== -1 && view.getUint16(sve + 8, true) !== vl) throw errno(EFAULT);
    if (inUse) {
      if (view.getUint32(sve + 4, true) < SVE_HEAD + length) throw errno(EFAULT);
      const image = SVE + SVE_HEADER;
      fp.bytes.set(bytes.subarray(sve + SVE_HEAD, sve + SVE_HEAD + length), image);
      // The low 128 bits are what the SIMD record says.
      for (let i = 0; i < 32; i++) fp.bytes.copyWithin(image + i * vl, VREGS + 16 * i, VREGS + 16 * (i + 1));
      const control = image + roundUp(length);
      fp.bytes.copyWithin(control, FPSR, FPSR + 8);
      fp.view.setUint32(SVE, roundUp(control + 8 - SVE), true);
    }
    fp.view.setUint16(SVE_FLAGS, inUse ? SVE_IN_USE : 0, true);
  }
  if (task.thread.storeFp() !== 0) throw errno(EFAULT);
}

function restore(task: Task): void {
  const { regs, mm } = task;
  // x7 is only writable after this.
  task.thread.sync?.();
  const at = regs.sp;
  if (at % 16 !== 0) throw errno(EFAULT);
  mm.copyIn(at + UC, bytes, UC, FRAME_SIZE - UC);
  task.blocked.lo = view.getInt32(UC_SIGMASK, true);
  task.blocked.hi = view.getInt32(UC_SIGMASK + 4, true);
  task.dropUnblockable();
  const word = (offset: number): [number, number] => [view.getUint32(offset, true), view.getUint32(offset + 4, true)];
  for (let i = 0; i < 31; i++) regs.setHalves(i, ...word(SC_REGS + 8 * i));
  regs.setHalves(A64.sp, ...word(SC_SP));
  regs.setHalves(A64.pc, ...word(SC_PC));
  const pstate = view.getUint32(SC_PSTATE, true) & ~PSR_RES0;
  const valid = (pstate & (PSR_MODE_MASK | PSR_DAIF)) === 0;
  regs.setHalves(A64.pstate, valid ? pstate : pstate & 0xf000_0000, 0);
  if (!valid) throw errno(EFAULT);
  restoreFp(task, parse(task, at));
  const stack = {
    sp: getU64(view, UC_STACK),
    flags: view.getInt32(UC_STACK + 8, true),
    size: getU64(view, UC_STACK + 16),
  };
  // A bad stack is not an error of sigreturn (restore_altstack ignores it).
  setAltStack(task, stack, regs.sp, true);
}

/** arm64_notify_segfault: the stack pointer is to blame, which may be the restored one. */
function badFrame(task: Task): SigInfo {
  const addr = task.regs.sp;
  const above = (task.mm.vmas().at(-1)?.end ?? 0) > addr;
  return { signo: SIGSEGV, code: above ? SEGV_ACCERR : SEGV_MAPERR, addr };
}

function restartSyscall(task: Task, nr: number): void {
  const { regs, restartArgument } = task;
  regs.setHalves(A64.x0, restartArgument.lo, restartArgument.hi);
  if (nr !== regs.nr) regs.set(A64.x8, nr);
  regs.ip -= 4;
}

export const aarch64Frame: SignalFrame = { setup, restore, badFrame, restartSyscall };
