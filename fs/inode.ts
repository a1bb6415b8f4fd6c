/**
 * Inodes: the objects behind names. One subclass per kind and filesystem; the VFS core does permissions, link counting rules,
 * sticky bits and path walking, and calls these operations only after its checks.
 *
 * Invariant: an Inode object is unique per (superblock, ino) while anything refers to it. Names are byte strings.
 */
import { FS_APPEND_FL, FS_IMMUTABLE_FL } from '../src/abi/flags/mount.js';
import type { FileMapping } from '../src/mm/file-mapping.js';
import type { Credentials } from '../sched/credentials.js';
import type { Task } from '../sched/task.js';
import { type Acls, followMode } from './acl.js';
import type { Dentry } from './dentry.js';
import type { OpenFile } from './file.js';
import type { Place } from './mount.js';
import type { SuperBlock } from './superblock.js';

export interface Attributes {
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atime?: { sec: number; nsec: number };
  mtime?: { sec: number; nsec: number };
}

export abstract class Inode {
  readonly sb: SuperBlock;
  readonly ino: number;
  /** Type and permission bits, S_IF*. */
  mode: number;
  uid: number;
  gid: number;
  nlink = 1;
  rdevMajor = 0;
  rdevMinor = 0;
  atimeSec = 0;
  atimeNsec = 0;
  mtimeSec = 0;
  mtimeNsec = 0;
  ctimeSec = 0;
  ctimeNsec = 0;
  btimeSec = 0;
  btimeNsec = 0;
  /** Open for writing / being executed: ETXTBSY. */
  writers = 0;
  executors = 0;
  /** Open files, mappings and programs that keep the object alive without a name (fs/references.ts). */
  users = 0;
  /** Where it was last opened: how mappings of it are shown. */
  lastPlace: Place | null = null;
  /** FS_*_FL of chattr(1): what files may not be changed, read back by lsattr(1). */
  fileFlags = 0;
  get isImmutable(): boolean {
    return (this.fileFlags & FS_IMMUTABLE_FL) !== 0;
  }
  get isAppendOnly(): boolean {
    return (this.fileFlags & FS_APPEND_FL) !== 0;
  }
  /** Which of them the filesystem keeps; 0: it has no such flags. */
  get settableFlags(): number {
    return 0;
  }
  /** Access control lists; null where there are none. */
  acls: Acls | null = null;
  /** Whether there may be any. */
  get keepsAcls(): boolean {
    return false;
  }
  /** Has no name yet but may get one (O_TMPFILE without O_EXCL). */
  linkable = false;
  /** The one dentry of a directory, once it has been looked up. */
  dentry: Dentry | null = null;

  constructor(sb: SuperBlock, ino: number, mode: number, uid: number, gid: number) {
    this.sb = sb;
    this.ino = ino;
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
  }

  abstract get size(): number;
  /** 512-byte blocks in use. */
  get blocks(): number {
    return 0;
  }

  /** Makes the open file description; the VFS has checked permissions and O_ flags. */
  abstract open(task: Task, flags: number): OpenFile;

  // --- directories. `lookup` returns null for a missing name (negative dentries are cached unless `sb.volatile`).
  lookup?(name: string, task: Task): Inode | null;
  create?(name: string, mode: number, creds: Credentials): Inode;
  mkdir?(name: string, mode: number, creds: Credentials): Inode;
  mknod?(name: string, mode: number, rdevMajor: number, rdevMinor: number, creds: Credentials): Inode;
  symlink?(name: string, target: string, creds: Credentials): Inode;
  link?(name: string, inode: Inode): void;
  unlink?(name: string, inode: Inode): void;
  rmdir?(name: string, inode: Inode): void;
  /** A file without a name (O_TMPFILE); nlink 0. */
  tmpfile?(mode: number, creds: Credentials): Inode;
  /** `flags` are renameat2(2)'s; returns what RENAME_WHITEOUT left at the old name. */
  rename?(
    oldName: string,
    inode: Inode,
    newDir: Inode,
    newName: string,
    replaced: Inode | null,
    flags: number,
    creds: Credentials,
  ): Inode | null;
  /**
   * Directory entries from `cookie` on; 0 and 1 are '.' and '..' and made by the VFS. Calls `emit` until it returns false.
   * `next` is the cookie of the entry after the one emitted.
   */
  iterate?(cookie: number, task: Task, emit: (name: string, ino: number, type: number, next: number) => boolean): void;

  // --- symbolic links
  readlink?(task: Task): string;
  /** Magic links (/proc/PID/fd/N, exe): the object itself instead of a path. */
  follow?(task: Task): Place | OpenFile | null;

  // --- regular files
  /** The page cache as mm sees it; null when it cannot be mapped (ENODEV). */
  mapping?(): FileMapping | null;
  truncate?(size: number): void;
  /** fallocate(2); the mode bits have been checked for consistency. */
  allocate?(mode: number, offset: number, length: number): void;

  /** Applies attributes; the VFS has done the permission rules. Sets ctime. */
  setAttributes(attributes: Attributes): void {
    if (attributes.mode !== undefined) {
      this.mode = (this.mode & 0o170000) | (attributes.mode & 0o7777);
      followMode(this);
    }
    if (attributes.uid !== undefined) this.uid = attributes.uid;
    if (attributes.gid !== undefined) this.gid = attributes.gid;
    if (attributes.size !== undefined) this.truncate!(attributes.size);
    if (attributes.atime !== undefined) {
      this.atimeSec = attributes.atime.sec;
      this.atimeNsec = attributes.atime.nsec;
    }
    if (attributes.mtime !== undefined) {
      this.mtimeSec = attributes.mtime.sec;
      this.mtimeNsec = attributes.mtime.nsec;
    }
    this.touch(false, false);
  }

  /** Sets ctime, and atime/mtime as asked, to now. */
  touch(atime: boolean, mtime: boolean): void {
    const { clock } = this.sb;
    clock.readRealtime();
    const { realtimeSec: sec, realtimeNsec: nsec } = clock;
    this.ctimeSec = sec;
    this.ctimeNsec = nsec;
    if (atime) {
      this.atimeSec = sec;
      this.atimeNsec = nsec;
    }
    if (mtime) {
      this.mtimeSec = sec;
      this.mtimeNsec = nsec;
    }
  }

  /** F_SEAL_ bits of a memfd; undefined where seals do not exist. */
  seals?: number;
  /** F_ADD_SEALS: the bits have been checked; throws EBUSY while writable shared mappings exist. */
  addSeals?(seals: number): void;

  // --- extended attributes
  getxattr?(name: string): Uint8Array | null;
  setxattr?(name: string, value: Uint8Array, flags: number): void;
  listxattr?(): string[];
  removexattr?(name: string): void;

  /** nlink is 0 and nothing has it open: give the storage back. */
  evict?(): void;

  get type(): number {
    return this.mode & 0o170000;
  }
  get isDir(): boolean {
    return this.type === 0o040000;
  }
  get isRegular(): boolean {
    return this.type === 0o100000;
  }
  get isSymlink(): boolean {
    return this.type === 0o120000;
  }
}
