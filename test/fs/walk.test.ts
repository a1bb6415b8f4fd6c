import { AT_FDCWD } from '../../src/abi/flags/open.js';
import { link, mkdir, rmdir, symlink, unlink } from '../../fs/namespace-ops.js';
import { fullPath, pathOf, reachablePath } from '../../fs/paths.js';
import {
  LOOKUP_BENEATH,
  LOOKUP_DIRECTORY,
  LOOKUP_EMPTY,
  LOOKUP_FOLLOW,
  LOOKUP_IN_ROOT,
  LOOKUP_NO_SYMLINKS,
  LOOKUP_NO_XDEV,
  resolve,
} from '../../fs/walk.js';
import { chdir, chroot } from '../../fs/working-directory.js';
import { mount } from '../../fs/mount-ops.js';
import { loginCredentials } from '../../sched/credentials.js';
import { close, open, outcome, testKernel, writeFile, readFile } from './fake.js';

function fixture() {
  const { kernel, task } = testKernel();
  for (const dir of ['/a', '/a/b', '/a/b/c', '/other']) mkdir(task, AT_FDCWD, dir, 0o755);
  writeFile(task, '/a/file', 'content');
  symlink(task, 'b/c', AT_FDCWD, '/a/rel');
  symlink(task, '/a/b', AT_FDCWD, '/a/abs');
  symlink(task, 'file', AT_FDCWD, '/a/tofile');
  symlink(task, 'nowhere', AT_FDCWD, '/a/dangling');
  symlink(task, 'loop2', AT_FDCWD, '/loop1');
  symlink(task, 'loop1', AT_FDCWD, '/loop2');
  symlink(task, '/', AT_FDCWD, '/toroot');
  symlink(task, 'a/', AT_FDCWD, '/slashed');
  const at = (path: string, flags = LOOKUP_FOLLOW, dirfd: number = AT_FDCWD) =>
    outcome(() => fullPath(resolve(task, dirfd, path, flags)));
  return { kernel, task, at };
}

describe('path walk', () => {
  test.each([
    ['/', '/'],
    ['//', '/'],
    ['/a', '/a'],
    ['/a/', '/a'],
    ['//a//b///c', '/a/b/c'],
    ['/a/./b/.', '/a/b'],
    ['/a/b/../b/..', '/a'],
    ['/../../a', '/a'],
    ['..', '/'],
    ['.', '/'],
    ['/a/file', '/a/file'],
    ['/a/file/', 'ENOTDIR'],
    ['/a/file/.', 'ENOTDIR'],
    ['/a/file/..', 'ENOTDIR'],
    ['/a/missing', 'ENOENT'],
    ['/a/missing/', 'ENOENT'],
    ['/a/missing/x', 'ENOENT'],
    ['', 'ENOENT'],
    ['/a/rel', '/a/b/c'],
    ['/a/rel/..', '/a/b'],
    ['/a/abs/c', '/a/b/c'],
    ['/a/tofile', '/a/file'],
    ['/a/tofile/', 'ENOTDIR'],
    ['/a/tofile/x', 'ENOTDIR'],
    ['/a/dangling', 'ENOENT'],
    ['/loop1', 'ELOOP'],
    ['/loop1/x', 'ELOOP'],
    ['/toroot', '/'],
    ['/toroot/toroot/a', '/a'],
    ['/toroot/', '/'],
    ['/slashed', '/a'],
    ['/slashed/b', '/a/b'],
    [`/${'n'.repeat(255)}`, 'ENOENT'],
    [`/${'n'.repeat(256)}`, 'ENAMETOOLONG'],
  ])('%s is %s', (path, expected) => {
    expect(fixture().at(path)).toBe(expected);
  });

  test.each([
    ['/a/rel', '/a/rel'],
    ['/a/dangling', '/a/dangling'],
    ['/a/rel/', '/a/b/c'],
    ['/a/abs/c', '/a/b/c'],
    ['/loop1', '/loop1'],
  ])('without following, %s is %s', (path, expected) => {
    expect(fixture().at(path, 0)).toBe(expected);
  });

  test('LOOKUP_DIRECTORY', () => {
    const { at } = fixture();
    expect(at('/a/file', LOOKUP_DIRECTORY)).toBe('ENOTDIR');
    expect(at('/a/tofile', LOOKUP_DIRECTORY)).toBe('ENOTDIR');
    expect(at('/a/rel', LOOKUP_DIRECTORY)).toBe('ENOTDIR');
    expect(at('/a/rel', LOOKUP_DIRECTORY | LOOKUP_FOLLOW)).toBe('/a/b/c');
  });

  test('40 links pass, 41 do not', () => {
    const { task, at } = fixture();
    let target = '/a';
    for (let i = 1; i <= 41; i++) {
      symlink(task, target, AT_FDCWD, `/chain${i}`);
      target = `chain${i}`;
    }
    expect(at('/chain40')).toBe('/a');
    expect(at('/chain41')).toBe('ELOOP');
  });

  test('descriptors as start', () => {
    const { task, at } = fixture();
    const dir = open(task, '/a');
    const file = open(task, '/a/file');
    const fd = task.files.install(dir, false, 100);
    const fileFd = task.files.install(file, false, 100);
    expect(at('b', 0, fd)).toBe('/a/b');
    expect(at('/other', 0, fd)).toBe('/other');
    expect(at('b', 0, fileFd)).toBe('ENOTDIR');
    expect(at('b', 0, 77)).toBe('EBADF');
    expect(at('/other', 0, 77)).toBe('/other');
    expect(at('', 0, fileFd)).toBe('ENOENT');
    expect(at('', LOOKUP_EMPTY, fileFd)).toBe('/a/file');
    expect(at('', LOOKUP_EMPTY)).toBe('/');
    close(dir);
    close(file);
  });

  test('search permission on every directory, also for . and ..', () => {
    const { task, at } = fixture();
    mkdir(task, AT_FDCWD, '/closed', 0o700);
    mkdir(task, AT_FDCWD, '/closed/in', 0o755);
    chdir(task, '/closed/in');
    task.creds = loginCredentials(1000, 1000);
    expect(at('/closed')).toBe('/closed');
    expect(at('/closed/in')).toBe('EACCES');
    expect(at('/closed/.')).toBe('EACCES');
    expect(at('/closed/..')).toBe('EACCES');
    expect(at('.')).toBe('/closed/in');
    expect(at('..')).toBe('/closed');
    expect(at('../in')).toBe('EACCES');
  });

  test('RESOLVE_ restrictions', () => {
    const { task, at } = fixture();
    const fd = task.files.install(open(task, '/a'), false, 100);
    expect(at('b/..', LOOKUP_BENEATH, fd)).toBe('/a');
    expect(at('..', LOOKUP_BENEATH, fd)).toBe('EXDEV');
    expect(at('/a', LOOKUP_BENEATH, fd)).toBe('EXDEV');
    expect(at('abs', LOOKUP_BENEATH | LOOKUP_FOLLOW, fd)).toBe('EXDEV');
    expect(at('rel', LOOKUP_BENEATH | LOOKUP_FOLLOW, fd)).toBe('/a/b/c');
    expect(at('/../file', LOOKUP_IN_ROOT, fd)).toBe('/a/file');
    symlink(task, '/b', AT_FDCWD, '/a/inroot');
    expect(at('inroot', LOOKUP_IN_ROOT | LOOKUP_FOLLOW, fd)).toBe('/a/b');
    expect(at('/a/rel', LOOKUP_NO_SYMLINKS | LOOKUP_FOLLOW)).toBe('ELOOP');
    expect(at('/a/rel', LOOKUP_NO_SYMLINKS)).toBe('/a/rel');
    expect(at('/a/abs/c', LOOKUP_NO_SYMLINKS)).toBe('ELOOP');
    mount(task, 'none', '/other', 'tmpfs', 0, '');
    expect(at('/other', LOOKUP_NO_XDEV)).toBe('EXDEV');
    expect(at('/a', LOOKUP_NO_XDEV)).toBe('/a');
  });

  test('negative names appear and disappear', () => {
    const { task, at } = fixture();
    expect(at('/new')).toBe('ENOENT');
    writeFile(task, '/new', '');
    expect(at('/new')).toBe('/new');
    unlink(task, AT_FDCWD, '/new');
    expect(at('/new')).toBe('ENOENT');
    link(task, AT_FDCWD, '/a/file', AT_FDCWD, '/new', 0);
    expect(readFile(task, '/new')).toBe('content');
  });
});

