/**
 * One system call while it is printed: its raw arguments, guest memory, and what leaving it brought.
 *
 * Printers get a Call and return text. `fetch` has strace's rule: a struct is read unless its pointer is NULL, unreadable, or
 * the call has failed (then it holds nothing of interest), and the pointer is printed instead.
 */
import { forArch, readScalar, type ArchLayout, type Layout, type Scalar } from '../abi/layout.js';
import { LAYOUTS, type LayoutName } from '../abi/layouts/index.js';
import type { ArchName } from '../abi/types.js';
import type { ReturnKind, Row } from '../../syscalls/row.js';
import { address, quote } from './text.js';
import type { TraceMemory } from './tracer.js';

/** Bytes of strings and elements of arrays that are shown. */
export const STRING_LIMIT = 32;
const PATH_LIMIT = 4095;
const PAGE = 4096;

export class Call {
  readonly row: Row;
  readonly args: readonly bigint[];
  readonly arch: ArchName;
  readonly memory: TraceMemory;
  exiting = false;
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

  constructor(row: Row, args: readonly bigint[], arch: ArchName, memory: TraceMemory) {
    this.row = row;
    this.args = args;
    this.arch = arch;
    this.memory = memory;
    this.ret = row.ret;
  }

  get failed(): boolean {
    return this.errno !== 0;
  }
  get restarts(): boolean {
    return this.errno >= 512;
  }
  /** The argument called `name`. */
  arg(name: string): bigint {
    const i = this.row.args.findIndex((arg) => arg.name === name);
    return i < 0 ? 0n : this.args[i];
  }

  /** Bytes at a guest address, whatever the outcome of the call. */
  peek(addr: bigint, length: number): Uint8Array | null {
    if (addr === 0n || addr >= 1n << 53n) return null;
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
    const bytes = this.fetch(addr, scalarSize(type));
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
    const parts: string[] = [];
    for (let i = 0; i < count; i++) {
      const at = addr + BigInt(i * size);
      const bytes = get(at);
      if (bytes === null) {
        if (i === 0) return address(addr);
        parts.push(`... /* ${address(at)} */`);
        break;
      }
      if (i >= STRING_LIMIT) {
        parts.push('...');
        break;
      }
      parts.push(print(bytes, at));
    }
    return `[${parts.join(', ')}]`;
  }

  /** Up to `max` bytes of a NUL-terminated string; null when not even the first byte is readable, or it runs into a hole. */
  cstring(addr: bigint, max: number): { bytes: Uint8Array; terminated: boolean } | null {
    const chunks: Uint8Array[] = [];
    let total = 0;
    let at = addr;
    while (total < max) {
      const toPageEnd = PAGE - Number(at % BigInt(PAGE));
      const chunk = this.peek(at, Math.min(toPageEnd, max - total));
      if (chunk === null) return null;
      const end = chunk.indexOf(0);
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      total += chunks[chunks.length - 1].length;
      if (end >= 0) return { bytes: Buffer.concat(chunks), terminated: true };
      at += BigInt(chunk.length);
    }
    return { bytes: Buffer.concat(chunks), terminated: false };
  }
  path(addr: bigint, limit = PATH_LIMIT): string {
    if (addr === 0n) return 'NULL';
    const found = this.cstring(addr, limit + 1);
    if (found === null) return address(addr);
    const cut = found.bytes.length > limit || !found.terminated;
    return quote(found.bytes, Math.min(found.bytes.length, limit)) + (cut ? '...' : '');
  }
  /** A string that is no path: 32 bytes of it. */
  string(addr: bigint): string {
    if (addr === 0n) return 'NULL';
    const found = this.cstring(addr, STRING_LIMIT + 1);
    if (found === null) return address(addr);
    const cut = found.bytes.length > STRING_LIMIT;
    return quote(found.bytes, Math.min(found.bytes.length, STRING_LIMIT)) + (cut ? '...' : '');
  }
  /** A buffer of `length` bytes: 32 of them. */
  buffer(addr: bigint, length: bigint): string {
    if (addr === 0n) return 'NULL';
    const shown = length > BigInt(STRING_LIMIT) ? STRING_LIMIT : Number(length);
    // One byte more is looked at, as strace does: it decides how an octal escape at the end is written.
    const bytes = this.peek(addr, length > BigInt(STRING_LIMIT) ? shown + 1 : shown);
    if (bytes === null) return address(addr);
    return quote(bytes, shown) + (length > BigInt(STRING_LIMIT) ? '...' : '');
  }
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const scalarSize = (type: Scalar): number => Number(type.slice(1)) / 8;
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
    return readBig(this.view, field.offset + index * scalarSize(type), type);
  }
  num(name: string, index = 0): number {
    return Number(this.big(name, index));
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
    const size = typeof field.type === 'string' ? scalarSize(field.type) : field.type.size;
    return this.bytes.subarray(field.offset, field.offset + size * field.count);
  }
  /** `name=value` with the value as a decimal number. */
  field(name: string, print: (v: bigint) => string = String): string {
    return `${name}=${print(this.big(name))}`;
  }
}
