/** The decoder on instructions written by hand: operand sizes, flow, what must not move. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decode, type Instruction } from '../../src/gate/x86_64/decode.js';
import { bytes } from './binaries.js';

/** Decodes `hex`, which must be exactly one instruction; bytes behind it do not matter. */
function one(hex: string): Instruction {
  const code = bytes(hex);
  const found = decode(new Uint8Array([...code, ...new Uint8Array(20).fill(0xff)]), 0);
  expect([hex, found?.length]).toEqual([hex, code.length]);
  expect(decode(code, 0)).toEqual(found);
  return found!;
}

describe('lengths', () => {
  test.each<[string, ...string[]]>([
    ['ModRM, SIB, displacements', '89c3', '8b07', '8b4708', '8b8700010000', '8b0424', '8b442408', '8b842400010000'],
    ['no base', '8b042500010000', '8b04d500010000', '8b0500010000', '42 8b04a500010000', '43 8b442500'],
    ['immediates', '3c01', '3d01000000', '66 3d0100', '48 3d01f0ffff', '6a00', '6800000000', '66 680000', 'c8100000'],
    [
      'immediates behind ModRM',
      '83f8ff',
      '81f800000000',
      '66 81f80000',
      'c1e003',
      '6bc003',
      '69c000000000',
      'c6400400',
    ],
    [
      'mov immediate',
      'b83c000000',
      '66 b83c00',
      '48 b80000000000000000',
      '66 48 b80000000000000000',
      'b03c',
      '41 bf00000000',
    ],
    ['moffs', 'a00000000000000000', '48 a10000000000000000', '67 a100000000', '66 a30000000000000000'],
    ['REX only directly in front', '48 66 b80000', '48 2e b800000000'],
    ['group 3', 'f6c101', 'f7c100000000', '66 f7c10000', '48 f7c100000000', 'f6d1', 'f7d9', '48 f7f1', 'f6470801'],
    ['prefixes', '64 48 8b042500000000', 'f0 48 0fb10f', 'f3 48 a5', 'f2 ae', '66 66 2e 0f1f840000000000', '67 8d0407'],
    ['0F', '0fafc1', '0fb6c0', '0f94c0', '0f44c1', '0fbae003', '0fa4c103', '0fa5c1', '0fc8', '0fa2', '0f77', '0f0d08'],
    ['SSE', '660fefc0', 'f30f6f4610', '660f70c01b', '0fc6c000', '660fc5c000', '660f73d808', 'f3480fb8c1', '0fae5c2408'],
    ['SSE4a, 3DNow', '660f78c00102', 'f20f78c00102', '0f0fc09e'],
    ['0F 38, 0F 3A', '660f3800c1', 'f2480f38f1c1', '660f3a0fc108', '660f3a63c10c', '0f3acc c103', '660f38dbc1'],
    ['VEX', 'c5f877', 'c5fdefc0', 'c5fd70c01b', 'c4e27d584500', 'c4e37d39c001', 'c4e2f0f2c1', 'c4e3fbf0c103'],
    ['EVEX', '62f17c48104010', '62f37d483ec001', '62f27d4859c0', '62f1fd486f8424 00010000', '62f57c4858c0'],
    ['XOP, pop', '8fe9f801c8', '8fe878c0c001', '8fea7810c000000000', '8fc0', '8f4008'],
    ['nops', '90', '6690', '0f1f00', '0f1f4000', '0f1f440000', '660f1f840000000000', 'f30f1efa', 'f390'],
  ])('%s', (_, ...list) => {
    for (const hex of list) expect(one(hex)).toMatchObject({ flow: 'next', relative: null, movable: true });
  });
});

