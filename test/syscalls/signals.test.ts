/** Signals: sending, masks, handlers and their flags, waiting for them, default actions, restart of calls. */
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EINTR,
  EINVAL,
  ENOMEM,
  EPERM,
  ESRCH,
  FD_CLOEXEC,
  FREE_BASE,
  FUTEX_WAIT,
  F_GETFD,
  F_GETFL,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  O_NONBLOCK,
  O_RDWR,
  PAGE,
  POLLIN,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  RLIMIT_SIGPENDING,
  SA_NODEFER,
  SA_ONSTACK,
  SA_RESETHAND,
  SA_RESTART,
  SA_SIGINFO,
  SFD_CLOEXEC,
  SFD_NONBLOCK,
  SIGABRT,
  SIGALRM,
  SIGBUS,
  SIGCHLD,
  SIGCONT,
  SIGFPE,
  SIGHUP,
  SIGILL,
  SIGINT,
  SIGIO,
  SIGKILL,
  SIGPIPE,
  SIGPROF,
  SIGPWR,
  SIGQUIT,
  SIGRTMIN,
  SIGSEGV,
  SIGSTKFLT,
  SIGSTOP,
  SIGSYS,
  SIGTERM,
  SIGTRAP,
  SIGTSTP,
  SIGTTIN,
  SIGURG,
  SIGUSR1,
  SIGUSR2,
  SIGVTALRM,
  SIGWINCH,
  SIGXCPU,
  SIGXFSZ,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SIG_SETMASK,
  SIG_UNBLOCK,
  SI_QUEUE,
  SI_TKILL,
  SI_USER,
  SS_AUTODISARM,
  SS_DISABLE,
  SS_ONSTACK,
  WILD,
  WNOHANG,
  WUNTRACED,
  hostArch,
  maskOf,
  syscallTest,
  syscallTests,
  type Call,
  type S,
} from '../support/index.js';

const kill = (s: S, signal: number) => s.kill(s.getpid().pid(), signal).returns(0);

syscallTest('kill: signal 0, ESRCH, EINVAL', (s) => {
  const me = s.getpid().pid();
  s.kill(me, 0).returns(0);
  s.kill(me, 65).fails(EINVAL);
  s.kill(me, -1).fails(EINVAL);
  s.kill(0x3ffff, 0).fails(ESRCH);
  s.kill(0x3ffff, SIGTERM).fails(ESRCH);
  s.kill(0x3ffff, 99).fails(ESRCH); // the process is looked for first
  s.kill(-0x3ffff, 0).fails(ESRCH);
  s.kill(-0x8000_0000, 0).fails(ESRCH);
  const mask = s.buffer(8);
  s.rt_sigpending(mask, 8).returns(0);
  mask.u64(0, 0); // signal 0 left nothing behind
});

syscallTest('tkill and tgkill', (s) => {
  s.onSignal(SIGUSR1, undefined, { flags: SA_SIGINFO });
  s.sees(SIGUSR1, SIGUSR1);
  const me = s.getpid().pid();
  const tid = s.gettid().pid();
  s.tgkill(me, tid, 0).returns(0);
  s.tgkill(me, tid, SIGUSR1).returns(0);
  s.tkill(tid, SIGUSR1).returns(0);
  s.check('si_code', (v) => v.signals.every(({ info }) => info.readInt32LE(8) === SI_TKILL) || 'other');
  s.tgkill(me, 0x3ffff, 0).fails(ESRCH);
  s.tgkill(1, tid, 0).fails(ESRCH);
  s.tgkill(-1, tid, 0).fails(EINVAL);
  s.tgkill(me, 0, 0).fails(EINVAL);
  s.tkill(0, 0).fails(EINVAL);
  s.tkill(0x3ffff, 0).fails(ESRCH);
  s.tgkill(me, tid, 65).fails(EINVAL);
});

syscallTest('permission to signal', (s) => {
  const root = s.getpid().pid();
  const child = s.fork((c) => {
    c.asUser(1000);
    c.kill(root, 0).fails(EPERM);
    c.kill(root, SIGTERM).fails(EPERM);
    c.kill(1, SIGTERM).fails(EPERM);
    const same = c.fork((g) => {
      g.pause().optional();
    });
    c.kill(same, SIGTERM).returns(0);
    c.wait(same).killed(SIGTERM);
  });
  s.wait(child).exited(0);
});

