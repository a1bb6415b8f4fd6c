/** Names: mkdir, rmdir, unlink, rename, link, symlink, readlink, getdents, chdir, getcwd, chroot. */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  EACCES,
  EBADF,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  ENXIO,
  EPERM,
  ERANGE,
  EXDEV,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
  SEEK_SET,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFSOCK,
  WILD,
  syscallTest,
} from '../support/index.js';

const RW = O_CREAT | O_RDWR;

syscallTest('mkdirat', (s) => {
  const st = s.stat();
  s.umask(0o027);
  s.mkdirat(AT_FDCWD, 'd', 0o1777).returns(0);
  s.newfstatat(AT_FDCWD, 'd', st, 0).returns(0);
  st.has({ mode: S_IFDIR | 0o1750, nlink: 2 });
  s.mkdirat(AT_FDCWD, 'd', 0o777).fails(EEXIST);
  s.mkdirat(AT_FDCWD, 'd/', 0o777).fails(EEXIST);
  s.mkdirat(AT_FDCWD, 'e/', 0o777).returns(0);
  s.mkdirat(AT_FDCWD, 'missing/e', 0o777).fails(ENOENT);
  s.mkdirat(AT_FDCWD, '', 0o777).fails(ENOENT);
  s.file('f');
  s.mkdirat(AT_FDCWD, 'f', 0o777).fails(EEXIST);
  s.mkdirat(AT_FDCWD, 'f/e', 0o777).fails(ENOTDIR);
  s.symlink('nowhere', 'l');
  s.mkdirat(AT_FDCWD, 'l', 0o777).fails(EEXIST);
  s.mkdirat(AT_FDCWD, '.', 0o777).fails(EEXIST);
  s.mkdirat(AT_FDCWD, '/', 0o777).fails(EEXIST);
  s.mkdirat(AT_FDCWD, WILD, 0o777).fails(EFAULT);
  s.mkdirat(99, 'x', 0o777).fails(EBADF);
  s.mkdirat(s.open('d', O_RDONLY), 'inner', 0o777).returns(0);
  s.newfstatat(AT_FDCWD, 'd/inner', st, 0).returns(0);
});

syscallTest('mkdir and rmdir', (s) => {
  s.call('mkdir', 'd', 0o755).returns(0);
  s.call('mkdir', 'd', 0o755).fails(EEXIST);
  s.rmdir('d').returns(0);
  s.rmdir('d').fails(ENOENT);
});

syscallTest('unlinkat with AT_REMOVEDIR', (s) => {
  s.mkdir('d');
  s.file('d/f');
  s.file('f');
  s.symlink('d', 'l');
  s.unlinkat(AT_FDCWD, 'd', AT_REMOVEDIR).fails(ENOTEMPTY);
  s.unlinkat(AT_FDCWD, 'f', AT_REMOVEDIR).fails(ENOTDIR);
  s.unlinkat(AT_FDCWD, 'l', AT_REMOVEDIR).fails(ENOTDIR);
  s.unlinkat(AT_FDCWD, 'd/.', AT_REMOVEDIR).fails(EINVAL);
  s.unlinkat(AT_FDCWD, 'd/..', AT_REMOVEDIR).fails(ENOTEMPTY);
  s.unlinkat(AT_FDCWD, '/', AT_REMOVEDIR).fails(EBUSY);
  s.unlinkat(AT_FDCWD, 'missing', AT_REMOVEDIR).fails(ENOENT);
  s.unlinkat(AT_FDCWD, 'd/f', 0).returns(0);
  s.unlinkat(AT_FDCWD, 'd/', AT_REMOVEDIR).returns(0);
  s.unlinkat(AT_FDCWD, 'd', 0x8000).fails(EINVAL);
});

