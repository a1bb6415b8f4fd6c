/**
 * The memory devices, major 1 (drivers/char/mem.c, drivers/char/random.c): null, zero, full, random, urandom.
 *
 * Linux oddities: their position never moves off 0 (null_lseek); writing to null or zero does not even look at the buffer;
 * null, zero and full cannot be polled by epoll, random can; zero maps as anonymous memory.
 */
import { EINVAL, ENOSPC, EPERM, errno } from '../../src/abi/errno.js';
import { capable } from '../../sched/credentials.js';
import { CAP_SYS_ADMIN } from '../../src/abi/flags/capability.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { WaitQueue } from '../../sched/wait.js';
import { OpenFile, type GuestBuffer } from '../file.js';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../poll-events.js';
import { KmsgFile } from './kmsg.js';
import type {} from '../task-parts.js';

declare module '../file.js' {
  interface OpenFile {
    /** mmap of it is an anonymous mapping, shared or private (/dev/zero). */
    readonly mapsAnonymous?: boolean;
  }
}

abstract class MemFile extends OpenFile {
  override seek(): number {
    this.position = 0;
    return 0;
  }
  override get seekable(): boolean {
    return true;
  }
  override fsync(): void {
    throw errno(EINVAL);
  }
}

class NullFile extends MemFile {
  override read(): number {
    return 0;
  }
  override write(_task: Task, from: GuestBuffer): number {
    return from.remaining;
  }
  override get splices(): boolean {
    return false;
  }
}

class ZeroFile extends NullFile {
  override get splices(): boolean {
    return true;
  }
  override readonly mapsAnonymous = true;

  override read(_task?: Task, into?: GuestBuffer): number {
    return into!.putZeros(into!.remaining);
  }
}

class FullFile extends MemFile {
  override read(_task: Task, into: GuestBuffer): number {
    return into.putZeros(into.remaining);
  }
  override write(): number {
    throw errno(ENOSPC);
  }
}

const CHUNK = 65536;
const RNDGETENTCNT = 0x80045200;
const RND_PRIVILEGED = new Set([0x40045201, 0x40085203, 0x5204, 0x5206, 0x5207]);
const POOL_BITS = 256;

class RandomFile extends MemFile {
  override readonly queue = new WaitQueue();

  override read(task: Task, into: GuestBuffer): number {
    let total = 0;
    const chunk = new Uint8Array(Math.min(CHUNK, into.remaining));
    while (into.remaining > 0) {
      const n = Math.min(chunk.length, into.remaining);
      task.kernel.random.fill(chunk, 0, n);
      let moved: number;
      try {
        moved = into.put(chunk, 0, n);
      } catch (error) {
        if (total > 0) break;
        throw error;
      }
      total += moved;
      if (moved < n) break;
    }
    return total;
  }
  /** Anyone may mix bytes in; they do not matter. */
  override write(_task: Task, from: GuestBuffer): number {
    const n = from.accessible(from.remaining);
    const chunk = new Uint8Array(Math.min(CHUNK, from.remaining));
    let total = 0;
    while (total < n) total += from.take(chunk, 0, Math.min(chunk.length, n - total));
    // A bad address throws here.
    return n === 0 && from.remaining > 0 ? from.take(chunk, 0, 1) : total;
  }
  override poll(): number {
    return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
  }
  override ioctl(task: Task, request: number, arg: number): number {
    if (request === RNDGETENTCNT) {
      task.mm.writeU32(arg, POOL_BITS);
      return 0;
    }
    if (!RND_PRIVILEGED.has(request)) throw errno(EINVAL);
    if (!capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
    return 0;
  }
}

/** Registers the drivers; the nodes are devtmpfs's or anyone's. */
export function registerMemDevices({ vfs }: KernelState): void {
  vfs.registerDevice('c', 1, 3, (inode, flags) => new NullFile(inode, null, flags), 'mem');
  vfs.registerDevice('c', 1, 5, (inode, flags) => new ZeroFile(inode, null, flags), 'mem');
  vfs.registerDevice('c', 1, 7, (inode, flags) => new FullFile(inode, null, flags), 'mem');
  vfs.registerDevice('c', 1, [8, 9], (inode, flags) => new RandomFile(inode, null, flags), 'mem');
  vfs.registerDevice('c', 1, 11, (inode, flags, task) => new KmsgFile(task.kernel, inode, flags), 'mem');
}
