/** stat family, statx, access family, chmod, chown, utimensat: what a path says about its file and how that changes. */
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_STATX_SYNC_AS_STAT,
  AT_SYMLINK_NOFOLLOW,
  EACCES,
  EBADF,
  EFAULT,
  EINVAL,
  ENOENT,
  ENOTDIR,
  EPERM,
  F_OK,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  PAGE,
  R_OK,
  STATX_BASIC_STATS,
  STATX_SIZE,
  STATX_TYPE,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  UTIME_NOW,
  UTIME_OMIT,
  WILD,
  W_OK,
  X_OK,
  statLayout,
  statSize,
  statxLayout,
  syscallTest,
} from '../support/index.js';

const RW = O_CREAT | O_RDWR;

syscallTest('newfstatat: types, sizes, links', (s) => {
  s.file('f', 'hello', 0o640);
  s.mkdir('d', 0o711);
  s.symlink('f', 'l');
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o640, size: 5, nlink: 1, uid: 0, gid: 0, rdev: 0, blocks: PAGE / 512, blksize: PAGE });
  s.newfstatat(AT_FDCWD, 'd', st, 0).returns(0);
  st.has({ mode: S_IFDIR | 0o711, nlink: 2 });
  s.mkdir('d/sub');
  s.newfstatat(AT_FDCWD, 'd', st, 0).returns(0);
  st.has({ nlink: 3 });
  s.newfstatat(AT_FDCWD, 'l', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o640 });
  s.newfstatat(AT_FDCWD, 'l', st, AT_SYMLINK_NOFOLLOW).returns(0);
  st.has({ mode: S_IFLNK | 0o777, size: 1 });
  s.linkat(AT_FDCWD, 'f', AT_FDCWD, 'f2', 0).returns(0);
  s.newfstatat(AT_FDCWD, 'f2', st, 0).returns(0);
  st.has({ nlink: 2 });
});

syscallTest('the same file has one inode number and device, others have others', (s) => {
  s.file('a');
  s.file('b');
  s.linkat(AT_FDCWD, 'a', AT_FDCWD, 'a2', 0).returns(0);
  const [a, a2, b, dev, fd] = [s.stat(), s.stat(), s.stat(), s.stat().ignore(), s.stat()];
  s.newfstatat(AT_FDCWD, 'a', a, 0).returns(0);
  s.newfstatat(AT_FDCWD, 'a2', a2, 0).returns(0);
  s.newfstatat(AT_FDCWD, 'b', b, 0).returns(0);
  s.newfstatat(AT_FDCWD, '/proc', dev, 0).returns(0);
  s.fstat(s.open('a', O_RDONLY), fd).returns(0);
  s.check('ino and dev', (v) => {
    const ino = [a, a2, b, fd].map((st) => v.u64(st.plus(st.at('ino'))));
    const devs = [a, a2, b, fd, dev].map((st) => v.u64(st.plus(st.at('dev'))));
    if (ino[0] !== ino[1] || ino[0] !== ino[3] || ino[0] === ino[2] || ino[0] === 0) return `ino ${ino.join()}`;
    if (devs[0] !== devs[2] || devs[0] !== devs[3] || devs[0] === devs[4] || devs[0] === 0) return `dev ${devs.join()}`;
    return true;
  });
});

syscallTest('errors of newfstatat and fstat', (s) => {
  s.file('f');
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'missing', st, 0).fails(ENOENT);
  s.newfstatat(AT_FDCWD, '', st, 0).fails(ENOENT);
  s.newfstatat(AT_FDCWD, 'f/x', st, 0).fails(ENOTDIR);
  s.newfstatat(AT_FDCWD, 'f/', st, 0).fails(ENOTDIR);
  s.newfstatat(AT_FDCWD, WILD, st, 0).fails(EFAULT);
  s.newfstatat(AT_FDCWD, 'f', WILD, 0).fails(EFAULT);
  s.newfstatat(AT_FDCWD, 'f', st, 0x4000_0000).fails(EINVAL);
  s.newfstatat(99, 'f', st, 0).fails(EBADF);
  s.newfstatat(s.open('f', O_RDONLY), 'x', st, 0).fails(ENOTDIR);
  s.fstat(99, st).fails(EBADF);
  s.fstat(0, WILD).fails(EFAULT);
  st.all(0xa5);
  s.newfstatat(
    AT_FDCWD,
    'f',
    s
      .pages(1)
      .ignore()
      .plus(PAGE - 8),
    0,
  ).fails(EFAULT);
});

