/** fcntl(2) and ioctl(2): the argument and the result depend on the command. */
import * as f from '../../abi/flags/fcntl.js';
import * as io from '../../abi/flags/ioctl.js';
import * as t from '../../abi/flags/termios.js';
import { FLAG_SETS } from '../../abi/flags/index.js';
import { signalName } from '../../abi/signals.js';
import type { ArchName } from '../../abi/types.js';
import type { Call, StructView } from '../call.js';
import { enumeration, flagList, flags, hex, lookup, signalText, symbol, toInt, toUint } from '../text.js';
import { enterInterface, isInterface, leaveInterface } from './interfaces.js';
import { openFlags, openNames } from './files.js';
import { printStruct } from './structs.js';
import { early, type CallPrinter } from './types.js';

const FCNTL_GETTERS = new Set([f.F_GETFD, f.F_GETFL, f.F_GETLEASE, f.F_GET_SEALS, f.F_GETSIG]);

function flock(c: Call, addr: bigint, owner: boolean): string {
  return c.object(addr, 'flock', (s) => {
    const type = enumeration(FLAG_SETS.lockfcmds, c, BigInt.asUintN(16, s.big('l_type')));
    const whence = enumeration(FLAG_SETS.whence_codes, c, BigInt.asUintN(16, s.big('l_whence')));
    const pid = owner ? `, ${s.field('l_pid')}` : '';
    return `{l_type=${type}, l_whence=${whence}, ${s.field('l_start')}, ${s.field('l_len')}${pid}}`;
  });
}
const ownerEx = (c: Call, addr: bigint): string =>
  c.object(addr, 'f_owner_ex', (s) => {
    const type = enumeration(FLAG_SETS.f_owner_types, c, BigInt.asUintN(32, s.big('type')));
    return `{type=${type}, ${s.field('pid')}}`;
  });

/** Text of the third argument: null if it has none, undefined if it comes on return. */
function fcntlIn(c: Call, command: number, v: bigint): string | null | undefined {
  switch (command) {
    case f.F_SETFD:
      return flags(FLAG_SETS.fdflags, c, BigInt(toUint(v)));
    case f.F_SETOWN:
    case f.F_SETPIPE_SZ:
    case f.F_DUPFD:
    case f.F_DUPFD_CLOEXEC:
      return command === f.F_SETOWN ? String(toInt(v)) : BigInt.asIntN(64, v).toString();
    case f.F_SETFL:
      return openFlags(c, BigInt(toUint(v)));
    case f.F_SETLK:
    case f.F_SETLKW:
    case f.F_OFD_SETLK:
    case f.F_OFD_SETLKW:
      return flock(c, v, false);
    case f.F_SETOWN_EX:
      return ownerEx(c, v);
    case f.F_NOTIFY:
      return flags(FLAG_SETS.notifyflags, c, v);
    case f.F_SETLEASE:
      return enumeration(FLAG_SETS.lockfcmds, c, v);
    case f.F_ADD_SEALS:
      return flags(FLAG_SETS.f_seals, c, v);
    case f.F_SETSIG:
      return signalText(c, toInt(v));
    case f.F_GETOWN:
    case f.F_GETPIPE_SZ:
      return null;
    case f.F_GETLK:
    case f.F_OFD_GETLK:
    case f.F_GETOWN_EX:
      return undefined;
    default:
      return FCNTL_GETTERS.has(command) ? undefined : hex(v);
  }
}
function fcntlResult(c: Call, command: number): void {
  if (c.failed) return;
  const result = BigInt(c.result);
  if (command === f.F_GETFL) c.aux = `flags ${openNames(c.arch, result)}`;
  else if (command === f.F_GETLEASE) c.aux = lookup(FLAG_SETS.lockfcmds, c, result) ?? '';
  else if (result === 0n) return;
  else if (command === f.F_GETFD) c.aux = `flags ${flagList(FLAG_SETS.fdflags, c, result)}`;
  else if (command === f.F_GET_SEALS) c.aux = `seals ${flagList(FLAG_SETS.f_seals, c, result)}`;
  else c.aux = signalName(c.result);
  if (command !== f.F_GETSIG) c.ret = 'hex';
}
const fcntl: CallPrinter = {
  enter(c) {
    const command = toUint(c.args[1]);
    const head = `${c.fd(c.args[0])}, ${enumeration(FLAG_SETS.fcntlcmds, c, BigInt(command))}`;
    if (command === f.F_DUPFD || command === f.F_DUPFD_CLOEXEC) c.ret = 'fd';
    const text = fcntlIn(c, command, c.args[2]);
    c.complete = text !== undefined;
    return text === undefined || text === null ? head : `${head}, ${text}`;
  },
  leave(c) {
    const command = toUint(c.args[1]);
    if (FCNTL_GETTERS.has(command)) {
      fcntlResult(c, command);
      return '';
    }
    return `, ${command === f.F_GETOWN_EX ? ownerEx(c, c.args[2]) : flock(c, c.args[2], true)}`;
  },
};

