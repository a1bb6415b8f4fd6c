/** uname, hostname, sysinfo, getrandom, limits, priorities, scheduling, rusage, prctl, personality and other small calls. */
import {
  ADDR_NO_RANDOMIZE,
  ARCH_GET_FS,
  ARCH_GET_GS,
  ARCH_SET_FS,
  ARCH_SET_GS,
  EACCES,
  EBUSY,
  EFAULT,
  EINVAL,
  ENOSYS,
  EPERM,
  ESRCH,
  FREE_BASE,
  GRND_INSECURE,
  GRND_NONBLOCK,
  GRND_RANDOM,
  MEMBARRIER_CMD_PRIVATE_EXPEDITED,
  MEMBARRIER_CMD_QUERY,
  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
  NON_CANONICAL,
  O_RDONLY,
  PRIO_PGRP,
  PRIO_PROCESS,
  PR_GET_CHILD_SUBREAPER,
  PR_GET_DUMPABLE,
  PR_GET_KEEPCAPS,
  PR_GET_NAME,
  PR_GET_NO_NEW_PRIVS,
  PR_GET_PDEATHSIG,
  PR_GET_SECCOMP,
  PR_GET_TIMERSLACK,
  PR_SET_DUMPABLE,
  PR_SET_KEEPCAPS,
  PR_SET_NAME,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  PR_SET_SECCOMP,
  PR_SET_TIMERSLACK,
  RLIMIT_CORE,
  RLIMIT_NOFILE,
  RUSAGE_CHILDREN,
  RUSAGE_SELF,
  RUSAGE_THREAD,
  SCHED_BATCH,
  SCHED_FIFO,
  SCHED_OTHER,
  SECCOMP_MODE_STRICT,
  SIGKILL,
  SIGUSR1,
  WILD,
  hostArch,
  rusageLayout,
  syscallTest,
  sysinfoLayout,
} from '../support/index.js';

syscallTest('uname', (s) => {
  const u = s.buffer(390).ignore();
  s.uname(u).returns(0);
  u.is('Linux\0').is(hostArch, 260);
  s.check('release', (v) => /^\d+\.\d+/.test(v.bytes(u.address + 130, 65).toString('latin1')) || 'none');
  s.check(
    'a release that no program finds too old',
    (v) => Number(/^\d+/.exec(v.bytes(u.address + 130, 65).toString('latin1'))?.[0]) >= 5 || 'old',
  );
  s.uname(WILD).fails(EFAULT);
});

syscallTest('sethostname and setdomainname', (s) => {
  const u = s.buffer(390).ignore();
  s.sethostname('a-name and rest', 6).returns(0);
  s.setdomainname('domain', 6).returns(0);
  s.uname(u).returns(0);
  u.is('a-name\0', 65).is('domain\0', 325);
  s.sethostname('x', 65).fails(EINVAL);
  s.sethostname('x', -1).fails(EINVAL);
  s.sethostname(WILD, 5).fails(EFAULT);
  s.sethostname('', 0).returns(0);
  s.setdomainname('(none)', 6).returns(0);
  s.sethostname('host', 4).returns(0);
  s.asUser();
  s.sethostname('x', 1).fails(EPERM);
  s.setdomainname('x', 1).fails(EPERM);
});

syscallTest('sysinfo', (s) => {
  const i = s.struct(sysinfoLayout, 112).ignore();
  s.sysinfo(i).returns(0);
  i.has({ uptime: (t) => t >= 0, totalram: (n) => n > 0, procs: (n) => n > 0, unit: (n) => n >= 1 });
  s.check('free is no more than all', (v) => v.u64(i.plus(40)) <= v.u64(i.plus(32)) || 'more');
  s.sysinfo(WILD).fails(EFAULT);
});

