/**
 * One test for each mistake that a young kernel typically makes: every one of them was found in a real one, and none may
 * ever come back here. The families' own files test the same calls in breadth; these name the mistake.
 */
import { SLOWNESS } from '../support/pace.js';
import {
  AF_UNIX,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_REALTIME,
  CLONE_CHILD_CLEARTID,
  CLONE_PARENT_SETTID,
  CLONE_VFORK,
  CLONE_VM,
  EACCES,
  EAGAIN,
  EBADF,
  ECHILD,
  EFAULT,
  EINTR,
  EINVAL,
  EISDIR,
  EMFILE,
  ENODEV,
  ENOENT,
  ENOTEMPTY,
  EPERM,
  EPIPE,
  EPOLLET,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EROFS,
  ESRCH,
  ETIMEDOUT,
  EXDEV,
  FD_CLOEXEC,
  FREE_BASE,
  FUTEX_PRIVATE_FLAG,
  FUTEX_WAIT,
  FUTEX_WAKE,
  F_DUPFD,
  F_GETFD,
  F_GETFL,
  F_GETPIPE_SZ,
  F_SETFL,
  F_SETLK,
  F_WRLCK,
  ITIMER_REAL,
  LOCK_SH,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MS_RDONLY,
  MS_REMOUNT,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_LARGEFILE,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PAGE,
  POLLHUP,
  POLLIN,
  PROC_SUPER_MAGIC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  PR_GET_DUMPABLE,
  RLIMIT_NOFILE,
  R_OK,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_SIGINFO,
  SEEK_DATA,
  SEEK_HOLE,
  SEEK_SET,
  SIGALRM,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGPIPE,
  SIGSEGV,
  SIGSTOP,
  SIGTERM,
  SIGUSR1,
  SIGUSR2,
  SIGWINCH,
  SIG_BLOCK,
  SIG_IGN,
  SOCK_STREAM,
  S_IFIFO,
  S_IFREG,
  WEXITED,
  WILD,
  WNOHANG,
  WUNTRACED,
  hostArch,
  load32,
  maskOf,
  statfsLayout,
  syscallTest,
  type Call,
  type S,
} from '../support/index.js';

const RW = O_CREAT | O_RDWR;

// ---- memory ----

syscallTest('the argument of brk is an address, not an increment', (s) => {
  const start = s.brk(0).succeeds();
  const end = s.brk(start.plus(0x2000)).succeeds();
  s.check(
    'the new break is returned',
    (v) => v.value(end) === v.value(start) + 0x2000 || `${v.value(end) - v.value(start)}`,
  );
  s.touch(start.plus(0x1fff), 'write').returns(0);
});

syscallTest('memory of brk is copied by fork', (s) => {
  const start = s.brk(0).succeeds();
  s.brk(start.plus(PAGE)).succeeds();
  s.store(start, 4, 0x12345678);
  const child = s.fork((c) => void c.peek(start, Buffer.from('78563412', 'hex')));
  s.wait(child).exited(0);
});

syscallTest('read-only and inaccessible pages are enforced, data is not executable', (s) => {
  s.onSignal(SIGSEGV);
  s.sees(SIGSEGV, SIGSEGV, SIGSEGV);
  const map = (prot: number) =>
    s.mmap(FREE_BASE, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0).returns(FREE_BASE);
  map(PROT_READ);
  s.touch(FREE_BASE, 'write').faults();
  map(PROT_NONE);
  s.touch(FREE_BASE).faults();
  map(PROT_READ | PROT_WRITE);
  s.touch(FREE_BASE, 'execute').faults();
});

syscallTest('MAP_SHARED | MAP_ANONYMOUS is shared over fork', (s) => {
  s.mmap(FREE_BASE, PAGE, 3, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0).returns(FREE_BASE);
  const child = s.fork((c) => void c.store(FREE_BASE, 1, 9));
  s.wait(child).exited(0);
  s.touch(FREE_BASE).returns(9);
});

syscallTest('MAP_SHARED file mappings exist', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.write(fd, 'abc');
  const p = s.mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0).address();
  s.store(p, 1, 0x58);
  const b = s.buffer(3);
  s.pread64(fd, b, 3, 0).returns(3);
  b.is('Xbc');
});

syscallTest('mmap takes a hint, MAP_FIXED unmaps what was there', (s) => {
  s.mmap(FREE_BASE, 2 * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0).returns(FREE_BASE);
  s.store(FREE_BASE, 1, 7);
  s.mmap(FREE_BASE, PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0).returns(FREE_BASE);
  s.touch(FREE_BASE).returns(0);
});

