/** The structs stat, statx and statfs fill, written into the scratch area of guest memory accessors. */
import { setU64 } from '../src/abi/layout.js';
import { STAT, STATFS, STATX } from '../src/abi/layouts/stat.js';
import { ST_RELATIME, ST_VALID } from '../src/abi/flags/mount.js';
import {
  STATX_ATTR_AUTOMOUNT,
  STATX_ATTR_DAX,
  STATX_ATTR_MOUNT_ROOT,
  STATX_BASIC_STATS,
  STATX_BTIME,
  STATX_MNT_ID,
  STATX_MNT_ID_UNIQUE,
} from '../src/abi/flags/stat.js';
import type { ArchName } from '../src/abi/types.js';
import type { Inode } from './inode.js';
import {
  MNT_NOATIME,
  MNT_NODEV,
  MNT_NODIRATIME,
  MNT_NOEXEC,
  MNT_NOSUID,
  MNT_NOSYMFOLLOW,
  MNT_RELATIME,
  type Mount,
  type Place,
} from './mount.js';
import { isReadOnly } from './permissions.js';

/** new_encode_dev(): what st_dev and st_rdev hold. */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
/** new_decode_dev(): what mknod takes. */
export function decodeDevice(device: number): { major: number; minor: number } {
  return { major: (device >>> 8) & 0xfff, minor: (device & 0xff) | ((device >>> 12) & 0xfff00) };
}

const X86 = STAT.x86_64.offsets;
const ARM = STAT.aarch64.offsets;

/** Fills struct stat; returns its size. */
export function fillStat(view: DataView, inode: Inode, arch: ArchName): number {
  const { size } = STAT[arch];
  for (let at = 0; at < size; at += 8) view.setFloat64(at, 0, true);
  FILL[arch](view, inode);
  return size;
}
const FILL: Readonly<Record<ArchName, (view: DataView, inode: Inode) => void>> = {
  x86_64(view, inode) {
    setU64(view, X86.st_nlink, inode.nlink);
    setU64(view, X86.st_blksize, inode.sb.blockSize);
    fillCommon(view, inode, X86);
  },
  aarch64(view, inode) {
    view.setUint32(ARM.st_nlink, inode.nlink, true);
    view.setInt32(ARM.st_blksize, inode.sb.blockSize, true);
    fillCommon(view, inode, ARM);
  },
};

type CommonField =
  | 'st_dev'
  | 'st_ino'
  | 'st_mode'
  | 'st_uid'
  | 'st_gid'
  | 'st_rdev'
  | 'st_size'
  | 'st_blocks'
  | 'st_atime'
  | 'st_atime_nsec'
  | 'st_mtime'
  | 'st_mtime_nsec'
  | 'st_ctime'
  | 'st_ctime_nsec';

function fillCommon(view: DataView, inode: Inode, at: Readonly<Record<CommonField, number>>): void {
  const { sb } = inode;
  view.setUint32(at.st_dev, encodeDevice(sb.devMajor, sb.devMinor), true);
  setU64(view, at.st_ino, inode.ino);
  view.setUint32(at.st_mode, inode.mode, true);
  view.setUint32(at.st_uid, inode.uid, true);
  view.setUint32(at.st_gid, inode.gid, true);
  view.setUint32(at.st_rdev, encodeDevice(inode.rdevMajor, inode.rdevMinor), true);
  setU64(view, at.st_size, inode.size);
  setU64(view, at.st_blocks, inode.blocks);
  setU64(view, at.st_atime, inode.atimeSec);
  view.setUint32(at.st_atime_nsec, inode.atimeNsec, true);
  setU64(view, at.st_mtime, inode.mtimeSec);
  view.setUint32(at.st_mtime_nsec, inode.mtimeNsec, true);
  setU64(view, at.st_ctime, inode.ctimeSec);
  view.setUint32(at.st_ctime_nsec, inode.ctimeNsec, true);
}

const SX = STATX.offsets;

