/** The numbers behind strace's names: every constant of src/abi by its name. */
import { ERRNO_NAMES } from '../../abi/errno.js';
import { FLAG_SETS } from '../../abi/flags/index.js';
import { AT_FDCWD } from '../../abi/flags/open.js';
import { FUTEX_CLOCK_REALTIME } from '../../abi/flags/futex.js';
import { S_ISGID, S_ISUID, S_ISVTX } from '../../abi/flags/stat.js';
import { NSIG, SIGNAL_NAMES, SIGRTMIN } from '../../abi/signals.js';
import type { ArchName } from '../../abi/types.js';

const MASK64 = (1n << 64n) - 1n;

function build(arch: ArchName): ReadonlyMap<string, bigint> {
  const names = new Map<string, bigint>();
  const add = (name: string, value: bigint): void => {
    if (!names.has(name)) names.set(name, value);
  };
  add('NULL', 0n);
  add('AT_FDCWD', BigInt(AT_FDCWD));
  SIGNAL_NAMES.forEach((name, signal) => {
    if (signal > 0) add(name, BigInt(signal));
  });
  add('SIGRTMIN', BigInt(SIGRTMIN));
  for (let signal = SIGRTMIN + 1; signal <= NSIG; signal++) add(`SIGRT_${signal - SIGRTMIN}`, BigInt(signal));
  for (const [name, value] of OTHERS) add(name, value);
  for (const set of Object.values(FLAG_SETS)) for (const [name, value] of set.entries[arch]) add(name, BigInt(value));
  for (const [number, name] of Object.entries(ERRNO_NAMES)) if (name !== undefined) add(name, BigInt(number));
  return names;
}
/** What printers write without a set. */
const OTHERS: readonly (readonly [string, bigint])[] = [
  ['SIG_DFL', 0n],
  ['SIG_IGN', 1n],
  ['SIG_ERR', MASK64],
  ['RLIM64_INFINITY', MASK64],
  ['RLIM_INFINITY', MASK64],
  ['UTIME_NOW', 0x3fff_ffffn],
  ['UTIME_OMIT', 0x3fff_fffen],
  ['_IOC_NONE', 0n],
  ['_IOC_WRITE', 1n],
  ['_IOC_READ', 2n],
  ['IBSHIFT', 16n],
  ['MAP_HUGE_SHIFT', 26n],
  ['MFD_HUGE_SHIFT', 26n],
  ['MS_MGC_VAL', 0xc0ed_0000n],
  ['FUTEX_OP_OPARG_SHIFT', 8n],
  ['FUTEX_CLOCK_REALTIME', BigInt(FUTEX_CLOCK_REALTIME)],
  ['S_ISUID', BigInt(S_ISUID)],
  ['S_ISGID', BigInt(S_ISGID)],
  ['S_ISVTX', BigInt(S_ISVTX)],
];

const tables: Partial<Record<ArchName, ReadonlyMap<string, bigint>>> = {};
/** Made when a text is first read: a run that parses nothing pays nothing. */
export function constants(arch: ArchName): ReadonlyMap<string, bigint> {
  return (tables[arch] ??= build(arch));
}
