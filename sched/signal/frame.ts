/** The seam between signal delivery and the architecture's signal frame. */
import type { Task } from '../task.js';
import type { SigAction } from './handlers.js';
import type { SigInfo } from './siginfo.js';
import { SS_AUTODISARM, SS_DISABLE, SS_ONSTACK } from '../../src/abi/flags/signal.js';

/** The task's last fault, as the platform told it, for the machine's detail in a frame. Signal 0: none yet. */
export interface FaultDetail {
  signal: number;
  /** Of a page fault; otherwise 0. */
  address: number;
  /** See StopInfo. */
  access: number;
  /** It was one that the kernel could have resolved, with this siginfo code. */
  page: boolean;
  code: number;
}

export interface SignalFrame {
  /**
   * Writes the frame on the guest's stack (or signal stack) and points the registers at the handler. Throws EFAULT when the
   * stack cannot take it; nothing has changed then.
   */
  setup(task: Task, action: SigAction, info: SigInfo, restoreMask: { lo: number; hi: number }): void;
  /** rt_sigreturn(2): restores registers, mask, signal stack, FP state from the frame; throws EFAULT for a bad one. */
  restore(task: Task): void;
  /** The signal for a bad one. */
  badFrame(task: Task): SigInfo;
  /** Makes the thread run its system call instruction again with number `nr`, and its first argument as task.restartArgument. */
  restartSyscall(task: Task, nr: number): void;
}

/** Whether `sp` is on the signal stack (on_sig_stack): an AUTODISARM stack never counts. */
export function onAltStack(task: Task, sp: number): boolean {
  const { altStack } = task;
  if ((altStack.flags & SS_AUTODISARM) !== 0) return false;
  return sp > altStack.sp && sp - altStack.sp <= altStack.size;
}

/** sas_ss_flags: 0 when the signal stack is set and not in use. */
export function altStackFlags(task: Task, sp: number): number {
  if (task.altStack.size === 0) return SS_DISABLE;
  return onAltStack(task, sp) ? SS_ONSTACK : 0;
}