syscallTest('getrandom', (s) => {
  const [a, b] = [s.buffer(32).ignore(), s.buffer(32).ignore()];
  s.getrandom(a, 32, 0).returns(32);
  s.getrandom(b, 32, GRND_NONBLOCK).returns(32);
  s.check('different bytes', (v) => !v.bytes(a.address, 32).equals(v.bytes(b.address, 32)) || 'equal');
  s.getrandom(a, 0, 0).returns(0);
  s.getrandom(a, 32, GRND_RANDOM).returns(32);
  s.getrandom(a, 32, 0x100).fails(EINVAL);
  s.getrandom(a, 32, GRND_RANDOM | GRND_INSECURE).fails(EINVAL);
  s.getrandom(WILD, 32, 0).fails(EFAULT);
  const big = s.buffer(10_000).ignore();
  s.getrandom(big, 10_000, 0).returns(10_000);
});

syscallTest('prlimit64', (s) => {
  const old = s.buffer(16);
  s.prlimit64(0, RLIMIT_NOFILE, s.pack('u64', 100, 'u64', 200), null).returns(0);
  s.prlimit64(0, RLIMIT_NOFILE, null, old).returns(0);
  old.u64(0, 100).u64(8, 200);
  s.prlimit64(0, RLIMIT_NOFILE, s.pack('u64', 50, 'u64', 150), old).returns(0);
  old.u64(0, 100).u64(8, 200); // the old values
  s.prlimit64(0, RLIMIT_NOFILE, s.pack('u64', 300, 'u64', 200), null).fails(EINVAL);
  s.prlimit64(0, 16, null, old).fails(EINVAL);
  s.prlimit64(0, RLIMIT_NOFILE, WILD, null).fails(EFAULT);
  s.prlimit64(0, RLIMIT_NOFILE, null, WILD).fails(EFAULT);
  s.prlimit64(0x3ffff, RLIMIT_NOFILE, null, old).fails(ESRCH);
  s.prlimit64(s.getpid().pid(), RLIMIT_NOFILE, null, old).returns(0);
  const child = s.fork((c) => {
    c.prlimit64(0, RLIMIT_NOFILE, null, old).returns(0);
    old.u64(0, 50).u64(8, 150);
    c.asUser();
    c.prlimit64(0, RLIMIT_NOFILE, c.pack('u64', 20, 'u64', 150), null).returns(0);
    c.prlimit64(0, RLIMIT_NOFILE, c.pack('u64', 20, 'u64', 151), null).fails(EPERM);
    c.prlimit64(0, RLIMIT_NOFILE, c.pack('u64', 20, 'u64', 100), null).returns(0);
    c.prlimit64(1, RLIMIT_NOFILE, null, old).fails(EPERM);
  });
  s.wait(child).exited(0);
});

syscallTest('getrlimit and setrlimit', (s) => {
  const r = s.buffer(16);
  s.setrlimit(RLIMIT_CORE, s.pack('u64', 0, 'u64', -1)).returns(0);
  s.getrlimit(RLIMIT_CORE, r).returns(0);
  r.u64(0, 0).i64(8, -1);
  s.getrlimit(99, r).fails(EINVAL);
  s.setrlimit(RLIMIT_CORE, WILD).fails(EFAULT);
});

syscallTest('getpriority and setpriority', (s) => {
  s.getpriority(PRIO_PROCESS, 0).returns(20); // 20 - nice
  s.setpriority(PRIO_PROCESS, 0, 5).returns(0);
  s.getpriority(PRIO_PROCESS, 0).returns(15);
  s.setpriority(PRIO_PROCESS, 0, 100).returns(0);
  s.getpriority(PRIO_PROCESS, 0).returns(1);
  s.setpriority(PRIO_PROCESS, 0, -100).returns(0);
  s.getpriority(PRIO_PROCESS, 0).returns(40);
  s.setpriority(PRIO_PROCESS, 0, 0).returns(0);
  s.getpriority(9, 0).fails(EINVAL);
  s.getpriority(PRIO_PROCESS, 0x3ffff).fails(ESRCH);
  s.setpriority(PRIO_PROCESS, 0x3ffff, 0).fails(ESRCH);
  s.setpriority(PRIO_PGRP, 0, 3).returns(0);
  s.getpriority(PRIO_PGRP, 0).returns(17);
  const child = s.fork((c) => {
    c.getpriority(PRIO_PROCESS, 0).returns(17); // inherited
    c.asUser();
    c.setpriority(PRIO_PROCESS, 0, 10).returns(0);
    c.setpriority(PRIO_PROCESS, 0, 5).fails(EACCES);
    c.setpriority(PRIO_PROCESS, 1, 10).fails(EPERM);
  });
  s.wait(child).exited(0);
});

