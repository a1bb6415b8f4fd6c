/**
 * Inodes without a name in any tree: pipefs, sockfs and anon_inodefs (fs/anon_inodes.c). The superblocks are never mounted
 * by users; they exist so that fstat, /proc/PID/fd and mmap see a device and inode number.
 *
 * Linux oddity: every eventfd, epoll, timerfd ... of the system shares the one inode of anon_inodefs, whose mode has no type.
 */
import { ENXIO, errno } from '../src/abi/errno.js';
import type { KernelState } from '../sched/kernel-state.js';
import type { Task } from '../sched/task.js';
import { OpenFile } from './file.js';
import { Inode } from './inode.js';
import { SuperBlock, type StatFs, simpleStatFs } from './superblock.js';

const PIPEFS_MAGIC = 0x50495045;
const SOCKFS_MAGIC = 0x534f434b;
const ANON_INODE_FS_MAGIC = 0x09041934;
/** Minor numbers of the internal superblocks, above those the VFS gives to mounts. */
const FIRST_MINOR = 0xf0000;

export class PseudoSuperBlock extends SuperBlock {
  readonly fsType: string;
  private readonly magic: number;
  private nextIno = 1024;

  constructor(kernel: KernelState, devMinor: number, fsType: string, magic: number) {
    super(devMinor, kernel.clock, kernel.pageSize);
    this.fsType = fsType;
    this.magic = magic;
  }
  allocateIno(): number {
    return this.nextIno++;
  }
  statfs(): StatFs {
    return simpleStatFs(this.magic, this.blockSize);
  }
}

/** Not openable by path except where a subclass says so (/proc/PID/fd/N of a pipe). */
export class PseudoInode extends Inode {
  constructor(sb: PseudoSuperBlock, mode: number, uid: number, gid: number, ino = sb.allocateIno()) {
    super(sb, ino, mode, uid, gid);
    this.touch(true, true);
    this.btimeSec = this.ctimeSec;
    this.btimeNsec = this.ctimeNsec;
  }
  get size(): number {
    return 0;
  }
  open(_task: Task, _flags: number): OpenFile {
    throw errno(ENXIO);
  }
}

export class PseudoFilesystems {
  readonly pipefs: PseudoSuperBlock;
  readonly sockfs: PseudoSuperBlock;
  readonly anon: PseudoSuperBlock;
  /** The one inode of anon_inodefs. */
  readonly anonInode: PseudoInode;

  constructor(kernel: KernelState) {
    this.sockfs = new PseudoSuperBlock(kernel, FIRST_MINOR, 'sockfs', SOCKFS_MAGIC);
    this.pipefs = new PseudoSuperBlock(kernel, FIRST_MINOR + 1, 'pipefs', PIPEFS_MAGIC);
    this.anon = new PseudoSuperBlock(kernel, FIRST_MINOR + 2, 'anon_inodefs', ANON_INODE_FS_MAGIC);
    this.anonInode = new PseudoInode(this.anon, 0o600, 0, 0);
    this.anon.root = this.anonInode;
  }
}

declare module '../sched/kernel-state.js' {
  interface KernelState {
    /** Made on first use. */
    pseudo?: PseudoFilesystems;
  }
}

export function pseudoFs(kernel: KernelState): PseudoFilesystems {
  return (kernel.pseudo ??= new PseudoFilesystems(kernel));
}

/** An open file on the shared anonymous inode; `kind` is the name shown by /proc/PID/fd. */
export class AnonFile extends OpenFile {
  private readonly kind: string;

  constructor(kernel: KernelState, kind: string, flags: number) {
    super(pseudoFs(kernel).anonInode, null, flags);
    this.kind = kind;
  }
  /** noop_llseek. */
  override seek(): number {
    return this.position;
  }
  override describe(): string {
    return `anon_inode:${this.kind}`;
  }
}
