/** open, openat, openat2, creat, close, umask: flags, errors, path resolution against dirfd and cwd. */
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  CLOSE_RANGE_CLOEXEC,
  E2BIG,
  EACCES,
  EBADF,
  EEXIST,
  EFAULT,
  EINVAL,
  EISDIR,
  ELOOP,
  EMFILE,
  ENAMETOOLONG,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENXIO,
  EPERM,
  EXDEV,
  FD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  NON_CANONICAL,
  O_ACCMODE,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  PAGE,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  RLIMIT_NOFILE,
  SEEK_CUR,
  SEEK_SET,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
  WILD,
  syscallTest,
} from '../support/index.js';

const RW = O_CREAT | O_RDWR;

syscallTest('O_CREAT makes a file with the mode less the umask', (s) => {
  s.umask(0o027).returns(0o022);
  const fd = s.open('a', RW, 0o777);
  const st = s.stat();
  s.fstat(fd, st).returns(0);
  st.has({ mode: S_IFREG | 0o750, nlink: 1, size: 0, uid: 0, gid: 0, blocks: 0, blksize: PAGE });
  s.umask(0o777).returns(0o027);
  s.umask(0o7777).returns(0o777);
  s.umask(0).returns(0o777);
  s.open('b', O_CREAT | O_WRONLY, 0o7777);
  s.newfstatat(AT_FDCWD, 'b', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o7777 });
});

syscallTest('without O_CREAT a missing file is ENOENT and the mode is ignored', (s) => {
  s.openat(AT_FDCWD, 'a', O_RDONLY, 0o777).fails(ENOENT);
  s.openat(AT_FDCWD, 'missing/a', RW, 0o777).fails(ENOENT);
  s.openat(AT_FDCWD, '', O_RDONLY, 0).fails(ENOENT);
});

syscallTest('O_EXCL', (s) => {
  s.open('a', RW | O_EXCL, 0o600);
  s.openat(AT_FDCWD, 'a', RW | O_EXCL, 0o600).fails(EEXIST);
  s.symlink('nowhere', 'l');
  s.openat(AT_FDCWD, 'l', RW | O_EXCL, 0o600).fails(EEXIST);
  s.mkdir('d');
  s.openat(AT_FDCWD, 'd', RW | O_EXCL, 0o600).fails(EEXIST);
  s.openat(AT_FDCWD, 'a', O_RDWR | O_EXCL, 0).fd(); // without O_CREAT it means nothing
});

syscallTest('O_CREAT through a dangling symbolic link makes the target', (s) => {
  s.symlink('target', 'l');
  s.open('l', RW, 0o600);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'target', st, AT_SYMLINK_NOFOLLOW).returns(0);
  st.has({ mode: S_IFREG | 0o600 });
  s.openat(AT_FDCWD, 'target/', RW, 0).fails(EISDIR);
  s.openat(AT_FDCWD, 'new/', RW, 0).fails(EISDIR);
  s.openat(AT_FDCWD, 'target/', O_RDONLY, 0).fails(ENOTDIR);
});

syscallTest('O_TRUNC empties the file, also through a read-only descriptor', (s) => {
  s.file('a', 'hello');
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'a', st, 0).returns(0);
  st.has({ size: 5 });
  s.open('a', O_RDONLY | O_TRUNC);
  s.newfstatat(AT_FDCWD, 'a', st, 0).returns(0);
  st.has({ size: 0, blocks: 0 });
});

syscallTest('O_APPEND writes at the end whatever the position is', (s) => {
  s.file('a', 'hello');
  const fd = s.open('a', O_RDWR | O_APPEND);
  s.lseek(fd, 1, SEEK_SET).returns(1);
  s.write(fd, 'XY');
  s.lseek(fd, 0, SEEK_CUR).returns(7);
  s.pwrite64(fd, 'Z', 1, 0).returns(1); // Linux: pwrite appends, too
  s.lseek(fd, 0, SEEK_CUR).returns(7);
  s.lseek(fd, 0, SEEK_SET).returns(0);
  s.reads(fd, 'helloXYZ', 20);
});

