/**
 * Sockets as files (net/socket.c): what the socket calls ask of any family. Operations never sleep: they return WOULD_BLOCK
 * and wake `queue`; the calls sleep, with the socket's own timeouts.
 *
 * A family implements Socket; one that does not support an operation gives EOPNOTSUPP, as sock_no_* do.
 */
import { EOPNOTSUPP, errno } from '../abi/errno.js';
import { S_IFSOCK } from '../abi/flags/stat.js';
import { O_NONBLOCK, O_RDWR } from '../abi/flags/open.js';
import { SOCK_NONBLOCK } from '../abi/flags/socket.js';
import type { Credentials } from '../../sched/credentials.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { PseudoInode, pseudoFs } from '../../fs/anon-inode.js';
import { OpenFile, type GuestBuffer } from '../../fs/file.js';
import { PollQueue } from '../../fs/poll-queue.js';
import { defaultOptions, type SocketOptions } from './options.js';

/** struct ucred. */
export interface Ucred {
  pid: number;
  uid: number;
  gid: number;
}

/** What sendmsg hands over besides the data. The family takes `rights` by setting it to null. */
export interface SendMessage {
  flags: number;
  /** struct sockaddr bytes, or null. */
  address: Uint8Array | null;
  /** Files to pass on, each with a reference of its own. */
  rights: OpenFile[] | null;
  creds: Ucred | null;
}

/** What recvmsg gets besides the data. */
export interface ReceiveMessage {
  flags: number;
  address: Uint8Array | null;
  rights: OpenFile[] | null;
  creds: Ucred | null;
  /** MSG_TRUNC and friends for msg_flags. */
  outFlags: number;
  /** Length of the datagram even if it did not fit, for MSG_TRUNC in `flags`. */
  fullLength: number;
}

export const noMessage = (flags = 0): SendMessage => ({ flags, address: null, rights: null, creds: null });
export const newReceive = (flags = 0): ReceiveMessage => ({
  flags,
  address: null,
  rights: null,
  creds: null,
  outFlags: 0,
  fullLength: 0,
});

export abstract class Socket extends OpenFile {
  override readonly queue = new PollQueue();
  readonly kernel: KernelState;
  readonly domain: number;
  readonly type: number;
  readonly protocol: number;
  readonly options: SocketOptions;
  /** Pending error, reported once (SO_ERROR or the next operation). */
  error = 0;

  constructor(kernel: KernelState, creds: Credentials, domain: number, type: number, protocol: number, flags: number) {
    const inode = new PseudoInode(pseudoFs(kernel).sockfs, S_IFSOCK | 0o777, creds.fsuid, creds.fsgid);
    super(inode, null, O_RDWR | (flags & SOCK_NONBLOCK ? O_NONBLOCK : 0));
    this.kernel = kernel;
    this.domain = domain;
    this.type = type;
    this.protocol = protocol;
    this.options = defaultOptions();
  }

  bind(_task: Task, _address: Uint8Array): void {
    throw errno(EOPNOTSUPP);
  }
  /** 0 or WOULD_BLOCK. */
  connect(_task: Task, _address: Uint8Array): number {
    throw errno(EOPNOTSUPP);
  }
  listen(_task: Task, _backlog: number): void {
    throw errno(EOPNOTSUPP);
  }
  /** The new socket, or null to wait. */
  accept(_task: Task, _flags: number): Socket | null {
    throw errno(EOPNOTSUPP);
  }
  /** struct sockaddr bytes. */
  name(): Uint8Array {
    throw errno(EOPNOTSUPP);
  }
  /** ENOTCONN. */
  peerName(): Uint8Array {
    throw errno(EOPNOTSUPP);
  }
  abstract send(task: Task, from: GuestBuffer, message: SendMessage): number;
  abstract receive(task: Task, into: GuestBuffer, message: ReceiveMessage): number;
  shutdown(_how: number): void {
    throw errno(EOPNOTSUPP);
  }
  /** Options of other levels than SOL_SOCKET. */
  setOption(_task: Task, _level: number, _name: number, _value: number, _length: number): void {
    throw errno(EOPNOTSUPP);
  }
  getOption(_task: Task, _level: number, _name: number): Uint8Array {
    throw errno(EOPNOTSUPP);
  }
  get listening(): boolean {
    return false;
  }
  /** SO_PEERCRED; null before there is a peer. */
  get peerCredentials(): Ucred | null {
    return null;
  }
  /** SO_PEERGROUPS. */
  get peerGroups(): readonly number[] | null {
    return null;
  }

  // --- as a file
  override get receiveTimeoutNs(): number {
    return this.options.receiveTimeoutNs;
  }
  override get sendTimeoutNs(): number {
    return this.options.sendTimeoutNs;
  }
  override read(task: Task, into: GuestBuffer): number {
    return this.receive(task, into, newReceive());
  }
  override write(task: Task, from: GuestBuffer): number {
    return this.send(task, from, noMessage());
  }
  override describe(): string {
    return `socket:[${this.inode.ino}]`;
  }
  /** Takes the pending error: throws it. */
  throwError(): void {
    const { error } = this;
    if (error === 0) return;
    this.error = 0;
    throw errno(error);
  }
}