syscallTest('unlinkat', (s) => {
  s.mkdir('d');
  s.file('f');
  s.symlink('f', 'l');
  s.unlinkat(AT_FDCWD, 'd', 0).fails(EISDIR);
  s.unlinkat(AT_FDCWD, 'f/', 0).fails(ENOTDIR);
  s.unlinkat(AT_FDCWD, 'l', 0).returns(0);
  s.open('f', O_RDONLY); // the link went, not its target
  s.unlinkat(AT_FDCWD, 'f', 0).returns(0);
  s.unlinkat(AT_FDCWD, 'f', 0).fails(ENOENT);
  s.unlinkat(AT_FDCWD, '', 0).fails(ENOENT);
  s.unlinkat(AT_FDCWD, WILD, 0).fails(EFAULT);
  s.unlinkat(99, 'f', 0).fails(EBADF);
  s.file('d/f');
  s.unlinkat(s.open('d', O_RDONLY), 'f', 0).returns(0);
  s.file('again');
  s.call('unlink', 'again').returns(0);
  s.call('unlink', 'd').fails(EISDIR);
});

syscallTest('the sticky bit', (s) => {
  s.umask(0);
  s.mkdir('t', 0o1777);
  s.mkdir('open', 0o777);
  s.file('t/theirs', '', 0o666);
  s.file('open/theirs', '', 0o600);
  s.mkdir('closed', 0o755);
  s.file('closed/f', '', 0o666);
  s.asUser();
  s.unlinkat(AT_FDCWD, 't/theirs', 0).fails(EPERM);
  s.renameat(AT_FDCWD, 't/theirs', AT_FDCWD, 't/mine').fails(EPERM);
  s.unlinkat(AT_FDCWD, 'open/theirs', 0).returns(0);
  s.unlinkat(AT_FDCWD, 'closed/f', 0).fails(EACCES);
  s.file('t/mine');
  s.unlinkat(AT_FDCWD, 't/mine', 0).returns(0);
});

syscallTest('renameat: files', (s) => {
  s.file('a', 'A');
  s.file('b', 'B');
  const kept = s.open('b', O_RDONLY);
  s.renameat(AT_FDCWD, 'a', AT_FDCWD, 'b').returns(0);
  s.reads(s.open('b', O_RDONLY), 'A', 5);
  s.reads(kept, 'B', 5); // the replaced file lives while it is open
  s.renameat(AT_FDCWD, 'a', AT_FDCWD, 'c').fails(ENOENT);
  s.renameat(AT_FDCWD, 'b', AT_FDCWD, 'b').returns(0);
  s.linkat(AT_FDCWD, 'b', AT_FDCWD, 'link', 0).returns(0);
  s.renameat(AT_FDCWD, 'b', AT_FDCWD, 'link').returns(0); // the same file: nothing happens
  s.open('b', O_RDONLY);
  s.mkdir('d');
  s.renameat(AT_FDCWD, 'b', AT_FDCWD, 'd').fails(EISDIR);
  s.renameat(AT_FDCWD, 'b', AT_FDCWD, 'd/').fails(ENOTDIR);
  s.renameat(AT_FDCWD, 'b', AT_FDCWD, 'missing/x').fails(ENOENT);
  s.renameat(AT_FDCWD, 'b', AT_FDCWD, 'link/x').fails(ENOTDIR);
  const d = s.open('d', O_RDONLY);
  s.renameat(AT_FDCWD, 'b', d, 'moved').returns(0);
  s.renameat(d, 'moved', AT_FDCWD, 'back').returns(0);
  s.renameat(99, 'x', d, 'y').fails(EBADF);
  s.renameat(AT_FDCWD, WILD, d, 'y').fails(EFAULT);
  s.renameat(AT_FDCWD, 'back', d, WILD).fails(EFAULT);
  s.call('rename', 'back', 'last').returns(0);
  s.open('last', O_RDONLY);
});

