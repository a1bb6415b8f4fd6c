import {
  MNT_DETACH,
  MNT_EXPIRE,
  MS_BIND,
  MS_MOVE,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SHARED,
} from '../../src/abi/flags/mount.js';
import { AT_FDCWD, O_CREAT, O_RDWR } from '../../src/abi/flags/open.js';
import { loginCredentials } from '../../sched/credentials.js';
import type { Task } from '../../sched/task.js';
import { mkdir } from '../../fs/namespace-ops.js';
import { mount, pivotRoot, umount } from '../../fs/mount-ops.js';
import { mountinfoText, mountsText } from '../../fs/mount-table.js';
import { fullPath } from '../../fs/paths.js';
import { resolve } from '../../fs/walk.js';
import { chdir, chroot } from '../../fs/working-directory.js';
import { close, open, outcome, readFile, testKernel, testTask, writeBytes, writeFile } from './fake.js';

const call = (work: () => void): string => (outcome(work) as string | undefined) ?? 'ok';

function fixture() {
  const { kernel, task, frames } = testKernel();
  for (const dir of ['/a', '/b', '/b/sub', '/c']) mkdir(task, AT_FDCWD, dir, 0o755);
  writeFile(task, '/file', 'root');
  const tmpfs = (path: string, flags = 0, data = ''): void => mount(task, 'none', path, 'tmpfs', flags, data);
  const at = (path: string) => outcome(() => fullPath(resolve(task, AT_FDCWD, path, 1)));
  return { kernel, task, frames, tmpfs, at };
}
const tables = (task: Task): string => mountsText(task.fs.root);

describe('mount', () => {
  test('errors', () => {
    const { task, tmpfs } = fixture();
    expect(call(() => tmpfs('/none'))).toBe('ENOENT');
    expect(call(() => tmpfs('/file'))).toBe('ENOTDIR');
    expect(call(() => tmpfs('/a', 0, 'nonsense=1'))).toBe('EINVAL');
    expect(call(() => mount(task, 'x', '/a', 'nofs', 0, ''))).toBe('ENODEV');
    expect(call(() => mount(task, 'x', '/a', null, 0, ''))).toBe('EINVAL');
    expect(call(() => mount(task, null, '/a', null, MS_REMOUNT, ''))).toBe('EINVAL');
    expect(call(() => mount(task, null, '/a', null, MS_PRIVATE, ''))).toBe('EINVAL');
    expect(call(() => mount(task, null, '/', null, MS_PRIVATE | MS_REC, ''))).toBe('ok');
    expect(call(() => mount(task, null, '/', null, MS_PRIVATE | MS_SHARED, ''))).toBe('EINVAL');
    expect(call(() => mount(task, null, '/a', null, MS_BIND, ''))).toBe('EINVAL');
    task.creds = loginCredentials(1, 1);
    expect(call(() => tmpfs('/a'))).toBe('EPERM');
    expect(call(() => tmpfs('/none'))).toBe('ENOENT');
  });

  test('tables', () => {
    const { task, tmpfs } = fixture();
    mkdir(task, AT_FDCWD, '/a b', 0o755);
    tmpfs('/a b', MS_NOSUID | MS_RDONLY, 'size=1m,mode=700');
    expect(tables(task)).toBe(
      'rootfs / tmpfs rw,relatime 0 0\nnone /a\\040b tmpfs ro,nosuid,relatime,size=1024k,mode=700 0 0\n',
    );
    expect(mountinfoText(task.fs.root)).toBe(
      '1 1 0:20 / / rw,relatime - tmpfs rootfs rw\n' +
        '2 1 0:21 / /a\\040b ro,nosuid,relatime - tmpfs none ro,size=1024k,mode=700\n',
    );
  });

  test('a mounted tree is gone with its frames after umount', () => {
    const { task, tmpfs, frames } = fixture();
    const used = frames.usedBytes;
    tmpfs('/a');
    writeFile(task, '/a/x', 'content');
    expect(frames.usedBytes).toBeGreaterThan(used);
    umount(task, '/a', 0);
    expect(frames.usedBytes).toBe(used);
    expect(outcome(() => readFile(task, '/a/x'))).toBe('ENOENT');
    expect(call(() => umount(task, '/a', 0))).toBe('EINVAL');
  });

  test('EBUSY: open files, working directories, mounts below', () => {
    const { kernel, task, tmpfs } = fixture();
    tmpfs('/a');
    const file = open(task, '/a/x', O_RDWR | O_CREAT);
    expect(call(() => umount(task, '/a', 0))).toBe('EBUSY');
    close(file);
    const other = testTask(kernel);
    chdir(other, '/a');
    expect(call(() => umount(task, '/a', 0))).toBe('EBUSY');
    chdir(other, '/');
    mkdir(task, AT_FDCWD, '/a/deep', 0o755);
    tmpfs('/a/deep');
    expect(call(() => umount(task, '/a', 0))).toBe('EBUSY');
    umount(task, '/a/deep', 0);
    expect(call(() => umount(task, '/a', MNT_EXPIRE))).toBe('EAGAIN');
    expect(call(() => umount(task, '/a', MNT_EXPIRE))).toBe('ok');
  });

  test('MNT_DETACH: open files live on, the storage goes with the last', () => {
    const { task, tmpfs, frames, kernel } = fixture();
    const used = frames.usedBytes;
    tmpfs('/a');
    const file = open(task, '/a/x', O_RDWR | O_CREAT);
    writeBytes(task, file, 'content');
    umount(task, '/a', MNT_DETACH);
    expect(tables(task)).not.toContain('/a');
    expect(fullPath(file.place!)).toBe('/x');
    expect(frames.usedBytes).toBe(used + 4096);
    close(file);
    expect(frames.usedBytes).toBe(used);
    expect(kernel.vfs.namespace.mounts.size).toBe(1);
  });

  test('mounts on top of each other', () => {
    const { task, tmpfs } = fixture();
    tmpfs('/a');
    writeFile(task, '/a/first', '1');
    tmpfs('/a');
    writeFile(task, '/a/second', '2');
    expect(outcome(() => readFile(task, '/a/first'))).toBe('ENOENT');
    umount(task, '/a', 0);
    expect(readFile(task, '/a/first')).toBe('1');
  });
});

