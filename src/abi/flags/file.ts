/**
 * File I/O: seek, fallocate, fadvise, splice, RWF_, sync_file_range, dirent types, xattr.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
export const FALLOC_FL_KEEP_SIZE = 1;
export const FALLOC_FL_PUNCH_HOLE = 2;
export const FALLOC_FL_NO_HIDE_STALE = 4;
export const FALLOC_FL_COLLAPSE_RANGE = 8;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;
export const FALLOC_FL_UNSHARE_RANGE = 0x40;
export const POSIX_FADV_NORMAL = 0;
export const POSIX_FADV_RANDOM = 1;
export const POSIX_FADV_SEQUENTIAL = 2;
export const POSIX_FADV_WILLNEED = 3;
export const POSIX_FADV_DONTNEED = 4;
export const POSIX_FADV_NOREUSE = 5;
export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const SPLICE_F_MORE = 4;
export const SPLICE_F_GIFT = 8;
export const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
export const SYNC_FILE_RANGE_WRITE = 2;
export const SYNC_FILE_RANGE_WAIT_AFTER = 4;
export const RWF_HIPRI = 1;
export const RWF_DSYNC = 2;
export const RWF_SYNC = 4;
export const RWF_NOWAIT = 8;
export const RWF_APPEND = 0x10;
export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;
export const DT_WHT = 14;
export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;
export const FIEMAP_FLAG_SYNC = 1;
export const FIEMAP_FLAG_XATTR = 2;
export const FIEMAP_FLAG_CACHE = 4;
export const FIEMAP_EXTENT_LAST = 1;
export const FIEMAP_EXTENT_UNKNOWN = 2;
export const FIEMAP_EXTENT_DELALLOC = 4;
export const FIEMAP_EXTENT_ENCODED = 8;
export const FIEMAP_EXTENT_DATA_ENCRYPTED = 0x80;
export const FIEMAP_EXTENT_NOT_ALIGNED = 0x100;
export const FIEMAP_EXTENT_DATA_INLINE = 0x200;
export const FIEMAP_EXTENT_DATA_TAIL = 0x400;
export const FIEMAP_EXTENT_UNWRITTEN = 0x800;
export const FIEMAP_EXTENT_MERGED = 0x1000;
export const FIEMAP_EXTENT_SHARED = 0x2000;
export const RWF_NOAPPEND = 0x20;
export const RWF_ATOMIC = 0x40;
export const RWF_DONTCACHE = 0x80;

/** strace: whence_codes. */
export const whence_codes = flagSet('SEEK_???', { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE });

/** strace: falloc_flags. */
export const falloc_flags = flagSet('FALLOC_FL_???', {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_NO_HIDE_STALE,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_INSERT_RANGE,
  FALLOC_FL_UNSHARE_RANGE,
});

/** strace: advise. */
export const advise = flagSet('POSIX_FADV_???', {
  POSIX_FADV_NORMAL,
  POSIX_FADV_RANDOM,
  POSIX_FADV_SEQUENTIAL,
  POSIX_FADV_WILLNEED,
  POSIX_FADV_DONTNEED,
  POSIX_FADV_NOREUSE,
});

/** strace: splice_flags. */
export const splice_flags = flagSet('SPLICE_F_???', { SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE, SPLICE_F_GIFT });

/** strace: sync_file_range_flags. */
export const sync_file_range_flags = flagSet('SYNC_FILE_RANGE_???', {
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  SYNC_FILE_RANGE_WAIT_AFTER,
});

/** strace: rwf_flags. */
export const rwf_flags = flagSet('RWF_???', { RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_APPEND });

/** strace: dirent_types. */
export const dirent_types = flagSet('DT_???', {
  DT_UNKNOWN,
  DT_FIFO,
  DT_CHR,
  DT_DIR,
  DT_BLK,
  DT_REG,
  DT_LNK,
  DT_SOCK,
  DT_WHT,
});

/** strace: xattrflags. */
export const xattrflags = flagSet('XATTR_???', { XATTR_CREATE, XATTR_REPLACE });

/** strace: fiemap_flags. */
export const fiemap_flags = flagSet('FIEMAP_FLAG_???', { FIEMAP_FLAG_SYNC, FIEMAP_FLAG_XATTR, FIEMAP_FLAG_CACHE });

/** strace: fiemap_extent_flags. */
export const fiemap_extent_flags = flagSet('FIEMAP_EXTENT_???', {
  FIEMAP_EXTENT_LAST,
  FIEMAP_EXTENT_UNKNOWN,
  FIEMAP_EXTENT_DELALLOC,
  FIEMAP_EXTENT_ENCODED,
  FIEMAP_EXTENT_DATA_ENCRYPTED,
  FIEMAP_EXTENT_NOT_ALIGNED,
  FIEMAP_EXTENT_DATA_INLINE,
  FIEMAP_EXTENT_DATA_TAIL,
  FIEMAP_EXTENT_UNWRITTEN,
  FIEMAP_EXTENT_MERGED,
  FIEMAP_EXTENT_SHARED,
});
