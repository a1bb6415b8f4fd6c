/** fork, vfork, clone, clone3, exit, exit_group, wait4, waitid: what is shared, what is copied, who waits for whom. */
import {
  CLD_CONTINUED,
  CLD_EXITED,
  CLD_KILLED,
  CLD_STOPPED,
  CLONE_CHILD_CLEARTID,
  CLONE_CHILD_SETTID,
  CLONE_FILES,
  CLONE_FS,
  CLONE_NEWNS,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VM,
  E2BIG,
  EAGAIN,
  EBADF,
  ECHILD,
  EFAULT,
  EINVAL,
  ESRCH,
  FD_CLOEXEC,
  FUTEX_WAIT,
  F_GETFD,
  ITIMER_VIRTUAL,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  PAGE,
  POLLIN,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_PDEATHSIG,
  P_ALL,
  P_PID,
  P_PIDFD,
  RLIMIT_NPROC,
  RUSAGE_CHILDREN,
  SA_NOCLDSTOP,
  SA_SIGINFO,
  SEEK_CUR,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGSTOP,
  SIGTERM,
  SIGTSTP,
  SIGUSR1,
  SIGVTALRM,
  SIG_BLOCK,
  SIG_UNBLOCK,
  WCONTINUED,
  WEXITED,
  WILD,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
  __WALL,
  __WCLONE,
  hostArch,
  load32,
  rusageLayout,
  syscallTest,
  type Arg,
} from '../support/index.js';

syscallTest('fork copies memory and descriptors', (s) => {
  const word = s.word(1);
  const fd = s.open('f', O_CREAT | O_RDWR, 0o600);
  const child = s.fork((c) => {
    c.peek(word, '\x01\0\0\0');
    c.store(word, 4, 2);
    word.u32(0, 2);
    c.write(fd, 'child');
    c.close(fd);
    c.exit(7);
  });
  s.wait(child).exited(7);
  word.u32(0, 1);
  s.lseek(fd, 0, SEEK_CUR).returns(5);
});

syscallTest('fork and vfork by number', (s) => {
  const word = s.word(1);
  const a = s.spawn('fork', [], {}, (c) => {
    c.store(word, 4, 2);
    c.exit(1);
  });
  s.wait(a).exited(1);
  word.u32(0, 1);
  const b = s.spawn('vfork', [], { shared: true, stack: s.stack() }, (c) => {
    c.store(word, 4, 3);
    c.exit(2);
  });
  word.u32(0, 3); // the child ran first, in the same memory
  s.wait(b).exited(2);
});

syscallTest('the parent of a vfork sleeps until the child exits or executes', (s) => {
  const word = s.word(1);
  const p = s.pipe();
  const exiting = s.vfork((c) => {
    c.sleep(5);
    c.store(word, 4, 2);
    c.exit(0);
  });
  word.u32(0, 2);
  s.wait(exiting).exited(0);
  const executing = s.vfork((c) => {
    c.store(word, 4, 3);
    c.exec((x) => {
      x.reads(3, 'go', 2);
      x.exit(4);
    });
    c.exit(1);
  });
  word.u32(0, 3);
  s.write(p.w, 'go'); // it runs on while the parent does, too
  s.wait(executing).exited(4);
});

syscallTest('getpid, getppid, gettid', (s) => {
  const me = s.getpid().pid();
  const tid = s.gettid().pid();
  const child = s.fork((c) => {
    const id = c.getpid().pid();
    const parent = c.getppid().pid();
    c.check('its own id, and the parent', (v) => {
      if (v.value(parent) !== v.value(me)) return `parent ${v.value(parent)}`;
      return v.value(id) !== v.value(me) || 'the same pid';
    });
  });
  s.check('the first thread has the id of the process', (v) => v.value(me) === v.value(tid) || 'other');
  s.wait(child).exited(0);
});

