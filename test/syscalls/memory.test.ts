/** brk, mmap, munmap, mprotect, mremap, madvise, msync, mincore, mlock: mappings, their protection, their faults. */
import {
  AT_FDCWD,
  BUS_ADRERR,
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOMEM,
  EOPNOTSUPP,
  EOVERFLOW,
  EPERM,
  ESRCH,
  FREE_BASE,
  hostArch,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_NORMAL,
  MADV_POPULATE_READ,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
  MAP_32BIT,
  MAP_ANONYMOUS,
  MAP_DENYWRITE,
  MAP_EXECUTABLE,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_GROWSDOWN,
  MAP_LOCKED,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_STACK,
  MAP_SYNC,
  MCL_FUTURE,
  MCL_ONFAULT,
  MLOCK_ONFAULT,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  NON_CANONICAL,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PAGE,
  PROT_EXEC,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  RLIMIT_AS,
  RLIMIT_DATA,
  RLIMIT_MEMLOCK,
  RLIMIT_STACK,
  SA_ONSTACK,
  SA_SIGINFO,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGSEGV,
  SIG_BLOCK,
  SYMBOL_RETURN,
  SYMBOL_STACK,
  WILD,
  symbol,
  syscallTest,
  type Arg,
  type Call,
  type S,
} from '../support/index.js';

const RW = PROT_READ | PROT_WRITE;
const ANON = MAP_PRIVATE | MAP_ANONYMOUS;
const AT = FREE_BASE; // nothing else maps from here on

const map = (s: S, pages: number, prot = RW, flags = ANON, fd: Arg = -1, offset = 0) =>
  s.mmap(0, pages * PAGE, prot, flags, fd, offset).address();
const mapAt = (s: S, address: number, pages: number, prot = RW, flags = ANON, fd: Arg = -1, offset = 0) =>
  s.mmap(address, pages * PAGE, prot, flags | MAP_FIXED, fd, offset).returns(address);
const catchFaults = (s: S) => {
  s.onSignal(SIGSEGV, undefined, { flags: SA_SIGINFO });
  s.onSignal(SIGBUS, undefined, { flags: SA_SIGINFO });
};
/** A file of so many pages; page i is filled with the letter a + i. */
const pagesFile = (s: S, pages: number): Call => {
  const letters = Array.from({ length: pages }, (_, i) => String.fromCharCode(97 + i).repeat(PAGE)).join('');
  s.file('f', letters);
  return s.open('f', O_RDWR);
};

syscallTest('brk takes an address and returns the break', (s) => {
  const start = s.brk(0).succeeds();
  s.check('a user address', (v) => v.value(start) > 0x1000 || String(v.value(start)));
  const more = s.brk(start.plus(3 * PAGE)).succeeds();
  s.check('the break is where it was asked to be', (v) => v.value(more) === v.value(start) + 3 * PAGE || 'elsewhere');
  s.touch(start.plus(100), 'write').returns(0);
  s.touch(start.plus(3 * PAGE - 1), 'write').returns(0);
  s.touch(start.plus(200)).returns(0); // new memory is zero
  const odd = s.brk(start.plus(PAGE + 5)).succeeds();
  s.check('the break need not be aligned', (v) => v.value(odd) === v.value(start) + PAGE + 5 || 'elsewhere');
  s.touch(start.plus(2 * PAGE - 1)).returns(0); // the last page stays mapped
  catchFaults(s);
  s.sees(SIGSEGV);
  s.touch(start.plus(2 * PAGE)).faults();
  s.brk(start.plus(3 * PAGE)).succeeds();
  s.touch(start.plus(3 * PAGE - 1)).returns(0); // what was given back comes again as zeros
  s.touch(start.plus(100)).returns(0x5a);
});

syscallTest('a brk that cannot be has no effect and returns the old break', (s) => {
  const start = s.brk(0).succeeds();
  for (const wrong of [1, 0x7fff_ffff_0000, NON_CANONICAL, -1]) {
    const same = s.brk(wrong).succeeds();
    s.check('unchanged', (v) => v.value(same) === v.value(start) || `${v.value(same)}`);
  }
});

