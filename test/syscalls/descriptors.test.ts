/** dup, dup2, dup3, fcntl, flock and record locks. */
import {
  CLONE_FILES,
  EAGAIN,
  EBADF,
  EBUSY,
  EDEADLK,
  EFAULT,
  EINTR,
  EINVAL,
  EMFILE,
  ENOTTY,
  FD_CLOEXEC,
  FIOCLEX,
  FIONBIO,
  FIONCLEX,
  FIONREAD,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETLK,
  F_GETOWN,
  F_GETPIPE_SZ,
  F_GETSIG,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_RDLCK,
  F_SETFD,
  F_SETFL,
  F_SETLK,
  F_SETLKW,
  F_SETOWN,
  F_SETPIPE_SZ,
  F_SETSIG,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_LARGEFILE,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  PAGE,
  RLIMIT_NOFILE,
  SEEK_END,
  SEEK_SET,
  SIGCHLD,
  SIGUSR1,
  TCGETS,
  TIOCGWINSZ,
  WILD,
  syscallTest,
  type Call,
  type S,
} from '../support/index.js';

const RW = O_CREAT | O_RDWR;

syscallTest('dup, dup2, dup3', (s) => {
  const fd = s.open('/dev/null', O_RDWR | O_CLOEXEC).returns(3);
  s.dup(fd).returns(4);
  s.fcntl(4, F_GETFD).returns(0); // the flag is not copied
  s.dup(99).fails(EBADF);
  s.dup(-1).fails(EBADF);
  s.dup3(fd, 10, 0).returns(10);
  s.dup3(fd, 11, O_CLOEXEC).returns(11);
  s.fcntl(10, F_GETFD).returns(0);
  s.fcntl(11, F_GETFD).returns(FD_CLOEXEC);
  s.dup3(fd, fd, 0).fails(EINVAL);
  s.dup3(fd, 12, O_RDWR).fails(EINVAL);
  s.dup3(99, 12, 0).fails(EBADF);
  s.dup3(fd, -1, 0).fails(EBADF);
  s.dup3(fd, 0x7fffffff, 0).fails(EBADF);
});

syscallTest('dup2', (s) => {
  const fd = s.open('/dev/null', O_RDWR).returns(3);
  s.call('dup2', fd, 9).returns(9);
  s.call('dup2', fd, fd).returns(3); // does nothing
  s.call('dup2', 99, 99).fails(EBADF);
  s.call('dup2', 99, 3).fails(EBADF);
  s.fcntl(3, F_GETFD).returns(0); // still open
  s.call('dup2', fd, -1).fails(EBADF);
});

syscallTest('dup3 closes what was there', (s) => {
  const p = s.pipe();
  const q = s.pipe();
  s.dup3(q.w, p.w, 0).ok();
  s.reads(p.r, '', 5); // the last write end of p is gone
  s.write(p.w, 'x');
  s.reads(q.r, 'x', 5);
});

syscallTest('RLIMIT_NOFILE bounds dup3 and F_DUPFD', (s) => {
  s.prlimit64(0, RLIMIT_NOFILE, s.pack('u64', 20, 'u64', 20), null).returns(0);
  s.dup3(0, 19, 0).returns(19);
  s.dup3(0, 20, 0).fails(EBADF);
  s.fcntl(0, F_DUPFD, 20).fails(EINVAL);
  s.fcntl(0, F_DUPFD, 19).fails(EMFILE);
  s.fcntl(0, F_DUPFD, 18).returns(18);
});

