/**
 * HostRun: a run of a program on the host as the Tracer interface tells it, so that whatever watches levitate can watch Linux.
 *
 * Invariants: `attach` comes before anything else of a task; what the host says in terms of its stops (ptrace(2)) becomes enter,
 * leave, signal, stopped and exited exactly as src/loop.ts makes them of guests, errors as positive numbers, restart codes
 * (512 to 516) among them. The event loop turns at least every SLICE_MS, so that timers and signal handlers run.
 */
import type { ArchName } from '../abi/types.js';
import {
  HostTracer,
  TRACE_BIRTH,
  TRACE_ENTER,
  TRACE_EXEC,
  TRACE_EXIT,
  TRACE_FINISHED,
  TRACE_GROUP_STOP,
  TRACE_LEAVE,
  TRACE_SIGNAL,
} from '../platform/host-tracer.js';
import type { HostLaunch } from '../platform/native.js';
import { absent, hex, type Row } from '../../syscalls/row.js';
import { Dispatcher } from '../../syscalls/dispatch.js';
import { unknownRow } from './capture.js';
import type { TraceMemory, Tracer } from './tracer.js';

/** A thread of the host's program. */
export interface HostTask {
  tid: number;
  readonly parent: HostTask | null;
  supersededBy?: number;
}

export interface HostWatcher extends Tracer<HostTask> {
  attach?(task: HostTask, parent: HostTask | null): void;
}

export class HostLaunchError extends Error {
  override readonly name = 'HostLaunchError';
  readonly errno: number;
  readonly step: string;

  constructor(errno: number, step: string) {
    super(`the program cannot be started on the host: ${step} failed with errno ${errno}`);
    this.errno = errno;
    this.step = step;
  }
}

export interface HostEnd {
  /** As wait(2) reports it. */
  status: number;
  timedOut: boolean;
  stdout: Buffer;
  stderr: Buffer;
}

const SLICE_MS = 50;

export class HostRun {
  private readonly tracer = new HostTracer();
  private readonly table: Dispatcher;
  private readonly tasks = new Map<number, HostTask>();
  private readonly open = new Map<HostTask, { row: Row; args: bigint[] }>();

  constructor(arch: ArchName) {
    this.table = new Dispatcher(arch);
  }

  /** Memory of a task, for printers. */
  memory(task: HostTask): TraceMemory {
    return { read: (addr, length) => this.tracer.read(task.tid, addr, length) };
  }

  /** Runs to the end, or to `timeoutMs`, after which everything is killed. Throws HostLaunchError. */
  async run(
    launch: HostLaunch,
    watcher: HostWatcher,
    options: { timeoutMs?: number | undefined } = {},
  ): Promise<HostEnd> {
    const { tracer } = this;
    try {
      const { error, step } = tracer.start(launch);
      if (error !== 0) throw new HostLaunchError(error, step);
      const deadline = performance.now() + (options.timeoutMs ?? Infinity);
      let timedOut = false;
      let status = 0;
      let root = 0; // its id stays, whichever thread calls execve
      for (let sliceEnd = performance.now() + SLICE_MS; ;) {
        const kind = tracer.next(SLICE_MS);
        if (kind === TRACE_FINISHED) break;
        if (kind !== 0) {
          const task = this.task(tracer.tid, watcher);
          if (root === 0) root = task.tid;
          if (kind === TRACE_EXIT && task.tid === root) status = tracer.status;
          this.handle(kind, task, watcher);
        }
        const now = performance.now();
        if (now < sliceEnd && kind !== 0) continue;
        await new Promise((resolve) => setImmediate(resolve));
        sliceEnd = performance.now() + SLICE_MS;
        if (now < deadline) continue;
        timedOut = true;
        tracer.kill();
      }
      return { status, timedOut, ...this.outputs() };
    } finally {
      tracer.close();
    }
  }

  private outputs(): { stdout: Buffer; stderr: Buffer } {
    return { stdout: this.tracer.output(1), stderr: this.tracer.output(2) };
  }

  private task(tid: number, watcher: HostWatcher): HostTask {
    return this.tasks.get(tid) ?? this.born(tid, null, watcher);
  }
  private born(tid: number, parent: HostTask | null, watcher: HostWatcher): HostTask {
    const task: HostTask = { tid, parent };
    this.tasks.set(tid, task);
    watcher.attach?.(task, parent);
    return task;
  }

  private handle(kind: number, task: HostTask, watcher: HostWatcher): void {
    const { tracer } = this;
    switch (kind) {
      case TRACE_ENTER:
        this.enter(task, watcher);
        break;
      case TRACE_LEAVE:
        this.leave(task, watcher);
        break;
      case TRACE_SIGNAL:
        watcher.signal(task, { signal: tracer.status, info: tracer.siginfo });
        break;
      case TRACE_GROUP_STOP:
        watcher.stopped(task, tracer.status);
        break;
      case TRACE_BIRTH:
        this.born(tracer.other, task, watcher);
        break;
      case TRACE_EXEC:
        this.executed(task, watcher);
        break;
      case TRACE_EXIT:
        this.open.delete(task);
        this.tasks.delete(task.tid);
        watcher.exited(task, tracer.status);
        break;
    }
  }

  private enter(task: HostTask, watcher: HostWatcher): void {
    const { nr, args: words, sp } = this.tracer;
    const entry = this.table.entries[nr];
    const row = entry?.row ?? (nr === -1 ? FOREIGN : unknownRow(nr));
    const args =
      entry === undefined
        ? words
        : row.name === 'rt_sigreturn'
          ? [sp]
          : entry.row.args.map((_, i) => words[entry.order[i]]);
    this.open.set(task, { row, args });
    watcher.enter(task, row, args);
  }

  private leave(task: HostTask, watcher: HostWatcher): void {
    const call = this.open.get(task);
    if (call === undefined) return;
    this.open.delete(task);
    const { failed, result } = this.tracer;
    watcher.leave(task, call.row, call.args, failed ? -1 : result, failed ? -result : 0);
  }

  /** A thread that was not the first has become it: it goes on under the first one's id, and that one is no more. */
  private executed(task: HostTask, watcher: HostWatcher): void {
    const former = this.tasks.get(this.tracer.other);
    if (former === undefined || former === task) return;
    this.open.delete(task);
    task.supersededBy = former.tid;
    watcher.exited(task, 0);
    this.tasks.delete(former.tid);
    former.tid = task.tid;
    this.tasks.set(task.tid, former);
  }
}

/** A call by the 32-bit entry of x86-64: other numbers, other argument registers. */
const FOREIGN: Row = absent('syscall_32', {}, [hex('a0'), hex('a1'), hex('a2'), hex('a3'), hex('a4'), hex('a5')], {});
