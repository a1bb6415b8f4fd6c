/**
 * Golden cases: a table of raw system calls is turned into a C program, run under the host's strace, and replayed into our
 * StraceWriter with the same arguments, results and memory. Both texts must be equal, line by line.
 *
 * All memory a case uses lies in one arena at a fixed address with unmapped pages after it. The program notes each result and
 * a copy of the arena after each call, and with -y the names of its descriptors, and writes them to a file at the end.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArchName } from '../../src/abi/types.js';
import { StraceWriter } from '../../src/trace/strace.js';
import type { StraceSettings } from '../../src/trace/settings.js';
import type { DescriptorName } from '../../src/trace/tracer.js';
import { parseStraceOptions } from '../../src/trace/strace-options.js';
import { ROWS } from '../../syscalls/table.js';

export const ARENA = 0x11_0000_0000;
export const ARENA_SIZE = 16384;
export const END = ARENA + ARENA_SIZE;

/** A number, or the result of an earlier case. */
export type Value = number | bigint | Case;

/** Lays out the memory of one case. */
export class Memory {
  readonly writes: { at: number; bytes: Uint8Array }[] = [];
  private next = 0;

  /** Bytes somewhere in the arena; returns their address. */
  put(...parts: (Uint8Array | number[])[]): bigint {
    const bytes = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
    const at = this.next;
    this.next = (at + bytes.length + 15) & ~15;
    if (this.next > ARENA_SIZE) throw new Error('arena too small');
    this.writes.push({ at, bytes });
    return BigInt(ARENA + at);
  }
  /** A NUL-terminated string. */
  str(text: string): bigint {
    return this.put(Buffer.from(`${text}\0`, 'latin1'));
  }
  space(size: number, fill = 0): bigint {
    return this.put(new Uint8Array(size).fill(fill));
  }
  /** The last `bytes.length` bytes of the arena: what follows is not mapped. */
  atEnd(bytes: Uint8Array | number[]): bigint {
    this.writes.push({ at: ARENA_SIZE - bytes.length, bytes: Uint8Array.from(bytes) });
    return BigInt(END - bytes.length);
  }
}
const scalar =
  (size: number) =>
  (...values: (number | bigint)[]): Uint8Array => {
    const view = new DataView(new ArrayBuffer(size * values.length));
    values.forEach((value, i) => {
      const bits = BigInt.asUintN(64, BigInt(value));
      for (let b = 0; b < size; b++) view.setUint8(i * size + b, Number((bits >> BigInt(8 * b)) & 0xffn));
    });
    return new Uint8Array(view.buffer);
  };
export const u8 = scalar(1);
export const u16 = scalar(2);
export const u32 = scalar(4);
export const u64 = scalar(8);
export const text = (s: string, size = s.length): Uint8Array => {
  const bytes = new Uint8Array(size);
  bytes.set(Buffer.from(s, 'latin1').subarray(0, size));
  return bytes;
};

export interface Case {
  name: string;
  args: Value[];
  writes: { at: number; bytes: Uint8Array }[];
}
export function call(name: string, make: ((m: Memory) => Value[]) | Value[]): Case {
  const memory = new Memory();
  const args = typeof make === 'function' ? make(memory) : make;
  return { name, args, writes: memory.writes };
}

function earlier(cases: readonly Case[], wanted: Case, before: number): number {
  const index = cases.indexOf(wanted);
  if (index < 0 || index >= before) throw new Error(`${wanted.name}: no such earlier case`);
  return index;
}
const bigOf = (value: number | bigint): bigint => BigInt.asUintN(64, BigInt(value));

/** Descriptors that are looked at, and the room for each name. */
const FDS = 48;
const NAME = 128;
const NAMES = FDS * NAME;

function program(cases: readonly Case[], arch: ArchName, named: boolean): string {
  const numberOf = (name: string): number => {
    const nr = ROWS.find((row) => row.name === name)?.numbers[arch];
    if (nr === undefined) throw new Error(`no ${name} on ${arch}`);
    return nr;
  };
  const registersOf = (name: string): readonly number[] | undefined =>
    ROWS.find((row) => row.name === name)?.registers?.[arch];
  const body = cases.map((c, i) => {
    const writes = c.writes.map((w) => `W(${w.at}, ${[...w.bytes].join(',') || '0'});`);
    const values = c.args.map((v) =>
      typeof v === 'object' ? `r[${earlier(cases, v, i)}]` : `0x${bigOf(v).toString(16)}UL`,
    );
    const order = registersOf(c.name);
    const placed = order ? [0, 1, 2, 3, 4, 5].map((reg) => values[order.indexOf(reg)] ?? '0') : values;
    const padded = [...placed, '0', '0', '0', '0', '0', '0'].slice(0, 6);
    return `  ${writes.join(' ')}\n  r[${i}] = call(${numberOf(c.name)}, ${padded.join(', ')}); memcpy(snaps + ${i} * SIZE, (char *)ARENA, SIZE);${named ? ` name(${i + 1});` : ''}`;
  });
  return `
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#define ARENA 0x${ARENA.toString(16)}UL
#define SIZE ${ARENA_SIZE}
static long r[${cases.length}];
static char *snaps;
static char names[${named ? cases.length + 1 : 1}][${FDS}][${NAME}];
static void name(int i) {
  char path[] = "/proc/self/fd/00";
  for (int fd = 0; fd < ${FDS}; fd++) {
    path[14] = fd < 10 ? '0' + fd : '0' + fd / 10;
    path[15] = fd < 10 ? 0 : '0' + fd % 10;
    names[i][fd][0] = 0; readlink(path, names[i][fd], ${NAME - 1});
  }
}
#define W(at, ...) do { static const unsigned char b[] = { __VA_ARGS__ }; memcpy((char *)ARENA + (at), b, sizeof b); } while (0)
static long call(long nr, long a, long b, long c, long d, long e, long f) {
  long result;
#if defined __x86_64__
  register long r10 __asm__("r10") = d; register long r8 __asm__("r8") = e; register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  if (result == 0 && (nr == 56 || nr == 57 || nr == 435)) _exit(7);
#else
  register long x8 __asm__("x8") = nr; register long x0 __asm__("x0") = a; register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c; register long x3 __asm__("x3") = d; register long x4 __asm__("x4") = e; register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  result = x0;
  if (result == 0 && (nr == 220 || nr == 435)) _exit(7);
#endif
  return result;
}
int main(int argc, char **argv) {
  setsid(); /* whatever a case kills, it is not the test run */
  sigset_t set; sigfillset(&set); sigprocmask(SIG_BLOCK, &set, 0);
  mmap((void *)ARENA, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  snaps = mmap(0, (unsigned long)SIZE * ${cases.length}, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 3; i < 64; i++) close(i);
  write(-1, "BEGIN", 5);${named ? '\n  name(0);' : ''}
${body.join('\n')}
  write(-1, "END", 3);
  int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  write(fd, r, sizeof r);
  write(fd, names, sizeof names);
  for (unsigned long done = 0; done < (unsigned long)SIZE * ${cases.length};) done += write(fd, snaps + done, (unsigned long)SIZE * ${cases.length} - done);
  return 0;
}
`;
}

