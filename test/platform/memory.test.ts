/** Mappings through batches, guest memory copies, physical memory, residency. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { STOP_SIGNAL, STOP_SYSCALL } from '../../src/platform/platform.js';
import {
  closeAll,
  CODE,
  DATA,
  guest,
  LOAD_RDI,
  movEax,
  movEdi,
  peek,
  platform,
  put,
  R,
  SPIN,
  step,
  STORE_RSI,
  SYSCALL,
} from './machine.js';

const onX86 = process.arch === 'x64' ? describe : describe.skip;
afterEach(closeAll);

onX86('memory', () => {
  test('copies reach across pages and stop at the first hole', () => {
    const g = guest(SPIN);
    const src = new Uint8Array(0x2000).map((_, i) => i & 255);
    expect(g.space.write(DATA, src, 0, 0x2000)).toBe(0x2000);
    const dst = new Uint8Array(0x3000);
    expect(g.space.read(DATA + 0x800, dst, 0x10, 0x2800)).toBe(0x1800);
    expect(dst[0x10]).toBe(0);
    expect(dst[0x11]).toBe(1);
    expect(g.space.read(0x555000, dst, 0, 10)).toBe(0);
    expect(g.space.write(DATA + 0x1ffe, src, 0, 10)).toBe(2);
    expect(g.space.read(DATA, dst, 0x2fff, 10)).toBe(0); // outside the array: refused, nothing written
    expect(g.space.read(2 ** 60, dst, 0, 10)).toBe(0);
  });

  test('copies keep to the bounds of the array', () => {
    const g = guest(SPIN);
    const { scratch } = g.p;
    scratch.bytes.set([1, 2, 3, 4, 5], 100);
    expect(g.space.write(DATA, scratch.bytes, 100, 5)).toBe(5);
    expect(g.space.read(DATA + 1, scratch.bytes, 7, 4)).toBe(4);
    expect([...scratch.bytes.subarray(6, 12)]).toEqual([0, 2, 3, 4, 5, 0]);
    const end = scratch.bytes.length;
    expect(g.space.read(DATA, scratch.bytes, end - 8, 8)).toBe(8);
    for (const [offset, length] of [
      [end - 7, 8],
      [end + 1, 0],
      [-1, 8],
      [0, -1],
      [0, end + 1],
      [NaN, 8],
      [0, NaN],
    ]) {
      expect(g.space.read(DATA, scratch.bytes, offset, length)).toBe(0);
      expect(g.space.write(DATA, scratch.bytes, offset, length)).toBe(0);
    }
    g.thread.exit();
    expect(g.space.read(DATA, scratch.bytes, 0, 8)).toBe(0);
  });

  test('the peak of resident memory outlives the process, and the use of its number by another', () => {
    const p = platform();
    const big = guest(SPIN, p);
    const bytes = 8 << 20;
    const most = bytes * 0.9; // the host counts in batches per CPU
    big.space.mapAnonymous(0x3000000, bytes, 3);
    big.space.write(0x3000000, new Uint8Array(bytes), 0, bytes);
    big.space.unmap(0x3000000, bytes);
    big.space.flush();
    expect(big.space.rssBytes()).toBeLessThan(most);
    expect(big.space.peakRssBytes()).toBeGreaterThan(most);
    expect(big.space.peakSettled).toBe(false);
    big.thread.exit();
    expect(big.space.peakRssBytes()).toBeGreaterThan(most);
    expect(big.space.peakSettled).toBe(true);
    // Nobody asks this one before its number is used again.
    const small = guest(SPIN, p);
    small.space.mapAnonymous(0x3000000, bytes / 4, 3);
    small.space.write(0x3000000, new Uint8Array(bytes), 0, bytes / 4);
    const helper = small.thread.cloneThread();
    helper.exit();
    small.thread.exit();
    for (let i = 0; i < 1000 && !small.space.peakSettled; i++) p.wait(1);
    for (let i = 0; i < 5; i++) guest(SPIN, p);
    expect(small.space.peakSettled).toBe(true);
    expect(small.space.peakRssBytes()).toBeGreaterThan(most / 8);
    expect(small.space.peakRssBytes()).toBeLessThan(most);
    expect(big.space.peakRssBytes()).toBeGreaterThan(most);
    p.close();
    expect(big.space.peakRssBytes()).toBeGreaterThan(most);
  });

  test('a large copy is whole', () => {
    const g = guest(SPIN);
    const len = 3 << 20;
    g.space.mapAnonymous(0x1000000, len, 3);
    const src = new Uint8Array(len).map((_, i) => (i * 7) & 255);
    expect(g.space.write(0x1000000, src, 0, len)).toBe(len);
    const dst = new Uint8Array(len);
    expect(g.space.read(0x1000000, dst, 0, len)).toBe(len);
    expect(Buffer.compare(src, dst)).toBe(0);
  });

  test('protection holds for copies', () => {
    const g = guest(SPIN);
    g.space.protect(DATA, 0x1000, 1);
    g.space.protect(DATA + 0x1000, 0x1000, 0);
    expect(g.space.dirty).toBe(true);
    expect(g.space.write(DATA, new Uint8Array(4), 0, 4)).toBe(0);
    expect(g.space.dirty).toBe(false);
    expect(g.space.read(DATA, new Uint8Array(8), 0, 8)).toBe(8);
    expect(g.space.read(DATA + 0x1000, new Uint8Array(8), 0, 8)).toBe(0);
  });

  test('shared physical pages are seen on both sides, private ones are copied on write', () => {
    const p = platform();
    p.physical.bytes[0x3000] = 11;
    const g = guest([...movEdi(DATA), ...STORE_RSI, ...LOAD_RDI, ...SYSCALL], p);
    g.space.mapPhysical(DATA, 0x1000, 3, 0x3000, true);
    g.thread.regs.set(R.rsi, 0x55);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(p.physical.bytes[0x3000]).toBe(0x55);
    p.physical.bytes[0x3000] = 0x66;
    expect(peek(g.space, DATA, 1)).toEqual([0x66]);

    const h = guest([...movEdi(DATA), ...STORE_RSI, ...LOAD_RDI, ...SYSCALL], p);
    h.space.mapPhysical(DATA, 0x1000, 3, 0x3000, false);
    expect(peek(h.space, DATA, 1)).toEqual([0x66]);
    h.thread.regs.set(R.rsi, 0x77);
    expect(step(h)).toBe(STOP_SYSCALL);
    expect(h.thread.regs.nr).toBe(0x77);
    expect(p.physical.bytes[0x3000]).toBe(0x66);
    h.space.discard(DATA, 0x1000);
    expect(peek(h.space, DATA, 1)).toEqual([0x66]);
  });

  test('text can be run from physical pages', () => {
    const p = platform();
    p.physical.bytes.set([...movEax(123), ...SYSCALL], 0x5000);
    const g = guest(SPIN, p);
    g.space.mapPhysical(CODE, 0x1000, 5, 0x5000, false);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(123);
  });

  test('copies to and from physical pages do not pass through JS', () => {
    const g = guest(SPIN);
    put(g.space, DATA, [1, 2, 3, 4]);
    expect(g.space.readToPhysical(DATA, 0x8000, 4)).toBe(4);
    expect([...g.p.physical.bytes.subarray(0x8000, 0x8004)]).toEqual([1, 2, 3, 4]);
    expect(g.space.writeFromPhysical(DATA + 0x100, 0x8002, 2)).toBe(2);
    expect(peek(g.space, DATA + 0x100, 2)).toEqual([3, 4]);
    expect(g.space.readToPhysical(DATA, g.p.physical.size - 2, 4)).toBe(0);
  });

  test('move, unmap, clear', () => {
    const g = guest(SPIN);
    put(g.space, DATA, [9, 8, 7]);
    g.space.move(DATA, 0x1000, 0x700000, 0x3000);
    expect(g.space.flush()).toBe(0);
    expect(peek(g.space, 0x700000, 3)).toEqual([9, 8, 7]);
    expect(peek(g.space, DATA, 1)).toEqual([]);
    expect(peek(g.space, 0x702000, 1)).toEqual([0]);
    g.space.unmap(0x700000, 0x1000);
    expect(peek(g.space, 0x700000, 1)).toEqual([]);
    g.space.mapAnonymous(0x900000, 0x1000, 3);
    g.space.clear();
    g.space.mapAnonymous(0xa00000, 0x1000, 3);
    expect(g.space.flush()).toBe(0);
    expect(peek(g.space, 0x900000, 1)).toEqual([]);
    expect(peek(g.space, CODE, 1)).toEqual([]);
    expect(peek(g.space, 0xa00000, 1)).toEqual([0]);
    expect(g.space.rssBytes()).toBeLessThan(1 << 20);
  });

  test('a queue longer than a batch, and where it fails', () => {
    const g = guest(SPIN);
    for (let i = 0; i < 500; i++) g.space.mapAnonymous(0x2000000 + i * 0x2000, 0x1000, 3);
    expect(g.space.flush()).toBe(0);
    expect(peek(g.space, 0x2000000 + 499 * 0x2000, 1)).toEqual([0]);
    g.space.mapAnonymous(0x8000000, 0x1000, 3);
    g.space.move(0x6660000, 0x1000, 0x6670000, 0x1000);
    g.space.mapAnonymous(0x8010000, 0x1000, 3);
    expect(g.space.flush()).toBe(14);
    expect(g.space.dirty).toBe(false);
    expect(peek(g.space, 0x8000000, 1)).toEqual([0]);
    expect(peek(g.space, 0x8010000, 1)).toEqual([]);
  });

  test('the guest keeps its registers over a batch', () => {
    const g = guest([...SYSCALL, ...SYSCALL]);
    expect(step(g)).toBe(STOP_SYSCALL);
    for (const name of ['rbx', 'rbp', 'rsi', 'r10', 'r8', 'r9', 'rdx', 'rdi'] as const)
      g.thread.regs.set(R[name], 4242);
    g.thread.regs.ret = 17;
    g.space.mapAnonymous(0x700000, 0x1000, 3);
    expect(g.space.flush()).toBe(0);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(17);
    for (const name of ['rbx', 'rbp', 'rsi', 'r10', 'r8', 'r9', 'rdx', 'rdi'] as const)
      expect(g.thread.regs.get(R[name])).toBe(4242);
  });

  test('released pages read as zeros and are given back', () => {
    const p = platform();
    const base = p.physical.residentBytes();
    p.physical.bytes.fill(5, 0x10000, 0x20000);
    expect(p.physical.residentBytes() - base).toBe(0x10000);
    p.physical.release(0x10000, 0x10000);
    expect(p.physical.residentBytes()).toBe(base);
    expect(p.physical.bytes[0x10000]).toBe(0);
    expect(() => p.physical.release(p.physical.size, 4096)).toThrow();
  });

  test('cleared pages read as zeros and are kept, and no others come into being', () => {
    const p = platform();
    const base = p.physical.residentBytes();
    p.physical.bytes.fill(5, 0x10000, 0x20000);
    p.physical.bytes.fill(6, 0x400000, 0x401001);
    p.physical.clear(0x10000, 0x400000);
    expect(p.physical.residentBytes() - base).toBe(0x12000);
    expect(p.physical.bytes.subarray(0x10000, 0x401000).every((byte) => byte === 0)).toBe(true);
    expect(p.physical.bytes[0x401000]).toBe(0);
    p.physical.bytes[0x410000] = 7;
    p.physical.clear(0x401000, 0xf000);
    expect(p.physical.bytes[0x410000]).toBe(7);
    expect(() => p.physical.clear(p.physical.size, 4096)).toThrow();
    p.physical.release(0x10000, 0x410000);
  });

  test('residency', () => {
    const g = guest(SPIN);
    g.space.mapAnonymous(0x3000000, 0x10000, 3);
    expect(g.space.flush()).toBe(0);
    expect(g.space.resident(0x3000000, 0x10000)).toBe(0);
    put(g.space, 0x3001000, [1]);
    put(g.space, 0x3004000, [1]);
    const map = new Uint8Array(16);
    expect(g.space.resident(0x3000000, 0x10000, map)).toBe(2);
    expect([...map.subarray(0, 6)]).toEqual([0, 1, 0, 0, 1, 0]);
    const before = g.space.rssBytes();
    g.space.write(0x3000000, new Uint8Array(0x10000), 0, 0x10000);
    expect(g.space.rssBytes() - before).toBe(14 * 4096);
  });

  test('mappings above taskSize are the stub area: a batch that hits it cannot break later batches of others', () => {
    const p = platform();
    const g = guest(SPIN, p);
    const h = guest(SPIN, p);
    // A kernel bug, not something a guest can ask for: the space loses its stub and every later batch of it fails.
    g.space.unmap(p.taskSize + 0x1000, 0x1000);
    expect(g.space.flush()).not.toBe(0);
    h.space.mapAnonymous(0x700000, 0x1000, 3);
    expect(h.space.flush()).toBe(0);
  });

  test('the default size of physical memory is usable at its end', () => {
    const p = platform({ physicalBytes: undefined });
    expect(p.physical.size).toBeGreaterThan(1 << 30);
    p.physical.reach(p.physical.size);
    p.physical.bytes[p.physical.size - 1] = 1;
    expect(p.physical.bytes[p.physical.size - 1]).toBe(1);
  });

  test('stack growth style: fault, map, go on', () => {
    const g = guest([...movEdi(0x600000), ...STORE_RSI, ...movEax(2), ...SYSCALL]);
    expect(step(g)).toBe(STOP_SIGNAL);
    g.space.mapAnonymous(0x600000, 0x1000, 3);
    expect(step(g)).toBe(STOP_SYSCALL);
    expect(g.thread.regs.nr).toBe(2);
  });
});
