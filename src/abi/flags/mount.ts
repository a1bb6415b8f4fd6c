/**
 * mount(2), the newer mount calls, statfs, quota, swap, inode flags.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';
import {
  AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT,
  AT_RECURSIVE,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
} from './open.js';

export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_SYNCHRONOUS = 0x10;
export const MS_REMOUNT = 0x20;
export const MS_MANDLOCK = 0x40;
export const MS_DIRSYNC = 0x80;
export const MS_NOSYMFOLLOW = 0x100;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;
export const MS_BIND = 0x1000;
export const MS_MOVE = 0x2000;
export const MS_REC = 0x4000;
export const MS_SILENT = 0x8000;
export const MS_POSIXACL = 0x10000;
export const MS_UNBINDABLE = 0x20000;
export const MS_PRIVATE = 0x40000;
export const MS_SLAVE = 0x80000;
export const MS_SHARED = 0x100000;
export const MS_RELATIME = 0x200000;
export const MS_KERNMOUNT = 0x400000;
export const MS_I_VERSION = 0x800000;
export const MS_STRICTATIME = 0x1000000;
export const MS_LAZYTIME = 0x2000000;
export const MS_SUBMOUNT = 0x4000000;
export const MS_NOREMOTELOCK = 0x8000000;
export const MS_NOSEC = 0x10000000;
export const MS_BORN = 0x20000000;
export const MS_ACTIVE = 0x40000000;
export const MS_NOUSER = 0x80000000;
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const MNT_EXPIRE = 4;
export const UMOUNT_NOFOLLOW = 8;
export const ST_VALID = 0x20;
export const ST_RDONLY = 1;
export const ST_NOSUID = 2;
export const ST_NODEV = 4;
export const ST_NOEXEC = 8;
export const ST_SYNCHRONOUS = 0x10;
export const ST_MANDLOCK = 0x40;
export const ST_NOATIME = 0x400;
export const ST_NODIRATIME = 0x800;
export const ST_RELATIME = 0x1000;
export const ST_NOSYMFOLLOW = 0x2000;
export const FSCONFIG_SET_FLAG = 0;
export const FSCONFIG_SET_STRING = 1;
export const FSCONFIG_SET_BINARY = 2;
export const FSCONFIG_SET_PATH = 3;
export const FSCONFIG_SET_PATH_EMPTY = 4;
export const FSCONFIG_SET_FD = 5;
export const FSCONFIG_CMD_CREATE = 6;
export const FSCONFIG_CMD_RECONFIGURE = 7;
export const FSMOUNT_CLOEXEC = 1;
export const MOUNT_ATTR_RDONLY = 1;
export const MOUNT_ATTR_NOSUID = 2;
export const MOUNT_ATTR_NODEV = 4;
export const MOUNT_ATTR_NOEXEC = 8;
export const MOUNT_ATTR_NOATIME = 0x10;
export const MOUNT_ATTR_STRICTATIME = 0x20;
export const MOUNT_ATTR_NODIRATIME = 0x80;
export const FSOPEN_CLOEXEC = 1;
export const FSPICK_CLOEXEC = 1;
export const FSPICK_SYMLINK_NOFOLLOW = 2;
export const FSPICK_NO_AUTOMOUNT = 4;
export const FSPICK_EMPTY_PATH = 8;
export const OPEN_TREE_CLONE = 1;
export const OPEN_TREE_CLOEXEC = 0x80000;
export const MOVE_MOUNT_F_SYMLINKS = 1;
export const MOVE_MOUNT_F_AUTOMOUNTS = 2;
export const MOVE_MOUNT_F_EMPTY_PATH = 4;
export const MOVE_MOUNT_T_SYMLINKS = 0x10;
export const MOVE_MOUNT_T_AUTOMOUNTS = 0x20;
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
export const MOVE_MOUNT_SET_GROUP = 0x100;
export const MOUNT_ATTR_IDMAP = 0x100000;
export const MOUNT_ATTR_NOSYMFOLLOW = 0x200000;
export const SWAP_FLAG_PREFER = 0x8000;
export const SWAP_FLAG_DISCARD = 0x10000;
export const SWAP_FLAG_DISCARD_ONCE = 0x20000;
export const SWAP_FLAG_DISCARD_PAGES = 0x40000;
export const FS_SECRM_FL = 1;
export const FS_UNRM_FL = 2;
export const FS_COMPR_FL = 4;
export const FS_SYNC_FL = 8;
export const FS_IMMUTABLE_FL = 0x10;
export const FS_APPEND_FL = 0x20;
export const FS_NODUMP_FL = 0x40;
export const FS_NOATIME_FL = 0x80;
export const FS_DIRTY_FL = 0x100;
export const FS_COMPRBLK_FL = 0x200;
export const FS_NOCOMP_FL = 0x400;
export const FS_ENCRYPT_FL = 0x800;
export const FS_INDEX_FL = 0x1000;
export const FS_IMAGIC_FL = 0x2000;
export const FS_JOURNAL_DATA_FL = 0x4000;
export const FS_NOTAIL_FL = 0x8000;
export const FS_DIRSYNC_FL = 0x10000;
export const FS_TOPDIR_FL = 0x20000;
export const FS_HUGE_FILE_FL = 0x40000;
export const FS_EXTENT_FL = 0x80000;
export const FS_VERITY_FL = 0x100000;
export const FS_EA_INODE_FL = 0x200000;
export const FS_EOFBLOCKS_FL = 0x400000;
export const FS_NOCOW_FL = 0x800000;
export const FS_DAX_FL = 0x2000000;
export const FS_INLINE_DATA_FL = 0x10000000;
export const FS_PROJINHERIT_FL = 0x20000000;
export const FS_CASEFOLD_FL = 0x40000000;
export const FS_RESERVED_FL = 0x80000000;
export const STATMOUNT_SB_BASIC = 1;
export const STATMOUNT_MNT_BASIC = 2;
export const STATMOUNT_PROPAGATE_FROM = 4;
export const STATMOUNT_MNT_ROOT = 8;
export const STATMOUNT_MNT_POINT = 0x10;
export const STATMOUNT_FS_TYPE = 0x20;
export const STATMOUNT_MNT_NS_ID = 0x40;
export const STATMOUNT_MNT_OPTS = 0x80;
export const LSMT_ROOT = 0xffffffff;

/** strace: mount_flags. */
export const mount_flags = flagSet('MS_???', {
  MS_RDONLY,
  MS_NOSUID,
  MS_NODEV,
  MS_NOEXEC,
  MS_SYNCHRONOUS,
  MS_REMOUNT,
  MS_MANDLOCK,
  MS_DIRSYNC,
  MS_NOSYMFOLLOW,
  MS_NOATIME,
  MS_NODIRATIME,
  MS_BIND,
  MS_MOVE,
  MS_REC,
  MS_SILENT,
  MS_POSIXACL,
  MS_UNBINDABLE,
  MS_PRIVATE,
  MS_SLAVE,
  MS_SHARED,
  MS_RELATIME,
  MS_KERNMOUNT,
  MS_I_VERSION,
  MS_STRICTATIME,
  MS_LAZYTIME,
  MS_SUBMOUNT,
  MS_NOREMOTELOCK,
  MS_NOSEC,
  MS_BORN,
  MS_ACTIVE,
  MS_NOUSER,
});