syscallTest('SIGCONT may be sent within a session', (s) => {
  const root = s.getpid().pid();
  s.onSignal(SIGCONT, undefined, { flags: SA_RESTART });
  s.sees(SIGCONT);
  const child = s.fork((c) => {
    c.asUser(1000);
    c.kill(root, SIGCONT).returns(0);
  });
  s.wait(child).exited(0);
});

syscallTest('kill of a process group, and of 0: the own group', (s) => {
  const p = s.pipe();
  const member = (c: S) => {
    c.write(p.w, 'x').optional();
    c.pause().optional();
  };
  const leader = s.fork((c) => {
    c.setpgid(0, 0).returns(0);
    const other = c.fork(member);
    member(c);
    c.call('wait4', other, null, 0, null).optional();
  });
  s.reads(p.r, 'x', 1);
  s.reads(p.r, 'x', 1);
  s.kill(leader.negated(), SIGTERM).returns(0);
  s.wait(leader).killed(SIGTERM);
  s.onSignal(SIGUSR1, undefined, { flags: SA_RESTART });
  s.sees(SIGUSR1);
  const child = s.fork((c) => {
    c.sees(SIGUSR1);
    c.kill(0, SIGUSR1).returns(0);
  });
  s.wait(child).exited(0);
});

syscallTest('kill(-1) reaches all but process 1 and the sender', (s) => {
  const a = s.fork((c) => {
    c.pause().optional();
  });
  s.waitBlocked(a);
  s.kill(-1, SIGTERM).returns(0);
  s.wait(a).killed(SIGTERM);
});

syscallTest('siginfo of kill', (s) => {
  s.onSignal(SIGUSR1, undefined, { flags: SA_SIGINFO });
  s.sees(SIGUSR1);
  const me = s.getpid().pid();
  s.kill(me, SIGUSR1).returns(0);
  s.check('siginfo', (v) => {
    const [{ info }] = v.signals;
    return (
      (info.readInt32LE(8) === SI_USER && info.readInt32LE(16) === v.value(me) && info.readInt32LE(20) === 0) ||
      info.toString('hex')
    );
  });
});

syscallTest('rt_sigqueueinfo and rt_tgsigqueueinfo', (s) => {
  s.onSignal(SIGUSR1, undefined, { flags: SA_SIGINFO });
  s.onSignal(SIGRTMIN, undefined, { flags: SA_SIGINFO });
  s.sees(SIGUSR1, SIGRTMIN);
  const me = s.getpid().pid();
  const info = (code: number) =>
    s
      .pack(
        ...[
          'u32',
          0,
          'u32',
          0,
          'u32',
          code,
          'u32',
          0,
          'u32',
          me,
          'u32',
          77,
          'u64',
          0x1122334455,
          ...Array.from({ length: 24 }, () => ['u32', 0]).flat(),
        ],
      )
      .pid(16);
  s.rt_sigqueueinfo(me, SIGUSR1, info(SI_QUEUE)).returns(0);
  s.rt_tgsigqueueinfo(me, s.gettid().pid(), SIGRTMIN, info(SI_QUEUE)).returns(0);
  s.check(
    'the value',
    (v) => v.signals.every(({ info }) => Number(info.readBigUInt64LE(24)) === 0x1122334455) || 'other',
  );
  s.rt_sigqueueinfo(0x3ffff, SIGUSR1, info(SI_QUEUE)).fails(ESRCH);
  s.rt_sigqueueinfo(me, 65, info(SI_QUEUE)).fails(EINVAL);
  s.rt_sigqueueinfo(me, SIGUSR1, WILD).fails(EFAULT);
  s.rt_sigqueueinfo(1, 0, info(0)).fails(EPERM); // nobody may pretend to be kill
});

syscallTest('real-time signals queue in order, others once', (s) => {
  const rt = [SIGRTMIN, SIGRTMIN + 1];
  for (const signal of [...rt, SIGUSR1]) s.onSignal(signal, undefined, { flags: SA_SIGINFO, mask: [...rt, SIGUSR1] });
  s.sees(SIGUSR1, rt[0], rt[0], rt[0], rt[1]);
  s.sigmask(SIG_BLOCK, ...rt, SIGUSR1);
  for (const signal of [rt[1], rt[0], SIGUSR1, rt[0], SIGUSR1, rt[0]]) kill(s, signal);
  s.sigmask(SIG_UNBLOCK, ...rt, SIGUSR1); // lowest first
});

