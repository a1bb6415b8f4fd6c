/**
 * Addresses of AF_UNIX (unix(7)): a path, an abstract name (first byte NUL), or none.
 *
 * An address is kept as the byte string of sun_path; '' is unnamed. The abstract names of a kernel are one table, path names
 * hang on the inode of the socket node.
 */
import { EADDRINUSE, ECONNREFUSED, EEXIST, EINVAL, ENOSPC, errno, errnoOf } from '../abi/errno.js';
import { AF_UNIX } from '../abi/flags/socket.js';
import { AT_FDCWD } from '../abi/flags/open.js';
import { S_IFSOCK } from '../abi/flags/stat.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import type { Inode } from '../../fs/inode.js';
import { makeNode, newName } from '../../fs/namespace-ops.js';
import { MAY_WRITE, checkPermission } from '../../fs/permissions.js';
import { holdInode } from '../../fs/references.js';
import { LOOKUP_FOLLOW, resolve } from '../../fs/walk.js';
import type { UnixSocket } from './unix-socket.js';

const PATH_OFFSET = 2;
const PATH_MAX = 108;

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    unix?: UnixNames;
  }
}
declare module '../../fs/inode.js' {
  interface Inode {
    boundSocket?: UnixSocket | null;
  }
}

export class UnixNames {
  readonly abstract = new Map<string, UnixSocket>();
  /** Every socket, for /proc/net/unix. */
  readonly sockets = new Set<UnixSocket>();
  nextAuto = 0;
}
export const unixNames = (kernel: KernelState): UnixNames => (kernel.unix ??= new UnixNames());

/** sun_path of a struct sockaddr_un, at least one byte long. */
export function parseAddress(address: Uint8Array): string {
  if (address.length <= PATH_OFFSET || address.length > PATH_OFFSET + PATH_MAX) throw errno(EINVAL);
  if ((address[0] | (address[1] << 8)) !== AF_UNIX) throw errno(EINVAL);
  const path = Buffer.from(address.subarray(PATH_OFFSET)).toString('latin1');
  if (path.startsWith('\0')) return path;
  const end = path.indexOf('\0');
  return end < 0 ? path : path.slice(0, end);
}

/** bind(2) with the family alone asks for any abstract name. */
export const isAutobind = (address: Uint8Array): boolean =>
  address.length === PATH_OFFSET && (address[0] | (address[1] << 8)) === AF_UNIX;

/** struct sockaddr_un; a path ends in a NUL, an unnamed one is the family alone. */
export function encodeAddress(name: string): Uint8Array {
  const text = name === '' || name.startsWith('\0') ? name : `${name}\0`;
  const bytes = Buffer.alloc(PATH_OFFSET + text.length);
  bytes.writeUInt16LE(AF_UNIX, 0);
  bytes.write(text, PATH_OFFSET, 'latin1');
  return bytes;
}

/**
 * Gives `socket` the name; returns the inode of a path name. A path in use is EADDRINUSE even for a socket that has a name
 * already (EINVAL), an abstract name the other way round.
 */
export function bindName(task: Task, socket: UnixSocket, name: string): Inode | null {
  const bound = socket.boundName !== '';
  if (name.startsWith('\0')) {
    const { abstract } = unixNames(task.kernel);
    if (bound) throw errno(EINVAL);
    if (abstract.has(name)) throw errno(EADDRINUSE);
    abstract.set(name, socket);
    return null;
  }
  let inode: Inode;
  try {
    const place = newName(task, AT_FDCWD, name, false);
    if (bound) throw errno(EINVAL);
    inode = makeNode(task, place, S_IFSOCK | (0o777 & ~task.fs.umask));
  } catch (error) {
    throw errnoOf(error) === EEXIST ? errno(EADDRINUSE) : error;
  }
  holdInode(inode);
  inode.boundSocket = socket;
  return inode;
}

/** A free abstract name of five hexadecimal digits. */
export function autobindName(task: Task): string {
  const names = unixNames(task.kernel);
  for (let tries = 0; tries < 0x100000; tries++) {
    names.nextAuto = (names.nextAuto + 1) & 0xfffff;
    const name = `\0${names.nextAuto.toString(16).padStart(5, '0')}`;
    if (!names.abstract.has(name)) return name;
  }
  throw errno(ENOSPC);
}

/** The socket at an address: ENOENT and the walk's errors, EACCES, ECONNREFUSED. */
export function findSocket(task: Task, name: string): UnixSocket {
  if (name === '') throw errno(ECONNREFUSED);
  if (name.startsWith('\0')) {
    const socket = unixNames(task.kernel).abstract.get(name);
    if (socket === undefined) throw errno(ECONNREFUSED);
    return socket;
  }
  const inode = resolve(task, AT_FDCWD, name, LOOKUP_FOLLOW).dentry.inode!;
  checkPermission(inode, MAY_WRITE, task.creds);
  if (inode.type !== S_IFSOCK) throw errno(ECONNREFUSED);
  const socket = inode.boundSocket;
  if (socket === undefined || socket === null) throw errno(ECONNREFUSED);
  return socket;
}
