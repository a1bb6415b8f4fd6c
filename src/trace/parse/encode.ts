/**
 * From a call's terms back to its argument registers and the memory they point to: the inverse of the printers, from the same rows.
 *
 * Which number a descriptor, pid or address of the text stands for now is the Translation's business; where memory lies is
 * the Placement's. What a text does not show (`...`, a bare address) is zeros of the right size.
 */
import { LAYOUTS } from '../../abi/layouts/index.js';
import type { ArchName } from '../../abi/types.js';
import type { ArgType, LengthSource, Row, WordType } from '../../../syscalls/row.js';
import type { Scalar } from '../../abi/layout.js';
import { StructBytes, bitMap, latin1, signalSet, wordBytes } from './bytes.js';
import { CALL_READERS, DYNAMIC_READERS, OVERRIDE_READERS } from './readers.js';
import { messageHeader, socketAddress } from './socket-bytes.js';
import type { Term } from './term.js';
import { Evaluator, type Variables } from './value.js';

/** Memory for what a call points to. */
export interface Placement {
  place(bytes: Uint8Array): bigint;
  /** The same where no memory follows. */
  edge(bytes: Uint8Array): bigint;
  /** Zeros. */
  room(size: number): bigint;
  /** An address where there is nothing. */
  readonly nowhere: bigint;
}
/** What numbers of the text are now. */
export interface Translation {
  fd(fd: bigint): bigint;
  pid(pid: bigint): bigint;
  address(address: bigint): bigint;
  /** Paths that name a process. */
  path?(path: string): string;
}
export const SAME: Translation = { fd: (fd) => fd, pid: (pid) => pid, address: (address) => address };

export interface EncoderOptions {
  readonly arch: ArchName;
  readonly placement: Placement;
  readonly translation?: Translation;
  readonly variables?: Variables;
  /** A name that nobody knows is an error, not a 0. */
  readonly strict?: boolean;
  /** Also writes what the call wrote, as if it had been made: for the printers. */
  readonly outputs?: boolean;
}

const MASK64 = (1n << 64n) - 1n;
/** Room for a buffer whose size the text does not give. */
const SOME = 65_536;
/** Larger buffers than this no call fills. */
const MOST = 1 << 30;
/** How each type of word lies in memory. */
export const WORDS: Readonly<Record<WordType, Scalar>> = {
  int: 'i32',
  uint: 'u32',
  fd: 'i32',
  fdpair: 'i32',
  long: 'i64',
  off: 'i64',
  ulong: 'u64',
  size: 'u64',
};

/** How one argument is read. */
export type ArgReader = (e: Encoder, term: Term, arg: ArgType) => bigint;
/** How a whole call is read: gives the arguments in the row's order. */
export type CallReader = (e: Encoder, terms: readonly Term[]) => bigint[];

export class Encoder {
  readonly arch: ArchName;
  readonly placement: Placement;
  readonly translation: Translation;
  readonly values: Evaluator;
  readonly structs: StructBytes;
  readonly outputs: boolean;
  /** The call that is read, and its terms by argument. */
  row!: Row;
  terms: readonly Term[] = [];
  /** Name of the errno it failed with. */
  error = '';

  constructor(options: EncoderOptions) {
    this.arch = options.arch;
    this.placement = options.placement;
    this.translation = options.translation ?? SAME;
    this.values = new Evaluator(options.arch, options.variables, options.strict);
    this.structs = new StructBytes(this.values, options.arch);
    this.outputs = options.outputs ?? false;
  }