syscallTest('the break is copied by fork', (s) => {
  const start = s.brk(0).succeeds();
  s.brk(start.plus(PAGE)).succeeds();
  s.store(start, 4, 1234);
  const child = s.fork((c) => {
    c.peek(start, Buffer.from([0xd2, 4, 0, 0]));
    c.store(start, 4, 99);
    const grown = c.brk(start.plus(2 * PAGE)).succeeds();
    c.check('grown', (v) => v.value(grown) > 0 || 'no');
  });
  s.wait(child).exited(0);
  s.peek(start, Buffer.from([0xd2, 4, 0, 0]));
  const now = s.brk(0).succeeds();
  s.check('own break', (v) => v.value(now) === v.value(start) + PAGE || 'changed');
});

syscallTest('anonymous memory is zero, page aligned, and private to the process', (s) => {
  const p = map(s, 4);
  s.peek(p, new Uint8Array(100));
  s.store(p, 8, 0x1122334455667788n);
  const child = s.fork((c) => {
    c.peek(p, Buffer.from('8877665544332211', 'hex'));
    c.store(p, 8, 0);
  });
  s.wait(child).exited(0);
  s.peek(p, Buffer.from('8877665544332211', 'hex'));
  s.munmap(p, 4 * PAGE).returns(0);
});

syscallTest('shared anonymous memory is shared over fork', (s) => {
  const p = map(s, 1, RW, MAP_SHARED | MAP_ANONYMOUS);
  const child = s.fork((c) => {
    c.store(p, 4, 77);
  });
  s.wait(child).exited(0);
  s.peek(p, Buffer.from([77, 0, 0, 0]));
});

syscallTest('protections are enforced', (s) => {
  catchFaults(s);
  s.sees(SIGSEGV, SIGSEGV, SIGSEGV, SIGSEGV, SIGSEGV, SIGSEGV);
  mapAt(s, AT, 1, PROT_READ);
  s.touch(AT).returns(0);
  s.touch(AT, 'write').faults();
  mapAt(s, AT, 1, PROT_NONE);
  s.touch(AT).faults();
  s.touch(AT, 'write').faults();
  mapAt(s, AT, 1, RW);
  s.touch(AT, 'write').returns(0);
  s.touch(AT, 'execute').faults();
  s.munmap(AT, PAGE).returns(0);
  s.touch(AT).faults();
  mapAt(s, AT, 1, PROT_READ | PROT_WRITE | PROT_EXEC);
  s.copy(AT, symbol(SYMBOL_RETURN), 4); // a return instruction
  s.touch(AT, 'execute').returns(0);
  s.mprotect(AT, PAGE, PROT_READ).returns(0);
  s.touch(AT, 'execute').faults();
});

syscallTest('siginfo of faults', (s) => {
  catchFaults(s);
  s.sees(SIGSEGV, SIGSEGV, SIGBUS);
  s.touch(AT + 5).faults();
  const fd = s.open('f', O_CREAT | O_RDWR, 0o600);
  mapAt(s, AT, 1, PROT_READ);
  s.touch(AT + 7, 'write').faults();
  mapAt(s, AT, 2, RW, MAP_SHARED, fd);
  s.touch(AT + PAGE + 9).faults(); // beyond the end of the file
  s.check('codes', (v) => {
    const codes = v.signals.map(({ info }) => info.readInt32LE(8));
    return codes.join() === [SEGV_MAPERR, SEGV_ACCERR, BUS_ADRERR].join() || codes.join();
  });
});

syscallTest('without a handler a fault ends the process', (s) => {
  for (const [access, prot, signal] of [
    ['read', PROT_NONE, SIGSEGV],
    ['write', PROT_READ, SIGSEGV],
    ['execute', RW, SIGSEGV],
  ] as const) {
    const child = s.fork((c) => {
      mapAt(c, AT, 1, prot);
      c.touch(AT, access).optional();
      c.exit(1);
    });
    s.wait(child).killed(signal);
  }
});

syscallTest('a blocked or ignored SIGSEGV of a fault ends the process all the same', (s) => {
  const blocked = s.fork((c) => {
    catchFaults(c);
    c.sigmask(SIG_BLOCK, SIGSEGV);
    c.touch(AT).optional();
  });
  s.wait(blocked).killed(SIGSEGV);
  const ignored = s.fork((c) => {
    c.ignoreSignal(SIGSEGV);
    c.touch(AT).optional();
  });
  s.wait(ignored).killed(SIGSEGV);
});

