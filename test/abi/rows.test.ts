/**
 * The table of system calls: complete and without duplicates on both ABIs, consistent with the numbers, the named sets and
 * the layouts; and what dispatch makes of registers.
 */
import { describe, expect, test } from '@jest/globals';
import { Errno, ENOSYS } from '../../src/abi/errno.js';
import { FLAG_SETS } from '../../src/abi/flags/index.js';
import { LAYOUTS } from '../../src/abi/layouts/index.js';
import { SYSCALL_NUMBERS, X32_SYSCALL_BIT } from '../../src/abi/numbers.js';
import { A64_LAYOUT, X86_LAYOUT } from '../../src/abi/registers.js';
import type { ArchName } from '../../src/abi/types.js';
import { Registers } from '../../src/platform/registers.js';
import type { Task } from '../../sched/task.js';
import { Dispatcher } from '../../syscalls/dispatch.js';
import * as r from '../../syscalls/row.js';
import { ROWS } from '../../syscalls/table.js';

const ARCHES: ArchName[] = ['x86_64', 'aarch64'];
const LAYOUT_OF = { x86_64: X86_LAYOUT, aarch64: A64_LAYOUT };

describe.each(ARCHES)('%s', (arch) => {
  test('every number has exactly one row, under its own name', () => {
    const wanted = Object.entries(SYSCALL_NUMBERS[arch]).sort((a, b) => a[1] - b[1]);
    const rows = ROWS.flatMap((row) =>
      row.numbers[arch] === undefined ? [] : [[row.name, row.numbers[arch]] as const],
    );
    expect([...rows].sort((a, b) => a[1] - b[1])).toEqual(wanted);
  });

  test('numbers are dense where Linux has assigned them', () => {
    const numbers = new Set(Object.values(SYSCALL_NUMBERS[arch]));
    for (let nr = 424; nr <= 469; nr++) expect(numbers.has(nr)).toBe(true);
    expect(numbers.size).toBe(arch === 'x86_64' ? 383 : 325);
  });
});

test('names are unique and rows well formed', () => {
  expect(new Set(ROWS.map((row) => row.name)).size).toBe(ROWS.length);
  for (const row of ROWS) {
    const names = row.args.filter((arg) => arg.kind !== 'unused').map((arg) => arg.name);
    expect([row.name, new Set(names).size]).toEqual([row.name, names.length]);
    expect([row.name, row.args.length <= 6]).toEqual([row.name, true]);
    const missing = typeof row.disposition === 'object' && 'absent' in row.disposition;
    expect([row.name, row.handler === undefined]).toEqual([row.name, missing]);
    for (const arg of row.args) {
      if ('set' in arg) expect([row.name, arg.set in FLAG_SETS]).toEqual([row.name, true]);
      if ('layout' in arg) expect([row.name, arg.layout in LAYOUTS]).toEqual([row.name, true]);
      const length = 'length' in arg ? arg.length : 'count' in arg ? arg.count : undefined;
      if (typeof length === 'object' && 'arg' in length)
        expect([row.name, names]).toEqual([row.name, expect.arrayContaining([length.arg])]);
    }
  }
});

test('named sets list a value of several bits before its parts', () => {
  // open_mode_flags: O_SYNC before O_DSYNC, O_TMPFILE before O_DIRECTORY; statx masks: the unions first.
  for (const arch of ARCHES) {
    const names = FLAG_SETS.open_mode_flags.entries[arch].map(([name]) => name);
    expect(names.indexOf('O_SYNC')).toBeLessThan(names.indexOf('O_DSYNC'));
    expect(names.indexOf('O_TMPFILE')).toBeLessThan(names.indexOf('O_DIRECTORY'));
  }
  const value = (arch: ArchName, name: string) =>
    FLAG_SETS.open_mode_flags.entries[arch].find(([n]) => n === name)?.[1];
  expect([value('x86_64', 'O_DIRECTORY'), value('aarch64', 'O_DIRECTORY')]).toEqual([0o200000, 0o40000]);
  expect([value('x86_64', 'O_DIRECT'), value('aarch64', 'O_DIRECT')]).toEqual([0o40000, 0o200000]);
  expect(FLAG_SETS.mmap_flags.entries.aarch64.some(([name]) => name === 'MAP_32BIT')).toBe(false);
});

