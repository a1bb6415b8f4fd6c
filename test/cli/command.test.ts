// The command as users start it: exit statuses, streams, and that nothing of ours appears on stdout.
import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const command = join(import.meta.dirname, '../../dist/bin/levitate-run.cjs');

function levitate(
  words: string[],
  env: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

test('--version', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  for (const words of [['--version'], ['-V'], ['--report', '--version']]) {
    expect(levitate(words)).toEqual({
      status: 0,
      stdout: `levitate ${version} (Node ${process.version}, linux ${process.arch})\n`,
      stderr: '',
    });
  }
});

test('--help goes to stdout', () => {
  const { status, stdout, stderr } = levitate(['--help']);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Usage: levitate-run \[options\] PROGRAM/);
});

test.each<[string[], RegExp]>([
  [[], /^levitate-run: no program given\nTry 'levitate-run --help'\.\n$/],
  [['--report'], /no program given/],
  [['--wrong', 'x'], /^levitate-run: .*wrong/],
  [['--timeout', 'soon', 'x'], /^levitate-run: --timeout: 'soon' is not a time/],
  [['--platform', 'script', 'true'], /^levitate-run: the script platform runs no programs: .*levitate-replay/],
  [['--root'], /^levitate-run: --root needs a value/],
])('%j: one message on stderr, exit status 125', (words, message) => {
  const { status, stdout, stderr } = levitate(words);
  expect([status, stdout]).toEqual([125, '']);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/at .*\(/); // no stack
});

test('an unknown subcommand-like word is a program, not an option', () => {
  expect(levitate(['--complete', 'levitate-run', '--ver']).stdout).toContain('--version');
});

test('the code cache is private, and a bad or foreign one is ignored', () => {
  const home = mkdtempSync(join(tmpdir(), 'levitate-home-'));
  try {
    const env = { XDG_CACHE_HOME: join(home, 'absent', 'deep') };
    expect(levitate(['--version'], env).status).toBe(0);
    expect(levitate(['--version'], { XDG_CACHE_HOME: '/proc/nowhere' }).status).toBe(0);
  } finally {
    rmSync(home, { recursive: true });
  }
});
