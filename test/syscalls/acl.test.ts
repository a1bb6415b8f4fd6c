/** POSIX access control lists on tmpfs: what they change in modes, who they let in, what new files get of them. */
import {
  AT_FDCWD,
  EACCES,
  EINVAL,
  ENODATA,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  XATTR_CREATE,
  XATTR_REPLACE,
  type S,
  syscallTest,
} from '../support/index.js';

const ACCESS = 'system.posix_acl_access';
const DEFAULT = 'system.posix_acl_default';
const NONE = 0xffff_ffff;
const TAGS = { u: 1, U: 2, g: 4, G: 8, m: 16, o: 32 } as const;

/** A list in short: `u:7 U1000:5 g:5 G50:4 m:7 o:0` (owner, named user, group, named group, mask, others). */
function acl(text: string, version = 2): Uint8Array {
  const entries = text.split(' ').filter(Boolean);
  const view = new DataView(new ArrayBuffer(4 + entries.length * 8));
  view.setUint32(0, version, true);
  entries.forEach((entry, index) => {
    const [, tag, id, perm] = /^(\w)(\d*):(\d+)$/.exec(entry)!;
    view.setUint16(4 + index * 8, TAGS[tag as keyof typeof TAGS] ?? 64, true);
    view.setUint16(6 + index * 8, Number(perm), true);
    view.setUint32(8 + index * 8, id === '' ? NONE : Number(id), true);
  });
  return new Uint8Array(view.buffer);
}
function set(s: S, path: string, name: string, text: string): ReturnType<S['setxattr']> {
  const bytes = acl(text);
  return s.setxattr(path, name, bytes, bytes.length, 0);
}
function has(s: S, path: string, name: string, text: string): void {
  const bytes = acl(text);
  const b = s.buffer(bytes.length);
  s.getxattr(path, name, b, bytes.length).returns(bytes.length);
  b.is(bytes);
}
function hasMode(s: S, path: string, mode: number): void {
  const st = s.stat();
  s.newfstatat(AT_FDCWD, path, st, 0).returns(0);
  st.has({ mode });
}
const FILE = 0o100000;
const DIR = 0o040000;

syscallTest('none: ENODATA, of links and pipes EOPNOTSUPP', (s) => {
  s.file('f');
  s.symlink('f', 'l');
  s.getxattr('f', ACCESS, null, 0).fails(ENODATA);
  s.getxattr('f', DEFAULT, null, 0).fails(ENODATA);
  s.getxattr('.', DEFAULT, null, 0).fails(ENODATA);
  s.lgetxattr('l', ACCESS, null, 0).fails(EOPNOTSUPP);
  s.lsetxattr('l', ACCESS, acl('u:7 g:5 o:0'), 28, 0).fails(EOPNOTSUPP);
  s.getxattr('/proc/self/status', ACCESS, null, 0).fails(EOPNOTSUPP);
  const { r } = s.pipe();
  s.fgetxattr(r, ACCESS, null, 0).fails(EOPNOTSUPP);
  s.removexattr('f', ACCESS).returns(0);
  s.removexattr('f', DEFAULT).returns(0);
  s.removexattr('/proc/self/status', ACCESS).fails(EOPNOTSUPP);
});

syscallTest('setting one sets the mode', (s) => {
  s.file('f', '', 0o4640);
  set(s, 'f', ACCESS, 'u:6 U1000:7 g:1 m:5 o:2').returns(0);
  hasMode(s, 'f', FILE | 0o4652);
  has(s, 'f', ACCESS, 'u:6 U1000:7 g:1 m:5 o:2');
  s.getxattr('f', ACCESS, null, 0).returns(44);
  s.getxattr('f', ACCESS, s.buffer(43), 43).fails(ERANGE);
  s.listxattr('f', null, 0).returns(ACCESS.length + 1);
  // Only the mode again, which says it all: the list goes.
  set(s, 'f', ACCESS, 'u:7 g:5 o:4').returns(0);
  hasMode(s, 'f', FILE | 0o4754);
  s.getxattr('f', ACCESS, null, 0).fails(ENODATA);
  s.listxattr('f', null, 0).returns(0);
  // A mask alone is more than the mode says.
  set(s, 'f', ACCESS, 'u:7 g:5 m:1 o:4').returns(0);
  hasMode(s, 'f', FILE | 0o4714);
  s.removexattr('f', ACCESS).returns(0);
  hasMode(s, 'f', FILE | 0o4714);
  s.removexattr('f', ACCESS).returns(0);
});