syscallTest('errors of mmap', (s) => {
  const fd = pagesFile(s, 1);
  s.mmap(0, 0, RW, ANON, -1, 0).fails(EINVAL);
  s.mmap(0, PAGE, RW, MAP_ANONYMOUS, -1, 0).fails(EINVAL); // neither private nor shared
  s.mmap(0, PAGE, RW, MAP_PRIVATE, 99, 0).fails(EBADF);
  s.mmap(0, PAGE, RW, MAP_PRIVATE, fd, 5).fails(EINVAL);
  s.mmap(AT + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0).fails(EINVAL);
  s.mmap(0, -1, RW, ANON, -1, 0).fails(ENOMEM);
  s.mmap(0, 0x7fff_ffff_ffff_f000n, RW, ANON, -1, 0).fails(ENOMEM);
  // Beyond every machine's user space: who asks for more than 48 bits may get them on some.
  s.mmap(0xff_ffff_ffff_f000n, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0).fails(ENOMEM);
  s.mmap(0, PAGE, RW, MAP_PRIVATE, fd, 2n ** 63n - BigInt(PAGE)).fails(EOVERFLOW);
  s.mmap(0, PAGE, PROT_READ, MAP_PRIVATE, s.open('.', O_RDONLY), 0).fails(ENODEV);
  s.mmap(0, PAGE, PROT_READ, MAP_PRIVATE, s.pipe().r, 0).fails(ENODEV);
  s.mmap(0, PAGE, RW, MAP_SHARED, s.open('f', O_RDONLY), 0).fails(EACCES);
  s.mmap(0, PAGE, PROT_READ, MAP_PRIVATE, s.open('f', O_WRONLY), 0).fails(EACCES);
  s.mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0).fails(EOPNOTSUPP);
  map(s, 1, RW, MAP_PRIVATE, s.open('f', O_RDONLY)); // a private copy may be written to
});

syscallTest('MAP_FIXED replaces, MAP_FIXED_NOREPLACE does not, a hint is taken if free', (s) => {
  mapAt(s, AT, 3);
  s.fill(AT, 3 * PAGE, 0x33);
  mapAt(s, AT + PAGE, 1);
  s.peek(AT + PAGE - 1, '3\0');
  s.peek(AT + 2 * PAGE - 1, '\x003');
  s.mmap(AT + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0).fails(EEXIST);
  s.mmap(AT + 2 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0).fails(EEXIST);
  s.mmap(AT + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0).returns(AT + 3 * PAGE);
  s.mmap(AT + 0x10_0000, PAGE, RW, ANON, -1, 0).returns(AT + 0x10_0000);
  const other = s.mmap(AT, PAGE, RW, ANON, -1, 0).address();
  s.check('not over the old one', (v) => v.value(other) !== AT || 'replaced');
});

syscallTest('a low hint and mmap_min_addr', (s) => {
  s.asUser();
  s.mmap(0, PAGE, RW, ANON | MAP_FIXED, -1, 0).fails(EPERM);
});

syscallTest('MAP_32BIT', (s) => {
  if (MAP_32BIT === 0) return;
  s.mmap(0, PAGE, RW, ANON | MAP_32BIT, -1, 0).between(0x1000, 0x7fff_f000);
});

syscallTest('private mappings of files: read on demand, written copies stay private', (s) => {
  const fd = pagesFile(s, 3);
  const p = map(s, 3, RW, MAP_PRIVATE, fd);
  s.close(fd);
  s.peek(p.plus(PAGE - 1), 'ab');
  s.store(p, 1, 0x5a);
  s.peek(p, 'Za');
  s.reads(s.open('f', O_RDONLY), 'aa', 2);
  const q = map(s, 1, PROT_READ, MAP_PRIVATE, s.open('f', O_RDONLY), 2 * PAGE);
  s.peek(q, 'ccc');
});