syscallTest('renameat: directories', (s) => {
  s.mkdir('a');
  s.mkdir('a/b');
  s.file('f');
  s.mkdir('empty');
  s.mkdir('full');
  s.file('full/x');
  s.renameat(AT_FDCWD, 'a', AT_FDCWD, 'a/b/c').fails(EINVAL);
  s.renameat(AT_FDCWD, 'a', AT_FDCWD, 'a/b').fails(EINVAL);
  s.renameat(AT_FDCWD, 'a', AT_FDCWD, 'full').fails(ENOTEMPTY);
  s.renameat(AT_FDCWD, 'a', AT_FDCWD, 'f').fails(ENOTDIR);
  s.renameat(AT_FDCWD, 'a', AT_FDCWD, 'empty').returns(0);
  s.renameat(AT_FDCWD, 'empty/b', AT_FDCWD, '.').fails(EBUSY);
  s.renameat(AT_FDCWD, '.', AT_FDCWD, 'x').fails(EBUSY);
  s.renameat(AT_FDCWD, '/', AT_FDCWD, '/x').fails(EBUSY);
  s.renameat(AT_FDCWD, 'empty/b', AT_FDCWD, 'new/').returns(0);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'empty', st, 0).returns(0);
  st.has({ nlink: 2 });
});

syscallTest('renameat to another filesystem is EXDEV, to a descendant of a mount EBUSY', (s) => {
  s.file('f');
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', 0, null).returns(0);
  s.renameat(AT_FDCWD, 'f', AT_FDCWD, 'm/f').fails(EXDEV);
  s.renameat(AT_FDCWD, 'm', AT_FDCWD, 'n').fails(EBUSY);
  s.unlinkat(AT_FDCWD, 'm', AT_REMOVEDIR).fails(EBUSY);
  s.linkat(AT_FDCWD, 'f', AT_FDCWD, 'm/f', 0).fails(EXDEV);
  s.umount2('m', 0).returns(0);
  s.renameat(AT_FDCWD, 'm', AT_FDCWD, 'n').returns(0);
});

syscallTest('renameat2', (s) => {
  s.file('a', 'A');
  s.file('b', 'B');
  s.mkdir('d');
  s.renameat2(AT_FDCWD, 'a', AT_FDCWD, 'b', RENAME_NOREPLACE).fails(EEXIST);
  s.renameat2(AT_FDCWD, 'a', AT_FDCWD, 'c', RENAME_NOREPLACE).returns(0);
  s.renameat2(AT_FDCWD, 'c', AT_FDCWD, 'b', RENAME_EXCHANGE).returns(0);
  s.reads(s.open('b', O_RDONLY), 'A', 5);
  s.reads(s.open('c', O_RDONLY), 'B', 5);
  s.renameat2(AT_FDCWD, 'c', AT_FDCWD, 'd', RENAME_EXCHANGE).returns(0);
  s.open('c', O_DIRECTORY);
  s.renameat2(AT_FDCWD, 'b', AT_FDCWD, 'missing', RENAME_EXCHANGE).fails(ENOENT);
  s.renameat2(AT_FDCWD, 'b', AT_FDCWD, 'd', RENAME_EXCHANGE | RENAME_NOREPLACE).fails(EINVAL);
  s.renameat2(AT_FDCWD, 'b', AT_FDCWD, 'd', 0x100).fails(EINVAL);
  s.renameat2(AT_FDCWD, 'b', AT_FDCWD, 'd', 0).returns(0);
});

syscallTest('RENAME_WHITEOUT leaves the device 0:0 at the old name', (s) => {
  s.file('a', 'A');
  s.renameat2(AT_FDCWD, 'a', AT_FDCWD, 'b', RENAME_WHITEOUT).returns(0);
  s.reads(s.open('b', O_RDONLY), 'A', 5);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'a', st, 0).returns(0);
  st.has({ mode: S_IFCHR, rdev: 0, nlink: 1, uid: 0 });
  s.openat(AT_FDCWD, 'a', O_RDONLY, 0).fails(ENXIO);
  s.mkdir('d');
  s.mkdir('d/e');
  s.mkdir('f');
  s.renameat2(AT_FDCWD, 'd/e', AT_FDCWD, 'f/e', RENAME_WHITEOUT | RENAME_NOREPLACE).returns(0);
  s.newfstatat(AT_FDCWD, 'd', st, 0).returns(0);
  st.has({ nlink: 2, size: 60 });
  s.call('rmdir', 'd').fails(ENOTEMPTY);
  s.renameat2(AT_FDCWD, 'b', AT_FDCWD, 'c', RENAME_WHITEOUT | RENAME_EXCHANGE).fails(EINVAL);
});

