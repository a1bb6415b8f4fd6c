/**
 * What the row alone does not say about reading a call's text, by argument (`dynamic` ones by their name) and by call: the
 * counterpart of src/trace/printers.
 */
import * as fx from '../../abi/flags/futex.js';
import * as f from '../../abi/flags/fcntl.js';
import * as io from '../../abi/flags/ioctl.js';
import { LAYOUTS, type LayoutName } from '../../abi/layouts/index.js';
import { forArch, type Scalar } from '../../abi/layout.js';
import { bitMap, latin1, putScalar, wordBytes, type FieldWriter } from './bytes.js';
import { padded, type ArgReader, type CallReader, type Encoder } from './encode.js';
import { messageHeader } from './socket-bytes.js';
import type { Term } from './term.js';
import { waitStatus } from './wait-status.js';

const number: ArgReader = (e, term, arg) => e.values.need(term, arg.name);
const address: ArgReader = (e, term) =>
  term.kind === 'array' ? e.pointer(term, 16, (t) => e.words(t, 'u64')) : e.address(term);

/** A pointer to a struct of this layout. */
const struct =
  (name: LayoutName, out = false, special?: (e: Encoder) => FieldWriter): ArgReader =>
  (e, term) =>
    e.pointer(term, forArch(LAYOUTS[name], e.arch).size, (t) => e.structs.of(LAYOUTS[name], t, special?.(e)), out);
/** A pointer to an array of them; `count` of the argument called so where the text shows fewer. */
const array =
  (name: LayoutName, out = false, count = '', special?: (e: Encoder) => FieldWriter): ArgReader =>
  (e, term) => {
    const { size } = forArch(LAYOUTS[name], e.arch);
    const given = count === '' ? undefined : e.termOf(count);
    const room =
      size * Math.max(1, Math.min(65_536, Number(given === undefined ? 1n : (e.values.number(given) ?? 1n))));
    const encode = (t: Term): Uint8Array =>
      padded(
        Buffer.concat(
          t.parts.filter((p) => p.kind === 'struct').map((p) => e.structs.of(LAYOUTS[name], p, special?.(e))),
        ),
        room,
      );
    return e.pointer(term, room, encode, out);
  };
const words =
  (type: Scalar, out = false): ArgReader =>
  (e, term) =>
    e.pointer(term, 64, (t) => padded(e.words(t, type), 16), out);
const descriptorField =
  (e: Encoder): FieldWriter =>
  (name, term, view, offset) => {
    if (name !== 'fd' && name !== 'tfd' && name !== 'src_fd') return false;
    view.setInt32(offset, Number(BigInt.asIntN(32, e.fd(term))), true);
    return true;
  };
const pidField =
  (e: Encoder): FieldWriter =>
  (name, term, view, offset) => {
    if (!['si_pid', 'pid', 'l_pid', 'sigev_notify_thread_id'].includes(name)) return false;
    view.setInt32(offset, Number(BigInt.asIntN(32, e.pid(term))), true);
    return true;
  };
/** si_int and si_ptr are two views of one word; kernel addresses are nobody's to translate. */
const siginfoFields =
  (e: Encoder): FieldWriter =>
  (name, term, view, offset, field) => {
    if (name === 'si_ptr') {
      putScalar(view, 24, 'u64', e.values.number(term) ?? 0n);
      return true;
    }
    return name === 'si_int' || pidField(e)(name, term, view, offset, field);
  };
const setField =
  (e: Encoder): FieldWriter =>
  (name, term, view, offset) => {
    if (name === 'sigmask')
      putScalar(
        view,
        offset,
        'u64',
        e.pointer(term, 8, (t) => e.signals(t)),
      );
    else if (name === 'sigsetsize') putScalar(view, 8, 'u64', e.values.number(term) ?? 0n);
    else return false;
    return true;
  };
const signalSetPack: ArgReader = (e, term) =>
  e.pointer(term, 16, (t) => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    for (const part of t.parts) setField(e)(part.name, part, view, 0, NO_FIELD);
    return bytes;
  });
const NO_FIELD = { type: 'u64', offset: 0, count: 1 } as const;

const mapBits: ArgReader = (e, term) => e.pointer(term, 128, (t) => bitMap(e.values, t, 8));
/** Room for as much as the next argument says. */
const roomBySize =
  (name: string): ArgReader =>
  (e, term) =>
    e.pointer(term, e.sizeOf({ arg: name }, ''), () => new Uint8Array(0), true);
