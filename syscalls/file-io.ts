/**
 * What the reading and writing calls share: finding a file that may be read or written, and the blocking loops around
 * OpenFile.read and write.
 *
 * A call that sleeps holds a reference on its file, so that another thread's close does not release it under the sleeper.
 * A blocking write to a stream (pipe, socket, terminal) goes on until all is written; a signal after the first bytes ends it
 * with the count so far, as any error does.
 */
import { EAGAIN, EBADF, EINTR, errno } from '../src/abi/errno.js';
import { RLIMIT_NOFILE } from '../src/abi/flags/limits.js';
import { IN_ACCESS, IN_MODIFY } from '../src/abi/flags/poll.js';
import { O_NONBLOCK, O_PATH, O_WRONLY } from '../src/abi/flags/open.js';
import type { LifecycleHooks } from '../sched/hooks.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK, block, type BlockOptions, type WaitQueue } from '../sched/wait.js';
import { dropFile } from '../fs/fd-table.js';
import { discardFile } from '../fs/open.js';
import type { GuestBuffer, OpenFile } from '../fs/file.js';
import { notifyFile } from '../fs/notify.js';

declare module '../fs/file.js' {
  interface OpenFile {
    /** Writes are one unit: a short one is not continued (eventfd). */
    shortWrites?: boolean;
    /** Sockets: how long a blocking read and write wait; absent or Infinity: for ever. */
    readonly receiveTimeoutNs?: number;
    readonly sendTimeoutNs?: number;
  }
}

declare module '../sched/task.js' {
  interface Task {
    /** Lets go of the files that the sleeping call holds. */
    heldBySleep?: (() => void) | null;
  }
}
/** A task that is killed in its sleep does not come back to the call. */
export const sleepHooks: LifecycleHooks = {
  exit(task) {
    task.heldBySleep?.();
  },
};

/** The file behind `fd` for I/O: O_PATH descriptors do not count. */
export function ioFile(task: Task, fd: number): OpenFile {
  const file = task.files.get(fd);
  if ((file.flags & O_PATH) !== 0) throw errno(EBADF);
  return file;
}
export const isReadable = (file: OpenFile): boolean => (file.flags & (O_PATH | O_WRONLY)) === 0;
export const isWritable = (file: OpenFile): boolean =>
  (file.flags & O_PATH) === 0 && (((file.flags & 3) + 1) & 2) !== 0;

export function readableFile(task: Task, fd: number): OpenFile {
  const file = task.files.get(fd);
  if (!isReadable(file)) throw errno(EBADF);
  return file;
}
export function writableFile(task: Task, fd: number): OpenFile {
  const file = task.files.get(fd);
  if (!isWritable(file)) throw errno(EBADF);
  return file;
}

/** Puts a new file on the lowest free descriptor; EMFILE releases it. */
export function installFile(task: Task, file: OpenFile, cloexec: boolean): number {
  try {
    return task.files.install(file, cloexec, task.group.limits[RLIMIT_NOFILE].soft);
  } catch (error) {
    discardFile(file);
    throw error;
  }
}

/** Puts two new files on descriptors and stores these at `addr`, or leaves nothing behind (EMFILE, EFAULT). */
export function installPair(task: Task, addr: number, pair: readonly [OpenFile, OpenFile], cloexec: boolean): number {
  let first: number;
  try {
    first = installFile(task, pair[0], cloexec);
  } catch (error) {
    discardFile(pair[1]);
    throw error;
  }
  let second = -1;
  try {
    second = installFile(task, pair[1], cloexec);
    task.mm.scratchView.setInt32(0, first, true);
    task.mm.scratchView.setInt32(4, second, true);
    task.mm.writeStruct(addr, 8);
  } catch (error) {
    task.files.close(first, task);
    if (second >= 0) task.files.close(second, task);
    throw error;
  }
  return 0;
}

