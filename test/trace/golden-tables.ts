/** What the golden tables share: the styles they run in, and names for values that many cases use. */
import { describe, expect, test } from '@jest/globals';
import { available, compare, u64, type Case } from './golden.js';

export const AT_FDCWD = -100;
const arch = process.arch === 'x64' ? 'x86_64' : 'aarch64';
export const x86 = arch === 'x86_64';
/** An address that nobody has. */
export const BAD = 0xdead0000n;
export const ts = (sec: number, nsec: number) => u64(sec, nsec);
const check = available('strace') && available('gcc') ? test : test.skip;

/** strace's options, which ours are too. */
const STYLES = [
  '',
  '-v',
  '-v -s 4096',
  '-x -s 5',
  '-xx -s 64',
  '-X raw',
  '-X verbose -v',
  '-e verbose=none',
  '-e raw=!write',
  '-y',
];

/** A test for each style: the table under the host's strace, and ours. */
export function golden(name: string, cases: Case[]): void {
  describe(name, () => {
    for (const options of STYLES) {
      check(`strace ${options}`, () => {
        const { expected, actual } = compare(cases, arch, options);
        expect(actual).toEqual(expected);
      });
    }
  });
}
