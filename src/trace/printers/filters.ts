/** Classic BPF programs of seccomp and of sockets: where they are, and with -v every instruction (strace: bpf_filter.c). */
import { FLAG_SETS } from '../../abi/flags/index.js';
import type { FlagSet } from '../../abi/flags/flag-set.js';
import { viewOf, type Call } from '../call.js';
import { address, enumeration, hex, symbol } from '../text.js';

const MAX_INSTRUCTIONS = 4096;

export type FilterKind = 'seccomp' | 'socket';

function operation(c: Call, code: number): string {
  const name = (set: FlagSet, mask: number): string => enumeration(set, c, BigInt(code & mask));
  const odd = (mask: number): string => {
    const rest = code & ~7 & ~mask & 0xffff;
    return rest === 0 ? '' : `|${hex(rest)} /* BPF_??? */`;
  };
  const kind = name(FLAG_SETS.bpf_class, 7);
  switch (code & 7) {
    case 2:
    case 3:
      return kind + odd(0);
    case 4:
      return `${kind}|${name(FLAG_SETS.bpf_source, 8)}|${name(FLAG_SETS.bpf_alu, 0xf0)}`;
    case 5:
      return `${kind}|${name(FLAG_SETS.bpf_source, 8)}|${name(FLAG_SETS.bpf_jump, 0xf0)}`;
    case 6:
      return `${kind}|${name(FLAG_SETS.bpf_result, 0x18)}${odd(0x18)}`;
    case 7:
      return `${kind}|${name(FLAG_SETS.bpf_misc, 0xf8)}${odd(0xf8)}`;
    default:
      return `${kind}|${name(FLAG_SETS.bpf_size, 0x18)}|${name(FLAG_SETS.bpf_mode, 0xe0)}`;
  }
}
function operand(c: Call, code: number, k: number, kind: FilterKind): string {
  if (kind === 'seccomp' && (code & 7) === 6) {
    const data = k & 0xffff;
    const action = enumeration(FLAG_SETS.seccomp_ret_action, c, BigInt((k & ~0xffff) >>> 0), 'SECCOMP_RET_???');
    return data === 0 ? action : `${action}|${hex(data)}`;
  }
  const special =
    kind === 'socket' && (code & 0xe7) === 0x20
      ? FLAG_SETS.skf_off.entries[c.arch].find(([, from]) => k >= from)
      : undefined;
  if (special === undefined) return hex(k);
  const [name, from] = special;
  return `${symbol(c, hex(from), name)}+${name === 'SKF_AD_OFF' ? enumeration(FLAG_SETS.skf_ad, c, BigInt(k - from)) : k - from}`;
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
