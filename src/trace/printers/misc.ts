/** What is left: futex operations, sleeps, mount data, the fsconfig family, reboot, syslog, AIO, landlock, ptrace. */
import * as fx from '../../abi/flags/futex.js';
import * as mnt from '../../abi/flags/mount.js';
import * as sys from '../../abi/flags/system.js';
import { FLAG_SETS } from '../../abi/flags/index.js';
import type { FlagSet } from '../../abi/flags/flag-set.js';
import { viewOf, type Call } from '../call.js';
import { address, date, enumeration, flagList, flags, hex, lookup, symbol, toInt, toUint } from '../text.js';
import { filterProgram } from './filters.js';
import { printStruct, structText } from './structs.js';
import { StructView } from '../call.js';
import { MOUNT_ATTR } from '../../abi/layouts/mount.js';
import { early, late, type ArgPrinter, type CallPrinter, type ResultPrinter } from './types.js';

/** The operands of FUTEX_WAKE_OP in one word. */
function wakeOp(c: Call, v: number): string {
  const shifted = (v >>> 28) & 8 ? 'FUTEX_OP_OPARG_SHIFT<<28|' : '';
  const op = BigInt((v >>> 28) & 7);
  // As numbers strace does not know them.
  const known = (set: FlagSet, value: bigint): string | undefined => {
    const found = c.constants === 'raw' ? undefined : lookup(set, c, value);
    return found === undefined ? undefined : symbol(c, hex(value), found);
  };
  const name = known(FLAG_SETS.futexwakeops, op);
  const compare = BigInt((v >>> 24) & 15);
  const test = known(FLAG_SETS.futexwakecmps, compare);
  const first = `${name ?? hex(op)}<<28${name === undefined ? ' /* FUTEX_OP_??? */' : ''}`;
  const second = `${test ?? hex(compare)}<<24${test === undefined ? ' /* FUTEX_OP_CMP_??? */' : ''}`;
  return `${shifted}${first}|${hex((v >>> 12) & 0xfff)}<<12|${second}|${hex(v & 0xfff)}`;
}
const bitset = (c: Call, v: number): string => enumeration(FLAG_SETS.futexbitset, c, BigInt(v >>> 0), '');

/** Arguments after the operation. */
function futexArgs(c: Call, command: number): string[] {
  const [, , raw, timeout, uaddr2, raw3] = c.args;
  const val = String(toUint(raw));
  const val2 = String(toUint(timeout));
  const val3 = toUint(raw3);
  const wait = (): string => printStruct(c, timeout, 'timespec');
  switch (command) {
    case fx.FUTEX_WAIT:
      return [val, wait()];
    case fx.FUTEX_LOCK_PI:
    case fx.FUTEX_LOCK_PI2:
      return [wait()];
    case fx.FUTEX_WAIT_BITSET:
      return [val, wait(), bitset(c, val3)];
    case fx.FUTEX_WAKE_BITSET:
      return [val, bitset(c, val3)];
    case fx.FUTEX_REQUEUE:
      return [val, val2, address(uaddr2)];
    case fx.FUTEX_CMP_REQUEUE:
    case fx.FUTEX_CMP_REQUEUE_PI:
      return [val, val2, address(uaddr2), String(val3)];
    case fx.FUTEX_WAKE_OP:
      return [val, val2, address(uaddr2), wakeOp(c, val3)];
    case fx.FUTEX_WAIT_REQUEUE_PI:
      return [val, wait(), address(uaddr2)];
    case fx.FUTEX_FD:
    case fx.FUTEX_WAKE:
      return [val];
    case fx.FUTEX_UNLOCK_PI:
    case fx.FUTEX_TRYLOCK_PI:
      return [];
    default:
      return [val, address(timeout), address(uaddr2), hex(val3)];
  }
}
const futex: CallPrinter = {
  enter(c) {
    c.complete = true;
    const op = toUint(c.args[1]);
    const name = enumeration(FLAG_SETS.futexops, c, BigInt(op));
    return [address(c.args[0]), name, ...futexArgs(c, op & 127)].join(', ');
  },
};
function waiters(c: Call, addr: bigint): string {
  return c.array(addr, toUint(c.args[1]), 24, (bytes) => {
    const v = viewOf(bytes);
    const bits = flags(FLAG_SETS.futex_waiter_flags, c, BigInt(v.getUint32(16, true)));
    const reserved = v.getUint32(20, true);
    const head = `{val=${hex(v.getBigUint64(0, true))}, uaddr=${address(v.getBigUint64(8, true))}, flags=${bits}`;
    return `${head}${reserved === 0 ? '' : `, __reserved=${hex(reserved)}`}}`;
  });
}

