/** Process groups and sessions: setpgid, getpgid, setsid, getsid; stops of orphaned groups. Each test leads a session. */
import {
  AT_FDCWD,
  EACCES,
  EINVAL,
  EIO,
  ENXIO,
  EPERM,
  ESRCH,
  MNT_DETACH,
  O_NOCTTY,
  O_RDWR,
  PR_SET_CHILD_SUBREAPER,
  SIGCONT,
  SIGHUP,
  SIGKILL,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  S_IFCHR,
  TCGETS,
  TIOCSPTLCK,
  WUNTRACED,
  syscallTest,
} from '../support/index.js';

syscallTest('a test is a session leader', (s) => {
  const me = s.getpid().pid();
  const [group, session] = [s.getpgid(0).pid(), s.getsid(0).pid()];
  s.check('ids', (v) => (v.value(group) === v.value(me) && v.value(session) === v.value(me)) || 'others');
  s.setsid().fails(EPERM); // a group leader cannot
  s.setpgid(0, 0).fails(EPERM); // a session leader cannot
});

syscallTest('getpgrp', (s) => {
  const [a, b] = [s.getpgid(0).pid(), s.getpgrp().pid()];
  s.check('the same', (v) => v.value(a) === v.value(b) || 'other');
});

syscallTest('children inherit group and session', (s) => {
  const me = s.getpid().pid();
  const child = s.fork((c) => {
    const [group, session] = [c.getpgid(0).pid(), c.getsid(0).pid()];
    c.check('ids', (v) => (v.value(group) === v.value(me) && v.value(session) === v.value(me)) || 'others');
  });
  s.wait(child).exited(0);
});

syscallTest('setpgid: a group of its own, joining another, moving a child', (s) => {
  const p = s.pipe();
  const me = s.getpid().pid();
  const child = s.fork((c) => {
    c.setpgid(0, 0).returns(0);
    const group = c.getpgid(0).pid();
    c.check('own group', (v) => v.value(group) !== v.value(me) || 'the old one');
    c.setpgid(0, me).returns(0);
    const back = c.getpgid(0).pid();
    c.check('back', (v) => v.value(back) === v.value(me) || 'not back');
    c.write(p.w, 'x').optional();
    c.pause().optional();
  });
  s.reads(p.r, 'x', 1);
  s.setpgid(child, child).returns(0);
  const moved = s.getpgid(child).pid();
  s.check('moved', (v) => v.value(moved) === v.value(child) || 'not moved');
  s.kill(child, SIGKILL).returns(0);
  s.wait(child).killed(SIGKILL);
});

syscallTest('errors of setpgid', (s) => {
  const p = s.pipe();
  const child = s.fork((c) => {
    c.setpgid(0, -1).fails(EINVAL);
    c.setpgid(-1, 0).fails(EINVAL);
    c.setpgid(0, 0x3ffff).fails(EPERM); // no such group in the session
    c.setpgid(1, 0).fails(ESRCH); // not a child
    c.setpgid(0x3ffff, 0).fails(ESRCH);
    c.exec((x) => {
      x.call('write', 4, 'x', 1).returns(1).optional();
      x.pause().optional();
    });
  });
  s.reads(p.r, 'x', 1);
  s.setpgid(child, child).fails(EACCES); // it has executed a program
  s.kill(child, SIGKILL).returns(0);
  s.wait(child).killed(SIGKILL);
});

syscallTest('setsid', (s) => {
  const me = s.getpid().pid();
  const p = s.pipe();
  const child = s.fork((c) => {
    const session = c.setsid().pid();
    const [pid, group, sid] = [c.getpid().pid(), c.getpgid(0).pid(), c.getsid(0).pid()];
    c.check('ids', (v) => [session, group, sid].every((id) => v.value(id) === v.value(pid)) || 'others');
    c.setpgid(0, me).fails(EPERM); // a leader cannot leave
    c.write(p.w, 'x').optional();
    c.pause().optional();
  });
  s.reads(p.r, 'x', 1);
  s.setpgid(child, 0).fails(EPERM); // another session
  const theirs = s.getsid(child).pid();
  s.check('their session', (v) => v.value(theirs) === v.value(child) || 'other');
  const joiner = s.fork((c) => {
    c.setpgid(0, child).fails(EPERM); // a group of another session
  });
  s.wait(joiner).exited(0);
  s.kill(child, SIGKILL).returns(0);
  s.wait(child).killed(SIGKILL);
});

syscallTest('getpgid and getsid: ESRCH', (s) => {
  s.getpgid(0x3ffff).fails(ESRCH);
  s.getsid(0x3ffff).fails(ESRCH);
  s.getpgid(-1).fails(ESRCH);
  s.getpgid(1).succeeds();
  s.getsid(1).succeeds();
});

