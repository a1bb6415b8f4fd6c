/** Memory: mmap flags, mremap's optional address, memfd huge pages, mincore vectors, memory policy. */
import { MAP_TYPE, MREMAP_FIXED, MREMAP_MAYMOVE } from '../../abi/flags/memory.js';
import { FLAG_SETS } from '../../abi/flags/index.js';
import type { Call } from '../call.js';
import { address, enumeration, flagList, flags, hex, symbol, toInt, toUint, unsigned, type Naming } from '../text.js';
import { early, late, type ArgPrinter, type CallPrinter, type ResultPrinter } from './types.js';

const HUGE_SHIFT = 26n;
const HUGE_MASK = 0x3fn << HUGE_SHIFT;

const mmapFlags = (c: Call, v: bigint): string => symbol(c, hex(v), mmapNames({ arch: c.arch }, v));
function mmapNames(c: Naming, v: bigint): string {
  const type = enumeration(FLAG_SETS.mmap_flags, c, v & BigInt(MAP_TYPE));
  let rest = v & ~BigInt(MAP_TYPE);
  const huge = rest & HUGE_MASK;
  rest &= ~HUGE_MASK;
  const bits = rest === 0n ? '' : `|${flags(FLAG_SETS.mmap_flags, c, rest, null)}`;
  return `${type}${bits}${huge === 0n ? '' : `|${huge >> HUGE_SHIFT}<<MAP_HUGE_SHIFT`}`;
}
function memfdFlags(c: Call, v: bigint): string {
  const bits = BigInt(toUint(v));
  if (bits === 0n) return '0';
  const huge = bits & HUGE_MASK;
  const rest = bits & ~HUGE_MASK;
  const text = rest !== 0n || huge === 0n ? flags(FLAG_SETS.memfd_create_flags, c, rest) : '';
  if (huge === 0n) return text;
  return `${text}${text === '' ? '' : '|'}${huge >> HUGE_SHIFT}<<MFD_HUGE_SHIFT`;
}
function mincore(c: Call, v: bigint): string {
  const pages = (c.args[1] + 4095n) / 4096n;
  if (pages > 1n << 32n) return address(v);
  return c.array(v, Number(pages), 1, (bytes) => String(bytes[0] & 1));
}
function policyMode(c: Call, v: bigint): string {
  const bits = BigInt.asUintN(32, v);
  const high = bits & 0xe000n;
  const text = enumeration(FLAG_SETS.mpol_modes, c, bits & ~0xe000n);
  return high === 0n ? text : `${text}|${flags(FLAG_SETS.mpol_mode_flags, c, high)}`;
}

/** With MEMBARRIER_CMD_QUERY the result is a set of commands. */
const membarrier: CallPrinter = {
  enter(c) {
    const command = BigInt(toUint(c.args[0]));
    const bits = BigInt(toUint(c.args[1]));
    c.complete = command !== 0n;
    const cpu = bits & 1n ? `, ${toInt(c.args[2])}` : '';
    return `${enumeration(FLAG_SETS.membarrier_cmds, c, command)}, ${flags(FLAG_SETS.membarrier_flags, c, bits)}${cpu}`;
  },
  leave(c) {
    if (c.failed || c.result === 0) return '';
    c.aux = flagList(FLAG_SETS.membarrier_cmds, c, BigInt(c.result));
    c.ret = 'hex';
    return '';
  },
};

export const MEMORY_ARGS: Record<string, ArgPrinter> = {
  mmap_flags: early(mmapFlags),
  mmap_offset: early((_c, v) => hex(v)),
  mremap_addr: early((_c, v) => address(v)),
  mincore_vec: late(mincore),
  mpol_mode: early(policyMode),
  nodemask: early((_c, v) => address(v)),
};
export const MEMORY_OVERRIDES: Record<string, ArgPrinter> = {
  'memfd_create.flags': early(memfdFlags),
  'process_madvise.iov': early((c, v) => (c.arg('vlen') > 1024n ? address(v) : remote(c, v, c.arg('vlen')))),
  'process_vm_readv.remote_iov': early((c, v) => remote(c, v, c.arg('riovcnt'))),
  'process_vm_writev.remote_iov': early((c, v) => remote(c, v, c.arg('riovcnt'))),
  'process_vm_readv.flags': early((_c, v) => unsigned(v)),
  'process_vm_writev.flags': early((_c, v) => unsigned(v)),
  'copy_file_range.flags': early((_c, v) => String(toUint(v))),
};
/** Pieces in another process: addresses only. */
function remote(c: Call, addr: bigint, count: bigint): string {
  return c.array(
    addr,
    Number(count > 1n << 32n ? -1n : count),
    16,
    (bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      return `{iov_base=${address(view.getBigUint64(0, true))}, iov_len=${view.getBigUint64(8, true)}}`;
    },
    true,
  );
}
export const MEMORY_OPTIONAL: Record<string, (c: Call) => boolean> = {
  'mremap.new_address': (c) => {
    const both = BigInt(MREMAP_MAYMOVE | MREMAP_FIXED);
    return (c.arg('flags') & both) === both;
  },
};
export const MEMORY_CALLS: Record<string, CallPrinter> = { membarrier };
export const MEMORY_RESULTS: Record<string, ResultPrinter> = {
  shmat: (c) => {
    c.ret = 'addr';
  },
};
