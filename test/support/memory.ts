/**
 * Memory of a script: where each buffer lies, what is in it at the start, and what of it is compared.
 *
 * Constants (strings, input structs) share pages; every buffer made by `buffer()` has pages of its own and ends right before an
 * unmapped page, so that a kernel that writes too far is caught. Addresses are fixed, the same on every side.
 */
import { ARENA_BASE, PAGE, type Check, type Region, type Tolerance } from './script.js';
import type { View } from './outcome.js';

/** Space for constants; the buffers come after it. */
const DATA_SIZE = 0x100_0000;

export type Expected = number | bigint | ((value: number) => boolean);
export type Bytes = string | Uint8Array;

export function toBytes(value: Bytes): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
}

/** An address inside a Mem: what calls take as pointer arguments. */
export class Pointer {
  readonly mem: Mem;
  readonly offset: number;
  constructor(mem: Mem, offset: number) {
    this.mem = mem;
    this.offset = offset;
  }
  get address(): number {
    return this.mem.address + this.offset;
  }
}

/** What a Mem needs of the script under construction. */
export interface MemoryHost {
  /** Attaches a check to the operation last added to the section being written. */
  check(text: string, run: Check['run'], mem: Mem): void;
  tolerate(tolerance: Tolerance): void;
}

export class Mem {
  readonly host: MemoryHost;
  readonly address: number;
  readonly size: number;
  readonly name: string;

  constructor(host: MemoryHost, address: number, size: number, name: string) {
    this.host = host;
    this.address = address;
    this.size = size;
    this.name = name;
  }

  plus(offset: number): Pointer {
    return new Pointer(this, offset);
  }

  /** These bytes are not compared with the host's. */
  ignore(at = 0, length = this.size - at): this {
    this.host.tolerate({ address: this.address + at, length });
    return this;
  }

  /** These bytes hold a value that maps one to one between the sides (a pid, an inode number). */
  relate(at: number, length: number, relation: string): this {
    this.host.tolerate({ address: this.address + at, length, relation });
    return this;
  }

  pid(at: number): this {
    return this.relate(at, 4, 'pid');
  }

  /** At this point of the script the bytes are these. */
  is(expected: Bytes, at = 0): this {
    const want = Buffer.from(toBytes(expected));
    this.host.check(
      `${this.name}${at ? `+${at}` : ''} is ${show(want)}`,
      (view) => {
        const got = view.bytes(this.address + at, want.length);
        return want.equals(got) || show(got);
      },
      this,
    );
    return this;
  }

  /** At this point of the script all bytes still have this value. */
  all(byte: number, at = 0, length = this.size - at): this {
    return this.is(new Uint8Array(length).fill(byte), at);
  }

  u8(at: number, expected: Expected): this {
    return this.#number('u8', at, expected, (view) => view.bytes(this.address + at, 1)[0]);
  }
  u16(at: number, expected: Expected): this {
    return this.#number('u16', at, expected, (view) => view.bytes(this.address + at, 2).readUInt16LE());
  }
  u32(at: number, expected: Expected): this {
    return this.#number('u32', at, expected, (view) => view.u32(this.plus(at)));
  }
  i32(at: number, expected: Expected): this {
    return this.#number('i32', at, expected, (view) => view.i32(this.plus(at)));
  }
  u64(at: number, expected: Expected): this {
    return this.#number('u64', at, expected, (view) => view.u64(this.plus(at)));
  }
  i64(at: number, expected: Expected): this {
    return this.#number('i64', at, expected, (view) => view.i64(this.plus(at)));
  }

  #number(type: string, at: number, expected: Expected, read: (view: View) => number): this {
    this.host.check(
      `${this.name} ${type} at ${at} ${typeof expected === 'function' ? `satisfies ${String(expected)}` : `is ${expected}`}`,
      (view) => {
        const got = read(view);
        const good = typeof expected === 'function' ? expected(got) : got === Number(expected);
        return good || `${got} (0x${got.toString(16)})`;
      },
      this,
    );
    return this;
  }
}

export function show(bytes: Uint8Array): string {
  const some = Buffer.from(bytes.subarray(0, 80));
  const rest = bytes.length > some.length ? `... (${bytes.length} bytes)` : '';
  const printable = some.every((byte) => byte >= 0x20 && byte < 0x7f);
  return (printable ? JSON.stringify(some.toString('latin1')) : some.toString('hex')) + rest;
}

/** Hands out addresses and collects the initial contents. */
export class Arena {
  readonly regions: Region[] = [];
  readonly #host: MemoryHost;
  readonly #strings = new Map<string, Mem>();
  readonly #data: number[][] = [];
  #dataUsed = 0;
  #next = ARENA_BASE + DATA_SIZE;
  #names = 0;

  constructor(host: MemoryHost) {
    this.#host = host;
  }

  /** Constant bytes in the shared pages, 16-byte aligned. */
  constant(bytes: Uint8Array, name = `data${++this.#names}`): Mem {
    if (bytes.length > 0x8000) return this.own(bytes.length, { initial: bytes, name });
    const at = this.#dataUsed;
    this.#data.push([at, ...bytes]);
    this.#dataUsed = (at + bytes.length + 15) & ~15;
    if (this.#dataUsed > DATA_SIZE - PAGE) throw new Error('too much constant data in one test');
    return new Mem(this.#host, ARENA_BASE + at, bytes.length, name);
  }

  string(text: string): Mem {
    let mem = this.#strings.get(text);
    if (mem === undefined) {
      mem = this.constant(Buffer.from(text + '\0', 'latin1'), JSON.stringify(text.slice(0, 40)));
      this.#strings.set(text, mem);
    }
    return mem;
  }

  /** Memory that ends right before an unmapped page; with `aligned`, that begins after one instead. */
  own(
    size: number,
    options: { initial?: Uint8Array; fill?: number; name?: string; quiet?: boolean; aligned?: boolean } = {},
  ): Mem {
    const mapStart = this.#next;
    const mapEnd = mapStart + Math.max(Math.ceil(size / PAGE), 1) * PAGE;
    this.#next = mapEnd + PAGE;
    const start = options.aligned ? mapStart : mapEnd - size;
    this.regions.push({
      mapStart,
      mapEnd,
      dataStart: start,
      data: options.initial ?? new Uint8Array(0),
      fill: options.fill ?? 0xa5,
      quiet: options.quiet ?? false,
    });
    return new Mem(this.#host, start, size, options.name ?? `buffer${++this.#names}`);
  }

  /** Ends construction: the shared pages become a region. */
  finish(): Region[] {
    const data = new Uint8Array(this.#dataUsed);
    for (const [at, ...bytes] of this.#data) data.set(bytes, at);
    const mapEnd = ARENA_BASE + Math.max(Math.ceil(this.#dataUsed / PAGE), 1) * PAGE;
    const shared = { mapStart: ARENA_BASE, mapEnd, dataStart: ARENA_BASE, data, fill: 0, quiet: false };
    return [shared, ...this.regions];
  }
}
