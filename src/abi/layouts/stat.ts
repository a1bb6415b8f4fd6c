/** File status: stat(2) of both architectures, statx(2), statfs(2), ustat(2), directory entries, file handles, inode flags. */
import { struct } from '../layout.js';

/** struct stat: x86_64 puts st_nlink before st_mode and makes it 64 bits; aarch64 has the asm-generic one. */
export const STAT = {
  x86_64: struct('stat', {
    st_dev: 'u64',
    st_ino: 'u64',
    st_nlink: 'u64',
    st_mode: 'u32',
    st_uid: 'u32',
    st_gid: 'u32',
    __pad0: 'u32',
    st_rdev: 'u64',
    st_size: 'i64',
    st_blksize: 'i64',
    st_blocks: 'i64',
    st_atime: 'u64',
    st_atime_nsec: 'u64',
    st_mtime: 'u64',
    st_mtime_nsec: 'u64',
    st_ctime: 'u64',
    st_ctime_nsec: 'u64',
    __unused: ['i64', 3],
  }),
  aarch64: struct('stat', {
    st_dev: 'u64',
    st_ino: 'u64',
    st_mode: 'u32',
    st_nlink: 'u32',
    st_uid: 'u32',
    st_gid: 'u32',
    st_rdev: 'u64',
    __pad1: 'u64',
    st_size: 'i64',
    st_blksize: 'i32',
    __pad2: 'i32',
    st_blocks: 'i64',
    st_atime: 'i64',
    st_atime_nsec: 'u64',
    st_mtime: 'i64',
    st_mtime_nsec: 'u64',
    st_ctime: 'i64',
    st_ctime_nsec: 'u64',
    __unused4: 'u32',
    __unused5: 'u32',
  }),
} as const;

export const STATX_TIMESTAMP = struct('statx_timestamp', { tv_sec: 'i64', tv_nsec: 'u32', __reserved: 'i32' });
export const STATX = struct('statx', {
  stx_mask: 'u32',
  stx_blksize: 'u32',
  stx_attributes: 'u64',
  stx_nlink: 'u32',
  stx_uid: 'u32',
  stx_gid: 'u32',
  stx_mode: 'u16',
  __spare0: 'u16',
  stx_ino: 'u64',
  stx_size: 'u64',
  stx_blocks: 'u64',
  stx_attributes_mask: 'u64',
  stx_atime: STATX_TIMESTAMP,
  stx_btime: STATX_TIMESTAMP,
  stx_ctime: STATX_TIMESTAMP,
  stx_mtime: STATX_TIMESTAMP,
  stx_rdev_major: 'u32',
  stx_rdev_minor: 'u32',
  stx_dev_major: 'u32',
  stx_dev_minor: 'u32',
  stx_mnt_id: 'u64',
  stx_dio_mem_align: 'u32',
  stx_dio_offset_align: 'u32',
  __spare3: ['u64', 12],
});

export const STATFS = struct('statfs', {
  f_type: 'i64',
  f_bsize: 'i64',
  f_blocks: 'u64',
  f_bfree: 'u64',
  f_bavail: 'u64',
  f_files: 'u64',
  f_ffree: 'u64',
  f_fsid: ['i32', 2],
  f_namelen: 'i64',
  f_frsize: 'i64',
  f_flags: 'i64',
  f_spare: ['i64', 4],
});
export const USTAT = struct('ustat', { f_tfree: 'i32', f_tinode: 'u64', f_fname: ['u8', 6], f_fpack: ['u8', 6] });

/** Header of a getdents64(2) record; the name follows, then padding to 8. */
export const LINUX_DIRENT64 = struct(
  'linux_dirent64',
  { d_ino: 'u64', d_off: 'i64', d_reclen: 'u16', d_type: 'u8', d_name: ['u8', 0] },
  { align: 8 },
);
/** Header of a getdents(2) record; the name follows, the type is the record's last byte. */
export const LINUX_DIRENT = struct('linux_dirent', { d_ino: 'u64', d_off: 'u64', d_reclen: 'u16', d_name: ['u8', 0] });

export const OPEN_HOW = struct('open_how', { flags: 'u64', mode: 'u64', resolve: 'u64' });
export const FILE_HANDLE = struct('file_handle', { handle_bytes: 'u32', handle_type: 'i32', f_handle: ['u8', 0] });
export const FSXATTR = struct('fsxattr', {
  fsx_xflags: 'u32',
  fsx_extsize: 'u32',
  fsx_nextents: 'u32',
  fsx_projid: 'u32',
  fsx_cowextsize: 'u32',
  fsx_pad: ['u8', 8],
});
/** file_getattr(2), Linux 6.17. */
export const FILE_ATTR = struct('file_attr', {
  fa_xflags: 'u64',
  fa_extsize: 'u32',
  fa_nextents: 'u32',
  fa_projid: 'u32',
  fa_cowextsize: 'u32',
});
/** setxattrat(2), getxattrat(2), Linux 6.13. */
export const XATTR_ARGS = struct('xattr_args', { value: 'u64', size: 'u32', flags: 'u32' });
export const FILE_CLONE_RANGE = struct('file_clone_range', {
  src_fd: 'i64',
  src_offset: 'u64',
  src_length: 'u64',
  dest_offset: 'u64',
});
export const FSTRIM_RANGE = struct('fstrim_range', { start: 'u64', len: 'u64', minlen: 'u64' });
export const CACHESTAT_RANGE = struct('cachestat_range', { off: 'u64', len: 'u64' });
export const CACHESTAT = struct('cachestat', {
  nr_cache: 'u64',
  nr_dirty: 'u64',
  nr_writeback: 'u64',
  nr_evicted: 'u64',
  nr_recently_evicted: 'u64',
});
