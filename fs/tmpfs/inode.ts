/**
 * tmpfs inodes other than directories: files, symbolic links, device nodes, FIFOs, sockets.
 *
 * An inode counts against nr_inodes until it is evicted: without a name and unused. Extended attributes live on the inode
 * (user.*, trusted.*, security.*; the VFS has checked who may).
 */
import { EBUSY, EEXIST, EFBIG, ENODATA, ENOSPC, ENXIO, EOPNOTSUPP, EPERM, errno } from '../../src/abi/errno.js';
import {
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
} from '../../src/abi/flags/fcntl.js';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  XATTR_CREATE,
  XATTR_REPLACE,
} from '../../src/abi/flags/file.js';
import { FS_APPEND_FL, FS_IMMUTABLE_FL, FS_NOATIME_FL, FS_NODUMP_FL } from '../../src/abi/flags/mount.js';
import { S_IFBLK, S_IFCHR, S_IFLNK, S_IFMT } from '../../src/abi/flags/stat.js';
import type { FileMapping } from '../../src/mm/file-mapping.js';
import type { Task } from '../../sched/task.js';
import type { OpenFile } from '../file.js';
import { type Attributes, Inode } from '../inode.js';
import { PageCache } from '../page-cache.js';
import type { Ownership } from '../permissions.js';
import { MAX_FILE_SIZE, RegularFile } from '../regular-file.js';
import type { TmpfsSuperBlock } from './superblock.js';

/** What files and directories keep of chattr(1). */
export const FILE_FLAGS = FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL;
/** What new ones get from their directory. */
export const INHERITED_FLAGS = FS_NODUMP_FL | FS_NOATIME_FL;
/** Bytes of extended attributes an inode may hold. */
const XATTR_SPACE = 128 * 1024;

export abstract class TmpfsInode extends Inode {
  declare readonly sb: TmpfsSuperBlock;
  private xattrs: Map<string, Uint8Array> | null = null;

  constructor(sb: TmpfsSuperBlock, { mode, uid, gid }: Ownership) {
    super(sb, sb.allocateIno(), mode, uid, gid);
    this.touch(true, true);
    this.btimeSec = this.ctimeSec;
    this.btimeNsec = this.ctimeNsec;
  }

  override get keepsAcls(): boolean {
    return !this.isSymlink;
  }
  override evict(): void {
    this.sb.freeInode();
  }

  // --- extended attributes
  override getxattr(name: string): Uint8Array | null {
    return this.xattrs?.get(name) ?? null;
  }
  override setxattr(name: string, value: Uint8Array, flags: number): void {
    const xattrs = (this.xattrs ??= new Map<string, Uint8Array>());
    const old = xattrs.get(name);
    if ((flags & XATTR_CREATE) !== 0 && old !== undefined) throw errno(EEXIST);
    if ((flags & XATTR_REPLACE) !== 0 && old === undefined) throw errno(ENODATA);
    let used = name.length + value.length;
    for (const [other, bytes] of xattrs) if (other !== name) used += other.length + bytes.length;
    if (used > XATTR_SPACE) throw errno(ENOSPC);
    xattrs.set(name, value);
    this.touch(false, false);
  }
  override listxattr(): string[] {
    return this.xattrs === null ? [] : [...this.xattrs.keys()];
  }
  override removexattr(name: string): void {
    if (this.xattrs === null || !this.xattrs.delete(name)) throw errno(ENODATA);
    this.touch(false, false);
  }
}

/** The executable bits are fixed. */
export const F_SEAL_EXEC = 0x20;

export class TmpfsFile extends TmpfsInode {
  readonly cache: PageCache;
  /** F_SEAL_ bits. Only memfds can get any: other files are sealed against sealing. */
  override seals = F_SEAL_SEAL;

  constructor(sb: TmpfsSuperBlock, ownership: Ownership) {
    super(sb, ownership);
    this.cache = new PageCache(this, sb.frames, sb);
  }
  override get settableFlags(): number {
    return FILE_FLAGS;
  }
  get size(): number {
    return this.cache.size;
  }
  override get blocks(): number {
    return this.cache.blocks;
  }
  open(_task: Task, flags: number): OpenFile {
    return new RegularFile(this, null, flags);
  }
  override mapping(): FileMapping {
    return this.cache;
  }
  override truncate(size: number): void {
    if (size > MAX_FILE_SIZE) throw errno(EFBIG);
    if ((this.seals & F_SEAL_SHRINK) !== 0 && size < this.size) throw errno(EPERM);
    if ((this.seals & F_SEAL_GROW) !== 0 && size > this.size) throw errno(EPERM);
    this.cache.truncate(size);
  }
  override allocate(mode: number, offset: number, length: number): void {
    const end = offset + length;
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) !== 0) throw errno(EOPNOTSUPP);
    // shmem_fallocate knows allocating and punching only.
    if ((mode & FALLOC_FL_ZERO_RANGE) !== 0) throw errno(EOPNOTSUPP);
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
      this.checkWrite(offset, 0);
      this.cache.punch(offset, end);
      this.touch(false, true);
      return;
    }
    if (end > MAX_FILE_SIZE) throw errno(EFBIG);
    if ((this.seals & F_SEAL_GROW) !== 0 && end > this.size) throw errno(EPERM);
    this.cache.preallocate(offset, end);
    if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && end > this.size) this.cache.truncate(end);
    this.touch(false, true);
  }
  /** EPERM when seals forbid writing there. */
  checkWrite(offset: number, length: number): void {
    if ((this.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) throw errno(EPERM);
    if ((this.seals & F_SEAL_GROW) !== 0 && offset + length > this.size) throw errno(EPERM);
  }
  override addSeals(seals: number): void {
    if ((seals & F_SEAL_WRITE) !== 0 && (this.seals & F_SEAL_WRITE) === 0 && this.cache.writableMappings > 0)
      throw errno(EBUSY);
  }
  override setAttributes(attributes: Attributes): void {
    const changed = (attributes.mode ?? this.mode) ^ this.mode;
    if ((this.seals & F_SEAL_EXEC) !== 0 && (changed & 0o111) !== 0) throw errno(EPERM);
    super.setAttributes(attributes);
  }
  override evict(): void {
    this.cache.evict();
    super.evict();
  }
}

export class TmpfsSymlink extends TmpfsInode {
  private readonly target: string;

  constructor(sb: TmpfsSuperBlock, ownership: Ownership, target: string) {
    super(sb, { ...ownership, mode: S_IFLNK | 0o777 });
    this.target = target;
  }
  get size(): number {
    return this.target.length;
  }
  open(): OpenFile {
    throw errno(ENXIO); // open(2) gives ELOOP before it gets here
  }
  override readlink(): string {
    return this.target;
  }
}

/** Device nodes, FIFOs and sockets: the VFS opens them through their drivers. */
export class TmpfsNode extends TmpfsInode {
  constructor(sb: TmpfsSuperBlock, ownership: Ownership, rdevMajor: number, rdevMinor: number) {
    super(sb, ownership);
    const type = ownership.mode & S_IFMT;
    if (type !== S_IFCHR && type !== S_IFBLK) return;
    this.rdevMajor = rdevMajor;
    this.rdevMinor = rdevMinor;
  }
  get size(): number {
    return 0;
  }
  open(): OpenFile {
    throw errno(ENXIO);
  }
}