syscallTest('F_DUPFD takes the lowest number from its minimum on', (s) => {
  s.fcntl(0, F_DUPFD, 10).returns(10);
  s.fcntl(0, F_DUPFD, 10).returns(11);
  s.fcntl(0, F_DUPFD, 0).returns(3);
  s.fcntl(0, F_DUPFD_CLOEXEC, 10).returns(12);
  s.fcntl(12, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(11, F_GETFD).returns(0);
  s.fcntl(0, F_DUPFD, -1).fails(EINVAL);
  s.fcntl(99, F_DUPFD, 0).fails(EBADF);
});

syscallTest('F_GETFD and F_SETFD belong to the descriptor', (s) => {
  const fd = s.open('/dev/null', O_RDWR);
  const copy = s.dup(fd).fd();
  s.fcntl(fd, F_SETFD, FD_CLOEXEC).returns(0);
  s.fcntl(fd, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(copy, F_GETFD).returns(0);
  s.fcntl(fd, F_SETFD, 0xfffffffe).returns(0);
  s.fcntl(fd, F_GETFD).returns(0);
  s.fcntl(99, F_GETFD).fails(EBADF);
  s.fcntl(99, F_SETFD, 0).fails(EBADF);
});

syscallTest('F_GETFL and F_SETFL belong to the description', (s) => {
  const fd = s.open('f', RW, 0o600);
  const copy = s.dup(fd).fd();
  s.fcntl(fd, F_GETFL).returns(O_RDWR | O_LARGEFILE);
  s.fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK).returns(0);
  s.fcntl(copy, F_GETFL).returns(O_RDWR | O_APPEND | O_NONBLOCK | O_LARGEFILE);
  s.fcntl(fd, F_SETFL, O_WRONLY | O_TRUNC | O_CREAT).returns(0); // those cannot be changed
  s.fcntl(copy, F_GETFL).returns(O_RDWR | O_LARGEFILE);
  s.write(fd, 'abc');
  s.pwrite64(fd, 'x', 1, 0).returns(1);
  s.fcntl(fd, F_SETFL, O_APPEND).returns(0);
  s.write(fd, 'end');
  s.lseek(fd, 0, SEEK_SET).returns(0);
  s.reads(fd, 'xbcend', 10);
  s.fcntl(99, F_GETFL).fails(EBADF);
});

syscallTest('F_GETFL of what is no file', (s) => {
  const p = s.pipe(O_NONBLOCK);
  s.fcntl(p.r, F_GETFL).returns(O_RDONLY | O_NONBLOCK);
  s.fcntl(p.w, F_GETFL).returns(O_WRONLY | O_NONBLOCK);
  s.fcntl(s.eventfd2(0, 0).fd(), F_GETFL).returns(O_RDWR);
  s.fcntl(s.open('.', O_RDONLY | O_DIRECTORY), F_GETFL).returns(O_DIRECTORY | O_LARGEFILE);
});

syscallTest('unknown commands and bad descriptors of fcntl', (s) => {
  s.fcntl(0, 99, 0).fails(EINVAL);
  s.fcntl(99, 99, 0).fails(EBADF);
  s.fcntl(-1, F_GETFL).fails(EBADF);
  s.fcntl(0, F_GETLK, WILD).fails(EFAULT);
  s.fcntl(0, F_SETLK, WILD).fails(EFAULT);
});

syscallTest('F_GETPIPE_SZ and F_SETPIPE_SZ', (s) => {
  const p = s.pipe();
  s.fcntl(p.r, F_GETPIPE_SZ).returns(16 * PAGE);
  s.fcntl(p.w, F_SETPIPE_SZ, PAGE + 900).returns(2 * PAGE);
  s.fcntl(p.r, F_GETPIPE_SZ).returns(2 * PAGE);
  s.fcntl(p.w, F_SETPIPE_SZ, 0).returns(PAGE);
  s.write(p.w, 'x'.repeat(PAGE));
  s.fcntl(p.w, F_SETPIPE_SZ, 16 * PAGE).returns(16 * PAGE);
  s.write(p.w, 'x'.repeat(4097));
  s.fcntl(p.w, F_SETPIPE_SZ, PAGE).fails(EBUSY);
  s.fcntl(s.open('f', RW, 0o600), F_GETPIPE_SZ).fails(EBADF);
});

syscallTest('F_GETOWN, F_SETOWN, F_GETSIG, F_SETSIG', (s) => {
  const p = s.pipe();
  const me = s.getpid().pid();
  s.fcntl(p.r, F_GETOWN).returns(0);
  s.fcntl(p.r, F_SETOWN, me).returns(0);
  s.fcntl(p.r, F_GETOWN).pid();
  s.fcntl(p.r, F_GETSIG).returns(0);
  s.fcntl(p.r, F_SETSIG, SIGUSR1).returns(0);
  s.fcntl(p.r, F_GETSIG).returns(SIGUSR1);
  s.fcntl(p.r, F_SETSIG, 65).fails(EINVAL);
});

// struct flock: type, whence, start, len, pid
const LOCK = ['u16', 'u16', 'u64', 'u64', 'u32'] as const;
const lock = (s: S, type: number, start = 0, length = 0, whence = SEEK_SET) =>
  s.pack(LOCK[0], type, LOCK[1], whence, LOCK[2], start, LOCK[3], length, LOCK[4], 0);

syscallTest('record locks: conflicts between processes, ranges, F_GETLK', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.fcntl(fd, F_SETLK, lock(s, F_WRLCK, 10, 10)).returns(0);
  s.fcntl(fd, F_SETLK, lock(s, F_RDLCK, 30, 10)).returns(0);
  const child = s.fork((c) => {
    c.fcntl(fd, F_SETLK, lock(c, F_RDLCK, 15, 1)).fails(EAGAIN);
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK, 0, 10)).returns(0);
    c.fcntl(fd, F_SETLK, lock(c, F_RDLCK, 35, 20)).returns(0);
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK, 35, 1)).fails(EAGAIN);
    const query = lock(c, F_WRLCK, 0, 0).pid(24);
    c.fcntl(fd, F_GETLK, query).returns(0);
    query.u16(0, F_WRLCK).u16(2, SEEK_SET).u64(8, 10).u64(16, 10);
    const free = lock(c, F_WRLCK, 20, 5);
    c.fcntl(fd, F_GETLK, free).returns(0);
    free.u16(0, F_UNLCK).u64(8, 20);
  });
  s.wait(child).exited(0);
  const gone = lock(s, F_WRLCK, 0, 10);
  s.fcntl(fd, F_GETLK, gone).returns(0);
  gone.u16(0, F_UNLCK); // the child's locks ended with it
});

