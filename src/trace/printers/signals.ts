/** Signals: siginfo, sigaction, sigevent, alternate stacks, sigreturn's mask, waits for signals. */
import { REGISTER_LAYOUTS } from '../../abi/registers.js';
import * as s from '../../abi/flags/signal.js';
import { FLAG_SETS, type FlagSetName } from '../../abi/flags/index.js';
import { SIGINFO } from '../../abi/layouts/signal.js';
import { signalName } from '../../abi/signals.js';
import { ERRNO_NAMES } from '../../abi/errno.js';
import { LAYOUTS } from '../../abi/layouts/index.js';
import { StructView, type Call } from '../call.js';
import { SYSCALL_NUMBERS } from '../../abi/numbers.js';
import { address, enumeration, flags, hex, id, lookup, signalText, symbol, unsigned } from '../text.js';
import { sigmask, sigset } from './kinds.js';
import { printStruct, ticks } from './structs.js';
import { early, late, type ArgPrinter, type CallPrinter, type ResultPrinter } from './types.js';

const CODES: Readonly<Record<number, FlagSetName>> = {
  [s.SIGTRAP]: 'sigtrap_codes',
  [s.SIGCHLD]: 'sigchld_codes',
  [s.SIGIO]: 'sigpoll_codes',
  [s.SIGPROF]: 'sigprof_codes',
  [s.SIGILL]: 'sigill_codes',
  [s.SIGFPE]: 'sigfpe_codes',
  [s.SIGSEGV]: 'sigsegv_codes',
  [s.SIGBUS]: 'sigbus_codes',
  [s.SIGSYS]: 'sigsys_codes',
};

function code(c: Call, signal: number, value: number): string {
  const bits = BigInt(value >>> 0);
  if (c.constants === 'raw') return hex(bits);
  const special = CODES[signal];
  const name = lookup(FLAG_SETS.siginfo_codes, c, bits) ?? (special && lookup(FLAG_SETS[special], c, bits));
  if (name === undefined) return hex(bits);
  return c.constants === 'verbose' ? `${hex(bits)} /* ${name} */` : name;
}
const source = (v: StructView): string => `${v.field('si_pid')}, si_uid=${id(v.num('si_uid'))}`;
const value = (v: StructView): string =>
  `si_int=${BigInt.asIntN(32, v.big('si_value'))}, si_ptr=${address(v.big('si_value'))}`;
const pointer = (v: StructView, name: string): string => `${name}=${address(v.big(name))}`;

function fromUser(c: Call, v: StructView): string {
  switch (v.num('si_code')) {
    case s.SI_USER:
    case s.SI_TKILL:
      return source(v);
    case s.SI_TIMER:
      return `si_timerid=${hex(BigInt.asUintN(32, v.big('si_timerid')))}, ${v.field('si_overrun')}, ${value(v)}`;
    case s.SI_SIGIO:
      return `${v.field('si_band')}, si_fd=${c.fd(v.big('si_fd'))}`;
    default:
      return v.big('si_value') === 0n ? source(v) : `${source(v)}, ${value(v)}`;
  }
}
function fromKernel(c: Call, v: StructView): string {
  const reason = v.num('si_code');
  switch (v.num('si_signo')) {
    case s.SIGCHLD: {
      const status = reason === s.CLD_EXITED ? v.field('si_status') : `si_status=${signalText(c, v.num('si_status'))}`;
      return `${source(v)}, ${status}, ${ticks(c, v, ['si_utime', 'si_stime'])}`;
    }
    case s.SIGILL:
    case s.SIGFPE:
    case s.SIGTRAP:
      return pointer(v, 'si_addr');
    case s.SIGBUS: {
      const memory = reason === s.BUS_MCEERR_AR || reason === s.BUS_MCEERR_AO;
      return pointer(v, 'si_addr') + (memory ? `, si_addr_lsb=${hex(BigInt.asUintN(16, v.big('si_addr_lsb')))}` : '');
    }
    case s.SIGSEGV: {
      const bounds = reason === s.SEGV_BNDERR ? `, ${pointer(v, 'si_lower')}, ${pointer(v, 'si_upper')}` : '';
      return pointer(v, 'si_addr') + bounds + (reason === s.SEGV_PKUERR ? `, ${v.field('si_pkey')}` : '');
    }
    case s.SIGIO:
      return reason >= s.POLL_IN && reason <= s.POLL_HUP ? `${v.field('si_band')}, si_fd=${c.fd(v.big('si_fd'))}` : '';
    case s.SIGSYS: {
      const call = Object.entries(SYSCALL_NUMBERS[c.arch]).find(([, nr]) => nr === v.num('si_syscall'))?.[0];
      const machine = AUDIT[v.num('si_arch')] ?? hex(v.big('si_arch'));
      return `${pointer(v, 'si_call_addr')}, si_syscall=${call === undefined ? v.num('si_syscall') : `__NR_${call}`}, si_arch=${machine}`;
    }
    default: {
      const who = v.num('si_pid') !== 0 || v.num('si_uid') !== 0 ? source(v) : '';
      const what = v.big('si_value') === 0n ? '' : value(v);
      return [who, what].filter((text) => text !== '').join(', ');
    }
  }
}
const AUDIT: Readonly<Record<number, string>> = { 0xc000003e: 'AUDIT_ARCH_X86_64', 0xc00000b7: 'AUDIT_ARCH_AARCH64' };