const times =
  (layout: 'timespec' | 'timeval'): ArgReader =>
  (e, term) =>
    e.pointer(term, 32, (t) => {
      const bytes = new Uint8Array(32);
      const view = new DataView(bytes.buffer);
      t.parts.slice(0, 2).forEach((part, i) => {
        // UTIME_NOW stands alone, in place of the whole time.
        if (part.kind === 'symbol') view.setBigInt64(16 * i + 8, e.values.need(part, 'time'), true);
        else bytes.set(e.structs.of(LAYOUTS[layout], part), 16 * i);
      });
      return bytes;
    });
const limitedBuffer =
  (length: string): ArgReader =>
  (e, term) => {
    const size = e.sizeOf({ arg: length }, '');
    return e.pointer(term, size, (t) => e.bytes(t, size));
  };
const outBuffer =
  (length: string): ArgReader =>
  (e, term) => {
    const size = e.sizeOf({ arg: length }, '');
    return e.pointer(term, size, (t) => e.bytes(t, size), true);
  };
const messages =
  (out: boolean): ArgReader =>
  (e, term) =>
    e.pointer(term, 64 * 1024, (t) => {
      const pieces = t.parts.map((part) => {
        const header = part.field('msg_hdr');
        const bytes = new Uint8Array(64);
        if (header?.kind === 'struct') bytes.set(messageHeader(e, header, out));
        return bytes;
      });
      return Buffer.concat(pieces);
    });
/** A message of unknown size: its struct is an input even where its contents are outputs. */
const message =
  (out: boolean): ArgReader =>
  (e, term) =>
    e.pointer(term, 56, (t) => messageHeader(e, t, out));
const messageBuffer: ArgReader = (e, term) =>
  e.pointer(term, 8 + e.sizeOf({ arg: 'msgsz' }, ''), (t) => {
    const text = latin1(t.field('mtext')?.text ?? t.parts.at(-1)?.text ?? '');
    const type = t.field('mtype') ?? t.parts[0];
    return Buffer.concat([wordBytes('i64', [type === undefined ? 0n : (e.values.number(type) ?? 0n)]), text]);
  });
const option: ArgReader = (e, term) => {
  if (term.kind === 'string') return e.pointer(term, 64, (t) => e.bytes(t, 0));
  if (term.kind === 'struct') return e.pointer(term, 64, (t) => structOfInts(e, t));
  return e.pointer(term, 64, (t) => padded(e.words(t, 'i32'), 16));
};
function structOfInts(e: Encoder, term: Term): Uint8Array {
  return padded(
    wordBytes(
      'i32',
      term.parts.map((part) => e.values.number(part) ?? 0n),
    ),
    64,
  );
}
const handle: ArgReader = (e, term) =>
  e.pointer(term, 8 + 128, (t) => {
    const bytes = new Uint8Array(8 + 128);
    bytes.set(e.structs.of(LAYOUTS.file_handle, t).subarray(0, 8));
    bytes.set(latin1(t.field('f_handle')?.text ?? '').subarray(0, 128), 8);
    return bytes;
  });

const FCNTL_DESCRIPTORS = new Set([f.F_DUPFD, f.F_DUPFD_CLOEXEC]);
const FCNTL_PIDS = new Set([f.F_SETOWN]);
const fcntlArgument: ArgReader = (e, term, arg) => {
  const command = Number(e.values.number(e.terms[1]) ?? -1n);
  if (term.kind === 'struct') {
    const layout = term.field('l_type') === undefined ? LAYOUTS.f_owner_ex : LAYOUTS.flock;
    return e.pointer(term, 64, (t) => padded(e.structs.of(layout, t, pidField(e)), 64));
  }
  const value = e.values.need(term, arg.name);
  if (FCNTL_PIDS.has(command)) return e.pid(term);
  // The lowest descriptor wanted is a number, not a descriptor.
  if (FCNTL_DESCRIPTORS.has(command) || value < 4096n) return value;
  return e.pointer(term, 64, () => new Uint8Array(64));
};
const TERMIOS: readonly number[] = [io.TCGETS, io.TCSETS, io.TCSETSW, io.TCSETSF, io.TIOCGLCKTRMIOS, io.TIOCSLCKTRMIOS];
const ioctlArgument: ArgReader = (e, term, arg) => {
  const command = Number(BigInt.asUintN(32, e.values.number(e.terms[1]) ?? 0n));
  switch (term.kind) {
    case 'struct': {
      const layout: LayoutName = TERMIOS.includes(command) ? 'termios' : term.field('ws_row') ? 'winsize' : 'termios2';
      return e.pointer(term, 256, (t) => padded(e.structs.of(LAYOUTS[layout], t, descriptorField(e)), 256));
    }
    case 'array': {
      const pid = command === io.TIOCSPGRP && term.parts.length === 1;
      const value = (t: Term): Uint8Array => (pid ? wordBytes('i32', [e.pid(t.parts[0])]) : e.words(t, 'i32'));
      return e.pointer(term, 256, (t) => padded(value(t), 256));
    }
    case 'string':
      return e.placement.place(padded(e.text(term), 256));
    default: {
      const value = e.values.need(term, arg.name);
      // Small numbers are numbers; the rest of what is written bare are pointers that told nothing.
      return value < 65_536n ? value : e.pointer(term, 4096, () => new Uint8Array(0));
    }
  }
};

