/** sigaltstack(2): the rules of do_sigaltstack in kernel/signal.c. */
import { EINVAL, ENOMEM, EPERM, errno } from '../../src/abi/errno.js';
import type { ArchName } from '../../src/abi/types.js';
import { SS_AUTODISARM, SS_DISABLE, SS_ONSTACK } from '../../src/abi/flags/signal.js';
import type { Task } from '../task.js';
import { onAltStack } from './frame.js';

const MINSIGSTKSZ: Readonly<Record<ArchName, number>> = { x86_64: 2048, aarch64: 5120 };

/** Sets a new signal stack; `quiet` drops errors (sigreturn). `sp` is the stack pointer now. */
export function setAltStack(
  task: Task,
  stack: { sp: number; size: number; flags: number },
  sp: number,
  quiet = false,
): void {
  const fail = (code: number): void => {
    if (!quiet) throw errno(code);
  };
  if (onAltStack(task, sp)) return fail(EPERM);
  const { altStack } = task;
  if (altStack.sp === stack.sp && altStack.size === stack.size && altStack.flags === stack.flags) return;
  const mode = stack.flags & ~SS_AUTODISARM;
  if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return fail(EINVAL);
  if (mode === SS_DISABLE) {
    task.altStack = { sp: 0, size: 0, flags: stack.flags };
    return;
  }
  if (stack.size < MINSIGSTKSZ[task.kernel.platform.arch]) return fail(ENOMEM);
  task.altStack = { sp: stack.sp, size: stack.size, flags: stack.flags };
}
