/**
 * RowPlan: what playing a call needs of its row, worked out once: its number, and which arguments the call writes and how much they
 * must agree. Those are what is compared; all others are as they were recorded.
 */
import { SYSCALL_NUMBERS } from '../abi/numbers.js';
import { forArch, type Field, type Layout } from '../abi/layout.js';
import { LAYOUTS } from '../abi/layouts/index.js';
import type { ArchName } from '../abi/types.js';
import type { ArgType, Row } from '../../syscalls/row.js';
import type { Term } from '../trace/parse/term.js';
import type { CallTexts } from '../trace/printers/index.js';
import { comparisonOf, classOfField, classOfResult, ownArgument, ownResult, type Comparison } from './compare.js';

/** An argument that the call writes. */
export interface Output {
  readonly arg: ArgType;
  /** Its place in the row, and among the terms of the text. */
  readonly index: number;
  readonly term: number;
  readonly how: Comparison;
  /** What it holds is each run's own: compared in scripts only. */
  readonly own: boolean;
  /** Of a struct that is printed as its layout says. */
  readonly fields: StructFields | null;
}
export interface StructFields {
  readonly size: number;
  /** Numbers that mean themselves. */
  readonly exact: ReadonlyMap<string, Field>;
}

export interface RowPlan {
  readonly row: Row;
  readonly nr: number;
  /** In order; null where one printer has the whole call, so that only its text tells. */
  readonly outputs: readonly Output[] | null;
  readonly result: Comparison;
  readonly ownResult: boolean;
  /** Bits of terms of which only the fields that are compared need to be read. */
  readonly lean: number;
  /** Arguments that have been read before: those of most calls of a kind are a few. */
  readonly read: Map<string, readonly Term[]>;
}

export class RowPlans {
  private readonly plans = new Map<string, RowPlan | null>();
  private readonly arch: ArchName;
  private readonly row: (nr: number) => Row | undefined;
  private readonly texts: CallTexts;

  constructor(arch: ArchName, row: (nr: number) => Row | undefined, texts: CallTexts) {
    this.arch = arch;
    this.row = row;
    this.texts = texts;
  }
  /** Null for a call that does not exist. */
  of(name: string): RowPlan | null {
    let plan = this.plans.get(name);
    if (plan === undefined) this.plans.set(name, (plan = this.make(name)));
    return plan;
  }
  private make(name: string): RowPlan | null {
    const nr = (SYSCALL_NUMBERS[this.arch] as Readonly<Record<string, number | undefined>>)[name];
    const row = nr === undefined ? undefined : this.row(nr);
    if (nr === undefined || row === undefined) return null;
    const late = this.texts.late(row);
    const outputs = late?.map(({ index, plain }): Output => {
      const arg = row.args[index];
      const term = row.args.slice(0, index).filter((one) => one.kind !== 'unused').length;
      const fields = plain && arg.kind === 'struct' ? fieldsOf(forArch(LAYOUTS[arg.layout], this.arch)) : null;
      return { arg, index, term, how: comparisonOf(arg), own: ownArgument(row, arg.name), fields };
    });
    let lean = 0;
    for (const { fields, term } of outputs ?? []) if (fields !== null) lean |= 1 << term;
    const result = classOfResult(row.ret);
    return { row, nr, outputs: outputs ?? null, result, ownResult: ownResult(row), lean, read: new Map() };
  }
}

function fieldsOf(layout: Layout): StructFields {
  const fields = Object.entries(layout.fields).filter(
    ([name, { type, count }]) => typeof type === 'string' && count === 1 && classOfField(name) === 'exact',
  );
  return { size: layout.size, exact: new Map(fields) };
}
