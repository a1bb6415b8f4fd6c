/** Plans for syscall sites as compilers and C libraries write them, written by hand; `moved code` is what emit gives. */
import { describe, expect, test } from '@jest/globals';
import { planSite, type JumpPlan, type PadPlan, type Plan } from '../../src/gate/x86_64/mover.js';
import { bytes } from './binaries.js';

const SITE = 0x400100;
const TRAMPOLINE = 0x10400000;
const PAGE = 4096;

/** Plans the syscall that the parts start with, at offset 0x100 + `shift` of a page; what the parts leave open is `ud2`. */
function plan(parts: string, shift = 0): Plan {
  const { code, at } = page(parts, 0x100 + shift);
  return planSite(code, at, 0, PAGE);
}
function page(parts: string, at: number): { code: Uint8Array; at: number } {
  const code = new Uint8Array(PAGE);
  for (let i = 0; i < PAGE; i++) code[i] = i % 2 ? 0x0b : 0x0f;
  code.set(bytes('0f05', parts), at);
  return { code, at };
}
function jump(parts: string, shift = 0): JumpPlan {
  const found = plan(parts, shift);
  if (found.kind !== 'jump') throw new Error(JSON.stringify(found));
  return found;
}
function pad(parts: string, shift = 0): PadPlan {
  const found = plan(parts, shift);
  if (found.kind !== 'pad') throw new Error(JSON.stringify(found));
  return found;
}
function refused(parts: string, shift = 0): string {
  const found = plan(parts, shift);
  if (found.kind !== 'refused') throw new Error(JSON.stringify(found));
  return found.reason;
}
function movedCode(found: JumpPlan, to = TRAMPOLINE, site = SITE): string {
  const code = found.emit(to, site);
  expect(code).toHaveLength(found.size);
  return Buffer.from(code).toString('hex');
}
/** Little-endian disp32 that leads from `from` to `target`. */
function distance(from: number, target: number): string {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(target - from);
  return buffer.toString('hex');
}

describe('sites of C libraries and Go', () => {
  test('musl: mov %rax,%rdi; call __syscall_ret', () => {
    const found = jump('4889c7 e8c0ffffff');
    expect(found).toMatchObject({ length: 3, falls: true, starts: [2], moved: [{ from: 2, to: 0 }], size: 3 });
    expect(movedCode(found)).toBe('4889c7');
  });
  test('musl: pop; ret, and padding', () => {
    const found = jump('5a c3 0f1f4000 0f1f840000000000');
    expect(found).toMatchObject({ length: 2, falls: false, starts: [2, 3], size: 2 });
    expect(movedCode(found)).toBe('5ac3');
  });
  test('glibc: cmp $-4096,%rax; ja', () => {
    const found = jump('483d00f0ffff 7710 c3');
    expect(found).toMatchObject({ length: 6, falls: true, starts: [2], size: 6 });
    expect(movedCode(found)).toBe('483d00f0ffff');
  });
  test('Go: cmp $0xfffffffffffff001,%rax; jls', () => {
    const found = jump('483d01f0ffff 7622 48c744242800000000');
    expect(found).toMatchObject({ length: 6, falls: true, moved: [{ from: 2, to: 0 }] });
  });
  test('two instructions; the second reaches beyond the jump', () => {
    const found = jump('85c0 488b0424 c3');
    expect(found).toMatchObject({ length: 6, falls: true, starts: [2, 4] });
    expect(found.moved).toEqual([
      { from: 2, to: 0 },
      { from: 4, to: 2 },
    ]);
    expect(movedCode(found)).toBe('85c0488b0424');
  });
  test('one-byte instructions', () => {
    expect(jump('58 59 5a c3')).toMatchObject({ length: 3, falls: true, starts: [2, 3, 4] });
    expect(jump('58 59 c3 31c0')).toMatchObject({ length: 3, falls: false, starts: [2, 3, 4] });
  });
  test('endbr64 and nops are instructions like others', () => {
    expect(movedCode(jump('f30f1efa c3'))).toBe('f30f1efa');
    expect(jump('90 90 90 c3')).toMatchObject({ length: 3, falls: true });
  });
});

