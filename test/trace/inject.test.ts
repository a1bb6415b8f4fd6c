/** Expressions of --inject and --fault: what they mean, and what is said about those that mean nothing. */
import { describe, expect, test } from '@jest/globals';
import { ExpressionError, parseCallSet } from '../../src/trace/call-set.js';
import { parseInject, type InjectRule } from '../../src/trace/inject.js';
import { Injector } from '../../src/trace/injector.js';
import type { Task } from '../../sched/task.js';
import type { Row } from '../../syscalls/row.js';
import { ROWS } from '../../syscalls/table.js';

const row = (name: string): Row => ROWS.find((r) => r.name === name)!;
const parse = (text: string, fault = false): InjectRule => parseInject(text, fault, ROWS, 'x86_64');
const names = (text: string): string[] => [...parseCallSet(text, ROWS, 'x86_64')].map((r) => r.name).sort();

describe('sets of calls', () => {
  test.each<[string, string[]]>([
    ['read', ['read']],
    ['read,write,?nosuch', ['read', 'write']],
    ['/^pread', ['pread64', 'preadv', 'preadv2']],
    ['0,1', ['read', 'write']],
    ['none', []],
    ['!all', []],
    ['?nosuch', []],
    ['%%statfs', ['fstatfs', 'statfs', 'ustat']],
  ])('%s', (text, expected) => expect(names(text)).toEqual(expected));

  test('classes, with and without the percent sign, and complements', () => {
    expect(names('%net')).toEqual(names('network'));
    expect(names('%file')).toEqual(expect.arrayContaining(['openat', 'execve', 'stat']));
    expect(names('%file')).not.toContain('read');
    expect(names('!%file').concat(names('%file')).sort()).toEqual(names('all'));
    expect(names('!read,write')).not.toContain('write');
  });

  test('only calls of the architecture', () => {
    expect(() => parseCallSet('open', ROWS, 'aarch64')).toThrow("'open' is no system call");
    expect(names('all')).toContain('open');
  });
});

describe('expressions', () => {
  test.each<[string, Partial<InjectRule>]>([
    ['read:error=ENOSPC', { errno: 28, value: (1n << 64n) - 28n, first: 1, step: 1, last: Infinity }],
    ['read:error=5', { errno: 5 }],
    ['read:error=EWOULDBLOCK', { errno: 11 }],
    ['read:retval=0', { value: 0n, errno: 0 }],
    ['read:retval=0xdeadbeefdeadbeef', { value: 0xdead_beef_dead_beefn }],
    ['read:retval=-1', { value: (1n << 64n) - 1n, errno: 0 }],
    ['read:signal=SIGUSR1', { signal: 10, value: null }],
    ['read:signal=USR1:error=1', { signal: 10, errno: 1 }],
    ['read:signal=SIGRT_1', { signal: 33 }],
    ['read:signal=64', { signal: 64 }],
    ['read:delay_enter=10', { enterNs: 10_000, exitNs: 0 }],
    ['read:delay_exit=1.5ms:delay_enter=3ns', { enterNs: 3, exitNs: 1_500_000 }],
    ['read:delay_enter=2s', { enterNs: 2e9 }],
    ['read:delay_enter=7us', { enterNs: 7000 }],
    ['read:error=1:when=3', { first: 3, step: 0 }],
    ['read:error=1:when=3+', { first: 3, step: 1, last: Infinity }],
    ['read:error=1:when=3+4', { first: 3, step: 4, last: Infinity }],
    ['read:error=1:when=3..9', { first: 3, step: 1, last: 9 }],
    ['read:error=1:when=3..9+', { first: 3, step: 1, last: 9 }],
    ['read:error=1:when=1..65534+2', { first: 1, step: 2, last: 65534 }],
    ['read:error=1:when=1:when=2', { first: 2 }],
    ['read:syscall=getpid:error=1', { errno: 1 }],
    ['read:fd=3:pid=2:error=1', { fd: 3, pid: 2 }],
    ['read:probability=0.25:seed=7:error=1', { probability: 0.25, seed: 7 }],
    ['read:probability=5%:error=1', { probability: 0.05, seed: null }],
  ])('%s', (text, expected) => expect(parse(text)).toMatchObject(expected));

  test('--fault is ENOSYS unless it says otherwise', () => {
    expect(parse('read', true).errno).toBe(38);
    expect(parse('read:when=2', true)).toMatchObject({ errno: 38, first: 2, step: 0 });
    expect(parse('read:error=EIO', true).errno).toBe(5);
  });

  test.each<[string, string, boolean?]>([
    ['opnat:error=EIO', "'opnat' is no system call (at character 1)"],
    ['read,opnat:error=EIO', "'opnat' is no system call (at character 6)"],
    ['!opnat:error=EIO', "'opnat' is no system call (at character 2)"],
    ['%files:error=EIO', "'%files' is no class of system calls (at character 1)"],
    ['/^x:error=EIO', "'/^x' matches no system call (at character 1)"],
    ['/(:error=EIO', "'/(' is no regular expression (at character 1)"],
    [':error=EIO', 'the name of a system call is missing (at character 1)'],
    ['read,:error=EIO', 'the name of a system call is missing (at character 6)'],
    ['read', 'nothing to inject: give error, retval, signal, delay_enter or delay_exit (at character 5)'],
    ['read:when=1', 'nothing to inject: give error, retval, signal, delay_enter or delay_exit (at character 12)'],
    ['read:eror=EIO', "'eror' is nothing that can be injected (at character 6)"],
    ['read:toString=1', "'toString' is nothing that can be injected (at character 6)"],
    ['read:error', 'error needs a value: error=... (at character 6)'],
    ['read:error=EFOO', "'EFOO' is no error (at character 12)"],
    ['read:error=', "'' is no error (at character 12)"],
    ['read:error=0', "'0' is no error (at character 12)"],
    ['read:error=4096', "'4096' is no error (at character 12)"],
    ['read:error=EIO:retval=3', 'error and retval exclude each other (at character 16)'],
    ['read:error=EIO:error=EIO', 'error is given twice (at character 16)'],
    ['read:retval=x', "'x' is no number (at character 13)"],
    ['read:retval=0x10000000000000000', "'0x10000000000000000' is more than 64 bits (at character 13)"],
    ['read:signal=SIGFOO', "'SIGFOO' is no signal (at character 13)"],
    ['read:signal=65', "'65' is no signal (at character 13)"],
    ['read:delay_enter=soon', "'soon' is no time: microseconds, or with s, ms, us or ns (at character 18)"],
    ['read:error=1:when=0', 'when=0: FIRST and STEP are 1 to 65535, LAST is FIRST to 65534 (at character 19)'],
    ['read:error=1:when=3..2', 'when=3..2: FIRST and STEP are 1 to 65535, LAST is FIRST to 65534 (at character 19)'],
    ['read:error=1:when=1..65535', /FIRST and STEP/.source],
    ['read:error=1:when=65536', /FIRST and STEP/.source],
    ['read:error=1:when=2+0', /FIRST and STEP/.source],
    ['read:error=1:when=x', "'x' is not FIRST[..LAST][+[STEP]] (at character 19)"],
    ['read:poke_enter=@arg1=00', 'poke_enter and poke_exit are not supported (at character 17)'],
    ['read:syscall=read:error=1', "'read' is no system call without side effects (%pure) (at character 14)"],
    ['read:syscall=getpid:signal=1', /syscall replaces the call only together/.source],
    ['read:probability=2:error=1', "'2' is no probability from 0 to 1 (at character 18)"],
    ['read:seed=2:error=1', 'seed is of use only together with probability (at character 20)'],
    ['read:fd=x:error=1', "'x' is no number from 0 on (at character 9)"],
    ['read:retval=1', "'retval' is nothing that can be injected (at character 6)", true],
    ['read:signal=1', "'signal' is nothing that can be injected (at character 6)", true],
  ])('%s', (text, message, fault = false) => {
    expect(() => parse(text, fault)).toThrow(ExpressionError);
    expect(() => parse(text, fault)).toThrow(message);
  });
});

