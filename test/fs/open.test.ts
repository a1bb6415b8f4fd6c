import {
  AT_FDCWD,
  O_CREAT,
  O_DIRECTORY as DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW as NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE as TMPFILE,
  O_TRUNC,
  O_WRONLY,
  AT_EMPTY_PATH,
} from '../../src/abi/flags/open.js';
import { S_IFCHR, S_IFIFO, S_IFSOCK } from '../../src/abi/flags/stat.js';
import { loginCredentials } from '../../sched/credentials.js';
import { OpenFile } from '../../fs/file.js';
import { link, mkdir, mknod, symlink, unlink } from '../../fs/namespace-ops.js';
import { mount } from '../../fs/mount-ops.js';
import { pathOf } from '../../fs/paths.js';
import { setExe } from '../../fs/references.js';
import { resolve } from '../../fs/walk.js';
import { close, open, outcome, readBytes, readFile, testKernel, writeBytes, writeFile } from './fake.js';

const O_DIRECTORY = DIRECTORY.x86_64;
const O_NOFOLLOW = NOFOLLOW.x86_64;
const O_TMPFILE = TMPFILE.x86_64;

function fixture() {
  const { kernel, task, clock, frames } = testKernel();
  mkdir(task, AT_FDCWD, '/d', 0o755);
  writeFile(task, '/f', 'content');
  symlink(task, 'f', AT_FDCWD, '/link');
  symlink(task, 'made', AT_FDCWD, '/dangling');
  symlink(task, 'd', AT_FDCWD, '/dirlink');
  const attempt = (path: string, flags: number, mode = 0o644): string => {
    const file = outcome(() => open(task, path, flags, mode));
    if (typeof file === 'string') return file;
    close(file);
    return 'ok';
  };
  return { kernel, task, clock, frames, attempt };
}