syscallTest('a buffer that crosses pages is copied whole', (s) => {
  const b = s.pages(3, 0x41);
  const fd = s.open('f', RW, 0o600);
  s.call('write', fd, b.plus(4090), 5000).returns(5000);
  s.lseek(fd, 0, SEEK_SET).returns(0);
  s.call('read', fd, b.plus(100), 5000).returns(5000);
  s.reads(s.open('f', O_RDONLY), 'A'.repeat(5000), 6000);
});

syscallTest('a fault is a signal to the process, not the end of the kernel', (s) => {
  const child = s.fork((c) => {
    c.touch(8, 'write').optional();
    c.exit(1);
  });
  s.wait(child).killed(SIGSEGV);
});

// ---- futexes, threads ----

syscallTest('FUTEX_PRIVATE_FLAG is understood', (s) => {
  const f = s.word(1);
  s.futex(f, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1).returns(0);
  s.futex(f, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, null).fails(EAGAIN);
});

syscallTest('futex waits honour their timeout', (s) => {
  s.futex(s.word(0), FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, s.ms(10))
    .fails(ETIMEDOUT)
    .takes(10);
});

syscallTest('futexes at equal addresses of different processes are different', (s) => {
  const f = s.word(0);
  const child = s.fork((c) => void c.futex(f, FUTEX_WAIT, 0, c.ms(15)).fails(ETIMEDOUT));
  s.waitBlocked(child);
  s.futex(f, FUTEX_WAKE, 1).returns(0);
  s.wait(child).exited(0);
});

syscallTest('the end of a thread clears its id and wakes who joins', (s) => {
  const tid = s.word(0x7fff_ffff).pid(0);
  s.thread((t) => void t.sleep(2), {
    parentTid: tid,
    childTid: tid,
    flags: CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
  });
  s.futex(tid, FUTEX_WAIT, load32(tid), s.timespec(5)).oneOf(0, -EAGAIN);
  s.waitWord(tid, 0);
});

syscallTest('getpid is the process id in every thread', (s) => {
  const me = s.getpid().pid();
  const done = s.word(0);
  s.thread((t) => {
    const [pid, tid] = [t.getpid().pid(), t.gettid().pid()];
    t.check('ids', (v) => (v.value(pid) === v.value(me) && v.value(tid) !== v.value(me)) || `${v.value(pid)}`);
    t.store(done, 4, 1);
  });
  s.waitWord(done, 1);
});

syscallTest('the end of a thread leaves the descriptors open', (s) => {
  const p = s.pipe();
  const tid = s.word(1);
  s.thread(() => undefined, { childTid: tid, flags: CLONE_CHILD_CLEARTID });
  s.waitWord(tid, 0);
  s.write(p.w, 'x');
});

syscallTest('threads start with the working directory, handlers and mask of their process', (s) => {
  s.mkdir('d');
  s.chdir('d').returns(0);
  s.sigmask(SIG_BLOCK, SIGUSR1);
  s.ignoreSignal(SIGUSR2);
  const done = s.word(0);
  s.thread((t) => {
    const b = t.buffer(64).ignore();
    t.getcwd(b, 64).returns(`/tmp/t${t.script.number}/d`.length + 1);
    const mask = t.buffer(8);
    t.rt_sigprocmask(SIG_BLOCK, null, mask, 8).returns(0);
    mask.u64(0, Number(maskOf(SIGUSR1)));
    const old = t.buffer(32).ignore();
    t.rt_sigaction(SIGUSR2, null, old, 8).returns(0);
    old.u64(0, SIG_IGN);
    t.store(done, 4, 1);
  });
  s.waitWord(done, 1);
});

syscallTest('exit_group ends every thread', (s) => {
  const child = s.fork((c) => {
    c.thread((t) => void t.call('exit_group', 5).optional()).optional();
    c.pause().optional();
  });
  s.wait(child).exited(5);
});

// ---- processes ----

syscallTest('clone with CLONE_VM | CLONE_VFORK and a stack: the child runs on it, the parent waits', (s) => {
  const word = s.word(0);
  const child = s.clone(CLONE_VM | CLONE_VFORK | SIGCHLD, { stack: s.stack() }, (c) => {
    c.sleep(2);
    c.store(word, 4, 3);
    c.exit(1);
  });
  word.u32(0, 3);
  s.wait(child).exited(1);
});

