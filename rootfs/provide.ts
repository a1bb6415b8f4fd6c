/**
 * Gives the folder of the default root filesystem's image: `$XDG_CACHE_HOME/levitate/rootfs/KEY` (or ~/.cache/...).
 *
 * Nearly every start finds it there, so this file loads nothing that only a build needs.
 */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { IMAGE_INDEX } from '../fs/archive/image.js';
import { recipeKey } from './recipe.js';

export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'levitate');
}

/** The image's folder if it has been built, without building it. */
export function cachedRootfs(): string | undefined {
  const folder = join(cacheFolder(), 'rootfs', recipeKey());
  return existsSync(join(folder, IMAGE_INDEX)) ? folder : undefined;
}

/** The image's folder; builds it on first use, with progress on stderr. Throws RootfsError with a message for the user. */
export async function provideRootfs(): Promise<string> {
  const ready = cachedRootfs();
  if (ready !== undefined) return ready;
  const { buildRootfs } = await import('./build.js');
  return buildRootfs();
}
