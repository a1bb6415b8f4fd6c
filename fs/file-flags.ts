/**
 * Inode flags of ioctl(FS_IOC_GETFLAGS, FS_IOC_SETFLAGS), fs/file_attr.c. What immutable and append-only files
 * refuse is checked where it is asked for (permissions.ts).
 *
 * Linux oddities: descriptors opened before go on writing; an immutable file's size can still be changed through one.
 */
import { ENOTTY, EOPNOTSUPP, EPERM, errno } from '../src/abi/errno.js';
import { CAP_LINUX_IMMUTABLE } from '../src/abi/flags/capability.js';
import { FS_APPEND_FL, FS_IMMUTABLE_FL } from '../src/abi/flags/mount.js';
import { capable } from '../sched/credentials.js';
import type { Task } from '../sched/task.js';
import type { OpenFile } from './file.js';
import { ownerOrCapable, wantWrite } from './permissions.js';

const FIXED = FS_IMMUTABLE_FL | FS_APPEND_FL;

export function getFileFlags({ inode }: OpenFile): number {
  if (inode.settableFlags === 0) throw errno(ENOTTY);
  return inode.fileFlags;
}
export function setFileFlags(task: Task, { inode, place }: OpenFile, flags: number): void {
  if (place !== null) wantWrite(place.mount);
  if (inode.settableFlags === 0) throw errno(ENOTTY);
  if (!ownerOrCapable(inode, task.creds)) throw errno(EPERM);
  if (((flags ^ inode.fileFlags) & FIXED) !== 0 && !capable(task.creds, CAP_LINUX_IMMUTABLE)) throw errno(EPERM);
  if ((flags & ~inode.settableFlags) !== 0) throw errno(EOPNOTSUPP);
  inode.fileFlags = flags;
  inode.touch(false, false);
}
