/**
 * From a call to its text: a printer for the whole call where one exists, else the arguments one by one.
 *
 * An argument's printer is looked up as `call.argument`, then by the name of a `dynamic` argument, then by kind. The first
 * late argument and everything after it is printed when the call returns.
 */
import type { ArgType, Row } from '../../../syscalls/row.js';
import type { Call } from '../call.js';
import { hex, signed, toInt, toUint } from '../text.js';
import { DESCRIPTOR_ARGS, DESCRIPTOR_CALLS } from './descriptors.js';
import { FILE_ARGS, FILE_CALLS, FILE_OPTIONAL, FILE_OVERRIDES } from './files.js';
import { IPC_ARGS, IPC_CALLS, IPC_OVERRIDES } from './ipc.js';
import { isOut, printKind } from './kinds.js';
import { MEMORY_ARGS, MEMORY_CALLS, MEMORY_OPTIONAL, MEMORY_OVERRIDES, MEMORY_RESULTS } from './memory.js';
import { MISC_ARGS, MISC_CALLS, MISC_OVERRIDES, MISC_RESULTS } from './misc.js';
import { POLL_ARGS, POLL_RESULTS } from './poll.js';
import { PRCTL_CALLS } from './prctl.js';
import { PROCESS_ARGS, PROCESS_CALLS, PROCESS_OVERRIDES, PROCESS_RESULTS } from './process.js';
import { SIGNAL_ARGS, SIGNAL_CALLS, SIGNAL_OVERRIDES } from './signals.js';
import { SOCKET_ARGS, SOCKET_CALLS } from './sockets.js';
import type { ArgPrinter, CallPrinter, Print, ResultPrinter } from './types.js';

const DYNAMIC: Readonly<Record<string, ArgPrinter>> = {
  ...DESCRIPTOR_ARGS,
  ...FILE_ARGS,
  ...IPC_ARGS,
  ...MEMORY_ARGS,
  ...MISC_ARGS,
  ...POLL_ARGS,
  ...PROCESS_ARGS,
  ...SIGNAL_ARGS,
  ...SOCKET_ARGS,
};
const OVERRIDES: Readonly<Record<string, ArgPrinter>> = {
  ...FILE_OVERRIDES,
  ...IPC_OVERRIDES,
  ...MEMORY_OVERRIDES,
  ...MISC_OVERRIDES,
  ...PROCESS_OVERRIDES,
  ...SIGNAL_OVERRIDES,
};
const OPTIONAL: Readonly<Record<string, (c: Call) => boolean>> = { ...FILE_OPTIONAL, ...MEMORY_OPTIONAL };
const CALLS: Readonly<Record<string, CallPrinter>> = {
  ...DESCRIPTOR_CALLS,
  ...FILE_CALLS,
  ...IPC_CALLS,
  ...MEMORY_CALLS,
  ...MISC_CALLS,
  ...PRCTL_CALLS,
  ...PROCESS_CALLS,
  ...SIGNAL_CALLS,
  ...SOCKET_CALLS,
};
const RESULTS: Readonly<Record<string, ResultPrinter>> = {
  ...MEMORY_RESULTS,
  ...MISC_RESULTS,
  ...POLL_RESULTS,
  ...PROCESS_RESULTS,
};

interface PlannedArg {
  readonly arg: ArgType;
  readonly index: number;
  readonly print: Print;
  readonly shown: ((c: Call) => boolean) | undefined;
  readonly late: boolean;
}
interface Plan {
  readonly call: CallPrinter | undefined;
  readonly result: ResultPrinter | undefined;
  readonly args: readonly PlannedArg[];
  /** How many arguments are printed on entry. */
  readonly early: number;
}

/** An argument whose meaning nobody knows: as its C type. */
const raw: Print = (_c, v, arg) => {
  if (arg.kind !== 'dynamic') return hex(v);
  if (arg.as === 'int') return String(toInt(v));
  if (arg.as === 'long') return signed(v);
  return arg.as === 'uint' || arg.as === 'mode' ? hex(toUint(v)) : hex(v);
};

function planOf(row: Row): Plan {
  const args = row.args.flatMap((arg, index): PlannedArg[] => {
    if (arg.kind === 'unused') return [];
    const key = `${row.name}.${arg.name}`;
    const known = OVERRIDES[key] ?? (arg.kind === 'dynamic' ? DYNAMIC[arg.by] : undefined);
    const print = known?.print ?? (arg.kind === 'dynamic' ? raw : printKind);
    return [{ arg, index, print, shown: OPTIONAL[key], late: known === undefined ? isOut(arg) : known.late === true }];
  });
  const first = args.findIndex((a) => a.late);
  return { call: CALLS[row.name], result: RESULTS[row.name], args, early: first < 0 ? args.length : first };
}

export class CallTexts {
  private readonly plans = new Map<Row, Plan>();

  private plan(row: Row): Plan {
    let plan = this.plans.get(row);
    if (plan === undefined) this.plans.set(row, (plan = planOf(row)));
    return plan;
  }
  private list(c: Call, plan: Plan, from: number, to: number): string {
    let text = '';
    for (let i = from, first = true; i < to; i++) {
      const { arg, index, print, shown } = plan.args[i];
      if (shown !== undefined && !shown(c)) continue;
      text += first ? print(c, c.args[index], arg) : `, ${print(c, c.args[index], arg)}`;
      first = false;
    }
    return text;
  }

  /** The arguments that only a return makes known, `plain` if as their kind says; null where one printer has the whole call. */
  late(row: Row): readonly { index: number; plain: boolean }[] | null {
    const plan = this.plan(row);
    if (plan.call) return null;
    return plan.args.filter((a) => a.late).map(({ index, print }) => ({ index, plain: print === printKind }));
  }
  /** One of them, after the return. */
  argument(c: Call, index: number): string {
    const { print, arg } = this.plan(c.row).args.find((a) => a.index === index)!;
    return print(c, c.args[index], arg);
  }

  /** Text after the opening parenthesis, known when the call is made. */
  enter(c: Call): string {
    c.memory.begin?.();
    if (c.style.raw) {
      c.complete = true;
      return c.args.slice(0, c.row.args.length).map(hex).join(', ');
    }
    const plan = this.plan(c.row);
    if (plan.call) {
      const text = plan.call.enter(c);
      if (plan.call.leave === undefined) c.complete = true;
      return text;
    }
    const text = this.list(c, plan, 0, plan.early);
    const more = plan.early < plan.args.length;
    c.complete = !more && plan.result === undefined;
    return more && text !== '' ? `${text}, ` : text;
  }
  /** Text from there to the closing parenthesis. */
  leave(c: Call): string {
    c.memory.begin?.();
    c.exiting = true;
    if (c.style.raw) {
      c.ret = 'hex';
      return '';
    }
    const plan = this.plan(c.row);
    if (plan.call) return c.complete ? '' : (plan.call.leave?.(c) ?? '');
    plan.result?.(c);
    return this.list(c, plan, plan.early, plan.args.length);
  }
}
