/**
 * The path of a place as seen from a root (fs/d_path.c).
 *
 * Linux oddities: a place whose name was removed ends in ' (deleted)'; one outside the root (after chroot, or detached by
 * umount) begins with '(unreachable)' for getcwd and is shown from its own top by d_path.
 */
import type { Place } from './mount.js';
import type { Vfs } from './vfs.js';

/** Path from `root`, and whether the walk up met it. */
function climb(place: Place, root: Place | null): { path: string; reached: boolean } {
  let { mount, dentry } = place;
  let path = '';
  while (mount !== root?.mount || dentry !== root.dentry) {
    if (dentry === mount.root) {
      if (mount.parent === null) return { path: path === '' ? '/' : path, reached: false };
      dentry = mount.point!;
      mount = mount.parent;
      continue;
    }
    if (dentry.parent === dentry) return { path: path === '' ? '/' : path, reached: false };
    path = `/${dentry.name}${path}`;
    dentry = dentry.parent;
  }
  return { path: path === '' ? '/' : path, reached: true };
}

/** d_path: what /proc/PID/fd, exe and maps show. */
export function pathOf(vfs: Vfs, place: Place, root: Place): string {
  if (vfs.isAnonymous(place.mount)) return place.dentry.name;
  const { path } = climb(place, root);
  return place.dentry.unlinked ? `${path} (deleted)` : path;
}

/** The path from the top of the tree. */
export function fullPath(place: Place): string {
  const { path } = climb(place, null);
  return place.dentry.unlinked ? `${path} (deleted)` : path;
}

/** getcwd: the caller has made sure that the place is not unlinked. */
export function reachablePath(place: Place, root: Place): string {
  const { path, reached } = climb(place, root);
  return reached ? path : `(unreachable)${path}`;
}

/** The path of `place` when it is `root` or below it, else null: mounts that a chrooted task cannot see. */
export function pathWithin(place: Place, root: Place): string | null {
  const { path, reached } = climb(place, root);
  return reached ? path : null;
}
