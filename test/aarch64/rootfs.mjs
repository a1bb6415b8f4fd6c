/** The default root file system's image for the emulated machine, as levitate-run would have built it there (rootfs/build.ts). */
import { join } from 'node:path';
import { busybox } from './system.mjs';
import { load } from './sources.mjs';
import { cpSync, mkdirSync } from 'node:fs';

/** Puts it into `cacheHome`, which is to be XDG_CACHE_HOME there. Returns the folder of what it is made of. */
export async function provideRootfs(cache, musl, cacheHome) {
  const built = busybox(cache, musl);
  const { recipeKey, rootfsEntries } = await load('rootfs/recipe.ts');
  const { writeImage } = await load('fs/archive/image.ts');
  const { entries, close } = rootfsEntries(join(import.meta.dirname, '../../rootfs'), built);
  const folder = join(cacheHome, 'levitate/rootfs', recipeKey('arm64'));
  mkdirSync(folder, { recursive: true });
  writeImage(folder, entries);
  close();
  cpSync(join(built, 'busybox'), join(folder, 'busybox'));
  return built;
}
