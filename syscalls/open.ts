/**
 * Opening, closing and creating files: open(2), openat2(2), close_range(2), memfd_create(2) and file handles.
 */
import { EAGAIN, EINVAL, EOPNOTSUPP, EPERM, ESTALE, errno } from '../src/abi/errno.js';
import { RLIMIT_NOFILE } from '../src/abi/flags/limits.js';
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_NOEXEC_SEAL } from '../src/abi/flags/memory.js';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  O_CLOEXEC,
  O_CREAT,
  O_PATH,
  O_TRUNC,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  __O_TMPFILE,
} from '../src/abi/flags/open.js';
import { getU64 } from '../src/abi/layout.js';
import { FILE_HANDLE, OPEN_HOW } from '../src/abi/layouts/stat.js';
import { capable } from '../sched/credentials.js';
import { CAP_DAC_READ_SEARCH } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK, block } from '../sched/wait.js';
import { dropFile } from '../fs/fd-table.js';
import type { OpenFile } from '../fs/file.js';
import { readPath } from '../fs/guest-path.js';
import { withoutLeases } from '../fs/leases.js';
import { createMemfd } from '../fs/memfd.js';
import { checkOpenFlags, discardFile, legacyOpenHow, openAt, pathFlags, validOpenFlags } from '../fs/open.js';
import {
  LOOKUP_BENEATH,
  LOOKUP_EMPTY,
  LOOKUP_FOLLOW,
  LOOKUP_IN_ROOT,
  LOOKUP_NO_MAGICLINKS,
  LOOKUP_NO_SYMLINKS,
  LOOKUP_NO_XDEV,
  resolve,
} from '../fs/walk.js';
import { close, closeRange } from './closing.js';
import { absent, row, dirfd, dynamic, fd, flags, mode, path, size, string, uint, word, type Row } from './row.js';

function openCall(task: Task, dirfd: number, pathname: number, flags: number, mode: number, lookup: number): number {
  checkOpenFlags(task.kernel.platform.arch, flags);
  const path = readPath(task, pathname);
  task.files.checkFree(task.group.limits[RLIMIT_NOFILE].soft);
  return withoutLeases(task, () =>
    installOpened(task, openAt(task, dirfd, path, flags, mode, lookup), (flags & O_CLOEXEC) !== 0),
  );
}

/** Gives a descriptor to an opened file; waits for the other end of a FIFO first. */
function installOpened(task: Task, file: OpenFile, cloexec: boolean): number {
  const install = (): number => task.files.install(file, cloexec, task.group.limits[RLIMIT_NOFILE].soft);
  if (file.openPending?.() !== true) {
    try {
      return install();
    } catch (error) {
      discardFile(file);
      throw error;
    }
  }
  file.references++; // while waiting
  const attempt = (): number => {
    if (file.openPending!()) return WOULD_BLOCK;
    try {
      return install();
    } finally {
      dropFile(file);
    }
  };
  return block(task, attempt, [file.queue!], { onInterrupt: () => dropFile(file) });
}

function openLegacy(task: Task, dirfd: number, pathname: number, flags: number, mode: number): number {
  const how = legacyOpenHow(task.kernel.platform.arch, flags, mode);
  return openCall(task, dirfd, pathname, how.flags, how.mode, 0);
}

const RESOLVE_FLAGS: readonly (readonly [number, number])[] = [
  [RESOLVE_NO_XDEV, LOOKUP_NO_XDEV],
  [RESOLVE_NO_MAGICLINKS, LOOKUP_NO_MAGICLINKS],
  [RESOLVE_NO_SYMLINKS, LOOKUP_NO_SYMLINKS | LOOKUP_NO_MAGICLINKS],
  [RESOLVE_BENEATH, LOOKUP_BENEATH],
  [RESOLVE_IN_ROOT, LOOKUP_IN_ROOT],
  [RESOLVE_CACHED, 0],
];

function readOpenHow(task: Task, how: number, size: number): { flags: number; mode: number; resolve: number } {
  const view = task.mm.readSizedStruct(how, size, OPEN_HOW.size, OPEN_HOW.size);
  const { flags, mode, resolve } = OPEN_HOW.offsets;
  return { flags: getU64(view, flags), mode: getU64(view, mode), resolve: getU64(view, resolve) };
}

function openat2(task: Task, dirfd: number, pathname: number, howAddr: number, size: number): number {
  const { arch } = task.kernel.platform;
  const how = readOpenHow(task, howAddr, size);
  const { flags } = how;
  if (flags > 0xffff_ffff || (flags & ~validOpenFlags(arch)) !== 0) throw errno(EINVAL);
  let lookup = 0;
  let known = 0;
  for (const [bit, value] of RESOLVE_FLAGS) {
    known |= bit;
    if ((how.resolve & bit) !== 0) lookup |= value;
  }
  if (how.resolve > 0xffff || (how.resolve & ~known) !== 0) throw errno(EINVAL);
  if ((how.resolve & RESOLVE_BENEATH) !== 0 && (how.resolve & RESOLVE_IN_ROOT) !== 0) throw errno(EINVAL);
  const creates = (flags & (O_CREAT | __O_TMPFILE)) !== 0;
  if (creates ? how.mode > 0o7777 : how.mode !== 0) throw errno(EINVAL);
  if ((flags & O_PATH) !== 0 && (flags & ~pathFlags(arch)) !== 0) throw errno(EINVAL);
  // Nothing here ever waits for a disk, but what would create or truncate is refused as in Linux.
  if ((how.resolve & RESOLVE_CACHED) !== 0 && (flags & (O_TRUNC | O_CREAT | __O_TMPFILE)) !== 0) throw errno(EAGAIN);
  return openCall(task, dirfd, pathname, flags | 0, how.mode, lookup);
}

