/**
 * The one path walk. Everything that turns a path into a place goes through `Walk` (fs/namei.c, path_resolution(7)).
 *
 * A walk has two steps, repeated while the last component is a link to follow: `toLast` goes to the directory of the last
 * component, `last` steps into it. Creating calls look at the last component themselves. With all dentries cached and no
 * link on the way, a walk allocates only the strings of the names.
 *
 * Linux oddities: search permission is checked in the directory of each component, also of '.' and '..'; a trailing slash
 * follows a last link and demands a directory; 40 links in all, nested or not; '..' at the root stays.
 */
import { EACCES, EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV, errno } from '../src/abi/errno.js';
import { AT_FDCWD } from '../src/abi/flags/open.js';
import { S_IFDIR, S_IFLNK, S_IFMT } from '../src/abi/flags/stat.js';
import type { Credentials } from '../sched/credentials.js';
import type { Task } from '../sched/task.js';
import { touchAccessed } from './access-time.js';
import type { Dentry } from './dentry.js';
import { OpenFile } from './file.js';
import { MNT_NOSYMFOLLOW, type Mount, type Place } from './mount.js';
import { MAY_EXEC, permits } from './permissions.js';
import type {} from './task-parts.js';
import type { Vfs } from './vfs.js';

/** Follow a symbolic link in the last component. */
export const LOOKUP_FOLLOW = 1;
/** The result must be a directory. */
export const LOOKUP_DIRECTORY = 2;
/** An empty path means the start itself (AT_EMPTY_PATH). */
export const LOOKUP_EMPTY = 4;
export const LOOKUP_NO_SYMLINKS = 8;
export const LOOKUP_NO_MAGICLINKS = 16;
export const LOOKUP_NO_XDEV = 32;
export const LOOKUP_BENEATH = 64;
export const LOOKUP_IN_ROOT = 128;

/** Kinds of last component. */
export const LAST_NORM = 0;
export const LAST_ROOT = 1; // none left: '/', or the end of a magic link
export const LAST_DOT = 2;
export const LAST_DOTDOT = 3;

const MAX_LINKS = 40;
const NAME_MAX = 255;
const SLASH = 47;
const DOT = 46;

export class Walk {
  readonly vfs: Vfs;
  task!: Task;
  flags = 0;
  /** Where the walk is. After `toLast`: the directory of the last component. After `last`: the result. */
  mount!: Mount;
  dentry!: Dentry;
  /** The last component. */
  name = '';
  lastType = LAST_ROOT;
  trailingSlash = false;

  private creds!: Credentials;
  private rootMount!: Mount;
  private rootDentry!: Dentry;
  private path = '';
  private at = 0;
  /** What is left of the paths whose links are being followed, innermost last. */
  private rests: string[] = [];
  private links = 0;

  constructor(vfs: Vfs) {
    this.vfs = vfs;
  }

  /** Starts at `dirfd` or the root. ENOENT for an empty path unless LOOKUP_EMPTY, EBADF, ENOTDIR. */
  begin(task: Task, dirfd: number, path: string, flags: number): void {
    const { fs } = task;
    this.task = task;
    this.creds = task.creds;
    this.flags = flags;
    this.path = path;
    this.at = 0;
    this.links = 0;
    this.trailingSlash = false;
    if (this.rests.length > 0) this.rests = [];
    let start = fs.root;
    const scoped = (flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) !== 0;
    if (path === '' && (flags & LOOKUP_EMPTY) === 0) throw errno(ENOENT);
    if (path.charCodeAt(0) === SLASH && !scoped) {
      this.rootMount = start.mount;
      this.rootDentry = start.dentry;
    } else {
      if (path.charCodeAt(0) === SLASH && (flags & LOOKUP_BENEATH) !== 0) throw errno(EXDEV);
      if (dirfd === AT_FDCWD) start = fs.cwd;
      else start = this.startAt(dirfd, path);
      const root = scoped ? start : fs.root;
      this.rootMount = root.mount;
      this.rootDentry = root.dentry;
    }
    this.mount = start.mount;
    this.dentry = start.dentry;
  }

  private startAt(dirfd: number, path: string): Place {
    const file = this.task.files.find(dirfd);
    if (file === undefined) throw errno(EBADF);
    if (path !== '' && !file.inode.isDir) throw errno(ENOTDIR);
    return this.vfs.placeOf(file);
  }

