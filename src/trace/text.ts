/**
 * Pieces of strace text: numbers, quoted strings, flags, enumerations, dates.
 *
 * Everything here is a pure function of its arguments and returns exactly the characters strace 6.1 prints with its default
 * options (abbreviated xlat style, 32 characters of a string).
 */
import type { FlagSet } from '../abi/flags/flag-set.js';
import type { ArchName } from '../abi/types.js';

export const toInt = (v: bigint): number => Number(BigInt.asIntN(32, v));
export const toUint = (v: bigint): number => Number(BigInt.asUintN(32, v));
export const signed = (v: bigint): string => BigInt.asIntN(64, v).toString();
export const unsigned = (v: bigint): string => BigInt.asUintN(64, v).toString();

/** C's %#x: no prefix on zero. */
export function hex(v: bigint | number): string {
  const bits = typeof v === 'number' && v < 0 ? BigInt.asUintN(64, BigInt(v)) : v;
  return bits === 0 || bits === 0n ? '0' : `0x${bits.toString(16)}`;
}
/** A pointer. */
export function address(v: bigint | number): string {
  return v === 0 || v === 0n ? 'NULL' : hex(v);
}
/** Permission bits: octal, at least three digits. */
export function octal(v: number | bigint): string {
  const digits = v.toString(8);
  return v === 0 || v === 0n ? '000' : `0${digits}`.padStart(3, '0');
}
/** A user or group id, with -1 as such. */
export function id(v: number): string {
  return v >>> 0 === 0xffff_ffff ? '-1' : String(v >>> 0);
}
/** A device number as the kernel's dev_t encodes it (new_encode_dev and huge_encode_dev). */
export function device(v: bigint): string {
  const major = ((v >> 8n) & 0xfffn) | ((v >> 32n) & 0xffff_f000n);
  const minor = (v & 0xffn) | ((v >> 12n) & 0xffff_ff00n);
  return `makedev(${hex(major)}, ${hex(minor)})`;
}

const comment = (text: string): string => (text === '' ? '' : ` /* ${text} */`);

const entriesOf = (set: FlagSet, arch: ArchName) => set.entries[arch];
const U32 = 0xffff_ffffn;
/** Bits of a set's entry: negative ones as 32 or 64 bits, by what they are compared with. */
const bitsOf = (value: number, wide: boolean): bigint =>
  wide ? BigInt.asUintN(64, BigInt(value)) : BigInt(value) & U32;

/** One value of a set, or undefined. */
export function lookup(set: FlagSet, arch: ArchName, value: bigint): string | undefined {
  const wide = value > U32;
  return entriesOf(set, arch).find(([, v]) => bitsOf(v, wide) === value)?.[0];
}

/** One value: `SEEK_SET`, or the number with the set's question mark. `unknown` '' prints the bare number. */
export function enumeration(
  set: FlagSet,
  arch: ArchName,
  value: bigint,
  unknown = set.unknown,
  decimal = false,
): string {
  return lookup(set, arch, value) ?? (decimal ? signed(BigInt.asIntN(32, value)) : hex(value)) + comment(unknown);
}

/**
 * Flags: `A|B|0x80`; `0` when none; a bare number with the set's question mark in a comment when nothing is known.
 * `unknown` null prints nothing at all for zero.
 */
export function flags(
  set: FlagSet | readonly FlagSet[],
  arch: ArchName,
  value: bigint,
  unknown?: string | null,
): string {
  const sets: readonly FlagSet[] = 'unknown' in set ? [set] : set;
  const names: string[] = [];
  let rest = value;
  const wide = value > U32;
  for (const one of sets) {
    for (const [name, number] of entriesOf(one, arch)) {
      if (rest === 0n && names.length > 0) break;
      const bits = bitsOf(number, wide);
      if (rest === bits || (bits !== 0n && (rest & bits) === bits)) {
        names.push(name);
        rest &= ~bits;
        if (rest === 0n) break;
      }
    }
    if (rest === 0n && names.length > 0) break;
  }
  if (names.length > 0) return rest === 0n ? names.join('|') : `${names.join('|')}|${hex(rest)}`;
  const question = unknown === undefined ? sets[0].unknown : unknown;
  if (rest !== 0n) return hex(rest) + comment(question ?? '');
  return question === null ? '' : '0';
}

/** Flags in a result's comment: unknown rest in hex, empty for zero. */
export function flagList(set: FlagSet, arch: ArchName, value: bigint): string {
  const names: string[] = [];
  let rest = value;
  if (rest === 0n) return entriesOf(set, arch)[0]?.[1] === 0 ? entriesOf(set, arch)[0][0] : '';
  for (const [name, number] of entriesOf(set, arch)) {
    const bits = bitsOf(number, value > U32);
    if (bits !== 0n && (rest & bits) === bits) {
      names.push(name);
      rest &= ~bits;
    }
  }
  if (rest !== 0n) names.push(hex(rest));
  return names.join('|');
}

const ESCAPES: Record<number, string> = { 34: '\\"', 92: '\\\\', 12: '\\f', 10: '\\n', 13: '\\r', 9: '\\t', 11: '\\v' };

/** The characters between the quotes; `from` to `to` of `bytes`, looking one byte ahead for digits after an octal escape. */
export function escape(bytes: Uint8Array, length: number): string {
  let out = '';
  for (let i = 0; i < length; i++) {
    const c = bytes[i];
    const known = ESCAPES[c];
    if (known !== undefined) out += known;
    else if (c >= 32 && c < 127) out += String.fromCharCode(c);
    else {
      const digit = i + 1 < length && bytes[i + 1] >= 48 && bytes[i + 1] <= 55;
      out += `\\${c.toString(8).padStart(digit ? 3 : 1, '0')}`;
    }
  }
  return out;
}
export const quote = (bytes: Uint8Array, length = bytes.length): string => `"${escape(bytes, length)}"`;
export function hexString(bytes: Uint8Array, length = bytes.length): string {
  let out = '';
  for (let i = 0; i < length; i++) out += `\\x${bytes[i].toString(16).padStart(2, '0')}`;
  return `"${out}"`;
}

/** Date of a time stamp in UTC, as a comment; nothing for the epoch itself or a fraction out of range. */
export function date(sec: bigint, part: bigint, limit: bigint, width: number): string {
  if ((sec === 0n && part === 0n) || part < 0n || part > limit) return '';
  const days = floorDiv(sec, 86_400n);
  const rest = Number(sec - days * 86_400n);
  const [year, month, day] = civil(days);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  const fraction = part > 0n ? `.${part.toString().padStart(width, '0')}` : '';
  return ` /* ${year}-${two(month)}-${two(day)}T${clock}${fraction}+0000 */`;
}
const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b));
/** Days since 1970 to year, month, day (proleptic Gregorian). */
function civil(days: bigint): [string, number, number] {
  const z = days + 719_468n;
  const era = floorDiv(z, 146_097n);
  const doe = z - era * 146_097n;
  const yoe = (doe - doe / 1460n + doe / 36_524n - doe / 146_096n) / 365n;
  const doy = doe - (365n * yoe + yoe / 4n - yoe / 100n);
  const mp = (5n * doy + 2n) / 153n;
  const day = Number(doy - (153n * mp + 2n) / 5n) + 1;
  const month = Number(mp < 10n ? mp + 3n : mp - 9n);
  const year = yoe + era * 400n + (month <= 2 ? 1n : 0n);
  return [year.toString(), month, day];
}
