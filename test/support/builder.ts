/**
 * The builder's core: sections, operations, and what is expected of them. `dsl.ts` adds the helpers that tests use.
 *
 * Building a script runs nothing: loops and helper functions of TypeScript unroll into a flat list of operations, each of
 * which runs at most once per process. Values known only at run time are a `Call` (result of an operation) or a `Load`.
 */
import { ERRNO_NAMES } from '../../src/abi/errno.js';
import { SYSCALL_NUMBERS } from '../../src/abi/numbers.js';
import { NR_AARCH64 } from '../../src/abi/numbers-aarch64.js';
import { NR_X86_64 } from '../../src/abi/numbers-x86_64.js';
import { hostArch } from './executor.js';
import { Arena, Mem, Pointer } from './memory.js';
import { SLOWNESS } from './pace.js';
import {
  ARG_CONST,
  ARG_LOAD32,
  ARG_LOAD64,
  ARG_NEGATED,
  ARG_RESULT,
  ARG_SYMBOL,
  NO_SECTION,
  OP_CALL,
  OP_REPORT,
  OP_SPAWN,
  OP_TIMED,
  PAGE,
  type Check,
  type EncodedArg,
  type Op,
  type ResultExpectation,
  type SectionData,
  type TestScript,
} from './script.js';

export type SyscallName = keyof typeof NR_X86_64 | keyof typeof NR_AARCH64;

/** Thrown while building on an architecture that lacks a call: the test is skipped there. */
export class Unsupported extends Error {}

/** A value computed when the script runs. */
export class Runtime {
  readonly encoded: EncodedArg;
  readonly text: string;
  constructor(kind: number, value: number | bigint, addend: number, text: string) {
    this.encoded = { kind, value: BigInt(value), addend: BigInt(addend) };
    this.text = text;
  }
  plus(offset: number): Runtime {
    return new Runtime(
      this.encoded.kind,
      this.encoded.value,
      Number(this.encoded.addend) + offset,
      `${this.text}+${offset}`,
    );
  }
}

export const load32 = (at: Mem | Pointer, offset = 0): Runtime =>
  new Runtime(ARG_LOAD32, at.address + offset, 0, `*(int*)0x${(at.address + offset).toString(16)}`);
/** The 32-bit word at an address that the script has mapped itself. */
export const loadAt = (address: number): Runtime =>
  new Runtime(ARG_LOAD32, address, 0, `*(int*)0x${address.toString(16)}`);
export const load64 = (at: Mem | Pointer, offset = 0): Runtime =>
  new Runtime(ARG_LOAD64, at.address + offset, 0, `*(long*)0x${(at.address + offset).toString(16)}`);
export const symbol = (index: number): Runtime => new Runtime(ARG_SYMBOL, index, 0, `symbol${index}`);

export type Arg = number | bigint | string | Uint8Array | Mem | Pointer | Call | Runtime | null;

const errorText = (error: number): string => ERRNO_NAMES[error] ?? `errno ${error}`;

/** One operation of a script: says what its result must be, and stands for that result in later arguments. */
export class Call {
  readonly op: Op;
  readonly script: Builder;
  constructor(script: Builder, op: Op) {
    this.script = script;
    this.op = op;
  }

  plus(offset: number): Runtime {
    return new Runtime(ARG_RESULT, this.op.id, offset, `#${this.op.id}+${offset}`);
  }
  negated(): Runtime {
    return new Runtime(ARG_NEGATED, this.op.id, 0, `-#${this.op.id}`);
  }

