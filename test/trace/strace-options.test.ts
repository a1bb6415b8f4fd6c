/** --strace-options: words, spellings, sets, and what is refused and how; which lines the settings let through. */
import { describe, expect, test } from '@jest/globals';
import { splitWords, StraceOptionError } from '../../src/trace/option-words.js';
import type { StraceSettings } from '../../src/trace/settings.js';
import { StraceWriter } from '../../src/trace/strace.js';
import { parseStraceOptions } from '../../src/trace/strace-options.js';
import { Summary } from '../../src/trace/summary.js';
import { ROWS } from '../../syscalls/table.js';
import { writeField } from '../../src/abi/layout.js';
import { SIGINFO } from '../../src/abi/layouts/signal.js';

const parse = (...texts: string[]): StraceSettings => parseStraceOptions(texts, ROWS, 'x86_64');
const row = (name: string) => ROWS.find((r) => r.name === name)!;
const traced = (text: string, ...names: string[]): boolean[] => names.map((name) => parse(text).traced(row(name)));

describe('words', () => {
  test.each<[string, [string, number][]]>([
    ['', []],
    [
      '  -f\t-s 5 ',
      [
        ['-f', 3],
        ['-s', 6],
        ['5', 9],
      ],
    ],
    [
      `-e 'a b'c "d \\" \\$e \\f"`,
      [
        ['-e', 1],
        ['a bc', 4],
        ['d " $e \\f', 11],
      ],
    ],
    [
      'a\\ b \\\\',
      [
        ['a b', 1],
        ['\\', 6],
      ],
    ],
    [`''`, [['', 1]]],
  ])('%j', (text, words) => {
    expect(splitWords(text).map((word) => [word.text, word.at])).toEqual(words);
  });
});

describe('sets of calls', () => {
  test.each<[string, string[], string[]]>([
    ['-e trace=open,close', ['open', 'close'], ['read']],
    ['-e open', ['open'], ['close']],
    ['--trace=!open', ['close'], ['open']],
    ['-e !open,close', ['read'], ['open', 'close']],
    ['-e trace=%file', ['open', 'stat'], ['read']],
    ['-e t=file', ['open'], ['read']],
    ['-e %net,%%stat', ['socket', 'fstat', 'lstat'], ['open']],
    ['-e %network', ['socket'], ['open']],
    ['-e /^open', ['open', 'openat', 'open_by_handle_at'], ['mq_open']],
    ['-e /64$,?nothing', ['pread64'], ['read']],
    ['-e ?nothing', [], ['read']],
    ['-e trace=all', ['read'], []],
    ['-e trace=none', [], ['read', 'open']],
    ['-e trace=!none', ['read'], []],
    ['-e 0,1', ['read', 'write'], ['open']],
    ['-e read@64', ['read'], ['open']],
    ['-e ?read@32', [], ['read']],
    ['-e open -e close', ['close'], ['open']],
  ])('%s', (text, shown, hidden) => {
    expect(traced(text, ...shown)).toEqual(shown.map(() => true));
    expect(traced(text, ...hidden)).toEqual(hidden.map(() => false));
  });
});