syscallTest('record locks: split, merge, release by close', (s) => {
  const fd = s.open('f', RW, 0o600);
  const p = s.pipe();
  s.fcntl(fd, F_SETLK, lock(s, F_WRLCK, 0, 100)).returns(0);
  s.fcntl(fd, F_SETLK, lock(s, F_UNLCK, 40, 20)).returns(0);
  const child = s.fork((c) => {
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK, 39, 1)).fails(EAGAIN);
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK, 40, 20)).returns(0);
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK, 60, 1)).fails(EAGAIN);
    c.fcntl(fd, F_SETLK, lock(c, F_UNLCK, 40, 20)).returns(0);
    c.reads(p.r, 'x', 1);
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK, 0, 0)).returns(0);
  });
  s.waitBlocked(child);
  s.close(s.open('f', O_RDONLY)); // closing any descriptor of the file drops all locks of the process
  s.write(p.w, 'x');
  s.wait(child).exited(0);
});

/** A child locks `f` and runs a new program; `check` looks at its lock meanwhile. */
function lockedByExec(s: S, flags: number, check: (s: S, fd: Call) => void): void {
  const fd = s.open('f', RW, 0o600).returns(3);
  const ready = s.pipe();
  const done = s.pipe();
  ready.fds.u32(4, 5);
  done.fds.u32(0, 6);
  const child = s.fork((c) => {
    c.close(done.w);
    c.open('f', O_RDONLY | flags);
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK)).returns(0);
    c.exec((x) => {
      x.write(5, 'x');
      x.reads(6, '', 1);
      x.exit(0);
    });
  });
  s.reads(ready.r, 'x', 1);
  check(s, fd);
  s.close(done.w);
  s.wait(child).exited(0);
}

