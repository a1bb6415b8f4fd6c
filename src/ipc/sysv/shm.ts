/**
 * System V shared memory (ipc/shm.c): segments of physical pages that stay until they are removed and nobody has them mapped.
 *
 * The number of attachments is the number of mappings there are (counted when asked). A removed segment loses its key at once
 * and its memory with the last mapping.
 */
import { EINVAL, ENOMEM, errno } from '../../abi/errno.js';
import { IPC_PRIVATE, SHM_NORESERVE } from '../../abi/flags/ipc.js';
import type { FileMapping, MappingListener } from '../../mm/file-mapping.js';
import type { Vma } from '../../mm/memory-map.js';
import { SharedMemory } from '../../mm/shared-anonymous.js';
import type { KernelState } from '../../../sched/kernel-state.js';
import type { Task } from '../../../sched/task.js';
import { IpcObject, IpcSet, nowSec } from './ipc.js';

export const SHMMNI = 4096;
export const SHM_DEST = 0o1000;
export const SHM_LOCKED = 0o2000;
/** ULONG_MAX - 2^24, but for the last bit. */
export const SHMMAX = 2 ** 64 - 2 ** 24;
/** Bookkeeping takes 8 bytes a page even without a reservation: beyond this a segment is ENOMEM. */
const MAX_SPARSE = 2 ** 35;

const NOBODY: MappingListener = { invalidate() {} };

/** The mapping object: the memory, and word of who comes and goes. */
class ShmMapping implements FileMapping {
  private readonly memory: SharedMemory;
  private readonly segment: ShmSegment;
  private users = 0;

  constructor(segment: ShmSegment, memory: SharedMemory) {
    this.segment = segment;
    this.memory = memory;
    // The segment itself keeps the memory.
    memory.attach(NOBODY, false);
  }
  get size(): number {
    return this.memory.size;
  }
  get used(): boolean {
    return this.users > 0;
  }
  frameAt(offset: number): number {
    return this.memory.frameAt(offset);
  }
  contiguous(offset: number, max: number): number {
    return this.memory.contiguous(offset, max);
  }
  cached(offset: number): boolean {
    return this.memory.cached(offset);
  }
  attach(listener: MappingListener, writable: boolean): void {
    this.users++;
    this.memory.attach(listener, writable);
  }
  detach(listener: MappingListener, writable: boolean): void {
    this.users--;
    this.memory.detach(listener, writable);
    this.segment.detached();
  }
  free(): void {
    this.memory.detach(NOBODY, false);
  }
  describe(): { devMajor: number; devMinor: number; ino: number; path: string } {
    const key = (this.segment.key >>> 0).toString(16).padStart(8, '0');
    return { devMajor: 0, devMinor: 1, ino: this.segment.id, path: `/SYSV${key} (deleted)` };
  }
}

export class ShmSegment extends IpcObject {
  readonly size: number;
  readonly mapping: ShmMapping;
  atime = 0;
  dtime = 0;
  readonly cpid: number;
  lpid = 0;
  private freed = false;

  constructor(task: Task, key: number, size: number, flags: number) {
    super(task, key, flags);
    this.size = size;
    this.cpid = task.tgid;
    const { frames, memory, pageSize } = task.kernel;
    const pages = Math.ceil(size / pageSize) * pageSize;
    const options = { frames, account: memory, size: pages, noReserve: (flags & SHM_NORESERVE) !== 0 };
    this.mapping = new ShmMapping(this, new SharedMemory(options));
  }

  /** Every mapping of it, in every address space. */
  *vmas(): IterableIterator<Vma> {
    const seen = new Set<object>();
    for (const { mm, exited } of this.kernel.pids.tasks.values()) {
      if (exited || seen.has(mm)) continue;
      seen.add(mm);
      for (const vma of mm.vmas()) if (vma.file === this.mapping) yield vma;
    }
  }
  get attachments(): number {
    return [...this.vmas()].length;
  }
  get residentBytes(): number {
    const { pageSize } = this.kernel;
    let bytes = 0;
    for (let at = 0; at < this.size; at += pageSize) if (this.mapping.cached(at)) bytes += pageSize;
    return bytes;
  }
  detached(): void {
    this.dtime = nowSec(this.kernel);
    if ((this.mode & SHM_DEST) !== 0 && !this.mapping.used) this.destroy();
  }
  /** IPC_RMID. */
  removeLater(): void {
    this.mode |= SHM_DEST;
    if (!this.mapping.used) this.destroy();
  }
  destroy(): void {
    if (this.freed) return;
    this.freed = true;
    segments(this.kernel).remove(this);
    this.mapping.free();
  }
  procLine(): string {
    const n = (value: number, width = 5): string => String(value).padStart(width);
    const shown = (this.mode & SHM_DEST) !== 0 ? IPC_PRIVATE : this.key;
    return (
      `${n(shown, 10)} ${n(this.id, 10)}  ${this.mode.toString(8).padStart(4)} ${n(this.size, 21)} ${n(this.cpid)} ` +
      `${n(this.lpid)}  ${n(this.attachments)} ${n(this.uid)} ${n(this.gid)} ${n(this.cuid)} ${n(this.cgid)} ` +
      `${n(this.atime, 10)} ${n(this.dtime, 10)} ${n(this.ctime, 10)} ${n(this.residentBytes, 21)} ${n(0, 21)}\n`
    );
  }
}

declare module '../../../sched/kernel-state.js' {
  interface KernelState {
    shm?: IpcSet<ShmSegment>;
  }
}
export const segments = (kernel: KernelState): IpcSet<ShmSegment> => (kernel.shm ??= new IpcSet(SHMMNI));

export function shmget(task: Task, key: number, size: number, flags: number): number {
  const check = (old: ShmSegment): void => {
    if (size > old.size) throw errno(EINVAL);
  };
  return segments(task.kernel).get(task, key, flags, check, () => {
    if (size < 1 || size > SHMMAX) throw errno(EINVAL);
    if (size > MAX_SPARSE) throw errno(ENOMEM);
    return new ShmSegment(task, key, size, flags);
  });
}
