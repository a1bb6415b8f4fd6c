/** One call of a `.strace` script as operations: its memory, its registers, what it must come to. */
import { Encoder, WORDS } from '../../../src/trace/parse/encode.js';
import type { Outcome } from '../../../src/trace/parse/line.js';
import type { ArgType, Row } from '../../../syscalls/row.js';
import { ROWS } from '../../../syscalls/table.js';
import { numberOf, Runtime, type Builder, type Call, type SyscallName } from '../builder.js';
import { hostArch } from '../executor.js';
import type { View } from '../outcome.js';
import {
  ARG_CONST,
  ARG_LOAD32,
  ARG_LOAD64,
  OP_CALL,
  OP_SPAWN,
  OP_STORE,
  type EncodedArg,
  type SectionData,
} from '../script.js';
import { check, resultExpectation, type Expected } from './check.js';
import { CallMemory } from './memory.js';
import { constants, newNames, symbolTerm } from './names.js';
import type { CallStep } from './script-file.js';
import type { Turns } from './turns.js';
import { resultOf, sharedAt, type Variable, type Variables } from './variables.js';

const BY_NAME = new Map(ROWS.map((row) => [row.name, row]));

export interface MadeCall {
  readonly step: CallStep;
  readonly row: Row;
  /** Arguments in the row's order, as the encoder gave them: variables are placeholders. */
  readonly values: readonly bigint[];
  /** The same as they were on a side. */
  readonly args: readonly ((view: View) => bigint)[];
  readonly registers: readonly EncodedArg[];
  readonly memory: CallMemory;
}

export class Calls {
  private readonly builder: Builder;
  private readonly variables: Variables;
  private readonly named: ReadonlyMap<string, bigint>;
  private readonly turns: Turns;

  constructor(builder: Builder, variables: Variables, named: ReadonlyMap<string, bigint>, turns: Turns) {
    this.builder = builder;
    this.variables = variables;
    this.named = named;
    this.turns = turns;
  }
  private readonly lookUp = (name: string): bigint | undefined =>
    this.named.get(name) ?? this.variables.placeholder(name);

  encode(step: CallStep): MadeCall {
    const row = BY_NAME.get(step.name);
    if (row === undefined) throw new Error(`there is no system call ${step.name}`);
    const memory = new CallMemory(this.builder.arena, this.variables);
    const encoder = new Encoder({ arch: hostArch, placement: memory, variables: this.lookUp, strict: true });
    const values = encoder.encode(row, step.terms, step.outcome?.error ?? '');
    const found = values.map((value) => this.variables.argument(value));
    const order = row.registers?.[hostArch];
    const registers: EncodedArg[] = Array.from({ length: 7 }, () => ({ kind: ARG_CONST, value: 0n, addend: 0n }));
    found.forEach(({ encoded }, k) => (registers[order?.[k] ?? k] = encoded));
    return { step, row, values, args: found.map(({ read }) => read), registers, memory };
  }
  /** Stores what is known only when the script runs. */
  fillHoles({ memory }: MadeCall): void {
    for (const { address, width, value, addend } of memory.holes) {
      const now = value instanceof Runtime ? value : addend === 0 ? value.value : value.value.plus(addend);
      this.builder.add(OP_STORE, { nr: width, args: [address, now], text: 'store of a run-time value' });
    }
  }
  add({ step, row, registers, memory }: MadeCall, child: SectionData | null): Call {
    const nr = numberOf(step.name as SyscallName);
    const text = `${step.name} of line ${step.line}`;
    const call =
      child === null
        ? this.builder.add(OP_CALL, { nr, text })
        : this.builder.add(OP_SPAWN, { nr, target: child.index, text });
    const args = call.op.args as EncodedArg[];
    args.splice(0, 7, ...registers);
    // The executor wants the child's stack apart: clone's second argument in every order of registers.
    if (child !== null && step.name === 'clone') args[6] = registers[1];
    this.tolerate(row, memory);
    return call;
  }

  /** `end` says what it comes to: the step itself, or what the text has after a handler. */
  expect(made: MadeCall, call: Call, end: CallStep): void {
    const { row, step } = made;
    const outcome = end.outcome!;
    const failed = this.expectResult(row, outcome, call);
    if (!failed) this.capture(made);
    const name = step.keep ?? end.keep;
    if (name !== undefined) this.define(name, resultOf(call, row.ret === 'addr'));
    const expected: Expected = {
      row,
      terms: end.terms.length > 0 ? end.terms : step.terms,
      outcome,
      variables: this.variables.snapshot(),
      named: this.named,
      args: made.args,
      before: (view) => made.memory.before(view),
      nowhere: made.memory.nowhere,
      result: (view) => BigInt(view.value(call)),
    };
    call.op.checks.push({ text: `${end.name} as line ${end.line} has it`, run: (view) => check(expected, view) });
  }
  private expectResult(row: Row, outcome: Outcome, call: Call): boolean {
    if (outcome.error !== '') {
      const number = constants.number(symbolTerm(outcome.error));
      if (number === null) throw new Error(`unknown error ${outcome.error}`);
      call.fails(Number(number));
      return true;
    }
    const { agreement, relation, value } = resultExpectation(row, outcome);
    call.op.expect = {
      agreement,
      ...(relation !== undefined && { relation }),
      text: value === undefined ? 'success' : String(value),
      accepts: (r) => (value === undefined ? r >= 0 || r < -4095 : BigInt.asIntN(64, value) === BigInt(r)),
    };
    return false;
  }
  private define(name: string, variable: Variable): void {
    this.variables.define(name, this.turns.share(variable, sharedAt));
  }
  private capture({ row, values, step }: MadeCall): void {
    let next = 0;
    row.args.forEach((arg, index) => {
      if (arg.kind === 'unused') return;
      const term = step.terms.at(next++);
      if (term === undefined || !('dir' in arg) || arg.dir === 'in') return;
      const wide = arg.kind === 'word' && WORDS[arg.of].endsWith('64');
      for (const { name, offset } of newNames(row, step.terms, index, term, this.lookUp)) {
        const address = Number(values[index]) + offset;
        this.define(name, {
          value: new Runtime(wide ? ARG_LOAD64 : ARG_LOAD32, address, 0, name),
          negative: null,
          wide,
          read: (view) => {
            const bytes = view.bytes(address, wide ? 8 : 4);
            return wide ? bytes.readBigUInt64LE() : BigInt(bytes.readInt32LE());
          },
        });
      }
    });
  }
  /** What the text does not compare exactly may differ between the sides: times, ids, addresses in structs. */
  private tolerate(row: Row, memory: CallMemory): void {
    for (const { address, width } of memory.holes) this.builder.tolerate({ address, length: width });
    const outputs = row.args.filter((arg) => ('dir' in arg ? arg.dir !== 'in' : arg.kind === 'dynamic'));
    const exact = (arg: ArgType): boolean =>
      (arg.kind === 'buffer' || arg.kind === 'iovec') && !row.varies.includes(arg.name);
    if (outputs.every(exact)) return;
    for (const { address, size } of memory.rooms) this.builder.tolerate({ address, length: size });
    for (const { address, bytes } of memory.placed) this.builder.tolerate({ address, length: bytes.length });
  }
}
