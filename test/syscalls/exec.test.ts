/** execve and execveat: what the new program finds, what is kept, and every way to fail. */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  E2BIG,
  EACCES,
  EBADF,
  EFAULT,
  EINVAL,
  EIO,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOEXEC,
  ENOTDIR,
  EPERM,
  ETXTBSY,
  FD_CLOEXEC,
  FREE_BASE,
  F_GETFD,
  ITIMER_REAL,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  O_CLOEXEC,
  O_CREAT,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PAGE,
  PROT_READ,
  PROT_WRITE,
  PR_GET_NAME,
  PR_GET_NO_NEW_PRIVS,
  PR_SET_NAME,
  PR_SET_NO_NEW_PRIVS,
  RLIMIT_STACK,
  SIGHUP,
  SIGSEGV,
  SIGTERM,
  SIGUSR1,
  SIGUSR2,
  SIG_BLOCK,
  SIG_DFL,
  SIG_IGN,
  SS_DISABLE,
  WILD,
  hostArch,
  maskOf,
  syscallTest,
  type Arg,
} from '../support/index.js';

/** Executing the executor itself; in the new program memory is as at the start of the script, so descriptors are constants. */
const EXECUTOR = '/executor';

syscallTest('argv, environment, and the stack', (s) => {
  const child = s.fork((c) => {
    c.exec(
      (x) => {
        const start = x.start();
        x.check('strings', (v) => {
          const [{ a, b, payload }] = v.extra(start);
          const texts = payload.toString('latin1').split('\0');
          if (a !== 4n || b !== 2n) return `argc ${a}, ${b} variables`;
          const got = [...texts.slice(0, 3), ...texts.slice(4, 6)].join('|');
          return got === 'zero||two words|A=1|no equals sign' || got;
        });
        x.check('the stack pointer is aligned to 16 and all registers are 0', (v) => {
          const [, { a, b }] = v.extra(start);
          return (a % 16n === 0n && b === 0n) || `sp ${a.toString(16)}, registers ${b.toString(16)}`;
        });
        x.exit(3);
      },
      { argv: ['zero', '', 'two words'], env: ['A=1', 'no equals sign'] },
    );
  });
  s.wait(child).exited(3);
});

syscallTest('the auxiliary vector', (s) => {
  s.exec((x) => {
    const start = x.start();
    x.check('entries', (v) => {
      const { payload } = v.extra(start)[1];
      const auxv = new Map<number, number>();
      for (let i = 0; i + 16 <= payload.length; i += 16) {
        auxv.set(Number(payload.readBigUInt64LE(i)), Number(payload.readBigUInt64LE(i + 8)));
      }
      const want: Record<string, (value: number | undefined) => boolean> = {
        'AT_PHDR 3': (a) => a !== undefined && a > 0x1000,
        'AT_PHENT 4': (a) => a === 56,
        'AT_PHNUM 5': (a) => a !== undefined && a > 0 && a < 20,
        'AT_PAGESZ 6': (a) => a === PAGE,
        'AT_BASE 7': (a) => a === 0,
        'AT_FLAGS 8': (a) => a === 0,
        'AT_ENTRY 9': (a) => a !== undefined && a > 0x1000,
        'AT_UID 11': (a) => a === 0,
        'AT_EUID 12': (a) => a === 0,
        'AT_GID 13': (a) => a === 0,
        'AT_EGID 14': (a) => a === 0,
        'AT_PLATFORM 15': (a) => a !== undefined && a > 0x1000,
        'AT_HWCAP 16': (a) => a !== undefined && a !== 0,
        'AT_CLKTCK 17': (a) => a === 100,
        'AT_SECURE 23': (a) => a === 0,
        'AT_RANDOM 25': (a) => a !== undefined && a > 0x1000,
        'AT_EXECFN 31': (a) => a !== undefined && a > 0x1000,
      };
      const wrong = Object.entries(want).filter(([name, good]) => !good(auxv.get(Number(name.split(' ')[1]))));
      return wrong.length === 0 || wrong.map(([name]) => `${name}: ${auxv.get(Number(name.split(' ')[1]))}`).join();
    });
  });
});

syscallTest('close-on-exec, and the descriptors that stay', (s) => {
  s.file('f', 'kept open');
  s.open('f', O_RDONLY).returns(3);
  s.open('f', O_RDONLY | O_CLOEXEC).returns(4);
  s.exec((x) => {
    x.fcntl(3, F_GETFD).returns(0);
    x.reads(3, 'kept', 4);
    x.fcntl(4, F_GETFD).fails(EBADF);
  });
});

