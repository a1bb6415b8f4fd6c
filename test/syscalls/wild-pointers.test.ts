/**
 * A wild pointer in every pointer argument of every implemented call, generated from the rows (test/support/wild.ts).
 *
 * VARIANTS says what the other arguments are where their kind is not enough; EXCLUDED which calls are not tried, and why.
 */
import * as k from '../support/index.js';
import { hostIsSince } from '../support/host.js';
import { load64, syscallTest, type Arg, type Call } from '../support/index.js';
import { ptr, pointerNames, tryWilds, World, type Make, type Variant } from '../support/wild.js';
import { ROWS } from '../../syscalls/table.js';

declare const test: (name: string, run: () => void) => void;

/** Calls of Linux 6.13, which a host may lack. */
const NEW = new Set(hostIsSince(6, 13) ? [] : ['setxattrat', 'getxattrat', 'listxattrat', 'removexattrat']);

const EXCLUDED: Readonly<Record<string, string>> = {
  clone: 'makes a process whatever its pointers are: the parent_tid store is not checked',
  reboot: 'would be the end of it',
  rseq: 'the address is used on the way out of the call: SIGSEGV',
  syslog: 'the kernel log of the host',
  personality: 'no pointer',
  ioprio_set: 'no pointer',
  kcmp: 'no pointer that the common types look at',
};

/** AF_UNIX address of this name. */
const unix = (name: string): Uint8Array => Buffer.from(`\x01\x00${name}\0`, 'latin1');
const SOCK_DGRAM = 2;
const SOCK_STREAM = 1;
const NONBLOCK = 0o4000;
const DONTWAIT = 0x40;
const IPC_NOWAIT = 0o4000;
const onceWild = 'would succeed';

const noHandles = (...errors: number[]) => ({
  why: 'no file handles here',
  expect: (c: Call) => c.failsWith(...errors),
});
const is = (why: string, expect: (c: Call) => unknown) => ({ why, expect });
const LOW_BITS = 'the low bits of 2^64 - 1 are lost: not unaligned';
const futexDiffers: Variant['differs'] = {
  'uaddr:minus1': is(LOW_BITS, (c) => c.fails(k.EFAULT)),
  'uaddr2:minus1': is(LOW_BITS, (c) => c.fails(k.EFAULT)),
  'uaddr:stub': is('beyond the address space here', (c) => c.fails(k.EFAULT)),
};
const anyError = (c: Call) => c.failsWith(k.EFAULT, k.EINVAL, k.ENOMEM);

// ---- what the calls need ----
const pipe = (w: World, name = 'pipe') => w.once(name, (s) => s.pipe(NONBLOCK));
/** A pipe that has 64 bytes to read. */
const full = (w: World): Arg => {
  const { r, w: end } = pipe(w, 'full');
  w.s.write(end, 'y'.repeat(64));
  return r;
};
const open = (w: World, path: string, flags = k.O_RDWR): Arg => w.once(`open ${path}`, (s) => s.open(path, flags));
const second = (w: World): Arg => w.once('second', (s) => s.open('f2', k.O_CREAT | k.O_RDWR, 0o644));
const directory = (w: World): Arg => {
  w.file();
  const fd = open(w, '.', 0);
  w.s.call('lseek', fd, 0, 0).returns(0);
  return fd;
};
const link = (w: World): Arg => w.once('link', (s) => (s.symlink('target', 'l'), 'l'));
const attribute = (w: World): Variant => {
  w.once('attribute', (s) => s.call('fsetxattr', w.file(), 'user.name', '0123456789abcdef', 16, 0).returns(0));
  return {};
};
const child = (w: World): Arg => w.s.fork((c) => c.exit(0));
const self = (w: World): Arg => w.once('self', (s) => s.call('getpid').pid());
const pidfd = (w: World): Arg => w.once('pidfd', (s) => s.call('pidfd_open', self(w), 0).fd());
const timer = (w: World): Arg =>
  w.once('timer', (s) => {
    const id = s.word();
    s.call('timer_create', 1, null, id).returns(0);
    return k.load32(id);
  });
const timerfd = (w: World): Arg => w.once('timerfd', (s) => s.call('timerfd_create', 1, NONBLOCK).fd());
const eventfd = (w: World, initial = 1): Arg =>
  w.once(`eventfd${initial}`, (s) => s.call('eventfd2', initial, NONBLOCK).fd());
