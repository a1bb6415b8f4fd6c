/**
 * Directories: getdents(2), mkdir(2), rmdir(2), chdir(2), chroot(2), getcwd(2).
 */
import { ENAMETOOLONG, ENOENT, ENOTDIR, EINVAL, ERANGE, errno } from '../src/abi/errno.js';
import { AT_FDCWD } from '../src/abi/flags/open.js';
import { setU64 } from '../src/abi/layout.js';
import { LINUX_DIRENT, LINUX_DIRENT64 } from '../src/abi/layouts/stat.js';
import type { Task } from '../sched/task.js';
import { DirectoryFile } from '../fs/directory-file.js';
import { readPath } from '../fs/guest-path.js';
import { mkdir, rmdir } from '../fs/namespace-ops.js';
import { reachablePath } from '../fs/paths.js';
import { chdir, chroot, fchdir } from '../fs/working-directory.js';
import { absent, row, addr, buffer, dirfd, dynamic, fd, hex, mode, path, size, uint, type Row } from './row.js';

const NAME64 = LINUX_DIRENT64.offsets.d_name;
const NAME_OLD = LINUX_DIRENT.offsets.d_name;

/** Fills scratch with records and copies them out; EINVAL when not even one fits. */
function readEntries(task: Task, fd: number, dirp: number, count: number, old: boolean): number {
  const file = task.files.getIo(fd);
  if (!(file instanceof DirectoryFile)) throw errno(ENOTDIR);
  const { scratch, scratchView: view } = task.mm;
  const room = Math.min(count, scratch.length);
  const nameAt = old ? NAME_OLD : NAME64;
  const from = file.position;
  let used = 0;
  let full = false;
  file.iterate(task, (name, ino, type, next) => {
    // The old record keeps its type in its last byte.
    const length = (nameAt + name.length + (old ? 2 : 1) + 7) & ~7;
    full = used + length > room;
    if (full) return false;
    scratch.fill(0, used + nameAt, used + length);
    setU64(view, used, ino);
    setU64(view, used + 8, next);
    view.setUint16(used + 16, length, true);
    scratch[old ? used + length - 1 : used + 18] = type;
    for (let i = 0; i < name.length; i++) scratch[used + nameAt + i] = name.charCodeAt(i);
    used += length;
    return true;
  });
  if (used === 0) {
    if (full) throw errno(EINVAL);
    return 0;
  }
  try {
    task.mm.writeStruct(dirp, used);
  } catch (error) {
    file.position = from;
    throw error;
  }
  return used;
}

function mkdirat(task: Task, dirfd: number, pathname: number, mode: number): number {
  mkdir(task, dirfd, readPath(task, pathname), mode);
  return 0;
}

function chrootCall(task: Task, path: number): number {
  chroot(task, readPath(task, path));
  return 0;
}

const PATH_MAX = 4096;

function getcwd(task: Task, buf: number, size: number): number {
  const { cwd, root } = task.fs;
  if (cwd.dentry.unlinked) throw errno(ENOENT);
  const bytes = Buffer.from(`${reachablePath(cwd, root)}\0`, 'latin1');
  // The kernel builds the path in one page-sized buffer.
  if (bytes.length > PATH_MAX) throw errno(ENAMETOOLONG);
  if (size < bytes.length) throw errno(ERANGE);
  task.mm.copyOut(buf, bytes, 0, bytes.length);
  return bytes.length;
}

export const rows: readonly Row[] = [
  row(
    'getdents',
    { x86_64: 78 },
    [fd('fd'), dynamic('dirp', 'dirents'), uint('count')],
    {
      ret: 'size',
      classes: ['desc'],
    },
    (task, fd, dirp, count) => readEntries(task, fd, dirp, count, true),
  ),
  row(
    'getdents64',
    { x86_64: 217, aarch64: 61 },
    [fd('fd'), dynamic('dirp', 'dirents64'), uint('count')],
    {
      ret: 'size',
      classes: ['desc'],
    },
    (task, fd, dirp, count) => readEntries(task, fd, dirp, count, false),
  ),
  row(
    'mkdir',
    { x86_64: 83 },
    [path('pathname'), mode('mode')],
    { ret: 'zero', classes: ['file'] },
    (task, path, mode) => mkdirat(task, AT_FDCWD, path, mode),
  ),
  row(
    'mkdirat',
    { x86_64: 258, aarch64: 34 },
    [dirfd('dirfd'), path('pathname'), mode('mode')],
    {
      ret: 'zero',
      classes: ['desc', 'file'],
    },
    mkdirat,
  ),
  row('rmdir', { x86_64: 84 }, [path('pathname')], { ret: 'zero', classes: ['file'] }, (task, path) => {
    rmdir(task, AT_FDCWD, readPath(task, path));
    return 0;
  }),
  row('chdir', { x86_64: 80, aarch64: 49 }, [path('path')], { ret: 'zero', classes: ['file'] }, (task, path) => {
    chdir(task, readPath(task, path));
    return 0;
  }),
  row('fchdir', { x86_64: 81, aarch64: 50 }, [fd('fd')], { ret: 'zero', classes: ['desc'] }, (task, fd) => {
    fchdir(task, fd);
    return 0;
  }),
  row('chroot', { x86_64: 161, aarch64: 51 }, [path('path')], { ret: 'zero', classes: ['file'] }, chrootCall),
  row(
    'getcwd',
    { x86_64: 79, aarch64: 17 },
    [buffer('buf', 'out', 'ret'), size('size')],
    {
      ret: 'size',
      classes: ['file'],
    },
    getcwd,
  ),
  absent('lookup_dcookie', { x86_64: 212, aarch64: 18 }, [hex('cookie'), addr('buffer'), size('len')], {}),
];
