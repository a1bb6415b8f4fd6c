/** Real programs, recorded by the host's strace and played into levitate: nothing differs. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Difference } from '../../src/replay/player.js';
import { replay } from '../../src/replay/replay.js';
import { RECORDED, type Recorded } from './recordings.js';

const PATIENCE_MS = 120_000;
const STRACE = ['-f', '-ttt', '-T', '-yy', '-v', '-xx', '-s', '65535'];

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'levitate-recordings-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function record({ argv, stdin }: Recorded, options: readonly string[]): string {
  const file = join(folder, `trace-${count}`);
  const cwd = join(folder, `work-${count++}`);
  mkdirSync(cwd);
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: cwd };
  const { error } = spawnSync('strace', [...options, '-o', file, ...argv], { cwd, env, input: stdin ?? 'one two\n' });
  // Most of them leave their input alone.
  if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  return file;
}
async function differences(file: string): Promise<{ calls: number; found: string[] }> {
  const found: string[] = [];
  const differ = ({ line, what, recorded, now }: Difference): void => {
    found.push(`${line}: ${what}\n- ${recorded.slice(0, 300)}\n+ ${now.slice(0, 300)}`);
  };
  const { calls } = await replay({ file, differ });
  return { calls, found };
}

test.each(RECORDED.map((recorded) => [recorded.name, recorded] as const))(
  '%s',
  async (_name, recorded) => {
    const { calls, found } = await differences(record(recorded, STRACE));
    expect(found).toEqual([]);
    expect(calls).toBeGreaterThan(10);
  },
  PATIENCE_MS,
);

test(
  'abbreviated recordings, as far as they go',
  async () => {
    const shell = { name: '', argv: ['busybox', 'sh', '-c', 'echo a > f; cat f; sleep 0.05 & wait'] };
    for (const options of [['-f'], ['-f', '-tt'], ['-f', '-r'], ['-f', '-y', '-s', '8'], ['-f', '-v']])
      expect((await differences(record(shell, options))).found).toEqual([]);
  },
  PATIENCE_MS,
);

test(
  'what a program did wrong is found: the recording says otherwise',
  async () => {
    const file = record({ name: '', argv: ['busybox', 'cat', '/etc/hostname'] }, STRACE);
    // The same bytes fewer by one, as a kernel with a bug would have it.
    execFileSync('sed', [
      '-i',
      '-E',
      's/(write\\(1.*\\) +=) ([0-9]+)/\\1 9\\2/; s/(sendfile\\(1.*\\) +=) ([1-9][0-9]*)/\\1 9\\2/',
      file,
    ]);
    expect((await differences(file)).found.length).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);
