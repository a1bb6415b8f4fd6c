/**
 * Kernel: puts the parts together. Makes the state, registers filesystems, devices and life-cycle hooks, mounts the root, starts
 * process 1, and hands over to the loop (loop.ts).
 */
import { availableParallelism } from 'node:os';
import type { Platform } from './platform/platform.js';
import { BuddyAllocator } from './mm/buddy.js';
import { SystemMemory } from './mm/account.js';
import { AddressMap } from './mm/map.js';
import { Gate } from './gate/gate.js';
import type { Clock, Random } from '../sched/clock.js';
import { loginCredentials, type Credentials } from '../sched/credentials.js';
import type { Log } from '../sched/kernel-state.js';
import { defaultLimits } from '../sched/limits.js';
import { PidTable } from '../sched/pids.js';
import { ProcessGroup, Session } from '../sched/process-group.js';
import { SignalHandlers } from '../sched/signal/handlers.js';
import { Task } from '../sched/task.js';
import { ThreadGroup } from '../sched/thread-group.js';
import { execve } from '../fs/exec.js';
import { fsHooks, initialParts } from '../fs/lifecycle.js';
import { Vfs } from '../fs/vfs.js';
import { AT_FDCWD } from './abi/flags/open.js';
import { SIGCHLD } from './abi/flags/signal.js';
import { Loop } from './loop.js';
import { registerFilesystems, registerDevices, registerHooks } from './registry.js';

export interface KernelOptions {
  platform: Platform;
  clock: Clock;
  random: Random;
  log: Log;
  hostname: string;
  /** Bytes; default: what the platform's physical memory holds. */
  memoryBytes?: number | undefined;
  /** Tasks alive at once; default 32768. */
  pids?: number | undefined;
  cpus?: number | undefined;
}

const DEFAULT_PIDS = 32768;

export class Kernel extends Loop {
  /** Null where every system call is a stop. */
  readonly gate: Gate | null;

  constructor(options: KernelOptions) {
    const { platform } = options;
    const memoryBytes = options.memoryBytes ?? platform.physical.size;
    const memory = new SystemMemory(memoryBytes, options.memoryBytes !== undefined);
    super({
      platform,
      memory,
      frames: new BuddyAllocator(platform.physical, platform.pageSize, { account: memory, limitBytes: memoryBytes }),
      pids: new PidTable(),
      clock: options.clock,
      random: options.random,
      log: options.log,
      limits: { memoryBytes, pids: options.pids ?? DEFAULT_PIDS },
      hostname: options.hostname,
      cpus: options.cpus ?? availableParallelism(),
    });
    const { state } = this;
    state.vfs = new Vfs(state);
    registerFilesystems(state);
    registerDevices(state);
    state.hooks.register(fsHooks(state));
    registerHooks(state);
    this.gate = platform.gate ? new Gate(platform.gate, state.frames, (thread) => this.mapOf(thread)) : null;
    if (platform.gate) this.table.fillGateClasses(platform.gate.classes, false);
  }

  /** Makes process 1: no program yet, at the root of the first mount, leader of session 1. */
  createInit(creds: Credentials = loginCredentials(0, 0)): Task {
    const { state, platform } = this;
    const { space, thread } = platform.createAddressSpace();
    const task = new Task({
      kernel: state,
      tid: state.pids.allocate(),
      thread,
      mm: new AddressMap({ platform, frames: state.frames, space, account: state.memory, random: state.random }),
      creds,
      sighand: new SignalHandlers(),
      comm: 'init',
    });
    task.mm.users = 1;
    const group = new ThreadGroup(state, task.tid, task, null, defaultLimits(state.limits.pids));
    group.exitSignal = SIGCHLD;
    const session = new Session(state, task.tid, group);
    session.given = true;
    group.processGroup = new ProcessGroup(task.tid, session);
    group.processGroup.add(group);
    group.threads.add(task);
    task.group = group;
    state.pids.tasks.set(task.tid, task);
    state.init = group;
    state.taskMade(task);
    group.exe = null;
    initialParts(state, task);
    return task;
  }

  /** Loads a program into a task that has not run yet and makes it ready to run. Throws errno as execve does. */
  exec(task: Task, path: string, argv: string[], envp: string[]): void {
    execve(task, { dirfd: AT_FDCWD, path, flags: 0, strings: () => ({ argv: [...argv], envp: [...envp] }) });
    this.state.returning.push(task);
  }
}
