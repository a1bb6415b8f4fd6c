/** src/build.mjs leaves nothing behind when it is killed. It runs in a tree of its own, with nothing in it to build. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');
let root: string;
const folders = (): string[] => readdirSync(root).filter((name) => name.startsWith('dist.'));
const build = (): string[] => [join(root, 'src/build.mjs'), 'bundles'];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'levitate-build-'));
  for (const folder of ['src', 'rootfs', 'dist/bin']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(join(repository, 'src/build.mjs'), join(root, 'src/build.mjs'));
  writeFileSync(join(root, 'package.json'), '{"version":"0.0.0","type":"module"}');
  writeFileSync(join(root, 'dist/bin/main.cjs'), '');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('what killed builds left goes with the next build; a build that runs keeps its own', () => {
  const dead = spawnedAndGone();
  for (const name of [`dist.${dead}`, `dist.${dead}.old`, `dist.${process.pid}`, 'dist.other']) {
    mkdirSync(join(root, name, 'bin'), { recursive: true });
  }
  execFileSync(process.execPath, build());
  expect(folders().sort()).toEqual([`dist.${process.pid}`, 'dist.other'].sort());
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s in the middle of a build', async (signal, status) => {
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  // The first thing that a build runs: it says so, and does not end.
  const recipe =
    "export const recipeHash = () => new Promise(() => { console.log('building'); setInterval(() => {}, 1000); });";
  writeFileSync(join(root, 'rootfs/recipe.ts'), recipe);
  const child = spawn(process.execPath, build(), { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  expect(folders()).toEqual([`dist.${child.pid}`]);
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([status, null]);
  expect(folders()).toEqual([]);
});

/** A process id that was in use and is not any more. */
function spawnedAndGone(): number {
  return Number(execFileSync(process.execPath, ['-p', 'process.pid']).toString());
}