syscallTest('AT_EMPTY_PATH', (s) => {
  s.file('f', 'abc');
  const st = s.stat();
  const fd = s.open('f', O_RDONLY);
  s.newfstatat(fd, '', st, AT_EMPTY_PATH).returns(0);
  st.has({ size: 3 });
  s.newfstatat(AT_FDCWD, '', st, AT_EMPTY_PATH).returns(0);
  st.has({ mode: S_IFDIR | 0o777 });
  s.newfstatat(fd, '', st, 0).fails(ENOENT);
  s.newfstatat(99, '', st, AT_EMPTY_PATH).fails(EBADF);
  const p = s.pipe();
  s.newfstatat(p.r, '', st, AT_EMPTY_PATH).returns(0);
  st.has({ mode: S_IFIFO | 0o600 });
});

syscallTest('stat and lstat', (s) => {
  s.file('f', 'abc');
  s.symlink('f', 'l');
  const st = s.stat();
  s.call('stat', 'l', st).returns(0);
  st.has({ mode: S_IFREG | 0o644, size: 3 });
  s.lstat('l', st).returns(0);
  st.has({ mode: S_IFLNK | 0o777, size: 1 });
  s.call('stat', 'missing', st).fails(ENOENT);
  s.lstat('f/', st).fails(ENOTDIR);
  s.call('stat', WILD, st).fails(EFAULT);
});

syscallTest('paths are resolved against dirfd and the working directory', (s) => {
  s.mkdir('d');
  s.file('d/f', 'abc');
  const d = s.open('d', O_RDONLY);
  const st = s.stat();
  s.newfstatat(d, 'f', st, 0).returns(0);
  s.newfstatat(d, '../d/./f', st, 0).returns(0);
  s.chdir('d').returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  const x = s.struct(statxLayout, 256).ignore();
  s.statx(AT_FDCWD, 'f', 0, STATX_BASIC_STATS, x).returns(0);
  s.statx(d, 'f', 0, STATX_BASIC_STATS, x).returns(0);
  s.faccessat(AT_FDCWD, 'f', R_OK).returns(0);
  s.faccessat(d, 'f', R_OK).returns(0);
  s.faccessat(d, 'missing', R_OK).fails(ENOENT);
});

syscallTest('statx', (s) => {
  s.file('f', 'hello');
  s.symlink('f', 'l');
  const x = s
    .struct(statxLayout, 256)
    .ignoreFields(
      ...['ino', 'atime', 'atimeNsec', 'btime', 'btimeNsec', 'ctime', 'ctimeNsec', 'mtime', 'mtimeNsec'],
      ...['devMajor', 'devMinor', 'mountId', 'mask', 'attributes', 'attributesMask'],
    );
  x.ignore(152); // fields of newer kernels
  s.statx(AT_FDCWD, 'f', 0, STATX_BASIC_STATS, x).returns(0);
  x.has({ mode: S_IFREG | 0o644, size: 5, nlink: 1, uid: 0, gid: 0, blksize: PAGE, blocks: PAGE / 512, rdevMajor: 0 });
  x.has({ mask: (mask) => (mask & STATX_BASIC_STATS) === STATX_BASIC_STATS });
  s.statx(AT_FDCWD, 'l', AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, x).returns(0);
  x.has({ mode: S_IFLNK | 0o777, size: 1 });
  s.statx(s.open('f', O_RDONLY), '', AT_EMPTY_PATH, STATX_SIZE, x).returns(0);
  x.has({ size: 5 });
  s.statx(AT_FDCWD, '/dev/zero', AT_STATX_SYNC_AS_STAT, STATX_TYPE, x).returns(0);
  x.has({ rdevMajor: 1, rdevMinor: 5, mode: S_IFCHR | 0o666 });
});

syscallTest('errors of statx', (s) => {
  s.file('f');
  const x = s.struct(statxLayout, 256);
  s.statx(AT_FDCWD, 'missing', 0, 0, x).fails(ENOENT);
  s.statx(AT_FDCWD, 'f', 0x4000_0000, 0, x).fails(EINVAL);
  s.statx(AT_FDCWD, 'f', 0x6000, 0, x).fails(EINVAL); // both sync types
  s.statx(AT_FDCWD, 'f', 0, 0x8000_0000, x).fails(EINVAL);
  s.statx(AT_FDCWD, WILD, 0, 0, x).fails(EFAULT);
  s.statx(AT_FDCWD, 'f', 0, 0, WILD).fails(EFAULT);
  s.statx(99, 'f', 0, 0, x).fails(EBADF);
  s.statx(AT_FDCWD, '', 0, 0, x).fails(ENOENT);
  x.all(0xa5);
});

