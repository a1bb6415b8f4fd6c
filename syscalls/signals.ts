/**
 * Signals: rt_sigaction(2), rt_sigprocmask(2), kill(2), sigaltstack(2), rt_sigtimedwait(2).
 */
import { BLOCKED, NO_RETURN, WOULD_BLOCK, block } from '../sched/wait.js';
import { EAGAIN, EINTR, EINVAL, EPERM, ERESTARTNOHAND, ESRCH, errno, errnoOf } from '../src/abi/errno.js';
import { IGNORED_BY_DEFAULT } from '../sched/signal/defaults.js';
import { type Row, dynamic, enumeration, pid, row, signal, sigset, size, struct } from './row.js';
import {
  SA_NOCLDSTOP,
  SA_NOCLDWAIT,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_RESTORER,
  SA_SIGINFO,
  SIGKILL,
  SIGSTOP,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SI_TKILL,
  SS_AUTODISARM,
} from '../src/abi/flags/signal.js';
import { getU64, setHalves, setU64 } from '../src/abi/layout.js';
import { SIGACTION, STACK_T } from '../src/abi/layouts/signal.js';
import { SIGINFO_SIZE, readSigInfo, writeSigInfo } from '../sched/signal/info-bytes.js';
import type { SigAction } from '../sched/signal/handlers.js';
import type { SigInfo } from '../sched/signal/siginfo.js';
import { SigSet } from '../sched/signal/sigset.js';
import { Task } from '../sched/task.js';
import { ThreadGroup } from '../sched/thread-group.js';
import { altStackFlags } from '../sched/signal/frame.js';
import { checkMaySignal, maySignal } from '../sched/signal/permission.js';
import {
  OVERFLOW,
  forceSignal,
  retargetShared,
  sendSignalToGroup,
  sendSignalToTask,
  userInfo,
} from '../sched/signal/send.js';
import { readTimespecNs } from '../sched/user-time.js';
import { setAltStack } from '../sched/signal/altstack.js';
import { signalFrame } from '../sched/signal/deliver.js';

export const rows: readonly Row[] = [
  row(
    'rt_sigaction',
    { x86_64: 13, aarch64: 134 },
    [signal('signum'), dynamic('act', 'sigaction'), dynamic('oldact', 'sigaction'), size('sigsetsize')],
    { ret: 'zero', classes: ['signal'] },
    rtSigaction,
  ),
  row(
    'rt_sigprocmask',
    { x86_64: 14, aarch64: 135 },
    [enumeration('how', 'sigprocmaskcmds'), sigset('set', 'in'), sigset('oldset', 'out'), size('sigsetsize')],
    { answered: 'mask', ret: 'zero', classes: ['signal'] },
    rtSigprocmask,
  ),
  row(
    'rt_sigreturn',
    { x86_64: 15, aarch64: 139 },
    [],
    { stops: true, ret: 'dynamic', classes: ['signal'], varies: ['result'] },
    rtSigreturn,
  ),
  row(
    'rt_sigpending',
    { x86_64: 127, aarch64: 136 },
    [sigset('set', 'out'), size('sigsetsize')],
    {
      ret: 'zero',
      classes: ['signal'],
    },
    rtSigpending,
  ),
  row(
    'rt_sigsuspend',
    { x86_64: 130, aarch64: 133 },
    [sigset('mask', 'in'), size('sigsetsize')],
    { stops: true, ret: 'zero', classes: ['signal'] },
    rtSigsuspend,
  ),
  row(
    'rt_sigtimedwait',
    { x86_64: 128, aarch64: 137 },
    [sigset('set', 'in'), dynamic('info', 'siginfo'), struct('timeout', 'in', 'timespec'), size('sigsetsize')],
    { stops: true, ret: 'dynamic', classes: ['signal'] },
    rtSigtimedwait,
  ),
  row(
    'rt_sigqueueinfo',
    { x86_64: 129, aarch64: 138 },
    [pid('tgid'), signal('sig'), dynamic('info', 'siginfo')],
    {
      ret: 'zero',
      classes: ['signal', 'process'],
    },
    rtSigqueueinfo,
  ),
  row(
    'rt_tgsigqueueinfo',
    { x86_64: 297, aarch64: 240 },
    [pid('tgid'), pid('tid'), signal('sig'), dynamic('info', 'siginfo')],
    { ret: 'zero', classes: ['process', 'signal'] },
    rtTgsigqueueinfo,
  ),
  row(
    'sigaltstack',
    { x86_64: 131, aarch64: 132 },
    [dynamic('ss', 'stack_t'), dynamic('old_ss', 'stack_t')],
    {
      ret: 'zero',
      classes: ['signal'],
    },
    sigaltstack,
  ),
  row(
    'kill',
    { x86_64: 62, aarch64: 129 },
    [pid('pid'), signal('sig')],
    {
      ret: 'zero',
      classes: ['signal', 'process'],
    },
    kill,
  ),
  row(
    'tkill',
    { x86_64: 200, aarch64: 130 },
    [pid('tid'), signal('sig')],
    {
      ret: 'zero',
      classes: ['signal', 'process'],
    },
    tkill,
  ),
  row(
    'tgkill',
    { x86_64: 234, aarch64: 131 },
    [pid('tgid'), pid('tid'), signal('sig')],
    {
      ret: 'zero',
      classes: ['signal', 'process'],
    },
    tgkill,
  ),
  row('pause', { x86_64: 34 }, [], { stops: true, ret: 'zero', classes: ['signal'] }, pause),
];

