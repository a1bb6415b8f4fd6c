/**
 * Messages of sendmsg(2) and recvmsg(2): struct msghdr, control messages, addresses, and the sleeping around a socket's send
 * and receive (net/socket.c, net/core/scm.c).
 *
 * Invariant: files taken from SCM_RIGHTS hold a reference until they are delivered or dropped. Oddities: what does not fit of
 * a control message is dropped with MSG_CTRUNC; a stream send goes on until all is sent; with a socket timeout a signal gives
 * EINTR, without one a restart.
 */
import {
  EAGAIN,
  EBADF,
  EINTR,
  EINVAL,
  EMSGSIZE,
  ENOBUFS,
  ENOTSOCK,
  ERESTARTSYS,
  ETOOMANYREFS,
  errno,
  errnoOf,
} from '../src/abi/errno.js';
import { O_NONBLOCK } from '../src/abi/flags/open.js';
import { RLIMIT_NOFILE } from '../src/abi/flags/limits.js';
import {
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  SCM_CREDENTIALS,
  SCM_MAX_FD,
  SCM_RIGHTS,
  SOCK_STREAM,
  UIO_MAXIOV,
} from '../src/abi/flags/socket.js';
import { SOL_SOCKET } from '../src/abi/flags/socket-options.js';
import { getU64, setU64 } from '../src/abi/layout.js';
import { CMSGHDR, MSGHDR } from '../src/abi/layouts/socket.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK } from '../sched/wait.js';
import { dropFile } from '../fs/fd-table.js';
import type { OpenFile } from '../fs/file.js';
import { ioBuffer } from '../fs/guest-buffer.js';
import { newReceive, noMessage, Socket, type ReceiveMessage, type SendMessage } from '../src/net/socket.js';
import { checkUcred } from '../src/net/unix-socket.js';
import { blockOn, ioFile } from './file-io.js';

/** sizeof(struct sockaddr_storage). */
const MAX_ADDRESS = 128;
const MAX_CONTROL = 0x7fff_ffff;
/** More control data than this has no meaning for any family here (net.core.optmem_max). */
const OPTMEM_MAX = 131_072;
const ALIGN = 8;
const align = (n: number): number => Math.ceil(n / ALIGN) * ALIGN;

export function socketOf(task: Task, fd: number): Socket {
  const file = ioFile(task, fd);
  if (!(file instanceof Socket)) throw errno(ENOTSOCK);
  return file;
}

// --- addresses
/** move_addr_to_kernel: EINVAL for a bad length. */
export function readAddress(task: Task, ptr: number, length: number): Uint8Array {
  if (length < 0 || length > MAX_ADDRESS) throw errno(EINVAL);
  const bytes = new Uint8Array(length);
  if (length > 0) task.mm.copyIn(ptr, bytes, 0, length);
  return bytes;
}
/** move_addr_to_user: writes what fits, and the real length. */
export function writeAddress(task: Task, ptr: number, lengthPtr: number, address: Uint8Array): void {
  const room = task.mm.readI32(lengthPtr);
  if (room < 0) throw errno(EINVAL);
  const n = Math.min(room, address.length);
  if (n > 0) task.mm.copyOut(ptr, address, 0, n);
  task.mm.writeU32(lengthPtr, address.length);
}

// --- struct msghdr
export interface Header {
  ptr: number;
  name: number;
  nameLength: number;
  iov: number;
  iovCount: number;
  control: number;
  controlLength: number;
}

export function readHeader(task: Task, ptr: number): Header {
  const view = task.mm.readStruct(ptr, MSGHDR.size);
  const { offsets } = MSGHDR;
  const name = getU64(view, offsets.msg_name);
  let nameLength = name === 0 ? 0 : view.getInt32(offsets.msg_namelen, true);
  if (nameLength < 0) throw errno(EINVAL);
  if (nameLength > MAX_ADDRESS) nameLength = MAX_ADDRESS;
  const iovCount = getU64(view, offsets.msg_iovlen);
  if (iovCount > UIO_MAXIOV) throw errno(EMSGSIZE);
  const controlLength = getU64(view, offsets.msg_controllen);
  return {
    ptr,
    name,
    nameLength,
    iov: getU64(view, offsets.msg_iov),
    iovCount,
    control: getU64(view, offsets.msg_control),
    controlLength,
  };
}

