/** Users, groups, capabilities: set*id, getgroups, setgroups, setfsuid, capget, capset, and what they permit. */
import {
  AT_FDCWD,
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_KILL,
  CAP_SETGID,
  CAP_SETUID,
  CAP_SYS_ADMIN,
  CAP_SYS_CHROOT,
  EACCES,
  EFAULT,
  EINVAL,
  EPERM,
  ESRCH,
  O_RDONLY,
  O_RDWR,
  PR_CAPBSET_DROP,
  PR_CAPBSET_READ,
  PR_SET_KEEPCAPS,
  WILD,
  _LINUX_CAPABILITY_VERSION_3,
  syscallTest,
  type Arg,
  type S,
} from '../support/index.js';

const three = (s: S, name: 'getresuid' | 'getresgid', real: number, effective: number, saved: number) => {
  const ids = s.buffer(12);
  s.call(name, ids, ids.plus(4), ids.plus(8)).returns(0);
  ids.u32(0, real).u32(4, effective).u32(8, saved);
};

syscallTest('a test starts as root without groups', (s) => {
  s.getuid().returns(0);
  s.geteuid().returns(0);
  s.getgid().returns(0);
  s.getegid().returns(0);
  three(s, 'getresuid', 0, 0, 0);
  three(s, 'getresgid', 0, 0, 0);
});

syscallTest('setuid of root changes all three, and there is no way back', (s) => {
  s.setgid(7).returns(0);
  three(s, 'getresgid', 7, 7, 7);
  s.setuid(1000).returns(0);
  three(s, 'getresuid', 1000, 1000, 1000);
  s.setuid(0).fails(EPERM);
  s.setuid(1000).returns(0);
  s.setgid(8).fails(EPERM);
  s.setgid(7).returns(0);
});

syscallTest('setuid of a user changes the effective id only', (s) => {
  s.setresuid(1000, 1001, 1002).returns(0);
  s.setuid(1002).returns(0);
  three(s, 'getresuid', 1000, 1002, 1002);
  s.setuid(1000).returns(0);
  three(s, 'getresuid', 1000, 1000, 1002);
  s.setuid(1001).fails(EPERM);
});

syscallTest('setresuid and setresgid', (s) => {
  s.setresgid(1, 2, 3).returns(0);
  three(s, 'getresgid', 1, 2, 3);
  s.setresgid(-1, -1, 4).returns(0);
  three(s, 'getresgid', 1, 2, 4);
  s.setresuid(10, 0, 30).returns(0);
  three(s, 'getresuid', 10, 0, 30);
  s.setresuid(-1, 10, -1).returns(0);
  three(s, 'getresuid', 10, 10, 30);
  s.setresuid(-1, 30, -1).returns(0);
  s.setresuid(30, 10, 30).returns(0);
  s.setresuid(5, -1, -1).fails(EPERM);
  s.setresgid(2, 1, 4).returns(0); // any of the three
  s.setresgid(9, -1, -1).fails(EPERM);
  s.getresuid(WILD, WILD, WILD).fails(EFAULT);
});

syscallTest('setreuid and setregid', (s) => {
  s.setregid(5, 6).returns(0);
  three(s, 'getresgid', 5, 6, 6);
  s.setreuid(-1, 20).returns(0);
  three(s, 'getresuid', 0, 20, 20); // the saved id follows when the effective one differs from the old real one
  s.setreuid(20, 0).returns(0);
  three(s, 'getresuid', 20, 0, 0);
  s.setreuid(20, 20).returns(0);
  s.setreuid(0, -1).fails(EPERM);
  s.setregid(6, 5).oneOf(0, -EPERM);
});

syscallTest('the saved id brings privileges back', (s) => {
  s.file('secret', 'x', 0o600);
  s.setresuid(-1, 1000, -1).returns(0);
  s.openat(AT_FDCWD, 'secret', O_RDONLY, 0).fails(EACCES);
  s.setresuid(-1, 0, -1).returns(0);
  s.open('secret', O_RDONLY);
});

syscallTest('getgroups and setgroups', (s) => {
  s.setgroups(3, s.pack('u32', 30, 'u32', 10, 'u32', 20)).returns(0);
  s.getgroups(0, null).returns(3);
  const list = s.buffer(12);
  s.getgroups(3, list).returns(3);
  list.u32(0, 10).u32(4, 20).u32(8, 30); // sorted
  s.getgroups(2, list).fails(EINVAL);
  s.getgroups(-1, list).fails(EINVAL);
  s.getgroups(3, WILD).fails(EFAULT);
  s.setgroups(0x10001, list).fails(EINVAL);
  s.setgroups(1, WILD).fails(EFAULT);
  s.file('f', 'x', 0o640);
  s.fchownat(AT_FDCWD, 'f', 0, 20, 0).returns(0);
  s.setresuid(1000, 1000, 1000).returns(0);
  s.setgroups(0, null).fails(EPERM);
  s.open('f', O_RDONLY); // by the supplementary group
});

syscallTest('setfsuid and setfsgid return the old id', (s) => {
  s.file('f', 'x', 0o600);
  s.setfsgid(70).returns(0);
  s.setfsgid(-1).returns(70);
  s.setfsuid(1000).returns(0);
  s.openat(AT_FDCWD, 'f', O_RDONLY, 0).fails(EACCES);
  s.setfsuid(0).returns(1000);
  s.open('f', O_RDONLY);
  s.setresuid(1000, 1000, 1000).returns(0);
  s.setfsuid(0).returns(1000);
  s.setfsuid(-1).returns(1000); // refused without a word
});