const SA_EXPOSE_TAGBITS = 0x800;
const SIGSET_BYTES = 8;
const UNBLOCKABLE = SigSet.of(SIGKILL, SIGSTOP);
/** SA_ bits Linux keeps; others read back as zero so that programs can probe for them. */
const SA_MASK =
  SA_NOCLDSTOP |
  SA_NOCLDWAIT |
  SA_SIGINFO |
  SA_ONSTACK |
  SA_RESTART |
  SA_NODEFER |
  SA_RESETHAND |
  SA_EXPOSE_TAGBITS |
  SA_RESTORER;

const validSignal = (signo: number): void => {
  if (signo < 0 || signo > 64) throw errno(EINVAL);
};
function checkSetSize(size: number): void {
  if (size !== SIGSET_BYTES) throw errno(EINVAL);
}
/** Copies a sigset in. */
export function readSigSet(task: Task, at: number): SigSet {
  const view = task.mm.readStruct(at, SIGSET_BYTES);
  return new SigSet(view.getInt32(0, true), view.getInt32(4, true));
}

function rtSigaction(task: Task, signo: number, act: number, oldact: number, size: number): number {
  checkSetSize(size);
  const { mm, sighand } = task;
  let next: SigAction | null = null;
  if (act !== 0) {
    const view = mm.readStruct(act, SIGACTION.size);
    next = {
      handler: getU64(view, 0),
      flags: view.getUint32(8, true) & SA_MASK,
      restorer: getU64(view, 16),
      mask: new SigSet(view.getInt32(24, true), view.getInt32(28, true)),
    };
    next.mask.andNot(UNBLOCKABLE);
  }
  if (signo < 1 || signo > 64 || (next !== null && (signo === SIGKILL || signo === SIGSTOP))) throw errno(EINVAL);
  const old = sighand.actions[signo];
  if (next !== null) {
    sighand.actions[signo] = next;
    // Setting a pending signal to "ignore" discards it (POSIX 3.3.1.3).
    const ignored = next.handler === SIG_IGN || (next.handler === SIG_DFL && IGNORED_BY_DEFAULT.has(signo));
    if (ignored) {
      const set = SigSet.of(signo);
      task.group.pending.flush(set);
      for (const thread of task.group.threads) thread.pending.flush(set);
    }
  }
  if (oldact !== 0) {
    const { scratchView: out } = mm;
    setU64(out, 0, old.handler);
    setU64(out, 8, old.flags >>> 0);
    setU64(out, 16, old.restorer);
    setHalves(out, 24, old.mask.lo, old.mask.hi);
    mm.writeStruct(oldact, SIGACTION.size);
  }
  return 0;
}