syscallTest('wait4(-1) reaps own children only', (s) => {
  const p = s.pipe();
  const child = s.fork((c) => {
    const grandchild = c.fork((g) => void g.exit(7));
    c.waitBlocked(grandchild); // a zombie
    c.write(p.w, 'x');
    c.sleep(3);
    c.wait(grandchild).exited(7);
  });
  s.reads(p.r, 'x', 1);
  s.wait(-1).exited(0);
  s.check('child', (v) => v.value(child) > 0 || 'none');
});

syscallTest('wait4 without children is ECHILD', (s) => {
  s.call('wait4', -1, null, 0, null).fails(ECHILD);
  s.call('wait4', -1, null, WNOHANG, null).fails(ECHILD);
});

syscallTest('the status tells a signal from an exit', (s) => {
  const child = s.fork((c) => {
    c.kill(c.getpid().pid(), SIGTERM).optional();
    c.pause().optional();
  });
  s.wait(child).killed(SIGTERM);
});

syscallTest('wait4 fills in the usage', (s) => {
  const child = s.fork((c) => void c.exit(0));
  const usage = s.buffer(144).ignore();
  s.call('wait4', child, null, 0, usage).pid();
  s.check('written', (v) => !v.bytes(usage.address, 144).every((byte) => byte === 0xa5) || 'untouched');
});

syscallTest('SIGCHLD is sent', (s) => {
  s.onSignal(SIGCHLD, undefined, { flags: SA_RESTART });
  s.sees(SIGCHLD);
  s.wait(s.fork((c) => void c.exit(0))).exited(0);
  s.getpid().pid();
});

syscallTest('orphans get a new parent', (s) => {
  const [p, q] = [s.pipe(), s.pipe()];
  const child = s.fork((c) => {
    c.fork((g) => {
      g.close(p.w);
      g.reads(p.r, '', 1);
      g.getppid().returns(1);
      g.write(q.w, 'x');
    });
  });
  s.wait(child).exited(0);
  s.close(p.w);
  s.close(q.w);
  s.reads(q.r, 'x', 2);
  s.reads(q.r, '', 1);
});

syscallTest('programs run from any filesystem, by relative paths, with #! and the x bit checked', (s) => {
  s.file('script', '#!/executor\n', 0o755);
  s.file('plain', '#!/executor\n', 0o644);
  s.call('execve', 'plain', s.strings('x'), null).fails(EACCES);
  s.exec((x) => void x.exit(0), { path: './script' });
});

syscallTest('more than 64 arguments and variables, and bytes that are no UTF-8', (s) => {
  const many = Array.from({ length: 200 }, (_, i) => `\xff${i}`);
  s.exec(
    (x) => {
      const start = x.start();
      x.check('all there', (v) => {
        const [{ a, b, payload }] = v.extra(start);
        return (a === 201n && b === 200n && payload.toString('latin1').startsWith('\xff0\0\xff1\0')) || `${a} ${b}`;
      });
    },
    { argv: many, env: many },
  );
});

syscallTest('getppid, getpgid, getsid of others', (s) => {
  const p = s.pipe();
  const child = s.fork((c) => {
    c.setpgid(0, 0).returns(0);
    c.write(p.w, 'x').optional();
    c.pause().optional();
  });
  s.reads(p.r, 'x', 1);
  const group = s.getpgid(child).pid();
  s.check('the child leads a group', (v) => v.value(group) === v.value(child) || `${v.value(group)}`);
  s.kill(child, SIGKILL).returns(0);
  s.wait(child).killed(SIGKILL);
});

// ---- signals ----

syscallTest('kill of nobody is ESRCH, signal 0 only looks', (s) => {
  s.kill(0x3ffff, SIGTERM).fails(ESRCH);
  s.kill(s.getpid().pid(), 0).returns(0);
  const set = s.buffer(8);
  s.rt_sigpending(set, 8).returns(0);
  set.u64(0, 0);
});

syscallTest('process 1 and process groups can be named', (s) => {
  s.kill(1, 0).returns(0);
  s.kill(s.getpgid(0).pid().negated(), 0).returns(0);
  s.kill(0, 0).returns(0);
});