  /** Goes to the directory of the last component: sets mount, dentry, name, lastType, trailingSlash. */
  toLast(): void {
    let { path, at, mount, dentry } = this;
    const { creds } = this;
    for (;;) {
      while (path.charCodeAt(at) === SLASH) at++;
      if (at >= path.length) {
        const rest = this.rests.pop();
        if (rest === undefined) {
          this.name = '';
          this.lastType = LAST_ROOT;
          break;
        }
        path = rest;
        at = 0;
        continue;
      }
      const inode = dentry.inode!;
      const { mode } = inode;
      if ((mode & S_IFMT) !== S_IFDIR) throw errno(ENOTDIR);
      if (((mode & 0o111) !== 0o111 || inode.acls !== null) && !permits(inode, MAY_EXEC, creds)) throw errno(EACCES);
      let end = path.indexOf('/', at);
      if (end < 0) end = path.length;
      let next = end;
      while (path.charCodeAt(next) === SLASH) next++;
      let type = LAST_NORM;
      if (path.charCodeAt(at) === DOT)
        if (end - at === 1) type = LAST_DOT;
        else if (end - at === 2 && path.charCodeAt(at + 1) === DOT) type = LAST_DOTDOT;
      if (next >= path.length && this.rests.length === 0) {
        this.name = path.slice(at, end);
        this.lastType = type;
        this.trailingSlash = next > end;
        at = next;
        break;
      }
      const nameAt = at;
      at = next;
      if (type === LAST_DOT) continue;
      if (type === LAST_DOTDOT) {
        this.mount = mount;
        this.dentry = dentry;
        this.toParent();
        ({ mount, dentry } = this);
        continue;
      }
      const name = path.slice(nameAt, end);
      const child = dentry.children?.get(name) ?? this.lookup(dentry, name);
      const found = child.inode;
      if (found === null) throw errno(ENOENT);
      if (child.mounts > 0) {
        this.mount = mount;
        this.enter(child);
        ({ mount, dentry } = this);
      } else if ((found.mode & S_IFMT) === S_IFLNK) {
        this.path = path;
        this.at = at;
        this.mount = mount;
        this.dentry = dentry;
        this.follow(child);
        ({ path, at, mount, dentry } = this);
      } else dentry = child;
    }
    this.path = path;
    this.at = at;
    this.mount = mount;
    this.dentry = dentry;
  }

  /** The child `name` of a directory, negative when it does not exist. Fills the cache. */
  lookup(dir: Dentry, name: string): Dentry {
    const cached = dir.children?.get(name);
    if (cached !== undefined) return cached;
    if (name.length > NAME_MAX) throw errno(ENAMETOOLONG);
    if (dir.inode!.lookup === undefined) throw errno(ENOTDIR);
    return this.vfs.lookupChild(dir, name, this.task);
  }

  /** The child of the last component, for calls that create or remove it. */
  lookupLast(): Dentry {
    return this.lookup(this.dentry, this.name);
  }

  /** Steps into the last component. False: it was a link, go on with `toLast`. */
  last(): boolean {
    if (this.lastType === LAST_NORM) {
      const child = this.dentry.children?.get(this.name) ?? this.lookup(this.dentry, this.name);
      if (this.trailingSlash) this.flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY;
      if (!this.step(child)) return false;
    } else if (this.lastType === LAST_DOTDOT) this.toParent();
    if ((this.flags & LOOKUP_DIRECTORY) !== 0 && !this.dentry.inode!.isDir) throw errno(ENOTDIR);
    return true;
  }

  /** Goes to a positive last child: through mounts, or (false) along a link. */
  step(child: Dentry): boolean {
    const { inode } = child;
    if (inode === null) throw errno(ENOENT);
    if (child.mounts > 0) this.enter(child);
    else if ((this.flags & LOOKUP_FOLLOW) !== 0 && (inode.mode & S_IFMT) === S_IFLNK) {
      this.follow(child);
      return false;
    } else this.dentry = child;
    return true;
  }

  /** Goes to `dentry` of the current mount, and on to what is mounted there. */
  private enter(dentry: Dentry): void {
    let { mount } = this;
    while (dentry.mounts > 0) {
      const over = mount.covers.get(dentry);
      if (over === undefined) break;
      if ((this.flags & LOOKUP_NO_XDEV) !== 0) throw errno(EXDEV);
      mount = over;
      dentry = over.root;
    }
    this.mount = mount;
    this.dentry = dentry;
  }

