/**
 * timerfd_create(2): a timer read as a file (fs/timerfd.c).
 *
 * A periodic timer is armed for its next expiry only; how many periods have passed is worked out when somebody reads, as Linux
 * does, so an unread timer costs nothing. Times are kept as CLOCK_MONOTONIC deadlines: the host's wall clock is never set
 * from inside, so TFD_TIMER_CANCEL_ON_SET has nothing to report.
 */
import { EINVAL, errno } from '../abi/errno.js';
import { O_RDWR } from '../abi/flags/open.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import type { Timer } from '../../sched/timers.js';
import { WOULD_BLOCK } from '../../sched/wait.js';
import { AnonFile } from '../../fs/anon-inode.js';
import type { GuestBuffer } from '../../fs/file.js';
import { POLLIN } from '../../fs/poll-events.js';
import { PollQueue } from '../../fs/poll-queue.js';

export interface TimerSetting {
  /** Nanoseconds to the next expiry, 0 when disarmed. */
  leftNs: number;
  intervalNs: number;
}

export class TimerFile extends AnonFile {
  override readonly queue = new PollQueue();
  readonly clockId: number;
  private readonly kernel: KernelState;
  private timer: Timer | null = null;
  /** CLOCK_MONOTONIC time of the next or, once `expired`, of the last expiry; Infinity when disarmed. */
  private atNs = Infinity;
  private intervalNs = 0;
  private expired = false;
  private ticks = 0;
  private setFlags = 0;

  constructor(kernel: KernelState, clockId: number, flags: number) {
    super(kernel, '[timerfd]', O_RDWR | flags);
    this.kernel = kernel;
    this.clockId = clockId;
  }

  /** Arms for `atNs` (Infinity disarms); returns the setting before. */
  set(atNs: number, intervalNs: number, flags: number): TimerSetting {
    const before = this.get();
    this.timer?.cancel();
    this.timer = null;
    this.ticks = 0;
    this.expired = false;
    this.atNs = atNs;
    // Also where it disarms: timerfd_gettime tells it.
    this.intervalNs = intervalNs;
    this.setFlags = flags;
    this.arm();
    return before;
  }
  private arm(): void {
    if (this.atNs === Infinity) return;
    this.timer = this.kernel.timers.add(this.atNs, () => {
      this.timer = null;
      this.expired = true;
      this.ticks++;
      this.queue.wakeFor(POLLIN);
    });
  }
  /** Counts the periods since the last expiry and arms for the next one. */
  private forward(): void {
    if (!this.expired) return;
    this.expired = false;
    if (this.intervalNs === 0) {
      this.atNs = Infinity;
      return;
    }
    const passed = Math.max(0, Math.floor((this.kernel.clock.monotonicNs() - this.atNs) / this.intervalNs));
    this.ticks += passed;
    this.atNs += (passed + 1) * this.intervalNs;
    this.arm();
  }

  get(): TimerSetting {
    this.forward();
    const { intervalNs } = this;
    if (this.atNs === Infinity) return { leftNs: 0, intervalNs };
    return { leftNs: Math.max(1, this.atNs - this.kernel.clock.monotonicNs()), intervalNs };
  }

  override read(_task: Task, into: GuestBuffer): number {
    if (into.remaining < 8) throw errno(EINVAL);
    if (this.ticks === 0) return WOULD_BLOCK;
    this.forward();
    const word = new DataView(new ArrayBuffer(8));
    word.setBigUint64(0, BigInt(this.ticks), true);
    this.ticks = 0;
    return into.put(new Uint8Array(word.buffer), 0, 8);
  }
  override poll(): number {
    return this.ticks > 0 ? POLLIN : 0;
  }
  override release(): void {
    this.timer?.cancel();
  }
  override fdinfo(): string {
    const { leftNs, intervalNs } = this.get();
    const pair = (ns: number): string => `(${Math.floor(ns / 1e9)}, ${Math.floor(ns % 1e9)})`;
    return (
      `clockid: ${this.clockId}\nticks: ${this.ticks}\nsettime flags: 0${this.setFlags.toString(8)}\n` +
      `it_value: ${pair(leftNs)}\nit_interval: ${pair(intervalNs)}\n`
    );
  }
}