/** Arguments by `call.argument`, where their kind does not do. */
export const OVERRIDE_READERS: Readonly<Record<string, ArgReader | undefined>> = {
  'rt_sigprocmask.oldset': (e, term) => e.pointer(term, 8, (t) => e.signals(t), true),
  'rt_sigaction.act': struct('sigaction'),
  'rt_sigaction.oldact': struct('sigaction', true),
  'sigaltstack.ss': struct('stack_t'),
  'sigaltstack.old_ss': struct('stack_t', true),
  'waitid.infop': struct('siginfo', true, siginfoFields),
  'getrandom.buf': outBuffer('buflen'),
  'utimes.times': times('timeval'),
  'futimesat.times': times('timeval'),
  'getgroups.list': words('u32', true),
  'sched_getaffinity.mask': (e, term) =>
    e.pointer(term, e.sizeOf({ arg: 'cpusetsize' }, ''), (t) => bitMap(e.values, t, 8), true),
  'capget.datap': struct('cap_data', true),
  'sched_setparam.param': schedParam(),
  'sched_setscheduler.param': schedParam(),
  'sethostname.name': limitedBuffer('len'),
  'setdomainname.name': limitedBuffer('len'),
  'set_tid_address.tidptr': (e, term) => e.address(term),
  'memfd_create.flags': number,
  'time.tloc': words('i64', true),
  'process_vm_readv.remote_iov': (e, term) => e.pointer(term, 16, (t) => remotePieces(e, t)),
  'process_vm_writev.remote_iov': (e, term) => e.pointer(term, 16, (t) => remotePieces(e, t)),
  'process_madvise.iov': (e, term) => e.pointer(term, 16, (t) => remotePieces(e, t)),
};
/** `[5]`: strace writes the struct as its one number. */
function schedParam(): ArgReader {
  return (e, term) => e.pointer(term, 4, (t) => e.words(t, 'i32'));
}
function remotePieces(e: Encoder, term: Term): Uint8Array {
  return wordBytes(
    'u64',
    term.parts.flatMap((part) => {
      const [base, length] = [part.field('iov_base'), part.field('iov_len')];
      return base && length ? [e.address(base), e.values.number(length) ?? 0n] : [];
    }),
  );
}

/** `dynamic` arguments by their name. Those that are not here are numbers, or guessed from their form. */
export const DYNAMIC_READERS: Readonly<Record<string, ArgReader | undefined>> = {
  open_how: struct('open_how'),
  dirents: roomBySize('count'),
  dirents64: roomBySize('count'),
  utimensat_times: times('timespec'),
  file_handle: handle,
  fcntl_arg: fcntlArgument,
  ioctl_arg: ioctlArgument,
  siginfo: struct('siginfo', false, siginfoFields),
  sigaction: struct('sigaction'),
  stack_t: struct('stack_t'),
  sigevent: struct('sigevent', false, pidField),
  pollfds: array('pollfd', false, 'nfds', descriptorField),
  pselect6_sigmask: signalSetPack,
  epoll_event: struct('epoll_event'),
  epoll_events: array('epoll_event', true, 'maxevents'),
  nanosleep_remain: struct('timespec', true),
  wait_status: (e, term) => e.pointer(term, 4, (t) => wordBytes('u32', [BigInt(waitStatus(e.values, t) >>> 0)]), true),
  groups: words('u32'),
  cpu_set: mapBits,
  sched_attr: struct('sched_attr'),
  cap_header: struct('cap_header', false, pidField),
  cap_data: struct('cap_data'),
  sockaddr_len: (e, term) => e.pointer(term, 4, (t) => e.words(t, 'i32')),
  sockopt_set: option,
  sockopt_get: (e, term) =>
    e.pointer(term, 4096, (t) => (t.kind === 'string' ? e.bytes(t, 0) : e.words(t, 'i32')), true),
  mmsghdrs: messages(true),
  mincore_vec: (e, term) => e.pointer(term, 65_536, (t) => e.words(t, 'u8'), true),
  nodemask: address,
  mremap_addr: address,
  sembufs: array('sembuf'),
  msgbuf: messageBuffer,
  mq_attr: struct('mq_attr'),
  futex_waiters: array('futex_waitv', false, 'nr_futexes'),
};

