/** For every row: what the printers print is parsed back into a call that prints the same. */
import { describe, expect, test } from '@jest/globals';
import type { ArchName } from '../../src/abi/types.js';
import { Call } from '../../src/trace/call.js';
import { Encoder, type Placement } from '../../src/trace/parse/encode.js';
import { parseArguments } from '../../src/trace/parse/term.js';
import { CallTexts } from '../../src/trace/printers/index.js';
import { FULL_STYLE } from '../../src/trace/style.js';
import type { TraceMemory } from '../../src/trace/tracer.js';
import type { Row } from '../../syscalls/row.js';
import { ROWS } from '../../syscalls/table.js';

/** What strace's own notation does not tell, so that no parser can know it. */
const LOSSY: Readonly<Record<string, string>> = {
  openat2: 'bytes behind the known struct are shown up to 32',
  statfs: 'names of file systems that share a number',
  fstatfs: 'names of file systems that share a number',
  getcwd: 'a string cut by its size looks like any other',
  clone: 'a parent_tid that points to itself',
  execve: 'one string that is a pointer in the text',
  wait4: 'bits of a status that no macro asks for',
  uname: 'an array of chars without an end',
  seccomp: 'the instructions of a filter',
  sendmsg: 'lengths beyond what a message may have',
  sendmmsg: 'lengths beyond what a message may have',
  recvmmsg: 'lengths beyond what a message may have',
  shmctl: 'structs by command are read as numbers',
  semctl: 'structs by command are read as numbers',
  msgctl: 'structs by command are read as numbers',
};

const SIZE = 1 << 15;
const CASES = 12;
const BUFFER = 4096;

class Memory implements TraceMemory, Placement {
  readonly nowhere = 8n;
  readonly bytes = new Uint8Array(SIZE);
  private readonly base: number;
  private top = 64;

  constructor(base: number) {
    this.base = base;
  }
  read(addr: number, length: number): Uint8Array | null {
    const at = addr - this.base;
    return at < 0 || at + length > SIZE ? null : this.bytes.slice(at, at + length);
  }
  place(bytes: Uint8Array): bigint {
    const at = this.top;
    this.bytes.set(bytes.subarray(0, SIZE - at), at);
    this.top = (at + bytes.length + 63) & ~63;
    return BigInt(this.base + at);
  }
  room(size: number): bigint {
    return this.place(new Uint8Array(Math.min(size, BUFFER)));
  }
}

/** Reproducible: the same calls in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fff_ffff;
    return Math.floor((state / 0x8000_0000) * below);
  };
}

const NUMBERS = new Set(['size', 'int', 'uint', 'ulong', 'long', 'off']);
const FIRST = 0x1000_0000;

function randomCall(row: Row, random: (below: number) => number): { args: bigint[]; memory: Memory } {
  const memory = new Memory(FIRST);
  const fill = random(3);
  for (let i = 0; i < BUFFER; i++) memory.bytes[i] = fill === 0 ? 0 : fill === 1 || random(4) === 0 ? random(256) : 0;
  const view = new DataView(memory.bytes.buffer);
  for (let at = 0; at < 512; at += 8)
    if (random(3) === 0) view.setBigUint64(at, BigInt(FIRST + 1024 + 64 * random(16)), true);
  const value = (): bigint => {
    switch (random(7)) {
      case 0:
        return 0n;
      case 1:
        return BigInt(random(16));
      case 2:
        return BigInt(random(1 << 16));
      case 3:
        return (1n << 64n) - 1n;
      default:
        return BigInt(FIRST + 64 * random(32));
    }
  };
  return { args: row.args.map((arg) => (NUMBERS.has(arg.kind) ? BigInt(random(40)) : value())), memory };
}

/** Texts of a call and of what its text says, addresses left out. */
function twice(row: Row, arch: ArchName, random: (below: number) => number): [string, string] {
  const texts = new CallTexts();
  const { args, memory } = randomCall(row, random);
  const failed = random(3) === 0;
  const result = random(20);
  const print = (values: readonly bigint[], from: TraceMemory): string => {
    const call = new Call(row, values, arch, from, FULL_STYLE);
    const entered = texts.enter(call);
    call.errno = failed ? 22 : 0;
    call.result = failed ? -1 : result;
    return entered + texts.leave(call);
  };
  const first = print(args, memory);
  const rebuilt = new Memory(0x4000_0000);
  const encoder = new Encoder({ arch, placement: rebuilt, outputs: true });
  const second = print(encoder.encode(row, parseArguments(first), failed ? 'EINVAL' : ''), rebuilt);
  const plain = (text: string): string => text.replace(/0x[0-9a-f]{5,}/g, 'ADDRESS');
  return [plain(first), plain(second)];
}

describe.each(['x86_64', 'aarch64'] as const)('%s', (arch) => {
  const rows = ROWS.filter((row) => row.numbers[arch] !== undefined);
  const exact = rows.filter((row) => !Object.hasOwn(LOSSY, row.name));

  test.each(exact.map((row) => [row.name, row] as const))('%s', (_name, row) => {
    const random = generator(7);
    for (let i = 0; i < CASES; i++) {
      const [first, second] = twice(row, arch, random);
      expect(second).toBe(first);
    }
  });

  test('what is lossy can at least be read', () => {
    const random = generator(9);
    for (const row of rows.filter(({ name }) => Object.hasOwn(LOSSY, name)))
      for (let i = 0; i < CASES; i++) expect(() => twice(row, arch, random)).not.toThrow();
  });
});