syscallTest('handlers run, with mask, siginfo, alternate stack, SA_NODEFER and SA_RESETHAND', (s) => {
  const flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESETHAND;
  const stack = s.stack();
  s.sigaltstack(s.pack('ptr', stack, 'u32', 0, 'u64', 65536), null).returns(0);
  const mask = s.buffer(8);
  s.onSignal(
    SIGUSR1,
    (h) => {
      h.rt_sigprocmask(SIG_BLOCK, null, mask, 8).returns(0);
      mask.u64(0, Number(maskOf(SIGUSR2)));
    },
    { flags, mask: [SIGUSR2] },
  );
  s.sees(SIGUSR1);
  s.kill(s.getpid().pid(), SIGUSR1).returns(0);
  s.check('on its stack', (v) => {
    const sp = Number(v.signals[0].context.readBigUInt64LE(40));
    return (sp >= stack.address && sp < stack.address + 65536) || 'elsewhere';
  });
});

syscallTest('default actions: terminate, stop, continue, ignore', (s) => {
  const child = s.fork((c) => {
    c.kill(c.getpid().pid(), SIGWINCH).returns(0);
    c.kill(c.getpid().pid(), SIGSTOP).returns(0);
    c.exit(4);
  });
  s.wait(child, WUNTRACED).stopped(SIGSTOP);
  s.kill(child, SIGCONT).returns(0);
  s.wait(child).exited(4);
});

syscallTest('signals above 31 exist', (s) => {
  s.onSignal(64);
  s.sees(64);
  s.kill(s.getpid().pid(), 64).returns(0);
});

syscallTest('SIGKILL and SIGSTOP cannot be blocked, and their action can be asked for', (s) => {
  s.rt_sigprocmask(SIG_BLOCK, s.sigset(SIGKILL, SIGSTOP), null, 8).returns(0);
  const old = s.buffer(32);
  s.rt_sigprocmask(SIG_BLOCK, null, old, 8).returns(0);
  old.u64(0, 0);
  s.rt_sigaction(SIGKILL, null, old, 8).returns(0);
});

syscallTest('rt_sigtimedwait waits for its set and its time', (s) => {
  s.sigmask(SIG_BLOCK, SIGUSR1, SIGUSR2);
  s.kill(s.getpid().pid(), SIGUSR2).returns(0);
  s.rt_sigtimedwait(s.sigset(SIGUSR1), null, s.ms(8), 8).fails(EAGAIN).takes(8);
});

syscallTest('system calls are interrupted: EINTR, SA_RESTART, the rest of a sleep', (s) => {
  s.onSignal(SIGALRM);
  // Slower than the handler on the slowest machine.
  const often = 4000 * SLOWNESS;
  s.setitimer(ITIMER_REAL, s.pack('u64', 0, 'u64', often, 'u64', 0, 'u64', often), null).returns(0);
  s.call('read', s.pipe().r, s.buffer(1), 1).fails(EINTR);
  const rest = s.timespec(0).ignore();
  s.nanosleep(s.timespec(20), rest).fails(EINTR);
  s.check('rest', (v) => v.u64(rest) === 19 || String(v.u64(rest)));
});

// ---- files ----

syscallTest('a write of more than 4096 bytes is one write', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.call('write', fd, new Uint8Array(30_000), 30_000).returns(30_000);
});

syscallTest('descriptor 0 can be written to, 1 and 2 read from, if they are open so', (s) => {
  const [a] = [s.open('f', RW, 0o600)];
  for (const fd of [0, 1, 2]) s.dup3(a, fd, 0).returns(fd);
  s.write(0, 'abc');
  s.lseek(1, 0, SEEK_SET).returns(0);
  s.reads(2, 'abc', 5);
});

syscallTest('dirfd counts for every *at call', (s) => {
  s.mkdir('d');
  const d = s.open('d', O_RDONLY);
  const st = s.stat();
  const b = s.buffer(8).ignore();
  s.openat(d, 'f', RW, 0o600).fd();
  s.mkdirat(d, 'sub', 0o755).returns(0);
  s.symlinkat('f', d, 'l').returns(0);
  s.newfstatat(d, 'f', st, 0).returns(0);
  s.statx(d, 'f', 0, 0, s.buffer(256).ignore()).returns(0);
  s.faccessat(d, 'f', R_OK).returns(0);
  s.readlinkat(d, 'l', b, 8).returns(1);
  s.linkat(d, 'f', d, 'g', 0).returns(0);
  s.renameat(d, 'g', d, 'h').returns(0);
  s.fchmodat(d, 'h', 0o600).returns(0);
  s.fchownat(d, 'h', 1, 1, 0).returns(0);
  s.utimensat(d, 'h', null, 0).returns(0);
  s.unlinkat(d, 'h', 0).returns(0);
  s.unlinkat(d, 'sub', AT_REMOVEDIR).returns(0);
});