syscallTest('O_DIRECTORY and O_NOFOLLOW', (s) => {
  s.file('f');
  s.mkdir('d');
  s.symlink('d', 'l');
  s.openat(AT_FDCWD, 'f', O_RDONLY | O_DIRECTORY, 0).fails(ENOTDIR);
  s.openat(AT_FDCWD, 'd', O_RDONLY | O_DIRECTORY, 0).fd();
  s.openat(AT_FDCWD, 'l', O_RDONLY | O_DIRECTORY, 0).fd();
  s.openat(AT_FDCWD, 'l', O_RDONLY | O_NOFOLLOW, 0).fails(ELOOP);
  s.openat(AT_FDCWD, 'l', O_RDONLY | O_NOFOLLOW | O_DIRECTORY, 0).fails(ENOTDIR);
  s.openat(AT_FDCWD, 'l/.', O_RDONLY | O_NOFOLLOW, 0).fd();
});

syscallTest('a directory cannot be opened for writing or created over', (s) => {
  s.mkdir('d');
  s.openat(AT_FDCWD, 'd', O_WRONLY, 0).fails(EISDIR);
  s.openat(AT_FDCWD, 'd', O_RDWR, 0).fails(EISDIR);
  s.openat(AT_FDCWD, 'd', O_CREAT, 0o644).fails(EISDIR);
  s.openat(AT_FDCWD, '.', O_RDONLY | O_TRUNC, 0).fails(EISDIR);
  s.openat(AT_FDCWD, '.', O_CREAT | O_DIRECTORY, 0o644).failsWith(EINVAL, EISDIR, ENOTDIR); // changed in Linux 6.4
});

syscallTest('a component that is no directory is ENOTDIR, a loop of links ELOOP', (s) => {
  s.file('f');
  s.openat(AT_FDCWD, 'f/x', O_RDONLY, 0).fails(ENOTDIR);
  s.openat(AT_FDCWD, 'f/../f', O_RDONLY, 0).fails(ENOTDIR);
  s.symlink('l', 'l');
  s.openat(AT_FDCWD, 'l', O_RDONLY, 0).fails(ELOOP);
  s.openat(AT_FDCWD, 'l/x', O_RDONLY, 0).fails(ELOOP);
  s.symlink('b', 'a');
  s.symlink('a', 'b');
  s.openat(AT_FDCWD, 'a', O_RDONLY, 0).fails(ELOOP);
});

syscallTest('40 symbolic links are followed, 41 are too many', (s) => {
  s.file('l0', 'x');
  for (let i = 1; i <= 41; i++) s.symlink(`l${i - 1}`, `l${i}`);
  s.openat(AT_FDCWD, 'l40', O_RDONLY, 0).fd();
  s.openat(AT_FDCWD, 'l41', O_RDONLY, 0).fails(ELOOP);
});

syscallTest('names of 255 bytes and paths of 4095 bytes are the longest', (s) => {
  s.openat(AT_FDCWD, 'n'.repeat(255), RW, 0o600).fd();
  s.openat(AT_FDCWD, 'n'.repeat(256), RW, 0o600).fails(ENAMETOOLONG);
  s.file('f');
  s.openat(AT_FDCWD, './'.repeat(2047) + 'f', O_RDONLY, 0).fd(); // 4095 and the NUL
  s.openat(AT_FDCWD, './'.repeat(2047) + '/f', O_RDONLY, 0).fails(ENAMETOOLONG);
  s.openat(AT_FDCWD, s.edge('x'.repeat(4096)), O_RDONLY, 0).fails(ENAMETOOLONG);
});

