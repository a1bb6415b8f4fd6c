/**
 * poll(2), select(2) and their variants with a signal mask.
 */
import { EBADF, EINVAL, errno } from '../src/abi/errno.js';
import { RLIMIT_NOFILE } from '../src/abi/flags/limits.js';
import { O_PATH } from '../src/abi/flags/open.js';
import { getU64 } from '../src/abi/layout.js';
import { POLLFD } from '../src/abi/layouts/io.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK } from '../sched/wait.js';
import type { OpenFile } from '../fs/file.js';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from '../fs/poll-events.js';
import { deadlineAt, deadlineAtTimeval, deadlineInMs } from './deadline.js';
import { pollWait } from './poll-wait.js';
import { restoreMask, swapMask } from './sigmask.js';
import { dynamic, fdset, int, sigset, size, struct, uint, row, type Row } from './row.js';

const READ_SET = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR | POLLNVAL;
const WRITE_SET = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR | POLLNVAL;
const EXCEPT_SET = POLLPRI | POLLNVAL;
const SETS = [READ_SET, WRITE_SET, EXCEPT_SET];

function ppoll(task: Task, fds: number, nfds: number, timeout: number, sigmask: number, sigsetsize: number): number {
  const deadlineNs = deadlineAt(task, timeout);
  swapMask(task, sigmask, sigsetsize);
  return poll(task, fds, nfds, deadlineNs, timeout);
}

/** The file to poll, if there is one: O_PATH descriptors do not count. */
function pollable(task: Task, fd: number): OpenFile | null {
  const file = task.files.find(fd);
  return file === undefined || (file.flags & O_PATH) !== 0 ? null : file;
}

/** The usual call: a few descriptors, and something has already happened. */
const FEW = 8;
const fewBytes = new Uint8Array(FEW * POLLFD.size);
const few = new DataView(fewBytes.buffer);

/** How many of a few descriptors are ready, written back; 0: nothing was written, and nothing is yet. Allocates nothing. */
function pollReady(task: Task, addr: number, nfds: number): number {
  task.mm.copyIn(addr, fewBytes, 0, nfds * POLLFD.size);
  let count = 0;
  for (let at = 0; at < nfds * POLLFD.size; at += POLLFD.size) {
    const revents = readiness(task, few, at);
    few.setUint16(at + 6, revents, true);
    if (revents !== 0) count++;
  }
  if (count > 0) writeRevents(task, addr, few, nfds);
  return count;
}

/** revents of the pollfd at `at`. */
function readiness(task: Task, view: DataView, at: number): number {
  const fd = view.getInt32(at, true);
  if (fd < 0) return 0;
  const file = pollable(task, fd);
  return file === null ? POLLNVAL : file.poll(task) & (view.getUint16(at + 4, true) | POLLERR | POLLHUP);
}

/** Linux writes each revents alone. */
function writeRevents(task: Task, addr: number, view: DataView, nfds: number): void {
  for (let i = 0, at = 6; i < nfds; i++, at += POLLFD.size) task.mm.writeU16(addr + at, view.getUint16(at, true));
}

/** `timeoutPtr`: a timespec to write the time left to (ppoll). */
function poll(task: Task, addr: number, nfds: number, deadlineNs: number, timeoutPtr = 0): number {
  if (nfds > task.group.limits[RLIMIT_NOFILE].soft) return failMasked(task, EINVAL);
  if (nfds > 0 && nfds <= FEW && timeoutPtr === 0 && task.savedMask === null) {
    const ready = pollReady(task, addr, nfds);
    if (ready > 0) return ready;
  }
  const bytes = new Uint8Array(nfds * POLLFD.size);
  const view = new DataView(bytes.buffer);
  try {
    if (nfds > 0) task.mm.copyIn(addr, bytes, 0, bytes.length);
  } catch (error) {
    restoreMask(task);
    throw error;
  }
  const files: (OpenFile | null)[] = [];
  for (let at = 0; at < bytes.length; at += POLLFD.size) {
    const fd = view.getInt32(at, true);
    files.push(fd < 0 ? null : pollable(task, fd));
  }
  const writeBack = (): void => {
    // For a longer array one copy is worth more than a racing thread's changes.
    if (nfds > FEW) task.mm.copyOut(addr, bytes, 0, bytes.length);
    else writeRevents(task, addr, view, nfds);
  };
  const look = (final: boolean): number => {
    let count = 0;
    for (let i = 0, at = 0; i < nfds; i++, at += POLLFD.size) {
      const events = view.getUint16(at + 4, true) | POLLERR | POLLHUP;
      const file = files[i];
      let revents = 0;
      if (file !== null) revents = file.poll(task) & events;
      else if (view.getInt32(at, true) >= 0) revents = POLLNVAL;
      view.setUint16(at + 6, revents, true);
      if (revents !== 0) count++;
    }
    if (count === 0 && !final) return WOULD_BLOCK;
    writeBack();
    return count;
  };
  return pollWait(task, {
    look,
    interrupted: writeBack,
    files: files.filter((file) => file !== null),
    deadlineNs,
    timeoutPtr,
    timeoutUnitNs: 1,
    restart: timeoutPtr !== 0 || task.savedMask !== null ? null : () => poll(task, addr, nfds, deadlineNs),
  });
}