describe.each(ARCHES)('dispatch on %s', (arch) => {
  const layout = LAYOUT_OF[arch];
  const task = {} as Task;
  /** Registers at a call of `nr` with 64-bit arguments. */
  function at(nr: number, ...args: bigint[]): Registers {
    const words = new Uint32Array(2 * layout.count);
    const regs = new Registers(words, 0, layout);
    regs.setHalves(layout.nr, nr, 0);
    args.forEach((value, i) => {
      const bits = BigInt.asUintN(64, value);
      regs.setHalves(layout.args[i], Number(bits & 0xffff_ffffn), Number(bits >> 32n));
    });
    return regs;
  }
  const errnoOf = (run: () => unknown): number => {
    try {
      run();
    } catch (error) {
      if (error instanceof Errno) return error.errno;
      throw error;
    }
    return 0;
  };
  const seen: number[][] = [];
  const record = (_task: Task, ...args: number[]): number => seen.push(args);
  const numbers = (nr: number) => ({ [arch]: nr });

  test('each kind is decoded as its C type', () => {
    const rows = [
      r.row(
        'a',
        numbers(0),
        [r.int('a'), r.uint('b'), r.long('c'), r.ulong('d'), r.mode('e'), r.size('f')],
        {},
        record,
      ),
      r.row(
        'b',
        numbers(1),
        [r.fd('a'), r.uid('b'), r.off('c'), r.pid('d'), r.flags('e', 'at_flags'), r.addr('f')],
        {},
        record,
      ),
      r.row(
        'c',
        numbers(2),
        [r.enumeration('a', 'itimer_which'), r.longFlags('b', 'mmap_prot'), r.dynamic('c', 'x')],
        {},
        record,
      ),
      r.row('d', numbers(3), [], {}, record),
    ];
    const dispatcher = new Dispatcher(arch, rows);
    seen.length = 0;
    const ones = -1n;
    dispatcher.dispatch(task, at(0, ones, ones, ones, ones, ones, 0x7fff_ffff_f000n));
    dispatcher.dispatch(
      task,
      at(1, 0x1_ffff_ff9cn, 0xf_0000_0001n, -5n, 0x8000_0000n, 0xffff_ffffn, 0xffff_8000_0000_0000n),
    );
    dispatcher.dispatch(task, at(2, -2n, 0x1_0000_0001n, 4096n));
    dispatcher.dispatch(task, at(3));
    expect(seen).toEqual([
      // All ones is kept below 2^64: rounded up it would count as page aligned.
      [-1, 0xffff_ffff, -1, 2 ** 64 - 2048, 0xffff, 0x7fff_ffff_f000],
      [-100, 1, -5, -(2 ** 31), 0xffff_ffff, 0xffff_8000_0000_0000],
      [-2, 0x1_0000_0001, 4096],
      [],
    ]);
  });

  test('numbers without a row and absent calls fail with ENOSYS and are counted', () => {
    const dispatcher = new Dispatcher(arch, [
      r.absent('gone', numbers(3), [], {}),
      r.absent('odd', numbers(5), [], {}, 1),
    ]);
    for (const nr of [4, 100_000, -1, X32_SYSCALL_BIT, X32_SYSCALL_BIT | 3]) {
      expect(errnoOf(() => dispatcher.dispatch(task, at(nr)))).toBe(ENOSYS);
    }
    expect(errnoOf(() => dispatcher.dispatch(task, at(3)))).toBe(ENOSYS);
    expect(errnoOf(() => dispatcher.dispatch(task, at(5)))).toBe(1);
    expect(errnoOf(() => dispatcher.dispatch(task, at(5)))).toBe(1);
    expect(dispatcher.missed().map(({ row, hits }) => [row.name, hits])).toEqual([
      ['odd', 2],
      ['gone', 1],
    ]);
  });

  test('clone has its arguments in the order of the architecture', () => {
    const clone = ROWS.find((row) => row.name === 'clone')!;
    const dispatcher = new Dispatcher(arch, [
      r.row('clone', clone.numbers, clone.args, { registers: clone.registers! }, record),
    ]);
    seen.length = 0;
    dispatcher.dispatch(task, at(clone.numbers[arch]!, 1n, 2n, 3n, 4n, 5n));
    expect(seen[0]).toEqual(arch === 'x86_64' ? [1, 2, 3, 4, 5] : [1, 2, 3, 5, 4]);
  });
});
