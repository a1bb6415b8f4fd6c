/**
 * What is made once and kept between runs. What is in the cache is complete: a folder gets its name, which is a hash of everything
 * it is made of, by one rename.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** `make(scratch)` fills a folder that is called `kind-HASH` in the cache from then on. */
export function cached(cache, kind, inputs, make) {
  const hash = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
  const folder = join(cache, `${kind}-${hash}`);
  if (existsSync(folder)) return folder;
  console.error(`aarch64: making ${kind} (only this once)`);
  const scratch = join(cache, `tmp-${kind}-${process.pid}`);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    make(scratch);
    if (!existsSync(folder)) renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}
