/** levitate-diff's parts that need no program: texts taken apart, relations, alignment, whole comparisons of made-up runs. */
import { describe, expect, test } from '@jest/globals';
import { Dispatcher } from '../../syscalls/dispatch.js';
import { align } from '../../src/trace/diff/align.js';
import { compareCalls } from '../../src/trace/diff/compare.js';
import { settle } from '../../src/trace/diff/frames.js';
import { AddressMap, Bijection, Maps } from '../../src/trace/diff/maps.js';
import { lineOf, type CallRecord, type Entry, type SignalRecord, type TaskTrace } from '../../src/trace/diff/record.js';
import { Report } from '../../src/trace/diff/report.js';
import { splitArguments, tokens } from '../../src/trace/diff/texts.js';
import { compareRuns } from '../../src/trace/diff/walk.js';

const table = new Dispatcher('x86_64');
let clock = 0;

/** A call from its line, as strace would print it. */
function call(line: string): CallRecord {
  const [, name, args, result] = /^(\w+)\((.*)\) = (.*)$/.exec(line)!;
  const row = table.byName(name);
  const value = result.startsWith('-1') ? -1 : Number(/^(0x[0-9a-f]+|-?\d+)/.exec(result)?.[0] ?? 0);
  const texts = splitArguments(args);
  return {
    kind: 'call',
    row,
    raw: texts.map((text) => (/^(0x[0-9a-f]+|\d+)$/.test(text) ? BigInt(text) : 0n)),
    args: texts,
    result,
    value,
    errno: /^-1 (\w+)/.exec(result)?.[1] ?? /^\? (ERESTART\w+)/.exec(result)?.[1] ?? '',
    ret: row.ret,
    returned: true,
    data: new Map(),
    child: null,
    at: clock++,
  };
}
const signal = (text: string): SignalRecord => ({ kind: 'signal', signal: 17, code: 1, text, at: clock++ });
const task = (lines: string[], tid = 1): TaskTrace => ({
  tid,
  parent: null,
  entries: lines.map(call),
  children: [],
});
const differ = (host: string, ours: string, maps = new Maps()) => compareCalls(call(host), call(ours), maps);

test('texts are split outside of strings, brackets and comments', () => {
  expect(splitArguments('3, "a, \\"b", {x=1, y=[2, 3]}, 0x1 /* 2, 3 */')).toEqual([
    '3',
    '"a, \\"b"',
    '{x=1, y=[2, 3]}',
    '0x1 /* 2, 3 */',
  ]);
  expect(splitArguments('')).toEqual([]);
});
test('tokens know their field', () => {
  const fields = (text: string) => tokens(text).flatMap((t) => (t.kind === 'number' ? [`${t.field}:${t.text}`] : []));
  expect(fields('{si_pid=7, b={c=1}, d=[2, 3], 9}')).toEqual(['si_pid:7', 'c:1', 'd:2', 'd:3', ':9']);
  expect(fields('1 (in [3], left {tv_sec=0, tv_usec=7})')).toEqual([':1', ':3', 'left:0', 'left:7']);
});

describe('relations', () => {
  test('a bijection is one to one', () => {
    const map = new Bijection();
    expect(map.relate(5, 50)).toBe(true);
    expect(map.relate(5, 51)).toBe(false);
    expect(map.relate(6, 50)).toBe(false);
    map.bind(6, 50);
    expect(map.relate(6, 50)).toBe(true);
    expect(map.relateOrSame(9, 9)).toBe(true);
    expect(map.relateOrSame(9, 8)).toBe(false);
  });
  test('addresses keep their offset within a mapping', () => {
    const map = new AddressMap();
    map.map(0x10000n, 0x70000n, 0x2000n);
    expect(map.relate(0x10010n, 0x70010n)).toBe(true);
    expect(map.relate(0x10010n, 0x70020n)).toBe(false);
    expect(map.relate(0x10010n, 0x71010n)).toBe(true);
    expect(map.relate(0n, 0x70020n)).toBe(false);
    expect(map.relate(0x99999n, 0x55555n)).toBe(true);
    map.map(0x11000n, 0x90000n, 0x1000n);
    expect(map.relate(0x11008n, 0x90008n)).toBe(true);
  });
});

