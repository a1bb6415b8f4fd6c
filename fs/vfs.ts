/**
 * Vfs: the part of a kernel that is about files: filesystem types, device numbers, the dentry cache, the mounts, the drivers
 * of special files. Path walking is fs/walk.ts, operations on names fs/namespace-ops.ts, opening fs/open.ts.
 */
import { ENODEV, ENXIO, errno } from '../src/abi/errno.js';
import type { KernelState } from '../sched/kernel-state.js';
import type { Task } from '../sched/task.js';
import { Dentry, NegativeCache, attachDentry, detachDentry } from './dentry.js';
import type { OpenFile } from './file.js';
import type { Inode } from './inode.js';
import { Mount, MNT_RELATIME, MountNamespace, type Place } from './mount.js';
import { DeviceRegistry, type DeviceType, type Opener } from './special.js';
import { PlainSuperBlock, type SuperBlock } from './superblock.js';

export interface MountRequest {
  /** First argument of mount(2), a byte string. */
  readonly source: string;
  /** Option string. */
  readonly data: string;
  /** MS_ flags. */
  readonly flags: number;
  /** Null when the kernel mounts at boot. */
  readonly task: Task | null;
}

export interface FilesystemType {
  readonly name: string;
  /** Lives on a block device; without, /proc/filesystems says nodev. */
  readonly needsDevice?: boolean;
  /** A superblock to mount: a new one, or the only one (devtmpfs). Throws EINVAL for bad options. */
  get(kernel: KernelState, request: MountRequest): SuperBlock;
}

/** First minor of anonymous device numbers handed out. */
const FIRST_MINOR = 20;

export class Vfs {
  readonly kernel: KernelState;
  readonly devices = new DeviceRegistry();
  readonly namespace = new MountNamespace();
  readonly negatives = new NegativeCache();
  /** How FIFOs are opened; set by the pipe layer. */
  fifoOpen: Opener = () => {
    throw errno(ENXIO);
  };
  private readonly types = new Map<string, FilesystemType>();
  private nextMinor = FIRST_MINOR;
  private nextMountId = 1;
  private anonymousMount: Mount | null = null;

  constructor(kernel: KernelState) {
    this.kernel = kernel;
  }

  /** A device minor for a new superblock without a device (get_anon_bdev). */
  allocateMinor(): number {
    return this.nextMinor++;
  }

  registerType(type: FilesystemType): void {
    this.types.set(type.name, type);
  }
  /** ENODEV for an unknown type. */
  type(name: string): FilesystemType {
    const type = this.types.get(name);
    if (type === undefined) throw errno(ENODEV);
    return type;
  }
  /** In order of registration: /proc/filesystems. */
  filesystemTypes(): IterableIterator<FilesystemType> {
    return this.types.values();
  }

  /** See fs/special.ts. */
  registerDevice(
    type: DeviceType,
    major: number,
    minor: number | readonly [number, number],
    open: Opener,
    name?: string,
  ): void {
    this.devices.register(type, major, minor, open, name);
  }

  /** What is mounted somewhere, or was and is still in use; some are gone (`mounts` is 0). */
  readonly superBlocks = new Set<SuperBlock>();
  /** A mount object that is in no tree yet. */
  newMount(sb: SuperBlock, root: Dentry, source: string, flags: number): Mount {
    for (const gone of this.superBlocks) if (gone.mounts === 0) this.superBlocks.delete(gone);
    this.superBlocks.add(sb);
    sb.mounts++;
    return new Mount(this.nextMountId++, sb, root, source, flags);
  }

  /** Mounts the first filesystem, the root of everything. */
  mountRoot(sb: SuperBlock, source: string, flags = MNT_RELATIME): Place {
    const mount = this.newMount(sb, sb.rootDentry, source, flags);
    mount.namespace = this.namespace;
    this.namespace.root = mount;
    this.namespace.mounts.add(mount);
    return { mount, dentry: mount.root };
  }

  // --- dentry cache

  /** The child `name` of a directory, from the filesystem: not in the cache. The child may be negative. */
  lookupChild(parent: Dentry, name: string, task: Task): Dentry {
    const dir = parent.inode!;
    const inode = dir.lookup!(name, task);
    const dentry = new Dentry(name, parent, inode);
    if (dir.sb.volatile || parent.unlinked) return dentry;
    attachDentry(dentry);
    if (inode === null) this.negatives.add(dentry);
    return dentry;
  }

  /** The kernel itself changed `dir` (a device came): whatever the cache says of `name` is forgotten. */
  forget(dir: Inode, name: string): void {
    const dentry = dir.dentry?.children?.get(name);
    if (dentry !== undefined && dentry.mounts === 0) detachDentry(dentry);
  }

  // --- files without a name

  /** A place for an open file that has none (a pipe reached through /proc/PID/fd). */
  placeOf(file: OpenFile): Place {
    if (file.place !== null) return file.place;
    return { mount: this.anonymous(), dentry: new Dentry(file.describe(), null, file.inode) };
  }
  /** Whether paths in `mount` are bare names such as 'pipe:[7]'. */
  isAnonymous(mount: Mount): boolean {
    return mount === this.anonymousMount;
  }
  private anonymous(): Mount {
    if (this.anonymousMount === null) {
      const sb = new PlainSuperBlock(0, this.kernel.clock, this.kernel.pageSize);
      this.anonymousMount = new Mount(0, sb, new Dentry('', null, null), 'none', 0);
    }
    return this.anonymousMount;
  }
}
