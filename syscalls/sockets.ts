/**
 * socket(2) to recvmmsg(2).
 */
import { EAGAIN, EINPROGRESS, EINVAL, errno } from '../src/abi/errno.js';
import { O_NONBLOCK } from '../src/abi/flags/open.js';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_TYPE_MASK } from '../src/abi/flags/socket.js';
import { SOL_SOCKET } from '../src/abi/flags/socket-options.js';
import type { Task } from '../sched/task.js';
import { WOULD_BLOCK } from '../sched/wait.js';
import { ioBuffer } from '../fs/guest-buffer.js';
import { createSocket, createSocketPair } from '../src/net/index.js';
import { getSocketOption, setSocketOption } from '../src/net/options.js';
import { newReceive, noMessage } from '../src/net/socket.js';
import { blockOn, installFile, installPair } from './file-io.js';
import {
  dropRights,
  readAddress,
  receiveHeader,
  receiveOn,
  receivedLength,
  sendHeader,
  sendOn,
  socketOf,
  writeAddress,
} from './socket-messages.js';
import { checkCompat, recvmmsg, sendmmsg, timeout } from './socket-vectors.js';
import {
  absent,
  buffer,
  dynamic,
  enumeration,
  fd,
  flags,
  hex,
  int,
  msghdr,
  size,
  sockaddr,
  struct,
  uint,
  word,
  row,
  type Row,
} from './row.js';

/** The type argument without its flags; unknown flags are EINVAL. */
function splitType(type: number): { kind: number; flags: number } {
  const flags = type & ~SOCK_TYPE_MASK;
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) throw errno(EINVAL);
  return { kind: type & SOCK_TYPE_MASK, flags };
}

function socket(task: Task, domain: number, type: number, protocol: number): number {
  const { kind, flags } = splitType(type);
  const made = createSocket(task, domain, kind, protocol, flags & SOCK_NONBLOCK);
  return installFile(task, made, (flags & SOCK_CLOEXEC) !== 0);
}

function socketpair(task: Task, domain: number, type: number, protocol: number, sv: number): number {
  const { kind, flags } = splitType(type);
  const pair = createSocketPair(task, domain, kind, protocol, flags & SOCK_NONBLOCK);
  return installPair(task, sv, pair, (flags & SOCK_CLOEXEC) !== 0);
}

function bind(task: Task, fd: number, addr: number, length: number): number {
  const made = socketOf(task, fd);
  made.bind(task, readAddress(task, addr, length));
  return 0;
}

function connect(task: Task, fd: number, addr: number, length: number): number {
  const made = socketOf(task, fd);
  const address = readAddress(task, addr, length);
  const first = made.connect(task, address);
  if (first !== WOULD_BLOCK) return first;
  if ((made.flags & O_NONBLOCK) !== 0) throw errno(made.domain === AF_UNIX ? EAGAIN : EINPROGRESS);
  const { sendTimeoutNs } = made.options;
  return blockOn(task, made, () => made.connect(task, address), timeout(task, made, sendTimeoutNs));
}

function listen(task: Task, fd: number, backlog: number): number {
  socketOf(task, fd).listen(task, backlog);
  return 0;
}

function accept4(task: Task, fd: number, addr: number, lengthPtr: number, flags: number): number {
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) throw errno(EINVAL);
  const listener = socketOf(task, fd);
  const attempt = (): number => {
    const made = listener.accept(task, flags);
    if (made === null) return WOULD_BLOCK;
    if ((flags & SOCK_NONBLOCK) !== 0) made.flags |= O_NONBLOCK;
    const newFd = installFile(task, made, (flags & SOCK_CLOEXEC) !== 0);
    if (addr === 0) return newFd;
    try {
      writeAddress(task, addr, lengthPtr, made.peerName());
    } catch (error) {
      task.files.close(newFd, task);
      throw error;
    }
    return newFd;
  };
  const first = attempt();
  if (first !== WOULD_BLOCK) return first;
  if ((listener.flags & O_NONBLOCK) !== 0) throw errno(EAGAIN);
  return blockOn(task, listener, attempt, timeout(task, listener, listener.options.receiveTimeoutNs));
}

function getName(task: Task, fd: number, addr: number, lengthPtr: number, peer: boolean): number {
  const made = socketOf(task, fd);
  writeAddress(task, addr, lengthPtr, peer ? made.peerName() : made.name());
  return 0;
}