describe('two calls', () => {
  test('strings, flags, counts and errors are exact', () => {
    expect(differ('open("/a", O_RDONLY) = 3', 'open("/b", O_RDONLY) = 3')).toMatchObject({ where: 'pathname' });
    expect(differ('open("/a", O_RDONLY) = 3', 'open("/a", O_RDWR) = 3')).toMatchObject({ where: 'flags', index: 1 });
    expect(differ('lseek(3, 0, SEEK_SET) = 0', 'lseek(3, 0, SEEK_SET) = 1')).toMatchObject({ where: 'result' });
    expect(differ('open("/a", O_RDONLY) = -1 ENOENT (x)', 'open("/a", O_RDONLY) = -1 EACCES (y)')).toMatchObject({
      where: 'result',
    });
  });
  test('descriptors stand for each other once they have', () => {
    const maps = new Maps();
    expect(differ('dup(0) = 3', 'dup(0) = 7', maps)).toBeNull();
    expect(differ('close(3) = 0', 'close(7) = 0', maps)).toBeNull();
    expect(differ('close(3) = 0', 'close(3) = 0', maps)).not.toBeNull();
  });
  test('what a pipe made does, too', () => {
    const maps = new Maps();
    expect(differ('pipe([3, 4]) = 0', 'pipe([5, 6]) = 0', maps)).toBeNull();
    expect(differ('close(4) = 0', 'close(6) = 0', maps)).toBeNull();
    expect(differ('close(4) = 0', 'close(5) = 0', maps)).not.toBeNull();
  });
  test('process ids, in results, arguments, structs and paths', () => {
    const maps = new Maps();
    expect(differ('getpid() = 100', 'getpid() = 2', maps)).toBeNull();
    expect(differ('kill(100, SIGTERM) = 0', 'kill(2, SIGTERM) = 0', maps)).toBeNull();
    expect(differ('kill(100, SIGTERM) = 0', 'kill(3, SIGTERM) = 0', maps)).not.toBeNull();
    expect(differ('chdir("/proc/100/fd") = 0', 'chdir("/proc/2/fd") = 0', maps)).toBeNull();
    expect(differ('chdir("/proc/100/fd") = 0', 'chdir("/proc/4/fd") = 0', maps)).not.toBeNull();
  });
  test('times and random bytes are ignored, whether a call failed is not', () => {
    const now = (sec: number) => `clock_gettime(CLOCK_REALTIME, {tv_sec=${sec}, tv_nsec=0}) = 0`;
    expect(differ(now(1), now(2))).toBeNull();
    expect(differ(now(1), 'clock_gettime(CLOCK_REALTIME, 0x7ff000) = -1 EINVAL (x)')).toMatchObject({
      where: 'result',
    });
    expect(differ('getrandom("a"..., 8, 0) = 8', 'getrandom("b"..., 8, 0) = 8')).toBeNull();
    expect(differ('getrandom("a"..., 8, 0) = 8', 'getrandom("b"..., 8, 0) = 4')).toMatchObject({ where: 'result' });
  });
  test('a link to a pipe may have a number of another length', () => {
    const link = (to: string) => `readlink("/proc/self/fd/1", "${to}", 80) = ${to.length}`;
    expect(differ(link('pipe:[12345]'), link('pipe:[7]'))).toBeNull();
    expect(differ(link('pipe:[12345]'), link('socket:[7]'))).not.toBeNull();
  });
  test('bytes that the text does not show', () => {
    const [host, ours] = [0, 1].map((last) => {
      const made = call('write(1, "0123456789abcdef0123456789abcdef"..., 40) = 40');
      made.data.set(
        1,
        Uint8Array.from({ length: 40 }, (_, i) => (i === 39 ? last : 65)),
      );
      return made;
    });
    expect(compareCalls(host, ours, new Maps())).toMatchObject({
      where: 'buf',
      detail: expect.stringContaining('byte 39'),
    });
  });
});

