// Texts that are kept: never another value's, and what is kept for flags is what would be made anew.
import { describe, expect, test } from '@jest/globals';
import { FLAG_SETS } from '../../src/abi/flags/index.js';
import { RecentTexts } from '../../src/trace/recent-texts.js';
import { date, flagList, flags } from '../../src/trace/text.js';

describe('recent texts', () => {
  test('a text is of one kind, architecture and value, whatever shares its place', () => {
    const texts = new RecentTexts();
    const [a, b] = [{}, {}];
    expect(texts.find(a, 'x86_64', 0)).toBeUndefined();
    texts.keep(a, 'x86_64', 7, 'seven');
    expect(texts.find(a, 'x86_64', 7)).toBe('seven');
    expect(texts.find(b, 'x86_64', 7)).toBeUndefined();
    expect(texts.find(a, 'aarch64', 7)).toBeUndefined();
    for (let value = 0; value < 70_000; value++)
      if (value !== 7) expect(texts.find(a, 'x86_64', value)).toBeUndefined();
    for (const value of [2 ** 32 + 7, 2 ** 52 + 7, -7]) expect(texts.find(a, 'x86_64', value)).toBeUndefined();
    texts.keep(a, 'x86_64', 7 + 2 ** 32, 'more');
    expect([texts.find(a, 'x86_64', 7), texts.find(a, 'x86_64', 7 + 2 ** 32)]).toEqual([undefined, 'more']);
  });

  test('flags of every value come out the same when they are asked for again, in between others', () => {
    const sets = [FLAG_SETS.open_mode_flags, FLAG_SETS.pollflags, FLAG_SETS.mmap_prot];
    const arches = ['x86_64', 'aarch64'] as const;
    const all = () =>
      sets.flatMap((set) =>
        arches.flatMap((arch) =>
          Array.from({ length: 600 }, (_, i) => {
            const value = BigInt(i * 4099);
            return [flags(set, { arch }, value), flags(set, { arch }, value, null), flagList(set, { arch }, value)];
          }),
        ),
      );
    const first = all();
    expect(all()).toEqual(first);
    const raw = flags(sets[0], { arch: 'x86_64', constants: 'raw' }, 0x40n);
    expect([raw, flags(sets[0], { arch: 'x86_64' }, 0x40n)]).toEqual(['0x40', 'O_CREAT']);
    expect(flags(sets[0], { arch: 'aarch64' }, 0x4000n)).not.toBe(flags(sets[0], { arch: 'x86_64' }, 0x4000n));
  });

  test('dates of far seconds are their own', () => {
    const nsec = 999_999_999;
    for (let round = 0; round < 2; round++) {
      expect(date(0n, 5n, nsec, 9)).toBe(' /* 1970-01-01T00:00:00.000000005+0000 */');
      expect(date(1n << 32n, 0n, nsec, 9)).toBe(' /* 2106-02-07T06:28:16+0000 */');
      expect(date(-1n, 0n, nsec, 9)).toBe(' /* 1969-12-31T23:59:59+0000 */');
      expect(date(2n ** 62n, 0, nsec, 9)).toBe(' /* 146138514283-06-19T07:45:04+0000 */');
      expect(date(2n ** 62n + 1n, 0, nsec, 9)).toBe(' /* 146138514283-06-19T07:45:05+0000 */');
      expect(date(-(2n ** 63n), 0, nsec, 9)).toBe(' /* -292277022657-01-27T08:29:52+0000 */');
      expect(date(-62_135_596_801, 0, nsec, 9)).toBe(' /* 0-12-31T23:59:59+0000 */');
      expect([date(0, 0, nsec, 9), date(5, -1, nsec, 9), date(5, 2n ** 63n, nsec, 9)]).toEqual(['', '', '']);
    }
  });
});
