/**
 * x86-64 instruction decoder: how long an instruction is, where control goes after it, and whether it means the same at
 * another address. It knows the one-byte, 0F, 0F 38, 0F 3A, 3DNow, XOP, VEX and EVEX maps (opcodes.ts) in 64-bit mode.
 *
 * Invariant: a length is right on every processor or there is no answer. null stands for truncated and for invalid
 * instructions (but in the VEX, EVEX and XOP maps, where all opcodes have one shape, an unused one gets that shape), for
 * prefixes in front of VEX that raise #UD, and for what AMD and Intel decode differently: near branches with prefix 66, where
 * AMD takes a 16-bit displacement. Where only the target differs (AMD cuts it to 16 bits), the instruction is not movable.
 */
import { formInGroup, formOf38, formOf3A, formOfVector, formOfXop, ONE_BYTE, SHAPES, TWO_BYTE } from './opcodes.js';

/** Where control goes: `branch` is jcc, `jump` a direct jmp, `end` a ret or an indirect jmp, `loop` also jrcxz. */
export type Flow = 'next' | 'branch' | 'jump' | 'end' | 'call' | 'loop';

export interface Instruction {
  length: number;
  flow: Flow;
  /** The last opcode byte. */
  opcode: number;
  /** Direct branch, jump, call, loop: the target's distance from the end of the instruction. Otherwise null. */
  relative: number | null;
  /** Offset in the instruction of the disp32 of a RIP-relative operand, or -1. */
  ripAt: number;
  /** Whether the instruction does the same at another address, once `relative` and the RIP-relative disp32 are adjusted. */
  movable: boolean;
}

interface Prefixes {
  /** Where the opcode starts. */
  end: number;
  rex: number;
  data16: boolean;
  address32: boolean;
  /** F2, F3 (the last of them), or 0. */
  repeat: number;
  lock: boolean;
}

const MAX_LENGTH = 15;

/** Decodes the instruction at index `at`. null: cannot judge. */
export function decode(code: Uint8Array, at: number): Instruction | null {
  const prefixes = prefixesAt(code, at);
  const { rex, data16, address32, repeat } = prefixes;
  const mayBeVector = rex === 0 && !data16 && repeat === 0 && !prefixes.lock;
  const rexW = (rex & 8) !== 0;
  let pos = prefixes.end;
  let opcode = code[pos++];
  let form: string;
  if (opcode === 0x0f) {
    opcode = code[pos++];
    if (opcode === 0x38) form = formOf38((opcode = code[pos++]));
    else if (opcode === 0x3a) form = formOf3A((opcode = code[pos++]));
    else form = TWO_BYTE[opcode];
  } else if (opcode === 0xc5) {
    if (!mayBeVector) return null;
    opcode = code[pos + 1];
    form = formOfVector(1, opcode, false);
    pos += 2;
  } else if (opcode === 0xc4) {
    if (!mayBeVector) return null;
    opcode = code[pos + 2];
    form = formOfVector(code[pos] & 0x1f, opcode, false);
    pos += 3;
  } else if (opcode === 0x62) {
    if (!mayBeVector || (code[pos] & 0x08) !== 0 || (code[pos + 1] & 0x04) === 0) return null; // reserved, or APX
    opcode = code[pos + 3];
    form = formOfVector(code[pos] & 0x07, opcode, true);
    pos += 4;
  } else if (opcode === 0x8f && (code[pos] & 0x1f) >= 8) {
    if (!mayBeVector) return null;
    opcode = code[pos + 2];
    form = formOfXop(code[pos] & 0x1f);
    pos += 3;
  } else {
    form = ONE_BYTE[opcode];
  }
  if (opcode === undefined) return null; // truncated

  const modrm = code[pos];
  const shape = SHAPES[formInGroup(form, modrm, data16, repeat)];
  if (shape === undefined) return null;
  let movable = !shape.fixed;
  let ripAt = -1;
  if (shape.modrm) {
    if ((modrm & 0xc7) === 0x05) {
      ripAt = pos + 1 - at;
      if (address32) movable = false; // relative to EIP, and cut to 32 bits
    }
    pos += operandLength(code, pos);
  }
  const short = data16 && !rexW;
  const { immediate = 0 } = shape;
  if (immediate === 'offset') pos += address32 ? 4 : 8;
  else if (immediate === 'v') pos += rexW ? 8 : short ? 2 : 4;
  else if (immediate === 'z') pos += short ? 2 : 4;
  else pos += immediate;
  if (pos > code.length || pos - at > MAX_LENGTH) return null;

  const { flow = 'next' } = shape;
  if (short && flow !== 'next') {
    if (shape.relative && immediate === 4) return null;
    movable = false;
  }
  let relative: number | null = null;
  if (shape.relative) relative = immediate === 1 ? (code[pos - 1] << 24) >> 24 : readInt32(code, pos - 4);
  return { length: pos - at, flow, opcode, relative, ripAt, movable };
}

function prefixesAt(code: Uint8Array, at: number): Prefixes {
  const prefixes = { end: at, rex: 0, data16: false, address32: false, repeat: 0, lock: false };
  for (const limit = Math.min(code.length, at + MAX_LENGTH); prefixes.end < limit; prefixes.end++) {
    const byte = code[prefixes.end];
    if (byte === 0x66) prefixes.data16 = true;
    else if (byte === 0x67) prefixes.address32 = true;
    else if (byte === 0xf2 || byte === 0xf3) prefixes.repeat = byte;
    else if (byte === 0xf0) prefixes.lock = true;
    else if (byte >= 0x40 && byte <= 0x4f) {
      prefixes.rex = byte;
      continue;
    } else if (!isSegmentPrefix(byte)) break;
    prefixes.rex = 0; // REX counts only directly in front of the opcode
  }
  return prefixes;
}

export function isSegmentPrefix(byte: number): boolean {
  return (byte & 0xe7) === 0x26 || byte === 0x64 || byte === 0x65;
}

/** Length of ModRM, SIB and displacement. */
function operandLength(code: Uint8Array, at: number): number {
  const mod = code[at] >> 6;
  const rm = code[at] & 7;
  if (mod === 3) return 1;
  const sib = rm === 4 ? 1 : 0;
  if (mod === 1) return 2 + sib;
  if (mod === 2) return 5 + sib;
  const base = sib ? code[at + 1] & 7 : rm;
  return 1 + sib + (base === 5 ? 4 : 0);
}

export function readInt32(code: Uint8Array, at: number): number {
  return code[at] | (code[at + 1] << 8) | (code[at + 2] << 16) | (code[at + 3] << 24);
}