describe('relative targets', () => {
  test('jcc rel8 and rel32', () => {
    const near = jump('90 7710 c3');
    expect(near).toMatchObject({ length: 3, falls: true, starts: [2, 3], size: 7 });
    expect(movedCode(near)).toBe(`900f87${distance(TRAMPOLINE + 7, SITE + 5 + 16)}`);
    const far = jump('0f8400ffffff');
    expect(movedCode(far)).toBe(`0f84${distance(TRAMPOLINE + 6, SITE + 8 - 256)}`);
    expect(movedCode(jump('7810 90'))).toBe(`0f88${distance(TRAMPOLINE + 6, SITE + 4 + 16)}90`);
  });
  test('jmp ends the moved code', () => {
    expect(movedCode(jump('e900010000'))).toBe(`e9${distance(TRAMPOLINE + 5, SITE + 7 + 256)}`);
    const short = jump('90 eb10 c3');
    expect(short).toMatchObject({ length: 3, falls: false, size: 6 });
    expect(movedCode(short)).toBe(`90e9${distance(TRAMPOLINE + 6, SITE + 5 + 16)}`);
    expect(jump('ffe0 cc', 11)).toMatchObject({ length: 2, falls: false });
    expect(movedCode(jump('ff2500010000'))).toBe(`ff25${distance(TRAMPOLINE + 6, SITE + 8 + 256)}`);
  });
  test('a target that was moved too is reached at its new place; the syscall itself stays where it is', () => {
    expect(movedCode(jump('90 75fd 90'))).toBe(`900f85${distance(TRAMPOLINE + 7, TRAMPOLINE)}`);
    expect(movedCode(jump('90 75fb 90'))).toBe(`900f85${distance(TRAMPOLINE + 7, SITE)}`);
  });
  test('RIP-relative operands', () => {
    expect(movedCode(jump('488b0d00100000'))).toBe(`488b0d${distance(TRAMPOLINE + 7, SITE + 9 + 4096)}`);
    // an immediate behind the displacement
    expect(movedCode(jump('c705f0ffffff01000000'))).toBe(`c705${distance(TRAMPOLINE + 10, SITE + 12 - 16)}01000000`);
    expect(movedCode(jump('31c0 8b0500000000'))).toBe(`31c08b05${distance(TRAMPOLINE + 8, SITE + 10)}`);
  });
  test('out of reach is a RangeError, at the last byte', () => {
    const found = jump('488b0500000000'); // refers to SITE + 9
    const furthest = SITE + 9 + 2 ** 31 - 7;
    expect(movedCode(found, furthest)).toBe('488b0500000080');
    expect(() => found.emit(furthest + 1, SITE)).toThrow(RangeError);
    const site = 0x7f0000000000;
    expect(movedCode(found, site + 9 - 7 - (2 ** 31 - 1), site)).toBe('488b05ffffff7f');
    expect(() => found.emit(site + 9 - 7 - 2 ** 31, site)).toThrow(RangeError);
    expect(() => jump('7710 90').emit(2 ** 32 + SITE, SITE)).toThrow(RangeError);
    expect(() => jump('7710 90').emit(2 ** 46 + SITE, SITE)).toThrow(RangeError);
  });
});