syscallTest('handlers become default, ignored signals, mask and pending signals stay', (s) => {
  s.onSignal(SIGUSR1);
  s.ignoreSignal(SIGUSR2);
  s.sigmask(SIG_BLOCK, SIGHUP, SIGTERM);
  s.kill(s.getpid().pid(), SIGTERM).returns(0);
  s.sigaltstack(s.pack('ptr', s.stack(), 'u32', 0, 'u64', 65536), null).returns(0);
  s.exec((x) => {
    const old = x.buffer(32);
    x.rt_sigaction(SIGUSR1, null, old, 8).returns(0);
    old.u64(0, SIG_DFL);
    x.rt_sigaction(SIGUSR2, null, old, 8).returns(0);
    old.u64(0, SIG_IGN);
    const mask = x.buffer(8);
    x.rt_sigprocmask(SIG_BLOCK, null, mask, 8).returns(0);
    mask.u64(0, Number(maskOf(SIGHUP, SIGTERM)));
    x.rt_sigpending(mask, 8).returns(0);
    mask.u64(0, Number(maskOf(SIGTERM)));
    const stack = x.pack('u64', 1, 'u32', 1, 'u64', 1);
    x.sigaltstack(null, stack).returns(0);
    stack.u64(0, 0).u32(8, SS_DISABLE);
  });
});

syscallTest('pid, cwd, umask, ids, limits, itimer stay; the name changes', (s) => {
  s.mkdir('d');
  s.chdir('d').returns(0);
  s.umask(0o031);
  s.prctl(PR_SET_NAME, 'before', 0, 0, 0).returns(0);
  s.setitimer(ITIMER_REAL, s.pack('u64', 0, 'u64', 0, 'u64', 100, 'u64', 0), null).returns(0);
  s.setpgid(0, 0).oneOf(0, -EPERM);
  const me = s.getpid().pid();
  s.symlink('/executor', 'a-name-longer-than-15');
  s.exec(
    (x) => {
      const now = x.getpid().pid();
      x.check('same pid', (v) => v.value(now) === v.value(me) || 'other');
      x.umask(0).returns(0o031);
      const b = x.buffer(64);
      x.getcwd(b, 64).returns(`/tmp/t${x.script.number}/d`.length + 1);
      const timer = x.buffer(32).ignore(16, 16);
      x.getitimer(ITIMER_REAL, timer).returns(0);
      timer.u64(16, (seconds) => seconds > 50);
      const name = x.buffer(16);
      x.prctl(PR_GET_NAME, name, 0, 0, 0).returns(0);
      name.is('a-name-longer-t\0');
    },
    { path: './a-name-longer-than-15' },
  );
});

syscallTest('memory is new', (s) => {
  s.mmap(FREE_BASE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0).returns(FREE_BASE);
  s.exec((x) => {
    x.onSignal(SIGSEGV);
    x.sees(SIGSEGV);
    x.touch(FREE_BASE).faults();
  });
});

syscallTest('errors of the path', (s) => {
  const args = s.strings('x');
  s.mkdir('d');
  s.file('plain', 'no program', 0o644);
  s.file('text', 'no program', 0o755);
  s.file('empty', '', 0o755);
  s.symlink('loop', 'loop');
  const execve = (path: Arg) => s.call('execve', path, args, null);
  execve('missing').fails(ENOENT);
  execve('').fails(ENOENT);
  execve('d').fails(EACCES);
  execve('d/').fails(EACCES);
  execve('plain').fails(EACCES); // not executable, even for root
  execve('text').fails(ENOEXEC);
  execve('empty').fails(ENOEXEC);
  execve('plain/x').fails(ENOTDIR);
  execve('text/').fails(ENOTDIR);
  execve('loop').fails(ELOOP);
  execve('n'.repeat(256)).fails(ENAMETOOLONG);
  execve('/'.repeat(4096)).fails(ENAMETOOLONG);
  execve('/dev/null').fails(EACCES);
  execve(WILD).fails(EFAULT);
});

