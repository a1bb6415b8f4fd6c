/**
 * execve (fs/exec.c, begin_new_exec): everything that can fail is done before the point of no return; after it the old
 * program is gone, and a failure kills the process with SIGSEGV.
 *
 * The address space is reused when the task is its only user (one host batch drops the old image and maps the new one);
 * a vfork child gets a fresh host process, since its parent goes on using the shared one. The other threads of the
 * process end, and the caller takes over the leader's tid.
 */
import { ELOOP, Errno, errno } from '../src/abi/errno.js';
import { AT_FDCWD } from '../src/abi/flags/open.js';
import { SIGCHLD, SIGSEGV } from '../src/abi/flags/signal.js';
import { S_ISGID, S_ISUID } from '../src/abi/flags/stat.js';
import { prepareImage, type PreparedImage } from '../src/mm/exec-image.js';
import { AddressMap } from '../src/mm/map.js';
import { MAX_SCRIPT_DEPTH, SCRIPT_HEAD_BYTES, parseShebang } from '../src/mm/script-interpreter.js';
import { HostError, type HostThread } from '../src/platform/platform.js';
import type { Credentials } from '../sched/credentials.js';
import { keepPeak } from '../sched/accounting.js';
import { dropMm, exitGroup, killOtherThreads, leaveMm } from '../sched/exit.js';
import { execCredentials } from '../sched/identity.js';
import { RLIMIT_STACK } from '../src/abi/flags/limits.js';
import { SignalHandlers } from '../sched/signal/handlers.js';
import type { Task } from '../sched/task.js';
import { NO_RETURN } from '../sched/wait.js';
import { MNT_NOSUID } from './mount.js';
import { MAY_READ, permits } from './permissions.js';
import { openProgram, type Program } from './program.js';
import { setExe } from './references.js';

export interface ExecRequest {
  dirfd: number;
  path: string;
  /** AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. */
  flags: number;
  /** Copies in argv and envp, once the file is known to be there (execve's order of errors). */
  strings: (execfn: string) => { argv: string[]; envp: string[] };
}

/** Runs a program in place of the current one. Throws errno before the point of no return. */
export function execve(task: Task, request: ExecRequest): number {
  const opened: Program[] = [];
  try {
    const target = openProgram(task, request.dirfd, request.path, request.flags);
    opened.push(target);
    const execfn = execFilename(request);
    const { argv, envp } = request.strings(execfn);
    // An empty argv becomes one empty string (CVE-2021-4034).
    if (argv.length === 0) argv.push('');
    const program = resolveInterpreters(task, target, argv, execfn, opened);
    const creds = newCredentials(task, program);
    const image = prepareImage({
      platform: task.kernel.platform,
      file: program,
      openInterpreter: (path) => {
        const interpreter = openProgram(task, AT_FDCWD, path, 0);
        opened.push(interpreter);
        return interpreter;
      },
      argv,
      envp,
      execfn,
      ids: { uid: creds.uid, euid: creds.euid, gid: creds.gid, egid: creds.egid },
      secure: creds.euid !== creds.uid || creds.egid !== creds.gid,
      random: task.kernel.random,
      stackLimit: task.group.limits[RLIMIT_STACK].soft,
      personality: task.personality,
    });
    const name = request.path === '' ? program.place.dentry.name : request.path;
    commit(task, program, image, creds, name);
    return NO_RETURN;
  } finally {
    for (const program of opened) program.close();
  }
}

/** AT_EXECFN and argv[1] of scripts: the path as given, or /dev/fd/N/path. */
function execFilename({ dirfd, path }: ExecRequest): string {
  if (dirfd === AT_FDCWD || path.startsWith('/')) return path;
  return path === '' ? `/dev/fd/${dirfd}` : `/dev/fd/${dirfd}/${path}`;
}

/** Follows `#!` lines, rewriting argv; returns the binary. */
function resolveInterpreters(task: Task, target: Program, argv: string[], execfn: string, opened: Program[]): Program {
  const head = new Uint8Array(SCRIPT_HEAD_BYTES);
  let program = target;
  let name = execfn;
  for (let depth = 0; ; depth++) {
    const length = program.read(head, 0, 0, SCRIPT_HEAD_BYTES);
    const line = parseShebang(head, length);
    if (line === null) return program;
    if (depth >= MAX_SCRIPT_DEPTH) throw errno(ELOOP);
    argv.splice(0, 1, line.interpreter, ...(line.argument === null ? [] : [line.argument]), name);
    name = line.interpreter;
    program = openProgram(task, AT_FDCWD, line.interpreter, 0);
    opened.push(program);
  }
}

