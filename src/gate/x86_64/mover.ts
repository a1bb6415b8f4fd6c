/**
 * Plans the rewrite of one `syscall` instruction into a jump. The five bytes of `jmp rel32` overwrite the syscall and three
 * bytes behind it; the instructions those belong to move to a trampoline (kind `jump`). Where they cannot move, `jmp rel8`
 * overwrites just the syscall and leads to a hole of padding nearby that holds the `jmp rel32` (kind `pad`). One long nop will do
 * even where it is executed: nobody can stand inside it, and a jump over the hole does as little.
 *
 * Invariants: what is moved does the same at its new place, in registers, flags, memory, faults and where it goes next; nothing
 * that is not certainly padding is overwritten without having been moved; the moved code has the same size at every
 * address. Pure: knows bytes, not pages or tasks.
 */
import { decode, isSegmentPrefix, readInt32, type Instruction } from './decode.js';
import { nopBeforeLabel, paddingLength } from './padding.js';

export const SYSCALL_LENGTH = 2;
/** E9 and a 32-bit displacement. */
export const JUMP_LENGTH = 5;
/** EB and an 8-bit displacement. */
export const SKIP_LENGTH = 2;

export interface Moved {
  /** Offset from the syscall instruction. */
  from: number;
  /** Offset in the moved code. */
  to: number;
}

export type Refusal =
  | 'not a syscall'
  | 'prefix' // 66 in front: AMD would cut the jump's displacement to 16 bits
  | 'crosses page'
  | 'unknown instruction'
  | 'fixed instruction' // traps, privileged, x87, EIP-relative
  | 'call'
  | 'loop'
  | 'no padding';

export interface JumpPlan {
  kind: 'jump';
  /** Bytes behind the syscall that were moved: if `falls`, execution goes on at 2 + length from the syscall. */
  length: number;
  /** False when the moved code ends in ret or jmp. */
  falls: boolean;
  /** Offsets (2 to 4) at which a moved instruction starts: possible jump targets, which must trap. */
  starts: readonly number[];
  moved: readonly Moved[];
  /** Length of the moved code. */
  size: number;
  /**
   * The moved code for address `to`, without a jump back, when the syscall is at address `site`.
   * @throws RangeError if something the moved code refers to is out of reach of `to`.
   */
  emit(to: number, site: number): Uint8Array;
}

export interface PadPlan {
  kind: 'pad';
  /** Offset of the hole from the syscall. */
  pad: number;
  /** Length of the padding there: any 5 bytes of it that `jmp rel8` reaches will do. */
  padLength: number;
  /** Not 0: the padding is a nop that may be executed. `jmp rel8` at `pad` - 2 leads over so many bytes, to its end. */
  skips: number;
}

export interface RefusedPlan {
  kind: 'refused';
  reason: Refusal;
}

export type Plan = JumpPlan | PadPlan | RefusedPlan;

/** An instruction to move, with its place before and after. */
interface Step extends Moved {
  instruction: Instruction;
}

const MAX_REL8 = 127;
const JMP_REL32 = 0xe9;
const JCC_REL32 = 0x80; // behind 0F; low four bits: condition

/**
 * Plans the rewrite of the syscall instruction at index `at`. `code` starts at an address that is a multiple of 16 and holds
 * original bytes; only [lo, hi) may be overwritten, more may be read. A refusal names what stands in the way of a jump, there
 * being no hole either.
 */
export function planSite(code: Uint8Array, at: number, lo: number, hi: number): Plan {
  if (code[at] !== 0x0f || code[at + 1] !== 0x05) return refuse('not a syscall');
  if (at < lo || at + SYSCALL_LENGTH > hi) return refuse('crosses page');
  if (hasDataPrefix(code, at)) return refuse('prefix');
  const plan = planJump(code, at, hi);
  return plan.kind === 'jump' ? plan : (planPad(code, at, hi) ?? plan);
}