syscallTest('shared mappings of files: coherent with read and write, seen by other processes', (s) => {
  const fd = pagesFile(s, 2);
  const p = map(s, 2, RW, MAP_SHARED, fd);
  const q = map(s, 1, PROT_READ, MAP_SHARED, fd, PAGE);
  s.pwrite64(fd, 'W', 1, PAGE).returns(1);
  s.peek(p.plus(PAGE), 'Wb');
  s.store(p.plus(PAGE + 1), 1, 0x58);
  s.peek(q, 'WXb');
  const b = s.buffer(3);
  s.pread64(fd, b, 3, PAGE).returns(3);
  b.is('WXb');
  const child = s.fork((c) => {
    c.store(p, 1, 0x21);
  });
  s.wait(child).exited(0);
  s.peek(p, '!a');
  s.msync(p, 2 * PAGE, MS_SYNC).returns(0);
  s.unlinkat(AT_FDCWD, 'f', 0).returns(0);
  s.close(fd);
  s.peek(p, '!a');
});

syscallTest(
  'the end of a file: the last page reads zeros, pages beyond are SIGBUS, truncation takes pages away',
  (s) => {
    catchFaults(s);
    s.sees(SIGBUS, SIGBUS);
    s.file('f', 'x'.repeat(100));
    const fd = s.open('f', O_RDWR);
    mapAt(s, AT, 3, RW, MAP_SHARED, fd);
    s.peek(AT + 98, 'xx\0\0');
    s.touch(AT + PAGE).faults();
    s.ftruncate(fd, 2 * PAGE).returns(0);
    s.touch(AT + PAGE, 'write').returns(0);
    s.ftruncate(fd, 10).returns(0);
    s.touch(AT + PAGE).faults();
    s.touch(AT + 50).returns(0);
    s.ftruncate(fd, 2 * PAGE).returns(0);
    s.touch(AT + PAGE).returns(0);
  },
);

syscallTest('a page of a file that a system call cannot reach is EFAULT', (s) => {
  const fd = s.open('f', O_CREAT | O_RDWR, 0o600);
  mapAt(s, AT, 1, RW, MAP_SHARED, fd);
  s.call('read', s.open('/dev/zero', O_RDONLY), AT, 10).fails(EFAULT);
  s.call('write', s.open('/dev/null', O_WRONLY), AT, 10).ok(); // null does not look at it
  s.call('write', s.pipe().w, AT, 10).fails(EFAULT);
  mapAt(s, AT, 1, PROT_READ);
  s.call('read', s.open('/dev/zero', O_RDONLY), AT, 10).fails(EFAULT);
  s.call('write', s.pipe().w, AT, 10).returns(10);
  mapAt(s, AT, 1, PROT_NONE);
  s.call('write', s.pipe().w, AT, 10).fails(EFAULT);
});

syscallTest('munmap', (s) => {
  catchFaults(s);
  s.sees(SIGSEGV, SIGSEGV);
  mapAt(s, AT, 5);
  s.munmap(AT + PAGE, PAGE).returns(0); // a hole
  s.touch(AT).returns(0);
  s.touch(AT + PAGE).faults();
  s.touch(AT + 2 * PAGE).returns(0);
  s.munmap(AT, 5 * PAGE).returns(0); // over the hole
  s.touch(AT + 4 * PAGE).faults();
  s.munmap(AT, 5 * PAGE).returns(0); // nothing there is no error
  s.munmap(AT + 1, PAGE).fails(EINVAL);
  s.munmap(AT, 0).fails(EINVAL);
  s.munmap(NON_CANONICAL, PAGE).fails(EINVAL);
  mapAt(s, AT, 1);
  s.munmap(AT, 1).returns(0); // the length is rounded up
  s.mmap(AT, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0).returns(AT);
});

syscallTest('mprotect', (s) => {
  catchFaults(s);
  s.sees(SIGSEGV, SIGSEGV);
  mapAt(s, AT, 4);
  s.mprotect(AT + PAGE, PAGE, PROT_READ).returns(0);
  s.touch(AT + PAGE, 'write').faults();
  s.touch(AT + 2 * PAGE, 'write').returns(0);
  s.mprotect(AT, 4 * PAGE, PROT_NONE).returns(0);
  s.touch(AT + 2 * PAGE).faults();
  s.mprotect(AT, 4 * PAGE, RW).returns(0);
  s.touch(AT + 2 * PAGE).returns(0x5a);
  s.mprotect(AT + 1, PAGE, RW).fails(EINVAL);
  s.mprotect(AT, 5 * PAGE, PROT_READ).fails(ENOMEM);
  s.mprotect(AT + 8 * PAGE, PAGE, PROT_READ).fails(ENOMEM);
  s.mprotect(AT, 0, PROT_READ).returns(0);
  s.mprotect(AT, PAGE, 0x40).fails(EINVAL);
  mapAt(s, AT, 1, PROT_READ, MAP_SHARED, s.open('/script', O_RDONLY));
  s.mprotect(AT, PAGE, RW).fails(EACCES); // the file is open for reading only
});

