/**
 * mount(2), umount2(2), pivot_root(2) (fs/namespace.c: path_mount, path_umount, pivot_root).
 *
 * Linux oddities: the path is looked up before the privilege is checked; remounting without any atime flag keeps those that
 * are set; unmounting one's own root only makes it read-only; propagation types are accepted and, with a single
 * namespace, change nothing.
 */
import { EAGAIN, EBUSY, EINVAL, ELOOP, ENOENT, ENOTDIR, EPERM, Errno, errno } from '../src/abi/errno.js';
import {
  MNT_DETACH,
  MNT_EXPIRE,
  MNT_FORCE,
  MS_BIND,
  MS_MOVE,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_NOUSER,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SILENT,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_UNBINDABLE,
  UMOUNT_NOFOLLOW,
} from '../src/abi/flags/mount.js';
import { AT_FDCWD } from '../src/abi/flags/open.js';
import { capable } from '../sched/credentials.js';
import { CAP_SYS_ADMIN } from '../src/abi/flags/capability.js';
import type { Task } from '../sched/task.js';
import { MNT_RELATIME, type Mount, type Place } from './mount.js';
import { attachMount, copyMount, detachMount, endMount, isReachable } from './mount-tree.js';
import { mkdir } from './namespace-ops.js';
import type { SuperBlock } from './superblock.js';
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW, resolve } from './walk.js';

const MAGIC = 0xc0ed0000;
const MAGIC_MASK = 0xffff0000;
const PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
/** MS_ flags that belong to a mount; MNT_ flags have the same values. */
const PER_MOUNT =
  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | MS_NOATIME | MS_NODIRATIME | MS_RELATIME;
const ATIME = MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME;

const atRoot = ({ mount, dentry }: Place): boolean => dentry === mount.root;
const lookup = (task: Task, path: string): Place => resolve(task, AT_FDCWD, path, LOOKUP_FOLLOW);

/** What covers a place: walks that end in '.' do not go there by themselves (LOOKUP_MOUNTPOINT). */
function topmost(place: Place): Place {
  let { mount, dentry } = place;
  for (let over = mount.covers.get(dentry); over !== undefined; over = mount.covers.get(dentry)) {
    mount = over;
    dentry = over.root;
  }
  return { mount, dentry };
}

function mountFlags(flags: number): number {
  let result = flags & PER_MOUNT & ~MS_RELATIME;
  if ((flags & (MS_NOATIME | MS_STRICTATIME)) === 0) result |= MNT_RELATIME;
  return result;
}

/** mount(2) with its strings copied in; `type` and `source` null where the guest gave a null pointer. */
export function mount(
  task: Task,
  source: string | null,
  target: string,
  type: string | null,
  flags: number,
  data: string,
): void {
  const place = topmost(lookup(task, target));
  if ((flags & MAGIC_MASK) >>> 0 === MAGIC) flags &= ~MAGIC_MASK;
  if (!capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
  if ((flags & MS_NOUSER) !== 0) throw errno(EINVAL);
  if ((flags & MS_REMOUNT) !== 0) remount(place, flags, data);
  else if ((flags & MS_BIND) !== 0) bind(task, source, place, (flags & MS_REC) !== 0);
  else if ((flags & PROPAGATION) !== 0) checkPropagation(place, flags);
  else if ((flags & MS_MOVE) !== 0) move(task, source, place);
  else newMount(task, source, place, type, flags, data);
}

function newMount(
  task: Task,
  source: string | null,
  place: Place,
  type: string | null,
  flags: number,
  data: string,
): void {
  const { vfs } = task.kernel;
  if (type === null) throw errno(EINVAL);
  const request = { source: source ?? 'none', data, flags, task };
  const sb = vfs.type(type).get(task.kernel, request);
  const fresh = sb.mounts === 0;
  const added = vfs.newMount(sb, sb.rootDentry, request.source, mountFlags(flags));
  try {
    if (place.mount.sb === sb && atRoot(place)) throw errno(EBUSY);
    graft(task, added, place);
  } catch (error) {
    if (--sb.mounts === 0) sb.shutdown();
    throw error;
  }
  if (fresh && (flags & MS_RDONLY) !== 0) sb.readOnly = true;
}

/** Puts a mount on a place of the same kind: directories on directories, files on files. */
function graft(task: Task, added: Mount, place: Place): void {
  if (place.dentry.unlinked) throw errno(ENOENT);
  if (place.mount.namespace === null) throw errno(EINVAL);
  if (added.root.inode!.isDir !== place.dentry.inode!.isDir) throw errno(ENOTDIR);
  attachMount(added, place, task.kernel.vfs.namespace);
}

/** Mounts a filesystem by type at boot, with its directory made if need be. */
export function mountAt(task: Task, type: string, source: string, path: string, flags = 0, data = ''): void {
  try {
    mkdir(task, AT_FDCWD, path, 0o755);
  } catch (error) {
    if (!(error instanceof Errno)) throw error; // there already, or what comes next says why not
  }
  mount(task, source, path, type, flags, data);
}

function bind(task: Task, source: string | null, place: Place, recursive: boolean): void {
  if (source === null || source === '') throw errno(EINVAL);
  const old = lookup(task, source);
  if (old.mount.namespace === null || place.mount.namespace === null) throw errno(EINVAL);
  const copy = copyMount(task.kernel.vfs, old.mount, old.dentry, recursive);
  try {
    graft(task, copy, place);
  } catch (error) {
    endMount(copy);
    throw error;
  }
}

function move(task: Task, source: string | null, place: Place): void {
  if (source === null || source === '') throw errno(EINVAL);
  const old = lookup(task, source);
  const moved = old.mount;
  if (!atRoot(old) || moved.parent === null || moved.namespace === null) throw errno(EINVAL);
  if (moved.root.inode!.isDir !== place.dentry.inode!.isDir) throw errno(EINVAL);
  if (isReachable(place, { mount: moved, dentry: moved.root })) throw errno(ELOOP);
  const { namespace } = moved;
  detachMount(moved);
  attachMount(moved, place, namespace);
}

function checkPropagation(place: Place, flags: number): void {
  const types = flags & ~(MS_REC | MS_SILENT);
  if ((types & ~PROPAGATION) !== 0 || (types & (types - 1)) !== 0 || !atRoot(place)) throw errno(EINVAL);
}

function remount(place: Place, flags: number, data: string): void {
  const { mount } = place;
  if (!atRoot(place) || mount.namespace === null) throw errno(EINVAL);
  let wanted = mountFlags(flags);
  const atime = MS_NOATIME | MS_NODIRATIME | MS_RELATIME;
  if ((flags & ATIME) === 0) wanted = (wanted & ~atime) | (mount.flags & atime);
  const readOnly = (flags & MS_RDONLY) !== 0;
  if ((flags & MS_BIND) === 0) {
    if (readOnly && !mount.sb.readOnly) checkNoWriters(mount.namespace.mounts, mount.sb);
    mount.sb.remount(data);
    mount.sb.readOnly = readOnly;
  } else if (readOnly && mount.writers > 0) throw errno(EBUSY);
  mount.flags = (mount.flags & ~PER_MOUNT) | wanted;
}

/** EBUSY while a file of the filesystem is open for writing. */
function checkNoWriters(mounts: Iterable<Mount>, sb: SuperBlock): void {
  for (const mount of mounts) if (mount.sb === sb && mount.writers > 0) throw errno(EBUSY);
}

export function checkUmountFlags(flags: number): void {
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) throw errno(EINVAL);
}