syscallTest('a whiteout needs no capability', (s) => {
  s.mkdir('d', 0o777);
  s.fchmodat(AT_FDCWD, 'd', 0o777).returns(0);
  s.asUser();
  s.file('d/a');
  s.renameat2(AT_FDCWD, 'd/a', AT_FDCWD, 'd/b', RENAME_WHITEOUT).returns(0);
  s.mknodat(AT_FDCWD, 'd/c', S_IFCHR | 0o600, 0).returns(0);
  s.mknodat(AT_FDCWD, 'd/n', S_IFCHR | 0o600, 0x103).fails(EPERM);
});

syscallTest('linkat', (s) => {
  s.file('f', 'x');
  s.mkdir('d');
  s.symlink('f', 'l');
  const st = s.stat();
  s.linkat(AT_FDCWD, 'f', AT_FDCWD, 'g', 0).returns(0);
  s.linkat(AT_FDCWD, 'f', AT_FDCWD, 'g', 0).fails(EEXIST);
  s.linkat(AT_FDCWD, 'd', AT_FDCWD, 'e', 0).fails(EPERM);
  s.linkat(AT_FDCWD, 'missing', AT_FDCWD, 'e', 0).fails(ENOENT);
  s.linkat(AT_FDCWD, 'l', AT_FDCWD, 'to link', 0).returns(0);
  s.newfstatat(AT_FDCWD, 'to link', st, AT_SYMLINK_NOFOLLOW).returns(0);
  st.has({ mode: S_IFLNK | 0o777, nlink: 2 });
  s.linkat(AT_FDCWD, 'l', AT_FDCWD, 'to file', AT_SYMLINK_FOLLOW).returns(0);
  s.newfstatat(AT_FDCWD, 'f', st, 0).returns(0);
  st.has({ nlink: 3 });
  s.linkat(AT_FDCWD, 'f', AT_FDCWD, 'h', 0x8000).fails(EINVAL);
  const d = s.open('d', O_RDONLY);
  s.linkat(AT_FDCWD, 'f', d, 'inner', 0).returns(0);
  s.linkat(d, 'inner', AT_FDCWD, 'outer', 0).returns(0);
  s.linkat(99, 'x', d, 'y', 0).fails(EBADF);
  s.linkat(AT_FDCWD, WILD, d, 'y', 0).fails(EFAULT);
  s.chdir('d').returns(0);
  s.linkat(AT_FDCWD, 'inner', AT_FDCWD, 'inner2', 0).returns(0);
  s.call('link', 'inner', 'inner3').returns(0);
});

syscallTest('linkat with AT_EMPTY_PATH gives a name to an O_TMPFILE', (s) => {
  const fd = s.open('.', O_TMPFILE | O_RDWR, 0o600);
  s.write(fd, 'named');
  s.linkat(fd, '', AT_FDCWD, 'f', AT_EMPTY_PATH).returns(0);
  s.reads(s.open('f', O_RDONLY), 'named', 10);
  s.unlinkat(AT_FDCWD, 'f', 0).returns(0);
  s.linkat(fd, '', AT_FDCWD, 'g', AT_EMPTY_PATH).fails(ENOENT); // a file that had its last name taken stays dead
});

