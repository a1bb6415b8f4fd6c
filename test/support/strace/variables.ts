/**
 * Variables of a `.strace` script while it is compiled: what they are is known only at run time, and on each side something else.
 * The encoder sees a number nobody else uses in their place, which is found again in registers and in memory.
 */
import type { View } from '../outcome.js';
import { Runtime, type Call } from '../builder.js';
import { ARG_CONST, ARG_LOAD64, ARG_NEGATED, ARG_RESULT, type EncodedArg } from '../script.js';

const FIRST = 0x4ca4_0000n;
/** How much may be added to one. */
const SPACING = 0x4_0000n;
const MOST = 128n;

export interface Variable {
  /** What reads it in the task that is compiled. */
  readonly value: Runtime | Call;
  /** Its negative, where the executor can make that. */
  readonly negative: Runtime | null;
  /** A pointer or another value of 64 bits. */
  readonly wide: boolean;
  /** What it was on the side that is judged. */
  read(view: View): bigint;
}

export class Variables {
  private readonly byName = new Map<string, { variable: Variable; index: number }>();
  private readonly all: Variable[] = [];

  define(name: string, variable: Variable): void {
    this.byName.set(name, { variable, index: this.all.push(variable) - 1 });
    if (BigInt(this.all.length) > MOST) throw new Error('too many variables in one script');
  }
  has(name: string): boolean {
    return this.byName.has(name);
  }
  placeholder(name: string): bigint | undefined {
    const found = this.byName.get(name);
    return found === undefined ? undefined : FIRST + BigInt(found.index) * SPACING;
  }
  /** As they are now: a name may mean something else later. */
  snapshot(): ReadonlyMap<string, Variable> {
    return new Map([...this.byName].map(([name, { variable }]) => [name, variable]));
  }
  /** The variable that a number stands for, and what was added to it. */
  find(value: bigint): { variable: Variable; addend: number } | null {
    if (value < FIRST || value >= FIRST + BigInt(this.all.length) * SPACING) return null;
    const offset = value - FIRST;
    return { variable: this.all[Number(offset / SPACING)], addend: Number(offset % SPACING) };
  }

  /** A register. */
  argument(value: bigint): { encoded: EncodedArg; read: (view: View) => bigint } {
    const found = this.find(value);
    if (found !== null) {
      const { variable, addend } = found;
      return {
        encoded: plus(encodedOf(variable.value), addend),
        read: (view) => BigInt.asUintN(64, variable.read(view) + BigInt(addend)),
      };
    }
    const opposite = this.find(BigInt.asUintN(64, -value));
    if (opposite !== null) {
      const { variable, addend } = opposite;
      if (variable.negative === null || addend !== 0) throw new Error('this variable has no negative here');
      return { encoded: variable.negative.encoded, read: (view) => BigInt.asUintN(64, -variable.read(view)) };
    }
    return { encoded: { kind: ARG_CONST, value: BigInt.asIntN(64, value), addend: 0n }, read: () => value };
  }
}

const encodedOf = (value: Runtime | Call): EncodedArg =>
  value instanceof Runtime ? value.encoded : { kind: ARG_RESULT, value: BigInt(value.op.id), addend: 0n };
const plus = (arg: EncodedArg, addend: number): EncodedArg => ({ ...arg, addend: arg.addend + BigInt(addend) });

/** The result of a call, for the task that made it. */
export function resultOf(call: Call, wide: boolean): Variable {
  return {
    value: call,
    negative: new Runtime(ARG_NEGATED, call.op.id, 0, `-#${call.op.id}`),
    wide,
    read: (view) => BigInt(view.value(call)),
  };
}
/** The same once it lies in memory that all tasks share. */
export function sharedAt(address: number, original: Variable): Variable {
  return {
    value: new Runtime(ARG_LOAD64, address, 0, 'shared'),
    negative: new Runtime(ARG_LOAD64, address + 8, 0, '-shared'),
    wide: original.wide,
    read: (view) => original.read(view),
  };
}
