/**
 * open(2) family: access modes, O_ flags, AT_ flags, resolve and rename flags.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_ACCMODE = 3;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_SYNC = 0o4010000;
export const __O_SYNC = 0o4000000;
export const O_DSYNC = 0o10000;
export const O_DIRECT = { x86_64: 0o40000, aarch64: 0o200000 } as const;
export const O_LARGEFILE = { x86_64: 0o100000, aarch64: 0o400000 } as const;
export const O_NOFOLLOW = { x86_64: 0o400000, aarch64: 0o100000 } as const;
export const O_NOATIME = 0o1000000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
export const O_TMPFILE = { x86_64: 0o20200000, aarch64: 0o20040000 } as const;
export const __O_TMPFILE = 0o20000000;
export const O_DIRECTORY = { x86_64: 0o200000, aarch64: 0o40000 } as const;
export const FASYNC = 0o20000;
export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 0o10;
export const RESOLVE_IN_ROOT = 0o20;
export const RESOLVE_CACHED = 0o40;
export const AT_SYMLINK_NOFOLLOW = 0o400;
export const AT_REMOVEDIR = 0o1000;
export const AT_SYMLINK_FOLLOW = 0o2000;
export const AT_NO_AUTOMOUNT = 0o4000;
export const AT_EMPTY_PATH = 0o10000;
export const AT_RECURSIVE = 0o100000;
export const AT_EACCESS = 0o1000;
export const F_OK = 0;
export const R_OK = 4;
export const W_OK = 2;
export const X_OK = 1;
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;
export const CLOSE_RANGE_UNSHARE = 2;
export const CLOSE_RANGE_CLOEXEC = 4;
export const AT_FDCWD = -100;

/** strace: open_access_modes. */
export const open_access_modes = flagSet('O_???', { O_RDONLY, O_WRONLY, O_RDWR, O_ACCMODE });

/** strace: open_mode_flags. */
export const open_mode_flags = flagSet('O_???', {
  O_CREAT,
  O_EXCL,
  O_NOCTTY,
  O_TRUNC,
  O_APPEND,
  O_NONBLOCK,
  O_SYNC,
  __O_SYNC,
  O_DSYNC,
  O_DIRECT,
  O_LARGEFILE,
  O_NOFOLLOW,
  O_NOATIME,
  O_CLOEXEC,
  O_PATH,
  O_TMPFILE,
  __O_TMPFILE,
  O_DIRECTORY,
  FASYNC,
});

/** strace: open_resolve_flags. */
export const open_resolve_flags = flagSet('RESOLVE_???', {
  RESOLVE_NO_XDEV,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_CACHED,
});

/** strace: at_flags. */
export const at_flags = flagSet('AT_???', {
  AT_SYMLINK_NOFOLLOW,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  AT_NO_AUTOMOUNT,
  AT_EMPTY_PATH,
  AT_RECURSIVE,
});

/** strace: faccessat_flags. */
export const faccessat_flags = flagSet('AT_???', { AT_SYMLINK_NOFOLLOW, AT_EACCESS, AT_EMPTY_PATH });

/** strace: access_modes. */
export const access_modes = flagSet('?_OK', { F_OK, R_OK, W_OK, X_OK });

/** strace: rename_flags. */
export const rename_flags = flagSet('RENAME_??', { RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT });

/** strace: close_range_flags. */
export const close_range_flags = flagSet('CLOSE_RANGE_???', { CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC });

/** strace: name_to_handle_at_flags. */
export const name_to_handle_at_flags = flagSet('AT_???', { AT_SYMLINK_FOLLOW, AT_EMPTY_PATH });
