/**
 * fcntl(2) but for the locks (syscalls/locking.ts): flags, duplicates, owners, pipe sizes, seals.
 *
 * Linux oddities: F_SETFL changes only O_APPEND, O_NONBLOCK, O_DIRECT and O_NOATIME (and O_ASYNC by its own way) and ignores
 * the rest; an unknown command on an O_PATH descriptor is EBADF, on another EINVAL.
 */
import { EACCES, EBADF, EINVAL, EPERM, ESRCH, errno } from '../src/abi/errno.js';
import * as F from '../src/abi/flags/fcntl.js';
import { RLIMIT_NOFILE } from '../src/abi/flags/limits.js';
import { FASYNC, O_APPEND, O_DIRECT, O_NOATIME, O_NONBLOCK, O_PATH } from '../src/abi/flags/open.js';
import { capable } from '../sched/credentials.js';
import { S_IFBLK, S_IFIFO, S_IFREG } from '../src/abi/flags/stat.js';
import { CAP_FOWNER, CAP_LEASE } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import { setAsync } from '../fs/async-io.js';
import type { OpenFile } from '../fs/file.js';
import { checkLeaseType, leaseOf, setLease } from '../fs/leases.js';
import { pipeOf } from '../src/ipc/pipe-file.js';
import { intArgument } from './int-argument.js';
import { getRecordLock, setRecordLockCall } from './locking.js';

const F_DUPFD_QUERY = 1027;
const F_GET_RW_HINT = 1035;
const F_SET_RW_HINT = 1036;
const F_GET_FILE_RW_HINT = 1037;
const F_SET_FILE_RW_HINT = 1038;

/** Commands whose argument is an int; as a 64-bit number a negative one has lost its low bits. */
const INT_COMMANDS = new Set<number>([
  F.F_DUPFD,
  F.F_DUPFD_CLOEXEC,
  F_DUPFD_QUERY,
  F.F_SETFD,
  F.F_SETFL,
  F.F_SETOWN,
  F.F_SETSIG,
  F.F_SETLEASE,
  F.F_SETPIPE_SZ,
  F.F_ADD_SEALS,
]);

export function fcntl(task: Task, fd: number, cmd: number, argument: number): number {
  const arg = INT_COMMANDS.has(cmd) ? intArgument(task, argument, 2) : argument;
  const file = task.files.get(fd);
  if ((file.flags & O_PATH) !== 0 && !PATH_COMMANDS.has(cmd)) throw errno(EBADF);
  switch (cmd) {
    case F.F_DUPFD:
    case F.F_DUPFD_CLOEXEC:
      return duplicate(task, file, arg, cmd === F.F_DUPFD_CLOEXEC);
    case F_DUPFD_QUERY:
      return task.files.find(arg | 0) === file ? 1 : 0;
    case F.F_GETFD:
      return task.files.getCloexec(fd) ? F.FD_CLOEXEC : 0;
    case F.F_SETFD:
      task.files.setCloexec(fd, (arg & F.FD_CLOEXEC) !== 0);
      return 0;
    case F.F_GETFL:
      return file.flags;
    case F.F_SETFL:
      setFlags(task, file, fd, arg);
      return 0;
    case F.F_GETLK:
    case F.F_OFD_GETLK:
      return getRecordLock(task, file, cmd === F.F_OFD_GETLK, arg);
    case F.F_SETLK:
    case F.F_SETLKW:
    case F.F_OFD_SETLK:
    case F.F_OFD_SETLKW:
      return setRecordLockCall(task, file, cmd, arg);
    case F.F_GETPIPE_SZ:
    case F.F_SETPIPE_SZ: {
      const pipe = pipeOf(file);
      if (pipe === null) throw errno(EBADF);
      return cmd === F.F_GETPIPE_SZ ? pipe.capacity : pipe.resize(task, arg >>> 0);
    }
    case F.F_ADD_SEALS:
    case F.F_GET_SEALS:
      return seals(file, cmd, arg);
    default:
      return ownerCommand(task, file, fd, cmd, arg);
  }
}

const PATH_COMMANDS = new Set([
  F.F_DUPFD,
  F.F_DUPFD_CLOEXEC,
  F_DUPFD_QUERY,
  F.F_GETFD,
  F.F_SETFD,
  F.F_GETFL,
  F.F_CREATED_QUERY,
]);

function duplicate(task: Task, file: OpenFile, from: number, cloexec: boolean): number {
  const limit = task.group.limits[RLIMIT_NOFILE].soft;
  const first = from >>> 0;
  if (first >= limit) throw errno(EINVAL);
  return task.files.install(file, cloexec, limit, first);
}