/** The rest of an interrupted sleep, shown only when there is one. */
const remain: ArgPrinter = late((c, v) => {
  const absolute = c.row.name === 'clock_nanosleep' && toUint(c.args[1]) !== 0;
  return c.restarts && !absolute ? printStruct(c, v, 'timespec', true) : address(v);
});

const MS_MGC = 0xc0ed0000n;
const mount: CallPrinter = {
  enter(c) {
    c.complete = true;
    const magic = (c.args[3] & 0xffff0000n) === MS_MGC;
    const bits = magic ? c.args[3] & ~0xffff0000n : c.args[3];
    const any = (mask: number): boolean => (Number(bits & 0xffff_ffffn) & mask) !== 0;
    const remount = any(mnt.MS_REMOUNT);
    const moves =
      !remount && any(mnt.MS_BIND | mnt.MS_MOVE | mnt.MS_SHARED | mnt.MS_PRIVATE | mnt.MS_SLAVE | mnt.MS_UNBINDABLE);
    const type = remount || moves ? address(c.args[2]) : c.string(c.args[2]);
    const set = bits !== 0n || !magic ? flags(FLAG_SETS.mount_flags, c, bits) : '';
    const text = `${magic ? `MS_MGC_VAL${set === '' ? '' : '|'}` : ''}${set}`;
    const data = moves ? address(c.args[4]) : c.string(c.args[4]);
    return `${c.path(c.args[0])}, ${c.path(c.args[1])}, ${type}, ${text}, ${data}`;
  },
};
const fsconfig: CallPrinter = {
  enter(c) {
    c.complete = true;
    const command = toUint(c.args[1]);
    const aux = toInt(c.args[4]);
    const keyed = command <= mnt.FSCONFIG_SET_FD;
    const head = `${c.fd(c.args[0])}, ${enumeration(FLAG_SETS.fsconfig_cmds, c, BigInt(command))}`;
    const key = keyed ? c.bounded(c.args[2], 256) : address(c.args[2]);
    const path = command === mnt.FSCONFIG_SET_PATH || command === mnt.FSCONFIG_SET_PATH_EMPTY;
    let value = address(c.args[3]);
    if (command === mnt.FSCONFIG_SET_STRING) value = c.bounded(c.args[3], 256);
    else if (path) value = c.path(c.args[3]);
    else if (command === mnt.FSCONFIG_SET_BINARY && aux >= 0 && aux <= 1 << 20)
      value = c.hexBuffer(c.args[3], BigInt(aux));
    const last = path ? c.dirfd(c.args[4]) : command === mnt.FSCONFIG_SET_FD ? c.fd(c.args[4]) : String(aux);
    return `${head}, ${key}, ${value}, ${last}`;
  },
};
const mountAttr: ArgPrinter = early((c, v) => {
  const size = c.arg('usize');
  if (size < 32n) return address(v);
  const bytes = c.fetch(v, 32);
  return bytes === null ? address(v) : structText(c, 'mount_attr', new StructView(MOUNT_ATTR, bytes));
});

