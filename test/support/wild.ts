/**
 * Wild pointers: for one row of syscalls/table.ts, every pointer argument of it with every wild value, the other arguments benign.
 *
 * What is benign comes from the argument's kind (`benign`), and where that does not do from a variant of the call (`Variant`, by
 * argument name). A variant is built anew for each case, so that it may queue a message or make a child first. For each pointer
 * the address of nothing must give EFAULT on both sides, or the variant says why not: a table that fails earlier tests nothing.
 */
import { hostArch } from './executor.js';
import type { ArgType, Row } from '../../syscalls/row.js';
import { EFAULT } from '../../src/abi/errno.js';
import { ARENA_BASE, FREE_BASE, PAGE } from './script.js';
import { AT_FDCWD, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, O_CREAT, O_RDWR, PROT_NONE } from './constants.js';
import type { Arg, Call, SyscallName } from './builder.js';
import type { S } from './dsl.js';

const BASE = FREE_BASE + 0x4000_0000;
const RW = BASE;
const GUARD = BASE + PAGE;
const READ_ONLY = BASE + 3 * PAGE;
const PROT_READ = 1;
const PROT_WRITE = 2;

/** Every wild value. The last four bytes of `straddle` are mapped and hold 'A's. */
export const WILDS = {
  unmapped: BASE + 0x10_0000,
  null8: 8,
  guard: GUARD,
  readOnly: READ_ONLY,
  nonCanonical: 0x8000_0000_0000_0000n,
  minus1: 0xffff_ffff_ffff_ffffn,
  /** levitate's stub lies here; on the host nothing does (above the stack). */
  stub: { x86_64: 0x7fff_ffff_eff8, aarch64: 0xffff_ffff_eff8 }[hostArch],
  straddle: GUARD - 4,
} as const;
export type Wild = keyof typeof WILDS;

/** A variable argument that is a pointer in this variant, with what it points to when it is not wild. */
export class Ptr {
  readonly value: Arg;
  constructor(value: Arg) {
    this.value = value;
  }
}
export const ptr = (value: Arg): Ptr => new Ptr(value);

export interface Variant {
  /** Arguments by name: what is not here is benign by its kind. */
  readonly args?: Readonly<Record<string, Arg | Ptr>>;
  /** Pointers inside of structs: the name of an argument, and how its struct looks with this pointer in it. */
  readonly inner?: Readonly<Record<string, { arg: string; make: (wild: Arg) => Arg }>>;
  /** Pointers that are not tried, or wild values that are not, each with the reason. */
  readonly skip?: Readonly<Record<string, string | { wilds: readonly Wild[]; why: string }>>;
  /** Pointers for which an unmapped address need not be EFAULT: why. */
  readonly lenient?: Readonly<Record<string, string>>;
  /** Where levitate answers otherwise: by `pointer` or `pointer:wild`. */
  readonly differs?: Readonly<Record<string, { why: string; expect: (call: Call) => unknown }>>;
  readonly result?: 'exact' | 'free' | 'pid';
}
export type Make = (w: World) => Variant;

const KINDS = new Set<ArgType['kind']>([
  ...(['path', 'string', 'strings', 'environ', 'buffer', 'iovec', 'msghdr', 'sockaddr'] as const),
  ...(['struct', 'sigset', 'fdset', 'word'] as const),
]);

/** One script's process and what the benign arguments need in it, each made when it is first used. */
export class World {
  readonly s: S;
  readonly #made = new Map<string, unknown>();
  readonly #ends: (() => void)[] = [];
  constructor(s: S) {
    this.s = s;
    const map = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    s.call('mmap', RW, PAGE, PROT_READ | PROT_WRITE, map, -1, 0).returns(RW);
    s.call('mmap', GUARD, PAGE, PROT_NONE, map, -1, 0).returns(GUARD);
    s.call('mmap', READ_ONLY, PAGE, PROT_READ, map, -1, 0).returns(READ_ONLY);
    s.fill(RW, PAGE, 0x41);
  }