syscallTest('clone: CLONE_PARENT_SETTID, CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID', (s) => {
  const parent = s.word(0).pid(0);
  const child = s.word(0).pid(0);
  const pid = s.clone(
    CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD,
    { parentTid: parent, childTid: child },
    (c) => {
      const me = c.getpid().pid();
      c.check('the child sees its id', (v) => v.u32(child) === v.value(me) || `${v.u32(child)}`);
    },
  );
  s.wait(pid).exited(0);
  s.check('the parent sees it', (v) => (v.u32(parent) === v.value(pid) && v.u32(child) === 0) || `${v.u32(parent)}`);
});

syscallTest('clone: errors', (s) => {
  s.call('clone', CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0).fails(EINVAL); // needs CLONE_VM
  s.call('clone', CLONE_THREAD | SIGCHLD, 0, 0, 0, 0).fails(EINVAL); // needs CLONE_SIGHAND
  s.call('clone', CLONE_FS | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0).fails(EINVAL);
  s.call('clone', CLONE_VM | CLONE_THREAD | SIGCHLD, 0, 0, 0, 0).fails(EINVAL);
});

syscallTest('CLONE_FILES shares the descriptor table, CLONE_FS directory and umask', (s) => {
  s.mkdir('d');
  const child = s.clone(CLONE_FILES | CLONE_FS | SIGCHLD, {}, (c) => {
    c.open('/dev/null', O_RDONLY).returns(3);
    c.chdir('d').returns(0);
    c.umask(0o077).returns(0o022);
  });
  s.wait(child).exited(0);
  s.fcntl(3, F_GETFD).returns(0);
  s.umask(0).returns(0o077);
  s.open('../d', O_RDONLY);
});

syscallTest('the exit of a process with shared descriptors does not close them', (s) => {
  const p = s.pipe();
  const child = s.clone(CLONE_FILES | SIGCHLD, {}, () => undefined);
  s.wait(child).exited(0);
  s.write(p.w, 'x');
  s.reads(p.r, 'x', 1);
});

syscallTest('clone without an exit signal: only __WCLONE or __WALL waits for it', (s) => {
  const child = s.clone(0, {}, (c) => {
    c.exit(3);
  });
  s.call('wait4', child, null, 0, null).fails(ECHILD);
  s.wait(child, __WCLONE).exited(3);
  s.ignoreSignal(SIGUSR1);
  const other = s.clone(SIGUSR1, {}, (c) => {
    c.exit(4);
  });
  s.wait(other, __WALL).exited(4);
});

syscallTest('the exit signal is the one that clone named', (s) => {
  s.onSignal(SIGUSR1);
  s.sees(SIGUSR1);
  s.sigmask(SIG_BLOCK, SIGUSR1);
  const child = s.clone(SIGUSR1, {}, (c) => {
    c.exit(4);
  });
  s.wait(child, __WALL).exited(4);
  s.sigmask(SIG_UNBLOCK, SIGUSR1);
});

syscallTest('CLONE_PARENT: the child is a sibling', (s) => {
  const p = s.pipe();
  const child = s.fork((c) => {
    const grandchild = c.clone(CLONE_PARENT | SIGCHLD, {}, (g) => {
      g.exit(9);
    });
    c.call('wait4', grandchild, null, 0, null).fails(ECHILD);
    c.store(c.word(), 4, grandchild);
    const id = c.pack('u32', grandchild).pid(0);
    c.call('write', p.w, id, 4).returns(4);
  });
  const id = s.buffer(4).pid(0);
  s.call('read', p.r, id, 4).returns(4);
  s.wait(child).exited(0);
  s.wait(load32(id)).exited(9);
});

