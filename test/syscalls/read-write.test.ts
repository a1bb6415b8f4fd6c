/** read, write, their vector and positioned forms, lseek, truncate, fallocate, sync calls: data and positions of files. */
import {
  AT_FDCWD,
  EACCES,
  EBADF,
  EFAULT,
  EFBIG,
  EINVAL,
  EISDIR,
  ENOENT,
  ENXIO,
  EOPNOTSUPP,
  EOVERFLOW,
  ESPIPE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FREE_BASE,
  MAP_FIXED,
  MAP_PRIVATE,
  NON_CANONICAL,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PAGE,
  POSIX_FADV_SEQUENTIAL,
  PROT_READ,
  PROT_WRITE,
  RLIMIT_FSIZE,
  RWF_APPEND,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
  SIGXFSZ,
  S_IFREG,
  WILD,
  syscallTest,
} from '../support/index.js';

const RW = O_CREAT | O_RDWR;

syscallTest('read and write move the position, pread and pwrite do not', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.write(fd, 'hello world');
  s.lseek(fd, 0, SEEK_CUR).returns(11);
  s.lseek(fd, 6, SEEK_SET).returns(6);
  s.reads(fd, 'wor', 3);
  const b = s.buffer(5);
  s.pread64(fd, b, 5, 0).returns(5);
  b.is('hello');
  s.pwrite64(fd, 'J', 1, 0).returns(1);
  s.lseek(fd, 0, SEEK_CUR).returns(9);
  s.reads(fd, 'ld', 10);
  s.reads(fd, '', 10);
  s.pread64(fd, b, 5, 100).returns(0);
  s.pread64(fd, b, 5, 9).returns(2);
  b.is('ldllo');
});

syscallTest('a write of 100000 bytes is one write, a read of them one read', (s) => {
  const content = Buffer.alloc(100_000, 'levitate');
  s.file('f', content);
  const fd = s.open('f', O_RDONLY);
  s.reads(fd, content, 100_000);
});

syscallTest('errors of read and write', (s) => {
  s.file('f', 'abc');
  s.mkdir('d');
  const fd = s.open('f', O_RDWR);
  const d = s.open('d', O_RDONLY);
  const b = s.buffer(4);
  s.call('read', 99, b, 4).fails(EBADF);
  s.call('write', 99, b, 4).fails(EBADF);
  s.call('read', -1, WILD, 4).fails(EBADF);
  s.call('read', d, b, 4).fails(EISDIR);
  s.call('read', fd, WILD, 4).fails(EFAULT);
  s.call('write', fd, WILD, 4).fails(EFAULT);
  s.call('read', fd, NON_CANONICAL, 4).fails(EFAULT);
  s.call('read', fd, WILD, 0).returns(0);
  s.call('write', fd, WILD, 0).returns(0);
  s.call('read', fd, b, -1).failsWith(EFAULT, EINVAL); // access_ok() comes first or not
  s.pread64(fd, b, 4, -1).fails(EINVAL);
  s.pwrite64(fd, b, 4, -1).fails(EINVAL);
  s.lseek(fd, 0, SEEK_CUR).returns(0);
  b.all(0xa5);
});

syscallTest('a buffer that runs into an unmapped page is used up to there', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.write(fd, 'x'.repeat(3000));
  const edge = s.edge('abc');
  s.call('write', fd, edge, 10).returns(3);
  s.lseek(fd, 0, SEEK_SET).returns(0);
  const b = s.buffer(100);
  s.call('read', fd, b, 200).returns(100);
  s.lseek(fd, 0, SEEK_CUR).returns(100);
});

syscallTest('writing past the end leaves a hole that reads as zeros', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.pwrite64(fd, 'end', 3, 10_000).returns(3);
  const st = s.stat();
  s.fstat(fd, st).returns(0);
  st.has({ size: 10_003, blocks: PAGE / 512 });
  const b = s.buffer(16);
  s.pread64(fd, b, 16, 9_990).returns(13);
  b.is('\0\0\0\0\0\0\0\0\0\0end');
  s.lseek(fd, 0, SEEK_CUR).returns(0);
});

