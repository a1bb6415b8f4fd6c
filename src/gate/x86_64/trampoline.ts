/**
 * The code a rewritten x86-64 site jumps to. It finds the thread's channel through the GS base, leaves the return address and
 * its own continuation there and enters the gate (native/stub/gate_x86_64.S); the gate comes back to the continuation, where
 * the moved instructions are. A thread whose GS base is not a channel makes an ordinary system call stop right here.
 *
 * Nothing but rcx and r11 changes, which the system call destroys anyway; no flag, no memory below the stack pointer.
 *
 *    0  rdgsbase %r11
 *    5  movabs $-channels, %rcx
 *   15  lea (%rcx,%r11), %rcx
 *   19  rorx $27, %rcx, %rcx        bits 27..58 of (GS base - channels): zero for a channel
 *   25  jecxz 30
 *   28  jmp 64
 *   30  lea ret(%rip), %rcx
 *   37  mov %rcx, RET(%r11)
 *   41  lea continuation(%rip), %rcx
 *   48  mov %rcx, CONT(%r11)
 *   52  movabs $gate, %rcx
 *   62  jmp *%rcx
 *   64  syscall
 *   66  continuation: moved instructions, jump back
 */
import { JUMP_LENGTH, SYSCALL_LENGTH, type JumpPlan } from './mover.js';

/** Where the moved instructions begin. */
export const CONTINUATION = 66;

const HEAD = [
  0xf3, 0x49, 0x0f, 0xae, 0xcb, 0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0, 0x4a, 0x8d, 0x0c, 0x19, 0xc4, 0xe3, 0xfb, 0xf0,
  0xc9, 0x1b, 0x67, 0xe3, 0x02, 0xeb, 0x22, 0x48, 0x8d, 0x0d, 0, 0, 0, 0, 0x49, 0x89, 0x4b, 0x48, 0x48, 0x8d, 0x0d,
  0x12, 0, 0, 0, 0x49, 0x89, 0x4b, 0x50, 0x48, 0xb9, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe1, 0x0f, 0x05,
];

/** The part of a plan that a trampoline needs; null for a site where nothing moves. */
export type MovedCode = JumpPlan | null;

export function trampolineSize(moved: MovedCode): number {
  return CONTINUATION + (moved === null ? JUMP_LENGTH : moved.size + (moved.falls ? JUMP_LENGTH : 0));
}

/**
 * The trampoline at address `at` for the syscall instruction at address `site`. Only differences of the two matter.
 * @throws RangeError if something moved refers to what is out of reach.
 */
export function trampoline(at: number, site: number, moved: MovedCode, gate: number, channels: number): Uint8Array {
  const bytes = new Uint8Array(trampolineSize(moved));
  const view = new DataView(bytes.buffer);
  bytes.set(HEAD);
  view.setBigUint64(7, BigInt.asUintN(64, -BigInt(channels)), true);
  const ret = site + SYSCALL_LENGTH;
  view.setInt32(33, displacement(at + 37, ret), true);
  view.setBigUint64(54, BigInt(gate), true);
  let end = CONTINUATION;
  let back = ret;
  if (moved !== null) {
    bytes.set(moved.emit(at + CONTINUATION, site), CONTINUATION);
    end += moved.size;
    if (!moved.falls) return bytes;
    back += moved.length;
  }
  bytes[end] = 0xe9;
  view.setInt32(end + 1, displacement(at + end + JUMP_LENGTH, back), true);
  return bytes;
}

function displacement(from: number, to: number): number {
  const value = to - from;
  if ((value | 0) !== value) throw new RangeError(`displacement ${value} does not fit 32 bits`);
  return value;
}