/** The control messages to send. */
export function readControl(task: Task, header: Header, message: SendMessage): void {
  const { control, controlLength } = header;
  if (controlLength > MAX_CONTROL) throw errno(ENOBUFS);
  if (control === 0 || controlLength === 0) return;
  if (controlLength > OPTMEM_MAX) throw errno(ENOBUFS);
  const bytes = new Uint8Array(controlLength);
  task.mm.copyIn(control, bytes, 0, controlLength);
  const view = new DataView(bytes.buffer);
  try {
    for (let at = 0; at + CMSGHDR.size <= controlLength;) {
      const length = getU64(view, at);
      if (length < CMSGHDR.size || at + length > controlLength) throw errno(EINVAL);
      if (view.getInt32(at + 8, true) === SOL_SOCKET) readControlMessage(task, view, at, length, message);
      at += align(length);
    }
  } catch (error) {
    dropRights(message);
    throw error;
  }
}

function readControlMessage(task: Task, view: DataView, at: number, length: number, message: SendMessage): void {
  const type = view.getInt32(at + 12, true);
  const data = at + CMSGHDR.size;
  if (type === SCM_RIGHTS) {
    const count = Math.floor((length - CMSGHDR.size) / 4);
    const rights = (message.rights ??= []);
    if (rights.length + count > SCM_MAX_FD) throw errno(rights.length === 0 ? EINVAL : ETOOMANYREFS);
    for (let i = 0; i < count; i++) {
      const file = task.files.find(view.getInt32(data + i * 4, true));
      if (file === undefined) throw errno(EBADF);
      file.references++;
      rights.push(file);
    }
    if (rights.length === 0) message.rights = null;
  } else if (type === SCM_CREDENTIALS) {
    if (length !== CMSGHDR.size + 12) throw errno(EINVAL);
    const creds = {
      pid: view.getInt32(data, true),
      uid: view.getUint32(data + 4, true),
      gid: view.getUint32(data + 8, true),
    };
    checkUcred(task, creds);
    message.creds = creds;
  } else throw errno(EINVAL);
}

export function dropRights(message: { rights: OpenFile[] | null }): void {
  const { rights } = message;
  message.rights = null;
  for (const file of rights ?? []) dropFile(file);
}

/** Writes the control messages received; returns their length. Credentials come before files. */
function writeControl(task: Task, header: Header, message: ReceiveMessage): number {
  let used = 0;
  const room = header.control === 0 ? 0 : header.controlLength;
  const put = (type: number, words: readonly number[]): void => {
    const full = CMSGHDR.size + words.length * 4;
    if (room - used < CMSGHDR.size) {
      message.outFlags |= MSG_CTRUNC;
      return;
    }
    const length = Math.min(full, room - used);
    if (length < full) message.outFlags |= MSG_CTRUNC;
    const bytes = new Uint8Array(full);
    const view = new DataView(bytes.buffer);
    setU64(view, 0, length);
    view.setInt32(8, SOL_SOCKET, true);
    view.setInt32(12, type, true);
    words.forEach((word, i) => view.setInt32(CMSGHDR.size + i * 4, word, true));
    task.mm.copyOut(header.control + used, bytes, 0, length);
    used += Math.min(align(full), room - used);
  };
  if (message.creds !== null) put(SCM_CREDENTIALS, [message.creds.pid, message.creds.uid, message.creds.gid]);
  if (message.rights !== null) {
    const fits = Math.max(0, Math.floor((room - used - CMSGHDR.size) / 4));
    const { rights } = message;
    const fds = installRights(task, rights.slice(0, fits), (message.flags & MSG_CMSG_CLOEXEC) !== 0);
    if (fds.length < rights.length) message.outFlags |= MSG_CTRUNC;
    dropRights(message);
    if (fds.length > 0) put(SCM_RIGHTS, fds);
  }
  return used;
}

/** As many as there are numbers for. */
function installRights(task: Task, files: readonly OpenFile[], cloexec: boolean): number[] {
  const fds: number[] = [];
  const limit = task.group.limits[RLIMIT_NOFILE].soft;
  for (const file of files)
    try {
      fds.push(task.files.install(file, cloexec, limit));
    } catch (error) {
      errnoOf(error);
      break;
    }
  return fds;
}

// --- sending
const dontWait = (socket: Socket, flags: number): boolean =>
  (flags & MSG_DONTWAIT) !== 0 || (socket.flags & O_NONBLOCK) !== 0;

/** How a sleep on a socket ends: at its timeout with EAGAIN, by a signal as sock_intr_errno says. */
function sleepOptions(task: Task, timeoutNs: number, onTimeout: () => number) {
  if (timeoutNs === Infinity) return { restart: ERESTARTSYS };
  return { deadlineNs: task.kernel.clock.monotonicNs() + timeoutNs, restart: EINTR, onTimeout };
}

