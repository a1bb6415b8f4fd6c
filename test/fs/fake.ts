/** A kernel with a tmpfs root, physical pages and tasks, without guests: enough for suites of the VFS. */
import { errnoOf } from '../../src/abi/errno.js';
import { AT_FDCWD, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } from '../../src/abi/flags/open.js';
import { ERRNO_NAMES } from '../../src/abi/errno.js';
import { BuddyAllocator } from '../../src/mm/buddy.js';
import { ScriptPhysical } from '../../src/platform/script/physical.js';
import { loginCredentials } from '../../sched/credentials.js';
import { KernelState } from '../../sched/kernel-state.js';
import { defaultLimits } from '../../sched/limits.js';
import { PidTable } from '../../sched/pids.js';
import { ProcessGroup, Session } from '../../sched/process-group.js';
import { SignalHandlers } from '../../sched/signal/handlers.js';
import { Task } from '../../sched/task.js';
import { ThreadGroup } from '../../sched/thread-group.js';
import { AT_POSITION, type OpenFile } from '../../fs/file.js';
import { KernelBuffer } from '../../fs/guest-buffer.js';
import { initialParts } from '../../fs/lifecycle.js';
import { legacyOpenHow, openAt } from '../../fs/open.js';
import { TmpfsSuperBlock, tmpfsType } from '../../fs/tmpfs/superblock.js';
import { dropFile } from '../../fs/fd-table.js';
import { Vfs } from '../../fs/vfs.js';

export interface TestKernel {
  kernel: KernelState;
  frames: BuddyAllocator;
  task: Task;
  clock: { seconds: number };
}

export function testKernel(options: { memory?: number; rootOptions?: string } = {}): TestKernel {
  const memory = options.memory ?? 64 << 20;
  const clock = {
    seconds: 1_700_000_000,
    monotonicNs: () => 1e9,
    boottimeNs: () => 1e9,
    readRealtime() {
      this.realtimeSec = this.seconds;
      this.realtimeNsec = 0;
    },
    realtimeSec: 0,
    realtimeNsec: 0,
  };
  const physical = new ScriptPhysical(memory, 4096);
  const frames = new BuddyAllocator(physical, 4096);
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const kernel = new KernelState({
    platform: { arch: 'x86_64', pageSize: 4096, taskSize: 2 ** 47 - 4096, hostAreas: [], physical },
    frames,
    pids: new PidTable(),
    clock,
    random: { fill: (dst: Uint8Array, at: number, n: number) => void dst.fill(0xa5, at, at + n) },
    log,
    limits: { memoryBytes: memory, pids: 100 },
    hostname: 'test',
  } as never);
  kernel.vfs = new Vfs(kernel);
  kernel.vfs.registerType(tmpfsType);
  kernel.vfs.mountRoot(new TmpfsSuperBlock(kernel, options.rootOptions ?? '', 0o755), 'rootfs');
  return { kernel, frames, clock, task: testTask(kernel) };
}

export function testTask(kernel: KernelState, uid = 0, gid = 0, groups: number[] = []): Task {
  const tid = kernel.pids.allocate();
  const thread = { regs: {}, running: false, interrupt() {}, cpuTimeNs: () => ({ user: 0, system: 0 }) };
  const task = new Task({
    kernel,
    tid,
    mm: {},
    creds: loginCredentials(uid, gid, groups),
    sighand: new SignalHandlers(),
    comm: 'test',
    thread,
  } as never);
  task.group = new ThreadGroup(kernel, tid, task, null, defaultLimits(100));
  task.group.threads.add(task);
  kernel.pids.tasks.set(tid, task);
  const group = new ProcessGroup(tid, new Session(kernel, tid, task.group));
  task.group.processGroup = group;
  group.add(task.group);
  initialParts(kernel, task);
  return task;
}

/** The name of the errno a call throws; else its result. */
export function outcome<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    return ERRNO_NAMES[errnoOf(error)];
  }
}

export function open(task: Task, path: string, flags = O_RDONLY, mode = 0o644): OpenFile {
  const how = legacyOpenHow('x86_64', flags, mode);
  const file = openAt(task, AT_FDCWD, path, how.flags, how.mode);
  file.references = 1;
  return file;
}
export const close = (file: OpenFile): void => dropFile(file);

export function writeFile(task: Task, path: string, content: string, mode = 0o644): void {
  const file = open(task, path, O_RDWR | O_CREAT | O_TRUNC, mode);
  writeBytes(task, file, content);
  close(file);
}
export function writeBytes(task: Task, file: OpenFile, content: string | Uint8Array, offset = AT_POSITION): number {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return file.write(task, new KernelBuffer(bytes, task.kernel.frames.physical), offset);
}
export function readBytes(task: Task, file: OpenFile, length: number, offset = AT_POSITION): Buffer {
  const bytes = Buffer.alloc(length, 0xee);
  const n = file.read(task, new KernelBuffer(bytes, task.kernel.frames.physical), offset);
  return bytes.subarray(0, n);
}
export function readFile(task: Task, path: string): string {
  const file = open(task, path);
  const text = readBytes(task, file, file.inode.size).toString('latin1');
  close(file);
  return text;
}