syscallTest('relative paths follow the working directory in every call', (s) => {
  s.mkdir('d');
  s.file('d/f', 'hello');
  s.symlink('f', 'd/l');
  s.chdir('d').returns(0);
  const b = s.buffer(8).ignore();
  s.faccessat(AT_FDCWD, 'f', R_OK).returns(0);
  s.truncate('f', 3).returns(0);
  s.statx(AT_FDCWD, 'f', 0, 0, s.buffer(256).ignore()).returns(0);
  s.readlinkat(AT_FDCWD, 'l', b, 8).returns(1);
  s.linkat(AT_FDCWD, 'f', AT_FDCWD, 'g', 0).returns(0);
  s.utimensat(AT_FDCWD, 'g', null, 0).returns(0);
  s.open('../d/g', O_RDONLY);
});

syscallTest('chdir resolves links and dots; fchdir works', (s) => {
  s.mkdir('d');
  s.chdir('d/../d/.').returns(0);
  const b = s.buffer(64);
  const path = `/tmp/t${s.script.number}`;
  s.getcwd(b, 64).returns(path.length + 3);
  b.is(`${path}/d\0`);
  s.fchdir(s.open('..', O_RDONLY)).returns(0);
  s.getcwd(b, 64).returns(path.length + 1);
});

syscallTest('links in the middle of a path are followed', (s) => {
  s.mkdir('d');
  s.file('d/f');
  s.symlink('d', 'l');
  s.open('l/f', O_RDONLY);
  s.open('/proc/self/stat', O_RDONLY);
});

syscallTest('open for writing of a read-only file system fails at once', (s) => {
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', 0, null).returns(0);
  s.file('m/f');
  s.mount('none', 'm', null, MS_REMOUNT | MS_RDONLY, null).returns(0);
  s.openat(AT_FDCWD, 'm/f', O_WRONLY, 0).fails(EROFS);
  s.openat(AT_FDCWD, 'm/new', RW, 0o600).fails(EROFS);
  s.umount2('m', 0).returns(0);
});

syscallTest('each filesystem has its device number, character devices their rdev', (s) => {
  const [a, b] = [s.stat(), s.stat()];
  s.newfstatat(AT_FDCWD, '/proc', a.ignore(), 0).returns(0);
  s.newfstatat(AT_FDCWD, '/dev/null', b, 0).returns(0);
  b.has({ rdev: 0x103 });
  s.check('devices', (v) => (v.u64(a) !== v.u64(b) && v.u64(a) !== 0) || `${v.u64(a)}`);
});

syscallTest('newfstatat and statx honour their flags', (s) => {
  s.symlink('nowhere', 'l');
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'l', st, 0).fails(ENOENT);
  s.newfstatat(AT_FDCWD, 'l', st, AT_SYMLINK_NOFOLLOW).returns(0);
  s.newfstatat(s.open('.', O_RDONLY), '', st, AT_EMPTY_PATH).returns(0);
  const x = s.buffer(256).ignore();
  s.statx(AT_FDCWD, 'l', AT_SYMLINK_NOFOLLOW, 0, x).returns(0);
});

syscallTest('modes, owners and times are kept', (s) => {
  s.file('f', '', 0o640);
  s.fchmodat(AT_FDCWD, 'f', 0o604).returns(0);
  s.fchownat(AT_FDCWD, 'f', 3, 4, 0).returns(0);
  s.utimensat(AT_FDCWD, 'f', s.pack('u64', 5, 'u64', 6, 'u64', 7, 'u64', 8), 0).returns(0);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o604, uid: 3, gid: 4, atime: 5, atimeNsec: 6, mtime: 7, mtimeNsec: 8 });
});

syscallTest('permissions are checked', (s) => {
  s.file('f', '', 0o600);
  s.asUser();
  s.openat(AT_FDCWD, 'f', O_RDONLY, 0).fails(EACCES);
  s.faccessat(AT_FDCWD, 'f', R_OK).fails(EACCES);
});

syscallTest('the errors of rename, unlink and readlink', (s) => {
  s.mkdir('d');
  s.file('d/x');
  s.mkdir('e');
  s.file('f');
  s.renameat(AT_FDCWD, 'f', AT_FDCWD, 'd').fails(EISDIR);
  s.renameat(AT_FDCWD, 'e', AT_FDCWD, 'd').fails(ENOTEMPTY);
  s.unlinkat(AT_FDCWD, 'd', 0).fails(EISDIR);
  s.readlinkat(AT_FDCWD, 'f', s.buffer(4), 4).fails(EINVAL);
});