  /** Succeeds, with the same result on every side. */
  ok(): this {
    return this.#expect({ agreement: 'exact', text: 'success', accepts: (r) => r >= 0 || r < -4095 });
  }
  /** Succeeds; the result may differ between the sides. */
  succeeds(): this {
    return this.#expect({ agreement: 'free', text: 'success', accepts: (r) => r >= 0 || r < -4095 });
  }
  returns(value: number): this {
    return this.#expect({ agreement: 'exact', text: String(value), accepts: (r) => r === value });
  }
  fails(error: number): this {
    return this.#expect({ agreement: 'exact', text: errorText(error), accepts: (r) => r === -error });
  }
  /** One of several results, which may differ between the sides (kernel versions, races that have several right ends). */
  oneOf(...values: number[]): this {
    return this.#expect({ agreement: 'free', text: values.join(' or '), accepts: (r) => values.includes(r) });
  }
  failsWith(...errors: number[]): this {
    return this.#expect({
      agreement: 'free',
      text: errors.map(errorText).join(' or '),
      accepts: (r) => errors.includes(-r),
    });
  }
  /** A descriptor: the same number on every side, since Linux takes the lowest free one. */
  fd(): this {
    return this.#expect({ agreement: 'exact', text: 'a descriptor', accepts: (r) => r >= 0 && r < 1 << 20 });
  }
  /** A process or thread id: maps one to one between the sides. */
  pid(): this {
    return this.#expect({
      agreement: 'relation',
      relation: 'pid',
      text: 'an id',
      accepts: (r) => r > 0 && r < 1 << 22,
    });
  }
  /** An identifier of another kind that maps one to one. */
  relates(relation: string): this {
    return this.#expect({ agreement: 'relation', relation, text: 'success', accepts: (r) => r >= 0 });
  }
  /** The address of a mapping: page aligned, different on every side. */
  address(): this {
    return this.#expect({ agreement: 'free', text: 'a page address', accepts: (r) => r > 0 && r % PAGE === 0 });
  }
  between(low: number, high: number): this {
    return this.#expect({ agreement: 'free', text: `${low}..${high}`, accepts: (r) => r >= low && r <= high });
  }
  /** A touch that ran into a signal handler. */
  faults(): this {
    return this.#expect({ agreement: 'exact', text: 'a fault', accepts: (r) => r === -1 });
  }
  /** Anything. */
  ignored(): this {
    return this.#expect({ agreement: 'free' });
  }
  /** Need not run at all, and may run several times. */
  optional(): this {
    this.op.optional = true;
    return this;
  }
  /** The call lasts at least `min` ms (checked strictly) and at most `max` (generous: machines are busy). */
  takes(min: number, max = 5000): this {
    this.op.flags |= OP_TIMED;
    this.op.takes = { min, max: max * SLOWNESS };
    return this;
  }
  /** levitate is meant to answer otherwise than the host: `expect` states how, the reason why. */
  differs(reason: string, expect: (call: Call) => unknown): this {
    const host = this.op.expect;
    expect(this);
    this.op.differs = { reason, expect: this.op.expect };
    this.op.expect = host;
    return this;
  }

  #expect(expectation: ResultExpectation): this {
    this.op.expect = expectation;
    return this;
  }
}

/** The script under construction. */
export class Builder {
  readonly script: TestScript;
  readonly arena: Arena;
  /** Sections being written, innermost last. */
  readonly open: SectionData[] = [];
  #nextOp = 0;

  /** Number of the test in its file: names its working directory and the sections that it executes. */
  readonly number: number;

  constructor(name: string, number: number) {
    this.number = number;
    this.arena = new Arena(this);
    this.script = {
      name,
      sections: [],
      regions: [],
      tolerances: [],
      noDiff: false,
      timeoutMs: 10_000 * SLOWNESS,
      status: 0,
    };
  }

  tolerate(tolerance: TestScript['tolerances'][number]): void {
    this.script.tolerances.push(tolerance);
  }

  check(text: string, run: Check['run'], mem: Mem | null): void {
    const section = this.open[this.open.length - 1];
    if (this.script.noDiff && mem !== null) {
      this.add(OP_REPORT, { args: [mem, mem.size], text: `report of ${mem.name}` });
    }
    const last = section.ops[section.ops.length - 1];
    if (last === undefined) throw new Error(`nothing has run yet that could be checked: ${text}`);
    last.checks.push({ text, run });
  }

  section(kind: number, from: SectionData['from'], write: (section: SectionData) => void): SectionData {
    const section: SectionData = { index: this.script.sections.length, kind, ops: [], from, signals: null };
    this.script.sections.push(section);
    this.open.push(section);
    write(section);
    this.open.pop();
    return section;
  }

