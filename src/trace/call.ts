/**
 * One system call while it is printed: its raw arguments, guest memory, and what leaving it brought.
 *
 * Printers get a Call and return text. `fetch` has strace's rule: a struct is read unless its pointer is NULL, unreadable, or
 * the call has failed (then it holds nothing of interest), and the pointer is printed instead.
 */
import { forArch, readScalar, sizeOf, type ArchLayout, type Layout, type Scalar } from '../abi/layout.js';
import { LAYOUTS, type LayoutName } from '../abi/layouts/index.js';
import type { ArchName } from '../abi/types.js';
import type { ReturnKind, Row } from '../../syscalls/row.js';
import { AT_FDCWD } from '../abi/flags/open.js';
import { DEFAULT_STYLE, type Constants, type StraceStyle } from './style.js';
import { address, escape, hexString, packed, quote, symbol, unsigned } from './text.js';
import type { TraceMemory } from './tracer.js';

const PATH_LIMIT = 4095;
const PAGE = 4096;
/** Most strings end within so many bytes. */
const SHORT_STRING = 128;
/** Past every address of a guest. */
export const ADDRESSES = 1n << 53n;
const CWD = BigInt(AT_FDCWD);
/** Whatever the style: more would not fit into a string of ours, and no call that succeeds has more elements. */
const MAX_BYTES = 1 << 26;
const MAX_ELEMENTS = 1 << 20;

export class Call {
  readonly row: Row;
  readonly args: readonly bigint[];
  readonly arch: ArchName;
  readonly memory: TraceMemory;
  readonly style: StraceStyle;
  exiting = false;
  private ahead: Uint8Array | null = null;
  private aheadAt = 0n;
  result = 0;
  errno = 0;
  /** Text in parentheses after the result. */
  aux = '';
  /** How the result is printed, where the printer knows better than the row. */
  ret: ReturnKind | 'hex';
  /** What the entering printer keeps for the leaving one. */
  saved: unknown = undefined;
  /** Every argument is printed on entry, and the result needs no decoding: strace's RVAL_DECODED. */
  complete = false;
  /** Name of the call before this one in the same thread, for restart_syscall. */
  previous = '';

  constructor(
    row: Row,
    args: readonly bigint[],
    arch: ArchName,
    memory: TraceMemory,
    style: StraceStyle = DEFAULT_STYLE,
  ) {
    this.row = row;
    this.args = args;
    this.arch = arch;
    this.memory = memory;
    this.style = style;
    this.ret = row.ret;
  }

  get failed(): boolean {
    return this.errno !== 0;
  }
  get restarts(): boolean {
    return this.errno >= 512;
  }
  get constants(): Constants | undefined {
    return this.style.constants;
  }
  /** Bytes of a string that are shown. */
  get strings(): number {
    return Math.min(MAX_BYTES, this.style.strings);
  }
  /** Elements of an array that are shown: -s limits them only without -v. */
  get elements(): number {
    return Math.min(MAX_ELEMENTS, this.style.verbose ? Infinity : this.style.strings);
  }
  /** The argument called `name`. */
  arg(name: string): bigint {
    const i = this.row.args.findIndex((arg) => arg.name === name);
    return i < 0 ? 0n : this.args[i];
  }

  /** Bytes at a guest address, whatever the outcome of the call. */
  peek(addr: bigint, length: number): Uint8Array | null {
    return this.style.addresses ? null : this.read(addr, length);
  }
  /** Reads at once what many small reads are about to ask for. */
  readAhead(addr: bigint, length: number): void {
    this.ahead = this.read(addr, length);
    this.aheadAt = addr;
  }
  /** Bytes even where the style leaves structs alone. */
  read(addr: bigint, length: number): Uint8Array | null {
    if (addr === 0n || addr >= ADDRESSES) return null;
    const { ahead } = this;
    if (ahead !== null && addr >= this.aheadAt) {
      const at = Number(addr - this.aheadAt);
      if (at + length <= ahead.length) return ahead.subarray(at, at + length);
    }
    return length === 0 ? new Uint8Array(0) : this.memory.read(Number(addr), length);
  }
  fetch(addr: bigint, length: number): Uint8Array | null {
    return this.exiting && this.failed ? null : this.peek(addr, length);
  }
  fetchStruct(addr: bigint, layout: LayoutName, anyway = false): StructView | null {
    const shape = forArch(LAYOUTS[layout], this.arch);
    const bytes = anyway ? this.peek(addr, shape.size) : this.fetch(addr, shape.size);
    return bytes === null ? null : new StructView(shape, bytes);
  }
  /** Text of a struct by its printer, or the pointer. */
  object(addr: bigint, layout: LayoutName, print: (view: StructView) => string, anyway = false): string {
    const view = this.fetchStruct(addr, layout, anyway);
    return view === null ? address(addr) : print(view);
  }
  /** An integer the guest points to, without its brackets. */
  number(addr: bigint, type: Scalar): bigint | null {
    const bytes = this.fetch(addr, sizeOf(type));
    return bytes === null ? null : readBig(viewOf(bytes), 0, type);
  }
  /** `[7]`, or the pointer. */
  indirect(addr: bigint, type: Scalar, print: (v: bigint) => string = String): string {
    const value = this.number(addr, type);
    return value === null ? address(addr) : `[${print(value)}]`;
  }