syscallTest('faccessat for root', (s) => {
  s.file('none', '', 0);
  s.file('x', '', 0o100);
  s.mkdir('d', 0);
  for (const mode of [F_OK, R_OK, W_OK, R_OK | W_OK]) s.faccessat(AT_FDCWD, 'none', mode).returns(0);
  s.faccessat(AT_FDCWD, 'none', X_OK).fails(EACCES); // root needs one x bit
  s.faccessat(AT_FDCWD, 'x', X_OK).returns(0);
  s.faccessat(AT_FDCWD, 'd', R_OK | W_OK | X_OK).returns(0);
  s.faccessat(AT_FDCWD, 'missing', F_OK).fails(ENOENT);
  s.faccessat(AT_FDCWD, 'x', 8).fails(EINVAL);
  s.faccessat(AT_FDCWD, WILD, F_OK).fails(EFAULT);
  s.faccessat(99, 'x', F_OK).fails(EBADF);
});

syscallTest('access checks the real ids, faccessat2 with AT_EACCESS the effective ones', (s) => {
  s.file('f', '', 0o600);
  s.symlink('missing', 'l');
  s.setresuid(1000, 0, 0).returns(0);
  s.faccessat(AT_FDCWD, 'f', R_OK).fails(EACCES);
  s.faccessat2(AT_FDCWD, 'f', R_OK, 0).fails(EACCES);
  s.faccessat2(AT_FDCWD, 'f', R_OK, AT_EACCESS).returns(0);
  s.faccessat2(AT_FDCWD, 'f', R_OK, 0x8000).fails(EINVAL);
  s.faccessat2(AT_FDCWD, 'l', F_OK, 0).fails(ENOENT);
  s.faccessat2(AT_FDCWD, 'l', F_OK, AT_SYMLINK_NOFOLLOW).returns(0);
  s.call('access', 'f', R_OK).fails(EACCES);
  s.open('f', O_RDONLY);
});

syscallTest('access', (s) => {
  s.mkdir('d');
  s.file('d/f', '', 0o604);
  s.chdir('d').returns(0);
  s.call('access', 'f', R_OK | W_OK).returns(0);
  s.asUser();
  s.call('access', 'f', R_OK).returns(0);
  s.call('access', 'f', W_OK).fails(EACCES);
  s.call('access', 'missing', F_OK).fails(ENOENT);
});

syscallTest('chmod, fchmod, fchmodat, fchmodat2', (s) => {
  s.file('f');
  s.symlink('f', 'l');
  const st = s.stat();
  const mode = (expected: number) => {
    s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
    st.has({ mode: S_IFREG | expected });
  };
  s.fchmodat(AT_FDCWD, 'f', 0o4755).returns(0);
  mode(0o4755);
  s.fchmodat(AT_FDCWD, 'l', 0o1600).returns(0);
  mode(0o1600);
  s.fchmodat(AT_FDCWD, 'f', 0o170777).returns(0); // type bits are ignored
  mode(0o777);
  const fd = s.open('f', O_RDONLY);
  s.fchmod(fd, 0o123).returns(0);
  mode(0o123);
  s.fchmod(99, 0).fails(EBADF);
  s.fchmodat(AT_FDCWD, 'missing', 0).fails(ENOENT);
  s.fchmodat(AT_FDCWD, WILD, 0).fails(EFAULT);
  s.fchmodat(99, 'f', 0).fails(EBADF);
  s.asUser();
  s.fchmodat(AT_FDCWD, 'f', 0o777).fails(EPERM);
  s.fchmod(fd, 0o777).fails(EPERM);
});

syscallTest('chmod', (s) => {
  s.file('f');
  s.call('chmod', 'f', 0o600).returns(0);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o600 });
  s.call('chmod', 'missing', 0).fails(ENOENT);
});

syscallTest('the set-group-id bit needs the group', (s) => {
  s.umask(0);
  s.asUser();
  s.file('f', '', 0o777);
  const st = s.stat();
  s.fchmodat(AT_FDCWD, 'f', 0o2777).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o2777 });
});