  once<T>(name: string, make: (s: S) => T): T {
    if (!this.#made.has(name)) this.#made.set(name, make(this.s));
    return this.#made.get(name) as T;
  }
  atEnd(run: () => void): void {
    this.#ends.push(run);
  }
  end(): void {
    for (const run of this.#ends) run();
  }

  /** 4 KiB file 'f', open for both. */
  file(): Call {
    return this.once('file', (s) => {
      const fd = s.open('f', O_CREAT | O_RDWR, 0o644);
      s.call('write', fd, new Uint8Array(4096).fill(0x78), 4096).returns(4096);
      s.call('lseek', fd, 0, 0).returns(0);
      return fd;
    });
  }
  out(size = 256): Arg {
    return this.once(`out${size}`, (s) => s.buffer(size, 0).ignore());
  }
  zeros(size = 256): Arg {
    return this.once(`zeros${size}`, (s) => s.bytes(new Uint8Array(size)));
  }

  benign(arg: ArgType): Arg {
    switch (arg.kind) {
      case 'fd':
        return this.file();
      case 'dirfd':
        return AT_FDCWD;
      case 'uid':
      case 'gid':
        return -1;
      case 'mode':
        return 0o644;
      case 'size':
        return 64;
      case 'path':
        this.file();
        return 'f';
      case 'string':
        return 'user.name';
      case 'strings':
      case 'environ':
        return this.s.strings('x');
      case 'iovec':
        return this.s.iovec([this.out(64), 64]);
      case 'ulong':
        return 1; // the count of an iovec
      case 'sigset':
        return arg.dir === 'in' ? this.s.sigset() : this.out();
      case 'buffer':
      case 'struct':
      case 'fdset':
      case 'sockaddr':
      case 'msghdr':
      case 'word':
        return arg.dir === 'in' ? this.zeros() : this.out();
      default:
        return 0;
    }
  }
}

/** Wild values that tell nothing on AArch64, by call. */
const TELLS_NOTHING: Readonly<Record<string, Wild | undefined>> =
  hostArch === 'aarch64'
    ? {
        // How many bytes are copied before a fault is the copy routine's affair.
        read: 'straddle',
        readv: 'straddle',
        getrandom: 'straddle',
        // The host's address space may have 52 bits: then it does not end there.
        mmap: 'stub',
      }
    : {};

/** Runs every case of one variant; gives the number of calls. */
export function tryWilds(w: World, row: Row, make: Make): number {
  let calls = 0;
  const shape = make(w); // to know the pointers; what it queues is one more message
  const pointers = row.args
    .filter((arg) => shape.args?.[arg.name] instanceof Ptr || (KINDS.has(arg.kind) && shape.args?.[arg.name] !== null))
    .map((arg) => arg.name);
  for (const pointer of [...pointers, ...Object.keys(shape.inner ?? {})]) {
    const skip = shape.skip?.[pointer];
    if (typeof skip === 'string') continue;
    for (const wild of Object.keys(WILDS) as Wild[]) {
      if (skip?.wilds.includes(wild) || TELLS_NOTHING[row.name] === wild) continue;
      const variant = make(w);
      const inner = variant.inner?.[pointer];
      const target = inner?.arg ?? pointer;
      const args = row.args.map((arg): Arg => {
        if (arg.name === target) return inner === undefined ? WILDS[wild] : inner.make(WILDS[wild]);
        const given = variant.args?.[arg.name];
        return given instanceof Ptr ? given.value : given !== undefined ? given : w.benign(arg);
      });
      const order = row.registers?.[hostArch];
      const registers: Arg[] = order === undefined ? args : [];
      order?.forEach((register, i) => (registers[register] = args[i]));
      const call = w.s.call(row.name as SyscallName, ...Array.from(registers, (value) => value ?? 0));
      Object.assign(call.op, { text: `${call.op.text} [${pointer}: ${wild}]` });
      calls++;
      if (variant.result === 'free') call.succeeds().ignored();
      else if (variant.result === 'pid') call.pid();
      else if (wild === 'unmapped' && variant.lenient?.[pointer] === undefined) call.fails(EFAULT);
      const other = variant.differs?.[`${pointer}:${wild}`] ?? variant.differs?.[pointer];
      if (other !== undefined) call.differs(other.why, other.expect);
    }
  }
  return calls;
}

/** All of one row's pointers that the generator must see to: dynamic ones are listed by variants. */
export const pointerNames = (row: Row): string[] =>
  row.args.filter((arg) => KINDS.has(arg.kind)).map((arg) => arg.name);

if (BASE < ARENA_BASE) throw new Error('the wild pages lie in the arena');
