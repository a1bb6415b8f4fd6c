/** eventfd, epoll, inotify. */
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  EAGAIN,
  EBADF,
  EEXIST,
  EFAULT,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  EINTR,
  EINVAL,
  ELOOP,
  ENOENT,
  ENOTDIR,
  EPERM,
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  ESPIPE,
  FD_CLOEXEC,
  FIONREAD,
  F_GETFD,
  IN_ACCESS,
  IN_ATTRIB,
  IN_CLOEXEC,
  IN_CLOSE_NOWRITE,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_MODIFY,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_MOVE_SELF,
  IN_NONBLOCK,
  IN_ONESHOT,
  IN_ONLYDIR,
  IN_OPEN,
  Mem,
  O_RDONLY,
  O_WRONLY,
  POLLIN,
  POLLOUT,
  SEEK_SET,
  SIGUSR1,
  SIG_BLOCK,
  WILD,
  hostArch,
  syscallTest,
  type Arg,
  type S,
} from '../support/index.js';

syscallTest('eventfd: counter, semaphore, limits', (s) => {
  const fd = s.eventfd2(5, EFD_NONBLOCK | EFD_CLOEXEC).fd();
  s.fcntl(fd, F_GETFD).returns(FD_CLOEXEC);
  const b = s.buffer(8);
  s.call('read', fd, b, 8).returns(8);
  b.u64(0, 5);
  s.call('read', fd, b, 8).fails(EAGAIN);
  s.call('write', fd, s.quad(3), 8).returns(8);
  s.call('write', fd, s.quad(4), 8).returns(8);
  s.call('read', fd, s.buffer(20), 20).returns(8);
  s.call('write', fd, s.quad(-1), 8).fails(EINVAL);
  s.call('write', fd, s.quad(-2), 8).returns(8);
  s.call('write', fd, s.quad(1), 8).fails(EAGAIN);
  s.call('write', fd, s.quad(0), 8).returns(8);
  s.call('read', fd, b, 8).returns(8);
  b.i64(0, -2);
  s.call('read', fd, b, 7).fails(EINVAL);
  s.call('write', fd, b, 7).fails(EINVAL);
  s.call('read', fd, WILD, 8).failsWith(EFAULT, EAGAIN);
  const semaphore = s.eventfd2(2, EFD_SEMAPHORE | EFD_NONBLOCK).fd();
  for (let i = 0; i < 2; i++) {
    s.call('read', semaphore, b, 8).returns(8);
    b.u64(0, 1);
  }
  s.call('read', semaphore, b, 8).fails(EAGAIN);
  s.eventfd2(0, 2).fails(EINVAL);
  s.call('eventfd', 1).fd();
  s.lseek(fd, 0, SEEK_SET).oneOf(-ESPIPE, 0);
});

syscallTest('eventfd: poll and blocking', (s) => {
  const fd = s.eventfd2(0, 0).fd();
  const poll = s.pack('u32', fd, 'u16', POLLIN | POLLOUT, 'u16', 0);
  s.ppoll(poll, 1, s.ms(0), null, 8).returns(1);
  poll.u16(6, POLLOUT);
  const child = s.fork((c) => {
    const b = c.buffer(8);
    c.call('read', fd, b, 8).returns(8);
    b.u64(0, 9);
  });
  s.waitBlocked(child);
  s.call('write', fd, s.quad(9), 8).returns(8);
  s.wait(child).exited(0);
  s.call('write', fd, s.quad(-2), 8).returns(8);
  s.ppoll(poll, 1, s.ms(0), null, 8).returns(1);
  poll.u16(6, POLLIN);
  const writer = s.fork((c) => {
    c.call('write', fd, c.quad(1), 8).returns(8);
  });
  s.waitBlocked(writer);
  s.call('read', fd, s.buffer(8), 8).returns(8);
  s.wait(writer).exited(0);
});