syscallTest('by descriptor; an empty value and flags', (s) => {
  s.file('f', '', 0o600);
  const fd = s.open('f', O_RDONLY);
  const bytes = acl('u:6 U1:7 g:1 m:5 o:2');
  s.fsetxattr(fd, ACCESS, bytes, 44, XATTR_REPLACE).returns(0);
  s.fsetxattr(fd, ACCESS, bytes, 44, XATTR_CREATE).returns(0);
  s.fgetxattr(fd, ACCESS, null, 0).returns(44);
  s.fsetxattr(fd, ACCESS, null, 0, 0).returns(0);
  s.fgetxattr(fd, ACCESS, null, 0).fails(ENODATA);
  s.fsetxattr(fd, ACCESS, bytes, 44, 0).returns(0);
  s.fsetxattr(fd, ACCESS, bytes, 4, 0).returns(0); // a header without entries
  s.fgetxattr(fd, ACCESS, null, 0).fails(ENODATA);
  hasMode(s, 'f', FILE | 0o652);
});

syscallTest('values that are no lists', (s) => {
  s.file('f');
  for (const text of [
    'u:7',
    'u:7 g:7',
    'g:7 u:7 o:7',
    'u:7 g:7 o:7 o:7',
    'u:7 u:7 g:7 o:7',
    'u:7 U5:7 g:7 o:7', // no mask
    'u:7 g:7 G5:7 o:7',
    'u:7 g:7 U5:7 m:7 o:7',
    'u:7 g:7 m:7 G5:7 o:7',
    'u:8 g:7 o:7',
    'u:7 U:7 g:7 m:7 o:7', // nobody's id
    'u:7 x:7 g:7 m:7 o:7',
  ])
    set(s, 'f', ACCESS, text).fails(EINVAL);
  s.setxattr('f', ACCESS, acl('u:7 g:7 o:7', 1), 28, 0).fails(EOPNOTSUPP);
  s.setxattr('f', ACCESS, acl('u:7 g:7 o:7'), 27, 0).fails(EINVAL);
  s.setxattr('f', ACCESS, acl('u:7 g:7 o:7'), 3, 0).fails(EINVAL);
  set(s, 'f', DEFAULT, 'u:7 g:7 o:7').fails(EACCES);
  s.setxattr('f', DEFAULT, null, 0, 0).returns(0);
  set(s, '.', DEFAULT, 'u:7 g:7').fails(EINVAL);
  // Users need no order, and may be named twice.
  set(s, 'f', ACCESS, 'u:7 U9:7 U5:1 U5:2 g:7 G9:1 G2:2 m:7 o:7').returns(0);
  has(s, 'f', ACCESS, 'u:7 U9:7 U5:1 U5:2 g:7 G9:1 G2:2 m:7 o:7');
});

syscallTest('chmod changes the mask, or the group without one', (s) => {
  s.file('f', '', 0o600);
  set(s, 'f', ACCESS, 'u:6 U1000:7 g:1 m:5 o:2').returns(0);
  s.chmod('f', 0o2731).returns(0);
  has(s, 'f', ACCESS, 'u:7 U1000:7 g:1 m:3 o:1');
  hasMode(s, 'f', FILE | 0o2731);
  s.chown('f', 5, 6).returns(0);
  has(s, 'f', ACCESS, 'u:7 U1000:7 g:1 m:3 o:1');
});