describe('padding behind ret and jmp', () => {
  const nops = ['90', '6690', '0f1f00', '0f1f4000', '0f1f440000', '660f1f440000', '0f1f8000000000', '0f1f840000000000'];
  test.each([...nops, '660f1f840000000000', '66662e0f1f840000000000', 'cc'])('%s up to the next 16 bytes', (nop) => {
    const length = nop.length / 2;
    const before = 13 - (length < 2 ? 2 * length : length); // syscall; ret; padding; boundary
    const parts = `c3 ${length < 2 ? nop + nop : nop}`;
    expect(jump(parts, before)).toMatchObject({ length: 1, falls: false, starts: [2], size: 1 });
  });
  test('must reach the boundary', () => {
    expect(refused('c3 0f1f00', 9)).toBe('no padding'); // one byte short
    expect(refused('c3 0f1f4000', 10)).toBe('no padding'); // one too long
    expect(refused('c3 9090', 10)).toBe('no padding');
    expect(refused('c3 0f1f00', 1)).toBe('no padding');
    expect(jump('c3 0f1f4000', 1)).toMatchObject({ length: 1, size: 1 }); // a multiple of 8
    expect(refused('c3 0f1f4000', 5)).toBe('no padding'); // a multiple of 4
  });
  test('does not go beyond it', () => {
    expect(refused('c3 90 9090', 12)).toBe('no padding'); // boundary behind one nop
    expect(refused('c3 90 9090', 13)).toBe('no padding'); // boundary directly behind ret
  });
  test('code that looks like padding but is none', () => {
    for (const parts of ['c3 f390', 'c3 31c0', 'c3 87c0', 'c3 0000']) expect(refused(parts, 11)).toBe('no padding');
    expect(refused('c3 0f1f4001', 9)).toBe('no padding');
    expect(refused('c3 f30f1efa', 9)).toBe('no padding');
  });
  test('zeros, but only up to the end of the page', () => {
    const { code, at } = page('c3', 0xfe0);
    code.fill(0, at + 3);
    expect(planSite(code, at, 0, PAGE)).toMatchObject({ kind: 'jump', falls: false });
    code[PAGE - 1] = 1;
    expect(planSite(code, at, 0, PAGE)).toEqual({ kind: 'refused', reason: 'no padding' });
  });
});

describe('a hole of padding nearby', () => {
  const hole = '660f1f840000000000'; // 9 bytes
  test('when an instruction cannot move', () => {
    // syscall; call; ret; hole, which ends at a boundary
    expect(pad(`e800000000 c3 ${hole}`, 15)).toEqual({ kind: 'pad', pad: 8, padLength: 9, skips: 0 });
    expect(pad(`0f05 4889c7 c3 ${hole}`, 15)).toEqual({ kind: 'pad', pad: 8, padLength: 9, skips: 0 });
    expect(pad(`e2fe eb00 9090909090`, 5)).toEqual({ kind: 'pad', pad: 6, padLength: 5, skips: 0 });
    expect(pad(`e2fe eb00 cccccccccc`, 5)).toEqual({ kind: 'pad', pad: 6, padLength: 5, skips: 0 });
  });
  test('of 5 bytes at least', () => {
    expect(refused('e2fe eb00 90909090', 6)).toBe('loop');
    expect(refused('e800000000 eb00 90909090', 3)).toBe('call');
  });
  test('not further than jmp rel8 reaches', () => {
    const reach = (n: number): string => `e800000000 ${'90'.repeat(n)} c3 9090909090`;
    const shift = (n: number): number => 16 - ((2 + 5 + n + 1 + 5) % 16);
    expect(pad(reach(121), shift(121))).toMatchObject({ pad: 129 });
    expect(refused(reach(122), shift(122))).toBe('call');
  });
  test('only behind the first ret or jmp, and not behind what cannot be decoded', () => {
    expect(refused('e800000000 c3 31c0 c3 9090909090', 2)).toBe('call');
    expect(refused('e800000000 06 c3 9090909090', 2)).toBe('call');
  });
  test('one long nop in front of an aligned label, whether it is executed or not', () => {
    const found = { kind: 'pad', padLength: 5, skips: 5 };
    expect(pad('e800000000 0f1f8000000000', 2)).toEqual({ ...found, pad: 9 });
    expect(pad('e800000000 0f1f840000000000', 1)).toEqual({ ...found, pad: 9, skips: 6 });
    expect(pad('e800000000 0f1f840000000000', 9)).toEqual({ ...found, pad: 9, skips: 6 }); // a multiple of 8
    expect(pad('eb00 e800000000 0f1f8000000000', 0)).toEqual({ ...found, pad: 11 });
    expect(pad('e800000000 c3 31c0 0f1f8000000000', 15)).toEqual({ ...found, pad: 12 });
    // Too short for two jumps, not up to a label, two of them (a thread may stand between).
    expect(refused('e800000000 660f1f440000', 3)).toBe('call');
    expect(refused('e800000000 0f1f8000000000 90', 1)).toBe('call');
    expect(refused('e800000000 90 0f1f8000000001', 1)).toBe('call');
    expect(refused('e800000000 0f1f4000 0f1f4000', 1)).toBe('call');
  });
  test('inside the page', () => {
    const { code, at } = page('e800000000 c3', PAGE - 13);
    code.fill(0x90, at + 8);
    expect(planSite(code, at, 0, PAGE)).toEqual({ kind: 'pad', pad: 8, padLength: 5, skips: 0 });
    const two = new Uint8Array(2 * PAGE);
    two.set(page('', 0).code);
    two.set(bytes('0f05e800000000c3'), PAGE - 8);
    two.fill(0x90, PAGE, PAGE + 16);
    expect(planSite(two, PAGE - 8, 0, PAGE)).toEqual({ kind: 'refused', reason: 'call' });
  });
});

