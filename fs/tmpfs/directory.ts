/**
 * tmpfs directories: names, link counts and times as mm/shmem.c keeps them.
 *
 * Entries are listed newest first. A cookie is the sequence number of the entry emitted last: entries older than it follow.
 * So names that come or go while a directory is being read neither hide nor repeat others.
 *
 * Linux oddity: a directory's size grows and shrinks by 20 bytes a name (BOGO_DIRENT_SIZE), and '.' and '..' count.
 */
import { ENOTEMPTY, errno } from '../../src/abi/errno.js';
import { RENAME_EXCHANGE, RENAME_WHITEOUT } from '../../src/abi/flags/open.js';
import { S_IFCHR, S_IFDIR, S_IFREG } from '../../src/abi/flags/stat.js';
import type { Credentials } from '../../sched/credentials.js';
import type { Task } from '../../sched/task.js';
import { inheritAcls } from '../acl.js';
import { DirectoryFile } from '../directory-file.js';
import type { OpenFile } from '../file.js';
import type { Inode } from '../inode.js';
import { newOwnership } from '../permissions.js';
import { FILE_FLAGS, INHERITED_FLAGS, TmpfsFile, TmpfsInode, TmpfsNode, TmpfsSymlink } from './inode.js';

const ENTRY_SIZE = 20;
/** Cookies 0 to 2 are '.', '..' and "from the newest on". */
const FIRST_SEQUENCE = 3;

interface Entry {
  readonly name: string;
  inode: Inode;
  readonly sequence: number;
  dead: boolean;
}

/** Types of dirents are the types of modes, shifted. */
const direntType = (mode: number): number => (mode >> 12) & 15;

export class TmpfsDirectory extends TmpfsInode {
  private readonly entries = new Map<string, Entry>();
  /** Entries by sequence; dead ones are swept out now and then. */
  private order: Entry[] = [];
  private dead = 0;
  private nextSequence = FIRST_SEQUENCE;

  override get settableFlags(): number {
    return FILE_FLAGS;
  }
  get size(): number {
    return (this.entries.size + 2) * ENTRY_SIZE;
  }
  get entryCount(): number {
    return this.entries.size;
  }
  open(_task: Task, flags: number): OpenFile {
    return new DirectoryFile(this, null, flags);
  }

  override lookup(name: string): Inode | null {
    return this.entries.get(name)?.inode ?? null;
  }

  // --- making names
  override create(name: string, mode: number, creds: Credentials): TmpfsFile {
    return this.enter(name, this.inherit(new TmpfsFile(this.sb, newOwnership(this, S_IFREG | mode, creds))));
  }
  override mkdir(name: string, mode: number, creds: Credentials): TmpfsDirectory {
    const inode = new TmpfsDirectory(this.sb, newOwnership(this, S_IFDIR | mode, creds));
    inode.nlink = 2;
    this.nlink++;
    return this.enter(name, this.inherit(inode));
  }
  override mknod(name: string, mode: number, rdevMajor: number, rdevMinor: number, creds: Credentials): TmpfsInode {
    const ownership = newOwnership(this, mode, creds);
    const inode = new TmpfsNode(this.sb, ownership, rdevMajor, rdevMinor);
    inheritAcls(this, inode);
    return this.enter(name, inode);
  }
  override symlink(name: string, target: string, creds: Credentials): TmpfsSymlink {
    return this.enter(name, new TmpfsSymlink(this.sb, newOwnership(this, 0o777, creds), target));
  }
  override tmpfile(mode: number, creds: Credentials): TmpfsFile {
    const inode = new TmpfsFile(this.sb, newOwnership(this, S_IFREG | mode, creds));
    inode.nlink = 0;
    return this.inherit(inode);
  }
  override link(name: string, inode: Inode): void {
    if (inode.nlink > 0) this.sb.reserveInode();
    inode.nlink++;
    inode.touch(false, false);
    this.enter(name, inode);
  }

  private inherit<T extends Inode>(inode: T): T {
    inode.fileFlags = this.fileFlags & INHERITED_FLAGS;
    inheritAcls(this, inode);
    return inode;
  }
  private enter<T extends Inode>(name: string, inode: T): T {
    this.insert(name, inode);
    this.touch(false, true);
    return inode;
  }
  private insert(name: string, inode: Inode): void {
    const entry = { name, inode, sequence: this.nextSequence++, dead: false };
    this.entries.set(name, entry);
    this.order.push(entry);
  }

