/**
 * Fills a tmpfs with the entries of an archive (fs/archive/types.ts). Contents stay in the archive until first touched.
 *
 * Archive readers promise parents first, no duplicates and sound names; this loader keeps a tree whatever it is given:
 * missing parents are made, a later entry replaces an earlier one, and what cannot be placed is left out and reported.
 */
import { errnoOf, ERRNO_NAMES } from '../src/abi/errno.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFREG } from '../src/abi/flags/stat.js';
import type { KernelState } from '../sched/kernel-state.js';
import { isAclName, loadAcl } from './acl.js';
import type { ArchiveEntry } from './archive/types.js';
import type { Inode } from './inode.js';
import { dropUnused } from './references.js';
import { TmpfsDirectory } from './tmpfs/directory.js';
import { TmpfsFile, type TmpfsInode, TmpfsNode, TmpfsSymlink } from './tmpfs/inode.js';
import { TmpfsSuperBlock } from './tmpfs/superblock.js';

export interface LoadResult {
  /** Entries that are in the tree. */
  readonly loaded: number;
  /** What was left out and why, one sentence each. */
  readonly problems: readonly string[];
}

const MAX_PROBLEMS = 32;
const NAME_MAX = 255;
const TARGET_MAX = 4095;

class Loader {
  readonly problems: string[] = [];
  loaded = 0;
  private readonly sb: TmpfsSuperBlock;
  private readonly root: TmpfsDirectory;
  /** Parents are mostly the same from one entry to the next. */
  private lastParent = '';
  private lastDirectory: TmpfsDirectory;

  constructor(sb: TmpfsSuperBlock) {
    this.sb = sb;
    this.root = sb.root as TmpfsDirectory;
    this.lastDirectory = this.root;
  }

  add(entry: ArchiveEntry): void {
    const problem = entry.path === '' ? this.setRoot(entry) : this.place(entry);
    if (problem === null) this.loaded++;
    else if (this.problems.length < MAX_PROBLEMS) this.problems.push(`${entry.path}: ${problem}`);
  }

  private setRoot(entry: ArchiveEntry): string | null {
    if (entry.type !== 'dir') return 'the root is no directory there';
    this.root.mode = S_IFDIR | (entry.mode & 0o7777);
    this.root.uid = entry.uid;
    this.root.gid = entry.gid;
    setTimes(this.root, entry);
    return null;
  }

  private place(entry: ArchiveEntry): string | null {
    const slash = entry.path.lastIndexOf('/');
    const name = entry.path.slice(slash + 1);
    if (!isName(name)) return 'not a usable name';
    const dir = this.directory(slash < 0 ? '' : entry.path.slice(0, slash));
    if (dir === null) return 'its parent is no directory';
    const old = dir.lookup(name);
    if (entry.type === 'hardlink') return this.hardlink(dir, name, old, entry.link ?? '');
    if (old instanceof TmpfsDirectory && entry.type === 'dir') {
      old.mode = S_IFDIR | (entry.mode & 0o7777);
      old.uid = entry.uid;
      old.gid = entry.gid;
      this.finish(old, entry);
      return null;
    }
    const removed = remove(dir, name, old);
    if (removed !== null) return removed;
    const inode = this.make(entry);
    if (inode === null) return 'not a usable link target';
    dir.adopt(name, inode);
    this.finish(inode, entry);
    return null;
  }

  private hardlink(dir: TmpfsDirectory, name: string, old: Inode | null, targetPath: string): string | null {
    const target = this.find(targetPath);
    if (target === null || target.isDir) return `a hard link to ${targetPath}, which is missing`;
    if (target === old) return null;
    const removed = remove(dir, name, old);
    if (removed !== null) return removed;
    this.sb.reserveInode();
    target.nlink++;
    dir.adopt(name, target);
    return null;
  }

