/** A row for a number that has none: strace prints such calls as syscall_0x1c8(six words). */
import type { Registers } from '../platform/registers.js';
import { absent, hex, type Row } from '../../syscalls/row.js';

export function unknownRow(nr: number): Row {
  const name = `syscall_0x${(nr >>> 0).toString(16)}`;
  return absent(name, {}, [hex('a0'), hex('a1'), hex('a2'), hex('a3'), hex('a4'), hex('a5')], {});
}

/** The six argument registers, exactly. */
export function allArguments(regs: Registers): bigint[] {
  return regs.layout.args.map((word) => regs.big(word));
}