syscallTest('RLIMIT_SIGPENDING bounds queued signals', (s) => {
  s.sigmask(SIG_BLOCK, SIGRTMIN, SIGUSR1);
  s.prlimit64(0, RLIMIT_SIGPENDING, s.pack('u64', 0, 'u64', 0), null).returns(0);
  const me = s.getpid().pid();
  const info = s.pack(
    'u32',
    0,
    'u32',
    0,
    'u32',
    SI_QUEUE,
    'u32',
    0,
    'u64',
    0,
    'u64',
    0,
    ...Array.from({ length: 24 }, () => ['u32', 0]).flat(),
  );
  s.rt_sigqueueinfo(me, SIGRTMIN, info).fails(EAGAIN);
  s.kill(me, SIGUSR1).returns(0); // an ordinary one always gets through
});

syscallTest('rt_sigprocmask', (s) => {
  const old = s.buffer(8);
  s.sigmask(SIG_SETMASK, SIGUSR1);
  s.rt_sigprocmask(SIG_BLOCK, s.sigset(SIGUSR2, SIGTERM), old, 8).returns(0);
  old.u64(0, Number(maskOf(SIGUSR1)));
  s.rt_sigprocmask(SIG_UNBLOCK, s.sigset(SIGUSR1), old, 8).returns(0);
  old.u64(0, Number(maskOf(SIGUSR1, SIGUSR2, SIGTERM)));
  s.rt_sigprocmask(99, null, old, 8).returns(0); // without a set `how` does not count
  old.u64(0, Number(maskOf(SIGUSR2, SIGTERM)));
  s.rt_sigprocmask(99, s.sigset(), old, 8).fails(EINVAL);
  s.rt_sigprocmask(SIG_BLOCK, s.sigset(), old, 4).fails(EINVAL);
  s.rt_sigprocmask(SIG_BLOCK, WILD, old, 8).fails(EFAULT);
  s.rt_sigprocmask(SIG_BLOCK, null, WILD, 8).fails(EFAULT);
  s.rt_sigprocmask(SIG_SETMASK, s.pack('u64', 0xffff_ffff_ffff_ffffn), null, 8).returns(0);
  s.rt_sigprocmask(SIG_BLOCK, null, old, 8).returns(0);
  old.u32(0, 0xfffbfeff).u32(4, 0xffffffff); // SIGKILL and SIGSTOP cannot be blocked
});

syscallTest('the mask is applied although the old one cannot be written', (s) => {
  const old = s.buffer(8);
  s.rt_sigprocmask(SIG_SETMASK, s.sigset(SIGUSR1), WILD, 8).fails(EFAULT);
  s.rt_sigprocmask(SIG_BLOCK, null, old, 8).returns(0);
  old.u64(0, Number(maskOf(SIGUSR1)));
});

syscallTest('rt_sigpending', (s) => {
  const set = s.buffer(8);
  s.sigmask(SIG_BLOCK, SIGUSR1, SIGUSR2);
  kill(s, SIGUSR2);
  s.rt_sigpending(set, 8).returns(0);
  set.u64(0, Number(maskOf(SIGUSR2)));
  s.ignoreSignal(SIGUSR2); // drops it
  s.rt_sigpending(set, 8).returns(0);
  set.u64(0, 0);
  s.rt_sigpending(WILD, 8).fails(EFAULT);
  s.rt_sigpending(set, 9).fails(EINVAL);
});

syscallTest('rt_sigaction', (s) => {
  const old = s.buffer(32);
  s.rt_sigaction(SIGUSR1, s.sigaction(SIG_IGN, SA_RESTART, [SIGTERM]), old, 8).returns(0);
  old.u64(0, SIG_DFL).u64(8, 0).u64(24, 0);
  s.rt_sigaction(SIGUSR1, null, old, 8).returns(0);
  old
    .u64(0, SIG_IGN)
    .u64(8, SA_RESTART)
    .u64(24, Number(maskOf(SIGTERM)));
  for (const signal of [SIGKILL, SIGSTOP]) {
    s.rt_sigaction(signal, s.sigaction(SIG_IGN), null, 8).fails(EINVAL);
    s.rt_sigaction(signal, null, old, 8).returns(0); // but asked about
  }
  s.rt_sigaction(0, null, old, 8).fails(EINVAL);
  s.rt_sigaction(65, null, old, 8).fails(EINVAL);
  s.rt_sigaction(64, s.sigaction(SIG_IGN), old, 8).returns(0);
  s.rt_sigaction(SIGUSR1, s.sigaction(SIG_IGN), old, 4).fails(EINVAL);
  s.rt_sigaction(SIGUSR1, WILD, null, 8).fails(EFAULT);
  s.rt_sigaction(SIGUSR1, null, WILD, 8).fails(EFAULT);
});

