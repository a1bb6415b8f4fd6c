/** Several threads and processes: clone, fork, exit in every state, interrupts, several platforms, fairness. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { kill } from 'node:process';
import type { PtraceThread } from '../../src/platform/ptrace/thread.js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { STOP_GONE, STOP_INTERRUPTED, STOP_NONE, STOP_SYSCALL, type HostThread } from '../../src/platform/platform.js';
import {
  children,
  closeAll,
  CODE,
  DATA,
  guest,
  next,
  peek,
  platform,
  put,
  R,
  SPIN,
  step,
  SYSCALL_LOOP,
  type Guest,
} from './machine.js';

const onX86 = process.arch === 'x64' ? describe : describe.skip;
afterEach(closeAll);

/** Lets dying processes be collected until only `count` host processes are left. */
function settle(g: Guest, count: number): void {
  const end = performance.now() + 3000;
  while (children().length > count && performance.now() < end) g.p.wait(1);
  expect(children().length).toBe(count);
}

onX86('threads and processes', () => {
  test('cloneThread shares memory and copies registers', () => {
    const g = guest([...SYSCALL_LOOP]);
    g.thread.regs.set(R.r12, 99);
    expect(step(g)).toBe(STOP_SYSCALL);
    const t = g.thread.cloneThread();
    expect(t.running).toBe(false);
    expect(t.space).toBe(g.space);
    expect(t.hostTid).not.toBe(g.thread.hostTid);
    expect(t.regs.get(R.r12)).toBe(99);
    expect(t.regs.ip).toBe(g.thread.regs.ip);
    t.regs.set(R.rbx, 1000);
    t.regs.set(R.fs_base, 0x70000);
    t.resume();
    expect(next(g.p)).toBe(STOP_SYSCALL);
    expect(g.p.stop.thread).toBe(t);
    expect(t.regs.get(R.rbx)).toBe(1001);
    expect(t.regs.get(R.fs_base)).toBe(0x70000);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.get(R.rbx)).toBe(2);
    expect(g.thread.regs.get(R.fs_base)).toBe(0);
    put(t.space, DATA, [42]);
    expect(peek(g.space, DATA, 1)).toEqual([42]);
  });

  test('fork copies memory, FP state and registers', () => {
    const g = guest(SYSCALL_LOOP);
    expect(step(g)).toBe(STOP_SYSCALL);
    const fp = g.thread.getFpState();
    fp[160] = 0x5a;
    fp[512] |= 2;
    g.thread.setFpState(fp);
    put(g.space, DATA, [1]);
    const child = g.thread.fork();
    expect(child.space).not.toBe(g.space);
    put(child.space, DATA, [2]);
    expect(peek(g.space, DATA, 1)).toEqual([1]);
    expect(peek(child.space, DATA, 1)).toEqual([2]);
    expect(child.getFpState()[160]).toBe(0x5a);
    child.regs.set(R.rbx, 500);
    child.resume();
    expect(next(g.p)).toBe(STOP_SYSCALL);
    expect(child.regs.get(R.rbx)).toBe(501);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.get(R.rbx)).toBe(2);
    child.exit();
    settle(g, 2);
  });

  test('fork of a fork of a second thread, after the first thread is gone', () => {
    const g = guest(SYSCALL_LOOP);
    expect(step(g)).toBe(STOP_SYSCALL);
    const t = g.thread.cloneThread();
    g.thread.exit();
    t.resume();
    expect(next(g.p)).toBe(STOP_SYSCALL);
    put(t.space, DATA, [3]);
    expect(peek(t.space, DATA, 1)).toEqual([3]);
    expect(t.space.rssBytes()).toBeGreaterThan(0);
    expect(t.space.resident(DATA, 4096)).toBe(1);
    t.space.mapAnonymous(0x700000, 0x1000, 3);
    const child = t.fork();
    expect(peek(child.space, 0x700000, 1)).toEqual([0]);
    const grandchild = child.fork();
    child.exit();
    grandchild.resume();
    expect(next(g.p)).toBe(STOP_SYSCALL);
    expect(g.p.stop.thread).toBe(grandchild);
    t.exit();
    grandchild.exit();
    settle({ ...g, thread: t }, 1);
  });

  test('exit of threads in every state leaves nothing behind', () => {
    const g = guest(SPIN);
    for (let i = 0; i < 40; i++) {
      const t = g.thread.cloneThread();
      if (i % 4 !== 0) t.resume(); // queued
      if (i % 4 === 2) g.p.wait(0); // running
      if (i % 4 === 3) {
        g.p.wait(0);
        t.interrupt(); // with an interrupt on its way
      }
      t.exit();
      expect(t.running).toBe(false);
    }
    expect(g.p.runningCount).toBe(0);
    settle(g, 2);
    const tasks = () => Number(/^Threads:\s*(\d+)/m.exec(statusOf(g.thread.hostTid))![1]);
    const end = performance.now() + 3000;
    while (tasks() > 1 && performance.now() < end) g.p.wait(1);
    expect(tasks()).toBe(1);
  });

  test('exit_group: every thread of a spinning process, the leader first', () => {
    const g = guest(SPIN);
    const threads: HostThread[] = [g.thread];
    for (let i = 0; i < 8; i++) threads.push(g.thread.cloneThread());
    for (const t of threads) t.resume();
    expect(g.p.wait(5)).toBe(STOP_NONE);
    expect(g.p.runningCount).toBe(9);
    for (const t of threads) t.exit();
    expect(g.p.runningCount).toBe(0);
    settle(g, 1);
  });

  test('kill of a spinning process next to a working one', () => {
    const p = platform();
    const spin = guest(SPIN, p);
    const work = guest(SYSCALL_LOOP, p);
    spin.thread.resume();
    for (let i = 0; i < 50; i++) expect(step(work)).toBe(STOP_SYSCALL);
    spin.thread.exit();
    for (let i = 0; i < 50; i++) expect(step(work)).toBe(STOP_SYSCALL);
    settle(work, 2);
  });

  test('interrupt stops a spinning thread between instructions', () => {
    const g = guest(SPIN);
    for (let i = 0; i < 20; i++) {
      g.thread.resume();
      if (i & 1) expect(g.p.wait(1)).toBe(STOP_NONE);
      g.thread.interrupt();
      expect(next(g.p)).toBe(STOP_INTERRUPTED);
      expect(g.thread.regs.ip).toBe(CODE);
    }
    g.thread.interrupt(); // not running: nothing
    expect(g.p.wait(1)).toBe(STOP_NONE);
  });

  test('interrupts that race with system calls never make spurious stops', () => {
    const g = guest(SYSCALL_LOOP);
    const never = new Int32Array(new SharedArrayBuffer(4));
    let count = 0;
    let interrupted = 0;
    for (let i = 0; i < 3000; i++) {
      g.thread.resume();
      const asked = i % 3 !== 0;
      // Waking a guest does not make it run at once: now and then it gets the time, and the interrupt comes too late.
      if (i % 7 === 0) {
        g.p.wait(0);
        Atomics.wait(never, 0, 0, 0.05);
      }
      if (asked && g.thread.running) g.thread.interrupt();
      while (g.thread.running) {
        const kind = next(g.p);
        if (kind === STOP_INTERRUPTED) {
          expect(asked).toBe(true);
          interrupted++;
        } else {
          expect(kind).toBe(STOP_SYSCALL);
        }
      }
      if (g.thread.regs.get(R.rbx) !== count) count++;
      expect([count, count]).toContain(g.thread.regs.get(R.rbx));
      if (i % 11 === 0) {
        g.space.protect(DATA, 0x1000, 3);
        expect(g.space.flush()).toBe(0);
      }
    }
    expect(interrupted).toBeGreaterThan(0);
    expect(count).toBeGreaterThan(1000);
  });

  test('fork and clone right after a lost interrupt', () => {
    const g = guest(SYSCALL_LOOP);
    for (let i = 0; i < 100; i++) {
      g.thread.resume();
      g.p.wait(0);
      g.thread.interrupt();
      while (g.thread.running) next(g.p);
      const child = i & 1 ? g.thread.fork() : g.thread.cloneThread();
      child.exit();
    }
    settle(g, 2);
  });

  test('signals from outside are not seen by the guest', () => {
    const g = guest(SPIN);
    g.thread.resume();
    for (const signal of ['SIGTERM', 'SIGSTOP', 'SIGCONT', 'SIGUSR1', 'SIGINT', 'SIGHUP'])
      kill(g.thread.hostTid, signal);
    expect(g.p.wait(5)).toBe(STOP_NONE);
    g.thread.interrupt();
    expect(next(g.p)).toBe(STOP_INTERRUPTED);
    g.space.mapAnonymous(0x700000, 0x1000, 3);
    kill(g.thread.hostTid, 'SIGSTOP');
    expect(g.space.flush()).toBe(0);
    g.thread.resume();
    expect(g.p.wait(5)).toBe(STOP_NONE);
  });

  test('a kill -9 from outside is STOP_GONE, running or stopped', () => {
    const p = platform();
    const a = guest(SPIN, p);
    a.thread.resume();
    p.wait(1);
    kill(a.thread.hostTid, 'SIGKILL');
    expect(next(p)).toBe(STOP_GONE);
    expect(p.stop.thread).toBe(a.thread);
    expect(a.thread.running).toBe(false);
    a.thread.exit();
    a.thread.resume();
    expect(p.runningCount).toBe(0);

    const b = guest(SYSCALL_LOOP, p);
    expect(step(b)).toBe(STOP_SYSCALL);
    kill(b.thread.hostTid, 'SIGKILL');
    expect(step(b)).toBe(STOP_GONE);
    expect(p.stop.thread).toBe(b.thread);

    const c = guest(SYSCALL_LOOP, p);
    kill(c.thread.hostTid, 'SIGKILL');
    c.space.mapAnonymous(0x700000, 0x1000, 3);
    expect(c.space.flush()).toBe(3);
    expect(next(p)).toBe(STOP_GONE);
    expect(p.stop.thread).toBe(c.thread);
  });

  test('fifty processes take turns and none starves', () => {
    const p = platform();
    const guests = Array.from({ length: 50 }, () => guest(SYSCALL_LOOP, p));
    for (const g of guests) g.thread.resume();
    const counts = new Map<HostThread, number>();
    for (let i = 0; i < 5000; i++) {
      expect(next(p)).toBe(STOP_SYSCALL);
      const t = p.stop.thread!;
      counts.set(t, (counts.get(t) ?? 0) + 1);
      t.resume();
    }
    expect(counts.size).toBe(50);
    expect(Math.min(...counts.values())).toBeGreaterThan(20);
    for (const g of guests.slice(0, 25)) g.thread.exit();
    for (let i = 0; i < 100; i++) {
      expect(next(p)).toBe(STOP_SYSCALL);
      p.stop.thread!.resume();
    }
    settle(guests[49], 26);
  });

  test('two platforms at once do not see each other', () => {
    const a = guest(SYSCALL_LOOP);
    const b = guest(SYSCALL_LOOP);
    expect(a.p).not.toBe(b.p);
    a.thread.resume();
    b.thread.resume();
    for (let i = 0; i < 200; i++) {
      expect(next(a.p)).toBe(STOP_SYSCALL);
      expect(a.p.stop.thread).toBe(a.thread);
      a.thread.resume();
      expect(next(b.p)).toBe(STOP_SYSCALL);
      expect(b.p.stop.thread).toBe(b.thread);
      b.thread.resume();
    }
    a.p.close();
    expect(next(b.p)).toBe(STOP_SYSCALL);
  });

  test('two platforms of one thread with several guests each: no stop is lost or taken by the other', () => {
    const platforms = [platform(), platform()];
    const counts = new Map<HostThread, number>();
    for (const p of platforms) {
      for (let i = 0; i < 4; i++) {
        const g = guest(SYSCALL_LOOP, p);
        g.thread.resume();
        counts.set(g.thread, 0);
      }
    }
    for (let i = 0; i < 800; i++) {
      const p = platforms[(i >> 2) & 1];
      expect(next(p)).toBe(STOP_SYSCALL);
      const t = p.stop.thread!;
      expect((t as PtraceThread).platform).toBe(p);
      counts.set(t, counts.get(t)! + 1);
      expect(t.regs.get(R.rbx)).toBe(counts.get(t));
      t.resume();
    }
    platforms[0].close();
    for (let i = 0; i < 50; i++) {
      expect(next(platforms[1])).toBe(STOP_SYSCALL);
      platforms[1].stop.thread!.resume();
    }
  });

  test('idle ends what has exited, without a wait', async () => {
    const p = platform();
    for (let i = 0; i < 10; i++) guest(SPIN, p).thread.exit();
    p.idle();
    const end = performance.now() + 2000;
    while (children().length > 1 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(children().length).toBe(1);
  });

  test('a signal from outside in the middle of batches is not taken for their end', async () => {
    const g = guest(SPIN);
    const storm = spawn('/bin/sh', [
      '-c',
      `while kill -TRAP ${g.thread.hostTid} && kill -SEGV ${g.thread.hostTid}; do :; done`,
    ]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    for (let i = 0; i < 1500; i++) {
      for (let j = 0; j < 20; j++) g.space.protect(DATA, 0x1000, j & 1 ? 1 : 3);
      expect(g.space.flush()).toBe(0);
      if (i % 100 === 0) g.thread.cloneThread().exit();
    }
    g.thread.resume();
    expect(g.p.wait(2)).toBe(STOP_NONE);
    storm.kill('SIGKILL');
  });

  test('a spinning guest does not hold up one that makes calls', () => {
    const p = platform();
    const spins = [guest(SPIN, p), guest(SPIN, p)];
    for (const s of spins) s.thread.resume();
    const work = guest(SYSCALL_LOOP, p);
    const end = performance.now() + 300;
    let calls = 0;
    while (performance.now() < end) {
      expect(step(work)).toBe(STOP_SYSCALL);
      calls++;
    }
    expect(calls).toBeGreaterThan(30); // thousands on an idle host; a loaded one has its own share
  });

  test('CPU time', () => {
    const g = guest(SPIN);
    g.thread.resume();
    g.p.wait(0);
    const end = performance.now() + 60;
    while (performance.now() < end) g.p.wait(5);
    const { user, system } = g.thread.cpuTimeNs();
    expect(user + system).toBeGreaterThan(5e6);
    expect(user + system).toBeLessThan(5e9);
  });

  test('close is idempotent and ends everything', () => {
    const p = platform();
    for (let i = 0; i < 5; i++) guest(SPIN, p).thread.resume();
    p.wait(1);
    p.close();
    p.close();
    expect(children()).toEqual([]);
    expect(p.wait(10)).toBe(STOP_NONE);
    expect(() => p.createAddressSpace()).toThrow('closed');
    expect(p.physical.bytes.length).toBe(0);
  });
});

function statusOf(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'latin1');
}