  // --- removing names
  override unlink(name: string, inode: Inode): void {
    this.remove(name);
    if (inode.nlink > 1) this.sb.freeInode();
    inode.nlink--;
    inode.touch(false, false);
    this.touch(false, true);
  }
  override rmdir(name: string, inode: Inode): void {
    if ((inode as TmpfsDirectory).entries.size > 0) throw errno(ENOTEMPTY);
    this.remove(name);
    inode.nlink -= 2;
    this.nlink--;
    inode.touch(false, false);
    this.touch(false, true);
  }
  private remove(name: string): void {
    const entry = this.entries.get(name)!;
    this.entries.delete(name);
    entry.dead = true;
    this.dead++;
    if (this.dead < 32 || this.dead * 2 < this.order.length) return;
    this.order = this.order.filter((other) => !other.dead);
    this.dead = 0;
  }

  override rename(
    oldName: string,
    inode: Inode,
    newDir: Inode,
    newName: string,
    replaced: Inode | null,
    flags: number,
    creds: Credentials,
  ): Inode | null {
    const target = newDir as TmpfsDirectory;
    let whiteout: Inode | null = null;
    if ((flags & RENAME_EXCHANGE) !== 0) this.exchange(oldName, inode, target, newName, replaced!);
    else {
      if (replaced instanceof TmpfsDirectory && replaced.entries.size > 0) throw errno(ENOTEMPTY);
      // Before anything changes: there may be no inode left for it.
      if ((flags & RENAME_WHITEOUT) !== 0) whiteout = new TmpfsNode(this.sb, newOwnership(this, S_IFCHR, creds), 0, 0);
      if (replaced !== null) {
        target.remove(newName);
        if (!replaced.isDir && replaced.nlink > 1) this.sb.freeInode();
        replaced.nlink--;
        replaced.touch(false, false);
        if (replaced.isDir) {
          replaced.nlink--;
          target.nlink--;
        }
      }
      if (inode.isDir && target !== this) {
        this.nlink--;
        target.nlink++;
      }
      this.remove(oldName);
      if (whiteout !== null) this.insert(oldName, whiteout);
      target.insert(newName, inode);
    }
    this.touch(false, true);
    target.touch(false, true);
    inode.touch(false, false);
    return whiteout;
  }
  private exchange(oldName: string, inode: Inode, target: TmpfsDirectory, newName: string, other: Inode): void {
    this.entries.get(oldName)!.inode = other;
    target.entries.get(newName)!.inode = inode;
    other.touch(false, false);
    if (target === this || inode.isDir === other.isDir) return;
    const [loses, gains] = inode.isDir ? [this, target] : [target, this];
    loses.nlink--;
    gains.nlink++;
  }

  override iterate(
    cookie: number,
    _task: Task,
    emit: (name: string, ino: number, type: number, next: number) => boolean,
  ): void {
    const { order } = this;
    for (let i = cookie < FIRST_SEQUENCE ? order.length - 1 : this.indexBelow(cookie); i >= 0; i--) {
      const { name, inode, sequence, dead } = order[i];
      if (!dead && !emit(name, inode.ino, direntType(inode.mode), sequence)) return;
    }
  }
  /** Index of the last entry whose sequence is below `sequence`. */
  private indexBelow(sequence: number): number {
    const { order } = this;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order[middle].sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // --- for loaders
  /** Adds a loaded inode without touching times. */
  adopt(name: string, inode: Inode): void {
    if (inode.isDir) {
      inode.nlink = 2;
      this.nlink++;
    }
    this.insert(name, inode);
  }
  /** Takes the name of what is reached by other ways. */
  disown(name: string): void {
    if (this.entries.get(name)!.inode.isDir) this.nlink--;
    this.remove(name);
  }
  /** Evicts everything below: the superblock goes. Iterative: trees may be deep. */
  evictTree(): void {
    const stack: TmpfsDirectory[] = [this];
    for (let dir = stack.pop(); dir !== undefined; dir = stack.pop()) {
      for (const { inode } of dir.entries.values())
        if (inode instanceof TmpfsDirectory) stack.push(inode);
        else if (inode.nlink > 0 && --inode.nlink === 0 && inode.users === 0) inode.evict?.();
      dir.entries.clear();
      dir.order = [];
    }
  }
}