/** Sends the buffer of the task; takes over the message's files. */
export function sendOn(task: Task, socket: Socket, message: SendMessage): number {
  const from = ioBuffer(task);
  let total = 0;
  const stream = socket.type === SOCK_STREAM;
  const wait = !dontWait(socket, message.flags);
  const attempt = (): number => {
    try {
      for (;;) {
        const n = socket.send(task, from, message);
        if (n === WOULD_BLOCK) {
          if (total > 0 && (!wait || task.signalPending())) break;
          if (wait) return WOULD_BLOCK;
          throw errno(EAGAIN);
        }
        total += n;
        if (!stream || from.remaining === 0 || n === 0) break;
      }
    } catch (error) {
      errnoOf(error);
      dropRights(message);
      if (total === 0) throw error;
    }
    dropRights(message);
    return total;
  };
  const first = attempt();
  if (first !== WOULD_BLOCK) return first;
  const { sendTimeoutNs } = socket.options;
  const options = sleepOptions(task, sendTimeoutNs, () => {
    dropRights(message);
    if (total > 0) return total;
    throw errno(EAGAIN);
  });
  return blockOn(task, socket, attempt, { ...options, onInterrupt: () => dropRights(message) });
}

// --- receiving
/** Receives into the buffer of the task; `done` copies the rest out and gives the result. */
export function receiveOn(task: Task, socket: Socket, message: ReceiveMessage, done: (n: number) => number): number {
  const into = ioBuffer(task);
  let total = 0;
  const wait = !dontWait(socket, message.flags);
  const all = (message.flags & MSG_WAITALL) !== 0 && (message.flags & MSG_PEEK) === 0 && socket.type === SOCK_STREAM;
  const attempt = (): number => {
    for (;;) {
      let n: number;
      try {
        n = socket.receive(task, into, message);
      } catch (error) {
        if (total > 0) return done(total);
        throw error;
      }
      if (n === WOULD_BLOCK) {
        if (total > 0 && (!wait || task.signalPending())) return done(total);
        if (wait) return WOULD_BLOCK;
        throw errno(EAGAIN);
      }
      total += n;
      if (!all || n === 0 || into.remaining === 0 || message.rights !== null) return done(total);
    }
  };
  const first = attempt();
  if (first !== WOULD_BLOCK) return first;
  const options = sleepOptions(task, socket.options.receiveTimeoutNs, () => {
    if (total > 0) return done(total);
    throw errno(EAGAIN);
  });
  return blockOn(task, socket, attempt, options);
}

/** What recvfrom and recvmsg return: with MSG_TRUNC the length of the whole datagram. */
export function receivedLength(message: ReceiveMessage, n: number): number {
  return (message.flags & MSG_TRUNC) !== 0 && message.fullLength > n ? message.fullLength : n;
}

// --- one message
export function sendHeader(task: Task, socket: Socket, ptr: number, flags: number): number {
  const header = readHeader(task, ptr);
  const message = noMessage(flags);
  if (header.nameLength > 0) message.address = readAddress(task, header.name, header.nameLength);
  ioBuffer(task).vector(task.mm, header.iov, header.iovCount, false);
  readControl(task, header, message);
  return sendOn(task, socket, message);
}

export function receiveHeader(
  task: Task,
  socket: Socket,
  ptr: number,
  flags: number,
  after?: (n: number) => number,
): number {
  const header = readHeader(task, ptr);
  ioBuffer(task).vector(task.mm, header.iov, header.iovCount, true);
  const message = newReceive(flags);
  return receiveOn(task, socket, message, (n) => {
    writeHeader(task, header, message);
    const length = receivedLength(message, n);
    return after === undefined ? length : after(length);
  });
}

function writeHeader(task: Task, header: Header, message: ReceiveMessage): void {
  const { mm } = task;
  const { offsets } = MSGHDR;
  try {
    if (header.name !== 0) {
      const address = message.address ?? new Uint8Array(0);
      const n = Math.min(header.nameLength, address.length);
      if (n > 0) mm.copyOut(header.name, address, 0, n);
      mm.writeU32(header.ptr + offsets.msg_namelen, address.length);
    }
    const used = writeControl(task, header, message);
    mm.writeU64(header.ptr + offsets.msg_controllen, used);
    mm.writeU32(header.ptr + offsets.msg_flags, (message.outFlags | (message.flags & MSG_CMSG_CLOEXEC)) >>> 0);
  } finally {
    dropRights(message);
  }
}
