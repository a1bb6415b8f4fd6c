/**
 * AF_UNIX datagram sockets.
 *
 * Linux oddities: a datagram to a socket that is connected elsewhere is EPERM; a receiver that is not connected back takes
 * max_dgram_qlen datagrams and then holds its senders up; connecting to AF_UNSPEC dissolves the connection; a peer that went
 * is ECONNREFUSED once, then ENOTCONN.
 */
import {
  ECONNREFUSED,
  EFAULT,
  EINVAL,
  EMSGSIZE,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  EPROTOTYPE,
  errno,
} from '../abi/errno.js';
import { AF_UNSPEC, MSG_OOB, MSG_PEEK, MSG_TRUNC, SHUT_RDWR, SOCK_DGRAM } from '../abi/flags/socket.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK } from '../../sched/wait.js';
import type { GuestBuffer } from '../../fs/file.js';
import type { ReceiveMessage, SendMessage } from './socket.js';
import { findSocket, parseAddress } from './unix-address.js';
import {
  RCV_SHUTDOWN,
  SEND_SHUTDOWN,
  UnixSocket,
  WRITE_EVENTS,
  packetTruesize,
  ucredOf,
  type Buffered,
} from './unix-socket.js';

/** /proc/sys/net/unix/max_dgram_qlen. */
const MAX_QUEUE = 10;

export class UnixDatagram extends UnixSocket {
  /** Who waits for room in this socket's queue. */
  private readonly held = new Set<UnixDatagram>();

  constructor(kernel: KernelState, task: Task, flags: number) {
    super(kernel, task, SOCK_DGRAM, flags);
  }
  static join(task: Task, a: UnixDatagram, b: UnixDatagram): void {
    a.peer = b;
    b.peer = a;
    for (const end of [a, b]) end.setPeerCredentials(ucredOf(task), task.creds.groups);
  }

  override connect(task: Task, address: Uint8Array): number {
    if (address.length < 2) throw errno(EINVAL);
    if ((address[0] | (address[1] << 8)) === AF_UNSPEC) {
      if (this.peer !== null) this.dropReceived();
      this.peer = null;
      this.wakeAll();
      return 0;
    }
    const name = parseAddress(address);
    this.autobind(task);
    const other = this.target(task, name);
    const old = this.peer;
    this.peer = other;
    if (old !== null && old !== other) this.dropReceived();
    return 0;
  }
  private target(task: Task, name: string): UnixDatagram {
    const other = findSocket(task, name);
    if (!(other instanceof UnixDatagram)) throw errno(EPROTOTYPE);
    if (other.peer !== null && other.peer !== this) throw errno(EPERM);
    return other;
  }

  override send(task: Task, from: GuestBuffer, message: SendMessage): number {
    if ((message.flags & MSG_OOB) !== 0) throw errno(EOPNOTSUPP);
    const name = message.address === null ? null : parseAddress(message.address);
    if (name === null && this.peer === null) throw errno(ENOTCONN);
    this.autobind(task);
    const size = from.remaining;
    if (size > this.options.sndbuf - 32) throw errno(EMSGSIZE);
    if ((this.shutdownBits & SEND_SHUTDOWN) !== 0) throw errno(EPIPE);
    const other = name === null ? this.livePeer() : this.target(task, name);
    if ((other.shutdownBits & RCV_SHUTDOWN) !== 0) throw errno(EPIPE);
    if (other !== this && other.peer !== this && other.received.length > MAX_QUEUE) {
      other.held.add(this);
      return WOULD_BLOCK;
    }
    if (this.sendFull) return WOULD_BLOCK;
    const data = new Uint8Array(size);
    if (size > 0 && from.take(data, 0, size) < size) throw errno(EFAULT);
    const charged = packetTruesize(size, task.kernel.pageSize);
    this.deliver(task, other, data, charged, message);
    return size;
  }
  private livePeer(): UnixDatagram {
    const peer = this.peer as UnixDatagram;
    if (!peer.dead) return peer;
    this.peer = null;
    this.dropReceived();
    throw errno(ECONNREFUSED);
  }

  override receive(_task: Task, into: GuestBuffer, message: ReceiveMessage): number {
    if ((message.flags & MSG_OOB) !== 0) throw errno(EOPNOTSUPP);
    this.throwError();
    if (this.received.length === 0) return (this.shutdownBits & RCV_SHUTDOWN) !== 0 ? 0 : WOULD_BLOCK;
    const buffer = this.received[0];
    const { data } = buffer;
    const size = Math.min(data.length, into.remaining);
    if (size > 0 && into.put(data, 0, size) < size) throw errno(EFAULT);
    const peek = (message.flags & MSG_PEEK) !== 0;
    this.fillMessage(buffer, message);
    if (buffer.from === '') message.address = null;
    this.takeRights(buffer, message, peek);
    if (size < data.length) message.outFlags |= MSG_TRUNC;
    message.fullLength = data.length;
    if (!peek) this.consumeFirst();
    return size;
  }
  protected override consumed(_buffer: Buffered): void {
    for (const sender of this.held) sender.queue.wakeFor(WRITE_EVENTS);
    this.held.clear();
  }

  override shutdown(how: number): void {
    if (how < 0 || how > SHUT_RDWR) throw errno(EINVAL);
    this.shutdownBits |= how + 1;
    this.wakeAll();
  }
  protected disconnectPeer(): void {
    const { peer } = this;
    for (const sender of this.held) sender.wakeAll();
    this.held.clear();
    if (peer !== null && !peer.dead) peer.wakeAll();
  }
  protected queuedBytes(): number {
    return this.received.length === 0 ? 0 : this.received[0].data.length;
  }
  override poll(): number {
    const events = this.pollState();
    const peer = this.peer as UnixDatagram | null;
    const held = peer !== null && !peer.dead && peer.peer !== this && peer.received.length > MAX_QUEUE;
    if (held) peer.held.add(this);
    return events | (this.writable && !held ? WRITE_EVENTS : 0);
  }
}