syscallTest('rt_sigaction: SIGKILL and SIGSTOP leave the mask of a handler', (s) => {
  const old = s.buffer(32);
  s.rt_sigaction(SIGUSR1, s.sigaction(SIG_DFL, 0, [SIGKILL, SIGSTOP, SIGUSR2]), null, 8).returns(0);
  s.rt_sigaction(SIGUSR1, null, old, 8).returns(0);
  old.u64(24, Number(maskOf(SIGUSR2)));
});

syscallTest('the mask inside a handler, and after it', (s) => {
  const mask = s.buffer(8);
  s.sigmask(SIG_BLOCK, SIGHUP);
  s.onSignal(
    SIGUSR1,
    (h) => {
      h.rt_sigprocmask(SIG_BLOCK, null, mask, 8).returns(0);
      mask.u64(0, Number(maskOf(SIGHUP, SIGUSR1, SIGTERM)));
    },
    { mask: [SIGTERM] },
  );
  s.onSignal(
    SIGUSR2,
    (h) => {
      h.rt_sigprocmask(SIG_BLOCK, null, mask, 8).returns(0);
      mask.u64(0, Number(maskOf(SIGHUP)));
    },
    { flags: SA_NODEFER },
  );
  s.sees(SIGUSR1, SIGUSR2);
  kill(s, SIGUSR1);
  kill(s, SIGUSR2);
  s.rt_sigprocmask(SIG_BLOCK, null, mask, 8).returns(0);
  mask.u64(0, Number(maskOf(SIGHUP)));
});

syscallTest('SA_RESETHAND', (s) => {
  s.onSignal(SIGUSR1, undefined, { flags: SA_RESETHAND });
  s.sees(SIGUSR1);
  kill(s, SIGUSR1);
  const old = s.buffer(32).ignore();
  s.rt_sigaction(SIGUSR1, null, old, 8).returns(0);
  old.u64(0, SIG_DFL);
});

syscallTest('a signal sent by a handler to itself waits for its end; another nests', (s) => {
  const depth = s.word(0);
  s.onSignal(SIGUSR1, (h) => {
    h.kill(h.getpid().pid(), SIGUSR1).returns(0).optional();
    h.kill(h.getpid().pid(), SIGUSR2).returns(0);
    h.ignoreSignal(SIGUSR1);
  });
  s.onSignal(SIGUSR2, (h) => {
    h.store(depth, 4, 9);
  });
  s.sees(SIGUSR1, SIGUSR2);
  kill(s, SIGUSR1);
  depth.u32(0, 9);
});

syscallTest('sigaltstack', (s) => {
  const stack = s.stack(65536);
  const old = s.buffer(24);
  s.sigaltstack(s.pack('ptr', stack, 'u32', 0, 'u64', 65536), old).returns(0);
  old.u64(0, 0).u32(8, SS_DISABLE).u64(16, 0);
  s.onSignal(
    SIGUSR1,
    (h) => {
      h.sigaltstack(null, old).returns(0);
      old.u32(8, SS_ONSTACK);
      h.sigaltstack(h.pack('ptr', stack, 'u32', SS_DISABLE, 'u64', 0), null).fails(EPERM); // in use
    },
    { flags: SA_ONSTACK },
  );
  s.onSignal(SIGUSR2);
  s.sees(SIGUSR1, SIGUSR2);
  kill(s, SIGUSR1);
  kill(s, SIGUSR2);
  s.check('one handler ran on it, the other did not', (v) => {
    const on = v.signals
      .map(({ context }) => Number(context.readBigUInt64LE(40)))
      .map((sp) => sp >= stack.address && sp < stack.address + 65536);
    return (on[0] && !on[1]) || on.join();
  });
  s.sigaltstack(null, old).returns(0);
  old.u64(0, stack.address).u32(8, 0).u64(16, 65536);
  s.sigaltstack(s.pack('ptr', stack, 'u32', 0, 'u64', 1000), null).fails(ENOMEM);
  s.sigaltstack(s.pack('ptr', stack, 'u32', 8, 'u64', 65536), null).fails(EINVAL);
  s.sigaltstack(WILD, null).fails(EFAULT);
  s.sigaltstack(null, WILD).fails(EFAULT);
  s.sigaltstack(s.pack('ptr', stack, 'u32', SS_DISABLE, 'u64', 0), null).returns(0);
  s.sigaltstack(null, old).returns(0);
  old.u64(0, 0).u32(8, SS_DISABLE);
});