syscallTest('rename between filesystems is EXDEV', (s) => {
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', 0, null).returns(0);
  s.file('f');
  s.renameat(AT_FDCWD, 'f', AT_FDCWD, 'm/f').fails(EXDEV);
  s.umount2('m', 0).returns(0);
});

syscallTest('a refused mount leaves the old one alone, an unmount takes the files away', (s) => {
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', 0, null).returns(0);
  s.file('m/f');
  s.mount('none', 'm', 'nosuchfs', 0, null).fails(ENODEV);
  s.open('m/f', O_RDONLY);
  s.close(3);
  s.umount2('m', 0).returns(0);
  s.openat(AT_FDCWD, 'm/f', O_RDONLY, 0).fails(ENOENT);
});

syscallTest('getdents has the old layout, getdents64 all types and EINVAL for small buffers', (s) => {
  s.mkdir('d');
  s.mknodat(AT_FDCWD, 'd/p', S_IFIFO | 0o600, 0).returns(0);
  const d = s.open('d', O_RDONLY);
  const b = s.buffer(256).ignore();
  s.getdents64(d, b, 8).fails(EINVAL);
  s.getdents64(d, b, 256).returns(72);
  s.check('DT_FIFO', (v) => {
    const bytes = v.bytes(b.address, 72);
    return [0, 24, 48].some((at) => bytes[at + 18] === 1 && bytes[at + 19] === 0x70) || 'none';
  });
  s.lseek(d, 0, SEEK_SET).returns(0);
  s.getdents(d, b, 256).returns(72);
  s.check(
    'the type is the last byte',
    (v) => [23, 47, 71].every((at) => [1, 4].includes(v.bytes(b.address, 72)[at])) || 'no',
  );
});

syscallTest('SEEK_DATA and SEEK_HOLE', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.pwrite64(fd, 'x', 1, 2 * PAGE).returns(1);
  s.lseek(fd, 0, SEEK_DATA).returns(2 * PAGE);
  s.lseek(fd, 0, SEEK_HOLE).returns(0);
});

syscallTest('fsync of a bad descriptor is EBADF', (s) => {
  s.fsync(99).fails(EBADF);
  s.fdatasync(99).fails(EBADF);
  s.fadvise64(99, 0, 0, 0).fails(EBADF);
});

syscallTest('statfs tells the truth', (s) => {
  const fs = s.struct(statfsLayout, 120).ignore();
  s.statfs('/proc', fs).returns(0);
  fs.has({ type: PROC_SUPER_MAGIC });
});

// ---- descriptors, pipes, polling ----

syscallTest('pipes hold 16 pages, block when full, and honour their flags', (s) => {
  const p = s.pipe(O_NONBLOCK | O_CLOEXEC);
  s.fcntl(p.w, F_GETFD).returns(FD_CLOEXEC);
  s.call('write', p.w, new Uint8Array(17 * PAGE), 17 * PAGE).returns(16 * PAGE);
  s.call('write', p.w, 'x', 1).fails(EAGAIN);
  s.fcntl(p.w, F_SETFL, 0).returns(0);
  const writer = s.fork((c) => void c.write(p.w, 'after'));
  s.waitBlocked(writer);
  s.reads(p.r, new Uint8Array(16 * PAGE), 16 * PAGE);
  s.wait(writer).exited(0);
});

syscallTest('a write without readers raises SIGPIPE', (s) => {
  const p = s.pipe();
  s.close(p.r);
  s.onSignal(SIGPIPE);
  s.sees(SIGPIPE);
  s.call('write', p.w, 'x', 1).fails(EPIPE);
});