function sendto(
  task: Task,
  fd: number,
  buf: number,
  length: number,
  flags: number,
  addr: number,
  addrLength: number,
): number {
  ioBuffer(task).single(task.mm, buf, length, false);
  const made = socketOf(task, fd);
  const message = noMessage(flags);
  if (addr !== 0) message.address = readAddress(task, addr, addrLength);
  return sendOn(task, made, message);
}

function recvfrom(
  task: Task,
  fd: number,
  buf: number,
  length: number,
  flags: number,
  addr: number,
  lengthPtr: number,
): number {
  ioBuffer(task).single(task.mm, buf, length, true);
  const made = socketOf(task, fd);
  const message = newReceive(flags);
  return receiveOn(task, made, message, (n) => {
    if (addr !== 0) writeAddress(task, addr, lengthPtr, message.address ?? new Uint8Array(0));
    dropRights(message);
    return receivedLength(message, n);
  });
}

function sendmsg(task: Task, fd: number, msg: number, flags: number): number {
  checkCompat(flags);
  return sendHeader(task, socketOf(task, fd), msg, flags);
}
function recvmsg(task: Task, fd: number, msg: number, flags: number): number {
  checkCompat(flags);
  return receiveHeader(task, socketOf(task, fd), msg, flags);
}

function shutdown(task: Task, fd: number, how: number): number {
  socketOf(task, fd).shutdown(how);
  return 0;
}

function setsockopt(task: Task, fd: number, level: number, name: number, value: number, length: number): number {
  if (length < 0) throw errno(EINVAL);
  const made = socketOf(task, fd);
  if (level === SOL_SOCKET) setSocketOption(task, made, name, value, length);
  else made.setOption(task, level, name, value, length);
  return 0;
}

function getsockopt(task: Task, fd: number, level: number, name: number, value: number, lengthPtr: number): number {
  const made = socketOf(task, fd);
  const room = task.mm.readI32(lengthPtr);
  if (room < 0) throw errno(EINVAL);
  const bytes = level === SOL_SOCKET ? getSocketOption(task, made, name, room) : made.getOption(task, level, name);
  const n = Math.min(room, bytes.length);
  if (n > 0) task.mm.copyOut(value, bytes, 0, n);
  task.mm.writeU32(lengthPtr, n);
  return 0;
}

