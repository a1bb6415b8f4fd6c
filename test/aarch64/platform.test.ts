/** The ptrace platform on AArch64: registers, what the host hides of them, vectors, interruption, the stub. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { A64 } from '../../src/abi/registers.js';
import { STOP_INTERRUPTED, STOP_SIGNAL, STOP_SYSCALL } from '../../src/platform/platform.js';
import { closeAll, next, peek, platform, step } from '../platform/machine.js';
import { HOST_ARCH } from '../../src/abi/host-arch.js';
import * as g from './guest.js';
import { guest, type Guest } from './guest.js';

afterEach(closeAll);

/** Something that only a batch can do. */
function batch({ space }: Guest): void {
  space.protect(g.DATA, 0x1_0000, 3);
  expect(space.flush()).toBe(0);
}

test('this is AArch64', () => {
  expect(HOST_ARCH).toBe('aarch64');
  expect(platform().arch).toBe('aarch64');
});

describe('system calls', () => {
  test('each one stops, behind the instruction, with its number and arguments', () => {
    const one = guest(g.CALLS);
    for (let i = 1; i <= 200; i++) {
      one.thread.regs.set(0, 5);
      expect(step(one)).toBe(STOP_SYSCALL);
      expect([one.thread.regs.nr, one.thread.regs.get(0), one.thread.regs.get(19)]).toEqual([172, 5, i]);
      expect(one.thread.regs.ip).toBe(g.CODE + 12);
    }
  });
  test('all registers but x7 are what they were set to, thread pointers too', () => {
    const one = guest([g.SVC, g.SPIN]);
    const { regs } = one.thread;
    const general = Array.from({ length: 31 }, (_, i) => i).filter((i) => i !== A64.x7);
    for (const i of general) regs.setHalves(i, 0x9000_0000 + i, 0x1000 + i);
    regs.set(A64.tpidr, 0x12_3456);
    expect(step(one)).toBe(STOP_SYSCALL);
    expect(general.map((i) => [regs.lo(i), regs.hi(i)])).toEqual(general.map((i) => [0x9000_0000 + i, 0x1000 + i]));
    expect(regs.get(A64.tpidr)).toBe(0x12_3456);
  });
  test('a call runs again when the instruction pointer is moved back', () => {
    const one = guest([g.SVC, g.SVC]);
    for (let i = 0; i < 3; i++) {
      expect(step(one)).toBe(STOP_SYSCALL);
      expect(one.thread.regs.ip).toBe(g.CODE + 4);
      one.thread.regs.ip -= 4;
    }
  });
  // -512 to -516 are the host's own restart codes: it must not look at them.
  test.each([4, 512, 513, 514, 516])('a result of -%i is left alone', (error) => {
    const one = guest([g.SVC, 0xaa0003f4 /* mov x20, x0 */, g.SVC]);
    expect(step(one)).toBe(STOP_SYSCALL);
    one.thread.regs.ret = -error;
    expect(step(one)).toBe(STOP_SYSCALL);
    expect(one.thread.regs.getSigned(20)).toBe(-error);
    expect(one.thread.regs.ip).toBe(g.CODE + 12);
  });
});

describe('x7, which a system call stop hides', () => {
  const code = [g.MOV_X7_77, g.SVC, g.MOV_X3_X7, g.SVC, g.MOV_X3_X7, g.SVC];
  test('keeps its value over a batch', () => {
    const one = guest(code);
    expect(step(one)).toBe(STOP_SYSCALL);
    batch(one);
    expect(step(one)).toBe(STOP_SYSCALL);
    expect(one.thread.regs.get(3)).toBe(77);
  });
  test('is true and writable after sync', () => {
    const one = guest(code);
    expect(step(one)).toBe(STOP_SYSCALL);
    one.thread.sync!();
    expect(one.thread.regs.get(A64.x7)).toBe(77);
    one.thread.regs.set(A64.x7, 88);
    expect(step(one)).toBe(STOP_SYSCALL);
    expect(one.thread.regs.get(3)).toBe(88);
  });
  test('is what clones and forks get', () => {
    const one = guest(code);
    expect(step(one)).toBe(STOP_SYSCALL);
    for (const child of [one.thread.cloneThread(), one.thread.fork()]) {
      child.resume();
      expect(next(one.p)).toBe(STOP_SYSCALL);
      expect(child.regs.get(3)).toBe(77);
    }
  });
});