describe('open', () => {
  test.each<[string, number, string]>([
    ['/f', O_RDONLY, 'ok'],
    ['/missing', O_RDONLY, 'ENOENT'],
    ['/missing', O_RDWR | O_CREAT, 'ok'],
    ['/f', O_CREAT | O_EXCL, 'EEXIST'],
    ['/dangling', O_CREAT | O_RDWR, 'ok'],
    ['/dangling', O_CREAT | O_EXCL | O_RDWR, 'EEXIST'],
    ['/dangling', O_CREAT | O_NOFOLLOW | O_RDWR, 'ELOOP'],
    ['/dangling', O_RDONLY, 'ENOENT'],
    ['/link', O_NOFOLLOW, 'ELOOP'],
    ['/link', O_NOFOLLOW | O_PATH, 'ok'],
    ['/d', O_RDONLY, 'ok'],
    ['/d', O_RDWR, 'EISDIR'],
    ['/d', O_WRONLY, 'EISDIR'],
    ['/d', O_TRUNC, 'EISDIR'],
    ['/d', O_CREAT, 'EISDIR'],
    ['/d/', O_CREAT, 'EISDIR'],
    ['/d/.', O_CREAT, 'EISDIR'],
    ['/d/..', O_CREAT | O_EXCL, 'EEXIST'],
    ['/', O_CREAT, 'EISDIR'],
    ['/new/', O_CREAT | O_RDWR, 'EISDIR'],
    ['/d', O_DIRECTORY, 'ok'],
    ['/f', O_DIRECTORY, 'ENOTDIR'],
    ['/link', O_DIRECTORY, 'ENOTDIR'],
    ['/dirlink', O_DIRECTORY, 'ok'],
    ['/dirlink', O_DIRECTORY | O_NOFOLLOW, 'ENOTDIR'],
    ['/f', O_DIRECTORY | O_CREAT, 'EINVAL'],
    ['/f/', O_RDONLY, 'ENOTDIR'],
    ['/f/x', O_CREAT | O_RDWR, 'ENOTDIR'],
    ['/missing/x', O_CREAT | O_RDWR, 'ENOENT'],
    ['/d', O_TMPFILE | O_RDWR, 'ok'],
    ['/d', O_TMPFILE, 'EINVAL'],
    ['/f', O_TMPFILE | O_RDWR, 'ENOTDIR'],
    ['', O_CREAT, 'ENOENT'],
  ])('%j with 0%o is %s', (path, flags, expected) => {
    expect(fixture().attempt(path, flags)).toBe(expected);
  });

  test('O_CREAT through a dangling link makes the target', () => {
    const { task } = fixture();
    writeFile(task, '/dangling', 'x');
    expect(readFile(task, '/made')).toBe('x');
  });

  test('O_TRUNC truncates, needs write permission, and does nothing to a file it made', () => {
    const { task, attempt } = fixture();
    task.creds = loginCredentials(1000, 1000);
    expect(attempt('/f', O_RDONLY | O_TRUNC)).toBe('EACCES');
    task.creds = loginCredentials(0, 0);
    expect(attempt('/f', O_RDONLY | O_TRUNC)).toBe('ok');
    expect(readFile(task, '/f')).toBe('');
    // Created without write permission for anybody: still open for writing.
    task.creds = loginCredentials(1000, 1000);
    mkdirWorld(task);
    const file = open(task, '/w/new', O_RDWR | O_CREAT | O_TRUNC, 0o400);
    expect(writeBytes(task, file, 'abc')).toBe(3);
    close(file);
    expect(outcome(() => open(task, '/w/new', O_RDWR))).toBe('EACCES');
  });
  function mkdirWorld(task: ReturnType<typeof fixture>['task']): void {
    const { creds } = task;
    task.creds = loginCredentials(0, 0);
    task.fs.umask = 0;
    mkdir(task, AT_FDCWD, '/w', 0o777);
    task.creds = creds;
    task.fs.umask = 0o022;
  }

  test('mode is masked by umask', () => {
    const { task } = fixture();
    task.fs.umask = 0o027;
    close(open(task, '/m', O_CREAT | O_RDWR, 0o7777));
    expect(resolve(task, AT_FDCWD, '/m', 0).dentry.inode!.mode).toBe(0o107750);
  });

  test('O_NOATIME for owners only, and it keeps the access time', () => {
    const { task, clock, attempt } = fixture();
    const inode = resolve(task, AT_FDCWD, '/f', 0).dentry.inode!;
    clock.seconds += 10;
    const quiet = open(task, '/f', O_RDONLY | O_NOATIME);
    readBytes(task, quiet, 5);
    expect(inode.atimeSec).toBe(clock.seconds - 10);
    close(quiet);
    readFile(task, '/f');
    expect(inode.atimeSec).toBe(clock.seconds);
    clock.seconds += 10; // relatime: newer than mtime and ctime already
    readFile(task, '/f');
    expect(inode.atimeSec).toBe(clock.seconds - 10);
    task.creds = loginCredentials(1000, 1000);
    expect(attempt('/f', O_NOATIME)).toBe('EPERM');
  });

  test('programs that run cannot be written, and the other way round', () => {
    const { task, attempt } = fixture();
    setExe(task.group, resolve(task, AT_FDCWD, '/f', 0));
    expect(attempt('/f', O_WRONLY)).toBe('ETXTBSY');
    expect(attempt('/f', O_RDONLY)).toBe('ok');
    setExe(task.group, null);
    expect(attempt('/f', O_WRONLY)).toBe('ok');
    const file = open(task, '/f', O_WRONLY);
    expect(file.inode.writers).toBe(1);
    close(file);
    expect(file.inode.writers).toBe(0);
  });

  test('read-only mounts', () => {
    const { task, attempt } = fixture();
    mount(task, null, '/', null, 32 /* MS_REMOUNT */ | 1, '');
    expect(attempt('/f', O_RDONLY)).toBe('ok');
    expect(attempt('/f', O_WRONLY)).toBe('EROFS');
    expect(attempt('/f', O_TRUNC)).toBe('EROFS');
    expect(attempt('/f', O_CREAT | O_RDONLY)).toBe('ok');
    expect(attempt('/new', O_CREAT)).toBe('EROFS');
    expect(attempt('/f', O_CREAT | O_EXCL)).toBe('EEXIST');
    expect(attempt('/d', O_TMPFILE | O_RDWR)).toBe('EROFS');
  });

  test('special files go to their drivers', () => {
    const { kernel, task, attempt } = fixture();
    mknod(task, AT_FDCWD, '/null', S_IFCHR | 0o666, 1, 3);
    mknod(task, AT_FDCWD, '/fifo', S_IFIFO | 0o666, 0, 0);
    mknod(task, AT_FDCWD, '/sock', S_IFSOCK | 0o666, 0, 0);
    expect(attempt('/null', O_RDWR)).toBe('ENXIO');
    expect(attempt('/sock', O_RDWR)).toBe('ENXIO');
    expect(attempt('/sock', O_PATH)).toBe('ok');
    class Device extends OpenFile {}
    kernel.vfs.registerDevice('c', 1, [3, 5], (inode, flags) => new Device(inode, null, flags));
    const file = open(task, '/null', O_RDWR | O_TRUNC);
    expect(file).toBeInstanceOf(Device);
    expect(pathOf(kernel.vfs, file.place!, task.fs.root)).toBe('/null');
    close(file);
    kernel.vfs.fifoOpen = (inode, flags) => new Device(inode, null, flags);
    expect(attempt('/fifo', O_RDWR)).toBe('ok');
    mount(task, null, '/', null, 32 | 4, '');
    expect(attempt('/null', O_RDWR)).toBe('EACCES');
  });

  test('unlinked while open: content stays until the last close', () => {
    const { task, frames, kernel } = fixture();
    const used = frames.usedBytes;
    const file = open(task, '/f', O_RDWR);
    unlink(task, AT_FDCWD, '/f');
    expect(readBytes(task, file, 7).toString()).toBe('content');
    expect(pathOf(kernel.vfs, file.place!, task.fs.root)).toBe('/f (deleted)');
    expect(frames.usedBytes).toBe(used);
    close(file);
    expect(frames.usedBytes).toBe(used - 4096);
  });

  test('O_TMPFILE can be linked, unless O_EXCL', () => {
    const { task, frames } = fixture();
    const used = frames.usedBytes;
    const file = open(task, '/d', O_TMPFILE | O_RDWR, 0o600);
    expect(file.inode.nlink).toBe(0);
    writeBytes(task, file, 'secret');
    const fd = task.files.install(file, false, 10);
    link(task, fd, '', AT_FDCWD, '/named', AT_EMPTY_PATH);
    expect(readFile(task, '/named')).toBe('secret');
    task.files.close(fd, task);
    close(file);
    const other = open(task, '/d', O_TMPFILE | O_RDWR | O_EXCL, 0o600);
    writeBytes(task, other, 'secret');
    const otherFd = task.files.install(other, false, 10);
    expect(outcome(() => link(task, otherFd, '', AT_FDCWD, '/x', AT_EMPTY_PATH))).toBe('ENOENT');
    task.files.close(otherFd, task);
    close(other);
    expect(frames.usedBytes).toBe(used + 4096);
  });

  test('O_PATH does not open: no permission on the file, no I/O', () => {
    const { task } = fixture();
    task.creds = loginCredentials(1000, 1000);
    const file = open(task, '/f', O_PATH | O_RDWR | O_TRUNC);
    expect(outcome(() => readBytes(task, file, 1))).toBe('EBADF');
    expect(file.inode.writers).toBe(0);
    expect(file.flags).toBe(O_PATH);
    close(file);
    expect(readFile(task, '/f')).toBe('content');
  });
});