  /** The arguments in the row's order, 64 bits each. Throws TraceTextError where a term makes no sense there. */
  encode(row: Row, terms: readonly Term[], error = ''): bigint[] {
    this.row = row;
    this.terms = terms;
    this.error = error;
    this.structs.begin();
    const whole = CALL_READERS[row.name];
    if (whole !== undefined) return whole(this, terms).map((v) => v & MASK64);
    const readers = this.readersOf(row);
    const args: bigint[] = [];
    let next = 0;
    for (let i = 0; i < row.args.length; i++) {
      const arg = row.args[i];
      const term = arg.kind === 'unused' ? undefined : terms[next++];
      if (term === undefined) args.push(0n);
      else args.push(BigInt.asUintN(64, readers[i]?.(this, term, arg) ?? this.argument(arg, term)));
    }
    return args;
  }
  private readonly readers = new Map<Row, readonly (ArgReader | undefined)[]>();
  private readersOf(row: Row): readonly (ArgReader | undefined)[] {
    let readers = this.readers.get(row);
    if (readers === undefined)
      this.readers.set(row, (readers = row.args.map((arg) => OVERRIDE_READERS[`${row.name}.${arg.name}`])));
    return readers;
  }
  /** The term of the argument called `name`. */
  termOf(name: string): Term | undefined {
    let next = 0;
    for (const arg of this.row.args) {
      if (arg.kind === 'unused') continue;
      if (arg.name === name) return this.terms[next];
      next++;
    }
    return undefined;
  }

  argument(arg: ArgType, term: Term): bigint {
    switch (arg.kind) {
      case 'fd':
      case 'dirfd':
        return this.fd(term);
      case 'pid':
        return this.pid(term);
      case 'signal':
        return this.values.signal(term) ?? this.values.need(term, arg.name);
      case 'addr':
        return this.address(term);
      case 'path':
        return this.pointer(term, 4096, (t) => this.path(t));
      case 'string':
        return this.pointer(term, 4096, (t) => this.text(t));
      case 'strings':
      case 'environ':
        return this.pointer(term, 8, (t) => this.strings(t));
      case 'buffer': {
        const size = this.sizeOf(arg.length, arg.name);
        return this.pointer(term, size, (t) => this.bytes(t, size), arg.dir === 'out');
      }
      case 'iovec':
        return this.pointer(term, 16, (t) => this.pieces(t, arg.dir === 'out'));
      case 'sockaddr':
        return this.pointer(term, 128, (t) => padded(socketAddress(this, t), 128), arg.dir === 'out');
      case 'msghdr':
        return this.pointer(term, 56, (t) => messageHeader(this, t, arg.dir === 'out'), arg.dir === 'out');
      case 'struct': {
        const layout = LAYOUTS[arg.layout];
        const size = 'fields' in layout ? layout.size : layout[this.arch].size;
        return this.pointer(term, size, (t) => this.structs.of(layout, t), arg.dir === 'out');
      }
      case 'sigset':
        return this.pointer(term, 8, (t) => this.signals(t), arg.dir === 'out');
      case 'fdset':
        return this.pointer(term, 128, (t) => this.descriptors(t));
      case 'word':
        return this.pointer(term, 16, (t) => this.words(t, WORDS[arg.of]), arg.dir === 'out');
      case 'dynamic':
        return (DYNAMIC_READERS[arg.by] ?? anything)(this, term, arg);
      default:
        return this.values.need(term, arg.name);
    }
  }

  fd(term: Term): bigint {
    const fd = this.values.need(term, 'descriptor');
    return fd < 0n ? fd : this.translation.fd(fd);
  }
  pid(term: Term): bigint {
    const pid = this.values.need(term, 'pid');
    return pid === 0n || pid === -1n ? pid : pid < 0n ? -this.translation.pid(-pid) : this.translation.pid(pid);
  }
  address(term: Term): bigint {
    const address = this.values.need(term, 'address');
    return address === 0n ? 0n : this.translation.address(address & MASK64);
  }

  /**
   * An argument that points to something: NULL, an address that told nothing (room of `size`, or nowhere if that was the error), or
   * what `encode` makes of the term. Outputs are room, unless they are wanted.
   */
  pointer(term: Term, size: number, encode: (term: Term) => Uint8Array, out = false): bigint {
    // A script's `_`: whatever comes.
    if (term.kind === 'symbol' && term.text === '_') return this.placement.room(size);
    const offset = term.kind === 'operation' && term.text === '+';
    if (term.kind === 'number' || term.kind === 'symbol' || offset) {
      const value = this.values.need(term, 'pointer');
      if (value === 0n) return 0n;
      // A name is a script's variable: it means what it says.
      if (term.kind !== 'number' || this.outputs) return value;
      return this.error === 'EFAULT' ? this.placement.nowhere : this.placement.room(size);
    }
    const known = term.kind === 'operation' && term.text === '=>' ? term.parts[0] : term;
    if (endsInHole(known)) return this.placement.edge(encode(known));
    if (!out || this.outputs) return this.placement.place(padded(encode(known), out ? size : 0));
    return this.placement.room(size);
  }