syscallTest('dup3 and F_DUPFD honour flags and minimum', (s) => {
  s.dup3(0, 7, O_CLOEXEC).returns(7);
  s.fcntl(7, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(0, F_DUPFD, 9).returns(9);
});

syscallTest('F_GETFL and F_SETFL are real, locks exist', (s) => {
  const fd = s.open('f', RW | O_APPEND, 0o600);
  s.fcntl(fd, F_GETFL).returns(O_RDWR | O_APPEND | O_LARGEFILE);
  s.fcntl(fd, F_SETFL, O_NONBLOCK).returns(0);
  s.fcntl(fd, F_GETFL).returns(O_RDWR | O_NONBLOCK | O_LARGEFILE);
  s.fcntl(fd, F_SETLK, s.pack('u16', F_WRLCK, 'u16', 0, 'u64', 0, 'u64', 0, 'u32', 0)).returns(0);
  s.fcntl(0, F_GETPIPE_SZ).fails(EBADF);
});

syscallTest('poll waits for its timeout, with no descriptors too, and says POLLHUP', (s) => {
  s.ppoll(null, 0, s.ms(8), null, 8).returns(0).takes(8);
  const p = s.pipe();
  const poll = s.pack('u32', p.r, 'u16', POLLIN, 'u16', 0);
  s.ppoll(poll, 1, s.ms(8), null, 8).returns(0).takes(8);
  s.close(p.w);
  s.ppoll(poll, 1, null, null, 8).returns(1);
  poll.u16(6, POLLHUP);
});

syscallTest('ppoll applies its signal mask', (s) => {
  s.onSignal(SIGUSR1);
  s.sees(SIGUSR1);
  s.sigmask(SIG_BLOCK, SIGUSR1);
  s.kill(s.getpid().pid(), SIGUSR1).returns(0);
  s.ppoll(null, 0, s.timespec(5).ignore(), s.sigset(), 8).fails(EINTR).takes(0, 4000);
});

syscallTest('epoll events have the right stride, edges and one-shots count', (s) => {
  const ep = s.epoll_create1(EPOLL_CLOEXEC).fd();
  s.fcntl(ep, F_GETFD).returns(FD_CLOEXEC);
  const stride = hostArch === 'x86_64' ? 12 : 16;
  const event = (events: number, data: number): Buffer => {
    const bytes = Buffer.alloc(stride);
    bytes.writeUInt32LE(events >>> 0, 0);
    bytes.writeUInt32LE(data, stride - 8);
    return bytes;
  };
  const kinds = [EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT];
  kinds.forEach((events, i) => s.epoll_ctl(ep, EPOLL_CTL_ADD, s.eventfd2(1, 0).fd(), event(events, i + 1)).returns(0));
  const out = s.buffer(stride * 3).ignore();
  s.epoll_pwait(ep, out, 3, 0, null, 8).returns(3);
  for (let i = 0; i < 3; i++) out.u32(i * stride, EPOLLIN).u32(i * stride + stride - 8, i + 1);
  s.epoll_pwait(ep, out, 3, 0, null, 8).returns(1);
  out.u32(stride - 8, 1);
});

syscallTest('eventfd can be read and written', (s) => {
  const fd = s.eventfd2(3, 0).fd();
  const b = s.buffer(8);
  s.call('read', fd, b, 8).returns(8);
  b.u64(0, 3);
  s.call('write', fd, s.quad(1), 8).returns(8);
});

syscallTest('socketpair works both ways', (s) => {
  const fds = s.pack('u32', 0, 'u32', 0);
  s.socketpair(AF_UNIX, SOCK_STREAM, 0, fds).returns(0);
  s.write(load32(fds), 'there');
  s.write(load32(fds, 4), 'back');
  s.reads(load32(fds), 'back', 9);
  s.reads(load32(fds, 4), 'there', 9);
});

// ---- identity, time, system ----

syscallTest('ids can be changed and are then different', (s) => {
  s.setgid(5).returns(0);
  s.setuid(6).returns(0);
  s.getgid().returns(5);
  s.geteuid().returns(6);
  s.setuid(0).fails(EPERM);
});

syscallTest('CLOCK_REALTIME is not CLOCK_MONOTONIC, and gettimeofday is not 1970', (s) => {
  const [real, mono, tv] = [s.buffer(16).ignore(), s.buffer(16).ignore(), s.buffer(16).ignore()];
  s.clock_gettime(CLOCK_REALTIME, real).returns(0);
  s.clock_gettime(CLOCK_MONOTONIC, mono).returns(0);
  s.gettimeofday(tv, null).returns(0);
  s.check(
    'times',
    (v) => (v.u64(real) > 1e9 && v.u64(mono) < 1e9 && v.u64(tv) > 1e9) || `${v.u64(real)} ${v.u64(mono)}`,
  );
  s.clock_getres(CLOCK_PROCESS_CPUTIME_ID, real).returns(0);
});

syscallTest('limits are stored and enforced', (s) => {
  s.prlimit64(0, RLIMIT_NOFILE, s.pack('u64', 4, 'u64', 4), null).returns(0);
  const b = s.buffer(16);
  s.prlimit64(0, RLIMIT_NOFILE, null, b).returns(0);
  b.u64(0, 4);
  s.dup(0).returns(3);
  s.dup(0).fails(EMFILE);
});

syscallTest('getrandom refuses unknown flags, reboot unknown magic numbers', (s) => {
  s.getrandom(s.buffer(8), 8, 0x80).fails(EINVAL);
  s.reboot(1, 2, 0x1234567, null).fails(EINVAL);
});

syscallTest('uname says Linux', (s) => {
  const u = s.buffer(390).ignore();
  s.uname(u).returns(0);
  u.is('Linux\0');
});

/** Calls that must be there: each is given arguments that it refuses, but never with ENOSYS. */
const present: Record<string, (s: S) => Call> = {
  pselect6: (s) => s.pselect6(-1, null, null, null, null, null).fails(EINVAL),
  tgkill: (s) => s.tgkill(-1, 1, 0).fails(EINVAL),
  rt_sigsuspend: (s) => s.rt_sigsuspend(null, 4).fails(EINVAL),
  rt_sigpending: (s) => s.rt_sigpending(s.buffer(8).ignore(), 8).returns(0),
  rt_sigqueueinfo: (s) => s.rt_sigqueueinfo(1, 1, WILD).fails(EFAULT),
  setitimer: (s) => s.setitimer(9, s.buffer(32, 0), null).fails(EINVAL),
  timer_create: (s) => s.timer_create(99, null, s.word()).fails(EINVAL),
  timerfd_create: (s) => s.timerfd_create(99, 0).fails(EINVAL),
  signalfd4: (s) => s.signalfd4(-1, s.sigset(), 4, 0).fails(EINVAL),
  inotify_init1: (s) => s.inotify_init1(1).fails(EINVAL),
  linkat: (s) => s.linkat(AT_FDCWD, 'x', AT_FDCWD, 'y', 0).fails(ENOENT),
  mknodat: (s) => s.mknodat(AT_FDCWD, 'x/y', S_IFIFO, 0).fails(ENOENT),
  mremap: (s) => s.mremap(1, 1, 1, 0).fails(EINVAL),
  mincore: (s) => s.mincore(1, 1, null).fails(EINVAL),
  memfd_create: (s) => s.memfd_create('x', 0).fd(),
  flock: (s) => s.flock(99, LOCK_SH).fails(EBADF),
  fallocate: (s) => s.fallocate(99, 0, 0, 1).fails(EBADF),
  copy_file_range: (s) => s.copy_file_range(99, null, 98, null, 1, 0).fails(EBADF),
  splice: (s) => s.splice(99, null, 98, null, 1, 0).fails(EBADF),
  preadv: (s) => s.preadv(99, null, 0, 0, 0).fails(EBADF),
  pwritev: (s) => s.pwritev(99, null, 0, 0, 0).fails(EBADF),
  getsid: (s) => s.getsid(0).pid(),
  getgroups: (s) => s.getgroups(0, null).returns(0),
  setgroups: (s) => s.setgroups(0, null).returns(0),
  prctl: (s) => s.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0).returns(1),
  set_robust_list: (s) => s.set_robust_list(null, 1).fails(EINVAL),
  rseq: (s) => s.rseq(null, 0, 9, 0).fails(EINVAL),
  clone3: (s) => s.call('clone3', WILD, 1).fails(EINVAL),
  execveat: (s) => s.call('execveat', 99, 'x', null, null, 0).fails(EBADF),
  waitid: (s) => s.waitid(99, 0, null, WEXITED, null).fails(EINVAL),
  times: (s) => s.times(null).succeeds(),
  prlimit64: (s) => s.prlimit64(0, 99, null, null).fails(EINVAL),
  getpriority: (s) => s.getpriority(9, 0).fails(EINVAL),
  sethostname: (s) => s.sethostname('x', -1).fails(EINVAL),
  chroot: (s) => s.chroot('missing').fails(ENOENT),
  renameat2: (s) => s.renameat2(AT_FDCWD, 'a', AT_FDCWD, 'b', 0x100).fails(EINVAL),
  faccessat2: (s) => s.faccessat2(AT_FDCWD, 'x', 0, 0x8000).fails(EINVAL),
  epoll_pwait: (s) => s.epoll_pwait(99, s.buffer(16), 1, 0, null, 8).fails(EBADF),
  getxattr: (s) => s.getxattr('missing', 'user.a', null, 0).fails(ENOENT),
  fchdir: (s) => s.fchdir(99).fails(EBADF),
  listen: (s) => s.listen(99, 1).fails(EBADF),
};

syscallTest('calls that are easily forgotten', (s) => {
  for (const call of Object.values(present)) call(s);
});
