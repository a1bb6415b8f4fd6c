/**
 * Connected AF_UNIX sockets: SOCK_STREAM and SOCK_SEQPACKET.
 *
 * connect(2) completes at once: it makes the server's half itself (the embryo) and queues it at the listener until accept(2).
 *
 * Linux oddities: a stream is cut into buffers of at most 36544 bytes; a read never goes past a buffer that carried files; a
 * peer that closes with unread data makes the next read ECONNRESET; only streams raise SIGPIPE; shutdown works on both halves.
 */
import {
  ECONNREFUSED,
  ECONNRESET,
  EFAULT,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
  EPROTOTYPE,
  errno,
} from '../abi/errno.js';
import { MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_TRUNC, SHUT_RDWR, SOCK_STREAM } from '../abi/flags/socket.js';
import { SIGPIPE } from '../abi/flags/signal.js';
import { sendSignalToTask, userInfo } from '../../sched/signal/send.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK } from '../../sched/wait.js';
import type { GuestBuffer } from '../../fs/file.js';
import { dropFile } from '../../fs/fd-table.js';
import { POLLHUP } from '../../fs/poll-events.js';
import type { ReceiveMessage, SendMessage, Socket, Ucred } from './socket.js';
import { encodeAddress, findSocket, parseAddress } from './unix-address.js';
import {
  RCV_SHUTDOWN,
  READ_EVENTS,
  SEND_SHUTDOWN,
  UnixSocket,
  WRITE_EVENTS,
  packetTruesize,
  streamLinear,
  truesize,
  ucredOf,
  type Buffered,
} from './unix-socket.js';

const CLOSED = 0;
const LISTENING = 1;
const ESTABLISHED = 2;
/** Bytes in the pages of a stream's buffer. */
const FRAGS = 32768;

export class UnixStream extends UnixSocket {
  private state = CLOSED;
  private backlog = 0;
  /** Server halves that wait for accept. */
  private embryos: UnixStream[] = [];
  private readonly packets: boolean;
  /** For sockets that connect to this one. */
  private listenerCreds: { creds: Ucred; groups: readonly number[] } | null = null;
  /** Not yet accepted. */
  private embryo = false;

  constructor(kernel: KernelState, task: Task, type: number, flags: number) {
    super(kernel, task, type, flags);
    this.packets = type !== SOCK_STREAM;
  }

  /** socketpair(2). */
  static join(task: Task, a: UnixStream, b: UnixStream): void {
    a.peer = b;
    b.peer = a;
    a.state = b.state = ESTABLISHED;
    for (const end of [a, b]) end.setPeerCredentials(ucredOf(task), task.creds.groups);
  }

  override get listening(): boolean {
    return this.state === LISTENING;
  }
  override listen(task: Task, backlog: number): void {
    if (this.boundName === '') throw errno(EINVAL);
    if (this.state === ESTABLISHED) throw errno(EINVAL);
    if (backlog > this.backlog) this.wakeConnecting();
    this.backlog = Math.min(backlog >>> 0, 4096);
    this.state = LISTENING;
    this.listenerCreds = { creds: ucredOf(task), groups: task.creds.groups };
    this.setPeerCredentials(this.listenerCreds.creds, task.creds.groups);
  }
  private wakeConnecting(): void {
    this.connectQueue.forEach((waiting) => waiting.queue.wakeFor(WRITE_EVENTS));
    this.connectQueue.clear();
  }
  /** Sockets that found the backlog full. */
  private readonly connectQueue = new Set<UnixStream>();