describe('paths of places', () => {
  test('chroot, deleted and unreachable', () => {
    const { kernel, task } = fixture();
    const place = resolve(task, AT_FDCWD, '/a/b/c', 0);
    expect(pathOf(kernel.vfs, place, task.fs.root)).toBe('/a/b/c');
    expect(pathOf(kernel.vfs, place, resolve(task, AT_FDCWD, '/a', 0))).toBe('/b/c');
    const outside = resolve(task, AT_FDCWD, '/other', 0);
    expect(reachablePath(place, outside)).toBe('(unreachable)/a/b/c');
    chdir(task, '/a/b/c');
    rmdir(task, AT_FDCWD, '/a/b/c');
    expect(pathOf(kernel.vfs, task.fs.cwd, task.fs.root)).toBe('/a/b/c (deleted)');
    expect(outcome(() => fullPath(resolve(task, AT_FDCWD, '..', 0)))).toBe('/a/b');
    expect(outcome(() => writeFile(task, 'x', ''))).toBe('ENOENT');
    expect(outcome(() => mkdir(task, AT_FDCWD, 'x', 0o755))).toBe('ENOENT');
  });

  test('.. stops at the root of a chroot', () => {
    const { task, at } = fixture();
    chroot(task, '/a');
    chdir(task, '/b/c');
    expect(at('../../../../../..')).toBe('/a');
    expect(at('/')).toBe('/a');
    expect(at('/abs')).toBe('ENOENT');
  });

  test('through mounts both ways', () => {
    const { task, at } = fixture();
    writeFile(task, '/other/below', '');
    mount(task, 'none', '/other', 'tmpfs', 0, '');
    expect(at('/other/below')).toBe('ENOENT');
    mkdir(task, AT_FDCWD, '/other/sub', 0o755);
    expect(at('/other/sub/../..')).toBe('/');
    expect(at('/other/..')).toBe('/');
    expect(at('/other/sub')).toBe('/other/sub');
    mount(task, 'none', '/other', 'tmpfs', 0, '');
    expect(at('/other/sub')).toBe('ENOENT');
    expect(at('/other/..')).toBe('/');
  });
});
