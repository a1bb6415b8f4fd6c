/** What a handler found in its siginfo, against the fields that a script gives. */
import { Evaluator } from '../../../src/trace/parse/value.js';
import type { Term } from '../../../src/trace/parse/term.js';
import { hostArch } from '../executor.js';
import type { View } from '../outcome.js';
import type { Variable } from './variables.js';

/** Offsets in struct siginfo; those of a union by what the signal's code makes of it. All are ints but the last two. */
const FIELDS: Readonly<Record<string, number>> = {
  si_signo: 0,
  si_errno: 4,
  si_code: 8,
  si_pid: 16,
  si_timerid: 16,
  si_uid: 20,
  si_overrun: 20,
  si_status: 24,
  si_int: 24,
};
const WIDE: Readonly<Record<string, number>> = { si_addr: 16, si_ptr: 24 };

/** `info` null: only the signal itself. True, or what was found. */
export function signalCheck(
  view: View,
  nth: number,
  signal: number,
  info: Term | null,
  variables: ReadonlyMap<string, Variable>,
): true | string {
  const found = view.signals.at(nth);
  if (found === undefined) return 'no signal';
  if (found.signal !== signal) return `signal ${found.signal}`;
  const values = new Evaluator(hostArch, (name) => variables.get(name)?.read(view));
  for (const term of info?.parts ?? []) {
    if (term.kind === 'symbol' && term.text === '_') continue;
    const wanted = values.number(term);
    const [int, wide] = [FIELDS[term.name], WIDE[term.name]] as (number | undefined)[];
    if (wanted === null || (int === undefined && wide === undefined)) continue;
    const now = int === undefined ? found.info.readBigUInt64LE(wide) : BigInt(found.info.readInt32LE(int));
    if (now !== wanted) return `${term.name}=${now}`;
  }
  return true;
}
