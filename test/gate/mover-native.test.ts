/**
 * Property: what the mover moves behaves as before. Instructions of real binaries are planned as if they stood behind a syscall,
 * and run natively where they were and where they went (mover-harness.c), from the same random states. Displacements of branches
 * and of RIP-relative operands are replaced by ones that lead to int3 and to memory.
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { decode } from '../../src/gate/x86_64/decode.js';
import { planSite, SYSCALL_LENGTH, type JumpPlan } from '../../src/gate/x86_64/mover.js';
import { binaries, bytes, executableSections } from './binaries.js';
import { generator, type Generator } from './random.js';

const onX86 = process.arch === 'x64' ? describe : describe.skip;

// As in mover-harness.c.
const SITE = 0x50000800;
const TRAMPOLINE = 0x1cccd405;
const WINDOW = 0x08000000;
const CASE_SIZE = 128;

/** Room for what may be decoded behind the syscall. */
const WINDOW_OF_CODE = 48;
/** One in this many is tried of the instructions that differ in operands only. */
const SAMPLE = 300;

interface Report {
  cases: number;
  runs: number;
  /** Runs that went on behind the moved instructions, went somewhere else, ended in a fault. */
  through: number;
  elsewhere: number;
  faults: number;
  differences: number;
}

/**
 * Opcodes a host program cannot run and compare: they change segments or the trap flag, or give a different result each time.
 * 9d popf; 8e, 0fa1, 0fa9, 0fb2, 0fb4, 0fb5 segment loads; 0f31 rdtsc, 0fa2 cpuid; 0fae, 0fc7 with rdfsbase, xsave, rdrand.
 */
const EXCLUDED = /^(9d|8e|0fa1|0fa9|0fb[245]|0f31|0fa2|0fae|0fc7)/;
const PREFIXES = /^((2e|36|3e|26|6[4-7]|f[023])*)(4.)?/;

onX86('moved code behaves as before', () => {
  let harness: string;
  beforeAll(() => {
    harness = buildHarness();
  });

  test('instructions of real binaries', async () => {
    const { busybox, libc, libstdcxx, node } = await binaries();
    const random = generator(7);
    const sites: Uint8Array[] = [];
    const seen = new Set<number>();
    for (const [path, limit] of [
      [busybox, Infinity],
      [libc, Infinity],
      [libstdcxx, Infinity],
      [node, 2 ** 21],
    ] as const)
      collect(path, limit, seen, sites);
    const records: Buffer[] = [];
    for (const code of sites) {
      retarget(code, random);
      const found = planSite(code, 0, 0, code.length);
      if (found.kind === 'jump') records.push(record(code, found, random.below(256)));
    }
    const { report, differences } = run(harness, records, 3);
    expect(differences).toEqual([]);
    expect(report).toMatchObject({ cases: records.length, differences: 0 });
    expect(report.cases).toBeGreaterThan(5000);
    expect(report.through / report.runs).toBeGreaterThan(0.5);
    expect(report.elsewhere).toBeGreaterThan(500);
    expect(report.faults).toBeGreaterThan(500);
  }, 120_000);

  test('every condition, both ways, in both forms', () => {
    const random = generator(3);
    const records: Buffer[] = [];
    for (let condition = 0; condition < 16; condition++) {
      for (const [hex, skip] of [
        [`${(0x70 + condition).toString(16)}30 90`, 0],
        [`90 ${(0x70 + condition).toString(16)}d0`, 1],
        [`0f8${condition.toString(16)}00030000`, 0],
        [`5890 0f8${condition.toString(16)}00fdffff`, 2],
      ] as const) {
        const found = planSite(window(hex), 0, 0, WINDOW_OF_CODE);
        expect([hex, found.kind, skip]).toEqual([hex, 'jump', skip]);
        records.push(record(window(hex), found as JumpPlan, random.below(256)));
      }
    }
    const { report, differences } = run(harness, records, 20);
    expect(differences).toEqual([]);
    expect(report.through).toBeGreaterThan(500);
    expect(report.elsewhere).toBeGreaterThan(500);
  });

  test('the harness notices what was moved wrongly', () => {
    const spoil = (hex: string, change: (code: Uint8Array) => void): string => {
      const code = window(hex);
      const found = planSite(code, 0, 0, WINDOW_OF_CODE);
      if (found.kind !== 'jump') throw new Error(found.kind);
      const wrong: JumpPlan = {
        ...found,
        emit: (to, site) => {
          const out = found.emit(to, site);
          change(out);
          return out;
        },
      };
      return run(harness, [record(code, wrong, 9)], 2).differences.join('\n');
    };
    const rip = Buffer.alloc(4);
    rip.writeInt32LE(WINDOW + 0x200 - (SITE + SYSCALL_LENGTH + 7));
    const load = `488b0d${rip.toString('hex')}`;
    expect(spoil(load, () => {})).toBe('');
    expect(spoil(load, (code) => (code[3] ^= 8))).toMatch(/ reg14 /);
    expect(spoil(load.replace('8b', '89'), (code) => (code[3] ^= 8))).toMatch(/ memory/);
    expect(spoil('7430 90', () => {})).toBe('');
    expect(spoil('7430 90', (code) => (code[1] ^= 1))).toMatch(/ rip /);
    expect(spoil('4801d8', (code) => (code[1] = 0x11))).not.toBe(''); // adc
    expect(spoil('c5f5efc0', (code) => (code[2] = 0xeb))).toMatch(/ vector /);
    expect(spoil('488b0425 10000000', (code) => (code[4] = 0x20))).toMatch(/ address /);
    expect(spoil('480fc7f0', (code) => code.fill(0x90, 0, 4))).not.toBe('');
  });
});

