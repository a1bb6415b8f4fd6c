/**
 * fcntl(2)'s record locks and flock(2): arguments, waiting and reporting; the locks themselves are in fs/locks.ts.
 *
 * Linux oddities: a write lock needs a file open for writing (EBADF), a flock lock does not; F_GETLK leaves all fields but
 * the type alone when nothing is in the way; the pid of an open file description lock is reported as -1.
 */
import { EAGAIN, EBADF, EINVAL, EOVERFLOW, errno } from '../src/abi/errno.js';
import * as F from '../src/abi/flags/fcntl.js';
import { SEEK_CUR, SEEK_END, SEEK_SET } from '../src/abi/flags/file.js';
import { FLOCK } from '../src/abi/layouts/io.js';
import { readField, writeField } from '../src/abi/layout.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK } from '../sched/wait.js';
import type { OpenFile } from '../fs/file.js';
import {
  InodeLocks,
  dropFlock,
  dropLocksAtRelease,
  findConflict,
  setFlock,
  setRecordLock,
  stopWaiting,
  waitForLock,
  type RecordLock,
} from '../fs/locks.js';
import { blockOn, ioFile, isReadable, isWritable } from './file-io.js';

const OFFSET_LIMIT = 2 ** 63;

/** The lock that the struct flock at `arg` asks for. */
function lockFrom(task: Task, file: OpenFile, ofd: boolean, arg: number): { lock: RecordLock; lPid: number } {
  const view = task.mm.readStruct(arg, FLOCK.size);
  const type = readField(FLOCK, view, 0, 'l_type');
  const whence = readField(FLOCK, view, 0, 'l_whence');
  const lStart = readField(FLOCK, view, 0, 'l_start');
  const length = readField(FLOCK, view, 0, 'l_len');
  const lPid = readField(FLOCK, view, 0, 'l_pid');
  let start: number;
  if (whence === SEEK_SET) start = 0;
  else if (whence === SEEK_CUR) start = file.position;
  else if (whence === SEEK_END) start = file.inode.size;
  else throw errno(EINVAL);
  if (start + lStart >= OFFSET_LIMIT) throw errno(EOVERFLOW);
  start += lStart;
  if (start < 0) throw errno(EINVAL);
  let end = Infinity;
  if (length > 0) {
    if (start + length - 1 >= OFFSET_LIMIT) throw errno(EOVERFLOW);
    end = start + length;
  } else if (length < 0) {
    end = start;
    start += length;
    if (start < 0) throw errno(EINVAL);
  }
  if (type !== F.F_RDLCK && type !== F.F_WRLCK && type !== F.F_UNLCK) throw errno(EINVAL);
  const owner = ofd ? file : task.files;
  return { lock: { owner, type, start, end, pid: ofd ? -1 : task.tgid, ofd }, lPid };
}

export function getRecordLock(task: Task, file: OpenFile, ofd: boolean, arg: number): number {
  const type = task.mm.readU16(arg);
  const { lock, lPid } = lockFrom(task, file, ofd, arg);
  if (type === F.F_UNLCK || (ofd && lPid !== 0)) throw errno(EINVAL);
  const conflict = findConflict(file.inode, lock);
  const view = task.mm.readStruct(arg, FLOCK.size);
  if (conflict === null) writeField(FLOCK, view, 0, 'l_type', F.F_UNLCK);
  else {
    writeField(FLOCK, view, 0, 'l_type', conflict.type);
    writeField(FLOCK, view, 0, 'l_whence', SEEK_SET);
    writeField(FLOCK, view, 0, 'l_start', conflict.start);
    writeField(FLOCK, view, 0, 'l_len', conflict.end === Infinity ? 0 : conflict.end - conflict.start);
    writeField(FLOCK, view, 0, 'l_pid', conflict.pid);
  }
  task.mm.writeStruct(arg, FLOCK.size);
  return 0;
}

export function setRecordLockCall(task: Task, file: OpenFile, cmd: number, arg: number): number {
  const ofd = cmd === F.F_OFD_SETLK || cmd === F.F_OFD_SETLKW;
  const { lock, lPid } = lockFrom(task, file, ofd, arg);
  if (lock.type === F.F_RDLCK && !isReadable(file)) throw errno(EBADF);
  if (lock.type === F.F_WRLCK && !isWritable(file)) throw errno(EBADF);
  if (ofd && lPid !== 0) throw errno(EINVAL);
  if (ofd) dropLocksAtRelease(file);
  const { kernel } = task;
  const { inode } = file;
  const wait = cmd === F.F_SETLKW || cmd === F.F_OFD_SETLKW;
  if (!wait || lock.type === F.F_UNLCK || findConflict(inode, lock) === null) {
    setRecordLock(kernel, inode, lock);
    return 0;
  }
  const attempt = (): number => {
    if (!ofd) stopWaiting(kernel, lock.owner);
    const conflict = findConflict(inode, lock);
    if (conflict === null) {
      setRecordLock(kernel, inode, lock);
      return 0;
    }
    if (!ofd) waitForLock(kernel, lock.owner, conflict.owner);
    return WOULD_BLOCK;
  };
  const { queue } = (inode.locks ??= new InodeLocks());
  return blockOn(task, file, attempt, { onInterrupt: () => stopWaiting(kernel, lock.owner) }, [queue]);
}

export function flock(task: Task, fd: number, operation: number): number {
  if ((operation & F.LOCK_MAND) !== 0) return 0;
  const kind = operation & ~F.LOCK_NB;
  if (kind !== F.LOCK_SH && kind !== F.LOCK_EX && kind !== F.LOCK_UN) throw errno(EINVAL);
  const file = ioFile(task, fd);
  if (kind === F.LOCK_UN) {
    dropFlock(file);
    return 0;
  }
  if (!isReadable(file) && !isWritable(file)) throw errno(EBADF);
  dropLocksAtRelease(file);
  const attempt = (): number => (setFlock(task.kernel, file, kind === F.LOCK_EX, task.tgid) ? 0 : WOULD_BLOCK);
  const result = attempt();
  if (result !== WOULD_BLOCK) return result;
  if ((operation & F.LOCK_NB) !== 0) throw errno(EAGAIN);
  return blockOn(task, file, attempt, undefined, [file.inode.locks!.queue]);
}
