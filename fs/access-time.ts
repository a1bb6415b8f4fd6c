/**
 * Access times: relatime as on every modern mount (fs/inode.c, atime_needs_update, relatime_need_update).
 *
 * The one-day rule reads the clock's last reading instead of the clock: reads of files are hot, a day is long.
 */
import { FS_NOATIME_FL } from '../src/abi/flags/mount.js';
import type { Inode } from './inode.js';
import { MNT_NOATIME, MNT_NODIRATIME, MNT_RELATIME, type Mount } from './mount.js';
import { isReadOnly } from './permissions.js';

const DAY_SEC = 24 * 3600;

/** The content of `inode` was read through `mount`. */
export function touchAccessed(mount: Mount, inode: Inode): void {
  const { flags } = mount;
  if ((flags & MNT_NOATIME) !== 0 || (inode.fileFlags & FS_NOATIME_FL) !== 0) return;
  if ((flags & MNT_RELATIME) !== 0 && !relatimeDue(inode)) return;
  if ((flags & MNT_NODIRATIME) !== 0 && inode.isDir) return;
  if (isReadOnly(mount)) return;
  const { clock } = inode.sb;
  clock.readRealtime();
  inode.atimeSec = clock.realtimeSec;
  inode.atimeNsec = clock.realtimeNsec;
}

function relatimeDue(inode: Inode): boolean {
  const { atimeSec, atimeNsec } = inode;
  if (inode.mtimeSec > atimeSec || (inode.mtimeSec === atimeSec && inode.mtimeNsec >= atimeNsec)) return true;
  if (inode.ctimeSec > atimeSec || (inode.ctimeSec === atimeSec && inode.ctimeNsec >= atimeNsec)) return true;
  return inode.sb.clock.realtimeSec - atimeSec >= DAY_SEC;
}
