/**
 * tmpfs superblocks: limits on blocks and inodes, options, statfs (tmpfs(5), mm/shmem.c).
 *
 * Linux oddities: a limit of 0 means none, and then statfs shows zeros; size= takes k, m, g and a percentage of memory;
 * an option nobody knows is EINVAL.
 */
import { EINVAL, ENOSPC, errno } from '../../src/abi/errno.js';
import { TMPFS_MAGIC } from '../../src/abi/flags/filesystems.js';
import { S_IFDIR } from '../../src/abi/flags/stat.js';
import type { FrameAllocator } from '../../src/mm/frames.js';
import type { KernelState } from '../../sched/kernel-state.js';
import type { PageAccount } from '../page-cache.js';
import { SuperBlock, type StatFs } from '../superblock.js';
import type { FilesystemType, MountRequest } from '../vfs.js';
import type {} from '../task-parts.js';
import { TmpfsDirectory } from './directory.js';
import { formatOptions, parseOptions } from './options.js';

export class TmpfsSuperBlock extends SuperBlock implements PageAccount {
  readonly fsType: string = 'tmpfs';
  readonly frames: FrameAllocator;
  /** Limits in pages and inodes; 0: none. */
  maxBlocks: number;
  maxInodes: number;
  private usedBlocks = 0;
  private usedInodes = 0;
  private nextIno = 1;
  private readonly kernel: KernelState;

  constructor(kernel: KernelState, data = '', rootMode = 0o1777) {
    super(kernel.vfs.allocateMinor(), kernel.clock, kernel.pageSize);
    this.kernel = kernel;
    this.frames = kernel.frames;
    const options = parseOptions(data, this.memoryBytes, this.blockSize);
    const { pageSize } = this.frames;
    this.maxBlocks =
      options.size === undefined ? Math.floor(this.defaultPages / 2) : Math.ceil(options.size / pageSize);
    this.maxInodes = options.inodes ?? Math.floor(this.defaultPages / 2);
    const mode = options.mode ?? rootMode;
    const root = new TmpfsDirectory(this, { mode: S_IFDIR | mode, uid: options.uid ?? 0, gid: options.gid ?? 0 });
    root.nlink = 2;
    this.root = root;
    this.showOptions(options);
  }

  private get memoryBytes(): number {
    const { limits, frames } = this.kernel;
    return Math.min(limits.memoryBytes, frames.physical.size);
  }
  private get defaultPages(): number {
    return Math.floor(this.memoryBytes / this.frames.pageSize);
  }
  private showOptions(given: ReturnType<typeof parseOptions>): void {
    this.options = formatOptions(given, (this.maxBlocks * this.frames.pageSize) / 1024, this.maxInodes);
  }

  // --- accounting
  take(pages: number): number {
    const free = this.maxBlocks === 0 ? pages : Math.max(0, this.maxBlocks - this.usedBlocks);
    const n = Math.min(pages, free);
    this.usedBlocks += n;
    return n;
  }
  force(pages: number): void {
    this.usedBlocks += pages;
  }
  give(pages: number): void {
    this.usedBlocks -= pages;
  }
  /** Room for an inode; ENOSPC at the limit. Further names of a file take as much (shmem_link). */
  reserveInode(): void {
    if (this.maxInodes !== 0 && this.usedInodes >= this.maxInodes) throw errno(ENOSPC);
    this.usedInodes++;
  }
  /** The number of a new inode. */
  allocateIno(): number {
    this.reserveInode();
    return this.nextIno++;
  }
  freeInode(): void {
    this.usedInodes--;
  }

  statfs(): StatFs {
    const { pageSize } = this.frames;
    const { maxBlocks, maxInodes } = this;
    // Free space is also what memory is left.
    const memory = Math.floor(this.frames.freeBytes / pageSize);
    const bfree = maxBlocks === 0 ? 0 : Math.max(0, Math.min(maxBlocks - this.usedBlocks, memory));
    return {
      type: TMPFS_MAGIC,
      bsize: pageSize,
      blocks: maxBlocks,
      bfree,
      bavail: bfree,
      files: maxInodes,
      ffree: maxInodes === 0 ? 0 : maxInodes - this.usedInodes,
      fsid: this.devMinor,
      namelen: 255,
    };
  }

  override remount(data: string): void {
    const options = parseOptions(data, this.memoryBytes, this.blockSize);
    const { pageSize } = this.frames;
    if (options.size !== undefined) {
      const blocks = Math.ceil(options.size / pageSize);
      if (blocks !== 0 && blocks < this.usedBlocks) throw errno(EINVAL);
      this.maxBlocks = blocks;
    }
    if (options.inodes !== undefined) {
      if (options.inodes !== 0 && options.inodes < this.usedInodes) throw errno(EINVAL);
      this.maxInodes = options.inodes;
    }
    this.showOptions(options);
  }

  /** Nothing can reach it any more: frames go back. */
  override shutdown(): void {
    (this.root as TmpfsDirectory).evictTree();
  }
}

export const tmpfsType: FilesystemType = {
  name: 'tmpfs',
  get: (kernel: KernelState, request: MountRequest) => new TmpfsSuperBlock(kernel, request.data),
};