syscallTest('record locks survive exec', (s) => {
  lockedByExec(s, 0, (p, fd) => p.fcntl(fd, F_SETLK, lock(p, F_RDLCK)).fails(EAGAIN));
});

syscallTest('close-on-exec drops the record locks of the file', (s) => {
  lockedByExec(s, O_CLOEXEC, (p, fd) => p.fcntl(fd, F_SETLK, lock(p, F_RDLCK)).returns(0));
});

syscallTest('a shared descriptor table keeps its record locks when one of its users runs a program', (s) => {
  const fd = s.open('f', RW, 0o600).returns(3);
  s.fcntl(fd, F_SETLK, lock(s, F_WRLCK)).returns(0);
  const child = s.spawn('clone', [CLONE_FILES | SIGCHLD], {}, (c) => {
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK)).returns(0);
    c.exec((x) => {
      x.fcntl(3, F_SETLK, lock(x, F_RDLCK)).fails(EAGAIN);
      x.exit(0);
    });
  });
  s.wait(child).exited(0);
});

syscallTest('F_SETLKW waits, and is interrupted', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.fcntl(fd, F_SETLK, lock(s, F_WRLCK)).returns(0);
  const waiter = s.fork((c) => {
    c.fcntl(fd, F_SETLKW, lock(c, F_WRLCK)).returns(0);
  });
  s.waitBlocked(waiter);
  const other = s.fork((c) => {
    c.onSignal(SIGUSR1);
    c.sees(SIGUSR1);
    c.fcntl(fd, F_SETLKW, lock(c, F_RDLCK)).fails(EINTR);
  });
  s.waitBlocked(other);
  s.kill(other, SIGUSR1).returns(0);
  s.wait(other).exited(0);
  s.fcntl(fd, F_SETLK, lock(s, F_UNLCK)).returns(0);
  s.wait(waiter).exited(0);
});

syscallTest('F_SETLKW: a deadlock is EDEADLK', (s) => {
  const fd = s.open('f', RW, 0o600);
  const p = s.pipe();
  s.fcntl(fd, F_SETLK, lock(s, F_WRLCK, 0, 1)).returns(0);
  const child = s.fork((c) => {
    c.fcntl(fd, F_SETLK, lock(c, F_WRLCK, 1, 1)).returns(0);
    c.write(p.w, 'x');
    c.fcntl(fd, F_SETLKW, lock(c, F_WRLCK, 0, 1)).returns(0);
  });
  s.reads(p.r, 'x', 1);
  s.waitBlocked(child);
  s.fcntl(fd, F_SETLKW, lock(s, F_WRLCK, 1, 1)).fails(EDEADLK);
  s.fcntl(fd, F_SETLK, lock(s, F_UNLCK, 0, 1)).returns(0);
  s.wait(child).exited(0);
});

syscallTest('record locks: errors', (s) => {
  const fd = s.open('f', RW, 0o600);
  const r = s.open('f', O_RDONLY);
  const w = s.open('f', O_WRONLY);
  s.fcntl(r, F_SETLK, lock(s, F_WRLCK)).fails(EBADF);
  s.fcntl(w, F_SETLK, lock(s, F_RDLCK)).fails(EBADF);
  s.fcntl(fd, F_SETLK, lock(s, 9)).fails(EINVAL);
  s.fcntl(fd, F_SETLK, lock(s, F_RDLCK, -5)).fails(EINVAL);
  s.fcntl(fd, F_SETLK, lock(s, F_RDLCK, 0, 0, 9)).fails(EINVAL);
  s.fcntl(fd, F_GETLK, lock(s, F_UNLCK)).fails(EINVAL);
  s.fcntl(fd, F_SETLK, lock(s, F_RDLCK, 10, -5)).returns(0); // 5 to 9
  s.fcntl(fd, F_SETLK, lock(s, F_RDLCK, -2, 1, SEEK_END)).fails(EINVAL);
});