/** set-uid and set-gid bits count unless the mount or no_new_privs forbids (bprm_fill_uid). */
function newCredentials(task: Task, { inode, place }: Program): Credentials {
  const { mode, uid, gid } = inode;
  const allowed = (place.mount.flags & MNT_NOSUID) === 0 && !task.group.noNewPrivs;
  const setUid = allowed && (mode & S_ISUID) !== 0 ? uid : null;
  const setGid = allowed && (mode & (S_ISGID | 0o010)) === (S_ISGID | 0o010) ? gid : null;
  return execCredentials(task.creds, setUid, setGid);
}

function commit(task: Task, program: Program, image: PreparedImage, creds: Credentials, name: string): void {
  const { kernel, group } = task;
  killOtherThreads(task);
  leaveMm(task);
  takeLeadership(task);
  task.useThread(task.thread); // its tid may be another now
  const shared = task.mm.users > 1;
  const old = task.mm;
  const oldThread = task.thread;
  const limits = old.limits;
  if (shared) {
    keepPeak(group, task.thread.space, true);
    const thread = newProcess(task);
    if (thread === null) return;
    dropMm(old);
    kernel.taskGone(task);
    task.useThread(thread);
    kernel.taskMade(task);
    oldThread.exit();
  } else {
    old.clear();
    dropMm(old);
  }
  const map = new AddressMap({
    platform: kernel.platform,
    frames: kernel.frames,
    space: task.thread.space,
    account: kernel.memory,
    random: kernel.random,
  });
  map.users = 1;
  map.limits = limits;
  task.mm = map;
  try {
    const { ip, sp } = image.load(map);
    resetRegisters(task, ip, sp);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    kernel.log.info({ tid: task.tid, error: error.name }, 'exec failed beyond the point of no return');
    exitGroup(group, SIGSEGV, task);
    return;
  }
  task.thread.resetFpState();
  if (task.sighand.users > 1) {
    task.sighand.users--;
    task.sighand = new SignalHandlers(task.sighand.actions);
  }
  task.sighand.resetForExec();
  task.altStack = { sp: 0, size: 0, flags: 2 };
  task.robustList = 0;
  task.clearChildTid = 0;
  task.rseq = { addr: 0, length: 0, signature: 0 };
  task.restart = null;
  group.timers.clear(false);
  group.execed = true;
  group.exitSignal = SIGCHLD;
  const changed = creds.euid !== task.creds.euid || creds.egid !== task.creds.egid;
  group.dumpable =
    !changed && creds.euid === creds.uid && creds.egid === creds.gid && permits(program.inode, MAY_READ, creds);
  if (changed || creds.euid !== creds.uid || creds.egid !== creds.gid) task.pdeathSignal = 0;
  task.creds = creds;
  task.comm = name.slice(name.lastIndexOf('/') + 1).slice(0, 15);
  setExe(group, program.place);
  kernel.hooks.exec(task);
}

/** A host process for a task whose address space others go on using; kills it when the host has none (the old one is gone). */
function newProcess(task: Task): HostThread | null {
  try {
    return task.kernel.platform.createAddressSpace().thread;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    task.kernel.log.warn({ tid: task.tid, error: error.message }, 'exec: the host refuses a process');
    exitGroup(task.group, SIGSEGV, task);
    return null;
  }
}

/** exec of a thread that is not the leader: it becomes the leader, tid and all (de_thread). */
function takeLeadership(task: Task): void {
  const { group, kernel } = task;
  if (group.leader === task) return;
  kernel.pids.tasks.delete(task.tid);
  task.parentTask = group.leader.parentTask;
  task.tid = group.tgid;
  group.leader = task;
  kernel.pids.tasks.set(task.tid, task);
}

function resetRegisters(task: Task, ip: number, sp: number): void {
  const { regs } = task;
  const { layout } = regs;
  for (let word = 0; word < layout.count; word++) if (!layout.keptByExec.has(word)) regs.set(word, 0);
  for (const [word, value] of layout.initial) regs.set(word, value);
  regs.ip = ip;
  regs.sp = sp;
}