describe('refusals', () => {
  test.each([
    ['call', 'e800000000'],
    ['call', '90 ffd0'],
    ['call', '9090 ff1500000000'],
    ['loop', 'e2fe 90'],
    ['loop', 'e3fe 90'],
    ['fixed instruction', '0f05 90'],
    ['fixed instruction', '31c0 0f05'],
    ['fixed instruction', 'f4 c3'],
    ['fixed instruction', '0f0b 90'],
    ['fixed instruction', 'd95c2408'],
    ['fixed instruction', '678b0500000000'],
    ['unknown instruction', '06 90 90'],
    ['unknown instruction', '66e90000'],
    ['no padding', 'c3 31c0 c3'],
    ['no padding', 'ebfc 31c0 c3'],
  ])('%s: %s', (reason, parts) => expect(refused(parts)).toBe(reason));

  test('something else than a syscall', () => {
    const { code, at } = page('4889c7', 0x100);
    expect(planSite(code, at + 1, 0, PAGE)).toEqual({ kind: 'refused', reason: 'not a syscall' });
    expect(planSite(code, PAGE - 1, 0, PAGE)).toEqual({ kind: 'refused', reason: 'not a syscall' });
  });
  test('prefix 66 in front: the jump would be read with a 16-bit displacement by AMD', () => {
    for (const prefix of ['66', '662e', '6640', '66f3', '4866']) {
      const { code, at } = page('4889c7', 0x100);
      code.set(bytes(prefix), at - prefix.length / 2);
      expect(planSite(code, at, 0, PAGE)).toEqual({ kind: 'refused', reason: 'prefix' });
    }
    const { code, at } = page('4889c7', 0x100);
    code.set(bytes('66 b827000000'), at - 6);
    expect(planSite(code, at, 0, PAGE).kind).toBe('jump');
  });
});

describe('page edges', () => {
  const whole = new Uint8Array(3 * PAGE).fill(0x90);
  const atOffset = (offset: number): Plan => {
    const code = whole.slice();
    code.set(bytes('0f05 4889c7'), PAGE + offset);
    return planSite(code, PAGE + offset, PAGE, 2 * PAGE);
  };
  test('at the start', () => expect(atOffset(0)).toMatchObject({ kind: 'jump', length: 3 }));
  test('the five bytes must be inside', () => {
    expect(atOffset(PAGE - 5)).toMatchObject({ kind: 'jump', length: 3 });
    for (const left of [4, 3, 2, 1]) expect(atOffset(PAGE - left)).toEqual({ kind: 'refused', reason: 'crosses page' });
    expect(atOffset(-1)).toEqual({ kind: 'refused', reason: 'crosses page' });
    expect(atOffset(PAGE)).toEqual({ kind: 'refused', reason: 'crosses page' });
  });
  test('a moved instruction may reach into the next page, if that can be read', () => {
    const code = whole.slice();
    code.set(bytes('0f05 483d00f0ffff'), 2 * PAGE - 5);
    expect(planSite(code, 2 * PAGE - 5, PAGE, 2 * PAGE)).toMatchObject({ kind: 'jump', length: 6 });
    expect(planSite(code.subarray(0, 2 * PAGE), 2 * PAGE - 5, PAGE, 2 * PAGE)).toEqual({
      kind: 'refused',
      reason: 'unknown instruction',
    });
  });
});
