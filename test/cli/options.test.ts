// The command line: what is ours, what is the guest's, and every value's check.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from '../../src/cli/parse.js';
import {
  OPTIONS,
  UsageError,
  parseMemory,
  parsePids,
  parseTimeout,
  toRunOptions,
  type RunOptions,
} from '../../src/cli/options.js';

async function options(words: string[], host: Record<string, string> = {}): Promise<RunOptions> {
  const parsed = await parse(words, host, 100);
  return toRunOptions(parsed.raw, words.slice(parsed.program), host);
}

describe('where our options end', () => {
  test.each<[string[], string[]]>([
    [
      ['-r', '/x', 'busybox', 'ls', '--color', '-la'],
      ['busybox', 'ls', '--color', '-la'],
    ],
    [
      ['--root=/x', 'busybox', '--root', 'y'],
      ['busybox', '--root', 'y'],
    ],
    [
      ['--strace', 'busybox', 'ls'],
      ['busybox', 'ls'],
    ],
    [
      ['--strace', '--summary', 'ls', '--help'],
      ['ls', '--help'],
    ],
    [
      ['--', '--strange-program', '-x'],
      ['--strange-program', '-x'],
    ],
    [
      ['--report', '--', '--', 'x'],
      ['--', 'x'],
    ],
    [
      ['--tty', '-', 'x'],
      ['-', 'x'],
    ],
    [
      ['ls', '--', '-x'],
      ['ls', '--', '-x'],
    ],
    [
      ['--report', '', 'x'],
      ['', 'x'],
    ],
  ])('%j', async (words, argv) => {
    expect((await options(words)).argv).toEqual(argv);
  });

  test("whatever the guest's words are, they arrive unchanged", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('--root', '-e', '--', '--help', '--strace=x')), {
          maxLength: 5,
        }),
        async (words) => {
          expect((await options(['--report', 'prog', ...words])).argv).toEqual(['prog', ...words]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('values', () => {
  test('all options at once', async () => {
    const words =
      '--root r.tar -e A=1 -eB=2 --env C --cwd /tmp --user 1000:users --hostname box --timeout 1.5m --memory 64M'.split(
        ' ',
      );
    words.push(
      ...'--pids 20 --strace=t.txt --summary --report --log-level debug --platform script --no-tty prog arg'.split(' '),
    );
    expect(await options(words, { C: '3', D: '4', TERM: 'xterm' })).toEqual({
      argv: ['prog', 'arg'],
      root: 'r.tar',
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        TERM: 'xterm',
        A: '1',
        B: '2',
        C: '3',
      },
      clearEnv: false,
      cwd: '/tmp',
      user: '1000:users',
      hostname: 'box',
      timeoutMs: 90_000,
      memoryBytes: 64 * 2 ** 20,
      pids: 20,
      strace: 't.txt',
      summary: true,
      platform: 'script',
      logLevel: 'debug',
      report: true,
      tty: false,
    });
  });

  test('nothing given', () => {
    expect(toRunOptions({}, ['x'], { HOME: '/home/me', SECRET: 'no' })).toEqual({
      argv: ['x'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      clearEnv: false,
      platform: 'ptrace',
      logLevel: 'warn',
      report: false,
    });
  });

  test.each<[string[], Partial<RunOptions>]>([
    [['--pids', '5', '--pids=7', 'x'], { pids: 7 }],
    [['--clear-env', '--env', 'A=', 'x'], { env: { A: '' }, clearEnv: true }],
    [['--env', 'A=b=c', '--clear-env', 'x'], { env: { A: 'b=c' } }],
    [['--clear-env', '--env', 'ABSENT', 'x'], { env: {} }],
    [['--clear-env', '--env', '-x=-y', 'x'], { env: { '-x': '-y' } }],
    [['--clear-env', '-e', '__proto__=1', 'x'], { env: Object.fromEntries([['__proto__', '1']]) }],
    [['--root', '-odd-', 'x'], { root: '-odd-' }],
    [['--root', '0123', 'x'], { root: '0123' }],
    [['--strace=', 'x'], { strace: true }],
    [['--strace-options=-v', '--strace-options', '-s 5', 'x'], { strace: true, straceOptions: ['-v', '-s 5'] }],
    [['--strace=t', '--strace-options=-v', 'x'], { strace: 't', straceOptions: ['-v'] }],
    [['--hostname', '1e3', 'x'], { hostname: '1e3' }],
    [['-u', '007', 'x'], { user: '007' }],
  ])('%j', async (words, expected) => {
    expect(await options(words)).toMatchObject(expected);
  });

  test('options from the environment give way to those of the command line', async () => {
    const host = {
      LEVITATE_PIDS: '9',
      LEVITATE_ROOT: '/env',
      LEVITATE_STRACE: '',
      LEVITATE_REPORT: '1',
      LEVITATE_ERRNO_ORIGIN: '1',
    };
    expect(await options(['--root', '/line', 'x'], host)).toMatchObject({
      root: '/line',
      pids: 9,
      strace: true,
      report: true,
    });
    await expect(options(['--report', 'x'], { LEVITATE_PIDS: 'many' })).rejects.toThrow("--pids: 'many'");
  });

  test.each<[string[], RegExp]>([
    [['--nonsense', 'x'], /nonsense/],
    [['-Z', 'x'], /Z/],
    [['--root'], /--root needs a value/],
    [['-r'], /-r needs a value/],
    [['--root=', 'x'], /--root/],
    [['--timeout', '10x', 'x'], /--timeout: '10x' is not a time/],
    [['--timeout', '0', 'x'], /--timeout/],
    [['--timeout', '-5', 'x'], /--timeout/],
    [['--memory', '5', 'x'], /--memory: '5' is not a size from 1M/],
    [['--memory', '99999T', 'x'], /--memory/],
    [['--pids', '0', 'x'], /--pids/],
    [['--pids', '1.5', 'x'], /--pids/],
    [['--hostname', 'a b', 'x'], /--hostname/],
    [['--hostname', 'x'.repeat(65), 'x'], /--hostname/],
    [['--cwd', 'tmp', 'x'], /--cwd: 'tmp' is not an absolute path/],
    [['--user', ':5', 'x'], /--user/],
    [['--user', '4294967295', 'x'], /--user/],
    [['--env', '=x', 'x'], /--env/],
    [['--platform', 'kvm', 'x'], /platform/],
    [['--log-level', 'loud', 'x'], /log-level/],
  ])('%j is refused', async (words, message) => {
    await expect(options(words)).rejects.toThrow(message);
    await expect(options(words)).rejects.toBeInstanceOf(UsageError);
  });

  test('times, sizes and counts', () => {
    expect(['30', '30s', '500ms', '.5', '5m', '2h', '1d'].map(parseTimeout)).toEqual([
      3e4, 3e4, 500, 500, 3e5, 72e5, 864e5,
    ]);
    expect(['1M', '1MiB', '2g', '1.5G', '1048576', '1T', '2048KB'].map(parseMemory)).toEqual([
      2 ** 20,
      2 ** 20,
      2 ** 31,
      1.5 * 2 ** 30,
      2 ** 20,
      2 ** 40,
      2 ** 21,
    ]);
    expect(['1', '4194304'].map(parsePids)).toEqual([1, 4_194_304]);
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const check of [parseTimeout, parseMemory, parsePids]) {
          try {
            if (!(check(text) > 0)) throw new Error(`${text} gave ${check(text)}`);
          } catch (error) {
            if (!(error instanceof UsageError)) throw error;
          }
        }
      }),
    );
  });
});

describe('what is printed', () => {
  test('help names every option and the exit statuses', async () => {
    const { print } = await parse(['--help'], {}, 100);
    for (const name of Object.keys(OPTIONS)) expect(print).toContain(`--${name}`);
    for (const status of ['124', '125', '126', '127', '128+N']) expect(print).toContain(status);
    expect(Math.max(...print!.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test('completion', async () => {
    const { print } = await parse(['--complete', 'levitate-run', '--pl'], {}, 100);
    expect(print).toBe('--platform');
    expect((await parse(['--complete', 'levitate-run', '--platform', ''], {}, 100)).print).toBe('ptrace\nscript');
    expect((await parse(['--complete', 'levitate-run', '--log-level=d'], {}, 100)).print).toContain(
      '--log-level=debug',
    );
    expect((await parse(['--complete', 'levitate-run', ''], {}, 100)).print).toBe('');
    expect((await parse(['--completion-script'], {}, 100)).print).toContain('complete -F _levitate_run levitate-run');
  });
});
