/**
 * What every AF_UNIX socket has (net/unix/af_unix.c): a name, a peer, a queue of received buffers and the account of what it
 * has sent that nobody has read yet.
 *
 * A sent buffer lies in the receiver's queue and is charged to the sender (wmem) with Linux's truesize, so that a socket is
 * full after exactly as many writes as on Linux. POLLOUT wants three quarters of the send buffer free.
 *
 * Files in flight are held by the buffer that carries them. Deviation: circles of sockets passed over each other are not
 * collected (unix_gc); they are given back when the system ends.
 */
import { EINVAL, ENOTCONN, EPERM, errno } from '../abi/errno.js';
import { AF_UNIX } from '../abi/flags/socket.js';
import { capable } from '../../sched/credentials.js';
import { CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN } from '../abi/flags/capability.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { dropFile } from '../../fs/fd-table.js';
import type { OpenFile } from '../../fs/file.js';
import type { Inode } from '../../fs/inode.js';
import { FIONREAD } from '../abi/flags/ioctl.js';
import { releaseInode } from '../../fs/references.js';
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from '../../fs/poll-events.js';
import { Socket, type ReceiveMessage, type SendMessage, type Ucred } from './socket.js';
import { autobindName, bindName, encodeAddress, isAutobind, parseAddress, unixNames } from './unix-address.js';

export const RCV_SHUTDOWN = 1;
export const SEND_SHUTDOWN = 2;
const BOTH = RCV_SHUTDOWN | SEND_SHUTDOWN;
const SIOCOUTQ = 0x5411;
/** sizeof(struct sk_buff) and struct skb_shared_info, rounded as the allocator sees them. */
const SKB = 256;
const SHARED_INFO = 320;
export const READ_EVENTS = POLLIN | POLLRDNORM;
export const WRITE_EVENTS = POLLOUT | POLLWRNORM | POLLWRBAND;

/** A buffer in a receive queue (struct sk_buff with its unix_skb_parms). */
export interface Buffered {
  readonly data: Uint8Array;
  /** Bytes read already. */
  offset: number;
  readonly truesize: number;
  readonly sender: UnixSocket;
  rights: OpenFile[] | null;
  readonly creds: Ucred | null;
  /** The sender's name at the time. */
  readonly from: string;
}

/** Memory that a buffer of `length` bytes is charged, of which at most `linearMax` are in its head. */
export function truesize(length: number, linearMax: number, fragsMax: number, pageSize: number): number {
  let frags = 0;
  if (length > linearMax) frags = Math.ceil(Math.min(length - linearMax, fragsMax) / pageSize) * pageSize;
  const linear = Math.max(0, length - frags);
  let head = 512;
  while (head < linear + SHARED_INFO) head *= 2;
  return SKB + head + frags;
}

/** Bytes in the head of a stream's buffer (SKB_MAX_HEAD). */
export const streamLinear = (pageSize: number): number => pageSize - SHARED_INFO;
/** Memory that a packet is charged (SKB_MAX_ALLOC in its head, MAX_SKB_FRAGS pages). */
export const packetTruesize = (length: number, pageSize: number): number =>
  truesize(length, 4 * pageSize - SHARED_INFO, 17 * pageSize, pageSize);

export abstract class UnixSocket extends Socket {
  /** sun_path, '' when unnamed. */
  boundName = '';
  private boundInode: Inode | null = null;
  peer: UnixSocket | null = null;
  readonly received: Buffered[] = [];
  /** Charged for what was sent and is not yet read. */
  wmem = 0;
  shutdownBits = 0;
  dead = false;
  protected peerCreds: Ucred | null = null;
  protected peerGroupList: readonly number[] | null = null;

  constructor(kernel: KernelState, task: Task, type: number, flags: number) {
    super(kernel, task.creds, AF_UNIX, type, 0, flags);
    unixNames(kernel).sockets.add(this);
  }

  override bind(task: Task, address: Uint8Array): void {
    if (!isAutobind(address)) this.takeName(task, parseAddress(address));
    else if (this.boundName === '') this.takeName(task, autobindName(task));
  }
  private takeName(task: Task, name: string): void {
    this.boundInode = bindName(task, this, name);
    this.boundName = name;
  }
  /** SO_PASSCRED wants every message to have a sender. */
  protected autobind(task: Task): void {
    if (this.boundName === '' && this.options.passcred) this.takeName(task, autobindName(task));
  }
  override name(): Uint8Array {
    return encodeAddress(this.boundName);
  }
  override peerName(): Uint8Array {
    if (this.peer === null) throw errno(ENOTCONN);
    return encodeAddress(this.peer.boundName);
  }
  override get peerCredentials(): Ucred | null {
    return this.peerCreds;
  }
  override get peerGroups(): readonly number[] | null {
    return this.peerGroupList;
  }
  setPeerCredentials(creds: Ucred | null, groups: readonly number[] | null): void {
    this.peerCreds = creds;
    this.peerGroupList = groups;
  }