const reboot: CallPrinter = {
  enter(c) {
    c.complete = true;
    const [a, b, d] = c.args.map((v) => BigInt(toUint(v)));
    const head = [
      enumeration(FLAG_SETS.bootflags1, c, a, 'LINUX_REBOOT_MAGIC_???'),
      enumeration(FLAG_SETS.bootflags2, c, b, 'LINUX_REBOOT_MAGIC_???'),
      enumeration(FLAG_SETS.bootflags3, c, d, 'LINUX_REBOOT_CMD_???'),
    ].join(', ');
    return toUint(c.args[2]) === sys.LINUX_REBOOT_CMD_RESTART2 >>> 0 ? `${head}, ${c.bounded(c.args[3], 255)}` : head;
  },
};
const SYSLOG_READS = [sys.SYSLOG_ACTION_READ, sys.SYSLOG_ACTION_READ_ALL, sys.SYSLOG_ACTION_READ_CLEAR];
const SYSLOG_BARE = [
  sys.SYSLOG_ACTION_CLOSE,
  sys.SYSLOG_ACTION_OPEN,
  sys.SYSLOG_ACTION_CLEAR,
  sys.SYSLOG_ACTION_CONSOLE_OFF,
  sys.SYSLOG_ACTION_CONSOLE_ON,
  sys.SYSLOG_ACTION_SIZE_UNREAD,
  sys.SYSLOG_ACTION_SIZE_BUFFER,
];
const syslog: CallPrinter = {
  enter(c) {
    const type = toInt(c.args[0]);
    const name = lookup(FLAG_SETS.syslog_action_type, c, BigInt(type >>> 0));
    const head = `${type} /* ${name ?? 'SYSLOG_ACTION_???'} */`;
    if (SYSLOG_READS.includes(type)) return `${head}, `;
    c.complete = true;
    return SYSLOG_BARE.includes(type) ? head : `${head}, ${address(c.args[1])}, ${toInt(c.args[2])}`;
  },
  leave: (c) => `${c.failed ? address(c.args[1]) : c.buffer(c.args[1], BigInt(c.result))}, ${toInt(c.args[2])}`,
};
const restart: CallPrinter = {
  enter(c) {
    c.complete = true;
    return `<... resuming interrupted ${c.previous === '' ? 'system call' : c.previous} ...>`;
  },
};
/** strace prints these four as plain numbers. */
const rseq: CallPrinter = {
  enter(c) {
    c.complete = true;
    return `${hex(c.args[0])}, ${hex(c.args[1])}, ${hex(c.args[2])}, ${hex(c.args[3])}`;
  },
};
const priority: ArgPrinter = early((_c, v) => String(toInt(v)));
const swapFlags: ArgPrinter = early((c, v) => {
  const rest = BigInt(toUint(v)) & ~0x7fffn;
  const prio = toUint(v) & 0x7fff;
  return rest === 0n ? String(prio) : `${flags(FLAG_SETS.swap_flags, c, rest)}|${prio}`;
});
const random: ArgPrinter = late((c, v) => (c.failed ? address(v) : c.hexBuffer(v, BigInt(c.result))));

function personalityResult(c: Call): void {
  if (c.failed) return;
  const type = enumeration(FLAG_SETS.personality_types, c, BigInt(c.result & 0xff), 'PER_???');
  const rest = BigInt((c.result & ~0xff) >>> 0);
  c.aux = rest === 0n ? type : `${type}|${flagList(FLAG_SETS.personality_flags, c, rest)}`;
  c.ret = 'hex';
}
const kcmp: CallPrinter = {
  enter(c) {
    c.complete = true;
    const type = toInt(c.args[2]);
    const head = `${toInt(c.args[0])}, ${toInt(c.args[1])}, ${enumeration(FLAG_SETS.kcmp_types, c, BigInt(type >>> 0))}`;
    if (type === 0) return `${head}, ${toInt(c.args[3])}, ${toInt(c.args[4])}`;
    if (type >= 1 && type <= 6) return head;
    if (type === 7) {
      const slot = c.fetch(c.args[4], 12);
      const v = slot === null ? null : viewOf(slot);
      const text =
        v === null
          ? address(c.args[4])
          : `{efd=${v.getInt32(0, true)}, tfd=${v.getInt32(4, true)}, toff=${v.getUint32(8, true)}}`;
      return `${head}, ${toInt(c.args[3])}, ${text}`;
    }
    return `${head}, ${hex(c.args[3])}, ${hex(c.args[4])}`;
  },
};

