/**
 * File types and modes, statx(2) masks and attributes.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const S_IFREG = 0o100000;
export const S_IFSOCK = 0o140000;
export const S_IFIFO = 0o10000;
export const S_IFLNK = 0o120000;
export const S_IFDIR = 0o40000;
export const S_IFBLK = 0o60000;
export const S_IFCHR = 0o20000;
export const STATX_ALL = 0xfff;
export const STATX_BASIC_STATS = 0x7ff;
export const STATX_TYPE = 1;
export const STATX_MODE = 2;
export const STATX_NLINK = 4;
export const STATX_UID = 8;
export const STATX_GID = 0x10;
export const STATX_ATIME = 0x20;
export const STATX_MTIME = 0x40;
export const STATX_CTIME = 0x80;
export const STATX_INO = 0x100;
export const STATX_SIZE = 0x200;
export const STATX_BLOCKS = 0x400;
export const STATX_BTIME = 0x800;
export const STATX_MNT_ID = 0x1000;
export const STATX_DIOALIGN = 0x2000;
export const STATX_ATTR_COMPRESSED = 4;
export const STATX_ATTR_IMMUTABLE = 0x10;
export const STATX_ATTR_APPEND = 0x20;
export const STATX_ATTR_NODUMP = 0x40;
export const STATX_ATTR_ENCRYPTED = 0x800;
export const STATX_ATTR_AUTOMOUNT = 0x1000;
export const STATX_ATTR_MOUNT_ROOT = 0x2000;
export const STATX_ATTR_VERITY = 0x100000;
export const STATX_ATTR_DAX = 0x200000;
export const AT_STATX_SYNC_AS_STAT = 0;
export const AT_STATX_FORCE_SYNC = 0x2000;
export const AT_STATX_DONT_SYNC = 0x4000;
export const AT_STATX_SYNC_TYPE = 0x6000;
export const S_IFMT = 0xf000;
export const S_ISUID = 0x800;
export const S_ISGID = 0x400;
export const S_ISVTX = 0x200;
export const S_IRWXU = 0x1c0;
export const S_IRUSR = 0x100;
export const S_IWUSR = 0x80;
export const S_IXUSR = 0x40;
export const S_IRWXG = 0x38;
export const S_IRGRP = 0x20;
export const S_IWGRP = 0x10;
export const S_IXGRP = 8;
export const S_IRWXO = 7;
export const S_IROTH = 4;
export const S_IWOTH = 2;
export const S_IXOTH = 1;
export const STATX_MNT_ID_UNIQUE = 0x4000;
export const STATX_SUBVOL = 0x8000;
export const STATX_WRITE_ATOMIC = 0x10000;
export const STATX_DIO_READ_ALIGN = 0x20000;
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

/** strace: modetypes. */
export const modetypes = flagSet('S_???', { S_IFREG, S_IFSOCK, S_IFIFO, S_IFLNK, S_IFDIR, S_IFBLK, S_IFCHR });

/** strace: statx_masks. */
export const statx_masks = flagSet('STATX_???', {
  STATX_ALL,
  STATX_BASIC_STATS,
  STATX_TYPE,
  STATX_MODE,
  STATX_NLINK,
  STATX_UID,
  STATX_GID,
  STATX_ATIME,
  STATX_MTIME,
  STATX_CTIME,
  STATX_INO,
  STATX_SIZE,
  STATX_BLOCKS,
  STATX_BTIME,
  STATX_MNT_ID,
  STATX_DIOALIGN,
});

/** strace: statx_attrs. */
export const statx_attrs = flagSet('STATX_ATTR_???', {
  STATX_ATTR_COMPRESSED,
  STATX_ATTR_IMMUTABLE,
  STATX_ATTR_APPEND,
  STATX_ATTR_NODUMP,
  STATX_ATTR_ENCRYPTED,
  STATX_ATTR_AUTOMOUNT,
  STATX_ATTR_MOUNT_ROOT,
  STATX_ATTR_VERITY,
  STATX_ATTR_DAX,
});

/** strace: at_statx_sync_types. */
export const at_statx_sync_types = flagSet('AT_STATX_???', {
  AT_STATX_SYNC_AS_STAT,
  AT_STATX_FORCE_SYNC,
  AT_STATX_DONT_SYNC,
  AT_STATX_SYNC_TYPE,
});
