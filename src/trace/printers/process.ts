/** Processes: clone, wait statuses, prctl, capabilities, scheduling attributes, groups. */
import { FLAG_SETS } from '../../abi/flags/index.js';
import * as cl from '../../abi/flags/process.js';
import { signalName } from '../../abi/signals.js';
import { viewOf, type Call, type StructView } from '../call.js';
import { flagSet, type FlagSet } from '../../abi/flags/flag-set.js';
import { address, enumeration, flags, hex, id, lookup, signalText, symbol, toInt, toUint } from '../text.js';
import { excess } from './files.js';
import { setBits } from './kinds.js';
import { printStruct } from './structs.js';
import { early, late, type ArgPrinter, type CallPrinter, type ResultPrinter } from './types.js';

const PARENT_BITS = cl.CLONE_PARENT_SETTID | cl.CLONE_PIDFD;
const CHILD_BITS = cl.CLONE_CHILD_SETTID | cl.CLONE_CHILD_CLEARTID;
const has = (bits: bigint, mask: number): boolean => (Number(bits & 0xffff_ffffn) & mask) !== 0;

const clone: CallPrinter = {
  enter(c) {
    const bits = c.args[0] & ~0xffn;
    const sig = Number(c.args[0] & 0xffn);
    const set = bits === 0n ? '' : flags(FLAG_SETS.clone_flags, c, bits);
    const text = bits === 0n ? signalText(c, sig) : `${set}${sig === 0 ? '' : `|${signalText(c, sig)}`}`;
    c.complete = !has(bits, PARENT_BITS | CHILD_BITS | cl.CLONE_SETTLS);
    return `child_stack=${address(c.args[1])}, flags=${text}${c.complete ? '' : ', '}`;
  },
  leave(c) {
    const bits = c.args[0];
    const parts: string[] = [];
    if (has(bits, PARENT_BITS)) {
      const pidfd = has(bits, cl.CLONE_PIDFD) && !has(bits, cl.CLONE_PARENT_SETTID);
      parts.push(`parent_tid=${c.indirect(c.args[2], 'i32', (v) => (pidfd ? c.fd(v) : String(v)))}`);
    }
    if (has(bits, cl.CLONE_SETTLS)) parts.push(`tls=${address(c.args[4])}`);
    if (has(bits, CHILD_BITS)) parts.push(`child_tidptr=${address(c.args[3])}`);
    return parts.join(', ');
  },
};

const CLONE_ARGS_SIZE = 88;
function cloneArgs(c: Call, addr: bigint, size: bigint): StructView | null {
  const bytes = c.fetch(addr, Number(size > 88n ? 88n : size));
  if (bytes === null) return null;
  const whole = new Uint8Array(CLONE_ARGS_SIZE);
  whole.set(bytes);
  const view = c.fetchStruct(addr, 'clone_args', true);
  return view === null ? null : Object.assign(view, { bytes: whole });
}
const clone3: CallPrinter = {
  enter(c) {
    const [addr, size] = c.args;
    const s = size < 64n ? null : cloneArgs(c, addr, size);
    if (s === null) {
      c.complete = true;
      return `${address(addr)}, ${size}`;
    }
    const bits = s.big('flags');
    const parts = [`flags=${flags([FLAG_SETS.clone_flags, FLAG_SETS.clone3_flags], c, bits, 'CLONE_???')}`];
    if (has(bits, cl.CLONE_PIDFD)) parts.push(s.field('pidfd', address));
    if (has(bits, CHILD_BITS)) parts.push(s.field('child_tid', address));
    if (has(bits, cl.CLONE_PARENT_SETTID)) parts.push(s.field('parent_tid', address));
    const signal = s.big('exit_signal');
    parts.push(`exit_signal=${signal < 0x7fff_ffffn ? signalText(c, Number(signal)) : signal}`);
    parts.push(s.field('stack', address), s.field('stack_size', hex));
    if (has(bits, cl.CLONE_SETTLS)) parts.push(s.field('tls', address));
    const tids = s.big('set_tid_size');
    if (s.big('set_tid') !== 0n || tids !== 0n) {
      const listed = s.big('set_tid') !== 0n && tids !== 0n && tids <= 32n;
      const list = listed ? c.array(s.big('set_tid'), Number(tids), 4, (b) => String(viewOf(b).getInt32(0, true))) : '';
      parts.push(listed ? `set_tid=${list}` : s.field('set_tid', address), s.field('set_tid_size'));
    }
    if (size > 80n && (s.big('cgroup') !== 0n || (bits & 0x2_0000_0000n) !== 0n)) parts.push(s.field('cgroup'));
    const text = `{${parts.join(', ')}${excess(c, addr, CLONE_ARGS_SIZE, size)}}`;
    c.complete = !has(bits, PARENT_BITS) && size <= 88n;
    return c.complete ? `${text}, ${size}` : text;
  },
  leave(c) {
    const [addr, size] = c.args;
    const s = c.failed ? null : cloneArgs(c, addr, size);
    if (s === null) return `${c.failed ? '' : ` => ${address(addr)}`}, ${size}`;
    const parts: string[] = [];
    if (has(s.big('flags'), cl.CLONE_PIDFD)) parts.push(`pidfd=${c.indirect(s.big('pidfd'), 'i32', (v) => c.fd(v))}`);
    if (has(s.big('flags'), cl.CLONE_PARENT_SETTID)) parts.push(`parent_tid=${c.indirect(s.big('parent_tid'), 'i32')}`);
    return `${parts.length > 0 ? ` => {${parts.join(', ')}}` : ''}, ${size}`;
  },
};

