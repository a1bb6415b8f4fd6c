/**
 * signalfd(2): signals read as records. What is read are the signals of the reading task, whoever made the descriptor.
 *
 * Every task that looks at the file links its own signal queue to the file's, so that a descriptor inherited over fork wakes
 * for the child's signals (fs/signalfd.c waits on current->sighand).
 */
import { EINVAL, errno } from '../abi/errno.js';
import { O_RDWR } from '../abi/flags/open.js';
import { SIGCHLD, SIGIO, SI_TIMER } from '../abi/flags/signal.js';
import { writeField } from '../abi/layout.js';
import { SIGNALFD_SIGINFO } from '../abi/layouts/signal.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { SigInfo } from '../../sched/signal/siginfo.js';
import { SigSet } from '../../sched/signal/sigset.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK, type WaitQueue } from '../../sched/wait.js';
import { AnonFile } from '../../fs/anon-inode.js';
import type { GuestBuffer } from '../../fs/file.js';
import { POLLIN } from '../../fs/poll-events.js';
import { PollQueue } from '../../fs/poll-queue.js';

export class SignalFile extends AnonFile {
  override readonly queue = new PollQueue();
  private mask: SigSet;
  private readonly links = new Set<WaitQueue>();
  private readonly entry = { wake: () => this.queue.wakeFor(POLLIN) };
  private readonly bytes = new Uint8Array(SIGNALFD_SIGINFO.size);

  constructor(kernel: KernelState, mask: SigSet, flags: number) {
    super(kernel, '[signalfd]', O_RDWR | flags);
    this.mask = mask;
  }
  setMask(mask: SigSet): void {
    this.mask = mask;
    this.queue.wakeFor(POLLIN);
  }
  /** Signals that are not for this file: what "blocked" means to a pending queue. */
  private others(): SigSet {
    return new SigSet(~this.mask.lo, ~this.mask.hi);
  }
  private link(task: Task): void {
    const { queue } = task.sighand;
    if (this.links.has(queue)) return;
    this.links.add(queue);
    queue.add(this.entry);
  }

  override read(task: Task, into: GuestBuffer): number {
    const { size } = SIGNALFD_SIGINFO;
    if (into.remaining < size) throw errno(EINVAL);
    const others = this.others();
    let total = 0;
    while (into.remaining >= size) {
      const info = task.pending.take(others) ?? task.group.pending.take(others);
      if (info === null) break;
      this.fill(info);
      total += into.put(this.bytes, 0, size);
    }
    if (total > 0) return total;
    this.link(task);
    return WOULD_BLOCK;
  }

  private fill(info: SigInfo): void {
    this.bytes.fill(0);
    const view = new DataView(this.bytes.buffer);
    const set = (name: Parameters<typeof writeField<keyof typeof SIGNALFD_SIGINFO.offsets>>[3], value: number): void =>
      writeField(SIGNALFD_SIGINFO, view, 0, name, value);
    set('ssi_signo', info.signo);
    set('ssi_errno', info.errno ?? 0);
    set('ssi_code', info.code);
    if (info.code === SI_TIMER) {
      set('ssi_tid', info.timerId ?? 0);
      set('ssi_overrun', info.overrun ?? 0);
    } else if (info.signo === SIGIO && info.band !== undefined) {
      set('ssi_band', info.band);
      set('ssi_fd', info.fd ?? 0);
    } else {
      set('ssi_pid', info.pid ?? 0);
      set('ssi_uid', info.uid ?? 0);
      set('ssi_addr', info.addr ?? 0);
    }
    if (info.signo === SIGCHLD) {
      set('ssi_status', info.status ?? 0);
      set('ssi_utime', info.utime ?? 0);
      set('ssi_stime', info.stime ?? 0);
    }
    if (info.value !== undefined) {
      view.setInt32(SIGNALFD_SIGINFO.offsets.ssi_int, Number(BigInt.asIntN(32, info.value)), true);
      view.setBigUint64(SIGNALFD_SIGINFO.offsets.ssi_ptr, BigInt.asUintN(64, info.value), true);
    }
  }

  override poll(task: Task | null): number {
    if (task === null) return 0;
    this.link(task);
    const others = this.others();
    return task.pending.deliverable(others) || task.group.pending.deliverable(others) ? POLLIN : 0;
  }
  override release(): void {
    for (const queue of this.links) queue.remove(this.entry);
  }
  override fdinfo(): string {
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
    return `sigmask:\t${hex(this.mask.hi)}${hex(this.mask.lo)}\n`;
  }
}