describe('vectors', () => {
  test('FP and SIMD registers are read, set and reset', () => {
    const one = guest(g.CALLS);
    expect(step(one)).toBe(STOP_SYSCALL);
    const state = one.thread.getFpState();
    state[0] = 0xab;
    state[511] = 0xcd;
    expect(one.thread.setFpState(state)).toBe(0);
    expect(step(one)).toBe(STOP_SYSCALL);
    expect([one.thread.getFpState()[0], one.thread.getFpState()[511]]).toEqual([0xab, 0xcd]);
    one.thread.resetFpState();
    expect(one.thread.getFpState().subarray(0, 512)).toEqual(new Uint8Array(512));
  });
  test('SVE registers of an interrupted thread survive a batch and a copy of the state', () => {
    const p = platform();
    if ((p.auxv.hwcap & (1 << 22)) === 0) return; // cortex-a72 has none
    const one = guest([g.READ_VL, g.FILL_Z0, g.WAIT_X2, g.STORE_Z0, g.SVC], p);
    const { regs } = one.thread;
    regs.set(1, g.DATA);
    one.thread.resume();
    for (let tries = 0; regs.ip !== g.CODE + 8; tries++) {
      expect(tries).toBeLessThan(100);
      p.wait(5);
      one.thread.interrupt();
      expect(next(p)).toBe(STOP_INTERRUPTED);
      if (regs.ip !== g.CODE + 8) one.thread.resume();
    }
    batch(one);
    const state = one.thread.getFpState();
    one.thread.resetFpState();
    expect(one.thread.setFpState(state)).toBe(0);
    regs.set(2, 1);
    expect(step(one)).toBe(STOP_SYSCALL);
    const length = regs.get(0);
    expect(length).toBeGreaterThanOrEqual(16);
    expect(peek(one.space, g.DATA, length)).toEqual(new Array(length).fill(5));
  });
});

describe('faults', () => {
  test.each([
    ['a write to nothing', [g.STORE_X1], 11, 0x66_6000],
    ['a read of nothing', [0xf9400001], 11, 0x66_6000],
    ['an undefined instruction', [0], 4, g.CODE],
    ['a breakpoint', [g.BRK], 5, g.CODE],
  ])('%s', (_name, code, signal, address) => {
    const one = guest(code);
    one.thread.regs.set(0, 0x66_6000);
    expect(step(one)).toBe(STOP_SIGNAL);
    expect([one.p.stop.signal, one.p.stop.address, one.thread.regs.ip]).toEqual([signal, address, g.CODE]);
  });
  test('a jump into the stub is an ordinary system call, then a breakpoint', () => {
    const one = guest([g.SPIN]);
    one.thread.regs.ip = one.p.taskSize + one.p.pageSize;
    one.thread.regs.set(8, 222);
    expect(step(one)).toBe(STOP_SYSCALL);
    expect(one.thread.regs.nr).toBe(222);
    expect(step(one)).toBe(STOP_SIGNAL);
    expect(one.p.stop.signal).toBe(5);
  });
});

describe('threads', () => {
  test('a clone has its own registers and thread pointer, a fork its own memory', () => {
    const one = guest(g.CALLS);
    expect(step(one)).toBe(STOP_SYSCALL);
    const thread = one.thread.cloneThread();
    thread.regs.set(A64.tpidr, 0x999);
    thread.resume();
    expect(next(one.p)).toBe(STOP_SYSCALL);
    expect(one.p.stop.thread).toBe(thread);
    expect(thread.regs.get(A64.tpidr)).toBe(0x999);
    const child = one.thread.fork();
    child.regs.set(19, 1000);
    child.resume();
    expect(next(one.p)).toBe(STOP_SYSCALL);
    expect(child.regs.get(19)).toBe(1001);
    child.space.write(g.DATA, Uint8Array.of(7), 0, 1);
    expect([peek(child.space, g.DATA, 1), peek(one.space, g.DATA, 1)]).toEqual([[7], [0]]);
  });
  test('a computing thread is interrupted where it is', () => {
    const one = guest([g.SPIN]);
    for (let i = 0; i < 20; i++) {
      one.thread.resume();
      one.p.wait(1);
      one.thread.interrupt();
      expect(next(one.p)).toBe(STOP_INTERRUPTED);
      expect(one.thread.regs.ip).toBe(g.CODE);
    }
  });
  test('interrupts that race with calls lose nothing', () => {
    const one = guest(g.CALLS);
    let calls = 0;
    for (let i = 0; i < 300; i++) {
      one.thread.resume();
      // Already the wait that lets it run may find a call.
      if (i % 7 === 0 && one.p.wait(0) === STOP_SYSCALL) calls++;
      if (i % 3 !== 0) one.thread.interrupt();
      while (one.thread.running) if (next(one.p) === STOP_SYSCALL) calls++;
      if (i % 11 === 0) batch(one);
    }
    expect(Math.abs(one.thread.regs.get(19) - calls)).toBeLessThanOrEqual(1);
  });
});

test('physical memory is shared, whatever the page size', () => {
  const one = guest(g.CALLS);
  const { p, space } = one;
  expect([4096, 16384, 65536]).toContain(p.pageSize);
  for (let i = 0; i < 200; i++) space.mapPhysical(0x100_0000 + i * p.pageSize * 2, p.pageSize, 3, i * p.pageSize, true);
  expect(space.flush()).toBe(0);
  p.physical.bytes[199 * p.pageSize] = 9;
  expect(peek(space, 0x100_0000 + 199 * p.pageSize * 2, 1)).toEqual([9]);
});

test('handlers have a place in the vDSO to return to', () => {
  const { sigreturn, vdso } = platform();
  expect(sigreturn).toBeGreaterThan(vdso);
  const one = guest([g.SPIN]);
  // mov x8, #139; svc #0
  expect(peek(one.space, one.p.sigreturn, 8)).toEqual([0x68, 0x11, 0x80, 0xd2, 1, 0, 0, 0xd4]);
});
