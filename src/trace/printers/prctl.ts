/** prctl(2) and arch_prctl(2): as many arguments as the option has. */
import { ARCH_GET_CPUID, ARCH_GET_FS, ARCH_GET_GS } from '../../abi/flags/arch-prctl.js';
import * as p from '../../abi/flags/prctl.js';
import { FLAG_SETS, type FlagSetName } from '../../abi/flags/index.js';
import type { Call } from '../call.js';
import {
  address,
  enumeration,
  flagList,
  flags,
  hex,
  lookup,
  signalText,
  signed,
  symbol,
  toInt,
  toUint,
  unsigned,
} from '../text.js';
import { filterProgram } from './filters.js';
import type { CallPrinter } from './types.js';

const COMM = 16;

type Shape = (c: Call) => string;
const rest = (c: Call, from: number): string => {
  let out = '';
  for (let i = from; i < 5; i++) out += `, ${hex(c.args[i])}`;
  return out;
};
const one =
  (set: FlagSetName): Shape =>
  (c) =>
    `, ${enumeration(FLAG_SETS[set], c, c.args[1])}`;
const many =
  (set: FlagSetName): Shape =>
  (c) =>
    `, ${flags(FLAG_SETS[set], c, c.args[1])}`;
const number: Shape = (c) => `, ${unsigned(c.args[1])}`;
const numberAndRest: Shape = (c) => `, ${unsigned(c.args[1])}${rest(c, 2)}`;
const nothing: Shape = () => '';

function ambient(c: Call): string {
  const known = [p.PR_CAP_AMBIENT_RAISE, p.PR_CAP_AMBIENT_LOWER, p.PR_CAP_AMBIENT_IS_SET].includes(toUint(c.args[1]));
  const head = one('pr_cap_ambient')(c);
  return known ? `${head}, ${enumeration(FLAG_SETS.cap, c, c.args[2])}${rest(c, 3)}` : head + rest(c, 2);
}
function setVma(c: Call): string {
  const head = one('pr_set_vma')(c);
  return c.args[1] === 0n ? `${head}, ${address(c.args[2])}, ${c.args[3]}, ${c.string(c.args[4])}` : head + rest(c, 2);
}
function ptracer(c: Call): string {
  return toInt(c.args[1]) === -1 ? `, ${symbol(c, '-1', 'PR_SET_PTRACER_ANY')}` : `, ${toInt(c.args[1])}`;
}
function secure(c: Call): string {
  const head = one('seccomp_mode')(c);
  if (c.args[1] === 1n) return head;
  return c.args[1] === 2n ? `${head}, ${filterProgram(c, c.args[2], 'seccomp')}` : head + rest(c, 2);
}

/** Options whose arguments are printed on entry. */
const ENTRY: Record<number, Shape> = {
  [p.PR_GET_KEEPCAPS]: nothing,
  [p.PR_GET_SECCOMP]: nothing,
  [p.PR_GET_TIMERSLACK]: nothing,
  [p.PR_GET_TIMING]: nothing,
  [p.PR_TASK_PERF_EVENTS_DISABLE]: nothing,
  [p.PR_TASK_PERF_EVENTS_ENABLE]: nothing,
  [p.PR_SET_CHILD_SUBREAPER]: number,
  [p.PR_SET_ENDIAN]: number,
  [p.PR_SET_FPEMU]: number,
  [p.PR_SET_FPEXC]: number,
  [p.PR_SET_KEEPCAPS]: number,
  [p.PR_SET_TIMING]: number,
  [p.PR_SET_DUMPABLE]: one('pr_dumpable'),
  [p.PR_CAPBSET_DROP]: one('cap'),
  [p.PR_CAPBSET_READ]: one('cap'),
  [p.PR_CAP_AMBIENT]: ambient,
  [p.PR_SET_NAME]: (c) => `, ${c.bounded(c.args[1], COMM - 1)}`,
  [p.PR_SET_VMA]: setVma,
  [p.PR_SET_MM]: (c) => one('pr_set_mm')(c) + rest(c, 2),
  [p.PR_SET_PDEATHSIG]: (c) => `, ${c.args[1] > 128n ? unsigned(c.args[1]) : signalText(c, toInt(c.args[1]))}`,
  [p.PR_SET_PTRACER]: ptracer,
  [p.PR_SET_SECCOMP]: secure,
  [p.PR_SET_SECUREBITS]: many('secbits'),
  [p.PR_SET_TIMERSLACK]: (c) => `, ${signed(c.args[1])}`,
  [p.PR_SET_TSC]: one('pr_tsc'),
  [p.PR_SET_UNALIGN]: many('pr_unalign_flags'),
  [p.PR_SET_NO_NEW_PRIVS]: numberAndRest,
  [p.PR_SET_THP_DISABLE]: numberAndRest,
  [p.PR_SET_IO_FLUSHER]: numberAndRest,
};
/** Options that fill in memory: printed on return. */
const RETURN: Record<number, Shape> = {
  [p.PR_GET_CHILD_SUBREAPER]: (c) => c.indirect(c.args[1], 'u32'),
  [p.PR_GET_ENDIAN]: (c) => c.indirect(c.args[1], 'u32'),
  [p.PR_GET_FPEMU]: (c) => c.indirect(c.args[1], 'u32'),
  [p.PR_GET_FPEXC]: (c) => c.indirect(c.args[1], 'u32'),
  [p.PR_GET_NAME]: (c) => (c.failed ? address(c.args[1]) : c.bounded(c.args[1], COMM)),
  [p.PR_GET_PDEATHSIG]: (c) => c.indirect(c.args[1], 'i32', (v) => signalText(c, Number(v))),
  [p.PR_GET_TID_ADDRESS]: (c) => c.indirect(c.args[1], 'u64', address),
  [p.PR_GET_TSC]: (c) => c.indirect(c.args[1], 'u32', (v) => enumeration(FLAG_SETS.pr_tsc, c, v)),
  [p.PR_GET_UNALIGN]: (c) => c.indirect(c.args[1], 'u32', (v) => flags(FLAG_SETS.pr_unalign_flags, c, v)),
};

const prctl: CallPrinter = {
  enter(c) {
    const option = toUint(c.args[0]);
    const head = enumeration(FLAG_SETS.prctl_options, c, BigInt(option));
    const shape = ENTRY[option];
    if (option === p.PR_GET_DUMPABLE || option === p.PR_GET_SECUREBITS) return head;
    if (RETURN[option]) return `${head}, `;
    c.complete = true;
    return head + (shape ? shape(c) : rest(c, 1));
  },
  leave(c) {
    const option = toUint(c.args[0]);
    const filled = RETURN[option];
    if (filled) return filled(c);
    if (c.failed) return '';
    if (option === p.PR_GET_DUMPABLE) c.aux = lookup(FLAG_SETS.pr_dumpable, c, BigInt(c.result)) ?? '';
    else if (c.result !== 0) {
      c.aux = flagList(FLAG_SETS.secbits, c, BigInt(c.result));
      c.ret = 'hex';
    }
    return '';
  },
};

const archPrctl: CallPrinter = {
  enter(c) {
    const code = toUint(c.args[0]);
    const head = enumeration(FLAG_SETS.archvals, c, BigInt(code));
    if (code === ARCH_GET_FS || code === ARCH_GET_GS) return `${head}, `;
    c.complete = true;
    return code === ARCH_GET_CPUID ? head : `${head}, ${hex(c.args[1])}`;
  },
  leave: (c) => c.indirect(c.args[1], 'u64', address),
};

export const PRCTL_CALLS: Record<string, CallPrinter> = { prctl, arch_prctl: archPrctl };