/** Sleeps in `attempt` on the given queues (default: the file's), holding the file and perhaps another. */
export function blockOn(
  task: Task,
  file: OpenFile,
  attempt: () => number,
  options?: BlockOptions,
  queues: readonly WaitQueue[] = file.queue === null ? [] : [file.queue],
  other: OpenFile | null = null,
): number {
  file.references++;
  if (other !== null) other.references++;
  const drop = (): void => {
    task.heldBySleep = null;
    dropFile(file);
    if (other !== null) dropFile(other);
  };
  task.heldBySleep = drop;
  const { onInterrupt, onTimeout } = options ?? {};
  return block(
    task,
    () => {
      let result: number;
      try {
        result = attempt();
      } catch (error) {
        drop();
        throw error;
      }
      if (result !== WOULD_BLOCK) drop();
      return result;
    },
    queues,
    {
      ...options,
      onInterrupt: () => {
        onInterrupt?.();
        drop();
      },
      onTimeout: () => {
        drop();
        return onTimeout === undefined ? 0 : onTimeout();
      },
    },
  );
}

/** With a socket timeout a sleep ends in EAGAIN, and a signal is EINTR. */
function timeoutOptions(task: Task, timeoutNs = Infinity): BlockOptions | undefined {
  if (timeoutNs === Infinity) return undefined;
  const onTimeout = (): never => {
    throw errno(EAGAIN);
  };
  return { deadlineNs: task.kernel.clock.monotonicNs() + timeoutNs, restart: EINTR, onTimeout };
}

/** Reads; sleeps as long as nothing is there, unless O_NONBLOCK (or `nonblock`). */
export function readInto(task: Task, file: OpenFile, into: GuestBuffer, offset: number, nonblock = false): number {
  const n = file.read(task, into, offset);
  if (n !== WOULD_BLOCK) {
    if (n > 0) notifyFile(file, IN_ACCESS);
    return n;
  }
  if (nonblock || (file.flags & O_NONBLOCK) !== 0 || file.queue === null) throw errno(EAGAIN);
  return blockOn(task, file, () => file.read(task, into, offset), timeoutOptions(task, file.receiveTimeoutNs));
}

/** Writes all of a stream or whatever else the file takes. */
export function writeFrom(task: Task, file: OpenFile, from: GuestBuffer, offset: number, nonblock = false): number {
  const n = file.write(task, from, offset);
  if (n !== WOULD_BLOCK && (from.remaining === 0 || file.queue === null || file.shortWrites === true)) {
    if (n > 0) notifyFile(file, IN_MODIFY);
    return n;
  }
  if (nonblock || (file.flags & O_NONBLOCK) !== 0 || file.queue === null) {
    if (n === WOULD_BLOCK) throw errno(EAGAIN);
    return n;
  }
  const rest = writeRest(task, file, from, offset, n === WOULD_BLOCK ? 0 : n);
  return blockOn(task, file, rest, timeoutOptions(task, file.sendTimeoutNs));
}

function writeRest(task: Task, file: OpenFile, from: GuestBuffer, offset: number, done: number): () => number {
  let moved = done;
  return () => {
    for (;;) {
      let n: number;
      try {
        n = file.write(task, from, offset);
      } catch (error) {
        if (moved > 0) return moved;
        throw error;
      }
      if (n === WOULD_BLOCK) return moved > 0 && task.signalPending() ? moved : WOULD_BLOCK;
      moved += n;
      if (from.remaining === 0 || n === 0 || file.shortWrites === true) return moved;
    }
  };
}

/**
 * Runs a long kernel-side copy in steps: `step` calls `stepLater` and returns WOULD_BLOCK to let guests and the event loop run
 * in between. Interrupted between steps like any sleep.
 */
export function inSteps(task: Task, source: OpenFile, sink: OpenFile, step: () => number): number {
  return blockOn(task, sink, step, undefined, sink.queue === null ? [] : [sink.queue], source);
}

/** Wakes the task's sleep in the next turn of the kernel loop: a timer that is due, since wakes are served in this one. */
export function stepLater({ kernel, sleep }: Task): void {
  kernel.timers.add(kernel.clock.monotonicNs(), () => sleep.wake());
}