export const rows: readonly Row[] = [
  row(
    'socket',
    { x86_64: 41, aarch64: 198 },
    [
      enumeration('domain', 'addrfams'),
      dynamic('type', 'socket_type', 'uint'),
      dynamic('protocol', 'socket_protocol', 'int'),
    ],
    { ret: 'fd', classes: ['network'], disposition: { partial: 'AF_UNIX only; other families are EAFNOSUPPORT' } },
    socket,
  ),
  row(
    'socketpair',
    { x86_64: 53, aarch64: 199 },
    [
      enumeration('domain', 'addrfams'),
      dynamic('type', 'socket_type', 'uint'),
      dynamic('protocol', 'socket_protocol', 'int'),
      word('sv', 'out', 'fdpair'),
    ],
    { ret: 'zero', classes: ['network'] },
    socketpair,
  ),
  row(
    'bind',
    { x86_64: 49, aarch64: 200 },
    [fd('sockfd'), sockaddr('addr', 'in', { arg: 'addrlen' }), int('addrlen')],
    { ret: 'zero', classes: ['network'] },
    (task, fd, addr, length) => bind(task, fd, addr, length),
  ),
  row(
    'connect',
    { x86_64: 42, aarch64: 203 },
    [fd('sockfd'), sockaddr('addr', 'in', { arg: 'addrlen' }), int('addrlen')],
    { ret: 'zero', classes: ['network'] },
    connect,
  ),
  row(
    'listen',
    { x86_64: 50, aarch64: 201 },
    [fd('sockfd'), int('backlog')],
    { ret: 'zero', classes: ['network'] },
    listen,
  ),
  row(
    'accept',
    { x86_64: 43, aarch64: 202 },
    [fd('sockfd'), sockaddr('addr', 'out', { arg: 'addrlen' }), dynamic('addrlen', 'sockaddr_len')],
    { ret: 'fd', classes: ['network'] },
    (task, fd, addr, lengthPtr) => accept4(task, fd, addr, lengthPtr, 0),
  ),
  row(
    'accept4',
    { x86_64: 288, aarch64: 242 },
    [
      fd('sockfd'),
      sockaddr('addr', 'out', { arg: 'addrlen' }),
      dynamic('addrlen', 'sockaddr_len'),
      flags('flags', 'sock_type_flags'),
    ],
    { ret: 'fd', classes: ['network'] },
    accept4,
  ),
  row(
    'getsockname',
    { x86_64: 51, aarch64: 204 },
    [fd('sockfd'), sockaddr('addr', 'out', { arg: 'addrlen' }), dynamic('addrlen', 'sockaddr_len')],
    { ret: 'zero', classes: ['network'] },
    (task, fd, addr, lengthPtr) => getName(task, fd, addr, lengthPtr, false),
  ),
  row(
    'getpeername',
    { x86_64: 52, aarch64: 205 },
    [fd('sockfd'), sockaddr('addr', 'out', { arg: 'addrlen' }), dynamic('addrlen', 'sockaddr_len')],
    { ret: 'zero', classes: ['network'] },
    (task, fd, addr, lengthPtr) => getName(task, fd, addr, lengthPtr, true),
  ),
  row(
    'sendto',
    { x86_64: 44, aarch64: 206 },
    [
      fd('sockfd'),
      buffer('buf', 'in', { arg: 'len' }),
      size('len'),
      flags('flags', 'msg_flags'),
      sockaddr('dest_addr', 'in', { arg: 'addrlen' }),
      int('addrlen'),
    ],
    { ret: 'size', classes: ['network'] },
    sendto,
  ),
  row(
    'recvfrom',
    { x86_64: 45, aarch64: 207 },
    [
      fd('sockfd'),
      buffer('buf', 'out', 'ret'),
      size('len'),
      flags('flags', 'msg_flags'),
      sockaddr('src_addr', 'out', { arg: 'addrlen' }),
      dynamic('addrlen', 'sockaddr_len'),
    ],
    { ret: 'size', classes: ['network'] },
    recvfrom,
  ),
  row(
    'sendmsg',
    { x86_64: 46, aarch64: 211 },
    [fd('sockfd'), msghdr('msg', 'in'), flags('flags', 'msg_flags')],
    {
      ret: 'size',
      classes: ['network'],
    },
    sendmsg,
  ),
  row(
    'recvmsg',
    { x86_64: 47, aarch64: 212 },
    [fd('sockfd'), msghdr('msg', 'out'), flags('flags', 'msg_flags')],
    {
      ret: 'size',
      classes: ['network'],
    },
    recvmsg,
  ),
  row(
    'sendmmsg',
    { x86_64: 307, aarch64: 269 },
    [fd('sockfd'), dynamic('msgvec', 'mmsghdrs'), uint('vlen'), flags('flags', 'msg_flags')],
    { classes: ['network'] },
    sendmmsg,
  ),
  row(
    'recvmmsg',
    { x86_64: 299, aarch64: 243 },
    [
      fd('sockfd'),
      dynamic('msgvec', 'mmsghdrs'),
      uint('vlen'),
      flags('flags', 'msg_flags'),
      struct('timeout', 'inout', 'timespec'),
    ],
    { ret: 'dynamic', classes: ['network'] },
    recvmmsg,
  ),
  row(
    'shutdown',
    { x86_64: 48, aarch64: 210 },
    [fd('sockfd'), enumeration('how', 'shutdown_modes')],
    {
      ret: 'zero',
      classes: ['network'],
    },
    shutdown,
  ),
  row(
    'setsockopt',
    { x86_64: 54, aarch64: 208 },
    [
      fd('sockfd'),
      enumeration('level', 'socketlayers'),
      dynamic('optname', 'sockopt_name', 'int'),
      dynamic('optval', 'sockopt_set'),
      int('optlen'),
    ],
    { ret: 'zero', classes: ['network'], disposition: { partial: 'options of the families that exist' } },
    setsockopt,
  ),
  row(
    'getsockopt',
    { x86_64: 55, aarch64: 209 },
    [
      fd('sockfd'),
      enumeration('level', 'socketlayers'),
      dynamic('optname', 'sockopt_name', 'int'),
      dynamic('optval', 'sockopt_get'),
      word('optlen', 'inout', 'int'),
    ],
    { ret: 'zero', classes: ['network'], disposition: { partial: 'options of the families that exist' } },
    getsockopt,
  ),
  absent('getpmsg', { x86_64: 181 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4'), hex('arg5')], {
    classes: ['network'],
  }),
  absent('putpmsg', { x86_64: 182 }, [hex('arg1'), hex('arg2'), hex('arg3'), hex('arg4'), hex('arg5')], {
    classes: ['network'],
  }),
];