syscallTest('symlinkat and readlinkat', (s) => {
  s.symlinkat('target/of it', AT_FDCWD, 'l').returns(0);
  s.symlinkat('x', AT_FDCWD, 'l').fails(EEXIST);
  s.symlinkat('', AT_FDCWD, 'm').fails(ENOENT);
  s.symlinkat('x', AT_FDCWD, 'm/').fails(ENOENT);
  s.symlinkat('x'.repeat(4096), AT_FDCWD, 'm').fails(ENAMETOOLONG);
  s.symlinkat(WILD, AT_FDCWD, 'm').fails(EFAULT);
  s.symlinkat('x', AT_FDCWD, WILD).fails(EFAULT);
  const b = s.buffer(20);
  s.readlinkat(AT_FDCWD, 'l', b, 20).returns(12);
  b.is('target/of it').all(0xa5, 12); // no NUL is added
  const short = s.buffer(4);
  s.readlinkat(AT_FDCWD, 'l', short, 4).returns(4);
  short.is('targ');
  s.file('f');
  s.readlinkat(AT_FDCWD, 'f', b, 20).fails(EINVAL);
  s.readlinkat(AT_FDCWD, '.', b, 20).fails(EINVAL);
  s.readlinkat(AT_FDCWD, 'missing', b, 20).fails(ENOENT);
  s.readlinkat(AT_FDCWD, 'l', b, 0).fails(EINVAL);
  s.readlinkat(AT_FDCWD, 'l', b, -1).fails(EINVAL);
  s.readlinkat(AT_FDCWD, 'l', WILD, 20).fails(EFAULT);
  s.mkdir('d');
  const d = s.open('d', O_RDONLY);
  s.symlinkat('inner', d, 'l').returns(0);
  s.readlinkat(d, 'l', b, 20).returns(5);
  s.chdir('d').returns(0);
  s.readlinkat(AT_FDCWD, 'l', b, 20).returns(5);
  b.is('innert');
});

syscallTest('readlinkat with an empty path reads an O_PATH link', (s) => {
  s.symlink('somewhere', 'l');
  const b = s.buffer(9);
  s.readlinkat(s.open('l', O_PATH | O_NOFOLLOW), '', b, 9).returns(9);
  b.is('somewhere');
  s.readlinkat(s.open('.', O_RDONLY), '', b, 9).fails(ENOENT);
});

syscallTest('symlink and readlink', (s) => {
  s.call('symlink', 'abc', 'l').returns(0);
  const b = s.buffer(3);
  s.readlink('l', b, 3).returns(3);
  b.is('abc');
  s.readlink('missing', b, 3).fails(ENOENT);
});

syscallTest('links in the middle of a path, absolute links, links to ..', (s) => {
  s.mkdir('d');
  s.mkdir('d/e');
  s.file('d/e/f', 'found');
  s.symlink('d/e', 'l');
  s.symlink('..', 'd/e/up');
  s.symlink('/proc/self', 'abs');
  s.reads(s.open('l/f', O_RDONLY), 'found', 10);
  s.reads(s.open('l/../e/f', O_RDONLY), 'found', 10); // .. of the target
  s.reads(s.open('l/up/e/f', O_RDONLY), 'found', 10);
  s.open('abs/stat', O_RDONLY);
  s.open('/proc/self/stat', O_RDONLY);
});

const DIRENT = { ino: 8, off: 8, reclen: 2, type: 1 };

interface Entry {
  name: string;
  type: number;
}

/** The entries of a getdents64 buffer. */
function entries(bytes: Buffer, length: number): Entry[] {
  const found: Entry[] = [];
  for (let at = 0; at < length;) {
    const reclen = bytes.readUInt16LE(at + DIRENT.ino + DIRENT.off);
    const name = bytes.subarray(at + 19, at + reclen);
    found.push({ type: bytes[at + 18], name: name.subarray(0, name.indexOf(0)).toString('latin1') });
    if (reclen < 24 || reclen % 8 !== 0) throw new Error(`reclen ${reclen}`);
    at += reclen;
  }
  return found;
}

