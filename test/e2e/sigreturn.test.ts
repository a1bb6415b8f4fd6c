// rt_sigreturn(2) from frames that a handler has changed or moved: the host is the oracle.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checked, compile, levitate, scratch } from './leaks.js';

checked();

const onX86 = process.arch === 'x64' ? describe : describe.skip;

onX86('sigreturn', () => {
  let native = '';
  beforeAll(() => {
    mkdirSync(scratch('root/tmp'), { recursive: true });
    native = compile(readFileSync(join(import.meta.dirname, 'sigreturn.c'), 'utf8'), 'root/sigreturn', ['-w']);
  });

  test.each(['-', 'f', 'w', 'fw'])('restores what the host does (%s)', async (options) => {
    const expected = execFileSync(native, [options], { encoding: 'latin1' });
    expect(expected.split('\n')).toHaveLength(28);
    expect(await levitate(['--root', scratch('root'), '/sigreturn', options])).toMatchObject({
      status: 0,
      stdout: expected,
      stderr: '',
    });
  });
});
