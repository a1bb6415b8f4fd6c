import {
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from '../../src/abi/flags/open.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFREG } from '../../src/abi/flags/stat.js';
import { loginCredentials } from '../../sched/credentials.js';
import type { Task } from '../../sched/task.js';
import type { DirectoryFile } from '../../fs/directory-file.js';
import { link, mkdir, mknod, rmdir, symlink, unlink } from '../../fs/namespace-ops.js';
import { mount } from '../../fs/mount-ops.js';
import { fullPath } from '../../fs/paths.js';
import { rename } from '../../fs/rename.js';
import { resolve } from '../../fs/walk.js';
import { close, open, outcome, readFile, testKernel, writeFile } from './fake.js';

const call = (work: () => void): string => (outcome(work) as string | undefined) ?? 'ok';

function fixture() {
  const { kernel, task, clock } = testKernel();
  mkdir(task, AT_FDCWD, '/d', 0o755);
  mkdir(task, AT_FDCWD, '/d/sub', 0o755);
  writeFile(task, '/f', 'content');
  symlink(task, 'f', AT_FDCWD, '/link');
  symlink(task, 'nowhere', AT_FDCWD, '/dangling');
  const inode = (path: string) => resolve(task, AT_FDCWD, path, 0).dentry.inode!;
  return { kernel, task, clock, inode };
}

describe('errors of making and removing names', () => {
  test.each<[string, (task: Task) => void, string]>([
    ['mkdir of a link', (task) => mkdir(task, AT_FDCWD, '/dangling', 0o755), 'EEXIST'],
    ['mkdir with slashes', (task) => mkdir(task, AT_FDCWD, '/n//', 0o755), 'ok'],
    ['mkdir of the root', (task) => mkdir(task, AT_FDCWD, '/', 0o755), 'EEXIST'],
    ['mkdir of .', (task) => mkdir(task, AT_FDCWD, '/d/.', 0o755), 'EEXIST'],
    ['mkdir below a file', (task) => mkdir(task, AT_FDCWD, '/f/x', 0o755), 'ENOTDIR'],
    ['mknod with a slash', (task) => mknod(task, AT_FDCWD, '/n/', S_IFREG | 0o644, 0, 0), 'ENOENT'],
    ['mknod of a directory', (task) => mknod(task, AT_FDCWD, '/n', S_IFDIR, 0, 0), 'EPERM'],
    ['mknod of a bad type', (task) => mknod(task, AT_FDCWD, '/n', 0o150000, 0, 0), 'EINVAL'],
    ['symlink to nothing', (task) => symlink(task, '', AT_FDCWD, '/n'), 'ENOENT'],
    ['symlink over a name', (task) => symlink(task, 'x', AT_FDCWD, '/f'), 'EEXIST'],
    ['link of a directory', (task) => link(task, AT_FDCWD, '/d', AT_FDCWD, '/n', 0), 'EPERM'],
    ['link over a name', (task) => link(task, AT_FDCWD, '/f', AT_FDCWD, '/d', 0), 'EEXIST'],
    ['link of nothing', (task) => link(task, AT_FDCWD, '/no', AT_FDCWD, '/n', 0), 'ENOENT'],
    ['unlink of a directory', (task) => unlink(task, AT_FDCWD, '/d'), 'EISDIR'],
    ['unlink of the root', (task) => unlink(task, AT_FDCWD, '/'), 'EISDIR'],
    ['unlink of .', (task) => unlink(task, AT_FDCWD, '/d/.'), 'EISDIR'],
    ['unlink with a slash', (task) => unlink(task, AT_FDCWD, '/f/'), 'ENOTDIR'],
    ['unlink of a directory with a slash', (task) => unlink(task, AT_FDCWD, '/d/'), 'EISDIR'],
    ['unlink of nothing with a slash', (task) => unlink(task, AT_FDCWD, '/no/'), 'ENOENT'],
    ['unlink of a link', (task) => unlink(task, AT_FDCWD, '/link'), 'ok'],
    ['rmdir of a file', (task) => rmdir(task, AT_FDCWD, '/f'), 'ENOTDIR'],
    ['rmdir of a full directory', (task) => rmdir(task, AT_FDCWD, '/d'), 'ENOTEMPTY'],
    ['rmdir of .', (task) => rmdir(task, AT_FDCWD, '/d/sub/.'), 'EINVAL'],
    ['rmdir of ..', (task) => rmdir(task, AT_FDCWD, '/d/sub/..'), 'ENOTEMPTY'],
    ['rmdir of the root', (task) => rmdir(task, AT_FDCWD, '/'), 'EBUSY'],
    ['rename of .', (task) => rename(task, AT_FDCWD, '/d/.', AT_FDCWD, '/n', 0), 'EBUSY'],
    ['rename to ..', (task) => rename(task, AT_FDCWD, '/f', AT_FDCWD, '/d/..', 0), 'EBUSY'],
    ['rename to /', (task) => rename(task, AT_FDCWD, '/f', AT_FDCWD, '/', RENAME_NOREPLACE), 'EEXIST'],
    ['rename into itself', (task) => rename(task, AT_FDCWD, '/d', AT_FDCWD, '/d/sub/x', 0), 'EINVAL'],
    ['rename onto an ancestor', (task) => rename(task, AT_FDCWD, '/d/sub', AT_FDCWD, '/d', 0), 'ENOTEMPTY'],
    ['rename of a file with a slash', (task) => rename(task, AT_FDCWD, '/f', AT_FDCWD, '/n/', 0), 'ENOTDIR'],
    ['rename of a directory with a slash', (task) => rename(task, AT_FDCWD, '/d/', AT_FDCWD, '/n/', 0), 'ok'],
    ['whiteout', (task) => rename(task, AT_FDCWD, '/f', AT_FDCWD, '/n', RENAME_WHITEOUT), 'ok'],
    [
      'noreplace and exchange',
      (task) => rename(task, AT_FDCWD, '/f', AT_FDCWD, '/n', RENAME_NOREPLACE | RENAME_EXCHANGE),
      'EINVAL',
    ],
  ])('%s', (_name, work, expected) => {
    const { task } = fixture();
    expect(call(() => work(task))).toBe(expected);
  });

  test('devices need CAP_MKNOD', () => {
    const { task } = fixture();
    mkdir(task, AT_FDCWD, '/open', 0o777);
    resolve(task, AT_FDCWD, '/open', 0).dentry.inode!.mode |= 0o777;
    task.creds = loginCredentials(1, 1);
    expect(call(() => mknod(task, AT_FDCWD, '/open/c', S_IFCHR, 1, 3))).toBe('EPERM');
    expect(call(() => mknod(task, AT_FDCWD, '/open/b', S_IFBLK, 1, 3))).toBe('EPERM');
    expect(call(() => mknod(task, AT_FDCWD, '/open/r', 0o644, 0, 0))).toBe('ok');
  });

  test('mount points and other mounts', () => {
    const { task } = fixture();
    mkdir(task, AT_FDCWD, '/m', 0o755);
    mount(task, 'none', '/m', 'tmpfs', 0, '');
    writeFile(task, '/m/x', '');
    expect(call(() => rmdir(task, AT_FDCWD, '/m'))).toBe('EBUSY');
    expect(call(() => rename(task, AT_FDCWD, '/m', AT_FDCWD, '/n', 0))).toBe('EBUSY');
    expect(call(() => rename(task, AT_FDCWD, '/d/sub', AT_FDCWD, '/m', 0))).toBe('EBUSY');
    expect(call(() => rename(task, AT_FDCWD, '/f', AT_FDCWD, '/m/f', 0))).toBe('EXDEV');
    expect(call(() => link(task, AT_FDCWD, '/f', AT_FDCWD, '/m/f', 0))).toBe('EXDEV');
  });

  test('a read-only mount: EEXIST goes before EROFS, ENOENT does not', () => {
    const { task } = fixture();
    mount(task, null, '/', null, 32 | 1, '');
    expect(call(() => mkdir(task, AT_FDCWD, '/d', 0o755))).toBe('EEXIST');
    expect(call(() => mkdir(task, AT_FDCWD, '/n', 0o755))).toBe('EROFS');
    expect(call(() => unlink(task, AT_FDCWD, '/no'))).toBe('EROFS');
    expect(call(() => rename(task, AT_FDCWD, '/no', AT_FDCWD, '/n', 0))).toBe('EROFS');
  });
});

describe('effects', () => {
  test('times of directories and inodes', () => {
    const { task, clock, inode } = fixture();
    const times = (path: string) => {
      const { ctimeSec, mtimeSec } = inode(path);
      return [ctimeSec - 1_700_000_000, mtimeSec - 1_700_000_000];
    };
    clock.seconds += 10;
    link(task, AT_FDCWD, '/f', AT_FDCWD, '/d/f', 0);
    expect([times('/f'), times('/d'), times('/')]).toEqual([
      [10, 0],
      [10, 10],
      [0, 0],
    ]);
    clock.seconds += 10;
    rename(task, AT_FDCWD, '/d/f', AT_FDCWD, '/g', 0);
    expect([times('/f'), times('/d'), times('/')]).toEqual([
      [20, 0],
      [20, 20],
      [20, 20],
    ]);
    clock.seconds += 10;
    unlink(task, AT_FDCWD, '/g');
    expect([times('/f'), times('/d'), times('/')]).toEqual([
      [30, 0],
      [20, 20],
      [30, 30],
    ]);
  });

  test('link: the link itself, or what it names', () => {
    const { task, inode } = fixture();
    link(task, AT_FDCWD, '/link', AT_FDCWD, '/l1', 0);
    link(task, AT_FDCWD, '/link', AT_FDCWD, '/l2', AT_SYMLINK_FOLLOW);
    expect(inode('/l1').isSymlink).toBe(true);
    expect(inode('/l1')).toBe(inode('/link'));
    expect(inode('/l2')).toBe(inode('/f'));
    expect(inode('/f').nlink).toBe(2);
  });

  test('names of open directories follow renames', () => {
    const { task } = fixture();
    const dir = open(task, '/d/sub', O_RDONLY);
    rename(task, AT_FDCWD, '/d', AT_FDCWD, '/e', 0);
    expect(fullPath(dir.place!)).toBe('/e/sub');
    mkdir(task, AT_FDCWD, '/g', 0o755);
    rename(task, AT_FDCWD, '/e/sub', AT_FDCWD, '/g', RENAME_EXCHANGE);
    expect(fullPath(dir.place!)).toBe('/g');
    close(dir);
  });

  test('exchange of a file and a directory moves link counts', () => {
    const { task, inode } = fixture();
    rename(task, AT_FDCWD, '/f', AT_FDCWD, '/d/sub', RENAME_EXCHANGE);
    expect(readFile(task, '/d/sub')).toBe('content');
    expect([inode('/').nlink, inode('/d').nlink]).toEqual([4, 2]);
  });
});

describe('reading directories', () => {
  const list = (task: Task, file: DirectoryFile, most = Infinity): string[] => {
    const found: string[] = [];
    file.iterate(task, (name) => found.length < most && found.push(name) > 0);
    return found;
  };

  test('newest first, in pieces, and again after a rewind', () => {
    const { task } = testKernel();
    for (const name of ['one', 'two', 'three']) writeFile(task, `/${name}`, '');
    const dir = open(task, '/') as DirectoryFile;
    expect(list(task, dir, 1)).toEqual(['.']);
    expect(list(task, dir, 2)).toEqual(['..', 'three']);
    expect(list(task, dir)).toEqual(['two', 'one']);
    expect(list(task, dir)).toEqual([]);
    dir.seek(task, 0, 0);
    expect(list(task, dir)).toEqual(['.', '..', 'three', 'two', 'one']);
    close(dir);
  });

  test('names that stay are seen exactly once while others come and go', () => {
    const { task } = testKernel();
    const stays = new Set<string>();
    for (let i = 0; i < 300; i++) {
      writeFile(task, `/n${i}`, '');
      if (i % 3 === 0) stays.add(`n${i}`);
    }
    const dir = open(task, '/') as DirectoryFile;
    const seen: string[] = [];
    let removed = 0;
    for (let piece = list(task, dir, 7); piece.length > 0; piece = list(task, dir, 7)) {
      seen.push(...piece);
      for (let i = 0; i < 5; i++, removed++) {
        if (removed % 3 !== 0 && removed < 300) unlink(task, AT_FDCWD, `/n${removed}`);
        writeFile(task, `/new${removed}`, '');
      }
    }
    close(dir);
    const names = seen.filter((name) => name.startsWith('n') && !name.startsWith('new'));
    expect(new Set(names).size).toBe(names.length);
    for (const name of stays) expect(names).toContain(name);
  });

  test('removing what was listed, as rm -r does, removes all', () => {
    const { task } = testKernel();
    for (let i = 0; i < 200; i++) writeFile(task, `/n${i}`, '');
    const dir = open(task, '/') as DirectoryFile;
    for (let piece = list(task, dir, 9); piece.length > 0; piece = list(task, dir, 9))
      for (const name of piece) if (!name.startsWith('.')) unlink(task, AT_FDCWD, `/${name}`);
    dir.seek(task, 0, 0);
    expect(list(task, dir)).toEqual(['.', '..']);
    close(dir);
  });

  test('a removed directory is ENOENT', () => {
    const { task } = fixture();
    const dir = open(task, '/d/sub') as DirectoryFile;
    rmdir(task, AT_FDCWD, '/d/sub');
    expect(outcome(() => list(task, dir))).toBe('ENOENT');
    close(dir);
  });
});

test('O_CREAT after a failed lookup uses the same name', () => {
  const { task } = testKernel();
  expect(outcome(() => open(task, '/x'))).toBe('ENOENT');
  close(open(task, '/x', O_CREAT | O_RDWR));
  expect(readFile(task, '/x')).toBe('');
});