/** `{si_signo=SIGCHLD, si_code=CLD_EXITED, ...}` of 128 bytes. */
export function siginfo(c: Call, bytes: Uint8Array): string {
  const v = new StructView(SIGINFO, bytes);
  const signal = v.num('si_signo');
  if (signal === 0) return '{}';
  const parts = [`si_signo=${signalText(c, signal)}`, `si_code=${code(c, signal, v.num('si_code'))}`];
  const error = v.num('si_errno');
  if (error !== 0) parts.push(`si_errno=${ERRNO_NAMES[error] ?? error}`);
  const rest = v.num('si_code') <= 0 ? fromUser(c, v) : fromKernel(c, v);
  if (rest !== '') parts.push(rest);
  return `{${parts.join(', ')}}`;
}
function siginfoAt(c: Call, addr: bigint): string {
  const bytes = c.fetch(addr, SIGINFO.size);
  return bytes === null ? address(addr) : siginfo(c, bytes);
}

const HANDLERS: Readonly<Record<string, string>> = { 0: 'SIG_DFL', 1: 'SIG_IGN', '18446744073709551615': 'SIG_ERR' };
function handlerName(c: Call, v: bigint): string {
  const name = HANDLERS[String(v)];
  return name === undefined ? hex(v) : symbol(c, hex(v), name);
}
const sigaction = (c: Call, addr: bigint): string =>
  c.object(addr, 'sigaction', (a) => {
    const bits = BigInt.asUintN(32, a.big('sa_flags'));
    const restorer = bits & BigInt(s.SA_RESTORER) ? `, sa_restorer=${address(a.big('sa_restorer'))}` : '';
    const set = flags(FLAG_SETS.sigact_flags, c, a.big('sa_flags'));
    return `{sa_handler=${handlerName(c, a.big('sa_handler'))}, sa_mask=${sigmask(c, a.big('sa_mask'))}, sa_flags=${set}${restorer}}`;
  });
const stack = (c: Call, addr: bigint): string =>
  c.object(addr, 'stack_t', (v) => {
    const bits = flags(FLAG_SETS.sigaltstack_flags, c, BigInt.asUintN(32, v.big('ss_flags')));
    return `{ss_sp=${address(v.big('ss_sp'))}, ss_flags=${bits}, ${v.field('ss_size')}}`;
  });
