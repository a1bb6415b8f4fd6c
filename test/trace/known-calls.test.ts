/** A text that is remembered is the text that would be made: whatever the call, and whatever has happened to memory. */
import { describe, expect, test } from '@jest/globals';
import type { ArchName } from '../../src/abi/types.js';
import { Call } from '../../src/trace/call.js';
import { KnownCalls, NotedMemory, type Knowledge } from '../../src/trace/known-calls.js';
import { CallTexts } from '../../src/trace/printers/index.js';
import { Room } from '../../src/trace/room.js';
import { resultText } from '../../src/trace/strace.js';
import { RECORD_STYLE } from '../../src/trace/style.js';
import type { TraceMemory } from '../../src/trace/tracer.js';
import type { Row } from '../../syscalls/row.js';
import { ROWS } from '../../syscalls/table.js';

const BASE = 0x10000;
const SIZE = 4096;

/** The same numbers in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

class Guest implements TraceMemory {
  readonly bytes = new Uint8Array(SIZE);
  reads = 0;
  private readonly room = new Room(SIZE);
  begin(): void {
    this.room.begin();
  }
  read(addr: number, length: number): Uint8Array | null {
    this.reads++;
    const at = addr - BASE;
    if (at < 0 || at + length > SIZE) return null;
    const bytes = this.room.take(length);
    bytes.set(this.bytes.subarray(at, at + length));
    return bytes;
  }
}
const knowledge = (memory: TraceMemory): Knowledge => ({
  memory: new NotedMemory(memory),
  row: null,
  enter: null,
  leave: null,
});

interface Told {
  readonly enter: string;
  readonly leave: string;
  readonly outcome: string;
}
interface Made {
  readonly row: Row;
  readonly args: readonly bigint[];
  readonly result: number;
  readonly errno: number;
  readonly tampered: number;
  /** What the call does to memory. */
  readonly does: () => void;
}

function remembered(calls: KnownCalls, known: Knowledge, arch: ArchName, made: Made): Told {
  const call = new Call(made.row, made.args, arch, known.memory, RECORD_STYLE);
  const enter = calls.enter(call, known);
  made.does();
  call.result = made.result;
  call.errno = made.errno;
  const leave = calls.leave(call, made.tampered, known);
  if (known.leave !== null) expect(known.leave.whole).toBe(enter + leave);
  return { enter, leave, outcome: known.leave?.outcome ?? resultText(call, made.tampered) };
}
const texts = new CallTexts();
function fresh(memory: TraceMemory, arch: ArchName, made: Made): Told {
  const call = new Call(made.row, made.args, arch, memory, RECORD_STYLE);
  const enter = texts.enter(call);
  made.does();
  call.result = made.result;
  call.errno = made.errno;
  const leave = texts.leave(call);
  return { enter, leave, outcome: resultText(call, made.tampered) };
}

describe.each<ArchName>(['x86_64', 'aarch64'])('every call of %s', (arch) => {
  const rows = ROWS.filter((row) => row.numbers[arch] !== undefined);
  test.each(rows.map((row) => [row.name, row] as const))('%s', (_name, row) => {
    const pick = random(row.name.length * 7919 + row.name.charCodeAt(0));
    const calls = new KnownCalls();
    const guest = new Guest();
    const known = knowledge(guest);
    const pointers = [0, BASE, BASE + 64, BASE + 200, BASE + SIZE - 8, 8];
    const words = [0, 1, 2, 3, 5, 8, 16, 64, 4096, 0x5401, 0x80045430];
    for (let i = 0; i < 16; i++) guest.bytes[pick(300)] = pick(256);
    for (let round = 0; round < 50; round++) {
      if (pick(3) === 0) guest.bytes[pick(300)] = pick(4) === 0 ? pick(256) : pick(3);
      const change = pick(2) === 0 ? [pick(300), pick(3)] : null;
      const before = guest.bytes.slice();
      const made: Made = {
        row,
        args: Array.from({ length: 6 }, () =>
          BigInt(pick(2) === 0 ? words[pick(3)] : [...pointers, ...words][pick(17)]),
        ),
        result: pick(3),
        errno: pick(4) === 0 ? 1 + pick(2) : 0,
        tampered: pick(8) === 0 ? 1 : 0,
        does: () => {
          if (change !== null) guest.bytes[change[0]] = change[1];
        },
      };
      // The same call several times over, as in a loop.
      for (let again = pick(4); again >= 0; again--) {
        guest.bytes.set(before);
        const told = remembered(calls, known, arch, made);
        guest.bytes.set(before);
        expect(told).toEqual(fresh(guest, arch, made));
      }
    }
  });
});

const row = (name: string): Row => ROWS.find((one) => one.name === name)!;
const at = (...offsets: number[]): bigint[] => [0, 1, 2, 3, 4, 5].map((i) => BigInt(BASE + (offsets[i] ?? 0)));
const plain = { result: 0, errno: 0, tampered: 0, does: () => undefined };

