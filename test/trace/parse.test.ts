/** strace's text as terms and lines: what is read, and where reading fails. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LineReader, result, type TraceEvent } from '../../src/trace/parse/line.js';
import { parseArguments, TraceTextError, type Term } from '../../src/trace/parse/term.js';
import { Evaluator } from '../../src/trace/parse/value.js';

/** A term as a short text of its structure. */
function shape(term: Term): string {
  const name = term.name === '' ? '' : `${term.name}=`;
  const note = term.note === '' ? '' : `<${term.note}>`;
  const parts = term.parts.map(shape).join(' ');
  switch (term.kind) {
    case 'string':
      return `${name}${JSON.stringify(term.text)}${term.cut ? '...' : ''}`;
    case 'struct':
      return `${name}{${parts}}`;
    case 'array':
      return `${name}[${parts}]`;
    case 'call':
      return `${name}${term.text}(${parts})`;
    case 'operation':
      return `${name}(${term.parts.map(shape).join(term.text)})`;
    case 'complement':
      return `${name}~${parts}`;
    case 'nothing':
      return `${name}nothing`;
    default:
      return `${name}${term.text}${note}`;
  }
}
const shapes = (text: string): string[] => parseArguments(text).map(shape);

describe('terms', () => {
  test.each([
    ['', []],
    ['AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC', ['AT_FDCWD', '"/etc/passwd"', '(O_RDONLY|O_CLOEXEC)']],
    ['3</tmp/a b>, "\\1\\0012\\x41\\n\\"\\\\"..., -1', ['3</tmp/a b>', '"\\u0001\\u00012A\\n\\"\\\\"...', '-1']],
    ['5<UNIX-STREAM:[12->13]>, 0</dev/pts/1<char 136:1>>', ['5<UNIX-STREAM:[12->13]>', '0</dev/pts/1<char 136:1>>']],
    ['AT_FDCWD<\\x2f\\x74>', ['AT_FDCWD</t>']],
    ['[{fd=3, events=POLLIN}, {fd=-1}], 2, 1000', ['[{fd=3 events=POLLIN} {fd=-1}]', '2', '1000']],
    ['~[KILL STOP RTMIN RT_1], [], 8', ['~[KILL STOP RTMIN RT_1]', '[]', '8']],
    ['{st_mode=S_IFDIR|0755, st_size=4096, ...}', ['{st_mode=(S_IFDIR|0755) st_size=4096 ...}']],
    ['{st_rdev=makedev(0x1, 0x3)}', ['{st_rdev=makedev(0x1 0x3)}']],
    ['[{WIFEXITED(s) && WEXITSTATUS(s) == 7}]', ['[{(WIFEXITED(s)&&(WEXITSTATUS(s)==7))}]']],
    ['[16 => 2], 0x7ffd /* 21 vars */', ['[(16=>2)]', '0x7ffd']],
    ['MAP_PRIVATE|21<<MAP_HUGE_SHIFT', ['(MAP_PRIVATE|(21<<MAP_HUGE_SHIFT))']],
    ['TCGETS or SNDCTL_TMR_TIMEBASE, {c_iflag=ICRNL, ...}', ['(TCGETSorSNDCTL_TMR_TIMEBASE)', '{c_iflag=ICRNL ...}']],
    ['{sa_family=AF_UNIX, sun_path=@"x"}', ['{sa_family=AF_UNIX sun_path="\\u0000x"}']],
    ['inet_pton(AF_INET6, "::1", &sin6_addr)', ['inet_pton(AF_INET6 "::1" sin6_addr)']],
    ['{c_lflag=, c_cc=[1]}', ['{c_lflag=nothing c_cc=[1]}']],
    ['<... resuming interrupted nanosleep ...>', ['<... resuming interrupted nanosleep ...>']],
    ['3, ', ['3']],
  ])('%s', (text, expected) => {
    expect(shapes(text)).toEqual(expected);
  });

  test.each([
    ['"abc', 0],
    ['1, "a\\', 3],
    ['[1, 2', 5],
    ['{a=1]', 4],
    ['f(1', 3],
    ['3<abc', 1],
    ['"\\q"', 1],
    ['"\\x4"', 3],
    ['1, )', 3],
    ['1 /* x', 2],
    ['#', 0],
    ['['.repeat(200), 32],
  ])('%s fails at column %i', (text, column) => {
    let error: unknown;
    try {
      parseArguments(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(TraceTextError);
    expect((error as TraceTextError).column).toBeGreaterThanOrEqual(column - 1);
    expect((error as TraceTextError).column).toBeLessThanOrEqual(column + 1);
  });

  test('any text is read, or fails with its column', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '(',
        ')',
        '"',
        '\\x',
        '...',
        '|',
        '=>',
        '/*',
        '*/',
        '<',
        '->',
        '>',
        '=',
        ', ',
        '0x',
        '~',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join('');
        try {
          parseArguments(text);
        } catch (error) {
          expect(error).toBeInstanceOf(TraceTextError);
          expect((error as TraceTextError).column).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ['0644', 0o644n],
    ['0x1f', 31n],
    ['-7', -7n],
    ['O_WRONLY|O_CREAT|0x4', 1n | 64n | 4n],
    ['8*1024', 8192n],
    ['makedev(0x1, 0x103)', 0x100103n],
    ['htons(80)', 0x5000n],
    ['S_IFREG|S_ISUID|0755', 0o104755n],
    ['SIGRT_3', 35n],
    ['_IOC(_IOC_READ, 0x54, 0x30, 0x4)', 0x80045430n],
    ['NOT_A_NAME', null],
    ['{a=1}', null],
  ])('%s is a number', (text, value) => {
    expect(new Evaluator('x86_64').number(parseArguments(text)[0])).toBe(value);
  });
});

describe('lines', () => {
  const read = (text: string): TraceEvent | null => new LineReader().read(text);

  test.each<[string, object]>([
    ['close(3) = 0', { kind: 'call', pid: 0, time: -1, name: 'close', args: '3' }],
    ['[pid    12] close(3)                 = 0', { kind: 'call', pid: 12, name: 'close', args: '3' }],
    [
      '12    close(3)                          = 0 <0.000012>',
      { pid: 12, outcome: expect.objectContaining({ took: 12_000 }) },
    ],
    ['12345 1700000000.123456 close(3) = 0', { pid: 12345, time: 1700000000123456000 }],
    ['12 01:02:03.5 close(3) = 0', { pid: 12, time: (3723 + 0.5) * 1e9 }],
    ['     0.000250 close(3) = 0', { time: 250_000 }],
    ['read(0, "a) = 1", 7) = 7', { args: '0, "a) = 1", 7', outcome: expect.objectContaining({ value: 7n }) }],
    [
      'openat(AT_FDCWD, "x", O_RDONLY) = 3</a = b>',
      { outcome: expect.objectContaining({ value: 3n, note: '/a = b' }) },
    ],
    ['read(3,  <unfinished ...>', { kind: 'unfinished', name: 'read', args: '3, ' }],
    ['<... read resumed>"x", 1) = 1', { kind: 'resumed', name: 'read', args: '"x", 1' }],
    ['<... exit resumed>) = ?', { kind: 'lost', name: 'exit', resumed: true }],
    ['exit_group(0) = ?', { kind: 'lost', name: 'exit_group', args: '0' }],
    [
      'futex(0x1, FUTEX_WAIT, 2, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)',
      { outcome: expect.objectContaining({ value: null, error: 'ERESTARTSYS' }) },
    ],
    [
      'open("x", O_RDONLY) = -1 ENOENT (No such file or directory) (INJECTED)',
      { outcome: expect.objectContaining({ error: 'ENOENT', injected: true }) },
    ],
    [
      'poll([{fd=3, events=POLLIN}], 1, 5) = 1 ([{fd=3, revents=POLLIN}])',
      { outcome: expect.objectContaining({ aux: '[{fd=3, revents=POLLIN}]' }) },
    ],
    [
      '--- SIGCHLD {si_signo=SIGCHLD, si_pid=7} ---',
      { kind: 'signal', signal: 'SIGCHLD', info: '{si_signo=SIGCHLD, si_pid=7}' },
    ],
    ['--- stopped by SIGTSTP ---', { kind: 'stopped', signal: 'SIGTSTP' }],
    ['+++ exited with 3 +++', { kind: 'exited', status: 3 }],
    ['+++ killed by SIGSEGV (core dumped) +++', { kind: 'killed', signal: 'SIGSEGV', core: true }],
    ['+++ superseded by execve in pid 9 +++', { kind: 'superseded', by: 9 }],
    ['strace: Process 12 attached', { kind: 'note' }],
  ])('%s', (text, expected) => {
    expect(read(text)).toMatchObject(expected);
  });

  test('an empty line is no event', () => {
    expect(read('')).toBeNull();
  });
  test.each(['garbage', 'close(3)', 'close(3) = ', '--- what ---', '+++ gone +++', '12 34 56', '\x7fELF\x02'])(
    '%j fails',
    (text) => {
      expect(() => read(text)).toThrow(TraceTextError);
    },
  );
  test('results', () => {
    expect(result('= 0x7f12 (flags O_RDWR)', 0)).toMatchObject({ value: 0x7f12n, aux: 'flags O_RDWR' });
    expect(() => result('= what', 5)).toThrow(TraceTextError);
  });
});
