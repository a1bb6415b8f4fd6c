/**
 * Random sequences of memory calls, compared after every call with what the host does: result and /proc/PID/maps. The VMAs must
 * split and merge exactly like Linux's.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { permissionLetters } from '../../src/mm/map.js';
import { hostIsSince } from '../support/host.js';
import { errnoOf, machine, PAGE, TestFile } from './harness.js';

const BASE = 0x2000_0000_0000;
const PAGES = 64;
const FILE_PAGES = 16;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const MAP_FIXED_NOREPLACE = 0x10_0000;
const MAP_GROWSDOWN = 0x100;

interface Call {
  op: 'm' | 'u' | 'p' | 'r' | 'a' | 'l' | 'k' | 's';
  args: number[];
}

const page = fc.integer({ min: 0, max: PAGES - 1 }).map((n) => BASE + n * PAGE);
const addr = fc.oneof({ weight: 30, arbitrary: page }, { weight: 1, arbitrary: page.map((a) => a + 8) });
const length = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 1, max: 20 }).map((n) => n * PAGE) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 9000 }) },
  { weight: 1, arbitrary: fc.constantFrom(2 ** 47, 2 ** 63) },
);
/** Longer ranges would reach what else the host program has mapped. */
const span = length.map((n) => (n > 2 ** 40 ? PAGE : n));
const prot = fc.integer({ min: 0, max: 7 });
const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        addr,
        length,
        prot,
        fc.constantFrom(
          MAP_FIXED,
          MAP_FIXED,
          MAP_FIXED_NOREPLACE,
          MAP_FIXED | MAP_NORESERVE,
          MAP_FIXED | MAP_GROWSDOWN,
        ),
        fc.constantFrom(1, 2, 2, 2, 3, 0),
        fc.constantFrom(0, 0, 1, 1, 2),
        fc.integer({ min: 0, max: 12 }),
      )
      .map(([a, n, p, fixed, type, file, offset]): Call => {
        const flags = fixed | type | (file === 0 ? MAP_ANONYMOUS : 0);
        return { op: 'm', args: [a, n, p, flags, file, file === 0 ? 0 : offset * PAGE] };
      }),
  },
  { weight: 3, arbitrary: fc.tuple(addr, span).map(([a, n]): Call => ({ op: 'u', args: [a, n] })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        addr,
        span,
        fc.oneof({ weight: 9, arbitrary: prot }, { weight: 1, arbitrary: fc.constantFrom(0x100_0001, 16) }),
      )
      .map(([a, n, p]): Call => ({ op: 'p', args: [a, n, p] })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(addr, length, length, fc.constantFrom(0, 3, 3, 7, 2, 8), addr, fc.boolean())
      .map(([a, n, m, flags, to, same]): Call => ({ op: 'r', args: [a, n, same ? n : m, flags, to] })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(addr, span, fc.constantFrom(0, 1, 2, 10, 11, 16, 17, 18, 19, 4, 8, 20, 77))
      .map(([a, n, advice]): Call => ({ op: 'a', args: [a, n, advice] })),
  },
  { weight: 1, arbitrary: fc.tuple(addr, span).map(([a, n]): Call => ({ op: 'l', args: [a, n] })) },
  { weight: 1, arbitrary: fc.tuple(addr, span).map(([a, n]): Call => ({ op: 'k', args: [a, n] })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(addr, span, fc.integer({ min: 0, max: 8 }))
      .map(([a, n, flags]): Call => ({ op: 's', args: [a, n, flags] })),
  },
);

function mine(calls: readonly Call[]): string[] {
  const { map, frames } = machine({ physicalBytes: 256 * PAGE });
  map.limits = { addressSpace: Infinity, data: Infinity, stack: Infinity, memlock: Infinity };
  const file = new TestFile(frames, FILE_PAGES * PAGE);
  return calls.map(({ op, args: [a, b, c, d, e, f] }) => {
    const error = errnoOf(() => {
      if (op === 'm') {
        const descriptor = e === 0 ? {} : { descriptor: { readable: true, writable: e === 1, open: () => file } };
        map.mmap({ addr: a, length: b, prot: c, flags: d, file: null, offset: f, mayWrite: e !== 2, ...descriptor });
      } else if (op === 'u') map.munmap(a, b);
      else if (op === 'p') map.mprotect(a, b, c);
      else if (op === 'r') map.mremap(a, b, c, d, e);
      else if (op === 'a') map.madvise(a, b, c);
      else if (op === 'l') map.mlock(a, b, true);
      else if (op === 'k') map.munlock(a, b);
      else map.msync(a, b, c);
    });
    const lines = map
      .vmas()
      .map((v) => `${(v.start - BASE) / PAGE} ${(v.end - BASE) / PAGE} ${permissionLetters(v)} ${v.offset / PAGE}`);
    return [String(error === 0 ? 0 : -error), ...lines].join('\n');
  });
}

// Rules of merging change slowly; the ones copied here are those since 6.17 (mremap across VMAs).
const suitable = process.arch === 'x64' && process.getuid?.() === 0 && hostIsSince(6, 17);
const onHost = suitable ? describe : describe.skip;
onHost('against the host', () => {
  const folder = mkdtempSync(join(tmpdir(), 'levitate-mm-'));
  const program = join(folder, 'replay');
  const data = join(folder, 'file');
  writeFileSync(data, Buffer.alloc(FILE_PAGES * PAGE));
  execFileSync('gcc', ['-O1', '-static', '-o', program, fileURLToPath(new URL('./guest/replay.c', import.meta.url))]);

  const theirs = (calls: readonly Call[]): string[] => {
    const input = calls.map(({ op, args }) => `${op} ${args.map((n) => n.toString(16)).join(' ')}\n`).join('');
    const { stdout, status } = spawnSync(program, [data], { input, encoding: 'latin1' });
    if (status !== 0) throw new Error(`replay ended with ${String(status)}`);
    return stdout.split('\n\n').slice(0, -1);
  };
  test('property: results and maps agree', () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 60 }), (calls) => {
        const host = theirs(calls);
        const own = mine(calls);
        for (let i = 0; i < calls.length; i++)
          if (own[i] !== host[i]) {
            const { op, args } = calls[i];
            const text = `${op} ${args.map((n) => (n >= BASE && n < BASE + 2 ** 30 ? `p${(n - BASE) / PAGE}` : n.toString(16))).join(' ')}`;
            expect(`${text}\nbefore\n${host[i - 1] ?? ''}\nafter\n${own[i]}`).toBe(
              `${text}\nbefore\n${host[i - 1] ?? ''}\nafter\n${host[i]}`,
            );
          }
      }),
      { numRuns: Number(process.env['ORACLE_RUNS'] ?? 150) },
    );
  });
  test('the replay program sees what it maps', () => {
    expect(theirs([{ op: 'm', args: [BASE, PAGE, 3, 0x32, 0, 0] }])).toEqual(['0\n0 1 rw-p 0']);
    expect(readFileSync(data)).toHaveLength(FILE_PAGES * PAGE);
  });
});