syscallTest('mremap: grow, shrink, move', (s) => {
  catchFaults(s);
  s.sees(SIGSEGV, SIGSEGV);
  mapAt(s, AT, 2);
  s.store(AT + PAGE, 1, 0x42);
  s.mremap(AT, 2 * PAGE, 4 * PAGE, 0).returns(AT); // room behind it
  s.touch(AT + 3 * PAGE, 'write').returns(0);
  s.mremap(AT, 4 * PAGE, 2 * PAGE, 0).returns(AT);
  s.touch(AT + 3 * PAGE).faults();
  mapAt(s, AT + 2 * PAGE, 1);
  s.mremap(AT, 2 * PAGE, 4 * PAGE, 0).fails(ENOMEM);
  const moved = s.mremap(AT, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE).address();
  s.peek(moved.plus(PAGE), 'B\0');
  s.touch(AT).faults();
  s.mremap(moved, 4 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AT + 0x10_0000).returns(AT + 0x10_0000);
  s.touch(AT + 0x10_0000 + PAGE).returns(0x42);
});

syscallTest('mremap of a shared file, and its errors', (s) => {
  const fd = pagesFile(s, 3);
  mapAt(s, AT, 1, RW, MAP_SHARED, fd);
  const all = s.mremap(AT, PAGE, 3 * PAGE, MREMAP_MAYMOVE).address();
  s.peek(all.plus(2 * PAGE), 'cc');
  s.mremap(AT + 1, PAGE, PAGE, 0).fails(EINVAL);
  s.mremap(AT + 0x50_0000, PAGE, 2 * PAGE, 0).fails(EFAULT);
  s.mremap(all, 3 * PAGE, 0, 0).fails(EINVAL);
  s.mremap(all, 3 * PAGE, PAGE, 0x100).fails(EINVAL);
  s.mremap(all, 3 * PAGE, PAGE, MREMAP_FIXED, AT).fails(EINVAL);
  s.mremap(all, 3 * PAGE, PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, AT + 1).fails(EINVAL);
  mapAt(s, AT, 4);
  s.mremap(AT, 2 * PAGE, 2 * PAGE, MREMAP_FIXED | MREMAP_MAYMOVE, AT + PAGE).fails(EINVAL); // overlap
});

syscallTest('MREMAP_DONTUNMAP leaves an empty mapping behind', (s) => {
  mapAt(s, AT, 1);
  s.store(AT, 1, 7);
  const moved = s.mremap(AT, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0).address();
  s.touch(moved).returns(7);
  s.touch(AT).returns(0);
});

syscallTest('madvise', (s) => {
  mapAt(s, AT, 3);
  s.fill(AT, 3 * PAGE, 0x11);
  s.madvise(AT + PAGE, PAGE, MADV_DONTNEED).returns(0);
  s.touch(AT + PAGE).returns(0);
  s.touch(AT).returns(0x11);
  for (const advice of [
    MADV_NORMAL,
    MADV_RANDOM,
    MADV_SEQUENTIAL,
    MADV_WILLNEED,
    MADV_DONTFORK,
    MADV_DOFORK,
    MADV_DONTDUMP,
    MADV_DODUMP,
  ]) {
    s.madvise(AT, PAGE, advice).returns(0);
  }
  s.madvise(AT, PAGE, 99).fails(EINVAL);
  s.madvise(AT + 1, PAGE, MADV_NORMAL).fails(EINVAL);
  s.madvise(AT, 0, MADV_NORMAL).returns(0);
  s.madvise(AT + 0x10_0000, PAGE, MADV_DONTNEED).fails(ENOMEM);
  s.madvise(AT, 4 * PAGE, MADV_DONTNEED).fails(ENOMEM);
  s.touch(AT).returns(0); // but it was done up to there
  const fd = pagesFile(s, 1);
  mapAt(s, AT, 1, RW, MAP_PRIVATE, fd);
  s.store(AT, 1, 0x21);
  s.madvise(AT, PAGE, MADV_DONTNEED).returns(0);
  s.peek(AT, 'aa'); // as in the file again
});

