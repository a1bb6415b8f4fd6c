/**
 * /dev/kmsg and the kernel log behind it (Documentation/ABI/testing/dev-kmsg): records of the kernel and of programs that write
 * to the device. Bounded; a reader that falls behind gets EPIPE once and goes on with the oldest record.
 */
import { EINVAL, EPIPE, ESPIPE, errno } from '../../src/abi/errno.js';
import { SEEK_DATA, SEEK_END, SEEK_SET } from '../../src/abi/flags/file.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK } from '../../sched/wait.js';
import { OpenFile, type GuestBuffer } from '../file.js';
import type { Inode } from '../inode.js';
import { POLLIN, POLLRDNORM } from '../poll-events.js';
import { PollQueue } from '../poll-queue.js';

const MAX_RECORDS = 1024;
const MAX_LINE = 1024 - 32;
/** Priority of records without one: facility user, level warning's default 4; the kernel's own are 6. */
const DEFAULT_PRIORITY = 12;

export interface LogRecord {
  readonly sequence: number;
  readonly priority: number;
  readonly timeUs: number;
  readonly text: string;
}

export class KernelLog {
  private readonly kernel: KernelState;
  private readonly records: LogRecord[] = [];
  private next = 0;
  readonly queue = new PollQueue();

  constructor(kernel: KernelState) {
    this.kernel = kernel;
  }
  /** Byte string, without a newline. */
  add(text: string, priority = 6): void {
    const timeUs = Math.floor((this.kernel.clock.monotonicNs() - this.kernel.bootNs) / 1000);
    this.records.push({ sequence: this.next++, priority, timeUs, text });
    if (this.records.length > MAX_RECORDS) this.records.shift();
    this.queue.wakeFor(POLLIN | POLLRDNORM);
  }
  get first(): number {
    return this.records.length === 0 ? this.next : this.records[0].sequence;
  }
  get end(): number {
    return this.next;
  }
  at(sequence: number): LogRecord | null {
    return this.records[sequence - this.first] ?? null;
  }
}

declare module '../../sched/kernel-state.js' {
  interface KernelState {
    kernelLog?: KernelLog;
  }
}

export function kernelLog(kernel: KernelState): KernelLog {
  return (kernel.kernelLog ??= new KernelLog(kernel));
}

export class KmsgFile extends OpenFile {
  private readonly log: KernelLog;
  override readonly queue: PollQueue;
  private at: number;

  constructor(kernel: KernelState, inode: Inode, flags: number) {
    super(inode, null, flags);
    this.log = kernelLog(kernel);
    this.queue = this.log.queue;
    this.at = this.log.first;
  }
  override read(_task: Task, into: GuestBuffer): number {
    if (this.at < this.log.first) {
      this.at = this.log.first;
      throw errno(EPIPE);
    }
    const record = this.log.at(this.at);
    if (record === null) return WOULD_BLOCK;
    const escaped = record.text.replace(
      /[\x00-\x1f\x7f-\xff\\]/g,
      (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
    const line = Buffer.from(`${record.priority},${record.sequence},${record.timeUs},-;${escaped}\n`, 'latin1');
    if (line.length > into.remaining) throw errno(EINVAL);
    this.at++;
    return into.put(line, 0, line.length);
  }
  /** One record a write; '<N>' in front sets the priority. */
  override write(_task: Task, from: GuestBuffer): number {
    const length = from.remaining;
    if (length > MAX_LINE) throw errno(EINVAL);
    if (length === 0) return 0;
    const bytes = Buffer.alloc(length);
    const got = from.take(bytes, 0, length);
    let text = bytes.toString('latin1', 0, got).replace(/\n$/, '');
    let priority = DEFAULT_PRIORITY;
    const prefix = /^<(\d+)>/.exec(text);
    if (prefix !== null) {
      priority = Number(prefix[1]) & 0x3ff;
      text = text.slice(prefix[0].length);
      // Facility 0 is the kernel's.
      if (priority < 8) priority |= 8;
    }
    this.log.add(text, priority);
    return got;
  }
  override seek(_task: Task, offset: number, whence: number): number {
    if (offset !== 0) throw errno(ESPIPE);
    if (whence === SEEK_SET || whence === SEEK_DATA) this.at = this.log.first;
    else if (whence === SEEK_END) this.at = this.log.end;
    else throw errno(EINVAL);
    return 0;
  }
  override poll(): number {
    return this.log.at(Math.max(this.at, this.log.first)) === null ? 0 : POLLIN | POLLRDNORM;
  }
}