describe('settings', () => {
  const style = (text: string) => parse(text).style(row('read'));
  test('how calls are printed', () => {
    expect(style('')).toEqual({
      strings: 32,
      verbose: false,
      hex: 'no',
      descriptors: 0,
      constants: 'abbrev',
      addresses: false,
      raw: false,
    });
    expect(style('-fvs100 -xxyy -X raw')).toMatchObject({
      strings: 100,
      verbose: true,
      hex: 'all',
      descriptors: 2,
      constants: 'raw',
    });
    expect(
      style('--string-limit 7 --no-abbrev --strings-in-hex=non-ascii --decode-fds --const-print-style=verbose'),
    ).toMatchObject({ strings: 7, verbose: true, hex: 'unprintable', descriptors: 1, constants: 'verbose' });
    expect(style('--decode-fds=all')).toMatchObject({ descriptors: 2 });
    expect(style('-e decode-fds=none')).toMatchObject({ descriptors: 0 });
    expect(style('-e abbrev=!read -e verbose=write -e raw=read')).toMatchObject({
      verbose: true,
      addresses: true,
      raw: true,
    });
    expect(style('-e abbrev=read')).toMatchObject({ verbose: false });
  });

  test('times', () => {
    expect(parse('-r -T')).toMatchObject({ relative: 'us', spent: 'us', absolute: null });
    expect(parse('--relative-timestamps=ns --syscall-times=ms')).toMatchObject({ relative: 'ns', spent: 'ms' });
    expect(parse('-t').absolute).toEqual({ unix: false, precision: 's' });
    expect(parse('-t -t').absolute).toEqual({ unix: false, precision: 'us' });
    expect(parse('-ttt').absolute).toEqual({ unix: true, precision: 'us' });
    expect(parse('--timestamps').absolute).toEqual({ unix: false, precision: 's' });
    expect(parse('--absolute-timestamps=unix,precision:ns').absolute).toEqual({ unix: true, precision: 'ns' });
    expect(parse('--timestamps=format:none').absolute).toBeNull();
  });

  test('what is shown', () => {
    expect(parse('').statuses).toBeNull();
    expect(parse('-z').statuses).toEqual(new Set(['successful']));
    expect(parse('-zZ').statuses).toEqual(new Set(['failed']));
    expect(parse('-e status=!failed').statuses).toEqual(
      new Set(['successful', 'unfinished', 'unavailable', 'detached']),
    );
    expect([1, 9, 17, 34].map(parse('-e signal=!SIGHUP,kill,17').signals)).toEqual([false, false, false, true]);
    expect([1, 34].map(parse('--signals=RT_2').signals)).toEqual([false, true]);
    expect(
      [parse(''), parse('-q'), parse('-qq'), parse('-e quiet=exits'), parse('--silent')].map((s) => s.exits),
    ).toEqual([true, true, false, false, true]);
    expect(parse('-P /a', "--trace-path='/b c'").paths).toEqual(new Set(['/a', '/b c']));
    expect(parse('-n -a 20 -ff')).toMatchObject({ numbers: true, column: 20, separately: true });
    expect(parse('--follow-forks --output-separately')).toMatchObject({ separately: true });
  });

  test('tables', () => {
    expect(parse('')).toMatchObject({ lines: true, summary: null });
    expect(parse('-c')).toMatchObject({ lines: false, summary: { sort: 'total-time', overheadNs: 0 } });
    expect(parse('-Cw -S calls -U name,calls,time_avg -O 1.5ms')).toMatchObject({
      lines: true,
      summary: { sort: 'calls', columns: ['name', 'calls', 'avg-time'], overheadNs: 1_500_000 },
    });
    expect(parse('-c -U longest').summary).toMatchObject({ columns: ['max-time', 'name'] });
    expect(parse('--summary-only --summary-sort-by=nothing').summary).toMatchObject({ sort: 'nothing' });
  });

  test.each<[string, string]>([
    ['-f -e trace=opn', "character 4: -e trace=opn: invalid system call 'opn'"],
    ['-e trace=', "character 1: -e trace=: invalid system call ''"],
    ['-e trace=read@99', "character 1: -e trace=read@99: invalid system call 'read@99'"],
    ['-e /(', 'character 1: -e /(: Invalid regular expression: /(/: Unterminated group'],
    ['-e signal=FOO', "character 1: -e signal=FOO: invalid signal 'FOO'"],
    ['-e status=bad', "character 1: -e status=bad: invalid status 'bad'"],
    ['-e inject=read:error=EIO', 'character 1: -e inject=read:error=EIO: not supported'],
    ['-s', 'character 1: -s needs a value'],
    ['-s -5', "character 1: -s -5: '-5' is not a number from 0 to 1073741823"],
    ['-fG', 'character 1: unknown option -G'],
    ['-f --what', 'character 4: unknown option --what'],
    ['--strin=5', 'character 1: --strin may be --string-limit, --strings-in-hex'],
    ['--no-abbrev=1', 'character 1: --no-abbrev takes no value'],
    ['ls', "character 1: 'ls' is not an option"],
    ['-k', 'character 1: -k: not supported'],
    ['-o x', 'character 1: -o x: not supported: use --strace=FILE'],
    [" -P 'x", 'character 5: the quote is not closed'],
    ['-c -C', 'character 4: -C: -c and -C exclude each other'],
    ['-c -ff', 'character 1: -ff and -c or -C exclude each other'],
    ['-w', 'character 1: -w needs -c or -C'],
    ['-c -S size', "character 4: -S size: cannot sort by 'size'"],
    ['-c -U calls,calls', "character 4: -U calls,calls: column 'calls' is given twice"],
    ['-c -U size', "character 4: -U size: unknown column 'size'"],
    ['-t --timestamps', 'character 1: -t and its long form exclude each other'],
    ['--timestamps=precision:m', "character 1: --timestamps precision:m: 'm' is not s, ms, us or ns"],
    ['-X names', "character 1: -X names: 'names' is not raw, abbrev or verbose"],
  ])('%s is refused', (text, message) => {
    expect(() => parse(text)).toThrow(StraceOptionError);
    expect(() => parse(text)).toThrow(message);
  });
});

