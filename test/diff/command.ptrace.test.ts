/** levitate-diff as a command: what is the same, what is not, what cannot be compared, as root and not. */
import { describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cachedRootfs } from '../../rootfs/provide.js';

const COMMAND = join(import.meta.dirname, '../../dist/bin/levitate-diff.cjs');
const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' };

function run(words: string[], options: { uid?: number; gid?: number } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...words], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
    ...options,
  });
  return { status, stdout, stderr };
}
const scratch = (): string[] =>
  ['/dev/shm', tmpdir()].flatMap((place) => readdirSync(place).filter((name) => name.startsWith('levitate-diff-')));

describe('the same', () => {
  test('busybox sort', () => {
    const { status, stdout } = run(['--', 'busybox', 'sort', '/etc/passwd']);
    expect(stdout).toMatch(/^nothing differs: \d+ calls and events in 1 task, on this host and in levitate\n$/);
    expect(status).toBe(0);
  });
  test('a shell, its children and their signals', () => {
    const script = 'for i in 1 2 3; do (exit $i); done; trap "echo hup" HUP; kill -HUP $$; sleep 0.1; cat /etc/passwd';
    const { status, stdout } = run(['--all', '--', 'busybox', 'sh', '-c', script]);
    expect(stdout).toMatch(/^nothing differs: \d+ calls and events in 6 tasks/);
    expect(status).toBe(0);
  });
  test('standard input, environment and folder reach both', () => {
    const folder = mkdtempSync(join(tmpdir(), 'levitate-diff-test-'));
    try {
      const file = join(folder, 'input');
      writeFileSync(file, 'one\ntwo\n');
      const words = ['--stdin', file, '-e', 'X=7', '--cwd', '/etc', '--', 'busybox', 'sh', '-c'];
      expect(run([...words, 'read a; test $a$X$PWD = one7/etc && echo good >&2']).status).toBe(0);
      const { status, stdout } = run(['--ignore', 'read', ...words, 'cat; echo $X; pwd']);
      expect(stdout).toMatch(/^nothing differs/);
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  test('a root of its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'levitate-diff-test-'));
    try {
      mkdirSync(join(folder, 'bin'));
      spawnSync('cp', [join(cachedRootfs()!, 'busybox'), join(folder, 'bin/busybox')]);
      writeFileSync(join(folder, 'text'), 'b\na\n');
      expect(run(['--root', folder, '--', '/bin/busybox', 'sort', '/text']).status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('different', () => {
  test('a file with other contents: the call that reads it', () => {
    const { status, stdout } = run(['--', 'busybox', 'grep', 'Linux', '/proc/version']);
    expect(stdout).toContain('the first difference: read, argument buf, in task 1 (');
    expect(stdout).toContain('    open("/proc/version", O_RDONLY|O_LARGEFILE) = 3');
    expect(stdout).toMatch(/\n {2}- read\(3, "Linux version .*\n.*\^\n {2}\+ read\(3, "Linux version /);
    expect(status).toBe(1);
  });
  test('all of them, grouped', () => {
    const { status, stdout } = run(['--all', '--', 'busybox', 'grep', 'Linux', '/proc/version']);
    expect(stdout).toMatch(/^read: 1 difference\n/);
    expect(stdout).toMatch(/\nwritev: 1 difference\n/);
    expect(status).toBe(1);
  });
  test('all of them, for programs', () => {
    const { status, stdout, stderr } = run(['--json', '--', 'busybox', 'grep', 'Linux', '/proc/version']);
    const [first, ...rest] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ task: '1', call: 'read', where: 'buf', host: expect.stringContaining('read(3, ') });
    expect(rest).toMatchObject([{ call: 'writev' }]);
    expect(stderr).toMatch(/^\d+ calls and events in 1 tasks\n$/);
    expect(status).toBe(1);
  });
  test('without the calls that differ, it is the output', () => {
    const { status, stdout } = run(['--ignore', 'read,writev', '--', 'busybox', 'grep', 'Linux', '/proc/version']);
    expect(stdout).toMatch(/\nstdout differs, from byte \d+ on: "/);
    expect(status).toBe(1);
  });
});

describe('not to be compared', () => {
  test.each([
    [['--context', 'x', '--', 'busybox'], "--context: 'x' is not a number"],
    [['--nonsense'], 'Unknown argument: nonsense'],
    [[], 'no program given'],
    [['--', 'no-such-program'], 'no-such-program: cannot be run from this root on the host: No such file'],
    [['--root', '/nonexistent', '--', 'busybox'], 'ENOENT'],
    [['--cwd', '/nonexistent', '--', 'busybox'], '--cwd /nonexistent'],
  ])('%j', (words, message) => {
    const { status, stdout, stderr } = run(words);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });
  test('neither run ends', () => {
    const { status, stdout } = run(['--timeout', '300ms', '--', 'busybox', 'sleep', '100']);
    expect(stdout).toContain('the run on the host was ended by --timeout');
    expect(status).toBe(2);
  });
  test('help teaches', () => {
    const { status, stdout } = run(['--help']);
    expect(stdout).toContain('The program really runs on this host');
    expect(status).toBe(0);
  });
});

describe('around it', () => {
  test('nothing is left, also when it is interrupted', async () => {
    const before = scratch();
    const child = spawn(process.execPath, [COMMAND, '--', 'busybox', 'sleep', '4242'], { env, stdio: 'ignore' });
    const sleeping = (): boolean => spawnSync('pgrep', ['-f', '^busybox sleep 4242$']).status === 0;
    for (let i = 0; i < 200 && !sleeping(); i++) await sleep(50);
    expect(sleeping()).toBe(true);
    const ended = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    for (let i = 0; i < 40 && sleeping(); i++) await sleep(50);
    expect(sleeping()).toBe(false);
    expect(scratch()).toEqual(before);
  });

  const nobody = process.getuid?.() === 0 && userNamespaces() ? test : test.skip;
  nobody('as an ordinary user', () => {
    const cache = mkdtempSync(join(tmpdir(), 'levitate-diff-test-'));
    try {
      chmodSync(cache, 0o755);
      const folder = join(cache, 'root');
      mkdirSync(join(folder, 'bin'), { recursive: true });
      spawnSync('cp', [join(cachedRootfs()!, 'busybox'), join(folder, 'bin/busybox')]);
      writeFileSync(join(folder, 'text'), 'b\na\n');
      const { status, stdout, stderr } = run(['--root', folder, '--', '/bin/busybox', 'sort', '/text'], {
        uid: 65534,
        gid: 65534,
      });
      expect({ status, stderr, stdout: stdout.slice(0, 15) }).toEqual({
        status: 0,
        stderr: '',
        stdout: 'nothing differs',
      });
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  });
});

function userNamespaces(): boolean {
  return spawnSync('unshare', ['-U', 'true'], { uid: 65534, gid: 65534 }).status === 0;
}