syscallTest('getdents64: names and types', (s) => {
  s.mkdir('d');
  s.file('d/file');
  s.mkdir('d/directory');
  s.symlink('x', 'd/link');
  s.mknodat(AT_FDCWD, 'd/fifo', S_IFIFO | 0o600, 0).returns(0);
  s.mknodat(AT_FDCWD, 'd/null', S_IFCHR | 0o600, 0x103).returns(0);
  s.mknodat(AT_FDCWD, 'd/socket', S_IFSOCK | 0o600, 0).returns(0);
  const d = s.open('d', O_RDONLY | O_DIRECTORY);
  const b = s.buffer(4096).ignore();
  const n = s.getdents64(d, b, 4096).returns(8 * 24 + 2 * 8);
  s.check('entries', (v) => {
    const found = entries(v.bytes(b.address, 4096), v.value(n));
    const text = found.map(({ name, type }) => `${name}:${type}`).sort();
    const want = ['..:4', '.:4', 'directory:4', 'fifo:1', 'file:8', 'link:10', 'null:2', 'socket:12'];
    return text.join() === want.join() || text.join();
  });
  s.getdents64(d, b, 4096).returns(0);
  s.lseek(d, 0, SEEK_SET).returns(0);
  s.getdents64(d, b, 4096).succeeds();
});

syscallTest('getdents64 in small pieces sees every name once', (s) => {
  s.mkdir('d');
  for (let i = 0; i < 10; i++) s.file(`d/f${i}`);
  const d = s.open('d', O_RDONLY);
  const pieces = Array.from({ length: 7 }, () => {
    const b = s.buffer(48).ignore();
    return { b, n: s.getdents64(d, b, 48).succeeds() };
  });
  s.check('12 names', (v) => {
    const names = pieces.flatMap(({ b, n }) => entries(v.bytes(b.address, 48), v.value(n)).map((e) => e.name));
    return (names.length === 12 && new Set(names).size === 12) || names.join();
  });
});

syscallTest('errors of getdents64', (s) => {
  s.mkdir('d');
  s.file('f');
  const d = s.open('d', O_RDONLY);
  const b = s.buffer(100);
  s.getdents64(d, b, 10).fails(EINVAL); // not even one entry fits
  s.getdents64(d, b, 0).fails(EINVAL);
  s.getdents64(99, b, 100).fails(EBADF);
  s.getdents64(s.open('f', O_RDONLY), b, 100).fails(ENOTDIR);
  s.getdents64(s.pipe().r, b, 100).fails(ENOTDIR);
  s.getdents64(d, WILD, 100).fails(EFAULT);
  s.call('read', d, b, 100).fails(EISDIR);
  s.unlinkat(AT_FDCWD, 'd', AT_REMOVEDIR).returns(0);
  s.getdents64(d, b, 100).fails(ENOENT); // removed while open
  b.all(0xa5);
});

syscallTest('getdents has the old layout: the type is the last byte', (s) => {
  s.mkdir('d');
  s.file('d/name');
  const d = s.open('d', O_RDONLY);
  const b = s.buffer(200).ignore();
  const n = s.getdents(d, b, 200).returns(24 * 3);
  s.check('entries', (v) => {
    const bytes = v.bytes(b.address, 200);
    const text: string[] = [];
    for (let at = 0; at < v.value(n); at += bytes.readUInt16LE(at + 16)) {
      const name = bytes.subarray(at + 18, bytes.indexOf(0, at + 18)).toString();
      text.push(`${name}:${bytes[at + bytes.readUInt16LE(at + 16) - 1]}`);
    }
    return text.sort().join() === '..:4,.:4,name:8' || text.join();
  });
  s.getdents(99, b, 200).fails(EBADF);
});

