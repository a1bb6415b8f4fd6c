/**
 * The code a rewritten AArch64 site branches to. The system call instruction changes x0 alone, so there is no register to work
 * with: x16 and x17 are kept below the stack pointer until the gate (native/stub/gate_aarch64.S) has found the channel. Memory there
 * is nobody's on Linux, where signal frames go there; the distance leaves room for those who use the first bytes below their
 * stack pointer between two instructions all the same (Go keeps its frame pointers at sp - 8; other systems have red zones of 16
 * and 128 bytes).
 *
 *    0  stp x16, x17, [sp, #-256]    faults where the stack is bad: the thread is sent to the svc
 *    4  adr x17, 0
 *    8  ldr x16, 40
 *   12  br x16
 *   16  ldp x16, x17, [sp, #-256]    SLOW: the gate does not serve the thread
 *   20  svc #0
 *   24  b ret
 *   28  ldp x16, x17, [x16, #0xc0]   BACK: x16 is the channel, x0 the result
 *   32  b ret
 *   36  ret - 0
 *   40  the gate
 */
import { KEPT_IN_CHANNEL, KEPT_NOWHERE, KEPT_ON_STACK, type Kept } from '../../platform/platform.js';

export const TRAMPOLINE_SIZE = 48;
export const SVC_LENGTH = 4;

const ENTERED = 4;
const SVC = 20;
const BEHIND = 24;
const BACK = 28;
const RETURN = 36;
const GATE = 40;
/** Bytes a branch reaches to either side. */
const REACH = 2 ** 27;

const WORDS = [
  0xa930_47f0, // stp x16, x17, [sp, #-256]
  0x10ff_fff1, // adr x17, -4
  0x5800_0110, // ldr x16, +32
  0xd61f_0200, // br x16
  0xa970_47f0, // ldp x16, x17, [sp, #-256]
  0xd400_0001, // svc #0
  0,
  0xa94c_4610, // ldp x16, x17, [x16, #192]
];

/** `b` from `at` to `to`. */
export function branch(at: number, to: number): number {
  const distance = to - at;
  if (distance < -REACH || distance >= REACH || distance % 4 !== 0)
    throw new RangeError(`branch over ${distance} bytes is out of reach`);
  return (0x1400_0000 | ((distance >> 2) & 0x03ff_ffff)) >>> 0;
}

/** The trampoline at address `at` for the svc at address `site`. Only their difference matters. */
export function trampoline(at: number, site: number, gate: number): Uint8Array {
  const bytes = new Uint8Array(TRAMPOLINE_SIZE);
  const view = new DataView(bytes.buffer);
  WORDS.forEach((word, i) => view.setUint32(4 * i, word, true));
  const ret = site + SVC_LENGTH;
  for (const place of [BEHIND, BACK + 4]) view.setUint32(place, branch(at + place, ret), true);
  view.setInt32(RETURN, ret - at, true);
  view.setBigUint64(GATE, BigInt(gate), true);
  return bytes;
}

/** Offset from the svc of what stands for the place `inside` a trampoline. */
export function original(inside: number): number {
  return inside <= SVC ? 0 : SVC_LENGTH;
}

/** Where x16 and x17 are of a thread that is at `inside`. */
export function kept(inside: number): Kept {
  if (inside >= ENTERED && inside < SVC) return KEPT_ON_STACK;
  return inside === BACK ? KEPT_IN_CHANNEL : KEPT_NOWHERE;
}

/** Where a thread goes on whose stack could not keep its registers: it has them all. */
export function bypass(inside: number): number {
  return inside === 0 ? SVC : -1;
}