syscallTest('clone3', (s) => {
  const parentTid = s.word().pid(0);
  const args = s.pack(
    ...['u64', CLONE_PARENT_SETTID, 'u64', 0, 'u64', 0, 'u64', parentTid, 'u64', SIGCHLD, 'u64', 0, 'u64', 0, 'u64', 0],
  );
  const child = s.spawn('clone3', [args, 64], {}, (c) => {
    c.exit(6);
  });
  s.wait(child).exited(6);
  s.check('parent tid', (v) => v.u32(parentTid) === v.value(child) || `${v.u32(parentTid)}`);
  s.call('clone3', args, 63).fails(EINVAL);
  s.call('clone3', WILD, 64).fails(EFAULT);
  s.call('clone3', s.bytes(new Uint8Array(PAGE + 900)), PAGE + 900).fails(E2BIG);
  const bad = (flags: number, signal: number) =>
    s.pack('u64', flags, 'u64', 0, 'u64', 0, 'u64', 0, 'u64', signal, 'u64', 0, 'u64', 0, 'u64', 0);
  s.call('clone3', bad(SIGCHLD, 0), 64).fails(EINVAL); // a signal in the flags
  s.call('clone3', bad(0, 100), 64).fails(EINVAL);
  s.call(
    'clone3',
    s.pack('u64', 0, 'u64', 0, 'u64', 0, 'u64', 0, 'u64', SIGCHLD, 'u64', 0x1000, 'u64', 0, 'u64', 0),
    64,
  ).fails(EINVAL); // stack size only
});

syscallTest('CLONE_PIDFD', (s) => {
  const pidfd = s.word(0);
  const child = s.clone(CLONE_PIDFD | SIGCHLD, { parentTid: pidfd }, (c) => {
    c.exit(5);
  });
  pidfd.u32(0, 3);
  s.fcntl(load32(pidfd), F_GETFD).returns(FD_CLOEXEC);
  s.ppoll(s.pack('u32', load32(pidfd), 'u16', POLLIN, 'u16', 0), 1, null, null, 8).returns(1);
  const info = s.siginfo().pid(16).ignore(32);
  s.waitid(P_PIDFD, load32(pidfd), info, WEXITED, null).returns(0);
  info.has({ signo: SIGCHLD, code: CLD_EXITED, status: 5 });
  s.check('child', (v) => v.u32(info.plus(16)) === v.value(child) || 'other');
});

syscallTest('threads share memory, descriptors, directory, handlers; exit ends one thread', (s) => {
  const word = s.word(0);
  const done = s.word(0);
  const me = s.getpid().pid();
  s.thread((t) => {
    const pid = t.getpid().pid();
    const tid = t.gettid().pid();
    t.check(
      'ids',
      (v) => (v.value(pid) === v.value(me) && v.value(tid) !== v.value(me)) || `${v.value(pid)} ${v.value(tid)}`,
    );
    t.open('/dev/null', O_RDONLY).returns(3);
    t.chdir('/').returns(0);
    t.store(word, 4, 5);
    t.store(done, 4, 1);
    t.call('exit', 3).optional();
  });
  s.waitWord(done, 1);
  word.u32(0, 5);
  s.sleep(2);
  s.fcntl(3, F_GETFD).returns(0);
  const b = s.buffer(8);
  s.getcwd(b, 8).returns(2);
});

syscallTest('CLONE_CHILD_CLEARTID wakes a futex: join', (s) => {
  const tid = s.word(0x7fff_ffff).pid(0);
  const value = s.word(0);
  s.thread(
    (t) => {
      t.sleep(2);
      t.store(value, 4, 42);
    },
    { parentTid: tid, childTid: tid, flags: CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID },
  );
  const id = load32(tid);
  s.futex(tid, FUTEX_WAIT, id, s.ms(5000)).oneOf(0, -EAGAIN);
  s.waitWord(tid, 0);
  value.u32(0, 42);
});

syscallTest('exit_group of a thread ends all', (s) => {
  const child = s.fork((c) => {
    c.thread((t) => {
      t.call('exit_group', 6).optional();
    }).optional();
    c.pause().optional();
    c.exit(1);
  });
  s.wait(child).exited(6);
});