/** The stride of struct epoll_event: packed on x86_64 only. */
const STRIDE = hostArch === 'x86_64' ? 12 : 16;
const DATA = STRIDE - 8;
const event = (s: S, events: number, data: number | bigint): Mem => {
  const bytes = Buffer.alloc(STRIDE);
  bytes.writeUInt32LE(events >>> 0, 0);
  bytes.writeBigUInt64LE(BigInt(data), DATA);
  return s.bytes(bytes);
};
const epoll = (s: S) => s.epoll_create1(0).fd();
const add = (s: S, ep: Arg, fd: Arg, events: number, data: number) =>
  s.epoll_ctl(ep, EPOLL_CTL_ADD, fd, event(s, events, data)).returns(0);
const waits = (s: S, ep: Arg, ...expected: (readonly [events: number, data: number])[]) => {
  const out = s.buffer(STRIDE * 4).ignore(4, hostArch === 'x86_64' ? 0 : 4);
  s.epoll_pwait(ep, out, 4, 0, null, 8).returns(expected.length);
  expected.forEach(([events, data], i) => out.u32(i * STRIDE, events).u64(i * STRIDE + DATA, data));
  if (expected.length < 4) out.all(0xa5, expected.length * STRIDE);
};

syscallTest('epoll: several events with the right stride', (s) => {
  const ep = epoll(s);
  const [a, b, c] = [s.eventfd2(1, 0).fd(), s.eventfd2(1, 0).fd(), s.eventfd2(0, 0).fd()];
  add(s, ep, a, EPOLLIN, 111);
  add(s, ep, b, EPOLLIN, 222);
  add(s, ep, c, EPOLLIN | EPOLLOUT, 333);
  waits(s, ep, [EPOLLIN, 111], [EPOLLIN, 222], [EPOLLOUT, 333]);
  s.epoll_pwait(ep, s.buffer(STRIDE * 2).ignore(), 2, 0, null, 8).returns(2);
});

syscallTest('epoll: add, modify, delete and their errors', (s) => {
  const ep = epoll(s);
  const p = s.pipe();
  s.file('f');
  const f = s.open('f', O_RDONLY);
  add(s, ep, p.r, EPOLLIN, 1);
  s.epoll_ctl(ep, EPOLL_CTL_ADD, p.r, event(s, EPOLLIN, 1)).fails(EEXIST);
  s.epoll_ctl(ep, EPOLL_CTL_MOD, p.w, event(s, EPOLLIN, 1)).fails(ENOENT);
  s.epoll_ctl(ep, EPOLL_CTL_DEL, p.w, null).fails(ENOENT);
  s.epoll_ctl(ep, EPOLL_CTL_ADD, f, event(s, EPOLLIN, 1)).fails(EPERM);
  s.epoll_ctl(ep, EPOLL_CTL_ADD, ep, event(s, EPOLLIN, 1)).fails(EINVAL);
  s.epoll_ctl(ep, EPOLL_CTL_ADD, 99, event(s, EPOLLIN, 1)).fails(EBADF);
  s.epoll_ctl(99, EPOLL_CTL_ADD, p.w, event(s, EPOLLIN, 1)).fails(EBADF);
  s.epoll_ctl(p.r, EPOLL_CTL_ADD, p.w, event(s, EPOLLIN, 1)).fails(EINVAL);
  s.epoll_ctl(ep, 9, p.r, event(s, EPOLLIN, 1)).fails(EINVAL);
  s.epoll_ctl(ep, EPOLL_CTL_ADD, p.w, WILD).fails(EFAULT);
  s.epoll_ctl(ep, EPOLL_CTL_MOD, p.r, event(s, EPOLLIN, 7)).returns(0);
  s.write(p.w, 'x');
  waits(s, ep, [EPOLLIN, 7]);
  s.epoll_ctl(ep, EPOLL_CTL_DEL, p.r, WILD).returns(0); // the event is not looked at
  waits(s, ep);
});