const DELAYS = [
  [FLAG_SETS.term_oflags_nldly, t.NLDLY, 'NL?'],
  [FLAG_SETS.term_oflags_crdly, t.CRDLY, 'CR?'],
  [FLAG_SETS.term_oflags_tabdly, t.TABDLY, 'TAB?'],
  [FLAG_SETS.term_oflags_bsdly, t.BSDLY, 'BS?'],
  [FLAG_SETS.term_oflags_vtdly, t.VTDLY, 'VT?'],
  [FLAG_SETS.term_oflags_ffdly, t.FFDLY, 'FF?'],
] as const;

function oflag(c: Call, value: bigint): string {
  let rest = value;
  let text = '';
  for (const [set, mask, unknown] of DELAYS) {
    text += `${enumeration(set, c, rest & BigInt(mask), unknown)}|`;
    rest &= ~BigInt(mask);
  }
  return text + flags(FLAG_SETS.term_oflags, c, rest, null);
}
function cflag(c: Call, value: bigint): string {
  const baud = (v: bigint): string => enumeration(FLAG_SETS.baud_options, c, v, 'B???');
  const input = value & BigInt(t.CIBAUD);
  const masks = BigInt(t.CBAUD) | BigInt(t.CIBAUD) | BigInt(t.CSIZE);
  const size = enumeration(FLAG_SETS.term_cflags_csize, c, value & BigInt(t.CSIZE), 'CS?');
  const head = `${baud(value & BigInt(t.CBAUD))}|${input === 0n ? '' : `${baud(input >> 16n)}<<IBSHIFT|`}${size}|`;
  return head + flags(FLAG_SETS.term_cflags, c, value & ~masks, null);
}
/** termio has fewer characters, and puts two of them elsewhere. */
const TERMIO_CC = ['VINTR', 'VQUIT', 'VERASE', 'VKILL', 'VEOF', 'VTIME', 'VEOL2', 'VSWTC'];
function controlChars(c: Call, values: Uint8Array, layout: string): string {
  const name = (i: number): string | undefined =>
    layout === 'termio' ? TERMIO_CC[i] : lookup(FLAG_SETS.termios_cc, c, BigInt(i));
  return Array.from(values, (value, i) => `[${name(i) ?? i}]=${hex(value)}`).join(', ');
}
function termios(c: Call, addr: bigint, layout: 'termios' | 'termios2' | 'termio'): string {
  return c.object(addr, layout, (s: StructView) => {
    const iflag = flags(FLAG_SETS.term_iflags, c, s.big('c_iflag'), null);
    const lflag = flags(FLAG_SETS.term_lflags, c, s.big('c_lflag'), null);
    const head = `{c_iflag=${iflag}, c_oflag=${oflag(c, s.big('c_oflag'))}, c_cflag=${cflag(c, s.big('c_cflag'))}, c_lflag=${lflag}`;
    if (!c.style.verbose) return `${head}, ...}`;
    const line = enumeration(FLAG_SETS.term_line_discs, c, s.big('c_line'), 'N_???');
    const speeds = layout === 'termios2' ? `, ${s.field('c_ispeed')}, ${s.field('c_ospeed')}` : '';
    return `${head}, c_line=${line}, c_cc=[${controlChars(c, s.raw('c_cc'), layout)}]${speeds}}`;
  });
}
const int = (c: Call, v: bigint): string => c.indirect(v, 'i32');
const modem = (c: Call, v: bigint): string => c.indirect(v, 'u32', (bits) => flags(FLAG_SETS.modem_flags, c, bits));

type Request = { read?: true; print: ((c: Call, v: bigint) => string) | null };
const reads = (print: Request['print']): Request => ({ read: true, print });
const writes = (print: Request['print']): Request => ({ print });
const NOTHING = writes(null);

/** Requests whose argument is decoded. Any other terminal request prints its argument in hex on entry. */
const REQUESTS: Record<number, Request> = {
  [io.TCGETS]: reads((c, v) => termios(c, v, 'termios')),
  [io.TIOCGLCKTRMIOS]: reads((c, v) => termios(c, v, 'termios')),
  [io.TCGETS2]: reads((c, v) => termios(c, v, 'termios2')),
  [io.TCGETA]: reads((c, v) => termios(c, v, 'termio')),
  [io.TIOCGWINSZ]: reads((c, v) => printStruct(c, v, 'winsize')),
  [io.TIOCSWINSZ]: writes((c, v) => printStruct(c, v, 'winsize')),
  [io.TCXONC]: writes((c, v) => enumeration(FLAG_SETS.tcxonc_options, c, v, 'TC???')),
  [io.TCFLSH]: writes((c, v) => enumeration(FLAG_SETS.tcflsh_options, c, v, 'TC???')),
  [io.TIOCMGET]: reads(modem),
  [io.TIOCSTI]: writes((c, v) => c.buffer(v, 1n)),
};
for (const request of [io.TCSETS, io.TCSETSW, io.TCSETSF, io.TIOCSLCKTRMIOS]) {
  REQUESTS[request] = writes((c, v) => termios(c, v, 'termios'));
}
for (const request of [io.TCSETS2, io.TCSETSW2, io.TCSETSF2])
  REQUESTS[request] = writes((c, v) => termios(c, v, 'termios2'));