/** `{WIFEXITED(s) && WEXITSTATUS(s) == 0}`. */
export function waitStatus(c: Call, status: number): string {
  const low = status & 0x7f;
  let rest: number;
  let text: string;
  if ((status & 0xff) === 0x7f) {
    const signal = (status >>> 8) & 0xff;
    text = `{WIFSTOPPED(s) && WSTOPSIG(s) == ${signalName(signal & 0x7f)}${signal & 0x80 ? ' | 0x80' : ''}}`;
    rest = status & ~(0x7f | (signal << 8));
  } else if (low === 0) {
    text = `{WIFEXITED(s) && WEXITSTATUS(s) == ${(status >>> 8) & 0xff}}`;
    rest = status & ~0xff00;
  } else if (status === 0xffff) {
    return '{WIFCONTINUED(s)}';
  } else {
    text = `{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(low)}${status & 0x80 ? ' && WCOREDUMP(s)' : ''}}`;
    rest = status & ~0xff;
  }
  const event = rest >>> 16;
  if (event !== 0) {
    text += `|${enumeration(FLAG_SETS.ptrace_events, c, BigInt(event))}<<16`;
    rest &= 0xffff;
  }
  return rest === 0 ? text : `${text}|${hex(rest)}`;
}
const wstatus: ArgPrinter = late((c, v) => {
  const status = c.result === 0 && !c.failed ? null : c.number(v, 'u32');
  return status === null ? address(v) : `[${waitStatus(c, Number(status))}]`;
});

/** Capabilities as bits of the low (0) or high (1) word. */
function capWord(half: number): FlagSet {
  const members: Record<string, number> = {};
  for (const [name, cap] of FLAG_SETS.cap.entries.x86_64) {
    if (cap >> 5 === half) members[`1<<${name}`] = (1 << (cap & 31)) >>> 0;
  }
  return flagSet('CAP_???', members);
}
let capWords: readonly FlagSet[] | null = null;
function capBits(c: Call, low: number, high: number): string {
  const [first, second] = (capWords ??= [capWord(0), capWord(1)]);
  const parts: string[] = [];
  if (low !== 0 || high === 0) parts.push(flags(first, c, BigInt(low)));
  if (high !== 0) parts.push(flags(second, c, BigInt(high)));
  return parts.join('|');
}
const capHeader = (c: Call, v: bigint): string =>
  c.object(
    v,
    'cap_header',
    (h) =>
      `{version=${enumeration(FLAG_SETS.cap_version, c, h.big('version'), '_LINUX_CAPABILITY_VERSION_???')}, ${h.field('pid')}}`,
    true,
  );
function capData(c: Call, v: bigint): string {
  const header = c.exiting && c.failed ? null : c.fetchStruct(c.args[0], 'cap_header');
  if (v === 0n || header === null) return address(v);
  const wide = header.num('version') === 0x2007_1026 || header.num('version') === 0x2008_0522;
  const bytes = c.fetch(v, wide ? 24 : 12);
  if (bytes === null) return address(v);
  const view = viewOf(bytes);
  const part = (at: number): string => capBits(c, view.getUint32(at, true), wide ? view.getUint32(at + 12, true) : 0);
  return `{effective=${part(0)}, permitted=${part(4)}, inheritable=${part(8)}}`;
}

/** CPU sets: `[0 2]`. */
function cpus(c: Call, v: bigint, length: number): string {
  if (c.exiting && c.failed) return address(v);
  if (v === 0n) return 'NULL';
  if (length === 0) return '[]';
  const bytes = c.peek(v, Math.min(length, 128));
  return bytes === null ? address(v) : `[${setBits(bytes, bytes.length * 8).join(' ')}]`;
}
const groups = (c: Call, v: bigint, count: number): string =>
  count > 65_536 || count < 0 ? address(v) : c.array(v, count, 4, (b) => id(viewOf(b).getUint32(0, true)));