syscallTest('epoll: level and edge', (s) => {
  const ep = epoll(s);
  const [level, edge] = [s.pipe(), s.pipe()];
  add(s, ep, level.r, EPOLLIN, 1);
  add(s, ep, edge.r, EPOLLIN | EPOLLET, 2);
  s.write(level.w, 'aa');
  s.write(edge.w, 'aa');
  waits(s, ep, [EPOLLIN, 1], [EPOLLIN, 2]);
  waits(s, ep, [EPOLLIN, 1]);
  s.reads(level.r, 'aa', 5);
  s.reads(edge.r, 'a', 1);
  waits(s, ep);
  s.write(edge.w, 'b'); // a new edge, although it was not empty
  waits(s, ep, [EPOLLIN, 2]);
  s.epoll_ctl(ep, EPOLL_CTL_MOD, edge.r, event(s, EPOLLIN | EPOLLET, 3)).returns(0);
  waits(s, ep, [EPOLLIN, 3]); // modifying arms it again
});

syscallTest('epoll: EPOLLONESHOT', (s) => {
  const ep = epoll(s);
  const fd = s.eventfd2(1, 0).fd();
  add(s, ep, fd, EPOLLIN | EPOLLONESHOT, 1);
  waits(s, ep, [EPOLLIN, 1]);
  waits(s, ep);
  s.call('write', fd, s.quad(1), 8).returns(8);
  waits(s, ep);
  s.epoll_ctl(ep, EPOLL_CTL_MOD, fd, event(s, EPOLLIN | EPOLLONESHOT, 2)).returns(0);
  waits(s, ep, [EPOLLIN, 2]);
});

syscallTest('epoll: EPOLLHUP and EPOLLERR come unasked', (s) => {
  const ep = epoll(s);
  const [p, q] = [s.pipe(), s.pipe()];
  add(s, ep, p.r, 0, 1);
  add(s, ep, q.w, 0, 2);
  waits(s, ep);
  s.close(p.w);
  s.close(q.r);
  waits(s, ep, [EPOLLHUP, 1], [EPOLLERR, 2]);
});

syscallTest('epoll: timeouts and wake-ups', (s) => {
  const ep = epoll(s);
  const p = s.pipe();
  const out = s.buffer(STRIDE);
  add(s, ep, p.r, EPOLLIN, 1);
  s.epoll_pwait(ep, out, 1, 12, null, 8).returns(0).takes(12);
  s.epoll_pwait2(ep, out, 1, s.ms(6), null, 8).returns(0).takes(6);
  s.epoll_pwait2(ep, out, 1, s.timespec(0, 1e9), null, 8).fails(EINVAL);
  s.epoll_pwait(ep, out, 0, 0, null, 8).fails(EINVAL);
  s.epoll_pwait(ep, out, -1, 0, null, 8).fails(EINVAL);
  s.epoll_pwait(99, out, 1, 0, null, 8).fails(EBADF);
  s.epoll_pwait(p.r, out, 1, 0, null, 8).fails(EINVAL);
  s.write(p.w, 'x');
  s.epoll_pwait(ep, WILD, 1, 0, null, 8).fails(EFAULT);
  s.epoll_pwait(ep, out, 1, 0, s.sigset(), 4).fails(EINVAL);
  s.reads(p.r, 'x', 1);
  out.all(0xa5);
  const child = s.fork((c) => {
    const one = c.buffer(STRIDE).ignore(4, DATA - 4);
    c.epoll_pwait(ep, one, 1, -1, null, 8).returns(1);
    one.u32(0, EPOLLIN).u64(DATA, 1);
  });
  s.waitBlocked(child);
  s.write(p.w, 'x');
  s.wait(child).exited(0);
});

