/**
 * What the default root filesystem is made of: the recipe's files, their key, and the entries they describe.
 *
 * The key is a hash of everything that decides the result (build script, skeleton, format), and the architecture, so a changed
 * recipe gives a new image beside the old one and never a mixture.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArchiveEntry } from '../fs/archive/types.js';
import { BufferSource, SliceContent, HostFileSource } from '../fs/archive/source.js';

const IMAGE_FORMAT = 1;

/** The hash as the bundler computed it (src/build.mjs): saves reading and hashing the recipe at every start. */
declare const LEVITATE_ROOTFS_HASH: string | undefined;

/** The folder of the package that this code is part of, from the source tree as well as from dist/. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'rootfs/skeleton.list'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the levitate package is incomplete: rootfs/ is missing');
    folder = parent;
  }
  return folder;
}

/** Names the image: the recipe, and the machine it was built for. */
export const recipeKey = (arch: string = process.arch): string =>
  `${typeof LEVITATE_ROOTFS_HASH === 'string' ? LEVITATE_ROOTFS_HASH : recipeHash()}-${arch}`;

export function recipeHash(rootfs = join(packageRoot(), 'rootfs')): string {
  const { createHash } = process.getBuiltinModule('node:crypto'); // not at every start: it loads OpenSSL
  const hash = createHash('sha256').update(`${IMAGE_FORMAT}`);
  const skeleton = readdirSync(join(rootfs, 'skeleton'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of [join(rootfs, 'build-busybox'), join(rootfs, 'skeleton.list'), ...skeleton.sort()]) {
    hash.update(`\0${file.slice(rootfs.length)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 16);
}

/** All entries of the root filesystem: the skeleton, BusyBox as built in `built`, and a link for every applet. */
export function rootfsEntries(rootfs: string, built: string): { entries: ArchiveEntry[]; close: () => void } {
  const epoch = Number(readFileSync(join(built, 'epoch'), 'utf8'));
  const entries = new Map<string, ArchiveEntry>();
  const add = (entry: Partial<ArchiveEntry> & Pick<ArchiveEntry, 'path' | 'type' | 'mode'>): void => {
    entries.set(entry.path, { uid: 0, gid: 0, mtimeSec: epoch, mtimeNsec: 0, size: 0, ...entry });
  };
  add({ path: '', type: 'dir', mode: 0o755 });
  for (const line of readFileSync(join(rootfs, 'skeleton.list'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [type, mode, uid, gid, path, link] = line.split(' ');
    const owned = { path, mode: parseInt(mode, 8), uid: Number(uid), gid: Number(gid) };
    if (type === 'dir') add({ ...owned, type: 'dir' });
    else if (type === 'link') add({ ...owned, type: 'symlink', link, size: link.length });
    else {
      const bytes = readFileSync(join(rootfs, 'skeleton', path));
      add({
        ...owned,
        type: 'file',
        size: bytes.length,
        data: new SliceContent(new BufferSource(bytes), 0, bytes.length),
      });
    }
  }
  const busybox = new HostFileSource(join(built, 'busybox'));
  const data = new SliceContent(busybox, 0, busybox.size);
  add({ path: 'bin/busybox', type: 'file', mode: 0o755, size: data.size, data });
  for (const path of readFileSync(join(built, 'applets'), 'utf8').split('\n')) {
    if (path !== '' && !entries.has(path)) add({ path, type: 'symlink', mode: 0o777, link: '/bin/busybox', size: 12 });
  }
  const sorted = [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  return { entries: sorted, close: () => busybox.close() };
}
