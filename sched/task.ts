/**
 * A task: one guest thread, the unit that makes system calls (task_struct).
 *
 * Higher layers hang their parts here with `declare module` (fs adds `files` and `fs`). Whatever a task shares with
 * others (mm, sighand, files, group) is an object of its own that the tasks point to.
 */
import type { HostThread } from '../src/platform/platform.js';
import type { Registers } from '../src/platform/registers.js';
import type { MemoryMap } from '../src/mm/memory-map.js';
import type { Credentials } from './credentials.js';
import type { KernelState } from './kernel-state.js';
import type { FaultDetail } from './signal/frame.js';
import type { SignalHandlers } from './signal/handlers.js';
import { CORE_SIGNALS, IGNORED_BY_DEFAULT, STOP_SIGNALS } from './signal/defaults.js';
import { PendingSignals } from './signal/pending.js';
import { SigSet } from './signal/sigset.js';
import { GROUP_STOPPED, type ThreadGroup } from './thread-group.js';
import { Sleep, type WaitQueue } from './wait.js';

export interface TaskOptions {
  kernel: KernelState;
  tid: number;
  thread: HostThread;
  mm: MemoryMap;
  creds: Credentials;
  sighand: SignalHandlers;
  comm: string;
}

export class Task {
  readonly kernel: KernelState;
  /** Changes once at most: a thread that execs takes the leader's. */
  tid: number;
  group!: ThreadGroup;
  /** The host thread; replaced by exec of a task that shares its address space. */
  thread: HostThread;
  mm: MemoryMap;
  creds: Credentials;
  sighand: SignalHandlers;
  /** Program name, at most 15 bytes. */
  comm: string;

  /** Blocked signals, as last seen: read `blocked`. */
  readonly mask = new SigSet();
  /** Mask to restore after the handler of a signal that ended sigsuspend, ppoll, ... (TIF_RESTORE_SIGMASK). */
  savedMask: SigSet | null = null;
  readonly pending = new PendingSignals();
  /** sigtimedwait(2) sleeps for these, blocked or not. */
  signalWaitSet: SigSet | null = null;
  /** sigaltstack(2). */
  altStack = { sp: 0, size: 0, flags: 2 /* SS_DISABLE */ };

  readonly sleep: Sleep;
  /** Dead: the host thread is gone or going. */
  exited = false;
  /** Parked by a job-control stop or a stop of the whole kernel, until continued. */
  parked = false;
  /** The guest is at a system call whose result has not been set; the row's number for /proc/PID/syscall and restarts. */
  inSyscall = false;
  /** What restart_syscall(2) runs, after ERESTART_RESTARTBLOCK. */
  restart: (() => number) | null = null;

  /** As last seen: read `clearChildTid`. */
  tidAddress = 0;
  /** set_robust_list(2), rseq(2): guest addresses. */
  robustList = 0;
  rseq = { addr: 0, length: 0, signature: 0 };
  pdeathSignal = 0;
  /** The parent as a thread, alive (real_parent): for pdeathSignal and __WNOTHREAD. */
  parentTask: Task | null = null;
  /** A leader whose place the thread of this number took by its execve. */
  supersededBy: number | undefined = undefined;
  nice = 0;
  /** sched_setscheduler(2): policy and priority are kept and reported. */
  policy = 0;
  priority = 0;
  /** SCHED_RESET_ON_FORK. */
  resetOnFork = false;
  /** Time slice chosen with sched_setattr(2) in ns; 0: the default. */
  slice = 0;
  ioprio = 0;
  /** CPUs chosen with sched_setaffinity(2); null: all. */
  affinity: ReadonlySet<number> | null = null;
  timerSlackNs = 50_000;
  personality = 0;
  /** Woken when this task execs or exits: the parent of a vfork sleeps here. */
  vforkDone: WaitQueue | null = null;
  readonly startNs: number;
  /** Wait status of this task (leader's becomes the group's). */
  exitStatus = 0;

  constructor(options: TaskOptions) {
    this.kernel = options.kernel;
    this.tid = options.tid;
    this.thread = options.thread;
    this.mm = options.mm;
    this.creds = options.creds;
    this.sighand = options.sighand;
    this.comm = options.comm;
    this.sleep = new Sleep(this);
    this.startNs = options.kernel.clock.monotonicNs();
  }

  /** Blocked signals. A running thread may be changing them: this is what they are now. */
  get blocked(): SigSet {
    this.thread.refresh?.();
    return this.mask;
  }
  /** set_tid_address(2); a running thread may be changing it. */
  get clearChildTid(): number {
    this.thread.refresh?.();
    return this.tidAddress;
  }
  set clearChildTid(address: number) {
    this.thread.refresh?.();
    this.tidAddress = address;
  }
  /** The task runs on this host thread from now on; also to be called when its tid changes. */
  useThread(thread: HostThread): void {
    this.thread.refresh?.();
    this.thread = thread;
    thread.share?.(this);
  }
  get pid(): number {
    return this.group.tgid;
  }
  anyPending(): boolean {
    return !this.pending.set.empty || !this.group.pending.set.empty;
  }

  get regs(): Registers {
    return this.thread.regs;
  }
  get tgid(): number {
    return this.group.tgid;
  }

  /** Machine detail of the last fault, for signal frames. */
  fault: FaultDetail = { signal: 0, address: 0, access: -1, page: false, code: 0 };
  /** Error of the system call just finished that may mean a restart (ERESTART*), and its number; 0: none. */
  restartErrno = 0;
  restartNr = 0;
  /** Its first argument, two halves: where a result takes the argument's register. */
  restartArgument = { lo: 0, hi: 0 };

  /** SIGKILL and SIGSTOP cannot be blocked. */
  dropUnblockable(): void {
    this.blocked.lo &= ~((1 << 8) | (1 << 18));
  }

  /** Whether a signal waits that is not blocked (or the group is being killed or stopped): interruptible sleeps end. */
  signalPending(): boolean {
    const { group, blocked } = this;
    return (
      group.exiting ||
      group.jobState === GROUP_STOPPED ||
      this.pending.deliverable(blocked) ||
      group.pending.deliverable(blocked)
    );
  }
  /**
   * Whether the task is about to be killed: SIGKILL, or a signal whose default action ends the process without a core
   * (complete_signal turns such a one into SIGKILL for every thread).
   */
  /** SIGKILL waits, or another thread ends the group: this task never sees user mode again. */
  get killed(): boolean {
    return this.group.exiting || this.pending.set.has(9) || this.group.pending.set.has(9);
  }
  fatalSignalPending(): boolean {
    return this.group.exiting || this.hasFatal(this.pending) || this.hasFatal(this.group.pending);
  }
  private hasFatal(pending: PendingSignals): boolean {
    if (pending.set.has(9)) return true;
    if (!pending.deliverable(this.blocked)) return false;
    for (let signo = 1; signo <= 64; signo++)
      if (
        pending.set.has(signo) &&
        !this.blocked.has(signo) &&
        this.sighand.actions[signo].handler === 0 &&
        !IGNORED_BY_DEFAULT.has(signo) &&
        !STOP_SIGNALS.has(signo) &&
        !CORE_SIGNALS.has(signo)
      )
        return true;
    return false;
  }

  /** One-letter state for /proc. */
  get stateLetter(): string {
    if (this.exited) return 'Z';
    if (this.parked) return 'T';
    if (this.sleep.active) return this.sleep.interruptible ? 'S' : 'D';
    return 'R';
  }
}