syscallTest('MADV_DONTFORK and MADV_WIPEONFORK', (s) => {
  mapAt(s, AT, 1);
  mapAt(s, AT + 16 * PAGE, 1);
  s.store(AT, 1, 5);
  s.store(AT + 16 * PAGE, 1, 6);
  s.madvise(AT, PAGE, MADV_DONTFORK).returns(0);
  s.madvise(AT + 16 * PAGE, PAGE, MADV_WIPEONFORK).returns(0);
  const child = s.fork((c) => {
    catchFaults(c);
    c.sees(SIGSEGV);
    c.touch(AT).faults();
    c.touch(AT + 16 * PAGE).returns(0);
  });
  s.wait(child).exited(0);
  s.touch(AT).returns(5);
});

syscallTest('MADV_REMOVE and MADV_POPULATE', (s) => {
  const fd = pagesFile(s, 2);
  mapAt(s, AT, 2, RW, MAP_SHARED, fd);
  s.madvise(AT, PAGE, MADV_REMOVE).returns(0);
  const b = s.buffer(2);
  s.pread64(fd, b, 2, PAGE - 1).returns(2);
  b.is('\0b');
  s.madvise(AT, 2 * PAGE, MADV_POPULATE_READ).returns(0);
  s.madvise(AT, 3 * PAGE, MADV_POPULATE_READ).fails(ENOMEM);
});

syscallTest('msync', (s) => {
  const fd = pagesFile(s, 2);
  mapAt(s, AT, 2, RW, MAP_SHARED, fd);
  for (const flags of [0, MS_SYNC, MS_ASYNC, MS_SYNC | MS_INVALIDATE]) s.msync(AT, 2 * PAGE, flags).returns(0);
  s.msync(AT, 2 * PAGE, MS_SYNC | MS_ASYNC).fails(EINVAL);
  s.msync(AT, PAGE, 0x100).fails(EINVAL);
  s.msync(AT + 1, PAGE, MS_SYNC).fails(EINVAL);
  s.msync(AT, 3 * PAGE, MS_SYNC).fails(ENOMEM);
  s.msync(AT, 0, MS_SYNC).returns(0);
  s.mlock(AT, PAGE).returns(0);
  s.msync(AT, PAGE, MS_INVALIDATE).fails(EBUSY);
});

syscallTest('mincore', (s) => {
  mapAt(s, AT, 3);
  s.touch(AT + PAGE, 'write').returns(0);
  const b = s.buffer(3);
  s.mincore(AT, 3 * PAGE, b).returns(0);
  b.is('\0\x01\0');
  s.mincore(AT, 4 * PAGE, s.buffer(4).ignore()).fails(ENOMEM);
  s.mincore(AT + 1, PAGE, b).fails(EINVAL);
  s.mincore(AT, PAGE, WILD).fails(EFAULT);
  s.mincore(AT, 0, b).returns(0);
  s.mincore(AT + 0x10_0000, PAGE, b).fails(ENOMEM);
});

syscallTest('mlock, mlock2, munlock, mlockall', (s) => {
  mapAt(s, AT, 2);
  s.mlock(AT, PAGE).returns(0);
  s.mlock(AT + 5, 10).returns(0); // rounded
  s.mlock(AT, 3 * PAGE).fails(ENOMEM);
  s.munlock(AT, 2 * PAGE).returns(0);
  s.munlock(AT + 0x10_0000, PAGE).fails(ENOMEM);
  s.mlock2(AT, PAGE, MLOCK_ONFAULT).returns(0);
  s.mlock2(AT, PAGE, 8).fails(EINVAL);
  s.mlockall(0).fails(EINVAL);
  s.mlockall(8).fails(EINVAL);
  s.mlockall(MCL_ONFAULT).fails(EINVAL);
  s.mlockall(MCL_FUTURE).returns(0);
  s.munlockall().returns(0);
  s.prlimit64(0, RLIMIT_MEMLOCK, s.pack('u64', PAGE, 'u64', PAGE), null).returns(0);
  s.asUser();
  s.mlock(AT, PAGE).returns(0);
  s.mlock(AT, 2 * PAGE).fails(ENOMEM);
  s.mmap(0, 4 * PAGE, RW, ANON | MAP_LOCKED, -1, 0).fails(EAGAIN);
  s.prlimit64(0, RLIMIT_MEMLOCK, s.pack('u64', 0, 'u64', 0), null).returns(0);
  s.mlock(AT, PAGE).fails(EPERM);
});