syscallTest('lseek', (s) => {
  s.file('f', 'x'.repeat(10));
  const fd = s.open('f', O_RDONLY);
  s.lseek(fd, 4, SEEK_SET).returns(4);
  s.lseek(fd, 3, SEEK_CUR).returns(7);
  s.lseek(fd, -2, SEEK_END).returns(8);
  s.lseek(fd, 100, SEEK_END).returns(110);
  s.lseek(fd, -111, SEEK_CUR).fails(EINVAL);
  s.lseek(fd, -1, SEEK_SET).fails(EINVAL);
  s.lseek(fd, 0, SEEK_CUR).returns(110);
  s.lseek(fd, 0, 5).fails(EINVAL);
  s.lseek(fd, 0, -1).fails(EINVAL);
  s.lseek(fd, 0x7fff_ffff_ffff_ffffn, SEEK_SET)
    .ok()
    .differs('positions above 2^53 lose their low bits', (c) => c.succeeds());
  s.lseek(fd, 1, SEEK_CUR).failsWith(EOVERFLOW, EINVAL);
  s.lseek(99, 0, SEEK_SET).fails(EBADF);
  const p = s.pipe();
  s.lseek(p.r, 0, SEEK_CUR).fails(ESPIPE);
  s.pread64(p.r, s.buffer(1), 1, 0).fails(ESPIPE);
  s.pwrite64(p.w, 'x', 1, 0).fails(ESPIPE);
});

syscallTest('SEEK_DATA and SEEK_HOLE', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.pwrite64(fd, 'data', 4, 2 * PAGE).returns(4);
  s.ftruncate(fd, 5 * PAGE).returns(0);
  s.lseek(fd, 0, SEEK_DATA).returns(2 * PAGE);
  s.lseek(fd, 2 * PAGE, SEEK_DATA).returns(2 * PAGE);
  s.lseek(fd, 2 * PAGE + 8, SEEK_DATA).returns(2 * PAGE + 8);
  s.lseek(fd, 0, SEEK_HOLE).returns(0);
  s.lseek(fd, 2 * PAGE, SEEK_HOLE).returns(3 * PAGE);
  s.lseek(fd, 3 * PAGE, SEEK_DATA).fails(ENXIO);
  s.lseek(fd, 5 * PAGE, SEEK_DATA).fails(ENXIO);
  s.lseek(fd, 5 * PAGE, SEEK_HOLE).fails(ENXIO);
  s.lseek(fd, 5 * PAGE - 1, SEEK_HOLE).returns(5 * PAGE - 1);
  s.lseek(fd, -1, SEEK_DATA).fails(ENXIO);
});

syscallTest('the position belongs to the open file description', (s) => {
  s.file('f', '0123456789');
  const a = s.open('f', O_RDONLY);
  const b = s.dup(a).fd();
  const other = s.open('f', O_RDONLY);
  s.reads(a, '012', 3);
  s.reads(b, '345', 3);
  s.reads(other, '012', 3);
  const child = s.fork((c) => {
    c.reads(a, '67', 2);
  });
  s.wait(child).exited(0);
  s.reads(a, '89', 5);
});

syscallTest('readv and writev', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.writev(fd, s.iovec(['ab', 2], ['', 0], ['cde', 3]), 3).returns(5);
  s.lseek(fd, 0, SEEK_SET).returns(0);
  const [x, y] = [s.buffer(3), s.buffer(4)];
  s.readv(fd, s.iovec([x, 3], [y, 4]), 2).returns(5);
  x.is('abc');
  y.is('de');
  s.readv(fd, s.iovec([x, 3]), 0).returns(0);
  s.writev(fd, WILD, 0).returns(0);
});

syscallTest('errors of readv and writev', (s) => {
  const fd = s.open('f', RW, 0o600);
  const b = s.buffer(8);
  s.writev(fd, WILD, 1).fails(EFAULT);
  s.writev(fd, s.iovec([b, 1]), -1).fails(EINVAL);
  s.writev(fd, s.iovec([b, 1]), 1025).fails(EINVAL);
  s.writev(fd, s.iovec([b, -1]), 1).fails(EINVAL);
  s.writev(fd, s.iovec([b, 1], [b, -1]), 2).fails(EINVAL);
  s.writev(fd, s.iovec(['ab', 2], [WILD, 2]), 2).returns(2);
  s.writev(fd, s.iovec([WILD, 2], ['ab', 2]), 2).fails(EFAULT);
  s.writev(fd, s.iovec([WILD, 0], ['ab', 2]), 2).returns(2);
  s.writev(99, s.iovec(['ab', 2]), 1).fails(EBADF);
  s.readv(99, WILD, 1).fails(EBADF);
});

