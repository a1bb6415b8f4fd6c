/**
 * What a call of a `.strace` script came to on one side, against the script: printed from the side's memory by the kernel's own
 * printers and compared term by term, as replays are.
 */
import { Comparer } from '../../../src/replay/compare.js';
import type { Row } from '../../../syscalls/row.js';
import { Call as TracedCall } from '../../../src/trace/call.js';
import type { Outcome } from '../../../src/trace/parse/line.js';
import { parseArguments, type Term } from '../../../src/trace/parse/term.js';
import { Evaluator } from '../../../src/trace/parse/value.js';
import { CallTexts } from '../../../src/trace/printers/index.js';
import { FULL_STYLE } from '../../../src/trace/style.js';
import type { TraceMemory } from '../../../src/trace/tracer.js';
import { hostArch } from '../executor.js';
import type { View } from '../outcome.js';
import type { Variable } from './variables.js';

export interface Expected {
  readonly row: Row;
  readonly terms: readonly Term[];
  readonly outcome: Outcome;
  readonly variables: ReadonlyMap<string, Variable>;
  /** Memory that has a name. */
  readonly named: ReadonlyMap<string, bigint>;
  /** Arguments in the row's order. */
  readonly args: readonly ((view: View) => bigint)[];
  readonly before: (view: View) => (address: number, length: number) => Uint8Array;
  /** Where nothing is mapped. */
  readonly nowhere: bigint;
  readonly result: (view: View) => bigint;
}

/** True, or what was found. */
export function check(expected: Expected, view: View): true | string {
  const { row, outcome, terms } = expected;
  const result = BigInt.asIntN(64, expected.result(view));
  const failed = result < 0n && result >= -4095n;
  if (outcome.error !== '' || failed) return true; // the operation's own expectation
  const { variables, named } = expected;
  const values = new Evaluator(hostArch, (name) => named.get(name) ?? variables.get(name)?.read(view));
  if (outcome.expects !== undefined && outcome.expects !== 'success') {
    const wanted = named.get(outcome.expects) ?? variables.get(outcome.expects)?.read(view);
    if (wanted !== result) return `the result is ${result}, not ${outcome.expects} (${wanted})`;
  }
  const shown = print(expected, view, Number(result));
  const same = (a: bigint | number, b: bigint | number): boolean => Number(a) === Number(b);
  const comparer = new Comparer(values, { fd: same, pid: same });
  comparer.literal = true;
  const found = comparer.output(row, terms, parseArguments(shown.args));
  if (found !== null) {
    const where = comparer.where === '' ? '' : ` (${comparer.where})`;
    return `${found.name}${where}: ${row.name}(${shown.args})`;
  }
  if (outcome.aux !== '' && !comparer.sameAux(outcome.aux, shown.aux)) return `(${shown.aux})`;
  return true;
}

function print(expected: Expected, view: View, result: number): { args: string; aux: string } {
  const { row } = expected;
  const before = expected.before(view);
  let entered = false;
  const memory: TraceMemory = {
    read: (address, length) => {
      if (BigInt(address) === expected.nowhere) return null;
      return entered ? Uint8Array.from(view.bytes(address, length)) : before(address, length);
    },
  };
  const call = new TracedCall(
    row,
    expected.args.map((read) => read(view)),
    hostArch,
    memory,
    FULL_STYLE,
  );
  const texts = new CallTexts();
  const begun = texts.enter(call);
  entered = true;
  call.result = result;
  const args = begun + texts.leave(call);
  return { args, aux: call.aux };
}

/** What the result of a call must be on every side. */
export function resultExpectation(
  row: Row,
  outcome: Outcome,
): { agreement: 'exact' | 'relation' | 'free'; relation?: string; value?: bigint } {
  const { value, expects } = outcome;
  if (expects !== undefined && expects !== 'success') return { agreement: 'free' };
  if (row.ret === 'pid') return { agreement: 'relation', relation: 'pid' };
  // An address that is written down was asked for.
  if (value === null || row.ret === 'time') return { agreement: 'free' };
  return { agreement: 'exact', value };
}
