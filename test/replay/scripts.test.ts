/** Scripts played on the script platform: no process, no tracing. And what a wrong file says. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay } from '../../src/replay/replay.js';

const SCRIPTS = join(import.meta.dirname, '../syscalls');
const WRONG = join(import.meta.dirname, 'wrong.strace');
const names = readdirSync(SCRIPTS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.strace'))
  .sort();

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'levitate-scripts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function differences(file: string): Promise<string[]> {
  const found: string[] = [];
  await replay({ file, differ: ({ line, what, now }) => found.push(`${line}: ${what} | ${now}`) });
  return found;
}
let count = 0;
function write(text: string | Uint8Array, ending = '.strace'): string {
  const file = join(folder, `script-${count++}${ending}`);
  writeFileSync(file, text);
  return file;
}

test.each(names)('%s', async (name) => {
  expect(await differences(join(SCRIPTS, name))).toEqual([]);
});

test('what does not come out as written is found, and the rest goes on', async () => {
  const found = await differences(WRONG);
  expect(found.map((text) => text.replace(/ \|.*/s, ''))).toEqual([
    '4: argument 2 (buf) differs',
    '5: the result is 0, not 1',
    '6: the error is none, not EBADF',
  ]);
});

test.each([4096, 16384, 65536])('pages of %d bytes', async (size) => {
  const area = `area = mmap(NULL, ${2 * size}, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)`;
  const lines = [`@pages ${size}`, area, `munmap(area+${size / 2}, 1) = -1 EINVAL`, `munmap(area+${size}, 1) = 0`];
  expect(await differences(write(`${lines.join('\n')}\n@memory more 70000 "x"\n@expect more "x"\n`))).toEqual([]);
});

test('twice the same', async () => {
  const file = WRONG;
  expect(await differences(file)).toEqual(await differences(file));
});

const HEADER = '{"levitate":1,"arch":"x86_64","argv":["x"],"env":[],"cwd":"/","started":"0"}\n';
describe('files that cannot be read', () => {
  test.each([
    ['frobnicate(1) = 0\n', '.strace', /there is no system call frobnicate|1:1/],
    ['@pages 5000\n', '.strace', /:1:8: pages have 4096, 16384, 65536 bytes/],
    ['close(nobody) = 0\n', '.strace', /:1:7: descriptor: unknown name 'nobody'/],
    ['nanosleep({tv_sec=nobody, tv_nsec=0}, NULL) = 0\n', '.strace', /:1:19: unknown name 'nobody'/],
    ['poll([{fd=0, events=POLLIN|POLLINN}], 1, 0) = 0\n', '.strace', /:1:28: unknown name 'POLLINN'/],
    ['rt_sigprocmask(SIG_BLOCK, [USR1 USR3], NULL, 8) = 0\n', '.strace', /:1:33: unknown name 'USR3'/],
    ['\nsetgroups(2, [0, group]) = 0\n', '.strace', /:2:18: unknown name 'group'/],
    ['bind(3, {sa_family=AF_INET, sin_port=htons(port)}, 16) = 0\n', '.strace', /:1:44: unknown name 'port'/],
    ['nanosleep({tv_sek=1, tv_nsec=0}, NULL) = 0\n', '.strace', /:1:19: there is no field tv_sek/],
    ['close(3\n', '.strace', /:1:\d+: '\)' is missing/],
    ['@frob x\n', '.strace', /:1:2: there is no directive @frob/],
    ['@file /x\n', '.strace', /:1:7: @file PATH MODE/],
    ['close("x") = 0\n', '.strace', /:1:7: descriptor: a string where a number belongs/],
    ['\n\nwhat is this\n', '.strace', /:3:1: a call, signal, end or directive belongs here/],
    ['12 close(3) = what\n', '', /:1:\d+: this is no result/],
    ['{"levitate":7}\n', '', /:1:1: a recording of version 7; this program reads version 1/],
    ['{"levitate":1}\n', '', /:1:1: the header lacks arch/],
    [`${HEADER}{"k":"call","tid":1,"at":2,"took":3,"call":"read","args":""}\n`, '', /:2:1: call without its ret/],
    [`${HEADER}not json\n{}\n`, '', /:2:1: not JSON/],
    ['\x7fELF\x02\x01\x01\0\0\0', '', /:1:1: this is no line of strace/],
  ])('%j', async (text, ending, message) => {
    const file = write(text, ending);
    const outcome = await differences(file).catch((error: unknown) => error as Error);
    expect(outcome instanceof Error ? outcome.message : String(outcome)).toMatch(message);
    if (outcome instanceof Error) expect(outcome.name).toBe('TraceFileError');
  });

  test('binary rubbish, as a recording and as a script', async () => {
    const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7919) & 255);
    for (const ending of ['', '.strace'])
      await expect(differences(write(bytes, ending))).rejects.toMatchObject({ name: 'TraceFileError' });
  });

  test('a recording that was cut off anywhere', async () => {
    const whole = [
      HEADER.trimEnd(),
      '{"k":"call","tid":1,"at":1,"took":1,"call":"getpid","args":"","ret":"= 1"}',
      '{"k":"call","tid":1,"at":2,"took":1,"call":"getuid","args":"","ret":"= 0"}',
      '',
    ].join('\n');
    for (let length = whole.indexOf('\n') + 1; length <= whole.length; length += 7)
      expect(await differences(write(whole.slice(0, length), ''))).toEqual([]);
  });
});
