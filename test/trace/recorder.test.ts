/** The recorder tells of a call late, and yet in the order in which things happened. */
import { expect, test } from '@jest/globals';
import type { Task } from '../../sched/task.js';
import { ROWS } from '../../syscalls/table.js';
import type { EventSink } from '../../src/trace/events.js';
import { Recorder } from '../../src/trace/recorder.js';
import type { TraceMemory } from '../../src/trace/tracer.js';

const row = (name: string) => ROWS.find((one) => one.name === name)!;
const MEMORY: TraceMemory = { read: () => null };

function recorder() {
  const told: string[] = [];
  const sink = {
    call: (tid: number, at: number, took: number, call: string, args: string, ret: string) =>
      told.push(`${tid} ${at}+${took} ${call}(${args}) ${ret}`),
    enter: (tid: number, at: number, call: string, args: string) => told.push(`${tid} ${at} ${call}(${args}...`),
    leave: (tid: number, at: number, took: number, call: string, args: string, ret: string) =>
      told.push(`${tid} ${at}+${took} ...${call} ${args}) ${ret}`),
    exit: (tid: number, at: number, status: number) => told.push(`${tid} ${at} exit ${status}`),
    stop: (tid: number, at: number, signal: string) => told.push(`${tid} ${at} stop ${signal}`),
    end: (at: number) => told.push(`${at} end`),
  } as unknown as EventSink;
  let now = 0;
  const made = new Recorder({ arch: 'x86_64', memory: () => MEMORY, nowNs: () => now++, sinks: [sink] });
  return { made, told };
}
const task = (tid: number): Task => ({ tid }) as unknown as Task;
const CLOSE = [3n, 0n, 0n, 0n, 0n, 0n];

test('told when the guest runs again, once', () => {
  const { made, told } = recorder();
  const first = task(7);
  made.enter(first, row('close'), CLOSE);
  made.leave(first, row('close'), CLOSE, -1, 9, 1);
  expect(told).toEqual([]);
  made.afterwards();
  made.afterwards();
  expect(told).toEqual(['7 1+1 close(3) = -1 EBADF (Bad file descriptor) (INJECTED)']);
});

test.each<[what: string, next: (made: Recorder, other: Task) => void, text: string]>([
  ['another call', (made, other) => made.enter(other, row('getppid'), CLOSE), '8 3 getppid(...'],
  ['a stop', (made, other) => made.stopped(other, 19), '8 3 stop SIGSTOP'],
  ['an exit', (made, other) => made.exited(other, 256), '8 3 exit 256'],
  ['the end', (made) => made.end(), '3 end'],
])('before %s', (_what, next, text) => {
  const { made, told } = recorder();
  const first = task(7);
  made.enter(first, row('close'), CLOSE);
  made.leave(first, row('close'), CLOSE, 0, 0);
  next(made, task(8));
  made.release();
  expect(told).toEqual(['7 1+1 close(3) = 0', text]);
});

test('before the end of a call that others came between', () => {
  const { made, told } = recorder();
  const [first, second] = [task(7), task(8)];
  made.enter(second, row('wait4'), [1n, 0n, 0n, 0n, 0n, 0n]);
  made.enter(first, row('close'), CLOSE);
  made.leave(first, row('close'), CLOSE, 0, 0);
  made.leave(second, row('wait4'), [1n, 0n, 0n, 0n, 0n, 0n], -1, 10);
  expect(told).toEqual([
    '8 1 wait4(1, ...',
    '7 2+1 close(3) = 0',
    '8 4+3 ...wait4 NULL, 0, NULL) = -1 ECHILD (No child processes)',
  ]);
});