syscallTest('SS_AUTODISARM, and the stack is not inherited by threads but by forks', (s) => {
  const stack = s.stack(65536);
  const old = s.buffer(24);
  s.sigaltstack(s.pack('ptr', stack, 'u32', SS_AUTODISARM, 'u64', 65536), null).returns(0);
  s.onSignal(
    SIGUSR1,
    (h) => {
      h.sigaltstack(null, old).returns(0);
      old.u32(8, SS_DISABLE);
    },
    { flags: SA_ONSTACK },
  );
  s.sees(SIGUSR1);
  kill(s, SIGUSR1);
  s.sigaltstack(null, old).returns(0);
  old.u64(0, stack.address);
  const child = s.fork((c) => {
    c.sigaltstack(null, old).returns(0);
    old.u64(0, stack.address);
  });
  s.wait(child).exited(0);
});

syscallTest('a handler on a stack that is not there ends the process', (s) => {
  const child = s.fork((c) => {
    c.sigaltstack(c.pack('ptr', FREE_BASE, 'u32', 0, 'u64', 65536), null).returns(0);
    c.onSignal(SIGUSR1, undefined, { flags: SA_ONSTACK });
    c.kill(c.getpid().pid(), SIGUSR1).optional();
  });
  s.wait(child).killed(SIGSEGV);
});

syscallTest('default actions', (s) => {
  const ends = [
    SIGHUP,
    SIGINT,
    SIGALRM,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    SIGPROF,
    SIGVTALRM,
    SIGPIPE,
    SIGSTKFLT,
    SIGIO,
    SIGPWR,
    SIGRTMIN,
    64,
    SIGKILL,
  ];
  const cores = [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS];
  for (const signal of [...ends, ...cores]) {
    const child = s.fork((c) => {
      c.kill(c.getpid().pid(), signal).optional();
      c.exit(1);
    });
    s.wait(child).killed(signal);
  }
  for (const signal of [SIGCHLD, SIGCONT, SIGURG, SIGWINCH]) {
    const child = s.fork((c) => {
      c.kill(c.getpid().pid(), signal).returns(0);
      c.exit(1);
    });
    s.wait(child).exited(1);
  }
});

syscallTest('SIGSTOP cannot be caught, SIGCONT continues although it is blocked', (s) => {
  const child = s.fork((c) => {
    c.sigmask(SIG_BLOCK, SIGCONT);
    c.kill(c.getpid().pid(), SIGSTOP).optional();
    c.exit(5);
  });
  s.wait(child, WUNTRACED).stopped(SIGSTOP);
  s.kill(child, SIGTERM).returns(0); // waits for the continuation
  s.call('wait4', child, null, WNOHANG | WUNTRACED, null).returns(0);
  s.kill(child, SIGCONT).returns(0);
  s.wait(child).killed(SIGTERM);
});

syscallTest('SIGKILL ends a stopped process', (s) => {
  const child = s.fork((c) => {
    c.kill(c.getpid().pid(), SIGSTOP).optional();
  });
  s.wait(child, WUNTRACED).stopped(SIGSTOP);
  s.kill(child, SIGKILL).returns(0);
  s.wait(child).killed(SIGKILL);
});

syscallTest('SIGTSTP can be handled; SIGCONT drops pending stops', (s) => {
  s.onSignal(SIGTSTP);
  s.sees(SIGTSTP);
  kill(s, SIGTSTP);
  s.sigmask(SIG_BLOCK, SIGTTIN);
  kill(s, SIGTTIN);
  const set = s.buffer(8);
  s.rt_sigpending(set, 8).returns(0);
  set.u64(0, Number(maskOf(SIGTTIN)));
  kill(s, SIGCONT);
  s.rt_sigpending(set, 8).returns(0);
  set.u64(0, 0);
});

syscallTest('pause', (s) => {
  const child = s.fork((c) => {
    c.onSignal(SIGUSR1, undefined, { flags: SA_RESTART });
    c.sees(SIGUSR1);
    c.pause().fails(EINTR);
  });
  s.waitBlocked(child);
  s.kill(child, SIGCHLD).returns(0); // ignored ones do not end it
  s.kill(child, SIGUSR1).returns(0);
  s.wait(child).exited(0);
});