/** A syscall and `hex` behind it; the rest is nops. */
function window(hex: string): Uint8Array {
  const code = new Uint8Array(WINDOW_OF_CODE).fill(0x90);
  code.set(bytes('0f05', hex));
  return code;
}

/**
 * Adds what stands at the instructions of a file's code that differ from all before in the first four bytes or the length: of
 * those that differ in their first two bytes or the opcode each, of the others one in `SAMPLE`.
 */
function collect(path: string, limit: number, seen: Set<number>, sites: Uint8Array[]): void {
  const file = readFileSync(path);
  const [{ offset, size }] = executableSections(file);
  const end = offset + Math.min(size, limit) - WINDOW_OF_CODE;
  for (let at = offset, count = 0; at < end;) {
    const found = decode(file, at);
    if (found === null) {
      at++;
      continue;
    }
    const { length, opcode, movable } = found;
    const kind = (file[at] * 256 + file[at + 1]) * 256 + opcode;
    const key = 2 ** 24 + (file.readUInt32LE(at) * 16 + length);
    if (movable && !seen.has(key) && (!seen.has(kind) || count++ % SAMPLE === 0)) {
      const code = new Uint8Array(WINDOW_OF_CODE);
      code.set([0x0f, 0x05]);
      code.set(file.subarray(at, at + WINDOW_OF_CODE - SYSCALL_LENGTH), SYSCALL_LENGTH);
      if (runnable(code)) {
        sites.push(code);
        seen.add(kind).add(key);
      }
    }
    at += length;
  }
}

/** Whether none of the instructions that would be moved is excluded. */
function runnable(code: Uint8Array): boolean {
  for (let at = SYSCALL_LENGTH; at < 5;) {
    const found = decode(code, at);
    if (found === null) return false;
    const hex = Buffer.from(code.subarray(at, at + found.length)).toString('hex');
    if (EXCLUDED.test(hex.replace(PREFIXES, ''))) return false;
    at += found.length;
  }
  return true;
}

/** Makes branches lead to int3, RIP-relative operands to memory, and segment FS, which the C library uses, to GS. */
function retarget(code: Uint8Array, random: Generator): void {
  const view = new DataView(code.buffer);
  for (let at = SYSCALL_LENGTH; at < 5;) {
    const found = decode(code, at)!;
    const end = at + found.length;
    for (let i = at; i < end && /^(2e|36|3e|26|6[4-7]|f[023])$/.test(code[i].toString(16)); i++)
      if (code[i] === 0x64) code[i] = 0x65;
    if (found.relative !== null) {
      const forward = random.below(2) === 0;
      if (found.length - (code[at] === 0x0f ? 2 : 1) >= 4)
        view.setInt32(end - 4, forward ? 0x40 + random.below(0x400) : -0x40 - random.below(0x400), true);
      else view.setInt8(end - 1, forward ? 0x40 + random.below(0x20) : -0x40 - random.below(0x20));
    }
    if (found.ripAt >= 0) view.setInt32(at + found.ripAt, WINDOW + 0x100 + random.below(0x400) - (SITE + end), true);
    at = end;
  }
}

function record(code: Uint8Array, found: JumpPlan, displacement: number): Buffer {
  const out = Buffer.alloc(CASE_SIZE);
  const moved = found.emit(TRAMPOLINE + displacement, SITE);
  if (moved.length !== found.size) throw new Error(`size ${found.size}, code of ${moved.length}`);
  out.set([displacement, found.length, found.size, found.falls ? 1 : 0, found.moved.length]);
  found.moved.forEach(({ from, to }, i) => out.set([from, to], 8 + 2 * i));
  out.set(code.subarray(SYSCALL_LENGTH, SYSCALL_LENGTH + found.length), 16);
  out.set(moved, 64);
  return out;
}

/** Runs the cases from `states` different states each. Differences start with the code of their case. */
function run(harness: string, records: readonly Buffer[], states: number): { report: Report; differences: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'levitate-gate-'));
  try {
    writeFileSync(join(folder, 'cases'), Buffer.concat(records));
    const result = spawnSync(harness, [join(folder, 'cases'), String(states)], { encoding: 'utf8' });
    if (result.status !== 0)
      throw new Error(`harness: ${result.status ?? result.signal} ${result.stdout} ${result.stderr}`);
    const differences = result.stdout.trim().split('\n');
    const report = JSON.parse(differences.pop()!) as Report;
    return { report, differences: differences.map((line) => `${codeOf(line, records)} ${line}`) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function codeOf(line: string, records: readonly Buffer[]): string {
  const found = records[Number(/^case (\d+)/.exec(line)?.[1])];
  return found.toString('hex', 16, 16 + found[1]);
}

/** Path of mover-harness.c compiled, cached under a hash of the source. */
function buildHarness(): string {
  const source = join(import.meta.dirname, 'mover-harness.c');
  const flags = ['-O1', '-Wall', '-Wextra', '-Werror'];
  const hash = createHash('sha256').update(flags.join(' ')).update(readFileSync(source)).digest('hex').slice(0, 16);
  const cache = join(tmpdir(), `levitate-test-${userInfo().uid}`);
  const path = join(cache, `mover-harness-${hash}`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const scratch = `${path}.${process.pid}`;
  const result = spawnSync('gcc', [...flags, '-o', scratch, source], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`gcc: ${result.error?.message ?? result.stderr}`);
  renameSync(scratch, path);
  return path;
}