describe('alignment', () => {
  const pairs = (a: string[], b: string[]) => align(a.map(call), b.map(call)).map(({ host, ours }) => [host, ours]);
  test('an extra call is one', () => {
    const [a, b, c] = ['getuid() = 0', 'close(3) = 0', 'getgid() = 0'];
    expect(pairs([a, b, c], [a, c])).toEqual([
      [0, 0],
      [1, -1],
      [2, 1],
    ]);
    expect(pairs([a, c], [a, b, c])).toEqual([
      [0, 0],
      [-1, 1],
      [1, 2],
    ]);
    expect(pairs([], [a])).toEqual([[-1, 0]]);
  });
  test('another argument is no other call', () => {
    expect(pairs(['open("/a", O_RDONLY) = 3', 'getuid() = 0'], ['open("/b", O_RDONLY) = 3', 'getuid() = 0'])).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });
  test('thousands of differences are still paired, in bounded time', () => {
    const list = (name: string) =>
      Array.from({ length: 3000 }, (_, i) => `open("/${name}${'x'.repeat(i % 7)}", O_RDONLY) = 3`);
    expect(pairs(list('a'), list('b')).every(([host, ours]) => host === ours)).toBe(true);
  });
});

describe('signals from outside', () => {
  const CHLD =
    'SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=2, si_uid=0, si_status=0, si_utime=0, si_stime=0}';
  const wait = 'wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 2';
  const early: Entry[] = [
    call('wait4(-1, 0x7ff000, 0, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)'),
    signal(CHLD),
    call('getuid() = 0'),
    call('rt_sigreturn({mask=[]}) = 61'),
    call(wait),
  ];
  const late: Entry[] = [call(wait), signal(CHLD), call('getuid() = 0'), call('rt_sigreturn({mask=[]}) = 2')];
  test('when they came is no difference', () => {
    expect(settle(early).entries.map(lineOf)).toEqual([wait]);
    const trace = (entries: Entry[]): TaskTrace => ({ tid: 1, parent: null, entries, children: [] });
    expect(compareRuns(trace(early), trace(late), 5).differences).toEqual([]);
    expect(compareRuns(trace(early), trace(late.slice(0, 1)), 5).differences).toHaveLength(1);
  });
});

describe('the report', () => {
  const host = [
    'getuid() = 0',
    'open("/a", O_RDONLY) = 3',
    'getrusage(RUSAGE_SELF, {ru_utime={}}) = 0',
    'close(3) = 0',
  ];
  const ours = ['getuid() = 0', 'open("/a", O_RDONLY) = 3', 'getrusage(RUSAGE_SELF, 0x1000) = -1 EFAULT (Bad)'];
  const found = () => compareRuns(task(host, 700), task(ours, 3), 1);
  test('the first difference, its context, the mark and the note', () => {
    expect(new Report({ colors: false, all: false }).text(found())).toBe(
      `the first difference: getrusage, the result, in task 1 (700 on the host, 3 in levitate)

    open("/a", O_RDONLY) = 3
  - getrusage(RUSAGE_SELF, {ru_utime={}}) = 0
                                            ^
  + getrusage(RUSAGE_SELF, 0x1000) = -1 EFAULT (Bad)
                                     ^^^^^^^^^^^^^^^

legend: - this host, + levitate
note: getrusage is partial: no block I/O and context switch counts

1 more of them, in 4 calls and events in 1 task; many follow from the first. --all lists them
`,
    );
  });
  test('all of them, by call', () => {
    const text = new Report({ colors: false, all: true }).text(found());
    expect(text).toContain('getrusage: 1 difference\n');
    expect(text).toContain('close: 1 difference\n');
    expect(text).toContain('  + (no such call)\n');
    expect(text).toContain('\n2 differences in 4 calls and events in 1 task\n');
  });
  test('colors', () => {
    expect(new Report({ colors: true, all: false }).text(found())).toContain('\x1b[31m');
  });
  test('nothing', () => {
    const same = compareRuns(task(host), task(host), 5);
    expect(new Report({ colors: false, all: true }).text(same)).toBe(
      'nothing differs: 4 calls and events in 1 task, on this host and in levitate\n',
    );
  });
});