syscallTest('a path pointer that is wild, or a string that runs into an unmapped page', (s) => {
  s.openat(AT_FDCWD, WILD, O_RDONLY, 0).fails(EFAULT);
  s.openat(AT_FDCWD, null, O_RDONLY, 0).fails(EFAULT);
  s.openat(AT_FDCWD, NON_CANONICAL, O_RDONLY, 0).fails(EFAULT);
  s.openat(AT_FDCWD, s.edge('abc'), O_RDONLY, 0).fails(EFAULT);
  s.openat(AT_FDCWD, s.edge('abc\0'), O_RDONLY, 0).fails(ENOENT);
  s.openat(99, WILD, O_RDONLY, 0).fails(EFAULT); // the path is read before the descriptor is looked at
});

syscallTest('dirfd', (s) => {
  s.mkdir('d');
  s.file('d/f', 'in d');
  s.file('f', 'here');
  const d = s.open('d', O_RDONLY);
  const path = s.open('d', O_PATH);
  const f = s.open('f', O_RDONLY);
  s.reads(s.openat(d, 'f', O_RDONLY, 0).fd(), 'in d', 10);
  s.reads(s.openat(path, 'f', O_RDONLY, 0).fd(), 'in d', 10);
  s.reads(s.openat(d, '../f', O_RDONLY, 0).fd(), 'here', 10);
  s.openat(f, 'x', O_RDONLY, 0).fails(ENOTDIR);
  s.openat(77, 'f', O_RDONLY, 0).fails(EBADF);
  s.openat(-1, 'f', O_RDONLY, 0).fails(EBADF);
  s.openat(77, '/dev/null', O_RDONLY, 0).fd(); // an absolute path does not need it
});

syscallTest('a directory that was moved or removed still resolves relative paths', (s) => {
  s.mkdir('d');
  s.file('d/f', 'x');
  const d = s.open('d', O_RDONLY | O_DIRECTORY);
  s.renameat(AT_FDCWD, 'd', AT_FDCWD, 'e').returns(0);
  s.openat(d, 'f', O_RDONLY, 0).fd();
  s.unlinkat(d, 'f', 0).returns(0);
  s.unlinkat(AT_FDCWD, 'e', AT_REMOVEDIR).returns(0);
  s.openat(d, 'f', RW, 0o600).fails(ENOENT);
  s.openat(d, '.', O_RDONLY, 0).fd();
});

syscallTest('the lowest free descriptor is taken; O_CLOEXEC sets its flag', (s) => {
  s.file('f');
  s.open('f', O_RDONLY).returns(3);
  s.open('f', O_RDONLY).returns(4);
  s.open('f', O_RDONLY | O_CLOEXEC).returns(5);
  s.close(4);
  s.fcntl(5, F_GETFD).returns(FD_CLOEXEC);
  s.open('f', O_RDONLY).returns(4);
  s.fcntl(4, F_GETFD).returns(0);
  s.close(0);
  s.open('f', O_RDONLY).returns(0);
});

syscallTest('RLIMIT_NOFILE: EMFILE', (s) => {
  s.prlimit64(0, RLIMIT_NOFILE, s.pack('u64', 5, 'u64', 5), null).returns(0);
  s.openat(AT_FDCWD, '/dev/null', O_RDONLY, 0).returns(3);
  s.openat(AT_FDCWD, '/dev/null', O_RDONLY, 0).returns(4);
  s.openat(AT_FDCWD, '/dev/null', O_RDONLY, 0).fails(EMFILE);
  s.openat(AT_FDCWD, 'made', RW, 0o600).fails(EMFILE);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'made', st, 0).fails(ENOENT); // nothing was made
  s.dup(0).fails(EMFILE);
  s.close(3);
  s.dup(0).returns(3);
});

syscallTest('access modes decide what read and write may do', (s) => {
  s.file('f', 'abc');
  const b = s.buffer(4);
  const r = s.open('f', O_RDONLY);
  s.call('write', r, 'x', 1).fails(EBADF);
  const w = s.open('f', O_WRONLY);
  s.call('read', w, b, 4).fails(EBADF);
  s.openat(AT_FDCWD, 'f', O_ACCMODE, 0).fd(); // 3: neither
  s.call('read', 5, b, 4).fails(EBADF);
  s.call('write', 5, 'x', 1).fails(EBADF);
  s.fcntl(5, F_GETFL).returns(O_ACCMODE | O_LARGEFILE);
  b.all(0xa5);
});

