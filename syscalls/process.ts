/**
 * Creating tasks: clone(2), clone3(2), fork(2), exit(2), unshare(2), setns(2), ptrace(2), personality(2).
 */
import { capable } from '../sched/credentials.js';
import { CAP_SYS_ADMIN } from '../src/abi/flags/capability.js';
import {
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
  CLONE_PARENT,
  CLONE_PIDFD,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
} from '../src/abi/flags/process.js';
import { type CloneRequest, clone } from '../sched/clone.js';
import { EBUSY, EINTR, EINVAL, EPERM, errno } from '../src/abi/errno.js';
import { NO_RETURN } from '../sched/wait.js';
import { PidFile } from '../src/ipc/pidfd.js';
import { RLIMIT_NOFILE } from '../src/abi/flags/limits.js';
import {
  type Row,
  absent,
  addr,
  dynamic,
  enumeration,
  fd,
  flags,
  hex,
  hex32,
  int,
  longFlags,
  pid,
  row,
  size,
  struct,
  uint,
  word,
} from './row.js';
import { SIGCHLD } from '../src/abi/flags/signal.js';
import { getU64 } from '../src/abi/layout.js';
import { Task } from '../sched/task.js';
import { unshareFiles, unshareFs } from '../fs/lifecycle.js';
import { exitGroup, exitTask } from '../sched/exit.js';