/** The calls around the cases, in plain text and in hexadecimal. */
const MARKS: Record<string, string[]> = Object.fromEntries(
  ['BEGIN', 'END'].map((text) => {
    const hex = [...text].map((c) => `\\x${c.charCodeAt(0).toString(16)}`).join('');
    return [text, [`write(-1, "${text}"`, `write(-1, "${hex}"`]];
  }),
);

export const available = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

/** Runs the cases on the host under `strace OPTIONS`; what strace said, and what we say. */
export function compare(
  cases: readonly Case[],
  arch: ArchName,
  options: string,
): { expected: string[]; actual: string[] } {
  const dir = mkdtempSync(join(tmpdir(), 'levitate-golden-'));
  try {
    const named = options.includes('-y');
    writeFileSync(join(dir, 'g.c'), program(cases, arch, named));
    const build = spawnSync('gcc', ['-O1', '-w', '-o', join(dir, 'g'), join(dir, 'g.c')], { encoding: 'utf8' });
    if (build.status !== 0) throw new Error(build.stderr);
    const run = spawnSync(
      'strace',
      [...options.split(' ').filter((word) => word !== ''), '-o', join(dir, 'log'), join(dir, 'g'), join(dir, 'out')],
      {
        encoding: 'utf8',
        cwd: dir,
        env: { ...process.env, TZ: 'UTC' },
        input: '',
      },
    );
    if (run.status !== 0) throw new Error(`strace: ${run.status} ${run.signal} ${run.stderr}`);
    const log = readFileSync(join(dir, 'log'), 'latin1').split('\n');
    const mark = (text: string): number => log.findIndex((line) => MARKS[text].some((form) => line.includes(form)));
    const from = mark('BEGIN');
    const to = mark('END');
    return {
      expected: log.slice(from + 1, to).filter((line) => !/^readlink(at)?\(.*"\/proc\/self\/fd\/\d+"/.test(line)),
      actual: replay(
        cases,
        arch,
        readFileSync(join(dir, 'out')),
        parseStraceOptions([options], ROWS, arch).style,
        named ? dir : null,
      ),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function replay(
  cases: readonly Case[],
  arch: ArchName,
  out: Buffer,
  style: StraceSettings['style'],
  cwd: string | null,
): string[] {
  let done = 0;
  let arena = new Uint8Array(ARENA_SIZE);
  let output = '';
  const writer = new StraceWriter({
    arch,
    style,
    write: (s) => (output += s),
    memory: () => ({
      read: (addr, length) =>
        addr >= ARENA && addr + length <= END ? arena.slice(addr - ARENA, addr - ARENA + length) : null,
      descriptor: (fd) => nameOf(out, 8 * cases.length + done * NAMES, fd),
      cwd: () => cwd,
    }),
  });
  const task = { tid: 1 };
  const results = cases.map((_, i) => out.readBigInt64LE(8 * i));
  cases.forEach((c, i) => {
    const row = ROWS.find((r) => r.name === c.name)!;
    for (const w of c.writes) arena.set(w.bytes, w.at);
    const args = [...c.args, 0, 0, 0, 0, 0, 0]
      .slice(0, Math.max(1, row.args.length))
      .map((v) => bigOf(typeof v === 'object' ? results[earlier(cases, v, i)] : v));
    writer.enter(task, row, args);
    done = i + 1;
    const tables = cwd === null ? 1 : cases.length + 1;
    const at = 8 * cases.length + tables * NAMES + i * ARENA_SIZE;
    arena = new Uint8Array(out.subarray(at, at + ARENA_SIZE));
    const result = results[i];
    const failed = result < 0n && result >= -4095n;
    writer.leave(task, row, args, failed ? -1 : Number(result), failed ? Number(-result) : 0);
  });
  return output.split('\n').slice(0, -1);
}

/** The name of a descriptor in the table at `at`. */
function nameOf(out: Buffer, at: number, fd: number): DescriptorName | null {
  if (fd >= FDS) return null;
  const entry = out.subarray(at + fd * NAME, at + (fd + 1) * NAME).toString('latin1');
  const path = entry.slice(0, entry.indexOf('\0'));
  if (path === '') return null;
  return path.endsWith(' (deleted)') ? { path: path.slice(0, -10), deleted: true } : { path };
}
