/** What the kernel loop hands to a tracer: raw arguments, and a row for numbers that have none. */
import type { Registers } from '../platform/registers.js';
import { absent, hex, type Row } from '../../syscalls/row.js';

/** The exact 64-bit registers of the first `count` arguments, in the row's order. */
export function rawArguments(regs: Registers, order: readonly number[], count: number): bigint[] {
  const args: bigint[] = [];
  for (let i = 0; i < count; i++) {
    const word = regs.layout.args[order[i]];
    args.push((BigInt(regs.hi(word)) << 32n) | BigInt(regs.lo(word)));
  }
  return args;
}

/** strace prints calls it does not know as syscall_0x1c8(six words). */
export function unknownRow(nr: number): Row {
  const name = `syscall_0x${(nr >>> 0).toString(16)}`;
  return absent(name, {}, [hex('a0'), hex('a1'), hex('a2'), hex('a3'), hex('a4'), hex('a5')], {});
}