syscallTest('files made in a set-group-id directory take its group', (s) => {
  s.mkdir('d');
  s.fchownat(AT_FDCWD, 'd', 0, 77, 0).returns(0);
  s.fchmodat(AT_FDCWD, 'd', 0o2777).returns(0);
  s.file('d/f');
  s.mkdir('d/sub');
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'd/f', st, 0).returns(0);
  st.has({ gid: 77, mode: S_IFREG | 0o644 });
  s.newfstatat(AT_FDCWD, 'd/sub', st, 0).returns(0);
  st.has({ gid: 77, mode: S_IFDIR | 0o2755 });
});

syscallTest('fchownat, fchown', (s) => {
  s.file('f', '', 0o644);
  s.symlink('f', 'l');
  const st = s.stat();
  s.fchownat(AT_FDCWD, 'f', 10, 20, 0).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ uid: 10, gid: 20 });
  s.fchownat(AT_FDCWD, 'f', -1, 21, 0).returns(0);
  s.fchownat(AT_FDCWD, 'f', 11, -1, 0).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ uid: 11, gid: 21 });
  s.fchownat(AT_FDCWD, 'l', 5, 5, AT_SYMLINK_NOFOLLOW).returns(0);
  s.newfstatat(AT_FDCWD, 'l', st, AT_SYMLINK_NOFOLLOW).returns(0);
  st.has({ uid: 5, gid: 5 });
  const fd = s.open('f', O_RDONLY);
  s.fchown(fd, 12, 22).returns(0);
  s.fchownat(fd, '', 13, -1, AT_EMPTY_PATH).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ uid: 13, gid: 22 });
  s.fchownat(AT_FDCWD, 'f', 0, 0, 0x8000).fails(EINVAL);
  s.fchownat(AT_FDCWD, 'missing', 0, 0, 0).fails(ENOENT);
  s.fchown(99, 0, 0).fails(EBADF);
});

syscallTest('chown and lchown', (s) => {
  s.file('f');
  s.symlink('f', 'l');
  const st = s.stat();
  s.call('chown', 'l', 3, 4).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ uid: 3, gid: 4 });
  s.lchown('l', 5, 6).returns(0);
  s.newfstatat(AT_FDCWD, 'l', st, AT_SYMLINK_NOFOLLOW).returns(0);
  st.has({ uid: 5, gid: 6 });
});

syscallTest('chown clears the set-id bits, and what a user may do', (s) => {
  s.umask(0);
  s.file('f', '', 0o6755);
  s.fchownat(AT_FDCWD, 'f', 1000, 1000, 0).returns(0);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ mode: S_IFREG | 0o755, uid: 1000 });
  s.setgroups(1, s.pack('u32', 50)).returns(0);
  s.setresgid(1000, 1000, 1000).returns(0);
  s.setresuid(1000, 1000, 1000).returns(0);
  s.fchownat(AT_FDCWD, 'f', 0, -1, 0).fails(EPERM);
  s.fchownat(AT_FDCWD, 'f', 1000, -1, 0).returns(0);
  s.fchownat(AT_FDCWD, 'f', -1, 50, 0).returns(0);
  s.fchownat(AT_FDCWD, 'f', -1, 51, 0).fails(EPERM);
});

syscallTest('utimensat: given times, now, omit', (s) => {
  s.file('f');
  const st = s.stat();
  const st2 = s.struct(statLayout, statSize).ignoreFields('dev', 'ino', 'ctime', 'ctimeNsec');
  s.utimensat(AT_FDCWD, 'f', s.pack('u64', 1000, 'u64', 500, 'u64', 2000, 'u64', 999_999_999), 0).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st2, 0).returns(0);
  st2.has({ atime: 1000, atimeNsec: 500, mtime: 2000, mtimeNsec: 999_999_999 });
  s.utimensat(AT_FDCWD, 'f', s.pack('u64', 0, 'u64', UTIME_OMIT, 'u64', 3000, 'u64', 0), 0).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st2, 0).returns(0);
  st2.has({ atime: 1000, mtime: 3000 });
  s.utimensat(AT_FDCWD, 'f', s.pack('u64', 0, 'u64', UTIME_NOW, 'u64', 0, 'u64', UTIME_OMIT), 0).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ atime: (t) => t > 1_500_000_000, mtime: 3000 });
  s.utimensat(AT_FDCWD, 'f', null, 0).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ mtime: (t) => t > 1_500_000_000 });
  s.utimensat(AT_FDCWD, 'f', s.pack('u64', -5, 'u64', 0, 'u64', -5, 'u64', 1), 0).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st2, 0).returns(0);
  st2.has({ atime: -5, mtime: -5, mtimeNsec: 1 });
});

