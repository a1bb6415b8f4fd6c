/**
 * The tree of mounts: putting mounts on places and taking them off (fs/namespace.c attach_mnt, umount_tree, copy_tree).
 *
 * Invariants: a mount is in `parent.children` and `parent.covers` exactly while it has a parent; `dentry.mounts` counts the
 * mounts whose point it is; `namespace.mounts` holds what is reachable from the namespace's root. Dentries of a volatile
 * filesystem are pinned in the cache while something is mounted on them, so that walks find them.
 */
import { type Dentry, attachDentry, detachDentry } from './dentry.js';
import type { Mount, MountNamespace, Place } from './mount.js';
import { dropSuperBlock } from './references.js';
import type { Vfs } from './vfs.js';

/** The mount and everything mounted below it. */
export function* subtree(mount: Mount): IterableIterator<Mount> {
  yield mount;
  for (const child of mount.children) yield* subtree(child);
}

/** Puts a mount, with what is below it, on a place that nothing covers. */
export function attachMount(mount: Mount, place: Place, namespace: MountNamespace): void {
  const { mount: parent, dentry } = place;
  mount.parent = parent;
  mount.point = dentry;
  parent.children.add(mount);
  parent.covers.set(dentry, mount);
  dentry.mounts++;
  if (parent.sb.volatile) pin(dentry);
  for (const each of subtree(mount)) {
    each.namespace = namespace;
    namespace.mounts.add(each);
  }
  changed(namespace);
}

/** Takes a mount off its parent. It stays in the namespace's list: callers move or end it. */
export function detachMount(mount: Mount): void {
  const { parent, point } = mount;
  if (parent === null) return;
  parent.children.delete(mount);
  parent.covers.delete(point!);
  if (--point!.mounts === 0 && parent.sb.volatile) unpin(point!);
  mount.parent = null;
  mount.point = null;
}

/** Unmounts a mount and all below it. Those in use live on, unreachable, until their last user goes. */
export function endMount(mount: Mount): void {
  const { namespace } = mount;
  for (const each of [...subtree(mount)]) {
    detachMount(each);
    each.namespace = null;
    namespace?.mounts.delete(each);
    if (each.users === 0) dropSuperBlock(each);
  }
  if (namespace !== null) changed(namespace);
}

/** A copy of what `root` of `mount` shows, for a bind mount; with the mounts below it when `recursive`. */
export function copyMount(vfs: Vfs, mount: Mount, root: Dentry, recursive: boolean): Mount {
  const copy = vfs.newMount(mount.sb, root, mount.source, mount.flags);
  if (!recursive) return copy;
  for (const child of mount.children) {
    if (!child.point!.isWithin(root)) continue;
    const below = copyMount(vfs, child, child.root, true);
    below.parent = copy;
    below.point = child.point;
    copy.children.add(below);
    copy.covers.set(child.point!, below);
    child.point!.mounts++;
  }
  return copy;
}

/** Whether `place` is in the subtree that `root` shows (is_path_reachable). */
export function isReachable(place: Place, root: Place): boolean {
  let { mount, dentry } = place;
  while (mount !== root.mount && mount.parent !== null) {
    dentry = mount.point!;
    mount = mount.parent;
  }
  return mount === root.mount && dentry.isWithin(root.dentry);
}

function changed(namespace: MountNamespace): void {
  namespace.generation++;
  namespace.queue.wakeAll();
}

function pin(dentry: Dentry): void {
  for (let at = dentry; at.parent !== at; at = at.parent) attachDentry(at);
}
function unpin(dentry: Dentry): void {
  for (let at = dentry; at.parent !== at; at = at.parent) {
    if (at.mounts > 0 || (at.children?.size ?? 0) > 0) return;
    detachDentry(at);
  }
}
