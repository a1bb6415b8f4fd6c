/** A kernel with one task and guest memory that is a plain array: enough for suites of files and waits without guests. */
import { EFAULT, ENOMEM, errno, errnoOf } from '../../src/abi/errno.js';
import { KernelState } from '../../sched/kernel-state.js';
import { loginCredentials } from '../../sched/credentials.js';
import { PidTable } from '../../sched/pids.js';
import { ProcessGroup, Session } from '../../sched/process-group.js';
import { SignalHandlers } from '../../sched/signal/handlers.js';
import { Task } from '../../sched/task.js';
import { ThreadGroup } from '../../sched/thread-group.js';
import { FdTable } from '../../fs/fd-table.js';
import { IoBuffer } from '../../fs/guest-buffer.js';
import { BLOCKED, WOULD_BLOCK } from '../../sched/wait.js';
import type { MemoryMap } from '../../src/mm/memory-map.js';

export const BASE = 0x10000;

/** Guest memory [BASE, BASE + size); everything else faults. */
export function fakeMemory(
  size = 1 << 21,
  physical: { bytes: Uint8Array; size: number } = { bytes: new Uint8Array(1 << 20), size: 1 << 20 },
): MemoryMap & { bytes: Uint8Array } {
  const bytes = new Uint8Array(size);
  const scratch = new Uint8Array(65536);
  const scratchView = new DataView(scratch.buffer);
  const view = new DataView(bytes.buffer);
  const prefix = (addr: number, len: number): number =>
    addr < BASE || addr >= BASE + size ? 0 : Math.min(len, BASE + size - addr);
  const need = (addr: number, len: number): number => {
    if (prefix(addr, len) < len) throw errno(EFAULT);
    return addr - BASE;
  };
  const mm = {
    bytes,
    platform: { arch: 'x86_64', pageSize: 4096, taskSize: 2 ** 47 - 4096, hostAreas: [], physical },
    readable: prefix,
    writable: prefix,
    copyIn(addr: number, dst: Uint8Array, off: number, len: number) {
      const at = need(addr, len);
      dst.set(bytes.subarray(at, at + len), off);
    },
    copyOut(addr: number, src: Uint8Array, off: number, len: number) {
      bytes.set(src.subarray(off, off + len), need(addr, len));
    },
    copyOutPhysical(addr: number, off: number, len: number) {
      const n = prefix(addr, len);
      if (n === 0) throw errno(EFAULT);
      bytes.set(physical.bytes.subarray(off, off + n), addr - BASE);
      return n;
    },
    copyInPhysical(addr: number, off: number, len: number) {
      const n = prefix(addr, len);
      if (n === 0) throw errno(EFAULT);
      physical.bytes.set(bytes.subarray(addr - BASE, addr - BASE + n), off);
      return n;
    },
    clearOut(addr: number, len: number) {
      const at = need(addr, len);
      bytes.fill(0, at, at + len);
    },
    readString(addr: number, max: number) {
      let text = '';
      for (let at = need(addr, 1); bytes[at] !== 0 && text.length < max; at++) text += String.fromCharCode(bytes[at]);
      return text;
    },
    readU8: (addr: number) => view.getUint8(need(addr, 1)),
    readU16: (addr: number) => view.getUint16(need(addr, 2), true),
    readU32: (addr: number) => view.getUint32(need(addr, 4), true),
    readI32: (addr: number) => view.getInt32(need(addr, 4), true),
    readU64: (addr: number) => Number(view.getBigUint64(need(addr, 8), true)),
    readI64: (addr: number) => Number(view.getBigInt64(need(addr, 8), true)),
    writeU8: (addr: number, v: number) => view.setUint8(need(addr, 1), v),
    writeU16: (addr: number, v: number) => view.setUint16(need(addr, 2), v, true),
    writeU32: (addr: number, v: number) => view.setUint32(need(addr, 4), v, true),
    writeU64: (addr: number, v: number) => view.setBigInt64(need(addr, 8), BigInt(v), true),
    vmas: () => [],
    mmap() {
      throw errno(ENOMEM);
    },
    scratch,
    scratchView,
    readStruct(addr: number, len: number) {
      mm.copyIn(addr, scratch, 0, len);
      return scratchView;
    },
    writeStruct(addr: number, len: number) {
      mm.copyOut(addr, scratch, 0, len);
    },
  };
  return mm as unknown as MemoryMap & { bytes: Uint8Array };
}

export interface Fake {
  kernel: KernelState;
  task: Task;
  mm: MemoryMap & { bytes: Uint8Array };
  clock: { now: number };
}

export function fakeKernel(): KernelState & { testClock: { now: number } } {
  const testClock = { now: 1_000_000_000 };
  const clock = {
    monotonicNs: () => testClock.now,
    boottimeNs: () => testClock.now,
    readRealtime() {
      this.realtimeSec = 1_700_000_000 + Math.floor(testClock.now / 1e9);
      this.realtimeNsec = testClock.now % 1e9;
    },
    realtimeSec: 0,
    realtimeNsec: 0,
  };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const random = { fill: (dst: Uint8Array, at: number, n: number) => void dst.fill(0xa5, at, at + n) };
  const kernel = new KernelState({
    platform: { arch: 'x86_64', pageSize: 4096, taskSize: 2 ** 47 - 4096, hostAreas: [] },
    frames: { pageSize: 4096, usedBytes: 0, freeBytes: 1 << 30, limitBytes: 1 << 30 },
    pids: new PidTable(),
    clock,
    random,
    log,
    limits: { memoryBytes: 1 << 30, pids: 100 },
    hostname: 'test',
  } as never);
  return Object.assign(kernel, { testClock });
}

export function fakeTask(kernel: KernelState, parent: Task | null = null): Task {
  const tid = kernel.pids.allocate();
  const mm = fakeMemory();
  const thread = { regs: {}, running: false, interrupt() {}, cpuTimeNs: () => ({ user: 0, system: 0 }) };
  const task = new Task({
    kernel,
    tid,
    mm,
    creds: loginCredentials(0, 0),
    sighand: new SignalHandlers(),
    comm: 'test',
    thread,
  } as never);
  const limits = Array.from({ length: 16 }, () => ({ soft: Infinity, hard: Infinity }));
  limits[7] = { soft: 1024, hard: 4096 };
  task.group = new ThreadGroup(kernel, tid, task, parent?.group ?? null, limits);
  task.group.threads.add(task);
  kernel.pids.tasks.set(tid, task);
  const group = parent?.group.processGroup ?? new ProcessGroup(tid, new Session(kernel, tid, task.group));
  task.group.processGroup = group;
  group.add(task.group);
  task.files = new FdTable();
  return task;
}

/** A buffer over [BASE + at, BASE + at + length) of the task's memory. */
export const buffer = (task: Task, at: number, length: number, intoGuest: boolean): IoBuffer =>
  new IoBuffer().single(task.mm, BASE + at, length, intoGuest);

/** The errno a call throws, negative; else its result. */
export function result(call: () => number): number {
  try {
    return call();
  } catch (error) {
    return -errnoOf(error);
  }
}

/** Runs the queued wakes; returns what the task's system call ended with, or BLOCKED. */
export function settle(task: Task): number {
  const { kernel } = task;
  kernel.timers.run(kernel.clock.monotonicNs());
  while (kernel.wakeups.length > 0) {
    const sleep = kernel.wakeups.shift()!;
    const n = result(() => sleep.retry());
    if (n !== WOULD_BLOCK && sleep.task === task) return n;
  }
  return BLOCKED;
}