syscallTest('1024 parts are the most', (s) => {
  const fd = s.open('f', RW, 0o600);
  const parts = Array.from({ length: 1024 }, () => ['x', 1] as const);
  s.writev(fd, s.iovec(...parts), 1024).returns(1024);
});

syscallTest('preadv, pwritev and their second versions', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.write(fd, '0123456789');
  const b = s.buffer(4);
  s.pwritev(fd, s.iovec(['AB', 2], ['C', 1]), 2, 2, 0).returns(3);
  s.preadv(fd, s.iovec([b, 4]), 1, 1, 0).returns(4);
  b.is('1ABC');
  s.preadv2(fd, s.iovec([b, 4]), 1, 5, 0, 0).returns(4);
  b.is('5678');
  s.preadv2(fd, s.iovec([b, 4]), 1, -1, -1, 0).returns(0); // at the position: the end
  s.lseek(fd, 8, SEEK_SET).returns(8);
  s.preadv2(fd, s.iovec([b, 4]), 1, -1, -1, 0).returns(2);
  s.lseek(fd, 0, SEEK_CUR).returns(10);
  s.pwritev2(fd, s.iovec(['!', 1]), 1, 0, 0, RWF_APPEND).returns(1);
  s.lseek(fd, 0, SEEK_END).returns(11);
  s.preadv2(fd, s.iovec([b, 4]), 1, 0, 0, 0x4000_0000).fails(EOPNOTSUPP);
  s.preadv(fd, s.iovec([b, 4]), 1, -1, -1).fails(EINVAL);
});

syscallTest('truncate and ftruncate', (s) => {
  s.file('f', 'hello');
  const st = s.stat();
  s.truncate('f', 2).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ size: 2 });
  s.truncate('f', 5000).returns(0);
  const fd = s.open('f', O_RDWR);
  const b = s.buffer(6);
  s.pread64(fd, b, 6, 0).returns(6);
  b.is('he\0\0\0\0'); // what was cut off does not come back
  s.ftruncate(fd, 0).returns(0);
  s.reads(fd, '', 5);
  s.truncate('f', -1).fails(EINVAL);
  s.ftruncate(fd, -1).fails(EINVAL);
  s.truncate('missing', 0).fails(ENOENT);
  s.mkdir('d');
  s.truncate('d', 0).fails(EISDIR);
  s.ftruncate(s.open('f', O_RDONLY), 0).fails(EINVAL);
  s.ftruncate(99, 0).fails(EBADF);
  s.truncate(WILD, 0).fails(EFAULT);
  s.ftruncate(s.pipe().w, 0).fails(EINVAL);
  s.asUser();
  s.truncate('f', 0).fails(EACCES);
});

syscallTest('truncate is resolved against the working directory', (s) => {
  s.mkdir('d');
  s.file('d/f', 'hello');
  s.chdir('d').returns(0);
  s.truncate('f', 1).returns(0);
  s.reads(s.open('f', O_RDONLY), 'h', 5);
});

syscallTest('RLIMIT_FSIZE: EFBIG and SIGXFSZ', (s) => {
  s.onSignal(SIGXFSZ);
  s.sees(SIGXFSZ, SIGXFSZ, SIGXFSZ);
  s.prlimit64(0, RLIMIT_FSIZE, s.pack('u64', 10, 'u64', 10), null).returns(0);
  const fd = s.open('f', RW, 0o600);
  s.call('write', fd, '0123456789abc', 13).returns(10);
  s.call('write', fd, 'x', 1).fails(EFBIG);
  s.pwrite64(fd, 'x', 1, 20).fails(EFBIG);
  s.ftruncate(fd, 11).fails(EFBIG);
  s.ftruncate(fd, 5).returns(0);
});

syscallTest('fallocate: a hole leaves private copies alone', (s) => {
  s.file('f', Buffer.alloc(3 * PAGE, 'f'));
  const fd = s.open('f', O_RDWR);
  const at = FREE_BASE;
  s.mmap(at, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0).address();
  s.touch(at).returns(0x66);
  s.store(at + PAGE, 4, 0x61616161); // the page's own copy
  s.store(at + 2 * PAGE, 4, 0x61616161);
  s.mprotect(at + 2 * PAGE, PAGE, PROT_READ).returns(0);
  s.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE).returns(0);
  s.peek(at, Buffer.alloc(8));
  s.peek(at + PAGE, 'aaaaffff');
  s.peek(at + 2 * PAGE, 'aaaaffff');
  const hole = s.buffer(16);
  s.pread64(fd, hole, 16, PAGE).returns(16);
  hole.all(0);
  s.pwrite64(fd, 'new', 3, 0).returns(3);
  s.peek(at, 'new');
  s.ftruncate(fd, PAGE).returns(0);
  s.touch(at).returns(0x6e);
});