const header = (s: S, pid: Arg = 0, version = _LINUX_CAPABILITY_VERSION_3) => s.pack('u32', version, 'u32', pid);
const none = ['u32', 0, 'u32', 0, 'u32', 0, 'u32', 0, 'u32', 0, 'u32', 0] as const;

syscallTest('capget', (s) => {
  const caps = s.buffer(24).ignore();
  s.capget(header(s), caps).returns(0);
  s.check('root has the usual ones', (v) => {
    const wanted = [
      CAP_CHOWN,
      CAP_DAC_OVERRIDE,
      CAP_FOWNER,
      CAP_KILL,
      CAP_SETGID,
      CAP_SETUID,
      CAP_SYS_CHROOT,
      CAP_SYS_ADMIN,
    ];
    return (
      wanted.every((cap) => (v.u32(caps) & (1 << cap)) !== 0 && (v.u32(caps.plus(4)) & (1 << cap)) !== 0) ||
      v.u32(caps).toString(16)
    );
  });
  const wrong = header(s, 0, 0x123).ignore();
  s.capget(wrong, caps).fails(EINVAL);
  wrong.u32(0, _LINUX_CAPABILITY_VERSION_3); // tells the version it likes
  s.capget(header(s, 0x3ffff), caps).fails(ESRCH);
  s.capget(header(s, -1), caps).fails(EINVAL);
  s.capget(WILD, caps).fails(EFAULT);
  s.capget(header(s), WILD).fails(EFAULT);
});

syscallTest('capabilities go with the user id', (s) => {
  const caps = s.buffer(24).ignore(8, 4).ignore(20, 4);
  s.asUser();
  s.capget(header(s), caps).returns(0);
  caps.u32(0, 0).u32(4, 0).u32(12, 0).u32(16, 0);
});

syscallTest('PR_SET_KEEPCAPS keeps the permitted ones', (s) => {
  const caps = s.buffer(24).ignore();
  s.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0).returns(0);
  s.setresuid(1000, 1000, 1000).returns(0);
  s.capget(header(s), caps).returns(0);
  caps.u32(0, 0).u32(4, (permitted) => (permitted & (1 << CAP_SETUID)) !== 0);
});

syscallTest('capset drops; dropped ones are missed', (s) => {
  s.file('f', 'x', 0);
  s.fchownat(AT_FDCWD, 'f', 5, 5, 0).returns(0);
  s.capset(header(s), s.pack(...none)).returns(0);
  s.openat(AT_FDCWD, 'f', O_RDONLY, 0).fails(EACCES); // uid 0 alone opens nothing
  s.setresuid(-1, 1000, -1).fails(EPERM);
  s.fchownat(AT_FDCWD, 'f', 0, 0, 0).fails(EPERM);
  s.chroot('.').fails(EPERM);
  s.sethostname('x', 1).fails(EPERM);
  s.capset(header(s), s.pack('u32', 1, 'u32', 1, 'u32', 0, 'u32', 0, 'u32', 0, 'u32', 0)).fails(EPERM);
  s.capset(header(s, 1), s.pack(...none)).fails(EPERM);
  s.capset(WILD, s.pack(...none)).fails(EFAULT);
});

syscallTest('the bounding set', (s) => {
  s.prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0).returns(1);
  s.prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0).returns(0);
  s.prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0).returns(0);
  s.prctl(PR_CAPBSET_READ, 100, 0, 0, 0).fails(EINVAL);
  s.file('f');
  s.exec((x) => {
    x.fchownat(AT_FDCWD, 'f', 5, 5, 0).fails(EPERM); // gone with the exec
  });
});

syscallTest('CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER one by one', (s) => {
  s.mkdir('d', 0o700);
  s.file('d/f', 'x', 0o600);
  s.fchownat(AT_FDCWD, 'd', 5, 5, 0).returns(0);
  s.fchownat(AT_FDCWD, 'd/f', 5, 5, 0).returns(0);
  const only = (cap: number, then: (c: S) => void) => {
    const child = s.fork((c) => {
      c.capset(header(c), c.pack('u32', 1 << cap, 'u32', 1 << cap, 'u32', 0, 'u32', 0, 'u32', 0, 'u32', 0)).returns(0);
      then(c);
    });
    s.wait(child).exited(0);
  };
  only(CAP_DAC_OVERRIDE, (c) => {
    c.open('d/f', O_RDWR);
    c.fchmodat(AT_FDCWD, 'd/f', 0o600).fails(EPERM);
  });
  only(CAP_DAC_READ_SEARCH, (c) => {
    c.open('d/f', O_RDONLY);
    c.openat(AT_FDCWD, 'd/f', O_RDWR, 0).fails(EACCES);
  });
  only(CAP_FOWNER, (c) => {
    c.openat(AT_FDCWD, 'd/f', O_RDONLY, 0).fails(EACCES);
    c.fchmodat(AT_FDCWD, 'd', 0o700).returns(0);
  });
  only(CAP_CHOWN, (c) => {
    c.fchownat(AT_FDCWD, 'd', 6, 5, 0).returns(0);
    c.fchownat(AT_FDCWD, 'd', 5, 5, 0).returns(0);
  });
});

syscallTest('ids are inherited and kept by exec', (s) => {
  s.setresgid(1, 2, 3).returns(0);
  s.setresuid(10, 20, 30).returns(0);
  const child = s.fork((c) => {
    three(c, 'getresuid', 10, 20, 30);
    c.exec((x) => {
      three(x, 'getresuid', 10, 20, 20); // the saved ids become the effective ones
      three(x, 'getresgid', 1, 2, 2);
    });
  });
  s.wait(child).exited(0);
});