syscallTest('F_GETFL shows the flags that stay', (s) => {
  s.file('f');
  const fd = s.open('f', O_RDWR | O_APPEND | O_NONBLOCK | O_NOATIME | O_CLOEXEC | O_TRUNC | O_CREAT | O_SYNC);
  s.fcntl(fd, F_GETFL).returns(O_RDWR | O_APPEND | O_NONBLOCK | O_NOATIME | O_LARGEFILE | O_SYNC);
});

syscallTest('O_PATH gives a descriptor that only names the file', (s) => {
  s.file('f', 'abc');
  const fd = s.open('f', O_PATH);
  const b = s.buffer(4);
  s.call('read', fd, b, 4).fails(EBADF);
  s.call('write', fd, 'x', 1).fails(EBADF);
  s.lseek(fd, 0, SEEK_SET).fails(EBADF);
  s.fchmod(fd, 0o600).fails(EBADF);
  s.ftruncate(fd, 0).fails(EBADF);
  s.ioctl(fd, 0x5401, b).fails(EBADF);
  s.fcntl(fd, F_GETFL).returns(O_PATH);
  const st = s.stat();
  s.fstat(fd, st).returns(0);
  st.has({ size: 3 });
  s.symlink('f', 'l');
  const link = s.open('l', O_PATH | O_NOFOLLOW);
  s.fstat(link, st).returns(0);
  st.has({ mode: S_IFLNK | 0o777 });
  s.dup(fd).fd();
});

syscallTest('O_TMPFILE makes a file without a name', (s) => {
  s.mkdir('d');
  const fd = s.open('d', O_TMPFILE | O_RDWR, 0o640);
  const st = s.stat();
  s.fstat(fd, st).returns(0);
  st.has({ mode: S_IFREG | 0o640, nlink: 0 });
  s.write(fd, 'abc');
  s.openat(AT_FDCWD, 'd', O_TMPFILE | O_RDONLY, 0o640).fails(EINVAL);
  s.file('f');
  s.openat(AT_FDCWD, 'f', O_TMPFILE | O_RDWR, 0o640).fails(ENOTDIR);
});

syscallTest('permissions of an ordinary user', (s) => {
  s.umask(0);
  s.file('none', '', 0o000);
  s.file('r', '', 0o004);
  s.file('w', '', 0o002);
  s.mkdir('nox', 0o700);
  s.file('nox/f');
  s.mkdir('readonly', 0o755);
  s.asUser();
  s.openat(AT_FDCWD, 'none', O_RDONLY, 0).fails(EACCES);
  s.openat(AT_FDCWD, 'r', O_RDONLY, 0).fd();
  s.openat(AT_FDCWD, 'r', O_RDWR, 0).fails(EACCES);
  s.openat(AT_FDCWD, 'w', O_WRONLY, 0).fd();
  s.openat(AT_FDCWD, 'w', O_RDONLY, 0).fails(EACCES);
  s.openat(AT_FDCWD, 'r', O_RDONLY | O_TRUNC, 0).fails(EACCES);
  s.openat(AT_FDCWD, 'r', O_RDONLY | O_NOATIME, 0).fails(EPERM);
  s.openat(AT_FDCWD, 'nox/f', O_RDONLY, 0).fails(EACCES);
  s.openat(AT_FDCWD, 'readonly/f', RW, 0o600).fails(EACCES);
  s.openat(AT_FDCWD, 'own', RW, 0o000).fd(); // the mode counts from the next open on
  s.openat(AT_FDCWD, 'own', O_RDWR, 0).fails(EACCES);
});

syscallTest('root opens anything', (s) => {
  s.file('none', 'x', 0o000);
  s.open('none', O_RDWR);
});