syscallTest('the first thread may exit before the others', (s) => {
  const p = s.pipe();
  const child = s.fork((c) => {
    c.thread((t) => {
      t.sleep(5);
      t.write(p.w, 'still here');
      t.call('exit_group', 8).optional();
    });
    c.call('exit', 1).optional();
  });
  s.call('wait4', child, null, WNOHANG, null).returns(0);
  s.wait(child).exited(8);
  s.reads(p.r, 'still here', 20);
});

syscallTest('the status of the last thread counts when all exit', (s) => {
  const child = s.fork((c) => {
    c.thread((t) => {
      t.sleep(3);
      t.call('exit', 2).optional();
    });
    c.call('exit', 1).optional();
  });
  // The last thread's since Linux 5.17, the first thread's before.
  s.wait(child)
    .status.u32(0, (status) => status === 0x100 || status === 0x200)
    .ignore();
});

syscallTest('a fatal signal ends all threads', (s) => {
  const child = s.fork((c) => {
    const ready = c.word(0);
    c.thread((t) => {
      t.store(ready, 4, 1).optional();
      t.pause().optional();
    });
    c.waitWord(ready, 1);
    c.kill(c.getpid().pid(), SIGTERM).optional();
    c.pause().optional();
  });
  s.wait(child).killed(SIGTERM);
});

syscallTest('wait4: any child, a certain one, none', (s) => {
  s.call('wait4', -1, null, 0, null).fails(ECHILD);
  s.call('wait4', -1, null, WNOHANG, null).fails(ECHILD);
  s.call('wait4', s.getpid().pid(), null, 0, null).fails(ECHILD);
  s.call('wait4', 1, null, 0, null).fails(ECHILD); // not a child
  const a = s.fork((c) => {
    c.exit(1);
  });
  const b = s.fork((c) => {
    c.exit(2);
  });
  s.wait(b).exited(2);
  s.wait(a).exited(1);
  s.call('wait4', a, null, 0, null).fails(ECHILD);
});

syscallTest('wait4 by process group', (s) => {
  const own = s.fork((c) => {
    c.exit(1);
  });
  const p = s.pipe();
  const other = s.fork((c) => {
    c.setpgid(0, 0).returns(0);
    c.write(p.w, 'x');
    c.exit(2);
  });
  s.reads(p.r, 'x', 1);
  const status = s.word(0);
  s.call('wait4', other.negated(), status, 0, null).pid();
  status.u32(0, 0x200);
  s.call('wait4', other.negated(), status, 0, null).fails(ECHILD);
  s.call('wait4', 0, status, 0, null).pid();
  status.u32(0, 0x100);
  s.check('ids', (v) => v.value(own) > 0 || 'none');
});

syscallTest('wait4 does not reap children of others', (s) => {
  const p = s.pipe();
  const child = s.fork((c) => {
    const grandchild = c.fork((g) => {
      g.exit(5);
    });
    c.write(p.w, 'x');
    c.sleep(4);
    c.wait(grandchild).exited(5);
  });
  s.reads(p.r, 'x', 1);
  s.wait(-1).exited(0); // the child, although the grandchild ended first
  s.check('it was the child', (v) => v.value(child) > 0 || 'none');
  s.call('wait4', -1, null, 0, null).fails(ECHILD);
});

syscallTest('WNOHANG', (s) => {
  const p = s.pipe();
  const child = s.fork((c) => {
    c.reads(p.r, 'x', 1);
    c.exit(3);
  });
  const status = s.word(0x1234);
  s.call('wait4', child, status, WNOHANG, null).returns(0);
  status.u32(0, 0x1234); // untouched
  s.write(p.w, 'x');
  s.wait(child).exited(3);
});