  /** Elements of an array: `[a, b]`, `[]` when empty, dots past the limit, dots and an address where it stops being readable. */
  array(
    addr: bigint,
    count: number,
    size: number,
    print: (bytes: Uint8Array, at: bigint) => string,
    anyway = false,
  ): string {
    if (addr === 0n) return 'NULL';
    if (count === 0) return '[]';
    if (count < 0) return address(addr);
    const get = (at: bigint): Uint8Array | null => (anyway ? this.peek(at, size) : this.fetch(at, size));
    let text = '[';
    const limit = this.elements;
    for (let i = 0; i < count; i++) {
      const at = i === 0 ? addr : addr + BigInt(i * size);
      const bytes = get(at);
      if (bytes === null && i === 0) return address(addr);
      if (i > 0) text += ', ';
      if (bytes === null) {
        text += `... /* ${address(at)} */`;
        break;
      }
      if (i >= limit) {
        text += '...';
        break;
      }
      text += print(bytes, at);
    }
    return `${text}]`;
  }

  /** An array already read. */
  list(count: number, print: (i: number) => string): string {
    const shown = Math.min(count, this.elements);
    let text = '[';
    for (let i = 0; i < shown; i++) text += i > 0 ? `, ${print(i)}` : print(i);
    if (shown < count) text += shown > 0 ? ', ...' : '...';
    return `${text}]`;
  }

  /** Up to `max` bytes of a NUL-terminated string; null when not even the first byte is readable, or it runs into a hole. */
  cstring(addr: bigint, max: number): { bytes: Uint8Array; terminated: boolean } | null {
    const chunks: Uint8Array[] = [];
    let total = 0;
    let at = addr;
    while (total < max) {
      const toPageEnd = PAGE - Number(at & 0xfffn);
      const most = total === 0 ? this.memory.handy?.(Number(at)) || SHORT_STRING : PAGE;
      const chunk = this.read(at, Math.min(toPageEnd, most, max - total));
      if (chunk === null) return null;
      const end = chunk.indexOf(0);
      if (end >= 0 && total === 0) return { bytes: chunk.subarray(0, end), terminated: true };
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      total += chunks[chunks.length - 1].length;
      if (end >= 0) return { bytes: Buffer.concat(chunks), terminated: true };
      at += BigInt(chunk.length);
    }
    return { bytes: Buffer.concat(chunks), terminated: false };
  }
  path(addr: bigint, limit = PATH_LIMIT): string {
    return this.limitedString(addr, limit);
  }
  /** A string that is no path: as much of it as the style shows. */
  string(addr: bigint): string {
    return this.limitedString(addr, this.strings);
  }
  /** A string in a field of `size` bytes: dots when it has no end there or the style shows less of it. */
  bounded(addr: bigint, size: number): string {
    if (addr === 0n) return 'NULL';
    const { strings } = this;
    const found = this.cstring(addr, Math.min(size, strings + 1));
    if (found === null) return address(addr);
    const shown = Math.min(found.bytes.length, strings);
    return this.quote(found.bytes, shown) + (found.terminated && found.bytes.length <= strings ? '' : '...');
  }
  private limitedString(addr: bigint, limit: number): string {
    if (addr === 0n) return 'NULL';
    const found = this.cstring(addr, limit + 1);
    if (found === null) return address(addr);
    const cut = found.bytes.length > limit;
    return this.quote(found.bytes, cut ? limit : found.bytes.length) + (cut ? '...' : '');
  }
  /** A buffer of `length` bytes: as much of it as the style shows. */
  buffer(addr: bigint, length: bigint): string {
    if (addr === 0n) return 'NULL';
    const bytes = this.shown(addr, length);
    if (bytes === null) return address(addr);
    return (this.style.base64 === true ? packed(bytes) : this.quote(bytes)) + this.dots(length);
  }
  /** A buffer in hexadecimal, whatever the style. */
  hexBuffer(addr: bigint, length: bigint): string {
    if (addr === 0n) return 'NULL';
    const bytes = this.shown(addr, length);
    return bytes === null ? address(addr) : hexString(bytes) + this.dots(length);
  }
  /** The bytes of a buffer that the style shows. One more is read, as strace does. */
  shown(addr: bigint, length: bigint): Uint8Array | null {
    const { strings } = this;
    if (length <= strings) return this.read(addr, Number(length));
    return this.read(addr, strings + 1)?.subarray(0, strings) ?? null;
  }
  /** What follows a text of `length` bytes that was cut. */
  dots(length: bigint | number): string {
    return length > this.strings ? '...' : '';
  }
  quote(bytes: Uint8Array, length = bytes.length): string {
    return quote(bytes, length, this.style.hex);
  }