/** strace: umount_flags. */
export const umount_flags = flagSet('MNT_???', { MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW });

/** strace: statfs_flags. */
export const statfs_flags = flagSet('ST_???', {
  ST_VALID,
  ST_RDONLY,
  ST_NOSUID,
  ST_NODEV,
  ST_NOEXEC,
  ST_SYNCHRONOUS,
  ST_MANDLOCK,
  ST_NOATIME,
  ST_NODIRATIME,
  ST_RELATIME,
  ST_NOSYMFOLLOW,
});

/** strace: fsconfig_cmds. */
export const fsconfig_cmds = flagSet('FSCONFIG_???', {
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSCONFIG_SET_BINARY,
  FSCONFIG_SET_PATH,
  FSCONFIG_SET_PATH_EMPTY,
  FSCONFIG_SET_FD,
  FSCONFIG_CMD_CREATE,
  FSCONFIG_CMD_RECONFIGURE,
});

/** strace: fsmount_flags. */
export const fsmount_flags = flagSet('FSMOUNT_???', { FSMOUNT_CLOEXEC });

/** strace: fsmount_attr_flags. */
export const fsmount_attr_flags = flagSet('MOUNT_ATTR_???', {
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_STRICTATIME,
  MOUNT_ATTR_NODIRATIME,
});