syscallTest('open and creat', (s) => {
  s.call('open', 'a', RW | O_EXCL, 0o640).fd();
  s.call('open', 'a', RW | O_EXCL, 0o640).fails(EEXIST);
  s.file('b', 'hello');
  const fd = s.creat('b', 0o600).fd();
  s.fcntl(fd, F_GETFL).returns(O_WRONLY | O_LARGEFILE);
  const st = s.stat();
  s.fstat(fd, st).returns(0);
  st.has({ size: 0, mode: S_IFREG | 0o644 });
  s.creat(WILD, 0o600).fails(EFAULT);
});

syscallTest('unknown open flags are ignored by openat and refused by openat2', (s) => {
  s.file('f');
  s.openat(AT_FDCWD, 'f', 0x4000_0000, 0).fd();
  const how = (flags: number, mode: number, resolve: number) => s.pack('u64', flags, 'u64', mode, 'u64', resolve);
  s.openat2(AT_FDCWD, 'f', how(0x4000_0000, 0, 0), 24).fails(EINVAL);
  s.openat2(AT_FDCWD, 'f', how(O_RDONLY, 0o600, 0), 24).fails(EINVAL); // a mode without O_CREAT
  s.openat2(AT_FDCWD, 'f', how(O_RDONLY, 0, 0x100), 24).fails(EINVAL);
  s.openat2(AT_FDCWD, 'f', how(O_RDONLY, 0, 0), 23).fails(EINVAL);
  s.openat2(AT_FDCWD, 'f', how(O_RDONLY, 0, 0), 24).fd();
  s.openat2(AT_FDCWD, 'f', s.pack('u64', 0, 'u64', 0, 'u64', 0, 'u64', 0), 32).fd();
  s.openat2(AT_FDCWD, 'f', s.pack('u64', 0, 'u64', 0, 'u64', 0, 'u64', 1), 32).fails(E2BIG);
  s.openat2(AT_FDCWD, 'f', WILD, 24).fails(EFAULT);
});

syscallTest('openat2 resolve flags', (s) => {
  const how = (resolve: number, flags = O_RDONLY) => s.pack('u64', flags, 'u64', 0, 'u64', resolve);
  s.mkdir('d');
  s.file('d/f');
  s.file('f');
  s.symlink('f', 'd/l');
  s.symlink('/f', 'd/absolute');
  const d = s.open('d', O_RDONLY);
  s.openat2(d, 'l', how(RESOLVE_NO_SYMLINKS), 24).fails(ELOOP);
  s.openat2(d, 'f', how(RESOLVE_NO_SYMLINKS), 24).fd();
  s.openat2(d, '../f', how(RESOLVE_BENEATH), 24).fails(EXDEV);
  s.openat2(d, '/dev/null', how(RESOLVE_BENEATH), 24).fails(EXDEV);
  s.openat2(d, 'l', how(RESOLVE_BENEATH), 24).fd();
  s.openat2(d, '../f', how(RESOLVE_IN_ROOT), 24).fd();
  s.openat2(d, 'absolute', how(RESOLVE_IN_ROOT), 24).fd();
  s.openat2(d, '../../../dev/null', how(RESOLVE_NO_XDEV), 24).fails(EXDEV);
  s.openat2(d, '/proc/self', how(RESOLVE_NO_XDEV), 24).fails(EXDEV);
});

syscallTest('close', (s) => {
  const fd = s.open('/dev/null', O_RDONLY);
  s.close(fd);
  s.call('close', fd).fails(EBADF);
  s.call('close', -1).fails(EBADF);
  s.call('close', 0x7fffffff).fails(EBADF);
  for (const n of [0, 1, 2]) s.close(n);
  s.call('write', 1, 'x', 1).fails(EBADF);
  s.call('close', 1).fails(EBADF);
  s.call('close', 0x1_0000_0000n).fails(EBADF); // 32 bits of it count: 0
});