  /** NUL-terminated. */
  text(term: Term): Uint8Array {
    return latin1(`${term.text}\0`);
  }
  path(term: Term): Uint8Array {
    const { text } = term;
    return latin1(`${this.translation.path?.(text) ?? text}\0`);
  }
  /** A string as a buffer of `size` bytes. */
  bytes(term: Term, size: number): Uint8Array {
    const bytes = latin1(term.text);
    return bytes.length < size && (term.cut || bytes.length === 0) ? padded(bytes, Math.min(size, MOST)) : bytes;
  }
  /** A NULL-terminated array of pointers to strings. */
  strings(term: Term): Uint8Array {
    const pointers = term.parts
      .filter((part) => part.kind !== 'dots')
      .map((part) => (part.kind === 'string' ? this.placement.place(this.text(part)) : this.values.value(part)));
    return wordBytes('u64', endsInHole(term) ? pointers : [...pointers, 0n]);
  }
  pieces(term: Term, out: boolean): Uint8Array {
    const words: bigint[] = [];
    for (const part of term.parts) {
      const base = part.field('iov_base');
      const length = part.field('iov_len');
      if (base === undefined || length === undefined) continue;
      const size = this.values.need(length, 'iov_len') & MASK64;
      // Of an output the text shows what came, whatever there was room for.
      const room = this.outputs ? 0 : Number(size > BigInt(MOST) ? BigInt(MOST) : size);
      words.push(
        this.pointer(base, room, (t) => this.bytes(t, room), out),
        size,
      );
    }
    return wordBytes('u64', words);
  }
  signals(term: Term): Uint8Array {
    return wordBytes('u64', [signalSet(this.values, term) ?? 0n]);
  }
  descriptors(term: Term): Uint8Array {
    const bits = bitMap(this.values, term, 128);
    if (this.translation === SAME) return bits;
    const now = new Uint8Array(bits.length);
    for (let fd = 0; fd < bits.length * 8; fd++) {
      if ((bits[fd >> 3] & (1 << (fd & 7))) === 0) continue;
      const to = Number(this.translation.fd(BigInt(fd)));
      if (to >= 0 && to < now.length * 8) now[to >> 3] |= 1 << (to & 7);
    }
    return now;
  }
  words(term: Term, type: Scalar): Uint8Array {
    const parts = term.kind === 'array' ? term.parts : [term];
    return wordBytes(
      type,
      parts.map((part) => this.values.value(part)),
    );
  }

  /** How large a buffer is: what the text says of its length; for outputs, of the size the caller gave. */
  sizeOf(source: LengthSource, name: string): number {
    if (typeof source === 'object' && 'fixed' in source) return source.fixed;
    const term = source === 'ret' ? this.termAfter(name) : this.termOf(source.arg);
    const size = term === undefined ? null : this.values.number(term);
    if (size === null || size < 0n) return SOME;
    return Number(size > BigInt(MOST) ? BigInt(MOST) : size);
  }
  private termAfter(name: string): Term | undefined {
    const index = this.row.args.findIndex((arg) => arg.name === name);
    return this.terms[index + 1];
  }
}

/** `[{...}, ... /* 0x7f0000001000 *\/]`: an array that runs into memory that is not there. */
const endsInHole = ({ kind, parts }: Term): boolean =>
  kind === 'array' && parts.at(-1)?.kind === 'dots' && parts.at(-1)!.comment !== '';

export function padded(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length >= size) return bytes;
  const whole = new Uint8Array(size);
  whole.set(bytes);
  return whole;
}

/** An argument nobody describes: a number, a string, words, or room for a struct. */
export const anything: ArgReader = (e, term) => {
  if (term.kind === 'string') return e.placement.place(e.text(term));
  if (term.kind === 'array') return e.placement.place(padded(e.words(term, 'i32'), 64));
  const open = term.kind === 'symbol' && term.text === '_';
  if (open || term.kind === 'struct' || term.kind === 'dots') return e.placement.room(4096);
  return e.values.need(term, 'argument');
};