syscallTest('rt_sigsuspend', (s) => {
  s.onSignal(SIGUSR1);
  s.onSignal(SIGUSR2);
  s.sees(SIGUSR1);
  s.sigmask(SIG_BLOCK, SIGUSR1, SIGUSR2);
  kill(s, SIGUSR1);
  kill(s, SIGUSR2);
  s.rt_sigsuspend(s.sigset(SIGUSR2), 8).fails(EINTR);
  const mask = s.buffer(8);
  s.rt_sigprocmask(SIG_BLOCK, null, mask, 8).returns(0);
  mask.u64(0, Number(maskOf(SIGUSR1, SIGUSR2)));
  s.rt_sigsuspend(WILD, 8).fails(EFAULT);
  s.rt_sigsuspend(s.sigset(), 4).fails(EINVAL);
});

syscallTest('rt_sigtimedwait', (s) => {
  const info = s.siginfo().pid(16).ignore(32);
  s.sigmask(SIG_BLOCK, SIGUSR1, SIGUSR2);
  s.rt_sigtimedwait(s.sigset(SIGUSR1), info, s.ms(15), 8).fails(EAGAIN).takes(15);
  s.rt_sigtimedwait(s.sigset(SIGUSR1), info, s.ms(0), 8).fails(EAGAIN).takes(0, 1000);
  kill(s, SIGUSR2);
  s.rt_sigtimedwait(s.sigset(SIGUSR1), info, s.ms(2), 8).fails(EAGAIN); // not in the set
  s.rt_sigtimedwait(s.sigset(SIGUSR1, SIGUSR2), info, null, 8).returns(SIGUSR2);
  info.has({ signo: SIGUSR2, code: SI_USER });
  s.rt_sigtimedwait(s.sigset(SIGUSR2), info, s.ms(0), 8).fails(EAGAIN); // taken
  kill(s, SIGUSR1);
  s.rt_sigtimedwait(s.sigset(SIGUSR1), null, s.ms(0), 8).returns(SIGUSR1);
  s.rt_sigtimedwait(s.sigset(SIGUSR1), info, s.timespec(0, 1e9), 8).fails(EINVAL);
  s.rt_sigtimedwait(WILD, info, null, 8).fails(EFAULT);
  s.rt_sigtimedwait(s.sigset(), info, WILD, 8).fails(EFAULT);
  s.rt_sigtimedwait(s.sigset(), info, s.ms(0), 4).fails(EINVAL);
});

syscallTest('rt_sigtimedwait wakes when the signal comes, and on others with EINTR', (s) => {
  for (const signal of [SIGUSR1, SIGUSR2]) {
    const child = s.fork((c) => {
      c.sigmask(SIG_BLOCK, SIGUSR1);
      c.onSignal(SIGUSR2);
      const call = c.rt_sigtimedwait(c.sigset(SIGUSR1), null, null, 8);
      if (signal === SIGUSR1) call.returns(SIGUSR1);
      else call.fails(EINTR);
    });
    s.waitBlocked(child);
    s.kill(child, signal).returns(0);
    s.wait(child).exited(0);
  }
});

syscallTest('a signal goes to a thread that does not block it', (s) => {
  const tid = s.word(0).pid(0);
  const ready = s.word(0);
  s.sigmask(SIG_BLOCK, SIGUSR1);
  s.onSignal(SIGUSR1, (h) => {
    h.store(tid, 4, h.gettid().pid());
  });
  const thread = s.thread((t) => {
    t.sigmask(SIG_UNBLOCK, SIGUSR1);
    t.store(ready, 4, 1);
    t.waitWord(t.word(0), 1, 500).ignored().optional();
    t.call('exit', 0).optional();
  });
  s.waitWord(ready, 1);
  kill(s, SIGUSR1);
  s.sleep(10);
  tid.u32(0, (id) => id > 0);
  s.check('the thread handled it', (v) => v.u32(tid) === v.value(thread) || String(v.u32(tid)));
});

