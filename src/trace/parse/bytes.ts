/** Structs and sets as bytes, from their terms: by layout, field by field. */
import { forArch, sizeOf, type ArchLayout, type Field, type Layout, type Scalar } from '../../abi/layout.js';
import type { ArchName } from '../../abi/types.js';
import { Room } from '../room.js';
import type { Evaluator } from './value.js';
import { TraceTextError, type Term } from './term.js';

const MASK64 = (1n << 64n) - 1n;

/** Text of one char a byte. */
export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

export function putScalar(view: DataView, at: number, type: Scalar, value: bigint): void {
  switch (sizeOf(type)) {
    case 1:
      view.setUint8(at, Number(value & 0xffn));
      return;
    case 2:
      view.setUint16(at, Number(value & 0xffffn), true);
      return;
    case 4:
      view.setUint32(at, Number(value & 0xffff_ffffn), true);
      return;
    default:
      view.setBigUint64(at, value & MASK64, true);
  }
}
export function wordBytes(type: Scalar, values: readonly bigint[]): Uint8Array {
  const size = sizeOf(type);
  const bytes = new Uint8Array(size * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => putScalar(view, i * size, type, value));
  return bytes;
}

/** `[HUP INT]` or `~[RTMIN]` as a mask. */
export function signalSet(values: Evaluator, term: Term): bigint | null {
  if (term.kind === 'complement') {
    const inner = signalSet(values, term.parts[0]);
    return inner === null ? null : ~inner & MASK64;
  }
  if (term.kind !== 'array') return null;
  let mask = 0n;
  for (const part of term.parts) {
    const signal = values.signalValue(part);
    if (signal > 0n && signal <= 64n) mask |= 1n << (signal - 1n);
  }
  return mask;
}
/** `[0 3]`, `[3, 5]` as a bit map of at least `size` bytes. */
export function bitMap(values: Evaluator, term: Term, size: number): Uint8Array {
  const bits = term.parts.map((part) => Number(values.value(part, -1n))).filter((bit) => bit >= 0 && bit < 1 << 20);
  const bytes = new Uint8Array(Math.max(size, 8 * Math.ceil((Math.max(-1, ...bits) + 1) / 64)));
  for (const bit of bits) bytes[bit >> 3] |= 1 << (bit & 7);
  return bytes;
}

/** A field that its text does not give as its layout does; true if it was one of those. */
export type FieldWriter = (name: string, term: Term, view: DataView, offset: number, field: Field) => boolean;

/** Structs of one call lie in here. */
const ROOM = 1 << 14;

export class StructBytes {
  private readonly room = new Room(ROOM);
  private readonly values: Evaluator;
  private readonly arch: ArchName;

  constructor(values: Evaluator, arch: ArchName) {
    this.values = values;
    this.arch = arch;
  }

  /** Another call: nobody needs the bytes of the last one. */
  begin(): void {
    this.room.begin();
  }
  /** A struct's term as bytes, good until the next call; `special` is asked about every field first. */
  of(layout: Layout | ArchLayout, term: Term, special?: FieldWriter): Uint8Array {
    const shape = forArch(layout, this.arch);
    const bytes = this.room.take(shape.size).fill(0);
    this.fill(shape, term, new DataView(bytes.buffer, bytes.byteOffset, shape.size), 0, special);
    return bytes;
  }
  private fill(shape: Layout, term: Term, view: DataView, base: number, special: FieldWriter | undefined): void {
    for (let index = 0; index < term.parts.length; index++) {
      const part = term.parts[index];
      if (part.kind === 'dots' || (part.kind === 'nothing' && part.name === '')) continue;
      const name = part.name === '' ? Object.keys(shape.fields)[index] : part.name;
      const field = (shape.fields as Readonly<Record<string, Field | undefined>>)[name];
      if (field === undefined) {
        const known = special?.(name, part, view, base, NO_FIELD) ?? false;
        if (this.values.strict && !known) throw new TraceTextError(`there is no field ${name}`, part.column);
        continue;
      }
      if (special?.(name, part, view, base + field.offset, field) === true) continue;
      this.put(field, part, view, base + field.offset, special);
    }
  }
  private put(field: Field, term: Term, view: DataView, at: number, special: FieldWriter | undefined): void {
    const { type, count } = field;
    // `tv_sec=1 => 2` and the like: what it was.
    const value = term.kind === 'operation' && term.text === '=>' ? term.parts[0] : term;
    if (typeof type !== 'string') {
      if (value.kind !== 'array') this.fill(type, value, view, at, special);
      else value.parts.slice(0, count).forEach((part, i) => this.fill(type, part, view, at + i * type.size, special));
      return;
    }
    const size = sizeOf(type);
    if (value.kind === 'string') {
      const bytes = latin1(value.text).subarray(0, count * size);
      const whole = new Uint8Array(view.buffer, view.byteOffset + at, count * size);
      whole.set(bytes);
      // Only a text without an end shows all but its last byte, and then dots.
      if (value.cut && bytes.length === whole.length - 1) whole[bytes.length] = 1;
    } else if (value.kind === 'array' && count === 1) {
      putScalar(view, at, type, signalSet(this.values, value) ?? 0n);
    } else if (value.kind === 'complement' && value.parts[0].kind === 'array') {
      putScalar(view, at, type, signalSet(this.values, value) ?? 0n);
    } else if (value.kind === 'array') {
      value.parts.slice(0, count).forEach((part, i) => {
        putScalar(view, at + i * size, type, this.values.value(part));
      });
    } else if (value.kind === 'struct' && value.field('val')?.kind === 'array') {
      // f_fsid={val=[1, 2]}
      this.put(field, value.field('val')!, view, at, special);
    } else if (value.kind === 'struct') {
      // `data={u32=5, u64=5}`: the widest member of a union
      const widest = value.field('u64') ?? value.field('sival_ptr') ?? value.parts.at(-1);
      if (widest !== undefined) putScalar(view, at, type, this.values.value(widest));
    } else {
      putScalar(view, at, type, this.values.value(value));
    }
  }
}
const NO_FIELD: Field = { type: 'u8', offset: 0, count: 0 };