function schedAttr(c: Call, addr: bigint, size: number, setting: boolean): string {
  const head = c.fetch(addr, 4);
  if (head === null) return address(addr);
  const claimed = viewOf(head).getUint32(0, true);
  const usable = setting ? claimed || 48 : size;
  const bytes = c.fetch(addr, Math.min(usable, 56));
  if (bytes === null) return address(addr);
  const view = new DataView(new ArrayBuffer(56));
  new Uint8Array(view.buffer).set(bytes);
  const known = setting ? Math.min(usable, 56) : claimed;
  const parts = [`size=${claimed}`];
  if (known >= 48) {
    const bits = view.getBigUint64(8, true);
    const policy = view.getUint32(4, true);
    if (!setting || (policy | 0) < 0 || (bits & 0x18n) === 0n) {
      parts.push(`sched_policy=${enumeration(FLAG_SETS.schedulers, c, BigInt(policy))}`);
    }
    parts.push(`sched_flags=${flags(FLAG_SETS.sched_flags, c, bits)}`);
    if (!setting || (bits & 0x10n) === 0n) {
      parts.push(`sched_nice=${view.getInt32(16, true)}`, `sched_priority=${view.getUint32(20, true)}`);
      parts.push(`sched_runtime=${view.getBigUint64(24, true)}`, `sched_deadline=${view.getBigUint64(32, true)}`);
      parts.push(`sched_period=${view.getBigUint64(40, true)}`);
    }
    if (known >= 56)
      parts.push(`sched_util_min=${view.getUint32(48, true)}`, `sched_util_max=${view.getUint32(52, true)}`);
  }
  if ((setting ? usable : claimed) > known) parts.push('...');
  return `{${parts.join(', ')}}`;
}
const schedSetattr: CallPrinter = {
  enter: (c) => `${toInt(c.args[0])}, ${schedAttr(c, c.args[1], 0, true)}`,
  leave(c) {
    const size = c.errno === 7 ? c.peek(c.args[1], 4) : null;
    return `${size === null ? '' : ` => {size=${viewOf(size).getUint32(0, true)}}`}, ${toUint(c.args[2])}`;
  },
};
const ioprio = (c: Call, v: number): string => symbol(c, String(v), ioprioName(c, v));
function ioprioName(c: Call, v: number): string {
  const kind = enumeration(FLAG_SETS.ioprio_class, c, BigInt(v >>> 13));
  return `IOPRIO_PRIO_VALUE(${kind}, ${v & 0x1fff})`;
}

export const PROCESS_ARGS: Record<string, ArgPrinter> = {
  wait_status: wstatus,
  waitid_id: early((c, v) => (toUint(c.args[0]) === cl.P_PIDFD ? c.fd(v) : String(toInt(v)))),
  cap_header: early(capHeader),
  cap_data: { print: capData },
  groups: early((c, v) => groups(c, v, toInt(c.args[0]))),
  cpu_set: early((c, v) => cpus(c, v, toUint(c.args[1]))),
  ioprio: early((c, v) => ioprio(c, toUint(v))),
  sched_attr: late((c, v) => (toUint(c.args[2]) === 0 ? address(v) : schedAttr(c, v, toUint(c.args[2]), false))),
  personality: early((c, v) => personality(c, toUint(v))),
};
export const PROCESS_OVERRIDES: Record<string, ArgPrinter> = {
  'capget.datap': late(capData),
  'getgroups.list': late((c, v) => groups(c, v, c.failed ? -1 : c.result)),
  'sched_getaffinity.mask': late((c, v) => cpus(c, v, c.result)),
  'getresuid.ruid': uidWord(),
  'getresuid.euid': uidWord(),
  'getresuid.suid': uidWord(),
  'getresgid.rgid': uidWord(),
  'getresgid.egid': uidWord(),
  'getresgid.sgid': uidWord(),
  'wait4.rusage': late((c, v) => (c.result > 0 ? printStruct(c, v, 'rusage') : address(v))),
  'sched_getattr.flags': early((_c, v) => String(toUint(v))),
  'sethostname.len': early((_c, v) => String(toUint(v))),
  'setdomainname.len': early((_c, v) => String(toUint(v))),
  'sethostname.name': early((c, v) => (toUint(c.args[1]) > 64 ? address(v) : c.buffer(v, BigInt(toUint(c.args[1]))))),
  'setdomainname.name': early((c, v) => (toUint(c.args[1]) > 64 ? address(v) : c.buffer(v, BigInt(toUint(c.args[1]))))),
  'get_robust_list.head_ptr': late((c, v) => c.indirect(v, 'u64', address)),
};
function uidWord(): ArgPrinter {
  return late((c, v) => c.indirect(v, 'u32', (value) => id(Number(value))));
}
function personality(c: Call, v: number): string {
  if (v === 0xffff_ffff) return '0xffffffff';
  const rest = v & ~0xff;
  const type = enumeration(FLAG_SETS.personality_types, c, BigInt(v & 0xff), 'PER_???');
  return rest === 0 ? type : `${type}|${flags(FLAG_SETS.personality_flags, c, BigInt(rest >>> 0), null)}`;
}
export const PROCESS_CALLS: Record<string, CallPrinter> = { clone, clone3, sched_setattr: schedSetattr };
export const PROCESS_RESULTS: Record<string, ResultPrinter> = {
  sched_getscheduler: (c) => {
    if (!c.failed) c.aux = lookup(FLAG_SETS.schedulers, c, BigInt(c.result)) ?? '';
  },
  ioprio_get: (c) => {
    if (!c.failed && c.constants !== 'raw') c.aux = ioprioName(c, c.result);
  },
  adjtimex: clockState,
  clock_adjtime: clockState,
};
function clockState(c: Call): void {
  if (!c.failed && !c.style.addresses) c.aux = lookup(FLAG_SETS.adjtimex_state, c, BigInt(c.result)) ?? '';
}