syscallTest('chdir, fchdir, getcwd', (s) => {
  s.mkdir('d');
  s.mkdir('d/e');
  s.symlink('d/e', 'l');
  s.file('f');
  const base = `/tmp/t${s.script.number}`;
  const b = s.buffer(64);
  const cwd = (expected: string) => {
    s.getcwd(b, 64).returns(expected.length + 1);
    b.is(`${expected}\0`);
  };
  cwd(base);
  s.chdir('d/e').returns(0);
  cwd(`${base}/d/e`);
  s.chdir('..').returns(0);
  cwd(`${base}/d`);
  s.chdir('../l').returns(0); // the link is resolved
  cwd(`${base}/d/e`);
  s.chdir(`${base}//d/./e/..`).returns(0);
  cwd(`${base}/d`);
  s.chdir('../../../../..').returns(0);
  cwd('/');
  s.chdir(base).returns(0);
  const d = s.open('d', O_RDONLY);
  s.fchdir(d).returns(0);
  cwd(`${base}/d`);
  s.fchdir(s.open('/proc', O_PATH)).returns(0);
  cwd('/proc');
  s.chdir(base).returns(0);
  s.chdir('missing').fails(ENOENT);
  s.chdir('f').fails(ENOTDIR);
  s.chdir('').fails(ENOENT);
  s.chdir(WILD).fails(EFAULT);
  s.fchdir(99).fails(EBADF);
  s.fchdir(s.open('f', O_RDONLY)).fails(ENOTDIR);
  cwd(base);
});

syscallTest('getcwd: errors and a removed directory', (s) => {
  s.mkdir('d');
  s.chdir('d').returns(0);
  const b = s.buffer(64);
  s.getcwd(b, 3).fails(ERANGE);
  s.getcwd(b, 0).fails(ERANGE);
  s.getcwd(WILD, 64).fails(EFAULT);
  b.all(0xa5);
  s.unlinkat(AT_FDCWD, '../d', AT_REMOVEDIR).returns(0);
  s.getcwd(b, 64).fails(ENOENT);
  s.openat(AT_FDCWD, 'f', RW, 0o600).fails(ENOENT);
  s.mkdirat(AT_FDCWD, 'd', 0o755).fails(ENOENT);
  s.chdir('..').returns(0);
  s.getcwd(b, 64).ok();
});

syscallTest('the working directory belongs to the process', (s) => {
  s.mkdir('d');
  const child = s.fork((c) => {
    c.chdir('d').returns(0);
    c.file('from child');
  });
  s.wait(child).exited(0);
  s.open('d/from child', O_RDONLY);
});

syscallTest('a directory without search permission', (s) => {
  s.mkdir('d', 0o644);
  s.mkdir('d/e');
  s.asUser();
  s.chdir('d').fails(EACCES);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'd/e', st, 0).fails(EACCES);
  const b = s.buffer(100).ignore();
  s.getdents64(s.open('d', O_RDONLY), b, 100).succeeds();
});

syscallTest('chroot', (s) => {
  s.mkdir('r');
  s.mkdir('r/tmp');
  s.file('r/inside', 'in');
  const outside = s.open('.', O_RDONLY);
  s.chroot('missing').fails(ENOENT);
  s.chroot('r/inside').fails(ENOTDIR);
  s.chroot(WILD).fails(EFAULT);
  s.chroot('r').returns(0);
  s.reads(s.open('/inside', O_RDONLY), 'in', 5);
  s.reads(s.open('r/inside', O_RDONLY), 'in', 5); // the working directory stayed
  s.openat(AT_FDCWD, '/proc', O_RDONLY, 0).fails(ENOENT);
  s.chdir('/').returns(0);
  s.reads(s.open('../../inside', O_RDONLY), 'in', 5);
  s.symlink('/inside', 'l');
  s.reads(s.open('l', O_RDONLY), 'in', 5);
  const b = s.buffer(64).ignore();
  s.getcwd(b, 64).returns(2);
  s.fchdir(outside).returns(0);
  s.getcwd(b, 64).succeeds();
  s.check('a directory outside the root is marked', (v) => {
    const text = v.bytes(b.address, 64).toString('latin1');
    return text.startsWith('(unreachable)/') || text;
  });
  s.asUser();
  s.chroot('.').fails(EPERM);
});