describe('flow', () => {
  test('branches and jumps name their targets', () => {
    expect(one('7410')).toMatchObject({ flow: 'branch', relative: 16, movable: true, opcode: 0x74 });
    expect(one('75fe')).toMatchObject({ flow: 'branch', relative: -2 });
    expect(one('0f8700010000')).toMatchObject({ flow: 'branch', relative: 256, movable: true });
    expect(one('0f86ffffffff')).toMatchObject({ flow: 'branch', relative: -1 });
    expect(one('eb80')).toMatchObject({ flow: 'jump', relative: -128, movable: true });
    expect(one('e900000080')).toMatchObject({ flow: 'jump', relative: -(2 ** 31), movable: true });
    expect(one('f2e901000000')).toMatchObject({ flow: 'jump', relative: 1 });
    expect(one('6648e901000000')).toMatchObject({ flow: 'jump', relative: 1, movable: true });
  });
  test('ends', () => {
    for (const hex of ['c3', 'f3c3', 'c20800', 'ffe0', '3effe0', 'ff6008', 'ff2500000000'])
      expect(one(hex)).toMatchObject({ flow: 'end', movable: true });
    for (const hex of ['cb', 'ca0800', 'cf', '48cf', 'ff28'])
      expect(one(hex)).toMatchObject({ flow: 'end', movable: false });
  });
  test('calls and loops do not move', () => {
    for (const hex of ['e800000000', 'ffd0', 'ff5008', 'ff1500000000', 'ff18', '6648e800000000'])
      expect(one(hex)).toMatchObject({ flow: 'call', movable: false });
    for (const hex of ['e0fe', 'e1fe', 'e2fe', 'e3fe', '67e3fe'])
      expect(one(hex)).toMatchObject({ flow: 'loop', relative: -2, movable: false });
  });
  test('what AMD and Intel read differently', () => {
    for (const hex of ['66e900000000', '66e800000000', '660f8400000000']) expect(decode(bytes(hex), 0)).toBeNull();
    for (const hex of ['66eb00', '667400', '66c3', '66c20000', '66ffe0']) expect(one(hex).movable).toBe(false);
  });
});

describe('address-dependent and privileged', () => {
  test('RIP-relative operands say where their displacement is', () => {
    expect(one('488b0d00000000')).toMatchObject({ ripAt: 3, movable: true });
    expect(one('c70500000000 01000000')).toMatchObject({ ripAt: 2, movable: true });
    expect(one('c5f96f0500000000')).toMatchObject({ ripAt: 4, movable: true });
    expect(one('62f17c48100500000000')).toMatchObject({ ripAt: 6, movable: true });
    expect(one('8b0400').ripAt).toBe(-1);
    expect(one('8b042500000000').ripAt).toBe(-1);
    expect(one('678b0500000000')).toMatchObject({ ripAt: 3, movable: false });
  });
  test.each([
    '0f05 0f34 0f07 0f35 cd80 cc f1 0f0b 0fb9c0 0fffc0 f4 fa fb', // system calls, traps, hlt
    'e400 e500 e600 e700 ec ed ee ef 6c 6d 6e 6f', // ports
    '0f06 0f08 0f09 0f30 0f32 0f33 0f20c0 0f22c0 0f2000 0faa 0f01c1 0f0110 0f01d0 0f00c0 0f78c0 0f79c0', // system
    'c7f800000000 c6f800', // transactions
    'd9c0 dd4008 df28 9b d93c24', // x87
  ])('%s', (list) => {
    for (const hex of list.split(' ')) expect([hex, one(hex).movable]).toEqual([hex, false]);
  });
});

test('invalid in 64-bit mode', () => {
  const list =
    '06 07 0e 16 17 1e 1f 27 2f 37 3f 60 61 82 9a ce d4 d5 d6 ea 0f04 0f0a 0f24 0f3b 0fa6 8dc0 fed0 ffff c6c8 c7c8';
  for (const hex of [
    ...list.split(' '),
    '48c5f877',
    '66c5f877',
    'f0c5f877',
    '40 62f17c481040',
    '0fb8c1',
    '0f38ff',
    '0f3aff',
    '8fe0',
  ])
    expect([hex, decode(bytes(hex, '00'.repeat(12)), 0)]).toEqual([hex, null]);
});

test('more than 15 bytes are none, even as prefixes', () => {
  expect(decode(bytes('66'.repeat(14), '90'), 0)?.length).toBe(15);
  expect(decode(bytes('66'.repeat(15), '90'), 0)).toBeNull();
  expect(decode(bytes('2e'.repeat(9), '48b80000000000000000'), 0)).toBeNull();
  expect(decode(bytes('66'.repeat(40)), 0)).toBeNull();
});

test('property: an answer does not depend on what follows, and a cut instruction has none', () => {
  const escapes = fc.constantFrom(
    '',
    '',
    '0f',
    '0f38',
    '0f3a',
    'c5',
    'c4e2',
    'c4e3',
    '62f1',
    '62f2',
    '8fe9',
    '66',
    '48',
    'f2',
  );
  fc.assert(
    fc.property(escapes, fc.uint8Array({ minLength: 20, maxLength: 20 }), (escape, tail) => {
      const code = new Uint8Array([...bytes(escape), ...tail]);
      const found = decode(code, 0);
      if (found === null) return;
      expect(decode(code.subarray(0, found.length), 0)).toEqual(found);
      for (let cut = 0; cut < found.length; cut++) expect(decode(code.subarray(0, cut), 0)).toBeNull();
    }),
    { numRuns: 3000 },
  );
});