syscallTest('sched_*', (s) => {
  s.sched_yield().returns(0);
  s.sched_getscheduler(0).returns(SCHED_OTHER);
  s.sched_getscheduler(0x3ffff).fails(ESRCH);
  s.sched_getscheduler(-1).fails(EINVAL);
  s.sched_get_priority_max(SCHED_FIFO).returns(99);
  s.sched_get_priority_min(SCHED_FIFO).returns(1);
  s.sched_get_priority_max(SCHED_OTHER).returns(0);
  s.sched_get_priority_max(99).fails(EINVAL);
  const param = s.word(9);
  s.sched_getparam(0, param).returns(0);
  param.u32(0, 0);
  s.sched_setscheduler(0, SCHED_BATCH, s.word(0)).returns(0);
  s.sched_getscheduler(0).returns(SCHED_BATCH);
  s.sched_setscheduler(0, SCHED_OTHER, s.word(0)).returns(0);
  s.sched_setscheduler(0, SCHED_FIFO, s.word(0)).fails(EINVAL);
  s.sched_setscheduler(0, 99, s.word(0)).fails(EINVAL);
  s.sched_setscheduler(0, SCHED_OTHER, WILD).fails(EFAULT);
  s.sched_setparam(0, s.word(1)).fails(EINVAL);
  s.sched_rr_get_interval(0, s.buffer(16).ignore()).returns(0);
  s.sched_rr_get_interval(0x3ffff, s.buffer(16)).fails(ESRCH);
});

syscallTest('sched_getaffinity and sched_setaffinity', (s) => {
  const set = s.buffer(1024).ignore();
  s.sched_getaffinity(0, 1024, set).between(8, 1024);
  s.check('there is a CPU', (v) => v.bytes(set.address, 8).some((byte) => byte !== 0) || 'none');
  s.sched_getaffinity(0, 7, set).fails(EINVAL);
  s.sched_getaffinity(0, 1024, WILD).fails(EFAULT);
  s.sched_getaffinity(0x3ffff, 1024, set).fails(ESRCH);
  s.sched_setaffinity(0, 8, s.quad(1)).returns(0);
  const mine = s.buffer(1024).ignore();
  s.sched_getaffinity(0, 1024, mine).succeeds();
  mine.u64(0, 1);
  s.sched_setaffinity(0, 8, s.quad(0)).fails(EINVAL);
  s.sched_setaffinity(0, 8, WILD).fails(EFAULT);
  s.sched_setaffinity(0x3ffff, 8, s.quad(1)).fails(ESRCH);
});

syscallTest('getcpu', (s) => {
  const cpu = s.pack('u32', 0xffff, 'u32', 0xffff).ignore();
  s.getcpu(cpu, cpu.plus(4), null).returns(0);
  cpu.u32(0, (n) => n < 4096);
  s.getcpu(null, null, null).returns(0);
  s.getcpu(WILD, null, null).fails(EFAULT);
});

syscallTest('getrusage', (s) => {
  const u = s.struct(rusageLayout, 144).ignore();
  for (const who of [RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD]) s.getrusage(who, u).returns(0);
  u.has({ utime: 0, utimeUsec: (n) => n < 1e6 });
  s.getrusage(99, u).fails(EINVAL);
  s.getrusage(RUSAGE_SELF, WILD).fails(EFAULT);
});