  add(kind: number, what: { nr?: number; target?: number; args?: readonly Arg[]; text: string }): Call {
    const section = this.open[this.open.length - 1];
    const args = what.args ?? [];
    const encoded = args.map((arg) => this.encode(arg));
    while (encoded.length < 7) encoded.push({ kind: ARG_CONST, value: 0n, addend: 0n });
    const op: Op = {
      kind,
      id: this.#nextOp++,
      nr: what.nr ?? 0,
      target: what.target ?? NO_SECTION,
      args: encoded,
      text: what.text,
      flags: 0,
      expect: { agreement: 'exact' },
      optional: false,
      checks: [],
    };
    section.ops.push(op);
    return new Call(this, op);
  }

  encode(arg: Arg): EncodedArg {
    const constant = (value: number | bigint): EncodedArg => ({ kind: ARG_CONST, value: BigInt(value), addend: 0n });
    if (arg === null) return constant(0);
    if (typeof arg === 'number' || typeof arg === 'bigint') return constant(arg);
    if (typeof arg === 'string') return constant(this.arena.string(arg).address);
    if (arg instanceof Uint8Array) return constant(this.arena.constant(arg).address);
    if (arg instanceof Mem || arg instanceof Pointer) return constant(arg.address);
    if (arg instanceof Call) return { kind: ARG_RESULT, value: BigInt(arg.op.id), addend: 0n };
    return arg.encoded;
  }
}

/** One section as its callback sees it: what may be done in one process, thread or handler. */
export class Section {
  readonly script: Builder;
  readonly data: SectionData;
  constructor(script: Builder, data: SectionData) {
    this.script = script;
    this.data = data;
  }

  /** A system call with up to six arguments. Strings and byte arrays become pointers to constants. */
  call(name: SyscallName, ...args: Arg[]): Call {
    return this.script.add(OP_CALL, { nr: numberOf(name), args, text: `${name}(${args.map(describe).join(', ')})` });
  }

  /** A call by number, for numbers that have no name. */
  callNumber(nr: number, ...args: Arg[]): Call {
    return this.script.add(OP_CALL, { nr, args, text: `syscall_${nr}(${args.map(describe).join(', ')})` });
  }

  /** A system call that makes a process or thread, which runs the section written by `child`. */
  spawnWith(
    name: SyscallName,
    args: readonly Arg[],
    how: { kind: number; shared: boolean; stack?: Mem; make: (data: SectionData) => Section },
    child: (section: Section) => void,
  ): Call {
    const from = { section: this.data.index, shared: how.shared };
    const section = this.script.section(how.kind, from, (data) => child(how.make(data)));
    const six = [...args, 0, 0, 0, 0, 0, 0].slice(0, 6);
    const top = how.stack === undefined ? 0 : how.stack.plus(how.stack.size);
    return this.script.add(OP_SPAWN, {
      nr: numberOf(name),
      target: section.index,
      args: [...six, top],
      text: `${name}(${args.map(describe).join(', ')})`,
    });
  }

  /** Something that must hold at this point, on each side. Return true, or text that says what was found. */
  check(text: string, run: Check['run']): void {
    this.script.check(text, run, null);
  }
}

export function numberOf(name: SyscallName): number {
  const nr = SYSCALL_NUMBERS[hostArch][name];
  if (nr === undefined) throw new Unsupported(`${hostArch} has no ${name}`);
  return nr;
}

export function describe(arg: Arg): string {
  if (arg === null) return 'NULL';
  if (typeof arg === 'string') return JSON.stringify(arg.length > 60 ? `${arg.slice(0, 60)}...` : arg);
  if (typeof arg === 'number') return arg > 255 ? `0x${arg.toString(16)}` : String(arg);
  if (typeof arg === 'bigint') return `0x${BigInt.asUintN(64, arg).toString(16)}`;
  if (arg instanceof Uint8Array) return `<${arg.length} bytes>`;
  if (arg instanceof Mem) return `&${arg.name}`;
  if (arg instanceof Pointer) return `&${arg.mem.name}+${arg.offset}`;
  if (arg instanceof Call) return `#${arg.op.id}`;
  return arg.text;
}