syscallTest('terminal stops do not stop an orphaned group', (s) => {
  for (const signal of [SIGTSTP, SIGTTIN, SIGTTOU]) {
    const child = s.fork((c) => {
      c.setsid().pid();
      c.kill(c.getpid().pid(), signal).returns(0); // the group has no parent in its session
      c.exit(3);
    });
    s.wait(child, WUNTRACED).exited(3);
  }
});

syscallTest('terminal stops stop a group whose parent is in the session', (s) => {
  for (const signal of [SIGTSTP, SIGTTIN, SIGTTOU]) {
    const child = s.fork((c) => {
      c.setpgid(0, 0).returns(0);
      c.kill(c.getpid().pid(), signal).returns(0);
      c.exit(3);
    });
    s.wait(child, WUNTRACED).stopped(signal);
    s.kill(child, SIGCONT).returns(0);
    s.wait(child).exited(3);
  }
});

syscallTest('a stopped group that becomes orphaned gets SIGHUP and SIGCONT', (s) => {
  s.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0).returns(0);
  const p = s.pipe();
  const q = s.pipe();
  const child = s.fork((c) => {
    c.setsid().pid();
    const stopped = c.fork((g) => {
      g.setpgid(0, 0).returns(0);
      g.onSignal(SIGHUP);
      g.onSignal(SIGCONT);
      g.sees(SIGCONT, SIGHUP); // both frames are set up, and the last one runs first
      g.kill(g.getpid().pid(), SIGSTOP).returns(0);
      g.write(p.w, 'continued');
      g.reads(q.r, 'x', 1);
    });
    c.wait(stopped, WUNTRACED).stopped(SIGSTOP);
  });
  s.wait(child).exited(0);
  s.reads(p.r, 'continued', 20);
  s.write(q.w, 'x');
  s.wait(-1).exited(0);
});

syscallTest('a group outlives its leader', (s) => {
  const p = s.pipe();
  const leader = s.fork((c) => {
    c.setpgid(0, 0).returns(0);
    c.fork((g) => {
      g.write(p.w, 'x').optional();
      g.pause().optional();
    });
    c.reads(p.r, 'x', 1);
  });
  s.wait(leader).exited(0);
  s.kill(leader.negated(), 0).returns(0);
  s.kill(leader.negated(), SIGKILL).returns(0);
});

syscallTest('/dev/tty without a controlling terminal', (s) => {
  s.mknodat(AT_FDCWD, 'tty', S_IFCHR | 0o666, 0x500).returns(0);
  s.openat(AT_FDCWD, 'tty', O_RDWR, 0).fails(ENXIO);
});

syscallTest('vhangup', (s) => {
  s.mkdir('pts');
  s.mount('none', 'pts', 'devpts', 0, 'newinstance,ptmxmode=0666').returns(0);
  const master = s.open('pts/ptmx', O_RDWR | O_NOCTTY);
  s.ioctl(master, TIOCSPTLCK, s.word(0)).returns(0);
  const child = s.fork((c) => {
    c.setsid().pid();
    const slave = c.open('pts/0', O_RDWR);
    const other = c.open('pts/0', O_RDWR | O_NOCTTY);
    c.ignoreSignal(SIGHUP);
    c.vhangup().returns(0);
    for (const fd of [slave, other]) {
      c.reads(fd, '', 10);
      c.call('write', fd, 'x', 1).fails(EIO);
      c.ioctl(fd, TCGETS, c.buffer(60)).fails(EIO);
    }
    c.mknodat(AT_FDCWD, 'tty', S_IFCHR | 0o666, 0x500).returns(0);
    c.openat(AT_FDCWD, 'tty', O_RDWR, 0).fails(ENXIO);
    c.open('pts/0', O_RDWR);
    c.open('tty', O_RDWR);
    c.exit(0);
  });
  s.wait(child).exited(0);
  s.umount2('pts', MNT_DETACH).returns(0);
});

syscallTest('vhangup sends the leader SIGHUP and SIGCONT', (s) => {
  s.mkdir('pts');
  s.mount('none', 'pts', 'devpts', 0, 'newinstance,ptmxmode=0666').returns(0);
  const master = s.open('pts/ptmx', O_RDWR | O_NOCTTY);
  s.ioctl(master, TIOCSPTLCK, s.word(0)).returns(0);
  const child = s.fork((c) => {
    c.setsid().pid();
    c.open('pts/0', O_RDWR);
    c.vhangup().optional();
  });
  s.wait(child).killed(SIGHUP);
  s.umount2('pts', MNT_DETACH).returns(0);
});

syscallTest('vhangup without a terminal, and without the capability', (s) => {
  s.vhangup().returns(0);
  s.asUser();
  s.vhangup().fails(EPERM);
});
