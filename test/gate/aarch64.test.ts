// What an AArch64 site becomes: the branch, its trampoline, where islands go, and that the native side means the same by it.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { islandDistance } from '../../src/gate/chunk.js';
import { A64_CODE } from '../../src/gate/aarch64/code.js';
import { TRAMPOLINE_SIZE, branch, trampoline } from '../../src/gate/aarch64/trampoline.js';
import { GATE_ARCH } from '../../src/platform/ptrace/gate-arch.js';
import { KEPT_IN_CHANNEL, KEPT_NOWHERE, KEPT_ON_STACK } from '../../src/platform/platform.js';
import type { SitePlan } from '../../src/gate/site-code.js';

const SITE = 0x40_1234;
const AT = SITE - 3 * 2 ** 20;
const GATE = 0xffff_f000_2000;
const nothing = { overwritten: () => false };

function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
/** Sign-extended field of `bits` bits at `low`. */
function signed(value: number, low: number, bits: number): number {
  return (value << (32 - low - bits)) >> (32 - bits);
}
/** Where a `b` at `at` goes. */
function target(at: number, instruction: number): number {
  expect(instruction >>> 26).toBe(0b000101);
  return at + 4 * signed(instruction, 0, 26);
}
/** A page of `nop` with these instructions at `at`. */
function page(at: number, ...instructions: number[]): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4096; i += 4) view.setUint32(i, 0xd503_201f, true);
  instructions.forEach((instruction, i) => view.setUint32(at + 4 * i, instruction, true));
  return bytes;
}
function planned(code: Uint8Array, at: number): SitePlan {
  const plan = A64_CODE.plan(code, at, nothing);
  if (typeof plan === 'string') throw new Error(plan);
  return plan;
}

describe('branches', () => {
  test('reach 128 MiB less one instruction forwards and 128 MiB backwards', () => {
    expect(branch(0, 4)).toBe(0x1400_0001);
    expect(branch(4, 0)).toBe(0x17ff_ffff);
    expect(target(0, branch(0, 2 ** 27 - 4))).toBe(2 ** 27 - 4);
    expect(target(2 ** 27, branch(2 ** 27, 0))).toBe(0);
    expect(() => branch(0, 2 ** 27)).toThrow(RangeError);
    expect(() => branch(2 ** 27 + 4, 0)).toThrow(RangeError);
    expect(() => branch(0, 2)).toThrow(RangeError);
  });
  test('go where they are meant to', () => {
    const places = fc.integer({ min: -(2 ** 25), max: 2 ** 25 - 1 });
    fc.assert(
      fc.property(places, (distance) => {
        expect(target(SITE, branch(SITE, SITE + 4 * distance))).toBe(SITE + 4 * distance);
      }),
    );
  });
});

describe('sites', () => {
  test('one svc #0 becomes one branch, and nothing else changes', () => {
    for (const at of [0, 4, 2048, 4092]) {
      const code = page(at, 0xd400_0001);
      const plan = planned(code, at);
      expect(plan.overwrites).toEqual([[0, 4]]);
      const before = code.slice();
      plan.write(new DataView(code.buffer), at, AT - SITE);
      expect(target(SITE, word(code, at))).toBe(AT);
      for (let i = 0; i < 4096; i++) if (i < at || i >= at + 4) expect(code[i]).toBe(before[i]);
    }
  });
  test('nothing else is one: other calls, halves of instructions', () => {
    for (const other of [0xd400_0021, 0xd400_0002, 0xd400_0003, 0xd420_0000, 0xd503_201f, 0])
      expect(A64_CODE.plan(page(8, other), 8, nothing)).toBe('not a syscall');
    expect(A64_CODE.plan(page(8, 0xd400_0001), 10, nothing)).toBe('not a syscall');
  });
  test('nobody lands inside one', () => {
    const plan = planned(page(8, 0xd400_0001), 8);
    expect([1, 2, 3, 4].map((back) => plan.landing(back))).toEqual([-1, -1, -1, -1]);
  });
});