syscallTest('utimensat: descriptors, links, errors', (s) => {
  const times = (a: number, b: number) => s.pack('u64', a, 'u64', 0, 'u64', b, 'u64', 0);
  s.mkdir('d');
  s.file('d/f');
  s.symlink('f', 'd/l');
  const fd = s.open('d/f', O_RDONLY);
  const d = s.open('d', O_RDONLY);
  const st = s.struct(statLayout, statSize).ignoreFields('dev', 'ino', 'ctime', 'ctimeNsec');
  s.utimensat(fd, null, times(1, 2), 0).returns(0);
  s.fstat(fd, st).returns(0);
  st.has({ atime: 1, mtime: 2 });
  s.utimensat(d, 'l', times(3, 4), AT_SYMLINK_NOFOLLOW).returns(0);
  s.newfstatat(d, 'l', st, AT_SYMLINK_NOFOLLOW).returns(0);
  st.has({ atime: 3, mtime: 4 });
  s.utimensat(d, 'l', times(5, 6), 0).returns(0);
  s.fstat(fd, st).returns(0);
  st.has({ atime: 5, mtime: 6 });
  s.chdir('d').returns(0);
  s.utimensat(AT_FDCWD, 'f', times(7, 8), 0).returns(0);
  s.utimensat(AT_FDCWD, 'f', s.pack('u64', 0, 'u64', 1e9, 'u64', 0, 'u64', 0), 0).fails(EINVAL);
  s.utimensat(AT_FDCWD, 'f', WILD, 0).fails(EFAULT);
  s.utimensat(AT_FDCWD, 'f', times(0, 0), 0x8000).fails(EINVAL);
  s.utimensat(AT_FDCWD, null, times(0, 0), 0).failsWith(EFAULT, EBADF);
  s.utimensat(AT_FDCWD, 'missing', times(0, 0), 0).fails(ENOENT);
  s.utimensat(99, null, times(0, 0), 0).fails(EBADF);
  s.fchmodat(AT_FDCWD, 'f', 0o666).returns(0);
  s.asUser();
  s.utimensat(AT_FDCWD, 'f', times(0, 0), 0).fails(EPERM);
  s.utimensat(AT_FDCWD, 'f', null, 0).returns(0); // the current time takes write permission only
});

syscallTest('utime, utimes, futimesat', (s) => {
  s.file('f');
  const st = s.struct(statLayout, statSize).ignoreFields('dev', 'ino', 'ctime', 'ctimeNsec');
  s.utime('f', s.pack('u64', 10, 'u64', 20)).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ atime: 10, mtime: 20 });
  s.utimes('f', s.pack('u64', 30, 'u64', 5, 'u64', 40, 'u64', 6)).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ atime: 30, atimeNsec: 5000, mtime: 40, mtimeNsec: 6000 });
  s.utimes('f', s.pack('u64', 0, 'u64', 1_000_000, 'u64', 0, 'u64', 0)).fails(EINVAL);
  s.futimesat(AT_FDCWD, 'f', s.pack('u64', 50, 'u64', 0, 'u64', 60, 'u64', 0)).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ atime: 50, mtime: 60 });
});

syscallTest('changes show in the times', (s) => {
  s.mkdir('d');
  const past = s.pack('u64', 100, 'u64', 0, 'u64', 100, 'u64', 0);
  const st = s.stat();
  const fd = s.open('f', RW, 0o600);
  const recent = (t: number) => t > 1_500_000_000;
  s.write(fd, 'abc');
  s.utimensat(fd, null, past, 0).returns(0);
  s.fstat(fd, st).returns(0);
  st.has({ atime: 100, mtime: 100, ctime: recent });
  s.write(fd, 'more');
  s.fstat(fd, st).returns(0);
  st.has({ atime: 100, mtime: recent });
  s.utimensat(fd, null, past, 0).returns(0);
  s.pread64(fd, s.buffer(2), 2, 0).returns(2);
  s.fstat(fd, st).returns(0);
  st.has({ atime: recent, mtime: 100 }); // relatime: the access is newer than the change
  s.utimensat(AT_FDCWD, 'd', past, 0).returns(0);
  s.file('d/new');
  s.newfstatat(AT_FDCWD, 'd', st, 0).returns(0);
  st.has({ mtime: recent });
});
