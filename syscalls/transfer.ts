/**
 * Copies between two descriptors: sendfile(2), copy_file_range(2), splice(2), tee(2), vmsplice(2).
 *
 * Data passes through one kernel buffer of 64 KiB; nothing is kept there across a sleep. A long copy is cut into steps so that
 * signals and other tasks get their turn. What was moved is never lost: an error after the first bytes ends the call with the
 * count so far, and positions move by exactly that.
 *
 * Linux oddities (fs/splice.c): the output must not be open for appending (EINVAL); pages that splice and vmsplice put into a
 * pipe take a slot each and never merge with later writes.
 */
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EINVAL,
  EISDIR,
  EOVERFLOW,
  EPIPE,
  ESPIPE,
  EXDEV,
  errno,
  errnoOf,
} from '../src/abi/errno.js';
import { O_APPEND, O_NONBLOCK } from '../src/abi/flags/open.js';
import { SPLICE_F_GIFT, SPLICE_F_MORE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from '../src/abi/flags/file.js';
import { SIGPIPE } from '../src/abi/flags/signal.js';
import { sendSignalToTask, userInfo } from '../sched/signal/send.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK, type WaitQueue } from '../sched/wait.js';
import { AT_POSITION, type OpenFile } from '../fs/file.js';
import { KernelBuffer, MAX_RW_COUNT, ioBuffer } from '../fs/guest-buffer.js';
import { pipeOf } from '../src/ipc/pipe-file.js';
import type { Pipe } from '../src/ipc/pipe.js';
import { blockOn, inSteps, ioFile, isReadable, isWritable, readableFile, stepLater, writableFile } from './file-io.js';

const CHUNK = 65536;
/** Bytes copied before others get their turn. */
const STEP_BYTES = 8 << 20;
const SSIZE_LIMIT = 2 ** 63;
const SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;

declare module '../sched/kernel-state.js' {
  interface KernelState {
    copyBuffer?: Uint8Array;
  }
}

function chunkOf(task: Task): Uint8Array {
  return (task.kernel.copyBuffer ??= new Uint8Array(CHUNK));
}
function windowOf(task: Task, bytes: Uint8Array, length: number): KernelBuffer {
  return new KernelBuffer(bytes, task.mm.platform.physical, 0, length);
}
const nonblocking = (file: OpenFile): boolean => (file.flags & O_NONBLOCK) !== 0;

/** A copy in progress from a seekable file; `from` and `to` are explicit positions or AT_POSITION of the sink. */
interface Copy {
  source: OpenFile;
  sink: OpenFile;
  from: number;
  to: number;
  left: number;
  total: number;
}

/** Copies until done (returns the total) or out of budget, input or room. */
function copyStep(task: Task, copy: Copy, finish: () => number): number {
  const chunk = chunkOf(task);
  let budget = STEP_BYTES;
  try {
    while (copy.left > 0) {
      if (copy.total > 0 && task.signalPending()) break;
      if (budget <= 0) {
        stepLater(task);
        return WOULD_BLOCK;
      }
      const got = copy.source.read(task, windowOf(task, chunk, Math.min(CHUNK, copy.left)), copy.from);
      if (got === 0 || got === WOULD_BLOCK) break;
      const put = copy.sink.write(task, windowOf(task, chunk, got), copy.to);
      if (put === WOULD_BLOCK) {
        if (!nonblocking(copy.sink)) return WOULD_BLOCK;
        if (copy.total === 0) throw errno(EAGAIN);
        break;
      }
      copy.from += put;
      if (copy.to !== AT_POSITION) copy.to += put;
      copy.left -= put;
      copy.total += put;
      budget -= put;
    }
  } catch (error) {
    errnoOf(error);
    if (copy.total === 0) throw error;
  }
  return finish();
}

export function sendfile(task: Task, outFd: number, inFd: number, offsetPtr: number, count: number): number {
  const { mm } = task;
  let from = offsetPtr === 0 ? AT_POSITION : mm.readI64(offsetPtr);
  const source = readableFile(task, inFd);
  if (offsetPtr !== 0) {
    if (!source.seekable) throw errno(ESPIPE);
    if (from < 0) throw errno(EINVAL);
  } else from = source.position;
  if (count >= SSIZE_LIMIT) throw errno(EINVAL);
  const sink = writableFile(task, outFd);
  if ((sink.flags & O_APPEND) !== 0 || source.inode.isDir || !source.seekable) throw errno(EINVAL);
  if (count === 0) return 0;
  if (!source.splices) throw errno(EINVAL);
  const copy = { source, sink, from, to: AT_POSITION, left: Math.min(count, MAX_RW_COUNT), total: 0 };
  const finish = (): number => {
    if (offsetPtr !== 0) mm.writeU64(offsetPtr, copy.from);
    else source.position = copy.from;
    return copy.total;
  };
  return inSteps(task, source, sink, () => copyStep(task, copy, finish));
}

export function copyFileRange(
  task: Task,
  inFd: number,
  offInPtr: number,
  outFd: number,
  offOutPtr: number,
  length: number,
  flags: number,
): number {
  const { mm } = task;
  const source = ioFile(task, inFd);
  const sink = ioFile(task, outFd);
  const from = offInPtr === 0 ? source.position : mm.readI64(offInPtr);
  const to = offOutPtr === 0 ? sink.position : mm.readI64(offOutPtr);
  if (flags !== 0) throw errno(EINVAL);
  checkCopyFiles(source, sink);
  if (overflows(from, length) || overflows(to, length)) throw errno(EOVERFLOW);
  if (from < 0 || to < 0) throw errno(EINVAL);
  const wanted = Math.min(length, MAX_RW_COUNT);
  const left = Math.max(0, Math.min(wanted, source.inode.size - from));
  if (source.inode === sink.inode && to + left > from && to < from + left) throw errno(EINVAL);
  const copy = { source, sink, from, to, left, total: 0 };
  const finish = (): number => {
    if (offInPtr !== 0) mm.writeU64(offInPtr, copy.from);
    else source.position = copy.from;
    if (offOutPtr !== 0) mm.writeU64(offOutPtr, copy.to);
    else sink.position = copy.to;
    return copy.total;
  };
  return inSteps(task, source, sink, () => copyStep(task, copy, finish));
}

/** Linux adds without signs: a negative offset overflows when the length reaches zero. */
const overflows = (offset: number, length: number): boolean =>
  length > 0 && (offset < 0 ? length >= -offset : offset + length >= 2 ** 64);

function checkCopyFiles(source: OpenFile, sink: OpenFile): void {
  if (source.inode.isDir || sink.inode.isDir) throw errno(EISDIR);
  if (!source.inode.isRegular || !sink.inode.isRegular) throw errno(EINVAL);
  if (!isReadable(source) || !isWritable(sink) || (sink.flags & O_APPEND) !== 0) throw errno(EBADF);
  if (source.inode.sb !== sink.inode.sb) throw errno(EXDEV);
}

/** Where a splice's offset argument points, checked. */
function spliceOffset(task: Task, file: OpenFile, pipe: Pipe | null, ptr: number): number {
  if (ptr === 0) return AT_POSITION;
  if (pipe !== null) throw errno(ESPIPE);
  if (!file.seekable) throw errno(EINVAL);
  const offset = task.mm.readI64(ptr);
  if (offset < 0) throw errno(EINVAL);
  return offset;
}

export function splice(
  task: Task,
  inFd: number,
  offInPtr: number,
  outFd: number,
  offOutPtr: number,
  length: number,
  flags: number,
): number {
  if (length === 0) return 0;
  if ((flags & ~SPLICE_FLAGS) !== 0) throw errno(EINVAL);
  const source = ioFile(task, inFd);
  const sink = ioFile(task, outFd);
  if (!isReadable(source) || !isWritable(sink)) throw errno(EBADF);
  const input = pipeOf(source);
  const output = pipeOf(sink);
  if ((input !== null && offInPtr !== 0) || (output !== null && offOutPtr !== 0)) throw errno(ESPIPE);
  if (input === null && output === null) throw errno(EINVAL);
  const from = spliceOffset(task, source, input, offInPtr);
  const to = spliceOffset(task, sink, output, offOutPtr);
  const size = Math.min(length, MAX_RW_COUNT);
  const nonblock = (flags & SPLICE_F_NONBLOCK) !== 0 || nonblocking(source) || nonblocking(sink);
  let attempt: () => number;
  if (input !== null && output !== null) {
    if (input === output) throw errno(EINVAL);
    attempt = () => movePages(task, input, output, size, true);
  } else if (input !== null) {
    if ((sink.flags & O_APPEND) !== 0) throw errno(EINVAL);
    attempt = pipeToFile(task, input, sink, to, size, offOutPtr);
  } else {
    if (source.inode.isDir || !source.splices) throw errno(EINVAL);
    attempt = () => fileToPipe(task, source, from, output!, size, offInPtr);
  }
  return waitPipes(task, source, sink, nonblock, attempt);
}

/** Runs an attempt that may wait for either file. */
function waitPipes(task: Task, source: OpenFile, sink: OpenFile, nonblock: boolean, attempt: () => number): number {
  const n = attempt();
  if (n !== WOULD_BLOCK) return n;
  if (nonblock) throw errno(EAGAIN);
  const queues: WaitQueue[] = [];
  for (const { queue } of [source, sink]) if (queue !== null) queues.push(queue);
  return blockOn(task, source, attempt, undefined, queues, sink);
}

function needReaders(task: Task, pipe: Pipe): void {
  if (pipe.readers > 0) return;
  sendSignalToTask(task, userInfo(SIGPIPE, task));
  throw errno(EPIPE);
}

/** Moves (or, for tee, copies) slots from pipe to pipe. */
function movePages(task: Task, input: Pipe, output: Pipe, length: number, consume: boolean): number {
  needReaders(task, output);
  if (input.empty) return input.writers === 0 ? 0 : WOULD_BLOCK;
  if (output.full) return WOULD_BLOCK;
  let total = 0;
  for (let index = 0; total < length && output.freeSlots > 0;) {
    const page = input.peekSlot(index);
    if (page === null) break;
    const n = Math.min(page.length, length - total);
    output.pushPage(page, 0, n);
    total += n;
    if (consume) input.discard(n);
    else index++;
  }
  output.pushed();
  return total;
}

function fileToPipe(task: Task, source: OpenFile, from: number, output: Pipe, length: number, ptr: number): number {
  needReaders(task, output);
  if (output.full) return WOULD_BLOCK;
  const position = from === AT_POSITION ? source.position : from;
  const { pageSize } = task.kernel;
  const lead = position % pageSize;
  const room = Math.min(CHUNK, output.freeSlots * pageSize) - lead;
  const chunk = chunkOf(task);
  const got = source.read(task, windowOf(task, chunk, Math.min(room, length)), from);
  if (got === WOULD_BLOCK || got === 0) return got;
  for (let at = 0; at < got;) {
    const n = Math.min(pageSize - (at === 0 ? lead : 0), got - at);
    output.pushPage(chunk, at, n);
    at += n;
  }
  output.pushed();
  if (ptr !== 0) task.mm.writeU64(ptr, from + got);
  return got;
}

function pipeToFile(task: Task, input: Pipe, sink: OpenFile, to: number, length: number, ptr: number): () => number {
  let total = 0;
  const finish = (): number => {
    if (ptr !== 0) task.mm.writeU64(ptr, to + total);
    return total;
  };
  return () => {
    try {
      while (total < length) {
        const page = input.peekSlot(0);
        if (page === null) {
          if (total > 0 || input.writers === 0) break;
          return WOULD_BLOCK;
        }
        const size = Math.min(page.length, length - total);
        const put = sink.write(task, windowOf(task, page, size), to === AT_POSITION ? to : to + total);
        if (put === WOULD_BLOCK) {
          if (total > 0 && (nonblocking(sink) || task.signalPending())) break;
          return WOULD_BLOCK;
        }
        input.discard(put);
        total += put;
      }
    } catch (error) {
      errnoOf(error);
      if (total === 0) throw error;
    }
    return finish();
  };
}

export function tee(task: Task, inFd: number, outFd: number, length: number, flags: number): number {
  if ((flags & ~SPLICE_FLAGS) !== 0) throw errno(EINVAL);
  if (length === 0) return 0;
  const source = ioFile(task, inFd);
  const sink = ioFile(task, outFd);
  if (!isReadable(source) || !isWritable(sink)) throw errno(EBADF);
  const input = pipeOf(source);
  const output = pipeOf(sink);
  if (input === null || output === null || input === output) throw errno(EINVAL);
  const nonblock = (flags & SPLICE_F_NONBLOCK) !== 0 || nonblocking(source) || nonblocking(sink);
  return waitPipes(task, source, sink, nonblock, () => movePages(task, input, output, length, false));
}

export function vmsplice(task: Task, fd: number, iov: number, count: number, flags: number): number {
  if ((flags & ~SPLICE_FLAGS) !== 0) throw errno(EINVAL);
  const file = ioFile(task, fd);
  const pipe = pipeOf(file);
  const writing = isWritable(file);
  if (!writing && !isReadable(file)) throw errno(EBADF);
  const buffer = ioBuffer(task).vector(task.mm, iov, count, !writing);
  if (buffer.remaining === 0) return 0;
  if (pipe === null) throw errno(EBADF);
  const attempt = writing
    ? (): number => {
        needReaders(task, pipe);
        if (pipe.full) return WOULD_BLOCK;
        return giftPages(task, pipe);
      }
    : (): number => pipe.read(buffer);
  return waitPipes(task, file, file, (flags & SPLICE_F_NONBLOCK) !== 0 || nonblocking(file), attempt);
}

function giftPages(task: Task, pipe: Pipe): number {
  const buffer = ioBuffer(task);
  const chunk = chunkOf(task);
  const { pageSize } = task.kernel;
  let total = 0;
  while (buffer.remaining > 0 && !pipe.full) {
    let n: number;
    try {
      n = buffer.take(chunk, 0, Math.min(pageSize, buffer.remaining));
    } catch (error) {
      if (total === 0 || errnoOf(error) !== EFAULT) throw error;
      break;
    }
    pipe.pushPage(chunk, 0, n);
    total += n;
  }
  pipe.pushed();
  return total;
}