/** strace: fsopen_flags. */
export const fsopen_flags = flagSet('FSOPEN_???', { FSOPEN_CLOEXEC });

/** strace: fspick_flags. */
export const fspick_flags = flagSet('FSPICK_???', {
  FSPICK_CLOEXEC,
  FSPICK_SYMLINK_NOFOLLOW,
  FSPICK_NO_AUTOMOUNT,
  FSPICK_EMPTY_PATH,
});

/** strace: open_tree_flags. */
export const open_tree_flags = flagSet('OPEN_TREE_???', {
  OPEN_TREE_CLONE,
  OPEN_TREE_CLOEXEC,
  AT_SYMLINK_NOFOLLOW,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_NO_AUTOMOUNT,
  AT_EMPTY_PATH,
  AT_RECURSIVE,
});

/** strace: move_mount_flags. */
export const move_mount_flags = flagSet('MOVE_MOUNT_???', {
  MOVE_MOUNT_F_SYMLINKS,
  MOVE_MOUNT_F_AUTOMOUNTS,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_SYMLINKS,
  MOVE_MOUNT_T_AUTOMOUNTS,
  MOVE_MOUNT_T_EMPTY_PATH,
  MOVE_MOUNT_SET_GROUP,
});

/** strace: mount_attr_attr. */
export const mount_attr_attr = flagSet('MOUNT_ATTR_???', {
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_STRICTATIME,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_IDMAP,
  MOUNT_ATTR_NOSYMFOLLOW,
});

/** strace: mount_attr_propagation. */
export const mount_attr_propagation = flagSet('MS_???', { MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED });

/** strace: mount_setattr_flags. */
export const mount_setattr_flags = flagSet('AT_???', {
  AT_SYMLINK_NOFOLLOW,
  AT_NO_AUTOMOUNT,
  AT_EMPTY_PATH,
  AT_RECURSIVE,
});

/** strace: swap_flags. */
export const swap_flags = flagSet('SWAP_FLAG_???', {
  SWAP_FLAG_PREFER,
  SWAP_FLAG_DISCARD,
  SWAP_FLAG_DISCARD_ONCE,
  SWAP_FLAG_DISCARD_PAGES,
});

/** strace: fs_ioc_flags. */
export const fs_ioc_flags = flagSet('FS_???_FL', {
  FS_SECRM_FL,
  FS_UNRM_FL,
  FS_COMPR_FL,
  FS_SYNC_FL,
  FS_IMMUTABLE_FL,
  FS_APPEND_FL,
  FS_NODUMP_FL,
  FS_NOATIME_FL,
  FS_DIRTY_FL,
  FS_COMPRBLK_FL,
  FS_NOCOMP_FL,
  FS_ENCRYPT_FL,
  FS_INDEX_FL,
  FS_IMAGIC_FL,
  FS_JOURNAL_DATA_FL,
  FS_NOTAIL_FL,
  FS_DIRSYNC_FL,
  FS_TOPDIR_FL,
  FS_HUGE_FILE_FL,
  FS_EXTENT_FL,
  FS_VERITY_FL,
  FS_EA_INODE_FL,
  FS_EOFBLOCKS_FL,
  FS_NOCOW_FL,
  FS_DAX_FL,
  FS_INLINE_DATA_FL,
  FS_PROJINHERIT_FL,
  FS_CASEFOLD_FL,
  FS_RESERVED_FL,
});
