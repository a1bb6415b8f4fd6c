/**
 * Smoke test for aarch64, run inside a virtual machine (the suites here use x86_64 machine code). Bundle the platform next to it:
 *   npx esbuild src/platform/ptrace/index.ts --bundle --platform=node --format=esm --outfile=platform.mjs
 * and run with LEVITATE_NATIVE=FOLDER node aarch64-smoke.mjs; prints "ALL OK".
 */
import { createPtracePlatform } from './platform.mjs';
import assert from 'node:assert/strict';
const p = createPtracePlatform({ physicalBytes: 64 << 20 });
const native = p.native;
console.log('taskSize', p.taskSize.toString(16), 'vdso', p.vdso.toString(16), 'page', p.pageSize, 'fp', native.fpSize);
const next = (ms = 20000) => {
  const end = performance.now() + ms;
  for (;;) {
    const k = p.wait(end - performance.now());
    if (k || performance.now() >= end) return k;
    native.arm();
  }
};
const w = (...a) => new Uint8Array(Uint32Array.from(a).buffer);
const CODE = 0x400000,
  DATA = 0x500000;
function guest(code) {
  const { space, thread } = p.createAddressSpace();
  space.mapAnonymous(CODE, 0x10000, 7);
  space.mapAnonymous(DATA, 0x10000, 3);
  assert.equal(space.flush(), 0);
  const b = w(...code);
  assert.equal(space.write(CODE, b, 0, b.length), b.length);
  thread.regs.ip = CODE;
  thread.regs.sp = DATA + 0x8000;
  return { space, thread };
}
const step = (g) => {
  g.thread.resume();
  return next();
};
const LOOP = [0x91000673, 0xd2801588, 0xd4000001, 0x17fffffd];
const SPIN = [0x14000000];
let g = guest(LOOP);
for (let i = 1; i <= 200; i++) {
  g.thread.regs.set(0, 5);
  assert.equal(step(g), 1);
  assert.equal(g.thread.regs.nr, 172);
  assert.equal(g.thread.regs.get(19), i);
  assert.equal(g.thread.regs.ip, CODE + 12);
}
console.log('ok loop');
{
  // registers
  const h = guest([0xd4000001, ...SPIN]);
  for (let i = 0; i < 31; i++) if (i !== 7) h.thread.regs.setHalves(i, 0x90000000 + i, 0x1000 + i);
  h.thread.regs.set(34, 0x123456); // tpidr
  assert.equal(step(h), 1);
  for (let i = 0; i < 31; i++)
    if (i !== 7) {
      assert.equal(h.thread.regs.lo(i), 0x90000000 + i, 'x' + i);
      assert.equal(h.thread.regs.hi(i), 0x1000 + i);
    }
  assert.equal(h.thread.regs.get(34), 0x123456);
  h.thread.exit();
  console.log('ok registers');
}
{
  // x7 survives a batch, sync makes it true and writable
  const h = guest([
    0xd28009a7 /* mov x7,#77 */, 0xd2801588, 0xd4000001, 0xaa0703e3 /* mov x3,x7 */, 0xd4000001, 0xaa0703e3, 0xd4000001,
  ]);
  assert.equal(step(h), 1);
  h.space.protect(DATA, 0x1000, 1);
  assert.equal(h.space.flush(), 0);
  assert.equal(h.thread.regs.get(7), 77);
  assert.equal(step(h), 1);
  assert.equal(h.thread.regs.get(3), 77);
  h.thread.sync();
  assert.equal(h.thread.regs.get(7), 77);
  h.thread.regs.set(7, 88);
  assert.equal(step(h), 1);
  assert.equal(h.thread.regs.get(3), 88);
  h.thread.exit();
  console.log('ok x7');
}
{
  // clone, fork
  assert.equal(step(g), 1);
  const t = g.thread.cloneThread();
  t.regs.set(34, 0x999);
  t.resume();
  assert.equal(next(), 1);
  assert.equal(p.stop.thread, t);
  assert.equal(t.regs.get(34), 0x999);
  const c = g.thread.fork();
  c.regs.set(19, 1000);
  c.resume();
  assert.equal(next(), 1);
  assert.equal(p.stop.thread, c);
  assert.equal(c.regs.get(19), 1001);
  c.space.write(DATA, w(7), 0, 4);
  const b = new Uint8Array(4);
  g.space.read(DATA, b, 0, 4);
  assert.equal(b[0], 0);
  c.exit();
  t.exit();
  assert.equal(step(g), 1);
  console.log('ok clone fork');
}
{
  // faults
  for (const [code, sig] of [
    [[0xf9000001], 11],
    [[0x00000000], 4],
    [[0xd4200000], 5],
  ]) {
    const h = guest(code);
    h.thread.regs.set(0, 0x666000);
    assert.equal(step(h), 2);
    assert.equal(p.stop.signal, sig);
    if (sig === 11) assert.equal(p.stop.address, 0x666000);
    h.thread.exit();
  }
  console.log('ok faults');
}
{
  // interrupts
  const h = guest(SPIN);
  for (let i = 0; i < 20; i++) {
    h.thread.resume();
    p.wait(1);
    h.thread.interrupt();
    assert.equal(next(), 3);
    assert.equal(h.thread.regs.ip, CODE);
  }
  h.thread.resume();
  p.wait(1);
  h.thread.exit();
  console.log('ok interrupt, exit running');
}
{
  // races
  let hits = 0;
  const h = guest(LOOP);
  for (let i = 0; i < 300; i++) {
    h.thread.resume();
    if (i % 7 === 0) p.wait(0);
    if (i % 3) h.thread.interrupt();
    while (h.thread.running) {
      if (next() === 3) hits++;
    }
    if (i % 11 === 0) {
      h.space.protect(DATA, 0x1000, 3);
      assert.equal(h.space.flush(), 0);
    }
  }
  console.log('ok races', hits, h.thread.regs.get(19));
  h.thread.exit();
}
{
  // hostile stub entry
  const h = guest(SPIN);
  h.thread.regs.ip = p.taskSize + p.pageSize;
  h.thread.regs.set(8, 222);
  assert.equal(step(h), 1);
  assert.equal(h.thread.regs.nr, 222);
  assert.equal(step(h), 2);
  h.thread.exit();
  console.log('ok hostile');
}
{
  const fp = g.thread.getFpState();
  fp[0] = 0xab;
  assert.equal(g.thread.setFpState(fp), 0);
  assert.equal(step(g), 1);
  assert.equal(g.thread.getFpState()[0], 0xab);
  g.thread.resetFpState();
  assert.equal(g.thread.getFpState()[0], 0);
  console.log('ok fp', fp.length);
}
{
  // long queue and physical
  for (let i = 0; i < 200; i++)
    g.space.mapPhysical(0x1000000 + i * p.pageSize * 2, p.pageSize, 3, i * p.pageSize, true);
  assert.equal(g.space.flush(), 0);
  p.physical.bytes[199 * p.pageSize] = 9;
  const b = new Uint8Array(1);
  g.space.read(0x1000000 + 199 * p.pageSize * 2, b, 0, 1);
  assert.equal(b[0], 9);
  console.log('ok physical', g.space.rssBytes(), g.thread.cpuTimeNs());
}
p.close();
console.log('ALL OK');
