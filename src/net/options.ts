/**
 * SOL_SOCKET options (net/core/sock.c, sk_setsockopt and sk_getsockopt).
 *
 * Linux oddities: a buffer size is doubled when set and has a floor; a boolean reads back as 0 or 1; getsockopt cuts what
 * does not fit in silence; linger and the timeouts have layouts of their own.
 */
import { EDOM, EINVAL, ENODATA, ENOPROTOOPT, EPERM, ERANGE, errno } from '../abi/errno.js';
import { SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_OLD } from '../abi/flags/socket.js';
import * as SO from '../abi/flags/socket-options.js';
import { getI64, setU64 } from '../abi/layout.js';
import { capable } from '../../sched/credentials.js';
import { CAP_NET_ADMIN } from '../abi/flags/capability.js';
import type { Task } from '../../sched/task.js';
import type { Socket } from './socket.js';

/** /proc/sys/net/core/{r,w}mem_{default,max}. */
const DEFAULT_BUFFER = 212_992;
const MAX_BUFFER = 4_194_304;
const MIN_SNDBUF = 4608;
const MIN_RCVBUF = 2304;

export interface SocketOptions {
  sndbuf: number;
  rcvbuf: number;
  rcvlowat: number;
  passcred: boolean;
  /** Nanoseconds; Infinity: for ever. */
  receiveTimeoutNs: number;
  sendTimeoutNs: number;
  linger: { on: boolean; seconds: number };
  peekOffset: number;
  /** Options that are only kept, by name. */
  kept: Map<number, number>;
}

export const defaultOptions = (): SocketOptions => ({
  sndbuf: DEFAULT_BUFFER,
  rcvbuf: DEFAULT_BUFFER,
  rcvlowat: 1,
  passcred: false,
  receiveTimeoutNs: Infinity,
  sendTimeoutNs: Infinity,
  linger: { on: false, seconds: 0 },
  peekOffset: -1,
  kept: new Map(),
});

/** Flags without an effect here. */
const BOOLEANS = new Set<number>([
  SO.SO_DEBUG,
  SO.SO_REUSEADDR,
  SO.SO_REUSEPORT,
  SO.SO_DONTROUTE,
  SO.SO_BROADCAST,
  SO.SO_KEEPALIVE,
  SO.SO_OOBINLINE,
  SO.SO_NO_CHECK,
  SO.SO_PASSSEC,
  SO.SO_RXQ_OVFL,
  SO.SO_NOFCS,
  SO.SO_LOCK_FILTER,
  SO.SO_SELECT_ERR_QUEUE,
  SO_TIMESTAMP_OLD,
  SO_TIMESTAMPNS_OLD,
  SO.SO_ZEROCOPY,
  SO.SO_PREFER_BUSY_POLL,
]);
const NUMBERS = new Set<number>([SO.SO_PRIORITY, SO.SO_MARK, SO.SO_BUSY_POLL, SO.SO_INCOMING_CPU]);
/** Overflow ids shown before there is a peer. */
const NOBODY = 0xffffffff;

export function setSocketOption(task: Task, socket: Socket, name: number, ptr: number, length: number): void {
  const { options } = socket;
  const { mm } = task;
  if (name === SO.SO_LINGER) {
    if (length < 8) throw errno(EINVAL);
    const view = mm.readStruct(ptr, 8);
    options.linger = { on: view.getInt32(0, true) !== 0, seconds: view.getInt32(4, true) };
    return;
  }
  if (isTimeout(name)) {
    setTimeout(task, socket, name, ptr, length);
    return;
  }
  if (length < 4) throw errno(EINVAL);
  const value = mm.readI32(ptr);
  if (BOOLEANS.has(name)) options.kept.set(name, value === 0 ? 0 : 1);
  else if (NUMBERS.has(name)) {
    const privileged = name === SO.SO_MARK || (name === SO.SO_PRIORITY && (value < 0 || value > 6));
    if (privileged && !capable(task.creds, CAP_NET_ADMIN)) throw errno(EPERM);
    options.kept.set(name, value);
  } else setNumber(task, socket, name, value);
}