describe('bind, move, remount', () => {
  test('bind of directories and files', () => {
    const { task, at } = fixture();
    writeFile(task, '/b/sub/x', 'bound');
    mount(task, '/b/sub', '/a', null, MS_BIND, '');
    expect(readFile(task, '/a/x')).toBe('bound');
    expect(at('/a/..')).toBe('/');
    mount(task, '/file', '/b/sub/x', null, MS_BIND, '');
    expect(readFile(task, '/b/sub/x')).toBe('root');
    expect(readFile(task, '/a/x')).toBe('bound');
    expect(call(() => mount(task, '/file', '/c', null, MS_BIND, ''))).toBe('ENOTDIR');
    expect(mountinfoText(task.fs.root)).toContain(' /b/sub /a rw,relatime - ');
  });

  test('read-only bind: EROFS through it only', () => {
    const { task } = fixture();
    mount(task, '/b', '/a', null, MS_BIND, '');
    mount(task, null, '/a', null, MS_REMOUNT | MS_BIND | MS_RDONLY, '');
    expect(outcome(() => writeFile(task, '/a/x', ''))).toBe('EROFS');
    expect(outcome(() => writeFile(task, '/b/x', ''))).toBeUndefined();
  });

  test('recursive bind takes the mounts below along', () => {
    const { task, tmpfs } = fixture();
    tmpfs('/b/sub');
    writeFile(task, '/b/sub/x', 'deep');
    mount(task, '/b', '/a', null, MS_BIND, '');
    expect(outcome(() => readFile(task, '/a/sub/x'))).toBe('ENOENT');
    mount(task, '/b', '/c', null, MS_BIND | MS_REC, '');
    expect(readFile(task, '/c/sub/x')).toBe('deep');
    umount(task, '/c', MNT_DETACH);
    expect(readFile(task, '/b/sub/x')).toBe('deep');
  });

  test('move', () => {
    const { task, tmpfs } = fixture();
    tmpfs('/a');
    mkdir(task, AT_FDCWD, '/a/in', 0o755);
    expect(call(() => mount(task, '/a', '/a/in', null, MS_MOVE, ''))).toBe('ELOOP');
    expect(call(() => mount(task, '/b', '/c', null, MS_MOVE, ''))).toBe('EINVAL');
    mount(task, '/a', '/c', null, MS_MOVE, '');
    expect(tables(task)).toContain(' /c tmpfs');
    expect(call(() => umount(task, '/a', 0))).toBe('EINVAL');
  });

  test('remount read-only is EBUSY while something is open for writing', () => {
    const { task } = fixture();
    const file = open(task, '/file', O_RDWR);
    expect(call(() => mount(task, null, '/', null, MS_REMOUNT | MS_RDONLY, ''))).toBe('EBUSY');
    close(file);
    expect(call(() => mount(task, null, '/', null, MS_REMOUNT | MS_RDONLY, ''))).toBe('ok');
    expect(outcome(() => open(task, '/file', O_RDWR))).toBe('EROFS');
    expect(call(() => mount(task, null, '/', null, MS_REMOUNT, ''))).toBe('ok');
    expect(call(() => writeFile(task, '/file', 'x'))).toBe('ok');
  });
});

describe('roots', () => {
  test('a chrooted task sees its part of the table', () => {
    const { task, tmpfs } = fixture();
    tmpfs('/a');
    tmpfs('/b');
    mkdir(task, AT_FDCWD, '/b/in', 0o755);
    tmpfs('/b/in');
    chroot(task, '/b');
    expect(tables(task)).toBe('none / tmpfs rw,relatime 0 0\nnone /in tmpfs rw,relatime 0 0\n');
  });

  test('pivot_root', () => {
    const { kernel, task, tmpfs, at } = fixture();
    const other = testTask(kernel);
    tmpfs('/a');
    mkdir(task, AT_FDCWD, '/a/old', 0o755);
    expect(call(() => pivotRoot(task, '/a', '/b'))).toBe('EBUSY');
    expect(call(() => pivotRoot(task, '/b', '/b/sub'))).toBe('EBUSY');
    expect(call(() => pivotRoot(task, '/a', '/a/old'))).toBe('ok');
    expect(at('/old/file')).toBe('/old/file');
    expect(at('/file')).toBe('ENOENT');
    expect(other.fs.root).toEqual(task.fs.root);
    umount(task, '/old', MNT_DETACH);
    expect(tables(task)).toBe('none / tmpfs rw,relatime 0 0\n');
  });

  test('pivot_root . .', () => {
    const { task, tmpfs } = fixture();
    tmpfs('/a');
    writeFile(task, '/a/x', 'new');
    chdir(task, '/a');
    pivotRoot(task, '.', '.');
    umount(task, '.', MNT_DETACH);
    chdir(task, '/');
    expect(readFile(task, '/x')).toBe('new');
    expect(tables(task)).toBe('none / tmpfs rw,relatime 0 0\n');
  });
});