syscallTest('tgkill to a thread waits for that thread', (s) => {
  const done = s.word(0);
  const ready = s.word(0);
  const me = s.getpid().pid();
  s.onSignal(SIGUSR1);
  const thread = s.thread((t) => {
    t.sigmask(SIG_BLOCK, SIGUSR1);
    t.store(ready, 4, 1);
    t.waitWord(done, 1);
    const set = t.buffer(8);
    t.rt_sigpending(set, 8).returns(0);
    set.u64(0, Number(maskOf(SIGUSR1)));
    t.store(ready, 4, 2);
  });
  s.waitWord(ready, 1);
  s.tgkill(me, thread, SIGUSR1).returns(0);
  const mine = s.buffer(8);
  s.rt_sigpending(mine, 8).returns(0);
  mine.u64(0, 0);
  s.store(done, 4, 1);
  s.waitWord(ready, 2);
});

/** Calls that sleep, and whether SA_RESTART starts them again. */
const sleepers: Record<string, { sleep: (c: S) => Call; wake: (s: S, child: Call) => void; restarts: boolean }> = {
  wait4: { sleep: (c) => c.call('wait4', -1, null, 0, null), wake: () => undefined, restarts: true },
  nanosleep: { sleep: (c) => c.nanosleep(c.ms(60_000), null), wake: () => undefined, restarts: false },
  ppoll: { sleep: (c) => c.ppoll(null, 0, null, null, 8), wake: () => undefined, restarts: false },
  epoll_pwait: {
    sleep: (c) => c.epoll_pwait(c.epoll_create1(0).fd(), c.buffer(12), 1, -1, null, 8),
    wake: () => undefined,
    restarts: false,
  },
  pause: { sleep: (c) => c.pause(), wake: () => undefined, restarts: false },
};

syscallTests(sleepers, (s, { sleep }) => {
  const child = s.fork((c) => {
    c.fork((g) => {
      g.pause().optional();
    });
    c.onSignal(SIGUSR1);
    c.sees(SIGUSR1);
    sleep(c).fails(EINTR);
  });
  s.waitBlocked(child);
  s.kill(child, SIGUSR1).returns(0);
  s.wait(child).exited(0);
});

syscallTest('calls that are restarted after a handler with SA_RESTART', (s) => {
  const p = s.pipe();
  const q = s.pipe();
  const child = s.fork((c) => {
    c.onSignal(SIGUSR1, undefined, { flags: SA_RESTART });
    c.sees(SIGUSR1, SIGUSR1, SIGUSR1);
    c.write(q.w, '1');
    c.reads(p.r, 'a', 1);
    const grandchild = c.fork((g) => {
      g.reads(p.r, 'b', 1);
    });
    c.write(q.w, '2');
    c.wait(grandchild).exited(0);
    const word = c.word(0);
    c.write(q.w, '3');
    c.futex(word, FUTEX_WAIT, 0, null).fails(EINTR).optional();
    c.exit(0);
  });
  const step = (digit: string, then: () => void) => {
    s.reads(q.r, digit, 1);
    s.waitBlocked(child);
    s.kill(child, SIGUSR1).returns(0);
    s.waitBlocked(child);
    then();
  };
  step('1', () => s.write(p.w, 'a'));
  step('2', () => s.write(p.w, 'b'));
  step('3', () => s.kill(child, SIGTERM).returns(0));
  s.wait(child).killed(SIGTERM); // futex waits restart, too
});

syscallTest('stop and continue do not end a sleep', (s) => {
  const child = s.fork((c) => {
    c.nanosleep(c.ms(15), null).returns(0).takes(15);
  });
  s.waitBlocked(child);
  s.kill(child, SIGSTOP).returns(0);
  s.wait(child, WUNTRACED).stopped(SIGSTOP);
  s.kill(child, SIGCONT).returns(0);
  s.wait(child).exited(0);
});

syscallTest('handlers are shared with CLONE_SIGHAND, copied by fork, kept apart afterwards', (s) => {
  s.onSignal(SIGUSR1);
  s.sees(SIGUSR1);
  const child = s.fork((c) => {
    c.sees(SIGUSR1);
    kill(c, SIGUSR1);
    c.defaultSignal(SIGUSR1);
  });
  s.wait(child).exited(0);
  kill(s, SIGUSR1);
  const clears = s.call('getpid').pid();
  s.check('alive', (v) => v.value(clears) > 0 || 'no');
});

syscallTest('pending signals are not inherited, the mask is', (s) => {
  s.sigmask(SIG_BLOCK, SIGUSR1);
  kill(s, SIGUSR1);
  const child = s.fork((c) => {
    const set = c.buffer(8);
    c.rt_sigpending(set, 8).returns(0);
    set.u64(0, 0);
    c.rt_sigprocmask(SIG_BLOCK, null, set, 8).returns(0);
    set.u64(0, Number(maskOf(SIGUSR1)));
  });
  s.wait(child).exited(0);
});

