/**
 * Reading and writing: read(2) to pwritev2(2), sendfile(2), splice(2), copy_file_range(2), syncing and allocation.
 */
import { EBADF, EINVAL, EOPNOTSUPP, ESPIPE, errno } from '../src/abi/errno.js';
import { O_APPEND } from '../src/abi/flags/open.js';
import {
  POSIX_FADV_NOREUSE,
  RWF_APPEND,
  RWF_DSYNC,
  RWF_HIPRI,
  RWF_NOAPPEND,
  RWF_NOWAIT,
  RWF_SYNC,
  SEEK_HOLE,
} from '../src/abi/flags/file.js';
import { S_IFBLK, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from '../src/abi/flags/stat.js';
import type { Fd, GuestAddr } from '../src/abi/types.js';
import type { Task } from '../sched/task.js';
import { AT_POSITION, type OpenFile } from '../fs/file.js';
import { ioBuffer } from '../fs/guest-buffer.js';
import { ioFile, isReadable, isWritable, readInto, readableFile, writableFile, writeFrom } from './file-io.js';
import { copyFileRange, sendfile, splice, tee, vmsplice } from './transfer.js';
import { fallocate, ftruncate, truncate } from './attributes.js';
import {
  absent,
  buffer,
  enumeration,
  fd,
  flags,
  iovec,
  off,
  path,
  size,
  struct,
  uint,
  ulong,
  unused,
  word,
  row,
  type Row,
} from './row.js';

function read(task: Task, fd: Fd, buf: GuestAddr, count: number): number {
  const file = readableFile(task, fd);
  return readInto(task, file, ioBuffer(task).single(task.mm, buf, count, true), AT_POSITION);
}

function write(task: Task, fd: Fd, buf: GuestAddr, count: number): number {
  const file = writableFile(task, fd);
  return writeFrom(task, file, ioBuffer(task).single(task.mm, buf, count, false), AT_POSITION);
}

/** The file of a positioned call; Linux looks at the offset, then at seekability, then at the access mode. */
function positioned(task: Task, fd: Fd, offset: number): OpenFile {
  if (offset < 0) throw errno(EINVAL);
  const file = ioFile(task, fd);
  if (!file.seekable) throw errno(ESPIPE);
  return file;
}

function pread64(task: Task, fd: Fd, buf: GuestAddr, count: number, offset: number): number {
  const file = positioned(task, fd, offset);
  if (!isReadable(file)) throw errno(EBADF);
  return readInto(task, file, ioBuffer(task).single(task.mm, buf, count, true), offset);
}

function pwrite64(task: Task, fd: Fd, buf: GuestAddr, count: number, offset: number): number {
  const file = positioned(task, fd, offset);
  if (!isWritable(file)) throw errno(EBADF);
  return writeFrom(task, file, ioBuffer(task).single(task.mm, buf, count, false), offset);
}

/** RWF_ flags for a transfer; returns whether it must not wait. */
function checkRwf(file: OpenFile, flags: number): boolean {
  if (flags === 0) return false;
  const known = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND;
  if ((flags & ~known) !== 0) throw errno(EOPNOTSUPP);
  if ((flags & RWF_APPEND) !== 0 && (flags & RWF_NOAPPEND) !== 0) throw errno(EINVAL);
  // Of Linux's files that may wait, pipes and sockets can also be asked not to; tmpfs cannot.
  if ((flags & RWF_NOWAIT) !== 0 && file.queue === null) throw errno(EOPNOTSUPP);
  return (flags & RWF_NOWAIT) !== 0;
}

/** Runs a write with RWF_APPEND or RWF_NOAPPEND in force. */
function appending(file: OpenFile, flags: number, write: () => number): number {
  const before = file.flags;
  if ((flags & RWF_APPEND) !== 0) file.flags |= O_APPEND;
  else if ((flags & RWF_NOAPPEND) !== 0) file.flags &= ~O_APPEND;
  try {
    return write();
  } finally {
    file.flags = before;
  }
}

function readv(task: Task, fd: Fd, iov: GuestAddr, count: number, flags = 0): number {
  return vectorRead(task, ioFile(task, fd), iov, count, AT_POSITION, flags);
}
function preadv(task: Task, fd: Fd, iov: GuestAddr, count: number, offset: number, flags: number): number {
  return vectorRead(task, positioned(task, fd, offset), iov, count, offset, flags);
}
function vectorRead(task: Task, file: OpenFile, iov: number, count: number, offset: number, flags: number): number {
  const buffer = ioBuffer(task).vector(task.mm, iov, count, true);
  if (!isReadable(file)) throw errno(EBADF);
  if (buffer.remaining === 0) return 0;
  return readInto(task, file, buffer, offset, checkRwf(file, flags));
}

function writev(task: Task, fd: Fd, iov: GuestAddr, count: number, flags = 0): number {
  return vectorWrite(task, ioFile(task, fd), iov, count, AT_POSITION, flags);
}
function pwritev(task: Task, fd: Fd, iov: GuestAddr, count: number, offset: number, flags: number): number {
  return vectorWrite(task, positioned(task, fd, offset), iov, count, offset, flags);
}
function vectorWrite(task: Task, file: OpenFile, iov: number, count: number, offset: number, flags: number): number {
  const buffer = ioBuffer(task).vector(task.mm, iov, count, false);
  if (!isWritable(file)) throw errno(EBADF);
  if (buffer.remaining === 0) return 0;
  const nowait = checkRwf(file, flags);
  if ((flags & (RWF_APPEND | RWF_NOAPPEND)) === 0) return writeFrom(task, file, buffer, offset, nowait);
  return appending(file, flags, () => writeFrom(task, file, buffer, offset, nowait));
}

function lseek(task: Task, fd: Fd, offset: number, whence: number): number {
  const file = ioFile(task, fd);
  if (whence > SEEK_HOLE) throw errno(EINVAL);
  return file.seek(task, offset, whence);
}

function fsync(task: Task, fd: Fd): number {
  ioFile(task, fd).fsync(task);
  return 0;
}
function syncfs(task: Task, fd: Fd): number {
  ioFile(task, fd);
  return 0;
}

function syncFileRange(task: Task, fd: Fd, offset: number, length: number, flags: number): number {
  const file = ioFile(task, fd);
  if ((flags & ~7) !== 0 || offset < 0 || length < 0) throw errno(EINVAL);
  const { type } = file.inode;
  if (type !== S_IFREG && type !== S_IFBLK && type !== S_IFDIR && type !== S_IFLNK) throw errno(ESPIPE);
  return 0;
}

/** All file data is memory: advice is checked and needs no action. */
function fadvise(task: Task, fd: Fd, _offset: number, length: number, advice: number): number {
  const file = ioFile(task, fd);
  if (file.inode.type === S_IFIFO) throw errno(ESPIPE);
  if (length >= 2 ** 63 || advice < 0 || advice > POSIX_FADV_NOREUSE) throw errno(EINVAL);
  return 0;
}

function readahead(task: Task, fd: Fd, _offset: number, _count: number): number {
  const file = readableFile(task, fd);
  if (file.inode.type !== S_IFREG && file.inode.type !== S_IFBLK) throw errno(EINVAL);
  return 0;
}

export const rows: readonly Row[] = [
  row(
    'read',
    { x86_64: 0, aarch64: 63 },
    [fd('fd'), buffer('buf', 'out', 'ret'), size('count')],
    {
      ret: 'size',
      classes: ['desc'],
    },
    read,
  ),
  row(
    'write',
    { x86_64: 1, aarch64: 64 },
    [fd('fd'), buffer('buf', 'in', { arg: 'count' }), size('count')],
    {
      ret: 'size',
      classes: ['desc'],
    },
    write,
  ),
  row(
    'pread64',
    { x86_64: 17, aarch64: 67 },
    [fd('fd'), buffer('buf', 'out', 'ret'), size('count'), off('offset')],
    { ret: 'size', classes: ['desc'] },
    pread64,
  ),
  row(
    'pwrite64',
    { x86_64: 18, aarch64: 68 },
    [fd('fd'), buffer('buf', 'in', { arg: 'count' }), size('count'), off('offset')],
    { ret: 'size', classes: ['desc'] },
    pwrite64,
  ),
  row(
    'readv',
    { x86_64: 19, aarch64: 65 },
    [fd('fd'), iovec('iov', 'out', { arg: 'iovcnt' }), ulong('iovcnt')],
    {
      ret: 'size',
      classes: ['desc'],
    },
    readv,
  ),
  row(
    'writev',
    { x86_64: 20, aarch64: 66 },
    [fd('fd'), iovec('iov', 'in', { arg: 'iovcnt' }), ulong('iovcnt')],
    {
      ret: 'size',
      classes: ['desc'],
    },
    writev,
  ),
  row(
    'preadv',
    { x86_64: 295, aarch64: 69 },
    [fd('fd'), iovec('iov', 'out', { arg: 'iovcnt' }), ulong('iovcnt'), off('offset')],
    { ret: 'size', classes: ['desc'] },
    (task, fd, iov, count, offset) => preadv(task, fd, iov, count, offset, 0),
  ),
  row(
    'pwritev',
    { x86_64: 296, aarch64: 70 },
    [fd('fd'), iovec('iov', 'in', { arg: 'iovcnt' }), ulong('iovcnt'), off('offset')],
    { ret: 'size', classes: ['desc'] },
    (task, fd, iov, count, offset) => pwritev(task, fd, iov, count, offset, 0),
  ),
  row(
    'preadv2',
    { x86_64: 327, aarch64: 286 },
    [
      fd('fd'),
      iovec('iov', 'out', { arg: 'iovcnt' }),
      ulong('iovcnt'),
      off('offset'),
      unused,
      flags('flags', 'rwf_flags'),
    ],
    { ret: 'size', classes: ['desc'] },
    (task, fd, iov, count, offset, _high, flags) =>
      offset === AT_POSITION ? readv(task, fd, iov, count, flags) : preadv(task, fd, iov, count, offset, flags),
  ),
  row(
    'pwritev2',
    { x86_64: 328, aarch64: 287 },
    [
      fd('fd'),
      iovec('iov', 'in', { arg: 'iovcnt' }),
      ulong('iovcnt'),
      off('offset'),
      unused,
      flags('flags', 'rwf_flags'),
    ],
    { ret: 'size', classes: ['desc'] },
    (task, fd, iov, count, offset, _high, flags) =>
      offset === AT_POSITION ? writev(task, fd, iov, count, flags) : pwritev(task, fd, iov, count, offset, flags),
  ),
  row(
    'lseek',
    { x86_64: 8, aarch64: 62 },
    [fd('fd'), off('offset'), enumeration('whence', 'whence_codes', 'uint')],
    { ret: 'off', classes: ['desc'] },
    lseek,
  ),
  row(
    'sendfile',
    { x86_64: 40, aarch64: 71 },
    [fd('out_fd'), fd('in_fd'), word('offset', 'inout', 'off'), size('count')],
    { ret: 'size', classes: ['desc', 'network'] },
    sendfile,
  ),
  row(
    'splice',
    { x86_64: 275, aarch64: 76 },
    [
      fd('fd_in'),
      word('off_in', 'inout', 'off'),
      fd('fd_out'),
      word('off_out', 'inout', 'off'),
      size('len'),
      flags('flags', 'splice_flags'),
    ],
    { ret: 'size', classes: ['desc'] },
    splice,
  ),
  row(
    'tee',
    { x86_64: 276, aarch64: 77 },
    [fd('fd_in'), fd('fd_out'), size('len'), flags('flags', 'splice_flags')],
    { ret: 'size', classes: ['desc'] },
    tee,
  ),
  row(
    'vmsplice',
    { x86_64: 278, aarch64: 75 },
    [fd('fd'), iovec('iov', 'in', { arg: 'nr_segs' }), ulong('nr_segs'), flags('flags', 'splice_flags')],
    { ret: 'size', classes: ['desc'] },
    vmsplice,
  ),
  row(
    'copy_file_range',
    { x86_64: 326, aarch64: 285 },
    [
      fd('fd_in'),
      word('off_in', 'inout', 'off'),
      fd('fd_out'),
      word('off_out', 'inout', 'off'),
      size('len'),
      uint('flags'),
    ],
    { ret: 'size', classes: ['desc'] },
    copyFileRange,
  ),
  row(
    'truncate',
    { x86_64: 76, aarch64: 45 },
    [path('path'), off('length')],
    { ret: 'zero', classes: ['file'] },
    truncate,
  ),
  row(
    'ftruncate',
    { x86_64: 77, aarch64: 46 },
    [fd('fd'), off('length')],
    { ret: 'zero', classes: ['desc'] },
    ftruncate,
  ),
  row(
    'fallocate',
    { x86_64: 285, aarch64: 47 },
    [fd('fd'), flags('mode', 'falloc_flags'), off('offset'), off('len')],
    { ret: 'zero', classes: ['desc'] },
    fallocate,
  ),
  row(
    'fadvise64',
    { x86_64: 221, aarch64: 223 },
    [fd('fd'), off('offset'), size('len'), enumeration('advice', 'advise')],
    { ret: 'zero', classes: ['desc'] },
    fadvise,
  ),
  row(
    'readahead',
    { x86_64: 187, aarch64: 213 },
    [fd('fd'), off('offset'), size('count')],
    {
      ret: 'zero',
      classes: ['desc'],
    },
    readahead,
  ),
  row('sync', { x86_64: 162, aarch64: 81 }, [], { ret: 'zero' }, () => 0),
  row('syncfs', { x86_64: 306, aarch64: 267 }, [fd('fd')], { ret: 'zero', classes: ['desc'] }, syncfs),
  row('fsync', { x86_64: 74, aarch64: 82 }, [fd('fd')], { ret: 'zero', classes: ['desc'] }, fsync),
  row('fdatasync', { x86_64: 75, aarch64: 83 }, [fd('fd')], { ret: 'zero', classes: ['desc'] }, fsync),
  row(
    'sync_file_range',
    { x86_64: 277, aarch64: 84 },
    [fd('fd'), off('offset'), off('nbytes'), flags('flags', 'sync_file_range_flags')],
    { ret: 'zero', classes: ['desc'] },
    syncFileRange,
  ),
  absent(
    'cachestat',
    { x86_64: 451, aarch64: 451 },
    [fd('fd'), struct('cstat_range', 'in', 'cachestat_range'), struct('cstat', 'out', 'cachestat'), uint('flags')],
    { ret: 'zero', classes: ['desc'] },
  ),
];