syscallTest('epoll_wait, epoll_create', (s) => {
  const ep = s.epoll_create(1).fd();
  s.epoll_create(0).fails(EINVAL);
  const fd = s.eventfd2(1, 0).fd();
  s.epoll_ctl(ep, EPOLL_CTL_ADD, fd, event(s, EPOLLIN, 5)).returns(0);
  const out = s.buffer(STRIDE);
  s.epoll_wait(ep, out, 1, -1).returns(1);
  out.u32(0, EPOLLIN).u64(DATA, 5);
  s.epoll_wait(s.epoll_create1(EPOLL_CLOEXEC).fd(), out, 1, 10).returns(0).takes(10);
});

syscallTest('epoll_create1: flags', (s) => {
  const ep = s.epoll_create1(EPOLL_CLOEXEC).fd();
  s.fcntl(ep, F_GETFD).returns(FD_CLOEXEC);
  s.epoll_create1(1).fails(EINVAL);
  s.call('read', ep, s.buffer(8), 8).fails(EINVAL);
});

syscallTest('epoll: the signal mask of epoll_pwait', (s) => {
  const ep = epoll(s);
  s.onSignal(SIGUSR1);
  s.sees(SIGUSR1);
  s.sigmask(SIG_BLOCK, SIGUSR1);
  s.kill(s.getpid().pid(), SIGUSR1).returns(0);
  s.epoll_pwait(ep, s.buffer(STRIDE), 1, 1000, s.sigset(), 8).fails(EINTR).takes(0, 900);
});

syscallTest('epoll: closing the last descriptor removes it, closing a copy does not', (s) => {
  const ep = epoll(s);
  const fd = s.eventfd2(1, 0).fd();
  const copy = s.dup(fd).fd();
  add(s, ep, fd, EPOLLIN, 1);
  s.close(fd);
  waits(s, ep, [EPOLLIN, 1]);
  s.close(copy);
  waits(s, ep);
});

syscallTest('epoll in epoll, and loops', (s) => {
  const [outer, inner] = [epoll(s), epoll(s)];
  const fd = s.eventfd2(0, 0).fd();
  add(s, inner, fd, EPOLLIN, 1);
  add(s, outer, inner, EPOLLIN, 2);
  waits(s, outer);
  s.call('write', fd, s.quad(1), 8).returns(8);
  waits(s, outer, [EPOLLIN, 2]);
  waits(s, inner, [EPOLLIN, 1]);
  s.epoll_ctl(inner, EPOLL_CTL_ADD, outer, event(s, EPOLLIN, 3)).fails(ELOOP);
  s.ppoll(s.pack('u32', outer, 'u16', POLLIN, 'u16', 0), 1, s.ms(0), null, 8).returns(1);
});

syscallTest('epoll: the ready list turns round when not all fit', (s) => {
  const ep = epoll(s);
  for (let i = 0; i < 3; i++) add(s, ep, s.eventfd2(1, 0).fd(), EPOLLIN, i);
  const out = s.buffer(STRIDE).ignore(4, DATA - 4);
  for (const data of [0, 1, 2, 0]) {
    s.epoll_pwait(ep, out, 1, 0, null, 8).returns(1);
    out.u64(DATA, data);
  }
});

syscallTest('EPOLLEXCLUSIVE', (s) => {
  const ep = epoll(s);
  const fd = s.eventfd2(1, 0).fd();
  s.epoll_ctl(ep, EPOLL_CTL_ADD, fd, event(s, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 1)).fails(EINVAL);
  s.epoll_ctl(ep, EPOLL_CTL_ADD, fd, event(s, EPOLLIN | EPOLLEXCLUSIVE, 1)).returns(0);
  s.epoll_ctl(ep, EPOLL_CTL_MOD, fd, event(s, EPOLLIN, 1)).fails(EINVAL);
  waits(s, ep, [EPOLLIN, 1]);
});

interface Notice {
  wd: number;
  mask: number;
  cookie: number;
  name: string;
}