const pollfd = (w: World): Arg => w.s.pack('u32', 0, 'u16', 1, 'u16', 0);
const readyEpoll = (w: World): Arg =>
  w.once('epoll', (s) => {
    const { r, w: end } = s.pipe();
    s.write(end, 'x');
    const ep = s.call('epoll_create1', 0).fd();
    s.call('epoll_ctl', ep, 1, r, s.pack('u32', 1, 'u32', 0, 'u32', 0)).returns(0);
    return ep;
  });
const bound = (w: World, name: string, type = SOCK_DGRAM): Arg =>
  w.once(`socket ${name}`, (s) => {
    const fd = s.call('socket', 1, type | NONBLOCK, 0).fd();
    s.call('bind', fd, unix(name), name.length + 3).returns(0);
    return fd;
  });
const sender = (w: World): Arg => {
  bound(w, 'rx');
  return w.once('sender', (s) => {
    const fd = bound(w, 'tx');
    s.call('connect', fd, unix('rx'), 5).returns(0);
    return fd;
  });
};
/** A datagram socket with (at least) one message. */
const received = (w: World): Arg => {
  const fd = bound(w, 'rx');
  w.s.call('recvfrom', fd, w.out(64), 64, 0, null, null).ignored();
  w.s.call('write', sender(w), 'hello world 1234', 16).returns(16);
  return fd;
};
const listening = (w: World): Arg => {
  const fd = w.once('listening', (s) => {
    const made = bound(w, 'li', SOCK_STREAM);
    s.call('listen', made, 200).returns(0);
    return made;
  });
  const client = w.s.call('socket', 1, SOCK_STREAM, 0).fd();
  w.s.call('connect', client, unix('li'), 5).returns(0);
  return fd;
};
const connected = (w: World): Arg =>
  w.once('connected', (s) => {
    const sv = s.pack('u32', 0, 'u32', 0);
    s.call('socketpair', 1, SOCK_STREAM, 0, sv).returns(0);
    return k.load32(sv);
  });
const length = (w: World): Arg => w.s.word(64).ignore(); // written before or after the address, by version
const lengthOf = (w: World, n: number): Arg =>
  w.once(`length${n}`, (s) => s.buffer(4, 0).ignore()) && w.s.word(n).ignore();
interface Message {
  name?: Arg;
  iov?: Arg;
  control?: Arg;
}
const message = (w: World, m: Message): Arg =>
  w.s
    .pack(
      ...(['ptr', m.name ?? 0, 'u32', m.name === undefined ? 0 : 64, 'u32', 0] as const),
      ...(['ptr', m.iov ?? w.s.iovec([w.out(64), 16]), 'u64', 1] as const),
      ...(['ptr', m.control ?? 0, 'u64', m.control === undefined ? 0 : 64, 'u32', 0, 'u32', 0] as const),
    )
    .ignore();
const batch = (w: World, m: Message): Arg =>
  w.s
    .pack(
      ...(['ptr', m.name ?? 0, 'u32', m.name === undefined ? 0 : 64, 'u32', 0] as const),
      ...(['ptr', m.iov ?? w.s.iovec([w.out(64), 16]), 'u64', 1] as const),
      ...(['ptr', m.control ?? 0, 'u64', m.control === undefined ? 0 : 64, 'u32', 0, 'u32', 0] as const),
      ...(['u32', 0, 'u32', 0] as const),
    )
    .ignore();
const ipc = (w: World, kind: 'shm' | 'sem' | 'msg'): Arg =>
  w.once(kind, (s) => {
    const flags = 0o600 | 0o1000;
    const id =
      kind === 'shm'
        ? s.call('shmget', 0, 4096, flags)
        : kind === 'sem'
          ? s.call('semget', 0, 1, flags)
          : s.call('msgget', 0, flags);
    w.atEnd(() =>
      kind === 'sem' ? s.call('semctl', id, 0, 0, 0).returns(0) : s.call(`${kind}ctl` as 'shmctl', id, 0, 0).returns(0),
    );
    return id.succeeds();
  });
