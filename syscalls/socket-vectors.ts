/**
 * sendmmsg(2) and recvmmsg(2), and what they share with the calls of one message.
 *
 * Oddities: only the first message of sendmmsg may sleep here, the others are tried (the caller goes on with another call, as
 * after any short count); recvmmsg looks at its timeout only after a message has come, so that it may sleep beyond it, and
 * writes back what is left of it unless it fails.
 */
import { EAGAIN, EFAULT, EINPROGRESS, EINTR, EINVAL, ERESTARTSYS, errno, errnoOf } from '../src/abi/errno.js';
import { O_NONBLOCK } from '../src/abi/flags/open.js';
import { AF_UNIX, MSG_CMSG_COMPAT, MSG_DONTWAIT, MSG_WAITFORONE, UIO_MAXIOV } from '../src/abi/flags/socket.js';
import { MMSGHDR } from '../src/abi/layouts/socket.js';
import type { Task } from '../sched/task.js';
import { BLOCKED, WOULD_BLOCK } from '../sched/wait.js';
import type { Socket } from '../src/net/socket.js';
import { deadlineAt, writeRemaining } from './deadline.js';
import { blockOn } from './file-io.js';
import { receiveHeader, sendHeader, socketOf } from './socket-messages.js';

/** How a sleep ends with SO_RCVTIMEO or SO_SNDTIMEO. */
export function timeout(task: Task, made: Socket, timeoutNs: number) {
  if (timeoutNs === Infinity) return { restart: ERESTARTSYS };
  const onTimeout = (): never => {
    throw errno(made.domain === AF_UNIX ? EAGAIN : EINPROGRESS);
  };
  return { deadlineNs: task.kernel.clock.monotonicNs() + timeoutNs, restart: EINTR, onTimeout };
}

/** MSG_CMSG_COMPAT is for 32-bit callers only. */
export function checkCompat(flags: number): void {
  if ((flags & MSG_CMSG_COMPAT) !== 0) throw errno(EINVAL);
}

const VECTOR_LENGTH = MMSGHDR.offsets.msg_len;

/** Sends one message after the other; the first may sleep, the others are tried. */
export function sendmmsg(task: Task, fd: number, msgvec: number, count: number, flags: number): number {
  checkCompat(flags);
  const made = socketOf(task, fd);
  const total = Math.min(count, UIO_MAXIOV);
  let done = 0;
  while (done < total) {
    const at = msgvec + done * MMSGHDR.size;
    try {
      const n = sendHeader(task, made, at, done === 0 ? flags : (flags | MSG_DONTWAIT) >>> 0);
      // Asleep in the first message: the rest is for the caller's next call.
      if (n === BLOCKED) return sleepingFirst(task, at);
      task.mm.writeU32(at + VECTOR_LENGTH, n);
    } catch (error) {
      errnoOf(error);
      if (done === 0) throw error;
      return done;
    }
    done++;
  }
  return done;
}

/** The sleeping first message of a vector: its length is stored and 1 returned when it is done. */
function sleepingFirst(task: Task, at: number): number {
  const { sleep } = task;
  const inner = sleep.attempt!;
  sleep.attempt = () => {
    const n = inner();
    if (n === WOULD_BLOCK) return n;
    task.mm.writeU32(at + VECTOR_LENGTH, n);
    return 1;
  };
  return BLOCKED;
}

export function recvmmsg(
  task: Task,
  fd: number,
  msgvec: number,
  count: number,
  flags: number,
  timeoutPtr: number,
): number {
  checkCompat(flags);
  const deadlineNs = deadlineAt(task, timeoutPtr);
  const made = socketOf(task, fd);
  const total = Math.min(count, UIO_MAXIOV);
  const wait = (flags & MSG_DONTWAIT) === 0 && (made.flags & O_NONBLOCK) === 0;
  const each = ((flags & ~MSG_WAITFORONE) | MSG_DONTWAIT) >>> 0;
  let done = 0;
  const finish = (): number => {
    if (timeoutPtr !== 0 && !writeRemaining(task, timeoutPtr, deadlineNs, 1)) throw errno(EFAULT);
    return done;
  };
  const attempt = (): number => {
    while (done < total) {
      const at = msgvec + done * MMSGHDR.size;
      try {
        task.mm.writeU32(at + VECTOR_LENGTH, receiveHeader(task, made, at, each));
      } catch (error) {
        if (errnoOf(error) === EAGAIN && wait && (done === 0 || (flags & MSG_WAITFORONE) === 0))
          return done > 0 && task.signalPending() ? finish() : WOULD_BLOCK;
        if (done > 0) return finish();
        throw error;
      }
      done++;
      if (task.kernel.clock.monotonicNs() >= deadlineNs) break;
    }
    return finish();
  };
  if (total === 0) return 0;
  const first = attempt();
  return first === WOULD_BLOCK
    ? blockOn(task, made, attempt, timeout(task, made, made.options.receiveTimeoutNs))
    : first;
}
