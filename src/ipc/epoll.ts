/**
 * epoll(7), fs/eventpoll.c: an interest list of (open file description, descriptor) pairs and a ready list.
 *
 * An item stands on its file's wait queue for as long as it exists. A wake puts it on the ready list; whether it really is
 * ready is asked when events are collected. Level-triggered items go back to the end of the ready list after they were
 * reported, edge-triggered ones wait for the next wake, one-shot ones are disabled until EPOLL_CTL_MOD.
 *
 * Linux oddities: closing one descriptor does not remove the item while the description lives on through another; files that
 * never wait (regular files, directories, /dev/null) are EPERM; EPOLLERR and EPOLLHUP are always in.
 */
import { EEXIST, EINVAL, ELOOP, ENOENT, errno } from '../abi/errno.js';
import {
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLWAKEUP,
} from '../abi/flags/poll.js';
import { O_RDWR } from '../abi/flags/open.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import type { WaitEntry, WaitQueue } from '../../sched/wait.js';
import { AnonFile } from '../../fs/anon-inode.js';
import { atRelease, cancelAtRelease } from '../../fs/at-release.js';
import type { OpenFile } from '../../fs/file.js';
import { POLLIN, POLLRDNORM } from '../../fs/poll-events.js';
import { PollQueue } from '../../fs/poll-queue.js';

const MAX_NESTS = 4;
const ALWAYS = EPOLLERR | EPOLLHUP;
const EXCLUSIVE_OK = (EPOLLIN | EPOLLOUT | ALWAYS | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE) >>> 0;
/** What is no poll event; all that is left of a one-shot item that has fired. */
const PRIVATE = (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE) >>> 0;

export class EpollItem implements WaitEntry {
  readonly ep: EpollFile;
  readonly file: OpenFile;
  readonly fd: number;
  events = 0;
  dataLo = 0;
  dataHi = 0;
  readonly released: () => void;

  constructor(ep: EpollFile, file: OpenFile, fd: number) {
    this.ep = ep;
    this.file = file;
    this.fd = fd;
    this.released = () => ep.drop(this);
  }
  wake(): void {
    if ((this.events & ~PRIVATE) === 0) return;
    const { queue } = this.file;
    const about = queue instanceof PollQueue ? queue.events : 0;
    if (about !== 0 && (about & this.events) === 0) return;
    this.ep.markReady(this);
  }
  /** Events that are wanted and true now. */
  poll(task: Task | null): number {
    return (this.file.poll(task) & this.events & ~PRIVATE) >>> 0;
  }
}

export class EpollFile extends AnonFile {
  override readonly queue: WaitQueue = new PollQueue();
  private readonly items = new Map<OpenFile, Map<number, EpollItem>>();
  private readonly ready = new Set<EpollItem>();
  /** Level-triggered checks of nested instances must not run in circles. */
  private polling = false;

  constructor(kernel: KernelState) {
    super(kernel, '[eventpoll]', O_RDWR);
  }

  find(file: OpenFile, fd: number): EpollItem | null {
    return this.items.get(file)?.get(fd) ?? null;
  }

  add(task: Task, file: OpenFile, fd: number, events: number, dataLo: number, dataHi: number): void {
    if ((events & EPOLLEXCLUSIVE) !== 0 && (file instanceof EpollFile || (events & ~EXCLUSIVE_OK) !== 0))
      throw errno(EINVAL);
    if (file instanceof EpollFile && (file.reaches(this, 0) || file.depth() + this.height(new Set()) > MAX_NESTS))
      throw errno(ELOOP);
    if (this.find(file, fd) !== null) throw errno(EEXIST);
    const item = new EpollItem(this, file, fd);
    item.events = (events | ALWAYS) >>> 0;
    item.dataLo = dataLo;
    item.dataHi = dataHi;
    const byFd = this.items.get(file);
    if (byFd === undefined) this.items.set(file, new Map([[fd, item]]));
    else byFd.set(fd, item);
    // The order in which entries of one file become ready shows in the reports.
    if ((events & EPOLLEXCLUSIVE) !== 0) file.queue!.add(item);
    else file.queue!.addFirst(item);
    atRelease(file, item.released);
    if (file instanceof EpollFile) file.parents.add(this);
    if (item.poll(task) !== 0) this.markReady(item);
  }