syscallTest('RLIMIT_AS and RLIMIT_DATA', (s) => {
  s.prlimit64(0, RLIMIT_AS, s.pack('u64', 0x4000_0000, 'u64', 0x4000_0000), null).returns(0);
  s.mmap(0, 0x5000_0000, RW, ANON, -1, 0).fails(ENOMEM);
  s.mmap(0, 0x5000_0000, PROT_NONE, ANON, -1, 0).fails(ENOMEM);
  map(s, 1);
  const child = s.fork((c) => {
    c.prlimit64(0, RLIMIT_DATA, c.pack('u64', 0, 'u64', 0), null).returns(0);
    const old = c.brk(0).succeeds();
    const now = c.brk(old.plus(0x10_0000)).succeeds();
    c.check('no growth', (v) => v.value(now) === v.value(old) || 'grew');
    c.mmap(0, PAGE, RW, ANON, -1, 0).fails(ENOMEM);
  });
  s.wait(child).exited(0);
});

syscallTest('MAP_GROWSDOWN grows on a touch below it', (s) => {
  s.mmap(AT + 0x100_0000, PAGE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0).returns(AT + 0x100_0000);
  s.touch(AT + 0x100_0000, 'write').returns(0);
  s.touch(AT + 0x100_0000 - 8, 'write').returns(0);
  s.touch(AT + 0x100_0000 - 3 * PAGE, 'write').returns(0);
});

syscallTest('the stack grows by megabytes and stops at RLIMIT_STACK', (s) => {
  s.prlimit64(0, RLIMIT_STACK, s.pack('u64', 0x40_0000, 'u64', 0x80_0000), null).returns(0);
  s.sigaltstack(s.pack('ptr', s.stack(), 'u32', 0, 'u64', 65536), null).returns(0);
  s.onSignal(SIGSEGV, undefined, { flags: SA_ONSTACK | SA_SIGINFO });
  s.sees(SIGSEGV);
  const sp = symbol(SYMBOL_STACK);
  s.touch(sp.plus(-0x10_0000), 'write').returns(0);
  s.touch(sp.plus(-0x30_0000), 'write').returns(0);
  s.touch(sp.plus(-0x10_0000)).returns(0x5a);
  s.touch(sp.plus(-0x20_0000)).returns(0);
  s.touch(sp.plus(-0x50_0000), 'write').faults();
  const maps = s.buffer(16384).ignore();
  const n = s.call('read', s.open('/proc/self/maps', O_RDONLY), maps, 16384).succeeds();
  s.check('there is a stack line', (v) => v.bytes(maps.address, v.value(n)).toString().includes('[stack]') || 'none');
});