syscallTest('close_range', (s) => {
  for (let i = 3; i < 10; i++) s.open('/dev/null', O_RDONLY).returns(i);
  s.close_range(5, 7, 0).returns(0);
  s.fcntl(4, F_GETFD).returns(0);
  s.fcntl(5, F_GETFD).fails(EBADF);
  s.fcntl(7, F_GETFD).fails(EBADF);
  s.fcntl(8, F_GETFD).returns(0);
  s.close_range(8, 500, CLOSE_RANGE_CLOEXEC).returns(0);
  s.fcntl(8, F_GETFD).returns(FD_CLOEXEC);
  s.close_range(9, 8, 0).fails(EINVAL);
  s.close_range(3, 4, 8).fails(EINVAL);
});

syscallTest('special files: null, zero, full', (s) => {
  const b = s.buffer(8);
  const none = s.open('/dev/null', O_RDWR);
  s.call('read', none, b, 8).returns(0);
  s.call('write', none, b, 8).returns(8);
  s.lseek(none, 5, SEEK_SET).returns(0);
  const zero = s.open('/dev/zero', O_RDWR);
  s.call('read', zero, b, 8).returns(8);
  b.all(0);
  s.call('write', zero, b, 8).returns(8);
  const full = s.open('/dev/full', O_RDWR);
  s.call('write', full, b, 8).fails(ENOSPC);
  s.call('write', full, b, 0).oneOf(0, -ENOSPC);
  s.call('read', full, b, 4).returns(4);
  const st = s.stat();
  for (const [name, minor] of [
    ['null', 3],
    ['zero', 5],
    ['full', 7],
    ['random', 8],
    ['urandom', 9],
  ] as const) {
    s.newfstatat(AT_FDCWD, `/dev/${name}`, st, 0).returns(0);
    st.has({ mode: S_IFCHR | 0o666, rdev: 0x100 + minor, uid: 0 });
  }
});

syscallTest('a FIFO opens when both ends are there; O_NONBLOCK does not wait', (s) => {
  s.mknodat(AT_FDCWD, 'p', S_IFIFO | 0o600, 0).returns(0);
  s.openat(AT_FDCWD, 'p', O_WRONLY | O_NONBLOCK, 0).fails(ENXIO);
  const r = s.openat(AT_FDCWD, 'p', O_RDONLY | O_NONBLOCK, 0).fd();
  const w = s.openat(AT_FDCWD, 'p', O_WRONLY | O_NONBLOCK, 0).fd();
  s.write(w, 'hi');
  s.reads(r, 'hi', 10);
  s.close(r);
  s.close(w);
  const child = s.fork((c) => {
    c.write(c.open('p', O_WRONLY), 'from the child');
  });
  const blocking = s.open('p', O_RDONLY);
  s.reads(blocking, 'from the child', 100);
  s.wait(child).exited(0);
  s.reads(blocking, '', 10);
});

syscallTest('mknodat', (s) => {
  s.mknodat(AT_FDCWD, 'f', S_IFREG | 0o644, 0).returns(0);
  s.mknodat(AT_FDCWD, 'f', S_IFREG | 0o644, 0).fails(EEXIST);
  s.mknodat(AT_FDCWD, 'zero type', 0o600, 0).returns(0);
  s.mknodat(AT_FDCWD, 'd', S_IFDIR | 0o755, 0).fails(EPERM);
  s.mknodat(AT_FDCWD, 'l', S_IFLNK | 0o777, 0).fails(EINVAL);
  s.mknodat(AT_FDCWD, 'null', S_IFCHR | 0o666, 0x103).returns(0);
  s.write(s.open('null', O_WRONLY), 'gone');
  s.mknodat(AT_FDCWD, 's', S_IFSOCK | 0o600, 0).returns(0);
  s.openat(AT_FDCWD, 's', O_RDWR, 0).fails(ENXIO);
  s.mknodat(AT_FDCWD, 'nodev', S_IFCHR | 0o666, 0xfff00).returns(0);
  s.openat(AT_FDCWD, 'nodev', O_RDWR, 0).fails(ENXIO);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'zero type', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o600 });
  s.asUser();
  s.mknodat(AT_FDCWD, 'mine', S_IFCHR | 0o666, 0x103).fails(EPERM);
  s.mknodat(AT_FDCWD, 'fifo', S_IFIFO | 0o666, 0).returns(0);
});