  modify(task: Task, file: OpenFile, fd: number, events: number, dataLo: number, dataHi: number): void {
    if ((events & EPOLLEXCLUSIVE) !== 0) throw errno(EINVAL);
    const item = this.find(file, fd);
    if (item === null) throw errno(ENOENT);
    if ((item.events & EPOLLEXCLUSIVE) !== 0) throw errno(EINVAL);
    item.events = (events | ALWAYS) >>> 0;
    item.dataLo = dataLo;
    item.dataHi = dataHi;
    if (item.poll(task) !== 0) this.markReady(item);
  }

  remove(file: OpenFile, fd: number): void {
    const item = this.find(file, fd);
    if (item === null) throw errno(ENOENT);
    this.drop(item);
  }

  /** Takes an item off everything. */
  drop(item: EpollItem): void {
    const { file } = item;
    const byFd = this.items.get(file);
    if (byFd?.get(item.fd) !== item) return;
    byFd.delete(item.fd);
    if (byFd.size === 0) {
      this.items.delete(file);
      if (file instanceof EpollFile) file.parents.delete(this);
    }
    this.ready.delete(item);
    file.queue!.remove(item);
    cancelAtRelease(file, item.released);
  }

  markReady(item: EpollItem): void {
    if (this.ready.has(item)) return;
    this.ready.add(item);
    (this.queue as PollQueue).wakeFor(POLLIN | POLLRDNORM);
  }

  /**
   * Reports up to `max` ready items through `emit`, which may throw (the item stays ready, and the error counts only when
   * nothing was reported). Returns the number reported.
   */
  collect(task: Task, max: number, emit: (index: number, item: EpollItem, events: number) => void): number {
    let count = 0;
    for (const item of [...this.ready]) {
      if (count >= max) break;
      const events = item.poll(task);
      if (events === 0) {
        this.ready.delete(item);
        continue;
      }
      try {
        emit(count, item, events);
      } catch (error) {
        if (count > 0) return count;
        throw error;
      }
      count++;
      this.ready.delete(item);
      if ((item.events & EPOLLONESHOT) !== 0) item.events = (item.events & PRIVATE) >>> 0;
      else if ((item.events & EPOLLET) === 0) this.ready.add(item);
    }
    return count;
  }

  override poll(task: Task | null): number {
    if (this.polling) return 0;
    this.polling = true;
    try {
      for (const item of [...this.ready]) {
        if (item.poll(task) !== 0) return POLLIN | POLLRDNORM;
        this.ready.delete(item);
      }
    } finally {
      this.polling = false;
    }
    return 0;
  }

  override release(): void {
    for (const byFd of [...this.items.values()]) for (const item of [...byFd.values()]) this.drop(item);
  }

  // --- nesting
  /** Instances that watch this one. */
  readonly parents = new Set<EpollFile>();

  /** Whether `target` is this instance or watched by it, directly or not. */
  private reaches(target: EpollFile, level: number): boolean {
    if (this === target) return true;
    if (level > MAX_NESTS) return true;
    for (const file of this.items.keys()) if (file instanceof EpollFile && file.reaches(target, level + 1)) return true;
    return false;
  }
  /** Length of the longest chain of instances from here down. */
  private depth(): number {
    let deepest = 0;
    for (const file of this.items.keys()) if (file instanceof EpollFile) deepest = Math.max(deepest, file.depth());
    return deepest + 1;
  }
  /** Length of the longest chain of instances above this one. */
  private height(seen: Set<EpollFile>): number {
    let highest = 0;
    seen.add(this);
    for (const parent of this.parents) if (!seen.has(parent)) highest = Math.max(highest, 1 + parent.height(seen));
    return highest;
  }

  override fdinfo(): string {
    let text = '';
    for (const byFd of this.items.values())
      for (const item of byFd.values()) {
        const { file, fd } = item;
        const hex = (n: number, width: number): string => (n >>> 0).toString(16).padStart(width, ' ');
        const data = ((BigInt(item.dataHi >>> 0) << 32n) | BigInt(item.dataLo >>> 0)).toString(16).padStart(16);
        const sb = ((file.inode.sb.devMajor << 20) | file.inode.sb.devMinor).toString(16);
        const tfd = String(fd).padStart(8);
        text += `tfd: ${tfd} events: ${hex(item.events, 8)} data: ${data}  pos:${file.position} ino:${file.inode.ino.toString(16)} sdev:${sb}\n`;
      }
    return text;
  }
}