syscallTest('errors of wait4', (s) => {
  const child = s.fork((c) => {
    c.exit(3);
  });
  s.call('wait4', child, null, 0x100, null).fails(EINVAL);
  s.call('wait4', -0x8000_0000, null, 0, null).fails(ESRCH);
  s.waitBlocked(child);
  s.call('wait4', child, WILD, 0, null).fails(EFAULT); // it is reaped all the same
  s.call('wait4', child, null, 0, null).fails(ECHILD);
});

syscallTest('WUNTRACED and WCONTINUED', (s) => {
  const child = s.fork((c) => {
    c.kill(c.getpid().pid(), SIGSTOP).returns(0);
    c.kill(c.getpid().pid(), SIGTSTP).returns(0);
    c.exit(4);
  });
  s.wait(child, WUNTRACED).stopped(SIGSTOP);
  s.call('wait4', child, null, WUNTRACED | WNOHANG, null).returns(0); // reported once
  s.kill(child, SIGCONT).returns(0);
  s.wait(child, WUNTRACED).exited(4); // SIGTSTP does not stop an orphaned group
});

syscallTest('a continued child is reported with WCONTINUED', (s) => {
  const child = s.fork((c) => {
    c.pause().optional();
  });
  s.waitBlocked(child);
  s.kill(child, SIGSTOP).returns(0);
  s.wait(child, WUNTRACED).stopped(SIGSTOP);
  s.kill(child, SIGCONT).returns(0);
  s.wait(child, WCONTINUED).continued();
  s.call('wait4', child, null, WCONTINUED | WNOHANG, null).returns(0);
  s.kill(child, SIGKILL).returns(0);
  s.wait(child).killed(SIGKILL);
});

syscallTest('rusage of a child', (s) => {
  const flag = s.word(0);
  const child = s.fork((c) => {
    c.onSignal(SIGVTALRM, (h) => {
      h.store(flag, 4, 1);
    });
    c.setitimer(ITIMER_VIRTUAL, c.pack('u64', 0, 'u64', 15_000, 'u64', 0, 'u64', 15_000), null).returns(0);
    c.spin(flag, 1);
  });
  const usage = s.struct(rusageLayout, 144).ignore();
  const status = s.word();
  s.call('wait4', child, status, 0, usage).pid();
  usage.has({ utime: 0, utimeUsec: (us) => us > 2000 && us < 900_000 });
  const own = s.struct(rusageLayout, 144).ignore();
  s.getrusage(RUSAGE_CHILDREN, own).returns(0);
  own.has({ utimeUsec: (us) => us > 2000 });
});

syscallTest('waitid', (s) => {
  const child = s.fork((c) => {
    c.exit(3);
  });
  const info = s.siginfo().pid(16).ignore(32);
  s.waitid(P_PID, child, info, WEXITED | WNOWAIT, null).returns(0);
  info.has({ signo: SIGCHLD, code: CLD_EXITED, status: 3, uid: 0 });
  s.waitid(P_ALL, 0, info, WEXITED, null).returns(0); // WNOWAIT left it there
  s.waitid(P_ALL, 0, info, WEXITED, null).fails(ECHILD);
  const killed = s.fork((c) => {
    c.pause().optional();
  });
  s.waitid(P_PID, killed, info, WEXITED | WNOHANG, null).returns(0);
  info.has({ signo: 0, pid: 0 });
  s.kill(killed, SIGSTOP).returns(0);
  s.waitid(P_PID, killed, info, WSTOPPED, null).returns(0);
  info.has({ code: CLD_STOPPED, status: SIGSTOP });
  s.kill(killed, SIGCONT).returns(0);
  s.waitid(P_PID, killed, info, WCONTINUED, null).returns(0);
  info.has({ code: CLD_CONTINUED, status: SIGCONT });
  s.kill(killed, SIGKILL).returns(0);
  s.waitid(P_PID, killed, info, WEXITED, null).returns(0);
  info.has({ code: CLD_KILLED, status: SIGKILL });
});

