/**
 * Random calls of the platform on random threads, checked against a model: every thread counts its own system calls in rbx,
 * so a stop that is lost, doubled or given to the wrong thread shows up as a wrong count.
 */
import { kill } from 'node:process';
import { afterEach, describe, expect, test } from '@jest/globals';
import { STOP_GONE, STOP_INTERRUPTED, STOP_NONE, STOP_SYSCALL, type HostThread } from '../../src/platform/platform.js';
import type { PtraceThread } from '../../src/platform/ptrace/thread.js';
import { children, closeAll, DATA, guest, platform, R, SYSCALL_LOOP } from './machine.js';

const onX86 = process.arch === 'x64' ? describe : describe.skip;
afterEach(closeAll);

/** xorshift: the same run for the same seed. */
function generator(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

onX86('soak', () => {
  test.each([1, 2, 3])('random operations, seed %i', (seed) => {
    const random = generator(seed * 7919);
    const p = platform();
    const counts = new Map<HostThread, number>();
    const asked = new Set<HostThread>();
    const doomed = new Set<HostThread>();
    const add = (t: HostThread, count: number): void => void counts.set(t, count);
    const gone = (t: HostThread): void => {
      counts.delete(t);
      asked.delete(t);
      doomed.delete(t);
    };
    const seen = (kind: number): void => {
      if (kind === STOP_NONE) return;
      const t = p.stop.thread!;
      expect(counts.has(t)).toBe(true);
      if (kind === STOP_GONE) {
        expect(doomed.has(t)).toBe(true);
        gone(t);
        return;
      }
      if (kind === STOP_SYSCALL) counts.set(t, counts.get(t)! + 1);
      else {
        expect(kind).toBe(STOP_INTERRUPTED);
        expect(asked.has(t)).toBe(true);
      }
      asked.delete(t);
      if (kind === STOP_SYSCALL) expect(t.regs.get(R.rbx)).toBe(counts.get(t));
    };
    const operation = (t: HostThread): void => {
      switch (random(12)) {
        case 0:
        case 1:
        case 2:
          t.resume();
          break;
        case 3:
          if (t.running) {
            t.interrupt();
            asked.add(t);
          }
          break;
        case 4:
          if (random(3) === 0) {
            t.exit();
            gone(t);
          }
          break;
        case 5:
          if (!t.running && !doomed.has(t) && counts.size < 40) add(t.fork(), counts.get(t)!);
          break;
        case 6:
          if (!t.running && !doomed.has(t) && counts.size < 40) add(t.cloneThread(), counts.get(t)!);
          break;
        case 7:
          if (!t.running && !doomed.has(t)) {
            t.space.protect(DATA, 0x1000, random(2) ? 1 : 3);
            expect(t.space.flush()).toBe(0);
          }
          break;
        case 8:
          if (random(20) === 0) {
            if (!doomed.has(t)) kill(t.hostTid, 'SIGKILL');
            for (const other of counts.keys()) if (other.space === t.space) doomed.add(other);
          }
          break;
        case 9:
          if (!doomed.has(t)) expect(t.space.read(DATA, new Uint8Array(8), 0, 8)).toBe(8);
          break;
        default:
          seen(p.wait(random(3) === 0 ? 1 : 0));
      }
    };
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      if (counts.size === 0) add(guest(SYSCALL_LOOP, p).thread, 0);
      const threads = [...counts.keys()];
      operation(threads[random(threads.length)]);
      if (random(8) === 0) p.native.arm(true);
    }
    // Everyone still answers.
    for (const t of counts.keys()) t.resume();
    const silent = new Set(counts.keys());
    const limit = performance.now() + 10_000;
    while (silent.size > 0 && performance.now() < limit) {
      const kind = p.wait(10);
      p.native.arm(true);
      if (kind === STOP_NONE) continue;
      const t = p.stop.thread!;
      seen(kind);
      if (kind === STOP_INTERRUPTED) t.resume();
      else silent.delete(t);
    }
    expect(silent.size).toBe(0);
    for (const t of [...counts.keys()]) t.exit();
    for (let i = 0; i < 2000 && children().length > 1; i++) p.wait(1);
    expect(children().length).toBe(1);
  });

  test('a thousand forks use the same slots again', () => {
    const g = guest(SYSCALL_LOOP);
    let highest = 0;
    for (let i = 0; i < 1000; i++) {
      const child = g.thread.fork();
      if (i % 10 === 0) child.space.rssBytes();
      highest = Math.max(highest, (child as PtraceThread).slot);
      child.exit();
      g.p.wait(0);
    }
    expect(highest).toBeLessThan(200);
  });
});