function rtSigprocmask(task: Task, how: number, set: number, oldset: number, size: number): number {
  checkSetSize(size);
  const { blocked } = task;
  const oldLo = blocked.lo;
  const oldHi = blocked.hi;
  if (set !== 0) {
    const view = task.mm.readStruct(set, SIGSET_BYTES);
    const lo = view.getInt32(0, true) & ~UNBLOCKABLE.lo;
    const hi = view.getInt32(4, true);
    if (how === SIG_BLOCK) {
      blocked.lo |= lo;
      blocked.hi |= hi;
    } else if (how === SIG_UNBLOCK) {
      blocked.lo &= ~lo;
      blocked.hi &= ~hi;
    } else if (how === SIG_SETMASK) {
      blocked.lo = lo;
      blocked.hi = hi;
    } else throw errno(EINVAL);
    retargetShared(task);
  }
  if (oldset !== 0) {
    const { scratchView } = task.mm;
    scratchView.setInt32(0, oldLo, true);
    scratchView.setInt32(4, oldHi, true);
    task.mm.writeStruct(oldset, SIGSET_BYTES);
  }
  return 0;
}

function rtSigpending(task: Task, set: number, size: number): number {
  if (size > SIGSET_BYTES) throw errno(EINVAL);
  const pending = task.pending.set.copy();
  pending.or(task.group.pending.set);
  pending.lo &= task.blocked.lo;
  pending.hi &= task.blocked.hi;
  const { scratchView } = task.mm;
  scratchView.setInt32(0, pending.lo, true);
  scratchView.setInt32(4, pending.hi, true);
  task.mm.writeStruct(set, size);
  return 0;
}

function rtSigsuspend(task: Task, set: number, size: number): number {
  checkSetSize(size);
  const mask = readSigSet(task, set);
  mask.andNot(UNBLOCKABLE);
  task.savedMask = task.blocked.copy();
  task.blocked.assign(mask);
  retargetShared(task);
  return block(task, () => WOULD_BLOCK, [], { restart: ERESTARTNOHAND });
}

function pause(task: Task): number {
  return block(task, () => WOULD_BLOCK, [], { restart: ERESTARTNOHAND });
}

function rtSigtimedwait(task: Task, set: number, info: number, timeout: number, size: number): number {
  checkSetSize(size);
  const wanted = readSigSet(task, set);
  wanted.andNot(UNBLOCKABLE);
  let deadlineNs = Infinity;
  if (timeout !== 0) {
    const ns = readTimespecNs(task, timeout);
    deadlineNs = task.kernel.clock.monotonicNs() + ns;
  }
  const others = new SigSet(~wanted.lo, ~wanted.hi);
  const attempt = (): number => {
    const taken = task.pending.take(others) ?? task.group.pending.take(others);
    if (taken === null) return WOULD_BLOCK;
    if (info !== 0) {
      writeSigInfo(task.mm.scratchView, 0, taken);
      task.mm.writeStruct(info, SIGINFO_SIZE);
    }
    return taken.signo;
  };
  task.signalWaitSet = wanted;
  try {
    const result = block(task, attempt, [], {
      deadlineNs,
      onTimeout: () => {
        throw errno(EAGAIN);
      },
      restart: EINTR,
      onEnd: () => {
        task.signalWaitSet = null;
      },
    });
    if (result !== BLOCKED) task.signalWaitSet = null;
    return result;
  } catch (error) {
    task.signalWaitSet = null;
    throw error;
  }
}

function sigaltstack(task: Task, ss: number, oss: number): number {
  const { mm, altStack, regs } = task;
  const old = { ...altStack };
  const oldFlags = altStackFlags(task, regs.sp) | (old.flags & SS_AUTODISARM);
  if (ss !== 0) {
    const view = mm.readStruct(ss, STACK_T.size);
    setAltStack(task, { sp: getU64(view, 0), flags: view.getInt32(8, true), size: getU64(view, 16) }, regs.sp);
  }
  if (oss !== 0) {
    const { scratchView: out } = mm;
    setU64(out, 0, old.sp);
    setU64(out, 8, oldFlags >>> 0);
    setU64(out, 16, old.size);
    mm.writeStruct(oss, STACK_T.size);
  }
  return 0;
}

function rtSigreturn(task: Task): number {
  try {
    signalFrame(task).restore(task);
    // A handler ran: what it interrupted does not go on by itself (restore_sigcontext).
    task.restart = null;
    retargetShared(task);
  } catch (error) {
    errnoOf(error);
    forceSignal(task, signalFrame(task).badFrame(task));
  }
  return NO_RETURN;
}