  /** A text that is no bytes of the guest, quoted as they are. */
  quoteText(text: string): string {
    return this.style.hex === 'all' ? this.quote(Buffer.from(text, 'latin1')) : `"${text}"`;
  }

  /** A descriptor, with what it is open on if the style says so. */
  fd(value: bigint | number): string {
    const fd = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value | 0;
    const { descriptors } = this.style;
    if (descriptors === 0 || fd < 0) return String(fd);
    const name = this.memory.descriptor?.(fd, descriptors);
    if (!name) return String(fd);
    return `${fd}<${this.inAngles(name.path)}${name.more ?? ''}>${name.deleted ? '(deleted)' : ''}`;
  }
  /** A descriptor that may be AT_FDCWD. */
  dirfd(value: bigint): string {
    if (BigInt.asIntN(32, value) !== CWD) return this.fd(value);
    const name = symbol(this, String(AT_FDCWD), 'AT_FDCWD');
    const cwd = this.style.descriptors === 0 ? null : (this.memory.cwd?.() ?? null);
    return cwd === null ? name : `${name}<${this.inAngles(cwd)}>`;
  }
  private inAngles(path: string): string {
    const bytes = Buffer.from(path, 'latin1');
    const text = escape(bytes, bytes.length, this.style.hex);
    return text.replace(/[<>](?=([0-7])?)/g, (c, digit?: string) => {
      const octal = c === '<' ? '74' : '76';
      return digit === undefined ? `\\${octal}` : `\\0${octal}`;
    });
  }
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Small fields, without the view that a struct of many is worth. */
export const readInt = (bytes: Uint8Array, at: number): number =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
export const readShort = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8);
/** A scalar with all its bits. */
export function readBig(view: DataView, at: number, type: Scalar): bigint {
  if (type === 'u64') return view.getBigUint64(at, true);
  if (type === 'i64') return view.getBigInt64(at, true);
  return BigInt(readScalar(view, at, type));
}

/** Fields of one struct in memory. */
export class StructView {
  readonly layout: Layout;
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  constructor(layout: Layout | ArchLayout, bytes: Uint8Array, arch: ArchName = 'x86_64') {
    this.layout = forArch(layout, arch);
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
  /** A scalar field, all bits; element `index` of an array field. */
  big(name: string, index = 0): bigint {
    const field = this.layout.fields[name];
    const type = field.type as Scalar;
    return readBig(this.view, field.offset + index * sizeOf(type), type);
  }
  num(name: string, index = 0): number {
    const field = this.layout.fields[name];
    const type = field.type as Scalar;
    return readScalar(this.view, field.offset + index * sizeOf(type), type);
  }
  /** All bits: a number where one holds them. */
  exact(name: string): number | bigint {
    const number = this.num(name);
    return Number.isSafeInteger(number) ? number : this.big(name);
  }
  /** All bits as an unsigned decimal number. */
  unsigned(name: string): string {
    const value = this.exact(name);
    return value >= 0 ? String(value) : unsigned(BigInt(value));
  }
  /** A struct field. */
  sub(name: string): StructView {
    const field = this.layout.fields[name];
    const inner = field.type as Layout;
    return new StructView(inner, this.bytes.subarray(field.offset, field.offset + inner.size));
  }
  /** Bytes of an array field. */
  raw(name: string): Uint8Array {
    const field = this.layout.fields[name];
    return this.bytes.subarray(field.offset, field.offset + sizeOf(field.type) * field.count);
  }
  /** `name=value` with the value as a decimal number. */
  field(name: string, print?: (v: bigint) => string): string {
    return `${name}=${print === undefined ? this.exact(name) : print(this.big(name))}`;
  }
}
