/**
 * Text of /proc/PID/mounts and mountinfo (fs/proc_namespace.c): the mounts that can be reached from a task's root.
 *
 * Linux oddity: space, tab, newline, backslash and # in names are written as three octal digits.
 */
import {
  MNT_NOATIME,
  MNT_NODEV,
  MNT_NODIRATIME,
  MNT_NOEXEC,
  MNT_NOSUID,
  MNT_NOSYMFOLLOW,
  MNT_READONLY,
  MNT_RELATIME,
  type Mount,
  type Place,
} from './mount.js';
import { pathWithin } from './paths.js';
import { isReadOnly } from './permissions.js';

const OPTIONS: readonly (readonly [number, string])[] = [
  [MNT_NOSUID, ',nosuid'],
  [MNT_NODEV, ',nodev'],
  [MNT_NOEXEC, ',noexec'],
  [MNT_NOATIME, ',noatime'],
  [MNT_NODIRATIME, ',nodiratime'],
  [MNT_RELATIME, ',relatime'],
  [MNT_NOSYMFOLLOW, ',nosymfollow'],
];

const escape = (text: string): string =>
  text.replace(/[ \t\n\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);

const flagText = ({ flags }: Mount): string => OPTIONS.map(([bit, text]) => ((flags & bit) !== 0 ? text : '')).join('');

const withOptions = (text: string, mount: Mount): string =>
  mount.sb.options === '' ? text : `${text},${mount.sb.options}`;

/** Each mount that `root` can see, with the path of its mount point from there. */
function* visible(root: Place): IterableIterator<[Mount, string]> {
  const { namespace } = root.mount;
  if (namespace === null) return;
  for (const mount of namespace.mounts) {
    const path = pathWithin({ mount, dentry: mount.root }, root);
    if (path !== null) yield [mount, path];
  }
}

export function mountsText(root: Place): string {
  let text = '';
  for (const [mount, path] of visible(root)) {
    const options = withOptions(`${isReadOnly(mount) ? 'ro' : 'rw'}${flagText(mount)}`, mount);
    text += `${escape(mount.source)} ${escape(path)} ${mount.sb.fsType} ${options} 0 0\n`;
  }
  return text;
}

export function mountinfoText(root: Place): string {
  let text = '';
  for (const [mount, path] of visible(root)) {
    const { sb } = mount;
    const own = `${(mount.flags & MNT_READONLY) !== 0 ? 'ro' : 'rw'}${flagText(mount)}`;
    const shared = withOptions(sb.readOnly ? 'ro' : 'rw', mount);
    const inside = escape(pathInside(mount));
    text +=
      `${mount.id} ${mount.parent?.id ?? 1} ${sb.devMajor}:${sb.devMinor} ${inside} ${escape(path)} ${own} - ` +
      `${sb.fsType} ${escape(mount.source)} ${shared}\n`;
  }
  return text;
}

/** Path of the mount's root within its filesystem. */
function pathInside(mount: Mount): string {
  let path = '';
  let dentry = mount.root;
  for (; dentry.parent !== dentry; dentry = dentry.parent) path = `/${dentry.name}${path}`;
  return path === '' ? '/' : mount.root.unlinked ? `${path}//deleted` : path;
}
