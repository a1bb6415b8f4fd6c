/** Hostile arguments: whatever a guest passes, a handler returns a number or throws an errno, and never hangs. */
import { expect, it } from '@jest/globals';
import { Errno } from '../../src/abi/errno.js';
import { BLOCKED } from '../../sched/wait.js';
import type { ArgType } from '../../syscalls/row.js';
import { AREAS } from '../../syscalls/table.js';
import { BASE, guest } from './calls.js';

const WILD = [
  0,
  1,
  2,
  3,
  4,
  5,
  8,
  16,
  100,
  1023,
  1024,
  1030,
  1031,
  1032,
  4096,
  0o4000,
  0x541b,
  0x5421,
  65536,
  0x80000,
  BASE,
  BASE + 64,
  BASE + 4000,
  BASE + 0x1ffff8,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 40,
  2 ** 47,
  2 ** 53,
  2 ** 63,
  2 ** 64 - 2048,
  -1,
  -100,
];
const areas = ['readwrite', 'descriptors', 'pipe', 'poll', 'epoll', 'eventfd', 'inotify', 'sockets', 'sysv'];
const rows = areas.flatMap((area) => AREAS[area]).filter((row) => row.handler !== undefined);

let seed = 12345;
const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;

/** A value as the dispatcher would hand it over for this kind. */
function clamp(arg: ArgType, value: number): number {
  const width = 'as' in arg ? arg.as : arg.kind;
  if (width === 'int' || width === 'fd' || width === 'pid' || width === 'signal') return value | 0;
  if (width === 'uint' || width === 'hex32') return value >>> 0;
  if (width === 'long' || width === 'off') return value > 2 ** 62 ? -1 : value;
  return value < 0 ? 2 ** 64 + value : value;
}
function argument(arg: ArgType): number {
  if (random(4) === 0) return clamp(arg, WILD[random(WILD.length)]);
  if (arg.kind === 'fd') return random(12);
  const plain = ['int', 'uint', 'size', 'ulong', 'enum', 'flags', 'dynamic', 'long', 'off'].includes(arg.kind);
  if (plain) return clamp(arg, random(3) === 0 ? WILD[random(WILD.length)] : random(20));
  return BASE + 0x80 + random(8) * 8;
}

it('every handler answers with a number or an errno', () => {
  const wrong: string[] = [];
  for (let round = 0; round < 40; round++) {
    const machine = guest();
    const { task, bytes } = machine;
    Object.assign(task.regs, { layout: { args: [0, 1, 2, 3, 4, 5] }, lo: () => 0xffffffff });
    machine.put(0x40, '/x\0');
    for (let i = 0; i < 64; i++) bytes[0x80 + i] = random(256);
    for (let i = 0; i < 800; i++) {
      const row = rows[random(rows.length)];
      const args = row.args.map(argument);
      try {
        const result = row.handler!(task, ...args);
        if (!Number.isFinite(result)) wrong.push(`${row.name}(${args.join(', ')}) = ${result}`);
        if (result === BLOCKED) {
          task.heldBySleep?.();
          task.sleep.end();
        }
      } catch (error) {
        if (!(error instanceof Errno)) wrong.push(`${row.name}(${args.join(', ')}): ${String(error)}`);
      }
      task.kernel.wakeups.length = 0;
    }
  }
  expect(wrong).toEqual([]);
});
