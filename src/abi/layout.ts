/**
 * Struct layouts as data: field names and types in, sizes and offsets out, by the rules of C on a 64-bit little-endian ABI.
 *
 * A layout is declared once as an object of fields in order; `offsets` has exactly those keys, so a misspelt field does not
 * compile. Where architectures differ, a constant is `{ x86_64, aarch64 }` of two layouts. The tests compare every size
 * and offset with both C compilers.
 */
import type { ArchName } from './types.js';

export type Scalar = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64';
export type ElementType = Scalar | Layout;
/** A type, or an array of it; `at` overrides the offset (unions written flat). */
export type FieldSpec =
  ElementType | readonly [type: ElementType, count: number] | { type: ElementType; count?: number; at: number };

export interface Field {
  readonly type: ElementType;
  readonly offset: number;
  /** 1 for a plain field. */
  readonly count: number;
}

export interface Layout<Name extends string = string> {
  readonly name: string;
  readonly size: number;
  readonly align: number;
  readonly fields: Readonly<Record<Name, Field>>;
  readonly offsets: Readonly<Record<Name, number>>;
}
export type ArchLayout<X extends string = string, A extends string = X> = {
  readonly x86_64: Layout<X>;
  readonly aarch64: Layout<A>;
};

export interface StructOptions {
  /** No padding at all (__attribute__((packed))). */
  packed?: boolean;
  /** Alignment stricter than the fields'. */
  align?: number;
  /** Size beyond the last field (flat unions, structs with a tail nobody names). */
  size?: number;
}

const SCALAR_SIZES: Readonly<Record<Scalar, number>> = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, u64: 8, i64: 8 };

/** Bytes of one element. */
export const sizeOf = (type: ElementType): number => (typeof type === 'string' ? SCALAR_SIZES[type] : type.size);
const alignOf = (type: ElementType): number => (typeof type === 'string' ? SCALAR_SIZES[type] : type.align);

interface NormalField {
  type: ElementType;
  count: number;
  at: number | undefined;
}
function isArraySpec(spec: FieldSpec): spec is readonly [type: ElementType, count: number] {
  return Array.isArray(spec);
}
function normalize(spec: FieldSpec): NormalField {
  if (isArraySpec(spec)) return { type: spec[0], count: spec[1], at: undefined };
  if (typeof spec === 'string' || 'fields' in spec) return { type: spec, count: 1, at: undefined };
  return { type: spec.type, count: spec.count ?? 1, at: spec.at };
}

/** Declares a struct; fields with `at` overlap others (a union written flat) and move nothing. */
export function struct<const F extends Readonly<Record<string, FieldSpec>>>(
  name: string,
  specs: F,
  options: StructOptions = {},
): Layout<keyof F & string> {
  type Name = keyof F & string;
  const fields = {} as Record<Name, Field>;
  const offsets = {} as Record<Name, number>;
  let end = 0;
  let size = options.size ?? 0;
  let align = options.align ?? 1;
  for (const [key, spec] of Object.entries(specs)) {
    const { type, count, at } = normalize(spec);
    const fieldAlign = options.packed ? 1 : alignOf(type);
    const offset = at ?? Math.ceil(end / fieldAlign) * fieldAlign;
    if (at === undefined) end = offset + sizeOf(type) * count;
    size = Math.max(size, offset + sizeOf(type) * count);
    align = Math.max(align, fieldAlign);
    fields[key as Name] = { type, offset, count };
    offsets[key as Name] = offset;
  }
  return { name, size: Math.ceil(size / align) * align, align, fields, offsets };
}

/** The layout of an architecture, whether or not architectures differ. */
export function forArch(layout: Layout | ArchLayout, arch: ArchName): Layout {
  return 'fields' in layout ? layout : layout[arch];
}

const TWO32 = 0x1_0000_0000;

/** Unsigned 64 bits; exact below 2^53. */
export function getU64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * TWO32 + view.getUint32(offset, true);
}
/** Signed 64 bits; exact when the magnitude is below 2^53. */
export function getI64(view: DataView, offset: number): number {
  return view.getInt32(offset + 4, true) * TWO32 + view.getUint32(offset, true);
}
/** Stores any integer of magnitude below 2^53, two's complement when negative. */
export function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value, true);
  view.setUint32(offset + 4, Math.floor(value / TWO32), true);
}
/** Stores exact halves. */
export function setHalves(view: DataView, offset: number, lo: number, hi: number): void {
  view.setUint32(offset, lo, true);
  view.setUint32(offset + 4, hi, true);
}

/** Reads one scalar of a struct that starts at `base`; element `index` of an array field. */
export function readField<Name extends string>(
  layout: Layout<Name>,
  view: DataView,
  base: number,
  name: Name,
  index = 0,
): number {
  const { type, offset } = layout.fields[name];
  return readScalar(view, base + offset + index * sizeOf(type), type as Scalar);
}

/** Writes one scalar of a struct that starts at `base`. */
export function writeField<Name extends string>(
  layout: Layout<Name>,
  view: DataView,
  base: number,
  name: Name,
  value: number,
  index = 0,
): void {
  const { type, offset } = layout.fields[name];
  writeScalar(view, base + offset + index * sizeOf(type), type as Scalar, value);
}

export function readScalar(view: DataView, at: number, type: Scalar): number {
  switch (type) {
    case 'u8':
      return view.getUint8(at);
    case 'i8':
      return view.getInt8(at);
    case 'u16':
      return view.getUint16(at, true);
    case 'i16':
      return view.getInt16(at, true);
    case 'u32':
      return view.getUint32(at, true);
    case 'i32':
      return view.getInt32(at, true);
    case 'u64':
      return getU64(view, at);
    case 'i64':
      return getI64(view, at);
  }
}

export function writeScalar(view: DataView, at: number, type: Scalar, value: number): void {
  switch (type) {
    case 'u8':
    case 'i8':
      view.setUint8(at, value);
      return;
    case 'u16':
    case 'i16':
      view.setUint16(at, value, true);
      return;
    case 'u32':
    case 'i32':
      view.setUint32(at, value, true);
      return;
    case 'u64':
    case 'i64':
      setU64(view, at, value);
      return;
  }
}
