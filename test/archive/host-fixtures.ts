import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch, shell } from './helpers.js';

type Body = (
  folder: string,
  write: (name: string, bytes: string) => string,
  run: (script: string) => string,
) => Promise<void>;

/** A temporary folder with a way to put files into it; `run` gives the path of the file that the script prints last. */
export async function withFiles(body: Body): Promise<void> {
  const { path, remove } = scratch();
  const write = (name: string, bytes: string): string => {
    writeFileSync(join(path, name), bytes, 'latin1');
    return join(path, name);
  };
  try {
    await body(path, write, (script) => join(path, shell(path, script).trim()));
  } finally {
    remove();
  }
}

export function mkfifoLike(folder: string): string {
  shell(folder, 'mkfifo fifo');
  return join(folder, 'fifo');
}
