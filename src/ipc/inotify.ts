/**
 * inotify(7), fs/notify/inotify: a queue of events from watched inodes, read as records.
 *
 * An event equal to the last one queued is dropped. The queue is bounded (fs.inotify.max_queued_events); what does not fit
 * is replaced by one IN_Q_OVERFLOW. A watch ends with its inode, with IN_ONESHOT's first event, or by request; IN_IGNORED says so.
 *
 * Linux oddities: names are padded with NULs to a multiple of the record size; a read that is too small for the first event
 * is EINVAL; the same inode watched again gives the same number, with its mask replaced unless IN_MASK_ADD.
 */
import { EEXIST, EINVAL, errno } from '../abi/errno.js';
import {
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_ONESHOT,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
} from '../abi/flags/poll.js';
import { O_RDONLY } from '../abi/flags/open.js';
import { INOTIFY_EVENT } from '../abi/layouts/io.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { WOULD_BLOCK } from '../../sched/wait.js';
import { AnonFile } from '../../fs/anon-inode.js';
import type { GuestBuffer } from '../../fs/file.js';
import type { Inode } from '../../fs/inode.js';
import { FIONREAD } from '../abi/flags/ioctl.js';
import type { Watch } from '../../fs/notify.js';
import { POLLIN, POLLRDNORM } from '../../fs/poll-events.js';
import { PollQueue } from '../../fs/poll-queue.js';

const HEADER = INOTIFY_EVENT.size;
/** Bits that make an event; the others steer the watch. */
const ALL_EVENTS = 0xfff;
const ALWAYS = IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW;

interface Event {
  readonly wd: number;
  readonly mask: number;
  readonly cookie: number;
  /** Padded. */
  readonly name: string;
}

class InodeWatch implements Watch {
  readonly file: InotifyFile;
  readonly inode: Inode;
  readonly wd: number;
  mask: number;

  constructor(file: InotifyFile, inode: Inode, wd: number, mask: number) {
    this.file = file;
    this.inode = inode;
    this.wd = wd;
    this.mask = mask;
  }
  event(mask: number, name: string, cookie: number, unlinked: boolean): void {
    const wanted = (mask & this.mask & ALL_EVENTS) !== 0 || (mask & ALWAYS) !== 0;
    if (wanted && !(unlinked && name !== '' && (this.mask & IN_EXCL_UNLINK) !== 0)) {
      this.file.queueEvent(this.wd, mask & (ALL_EVENTS | ALWAYS | IN_ISDIR), cookie, name);
      if ((this.mask & IN_ONESHOT) !== 0) {
        this.file.end(this, true);
        return;
      }
    }
    if ((mask & IN_DELETE_SELF) !== 0 && name === '') this.file.end(this, true);
  }
}

export class InotifyFile extends AnonFile {
  override readonly queue = new PollQueue();
  private readonly limit: number;
  private readonly watches = new Map<number, InodeWatch>();
  private readonly byInode = new Map<Inode, InodeWatch>();
  private events: Event[] = [];
  private bytes = 0;
  private nextWd = 1;

  constructor(kernel: KernelState, flags: number, limit: number) {
    super(kernel, 'inotify', O_RDONLY | flags);
    this.limit = limit;
  }

  /** Adds or changes the watch of an inode; returns its number. */
  add(inode: Inode, mask: number): number {
    const old = this.byInode.get(inode);
    const bits = mask & (ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK);
    if (old !== undefined) {
      if ((mask & IN_MASK_CREATE) !== 0) throw errno(EEXIST);
      old.mask = (mask & IN_MASK_ADD) !== 0 ? old.mask | bits : bits;
      return old.wd;
    }
    const watch = new InodeWatch(this, inode, this.nextWd++, bits);
    this.watches.set(watch.wd, watch);
    this.byInode.set(inode, watch);
    (inode.watches ??= new Set<Watch>()).add(watch);
    inode.sb.watched = (inode.sb.watched ?? 0) + 1;
    return watch.wd;
  }
  remove(wd: number): void {
    const watch = this.watches.get(wd);
    if (watch === undefined) throw errno(EINVAL);
    this.end(watch, true);
  }
  end(watch: InodeWatch, tell: boolean): void {
    const { inode, wd } = watch;
    if (this.watches.get(wd) !== watch) return;
    this.watches.delete(wd);
    this.byInode.delete(inode);
    inode.watches!.delete(watch);
    inode.sb.watched!--;
    if (tell) this.queueEvent(wd, IN_IGNORED, 0, '');
  }

  queueEvent(wd: number, mask: number, cookie: number, name: string): void {
    const length = name === '' ? 0 : Math.ceil((name.length + 1) / HEADER) * HEADER;
    const event: Event = { wd, mask: mask >>> 0, cookie, name: name.padEnd(length, '\0') };
    const last = this.events.at(-1);
    if (
      last !== undefined &&
      last.wd === wd &&
      last.mask === event.mask &&
      last.cookie === cookie &&
      last.name === event.name
    )
      return;
    if (this.events.length >= this.limit) {
      if (last !== undefined && (last.mask & IN_Q_OVERFLOW) !== 0) return;
      this.push({ wd: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: '' });
    } else this.push(event);
  }
  private push(event: Event): void {
    this.events.push(event);
    this.bytes += HEADER + event.name.length;
    this.queue.wakeFor(POLLIN | POLLRDNORM);
  }

  override read(_task: Task, into: GuestBuffer): number {
    if (this.events.length === 0) return WOULD_BLOCK;
    let total = 0;
    let taken = 0;
    for (const event of this.events) {
      const size = HEADER + event.name.length;
      if (size > into.remaining) break;
      total += into.put(encode(event), 0, size);
      taken++;
    }
    if (taken === 0) throw errno(EINVAL);
    for (const event of this.events.splice(0, taken)) this.bytes -= HEADER + event.name.length;
    return total;
  }
  override poll(): number {
    return this.events.length > 0 ? POLLIN | POLLRDNORM : 0;
  }
  override ioctl(task: Task, request: number, arg: number): number {
    if (request !== FIONREAD) return super.ioctl(task, request, arg);
    task.mm.writeU32(arg, this.bytes);
    return 0;
  }
  override release(): void {
    for (const watch of [...this.watches.values()]) this.end(watch, false);
  }
  override fdinfo(): string {
    let text = '';
    for (const { wd, inode, mask } of this.watches.values())
      text += `inotify wd:${wd.toString(16)} ino:${inode.ino.toString(16)} sdev:${inode.sb.devMinor.toString(16)} mask:${mask.toString(16)} ignored_mask:0 \n`;
    return text;
  }
}

function encode({ wd, mask, cookie, name }: Event): Uint8Array {
  const bytes = Buffer.alloc(HEADER + name.length);
  const { offsets } = INOTIFY_EVENT;
  bytes.writeInt32LE(wd, offsets.wd);
  bytes.writeUInt32LE(mask, offsets.mask);
  bytes.writeUInt32LE(cookie, offsets.cookie);
  bytes.writeUInt32LE(name.length, offsets.len);
  bytes.write(name, HEADER, 'latin1');
  return bytes;
}