function creat(task: Task, pathname: number, mode: number): number {
  return openLegacy(task, AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/** No filesystem here gives out handles: the checks of Linux up to that point. */
function nameToHandleAt(
  task: Task,
  dirfd: number,
  pathname: number,
  handle: number,
  _mountId: number,
  flags: number,
): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) throw errno(EINVAL);
  const lookup =
    ((flags & AT_SYMLINK_FOLLOW) !== 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0);
  resolve(task, dirfd, readPath(task, pathname), lookup);
  task.mm.readStruct(handle, FILE_HANDLE.size);
  throw errno(EOPNOTSUPP);
}

function openByHandleAt(task: Task): number {
  if (!capable(task.creds, CAP_DAC_READ_SEARCH)) throw errno(EPERM);
  throw errno(ESTALE);
}

const MEMFD_NAME_MAX = 249;

function memfdCreate(task: Task, uname: number, flags: number): number {
  if ((flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)) !== 0) throw errno(EINVAL);
  if ((flags & MFD_NOEXEC_SEAL) !== 0 && (flags & MFD_EXEC) !== 0) throw errno(EINVAL);
  const name = task.mm.readString(uname, MEMFD_NAME_MAX + 1, EINVAL);
  task.files.checkFree(task.group.limits[RLIMIT_NOFILE].soft);
  const file = createMemfd(task, name, (flags & MFD_ALLOW_SEALING) !== 0, (flags & MFD_NOEXEC_SEAL) !== 0);
  return installOpened(task, file, (flags & MFD_CLOEXEC) !== 0);
}

export const rows: readonly Row[] = [
  row(
    'open',
    { x86_64: 2 },
    [path('pathname'), dynamic('flags', 'open_flags', 'uint'), dynamic('mode', 'open_mode', 'mode')],
    { ret: 'fd', classes: ['desc', 'file'] },
    (task, path, flags, mode) => openLegacy(task, AT_FDCWD, path, flags, mode),
  ),
  row(
    'openat',
    { x86_64: 257, aarch64: 56 },
    [dirfd('dirfd'), path('pathname'), dynamic('flags', 'open_flags', 'uint'), dynamic('mode', 'open_mode', 'mode')],
    { ret: 'fd', classes: ['desc', 'file'] },
    openLegacy,
  ),
  row(
    'openat2',
    { x86_64: 437, aarch64: 437 },
    [dirfd('dirfd'), path('pathname'), dynamic('how', 'open_how'), size('size')],
    { ret: 'fd', classes: ['desc', 'file'] },
    openat2,
  ),
  row('creat', { x86_64: 85 }, [path('pathname'), mode('mode')], { ret: 'fd', classes: ['desc', 'file'] }, creat),
  row('close', { x86_64: 3, aarch64: 57 }, [fd('fd')], { ret: 'zero', classes: ['desc'] }, close),
  row(
    'close_range',
    { x86_64: 436, aarch64: 436 },
    [uint('first'), uint('last'), flags('flags', 'close_range_flags')],
    { ret: 'zero' },
    closeRange,
  ),
  row(
    'memfd_create',
    { x86_64: 319, aarch64: 279 },
    [string('uname', 'name'), flags('flags', 'memfd_create_flags')],
    { ret: 'fd', classes: ['desc'], disposition: { partial: 'no MFD_HUGETLB' } },
    memfdCreate,
  ),
  absent('memfd_secret', { x86_64: 447, aarch64: 447 }, [flags('flags', 'memfd_secret_flags')], {
    ret: 'fd',
    classes: ['desc'],
  }),
  row(
    'name_to_handle_at',
    { x86_64: 303, aarch64: 264 },
    [
      dirfd('dirfd'),
      path('pathname'),
      dynamic('handle', 'file_handle'),
      word('mount_id', 'out', 'int'),
      flags('flags', 'name_to_handle_at_flags'),
    ],
    {
      ret: 'zero',
      classes: ['desc', 'file'],
      disposition: { partial: 'no filesystem here supports handles: EOPNOTSUPP' },
    },
    nameToHandleAt,
  ),
  row(
    'open_by_handle_at',
    { x86_64: 304, aarch64: 265 },
    [dirfd('mount_fd'), dynamic('handle', 'file_handle'), dynamic('flags', 'open_flags', 'uint')],
    { ret: 'fd', classes: ['desc'], disposition: { partial: 'no filesystem here gives handles: every one is stale' } },
    openByHandleAt,
  ),
  absent('userfaultfd', { x86_64: 323, aarch64: 282 }, [dynamic('flags', 'uffd_flags', 'uint')], {
    ret: 'fd',
    classes: ['desc'],
  }),
];
