/** Classic BPF programs of seccomp and of sockets: where they are, and with -v every instruction (strace: bpf_filter.c). */
import { FLAG_SETS } from '../../abi/flags/index.js';
import { flagSet, type FlagSet } from '../../abi/flags/flag-set.js';
import { viewOf, type Call } from '../call.js';
import { address, enumeration, hex, symbol } from '../text.js';

const CLASS = flagSet('BPF_???', {
  BPF_LD: 0,
  BPF_LDX: 1,
  BPF_ST: 2,
  BPF_STX: 3,
  BPF_ALU: 4,
  BPF_JMP: 5,
  BPF_RET: 6,
  BPF_MISC: 7,
});
const SIZE = flagSet('BPF_???', { BPF_W: 0, BPF_H: 8, BPF_B: 0x10 });
const MODE = flagSet('BPF_???', {
  BPF_IMM: 0,
  BPF_ABS: 0x20,
  BPF_IND: 0x40,
  BPF_MEM: 0x60,
  BPF_LEN: 0x80,
  BPF_MSH: 0xa0,
});
const SOURCE = flagSet('BPF_???', { BPF_K: 0, BPF_X: 8 });
const RESULT = flagSet('BPF_???', { BPF_K: 0, BPF_X: 8, BPF_A: 0x10 });
const ALU = flagSet('BPF_???', {
  BPF_ADD: 0,
  BPF_SUB: 0x10,
  BPF_MUL: 0x20,
  BPF_DIV: 0x30,
  BPF_OR: 0x40,
  BPF_AND: 0x50,
  BPF_LSH: 0x60,
  BPF_RSH: 0x70,
  BPF_NEG: 0x80,
  BPF_MOD: 0x90,
  BPF_XOR: 0xa0,
});
const JUMP = flagSet('BPF_???', { BPF_JA: 0, BPF_JEQ: 0x10, BPF_JGT: 0x20, BPF_JGE: 0x30, BPF_JSET: 0x40 });
const MISC = flagSet('BPF_???', { BPF_TAX: 0, BPF_TXA: 0x80 });
const ANCILLARY = flagSet('SKF_AD_???', {
  SKF_AD_PROTOCOL: 0,
  SKF_AD_PKTTYPE: 4,
  SKF_AD_IFINDEX: 8,
  SKF_AD_NLATTR: 12,
  SKF_AD_NLATTR_NEST: 16,
  SKF_AD_MARK: 20,
  SKF_AD_QUEUE: 24,
  SKF_AD_HATYPE: 28,
  SKF_AD_RXHASH: 32,
  SKF_AD_CPU: 36,
  SKF_AD_ALU_XOR_X: 40,
  SKF_AD_VLAN_TAG: 44,
  SKF_AD_VLAN_TAG_PRESENT: 48,
  SKF_AD_PAY_OFFSET: 52,
  SKF_AD_RANDOM: 56,
  SKF_AD_VLAN_TPID: 60,
});
/** Special offsets of socket filters, highest first. */
const SPECIAL = [
  ['SKF_AD_OFF', 0xffff_f000],
  ['SKF_NET_OFF', 0xfff0_0000],
  ['SKF_LL_OFF', 0xffe0_0000],
] as const;
const MAX_INSTRUCTIONS = 4096;

export type FilterKind = 'seccomp' | 'socket';

function operation(c: Call, code: number): string {
  const name = (set: FlagSet, mask: number): string => enumeration(set, c, BigInt(code & mask));
  const odd = (mask: number): string => {
    const rest = code & ~7 & ~mask & 0xffff;
    return rest === 0 ? '' : `|${hex(rest)} /* BPF_??? */`;
  };
  const kind = name(CLASS, 7);
  switch (code & 7) {
    case 2:
    case 3:
      return kind + odd(0);
    case 4:
      return `${kind}|${name(SOURCE, 8)}|${name(ALU, 0xf0)}`;
    case 5:
      return `${kind}|${name(SOURCE, 8)}|${name(JUMP, 0xf0)}`;
    case 6:
      return `${kind}|${name(RESULT, 0x18)}${odd(0x18)}`;
    case 7:
      return `${kind}|${name(MISC, 0xf8)}${odd(0xf8)}`;
    default:
      return `${kind}|${name(SIZE, 0x18)}|${name(MODE, 0xe0)}`;
  }
}
function operand(c: Call, code: number, k: number, kind: FilterKind): string {
  if (kind === 'seccomp' && (code & 7) === 6) {
    const data = k & 0xffff;
    const action = enumeration(FLAG_SETS.seccomp_ret_action, c, BigInt((k & ~0xffff) >>> 0), 'SECCOMP_RET_???');
    return data === 0 ? action : `${action}|${hex(data)}`;
  }
  const special = kind === 'socket' && (code & 0xe7) === 0x20 ? SPECIAL.find(([, from]) => k >= from) : undefined;
  if (special === undefined) return hex(k);
  const [name, from] = special;
  return `${symbol(c, hex(from), name)}+${from === SPECIAL[0][1] ? enumeration(ANCILLARY, c, BigInt(k - from)) : k - from}`;
}

/** `{len=2, filter=[BPF_STMT(...), ...]}`, or the address of the instructions without -v. */
export function filterProgram(c: Call, addr: bigint, kind: FilterKind): string {
  return c.object(
    addr,
    'sock_fprog',
    (s) => `{${s.field('len')}, filter=${instructions(c, s.big('filter'), s.num('len'), kind)}}`,
  );
}
function instructions(c: Call, addr: bigint, length: number, kind: FilterKind): string {
  if (!c.style.verbose) return address(addr);
  let count = 0;
  return c.array(addr, Math.min(length, MAX_INSTRUCTIONS + 1), 8, (bytes) => {
    if (count++ >= MAX_INSTRUCTIONS) return '...';
    const view = viewOf(bytes);
    const code = view.getUint16(0, true);
    const k = view.getUint32(4, true);
    const head = operation(c, code);
    if (bytes[2] === 0 && bytes[3] === 0) return `BPF_STMT(${head}, ${operand(c, code, k, kind)})`;
    return `BPF_JUMP(${head}, ${hex(k)}, ${hex(bytes[2])}, ${hex(bytes[3])})`;
  });
}
