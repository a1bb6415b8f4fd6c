/**
 * What no archive can say of the file system that a recording began with: links whose targets nobody read lead to where
 * no name leads, and files have names that nobody saw.
 */
import { ENOENT, errno, errnoOf } from '../abi/errno.js';
import { AT_FDCWD } from '../abi/flags/open.js';
import { detachDentry } from '../../fs/dentry.js';
import type { Inode } from '../../fs/inode.js';
import type { Place } from '../../fs/mount.js';
import { resolve } from '../../fs/walk.js';
import { TmpfsDirectory } from '../../fs/tmpfs/directory.js';
import type { Task } from '../../sched/task.js';

export interface Arrangement {
  /** Unread links, and the paths that were made up for what they lead to. */
  readonly unread: ReadonlyMap<string, string>;
  /** The directory of those paths. */
  readonly hidden: string;
  /** How many names files have. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Link counts come from files, and names are accounted for. */
const MOST_NAMES = 65_000;

export function arrange(init: Task, { unread, hidden, counts }: Arrangement): void {
  for (const [path, target] of unread) {
    const inode = find(init, path)?.dentry.inode ?? null;
    if (inode === null || !inode.isSymlink) continue;
    const place = find(init, target);
    inode.follow = (): Place => {
      if (place === null) throw errno(ENOENT);
      return place;
    };
  }
  conceal(init, hidden);
  for (const [path, count] of counts) {
    const inode = find(init, path)?.dentry.inode ?? null;
    if (inode !== null && !inode.isDir) inode.nlink = Math.max(inode.nlink, Math.min(count, MOST_NAMES));
  }
}

/** Only the links themselves lead there from now on. */
function conceal(init: Task, path: string): void {
  const place = find(init, path);
  if (place === null) return;
  const { dentry } = place;
  const parent: Inode = dentry.parent.inode!;
  if (parent instanceof TmpfsDirectory) parent.disown(dentry.name);
  detachDentry(dentry);
}

function find(init: Task, path: string): Place | null {
  try {
    return resolve(init, AT_FDCWD, path, 0);
  } catch (error) {
    errnoOf(error);
    return null;
  }
}