/** Both of them, one after the other. */
function expectBoth(first: Made, second: Made, guest = new Guest()): void {
  const calls = new KnownCalls();
  const known = knowledge(guest);
  for (const made of [first, second]) {
    const told = remembered(calls, known, 'x86_64', made);
    expect(told).toEqual(fresh(guest, 'x86_64', made));
  }
}
test('two pointers to one path, and then to two', () => {
  const guest = new Guest();
  guest.bytes.set(Buffer.from('/a'), 0);
  guest.bytes.set(Buffer.from('/b'), 200);
  const rename = { ...plain, row: row('rename') };
  expectBoth({ ...rename, args: at(0, 0) }, { ...rename, args: at(0, 200) }, guest);
  expectBoth({ ...rename, args: at(0, 200) }, { ...rename, args: at(200, 0) }, guest);
  expectBoth({ ...rename, args: at(0, 200) }, { ...rename, args: [BigInt(BASE), 0n, 0n, 0n, 0n, 0n] }, guest);
});
test('what the first half of a printer keeps for the second', () => {
  const guest = new Guest();
  guest.bytes[64] = 5;
  const made = {
    ...plain,
    row: row('rt_sigtimedwait'),
    args: [BigInt(BASE), 0n, BigInt(BASE + 64), 8n, 0n, 0n],
    result: 9,
  };
  expectBoth(made, { ...made, result: 10 }, guest);
  const waited = { ...made, args: [BigInt(BASE), BigInt(BASE + 128), BigInt(BASE + 64), 8n, 0n, 0n] };
  const changed = {
    ...waited,
    does: () => {
      guest.bytes[128] = 7;
    },
  };
  expectBoth(waited, changed, guest);
});
test('another path at another place, and the same one there', () => {
  const guest = new Guest();
  guest.bytes.set(Buffer.from('/etc/passwd'), 0);
  guest.bytes.set(Buffer.from('/etc/group'), 512);
  guest.bytes.set(Buffer.from('/etc/passwd'), 1024);
  const calls = new KnownCalls();
  const known = knowledge(guest);
  const enters = [0, 512, 1024].map((offset) => {
    const { enter } = remembered(calls, known, 'x86_64', { ...plain, row: row('chdir'), args: at(offset) });
    return [enter, known.enter];
  });
  expect(enters.map(([text]) => text)).toEqual(['"/etc/passwd"', '"/etc/group"', '"/etc/passwd"']);
  expect(enters[2][1]).toBe(enters[0][1]);
});

const readOf = (guest: Guest, char: number): Made => ({
  row: row('read'),
  args: [0n, BigInt(BASE), 1n, 0n, 0n, 0n],
  result: 1,
  errno: 0,
  tampered: 0,
  does: () => {
    guest.bytes[0] = char;
  },
});

test('what is read in a loop is looked at once, and printed once', () => {
  const calls = new KnownCalls();
  const guest = new Guest();
  const known = knowledge(guest);
  const texts = new Set<string>();
  for (let round = 0; round < 1000; round++) {
    const char = 0x30 + (round % 10);
    guest.reads = 0;
    const { leave } = remembered(calls, known, 'x86_64', readOf(guest, char));
    expect(leave).toBe(`"${String.fromCharCode(char)}", 1`);
    expect(guest.reads).toBe(round < 10 ? (round === 0 ? 1 : 2) : 1);
    texts.add(leave);
  }
  expect(texts.size).toBe(10);
});
test('what is always new is not looked for, but for now and then', () => {
  const calls = new KnownCalls();
  const guest = new Guest();
  const known = knowledge(guest);
  let reads = 0;
  for (let round = 0; round < 3000; round++) {
    guest.reads = 0;
    const made = { ...readOf(guest, 0), args: [0n, BigInt(BASE), BigInt(round), 0n, 0n, 0n], result: 1 };
    remembered(calls, known, 'x86_64', made);
    reads += guest.reads;
  }
  expect(reads).toBe(3000);
});
test('a guest that makes other calls all the time is not remembered for ever', () => {
  const calls = new KnownCalls();
  const known = knowledge(new Guest());
  const first = { ...plain, row: row('close'), args: at(0) };
  remembered(calls, known, 'x86_64', first);
  const { enter } = known;
  remembered(calls, known, 'x86_64', first);
  expect(known.enter).toBe(enter);
  // No row of its own is new often enough to be left alone.
  for (let i = 0; i < 40; i++)
    for (const one of ROWS.filter(({ name }) => name !== 'close'))
      remembered(calls, known, 'x86_64', { ...plain, row: one, args: at(0), result: i });
  remembered(calls, known, 'x86_64', first);
  expect(known.enter).not.toBe(enter);
});
