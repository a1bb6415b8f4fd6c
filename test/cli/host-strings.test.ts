import { expect, test } from '@jest/globals';
import { environmentBytes, argvBytes, fromBytes, toBytes } from '../../src/cli/host-strings.js';
import fc from 'fast-check';

test('text and bytes', () => {
  expect(toBytes('aé€')).toBe('a\xc3\xa9\xe2\x82\xac');
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => fromBytes(toBytes(text)) === text));
});

test('arguments and environment are bytes', () => {
  expect(argvBytes(['x', 'é'])).toEqual(['x', '\xc3\xa9']);
  process.env['LEVITATE_TEST_BYTES'] = 'ü';
  expect(environmentBytes()['LEVITATE_TEST_BYTES']).toBe('\xc3\xbc');
  delete process.env['LEVITATE_TEST_BYTES'];
});
