/**
 * File locks (fs/locks.c): POSIX record locks (fcntl(2)), open file description locks, and flock(2).
 *
 * Invariants: the POSIX and OFD locks of an inode are kept sorted by start, those of one owner never overlap or touch with
 * the same type; flock locks are a separate world and never conflict with them. Ranges are half open, the end may be
 * Infinity. An owner is the descriptor table for POSIX locks (as in Linux, so fork drops them and CLONE_FILES shares them),
 * the open file description for the others.
 *
 * Linux oddities: closing any descriptor of a file drops every POSIX lock of the process on it; deadlocks are found among
 * POSIX locks only; changing a flock lock's type drops the old one first, so a failed change loses it.
 */
import { EAGAIN, EDEADLK, errno } from '../src/abi/errno.js';
import { F_RDLCK, F_UNLCK, F_WRLCK } from '../src/abi/flags/fcntl.js';
import type { LifecycleHooks } from '../sched/hooks.js';
import type { KernelState } from '../sched/kernel-state.js';
import { WaitQueue } from '../sched/wait.js';
import { atRelease } from './at-release.js';
import type { FdTable } from './fd-table.js';
import type { OpenFile } from './file.js';
import type { Inode } from './inode.js';
import type {} from './task-parts.js';

export type LockOwner = FdTable | OpenFile;

export interface RecordLock {
  readonly owner: LockOwner;
  /** F_RDLCK or F_WRLCK (F_UNLCK in requests). */
  readonly type: number;
  readonly start: number;
  /** First byte beyond, or Infinity. */
  readonly end: number;
  /** What F_GETLK reports; -1 for OFD locks. */
  readonly pid: number;
  readonly ofd: boolean;
}

interface Flock {
  readonly file: OpenFile;
  readonly exclusive: boolean;
  readonly pid: number;
}

export class InodeLocks {
  records: RecordLock[] = [];
  flocks: Flock[] = [];
  readonly queue = new WaitQueue();
}

declare module './file.js' {
  interface OpenFile {
    dropLocks?: () => void;
  }
}
declare module './inode.js' {
  interface Inode {
    /** Made by the first lock. */
    locks?: InodeLocks;
  }
}
declare module '../sched/kernel-state.js' {
  interface KernelState {
    /** POSIX lock waiters: who waits for whom. */
    lockWaits?: Map<LockOwner, LockOwner>;
    /** Inodes that have or had locks, for /proc/locks. */
    lockedInodes?: Set<Inode>;
  }
}

function locksOf(kernel: KernelState, inode: Inode): InodeLocks {
  (kernel.lockedInodes ??= new Set()).add(inode);
  return (inode.locks ??= new InodeLocks());
}

/** The first lock that stands in the way of `wanted`, or null. */
export function findConflict(inode: Inode, wanted: RecordLock): RecordLock | null {
  for (const lock of inode.locks?.records ?? []) {
    if (lock.owner === wanted.owner || lock.end <= wanted.start || wanted.end <= lock.start) continue;
    if (lock.type === F_WRLCK || wanted.type === F_WRLCK) return lock;
  }
  return null;
}

/** Sets or clears a range; EAGAIN on conflict. */
export function setRecordLock(kernel: KernelState, inode: Inode, wanted: RecordLock): void {
  const locks = locksOf(kernel, inode);
  if (wanted.type !== F_UNLCK && findConflict(inode, wanted) !== null) throw errno(EAGAIN);
  let { start, end } = wanted;
  const kept: RecordLock[] = [];
  for (const lock of locks.records) {
    const touches = lock.owner === wanted.owner && lock.start <= wanted.end && wanted.start <= lock.end;
    if (!touches) kept.push(lock);
    else if (lock.type === wanted.type) {
      start = Math.min(start, lock.start);
      end = Math.max(end, lock.end);
    } else {
      if (lock.start < wanted.start) kept.push({ ...lock, end: Math.min(lock.end, wanted.start) });
      if (lock.end > wanted.end) kept.push({ ...lock, start: Math.max(lock.start, wanted.end) });
    }
  }
  if (wanted.type !== F_UNLCK) kept.push({ ...wanted, start, end });
  locks.records = kept.sort((a, b) => a.start - b.start);
  // Dropping, shrinking or weakening a lock may let others in.
  if (wanted.type !== F_WRLCK) locks.queue.wakeAll();
}

