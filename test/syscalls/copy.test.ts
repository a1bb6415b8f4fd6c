/** sendfile, copy_file_range, splice, tee, vmsplice, memfd_create. */
import {
  AT_FDCWD,
  EAGAIN,
  EBADF,
  EFAULT,
  EINVAL,
  EISDIR,
  EPERM,
  ESPIPE,
  FD_CLOEXEC,
  F_ADD_SEALS,
  F_GETFD,
  F_GET_SEALS,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MAP_SHARED,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  PAGE,
  PROT_READ,
  PROT_WRITE,
  SEEK_CUR,
  SEEK_SET,
  SPLICE_F_NONBLOCK,
  S_IFREG,
  WILD,
  syscallTest,
} from '../support/index.js';

const RW = O_CREAT | O_RDWR;

syscallTest('sendfile from a file to a file and a pipe', (s) => {
  s.file('in', 'hello world');
  const from = s.open('in', O_RDONLY);
  const to = s.open('out', RW, 0o600);
  s.sendfile(to, from, null, 5).returns(5);
  s.lseek(from, 0, SEEK_CUR).returns(5);
  s.sendfile(to, from, null, 100).returns(6);
  s.sendfile(to, from, null, 100).returns(0);
  s.lseek(to, 0, SEEK_SET).returns(0);
  s.reads(to, 'hello world', 20);
  const offset = s.quad(6);
  const p = s.pipe();
  s.sendfile(p.w, from, offset, 3).returns(3);
  offset.u64(0, 9);
  s.lseek(from, 0, SEEK_CUR).returns(11); // untouched
  s.reads(p.r, 'wor', 10);
});

syscallTest('errors of sendfile', (s) => {
  s.file('in', 'hello');
  const from = s.open('in', O_RDONLY);
  const to = s.open('out', RW, 0o600);
  const p = s.pipe();
  s.sendfile(99, from, null, 1).fails(EBADF);
  s.sendfile(to, 99, null, 1).fails(EBADF);
  s.sendfile(from, to, null, 1).fails(EBADF); // out is not open for writing
  s.sendfile(to, s.open('in', O_WRONLY), null, 1).fails(EBADF);
  s.sendfile(to, from, WILD, 1).fails(EFAULT);
  s.sendfile(to, from, s.quad(-1), 1).fails(EINVAL);
  s.sendfile(to, p.r, s.quad(0), 1).fails(ESPIPE);
  s.sendfile(s.open('out', O_WRONLY | O_APPEND), from, null, 1).fails(EINVAL);
  s.sendfile(to, from, null, 0).returns(0);
  s.sendfile(to, from, null, -1).fails(EINVAL);
});

syscallTest('sendfile of 200000 bytes into a pipe that is read', (s) => {
  const content = Buffer.alloc(200_000, 'a longer text than any block');
  s.file('in', content);
  const p = s.pipe();
  const child = s.fork((c) => {
    c.close(p.r);
    c.sendfile(p.w, c.open('in', O_RDONLY), null, 200_000).between(1, 200_000); // Linux need not send all
  });
  s.close(p.w);
  s.reads(p.r, content.subarray(0, 1000), 1000);
  const rest = s.buffer(200_000).ignore();
  for (let i = 0; i < 60; i++) s.call('read', p.r, rest, 200_000).ignored();
  s.call('read', p.r, rest, 1).returns(0);
  s.wait(child).exited(0);
});

syscallTest('copy_file_range', (s) => {
  s.file('in', '0123456789');
  const from = s.open('in', O_RDONLY);
  const to = s.open('out', RW, 0o600);
  s.copy_file_range(from, null, to, null, 4, 0).returns(4);
  s.copy_file_range(from, null, to, null, 100, 0).returns(6);
  s.copy_file_range(from, null, to, null, 100, 0).returns(0);
  const [inOff, outOff] = [s.quad(2), s.quad(8)];
  s.copy_file_range(from, inOff, to, outOff, 5, 0).returns(5);
  inOff.u64(0, 7);
  outOff.u64(0, 13);
  s.lseek(to, 0, SEEK_SET).returns(0);
  s.reads(to, '0123456723456', 20);
  s.copy_file_range(from, null, to, null, 1, 1).fails(EINVAL);
  s.copy_file_range(to, null, from, null, 1, 0).fails(EBADF);
  s.copy_file_range(99, null, to, null, 1, 0).fails(EBADF);
  s.copy_file_range(from, WILD, to, null, 1, 0).fails(EFAULT);
  s.copy_file_range(s.open('.', O_RDONLY), null, to, null, 1, 0).fails(EISDIR);
  s.copy_file_range(s.pipe().r, null, to, null, 1, 0).fails(EINVAL);
  s.copy_file_range(to, s.quad(0), to, s.quad(1), 5, 0).fails(EINVAL); // overlap in one file
  s.copy_file_range(to, s.quad(0), to, s.quad(20), 5, 0).returns(5);
});