syscallTest('errors of the arguments', (s) => {
  s.call('execve', EXECUTOR, WILD, null).fails(EFAULT);
  s.call('execve', EXECUTOR, s.pack('ptr', WILD, 'ptr', 0), null).fails(EFAULT);
  s.call('execve', EXECUTOR, s.strings('x'), s.pack('ptr', WILD, 'ptr', 0)).fails(EFAULT);
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE(BigInt(s.cstring('x').address));
  s.call('execve', EXECUTOR, s.edge(pointer), null).fails(EFAULT); // no end
  const long = 'a'.repeat(32 * PAGE); // MAX_ARG_STRLEN with the NUL is one less
  s.call('execve', EXECUTOR, s.strings('x', long), null).fails(E2BIG);
  s.call('execve', 'missing', s.strings('x', long), null).fails(ENOENT); // the path comes first
});

syscallTest('a string of 32 pages less its NUL fits', (s) => {
  s.exec(
    (x) => {
      const start = x.start();
      x.check('argc', (v) => v.extra(start)[0].a === 3n || String(v.extra(start)[0].a));
    },
    { argv: ['x', 'a'.repeat(32 * PAGE - 1)] },
  );
});

syscallTest('a quarter of the stack limit bounds all strings together', (s) => {
  s.prlimit64(0, RLIMIT_STACK, s.pack('u64', 0x80_0000, 'u64', 0x80_0000), null).returns(0);
  const big = s.cstring('a'.repeat(131_000));
  s.call('execve', EXECUTOR, s.strings(...Array.from({ length: 20 }, () => big)), null).fails(E2BIG);
});

syscallTest('the array of pointers counts, too', (s) => {
  s.prlimit64(0, RLIMIT_STACK, s.pack('u64', 0x10_0000, 'u64', 0x10_0000), null).returns(0);
  const pointer = Buffer.alloc(8);
  pointer.writeBigUInt64LE(BigInt(s.cstring('').address));
  const array = s.buffer(320_008, 0);
  s.copy(array, s.bytes(pointer), 8);
  s.copy(array.plus(8), array, 319_992); // doubles itself along
  s.call('execve', EXECUTOR, array, null).fails(E2BIG);
});

syscallTest('ETXTBSY: a program open for writing; writing to a running program', (s) => {
  s.file('x', '#!/executor\n', 0o755);
  const fd = s.open('x', O_RDWR);
  s.call('execve', 'x', s.strings('x'), null).fails(ETXTBSY);
  s.close(fd);
  s.openat(AT_FDCWD, EXECUTOR, O_WRONLY, 0).fails(ETXTBSY);
  s.truncate(EXECUTOR, 0).fails(ETXTBSY);
});

syscallTest('a user needs the x bit that counts for him', (s) => {
  s.umask(0);
  s.file('mine', '#!/executor\n', 0o611);
  s.file('group', '#!/executor\n', 0o010);
  s.mkdir('closed', 0o700);
  s.file('closed/x', '#!/executor\n', 0o755);
  s.fchownat(AT_FDCWD, 'mine', 1000, 1000, 0).returns(0);
  s.asUser();
  s.call('execve', 'mine', s.strings('x'), null).fails(EACCES); // the owner has none, although others do
  s.call('execve', 'group', s.strings('x'), null).fails(EACCES);
  s.call('execve', 'closed/x', s.strings('x'), null).fails(EACCES);
});

syscallTest('scripts: interpreter, its one argument, the path, then the rest', (s) => {
  s.file('script', '#! /executor  one argument with spaces \nignored\n', 0o755);
  s.exec(
    (x) => {
      const start = x.start();
      x.check('argv', (v) => {
        const texts = v.extra(start)[0].payload.toString('latin1').split('\0').slice(0, 4).join('|');
        return texts === '/executor|one argument with spaces|./script|second' || texts;
      });
    },
    { path: './script', argv: ['dropped', 'second'] },
  );
});

syscallTest('scripts: without an argument, without a newline, at any path', (s) => {
  s.mkdir('d');
  s.file('d/script', '#!/executor', 0o755);
  s.exec(
    (x) => {
      const start = x.start();
      x.check('argv', (v) => {
        const texts = v.extra(start)[0].payload.toString('latin1').split('\0').slice(0, 3).join('|');
        return texts === '/executor|d/script|a' || texts;
      });
    },
    { path: 'd/script', argv: ['dropped', 'a'] },
  );
});

