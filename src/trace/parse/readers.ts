/**
 * What the row alone does not say about reading a call's text, by argument (`dynamic` ones by their name) and by call: the
 * counterpart of src/trace/printers.
 */
import { bitMap, putScalar, wordBytes, type FieldWriter } from './bytes.js';
import { type ArgReader, type CallReader, type Encoder } from './encode.js';
import { directoryEntries, fcntlArgument, handle, ioctlArgument, openHow } from './file-readers.js';
import { prctlArgument, seccompArguments } from './filter-readers.js';
import { messageBuffer, msgctlBuffer, semctlArgument, shmctlBuffer } from './ipc-readers.js';
import { capabilities, clone, clone3, futex } from './process-readers.js';
import { array, descriptorField, sizedBuffer, outString, pidField, struct, times, words } from './shapes.js';
import { message, messages, option, optionOut } from './socket-readers.js';
import type { Term } from './term.js';
import { waitStatus } from './wait-status.js';

const number: ArgReader = (e, term, arg) => e.values.need(term, arg.name);
const address: ArgReader = (e, term) =>
  term.kind === 'array' ? e.pointer(term, 16, (t) => e.words(t, 'u64')) : e.address(term);

/** si_int and si_ptr are two views of one word; kernel addresses are nobody's to translate. */
const siginfoFields =
  (e: Encoder): FieldWriter =>
  (name, term, view, offset, field) => {
    if (name === 'si_ptr') {
      putScalar(view, 24, 'u64', e.values.value(term));
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
    else if (name === 'sigsetsize') putScalar(view, 8, 'u64', e.values.value(term));
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
/** Arguments by `call.argument`, where their kind does not do. */
export const OVERRIDE_READERS: Readonly<Record<string, ArgReader | undefined>> = {
  'rt_sigprocmask.oldset': (e, term) => e.pointer(term, 8, (t) => e.signals(t), true),
  'rt_sigaction.act': struct('sigaction'),
  'rt_sigaction.oldact': struct('sigaction', true),
  'sigaltstack.ss': struct('stack_t'),
  'sigaltstack.old_ss': struct('stack_t', true),
  'waitid.infop': struct('siginfo', true, siginfoFields),
  'getrandom.buf': sizedBuffer('buflen', true),
  'getcwd.buf': outString('size'),
  'sendmmsg.msgvec': messages(false),
  'utimes.times': times('timeval'),
  'futimesat.times': times('timeval'),
  'getgroups.list': words('u32', true),
  'sched_getaffinity.mask': (e, term) =>
    e.pointer(term, e.sizeOf({ arg: 'cpusetsize' }, ''), (t) => bitMap(e.values, t, 8), true),
  'capget.datap': capabilities(true),
  'sched_setparam.param': schedParam(),
  'sched_setscheduler.param': schedParam(),
  'sethostname.name': sizedBuffer('len'),
  'setdomainname.name': sizedBuffer('len'),
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
      return base && length ? [e.address(base), e.values.value(length)] : [];
    }),
  );
}

/** `dynamic` arguments by their name. Those that are not here are numbers, or guessed from their form. */
export const DYNAMIC_READERS: Readonly<Record<string, ArgReader | undefined>> = {
  open_how: openHow,
  dirents: directoryEntries(false),
  dirents64: directoryEntries(true),
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
  cap_data: capabilities(),
  sockaddr_len: (e, term) => e.pointer(term, 4, (t) => e.words(t, 'i32')),
  sockopt_set: option,
  sockopt_get: optionOut,
  mmsghdrs: messages(true),
  mincore_vec: (e, term) => e.pointer(term, 65_536, (t) => e.words(t, 'u8'), true),
  nodemask: address,
  mremap_addr: address,
  sembufs: array('sembuf'),
  msgbuf: messageBuffer,
  shmctl_buf: shmctlBuffer,
  msgctl_buf: msgctlBuffer,
  semctl_arg: semctlArgument,
  seccomp_args: seccompArguments,
  prctl_arg: prctlArgument,
  mq_attr: struct('mq_attr'),
  futex_waiters: array('futex_waitv', false, 'nr_futexes'),
};

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