/** Reads all events that are there and compares them as "wd:mask:name". */
const notices = (s: S, fd: Arg, ...expected: string[]) => {
  const b = s.buffer(4096).ignore();
  const n = s.call('read', fd, b, 4096).succeeds();
  s.check('events', (v) => {
    const bytes = v.bytes(b.address, 4096);
    const found: Notice[] = [];
    for (let at = 0; at < v.value(n); at += 16 + bytes.readUInt32LE(at + 12)) {
      const [wd, mask, cookie, length] = [0, 4, 8, 12].map((offset) => bytes.readUInt32LE(at + offset));
      const name = bytes.subarray(at + 16, at + 16 + length);
      if (length % 16 !== 0) return `length ${length}`;
      found.push({ wd, mask, cookie, name: name.toString('latin1').replace(/\0+$/, '') });
    }
    const moved = found.filter(({ mask }) => (mask & (IN_MOVED_FROM | IN_MOVED_TO)) !== 0);
    if (moved.length === 2 && (moved[0].cookie === 0 || moved[0].cookie !== moved[1].cookie)) return 'cookies';
    const text = found.map(({ wd, mask, name }) => `${wd}:${mask.toString(16)}:${name}`).join(' ');
    return text === expected.join(' ') || text;
  });
};
const hex = (mask: number) => (mask >>> 0).toString(16);

syscallTest('inotify: events in a directory', (s) => {
  s.mkdir('d');
  const fd = s.inotify_init1(IN_NONBLOCK | IN_CLOEXEC).fd();
  s.fcntl(fd, F_GETFD).returns(FD_CLOEXEC);
  s.inotify_add_watch(fd, 'd', 0xfff).returns(1);
  s.call('read', fd, s.buffer(100), 100).fails(EAGAIN);
  s.file('d/f', 'x');
  notices(s, fd, `1:${hex(IN_CREATE)}:f`, `1:${hex(IN_OPEN)}:f`, `1:${hex(IN_MODIFY)}:f`, `1:${hex(IN_CLOSE_WRITE)}:f`);
  s.reads(s.open('d/f', O_RDONLY), 'x', 1);
  s.close(4);
  notices(s, fd, `1:${hex(IN_OPEN)}:f`, `1:${hex(IN_ACCESS)}:f`, `1:${hex(IN_CLOSE_NOWRITE)}:f`);
  s.fchmodat(AT_FDCWD, 'd/f', 0o600).returns(0);
  s.mkdir('d/sub');
  s.renameat(AT_FDCWD, 'd/f', AT_FDCWD, 'd/g').returns(0);
  notices(
    s,
    fd,
    `1:${hex(IN_ATTRIB)}:f`,
    `1:${hex(IN_CREATE | IN_ISDIR)}:sub`,
    `1:${hex(IN_MOVED_FROM)}:f`,
    `1:${hex(IN_MOVED_TO)}:g`,
  );
  s.unlinkat(AT_FDCWD, 'd/g', 0).returns(0);
  s.unlinkat(AT_FDCWD, 'd/sub', AT_REMOVEDIR).returns(0);
  notices(s, fd, `1:${hex(IN_DELETE)}:g`, `1:${hex(IN_DELETE | IN_ISDIR)}:sub`);
});

syscallTest('inotify: events of a file itself; removal', (s) => {
  s.file('f', 'abc');
  const fd = s.inotify_init1(IN_NONBLOCK).fd();
  s.inotify_add_watch(fd, 'f', IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF).returns(1);
  s.truncate('f', 1).returns(0);
  s.renameat(AT_FDCWD, 'f', AT_FDCWD, 'g').returns(0);
  notices(s, fd, `1:${hex(IN_MODIFY)}:`, `1:${hex(IN_MOVE_SELF)}:`);
  s.unlinkat(AT_FDCWD, 'g', 0).returns(0);
  notices(s, fd, `1:${hex(IN_ATTRIB)}:`, `1:${hex(IN_DELETE_SELF)}:`, `1:${hex(IN_IGNORED)}:`);
  s.inotify_rm_watch(fd, 1).fails(EINVAL);
});

