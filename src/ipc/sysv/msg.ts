/**
 * System V message queues (ipc/msg.c): messages with a type, taken by type.
 *
 * A queue holds msg_qbytes of text; a message larger than what the reader takes is E2BIG, or cut with MSG_NOERROR.
 */
import { E2BIG, EAGAIN, EIDRM, EINVAL, ENOMSG, errno } from '../../abi/errno.js';
import { IPC_NOWAIT, MSG_EXCEPT, MSG_NOERROR } from '../../abi/flags/ipc.js';
import type { KernelState } from '../../../sched/kernel-state.js';
import type { Task } from '../../../sched/task.js';
import { WOULD_BLOCK, WaitQueue } from '../../../sched/wait.js';
import { IpcObject, IpcSet, nowSec } from './ipc.js';

export const MSGMNI = 32000;
export const MSGMAX = 8192;
export const MSGMNB = 16384;

export interface Message {
  /** Exact 64 bits. */
  readonly type: bigint;
  readonly text: Uint8Array;
}

export class MessageQueue extends IpcObject {
  readonly messages: Message[] = [];
  bytes = 0;
  maxBytes = MSGMNB;
  stime = 0;
  rtime = 0;
  lspid = 0;
  lrpid = 0;
  readonly queue = new WaitQueue();

  send(task: Task, message: Message, flags: number): number {
    if (this.removed) throw errno(EIDRM);
    if (this.bytes + message.text.length > this.maxBytes || this.messages.length + 1 > this.maxBytes) {
      if ((flags & IPC_NOWAIT) !== 0) throw errno(EAGAIN);
      return WOULD_BLOCK;
    }
    this.messages.push(message);
    this.bytes += message.text.length;
    this.stime = nowSec(this.kernel);
    this.lspid = task.tgid;
    this.queue.wakeAll();
    return 0;
  }

  /** The message msgrcv(2) takes for `type`, or -1. */
  private select(type: bigint, flags: number): number {
    if (type === 0n) return this.messages.length > 0 ? 0 : -1;
    if (type > 0n) {
      const except = (flags & MSG_EXCEPT) !== 0;
      return this.messages.findIndex((message) => (message.type === type) !== except);
    }
    let best = -1;
    this.messages.forEach((message, index) => {
      if (message.type <= -type && (best < 0 || message.type < this.messages[best].type)) best = index;
    });
    return best;
  }
  /** The message, or null to wait. */
  receive(task: Task, type: bigint, room: number, flags: number): Message | null {
    if (this.removed) throw errno(EIDRM);
    const index = this.select(type, flags);
    if (index < 0) {
      if ((flags & IPC_NOWAIT) !== 0) throw errno(ENOMSG);
      return null;
    }
    const message = this.messages[index];
    if (message.text.length > room && (flags & MSG_NOERROR) === 0) throw errno(E2BIG);
    this.messages.splice(index, 1);
    this.bytes -= message.text.length;
    this.rtime = nowSec(this.kernel);
    this.lrpid = task.tgid;
    this.queue.wakeAll();
    return message;
  }
  destroy(): void {
    queues(this.kernel).remove(this);
    this.queue.wakeAll();
  }
  procLine(): string {
    const n = (value: number, width = 5): string => String(value).padStart(width);
    return (
      `${this.head()}  ${n(this.bytes, 10)} ${n(this.messages.length, 10)} ${n(this.lspid)} ${n(this.lrpid)} ` +
      `${n(this.uid)} ${n(this.gid)} ${n(this.cuid)} ${n(this.cgid)} ${n(this.stime, 10)} ${n(this.rtime, 10)} ${n(this.ctime, 10)}\n`
    );
  }
}

declare module '../../../sched/kernel-state.js' {
  interface KernelState {
    msg?: IpcSet<MessageQueue>;
  }
}
export const queues = (kernel: KernelState): IpcSet<MessageQueue> => (kernel.msg ??= new IpcSet(MSGMNI));

export function msgget(task: Task, key: number, flags: number): number {
  return queues(task.kernel).get(
    task,
    key,
    flags,
    () => {},
    () => new MessageQueue(task, key, flags),
  );
}
export function checkMessage(type: bigint, length: number): void {
  if (length > MSGMAX || type < 1n) throw errno(EINVAL);
}