/** An error after the mask was put in force. */
function failMasked(task: Task, number: number): never {
  restoreMask(task);
  throw errno(number);
}

function pselect6(
  task: Task,
  nfds: number,
  reads: number,
  writes: number,
  excepts: number,
  timeout: number,
  argpack: number,
): number {
  let mask = 0;
  let size = 0;
  if (argpack !== 0) {
    const view = task.mm.readStruct(argpack, 16);
    mask = getU64(view, 0);
    size = getU64(view, 8);
  }
  const deadlineNs = deadlineAt(task, timeout);
  swapMask(task, mask, size);
  return select(task, nfds, [reads, writes, excepts], deadlineNs, timeout, 1);
}

/** Descriptors beyond the table's size are not even looked at; the table grows in Linux's steps. */
function tableSize(task: Task): number {
  let highest = 0;
  for (const [fd] of task.files.entries()) highest = fd;
  if (highest < 64) return 64;
  let size = 128;
  while (size <= highest) size *= 2;
  return Math.max(256, size);
}

interface SelectSets {
  files: OpenFile[];
  fds: number[];
  /** Bit i: set i wants to know. */
  wants: number[];
}

function selectSets(task: Task, input: readonly (Uint8Array | null)[], n: number): SelectSets {
  const sets: SelectSets = { files: [], fds: [], wants: [] };
  for (let fd = 0; fd < n; fd++) {
    let wants = 0;
    for (let i = 0; i < 3; i++) if (((input[i]?.[fd >> 3] ?? 0) & (1 << (fd & 7))) !== 0) wants |= 1 << i;
    if (wants === 0) continue;
    const file = task.files.find(fd);
    if (file === undefined) throw errno(EBADF);
    sets.files.push(file);
    sets.fds.push(fd);
    sets.wants.push(wants);
  }
  return sets;
}

function select(
  task: Task,
  nfds: number,
  addrs: readonly number[],
  deadlineNs: number,
  timeoutPtr: number,
  timeoutUnitNs: 1 | 1000,
): number {
  if (nfds < 0) return failMasked(task, EINVAL);
  const n = Math.min(nfds, tableSize(task));
  const length = Math.ceil(n / 64) * 8;
  let sets: SelectSets;
  try {
    const input = addrs.map((addr) => {
      if (addr === 0) return null;
      const bytes = new Uint8Array(length);
      if (length > 0) task.mm.copyIn(addr, bytes, 0, length);
      return bytes;
    });
    sets = selectSets(task, input, n);
  } catch (error) {
    restoreMask(task);
    throw error;
  }
  const output = addrs.map((addr) => (addr === 0 ? null : new Uint8Array(length)));
  const look = (final: boolean): number => {
    let count = 0;
    for (let k = 0; k < sets.fds.length; k++) {
      const file = sets.files[k];
      const events = (file.flags & O_PATH) !== 0 ? POLLNVAL : file.poll(task);
      const fd = sets.fds[k];
      for (let i = 0; i < 3; i++) {
        if ((sets.wants[k] & (1 << i)) === 0 || (events & SETS[i]) === 0) continue;
        output[i]![fd >> 3] |= 1 << (fd & 7);
        count++;
      }
    }
    if (count === 0 && !final) return WOULD_BLOCK;
    for (let i = 0; i < 3; i++) if (addrs[i] !== 0 && length > 0) task.mm.copyOut(addrs[i], output[i]!, 0, length);
    return count;
  };
  return pollWait(task, { look, files: sets.files, deadlineNs, timeoutPtr, timeoutUnitNs, restart: null });
}

export const rows: readonly Row[] = [
  row(
    'poll',
    { x86_64: 7 },
    [dynamic('fds', 'pollfds'), uint('nfds'), int('timeout')],
    {
      ret: 'dynamic',
      classes: ['desc'],
    },
    (task, fds, nfds, timeout) => poll(task, fds, nfds, deadlineInMs(task, timeout)),
  ),
  row(
    'ppoll',
    { x86_64: 271, aarch64: 73 },
    [
      dynamic('fds', 'pollfds'),
      uint('nfds'),
      struct('tmo_p', 'inout', 'timespec'),
      sigset('sigmask', 'in'),
      size('sigsetsize'),
    ],
    { ret: 'dynamic', classes: ['desc'] },
    ppoll,
  ),
  row(
    'select',
    { x86_64: 23 },
    [
      int('nfds'),
      fdset('readfds', 'inout'),
      fdset('writefds', 'inout'),
      fdset('exceptfds', 'inout'),
      struct('timeout', 'inout', 'timeval'),
    ],
    { ret: 'dynamic', classes: ['desc'] },
    (task, nfds, reads, writes, excepts, timeout) =>
      select(task, nfds, [reads, writes, excepts], deadlineAtTimeval(task, timeout), timeout, 1000),
  ),
  row(
    'pselect6',
    { x86_64: 270, aarch64: 72 },
    [
      int('nfds'),
      fdset('readfds', 'inout'),
      fdset('writefds', 'inout'),
      fdset('exceptfds', 'inout'),
      struct('timeout', 'inout', 'timespec'),
      dynamic('sigmask', 'pselect6_sigmask'),
    ],
    { ret: 'dynamic', classes: ['desc'] },
    pselect6,
  ),
];