describe('lines', () => {
  const a = { tid: 7 };
  const b = { tid: 8 };
  function lines(
    text: string,
    play: (writer: StraceWriter<{ tid: number }>, pass: (ns: number) => void) => void,
  ): string[] {
    let now = 5_000_000_000;
    let out = '';
    const bytes = Buffer.alloc(4096);
    bytes.write('/etc/x\0', 0);
    const writer = new StraceWriter({
      ...parse(text),
      arch: 'x86_64',
      write: (s) => (out += s),
      memory: () => ({
        read: (at, n) => (at >= 4096 && at + n <= 8192 ? bytes.subarray(at - 4096, at - 4096 + n) : null),
        descriptor: (fd) => (fd === 3 ? { path: '/etc/x' } : null),
        cwd: () => '/<r>',
      }),
      clock: { monotonicNs: () => now, realtime: () => ({ sec: 86_399 + Math.floor(now / 1e9), nsec: now % 1e9 }) },
    });
    play(writer, (ns) => (now += ns));
    return out.split('\n').slice(0, -1);
  }
  const call = (
    writer: StraceWriter<{ tid: number }>,
    who: { tid: number },
    name: string,
    args: bigint[],
    result: number,
    errno = 0,
  ) => {
    writer.enter(who, row(name), args);
    writer.leave(who, row(name), args, result, errno);
  };

  test('times', () => {
    const shown = lines('-tt -r -T -n', (writer, pass) => {
      writer.enter(a, row('close'), [3n]);
      pass(1_500_000_000);
      writer.leave(a, row('close'), [3n], 0, 0);
      pass(12_345);
      writer.exited(a, 0);
    });
    expect(shown).toEqual([
      '00:00:04.000000 (+     0.000000) [   3] close(3) = 0 <1.500000>',
      '00:00:05.500012 (+     1.500012) [   3] +++ exited with 0 +++',
    ]);
    expect(lines('-ttt', (writer) => call(writer, a, 'getpid', [], 7))).toEqual([
      '86404.000000 getpid()                   = 7',
    ]);
    expect(lines('--timestamps=ms -a5', (writer) => call(writer, a, 'getpid', [], 7))).toEqual([
      '00:00:04.000 getpid() = 7',
    ]);
  });

  test('outcomes: a line is kept until it is known', () => {
    const play = (writer: StraceWriter<{ tid: number }>): void => {
      writer.enter(a, row('close'), [3n]);
      call(writer, b, 'close', [4n], -1, 9);
      writer.leave(a, row('close'), [3n], 0, 0);
      writer.enter(a, row('pause'), []);
      writer.exited(a, 9);
    };
    const killed = '[pid     7] +++ killed by SIGKILL +++';
    expect(lines('-Z', play)).toEqual([
      '[pid     8] close(4)                    = -1 EBADF (Bad file descriptor)',
      killed,
    ]);
    expect(lines('-z', play)).toEqual(['close(3)                                = 0', killed]);
    expect(lines('-e status=unfinished', play)).toEqual(['[pid     7] pause()                     = ?', killed]);
  });

  test('signals and exits', () => {
    const info = new Uint8Array(SIGINFO.size);
    writeField(SIGINFO, new DataView(info.buffer), 0, 'si_signo', 17);
    const play = (writer: StraceWriter<{ tid: number }>): void => {
      writer.signal(a, { signal: 17, info });
      writer.exited(a, 0);
      writer.exited(b, 15);
    };
    expect(lines('-e signal=none', play)).toEqual(['+++ exited with 0 +++']);
    expect(lines('-qq -e signal=!chld', play)).toEqual(['+++ killed by SIGTERM +++']);
  });

  test('paths and descriptors', () => {
    const play = (writer: StraceWriter<{ tid: number }>): void => {
      call(writer, a, 'openat', [0xffffff9cn, 4096n, 0n, 0n], 3);
      call(writer, a, 'read', [3n, 0n, 0n], 0);
      call(writer, a, 'read', [4n, 0n, 0n], 0);
      call(writer, a, 'getpid', [], 7);
      call(writer, a, 'epoll_ctl', [3n, 2n, 4n, 0n], 0);
    };
    expect(lines('-P /etc/x -y -a1', play)).toEqual([
      'openat(AT_FDCWD</\\74r\\76>, "/etc/x", O_RDONLY) = 3</etc/x>',
      'read(3</etc/x>, NULL, 0) = 0',
    ]);
  });

  test('raw arguments', () => {
    expect(lines('-e raw=all -a1', (writer) => call(writer, a, 'read', [3n, 4096n, 0n], -1, 9))).toEqual([
      'read(0x3, 0x1000, 0) = -1 EBADF (Bad file descriptor)',
    ]);
    expect(lines('-e raw=read -a1', (writer) => call(writer, a, 'read', [3n, 4096n, 0n], 10))).toEqual([
      'read(0x3, 0x1000, 0) = 0xa',
    ]);
  });

  test('a file per task has no interruptions', () => {
    const files: Record<number, string> = {};
    const writer = new StraceWriter({
      ...parse('-ff'),
      arch: 'x86_64',
      write: (s, tid) => (files[tid] = (files[tid] ?? '') + s),
      memory: () => ({ read: () => null }),
    });
    writer.enter(a, row('close'), [3n]);
    call(writer, b, 'close', [4n], 0);
    writer.leave(a, row('close'), [3n], 0, 0);
    writer.enter(a, row('pause'), []);
    writer.exited(a, 9);
    const text = (name: string, result: string): string => `${name.padEnd(40)}= ${result}\n`;
    expect(files).toEqual({
      7: `${text('close(3)', '0')}${text('pause()', '?')}+++ killed by SIGKILL +++\n`,
      8: text('close(4)', '0'),
    });
  });
});

test('columns and order of the table', () => {
  const { summary: settings } = parse('-c -S name -U name,calls,errors,min-time,max-time,time -O 1us');
  let now = 0;
  const summary = new Summary<{ tid: number }>({ nowNs: () => now, settings: settings! });
  for (const [name, ns, errno] of [
    ['write', 3000, 0],
    ['read', 11_000, 5],
    ['read', 1000, 0],
  ] as const) {
    summary.enter({ tid: 1 }, row(name), []);
    now += ns;
    summary.leave({ tid: 1 }, row(name), [], 0, errno);
  }
  expect(summary.toString()).toBe(
    [
      'syscall              calls    errors shortest  longest % time',
      '---------------- --------- --------- -------- -------- ------',
      'read                     2         1 0.000000 0.000010  83.33',
      'write                    1           0.000002 0.000002  16.67',
      '---------------- --------- --------- -------- -------- ------',
      'total                    3         1 0.000000 0.000010 100.00',
      '',
    ].join('\n'),
  );
});
