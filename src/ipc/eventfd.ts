/**
 * eventfd(2): a 64-bit counter that is read and written as a file.
 *
 * The counter is a bigint: guests use all 64 bits. Linux oddity: a larger buffer is fine, only 8 bytes move, and a write never
 * continues; the largest value, 2^64-1, can be stored by the kernel only and shows as POLLERR.
 */
import { EFAULT, EINVAL, errno } from '../abi/errno.js';
import { EFD_SEMAPHORE } from '../abi/flags/poll.js';
import { O_RDWR } from '../abi/flags/open.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK } from '../../sched/wait.js';
import { AnonFile } from '../../fs/anon-inode.js';
import type { GuestBuffer } from '../../fs/file.js';
import { markBuffer } from '../../fs/guest-buffer.js';
import { POLLERR, POLLIN, POLLOUT } from '../../fs/poll-events.js';
import { PollQueue } from '../../fs/poll-queue.js';

const MAX = 2n ** 64n - 1n;

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    eventfds?: number;
  }
}

export class EventFile extends AnonFile {
  override readonly queue = new PollQueue();
  override readonly shortWrites = true;
  private count: bigint;
  private readonly semaphore: boolean;
  private readonly id: number;
  private readonly word = new Uint8Array(8);
  private readonly view = new DataView(this.word.buffer);

  constructor(kernel: KernelState, initial: number, flags: number) {
    super(kernel, '[eventfd]', O_RDWR | (flags & ~EFD_SEMAPHORE));
    this.count = BigInt(initial);
    this.semaphore = (flags & EFD_SEMAPHORE) !== 0;
    this.id = kernel.eventfds = (kernel.eventfds ?? 0) + 1;
  }

  override read(_task: Task, into: GuestBuffer): number {
    if (into.remaining < 8) throw errno(EINVAL);
    if (this.count === 0n) return WOULD_BLOCK;
    const value = this.semaphore ? 1n : this.count;
    this.count -= value;
    this.queue.wakeFor(POLLOUT);
    this.view.setBigUint64(0, value, true);
    return into.put(this.word, 0, 8);
  }

  override write(_task: Task, from: GuestBuffer): number {
    if (from.remaining < 8) throw errno(EINVAL);
    const back = markBuffer(from);
    if (from.take(this.word, 0, 8) < 8) throw errno(EFAULT);
    const value = this.view.getBigUint64(0, true);
    if (value === MAX) throw errno(EINVAL);
    if (this.add(value)) return 8;
    // The next attempt reads the 8 bytes again.
    back();
    return WOULD_BLOCK;
  }

  /** Adds; false when the counter would overflow. */
  add(value: bigint): boolean {
    if (this.count + value >= MAX) return false;
    this.count += value;
    if (value > 0n) this.queue.wakeFor(POLLIN);
    return true;
  }

  override poll(): number {
    let events = 0;
    if (this.count > 0n) events |= POLLIN;
    if (this.count === MAX) events |= POLLERR;
    if (this.count < MAX - 1n) events |= POLLOUT;
    return events;
  }
  override fdinfo(): string {
    const count = this.count.toString(16).padStart(16);
    return `eventfd-count: ${count}\neventfd-id: ${this.id}\neventfd-semaphore: ${this.semaphore ? 1 : 0}\n`;
  }
}
