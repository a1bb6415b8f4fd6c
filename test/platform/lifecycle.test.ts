/** Guests end with their supervisor, however it ends; a worker's guests end with the worker. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { nativeFolder } from '../../src/platform/native.js';
import { preflight } from '../../src/platform/ptrace/index.js';
import { explain } from '../../src/platform/ptrace/preflight.js';
import { closeAll, guest, platform, SPIN, SYSCALL_LOOP, step } from './machine.js';

const onX86 = process.arch === 'x64' ? describe : describe.skip;
const folder = nativeFolder() ?? '';
const script = join(dirname(fileURLToPath(import.meta.url)), 'supervisor.mjs');
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  closeAll();
});

async function supervisor(mode: string): Promise<{ child: ChildProcess; pids: number[]; ended: Promise<unknown> }> {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const args = [script, join(folder, 'levitate.node'), join(folder, 'levitate-stub'), mode];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'], env });
  started.push(child);
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));
  const line = await new Promise<string>((resolve) => {
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      text += data.toString();
      if (text.includes('\n')) resolve(text);
    });
    child.on('exit', () => resolve(text));
  });
  expect(line).toMatch(/^ready /);
  return { child, pids: line.trim().split(' ').slice(1).map(Number), ended };
}

function alive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

async function allGone(pids: number[]): Promise<void> {
  const end = performance.now() + 5000;
  while (pids.some(alive) && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(pids.filter(alive)).toEqual([]);
}

onX86('life cycle', () => {
  test('SIGKILL of a supervisor in mid-run', async () => {
    const s = await supervisor('hang');
    expect(s.pids.length).toBe(4);
    expect(s.pids.every(alive)).toBe(true);
    s.child.kill('SIGKILL');
    await s.ended;
    await allGone(s.pids);
  });

  test('process.exit, an uncaught error, a normal end', async () => {
    for (const [mode, status] of [
      ['exit', 3],
      ['throw', 1],
      ['return', 0],
    ] as const) {
      const s = await supervisor(mode);
      expect(await s.ended).toBe(status);
      await allGone(s.pids);
    }
  });

  test('a worker that returns and one that is terminated in a wait', async () => {
    for (const mode of ['worker', 'terminate']) {
      const s = await supervisor(mode);
      expect(s.pids.length).toBe(3);
      await allGone(s.pids);
      expect(s.child.exitCode).toBe(null);
      s.child.kill('SIGTERM');
      expect(await s.ended).toBe('SIGTERM');
    }
  });

  test('child processes of Node work beside guests, and their statuses are not stolen', async () => {
    const g = guest(SYSCALL_LOOP);
    const codes: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      const child = spawn('/bin/sh', ['-c', `exit ${i}`], { stdio: 'ignore' });
      child.on('exit', (code) => codes.push(code));
    }
    for (let i = 0; i < 20000 && codes.length < 5; i++) {
      step(g);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(codes.sort()).toEqual([0, 1, 2, 3, 4]);
  });

  test('a child process spawned between turns has the whole CPU mask', async () => {
    const mine = /^Cpus_allowed:\s*(\S+)/m;
    const before = mine.exec(readFileSync('/proc/thread-self/status', 'latin1'))![1];
    const g = guest(SPIN);
    g.thread.resume();
    g.p.wait(2);
    await Promise.resolve();
    expect(mine.exec(readFileSync('/proc/thread-self/status', 'latin1'))![1]).toBe(before);
  });

  test('preflight says nothing here, and names settings elsewhere', () => {
    expect(preflight()).toBe(null);
    expect(explain('sysemu', 5)).toContain('PTRACE_SYSEMU');
    expect(explain('seize', 1)).toContain('ptrace');
    expect(explain('spawn', 13)).toContain('noexec');
    expect(explain('seccomp', 22)).toContain('CONFIG_SECCOMP_FILTER');
    expect(explain('maps', 13)).toContain('hidepid');
  });

  test('platforms opened and closed many times leave no descriptors', () => {
    const count = () => readFileSync('/proc/self/status', 'latin1').match(/^FDSize|^Threads:\s*(\d+)/gm);
    platform().close();
    const before = count();
    for (let i = 0; i < 30; i++) {
      const p = platform({ physicalBytes: 1 << 20 });
      guest(SPIN, p).space.rssBytes();
      p.close();
    }
    expect(count()).toEqual(before);
  });
});