describe('trampolines', () => {
  const bytes = trampoline(AT, SITE, GATE);

  test('keep x16 and x17, tell the gate where they are, and come back behind the site', () => {
    expect(bytes.length).toBe(TRAMPOLINE_SIZE);
    expect([0, 16].map((at) => word(bytes, at))).toEqual([0xa930_47f0, 0xa970_47f0]); // stp, ldp of both at [sp, #-256]
    expect(word(bytes, 4)).toBe(0x10ff_fff1); // adr x17, -4
    expect(word(bytes, 8) & 0xff00_001f).toBe(0x5800_0010); // ldr x16, literal
    const literal = 8 + 4 * signed(word(bytes, 8), 5, 19);
    expect(new DataView(bytes.buffer).getBigUint64(literal, true)).toBe(BigInt(GATE));
    expect(word(bytes, 12)).toBe(0xd61f_0200); // br x16
    expect(word(bytes, 20)).toBe(0xd400_0001); // svc #0
    for (const at of [24, 32]) expect(target(AT + at, word(bytes, at))).toBe(SITE + 4);
    expect(word(bytes, 28)).toBe(0xa94c_4610); // ldp x16, x17, [x16, #192]
    expect(new DataView(bytes.buffer).getInt32(36, true)).toBe(SITE + 4 - AT);
  });
  test('are the same at any place of the same distance, and refuse one that is too far', () => {
    expect(trampoline(AT + 2 ** 40, SITE + 2 ** 40, GATE)).toEqual(bytes);
    expect(() => trampoline(SITE + 2 ** 27, SITE, GATE)).toThrow(RangeError);
  });
  test('every instruction stands for the svc or what is behind it, and its registers are somewhere', () => {
    const plan = planned(page(0, 0xd400_0001), 0);
    const places = [0, 4, 8, 12, 16, 20, 24, 28, 32];
    expect(places.map((inside) => plan.original(inside))).toEqual([0, 0, 0, 0, 0, 0, 4, 4, 4]);
    const stack = KEPT_ON_STACK;
    const none = KEPT_NOWHERE;
    expect(places.map((inside) => A64_CODE.kept(inside))).toEqual([
      none,
      stack,
      stack,
      stack,
      stack,
      none,
      none,
      KEPT_IN_CHANNEL,
      none,
    ]);
    expect(places.map((inside) => A64_CODE.bypass(inside))).toEqual([20, -1, -1, -1, -1, -1, -1, -1, -1]);
  });
});

describe('islands', () => {
  const everywhere = (): boolean => true;
  const length = A64_CODE.islandLength(2 ** 20, 4096);

  test('all of a chunk reaches all of its island', () => {
    for (const address of [0x40_0000, 0x1_0000, 0xaaaa_bbbb_0000, 0xffff_8000_0000])
      for (const turn of [0, 1])
        for (const distance of A64_CODE.distances(address, turn)) {
          const reach = distance > 0 ? distance + length : -distance + 2 ** 20;
          expect(reach).toBeLessThan(2 ** 27);
          expect(Math.abs(distance) % 0x1_0000).toBe(0);
        }
  });
  test('neighbouring pieces of code have islands of their own, however small they are', () => {
    for (const address of [0x40_0000, 0xaaaa_bbbb_0000]) {
      const even = A64_CODE.distances(address, 0);
      const odd = A64_CODE.distances(address, 1);
      even.forEach((distance, i) => {
        expect(Math.abs(odd[i] - distance)).toBeGreaterThanOrEqual(2 * length);
      });
    }
  });
  test('the first distance at which there is room is taken', () => {
    const address = 0xaaaa_bbbb_0000;
    const all = A64_CODE.distances(address, 0);
    expect(islandDistance(A64_CODE, address, 0, length, everywhere)).toBe(all[0]);
    const only = (start: number): boolean => start === address + all[2];
    expect(islandDistance(A64_CODE, address, 0, length, only)).toBe(all[2]);
  });
  test('below a program at a fixed address there is room without use of the first pages', () => {
    expect(0x40_0000 + A64_CODE.distances(0x40_0000, 0)[0]).toBeGreaterThanOrEqual(0x1_0000);
  });
});

test('the gate and the trampoline agree on their offsets', () => {
  const root = join(import.meta.dirname, '../..');
  const source = ['gate_channel.h', 'gate_aarch64.S']
    .map((name) => readFileSync(join(root, 'native/stub', name), 'utf8'))
    .join('');
  const constant = (name: string): number => Number(new RegExp(`^\\t\\.set ${name}, (\\S+)$`, 'm').exec(source)?.[1]);
  const bytes = trampoline(AT, SITE, GATE);
  expect(constant('SPILL')).toBe(8 * signed(word(bytes, 0), 15, 7));
  expect(constant('SPILL')).toBe(-GATE_ARCH.aarch64.spill);
  expect(word(bytes, constant('SLOW'))).toBe(0xa970_47f0);
  expect(8 * signed(word(bytes, constant('BACK')), 15, 7)).toBe(constant('SCRATCH'));
  expect(new DataView(bytes.buffer).getInt32(constant('RETURN'), true)).toBe(SITE + 4 - AT);
  const header = readFileSync(join(root, 'native/arch/aarch64.h'), 'utf8');
  expect(header).toContain(`kSpill = ${GATE_ARCH.aarch64.spill};`);
});
