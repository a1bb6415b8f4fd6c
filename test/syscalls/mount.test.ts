/** mount, umount2, statfs, fstatfs, pivot_root; tmpfs limits. */
import {
  AT_FDCWD,
  EACCES,
  EAGAIN,
  EBADF,
  EBUSY,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  EPERM,
  EROFS,
  MNT_DETACH,
  MNT_EXPIRE,
  MS_BIND,
  MS_MOVE,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REMOUNT,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  PAGE,
  PIPEFS_MAGIC,
  PROC_SUPER_MAGIC,
  ST_NODEV,
  ST_NOEXEC,
  ST_NOSUID,
  ST_RDONLY,
  S_IFCHR,
  S_IFDIR,
  TMPFS_MAGIC,
  UMOUNT_NOFOLLOW,
  WILD,
  W_OK,
  statfsLayout,
  syscallTest,
} from '../support/index.js';

const RW = O_CREAT | O_RDWR;

syscallTest('mounting tmpfs hides a directory, unmounting shows it again', (s) => {
  s.mkdir('m');
  s.file('m/below', 'below');
  s.mount('none', 'm', 'tmpfs', 0, null).returns(0);
  s.openat(AT_FDCWD, 'm/below', O_RDONLY, 0).fails(ENOENT);
  s.file('m/above', 'above');
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'm', st, 0).returns(0);
  st.has({ mode: S_IFDIR | 0o1777 });
  s.umount2('m', 0).returns(0);
  s.reads(s.open('m/below', O_RDONLY), 'below', 10);
  s.openat(AT_FDCWD, 'm/above', O_RDONLY, 0).fails(ENOENT);
});

syscallTest('mounts stack', (s) => {
  s.mkdir('m');
  s.mount('one', 'm', 'tmpfs', 0, null).returns(0);
  s.file('m/one');
  s.mount('two', 'm', 'tmpfs', 0, null).returns(0);
  s.openat(AT_FDCWD, 'm/one', O_RDONLY, 0).fails(ENOENT);
  s.umount2('m', 0).returns(0);
  s.open('m/one', O_RDONLY);
  s.umount2('m', 0).fails(EBUSY); // the descriptor of m/one
  s.umount2('m', MNT_DETACH).returns(0);
  s.openat(AT_FDCWD, 'm/one', O_RDONLY, 0).fails(ENOENT);
});

syscallTest('.. leaves a mount at its mount point', (s) => {
  s.mkdir('m');
  s.file('f', 'up');
  s.mount('none', 'm', 'tmpfs', 0, null).returns(0);
  s.chdir('m').returns(0);
  s.reads(s.open('../f', O_RDONLY), 'up', 5);
  s.umount2('.', 0).fails(EBUSY);
  s.umount2('.', MNT_DETACH).returns(0);
});

syscallTest('errors of mount', (s) => {
  s.mkdir('m');
  s.file('f');
  s.mount('none', 'm', 'nosuchfs', 0, null).fails(ENODEV);
  s.mount('none', 'missing', 'tmpfs', 0, null).fails(ENOENT);
  s.mount('none', 'f', 'tmpfs', 0, null).fails(ENOTDIR);
  s.mount('none', 'm', WILD, 0, null).fails(EFAULT);
  s.mount('none', WILD, 'tmpfs', 0, null).fails(EFAULT);
  s.mount(WILD, 'm', 'tmpfs', 0, null).fails(EFAULT);
  s.mount('none', 'm', null, 0, null).fails(EINVAL);
  s.mount('none', 'm', 'tmpfs', 0, 'nonsense=1').fails(EINVAL);
  s.mount('none', 'm', 'tmpfs', MS_REMOUNT, null).fails(EINVAL); // not a mount point
  s.asUser();
  s.mount('none', 'm', 'tmpfs', 0, null).fails(EPERM);
});

syscallTest('errors of umount2', (s) => {
  s.mkdir('m');
  s.umount2('m', 0).fails(EINVAL);
  s.umount2('missing', 0).fails(ENOENT);
  s.umount2(WILD, 0).fails(EFAULT);
  s.umount2('m', 0x100).fails(EINVAL);
  s.mount('none', 'm', 'tmpfs', 0, null).returns(0);
  s.mkdir('m/inner');
  s.mount('none', 'm/inner', 'tmpfs', 0, null).returns(0);
  s.umount2('m', 0).fails(EBUSY);
  s.symlink('m/inner', 'l');
  s.umount2('l', UMOUNT_NOFOLLOW).fails(EINVAL);
  s.umount2('l', 0).returns(0);
  s.umount2('m', MNT_EXPIRE).fails(EAGAIN);
  s.umount2('m', MNT_EXPIRE).returns(0);
  s.asUser();
  s.umount2('m', 0).fails(EPERM);
});

