/** Programs of other run-time systems say in levitate what they say natively in the same machine. */
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAMS = join(import.meta.dirname, '../../guests/languages');
const LEVITATE = join(import.meta.dirname, '../../dist/bin/levitate-run.cjs');
const LIMIT_MS = 400_000;

test.each([
  ['go', 0],
  ['rust', 0],
  ['threads', 7],
])('%s', (name, status) => {
  const root = mkdtempSync(join(tmpdir(), 'levitate-languages-'));
  try {
    mkdirSync(join(root, 'tmp'));
    cpSync(join(PROGRAMS, name), join(root, name));
    const options = { encoding: 'utf8', timeout: LIMIT_MS, input: '' } as const;
    const env = { PATH: '/bin', NODE_OPTIONS: '--jitless' };
    const host = spawnSync(join(root, name), [], { ...options, env, cwd: join(root, 'tmp') });
    expect({ status: host.status, stderr: host.stderr }).toEqual({ status, stderr: '' });
    const words = [LEVITATE, '--root', root, '--cwd', '/tmp', `/${name}`];
    const guest = spawnSync(process.execPath, words, { ...options, env });
    expect(guest.stdout).toBe(host.stdout);
    expect(guest.status).toBe(status);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