/** Notes that `owner` is about to wait for `blocker`; EDEADLK when that closes a circle. */
export function waitForLock(kernel: KernelState, owner: LockOwner, blocker: LockOwner): void {
  const waits = (kernel.lockWaits ??= new Map<LockOwner, LockOwner>());
  let at: LockOwner | undefined = blocker;
  for (let steps = 0; at !== undefined && steps < 1000; steps++) {
    if (at === owner) throw errno(EDEADLK);
    at = waits.get(at);
  }
  waits.set(owner, blocker);
}
export function stopWaiting(kernel: KernelState, owner: LockOwner): void {
  kernel.lockWaits?.delete(owner);
}

/** flock(2): returns false on conflict. */
export function setFlock(kernel: KernelState, file: OpenFile, exclusive: boolean, pid: number): boolean {
  const locks = locksOf(kernel, file.inode);
  const mine = locks.flocks.findIndex((lock) => lock.file === file);
  if (mine >= 0) {
    if (locks.flocks[mine].exclusive === exclusive) return true;
    locks.flocks.splice(mine, 1);
    locks.queue.wakeAll();
  }
  if (locks.flocks.some((lock) => exclusive || lock.exclusive)) return false;
  locks.flocks.push({ file, exclusive, pid });
  return true;
}

/** Drops the flock lock of an open file description (LOCK_UN, last close). */
export function dropFlock(file: OpenFile): void {
  const { locks } = file.inode;
  if (locks === undefined) return;
  const at = locks.flocks.findIndex((lock) => lock.file === file);
  if (at < 0) return;
  locks.flocks.splice(at, 1);
  locks.queue.wakeAll();
}

/** Drops every record lock of an owner: a descriptor of the file was closed, or the description went. */
export function dropRecordLocks(inode: Inode, owner: LockOwner): void {
  const { locks } = inode;
  if (locks === undefined || locks.records.length === 0) return;
  const kept = locks.records.filter((lock) => lock.owner !== owner);
  if (kept.length === locks.records.length) return;
  locks.records = kept;
  locks.queue.wakeAll();
}

/** Makes the last close of `file` drop its flock and OFD locks. */
export function dropLocksAtRelease(file: OpenFile): void {
  if (file.dropLocks !== undefined) return;
  file.dropLocks = () => {
    dropFlock(file);
    dropRecordLocks(file.inode, file);
  };
  atRelease(file, file.dropLocks);
}

/**
 * POSIX locks end with any close of the file by the process (FdTable.close), close-on-exec included. Exit drops them before the
 * descriptors go, and forgets inodes that nobody locks any more: registered after the hooks of fs, it runs before them.
 */
export const lockHooks: LifecycleHooks = {
  exit({ kernel, files }) {
    const { lockedInodes } = kernel;
    if (lockedInodes === undefined || files.users > 1) return;
    for (const inode of lockedInodes) {
      dropRecordLocks(inode, files);
      const { flocks, records } = inode.locks!;
      if (flocks.length === 0 && records.length === 0) lockedInodes.delete(inode);
    }
  },
};

/** /proc/locks. */
export function describeLocks(kernel: KernelState): string {
  let text = '';
  let number = 0;
  const line = (kind: string, write: boolean, pid: number, inode: Inode, start: number, end: number): void => {
    const { devMajor, devMinor } = inode.sb;
    const dev = `${devMajor.toString(16).padStart(2, '0')}:${devMinor.toString(16).padStart(2, '0')}:${inode.ino}`;
    const last = end === Infinity ? 'EOF' : `${end - 1}`;
    text += `${++number}: ${kind}  ADVISORY  ${write ? 'WRITE' : 'READ '} ${pid} ${dev} ${start} ${last}\n`;
  };
  for (const inode of kernel.lockedInodes ?? []) {
    for (const lock of inode.locks!.flocks) line('FLOCK', lock.exclusive, lock.pid, inode, 0, Infinity);
    for (const lock of inode.locks!.records)
      line(lock.ofd ? 'OFDLCK' : 'POSIX ', lock.type !== F_RDLCK, lock.pid, inode, lock.start, lock.end);
  }
  return text;
}