syscallTest('fallocate', (s) => {
  const fd = s.open('f', RW, 0o600);
  const st = s.stat();
  s.fallocate(fd, 0, 0, 2 * PAGE).returns(0);
  s.fstat(fd, st).returns(0);
  st.has({ size: 2 * PAGE, blocks: (2 * PAGE) / 512 });
  s.fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 * PAGE, PAGE).returns(0);
  s.fstat(fd, st).returns(0);
  st.has({ size: 2 * PAGE, blocks: (3 * PAGE) / 512 });
  s.pwrite64(fd, 'x'.repeat(2 * PAGE), 2 * PAGE, 0).returns(2 * PAGE);
  s.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE - 6, PAGE + 6).returns(0);
  const b = s.buffer(8);
  s.pread64(fd, b, 8, PAGE - 10).returns(8);
  b.is('xxxx\0\0\0\0');
  s.fstat(fd, st).returns(0);
  st.has({ size: 2 * PAGE });
  s.lseek(fd, 0, SEEK_HOLE).ok();
  s.fallocate(fd, 0, -1, 10).fails(EINVAL);
  s.fallocate(fd, 0, 0, 0).fails(EINVAL);
  s.fallocate(fd, 0, 0, -5).fails(EINVAL);
  s.fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10).fails(EOPNOTSUPP);
  s.fallocate(fd, 0x8000, 0, 10).fails(EOPNOTSUPP);
  s.fallocate(99, 0, 0, 10).fails(EBADF);
  s.fallocate(s.open('f', O_RDONLY), 0, 0, 10).fails(EBADF);
  s.fallocate(s.pipe().w, 0, 0, 10).fails(ESPIPE);
  s.fallocate(fd, 0, 0x7fff_ffff_ffff_ffffn, 1).fails(EFBIG);
});

syscallTest('fsync, fdatasync, sync, syncfs, sync_file_range, fadvise64, readahead', (s) => {
  const fd = s.open('f', RW, 0o600);
  const p = s.pipe();
  s.fsync(fd).returns(0);
  s.fdatasync(fd).returns(0);
  s.sync().returns(0);
  s.syncfs(fd).returns(0);
  s.fsync(99).fails(EBADF);
  s.fdatasync(99).fails(EBADF);
  s.syncfs(99).fails(EBADF);
  s.fsync(p.r).fails(EINVAL);
  s.fadvise64(fd, 0, 0, POSIX_FADV_SEQUENTIAL).returns(0);
  s.fadvise64(fd, 0, 0, 99).fails(EINVAL);
  s.fadvise64(99, 0, 0, 0).fails(EBADF);
  s.fadvise64(p.r, 0, 0, 0).fails(ESPIPE);
  s.readahead(99, 0, 10).fails(EBADF);
  s.readahead(p.r, 0, 10).fails(EINVAL);
});

syscallTest('an unlinked file lives on while it is open', (s) => {
  const fd = s.open('f', RW, 0o600);
  s.write(fd, 'still here');
  s.unlinkat(AT_FDCWD, 'f', 0).returns(0);
  const st = s.stat();
  s.fstat(fd, st).returns(0);
  st.has({ nlink: 0, size: 10 });
  s.newfstatat(AT_FDCWD, 'f', st, 0).fails(ENOENT);
  s.lseek(fd, 0, SEEK_SET).returns(0);
  s.reads(fd, 'still here', 20);
});

syscallTest('data written through one descriptor is seen by all', (s) => {
  const a = s.open('f', RW, 0o600);
  const b = s.open('f', O_RDONLY);
  s.write(a, 'one');
  s.reads(b, 'one', 10);
  s.write(a, 'two');
  s.reads(b, 'two', 10);
  const child = s.fork((c) => {
    c.pwrite64(a, 'O', 1, 0).returns(1);
  });
  s.wait(child).exited(0);
  const x = s.buffer(6);
  s.pread64(b, x, 6, 0).returns(6);
  x.is('Onetwo');
});

syscallTest('set-user-id bits go when the file is written to by others', (s) => {
  s.umask(0);
  s.file('f', 'x', 0o6777);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o6777 });
  s.asUser();
  s.write(s.open('f', O_WRONLY), 'y');
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o777 });
});
