/** What a replay makes of a recording's beginning, and of the numbers in it: links, names of one file, pids in paths. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replay } from '../../src/replay/replay.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'levitate-derived-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
async function differences(lines: readonly string[]): Promise<string[]> {
  const file = join(folder, `recording-${count++}`);
  writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
  const found: string[] = [];
  await replay({ file, arch: 'x86_64', differ: ({ line, what, now }) => found.push(`${line}: ${what} | ${now}`) });
  return found;
}
const stat = (type: string, size: number, nlink = 1, ino = 7): string =>
  `{st_dev=makedev(0x8, 0x1), st_ino=${ino}, st_mode=S_IF${type}|0777, st_nlink=${nlink}, st_uid=0, st_gid=0, ` +
  `st_blksize=4096, st_blocks=0, st_size=${size}, st_atime=0, st_mtime=0, st_ctime=0}`;
const entry = (name: string, type: string): string =>
  `{d_ino=1, d_off=1, d_reclen=24, d_type=DT_${type}, d_name="${name}"}`;
const listing = (size: number, ...entries: string[]): string[] => [
  `getdents64(3, [${[entry('.', 'DIR'), entry('..', 'DIR'), ...entries].join(', ')}], 32768) = ${size}`,
  'getdents64(3, [], 32768) = 0',
];

test('links that nobody read have their size, lead to what was behind them, and show nothing of it', async () => {
  const lines = [
    `lstat("/l", ${stat('LNK', 2)}) = 0`,
    `lstat("/d", ${stat('LNK', 1, 1, 8)}) = 0`,
    `lstat("/dangling", ${stat('LNK', 300, 1, 9)}) = 0`,
    'openat(AT_FDCWD, "/l", O_RDONLY) = 3',
    'read(3, "behind", 100) = 6',
    'close(3) = 0',
    'openat(AT_FDCWD, "/d/f", O_RDONLY) = 3',
    'read(3, "below", 100) = 5',
    'close(3) = 0',
    'openat(AT_FDCWD, "/dangling", O_RDONLY) = -1 ENOENT (No such file or directory)',
    'openat(AT_FDCWD, "/l", O_RDONLY|O_NOFOLLOW) = -1 ELOOP (Too many levels of symbolic links)',
    'openat(AT_FDCWD, "/", O_RDONLY|O_DIRECTORY) = 3',
    ...listing(
      224,
      ...['tmp', 'dev', 'proc', 'sys'].map((name) => entry(name, 'DIR')),
      ...['l', 'd', 'dangling'].map((name) => entry(name, 'LNK')),
    ),
  ];
  expect(await differences(lines)).toEqual([]);
});

test('the part of a link that the text shows', async () => {
  expect(await differences(['readlink("/l", "abc"..., 100) = 9', `lstat("/l", ${stat('LNK', 9)}) = 0`])).toEqual([]);
});

test('names of one file', async () => {
  const lines = [
    'openat(AT_FDCWD, "/a", O_RDONLY) = 3',
    'read(3, "hello", 100) = 5',
    'close(3) = 0',
    `stat("/a", ${stat('REG', 5, 3)}) = 0`,
    `stat("/b", ${stat('REG', 5, 3)}) = 0`,
    'unlink("/a") = 0',
    `stat("/b", ${stat('REG', 5, 2)}) = 0`,
    'openat(AT_FDCWD, "/b", O_RDWR) = 3',
    'read(3, "hello", 100) = 5',
    'unlink("/b") = 0',
    `fstat(3, ${stat('REG', 5, 1)}) = 0`,
  ];
  expect(await differences(lines)).toEqual([]);
  // Written through one name, seen through the other.
  const shared = [
    `stat("/x", ${stat('REG', 2, 2)}) = 0`,
    `stat("/y", ${stat('REG', 2, 2)}) = 0`,
    'openat(AT_FDCWD, "/x", O_RDWR|O_APPEND) = 3',
    'write(3, "more", 4) = 4',
    `stat("/y", ${stat('REG', 6, 2)}) = 0`,
  ];
  expect(await differences(shared)).toEqual([]);
});

test('names that the recording made are none of the beginning', async () => {
  const lines = [
    'openat(AT_FDCWD, "/a", O_RDONLY) = 3',
    'link("/a", "/b") = 0',
    'link("/b", "/c") = 0',
    'rename("/c", "/d") = 0',
    `fstat(3, ${stat('REG', 0, 3)}) = 0`,
    'unlink("/b") = 0',
    `stat("/a", ${stat('REG', 0, 2)}) = 0`,
  ];
  expect(await differences(lines)).toEqual([]);
  const wrong = [...lines.slice(0, -1), `stat("/a", ${stat('REG', 0, 3)}) = 0`];
  expect(await differences(wrong)).toHaveLength(1);
});

test('paths of procfs name the process of now', async () => {
  const lines = [
    '4000 fork() = 4001',
    '4001 getpid() = 4001',
    '4000 readlink("/proc/4001/cwd", "/", 100) = 1',
    '4000 openat(AT_FDCWD, "/proc/4001/comm", O_RDONLY) = 3',
    '4000 access("/proc/4000/task/4000/stat", F_OK) = 0',
    '4000 access("/proc/4001/task/4000", F_OK) = -1 ENOENT (No such file or directory)',
    '4000 access("/proc/4000000/comm", F_OK) = -1 ENOENT (No such file or directory)',
    '4001 exit_group(0) = ?',
    '4001 +++ exited with 0 +++',
    '4000 exit_group(0) = ?',
    '4000 +++ exited with 0 +++',
  ];
  expect(await differences(lines)).toEqual([]);
});

describe('a sleeper that was woken late', () => {
  const begin = [
    '1 pipe2([3, 4], 0) = 0',
    '1 fork() = 2',
    '1 close(4) = 0',
    '1 poll([{fd=3, events=POLLIN}], 1, -1 <unfinished ...>',
    '2 write(4, "a", 1) = 1',
    '2 write(4, "bc", 2) = 2',
    '2 close(4) = 0',
  ];
  const polled = (events: string): string => `1 <... poll resumed>) = 1 ([{fd=3, revents=${events}}])`;

  test.each(['POLLIN', 'POLLIN|POLLHUP'])('poll found %s', async (events) => {
    expect(await differences([...begin, polled(events), '1 read(3, "abc", 10) = 3'])).toEqual([]);
  });
  describe('between two calls of another', () => {
    const both = [
      '1 pipe2([3, 4], 0) = 0',
      '1 pipe2([5, 6], 0) = 0',
      '1 fork() = 2',
      '1 close(4) = 0',
      '1 close(6) = 0',
      '1 poll([{fd=3, events=POLLIN}, {fd=5, events=POLLIN}], 2, -1 <unfinished ...>',
      '2 write(4, "a", 1) = 1',
      '2 close(4) = 0',
    ];
    const found = (count: number, list: string): string => `1 <... poll resumed>) = ${count} ([${list}])`;
    const CLOSING = ['2 close(6 <unfinished ...>', '2 <... close resumed>) = 0'];
    const ENDING = ['2 exit_group(0 <unfinished ...>', '2 <... exit_group resumed>) = ?'];
    test.each([
      ['close', CLOSING],
      ['exit_group', ENDING],
    ])('before a %s', async (_name, [begun, over]) => {
      const one = found(1, '{fd=3, revents=POLLIN|POLLHUP}');
      expect(await differences([...both, begun, one, over])).toEqual([]);
    });
    test('before the second descriptor that its end closes', async () => {
      const lines = both.filter((line) => line !== '2 close(4) = 0');
      const one = found(1, '{fd=3, revents=POLLIN|POLLHUP}');
      expect(await differences([...lines, ENDING[0], one, ENDING[1]])).toEqual([]);
    });
    test('after both', async () => {
      const two = found(2, '{fd=3, revents=POLLIN|POLLHUP}, {fd=5, revents=POLLHUP}');
      expect(await differences([...both, CLOSING[0], two, CLOSING[1]])).toEqual([]);
    });
    test('never', async () => {
      const one = found(1, '{fd=5, revents=POLLHUP}');
      expect(await differences([...both, CLOSING[0], one, CLOSING[1]])).toHaveLength(1);
    });
  });
  test('what it cannot have found is told', async () => {
    expect(await differences([...begin, polled('POLLHUP')])).toEqual([expect.stringContaining('8: what follows')]);
  });
  test('poll with a time-out in memory', async () => {
    const lines = begin.map((line) => line.replace('poll(', 'ppoll(').replace('-1 <', 'NULL, NULL, 0 <'));
    const end = polled('POLLIN|POLLHUP').replace('poll resumed', 'ppoll resumed');
    expect(await differences([...lines, end, '1 read(3, "abc", 10) = 3'])).toEqual([]);
  });

  const reading = begin.map((line) => (line.includes('poll(') ? '1 read(3,  <unfinished ...>' : line));
  test.each([
    ['a', 1, 'bc'],
    ['abc', 3, ''],
  ])('read found %s', async (found, n, left) => {
    const lines = [`1 <... read resumed>"${found}", 10) = ${n}`, `1 read(3, "${left}", 10) = ${left.length}`];
    expect(await differences([...reading, ...lines])).toEqual([]);
  });
  test.each([
    ['abcd', 4],
    ['abd', 3],
  ])('read cannot have found %s', async (found, n) => {
    expect(await differences([...reading, `1 <... read resumed>"${found}", 10) = ${n}`])).toHaveLength(1);
  });

  const CAUGHT =
    'rt_sigaction(SIGCHLD, {sa_handler=0x401000, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x402000}, NULL, 8) = 0';
  const SIGNAL = (pid: number): string =>
    `1 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=${pid}, si_uid=0, si_status=0, si_utime=0, si_stime=0} ---`;
  const ended = (pid: number): string[] => [`${pid} exit_group(0) = ?`, `${pid} +++ exited with 0 +++`];
  const waited = (pid: number): string => `[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = ${pid}`;
  test('wait4 finds the child that ended after the one whose signal interrupts it here', async () => {
    const lines = [
      `1 ${CAUGHT}`,
      '1 fork() = 2',
      '1 fork() = 3',
      '1 wait4(-1,  <unfinished ...>',
      ...ended(3),
      ...ended(2),
      `1 <... wait4 resumed>${waited(2)}`,
      SIGNAL(3),
      '1 rt_sigreturn({mask=[]}) = 2',
      `1 wait4(-1, ${waited(3)}`,
      '1 wait4(-1, 0x1000, 0, NULL) = -1 ECHILD (No child processes)',
    ];
    expect(await differences(lines)).toEqual([]);
    const alive = lines.filter((line) => !line.startsWith('2 '));
    expect(await differences(alive)).toContainEqual(expect.stringMatching(/wait4/));
  });
  test('read finds what was written after the signal that interrupts it here', async () => {
    const lines = [
      `1 ${CAUGHT}`,
      '1 pipe2([3, 4], 0) = 0',
      '1 fork() = 2',
      '1 fork() = 3',
      '1 read(3,  <unfinished ...>',
      ...ended(3),
      '2 write(4, "a", 1) = 1',
      '1 <... read resumed>"a", 10) = 1',
      SIGNAL(3),
      '1 rt_sigreturn({mask=[]}) = 1',
    ];
    expect(await differences(lines)).toEqual([]);
    expect(await differences(lines.filter((line) => !line.startsWith('2 ')))).toContainEqual(
      expect.stringMatching(/read/),
    );
  });
});

describe('a standard output that is a file', () => {
  const shown = (size: number): string => `fstat(1</tmp/out>, ${stat('REG', size)}) = 0`;

  test('that had something in it grows from there', async () => {
    const lines = [
      shown(118),
      'write(1</tmp/out>, "abc", 3) = 3',
      shown(121),
      'write(1</tmp/out>, "d", 1) = 1',
      shown(122),
    ];
    expect(await differences(lines)).toEqual([]);
  });
  test('that is appended to refuses copy_file_range', async () => {
    const lines = [
      'openat(AT_FDCWD, "/f", O_RDONLY) = 3</f>',
      'copy_file_range(3</f>, NULL, 1</tmp/out>, NULL, 100, 0) = -1 EBADF (Bad file descriptor)',
      'read(3</f>, "abc", 100) = 3',
      'write(1</tmp/out>, "abc", 3) = 3',
    ];
    expect(await differences(lines)).toEqual([]);
  });
  test('that is first looked at after a write was empty, as far as anybody knows', async () => {
    expect(await differences(['write(1</tmp/out>, "abc", 3) = 3', shown(3)])).toEqual([]);
  });
});