  override connect(task: Task, address: Uint8Array): number {
    const name = parseAddress(address);
    this.autobind(task);
    const listener = findSocket(task, name);
    if (listener.type !== this.type) throw errno(EPROTOTYPE);
    if (!(listener instanceof UnixStream) || listener.state !== LISTENING) throw errno(ECONNREFUSED);
    if ((listener.shutdownBits & RCV_SHUTDOWN) !== 0) throw errno(ECONNREFUSED);
    if (listener.embryos.length > listener.backlog) {
      listener.connectQueue.add(this);
      return WOULD_BLOCK;
    }
    if (this.state === ESTABLISHED) throw errno(EISCONN);
    if (this.state === LISTENING) throw errno(EINVAL);
    const half = new UnixStream(this.kernel, task, this.type, 0);
    half.references = 1;
    half.boundName = listener.boundName;
    half.embryo = true;
    UnixStream.join(task, this, half);
    const creds = listener.listenerCreds!;
    this.setPeerCredentials(creds.creds, creds.groups);
    listener.embryos.push(half);
    listener.queue.wakeFor(READ_EVENTS);
    return 0;
  }

  override accept(_task: Task, _flags: number): Socket | null {
    if (this.state !== LISTENING) throw errno(EINVAL);
    const half = this.embryos.shift();
    if (half === undefined) {
      if ((this.shutdownBits & RCV_SHUTDOWN) !== 0) throw errno(EINVAL);
      return null;
    }
    half.embryo = false;
    half.references = 0;
    this.wakeConnecting();
    return half;
  }

  // --- data
  override send(task: Task, from: GuestBuffer, message: SendMessage): number {
    if ((message.flags & MSG_OOB) !== 0) throw errno(EOPNOTSUPP);
    if (this.packets) return this.sendPacket(task, from, message);
    const { peer } = this;
    if (message.address !== null) throw errno(this.state === ESTABLISHED ? EISCONN : EOPNOTSUPP);
    if (peer === null) throw errno(ENOTCONN);
    if ((this.shutdownBits & SEND_SHUTDOWN) !== 0 || peer.dead || (peer.shutdownBits & RCV_SHUTDOWN) !== 0)
      this.broken(task, message);
    let total = 0;
    const { pageSize } = task.kernel;
    const linear = streamLinear(pageSize);
    const most = Math.min(this.options.sndbuf / 2 - 64, linear + FRAGS);
    while (from.remaining > 0) {
      if (this.sendFull) return total > 0 ? total : WOULD_BLOCK;
      const size = Math.min(from.remaining, most);
      const data = new Uint8Array(size);
      let got: number;
      try {
        got = from.take(data, 0, size);
        if (got < size) throw errno(EFAULT); // a buffer is taken whole or not at all
      } catch (error) {
        if (total > 0) return total;
        throw error;
      }
      const charged = truesize(got, linear, FRAGS, pageSize);
      this.deliver(task, peer, got < size ? data.subarray(0, got) : data, charged, message);
      total += got;
      if (got < size) break;
    }
    return total;
  }
  private broken(task: Task, message: SendMessage): never {
    if ((message.flags & MSG_NOSIGNAL) === 0) sendSignalToTask(task, userInfo(SIGPIPE, task));
    throw errno(EPIPE);
  }
  private sendPacket(task: Task, from: GuestBuffer, message: SendMessage): number {
    this.throwError();
    if (this.state !== ESTABLISHED) throw errno(ENOTCONN);
    const size = from.remaining;
    if (size > this.options.sndbuf - 32) throw errno(EMSGSIZE);
    if ((this.shutdownBits & SEND_SHUTDOWN) !== 0) throw errno(EPIPE);
    const peer = this.peer!;
    if (peer.dead) throw errno(ECONNRESET);
    if ((peer.shutdownBits & RCV_SHUTDOWN) !== 0) throw errno(EPIPE);
    if (this.sendFull) return WOULD_BLOCK;
    const data = new Uint8Array(size);
    if (size > 0 && from.take(data, 0, size) < size) throw errno(EFAULT);
    const charged = packetTruesize(size, task.kernel.pageSize);
    this.deliver(task, peer, data, charged, message);
    return size;
  }