syscallTest('scripts: errors', (s) => {
  s.file('nothing', '#!\n', 0o755);
  s.file('missing', '#!/no/such/interpreter\n', 0o755);
  s.file('directory', '#!/tmp\n', 0o755);
  s.file('self', `#!/tmp/t${s.script.number}/self\n`, 0o755);
  s.file('long', `#!/${'x'.repeat(300)}\n`, 0o755);
  s.file('plain', 'x', 0o644);
  s.file('to plain', `#!/tmp/t${s.script.number}/plain\n`, 0o755);
  const execve = (path: string) => s.call('execve', path, s.strings('x'), null);
  execve('nothing').fails(ENOEXEC);
  execve('missing').fails(ENOENT);
  execve('directory').fails(EACCES);
  execve('self').fails(ELOOP);
  execve('long').fails(ENOEXEC);
  execve('to plain').fails(EACCES);
});

syscallTest('scripts whose interpreters are scripts', (s) => {
  const here = `/tmp/t${s.script.number}`;
  s.file('a', '#!/executor x\n', 0o755);
  s.file('b', `#!${here}/a y\n`, 0o755);
  s.exec(
    (x) => {
      const start = x.start();
      x.check('argv', (v) => {
        const texts = v.extra(start)[0].payload.toString('latin1').split('\0').slice(0, 5).join('|');
        return texts === `/executor|x|${here}/a|y|./b` || texts;
      });
    },
    { path: './b', argv: ['dropped'] },
  );
});

syscallTest('truncated and strange ELF files are ENOEXEC', (s) => {
  const elf = (edit: (header: Buffer) => void): Buffer => {
    const header = Buffer.alloc(120);
    header.write('\x7fELF', 'latin1');
    header.set([2, 1, 1], 4);
    header.writeUInt16LE(2, 16); // ET_EXEC
    header.writeUInt16LE(hostArch === 'x86_64' ? 62 : 183, 18);
    header.writeUInt32LE(1, 20);
    header.writeBigUInt64LE(0x400000n, 24);
    header.writeBigUInt64LE(64n, 32);
    header.writeUInt16LE(64, 52);
    header.writeUInt16LE(56, 54);
    header.writeUInt16LE(1, 56);
    edit(header);
    return header;
  };
  const cases: Record<string, Buffer> = {
    'four bytes': Buffer.from('\x7fELF', 'latin1'),
    'half a header': elf(() => undefined).subarray(0, 40),
    'a header only': elf(() => undefined).subarray(0, 64),
    'another machine': elf((h) => h.writeUInt16LE(8, 18)),
    'no type': elf((h) => h.writeUInt16LE(0, 16)),
    'no program headers': elf((h) => h.writeUInt16LE(0, 56)),
    'wrong entry size': elf((h) => h.writeUInt16LE(55, 54)),
    'headers beyond the end': elf((h) => h.writeBigUInt64LE(0x10000n, 32)),
  };
  for (const [name, content] of Object.entries(cases)) {
    s.file(name, content, 0o755);
    s.call('execve', name, s.strings('x'), null).failsWith(ENOEXEC, EIO, EINVAL);
  }
});

syscallTest('set-user-id programs and AT_SECURE', (s) => {
  s.umask(0);
  s.call('sendfile', s.open('x', O_CREAT | O_WRONLY, 0o755), s.open(EXECUTOR, O_RDONLY), null, 1_000_000).ok();
  s.close(3);
  s.close(4);
  s.fchownat(AT_FDCWD, 'x', 500, 600, 0).returns(0);
  s.fchmodat(AT_FDCWD, 'x', 0o6755).returns(0);
  s.asUser();
  s.exec(
    (x) => {
      const ids = x.buffer(12);
      x.getresuid(ids, ids.plus(4), ids.plus(8)).returns(0);
      ids.u32(0, 1000).u32(4, 500).u32(8, 500);
      x.getresgid(ids, ids.plus(4), ids.plus(8)).returns(0);
      ids.u32(0, 1000).u32(4, 600).u32(8, 600);
      const start = x.start();
      x.check('AT_SECURE', (v) => {
        const { payload } = v.extra(start)[1];
        for (let i = 0; i < payload.length; i += 16)
          if (payload.readBigUInt64LE(i) === 23n) return payload.readBigUInt64LE(i + 8) === 1n || '0';
        return 'missing';
      });
    },
    { path: './x' },
  );
});

syscallTest('PR_SET_NO_NEW_PRIVS keeps set-user-id from working', (s) => {
  s.umask(0);
  s.call('sendfile', s.open('x', O_CREAT | O_WRONLY, 0o755), s.open(EXECUTOR, O_RDONLY), null, 1_000_000).ok();
  s.close(3);
  s.close(4);
  s.fchownat(AT_FDCWD, 'x', 500, 600, 0).returns(0);
  s.fchmodat(AT_FDCWD, 'x', 0o6755).returns(0);
  s.asUser();
  s.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).returns(0);
  s.exec(
    (x) => {
      x.geteuid().returns(1000);
      x.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0).returns(1);
    },
    { path: './x' },
  );
});