syscallTest('registers and vector registers survive a handler', (s) => {
  s.onSignal(SIGUSR1, (h) => {
    h.registers('getpid').ignored();
  });
  s.sees(SIGUSR1);
  s.sigmask(SIG_BLOCK, SIGUSR1);
  kill(s, SIGUSR1);
  const set = s.sigset(SIGUSR1);
  const regs = s.registers('rt_sigprocmask', SIG_UNBLOCK, set, 0, 8, 5, 6).returns(0);
  s.check('registers', (v) => {
    const { payload } = v.extra(regs)[0];
    if (hostArch !== 'x86_64') return payload.readBigUInt64LE(17 * 8) === 0x1112n || 'x18';
    const xmm = Array.from({ length: 8 }, (_, i) => payload.readBigUInt64LE((15 + i) * 8).toString(16)[0]).join('');
    return xmm === '12345614' || xmm;
  });
});

syscallTest('divisions by zero and undefined instructions', (s) => {
  // x86_64: ud2; xor ecx,ecx; div ecx. AArch64: udf #0
  const code =
    hostArch === 'x86_64' ? { ill: '0f0b', fpe: '31c931c0f7f1c3', trap: 'cc' } : { ill: '00000000', trap: '000020d4' };
  const expected: Record<string, number> = { ill: SIGILL, fpe: SIGFPE, trap: SIGTRAP };
  const rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
  for (const [name, bytes] of Object.entries(code)) {
    const child = s.fork((c) => {
      c.mmap(FREE_BASE, PAGE, rwx, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0).returns(FREE_BASE);
      c.copy(FREE_BASE, Buffer.from(bytes, 'hex'), bytes.length / 2);
      c.touch(FREE_BASE, 'execute').optional();
    });
    s.wait(child).killed(expected[name]);
  }
});

syscallTest('rt_sigreturn without a frame ends the process', (s) => {
  const child = s.fork((c) => {
    c.rt_sigreturn().optional();
  });
  s.wait(child).killed(SIGSEGV);
});

syscallTest('signalfd', (s) => {
  s.sigmask(SIG_BLOCK, SIGUSR1, SIGUSR2);
  const fd = s.signalfd4(-1, s.sigset(SIGUSR1), 8, SFD_NONBLOCK | SFD_CLOEXEC).fd();
  s.fcntl(fd, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(fd, F_GETFL).returns(O_RDWR | O_NONBLOCK);
  const b = s.buffer(256).pid(12);
  s.call('read', fd, b, 256).fails(EAGAIN);
  kill(s, SIGUSR1);
  kill(s, SIGUSR2);
  s.ppoll(s.pack('u32', fd, 'u16', POLLIN, 'u16', 0), 1, s.ms(0), null, 8).returns(1);
  s.call('read', fd, b, 127).fails(EINVAL);
  s.call('read', fd, b, 256).returns(128);
  b.u32(0, SIGUSR1).i32(8, SI_USER).u32(16, 0);
  s.call('read', fd, b, 256).fails(EAGAIN);
  s.signalfd4(fd, s.sigset(SIGUSR2), 8, 0).returns(3); // another set for the same descriptor
  s.call('read', fd, b, 128).returns(128);
  b.u32(0, SIGUSR2);
  s.signalfd4(0, s.sigset(), 8, 0).fails(EINVAL);
  s.signalfd4(99, s.sigset(), 8, 0).fails(EBADF);
  s.signalfd4(-1, s.sigset(), 4, 0).fails(EINVAL);
  s.signalfd4(-1, WILD, 8, 0).fails(EFAULT);
  s.signalfd4(-1, s.sigset(), 8, 1).fails(EINVAL);
  s.call('signalfd', -1, s.sigset(SIGUSR1), 8).fd();
});

syscallTest('signalfd blocks until a signal comes', (s) => {
  const child = s.fork((c) => {
    c.sigmask(SIG_BLOCK, SIGUSR1);
    const b = c.buffer(128).ignore();
    c.call('read', c.signalfd4(-1, c.sigset(SIGUSR1), 8, 0).fd(), b, 128).returns(128);
    b.u32(0, SIGUSR1);
  });
  s.waitBlocked(child);
  s.kill(child, SIGUSR1).returns(0);
  s.wait(child).exited(0);
});