  override receive(_task: Task, into: GuestBuffer, message: ReceiveMessage): number {
    if (this.state !== ESTABLISHED) throw errno(this.packets ? ENOTCONN : EINVAL);
    if ((message.flags & MSG_OOB) !== 0) throw errno(this.packets ? EOPNOTSUPP : EINVAL);
    if (this.received.length === 0) {
      this.throwError();
      return (this.shutdownBits & RCV_SHUTDOWN) !== 0 ? 0 : WOULD_BLOCK;
    }
    return this.packets ? this.receivePacket(into, message) : this.receiveStream(into, message);
  }
  private receiveStream(into: GuestBuffer, message: ReceiveMessage): number {
    const peek = (message.flags & MSG_PEEK) !== 0;
    let total = 0;
    let skip = peek ? Math.max(0, this.options.peekOffset) : 0;
    for (let index = 0; into.remaining > 0;) {
      const buffer: Buffered | undefined = this.received[index];
      if (buffer === undefined) break;
      const start = buffer.offset + skip;
      const left = buffer.data.length - start;
      if (left <= 0) {
        skip = -left;
        index++;
        continue;
      }
      skip = 0;
      if (total > 0 && this.options.passcred && !sameCreds(message.creds, buffer.creds)) break;
      if (total === 0) this.fillMessage(buffer, message);
      const want = Math.min(left, into.remaining);
      let got: number;
      try {
        got = into.put(buffer.data, start, want);
      } catch (error) {
        if (total > 0) break;
        throw error;
      }
      total += got;
      const carried = buffer.rights !== null;
      if (carried) this.takeRights(buffer, message, peek);
      if (peek) index++;
      else {
        buffer.offset += got;
        if (buffer.offset === buffer.data.length) this.consumeFirst();
      }
      if (got < want || carried) break;
    }
    // The address of a stream is nobody's business but getpeername's.
    message.address = null;
    if (this.options.peekOffset >= 0)
      this.options.peekOffset = peek ? this.options.peekOffset + total : Math.max(0, this.options.peekOffset - total);
    return total;
  }
  private receivePacket(into: GuestBuffer, message: ReceiveMessage): number {
    const buffer = this.received[0];
    const { data } = buffer;
    const size = Math.min(data.length, into.remaining);
    if (size > 0 && into.put(data, 0, size) < size) throw errno(EFAULT);
    this.fillMessage(buffer, message);
    message.address = null;
    this.takeRights(buffer, message, (message.flags & MSG_PEEK) !== 0);
    if (size < data.length) message.outFlags |= MSG_TRUNC;
    message.fullLength = data.length;
    if ((message.flags & MSG_PEEK) === 0) this.consumeFirst();
    return size;
  }

  // --- ends
  override shutdown(how: number): void {
    if (how < 0 || how > SHUT_RDWR) throw errno(EINVAL);
    const bits = how + 1;
    this.shutdownBits |= bits;
    const { peer } = this;
    if (peer !== null && !peer.dead) {
      if ((bits & RCV_SHUTDOWN) !== 0) peer.shutdownBits |= SEND_SHUTDOWN;
      if ((bits & SEND_SHUTDOWN) !== 0) peer.shutdownBits |= RCV_SHUTDOWN;
      peer.wakeAll();
    }
    this.wakeAll();
  }
  protected disconnectPeer(): void {
    for (const half of this.embryos.splice(0)) dropFile(half);
    this.wakeConnecting();
    const { peer } = this;
    if (peer === null || peer.dead) return;
    peer.shutdownBits = RCV_SHUTDOWN | SEND_SHUTDOWN;
    if (this.received.length > 0 || this.embryo) peer.error = ECONNRESET;
    peer.wakeAll();
  }
  override peerName(): Uint8Array {
    if (this.peer === null) throw errno(ENOTCONN);
    return encodeAddress(this.peer.boundName);
  }

  protected queuedBytes(): number {
    let total = 0;
    for (const { data, offset } of this.received) total += data.length - offset;
    return total;
  }
  override poll(): number {
    let events = this.pollState();
    if (this.state === LISTENING) return this.embryos.length > 0 ? events | READ_EVENTS : events;
    if (this.state === CLOSED) events |= POLLHUP;
    return events | (this.writable ? WRITE_EVENTS : 0);
  }
}

function sameCreds(a: Ucred | null, b: Ucred | null): boolean {
  if (a === null || b === null) return a === b;
  return a.pid === b.pid && a.uid === b.uid && a.gid === b.gid;
}