syscallTest('prctl: names', (s) => {
  const name = s.buffer(16);
  s.prctl(PR_SET_NAME, 'a name that is too long', 0, 0, 0).returns(0);
  s.prctl(PR_GET_NAME, name, 0, 0, 0).returns(0);
  name.is('a name that is \0');
  s.reads(s.open('/proc/self/comm', O_RDONLY), 'a name that is \n', 64);
  s.prctl(PR_SET_NAME, WILD, 0, 0, 0).fails(EFAULT);
  s.prctl(PR_GET_NAME, WILD, 0, 0, 0).fails(EFAULT);
  const child = s.fork((c) => {
    c.prctl(PR_GET_NAME, name, 0, 0, 0).returns(0);
    name.is('a name that is \0');
  });
  s.wait(child).exited(0);
});

syscallTest('prctl: the small settings', (s) => {
  s.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0).returns(1);
  s.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0).returns(0);
  s.prctl(PR_GET_DUMPABLE, 0, 0, 0, 0).returns(0);
  s.prctl(PR_SET_DUMPABLE, 2, 0, 0, 0).fails(EINVAL);
  const word = s.word(7);
  s.prctl(PR_GET_PDEATHSIG, word, 0, 0, 0).returns(0);
  word.u32(0, 0);
  s.prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0).returns(0);
  s.prctl(PR_GET_PDEATHSIG, word, 0, 0, 0).returns(0);
  word.u32(0, SIGUSR1);
  s.prctl(PR_SET_PDEATHSIG, 99, 0, 0, 0).fails(EINVAL);
  s.prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0).returns(0);
  s.prctl(PR_SET_KEEPCAPS, 2, 0, 0, 0).fails(EINVAL);
  s.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0).returns(0);
  s.prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0).fails(EINVAL);
  s.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).returns(0);
  s.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0).returns(1);
  s.prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0).returns(50_000);
  s.prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0).returns(0);
  s.prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0).returns(1000);
  s.prctl(PR_GET_CHILD_SUBREAPER, word, 0, 0, 0).returns(0);
  word.u32(0, 0);
  s.prctl(PR_GET_SECCOMP, 0, 0, 0, 0).returns(0);
  s.prctl(0x7fff_ffff, 0, 0, 0, 0).fails(EINVAL);
});

syscallTest('personality', (s) => {
  s.personality(0xffffffff).returns(0);
  s.personality(ADDR_NO_RANDOMIZE).returns(0);
  s.personality(0xffffffff).returns(ADDR_NO_RANDOMIZE);
  const child = s.fork((c) => {
    c.personality(0xffffffff).returns(ADDR_NO_RANDOMIZE);
  });
  s.wait(child).exited(0);
});

syscallTest('arch_prctl', (s) => {
  const out = s.quad(1);
  s.arch_prctl(ARCH_GET_FS, out).returns(0);
  out.u64(0, 0);
  s.arch_prctl(ARCH_SET_FS, FREE_BASE).returns(0);
  s.arch_prctl(ARCH_GET_FS, out).returns(0);
  out.u64(0, FREE_BASE);
  s.arch_prctl(ARCH_SET_GS, 0x1234).returns(0);
  s.arch_prctl(ARCH_GET_GS, out).returns(0);
  out.u64(0, 0x1234);
  s.arch_prctl(ARCH_SET_FS, NON_CANONICAL).fails(EPERM);
  s.arch_prctl(ARCH_GET_FS, WILD).fails(EFAULT);
  s.arch_prctl(0x9999, 0).fails(EINVAL);
});

