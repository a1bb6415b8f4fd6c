/** Guests of a few instructions, for the platform's tests; the instructions are AArch64's. */
import { platform } from '../platform/machine.js';
import type { AddressSpace, HostThread } from '../../src/platform/platform.js';
import type { PtracePlatform } from '../../src/platform/ptrace/index.js';

export const CODE = 0x40_0000;
export const DATA = 0x50_0000;
/** What is mapped at each: pages of any size. */
const ROOM = 0x2_0000;

/** Instructions by what they are in assembly language. */
export const SVC = 0xd4000001;
export const BRK = 0xd4200000;
export const NOP = 0xd503201f;
/** `b .` */
export const SPIN = 0x14000000;
export const MOV_X7_77 = 0xd28009a7;
export const MOV_X3_X7 = 0xaa0703e3;
/** `str x1, [x0]`, `ldr x0, [x1]` */
export const STORE_X1 = 0xf9000001;
export const LOAD_X1 = 0xf9400020;
/** `cbz x2, .` */
export const WAIT_X2 = 0xb4000002;
/** `mov z0.b, #5`, `str z0, [x1]`, `rdvl x0, #1` */
export const FILL_Z0 = 0x2538c0a0;
export const STORE_Z0 = 0xe5804020;
export const READ_VL = 0x04bf5020;
/** Counts in x19 and calls getpid, for ever. */
export const CALLS = [0x91000673, 0xd2801588, SVC, 0x17fffffd];

export interface Guest {
  readonly p: PtracePlatform;
  readonly space: AddressSpace;
  readonly thread: HostThread;
}

/** A new process with `code` at CODE, not started; its stack is in DATA. */
export function guest(code: readonly number[], p: PtracePlatform = platform()): Guest {
  const { space, thread } = p.createAddressSpace();
  space.mapAnonymous(CODE, ROOM, 7);
  space.mapAnonymous(DATA, ROOM, 3);
  if (space.flush() !== 0) throw new Error('mapping failed');
  const bytes = new Uint8Array(Uint32Array.from(code).buffer);
  if (space.write(CODE, bytes, 0, bytes.length) !== bytes.length) throw new Error('the code cannot be written');
  thread.regs.ip = CODE;
  thread.regs.sp = DATA + ROOM / 2;
  return { p, space, thread };
}
