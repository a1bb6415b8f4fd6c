/**
 * The decoder against objdump: every instruction of real binaries, and random bytes through every opcode map. A length is the
 * same or there is none, and in real code there is practically always one. And what the mover makes of all syscall instructions.
 */
import { describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from '../../src/gate/x86_64/decode.js';
import { planSite } from '../../src/gate/x86_64/mover.js';
import { binaries, disassemble, disassembleFile, type Listed } from './binaries.js';
import { generator } from './random.js';

const PAGE = 4096;
const onX86 = process.arch === 'x64' ? describe : describe.skip;

class Tally {
  count = 0;
  wrong: string[] = [];
  private readonly unknown = new Map<string, number>();

  check(code: Uint8Array, at: number, { address, length, text }: Listed): void {
    this.count++;
    const found = decode(code, at);
    const hex = Buffer.from(code.subarray(at, at + length)).toString('hex');
    if (found === null) {
      const key = `${text.split(' ')[0]} ${hex.slice(0, 8)}`;
      this.unknown.set(key, (this.unknown.get(key) ?? 0) + 1);
    } else if (found.length !== length && !/^(6[4-7]|2e|3e|26|36|f[023])*9b/.test(hex)) {
      // (objdump shows fwait and the x87 instruction behind it as one)
      this.wrong.push(`${address.toString(16)}: ${hex} ${text}: ${found.length}`);
    }
  }
  get nulls(): number {
    return [...this.unknown.values()].reduce((sum, n) => sum + n, 0);
  }
  /** What had no length, most frequent first. */
  list(): string[] {
    return [...this.unknown].sort((a, b) => b[1] - a[1]).map(([what, n]) => `${n} ${what}`);
  }
}

onX86('real code', () => {
  test.each(['busybox', 'libc', 'libstdcxx'] as const)('lengths on all of %s', async (name) => {
    const tally = new Tally();
    await disassembleFile((await binaries())[name], null, (code, at, listed) => tally.check(code, at, listed));
    expect(tally.count).toBeGreaterThan(100_000);
    expect(tally.wrong).toEqual([]);
    expect([tally.nulls / tally.count < 0.001, tally.list()]).toEqual([true, expect.anything()]);
  });

  test('lengths on samples of Node (AVX2, AVX-512, BMI)', async () => {
    const tally = new Tally();
    const { node } = await binaries();
    for (const from of [0.05, 0.35, 0.65, 0.95])
      await disassembleFile(node, { from, bytes: 500_000 }, (code, at, listed) => tally.check(code, at, listed));
    expect(tally.count).toBeGreaterThan(200_000);
    expect(tally.wrong).toEqual([]);
    expect([tally.nulls / tally.count < 0.001, tally.list()]).toEqual([true, expect.anything()]);
  });

  test.each(['busybox', 'libc'] as const)('nearly all system calls of %s can jump', async (name) => {
    const plans: Record<string, number> = {};
    await disassembleFile((await binaries())[name], null, (code, at, { text }) => {
      if (text !== 'syscall') return;
      const lo = at - (at % PAGE);
      const plan = planSite(code, at, lo, lo + PAGE);
      const key = plan.kind === 'refused' ? plan.reason : plan.kind;
      plans[key] = (plans[key] ?? 0) + 1;
    });
    const total = Object.values(plans).reduce((sum, n) => sum + n, 0);
    expect(total).toBeGreaterThan(200);
    expect([plans['jump'] / total > 0.95, plans]).toEqual([true, expect.anything()]);
  });

  test('lengths on random bytes behind every kind of prefix', async () => {
    const slot = 32;
    const slots = 60_000;
    const code = randomCode(slots, slot);
    const folder = mkdtempSync(join(tmpdir(), 'levitate-gate-'));
    try {
      writeFileSync(join(folder, 'code'), code);
      const tally = new Tally();
      const args = ['-D', '-b', 'binary', '-m', 'i386:x86-64', join(folder, 'code')];
      await disassemble(args, (listed) => {
        if (listed.address % slot === 0) tally.check(code, listed.address, listed);
      });
      expect(tally.count).toBeGreaterThan(slots / 5);
      expect(tally.wrong).toEqual([]);
      expect([tally.nulls / tally.count < 0.02, tally.list().slice(0, 50)]).toEqual([true, expect.anything()]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** One instruction per slot: prefixes, an escape to an opcode map, random bytes; nops up to the next slot. */
function randomCode(slots: number, slot: number): Uint8Array {
  const { below, pick } = generator(1);
  const code = new Uint8Array(slots * slot).fill(0x90);
  for (let i = 0; i < slots; i++) {
    const bits = below(256);
    const escapes = [
      [],
      [0x0f],
      [0x0f, 0x38],
      [0x0f, 0x3a],
      [0xc5],
      [0xc4, (bits & 0xe0) | (1 + below(3))],
      [0x62, (bits & 0xf0) | pick([1, 2, 3, 5, 6]), below(256) | 4],
      [0x8f, (bits & 0xe0) | (8 + below(3))],
    ];
    const escape = pick(escapes);
    const prefixes =
      escape.length === 0 || escape[0] === 0x0f ? pick([[], [0x66], [0xf2], [0xf3], [0x67], [0x64]]) : [];
    const rex = prefixes.length === 0 && escape[0] === 0x0f && below(2) ? [0x40 | below(16)] : [];
    const operands = Array.from({ length: 12 }, () => below(256));
    code.set([...prefixes, ...rex, ...escape, ...operands], i * slot);
  }
  return code;
}
