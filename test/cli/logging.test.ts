// Diagnostics go to stderr, JSON lines where it is no terminal, readable where it is one; stdout never sees them.
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const program = `
  import { createLog } from './src/cli/logging.ts';
  const log = createLog(process.argv.at(-1));
  log.debug({ a: 1 }, 'details'); log.warn({ pid: 7 }, 'careful'); log.error('plain');
  process.exit(0);`;

function bundle(): string {
  const esbuild = join(root, 'node_modules/esbuild/bin/esbuild');
  const words = ['--bundle', '--format=cjs', '--platform=node', '--log-level=error', '--define:import.meta.url=__url'];
  const banner = `--banner:js=var __url=${JSON.stringify(`file://${root}/src/cli/logging.ts`)};`;
  const result = spawnSync(esbuild, [...words, banner], { input: program, cwd: root, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(result.stderr);
  return result.stdout;
}
const code = bundle();

test('JSON lines on a pipe, from the level on', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', code, 'x', 'warn'], { encoding: 'utf8', cwd: root });
  expect(stdout).toBe('');
  const records = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(records.map((record) => [record['level'], record['pid'], record['msg']])).toEqual([
    [40, 7, 'careful'],
    [50, expect.any(Number), 'plain'],
  ]);
});

test('silent is silent, and loads nothing', () => {
  const spy =
    "const M=require('module');const load=M._load;M._load=(n,...r)=>{if(/pino/.test(n))console.log(n);return load(n,...r)};";
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', spy + code, 'x', 'silent'], {
    encoding: 'utf8',
    cwd: root,
  });
  expect([stdout, stderr]).toEqual(['', '']);
});

test('readable on a terminal', () => {
  const terminal = 'Object.defineProperty(process.stderr,"isTTY",{value:true});';
  const env = { ...process.env, NO_COLOR: '1' };
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', terminal + code, 'x', 'debug'], {
    encoding: 'utf8',
    cwd: root,
    env,
  });
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^\[\d\d:\d\d:\d\d\.\d+\] DEBUG: details\n {4}a: 1\n\[.*\] WARN.*: careful/);
});