syscallTest('who may', (s) => {
  s.umask(0);
  s.file('f', 'x', 0o666);
  s.file('own', 'x', 0o2666);
  s.file('theirs', 'x', 0o2666);
  s.chown('own', 1000, 1000).returns(0);
  s.chmod('own', 0o2666).returns(0);
  s.chown('theirs', 1000, 7).returns(0);
  s.chmod('theirs', 0o2666).returns(0);
  s.asUser();
  set(s, 'f', ACCESS, 'u:6 g:6 o:6').fails(EPERM);
  s.removexattr('f', ACCESS).fails(EPERM);
  s.getxattr('f', ACCESS, null, 0).fails(ENODATA);
  set(s, 'own', ACCESS, 'u:0 U5:6 g:6 m:6 o:6').returns(0);
  s.getxattr('own', ACCESS, null, 0).returns(44); // reading it takes no permission
  hasMode(s, 'own', FILE | 0o2066);
  // Set-group-id goes where the group is not one's own.
  set(s, 'theirs', ACCESS, 'u:6 U5:6 g:6 m:6 o:6').returns(0);
  hasMode(s, 'theirs', FILE | 0o666);
});

/** What user 1000 (group 1000, and 50) may do with a file of root's that has this list: r, w and x as a number. */
const GRANTS: readonly (readonly [string, number, string?])[] = [
  ['u:7 U1000:6 g:0 m:7 o:0', 6],
  ['u:7 U1000:6 g:0 m:4 o:0', 4],
  ['u:7 U1000:0 g:7 m:7 o:7', 0],
  ['u:7 U1001:7 g:7 m:7 o:1', 1],
  ['u:7 U1001:0 g:7 G50:5 m:7 o:0', 5],
  ['u:7 g:7 G50:5 m:6 o:7', 4],
  ['u:7 g:7 G50:4 G1000:2 m:7 o:7', 6, 'no entry grants both'],
  ['u:7 g:7 G51:7 m:7 o:3', 3],
  // An empty mask: the list is not even looked at.
  ['u:7 U1000:7 g:0 m:0 o:5', 5],
  ['u:7 g:0 m:1 o:6', 6],
];
for (const [text, granted, apart] of GRANTS)
  syscallTest(`access by ${text}`, (s) => {
    s.chmod('.', 0o755).returns(0);
    s.file('f', 'x', 0o755);
    set(s, 'f', ACCESS, text).returns(0);
    s.call('setgroups', 1, s.pack('u32', 50)).returns(0);
    s.call('setresgid', 1000, 1000, 1000).returns(0);
    s.call('setresuid', 1000, 1000, 1000).returns(0);
    for (const bit of [4, 2, 1])
      if ((granted & bit) !== 0) s.faccessat(AT_FDCWD, 'f', bit).returns(0);
      else s.faccessat(AT_FDCWD, 'f', bit).fails(EACCES);
    if (granted === 6 && apart === undefined) s.openat(AT_FDCWD, 'f', O_RDWR, 0).fd();
    else s.openat(AT_FDCWD, 'f', O_RDWR, 0).fails(EACCES);
    if ((granted & 2) !== 0) s.openat(AT_FDCWD, 'f', O_WRONLY, 0).fd();
  });

syscallTest('the owner and his mode; the group of the file', (s) => {
  s.chmod('.', 0o755).returns(0);
  s.file('own', 'x', 0o600);
  s.file('group', 'x', 0o600);
  s.chown('own', 1000, 0).returns(0);
  s.chown('group', 0, 1000).returns(0);
  set(s, 'own', ACCESS, 'u:4 U1000:7 g:7 m:7 o:7').returns(0);
  set(s, 'group', ACCESS, 'u:7 g:6 m:3 o:7').returns(0);
  s.asUser();
  s.faccessat(AT_FDCWD, 'own', 2).fails(EACCES);
  s.faccessat(AT_FDCWD, 'own', 4).returns(0);
  s.faccessat(AT_FDCWD, 'group', 2).returns(0);
  s.faccessat(AT_FDCWD, 'group', 4).fails(EACCES);
  s.faccessat(AT_FDCWD, 'group', 1).fails(EACCES);
});