/** A time in seconds, with its date. */
const seconds: ArgPrinter = late((c, v) => c.indirect(v, 'i64', (sec) => `${sec}${date(sec, 0, 0, 0)}`));
function timeResult(c: Call): void {
  if (!c.failed) c.aux = date(c.result, 0, 0, 0).slice(4, -3);
}
const SECCOMP_FILTER = 1;
const SECCOMP_ACTION_AVAIL = 2;
const SECCOMP_SIZES = 3;
const seccomp: CallPrinter = {
  enter(c) {
    const operation = toUint(c.args[0]);
    const bits = toUint(c.args[1]);
    const head = `${enumeration(FLAG_SETS.seccomp_ops, c, BigInt(operation))}, `;
    if (operation === SECCOMP_SIZES) return `${head}${hex(bits)}, `;
    c.complete = true;
    if (operation === SECCOMP_FILTER)
      return `${head}${flags(FLAG_SETS.seccomp_filter_flags, c, BigInt(bits))}, ${filterProgram(c, c.args[2], 'seccomp')}`;
    if (operation !== SECCOMP_ACTION_AVAIL) return `${head}${hex(bits)}, ${address(c.args[2])}`;
    const action = c.indirect(c.args[2], 'u32', (v) =>
      enumeration(FLAG_SETS.seccomp_ret_action, c, v, 'SECCOMP_RET_???'),
    );
    return `${head}${hex(bits)}, ${action}`;
  },
  leave(c) {
    const sizes = c.fetch(c.args[2], 6);
    if (sizes === null) return address(c.args[2]);
    const v = viewOf(sizes);
    return `{seccomp_notif=${v.getUint16(0, true)}, seccomp_notif_resp=${v.getUint16(2, true)}, seccomp_data=${v.getUint16(4, true)}}`;
  },
};

export const MISC_ARGS: Record<string, ArgPrinter> = {
  nanosleep_remain: remain,
  futex_waiters: early(waiters),
  mount_setattr_flags: early((c, v) => flags(FLAG_SETS.mount_setattr_flags, c, BigInt(toUint(v)))),
  kexec_flags: early((_c, v) => hex(v)),
};
export const MISC_OVERRIDES: Record<string, ArgPrinter> = {
  'mount_setattr.uattr': mountAttr,
  'open_tree_attr.uattr': mountAttr,
  'getpriority.who': priority,
  'time.tloc': seconds,
  'set_tid_address.tidptr': early((_c, v) => hex(v)),
  'adjtimex.buf': late((c, v) => printStruct(c, v, 'timex')),
  'clock_adjtime.buf': late((c, v) => printStruct(c, v, 'timex')),
  'swapon.swapflags': swapFlags,
  'getrandom.buf': random,
  'memfd_create.uname': early((c, v) => c.bounded(v, 250)),
  'io_setup.ctx_idp': late((c, v) => c.indirect(v, 'u64', address)),
  'io_destroy.ctx_id': early((_c, v) => address(v)),
  'process_vm_writev.local_iov': early((c, v) => c.array(v, Number(c.arg('liovcnt')), 16, (b) => piece(c, b), true)),
  'mq_timedreceive.abs_timeout': late((c, v) => printStruct(c, v, 'timespec', true)),
  'sched_rr_get_interval.tp': late((c, v) => printStruct(c, v, 'timespec')),
};
function piece(c: Call, bytes: Uint8Array): string {
  const v = viewOf(bytes);
  return `{iov_base=${c.buffer(v.getBigUint64(0, true), v.getBigUint64(8, true))}, iov_len=${v.getBigUint64(8, true)}}`;
}
export const MISC_CALLS: Record<string, CallPrinter> = {
  futex,
  mount,
  fsconfig,
  reboot,
  syslog,
  kcmp,
  rseq,
  restart_syscall: restart,
  seccomp,
};
export const MISC_RESULTS: Record<string, ResultPrinter> = { personality: personalityResult, time: timeResult };