/** Sends to one process, with the permission check; signal 0 only checks. */
function signalGroup(task: Task, target: ThreadGroup, info: SigInfo): void {
  checkMaySignal(task, target, info.signo);
  if (info.signo !== 0 && sendSignalToGroup(target, info) === OVERFLOW) throw errno(EAGAIN);
}

/** To a set of processes: succeeds if any could be signalled; EPERM if all refused, ESRCH if none there. */
function signalMany(task: Task, targets: Iterable<ThreadGroup>, info: SigInfo): number {
  let found = false;
  let sent = false;
  for (const target of [...targets]) {
    found = true;
    if (!maySignal(task, target, info.signo)) continue;
    sent = true;
    if (info.signo !== 0) sendSignalToGroup(target, info);
  }
  if (!sent) throw errno(found ? EPERM : ESRCH);
  return 0;
}

function kill(task: Task, pid: number, signo: number): number {
  const { pids } = task.kernel;
  const info = userInfo(signo, task);
  if (pid > 0) {
    const target = pids.groups.get(pid) ?? pids.tasks.get(pid)?.group;
    if (target === undefined) throw errno(ESRCH);
    validSignal(signo);
    signalGroup(task, target, info);
    return 0;
  }
  if (pid === -0x8000_0000) throw errno(ESRCH);
  if (pid === -1) return killOthers(task, info);
  const group = pid === 0 ? task.group.processGroup : pids.processGroups.get(-pid);
  if (group === undefined) throw errno(ESRCH);
  validSignal(signo);
  return signalMany(task, group.members, info);
}
function killOthers(task: Task, info: SigInfo): number {
  const targets: ThreadGroup[] = [];
  for (const group of task.kernel.pids.groups.values()) if (group.tgid > 1 && group !== task.group) targets.push(group);
  if (targets.length === 0) throw errno(ESRCH);
  validSignal(info.signo);
  // As kill_something_info has it: being refused by all is a success.
  for (const target of targets)
    if (info.signo !== 0 && maySignal(task, target, info.signo)) sendSignalToGroup(target, info);
  return 0;
}

function sendToThread(task: Task, tgid: number | null, tid: number, info: SigInfo): number {
  const target = task.kernel.pids.tasks.get(tid);
  if (
    target === undefined ||
    (target.exited && target !== target.group.leader) ||
    (tgid !== null && target.tgid !== tgid)
  )
    throw errno(ESRCH);
  validSignal(info.signo);
  checkMaySignal(task, target.group, info.signo);
  if (info.signo !== 0 && sendSignalToTask(target, info) === OVERFLOW) throw errno(EAGAIN);
  return 0;
}

function tkill(task: Task, tid: number, signo: number): number {
  if (tid <= 0) throw errno(EINVAL);
  return sendToThread(task, null, tid, userInfo(signo, task, SI_TKILL));
}

function tgkill(task: Task, tgid: number, tid: number, signo: number): number {
  if (tgid <= 0 || tid <= 0) throw errno(EINVAL);
  return sendToThread(task, tgid, tid, userInfo(signo, task, SI_TKILL));
}

/** rt_sigqueueinfo(2): a code >= 0 or SI_TKILL may only be faked to oneself. */
function mayQueue(task: Task, target: number, info: SigInfo): void {
  if ((info.code >= 0 || info.code === SI_TKILL) && target !== task.tid) throw errno(EPERM);
}

function rtSigqueueinfo(task: Task, pid: number, signo: number, at: number): number {
  const info = readSigInfo(task.mm.readStruct(at, SIGINFO_SIZE), 0, signo);
  mayQueue(task, pid, info);
  const target = task.kernel.pids.tasks.get(pid)?.group;
  if (target === undefined) throw errno(ESRCH);
  validSignal(signo);
  signalGroup(task, target, info);
  return 0;
}

function rtTgsigqueueinfo(task: Task, tgid: number, tid: number, signo: number, at: number): number {
  const info = readSigInfo(task.mm.readStruct(at, SIGINFO_SIZE), 0, signo);
  if (tgid <= 0 || tid <= 0) throw errno(EINVAL);
  mayQueue(task, tid, info);
  return sendToThread(task, tgid, tid, info);
}
