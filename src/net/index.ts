/**
 * Which address families there are, and making sockets of them (net/socket.c, __sock_create).
 *
 * Linux oddity: SOCK_RAW of AF_UNIX is a datagram socket.
 */
import { EAFNOSUPPORT, EINVAL, EOPNOTSUPP, EPROTONOSUPPORT, ESOCKTNOSUPPORT, errno } from '../abi/errno.js';
import { AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM } from '../abi/flags/socket.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { addNetFile } from '../../fs/procfs/index.js';
import { discardFile } from '../../fs/open.js';
import type { Socket } from './socket.js';
import { unixNames } from './unix-address.js';
import { UnixDatagram } from './unix-dgram.js';
import { UnixStream } from './unix-stream.js';

/** NPROTO and SOCK_MAX. */
const FAMILIES = 46;
const SOCK_MAX = 11;

export interface Family {
  /** `type` without flags; `flags`: SOCK_NONBLOCK. */
  create(task: Task, type: number, protocol: number, flags: number): Socket;
  pair?(task: Task, a: Socket, b: Socket): void;
}

const unix: Family = {
  create(task, type, protocol, flags) {
    if (protocol !== 0 && protocol !== AF_UNIX) throw errno(EPROTONOSUPPORT);
    if (type === SOCK_STREAM || type === SOCK_SEQPACKET) return new UnixStream(task.kernel, task, type, flags);
    if (type === SOCK_DGRAM || type === SOCK_RAW) return new UnixDatagram(task.kernel, task, flags);
    throw errno(ESOCKTNOSUPPORT);
  },
  pair(task, a, b) {
    if (a instanceof UnixStream && b instanceof UnixStream) UnixStream.join(task, a, b);
    else UnixDatagram.join(task, a as UnixDatagram, b as UnixDatagram);
  },
};

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    /** Address families by number. */
    families?: Map<number, Family>;
  }
}

/** Registers the families of a kernel and their tables in /proc/net. */
export function registerNetworking(kernel: KernelState): void {
  (kernel.families ??= new Map<number, Family>()).set(AF_UNIX, unix);
  addNetFile(kernel, 'unix', () => unixTable(kernel));
}

export function createSocket(task: Task, domain: number, type: number, protocol: number, flags: number): Socket {
  if (domain < 0 || domain >= FAMILIES) throw errno(EAFNOSUPPORT);
  if (type < 0 || type >= SOCK_MAX) throw errno(EINVAL);
  return familyOf(task.kernel, domain).create(task, type, protocol, flags);
}
export function createSocketPair(
  task: Task,
  domain: number,
  type: number,
  protocol: number,
  flags: number,
): [Socket, Socket] {
  const a = createSocket(task, domain, type, protocol, flags);
  const b = createSocket(task, domain, type, protocol, flags);
  const family = familyOf(task.kernel, domain);
  if (family.pair === undefined) {
    discardFile(a);
    discardFile(b);
    throw errno(EOPNOTSUPP);
  }
  family.pair(task, a, b);
  return [a, b];
}
function familyOf(kernel: KernelState, domain: number): Family {
  const family = domain === AF_UNIX ? unix : kernel.families?.get(domain);
  if (family === undefined) throw errno(EAFNOSUPPORT);
  return family;
}

/** /proc/net/unix. */
function unixTable(kernel: KernelState): string {
  const hex = (n: number, width: number): string => n.toString(16).toUpperCase().padStart(width, '0');
  let text = 'Num       RefCount Protocol Flags    Type St Inode Path\n';
  for (const socket of unixNames(kernel).sockets) {
    const state = socket.listening || socket.peer === null ? 1 : 3;
    const name = socket.boundName.replace(/\0/g, '@');
    text +=
      `0000000000000000: ${hex(2, 8)} 00000000 ${hex(socket.listening ? 0x10000 : 0, 8)} ${hex(socket.type, 4)} ` +
      `${hex(state, 2)} ${String(socket.inode.ino).padStart(5)}${name === '' ? '' : ` ${name}`}\n`;
  }
  return text;
}