syscallTest('MS_RDONLY and remount', (s) => {
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', 0, null).returns(0);
  s.file('m/f', 'x');
  const fd = s.open('m/f', O_RDWR);
  s.mount('none', 'm', null, MS_REMOUNT | MS_RDONLY, null).fails(EBUSY); // open for writing
  s.close(fd);
  s.mount('none', 'm', null, MS_REMOUNT | MS_RDONLY, null).returns(0);
  s.openat(AT_FDCWD, 'm/f', O_RDWR, 0).fails(EROFS);
  s.openat(AT_FDCWD, 'm/g', RW, 0o600).fails(EROFS);
  s.open('m/f', O_RDONLY);
  s.mkdirat(AT_FDCWD, 'm/d', 0o755).fails(EROFS);
  s.unlinkat(AT_FDCWD, 'm/f', 0).fails(EROFS);
  s.fchmodat(AT_FDCWD, 'm/f', 0).fails(EROFS);
  s.truncate('m/f', 0).fails(EROFS);
  s.faccessat(AT_FDCWD, 'm/f', W_OK).fails(EROFS);
  s.renameat(AT_FDCWD, 'm/f', AT_FDCWD, 'm/g').fails(EROFS);
  s.utimensat(AT_FDCWD, 'm/f', null, 0).fails(EROFS);
  s.mount('none', 'm', null, MS_REMOUNT, null).returns(0);
  s.file('m/g');
  s.umount2('m', MNT_DETACH).returns(0);
});

syscallTest('bind mounts', (s) => {
  s.mkdir('a');
  s.mkdir('b');
  s.file('a/f', 'shared');
  s.mount('a', 'b', null, MS_BIND, null).returns(0);
  s.reads(s.open('b/f', O_RDONLY), 'shared', 10);
  s.file('b/g');
  s.open('a/g', O_RDONLY);
  s.mount('none', 'b', null, MS_BIND | MS_REMOUNT | MS_RDONLY, null).returns(0);
  s.openat(AT_FDCWD, 'b/h', RW, 0o600).fails(EROFS);
  s.file('a/h');
  s.umount2('b', MNT_DETACH).returns(0);
  s.file('target');
  s.mount('a/f', 'target', null, MS_BIND, null).returns(0);
  s.reads(s.open('target', O_RDONLY), 'shared', 10);
  s.umount2('target', MNT_DETACH).returns(0);
});

syscallTest('MS_MOVE', (s) => {
  s.mkdir('a');
  s.mkdir('b');
  s.mount('none', 'a', 'tmpfs', 0, null).returns(0);
  s.mount('none', 'a', null, MS_PRIVATE, null).returns(0);
  s.file('a/f');
  s.mount('a', 'b', null, MS_MOVE, null).returns(0);
  s.open('b/f', O_RDONLY);
  s.openat(AT_FDCWD, 'a/f', O_RDONLY, 0).fails(ENOENT);
  s.umount2('b', MNT_DETACH).returns(0);
});

syscallTest('MS_NODEV, MS_NOEXEC, MS_NOSUID', (s) => {
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', MS_NODEV | MS_NOEXEC, null).returns(0);
  s.mknodat(AT_FDCWD, 'm/null', S_IFCHR | 0o666, 0x103).returns(0);
  s.openat(AT_FDCWD, 'm/null', O_RDWR, 0).fails(EACCES);
  s.file('m/x', '#!/executor\n', 0o755);
  s.call('execve', 'm/x', null, null).fails(EACCES);
  s.umount2('m', 0).returns(0);
});