syscallTest('exec from a thread: the others end, the thread takes the pid of the process', (s) => {
  const p = s.pipe();
  const child = s.fork((c) => {
    const me = c.getpid().pid();
    c.thread((t) => {
      t.exec((x) => {
        const pid = x.getpid().pid();
        const tid = x.gettid().pid();
        x.check(
          'pid',
          (v) => (v.value(pid) === v.value(me) && v.value(tid) === v.value(me)) || `${v.value(pid)} ${v.value(tid)}`,
        );
        x.call('write', 4, 'done', 4).returns(4);
        x.exit(7);
      });
    }).optional();
    c.pause().optional();
    c.call('write', p.w, 'never', 5).optional();
  });
  s.wait(child).exited(7);
  s.reads(p.r, 'done', 20);
});

syscallTest('execveat', (s) => {
  s.mkdir('d');
  s.symlink('/executor', 'd/link');
  const d = s.open('d', O_RDONLY);
  const fd = s.open(EXECUTOR, O_PATH);
  const none = s.strings('x');
  s.call('execveat', d, 'missing', none, null, 0).fails(ENOENT);
  s.call('execveat', d, 'link', none, null, AT_SYMLINK_NOFOLLOW).fails(ELOOP);
  s.call('execveat', fd, '', none, null, 0).fails(ENOENT);
  s.call('execveat', 99, 'x', none, null, 0).fails(EBADF);
  s.call('execveat', d, 'link', none, null, 0x8000).fails(EINVAL);
  const child = s.fork((c) => {
    c.exec((x) => void x.exit(4), { name: 'execveat', fd: d, path: 'link' });
  });
  s.wait(child).exited(4);
  s.exec((x) => void x.getpid().pid(), { name: 'execveat', fd, path: '', argv: ['x'], flags: AT_EMPTY_PATH });
});

syscallTest('a script by descriptor is found as /dev/fd/N', (s) => {
  s.symlink('/proc/self/fd', '/dev/fd').ignored();
  s.file('script', '#!/executor\n', 0o755);
  const fd = s.open('script', O_RDONLY).returns(3);
  s.exec(
    (x) => {
      const start = x.start();
      x.check('argv', (v) => {
        const texts = v.extra(start)[0].payload.toString('latin1').split('\0').slice(0, 2).join('|');
        return texts === '/executor|/dev/fd/3' || texts;
      });
    },
    { name: 'execveat', fd, path: '', argv: ['x'], flags: AT_EMPTY_PATH },
  );
});

syscallTest('/proc/self: exe, cmdline, comm', (s) => {
  s.exec(
    (x) => {
      const b = x.buffer(64).ignore();
      x.readlinkat(AT_FDCWD, '/proc/self/exe', b, 64).returns(9);
      b.is('/executor');
      const n = x.call('read', x.open('/proc/self/cmdline', O_RDONLY), b, 64).succeeds();
      x.check('cmdline', (v) => v.bytes(b.address, v.value(n)).toString().startsWith('my name\0second\0@') || 'other');
      x.reads(x.open('/proc/self/comm', O_RDONLY), 'executor\n', 64);
    },
    { argv: ['my name', 'second'] },
  );
});

syscallTest('argv may be empty: it gets one empty string', (s) => {
  const mark = s.continuation((x) => {
    const start = x.start();
    x.check('argc', (v) => v.extra(start)[0].a === 1n || String(v.extra(start)[0].a));
  });
  s.call('execve', EXECUTOR, null, s.strings(mark)).optional();
});

syscallTest('vfork and exec, as posix_spawn does', (s) => {
  s.open('/dev/null', O_RDONLY | O_CLOEXEC).returns(3);
  const child = s.vfork((c) => {
    c.call('dup3', 3, 5, 0).returns(5);
    c.exec((x) => {
      x.fcntl(3, F_GETFD).fails(EBADF);
      x.fcntl(5, F_GETFD).returns(0);
      x.exit(11);
    });
    c.exit(1);
  });
  s.wait(child).exited(11);
  s.fcntl(3, F_GETFD).returns(FD_CLOEXEC);
  s.fcntl(5, F_GETFD).fails(EBADF);
});