const pending = (w: World): Arg => {
  w.once('blocked', (s) => s.sigmask(0, 10));
  w.s.call('kill', self(w), 10).returns(0);
  return w.s.sigset(10);
};
const iovBase = (w: World) => ({
  base: { arg: 'iov', make: (wild: Arg): Arg => w.s.iovec([wild, 64]) },
  secondBase: { arg: 'iov', make: (wild: Arg): Arg => w.s.iovec([w.out(64), 64], [wild, 64]) },
});
const reading = (fd: (w: World) => Arg): Make[] => [(w) => ({ args: { fd: fd(w) } })];
const vectored = (fd: (w: World) => Arg, lenient?: Variant['lenient']): Make => {
  return (w) => ({ args: { fd: fd(w) }, inner: { base: iovBase(w).base }, ...(lenient && { lenient }) });
};
/** For calls that would change the clock of the host. */
const clockless = (w: World, args: Variant['args'], ...pointers: string[]): Variant => {
  w.once('user', (s) => s.asUser());
  const wilds = ['readOnly'] as const;
  return { args: args ?? {}, skip: Object.fromEntries(pointers.map((p) => [p, { wilds, why: 'a valid time' }])) };
};
const only =
  (args: Variant['args']): Make =>
  () => ({ args: args ?? {} });
const exec: NonNullable<Variant['skip']> = {
  argv: { wilds: ['readOnly'], why: 'an empty vector: the call succeeds' },
  envp: { wilds: ['readOnly'], why: 'an empty vector: the call succeeds' },
};
const page = 0x20_4000_0000;
const addresses = (args: Variant['args']): Make => {
  return () => ({ args: { ...args }, lenient: { addr: 'not copied from' } });
};