syscallTest(
  'membarrier',
  (s) => {
    const all = s.membarrier(MEMBARRIER_CMD_QUERY, 0, 0).succeeds();
    s.check('a set', (v) => v.value(all) >= 0 || 'none');
    s.membarrier(MEMBARRIER_CMD_QUERY, 1, 0).fails(EINVAL);
    s.membarrier(0x4000_0000, 0, 0).fails(EINVAL);
    s.membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0).fails(EPERM); // not registered
    s.membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0).returns(0);
    s.membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0).returns(0);
  },
  { lacks: 'membarrier commands' },
);

syscallTest('rseq', (s) => {
  const area = s.pages(1, 0).ignore();
  s.rseq(area, 32, 0, 0x53053053).returns(0);
  s.rseq(area, 32, 0, 0x53053053).fails(EBUSY);
  s.rseq(area, 32, 1, 0x1111).fails(EPERM);
  s.rseq(area, 32, 1, 0x53053053).returns(0);
  s.rseq(area.plus(8), 32, 0, 0x53053053).fails(EINVAL); // alignment
  s.rseq(area, 16, 0, 0x53053053).fails(EINVAL);
  s.rseq(area, 32, 9, 0x53053053).fails(EINVAL);
});

syscallTest(
  'seccomp in strict mode allows read, write, exit and sigreturn',
  (s) => {
    const child = s.fork((c) => {
      c.prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0).returns(0);
      c.call('write', 1, 'x', 1).returns(1);
      c.call('getpid').optional();
    });
    s.wait(child).killed(SIGKILL);
  },
  { lacks: 'seccomp' },
);

syscallTest('calls that need privileges', (s) => {
  s.asUser();
  s.reboot(0xfee1dead, 0x28121969, 0x1234567, null).fails(EPERM);
  s.swapoff('/none')
    .fails(EPERM)
    .differs('there is no swap', (c) => c.fails(ENOSYS));
  s.acct(null)
    .fails(EPERM)
    .differs('there is no process accounting', (c) => c.fails(ENOSYS));
  s.pivot_root('.', '.').fails(EPERM);
  s.vhangup().fails(EPERM);
  s.sched_setscheduler(0, SCHED_FIFO, s.word(1)).fails(EPERM);
});

syscallTest('reboot looks at its magic numbers', (s) => {
  s.reboot(0, 0, 0x1234567, null).fails(EINVAL);
  s.reboot(0xfee1dead, 1, 0x1234567, null).fails(EINVAL);
  s.reboot(0xfee1dead, 0x28121969, 0x9999, null).fails(EINVAL);
});

syscallTest('numbers that are no calls', (s) => {
  for (const nr of [1000, 5000, 0x7fff_ffff]) s.callNumber(nr, 1, 2, 3).fails(ENOSYS);
  if (hostArch === 'x86_64') {
    s.callNumber(156, 0).fails(ENOSYS); // _sysctl
    s.callNumber(180, 0).fails(ENOSYS); // nfsservctl
  }
});

syscallTest('capabilities of /proc/self/status and stat', (s) => {
  const b = s.buffer(4096).ignore();
  const me = s.getpid().pid();
  const n = s.call('read', s.open('/proc/self/status', O_RDONLY), b, 4096).succeeds();
  s.check('fields', (v) => {
    const text = v.bytes(b.address, v.value(n)).toString();
    const wanted = [
      /^Name:\t\S/m,
      /^State:\tR \(running\)$/m,
      new RegExp(`^Pid:\\t${v.value(me)}$`, 'm'),
      /^Uid:\t0\t0\t0\t0$/m,
      /^Threads:\t1$/m,
      /^SigBlk:\t0{16}$/m,
    ];
    const missing = wanted.find((pattern) => !pattern.test(text));
    return missing === undefined || String(missing);
  });
  const m = s.call('read', s.open('/proc/self/stat', O_RDONLY), b, 4096).succeeds();
  s.check('52 fields', (v) => v.bytes(b.address, v.value(m)).toString().trim().split(' ').length === 52 || 'other');
});
