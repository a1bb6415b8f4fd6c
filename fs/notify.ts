/**
 * Change notification (inotify(7)): what the VFS calls when something happens to an inode. The watches themselves hang on
 * the inodes; without any watch in the kernel a call costs one comparison.
 *
 * Linux oddity: an event on a file is reported to the watches of the file and, with its name, to those of the directory it
 * was opened or named through (fs/notify/fsnotify.c), even after that name was removed unless IN_EXCL_UNLINK.
 */
import { IN_ISDIR } from '../src/abi/flags/poll.js';
import type { KernelState } from '../sched/kernel-state.js';
import type { OpenFile } from './file.js';
import type { Inode } from './inode.js';
import type { Place } from './mount.js';

/** One watch, implemented by inotify. */
export interface Watch {
  /** `mask` one IN_ event (plus IN_ISDIR); `name` '' for the watched inode itself; `unlinked`: the name is gone. */
  event(mask: number, name: string, cookie: number, unlinked: boolean): void;
}

declare module './inode.js' {
  interface Inode {
    watches?: Set<Watch> | null;
  }
}
declare module './superblock.js' {
  interface SuperBlock {
    /** Inodes of this superblock that are watched. */
    watched?: number;
  }
}
declare module '../sched/kernel-state.js' {
  interface KernelState {
    /** Last cookie given to a rename. */
    renameCookie?: number;
  }
}

/** Tells the watches of `inode`. `name`: the entry in the directory `inode` that the event is about, or ''. */
export function notify(inode: Inode, mask: number, name = '', cookie = 0, unlinked = false): void {
  const { watches } = inode;
  if (watches === undefined || watches === null || watches.size === 0) return;
  for (const watch of [...watches]) watch.event(mask, name, cookie, unlinked);
}

/** An event on a named object: its directory's watches, with the name, and its own. */
export function notifyPlace({ dentry }: Place, mask: number, inode = dentry.inode!): void {
  if ((inode.sb.watched ?? 0) === 0) return;
  const bits = inode.isDir ? mask | IN_ISDIR : mask;
  const directory = dentry.parent === dentry ? null : dentry.parent.inode;
  if (directory !== null) notify(directory, bits, dentry.name, 0, dentry.unlinked);
  notify(inode, bits);
}

/** The same on an open file, which may have no name. */
export function notifyFile(file: OpenFile, mask: number): void {
  const { inode, place } = file;
  if ((inode.sb.watched ?? 0) === 0) return;
  if (place !== null) notifyPlace(place, mask, inode);
  else notify(inode, mask);
}

/** A fresh cookie that joins IN_MOVED_FROM with IN_MOVED_TO. */
export function nextCookie(kernel: KernelState): number {
  return (kernel.renameCookie = (kernel.renameCookie ?? 0) + 1);
}