function planJump(code: Uint8Array, at: number, hi: number): JumpPlan | RefusedPlan {
  if (at + JUMP_LENGTH > hi) return refuse('crosses page');
  const steps: Step[] = [];
  let from = SYSCALL_LENGTH;
  let size = 0;
  let falls = true;
  while (falls && from < JUMP_LENGTH) {
    const instruction = decode(code, at + from);
    if (instruction === null) return refuse('unknown instruction');
    if (!instruction.movable) return refuse(obstacle(instruction));
    steps.push({ from, to: size, instruction });
    from += instruction.length;
    size += movedLength(instruction);
    falls = instruction.flow === 'next' || instruction.flow === 'branch';
  }
  if (from < JUMP_LENGTH && paddingLength(code, at + from, hi) < JUMP_LENGTH - from) return refuse('no padding');
  const original = code.slice(at, at + from);
  return {
    kind: 'jump',
    length: from - SYSCALL_LENGTH,
    falls,
    starts: steps.map((step) => step.from),
    moved: steps.map((step) => ({ from: step.from, to: step.to })),
    size,
    emit: (to, site) => emit(original, steps, size, to, site),
  };
}

/** The nearest hole behind the syscall: padding after the first ret or jmp, or one long nop in front of an aligned label. */
function planPad(code: Uint8Array, at: number, hi: number): PadPlan | null {
  let ended = false;
  for (let pad = SYSCALL_LENGTH; pad - SYSCALL_LENGTH <= MAX_REL8;) {
    const nop = nopBeforeLabel(code, at + pad, hi);
    if (nop >= SKIP_LENGTH + JUMP_LENGTH) {
      const hole = pad + SKIP_LENGTH;
      return hole - SYSCALL_LENGTH <= MAX_REL8
        ? { kind: 'pad', pad: hole, padLength: JUMP_LENGTH, skips: nop - SKIP_LENGTH }
        : null;
    }
    const instruction = decode(code, at + pad);
    if (instruction === null) return null;
    pad += instruction.length;
    if (ended || (instruction.flow !== 'end' && instruction.flow !== 'jump')) continue;
    ended = true;
    const padLength = paddingLength(code, at + pad, hi);
    if (padLength >= JUMP_LENGTH && pad - SYSCALL_LENGTH <= MAX_REL8) return { kind: 'pad', pad, padLength, skips: 0 };
  }
  return null;
}

function emit(original: Uint8Array, steps: readonly Step[], size: number, to: number, site: number): Uint8Array {
  const out = new Uint8Array(size);
  for (const { from, to: place, instruction } of steps) {
    const { length, relative, ripAt, flow, opcode } = instruction;
    const originalEnd = site + from + length;
    if (relative !== null) {
      // A target that has itself been overwritten is known by its new place.
      const target = originalEnd + relative;
      const step = steps.find((candidate) => site + candidate.from === target);
      const address = step ? to + step.to : target;
      let end = place;
      if (flow === 'branch') {
        out[end++] = 0x0f;
        out[end++] = JCC_REL32 | (opcode & 0x0f);
      } else out[end++] = JMP_REL32;
      writeDistance(out, end, address - (to + end + 4));
    } else {
      out.set(original.subarray(from, from + length), place);
      if (ripAt >= 0) {
        const address = originalEnd + readInt32(original, from + ripAt);
        writeDistance(out, place + ripAt, address - (to + place + length));
      }
    }
  }
  return out;
}

/** Direct jumps and branches become the rel32 form. */
function movedLength(instruction: Instruction): number {
  if (instruction.relative === null) return instruction.length;
  return instruction.flow === 'branch' ? 6 : JUMP_LENGTH;
}

function writeDistance(out: Uint8Array, at: number, distance: number): void {
  if (distance !== (distance | 0)) throw new RangeError(`target ${distance} bytes away is out of reach`);
  out[at] = distance;
  out[at + 1] = distance >> 8;
  out[at + 2] = distance >> 16;
  out[at + 3] = distance >> 24;
}

/** Whether the bytes in front could be prefixes of the syscall, with a 66 among them. */
function hasDataPrefix(code: Uint8Array, at: number): boolean {
  for (let pos = at - 1; pos >= 0; pos--) {
    const byte = code[pos];
    if (byte === 0x66) return true;
    const passes = isSegmentPrefix(byte) || byte === 0x67 || (byte & 0xfe) === 0xf2 || (byte & 0xf0) === 0x40;
    if (!passes) return false;
  }
  return false;
}

function obstacle(instruction: Instruction): Refusal {
  const { flow } = instruction;
  return flow === 'call' || flow === 'loop' ? flow : 'fixed instruction';
}

function refuse(reason: Refusal): RefusedPlan {
  return { kind: 'refused', reason };
}
