/** One guest thread: null calls, registers, faults, FP state, 32-bit entries, hostile entry into the stub. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { FP_FULL } from '../../src/platform/fp-area.js';
import { STOP_NONE, STOP_SIGNAL, STOP_SYSCALL } from '../../src/platform/platform.js';
import {
  closeAll,
  CODE,
  DATA,
  guest,
  INT3,
  INT80,
  LOAD_RDI,
  movEax,
  movEdi,
  platform,
  R,
  SPIN,
  STACK,
  STORE_RSI,
  step,
  SYSCALL,
  SYSCALL_LOOP,
  UD2,
} from './machine.js';

const onX86 = process.arch === 'x64' ? describe : describe.skip;
afterEach(closeAll);

onX86('one thread', () => {
  test('stops at every system call and takes its result', () => {
    const g = guest([...movEax(39), ...movEdi(7), ...SYSCALL, 0x48, 0x89, 0xc3, ...movEax(60), ...SYSCALL]);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.p.stop.thread).toBe(g.thread);
    expect(g.thread.regs.nr).toBe(39);
    expect(g.thread.regs.get(R.rdi)).toBe(7);
    expect(g.thread.regs.ip).toBe(CODE + 12);
    expect(g.thread.running).toBe(false);
    expect(g.p.runningCount).toBe(0);
    g.thread.regs.ret = -38;
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(60);
    expect(g.thread.regs.getSigned(R.rbx)).toBe(-38);
  });

  test('a null call loop stays in step', () => {
    const g = guest(SYSCALL_LOOP);
    for (let i = 1; i <= 2000; i++) {
      g.thread.regs.ret = i;
      expect(step(g)).toBe(STOP_SYSCALL);
      expect(g.thread.regs.get(R.rbx)).toBe(i);
    }
  });

  test('every register goes in and comes out', () => {
    const g = guest(SYSCALL);
    const set = ['r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r10', 'r9', 'r8', 'rdx', 'rsi', 'rdi'] as const;
    set.forEach((name, i) => g.thread.regs.setHalves(R[name], 0x9000_0000 + i, 0x8765_0000 + i));
    g.thread.regs.set(R.rax, 0x1234);
    g.thread.regs.set(R.fs_base, 0x7000_1000);
    g.thread.regs.set(R.gs_base, 0x7000_2000);
    g.thread.regs.sp = 0x1230;
    expect(step(g)).toBe(STOP_SYSCALL);
    set.forEach((name, i) => {
      expect(g.thread.regs.lo(R[name])).toBe(0x9000_0000 + i);
      expect(g.thread.regs.hi(R[name])).toBe(0x8765_0000 + i);
    });
    expect(g.thread.regs.nr).toBe(0x1234);
    expect(g.thread.regs.get(R.fs_base)).toBe(0x7000_1000);
    expect(g.thread.regs.get(R.gs_base)).toBe(0x7000_2000);
    expect(g.thread.regs.sp).toBe(0x1230);
  });

  test('registers the host refuses become flat 64-bit ones', () => {
    const g = guest(SYSCALL);
    g.thread.regs.set(R.cs, 0x10);
    g.thread.regs.set(R.ss, 0x18);
    g.thread.regs.setHalves(R.fs_base, 0, 0x8000_0000);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.get(R.cs)).toBe(0x33);
    expect(g.thread.regs.get(R.fs_base)).toBe(0);
  });

  test('a 32-bit entry is system call -1', () => {
    const g = guest([...movEax(20), ...INT80, ...movEax(39), ...SYSCALL]);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(-1);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(39);
  });

  test('restart: going back by the instruction makes the same call again', () => {
    const g = guest([...movEax(34), ...SYSCALL, ...SPIN]);
    expect(step(g)).toBe(STOP_SYSCALL);
    g.thread.regs.set(R.rax, g.thread.regs.nr);
    g.thread.regs.ip -= 2;
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(34);
  });

  test('faults: SIGSEGV with address, SIGILL, SIGTRAP, SIGFPE', () => {
    const cases: [number[], number, number, number | null][] = [
      [[...movEdi(0x666000), ...LOAD_RDI], 11, 1, 0x666000],
      [[0x48, 0xbf, 0, 0, 0, 0, 0, 0, 0, 0x80, ...LOAD_RDI], 11, 0x80, 0],
      [UD2, 4, 2, CODE],
      [INT3, 5, 0x80, null],
      [[0x31, 0xc9, 0x31, 0xd2, 0xf7, 0xf1], 8, 1, CODE + 4],
      [[...movEdi(0x777000), 0xff, 0xe7], 11, 1, 0x777000],
    ];
    for (const [code, signal, si, address] of cases) {
      const g = guest(code);
      expect(step(g)).toBe(STOP_SIGNAL);
      expect(g.p.stop).toMatchObject({ signal, code: si });
      if (address !== null) expect(g.p.stop.address).toBe(address);
    }
  });

  test('a write to a read-only page is SEGV_ACCERR, and the thread goes on once it is writable', () => {
    const g = guest([...movEdi(DATA), ...STORE_RSI, ...movEax(1), ...SYSCALL]);
    g.space.protect(DATA, 0x1000, 1);
    g.thread.regs.set(R.rsi, 77);
    expect(step(g)).toBe(STOP_SIGNAL);
    expect(g.p.stop).toMatchObject({ signal: 11, code: 2, address: DATA });
    g.space.protect(DATA, 0x1000, 3);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(1);
  });

  test('a file page beyond its end is SIGBUS', () => {
    const p = platform();
    const g = guest([...movEdi(DATA), ...LOAD_RDI, ...SPIN], p);
    g.space.mapPhysical(DATA, 0x1000, 3, p.physical.size, true);
    expect(step(g)).toBe(STOP_SIGNAL);
    expect(g.p.stop).toMatchObject({ signal: 7, code: 2, address: DATA });
  });

  test('FP state survives a round trip, bad images are refused, reset gives a fresh one', () => {
    const g = guest(SYSCALL_LOOP);
    expect(step(g)).toBe(STOP_SYSCALL);
    const image = g.thread.getFpState();
    expect(image.length).toBeGreaterThanOrEqual(512);
    image[160] = 0xab; // xmm0
    image[512] |= 2;
    expect(g.thread.setFpState(image)).toBe(0);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.getFpState()[160]).toBe(0xab);
    const bad = image.slice();
    bad.fill(0xff, 24, 28); // mxcsr with reserved bits
    expect(g.thread.setFpState(bad)).toBe(22);
    bad.set(image);
    bad.fill(0xff, 512, 520); // unknown components
    expect(g.thread.setFpState(bad)).toBe(22);
    expect(g.thread.setFpState(new Uint8Array(100))).toBe(22);
    expect(g.thread.setFpState(image.slice(0, 512))).toBe(0);
    g.thread.resetFpState();
    const fresh = g.thread.getFpState();
    expect(fresh[160]).toBe(0);
    expect(fresh[0] | (fresh[1] << 8)).toBe(0x37f);
    expect(fresh[24] | (fresh[25] << 8)).toBe(0x1f80);
  });

  test('FP state: parts that an image leaves out, and wide registers, go back to their initial state', () => {
    const g = guest(SYSCALL_LOOP);
    expect(step(g)).toBe(STOP_SYSCALL);
    g.thread.resetFpState();
    const fresh = g.thread.getFpState();
    const set = (used: number, wide = false): Uint8Array => {
      const image = fresh.slice();
      new DataView(image.buffer).setUint32(512, used, true);
      image[0] = 0x7e; // x87: a control word, and a register
      image[32] = 0x11;
      image[24] = 0xc0; // MXCSR
      image[160] = 0x22; // xmm0
      if (wide) image[576] = 0x33; // upper half of ymm0
      expect(g.thread.setFpState(image)).toBe(0);
      expect(step(g)).toBe(STOP_SYSCALL);
      return g.thread.getFpState();
    };
    const seen = (image: Uint8Array): number[] => [image[0], image[32], image[24], image[160], image[576]];
    expect(seen(set(3))).toEqual([0x7e, 0x11, 0xc0, 0x22, 0]);
    expect(seen(set(2))).toEqual([0x7f, 0, 0xc0, 0x22, 0]);
    expect(seen(set(1))).toEqual([0x7e, 0x11, 0xc0, 0, 0]);
    expect(seen(set(0))).toEqual([0x7f, 0, 0xc0, 0, 0]);
    // Nothing but zeros behind what tells which parts are there.
    const bad = fresh.slice();
    bad[520] = 1;
    expect(g.thread.setFpState(bad)).toBe(22);
    bad[520] = 0;
    bad[570] = 1;
    expect(g.thread.setFpState(bad)).toBe(22);

    const probe = fresh.slice();
    new DataView(probe.buffer).setUint32(512, 7, true);
    if (fresh.length < 832 || g.thread.setFpState(probe) !== 0) return; // no AVX
    expect(seen(set(7, true))).toEqual([0x7e, 0x11, 0xc0, 0x22, 0x33]);
    expect(seen(set(4, true))).toEqual([0x7f, 0, 0xc0, 0, 0x33]);
    set(7, true);
    expect(g.thread.loadFp()).toBe(FP_FULL);
    expect(seen(set(3))).toEqual([0x7e, 0x11, 0xc0, 0x22, 0]);
    set(7, true);
    expect(seen(set(2))).toEqual([0x7f, 0, 0xc0, 0x22, 0]);
    for (const wide of [true, false]) {
      set(wide ? 7 : 3, wide);
      g.thread.resetFpState(g.thread.loadFp());
      expect(step(g)).toBe(STOP_SYSCALL);
      const kind = g.thread.loadFp();
      const image = g.p.fp.copy();
      expect(seen(image)).toEqual(seen(fresh));
      g.thread.resetFpState(kind);
      expect(seen(g.thread.getFpState())).toEqual(seen(fresh));
    }
  });

  test('jumping into the stub, with and without a system call there, is just a stop', () => {
    const g = guest(SPIN);
    const stub = g.p.taskSize + g.p.pageSize;
    g.thread.regs.ip = stub;
    g.thread.regs.set(R.rax, 9);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(9);
    expect(step(g)).toBe(STOP_SIGNAL); // the int3 behind it
    expect(g.p.stop.signal).toBe(5);
    g.thread.regs.ip = stub + 16;
    g.thread.regs.set(R.rbx, g.p.taskSize);
    g.thread.regs.set(R.rbp, g.p.taskSize + 4096);
    expect(step(g)).toBe(STOP_SYSCALL);
    g.thread.regs.ret = 0; // the stub goes on to its next entry: a stop again, not a host call
    expect(step(g)).toBe(STOP_SYSCALL);
  });

  test('the batch page cannot be written, nor the code page', () => {
    const g = guest([...STORE_RSI, ...SPIN]);
    for (const target of [g.p.taskSize, g.p.taskSize + g.p.pageSize]) {
      g.thread.regs.ip = CODE;
      g.thread.regs.set(R.rdi, target);
      expect(step(g)).toBe(STOP_SIGNAL);
      expect(g.p.stop).toMatchObject({ signal: 11, code: 2, address: target });
      expect(g.space.write(target, new Uint8Array(8), 0, 8)).toBe(0);
    }
  });

  test('a vsyscall is a system call stop', () => {
    // call *%rcx to 0xffffffffff600400 (time); not every host has the page
    const g = guest([0x48, 0xc7, 0xc1, 0x00, 0x04, 0x60, 0xff, 0xff, 0xd1, ...movEax(500), ...SYSCALL]);
    const kind = step(g);
    if (kind === STOP_SIGNAL) return;
    expect(kind).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(201);
    expect(g.thread.regs.ip).toBe(CODE + 9);
    g.thread.regs.ret = 123;
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(500);
    expect(g.thread.regs.sp).toBe(STACK - 64);
  });

  test('the vDSO is mapped and is an ELF image that tells the time', () => {
    const g = guest(SPIN);
    expect(g.p.vdso).toBeGreaterThan(g.p.taskSize);
    const head = new Uint8Array(4);
    expect(g.space.read(g.p.vdso, head, 0, 4)).toBe(4);
    expect([...head]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
    const vdso = g.p.hostAreas.find(({ name }) => name === '[vdso]');
    expect(vdso).toMatchObject({ start: g.p.vdso, mode: 'r-xp' });
    const data = g.p.hostAreas.filter(({ name }) => name.startsWith('[vvar'));
    expect(data.at(-1)).toMatchObject({ end: g.p.vdso, mode: 'r--p' });
  });

  test('trap flag set by the guest: single steps do not disturb batches', () => {
    // pushf; or dword [rsp], 0x100; popf; nop; nop
    const g = guest([0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90, 0x90, 0x90, ...SPIN]);
    expect(step(g)).toBe(STOP_SIGNAL);
    expect(g.p.stop.signal).toBe(5);
    g.space.mapAnonymous(0x90000, 0x1000, 3);
    expect(g.space.flush()).toBe(0);
    const at = g.thread.regs.ip;
    expect(step(g)).toBe(STOP_SIGNAL);
    expect(g.thread.regs.ip).toBe(at + 1);
  });

  test('wait: polling and short deadlines', async () => {
    const g = guest(SPIN);
    g.thread.resume();
    expect(g.p.wait(0)).toBe(STOP_NONE);
    expect(g.p.runningCount).toBe(1);
    // Measured against the host's own 2 ms sleep, taken in turns, because a loaded host delays both.
    const cell = new Int32Array(new SharedArrayBuffer(4));
    let best = Infinity;
    let sleep = Infinity;
    for (let i = 0; i < 100; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      const before = performance.now();
      Atomics.wait(cell, 0, 0, 2);
      sleep = Math.min(sleep, performance.now() - before);
      const start = performance.now();
      expect(g.p.wait(2)).toBe(STOP_NONE);
      const took = performance.now() - start;
      if (!g.p.loopPending) expect(took).toBeGreaterThan(1.9);
      if (took > 1.9) best = Math.min(best, took);
    }
    expect(best / sleep).toBeLessThan(1.5);
  });

  test('wait gives Node a turn within about ten milliseconds', () => {
    const g = guest(SPIN);
    g.thread.resume();
    g.p.native.arm(true);
    const start = performance.now();
    expect(g.p.wait(Infinity)).toBe(STOP_NONE);
    expect(performance.now() - start).toBeLessThan(60);
  });

  test('a timer and I/O of Node interrupt a wait', async () => {
    const g = guest(SPIN);
    g.thread.resume();
    let fired = false;
    setTimeout(() => (fired = true), 20);
    const start = performance.now();
    while (!fired && performance.now() - start < 3000) {
      g.p.wait(Infinity);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(fired).toBe(true);
    expect(performance.now() - start).toBeLessThan(500);
  });
});