syscallTest('open file description locks', (s) => {
  const a = s.open('f', RW, 0o600);
  const b = s.open('f', O_RDWR);
  s.fcntl(a, F_OFD_SETLK, lock(s, F_WRLCK, 0, 10)).returns(0);
  s.fcntl(b, F_OFD_SETLK, lock(s, F_WRLCK, 5, 10)).fails(EAGAIN);
  const query = lock(s, F_WRLCK, 5, 10);
  s.fcntl(b, F_OFD_GETLK, query).returns(0);
  query.u16(0, F_WRLCK).u64(8, 0).u64(16, 10).i32(24, -1);
  s.close(s.dup(a).fd()); // does not drop them
  s.fcntl(b, F_OFD_SETLK, lock(s, F_WRLCK, 5, 10)).fails(EAGAIN);
  s.close(a);
  s.fcntl(b, F_OFD_SETLK, lock(s, F_WRLCK, 5, 10)).returns(0);
  s.fcntl(b, F_OFD_SETLK, s.pack('u16', F_WRLCK, 'u16', 0, 'u64', 0, 'u64', 0, 'u32', 7)).fails(EINVAL);
});

syscallTest('flock', (s) => {
  const a = s.open('f', RW, 0o600);
  const b = s.open('f', O_RDWR);
  s.flock(a, LOCK_EX).returns(0);
  s.flock(b, LOCK_EX | LOCK_NB).fails(EAGAIN);
  s.flock(b, LOCK_SH | LOCK_NB).fails(EAGAIN);
  s.flock(s.dup(a).fd(), LOCK_EX | LOCK_NB).returns(0); // the same description
  s.flock(a, LOCK_SH).returns(0);
  s.flock(b, LOCK_SH | LOCK_NB).returns(0);
  s.flock(a, LOCK_EX | LOCK_NB).fails(EAGAIN);
  s.flock(b, LOCK_UN).returns(0);
  s.flock(a, LOCK_EX | LOCK_NB).returns(0);
  s.flock(a, 0).fails(EINVAL);
  s.flock(a, LOCK_SH | LOCK_EX).fails(EINVAL);
  s.flock(99, LOCK_SH).fails(EBADF);
  s.fcntl(a, F_SETLK, lock(s, F_WRLCK)).returns(0); // the two kinds do not see each other
});

syscallTest('flock waits until the last copy of the descriptor is closed', (s) => {
  const a = s.open('f', RW, 0o600);
  s.flock(a, LOCK_EX).returns(0);
  const waiter = s.fork((c) => {
    c.close(a);
    c.flock(c.open('f', O_RDWR), LOCK_EX).returns(0);
  });
  s.waitBlocked(waiter);
  s.close(a);
  s.wait(waiter).exited(0);
});

syscallTest('FIONREAD, FIONBIO, FIOCLEX, and ENOTTY', (s) => {
  const p = s.pipe();
  const n = s.word(0xdddd);
  s.write(p.w, 'hello');
  s.ioctl(p.r, FIONREAD, n).returns(0);
  n.u32(0, 5);
  s.ioctl(p.r, FIONBIO, s.word(1)).returns(0);
  s.fcntl(p.r, F_GETFL).returns(O_NONBLOCK);
  s.ioctl(p.r, FIONBIO, s.word(0)).returns(0);
  s.fcntl(p.r, F_GETFL).returns(0);
  s.ioctl(p.r, FIOCLEX).returns(0);
  s.fcntl(p.r, F_GETFD).returns(FD_CLOEXEC);
  s.ioctl(p.r, FIONCLEX).returns(0);
  s.fcntl(p.r, F_GETFD).returns(0);
  s.ioctl(p.r, TCGETS, s.buffer(60)).fails(ENOTTY);
  s.ioctl(p.r, FIONREAD, WILD).fails(EFAULT);
  s.ioctl(99, FIONREAD, n).fails(EBADF);
  s.ioctl(s.open('f', RW, 0o600), TIOCGWINSZ, s.buffer(8)).fails(ENOTTY);
  s.ioctl(0, TCGETS, s.buffer(60)).fails(ENOTTY); // /dev/null
});