syscallTest('/proc/self/maps shows mappings with merge and split', (s) => {
  const fd = pagesFile(s, 2);
  mapAt(s, AT, 2, PROT_READ);
  mapAt(s, AT + 2 * PAGE, 2, PROT_READ); // merges
  mapAt(s, AT + 4 * PAGE, 1, RW);
  mapAt(s, AT + 5 * PAGE, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, PAGE);
  mapAt(s, AT + 6 * PAGE, 1, RW, MAP_SHARED, fd);
  s.mprotect(AT + PAGE, PAGE, PROT_NONE).returns(0); // splits
  const b = s.buffer(16384).ignore();
  const n = s.call('read', s.open('/proc/self/maps', O_RDONLY), b, 16384).succeeds();
  s.check('maps', (v) => {
    const lines = v
      .bytes(b.address, v.value(n))
      .toString()
      .split('\n')
      .filter((line) => line.startsWith('20000'));
    const text = lines
      .map((line) =>
        line
          .replace(/ +/g, ' ')
          .replace(/[0-9a-f]+:[0-9a-f]+ \d+/, 'DEV INO')
          .trim(),
      )
      .join('|');
    const name = `/tmp/t${s.script.number}/f`;
    const line = (from: number, to: number, rest: string) =>
      `${(AT + from * PAGE).toString(16)}-${(AT + to * PAGE).toString(16)} ${rest}`;
    const want = [
      line(0, 1, 'r--p 00000000 DEV INO'),
      line(1, 2, '---p 00000000 DEV INO'),
      line(2, 4, 'r--p 00000000 DEV INO'),
      line(4, 5, 'rw-p 00000000 DEV INO'),
      line(5, 6, `r-xp ${PAGE.toString(16).padStart(8, '0')} DEV INO ${name}`),
      line(6, 7, `rw-s 00000000 DEV INO ${name}`),
    ].join('|');
    return text === want || text;
  });
});

syscallTest('process_vm_readv and process_vm_writev', (s) => {
  const theirs = s.pack('u32', 1, 'u32', 2).ignore(4); // the second word is written by the other process
  const p = s.pipe();
  const child = s.fork((c) => {
    c.store(theirs, 4, 111);
    c.write(p.w, 'x');
    c.waitWord(theirs.plus(4), 222);
  });
  s.reads(p.r, 'x', 1);
  const mine = s.buffer(8);
  s.process_vm_readv(child, s.iovec([mine, 8]), 1, s.iovec([theirs, 8]), 1, 0).returns(8);
  mine.u32(0, 111).u32(4, 2);
  s.process_vm_readv(child, s.iovec([mine, 8]), 1, s.iovec([WILD, 8]), 1, 0).fails(EFAULT);
  s.process_vm_readv(child, s.iovec([mine, 8]), 1, s.iovec([theirs, 8]), 1, 1).fails(EINVAL);
  s.process_vm_readv(0x3ffff, s.iovec([mine, 8]), 1, s.iovec([theirs, 8]), 1, 0).fails(ESRCH);
  s.process_vm_writev(child, s.iovec([s.pack('u32', 222), 4]), 1, s.iovec([theirs.plus(4), 4]), 1, 0).returns(4);
  s.wait(child).exited(0);
});

syscallTest('remap_file_pages and old calls', (s) => {
  const fd = pagesFile(s, 2);
  mapAt(s, AT, 2, RW, MAP_SHARED, fd);
  s.remap_file_pages(AT, PAGE, 0, 1, 0).returns(0);
  s.peek(AT, 'bb');
});

syscallTest('zero length, MAP_NORESERVE, MAP_POPULATE, MAP_STACK are accepted', (s) => {
  for (const flag of [MAP_NORESERVE, MAP_POPULATE, MAP_STACK, MAP_DENYWRITE, MAP_EXECUTABLE])
    map(s, 1, RW, ANON | flag);
  map(s, 1, PROT_READ, MAP_PRIVATE, s.open('/dev/zero', O_RDONLY));
  const shared = map(s, 1, RW, MAP_SHARED, s.open('/dev/zero', O_RDWR));
  s.touch(shared, 'write').returns(0);
});

syscallTest('the top byte of an address counts, but not on AArch64', (s) => {
  s.call('mmap', FREE_BASE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
  const tagged = BigInt(FREE_BASE) | (0x5an << 56n);
  for (const call of [
    s.call('mprotect', tagged, PAGE, PROT_READ),
    s.call('madvise', tagged, PAGE, 4),
    s.call('mlock', tagged, PAGE),
    s.call('munlock', tagged, PAGE),
    s.call('msync', tagged, PAGE, 4),
    s.call('mincore', tagged, PAGE, s.buffer(1).ignore()),
    s.call('mremap', tagged, PAGE, PAGE, 0),
    s.call('munmap', tagged, PAGE),
  ])
    if (hostArch === 'aarch64') call.succeeds();
    else call.failsWith(ENOMEM, EINVAL, EFAULT);
  s.call('munmap', FREE_BASE, 2 * PAGE).returns(0);
});