syscallTest('splice', (s) => {
  s.file('in', 'spliced data');
  const from = s.open('in', O_RDONLY);
  const to = s.open('out', RW, 0o600);
  const p = s.pipe();
  s.splice(from, null, p.w, null, 7, 0).returns(7);
  const offset = s.quad(8);
  s.splice(from, offset, p.w, null, 100, 0).returns(4);
  offset.u64(0, 12);
  s.splice(p.r, null, to, null, 100, 0).returns(11);
  s.lseek(to, 0, SEEK_SET).returns(0);
  s.reads(to, 'spliceddata', 20);
  s.splice(p.r, null, to, null, 10, SPLICE_F_NONBLOCK).fails(EAGAIN);
  s.splice(from, null, to, null, 10, 0).fails(EINVAL); // no pipe at all
  s.splice(p.r, s.quad(0), to, null, 10, 0).fails(ESPIPE);
  s.splice(99, null, p.w, null, 10, 0).fails(EBADF);
  s.splice(from, null, p.w, null, 0, 0).returns(0);
  s.splice(from, null, p.w, null, 10, 0x100).fails(EINVAL);
});

syscallTest('splice between pipes, tee', (s) => {
  const [a, b] = [s.pipe(), s.pipe()];
  s.write(a.w, 'abcdef');
  s.tee(a.r, b.w, 100, 0).returns(6);
  s.reads(b.r, 'abcdef', 10);
  s.tee(a.r, b.w, 3, 0).returns(3);
  s.splice(a.r, null, b.w, null, 2, 0).returns(2);
  s.reads(b.r, 'abcab', 10);
  s.reads(a.r, 'cdef', 10);
  s.tee(a.r, b.w, 10, SPLICE_F_NONBLOCK).fails(EAGAIN);
  s.tee(a.r, a.w, 10, 0).fails(EINVAL);
  s.tee(a.r, s.open('f', RW, 0o600), 10, 0).fails(EINVAL);
  s.close(a.w);
  s.tee(a.r, b.w, 10, 0).returns(0);
});

syscallTest('vmsplice', (s) => {
  const p = s.pipe();
  s.vmsplice(p.w, s.iovec(['ab', 2], ['cd', 2]), 2, 0).returns(4);
  s.reads(p.r, 'abcd', 10);
  s.write(p.w, 'hello');
  const b = s.buffer(3);
  s.vmsplice(p.r, s.iovec([b, 3]), 1, 0).returns(3);
  b.is('hel');
  s.vmsplice(99, s.iovec([b, 3]), 1, 0).fails(EBADF);
  s.vmsplice(s.open('f', RW, 0o600), s.iovec([b, 3]), 1, 0).fails(EBADF);
  s.vmsplice(p.w, WILD, 1, 0).fails(EFAULT);
});

syscallTest('memfd_create', (s) => {
  const fd = s.memfd_create('a name', MFD_CLOEXEC).fd();
  s.fcntl(fd, F_GETFD).returns(FD_CLOEXEC);
  const st = s.stat();
  s.fstat(fd, st).returns(0);
  st.has({ mode: S_IFREG | 0o777, nlink: 0, size: 0 });
  s.write(fd, 'hello');
  s.lseek(fd, 0, SEEK_SET).returns(0);
  s.reads(fd, 'hello', 10);
  const b = s.buffer(64).ignore();
  const n = s.readlinkat(AT_FDCWD, '/proc/self/fd/3', b, 64).ok();
  s.check(
    'link',
    (v) => v.bytes(b.address, v.value(n)).toString() === '/memfd:a name (deleted)' || v.bytes(b.address, 40).toString(),
  );
  s.memfd_create('x'.repeat(249), 0).fd();
  s.memfd_create('x'.repeat(250), 0).fails(EINVAL);
  s.memfd_create(WILD, 0).fails(EFAULT);
  s.memfd_create('x', 0x8000_0000).fails(EINVAL);
});

syscallTest('seals', (s) => {
  const fd = s.memfd_create('m', MFD_ALLOW_SEALING).fd();
  s.write(fd, 'hello');
  s.fcntl(fd, F_GET_SEALS).returns(0);
  s.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK).returns(0);
  s.ftruncate(fd, 1).fails(EPERM);
  s.ftruncate(fd, 10).returns(0);
  s.fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE).returns(0);
  s.ftruncate(fd, 11).fails(EPERM);
  s.pwrite64(fd, 'x', 1, 0).fails(EPERM);
  s.mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0).fails(EPERM);
  s.fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL).returns(0);
  s.fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE).fails(EPERM);
  s.fcntl(fd, F_GET_SEALS).returns(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  s.fcntl(s.memfd_create('n', 0).fd(), F_ADD_SEALS, F_SEAL_GROW).fails(EPERM);
  s.fcntl(s.open('f', RW, 0o600), F_GET_SEALS).oneOf(-EINVAL, F_SEAL_SEAL);
});
