/**
 * Opcode maps of 64-bit mode: for every opcode its *form*, one character that says which operand bytes follow and what the
 * instruction does to the flow of control; `SHAPES` spells the forms out. Sources: Intel SDM volume 2 appendix A, AMD APM
 * volume 3 appendix A. An opcode that is invalid is unknown ('.').
 *
 * Forms that depend on more than the opcode are resolved by `formInGroup`: t T i I groups 3 (byte), 3, 4, 5; D lea;
 * c s mov or xbegin, xabort; X vmread or SSE4a; P popcnt.
 */
import type { Flow } from './decode.js';

const UNKNOWN = '.';

export const ONE_BYTE =
  'mmmmbz..mmmmbz..' + // 00
  'mmmmbz..mmmmbz..' + // 10
  'mmmmbz..mmmmbz..' + // 20
  'mmmmbz..mmmmbz..' + // 30
  '................' + // 40 REX
  '----------------' + // 50
  '...m....zZbB!!!!' + // 60
  'jjjjjjjjjjjjjjjj' + // 70
  'BZ.BmmmmmmmmmDma' + // 80
  '----------.!----' + // 90
  'oooo----bz------' + // a0
  'bbbbbbbbvvvvvvvv' + // b0
  'BBRr..sce-Ff!1.f' + // c0
  'mmmm...-xxxxxxxx' + // d0
  'llll1111CG.g!!!!' + // e0
  '.!..!-tT--!!--iI'; //  f0

export const TWO_BYTE =
  'xxmm.!!!!!.!.m-B' + // 00
  'mmmmmmmmmmmmmmmm' + // 10
  'kkkk....mmmmmmmm' + // 20
  '!-!!!!.!........' + // 30
  'mmmmmmmmmmmmmmmm' + // 40
  'mmmmmmmmmmmmmmmm' + // 50
  'mmmmmmmmmmmmmmmm' + // 60
  'BBBBmmm-Xx..mmmm' + // 70
  'JJJJJJJJJJJJJJJJ' + // 80
  'mmmmmmmmmmmmmmmm' + // 90
  '---mBm..--!mBmmm' + // a0
  'mmmmmmmmPxBmmmmm' + // b0
  'mmBmBBBm--------' + // c0
  'mmmmmmmmmmmmmmmm' + // d0
  'mmmmmmmmmmmmmmmm' + // e0
  'mmmmmmmmmmmmmmmx'; //  f0

/** What a form means. */
export interface Shape {
  modrm?: true;
  /** Immediate or displacement bytes at the end. `z`: 2 with prefix 66, else 4. `v`: 8 with REX.W, else as z. */
  immediate?: 1 | 2 | 3 | 4 | 'z' | 'v' | 'offset';
  flow?: Flow;
  /** The immediate is the target, relative to the end of the instruction. */
  relative?: true;
  /** Traps, is privileged, pushes its own address, or (x87) records it. */
  fixed?: true;
}

export const SHAPES: Readonly<Record<string, Shape>> = {
  '-': {},
  b: { immediate: 1 },
  w: { immediate: 2 },
  e: { immediate: 3 },
  z: { immediate: 'z' },
  v: { immediate: 'v' },
  o: { immediate: 'offset' },
  m: { modrm: true },
  B: { modrm: true, immediate: 1 },
  W: { modrm: true, immediate: 2 },
  Z: { modrm: true, immediate: 'z' },
  j: { immediate: 1, flow: 'branch', relative: true },
  J: { immediate: 4, flow: 'branch', relative: true },
  l: { immediate: 1, flow: 'loop', relative: true, fixed: true },
  g: { immediate: 1, flow: 'jump', relative: true },
  G: { immediate: 4, flow: 'jump', relative: true },
  C: { immediate: 4, flow: 'call', relative: true, fixed: true },
  q: { modrm: true, flow: 'call', fixed: true }, // indirect
  n: { modrm: true, flow: 'end' }, // indirect jmp
  N: { modrm: true, flow: 'end', fixed: true }, // far jmp
  r: { flow: 'end' },
  R: { immediate: 2, flow: 'end' },
  f: { flow: 'end', fixed: true }, // retf, iret
  F: { immediate: 2, flow: 'end', fixed: true },
  '!': { fixed: true },
  '1': { immediate: 1, fixed: true },
  '4': { modrm: true, immediate: 4, fixed: true }, // xbegin
  x: { modrm: true, fixed: true },
  y: { modrm: true, immediate: 1, fixed: true }, // xabort
  k: { immediate: 1, fixed: true }, // mov to and from CR, DR: the ModRM byte always names registers
};