/** Fills struct statx for the asked `mask`; returns its size. `place` null: a file without a name. */
export function fillStatx(view: DataView, inode: Inode, place: Place | null, mask: number): number {
  const { size } = STATX;
  const { sb } = inode;
  for (let at = 0; at < size; at += 8) view.setFloat64(at, 0, true);
  let result = STATX_BASIC_STATS;
  if ((mask & STATX_BTIME) !== 0 && inode.btimeSec !== 0) {
    result |= STATX_BTIME;
    fillTime(view, SX.stx_btime, inode.btimeSec, inode.btimeNsec);
  }
  if (place !== null) {
    result |= (mask & STATX_MNT_ID_UNIQUE) !== 0 ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID;
    setU64(view, SX.stx_mnt_id, place.mount.id + ((mask & STATX_MNT_ID_UNIQUE) !== 0 ? 2 ** 31 : 0));
    if (place.dentry === place.mount.root) setU64(view, SX.stx_attributes, STATX_ATTR_MOUNT_ROOT);
  }
  setU64(view, SX.stx_attributes_mask, STATX_ATTR_MOUNT_ROOT | STATX_ATTR_AUTOMOUNT | STATX_ATTR_DAX);
  view.setUint32(SX.stx_mask, result, true);
  view.setUint32(SX.stx_blksize, inode.sb.blockSize, true);
  view.setUint32(SX.stx_nlink, inode.nlink, true);
  view.setUint32(SX.stx_uid, inode.uid, true);
  view.setUint32(SX.stx_gid, inode.gid, true);
  view.setUint16(SX.stx_mode, inode.mode, true);
  setU64(view, SX.stx_ino, inode.ino);
  setU64(view, SX.stx_size, inode.size);
  setU64(view, SX.stx_blocks, inode.blocks);
  fillTime(view, SX.stx_atime, inode.atimeSec, inode.atimeNsec);
  fillTime(view, SX.stx_ctime, inode.ctimeSec, inode.ctimeNsec);
  fillTime(view, SX.stx_mtime, inode.mtimeSec, inode.mtimeNsec);
  view.setUint32(SX.stx_rdev_major, inode.rdevMajor, true);
  view.setUint32(SX.stx_rdev_minor, inode.rdevMinor, true);
  view.setUint32(SX.stx_dev_major, sb.devMajor, true);
  view.setUint32(SX.stx_dev_minor, sb.devMinor, true);
  return size;
}

function fillTime(view: DataView, at: number, sec: number, nsec: number): void {
  setU64(view, at, sec);
  view.setUint32(at + 8, nsec, true);
}

const SF = STATFS.offsets;

/** Fills struct statfs; returns its size. `mount` null: a file without a name. */
export function fillStatfs(view: DataView, inode: Inode, mount: Mount | null): number {
  const { size } = STATFS;
  const stat = inode.sb.statfs();
  for (let at = 0; at < size; at += 8) view.setFloat64(at, 0, true);
  setU64(view, SF.f_type, stat.type);
  setU64(view, SF.f_bsize, stat.bsize);
  setU64(view, SF.f_blocks, stat.blocks);
  setU64(view, SF.f_bfree, stat.bfree);
  setU64(view, SF.f_bavail, stat.bavail);
  setU64(view, SF.f_files, stat.files);
  setU64(view, SF.f_ffree, stat.ffree);
  setU64(view, SF.f_fsid, stat.fsid);
  setU64(view, SF.f_namelen, stat.namelen);
  setU64(view, SF.f_frsize, stat.bsize);
  setU64(view, SF.f_flags, ST_VALID | statfsFlags(mount));
  return size;
}

/** ST_ bits have the values of MNT_ bits except for relatime and nosymfollow (calculate_f_flags). */
function statfsFlags(mount: Mount | null): number {
  if (mount === null) return 0;
  const { flags } = mount;
  return (
    (isReadOnly(mount) ? 1 : 0) |
    (flags & (MNT_NOSUID | MNT_NODEV | MNT_NOEXEC | MNT_NOATIME | MNT_NODIRATIME)) |
    ((flags & MNT_RELATIME) !== 0 ? ST_RELATIME : 0) |
    ((flags & MNT_NOSYMFOLLOW) !== 0 ? 0x2000 : 0)
  );
}
