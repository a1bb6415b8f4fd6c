/**
 * Pieces of strace text: numbers, quoted strings, flags, enumerations, dates.
 *
 * Everything here is a pure function of its arguments and returns exactly the characters strace 6.1 prints.
 */
import type { FlagEntry, FlagSet } from '../abi/flags/flag-set.js';
import { signalName } from '../abi/signals.js';
import type { ArchName } from '../abi/types.js';
import { base64Slice, latin1Slice } from './latin1.js';
import { RecentTexts } from './recent-texts.js';
import type { Constants, Style } from './style.js';

export const toInt = (v: bigint): number => Number(BigInt.asIntN(32, v));
export const toUint = (v: bigint): number => Number(BigInt.asUintN(32, v));
export const signed = (v: bigint): string => BigInt.asIntN(64, v).toString();
export const unsigned = (v: bigint): string => BigInt.asUintN(64, v).toString();

/** C's %#x: no prefix on zero. */
export function hex(v: bigint | number): string {
  const bits = v < 0 ? BigInt.asUintN(64, BigInt(v)) : v;
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
export function device(naming: Naming, v: bigint): string {
  if (v >= 0n && v <= U32) {
    const bits = Number(v);
    const minor = (bits & 0xff) | ((bits >>> 12) & 0xf_ff00);
    return symbol(naming, hex(bits), `makedev(${hex((bits >>> 8) & 0xfff)}, ${hex(minor)})`);
  }
  const major = ((v >> 8n) & 0xfffn) | ((v >> 32n) & 0xffff_f000n);
  const minor = (v & 0xffn) | ((v >> 12n) & 0xffff_ff00n);
  return symbol(naming, hex(v), `makedev(${hex(major)}, ${hex(minor)})`);
}

const comment = (text: string): string => (text === '' ? '' : ` /* ${text} */`);

/** Whose constants these are, and how they are shown; class Call fits. */
export interface Naming {
  readonly arch: ArchName;
  readonly constants?: Constants | undefined;
}

/** Something that has a number and a name. */
export function symbol({ constants }: Naming, number: string, name: string): string {
  return constants === 'raw' ? number : constants === 'verbose' ? number + comment(name) : name;
}
export const signalText = (naming: Naming, signal: number): string =>
  signalName(signal) === String(signal) ? String(signal) : symbol(naming, String(signal), signalName(signal));

const U32 = 0xffff_ffffn;

/** One value of a set, or undefined. */
export function lookup(set: FlagSet, { arch }: Naming, value: bigint): string | undefined {
  const entries = set.entries[arch];
  if (value <= U32) {
    const bits = Number(value);
    for (const [name, v] of entries) if (v >>> 0 === bits) return name;
    return undefined;
  }
  return entries.find(([, v]) => BigInt.asUintN(64, BigInt(v)) === value)?.[0];
}

/** One value: `SEEK_SET`, or the number with the set's question mark. `unknown` '' prints the bare number. */
export function enumeration(
  set: FlagSet,
  naming: Naming,
  value: bigint,
  unknown = set.unknown,
  decimal = false,
): string {
  const { constants } = naming;
  const name = constants === 'raw' ? undefined : lookup(set, naming, value);
  if (name !== undefined && constants !== 'verbose') return name;
  const number = decimal ? signed(BigInt.asIntN(32, value)) : hex(value);
  return constants === 'raw' ? number : number + comment(name ?? unknown);
}

/** Names of the bits that are set, in the set's order, and the bits that have none. */
function decode(entries: readonly FlagEntry[], value: bigint, names: string[], zero: boolean): bigint {
  if (value <= U32) {
    let rest = Number(value);
    for (const [name, number] of entries) {
      if (number > 0xffff_ffff) continue;
      const bits = number >>> 0;
      if (bits === 0 ? !(zero && rest === 0 && names.length === 0) : (rest & bits) >>> 0 !== bits) continue;
      names.push(name);
      rest = (rest & ~bits) >>> 0;
      if (rest === 0) return 0n;
    }
    return BigInt(rest);
  }
  let rest = value;
  for (const [name, number] of entries) {
    const bits = BigInt.asUintN(64, BigInt(number));
    if (bits === 0n || (rest & bits) !== bits) continue;
    names.push(name);
    rest &= ~bits;
    if (rest === 0n) break;
  }
  return rest;
}

const recent = new RecentTexts();
const recentLists = new RecentTexts();

/**
 * Flags: `A|B|0x80`; `0` when none; a bare number with the set's question mark in a comment when nothing is known.
 * `unknown` null prints nothing at all for zero.
 */
export function flags(
  set: FlagSet | readonly FlagSet[],
  { arch, constants }: Naming,
  value: bigint,
  unknown?: string | null,
): string {
  const plain = constants === undefined && unknown === undefined && value <= U32 && 'unknown' in set;
  if (!plain) return spelled(set, arch, constants, value, unknown);
  const bits = Number(value);
  const found = recent.find(set, arch, bits);
  return found ?? recent.keep(set, arch, bits, spelled(set, arch, constants, value, unknown));
}
function spelled(
  set: FlagSet | readonly FlagSet[],
  arch: ArchName,
  constants: Constants | undefined,
  value: bigint,
  unknown: string | null | undefined,
): string {
  const sets: readonly FlagSet[] = 'unknown' in set ? [set] : set;
  const question = unknown === undefined ? sets[0].unknown : unknown;
  const none = value === 0n && question === null;
  if (constants === 'raw') return none ? '' : hex(value);
  const names: string[] = [];
  let rest = value;
  for (const one of sets) {
    rest = decode(one.entries[arch], rest, names, true);
    if (rest === 0n && names.length > 0) break;
  }
  if (names.length === 0) return none ? '' : hex(rest) + (rest === 0n ? '' : comment(question ?? ''));
  if (rest !== 0n) names.push(hex(rest));
  const text = names.join('|');
  return constants === 'verbose' ? hex(value) + comment(text) : text;
}

/** Flags in a result's comment: unknown rest in hex, empty for zero. */
export function flagList(set: FlagSet, { arch, constants }: Naming, value: bigint): string {
  if (constants !== undefined || value > U32) return listed(set, arch, constants, value);
  const bits = Number(value);
  return recentLists.find(set, arch, bits) ?? recentLists.keep(set, arch, bits, listed(set, arch, constants, value));
}
function listed(set: FlagSet, arch: ArchName, constants: Constants | undefined, value: bigint): string {
  if (constants === 'raw') return value === 0n ? '' : hex(value);
  const names: string[] = [];
  const rest = decode(set.entries[arch], value, names, set.entries[arch][0]?.[1] === 0);
  if (names.length === 0) return rest === 0n ? '' : hex(rest);
  if (rest !== 0n) names.push(hex(rest));
  const text = names.join('|');
  return constants === 'verbose' ? hex(value) + comment(text) : text;
}

const NAMED: Readonly<Record<number, string>> = { 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r', 34: '"', 92: '\\' };
const isPlain = (c: number): boolean => c >= 32 && c < 127;
const hexByte = (c: number): string => `\\x${c.toString(16).padStart(2, '0')}`;
const escaped = (c: number, octal: string): string =>
  NAMED[c] === undefined ? (isPlain(c) ? String.fromCharCode(c) : `\\${octal}`) : `\\${NAMED[c]}`;
/**
 * What each byte becomes, as up to four characters in a word and their number; an octal escape is as short as it can be, unless a
 * digit follows: then it is the byte plus 256.
 */
class Escapes {
  readonly texts: string[] = [];
  readonly words = new Uint32Array(512);
  readonly sizes = new Uint8Array(512);
  constructor(text: (c: number, digit: boolean) => string) {
    for (let c = 0; c < 512; c++) {
      const characters = text(c & 255, c > 255);
      this.texts.push(characters);
      this.sizes[c] = characters.length;
      for (let i = 0; i < characters.length; i++) this.words[c] |= characters.charCodeAt(i) << (8 * i);
    }
  }
}
const OCTAL = new Escapes((c, digit) => escaped(c, digit ? c.toString(8).padStart(3, '0') : c.toString(8)));
const HEX = new Escapes(hexByte);
/** Bytes that are shown as they are. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, c) => (isPlain(c) && NAMED[c] === undefined ? 1 : 0));
/** Strings without such characters -x leaves as they are. */
const UNPRINTABLE = /[^\t-\r -~]/;

/** Up to so many bytes adding one by one costs less than a call of the engine's own copy. */
const SHORT = 4;
/** So many bytes are escaped at a time. */
const PIECE = 8192;
const room = new Uint8Array(4 * PIECE);
const roomView = new DataView(room.buffer);

function escapedBy({ words, sizes }: Escapes, bytes: Uint8Array, length: number): string {
  let text = '';
  for (let from = 0; from < length; from += PIECE) {
    const end = Math.min(from + PIECE, length);
    let n = 0;
    for (let i = from; i < end; i++) {
      const next = i + 1 < length ? bytes[i + 1] : 0;
      const index = bytes[i] + (next >= 48 && next <= 55 ? 256 : 0);
      // Four characters whatever their number: the next ones overwrite what is too much.
      roomView.setUint32(n, words[index], true);
      n += sizes[index];
    }
    text += latin1Slice(room, 0, n);
  }
  return text;
}
const inHex = (bytes: Uint8Array, length: number): string => escapedBy(HEX, bytes, length);

/** The characters between the quotes: the first `length` of `bytes`. Plain text is copied in one piece. */
export function escape(bytes: Uint8Array, length: number, style: Style['hex'] = 'no'): string {
  if (style === 'all') return inHex(bytes, length);
  if (style === 'unprintable' && UNPRINTABLE.test(latin1Slice(bytes, 0, length))) return inHex(bytes, length);
  if (length <= SHORT) {
    let text = '';
    for (let i = 0; i < length; i++) {
      const next = i + 1 < length ? bytes[i + 1] : 0;
      text += OCTAL.texts[bytes[i] + (next >= 48 && next <= 55 ? 256 : 0)];
    }
    return text;
  }
  let plain = 0;
  while (plain < length && PLAIN[bytes[plain]] === 1) plain++;
  return plain === length ? latin1Slice(bytes, 0, length) : escapedBy(OCTAL, bytes, length);
}

/** Shorter ones are better read than packed. */
const LEAST_PACKED = 64;
/** What lies at the beginning tells what the rest is. */
const SAMPLE = 256;
function isText(bytes: Uint8Array): boolean {
  const length = Math.min(bytes.length, SAMPLE);
  let other = 0;
  for (let i = 0; i < length; i++) if (PLAIN[bytes[i]] === 0 && bytes[i] !== 10) other++;
  return other * 8 < length;
}
/** A buffer of a recording: `"text"` or `b64"AAEC"`. */
export function packed(bytes: Uint8Array): string {
  if (bytes.length < LEAST_PACKED || isText(bytes)) return quote(bytes);
  return `b64"${base64Slice(bytes, 0, bytes.length)}"`;
}

export const quote = (bytes: Uint8Array, length = bytes.length, style: Style['hex'] = 'no'): string =>
  `"${escape(bytes, length, style)}"`;
export const hexString = (bytes: Uint8Array, length = bytes.length): string => `"${inHex(bytes, length)}"`;

/** Date of a time stamp in UTC, as a comment; nothing for the epoch itself or a fraction out of range. */
export function date(sec: number | bigint, part: number | bigint, limit: number, width: number): string {
  const fraction = Number(part);
  if ((fraction === 0 && Number(sec) === 0) || fraction < 0 || fraction > limit) return '';
  return ` /* ${moment(sec)}${fraction > 0 ? `.${String(fraction).padStart(width, '0')}` : ''}+0000 */`;
}
const MOMENTS = {};
/** Files of one folder have the same few. */
function moment(sec: number | bigint): string {
  const number = Number(sec);
  if (!Number.isSafeInteger(number)) return civil(sec);
  return recent.find(MOMENTS, '', number) ?? recent.keep(MOMENTS, '', number, civil(sec));
}
const DAY = 86_400n;
/** `2026-11-23T19:01:08`, in the proleptic Gregorian calendar. */
function civil(sec: number | bigint): string {
  const whole = BigInt(sec);
  const rest = Number(((whole % DAY) + DAY) % DAY);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = `${two(Math.floor(rest / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  const [year, month, day] = calendarDay(Number((whole - BigInt(rest)) / DAY));
  return `${year}-${two(month)}-${two(day)}T${clock}`;
}
/** Days since 1970, at most 2^50, to year, month, day. */
function calendarDay(days: number): [year: number, month: number, day: number] {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return [yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - Math.floor((153 * mp + 2) / 5) + 1];
}