syscallTest('errors of waitid', (s) => {
  s.waitid(P_ALL, 0, null, 0, null).fails(EINVAL);
  s.waitid(9, 0, null, WEXITED, null).fails(EINVAL);
  s.waitid(P_PID, 0, null, WEXITED, null).fails(EINVAL);
  s.waitid(P_PID, s.getpid().pid(), null, WEXITED, null).fails(ECHILD);
  s.waitid(P_PIDFD, 99, null, WEXITED, null).fails(EBADF);
  s.waitid(P_ALL, 0, null, WEXITED | 0x100, null).fails(EINVAL);
});

syscallTest('a zombie stays until it is waited for', (s) => {
  const child = s.fork((c) => {
    c.exit(1);
  });
  s.waitBlocked(child);
  s.kill(child, 0).returns(0);
  s.kill(child, SIGKILL).returns(0);
  s.wait(child).exited(1);
  s.kill(child, 0).fails(ESRCH);
});

syscallTest('SIGCHLD: handler, ignored, SA_NOCLDWAIT, SA_NOCLDSTOP', (s) => {
  s.onSignal(SIGCHLD, undefined, { flags: SA_SIGINFO });
  s.sigmask(SIG_BLOCK, SIGCHLD);
  s.sees(SIGCHLD, SIGCHLD);
  s.wait(
    s.fork((c) => {
      c.exit(3);
    }),
  ).exited(3);
  s.sigmask(SIG_UNBLOCK, SIGCHLD);
  s.sigmask(SIG_BLOCK, SIGCHLD);
  const stopping = s.fork((c) => {
    c.kill(c.getpid().pid(), SIGSTOP).returns(0);
  });
  s.wait(stopping, WUNTRACED).stopped(SIGSTOP);
  s.sigmask(SIG_UNBLOCK, SIGCHLD);
  s.onSignal(SIGCHLD, undefined, { flags: SA_NOCLDSTOP });
  s.ignoreSignal(SIGCHLD);
  s.kill(stopping, SIGCONT).returns(0);
  s.call('wait4', stopping, null, 0, null).fails(ECHILD); // waits until it is gone, then has nothing
  const p = s.pipe();
  const child = s.fork((c) => {
    c.exit(3);
  });
  s.close(p.w);
  s.call('wait4', child, null, 0, null).fails(ECHILD);
});

syscallTest('orphans go to the next subreaper', (s) => {
  s.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0).returns(0);
  const p = s.pipe();
  const me = s.getpid().pid();
  const child = s.fork((c) => {
    c.fork((g) => {
      g.reads(p.r, 'x', 1);
      const parent = g.getppid().pid();
      g.check('new parent', (v) => v.value(parent) === v.value(me) || String(v.value(parent)));
      g.exit(9);
    });
  });
  s.wait(child).exited(0);
  s.write(p.w, 'x');
  s.wait(-1).exited(9);
});

syscallTest('orphans go to process 1', (s) => {
  const p = s.pipe();
  const q = s.pipe();
  const child = s.fork((c) => {
    c.fork((g) => {
      g.close(p.w);
      g.reads(p.r, '', 1);
      g.getppid().returns(1);
      g.write(q.w, 'seen');
    });
  });
  s.wait(child).exited(0);
  s.close(p.w);
  s.close(q.w);
  s.reads(q.r, 'seen', 5);
  s.reads(q.r, '', 1); // it has ended
  s.call('wait4', -1, null, 0, null).fails(ECHILD);
});

syscallTest('PR_SET_PDEATHSIG', (s) => {
  const p = s.pipe();
  const q = s.pipe();
  const child = s.fork((c) => {
    c.fork((g) => {
      g.close(q.r);
      g.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0).returns(0);
      g.write(p.w, 'x').optional();
      g.pause().optional();
    });
    c.reads(p.r, 'x', 1);
  });
  s.wait(child).exited(0);
  s.close(q.w);
  s.reads(q.r, '', 1); // the grandchild's end closes with it
});