  private toParent(): void {
    let { mount, dentry } = this;
    for (;;) {
      if (mount === this.rootMount && dentry === this.rootDentry) {
        if ((this.flags & LOOKUP_BENEATH) !== 0) throw errno(EXDEV);
        break;
      }
      if (dentry !== mount.root) {
        dentry = dentry.parent;
        break;
      }
      if (mount.parent === null) break;
      if ((this.flags & LOOKUP_NO_XDEV) !== 0) throw errno(EXDEV);
      dentry = mount.point!;
      mount = mount.parent;
    }
    this.mount = mount;
    this.enter(dentry);
  }

  /** Follows the link `child` of the current directory; what is left of the path goes on behind it. */
  private follow(child: Dentry): void {
    const inode = child.inode!;
    const { flags } = this;
    if (this.links++ >= MAX_LINKS) throw errno(ELOOP);
    if ((flags & LOOKUP_NO_SYMLINKS) !== 0 || (this.mount.flags & MNT_NOSYMFOLLOW) !== 0) throw errno(ELOOP);
    touchAccessed(this.mount, inode);
    const target = inode.follow?.(this.task) ?? null;
    if (target !== null) {
      this.jump(target instanceof OpenFile ? this.vfs.placeOf(target) : target);
      return;
    }
    const text = inode.readlink!(this.task);
    if (text.charCodeAt(0) === SLASH) {
      if ((flags & LOOKUP_BENEATH) !== 0) throw errno(EXDEV);
      if ((flags & LOOKUP_NO_XDEV) !== 0 && this.mount !== this.rootMount) throw errno(EXDEV);
      this.mount = this.rootMount;
      this.dentry = this.rootDentry;
    }
    if (this.at < this.path.length) this.rests.push(this.path.slice(this.at));
    this.path = text;
    this.at = 0;
  }

  /** To the object of a magic link (nd_jump_link). */
  private jump(place: Place): void {
    const { flags } = this;
    if ((flags & LOOKUP_NO_MAGICLINKS) !== 0) throw errno(ELOOP);
    if ((flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT)) !== 0) throw errno(EXDEV);
    if ((flags & LOOKUP_NO_XDEV) !== 0 && place.mount !== this.mount) throw errno(EXDEV);
    this.mount = place.mount;
    this.dentry = place.dentry;
  }

  place(): Place {
    return { mount: this.mount, dentry: this.dentry };
  }
}

declare module './vfs.js' {
  interface Vfs {
    /** A walk not in use: walks may nest (a filesystem's lookup that walks). */
    spareWalk?: Walk | undefined;
  }
}

/** A walk object; give it back with `releaseWalk` when its fields have been read. */
export function acquireWalk(vfs: Vfs): Walk {
  const walk = vfs.spareWalk;
  if (walk === undefined) return new Walk(vfs);
  vfs.spareWalk = undefined;
  return walk;
}
export function releaseWalk(walk: Walk): void {
  walk.vfs.spareWalk = walk;
}

/** The place a path names. */
export function resolve(task: Task, dirfd: number, path: string, flags: number): Place {
  const walk = acquireWalk(task.kernel.vfs);
  try {
    walk.begin(task, dirfd, path, flags);
    do walk.toLast();
    while (!walk.last());
    return walk.place();
  } finally {
    releaseWalk(walk);
  }
}

/** The directory and last component of a path that is to be created, removed or renamed. */
export interface LastOf {
  readonly mount: Mount;
  readonly dir: Dentry;
  readonly name: string;
  readonly type: number;
  readonly trailingSlash: boolean;
}

export function resolveParent(task: Task, dirfd: number, path: string): LastOf {
  const walk = acquireWalk(task.kernel.vfs);
  try {
    walk.begin(task, dirfd, path, 0);
    walk.toLast();
    return {
      mount: walk.mount,
      dir: walk.dentry,
      name: walk.name,
      type: walk.lastType,
      trailingSlash: walk.trailingSlash,
    };
  } finally {
    releaseWalk(walk);
  }
}

/** The dentry a `LastOf` of type LAST_NORM names; negative when missing. */
export function lookupAt(task: Task, dir: Dentry, name: string): Dentry {
  const walk = acquireWalk(task.kernel.vfs);
  try {
    walk.task = task;
    return walk.lookup(dir, name);
  } finally {
    releaseWalk(walk);
  }
}
