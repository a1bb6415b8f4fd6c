/**
 * Queues of pending signals, one per task and one per thread group. A standard signal is queued once; real-time signals
 * (32..64) queue each instance, in order. Lowest number first, but faults (synchronous signals) before all
 * (kernel/signal.c, next_signal and dequeue_synchronous_signal).
 */
import type { SigInfo } from './siginfo.js';
import { SigSet } from './sigset.js';

/** The kernel's SIGRTMIN; libcs keep the first few for themselves. */
export const SIGRTMIN = 32;

const SIGALRM = 14;
/** SIGILL 4, SIGTRAP 5, SIGBUS 7, SIGFPE 8, SIGSEGV 11, SIGSYS 31. */
const SYNCHRONOUS = SigSet.of(4, 5, 7, 8, 11, 31);

export class PendingSignals {
  readonly set = new SigSet();
  private queue: SigInfo[] = [];
  /** Told when a SIGALRM is taken: the interval timer goes on (dequeue_signal). */
  alarms: { alarmTaken(): void } | null = null;

  /** Queues; returns false when a standard signal was already pending (it is dropped). */
  add(info: SigInfo): boolean {
    if (info.signo < SIGRTMIN && info.taken === undefined && this.set.has(info.signo)) return false;
    this.set.add(info.signo);
    this.queue.push(info);
    return true;
  }
  /** Number of queued entries (RLIMIT_SIGPENDING). */
  get size(): number {
    return this.queue.length;
  }
  /** Whether a signal outside `blocked` is pending. */
  deliverable(blocked: SigSet): boolean {
    return ((this.set.lo & ~blocked.lo) | (this.set.hi & ~blocked.hi)) !== 0;
  }
  /** Takes the next signal outside `blocked`, or null. */
  take(blocked: SigSet): SigInfo | null {
    let lo = this.set.lo & ~blocked.lo;
    const hi = this.set.hi & ~blocked.hi;
    if ((lo | hi) === 0) return null;
    if ((lo & SYNCHRONOUS.lo) !== 0) lo &= SYNCHRONOUS.lo;
    const bits = lo !== 0 ? lo : hi;
    const signo = (lo !== 0 ? 1 : 33) + (31 - Math.clz32(bits & -bits));
    return this.takeSignal(signo);
  }
  /** Takes the oldest instance of one signal. */
  takeSignal(signo: number): SigInfo | null {
    const { queue } = this;
    let at = 0;
    while (at < queue.length && queue[at].signo !== signo) at++;
    if (at === queue.length) return null;
    const info = queue[at];
    if (at === queue.length - 1) queue.pop();
    else queue.splice(at, 1);
    if (queue.length === 0 || !queue.some((other) => other.signo === signo)) this.set.delete(signo);
    if (signo === SIGALRM) this.alarms?.alarmTaken();
    return info.taken === undefined ? info : info.taken();
  }
  /** Drops every instance of the signals in `which`. */
  flush(which: SigSet): void {
    if (((this.set.lo & which.lo) | (this.set.hi & which.hi)) === 0) return;
    const dropped = this.queue.filter((info) => which.has(info.signo));
    this.queue = this.queue.filter((info) => !which.has(info.signo));
    this.set.andNot(which);
    for (const info of dropped) info.taken?.();
  }
  clear(): void {
    this.queue = [];
    this.set.lo = 0;
    this.set.hi = 0;
  }
}