export const rows: readonly Row[] = [
  row(
    'clone',
    { x86_64: 56, aarch64: 220 },
    [
      dynamic('flags', 'clone_flags', 'ulong'),
      addr('stack'),
      word('parent_tid', 'out', 'int'),
      addr('child_tid'),
      addr('tls'),
    ],
    {
      stops: true,
      ret: 'pid',
      classes: ['process'],
      registers: { aarch64: [0, 1, 2, 4, 3] },
      disposition: { partial: 'no namespaces' },
    },
    legacyClone,
  ),
  row(
    'clone3',
    { x86_64: 435, aarch64: 435 },
    [dynamic('args', 'clone_args'), size('size')],
    { stops: true, ret: 'pid', classes: ['process'], disposition: { partial: 'no namespaces, no set_tid, no cgroup' } },
    clone3,
  ),
  row('fork', { x86_64: 57 }, [], { stops: true, ret: 'pid', classes: ['process'] }, fork),
  row('vfork', { x86_64: 58 }, [], { stops: true, ret: 'pid', classes: ['process'] }, vfork),
  row('exit', { x86_64: 60, aarch64: 93 }, [int('status')], { stops: true, ret: 'none', classes: ['process'] }, exit),
  row(
    'exit_group',
    { x86_64: 231, aarch64: 94 },
    [int('status')],
    { stops: true, ret: 'none', classes: ['process'] },
    sysExitGroup,
  ),
  row(
    'unshare',
    { x86_64: 272, aarch64: 97 },
    [longFlags('flags', 'unshare_flags')],
    {
      ret: 'zero',
      disposition: { partial: 'files, file-system context and what a lone thread shares with nobody; no namespaces' },
    },
    unshare,
  ),
  absent('setns', { x86_64: 308, aarch64: 268 }, [fd('fd'), flags('nstype', 'setns_types')], {
    ret: 'zero',
    classes: ['desc'],
  }),
  row(
    'personality',
    { x86_64: 135, aarch64: 92 },
    [dynamic('persona', 'personality', 'uint')],
    { ret: 'flags', disposition: { partial: 'kept and inherited; only UNAME26 and ADDR_NO_RANDOMIZE have an effect' } },
    personality,
  ),
  absent(
    'ptrace',
    { x86_64: 101, aarch64: 117 },
    [
      enumeration('request', 'ptrace_cmds', 'long'),
      pid('pid'),
      dynamic('addr', 'ptrace_addr'),
      dynamic('data', 'ptrace_data'),
    ],
    { ret: 'dynamic' },
  ),
  row(
    'set_tid_address',
    { x86_64: 218, aarch64: 96 },
    [addr('tidptr')],
    { answered: 'tidAddress', ret: 'pid' },
    setTidAddress,
  ),
  row('restart_syscall', { x86_64: 219, aarch64: 128 }, [], { stops: true }, restartSyscall),
  row(
    'rseq',
    { x86_64: 334, aarch64: 293 },
    [struct('rseq', 'inout', 'rseq'), uint('rseq_len'), hex32('flags'), hex32('sig')],
    { ret: 'zero', disposition: { partial: 'registered, but cpu_id stays 0 and no critical section is ever aborted' } },
    rseq,
  ),
  absent('vserver', { x86_64: 236 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4'), hex('arg5')], {}),
];

function legacyClone(task: Task, flags: number, sp: number, parentTid: number, childTid: number, tls: number): number {
  return cloneWithPidfd(task, {
    flags: (flags % 2 ** 32) - (flags % 256),
    exitSignal: flags % 256,
    sp,
    tls,
    parentTid,
    childTid,
    pidfd: parentTid,
  });
}
/** x86_64 passes (flags, stack, ptid, ctid, tls), aarch64 (flags, stack, ptid, tls, ctid). */
/** CLONE_PIDFD: the parent gets a descriptor for the child. */
function cloneWithPidfd(task: Task, request: CloneRequest): number {
  if ((request.flags & CLONE_PIDFD) === 0) return clone(task, request);
  return clone(task, request, (child) => {
    const file = new PidFile(task.kernel, child.group, 0);
    const fd = task.files.install(file, true, task.group.limits[RLIMIT_NOFILE].soft);
    try {
      task.mm.writeU32(request.pidfd, fd);
    } catch (error) {
      task.files.close(fd, task);
      throw error;
    }
  });
}

const CLONE_DETACHED = 0x40_0000;
const CLONE_ARGS_VER0 = 64;
const CLONE_ARGS_SIZE = 88;
function clone3(task: Task, at: number, size: number): number {
  const view = task.mm.readSizedStruct(at, size, CLONE_ARGS_VER0, CLONE_ARGS_SIZE);
  const [flags, pidfd, childTid, parentTid, exitSignal, stack, stackSize, tls, setTid, setTidSize] = Array.from(
    { length: 10 },
    (_, i) => getU64(view, 8 * i),
  );
  const known = 2 ** 34 - 1 - 0xff - CLONE_DETACHED;
  if (setTid !== 0 || setTidSize !== 0) {
    if (setTid === 0 || setTidSize === 0 || setTidSize > 32) throw errno(EINVAL);
    if (!capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
    throw errno(EINVAL);
  }
  if (exitSignal > 64 || flags > known || Math.floor(flags / CLONE_DETACHED) % 2 === 1 || flags % 128 !== 0)
    throw errno(EINVAL);
  if ((flags & (CLONE_THREAD | CLONE_PARENT)) !== 0 && exitSignal !== 0) throw errno(EINVAL);
  if ((stack === 0) !== (stackSize === 0) || stack + stackSize > task.kernel.platform.taskSize) throw errno(EINVAL);
  return cloneWithPidfd(task, {
    flags,
    exitSignal,
    sp: stack === 0 ? 0 : stack + stackSize,
    tls,
    parentTid,
    childTid,
    pidfd,
  });
}

function fork(task: Task): number {
  return clone(task, { flags: 0, exitSignal: SIGCHLD, sp: 0, tls: 0, parentTid: 0, childTid: 0, pidfd: 0 });
}
function vfork(task: Task): number {
  return clone(task, {
    flags: CLONE_VFORK | CLONE_VM,
    exitSignal: SIGCHLD,
    sp: 0,
    tls: 0,
    parentTid: 0,
    childTid: 0,
    pidfd: 0,
  });
}
function exit(task: Task, code: number): number {
  exitTask(task, (code & 0xff) << 8);
  return NO_RETURN;
}
function sysExitGroup(task: Task, code: number): number {
  exitGroup(task.group, (code & 0xff) << 8, task);
  return NO_RETURN;
}

const UNSHARE_NAMESPACES =
  CLONE_NEWNS +
  CLONE_NEWUTS +
  CLONE_NEWIPC +
  CLONE_NEWUSER +
  CLONE_NEWPID +
  CLONE_NEWNET +
  CLONE_NEWCGROUP +
  CLONE_NEWTIME;
function unshare(task: Task, what: number): number {
  const known = UNSHARE_NAMESPACES + CLONE_FS + CLONE_FILES + CLONE_SYSVSEM + CLONE_THREAD + CLONE_SIGHAND + CLONE_VM;
  if (what > 0xffff_ffff || (what & ~known) !== 0) throw errno(EINVAL);
  // What threads share by nature they cannot give up (check_unshare_flags).
  if ((what & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) !== 0 && task.group.threads.size > 1) throw errno(EINVAL);
  if ((what & (CLONE_SIGHAND | CLONE_VM)) !== 0 && task.sighand.users > 1) throw errno(EINVAL);
  if ((what & CLONE_VM) !== 0 && task.mm.users > 1) throw errno(EINVAL);
  if ((what & UNSHARE_NAMESPACES) !== 0) {
    if ((what & CLONE_NEWUSER) === 0 && !capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
    throw errno(EINVAL);
  }
  if ((what & CLONE_FS) !== 0) unshareFs(task);
  if ((what & CLONE_FILES) !== 0) unshareFiles(task);
  return 0;
}

function setTidAddress(task: Task, address: number): number {
  task.clearChildTid = address;
  return task.tid;
}
function restartSyscall(task: Task): number {
  const { restart } = task;
  task.restart = null;
  if (restart === null) throw errno(EINTR);
  return restart();
}
/** 0xffffffff only asks. */
function personality(task: Task, persona: number): number {
  const old = task.personality;
  if (persona >>> 0 !== 0xffff_ffff) task.personality = persona >>> 0;
  return old;
}
const RSEQ_SIZE = 32;
const RSEQ_FLAG_UNREGISTER = 1;
function rseq(task: Task, at: number, length: number, flags: number, signature: number): number {
  if ((flags & RSEQ_FLAG_UNREGISTER) !== 0) {
    if ((flags & ~RSEQ_FLAG_UNREGISTER) !== 0 || task.rseq.addr !== at || at === 0) throw errno(EINVAL);
    if (length !== task.rseq.length) throw errno(EINVAL);
    if (signature !== task.rseq.signature) throw errno(EPERM);
    task.rseq = { addr: 0, length: 0, signature: 0 };
    return 0;
  }
  if (flags !== 0) throw errno(EINVAL);
  if (task.rseq.addr !== 0) {
    if (task.rseq.addr !== at || task.rseq.length !== length) throw errno(EINVAL);
    if (task.rseq.signature !== signature) throw errno(EPERM);
    throw errno(EBUSY);
  }
  if (length < RSEQ_SIZE || at % 32 !== 0) throw errno(EINVAL);
  task.mm.writeU64(at, 0); // cpu_id_start, cpu_id: always CPU 0
  task.rseq = { addr: at, length, signature };
  return 0;
}