syscallTest('exit status: 8 bits', (s) => {
  for (const code of [0, 1, 255, 256, -1]) {
    const child = s.fork((c) => {
      c.exit(code);
    });
    s.wait(child).exited(code & 0xff);
  }
});

syscallTest('all registers but the result survive a call', (s) => {
  for (const call of ['getpid', 'sched_yield', 'gettid', 'getuid', 'close'] as const) {
    const args: Arg[] = call === 'close' ? [-1, 2, 3, 4, 5, 6] : [0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006];
    const regs = s.registers(call, ...args).ignored();
    s.check('registers', (v) => {
      const { payload } = v.extra(regs)[0];
      const words = Array.from({ length: payload.length / 8 }, (_, i) => payload.readBigUInt64LE(i * 8));
      if (hostArch === 'x86_64') {
        // rcx - return address, rdx, rsi, rdi, rbp, r8, r9, r10, r11 ^ flags, r12..r15, rbx, flags, xmm0..3, 7, 8, 14, 15
        const [rdi, rsi, rdx, r10, r8, r9] = args.map((arg) => BigInt.asUintN(64, BigInt(arg as number)));
        const pattern = (n: number) => BigInt(`0x${String(n).repeat(16)}`);
        const want = [0n, rdx, rsi, rdi, pattern(2), r8, r9, r10, 0n, ...[3, 4, 5, 6, 1].map(pattern)];
        const wrong = want.findIndex((word, i) => word !== words[i]);
        if (wrong >= 0) return `word ${wrong}: ${words[wrong].toString(16)}`;
        const xmm = [1, 2, 3, 4, 5, 6, 1, 4].map(pattern);
        return xmm.every((word, i) => word === words[15 + i]) || 'xmm';
      }
      const wrong = words.slice(5, 30).findIndex((word, i) => i + 6 !== 8 && word !== BigInt(0x1100 + i + 6));
      return wrong < 0 || `x${wrong + 6}: ${words[wrong + 5].toString(16)}`;
    });
  }
});

syscallTest('the limit on processes', (s) => {
  s.prlimit64(0, RLIMIT_NPROC, s.pack('u64', 0, 'u64', 0), null).returns(0);
  s.asUser(1234);
  s.call('clone', SIGCHLD, 0, 0, 0, 0).fails(EAGAIN);
});

syscallTest('unshare', (s) => {
  const child = s.clone(CLONE_FILES | CLONE_FS | SIGCHLD, {}, (c) => {
    c.unshare(CLONE_FILES | CLONE_FS).returns(0);
    c.open('/dev/null', O_RDONLY).returns(3);
    c.umask(0o077).returns(0o022);
  });
  s.wait(child).exited(0);
  s.fcntl(3, F_GETFD).fails(EBADF);
  s.umask(0).returns(0o022);
  s.unshare(0x1).fails(EINVAL);
});

syscallTest('set_tid_address returns the thread id', (s) => {
  const word = s.word(5);
  const me = s.gettid().pid();
  const got = s.set_tid_address(word).pid();
  s.check('id', (v) => v.value(got) === v.value(me) || 'other');
});

syscallTest('pidfd_open and pidfd_send_signal', (s) => {
  const child = s.fork((c) => {
    c.pause().optional();
  });
  const fd = s.pidfd_open(child, 0).fd();
  s.pidfd_send_signal(fd, 0, null, 0).returns(0);
  s.pidfd_send_signal(fd, SIGTERM, null, 0).returns(0);
  s.wait(child).killed(SIGTERM);
  s.pidfd_send_signal(fd, 0, null, 0).fails(ESRCH);
  s.pidfd_open(child, 0).fails(ESRCH);
  s.pidfd_open(-1, 0).fails(EINVAL);
  s.pidfd_open(s.getpid().pid(), 0x100).fails(EINVAL);
  s.pidfd_send_signal(0, 0, null, 0).fails(EBADF);
});