export const sigevent = (c: Call, addr: bigint): string =>
  c.object(addr, 'sigevent', (v) => {
    const ptr = v.big('sigev_value');
    const notify = v.num('sigev_notify');
    const parts = ptr === 0n ? [] : [`sigev_value={sival_int=${BigInt.asIntN(32, ptr)}, sival_ptr=${address(ptr)}}`];
    const named = notify === s.SIGEV_SIGNAL || notify === s.SIGEV_THREAD || notify === s.SIGEV_THREAD_ID;
    parts.push(`sigev_signo=${named ? signalText(c, v.num('sigev_signo')) : v.num('sigev_signo') >>> 0}`);
    parts.push(`sigev_notify=${enumeration(FLAG_SETS.sigev_value, c, BigInt(notify >>> 0))}`);
    if (notify === s.SIGEV_THREAD_ID) parts.push(v.field('sigev_notify_thread_id'));
    if (notify === s.SIGEV_THREAD) {
      parts.push(`sigev_notify_function=${address(v.big('sigev_notify_function'))}`);
      parts.push(`sigev_notify_attributes=${address(v.big('sigev_notify_attributes'))}`);
    }
    return `{${parts.join(', ')}}`;
  });

/** The frame's mask: the stack pointer is argument 0, put there by whoever traces (the call has none). */
const sigreturn: CallPrinter = {
  enter(c) {
    c.complete = true;
    const sp = c.args[0] ?? 0n;
    if (sp === 0n) return '';
    const frame = LAYOUTS[`rt_sigframe_${c.arch}`];
    const context = LAYOUTS[`ucontext_${c.arch}`];
    const base = sp - BigInt(REGISTER_LAYOUTS[c.arch].sigreturnPops);
    return `{mask=${sigset(c, base + BigInt(frame.offsets['uc'] + context.offsets['uc_sigmask']), 8n)}}`;
  },
};

const sigtimedwait: CallPrinter = {
  enter(c) {
    const head = `${sigset(c, c.args[0], c.args[3])}, `;
    const timeout = printStruct(c, c.args[2], 'timespec');
    if (c.args[1] === 0n) return `${head}NULL, ${timeout}, ${unsigned(c.args[3])}`;
    c.saved = timeout;
    return head;
  },
  leave(c) {
    if (!c.failed && c.result !== 0) c.aux = signalName(c.result);
    return c.args[1] === 0n ? '' : `${siginfoAt(c, c.args[1])}, ${String(c.saved)}, ${unsigned(c.args[3])}`;
  },
};

const lengthOf = (c: Call, name: string): bigint => c.arg(name);
export const SIGNAL_ARGS: Record<string, ArgPrinter> = {
  siginfo: early(siginfoAt),
  sigaction: early(sigaction),
  stack_t: early(stack),
  sigevent: early(sigevent),
};
export const SIGNAL_OVERRIDES: Record<string, ArgPrinter> = {
  'rt_sigaction.oldact': late(sigaction),
  'sigaltstack.old_ss': late(stack),
  'rt_sigprocmask.set': early((c, v) => sigset(c, v, lengthOf(c, 'sigsetsize'))),
  'rt_sigprocmask.oldset': late((c, v) => sigset(c, v, lengthOf(c, 'sigsetsize'))),
  'rt_sigpending.set': late((c, v) => sigset(c, v, lengthOf(c, 'sigsetsize'), 1n)),
  'rt_sigsuspend.mask': early((c, v) => sigset(c, v, lengthOf(c, 'sigsetsize'))),
  'signalfd.mask': early((c, v) => sigset(c, v, lengthOf(c, 'sizemask'))),
  'signalfd4.mask': early((c, v) => sigset(c, v, lengthOf(c, 'sizemask'))),
  'ppoll.sigmask': early((c, v) => sigset(c, v, lengthOf(c, 'sigsetsize'))),
  'epoll_pwait.sigmask': early((c, v) => sigset(c, v, lengthOf(c, 'sigsetsize'))),
  'epoll_pwait2.sigmask': early((c, v) => sigset(c, v, lengthOf(c, 'sigsetsize'))),
  'waitid.infop': late(siginfoAt),
};
export const SIGNAL_CALLS: Record<string, CallPrinter> = { rt_sigreturn: sigreturn, rt_sigtimedwait: sigtimedwait };
export const SIGNAL_RESULTS: Record<string, ResultPrinter> = {};