  private make(entry: ArchiveEntry): TmpfsInode | null {
    const { sb } = this;
    const mode = entry.mode & 0o7777;
    const owner = { uid: entry.uid, gid: entry.gid };
    const major = entry.rdevMajor ?? 0;
    const minor = entry.rdevMinor ?? 0;
    switch (entry.type) {
      case 'dir':
        return new TmpfsDirectory(sb, { mode: S_IFDIR | mode, ...owner });
      case 'symlink': {
        const target = entry.link ?? '';
        if (target === '' || target.length > TARGET_MAX || target.includes('\0')) return null;
        return new TmpfsSymlink(sb, { mode, ...owner }, target);
      }
      case 'char':
        return new TmpfsNode(sb, { mode: S_IFCHR | mode, ...owner }, major, minor);
      case 'block':
        return new TmpfsNode(sb, { mode: S_IFBLK | mode, ...owner }, major, minor);
      case 'fifo':
        return new TmpfsNode(sb, { mode: S_IFIFO | mode, ...owner }, 0, 0);
      default: {
        const file = new TmpfsFile(sb, { mode: S_IFREG | mode, ...owner });
        if (entry.data !== undefined) file.cache.setContent(entry.data);
        return file;
      }
    }
  }

  private finish(inode: TmpfsInode, entry: ArchiveEntry): void {
    if (entry.xattrs !== undefined) for (const [name, value] of entry.xattrs) this.addXattr(inode, name, value);
    setTimes(inode, entry);
  }

  private addXattr(inode: TmpfsInode, name: string, value: Uint8Array): void {
    if (isAclName(name)) loadAcl(inode, name, value);
    else inode.setxattr(name, value, 0);
  }

  /** The directory `path`, with missing parents made; null when something else is in the way. */
  private directory(path: string): TmpfsDirectory | null {
    if (path === this.lastParent) return this.lastDirectory;
    let dir = this.root;
    for (const name of path === '' ? [] : path.split('/')) {
      if (!isName(name)) return null;
      let next = dir.lookup(name);
      if (next === null) {
        next = new TmpfsDirectory(this.sb, { mode: S_IFDIR | 0o755, uid: 0, gid: 0 });
        dir.adopt(name, next);
      }
      if (!(next instanceof TmpfsDirectory)) return null;
      dir = next;
    }
    this.lastParent = path;
    this.lastDirectory = dir;
    return dir;
  }

  private find(path: string): Inode | null {
    let inode: Inode | null = this.root;
    for (const name of path.split('/')) {
      if (!(inode instanceof TmpfsDirectory)) return null;
      inode = inode.lookup(name);
    }
    return inode;
  }
}

const isName = (name: string): boolean =>
  name !== '' && name !== '.' && name !== '..' && name.length <= NAME_MAX && !name.includes('\0');

/** Takes an earlier entry away; says why when that is impossible. */
function remove(dir: TmpfsDirectory, name: string, old: Inode | null): string | null {
  if (old === null) return null;
  if (old instanceof TmpfsDirectory) {
    if (old.entryCount > 0) return 'a directory with entries has that name';
    dir.rmdir(name, old);
  } else dir.unlink(name, old);
  dropUnused(old);
  return null;
}

function setTimes(inode: Inode, { mtimeSec, mtimeNsec }: ArchiveEntry): void {
  inode.atimeSec = inode.mtimeSec = mtimeSec;
  inode.atimeNsec = inode.mtimeNsec = mtimeNsec;
}

/** Adds all entries to the filesystem's tree. Throws when it cannot hold them. */
export function fillTmpfs(sb: TmpfsSuperBlock, entries: Iterable<ArchiveEntry>): LoadResult {
  const loader = new Loader(sb);
  for (const entry of entries) {
    try {
      loader.add(entry);
    } catch (error) {
      const name = ERRNO_NAMES[errnoOf(error)];
      throw new Error(`${entry.path}: cannot be loaded into the root filesystem (${name})`, { cause: error });
    }
  }
  return loader;
}

/** Mounts a tmpfs with the archive's tree as the root of everything. */
export function loadArchive(kernel: KernelState, entries: readonly ArchiveEntry[]): LoadResult {
  const sb = new TmpfsSuperBlock(kernel, '', 0o755);
  // The default limit on inodes is about memory; metadata of the root is in ours.
  sb.maxInodes = Math.max(sb.maxInodes, 2 * entries.length);
  const result = fillTmpfs(sb, entries);
  kernel.vfs.mountRoot(sb, 'tmpfs');
  return result;
}
