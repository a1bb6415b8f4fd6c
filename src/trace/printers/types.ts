/** What a printer is. */
import type { ArgType } from '../../../syscalls/row.js';
import type { Call } from '../call.js';

export type Print = (c: Call, value: bigint, arg: ArgType) => string;

/** Prints one argument; a late one, and all after it, are printed when the call returns. */
export interface ArgPrinter {
  readonly print: Print;
  readonly late?: boolean;
}

/** Prints a whole call. `enter` sets `c.complete` when nothing is left for `leave`. */
export interface CallPrinter {
  readonly enter: (c: Call) => string;
  readonly leave?: (c: Call) => string;
}

/** Decides on leaving how the result is shown: sets `c.aux` and `c.ret`. */
export type ResultPrinter = (c: Call) => void;

export const early = (print: Print): ArgPrinter => ({ print });
export const late = (print: Print): ArgPrinter => ({ print, late: true });