syscallTest('inotify: one watch per inode; masks replaced or added; equal events merge', (s) => {
  s.mkdir('d');
  const fd = s.inotify_init1(IN_NONBLOCK).fd();
  s.inotify_add_watch(fd, 'd', IN_CREATE).returns(1);
  s.inotify_add_watch(fd, './d/.', IN_DELETE).returns(1);
  s.file('d/f');
  s.call('read', fd, s.buffer(100), 100).fails(EAGAIN);
  s.inotify_add_watch(fd, 'd', IN_CREATE | IN_MASK_ADD).returns(1);
  s.inotify_add_watch(fd, 'd', IN_CREATE | IN_MASK_CREATE).fails(EEXIST);
  s.unlinkat(AT_FDCWD, 'd/f', 0).returns(0);
  s.file('d/g');
  notices(s, fd, `1:${hex(IN_DELETE)}:f`, `1:${hex(IN_CREATE)}:g`);
  s.inotify_add_watch(fd, 'd/g', IN_MODIFY).returns(2);
  const g = s.open('d/g', O_WRONLY);
  for (let i = 0; i < 3; i++) s.write(g, 'x');
  notices(s, fd, `2:${hex(IN_MODIFY)}:`);
  s.inotify_rm_watch(fd, 2).returns(0);
  notices(s, fd, `2:${hex(IN_IGNORED)}:`);
});

syscallTest('inotify: small reads, FIONREAD, poll, IN_ONESHOT', (s) => {
  s.mkdir('d');
  const fd = s.inotify_init1(IN_NONBLOCK).fd();
  s.inotify_add_watch(fd, 'd', IN_CREATE | IN_ONESHOT).returns(1);
  s.file('d/a');
  s.file('d/b');
  const n = s.word(0);
  s.ioctl(fd, FIONREAD, n).returns(0);
  n.u32(0, 48); // create with a name, and ignored
  s.call('read', fd, s.buffer(20), 20).fails(EINVAL);
  s.ppoll(s.pack('u32', fd, 'u16', POLLIN, 'u16', 0), 1, s.ms(0), null, 8).returns(1);
  notices(s, fd, `1:${hex(IN_CREATE)}:a`, `1:${hex(IN_IGNORED)}:`);
});

syscallTest('inotify: errors', (s) => {
  s.file('f');
  const fd = s.inotify_init1(0).fd();
  s.inotify_init1(1).fails(EINVAL);
  s.inotify_add_watch(fd, 'missing', IN_OPEN).fails(ENOENT);
  s.inotify_add_watch(fd, 'f', 0).fails(EINVAL);
  s.inotify_add_watch(fd, 'f', IN_OPEN | IN_ONLYDIR).fails(ENOTDIR);
  s.inotify_add_watch(fd, WILD, IN_OPEN).fails(EFAULT);
  s.inotify_add_watch(99, 'f', IN_OPEN).fails(EBADF);
  s.inotify_add_watch(0, 'f', IN_OPEN).fails(EINVAL);
  s.inotify_rm_watch(fd, 9).fails(EINVAL);
  s.inotify_rm_watch(99, 1).fails(EBADF);
  s.call('write', fd, 'x', 1).fails(EBADF);
  s.inotify_init().fd();
});

syscallTest('inotify: a read waits', (s) => {
  s.mkdir('d');
  const fd = s.inotify_init1(0).fd();
  s.inotify_add_watch(fd, 'd', IN_CREATE).returns(1);
  const child = s.fork((c) => {
    notices(c, fd, `1:${hex(IN_CREATE)}:late`);
  });
  s.waitBlocked(child);
  s.file('d/late');
  s.wait(child).exited(0);
});
