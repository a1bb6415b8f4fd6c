/** Bytes of texts, numbers and JSON, whatever the pieces they go through. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TextSink } from '../../src/trace/text-sink.js';
import { gathered } from './gathered.js';

const latin1 = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const lengths = fc.oneof(
  fc.nat(200),
  fc.constantFrom(95, 96, 97, 1023, 1024, 65_535, 65_536, 131_071, 131_072, 131_073, 300_000),
);
const text = fc.tuple(fc.string({ unit: latin1, minLength: 1 }), lengths).map(([unit, length]) => {
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
});
const number = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(0, 9, 10, 99, 100, 999_999_999, 1e9, 1e9 + 1, 1e12, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
);
const step = fc.oneof(
  text.map((value) => ({ put: value, said: value })),
  number.map((value) => ({ number: value, said: String(value) })),
  fc.string({ unit: fc.oneof(latin1, fc.constantFrom('"', '\\', '\n', '\u20ac')) }).map((value) => ({ json: value })),
  text.map((value) => ({ json: value })),
  fc.constant({ end: true, said: '' }),
  fc.constant({ flush: true, said: '' }),
);

test('what was put comes out, in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const written = gathered((out) => {
        for (const one of steps) {
          if ('put' in one) out.put(one.put);
          else if ('number' in one) out.number(one.number);
          else if ('json' in one) out.json(one.json);
          else if ('end' in one) out.end();
          else out.flush();
        }
      });
      // JSON may be spelled in several ways: it is ASCII, and read back it is the same.
      let at = 0;
      for (const one of steps) {
        if ('said' in one) {
          expect(written.slice(at, at + one.said.length)).toBe(one.said);
          at += one.said.length;
        } else {
          const [json] = /^"(?:[^"\\]|\\.)*"/.exec(written.slice(at))!;
          expect(json).toMatch(/^[\x20-\x7e]*$/);
          expect(JSON.parse(json)).toBe(one.json);
          at += json.length;
        }
      }
      expect(at).toBe(written.length);
    }),
    { numRuns: 150 },
  );
});

test('pieces are written when there is enough, and what is late', async () => {
  const pieces: number[] = [];
  const out = new TextSink((bytes) => pieces.push(bytes.length), 20);
  out.add('x'.repeat(65_535));
  expect(pieces).toEqual([]);
  out.add('y');
  expect(pieces).toEqual([65_536]);
  out.onLate = () => out.put('!');
  out.add('z');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(pieces).toEqual([65_536, 2]);
  out.flush();
  expect(pieces).toEqual([65_536, 2]);
});
