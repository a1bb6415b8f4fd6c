/**
 * What keeps inodes and mounts alive: open files, working and root directories, programs, mappings.
 *
 * Invariants: an inode without a name (nlink 0) gives its storage back exactly when the last user goes (iput);
 * a mount with users is busy for umount, and one that was detached lets its filesystem go with the last user (mntput).
 * Names alone are not counted: the filesystem holds those.
 */
import { O_ACCMODE, O_PATH } from '../src/abi/flags/open.js';
import { IN_DELETE_SELF } from '../src/abi/flags/poll.js';
import type { ThreadGroup } from '../sched/thread-group.js';
import type { OpenFile } from './file.js';
import type { Inode } from './inode.js';
import type { Mount, Place } from './mount.js';
import { notify } from './notify.js';
import type {} from './task-parts.js';

export function holdInode(inode: Inode): void {
  inode.users++;
}

export function releaseInode(inode: Inode): void {
  inode.users--;
  dropUnused(inode);
}

/** After a name or a user went: what has neither is evicted, and its watchers hear of it. */
export function dropUnused(inode: Inode): void {
  if (inode.users > 0 || inode.nlink > 0) return;
  notify(inode, IN_DELETE_SELF);
  inode.evict?.();
}

export function holdMount(mount: Mount): void {
  mount.users++;
  mount.expiring = false;
}

export function releaseMount(mount: Mount): void {
  if (--mount.users === 0 && mount.namespace === null) dropSuperBlock(mount);
}

/** The mount will never be used again. */
export function dropSuperBlock(mount: Mount): void {
  const { sb } = mount;
  if (--sb.mounts === 0) sb.shutdown();
}

export function holdPlace(place: Place): void {
  holdMount(place.mount);
  const { inode } = place.dentry;
  if (inode === null) return;
  holdInode(inode);
  inode.lastPlace = place;
}

export function releasePlace(place: Place): void {
  const { inode } = place.dentry;
  if (inode !== null) releaseInode(inode);
  releaseMount(place.mount);
}

/** Whether the file was opened for writing (access mode 3 counts as neither). */
export function opensForWrite(flags: number): boolean {
  const access = flags & O_ACCMODE;
  return (flags & O_PATH) === 0 && (access === 1 || access === 2);
}

/** Counts a file that a path was opened to. */
export function track(file: OpenFile): void {
  file.tracked = true;
  holdInode(file.inode);
  if (file.place !== null) {
    holdMount(file.place.mount);
    file.inode.lastPlace = file.place;
  }
  if (!opensForWrite(file.flags)) return;
  file.inode.writers++;
  if (file.place !== null && file.inode.isRegular) file.place.mount.writers++;
}

/** Undoes `track` at the last close. */
export function untrack(file: OpenFile): void {
  file.tracked = false;
  if (opensForWrite(file.flags)) {
    file.inode.writers--;
    if (file.place !== null && file.inode.isRegular) file.place.mount.writers--;
  }
  releaseInode(file.inode);
  if (file.place !== null) releaseMount(file.place.mount);
}

/** Sets the program of a process: it may not be opened for writing while it runs (ETXTBSY). */
export function setExe(group: ThreadGroup, place: Place | null): void {
  const old = group.exe as Place | null | undefined;
  if (place !== null) {
    holdPlace(place);
    place.dentry.inode!.executors++;
  }
  group.exe = place;
  if (old !== null && old !== undefined) {
    old.dentry.inode!.executors--;
    releasePlace(old);
  }
}
