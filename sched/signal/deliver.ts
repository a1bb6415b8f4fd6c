/**
 * What happens on the way back to user mode: pending signals are taken one by one, each by its disposition
 * (get_signal, handle_signal and arch_do_signal_or_restart).
 *
 * A system call that ended in an ERESTART code is decided here: with a handler, SA_RESTART decides between a restart and
 * EINTR; without one, the call runs again and the guest never knows.
 */
import {
  EINTR,
  ERESTARTNOHAND,
  ERESTARTNOINTR,
  ERESTARTSYS,
  ERESTART_RESTARTBLOCK,
  errnoOf,
} from '../../src/abi/errno.js';
import {
  SA_NODEFER,
  SA_RESETHAND,
  SA_RESTART,
  SIGKILL,
  SIGSEGV,
  SIGSTOP,
  SIG_DFL,
  SIG_IGN,
  SI_KERNEL,
} from '../../src/abi/flags/signal.js';
import { SYSCALL_NUMBERS } from '../../src/abi/numbers.js';
import type { ArchName } from '../../src/abi/types.js';
import { RLIMIT_CORE } from '../../src/abi/flags/limits.js';
import { exitGroup, exitTask } from '../exit.js';
import type { Task } from '../task.js';
import { GROUP_STOPPED } from '../thread-group.js';
import { CORE_SIGNALS, IGNORED_BY_DEFAULT, STOP_SIGNALS } from './defaults.js';
import type { SignalFrame } from './frame.js';
import { aarch64Frame } from './frame-aarch64.js';
import { x86Frame } from './frame-x86_64.js';
import type { SigAction } from './handlers.js';
import { forceSignal, retargetShared, stopGroup, threadStopped } from './send.js';
import type { SigInfo } from './siginfo.js';

const FRAMES: Readonly<Record<ArchName, SignalFrame>> = { x86_64: x86Frame, aarch64: aarch64Frame };

/** The frame code of the task's architecture. */
export const signalFrame = (task: Task): SignalFrame => FRAMES[task.kernel.platform.arch];

/**
 * Prepares a task for user mode. Returns true when it may run; false when it is dead or parked.
 */
export function returnToUser(task: Task): boolean {
  for (;;) {
    if (task.exited) return false;
    const { group } = task;
    if (group.exiting) {
      exitTask(task, group.exitStatus);
      return false;
    }
    if (group.jobState === GROUP_STOPPED) {
      task.parked = true;
      threadStopped(group);
      return false;
    }
    const info = task.pending.take(task.blocked) ?? group.pending.take(task.blocked);
    if (info === null) break;
    // Tracers never see SIGKILL.
    if (info.signo !== SIGKILL) task.kernel.watcher?.signal(task, info);
    const action = task.sighand.actions[info.signo];
    if (info.signo !== SIGKILL && info.signo !== SIGSTOP) {
      if (action.handler === SIG_IGN) continue;
      if (action.handler !== SIG_DFL) {
        // Every signal that waits gets its frame now, each on top of the one before: the last one's handler runs first.
        callHandler(task, action, info);
        continue;
      }
    }
    if (IGNORED_BY_DEFAULT.has(info.signo)) continue;
    if (STOP_SIGNALS.has(info.signo)) {
      if (info.signo !== SIGSTOP && group.processGroup.orphaned()) continue;
      stop(task, info.signo);
      continue;
    }
    const core = CORE_SIGNALS.has(info.signo);
    task.kernel.log.debug({ tid: task.tid, signo: info.signo, ip: task.regs.ip }, 'killed by a signal');
    exitGroup(group, info.signo | (core && group.dumpable && group.limits[RLIMIT_CORE].soft > 0 ? 0x80 : 0), task);
  }
  if (task.restartErrno !== 0) restart(task);
  if (task.savedMask !== null) {
    task.blocked.assign(task.savedMask);
    task.savedMask = null;
    // The old mask may let a signal through that the temporary one blocked.
    if (task.signalPending()) return returnToUser(task);
  }
  return true;
}

/** No handler ran: the call simply happens again. */
function restart(task: Task): void {
  const code = task.restartErrno;
  task.restartErrno = 0;
  task.thread.sync?.();
  const frame = signalFrame(task);
  if (code === ERESTART_RESTARTBLOCK)
    frame.restartSyscall(task, SYSCALL_NUMBERS[task.kernel.platform.arch]['restart_syscall']);
  else frame.restartSyscall(task, task.restartNr);
}

/** Writes the frame and points the registers at the handler; SIGSEGV is pending when the stack could not take it. */
function callHandler(task: Task, action: SigAction, info: SigInfo): void {
  const code = task.restartErrno;
  task.thread.sync?.();
  if (code !== 0) {
    task.restartErrno = 0;
    if (code === ERESTARTNOINTR || (code === ERESTARTSYS && (action.flags & SA_RESTART) !== 0))
      signalFrame(task).restartSyscall(task, task.restartNr);
    else if (code === ERESTARTSYS || code === ERESTARTNOHAND || code === ERESTART_RESTARTBLOCK) task.regs.ret = -EINTR;
  }
  const restoreMask = task.savedMask ?? task.blocked;
  const { flags, mask } = action;
  if ((flags & SA_RESETHAND) !== 0) task.sighand.actions[info.signo] = { ...action, handler: SIG_DFL };
  try {
    signalFrame(task).setup(task, action, info, restoreMask);
  } catch (error) {
    errnoOf(error);
    // force_sigsegv: a SIGSEGV that cannot be delivered kills.
    if (info.signo === SIGSEGV) task.sighand.actions[SIGSEGV] = { ...action, handler: SIG_DFL };
    forceSignal(task, { signo: SIGSEGV, code: SI_KERNEL, pid: 0, uid: 0 });
    return;
  }
  task.savedMask = null;
  task.blocked.or(mask);
  if ((flags & SA_NODEFER) === 0) task.blocked.add(info.signo);
  task.dropUnblockable();
  retargetShared(task);
}

function stop(task: Task, signo: number): void {
  const { group } = task;
  if (group.jobState === GROUP_STOPPED) return;
  task.kernel.watcher?.stopped(task, signo);
  stopGroup(group, signo);
}