/** clone's arguments are named in its text. */
const clone: CallReader = (e, terms) => {
  const named = (name: string): Term | undefined => terms.find((term) => term.name === name);
  const pointer = (name: string): bigint => {
    const term = named(name);
    if (term === undefined) return 0n;
    return term.kind === 'array' ? e.placement.room(8) : e.address(term);
  };
  const flags = named('flags');
  const value = flags === undefined ? 0n : e.values.need(flags, 'flags');
  return [value, pointer('child_stack'), pointer('parent_tid'), pointer('child_tidptr'), pointer('tls')];
};
const clone3: CallReader = (e, terms) => {
  const first = terms[0]?.kind === 'operation' ? terms[0].parts[0] : terms[0];
  const size = terms[1] === undefined ? 88n : e.values.need(terms[1], 'size');
  if (first?.kind !== 'struct') return [first === undefined ? 0n : e.address(first), size];
  const addresses = (name: string, term: Term, view: DataView, offset: number): boolean => {
    if (!['pidfd', 'child_tid', 'parent_tid', 'stack', 'tls'].includes(name)) return false;
    putScalar(view, offset, 'u64', e.address(term));
    return true;
  };
  return [e.placement.place(padded(e.structs.of(LAYOUTS.clone_args, first, addresses), Number(size & 0xffffn))), size];
};

/** What stands where depends on the operation: see futexArgs of printers/misc.ts. */
const futex: CallReader = (e, terms) => {
  const [uaddr, operation, ...rest] = terms;
  const op = e.values.need(operation, 'futex_op');
  const at = uaddr.kind === 'array' ? e.pointer(uaddr, 8, (t) => e.words(t, 'i32')) : e.address(uaddr);
  const args = [at, op, 0n, 0n, 0n, 0n];
  const value = (i: number): bigint => (rest[i] === undefined ? 0n : e.values.need(rest[i], 'value'));
  const time = (i: number): bigint =>
    rest[i] === undefined ? 0n : TIMESPEC(e, rest[i], { kind: 'int', name: 'timeout' });
  switch (Number(op) & 127) {
    case fx.FUTEX_LOCK_PI:
    case fx.FUTEX_LOCK_PI2:
      args[3] = time(0);
      break;
    case fx.FUTEX_WAIT:
    case fx.FUTEX_WAIT_BITSET:
    case fx.FUTEX_WAIT_REQUEUE_PI:
      args[2] = value(0);
      args[3] = time(1);
      if ((Number(op) & 127) === fx.FUTEX_WAIT_BITSET) args[5] = value(2);
      else if (rest[2] !== undefined) args[4] = e.address(rest[2]);
      break;
    case fx.FUTEX_WAKE_BITSET:
      args[2] = value(0);
      args[5] = value(1);
      break;
    default:
      args[2] = value(0);
      args[3] = value(1);
      if (rest[2] !== undefined) args[4] = e.address(rest[2]);
      args[5] = value(3);
  }
  return args;
};
const TIMESPEC = struct('timespec');

/** Calls whose text does not list the arguments in their order. */
export const CALL_READERS: Readonly<Record<string, CallReader | undefined>> = {
  clone,
  clone3,
  futex,
  rt_sigreturn: () => [0n],
  restart_syscall: () => [],
  sendmsg: (e, t) => [
    e.fd(t[0]),
    message(false)(e, t[1], MESSAGE),
    t[2] === undefined ? 0n : e.values.need(t[2], 'flags'),
  ],
  recvmsg: (e, t) => [
    e.fd(t[0]),
    message(true)(e, t[1], MESSAGE),
    t[2] === undefined ? 0n : e.values.need(t[2], 'flags'),
  ],
};
const MESSAGE = { kind: 'msghdr', dir: 'in', name: 'msg' } as const;