export function umount(task: Task, target: string, flags: number): void {
  checkUmountFlags(flags);
  const place = topmost(resolve(task, AT_FDCWD, target, (flags & UMOUNT_NOFOLLOW) !== 0 ? 0 : LOOKUP_FOLLOW));
  const { mount } = place;
  if (!capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
  if (!atRoot(place) || mount.namespace === null) throw errno(EINVAL);
  const own = mount === task.fs.root.mount;
  if ((flags & MNT_EXPIRE) !== 0) {
    if (own || (flags & (MNT_FORCE | MNT_DETACH)) !== 0) throw errno(EINVAL);
    if (isBusy(mount)) throw errno(EBUSY);
    if (!mount.expiring) {
      mount.expiring = true;
      throw errno(EAGAIN);
    }
  }
  if ((flags & MNT_DETACH) === 0) {
    if (own) {
      checkNoWriters(mount.namespace.mounts, mount.sb);
      mount.sb.readOnly = true;
      return;
    }
    if (isBusy(mount)) throw errno(EBUSY);
  }
  // The root of everything cannot go: nobody could ever mount anything again.
  if (mount === mount.namespace.root) throw errno(EINVAL);
  endMount(mount);
}

function isBusy(mount: Mount): boolean {
  return mount.users > 0 || mount.children.size > 0 || (mount.sb.mappings > 0 && mount.sb.mounts === 1);
}

export function pivotRoot(task: Task, newPath: string, oldPath: string): void {
  const { kernel } = task;
  const { root } = task.fs;
  if (!capable(task.creds, CAP_SYS_ADMIN)) throw errno(EPERM);
  const added = resolve(task, AT_FDCWD, newPath, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
  const put = resolve(task, AT_FDCWD, oldPath, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
  const { namespace } = root.mount;
  if (namespace === null || added.mount.namespace === null || put.mount.namespace === null) throw errno(EINVAL);
  if (added.dentry.unlinked) throw errno(ENOENT);
  if (added.mount === root.mount || put.mount === root.mount) throw errno(EBUSY);
  if (!atRoot(root) || !atRoot(added) || added.mount.parent === null) throw errno(EINVAL);
  if (!isReachable(put, added) || !isReachable(added, root)) throw errno(EINVAL);
  const { parent, point } = root.mount;
  detachMount(added.mount);
  detachMount(root.mount);
  attachMount(root.mount, put, namespace);
  if (parent === null) namespace.root = added.mount;
  else attachMount(added.mount, { mount: parent, dentry: point! }, namespace);
  // Everybody who stood at the old root stands at the new one (chroot_fs_refs).
  const isOldRoot = ({ mount, dentry }: Place): boolean => mount === root.mount && dentry === root.dentry;
  for (const { fs } of kernel.pids.tasks.values()) {
    if (isOldRoot(fs.root)) fs.root = added;
    if (isOldRoot(fs.cwd)) fs.cwd = added;
  }
}
