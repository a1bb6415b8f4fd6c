/** Extended attributes. */
import {
  E2BIG,
  EACCES,
  EBADF,
  EEXIST,
  EFAULT,
  EINVAL,
  ENODATA,
  ENOENT,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  O_RDONLY,
  WILD,
  XATTR_CREATE,
  XATTR_REPLACE,
  syscallTest,
} from '../support/index.js';

syscallTest('set, get, list, remove', (s) => {
  s.file('f');
  const b = s.buffer(32);
  s.setxattr('f', 'user.a', 'value', 5, 0).returns(0);
  s.getxattr('f', 'user.a', b, 32).returns(5);
  b.is('value').all(0xa5, 5);
  s.getxattr('f', 'user.a', null, 0).returns(5);
  s.getxattr('f', 'user.a', b, 4).fails(ERANGE);
  s.setxattr('f', 'user.a', 'other value', 11, 0).returns(0);
  s.getxattr('f', 'user.a', b, 32).returns(11);
  s.setxattr('f', 'user.empty', null, 0, 0).returns(0);
  s.getxattr('f', 'user.empty', b, 32).returns(0);
  s.listxattr('f', null, 0).returns(18);
  const list = s.buffer(18).ignore();
  s.listxattr('f', list, 18).returns(18);
  s.check('names', (v) => {
    const names = v.bytes(list.address, 18).toString().split('\0').filter(Boolean).sort().join();
    return names === 'user.a,user.empty' || names;
  });
  s.listxattr('f', list, 17).fails(ERANGE);
  s.removexattr('f', 'user.a').returns(0);
  s.removexattr('f', 'user.a').fails(ENODATA);
  s.getxattr('f', 'user.a', b, 32).fails(ENODATA);
});

syscallTest('XATTR_CREATE and XATTR_REPLACE', (s) => {
  s.file('f');
  s.setxattr('f', 'user.a', '1', 1, XATTR_REPLACE).fails(ENODATA);
  s.setxattr('f', 'user.a', '1', 1, XATTR_CREATE).returns(0);
  s.setxattr('f', 'user.a', '2', 1, XATTR_CREATE).fails(EEXIST);
  s.setxattr('f', 'user.a', '2', 1, XATTR_REPLACE).returns(0);
  s.setxattr('f', 'user.a', '2', 1, 8).fails(EINVAL);
});

syscallTest('names and errors', (s) => {
  s.file('f');
  s.setxattr('f', 'nonsense', 'x', 1, 0).fails(EOPNOTSUPP);
  s.setxattr('f', 'nonsense.x', 'x', 1, 0).fails(EOPNOTSUPP);
  s.setxattr('f', 'user.', 'x', 1, 0).fails(EINVAL);
  s.setxattr('f', '', 'x', 1, 0).fails(ERANGE);
  s.setxattr('f', `user.${'x'.repeat(251)}`, 'x', 1, 0).fails(ERANGE);
  s.setxattr('f', `user.${'x'.repeat(250)}`, 'x', 1, 0).returns(0);
  s.setxattr('f', 'user.big', s.buffer(65_537), 65_537, 0).fails(E2BIG);
  s.setxattr('missing', 'user.a', 'x', 1, 0).fails(ENOENT);
  s.setxattr('f', WILD, 'x', 1, 0).fails(EFAULT);
  s.setxattr('f', 'user.a', WILD, 1, 0).fails(EFAULT);
  s.setxattr(WILD, 'user.a', 'x', 1, 0).fails(EFAULT);
  s.getxattr('f', 'user.none', null, 0).fails(ENODATA);
  s.fgetxattr(99, 'user.a', null, 0).fails(EBADF);
  s.flistxattr(99, null, 0).fails(EBADF);
});

syscallTest('by descriptor, and of links', (s) => {
  s.file('f');
  s.symlink('f', 'l');
  const fd = s.open('f', O_RDONLY);
  s.fsetxattr(fd, 'user.a', 'x', 1, 0).returns(0);
  s.fgetxattr(fd, 'user.a', null, 0).returns(1);
  s.flistxattr(fd, null, 0).returns(7);
  s.getxattr('l', 'user.a', null, 0).returns(1);
  s.lsetxattr('l', 'user.a', 'x', 1, 0).fails(EPERM); // user attributes are for files and directories
  s.lgetxattr('l', 'user.a', null, 0).failsWith(ENODATA, EPERM);
  s.lsetxattr('l', 'trusted.a', 'xy', 2, 0).returns(0);
  s.lgetxattr('l', 'trusted.a', null, 0).returns(2);
  s.llistxattr('l', null, 0).returns(10);
  s.lremovexattr('l', 'trusted.a').returns(0);
  s.fremovexattr(fd, 'user.a').returns(0);
});

syscallTest('permissions', (s) => {
  s.umask(0);
  s.file('f', '', 0o644);
  s.setxattr('f', 'trusted.a', 'x', 1, 0).returns(0);
  s.setxattr('f', 'user.a', 'x', 1, 0).returns(0);
  s.asUser();
  s.setxattr('f', 'user.a', 'x', 1, 0).fails(EACCES);
  s.getxattr('f', 'user.a', null, 0).returns(1);
  s.setxattr('f', 'trusted.b', 'x', 1, 0).fails(EPERM);
  s.getxattr('f', 'trusted.a', null, 0).fails(ENODATA);
  s.listxattr('f', null, 0).returns(7); // trusted ones are not shown
});
