/** A kernel with terminals, tasks in sessions and groups, and guest memory, but no guests. */
import { testKernel, testTask } from '../fs/fake.js';
import { BASE, fakeMemory } from '../ipc/fake.js';
import { ERRNO_NAMES, errnoOf } from '../../src/abi/errno.js';
import type { KernelState } from '../../sched/kernel-state.js';
import { ProcessGroup } from '../../sched/process-group.js';
import type { Task } from '../../sched/task.js';
import { BLOCKED, WOULD_BLOCK, block } from '../../sched/wait.js';
import { dropFile } from '../../fs/fd-table.js';
import { AT_POSITION, type OpenFile } from '../../fs/file.js';
import { KernelBuffer } from '../../fs/guest-buffer.js';
import type { Inode } from '../../fs/inode.js';
import { devpts } from '../../src/tty/devpts.js';
import { jobControlHooks, registerTtyDevices } from '../../src/tty/index.js';
import type { Tty } from '../../src/tty/tty.js';
import { TtyFile } from '../../src/tty/tty-file.js';

const NOTHING = { bytes: new Uint8Array(0) };

export function ttyKernel(): { kernel: KernelState; init: Task } {
  const { kernel, task } = testKernel({ memory: 1 << 20 });
  registerTtyDevices(kernel);
  kernel.hooks.register(jobControlHooks);
  kernel.kick = () => {};
  task.mm = fakeMemory(1 << 16);
  kernel.init = task.group;
  return { kernel, init: task };
}

/** A process: in the parent's group, a group of its own in the parent's session, or a new session. */
export function process(kernel: KernelState, parent: Task, where: 'group' | 'session' | 'new', uid = 0): Task {
  const task = testTask(kernel, uid, uid);
  task.mm = fakeMemory(1 << 16);
  task.group.parent = parent.group;
  parent.group.children.add(task.group);
  if (where === 'new') return task;
  const { processGroup } = parent.group;
  const target = where === 'group' ? processGroup : null;
  task.group.processGroup.remove(task.group);
  task.group.processGroup = target ?? new ProcessGroup(task.tid, processGroup.session);
  task.group.processGroup.add(task.group);
  jobControlHooks.clone!(parent, task, 0);
  return task;
}

const nodes = new WeakMap<KernelState, Map<number, Inode>>();
/** Opens device 5:minor, or pts/N for `{ pts: N }`, with O_ flags (default O_RDWR). */
export function openDevice(task: Task, which: number | { pts: number }, flags = 2): TtyFile {
  const { kernel } = task;
  let inode: Inode | undefined;
  if (typeof which === 'object') inode = devpts(kernel).nodes.get(which.pts);
  else {
    const known = nodes.get(kernel) ?? new Map<number, Inode>();
    nodes.set(kernel, known);
    const { root } = kernel.vfs.namespace;
    const made = { sb: root.sb, rdevMajor: 5, rdevMinor: which, mode: 0o20666, isDir: false } as unknown as Inode;
    inode = known.get(which) ?? made;
    known.set(which, inode);
  }
  const file = kernel.vfs.devices.open('c', inode!, flags, task) as TtyFile;
  file.references = 1;
  return file;
}
export const close = (file: OpenFile): void => dropFile(file);

/** A new pty with its slave open without O_NOCTTY unless told. */
export function openPty(task: Task, slaveFlags = 2 | 0o400): { master: TtyFile; slave: TtyFile; index: number } {
  const master = openDevice(task, 2);
  const index = master.tty.real.minor;
  task.mm.writeU32(BASE, 0);
  master.ioctl(task, 0x40045431, BASE);
  return { master, slave: openDevice(task, { pts: index }, slaveFlags), index };
}

/** Result of a call: its value, 'WOULD_BLOCK', 'BLOCKED', or the name of the errno. */
export function outcome(call: () => number): number | string {
  try {
    const n = call();
    return n === WOULD_BLOCK ? 'WOULD_BLOCK' : n === BLOCKED ? 'BLOCKED' : n;
  } catch (error) {
    const number = errnoOf(error);
    return ERRNO_NAMES[number];
  }
}

/** Text read, or what outcome says. */
export function read(task: Task, file: OpenFile, size = 1000): string | number {
  const bytes = Buffer.alloc(size);
  const n = outcome(() => file.read(task, new KernelBuffer(bytes, NOTHING), AT_POSITION));
  return typeof n === 'number' ? bytes.toString('latin1', 0, n) : n;
}
export function write(task: Task, file: OpenFile, text: string | Uint8Array): string | number {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  return outcome(() => file.write(task, new KernelBuffer(bytes, NOTHING), AT_POSITION));
}
/** ioctl with a 32-bit value in memory; returns what is there afterwards, or the errno. */
export function ioctl(task: Task, file: OpenFile, request: number, value = 0): string | number {
  task.mm.writeU32(BASE, value);
  const n = outcome(() => file.ioctl(task, request, BASE));
  return n === 0 ? task.mm.readI32(BASE) : n;
}
/** ioctl whose argument is the number itself. */
export const ioctlValue = (task: Task, file: OpenFile, request: number, arg = 0): string | number =>
  outcome(() => file.ioctl(task, request, arg));

/** Signals waiting for a process, taken; ascending. */
export function signals(task: Task): number[] {
  const list: number[] = [];
  for (let n = 1; n < 32; n++) if (task.group.pending.takeSignal(n) !== null) list.push(n);
  return list;
}
/** As if `task` had called setpgid and tcsetpgrp. */
export function foreground(tty: Tty, task: Task): void {
  tty.foregroundId = task.group.processGroup.id;
}
/** Sets a disposition: SIG_IGN, or an address. Entries are immutable and shared. */
export function dispose(task: Task, signal: number, handler: number): void {
  const { actions } = task.sighand;
  actions[signal] = { ...actions[signal], handler };
}
/** Catches a signal, so that it stays pending instead of being dropped. */
export function handle(task: Task, ...numbers: number[]): void {
  for (const n of numbers) dispose(task, n, 0x1000);
}
/** Gives sleeping tasks their retries; returns what `task` ended with, or 'asleep'. */
export function wake(task: Task): number | string {
  const { kernel } = task;
  kernel.timers.run(kernel.clock.monotonicNs());
  while (kernel.wakeups.length > 0) {
    const sleep = kernel.wakeups.shift()!;
    const n = outcome(() => sleep.retry());
    if (n !== 'WOULD_BLOCK' && sleep.task === task) return n;
  }
  return 'asleep';
}
/** read(2) as a system call that may sleep. */
export function blockingRead(task: Task, file: OpenFile, size = 100): number | string {
  const bytes = Buffer.alloc(size);
  const queue = file.queue!;
  return outcome(() => block(task, () => file.read(task, new KernelBuffer(bytes, NOTHING), AT_POSITION), [queue]));
}
