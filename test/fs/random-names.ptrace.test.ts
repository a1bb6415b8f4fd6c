/**
 * Random sequences of calls on a small tree, on the host and inside: every result and every stat
 * must be the same. Seeds are fixed; LEVITATE_TEST_SEEDS=from-to runs others.
 */
import { fill } from './random.js';
import { syscallTest, type S } from '../support/index.js';
import * as K from '../support/constants.js';

const [first, last] = (process.env['LEVITATE_TEST_SEEDS'] ?? '1-12').split('-').map(Number);
const OPERATIONS = 120;
const O_PATHLIKE = [0, 0, K.O_PATH, K.O_NOFOLLOW, K.O_DIRECTORY, K.O_PATH | K.O_NOFOLLOW];

class Random {
  private state: number;
  constructor(seed: number) {
    this.state = fill(seed);
  }
  below(n: number): number {
    this.state = fill(this.state);
    return this.state % n;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  some(flags: readonly number[]): number {
    return flags.reduce((sum, flag) => (this.below(3) === 0 ? sum | flag : sum), 0);
  }
}

const NAMES = ['a', 'b', 'c', 'f', 'l', 'm'];

function path(random: Random): string {
  let text = random.below(12) === 0 ? '/tmp/' : '';
  const parts = 1 + random.below(3);
  for (let i = 0; i < parts; i++) {
    const dots = random.below(14);
    text += (i > 0 ? '/' : '') + (dots === 0 ? '..' : dots === 1 ? '.' : random.of(NAMES));
  }
  if (random.below(8) === 0) text += random.of(['/', '//', '/.', '/..']);
  return random.below(60) === 0 ? '' : text;
}

const AT = K.AT_FDCWD;
const LOOK = [K.AT_SYMLINK_NOFOLLOW, K.AT_EMPTY_PATH];

type Action = (s: S, random: Random, name: () => string) => void;
/** Left out for ordinary users: the host may have fs.protected_hardlinks. */
const linkAction: Action = (s, r, p) => void s.linkat(AT, p(), AT, p(), r.some([K.AT_SYMLINK_FOLLOW]));
const ACTIONS: readonly (readonly [weight: number, run: Action])[] = [
  [6, (s, r, p) => void s.mkdirat(AT, p(), r.of([0o755, 0o700, 0o777, 0o2775, 0o1777]))],
  [4, (s, r, p) => openAndUse(s, r, p())],
  [4, (s, r, p) => void s.symlinkat(r.of([...NAMES, 'a/b', '../c', '/tmp', './f', 'l', 'b/', '..']), AT, p())],
  [4, linkAction],
  [3, (s, _r, p) => void s.unlinkat(AT, p(), 0)],
  [2, (s, _r, p) => void s.unlinkat(AT, p(), K.AT_REMOVEDIR)],
  [8, (s, r, p) => void s.renameat2(AT, p(), AT, p(), r.of([0, 0, 0, K.RENAME_NOREPLACE, K.RENAME_EXCHANGE, 3]))],
  [
    2,
    (s, r, p) => void s.mknodat(AT, p(), r.of([K.S_IFREG | 0o644, K.S_IFIFO | 0o600, K.S_IFCHR | 0o600, 0o600]), 0x103),
  ],
  [4, (s, r, p) => void s.newfstatat(AT, p(), s.stat(), r.some(LOOK))],
  [3, (s, _r, p) => void s.readlinkat(AT, p(), s.buffer(64), 64)],
  [2, (s, r, p) => void s.fchmodat(AT, p(), r.of([0o644, 0o600, 0o4755, 0o2755, 0o777, 0]))],
  [2, (s, r, p) => void s.fchownat(AT, p(), r.of([-1, 0, 1000]), r.of([-1, 0, 1000, 50]), r.some(LOOK))],
  [2, (s, r, p) => void s.faccessat2(AT, p(), r.below(8), r.some([...LOOK, K.AT_EACCESS]))],
  [1, (s, r, p) => void s.truncate(p(), r.of([0, 10, 5000, -1]))],
  [1, (s, _r, p) => void s.utimensat(AT, p(), s.pack('u64', 5, 'u64', 6, 'u64', 7, 'u64', K.UTIME_OMIT), 0)],
  [1, (s, _r, p) => void s.utimensat(AT, p(), null, 0)],
  [2, (s, _r, p) => void s.chdir(p())],
  [2, (s) => void s.getcwd(s.buffer(256), 256)],
  [1, (s, r) => void s.umask(r.of([0, 0o022, 0o077]))],
];
const WHEEL = ACTIONS.flatMap(([weight, run]) => Array.from({ length: weight }, () => run));

/** Opens with random flags, writes a little, looks at the file and closes it; nothing blocks. */
function openAndUse(s: S, random: Random, name: string): void {
  const flags =
    random.of([K.O_RDONLY, K.O_WRONLY, K.O_RDWR]) |
    random.some([K.O_CREAT, K.O_CREAT, K.O_EXCL, K.O_TRUNC, K.O_APPEND]) |
    random.of(O_PATHLIKE);
  // A number of its own, so that the calls after a failed open are the same on both sides.
  const fd = s.openat(AT, name, flags | K.O_NONBLOCK | K.O_NOATIME, random.of([0o644, 0o600, 0o4777]));
  s.fstat(fd, s.stat());
  s.fcntl(fd, K.F_GETFL, 0);
  s.pwrite64(fd, s.bytes('some text'), 9, random.of([0, 3, 5000]));
  s.fchmod(fd, 0o640);
  s.ftruncate(fd, random.of([0, 4, 100]));
  s.close_range(9, 100, 0);
  s.call('close', fd);
}

for (let seed = first; seed <= last; seed++) {
  syscallTest(`seed ${seed}`, (s) => {
    const random = new Random(seed);
    const name = (): string => path(random);
    for (const dir of ['a', 'a/b', 'c']) s.mkdir(dir);
    s.file('f', 'content');
    s.symlink('f', 'l');
    s.symlink('a/b', 'm');
    if (seed % 3 === 0) {
      // An ordinary user in directories of others.
      s.fchmodat(AT, 'a/b', 0o1777).returns(0);
      s.fchmodat(AT, 'c', 0o2777).returns(0);
      s.file('a/b/f', 'of root', 0o600);
      s.fchmodat(AT, '.', 0o777).returns(0);
      s.asUser();
    }
    const wheel = seed % 3 === 0 ? WHEEL.filter((action) => action !== linkAction) : WHEEL;
    for (let i = 0; i < OPERATIONS; i++) random.of(wheel)(s, random, name);
    for (const each of ['.', 'a', 'a/b', 'c', 'f', 'l', 'm']) s.newfstatat(AT, each, s.stat(), K.AT_SYMLINK_NOFOLLOW);
  });
}