syscallTest('search of directories', (s) => {
  s.chmod('.', 0o755).returns(0);
  s.mkdir('open', 0o700);
  s.mkdir('shut', 0o777);
  s.file('open/f');
  s.file('shut/f');
  set(s, 'open', ACCESS, 'u:7 U1000:1 g:0 m:1 o:0').returns(0);
  set(s, 'shut', ACCESS, 'u:7 U1000:6 g:7 m:7 o:7').returns(0);
  hasMode(s, 'shut', DIR | 0o777);
  s.asUser();
  s.faccessat(AT_FDCWD, 'open/f', 0).returns(0);
  s.faccessat(AT_FDCWD, 'shut/f', 0).fails(EACCES);
  s.openat(AT_FDCWD, 'open', O_RDONLY, 0).fails(EACCES);
  s.openat(AT_FDCWD, 'shut', O_RDONLY, 0).fd();
  s.mkdir('open/d', 0o700).fails(EACCES);
});

syscallTest('a default list goes to what is made in its directory', (s) => {
  s.umask(0o077);
  s.mkdir('d', 0o755);
  set(s, 'd', DEFAULT, 'u:7 U1000:7 g:5 m:7 o:4').returns(0);
  s.getxattr('d', ACCESS, null, 0).fails(ENODATA);
  s.listxattr('d', null, 0).returns(DEFAULT.length + 1);
  hasMode(s, 'd', DIR | 0o700);
  s.openat(AT_FDCWD, 'd/f', O_CREAT | O_RDWR, 0o666).fd();
  hasMode(s, 'd/f', FILE | 0o664);
  has(s, 'd/f', ACCESS, 'u:6 U1000:7 g:5 m:6 o:4');
  s.getxattr('d/f', DEFAULT, null, 0).fails(ENODATA);
  s.mkdir('d/sub', 0o751).returns(0);
  hasMode(s, 'd/sub', DIR | 0o750);
  has(s, 'd/sub', ACCESS, 'u:7 U1000:7 g:5 m:5 o:0');
  has(s, 'd/sub', DEFAULT, 'u:7 U1000:7 g:5 m:7 o:4');
  s.listxattr('d/sub', null, 0).returns(ACCESS.length + DEFAULT.length + 2);
  s.call('mknodat', AT_FDCWD, 'd/fifo', 0o010666, 0).returns(0);
  hasMode(s, 'd/fifo', 0o010664);
  has(s, 'd/fifo', ACCESS, 'u:6 U1000:7 g:5 m:6 o:4');
  s.call('mknodat', AT_FDCWD, 'd/reg', 0o100640, 0).returns(0);
  hasMode(s, 'd/reg', FILE | 0o640);
  s.symlink('f', 'd/l');
  s.llistxattr('d/l', null, 0).returns(0);
  const tmp = s.openat(AT_FDCWD, 'd', O_TMPFILE | O_RDWR, 0o606).fd();
  s.fgetxattr(tmp, ACCESS, null, 0).returns(44);
  const st = s.stat();
  s.fstat(tmp, st).returns(0);
  st.has({ mode: FILE | 0o604 });
  s.removexattr('d', DEFAULT).returns(0);
  s.openat(AT_FDCWD, 'd/g', O_CREAT | O_RDWR, 0o666).fd();
  hasMode(s, 'd/g', FILE | 0o600);
});

syscallTest('a default list that says no more than a mode', (s) => {
  s.umask(0o027);
  s.mkdir('d', 0o755);
  set(s, 'd', DEFAULT, 'u:7 g:6 o:5').returns(0);
  s.openat(AT_FDCWD, 'd/f', O_CREAT | O_RDWR, 0o666).fd();
  hasMode(s, 'd/f', FILE | 0o664);
  s.getxattr('d/f', ACCESS, null, 0).fails(ENODATA);
  s.mkdir('d/sub', 0o777).returns(0);
  hasMode(s, 'd/sub', DIR | 0o765);
  has(s, 'd/sub', DEFAULT, 'u:7 g:6 o:5');
});