for (const request of [io.TCSETA, io.TCSETAW, io.TCSETAF])
  REQUESTS[request] = writes((c, v) => termios(c, v, 'termio'));
for (const request of [io.TCSBRK, io.TCSBRKP, io.TIOCSCTTY]) REQUESTS[request] = writes((_c, v) => String(toInt(v)));
for (const request of [io.TIOCMBIS, io.TIOCMBIC, io.TIOCMSET]) REQUESTS[request] = writes(modem);
const INT_READS = [
  io.TIOCGPGRP,
  io.TIOCGSID,
  io.TIOCGETD,
  io.TIOCGSOFTCAR,
  io.TIOCGPTN,
  io.FIONREAD,
  io.TIOCOUTQ,
  io.TIOCGEXCL,
  io.TIOCGDEV,
];
for (const request of INT_READS) REQUESTS[request] = reads(int);
const INT_WRITES = [io.TIOCSPGRP, io.TIOCSETD, io.FIONBIO, io.FIOASYNC, io.TIOCPKT, io.TIOCSSOFTCAR, io.TIOCSPTLCK];
for (const request of INT_WRITES) REQUESTS[request] = writes(int);
const BARE = [
  io.TIOCSBRK,
  io.TIOCCBRK,
  io.TIOCCONS,
  io.TIOCNOTTY,
  io.TIOCEXCL,
  io.TIOCNXCL,
  io.FIOCLEX,
  io.FIONCLEX,
  io.TIOCVHANGUP,
  io.TIOCSSERIAL,
];
for (const request of [...BARE, io.FIFREEZE, io.FITHAW, io.LOOP_CLR_FD, io.LOOP_SET_CAPACITY, io.LOOP_CTL_GET_FREE])
  REQUESTS[request] = NOTHING;
REQUESTS[io.FICLONE] = writes((_c, v) => String(toInt(v)));
REQUESTS[io.FICLONERANGE] = writes((c, v) =>
  c.object(
    v,
    'file_clone_range',
    (s) =>
      `{src_fd=${c.fd(s.big('src_fd'))}, ${s.field('src_offset')}, src_length=${s.big('src_length')}, dest_offset=${s.big('dest_offset')}}`,
  ),
);
for (const request of [io.BLKGETSIZE64]) REQUESTS[request] = reads((c, v) => c.indirect(v, 'u64'));
REQUESTS[io.FS_IOC_GETFLAGS] = reads((c, v) => c.indirect(v, 'u32', (bits) => flags(FLAG_SETS.fs_ioc_flags, c, bits)));
REQUESTS[io.FS_IOC_SETFLAGS] = writes((c, v) => c.indirect(v, 'u32', (bits) => flags(FLAG_SETS.fs_ioc_flags, c, bits)));

const namesOf: Partial<Record<ArchName, ReadonlyMap<number, string>>> = {};
function requestNames(arch: ArchName): ReadonlyMap<number, string> {
  const known = namesOf[arch];
  if (known !== undefined) return known;
  const names = new Map<number, string>();
  for (const [name, code] of FLAG_SETS.ioctl_cmds.entries[arch]) {
    const other = names.get(code);
    names.set(code, other === undefined ? name : `${other} or ${name}`);
  }
  return (namesOf[arch] = names);
}
/** Every name that a request code has, or its parts. */
function requestName(c: Call, code: number): string {
  const known = requestNames(c.arch).get(code);
  if (known !== undefined) return symbol(c, hex(code), known);
  const dir = ['_IOC_NONE', '_IOC_WRITE', '_IOC_READ', '_IOC_READ|_IOC_WRITE'][code >>> 30];
  const parts = `_IOC(${dir}, ${hex((code >>> 8) & 0xff)}, ${hex(code & 0xff)}, ${hex((code >>> 16) & 0x3fff)})`;
  return symbol(c, hex(code), parts);
}
const ioctl: CallPrinter = {
  enter(c) {
    const code = toUint(c.args[1]);
    const head = `${c.fd(c.args[0])}, ${requestName(c, code)}`;
    const request = REQUESTS[code];
    const terminal = ((code >>> 8) & 0xff) === 0x54;
    const interfaces = enterInterface(c, code, c.args[2]);
    if (interfaces !== null) return `${head}, ${interfaces}`;
    if (request === undefined) {
      c.complete = terminal;
      return terminal ? `${head}, ${hex(c.args[2])}` : head;
    }
    if (request.read) return head;
    c.complete = true;
    return request.print === null ? head : `${head}, ${request.print(c, c.args[2])}`;
  },
  leave(c) {
    const code = toUint(c.args[1]);
    if (isInterface(code)) return leaveInterface(c, code, c.args[2]);
    const request = REQUESTS[code];
    return `, ${request?.print ? request.print(c, c.args[2]) : hex(c.args[2])}`;
  },
};

export const DESCRIPTOR_CALLS: Record<string, CallPrinter> = { fcntl, ioctl };
export const DESCRIPTOR_ARGS = {
  kcmp_idx: early((_c, v) => hex(v)),
};
