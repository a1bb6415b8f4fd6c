/**
 * What happens on the way back to user mode: pending signals are taken one by one, each by its disposition
 * (get_signal, handle_signal and arch_do_signal_or_restart).
 *
 * A system call that ended in an ERESTART code is decided here: with a handler, SA_RESTART decides between a restart and
 * EINTR; without one, the call runs again and the guest never knows.
 */
import {
  EINTR, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, ERESTART_RESTARTBLOCK, errnoOf,
} from '../../src/abi/errno.js';
import {
  CLD_STOPPED, SA_NODEFER, SA_RESETHAND, SA_RESTART, SIGSEGV, SIGSTOP, SIG_DFL, SIG_IGN, SI_KERNEL,
} from '../../src/abi/flags/signal.js';
import { SYSCALL_NUMBERS } from '../../src/abi/numbers.js';
import { RLIMIT_CORE } from '../../src/abi/flags/limits.js';
import { exitGroup, exitTask } from '../exit.js';
import type { Task } from '../task.js';
import { GROUP_STOPPED } from '../thread-group.js';
import { CORE_SIGNALS, IGNORED_BY_DEFAULT, STOP_SIGNALS } from './defaults.js';
import type { SignalFrame } from './frame.js';
import { x86Frame } from './frame-x86_64.js';
import type { SigAction } from './handlers.js';
import { notifyParent } from './notify.js';
import { forceSignal, stopGroup } from './send.js';
import type { SigInfo } from './siginfo.js';

/** The frame code of the task's architecture. */
export function signalFrame(task: Task): SignalFrame {
  if (task.kernel.platform.arch === 'x86_64') return x86Frame;
  throw new Error('no signal frames for aarch64 yet');
}

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
    const info = task.pending.take(task.blocked) ?? takeShared(task);
    if (info === null) {
      if (group.jobState === GROUP_STOPPED) {
        task.parked = true;
        return false;
      }
      break;
    }
    task.kernel.watcher?.signal(task, info);
    const action = task.sighand.actions[info.signo];
    if (info.signo !== 9 && info.signo !== SIGSTOP) {
      if (action.handler === SIG_IGN) continue;
      if (action.handler !== SIG_DFL) {
        if (!callHandler(task, action, info)) continue;
        return true;
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

function takeShared(task: Task): SigInfo | null {
  return task.group.pending.take(task.blocked);
}

/** No handler ran: the call simply happens again. */
function restart(task: Task): void {
  const code = task.restartErrno;
  task.restartErrno = 0;
  const frame = signalFrame(task);
  if (code === ERESTART_RESTARTBLOCK) frame.restartSyscall(task, SYSCALL_NUMBERS[task.kernel.platform.arch]['restart_syscall']);
  else frame.restartSyscall(task, task.restartNr);
}

/** Writes the frame; false when the stack could not take it (SIGSEGV is pending then). */
function callHandler(task: Task, action: SigAction, info: SigInfo): boolean {
  const code = task.restartErrno;
  if (code !== 0) {
    task.restartErrno = 0;
    if (code === ERESTARTNOINTR || (code === ERESTARTSYS && (action.flags & SA_RESTART) !== 0))
      signalFrame(task).restartSyscall(task, task.restartNr);
    else if (code === ERESTARTSYS || code === ERESTARTNOHAND || code === ERESTART_RESTARTBLOCK) task.regs.ret = -EINTR;
  }
  const restoreMask = task.savedMask ?? task.blocked;
  try {
    signalFrame(task).setup(task, action, info, restoreMask);
  } catch (error) {
    errnoOf(error);
    // force_sigsegv: a SIGSEGV that cannot be delivered kills.
    if (info.signo === SIGSEGV) task.sighand.actions[SIGSEGV].handler = SIG_DFL;
    forceSignal(task, { signo: SIGSEGV, code: SI_KERNEL, pid: 0, uid: 0 });
    return false;
  }
  task.savedMask = null;
  task.blocked.or(action.mask);
  if ((action.flags & SA_NODEFER) === 0) task.blocked.add(info.signo);
  task.dropUnblockable();
  if ((action.flags & SA_RESETHAND) !== 0) action.handler = SIG_DFL;
  task.fault = { trapno: 0, err: 0, cr2: 0 };
  return true;
}

function stop(task: Task, signo: number): void {
  const { group } = task;
  if (group.jobState === GROUP_STOPPED) return;
  group.stopSignal = signo;
  group.stopReported = false;
  group.continueReported = true;
  task.kernel.watcher?.stopped(task, signo);
  stopGroup(group);
  notifyParent(group, CLD_STOPPED, signo);
}