function setFlags(task: Task, file: OpenFile, fd: number, arg: number): void {
  const { inode } = file;
  if ((arg & O_NOATIME) !== 0 && (file.flags & O_NOATIME) === 0) {
    const owner = task.creds.fsuid === inode.uid || capable(task.creds, CAP_FOWNER);
    if (!owner) throw errno(EPERM);
  }
  const direct = O_DIRECT[task.mm.platform.arch];
  if ((arg & direct) !== 0 && inode.type !== S_IFIFO && inode.type !== S_IFREG && inode.type !== S_IFBLK)
    throw errno(EINVAL);
  if (((arg ^ file.flags) & FASYNC) !== 0) setAsync(task, file, fd, (arg & FASYNC) !== 0);
  const mask = O_APPEND | O_NONBLOCK | O_NOATIME | direct;
  file.flags = (arg & mask) | (file.flags & ~mask);
  file.flagsChanged();
}

function seals(file: OpenFile, cmd: number, arg: number): number {
  const { inode } = file;
  if (inode.seals === undefined) throw errno(EINVAL);
  if (cmd === F.F_GET_SEALS) return inode.seals;
  const all = F.F_SEAL_SEAL | F.F_SEAL_SHRINK | F.F_SEAL_GROW | F.F_SEAL_WRITE | F.F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;
  if (((file.flags + 1) & 2) === 0) throw errno(EPERM);
  if ((arg & ~all) !== 0) throw errno(EINVAL);
  if ((inode.seals & F.F_SEAL_SEAL) !== 0) throw errno(EPERM);
  if ((arg & F_SEAL_EXEC) !== 0 && (inode.mode & 0o111) !== 0)
    arg |= F.F_SEAL_SHRINK | F.F_SEAL_GROW | F.F_SEAL_WRITE | F.F_SEAL_FUTURE_WRITE;
  inode.addSeals?.(arg);
  inode.seals |= arg;
  return 0;
}
/** The memfd's executable bits are fixed. */
export const F_SEAL_EXEC = 0x20;

function ownerCommand(task: Task, file: OpenFile, fd: number, cmd: number, arg: number): number {
  const { owner } = file;
  switch (cmd) {
    case F.F_GETOWN:
      return owner.type === F.F_OWNER_PGRP ? -owner.id : owner.id;
    case F.F_SETOWN: {
      const who = arg | 0;
      if (who === -0x8000_0000) throw errno(EINVAL);
      setOwner(task, file, who < 0 ? F.F_OWNER_PGRP : F.F_OWNER_PID, Math.abs(who));
      return 0;
    }
    case F.F_GETOWN_EX:
      task.mm.scratchView.setInt32(0, owner.type, true);
      task.mm.scratchView.setInt32(4, owner.id, true);
      task.mm.writeStruct(arg, 8);
      return 0;
    case F.F_SETOWN_EX: {
      const view = task.mm.readStruct(arg, 8);
      const type = view.getInt32(0, true);
      const id = view.getInt32(4, true);
      if (type < F.F_OWNER_TID || type > F.F_OWNER_PGRP) throw errno(EINVAL);
      setOwner(task, file, type, id);
      return 0;
    }
    case F.F_GETOWNER_UIDS:
      task.mm.scratchView.setUint32(0, owner.uid, true);
      task.mm.scratchView.setUint32(4, owner.euid, true);
      task.mm.writeStruct(arg, 8);
      return 0;
    case F.F_GETSIG:
      return owner.signal;
    case F.F_SETSIG:
      if (arg < 0 || arg > 64) throw errno(EINVAL);
      owner.signal = arg;
      return 0;
    default:
      return otherCommand(task, file, fd, cmd, arg);
  }
}

function setOwner(task: Task, file: OpenFile, type: number, id: number): void {
  const { pids } = task.kernel;
  if (id !== 0) {
    const known =
      type === F.F_OWNER_PGRP
        ? pids.processGroups.has(id)
        : type === F.F_OWNER_PID
          ? pids.groups.has(id)
          : pids.tasks.has(id);
    if (!known) throw errno(ESRCH);
  }
  const { uid, euid } = task.creds;
  file.owner = { type, id, signal: file.owner.signal, uid, euid };
}

function otherCommand(task: Task, file: OpenFile, fd: number, cmd: number, arg: number): number {
  switch (cmd) {
    case F.F_GETLEASE:
      return leaseOf(file);
    case F.F_SETLEASE:
      return lease(task, file, fd, arg);
    case F.F_CREATED_QUERY:
      return 0;
    case F_GET_RW_HINT:
    case F_GET_FILE_RW_HINT:
      task.mm.writeU64(arg, 0);
      return 0;
    case F_SET_RW_HINT:
    case F_SET_FILE_RW_HINT:
      if (task.mm.readU64(arg) > 5) throw errno(EINVAL);
      return 0;
    default:
      throw errno(EINVAL);
  }
}

function lease(task: Task, file: OpenFile, fd: number, type: number): number {
  checkLeaseType(type);
  if (task.creds.fsuid !== file.inode.uid && !capable(task.creds, CAP_LEASE)) throw errno(EACCES);
  if (!file.inode.isRegular) throw errno(EINVAL);
  setLease(task, file, fd, type);
  return 0;
}