const VARIANTS: Readonly<Record<string, readonly Make[]>> = {
  openat2: [(w) => ({ args: { how: ptr(w.zeros(24)), size: 24 } })],
  name_to_handle_at: [
    (w) => ({
      args: { handle: ptr(w.out(136)) },
      lenient: { mount_id: 'EOVERFLOW first' },
      differs: { 'handle:readOnly': noHandles(k.EOPNOTSUPP), mount_id: noHandles(k.EOPNOTSUPP) },
    }),
  ],
  open_by_handle_at: [
    (w) => ({
      args: { mount_fd: open(w, '.', 0), handle: ptr(w.zeros()) },
      differs: { handle: noHandles(k.ESTALE, k.EFAULT) },
    }),
  ],
  read: [
    ...reading((w) => w.file()),
    (w) => ({ args: { fd: full(w) } }),
    ...reading((w) => open(w, '/dev/zero')),
    ...reading((w) => open(w, '/dev/urandom')),
    ...reading((w) => eventfd(w)),
    (w) => ({ args: { fd: received(w) } }),
    (w) => ({ args: { fd: open(w, '/dev/null') }, lenient: { buf: 'nothing is read' } }),
    (w) => ({ args: { fd: open(w, '/proc/self/stat', 0) } }),
  ],
  write: [
    ...reading((w) => w.file()),
    ...reading((w) => pipe(w).w),
    (w) => ({ args: { fd: eventfd(w), count: 8 } }),
    ...reading((w) => sender(w)),
    (w) => ({ args: { fd: open(w, '/dev/null') }, lenient: { buf: 'the null device does not look' } }),
    (w) => ({ args: { fd: open(w, '/dev/full') }, lenient: { buf: 'the full device does not look' } }),
  ],
  readv: [vectored((w) => w.file()), vectored(full), vectored((w) => open(w, '/dev/zero'))],
  writev: [vectored((w) => w.file()), vectored((w) => pipe(w).w)],
  preadv: [vectored((w) => w.file())],
  pwritev: [vectored((w) => w.file())],
  preadv2: [vectored((w) => w.file())],
  pwritev2: [vectored((w) => w.file())],
  sendfile: [(w) => ({ args: { out_fd: pipe(w).w, in_fd: w.file(), offset: ptr(w.s.quad()), count: 4 } })],
  splice: [
    (w) => ({ args: { fd_in: w.file(), fd_out: pipe(w).w, off_in: ptr(w.s.quad()), off_out: null, len: 4 } }),
    (w) => ({ args: { fd_in: full(w), fd_out: w.file(), off_in: null, off_out: ptr(w.s.quad()), len: 4 } }),
  ],
  vmsplice: [vectored((w) => pipe(w).w)],
  copy_file_range: [
    (w) => ({
      args: { fd_in: w.file(), fd_out: second(w), off_in: ptr(w.s.quad()), off_out: ptr(w.s.quad()), len: 4 },
      differs: { 'off_in:readOnly': is('off_out is not stored after that', (c) => c.fails(k.EFAULT)) },
    }),
  ],
  fcntl: [5, 6, 36, 37, 15, 16, 1035, 1036].map((cmd): Make => (w) => ({ args: { cmd, arg: ptr(w.out(64)) } })),
  ioctl: [
    (w) => ({ args: { fd: full(w), request: k.FIONREAD, argp: ptr(w.out(8)) } }),
    (w) => ({ args: { fd: pipe(w).r, request: k.FIONBIO, argp: ptr(w.s.word(1)) } }),
    (w) => ({ args: { request: k.TCGETS, argp: ptr(w.out(64)) }, lenient: { argp: 'no terminal' } }),
    (w) => ({ args: { request: k.FIONREAD, argp: ptr(w.out(8)) } }),
    (w) => ({ args: { request: 0x80086601, argp: ptr(w.out(8)) } }),
    (w) => ({ args: { fd: received(w), request: k.FIONREAD, argp: ptr(w.out(8)) } }),
  ],
  statx: [(w) => ({ args: { flags: 0, mask: 0x7ff, statxbuf: w.out() } })],
  ustat: [
    (w) => {
      const st = w.once('stat', (s) => s.stat());
      w.s.call('fstat', w.file(), st).returns(0);
      return { args: { dev: load64(st) } };
    },
  ],
  sysfs: [() => ({ args: { option: 1, arg1: ptr('proc') } }), (w) => ({ args: { option: 2, arg2: ptr(w.out()) } })],
  getdents: [(w) => ({ args: { fd: directory(w), dirp: ptr(w.out()), count: 256 } })],
  getdents64: [(w) => ({ args: { fd: directory(w), dirp: ptr(w.out()), count: 256 } })],
  readlink: [(w) => ({ args: { pathname: link(w), bufsiz: 64 } })],
  readlinkat: [(w) => ({ args: { pathname: link(w), bufsiz: 64 } })],
  link: [only({ newpath: 'new' })],
  pivot_root: [only({ new_root: '/' })],
  linkat: [only({ newpath: 'new' })],
  symlink: [only({ linkpath: 'new' })],
  symlinkat: [only({ linkpath: 'new' })],
  rename: [only({ newpath: 'new' })],
  renameat: [only({ newpath: 'new' })],
  renameat2: [only({ newpath: 'new' })],
  utimensat: [(w) => ({ args: { times: ptr(w.zeros()) } })],
  setxattrat: [(w) => ({ args: { uargs: w.s.pack('ptr', 'v', 'u32', 1, 'u32', 0), usize: 16 } })],
  getxattrat: [(w) => ({ args: { uargs: w.s.pack('ptr', w.out(), 'u32', 64, 'u32', 0), usize: 16 }, ...attribute(w) })],
  ...Object.fromEntries(
    ['getxattr', 'lgetxattr', 'fgetxattr', 'listxattr', 'llistxattr', 'flistxattr', 'listxattrat'].map((name) => [
      name,
      [attribute],
    ]),
  ),
  mount: [(w) => ({ args: { filesystemtype: 'nosuchfs', data: ptr(w.zeros()) } })],
  poll: [(w) => ({ args: { fds: ptr(pollfd(w)), nfds: 1, timeout: 0 } })],
  ppoll: [(w) => ({ args: { fds: ptr(pollfd(w)), nfds: 1, sigsetsize: 8 } })],
  select: [() => ({ args: { nfds: 1 } })],
  pselect6: [
    (w) => ({
      args: { nfds: 1, sigmask: ptr(w.s.pack('ptr', w.s.sigset(), 'u64', 8)) },
      inner: { mask: { arg: 'sigmask', make: (wild) => w.s.pack('ptr', wild, 'u64', 8) } },
    }),
  ],
  epoll_ctl: [
    (w) => ({ args: { epfd: readyEpoll(w), op: 1, fd: pipe(w).r, event: ptr(w.zeros(16)) } }),
    (w) => ({ args: { epfd: readyEpoll(w), op: 3, fd: pipe(w).r, event: ptr(w.zeros(16)) } }),
  ],
  epoll_wait: [(w) => ({ args: { epfd: readyEpoll(w), events: ptr(w.out()), maxevents: 4 } })],
  epoll_pwait: [(w) => ({ args: { epfd: readyEpoll(w), events: ptr(w.out()), maxevents: 4, sigsetsize: 8 } })],
  epoll_pwait2: [(w) => ({ args: { epfd: readyEpoll(w), events: ptr(w.out()), maxevents: 4, sigsetsize: 8 } })],
  signalfd: [only({ fd: -1, sizemask: 8 })],
  signalfd4: [only({ fd: -1, sizemask: 8 })],
  timerfd_settime: [(w) => ({ args: { fd: timerfd(w) } })],
  timerfd_gettime: [(w) => ({ args: { fd: timerfd(w) } })],
  pidfd_send_signal: [(w) => ({ args: { pidfd: pidfd(w), sig: 0, info: ptr(w.zeros()) } })],
  munmap: [() => ({ args: { addr: ptr(page), length: 4096 }, lenient: { addr: 'nothing to unmap' } })],
  mprotect: [() => ({ args: { addr: ptr(page), len: 4096, prot: 1 }, lenient: { addr: 'ENOMEM' } })],
  pkey_mprotect: [() => ({ args: { addr: ptr(page), len: 4096, prot: 1, pkey: -1 }, lenient: { addr: 'ENOMEM' } })],
  mremap: [
    () => ({ args: { old_address: ptr(page), old_size: 4096, new_size: 4096 } }),
    () => ({
      args: { old_address: page, old_size: 4096, new_size: 4096, flags: 3, new_address: ptr(page) },
      lenient: { new_address: 'moves there' },
      skip: { new_address: { wilds: ['unmapped', 'guard', 'readOnly', 'straddle'], why: 'moves there' } },
    }),
  ],
  madvise: [addresses({ addr: ptr(page), length: 4096 }), addresses({ addr: ptr(page), length: 4096, advice: 4 })],
  process_madvise: [
    (w) => ({
      args: { pidfd: pidfd(w), iov: w.s.iovec([page, 4096]), vlen: 1, advice: 20 },
      inner: { base: { arg: 'iov', make: (wild) => w.s.iovec([wild, 4096]) } },
      lenient: { base: 'ENOMEM' },
      differs: {
        'base:nonCanonical': is('madvise looks at the range, not access_ok', anyError),
        'base:minus1': is('madvise looks at the range, not access_ok', anyError),
        'base:stub': is('madvise looks at the range, not access_ok', anyError),
      },
    }),
  ],
  mincore: [(w) => ({ args: { addr: ptr(page), length: 4096, vec: ptr(w.out(64)) }, lenient: { addr: 'ENOMEM' } })],
  msync: [addresses({ addr: ptr(page), length: 4096, flags: 4 })],
  mlock: [addresses({ addr: ptr(page), len: 4096 })],
  mlock2: [addresses({ addr: ptr(page), len: 4096 })],
  munlock: [addresses({ addr: ptr(page), len: 4096 })],
  remap_file_pages: [() => ({ args: { addr: ptr(page), size: 4096 }, lenient: { addr: 'EINVAL' } })],
  brk: [() => ({ args: { addr: ptr(0) }, result: 'free' })],
  mmap: [
    () => ({
      args: { addr: ptr(page), length: 4096, prot: 0, flags: 0x100022, fd: -1, offset: 0 },
      lenient: { addr: 'maps it' },
      differs: { 'addr:minus1': is('the host rounds it up to 0: EPERM', (c) => c.fails(k.ENOMEM)) },
    }),
  ],
  process_vm_readv: [
    (w) => ({
      args: { pid: self(w), local_iov: w.s.iovec([w.out(64), 64]), remote_iov: w.s.iovec([w.zeros(), 64]) },
      inner: {
        local: { arg: 'local_iov', make: (wild) => w.s.iovec([wild, 64]) },
        remote: { arg: 'remote_iov', make: (wild) => w.s.iovec([wild, 64]) },
      },
    }),
  ],
  process_vm_writev: [
    (w) => ({
      args: { pid: self(w), local_iov: w.s.iovec([w.zeros(), 64]), remote_iov: w.s.iovec([w.out(64), 64]) },
      inner: {
        local: { arg: 'local_iov', make: (wild) => w.s.iovec([wild, 64]) },
        remote: { arg: 'remote_iov', make: (wild) => w.s.iovec([wild, 64]) },
      },
    }),
  ],
  clone3: [
    (w) => ({
      args: { args: ptr(w.zeros()), size: 88 },
      skip: { args: { wilds: ['readOnly'], why: 'makes a process' } },
    }),
  ],
  set_tid_address: [() => ({ args: { tidptr: ptr(0) }, result: 'pid' })],
  set_robust_list: [() => ({ args: { head: ptr(0), len: 24 }, lenient: { head: 'read at exit' } })],
  execve: [
    (w) => ({
      args: { pathname: '/executor' },
      inner: {
        argument: { arg: 'argv', make: (wild) => w.s.pack('ptr', '/executor', 'ptr', wild, 'ptr', 0) },
        variable: { arg: 'envp', make: (wild) => w.s.pack('ptr', wild, 'ptr', 0) },
      },
      skip: {
        ...exec,
        argument: { wilds: ['readOnly'], why: onceWild },
        variable: { wilds: ['readOnly'], why: onceWild },
      },
    }),
  ],
  execveat: [() => ({ args: { pathname: '/executor' }, skip: exec })],
  wait4: [
    (w) => ({
      args: { pid: child(w), wstatus: ptr(w.out()) },
      differs: { 'wstatus:straddle': is('a pid', (c) => c.pid()) },
    }),
  ],
  waitid: [(w) => ({ args: { idtype: 1, id: child(w), infop: ptr(w.out()), options: 4 } })],
  getgroups: [
    (w) => {
      w.once('groups', (s) => s.call('setgroups', 2, s.pack('u32', 5, 'u32', 6)).returns(0));
      return { args: { size: 16, list: ptr(w.out()) } };
    },
  ],
  setgroups: [(w) => ({ args: { size: 2, list: ptr(w.s.pack('u32', 5, 'u32', 6)) } })],
  capget: [(w) => ({ args: { hdrp: ptr(w.s.pack('u32', 0x20080522, 'u32', 0)), datap: ptr(w.out()) } })],
  capset: [(w) => ({ args: { hdrp: ptr(w.s.pack('u32', 0x20080522, 'u32', 0)), datap: ptr(w.zeros()) } })],
  rt_sigaction: [(w) => ({ args: { signum: 10, act: ptr(w.zeros()), oldact: ptr(w.out()), sigsetsize: 8 } })],
  rt_sigprocmask: [only({ sigsetsize: 8 })],
  rt_sigpending: [only({ sigsetsize: 8 })],
  rt_sigsuspend: [() => ({ args: { sigsetsize: 8 }, skip: { mask: { wilds: ['readOnly'], why: 'waits for ever' } } })],
  rt_sigtimedwait: [(w) => ({ args: { set: pending(w), info: ptr(w.out()), timeout: w.zeros(), sigsetsize: 8 } })],
  rt_sigqueueinfo: [(w) => ({ args: { tgid: self(w), sig: 0, info: ptr(w.zeros()) } })],
  rt_tgsigqueueinfo: [(w) => ({ args: { tgid: self(w), tid: self(w), sig: 0, info: ptr(w.zeros()) } })],
  sigaltstack: [
    (w) => {
      // Who ran before on this thread may have left another state than that of a new one.
      w.once('no stack', (s) => s.call('sigaltstack', s.pack('ptr', 0, 'u32', 2, 'u64', 0), 0).returns(0));
      return { args: { ss: ptr(w.s.pack('ptr', 0, 'u32', 2, 'u64', 0)), old_ss: ptr(w.out()) } };
    },
  ],
  clock_settime: [(w) => clockless(w, { clockid: 0 }, 'tp')],
  settimeofday: [(w) => clockless(w, {}, 'tv', 'tz')],
  adjtimex: [(w) => clockless(w, {})],
  clock_adjtime: [(w) => clockless(w, { clockid: 0 })],
  clock_nanosleep: [
    (w) => ({ args: { clockid: 1, remain: ptr(w.out()) }, lenient: { remain: 'written after an interruption only' } }),
  ],
  nanosleep: [(w) => ({ args: { rem: ptr(w.out()) }, lenient: { rem: 'written after an interruption only' } })],
  timer_create: [
    (w) => ({
      args: {
        clockid: 1,
        sevp: ptr(w.s.pack('u64', 0, 'u32', 0, 'u32', 1, 'u64', 0, 'u64', 0, 'u64', 0, 'u64', 0, 'u64', 0)),
      },
    }),
  ],
  timer_settime: [(w) => ({ args: { timerid: timer(w) } })],
  timer_gettime: [(w) => ({ args: { timerid: timer(w) } })],
  futex: [
    (w) => ({ differs: futexDiffers, args: { uaddr: ptr(w.s.word()), futex_op: 0, val: 1, timeout: ptr(w.zeros()) } }),
    (w) => ({
      differs: futexDiffers,
      args: { uaddr: ptr(w.s.word()), futex_op: 128, val: 1, timeout: ptr(w.zeros()) },
    }),
    (w) => ({ differs: futexDiffers, args: { uaddr: ptr(w.s.word()), futex_op: 1, val: 1 } }),
    (w) => ({
      differs: futexDiffers,
      args: { uaddr: ptr(w.s.word()), futex_op: 129, val: 1 },
      lenient: { uaddr: 'a private key is the address' },
    }),
    (w) => ({ differs: futexDiffers, args: { uaddr: ptr(w.s.word()), futex_op: 4, val: 1, uaddr2: ptr(w.s.word()) } }),
    (w) => ({ differs: futexDiffers, args: { uaddr: ptr(w.s.word()), futex_op: 5, val: 1, uaddr2: ptr(w.s.word()) } }),
    (w) => ({
      differs: futexDiffers,
      args: { uaddr: ptr(w.s.word()), futex_op: 9, val: 1, timeout: ptr(w.zeros()), val3: 1 },
    }),
  ],
  sched_setattr: [(w) => ({ args: { attr: ptr(w.zeros()) } })],
  sched_getattr: [(w) => ({ args: { attr: ptr(w.out()), size: 48 } })],
  sched_setaffinity: [(w) => ({ args: { cpusetsize: 8, mask: ptr(w.s.quad(1)) } })],
  sched_getaffinity: [(w) => ({ args: { cpusetsize: 64, mask: ptr(w.out(64)) } })],
  getrlimit: [only({ resource: 4 })],
  setrlimit: [only({ resource: 4 })],
  prlimit64: [only({ resource: 4 })],
  sethostname: [only({ len: 64 })],
  setdomainname: [only({ len: 64 })],
  prctl: [15, 16, 2, 37, 40, 25].map((option): Make => (w) => ({ args: { option, arg2: ptr(w.out()) } })),
  arch_prctl: [0x1003, 0x1004].map((code): Make => (w) => ({ args: { code, addr: ptr(w.out()) } })),
  socketpair: [only({ domain: 1, type: SOCK_STREAM })],
  bind: [(w) => ({ args: { sockfd: w.s.call('socket', 1, SOCK_DGRAM, 0).fd(), addrlen: 64 } })],
  connect: [(w) => ({ args: { sockfd: w.once('raw', (s) => s.call('socket', 1, SOCK_DGRAM, 0).fd()), addrlen: 64 } })],
  accept: [(w) => ({ args: { sockfd: listening(w), addrlen: ptr(length(w)) } })],
  accept4: [(w) => ({ args: { sockfd: listening(w), addrlen: ptr(length(w)) } })],
  getsockname: [(w) => ({ args: { sockfd: bound(w, 'rx'), addrlen: ptr(lengthOf(w, 64)) } })],
  getpeername: [(w) => ({ args: { sockfd: sender(w), addrlen: ptr(lengthOf(w, 64)) } })],
  sendto: [
    (w) => ({ args: { sockfd: sender(w), dest_addr: null, addrlen: 0, flags: DONTWAIT } }),
    (w) => ({ args: { sockfd: bound(w, 'tx'), dest_addr: unix('rx'), addrlen: 64, flags: DONTWAIT } }),
    (w) => ({ args: { sockfd: connected(w), dest_addr: null, addrlen: 0, flags: DONTWAIT } }),
  ],
  recvfrom: [(w) => ({ args: { sockfd: received(w), flags: DONTWAIT, addrlen: ptr(lengthOf(w, 64)) } })],
  sendmsg: [
    (w) => ({
      args: { sockfd: sender(w), msg: message(w, {}), flags: DONTWAIT },
      inner: {
        name: { arg: 'msg', make: (wild) => message(w, { name: wild }) },
        iov: { arg: 'msg', make: (wild) => message(w, { iov: wild }) },
        control: { arg: 'msg', make: (wild) => message(w, { control: wild }) },
        base: { arg: 'msg', make: (wild) => message(w, { iov: w.s.iovec([wild, 16]) }) },
      },
    }),
  ],
  recvmsg: [
    (w) => ({
      args: { sockfd: received(w), msg: message(w, {}), flags: DONTWAIT },
      inner: {
        name: { arg: 'msg', make: (wild) => message(w, { name: wild }) },
        iov: { arg: 'msg', make: (wild) => message(w, { iov: wild }) },
        control: { arg: 'msg', make: (wild) => message(w, { control: wild }) },
        base: { arg: 'msg', make: (wild) => message(w, { iov: w.s.iovec([wild, 16]) }) },
      },
      lenient: { control: 'no control messages' },
    }),
  ],
  sendmmsg: [
    (w) => ({
      args: { sockfd: sender(w), msgvec: ptr(batch(w, {})), vlen: 1, flags: DONTWAIT },
      inner: {
        name: { arg: 'msgvec', make: (wild) => batch(w, { name: wild }) },
        base: { arg: 'msgvec', make: (wild) => batch(w, { iov: w.s.iovec([wild, 16]) }) },
      },
    }),
  ],
  recvmmsg: [
    (w) => ({
      args: { sockfd: received(w), msgvec: ptr(batch(w, {})), vlen: 1, flags: DONTWAIT, timeout: w.zeros() },
      inner: {
        name: { arg: 'msgvec', make: (wild) => batch(w, { name: wild }) },
        base: { arg: 'msgvec', make: (wild) => batch(w, { iov: w.s.iovec([wild, 16]) }) },
      },
    }),
  ],
  setsockopt: [8, 13, 20].map((optname): Make => (w) => ({
    args: { sockfd: connected(w), level: 1, optname, optval: ptr(w.zeros(16)), optlen: 16 },
  })),
  getsockopt: [3, 13, 20, 17].map((optname): Make => (w) => ({
    args: { sockfd: connected(w), level: 1, optname, optval: ptr(w.out(16)), optlen: lengthOf(w, 16) },
  })),
  shmctl: [2, 1].map((cmd): Make => (w) => ({ args: { shmid: ipc(w, 'shm'), cmd, buf: ptr(w.out()) } })),
  semctl: [2, 1, 13, 17].map((cmd): Make => (w) => ({ args: { semid: ipc(w, 'sem'), cmd, arg: ptr(w.out()) } })),
  msgctl: [2, 1].map((cmd): Make => (w) => ({ args: { msqid: ipc(w, 'msg'), cmd, buf: ptr(w.out()) } })),
  semop: [(w) => ({ args: { semid: ipc(w, 'sem'), sops: ptr(w.zeros(8)), nsops: 1 } })],
  semtimedop: [(w) => ({ args: { semid: ipc(w, 'sem'), sops: ptr(w.zeros(8)), nsops: 1 } })],
  shmdt: [() => ({ args: { shmaddr: ptr(page) }, lenient: { shmaddr: 'EINVAL' } })],
  shmat: [(w) => ({ args: { shmid: ipc(w, 'shm'), shmaddr: ptr(0) }, lenient: { shmaddr: 'attaches there' } })],
  msgsnd: [
    (w) => ({ args: { msqid: ipc(w, 'msg'), msgp: ptr(w.s.pack('u64', 1, 'u64', 0)), msgsz: 8, msgflg: IPC_NOWAIT } }),
  ],
  msgrcv: [
    (w) => {
      const id = ipc(w, 'msg');
      w.s.call('msgsnd', id, w.s.pack('u64', 1, 'u64', 2), 8, IPC_NOWAIT).returns(0);
      return { args: { msqid: id, msgp: ptr(w.out(64)), msgflg: IPC_NOWAIT } };
    },
  ],
  inotify_add_watch: [
    (w) => ({ args: { fd: w.once('inotify', (s) => s.call('inotify_init1', NONBLOCK).fd()), mask: 2 } }),
  ],
};

const arch = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
let calls = 0;
let pointers = 0;
for (const row of ROWS) {
  if (typeof row.disposition === 'object' && 'absent' in row.disposition) continue;
  if (row.numbers[arch] === undefined || EXCLUDED[row.name] !== undefined || NEW.has(row.name)) continue;
  const variants = VARIANTS[row.name] ?? [() => ({})];
  if (VARIANTS[row.name] === undefined && pointerNames(row).length === 0) continue;
  pointers++;
  syscallTest(row.name, (s) => {
    const w = new World(s);
    for (const variant of variants) calls += tryWilds(w, row, variant);
    w.end();
  });
}

test('the generator sees what it should', () => {
  // AArch64 has no legacy calls, and an older host lacks some.
  const least = k.hostArch === 'x86_64' ? 190 : 165;
  if (pointers < least || calls < 2500) throw new Error(`only ${calls} calls of ${pointers} rows`);
  const names = new Set(ROWS.map((row) => row.name));
  const stale = [...Object.keys(VARIANTS), ...Object.keys(EXCLUDED)].filter((name) => !names.has(name));
  if (stale.length > 0) throw new Error(`no such rows: ${stale.join(', ')}`);
});