  // --- sending
  get writable(): boolean {
    return this.wmem * 4 <= this.options.sndbuf;
  }
  get sendFull(): boolean {
    return this.wmem >= this.options.sndbuf;
  }
  /** Puts a buffer into `to`'s queue. */
  protected deliver(task: Task, to: UnixSocket, data: Uint8Array, size: number, message: SendMessage): void {
    const wants = this.options.passcred || to.options.passcred;
    let { creds } = message;
    if (creds === null && wants) creds = ucredOf(task);
    const { rights } = message;
    message.rights = null;
    to.received.push({ data, offset: 0, truesize: size, sender: this, rights, creds, from: this.boundName });
    this.wmem += size;
    to.queue.wakeFor(READ_EVENTS);
  }

  // --- receiving
  /** The oldest buffer is used up. */
  protected consumeFirst(): void {
    const buffer = this.received.shift()!;
    uncharge(buffer);
    this.consumed(buffer);
  }
  /** There is room in the queue again: for datagram senders. */
  protected consumed(_buffer: Buffered): void {}

  protected fillMessage(buffer: Buffered, message: ReceiveMessage): void {
    if (this.options.passcred) message.creds = buffer.creds ?? { pid: 0, uid: 65534, gid: 65534 };
    message.address = encodeAddress(buffer.from);
  }
  /** Takes the files of a buffer, or for MSG_PEEK shares them. */
  protected takeRights(buffer: Buffered, message: ReceiveMessage, peek: boolean): void {
    const { rights } = buffer;
    if (rights === null) return;
    if (peek) for (const file of rights) file.references++;
    else buffer.rights = null;
    message.rights = rights;
  }

  override ioctl(task: Task, request: number, arg: number): number {
    if (request === FIONREAD) {
      if (this.listening) throw errno(EINVAL);
      task.mm.writeU32(arg, this.queuedBytes());
      return 0;
    }
    if (request === SIOCOUTQ) {
      task.mm.writeU32(arg, this.wmem);
      return 0;
    }
    return super.ioctl(task, request, arg);
  }
  protected abstract queuedBytes(): number;

  /** What shutdown and errors say; the kinds add readable and writable. */
  protected pollState(): number {
    let events = 0;
    if (this.error !== 0) events |= POLLERR;
    if (this.shutdownBits === BOTH) events |= POLLHUP;
    if ((this.shutdownBits & RCV_SHUTDOWN) !== 0) events |= POLLRDHUP | READ_EVENTS;
    if (this.received.length > 0) events |= READ_EVENTS;
    return events;
  }
  override poll(): number {
    return this.pollState() | (this.writable ? WRITE_EVENTS : 0);
  }
  wakeAll(): void {
    this.queue.wakeFor(READ_EVENTS | WRITE_EVENTS | POLLHUP | POLLRDHUP | POLLERR);
  }

  override release(): void {
    this.dead = true;
    this.shutdownBits = BOTH;
    const names = unixNames(this.kernel);
    names.sockets.delete(this);
    if (names.abstract.get(this.boundName) === this) names.abstract.delete(this.boundName);
    if (this.boundInode !== null) {
      this.boundInode.boundSocket = null;
      releaseInode(this.boundInode);
      this.boundInode = null;
    }
    this.disconnectPeer();
    this.dropReceived();
  }
  /** The peer learns that this socket goes. */
  protected abstract disconnectPeer(): void;
  dropReceived(): void {
    for (const buffer of this.received.splice(0)) {
      uncharge(buffer);
      for (const file of buffer.rights ?? []) dropFile(file);
      this.consumed(buffer);
    }
  }
}

function uncharge({ sender, truesize: size }: Buffered): void {
  sender.wmem -= size;
  if (!sender.dead && sender.writable) sender.queue.wakeFor(WRITE_EVENTS);
}

export const ucredOf = (task: Task): Ucred => ({ pid: task.tgid, uid: task.creds.uid, gid: task.creds.gid });

/** SCM_CREDENTIALS given by the sender: EPERM for what it is not. */
export function checkUcred(task: Task, { pid, uid, gid }: Ucred): void {
  const { creds } = task;
  const ownPid = pid === task.tgid || capable(creds, CAP_SYS_ADMIN);
  const ownUid = uid === creds.uid || uid === creds.euid || uid === creds.suid || capable(creds, CAP_SETUID);
  const ownGid = gid === creds.gid || gid === creds.egid || gid === creds.sgid || capable(creds, CAP_SETGID);
  if (!ownPid || !ownUid || !ownGid) throw errno(EPERM);
}
