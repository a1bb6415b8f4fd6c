/** Runs handlers of real rows on tasks with array memory, as the loop would: sleeps are retried when they are woken. */
import { ROWS } from '../../syscalls/table.js';
import type { Task } from '../../sched/task.js';
import { BLOCKED } from '../../sched/wait.js';
import { testKernel, testTask } from '../fs/fake.js';
import { BASE, fakeMemory, result, settle } from './fake.js';

export { BASE, settle };

const handlers = new Map(ROWS.map((row) => [row.name, row.handler]));

export interface Guest {
  task: Task;
  bytes: Uint8Array;
  view: DataView;
  /** Result, or minus the errno, or BLOCKED. */
  call(name: string, ...args: number[]): number;
  /** The same, and the sleep is retried; BLOCKED if it still sleeps. */
  settle(): number;
  /** Stores a byte string at an offset of guest memory and returns its address. */
  put(at: number, text: string): number;
  get(at: number, length: number): string;
}

export function guest(kernel = testClockKernel(), uid = 0): Guest {
  const task = testTask(kernel, uid, uid);
  const mm = fakeMemory(undefined, kernel.frames.physical);
  task.mm = mm;
  const view = new DataView(mm.bytes.buffer);
  return {
    task,
    bytes: mm.bytes,
    view,
    call: (name, ...args) => result(() => handlers.get(name)!(task, ...args)),
    settle: () => settle(task),
    put(at, text) {
      Buffer.from(text, 'latin1').copy(mm.bytes, at);
      return BASE + at;
    },
    get: (at, length) => Buffer.from(mm.bytes.subarray(at, at + length)).toString('latin1'),
  };
}

/** A kernel whose clock stands still until `advance`. */
export function testClockKernel() {
  const { kernel } = testKernel();
  let now = 1e9;
  kernel.clock.monotonicNs = () => now;
  kernel.clock.boottimeNs = () => now;
  (kernel as { memory: object }).memory = { committedBytes: 0, limitBytes: 64 << 20 };
  return Object.assign(kernel, {
    advance(ms: number) {
      now += ms * 1e6;
    },
  });
}
export { BLOCKED };