function setNumber(task: Task, { options }: Socket, name: number, value: number): void {
  switch (name) {
    case SO.SO_SNDBUF:
    case SO.SO_SNDBUFFORCE:
      if (name === SO.SO_SNDBUFFORCE && !capable(task.creds, CAP_NET_ADMIN)) throw errno(EPERM);
      options.sndbuf = Math.max(MIN_SNDBUF, 2 * clampBuffer(value, name === SO.SO_SNDBUF));
      return;
    case SO.SO_RCVBUF:
    case SO.SO_RCVBUFFORCE:
      if (name === SO.SO_RCVBUFFORCE && !capable(task.creds, CAP_NET_ADMIN)) throw errno(EPERM);
      options.rcvbuf = Math.max(MIN_RCVBUF, 2 * clampBuffer(value, name === SO.SO_RCVBUF));
      return;
    case SO.SO_PASSCRED:
      options.passcred = value !== 0;
      return;
    case SO.SO_RCVLOWAT:
      options.rcvlowat = value < 0 ? 0x7fff_ffff : Math.max(1, value);
      return;
    case SO.SO_PEEK_OFF:
      options.peekOffset = value;
      return;
    default:
      throw errno(ENOPROTOOPT);
  }
}
const clampBuffer = (value: number, limited: boolean): number =>
  Math.min(value < 0 ? 0x3fff_ffff : value, limited ? MAX_BUFFER : 0x3fff_ffff);

const isTimeout = (name: number): boolean =>
  name === SO.SO_RCVTIMEO_OLD ||
  name === SO.SO_SNDTIMEO_OLD ||
  name === SO.SO_RCVTIMEO_NEW ||
  name === SO.SO_SNDTIMEO_NEW;
const isReceive = (name: number): boolean => name === SO.SO_RCVTIMEO_OLD || name === SO.SO_RCVTIMEO_NEW;

function setTimeout(task: Task, { options }: Socket, name: number, ptr: number, length: number): void {
  if (length < 16) throw errno(EINVAL);
  const view = task.mm.readStruct(ptr, 16);
  const sec = getI64(view, 0);
  const usec = getI64(view, 8);
  if (usec < 0 || usec >= 1e6) throw errno(EDOM);
  let ns = sec < 0 ? 0 : sec * 1e9 + usec * 1000;
  if (ns === 0 && sec >= 0) ns = Infinity;
  if (isReceive(name)) options.receiveTimeoutNs = ns;
  else options.sendTimeoutNs = ns;
}

/** The value's bytes. */
export function getSocketOption(task: Task, socket: Socket, name: number, length: number): Uint8Array {
  const { options } = socket;
  if (BOOLEANS.has(name) || NUMBERS.has(name)) return int(options.kept.get(name) ?? 0);
  if (isTimeout(name)) return timeoutBytes(isReceive(name) ? options.receiveTimeoutNs : options.sendTimeoutNs);
  switch (name) {
    case SO.SO_TYPE:
      return int(socket.type);
    case SO.SO_DOMAIN:
      return int(socket.domain);
    case SO.SO_PROTOCOL:
      return int(socket.protocol);
    case SO.SO_ERROR: {
      const { error } = socket;
      socket.error = 0;
      return int(error);
    }
    case SO.SO_ACCEPTCONN:
      return int(socket.listening ? 1 : 0);
    case SO.SO_SNDBUF:
      return int(options.sndbuf);
    case SO.SO_RCVBUF:
      return int(options.rcvbuf);
    case SO.SO_RCVLOWAT:
      return int(options.rcvlowat);
    case SO.SO_SNDLOWAT:
      return int(1);
    case SO.SO_PASSCRED:
      return int(options.passcred ? 1 : 0);
    case SO.SO_PEEK_OFF:
      return int(options.peekOffset);
    case SO.SO_LINGER:
      return ints(options.linger.on ? 1 : 0, options.linger.seconds);
    case SO.SO_PEERCRED: {
      const creds = socket.peerCredentials ?? { pid: 0, uid: NOBODY, gid: NOBODY };
      return ints(creds.pid, creds.uid, creds.gid);
    }
    case SO.SO_PEERGROUPS: {
      const groups = socket.peerGroups;
      if (groups === null) throw errno(ENODATA);
      if (length < groups.length * 4) throw errno(ERANGE);
      return ints(...groups);
    }
    case SO.SO_COOKIE:
      return longBytes(socket.inode.ino);
    case SO.SO_BINDTODEVICE:
      return new Uint8Array(0);
    default:
      throw errno(ENOPROTOOPT);
  }
}

function ints(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => view.setInt32(i * 4, value, true));
  return new Uint8Array(view.buffer);
}
const int = (value: number): Uint8Array => ints(value);
function longBytes(...values: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 8));
  values.forEach((value, i) => setU64(view, i * 8, value));
  return new Uint8Array(view.buffer);
}
const timeoutBytes = (ns: number): Uint8Array =>
  ns === Infinity ? longBytes(0, 0) : longBytes(Math.floor(ns / 1e9), Math.floor((ns % 1e9) / 1000));