/** Settles a form that depends on the ModRM byte or a prefix. */
export function formInGroup(form: string, modrm: number, data16: boolean, repeat: number): string {
  const group = (modrm >> 3) & 7;
  switch (form) {
    case 't':
      return group < 2 ? 'B' : 'm';
    case 'T':
      return group < 2 ? 'Z' : 'm';
    case 'i':
      return group < 2 ? 'm' : UNKNOWN;
    case 'I':
      if (modrm >= 0xc0 && (group === 3 || group === 5)) return UNKNOWN; // far, through a register
      return 'mmqqnNm.'[group];
    case 'D':
      return modrm < 0xc0 ? 'm' : UNKNOWN;
    case 'a':
      return group === 0 ? 'm' : UNKNOWN;
    case 's':
      return modrm === 0xf8 ? 'y' : group === 0 ? 'B' : UNKNOWN;
    case 'c':
      if (modrm === 0xf8) return data16 ? UNKNOWN : '4';
      return group === 0 ? 'Z' : UNKNOWN;
    case 'X':
      return data16 || repeat === 0xf2 ? 'W' : 'x';
    case 'P':
      return repeat === 0xf3 ? 'm' : UNKNOWN;
    default:
      return form;
  }
}

/** 0F 38 and 0F 3A without VEX: the opcodes that exist. All have a ModRM byte; those of 0F 3A also an imm8. */
const LEGACY_38 = opcodes('00-0b 10 14 15 17 1c-1e 20-25 28-2b 30-35 37-41 80-82 c8-cd cf d8 db-df f0 f1 f5 f6 f8-fc');
const LEGACY_3A = opcodes('08-0f 14-17 20-22 40-42 44 60-63 cc ce cf df');
/** Map 0F with VEX or EVEX: the opcodes that exist, and those with an imm8. */
const VECTOR_0F = opcodes('10-17 28-2f 41-4b 50-7f 90-93 98 99 ae c2 c4-c6 d0-fe');
const VECTOR_0F_IMMEDIATE = opcodes('70-73 c2 c4-c6');

export function formOf38(opcode: number): string {
  return LEGACY_38.has(opcode) ? 'm' : UNKNOWN;
}
export function formOf3A(opcode: number): string {
  return LEGACY_3A.has(opcode) ? 'B' : UNKNOWN;
}
/** Form behind a VEX or EVEX prefix that names `map`: 1 to 3 as 0F, 0F 38, 0F 3A; 5 and 6 are EVEX only (FP16). */
export function formOfVector(map: number, opcode: number, evex: boolean): string {
  if (map === 1 && VECTOR_0F.has(opcode)) {
    if (opcode === 0x77) return evex ? UNKNOWN : '-'; // vzeroupper, vzeroall
    return VECTOR_0F_IMMEDIATE.has(opcode) ? 'B' : 'm';
  }
  if (map === 2) return 'm';
  if (map === 3) return 'B';
  return evex && (map === 5 || map === 6) ? 'm' : UNKNOWN;
}

/** Form behind an XOP prefix (AMD). */
export function formOfXop(map: number): string {
  return map === 8 ? 'B' : map === 9 ? 'm' : map === 10 ? 'Z' : UNKNOWN;
}

function opcodes(ranges: string): ReadonlySet<number> {
  const set = new Set<number>();
  for (const range of ranges.split(' ')) {
    const [first, last = first] = range.split('-').map((digits) => parseInt(digits, 16));
    for (let opcode = first; opcode <= last; opcode++) set.add(opcode);
  }
  return set;
}
