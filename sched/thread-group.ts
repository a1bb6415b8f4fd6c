/** A process: the tasks that share a pid, a parent, dispositions, pending signals, limits and timers (signal_struct). */
import type { AddressSpace } from '../src/platform/platform.js';
import type { KernelState } from './kernel-state.js';
import { GroupTimers } from './interval-timers.js';
import type { ProcessGroup } from './process-group.js';
import { PendingSignals } from './signal/pending.js';
import type { Task } from './task.js';
import { WaitQueue } from './wait.js';

export interface ResourceLimit {
  soft: number;
  hard: number;
}

/** Job-control state of a group. */
export const GROUP_RUNNING = 0;
export const GROUP_STOPPED = 1;

export class ThreadGroup {
  readonly kernel: KernelState;
  readonly tgid: number;
  /** Alive tasks. A leader that exited before its siblings stays `leader` as a zombie. */
  readonly threads = new Set<Task>();
  leader: Task;
  parent: ThreadGroup | null;
  readonly children = new Set<ThreadGroup>();
  processGroup!: ProcessGroup;
  readonly pending = new PendingSignals();
  readonly timers = new GroupTimers(this);
  /** Woken when a child changes state. */
  readonly childQueue = new WaitQueue();
  /** Sent to the parent at the end: SIGCHLD, another signal, or 0. */
  exitSignal: number;
  /** Wait status once `zombie`: exit code << 8, or signal | 0x80 for a core. */
  exitStatus = 0;
  zombie = false;
  /** exit_group or a fatal signal is under way. */
  exiting = false;
  /**
   * Job control: state, whether some thread has not stopped yet (the parent is told when the last one has), the signal, and
   * what a waiting parent has not yet seen.
   */
  jobState = GROUP_RUNNING;
  stopping = false;
  stopSignal = 0;
  stopReported = true;
  continueReported = true;
  /** RLIMIT_ index to limits. A change replaces one: forked processes share them. */
  limits: ResourceLimit[];
  /** Has called execve since it was forked: setpgid by the parent is EACCES. */
  execed = false;
  /** prctl(PR_SET_CHILD_SUBREAPER). */
  subreaper = false;
  noNewPrivs = false;
  dumpable = true;
  /** prctl(PR_SET_IO_FLUSHER): kept and reported. */
  ioFlusher = false;
  /** prctl(PR_SET_THP_DISABLE) and its flags, as PR_GET_THP_DISABLE says them: there are no huge pages. */
  thpDisable = 0;
  /** prctl(PR_SET_PDEATHSIG) belongs to tasks; nice to tasks. */
  readonly startNs: number;
  /** CPU time of threads that ended, and of waited-for children, nanoseconds. */
  deadUserNs = 0;
  deadSystemNs = 0;
  childUserNs = 0;
  childSystemNs = 0;
  minorFaults = 0;
  childMinorFaults = 0;
  /** Peak RSS of address spaces it has left, and of waited-for children; see accounting.ts for the rest of it. */
  maxRssBytes = 0;
  childMaxRssBytes = 0;
  /** The address space that ended with this process. */
  endedSpace: AddressSpace | null = null;
  /** Those of waited-for children whose peaks are not in `childMaxRssBytes` yet. */
  readonly childSpaces: AddressSpace[] = [];
  oomScoreAdj = 0;
  /** /proc/PID/coredump_filter: which mappings a core file would hold. */
  coredumpFilter = 0x33;

  constructor(kernel: KernelState, tgid: number, leader: Task, parent: ThreadGroup | null, limits: ResourceLimit[]) {
    this.kernel = kernel;
    this.tgid = tgid;
    this.leader = leader;
    this.parent = parent;
    this.exitSignal = 0;
    this.limits = limits;
    this.pending.alarms = this.timers;
    this.startNs = kernel.clock.monotonicNs();
    kernel.pids.groups.set(tgid, this);
    parent?.children.add(this);
  }
}
