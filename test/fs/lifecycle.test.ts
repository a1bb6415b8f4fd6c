/** What tasks share, and that nothing is left when they end; archives as root filesystems. */
import { CLONE_FILES, CLONE_FS } from '../../src/abi/flags/process.js';
import { AT_FDCWD, O_RDONLY, O_RDWR } from '../../src/abi/flags/open.js';
import type { ArchiveEntry } from '../../fs/archive/types.js';
import { fsHooks } from '../../fs/lifecycle.js';
import { fillTmpfs } from '../../fs/load-archive.js';
import { mkdir, unlink } from '../../fs/namespace-ops.js';
import { fullPath } from '../../fs/paths.js';
import { setExe } from '../../fs/references.js';
import type { TmpfsSuperBlock } from '../../fs/tmpfs/superblock.js';
import { resolve } from '../../fs/walk.js';
import { chdir } from '../../fs/working-directory.js';
import { close, open, outcome, readFile, testKernel, testTask, writeFile } from './fake.js';

describe('clone, exec, exit', () => {
  function fixture() {
    const { kernel, task, frames } = testKernel();
    const hooks = fsHooks(kernel);
    mkdir(task, AT_FDCWD, '/d', 0o755);
    writeFile(task, '/f', 'content');
    const child = (flags: number) => {
      const made = testTask(kernel);
      made.fs.drop();
      hooks.clone!(task, made, flags);
      return made;
    };
    return { kernel, task, frames, hooks, child };
  }

  test('fork copies, CLONE_FILES and CLONE_FS share', () => {
    const { task, child } = fixture();
    const copy = child(0);
    const shared = child(CLONE_FILES | CLONE_FS);
    const fd = task.files.install(open(task, '/f'), false, 10);
    chdir(task, '/d');
    expect(fullPath(copy.fs.cwd)).toBe('/');
    expect(fullPath(shared.fs.cwd)).toBe('/d');
    expect(copy.files.find(fd)).toBeUndefined();
    expect(shared.files.find(fd)).toBe(task.files.find(fd));
  });

  test('the last one out closes the files and frees what was unlinked', () => {
    const { task, frames, hooks, child } = fixture();
    const file = open(task, '/f', O_RDWR);
    task.files.install(file, false, 10);
    close(file);
    const copy = child(0);
    unlink(task, AT_FDCWD, '/f');
    hooks.exit!(task);
    expect(file.references).toBe(1);
    expect(frames.usedBytes).toBe(4096);
    hooks.exit!(copy);
    expect(file.references).toBe(0);
    expect(frames.usedBytes).toBe(0);
    expect(task.kernel.vfs.namespace.root.users).toBe(0);
  });

  test('exec closes what is marked, in a table of its own', () => {
    const { task, hooks, child } = fixture();
    const keep = task.files.install(open(task, '/f'), false, 10);
    const drop = task.files.install(open(task, '/f'), true, 10);
    const shared = child(CLONE_FILES);
    hooks.exec!(task);
    expect(task.files.find(drop)).toBeUndefined();
    expect(task.files.find(keep)).toBeDefined();
    expect(shared.files.find(drop)).toBeDefined();
  });

  test('the program of a process is held until its group ends', () => {
    const { task, hooks, child } = fixture();
    setExe(task.group, resolve(task, AT_FDCWD, '/f', 0));
    const copy = child(0);
    hooks.groupExit!(task.group);
    expect(outcome(() => open(copy, '/f', O_RDWR))).toBe('ETXTBSY');
    hooks.groupExit!(copy.group);
    close(open(copy, '/f', O_RDWR));
  });
});

describe('archives', () => {
  const text = (content: string) => ({
    size: content.length,
    read(dst: Uint8Array, at: number, from: number, length: number) {
      const part = Buffer.from(content).subarray(from, from + length);
      dst.set(part, at);
      return part.length;
    },
  });
  const entry = (path: string, type: ArchiveEntry['type'], more: Partial<ArchiveEntry> = {}): ArchiveEntry => ({
    path,
    type,
    mode: type === 'dir' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    mtimeSec: 1000,
    mtimeNsec: 5,
    size: more.data?.size ?? 0,
    ...more,
  });
  function load(entries: ArchiveEntry[]) {
    const { task } = testKernel();
    const result = fillTmpfs(task.kernel.vfs.namespace.root.sb as TmpfsSuperBlock, entries);
    const inode = (path: string) => resolve(task, AT_FDCWD, path, 0).dentry.inode!;
    return { task, result, inode };
  }

  test('every kind of entry', () => {
    const { task, inode, result } = load([
      entry('', 'dir', { mode: 0o1777, uid: 3 }),
      entry('bin', 'dir'),
      entry('bin/sh', 'file', { mode: 0o4755, data: text('#!'), xattrs: new Map([['user.x', Buffer.from('1')]]) }),
      entry('bin/ash', 'hardlink', { link: 'bin/sh' }),
      entry('bin/link', 'symlink', { link: 'sh' }),
      entry('null', 'char', { rdevMajor: 1, rdevMinor: 3 }),
      entry('pipe', 'fifo'),
    ]);
    expect(result).toMatchObject({ loaded: 7, problems: [] });
    expect(readFile(task, '/bin/ash')).toBe('#!');
    expect(readFile(task, '/bin/link')).toBe('#!');
    expect(inode('/bin/sh')).toMatchObject({ nlink: 2, mode: 0o104755, mtimeSec: 1000, mtimeNsec: 5 });
    expect(inode('/')).toMatchObject({ mode: 0o041777, uid: 3, nlink: 3 });
    expect(inode('/null')).toMatchObject({ rdevMajor: 1, rdevMinor: 3, mode: 0o020644 });
    expect(inode('/bin/sh').getxattr!('user.x')!.toString()).toBe('1');
  });

  test('hostile order and names', () => {
    const { task, inode, result } = load([
      entry('deep/er/file', 'file', { data: text('x') }),
      entry('deep', 'dir', { mode: 0o700 }),
      entry('twice', 'file', { data: text('first') }),
      entry('twice', 'file', { data: text('second') }),
      entry('broken', 'hardlink', { link: 'missing' }),
      entry('dirlink', 'hardlink', { link: 'deep' }),
      entry('twice/below', 'file'),
      entry('deep', 'file', { data: text('no') }),
      entry('../up', 'file'),
      entry('a/./b', 'file'),
      entry('nul\0', 'file'),
      entry(`long/${'x'.repeat(256)}`, 'file'),
      entry('empty', 'symlink', { link: '' }),
      entry('twice', 'hardlink', { link: 'twice' }),
    ]);
    expect(readFile(task, '/twice')).toBe('second');
    expect(inode('/deep').mode).toBe(0o040700);
    expect(inode('/deep').nlink).toBe(3);
    expect(result.loaded).toBe(5);
    expect(result.problems).toHaveLength(9);
    close(open(task, '/deep/er/file', O_RDONLY));
  });
});