syscallTest('options of tmpfs: mode, uid, size', (s) => {
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', 0, `mode=750,uid=5,gid=6,size=${4 * PAGE}`).returns(0);
  const st = s.stat();
  s.newfstatat(AT_FDCWD, 'm', st, 0).returns(0);
  st.has({ mode: S_IFDIR | 0o750, uid: 5, gid: 6 });
  const fd = s.open('m/f', RW, 0o600);
  s.call('write', fd, new Uint8Array(5 * PAGE), 5 * PAGE).returns(4 * PAGE);
  s.call('write', fd, 'x', 1).fails(ENOSPC);
  const fs = s.struct(statfsLayout, 120).ignoreFields('fsid', 'files', 'ffree', 'flags').ignore(88);
  s.fstatfs(fd, fs).returns(0);
  fs.has({ type: TMPFS_MAGIC, bsize: PAGE, blocks: 4, bfree: 0, bavail: 0, namelen: 255, frsize: PAGE });
  s.ftruncate(fd, PAGE).returns(0);
  s.fstatfs(fd, fs).returns(0);
  fs.has({ bfree: 3 });
  s.umount2('m', MNT_DETACH).returns(0);
});

syscallTest('nr_inodes of tmpfs', (s) => {
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', 0, 'nr_inodes=3').returns(0);
  s.file('m/a');
  s.file('m/b');
  s.openat(AT_FDCWD, 'm/c', RW, 0o600).fails(ENOSPC);
  s.unlinkat(AT_FDCWD, 'm/a', 0).returns(0);
  s.file('m/c');
  s.umount2('m', 0).returns(0);
});

syscallTest('statfs and fstatfs', (s) => {
  const fs = s
    .struct(statfsLayout, 120)
    .ignoreFields('blocks', 'bfree', 'bavail', 'files', 'ffree', 'fsid', 'flags')
    .ignore(88);
  s.statfs('.', fs).returns(0);
  fs.has({ type: TMPFS_MAGIC, bsize: PAGE, namelen: 255 });
  s.statfs('/proc', fs).returns(0);
  fs.has({ type: PROC_SUPER_MAGIC, blocks: 0 });
  s.fstatfs(s.pipe().r, fs).returns(0);
  fs.has({ type: PIPEFS_MAGIC });
  s.statfs('missing', fs).fails(ENOENT);
  s.statfs(WILD, fs).fails(EFAULT);
  s.statfs('.', WILD).fails(EFAULT);
  s.fstatfs(99, fs).fails(EBADF);
});

syscallTest('ST_RDONLY and its kin show in statfs', (s) => {
  s.mkdir('m');
  s.mount('none', 'm', 'tmpfs', MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, null).returns(0);
  const fs = s.struct(statfsLayout, 120).ignoreFields('blocks', 'bfree', 'bavail', 'files', 'ffree', 'fsid').ignore(88);
  s.statfs('m', fs).returns(0);
  fs.has({ flags: (f) => (f & 0xf) === (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC) });
  s.umount2('m', 0).returns(0);
});

syscallTest('proc and devtmpfs-like files can be mounted anywhere', (s) => {
  s.mkdir('p');
  s.mount('none', 'p', 'proc', 0, null).returns(0);
  const b = s.buffer(32).ignore();
  const me = s.getpid().pid();
  s.readlinkat(AT_FDCWD, 'p/self', b, 32).succeeds();
  s.check('self is this process', (v) => {
    const text = v.bytes(b.address, 32).toString('latin1');
    return text.startsWith(`${v.value(me)}`) || text;
  });
  s.umount2('p', 0).returns(0);
});

syscallTest('/proc/self/mounts lists mounts in order', (s) => {
  s.mkdir('m');
  s.mount('source name', 'm', 'tmpfs', MS_NOSUID, null).returns(0);
  const b = s.buffer(8192).ignore();
  const n = s.call('read', s.open('/proc/self/mounts', O_RDONLY), b, 8192).succeeds();
  s.check('the line', (v) => {
    const text = v.bytes(b.address, v.value(n)).toString();
    return (
      new RegExp(`^source\\\\040name /tmp/t${s.script.number}/m tmpfs rw,nosuid,relatime\\b.* 0 0$`, 'm').test(text) ||
      text
    );
  });
  s.umount2('m', 0).returns(0);
});

syscallTest('a mount belongs to its namespace: children see it', (s) => {
  s.mkdir('m');
  const child = s.fork((c) => {
    c.mount('none', 'm', 'tmpfs', 0, null).returns(0);
    c.file('m/made by child');
  });
  s.wait(child).exited(0);
  s.open('m/made by child', O_RDONLY);
  s.umount2('m', MNT_DETACH).returns(0);
});