describe('which calls', () => {
  const task = (tid: number): Task => ({ tid, tgid: tid }) as Task;
  /** One letter a call: x where something is injected. */
  function played(texts: string[], calls = 12, call = 'getuid', by = task(1), injector?: Injector): string {
    const from =
      injector ??
      new Injector(
        texts.map((text) => parse(text)),
        () => 1,
      );
    return Array.from({ length: calls }, () => (from.decide(by, row(call), []) === null ? '.' : 'x')).join('');
  }

  test.each([
    ['1', 'x...........'],
    ['3', '..x.........'],
    ['3+', '..xxxxxxxxxx'],
    ['2+3', '.x..x..x..x.'],
    ['2..4', '.xxx........'],
    ['2..4+', '.xxx........'],
    ['2..9+3', '.x..x..x....'],
  ])('when=%s', (when, expected) => expect(played([`getuid:error=1:when=${when}`])).toBe(expected));

  test('each task and each call counts for itself', () => {
    const injector = new Injector([parse('getuid,getgid:error=1:when=2')], () => 1);
    const [a, b] = [task(1), task(2)];
    const counted = [
      played([], 1, 'getuid', a, injector),
      played([], 3, 'getgid', a, injector),
      played([], 3, 'getuid', b, injector),
      played([], 3, 'getuid', a, injector),
    ];
    expect(counted).toEqual(['.', '.x.', '.x.', 'x..']);
  });

  test('the last expression counts, unless its conditions do not fit', () => {
    expect(played(['getuid:error=1', 'getuid:error=2:when=2'], 4)).toBe('.x..');
    expect(played(['getuid:error=1:when=2', 'getuid:pid=9:error=2'], 4)).toBe('.x..');
    expect(played(['getuid:error=1:when=2', 'getuid:pid=1:error=2:when=3'], 4)).toBe('..x.');
  });

  test('chance: the seed decides, each task for itself, whoever comes first', () => {
    const seeded = (seed: number, tid: number): string =>
      played([`getuid:error=1:probability=0.3:seed=${seed}`], 1000, 'getuid', task(tid));
    expect(seeded(7, 1)).toBe(seeded(7, 1));
    expect(seeded(7, 1)).not.toBe(seeded(8, 1));
    expect(seeded(7, 1)).not.toBe(seeded(7, 2));
    for (const seed of [0, 1, 2, 2 ** 40]) {
      const hits = seeded(seed, 1).replaceAll('.', '').length;
      expect(hits).toBeGreaterThan(230);
      expect(hits).toBeLessThan(370);
    }
    expect(played(['getuid:error=1:probability=0'])).toBe('............');
    expect(played(['getuid:error=1:probability=1'])).toBe('xxxxxxxxxxxx');
  });

  test('a descriptor', () => {
    const injector = new Injector([parse('read,openat:fd=3:error=1')], () => 1);
    const hit = (name: string, first: bigint): boolean =>
      injector.decide(task(1), row(name), [first, 0n, 0n, 0n]) !== null;
    expect([hit('read', 3n), hit('read', 4n), hit('openat', 3n)]).toEqual([true, false, true]);
    // Linux looks at 32 bits.
    expect(hit('read', 0xffff_ffff_0000_0003n)).toBe(true);
  });
});
