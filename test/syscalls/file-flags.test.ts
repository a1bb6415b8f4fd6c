/** ioctl FS_IOC_GETFLAGS and FS_IOC_SETFLAGS (lsattr, chattr): what immutable and append-only files refuse. */
import {
  AT_FDCWD,
  ENOTTY,
  EOPNOTSUPP,
  EPERM,
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  syscallTest,
  type Call,
  type S,
} from '../support/index.js';

const GET = 0x80086601;
const SET = 0x40086602;
const IMMUTABLE = 0x10;
const APPEND = 0x20;
const NODUMP = 0x40;
const NOATIME = 0x80;

const set = (s: S, fd: Call, flags: number): Call => s.call('ioctl', fd, SET, s.quad(flags));
function shows(s: S, fd: Call, flags: number): void {
  const word = s.word();
  s.call('ioctl', fd, GET, word).returns(0);
  word.u32(0, flags);
}

syscallTest('flags are kept, unknown ones are not supported', (s) => {
  const fd = s.open('f', O_CREAT | O_RDWR, 0o600);
  shows(s, fd, 0);
  for (const flags of [IMMUTABLE, APPEND, IMMUTABLE | APPEND, NODUMP, NOATIME, NODUMP | NOATIME]) {
    set(s, fd, flags).returns(0);
    shows(s, fd, flags);
  }
  for (const flags of [1, 2, 4, 8, 0x4000, 0x80000, 0x800000]) set(s, fd, flags).fails(EOPNOTSUPP);
  shows(s, fd, NODUMP | NOATIME);
  const p = s.pipe();
  s.call('ioctl', p.r, GET, s.word()).fails(ENOTTY);
});

syscallTest('an immutable file', (s) => {
  const fd = s.open('f', O_CREAT | O_RDWR, 0o600);
  set(s, fd, IMMUTABLE).returns(0);
  s.write(fd, 'x').returns(1); // opened before
  s.openat(AT_FDCWD, 'f', O_RDWR).fails(EPERM);
  s.openat(AT_FDCWD, 'f', O_RDONLY).fd();
  s.call('chmod', 'f', 0o644).fails(EPERM);
  s.call('fchmod', fd, 0o644).fails(EPERM);
  s.call('chown', 'f', 0, 0).fails(EPERM);
  s.call('unlink', 'f').fails(EPERM);
  s.call('link', 'f', 'g').fails(EPERM);
  s.call('rename', 'f', 'g').fails(EPERM);
  s.call('truncate', 'f', 0).fails(EPERM);
  s.call('ftruncate', fd, 0).returns(0);
  s.call('utimensat', AT_FDCWD, 'f', null, 0).fails(EPERM);
  s.call('utimensat', AT_FDCWD, 'f', s.pack('u64', 1, 'u64', 0, 'u64', 1, 'u64', 0), 0).fails(EPERM);
  s.call('setxattr', 'f', 'user.a', '1', 1, 0).fails(EPERM);
  set(s, fd, 0).returns(0);
});

syscallTest('an append-only file', (s) => {
  const fd = s.open('f', O_CREAT | O_RDWR, 0o600);
  set(s, fd, APPEND).returns(0);
  s.openat(AT_FDCWD, 'f', O_RDWR).fails(EPERM);
  s.openat(AT_FDCWD, 'f', O_RDWR | O_APPEND).fd();
  s.openat(AT_FDCWD, 'f', O_WRONLY | O_APPEND | O_TRUNC).fails(EPERM);
  s.call('chmod', 'f', 0o644).fails(EPERM);
  s.call('unlink', 'f').fails(EPERM);
  s.call('link', 'f', 'g').fails(EPERM);
  s.call('truncate', 'f', 0).fails(EPERM);
  s.call('ftruncate', fd, 0).fails(EPERM);
  s.call('utimensat', AT_FDCWD, 'f', null, 0).returns(0);
  s.call('utimensat', AT_FDCWD, 'f', s.pack('u64', 1, 'u64', 0, 'u64', 1, 'u64', 0), 0).fails(EPERM);
  set(s, fd, 0).returns(0);
});

syscallTest('directories', (s) => {
  s.call('mkdir', 'd', 0o755).returns(0);
  s.file('d/x', '');
  const d = s.open('d', O_RDONLY);
  set(s, d, IMMUTABLE).returns(0);
  s.openat(AT_FDCWD, 'd/y', O_CREAT | O_WRONLY, 0o600).fails(EPERM);
  s.call('unlink', 'd/x').fails(EPERM);
  set(s, d, APPEND).returns(0);
  s.openat(AT_FDCWD, 'd/y', O_CREAT | O_WRONLY, 0o600).fd();
  s.call('unlink', 'd/x').fails(EPERM);
  s.call('rename', 'd/x', 'd/z').fails(EPERM);
  s.call('rmdir', 'd').fails(EPERM);
  set(s, d, NODUMP | NOATIME).returns(0);
  s.call('mkdir', 'd/s', 0o755).returns(0);
  shows(s, s.open('d/s', O_RDONLY), NODUMP | NOATIME);
  shows(s, s.open('d/n', O_CREAT | O_RDWR, 0o600), NODUMP | NOATIME);
});
