/**
 * Builds the default root filesystem's image into the user's cache (provide.ts says where).
 *
 * A finished image appears there by one rename, so it is complete or absent; two builders at once are kept apart by
 * flock(1), which a dying process cannot leave locked. What is on the way lives in `tmp-*` beside it, and whoever holds
 * the lock next removes it.
 */
import { spawn } from 'node:child_process';
import {
  accessSync,
  constants,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { constants as osConstants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { writeImage } from '../fs/archive/image.js';
import { cacheFolder, cachedRootfs } from './provide.js';
import { packageRoot, recipeKey, rootfsEntries } from './recipe.js';
import { Progress } from './progress.js';

export class RootfsError extends Error {
  override readonly name = 'RootfsError';
}

const REMEDY = 'or use --root with a directory, or a tar, tar.gz or cpio archive, of a root filesystem of your own';
const LOG_TAIL = 15;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What a build step may be missing: a program, or a file, and the group of rootfs/packages.list it stands for. */
const NEEDED_PROGRAMS = ['gcc', 'make', 'musl-gcc', 'dpkg-source', 'dpkg-parsechangelog', 'bzip2', 'xz'];
const NEEDED_FILES = ['/usr/include/linux/types.h', '/usr/include/asm-generic/types.h'];

/** @throws RootfsError with a message for the user. */
export async function buildRootfs(): Promise<string> {
  const cache = join(cacheFolder(), 'rootfs');
  try {
    makeFolder(cache);
    accessSync(cache, constants.W_OK);
  } catch (error) {
    throw new RootfsError(
      `the cache folder ${cache} cannot be written (${(error as NodeJS.ErrnoException).code}): set XDG_CACHE_HOME, ${REMEDY}`,
    );
  }
  const progress = new Progress('building the default root filesystem (only this once)');
  const release = await lock(cache, progress);
  try {
    const ready = cachedRootfs();
    if (ready) return ready;
    for (const name of readdirSync(cache))
      if (name.startsWith('tmp-')) rmSync(join(cache, name), { recursive: true, force: true });
    await needPackages(progress);
    return await build(cache, progress);
  } finally {
    progress.end();
    release();
  }
}

/** Not `recursive: true`: Node spins for ever on a path below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

async function build(cache: string, progress: Progress): Promise<string> {
  const rootfs = join(packageRoot(), 'rootfs');
  const scratch = mkdtempSync(join(cache, 'tmp-'));
  const stage = join(scratch, 'out');
  const log = join(cache, 'build.log');
  try {
    mkdirSync(stage);
    await runRecipe(rootfs, scratch, stage, log, progress);
    progress.step('writing the image');
    const { entries, close } = rootfsEntries(rootfs, stage);
    try {
      writeImage(stage, entries);
    } finally {
      close();
    }
    const final = join(cache, recipeKey());
    rmSync(final, { recursive: true, force: true });
    renameSync(stage, final);
    rmSync(log, { force: true });
    progress.done('the root filesystem is ready');
    return final;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function runRecipe(
  rootfs: string,
  scratch: string,
  stage: string,
  log: string,
  progress: Progress,
): Promise<void> {
  // A process group of its own, so that make and its compilers go when this process is told to.
  const child = spawn('bash', [join(rootfs, 'build-busybox'), join(scratch, 'work'), stage], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const interrupted = (signal: NodeJS.Signals): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    progress.end();
    rmSync(scratch, { recursive: true, force: true });
    process.exit(128 + osConstants.signals[signal]);
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  const file = createWriteStream(log);
  const logged = finished(file);
  child.stderr.pipe(file);
  let compiled = 0;
  let total = 0;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('  CC ') && total > 0) progress.fraction(++compiled / total);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('step ')) progress.step(line.slice(5));
    else if (line.startsWith('total ')) total = Number(line.slice(6));
  });
  const [[status]] = (await Promise.all([once(child, 'close'), logged])) as [[number | null], void];
  for (const signal of SIGNALS) process.off(signal, interrupted);
  if (status === 0) return;
  progress.end();
  const tail = readFileSync(log, 'latin1').trimEnd().split('\n').slice(-LOG_TAIL).join('\n  ');
  throw new RootfsError(
    `building the default root filesystem failed while ${progress.current}:\n  ${tail}\n` +
      `The whole log is ${log}. The Debian mirror must be reachable; ${REMEDY}.`,
  );
}

/** Installs missing build packages where that is possible, else names them. */
async function needPackages(progress: Progress): Promise<void> {
  if (!inPath('apt-get') || !inPath('dpkg-query')) {
    throw new RootfsError(
      `the default root filesystem is built from Debian's source and this is no Debian (no apt-get): ${REMEDY}`,
    );
  }
  if (missing().length === 0) return;
  const script = join(packageRoot(), 'rootfs/install-packages.sh');
  const packages = packagesOf('rootfs').join(' ');
  const command = `apt-get install -y --no-install-recommends ${packages}`;
  if (process.geteuid?.() !== 0) {
    throw new RootfsError(
      `building the default root filesystem needs ${missing().join(', ')}.\n  Install once, as root:  ${command}\n  ${REMEDY}`,
    );
  }
  progress.step('installing the build packages it needs');
  const child = spawn('bash', [script, 'rootfs'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  await once(child, 'close');
  if (missing().length > 0) {
    throw new RootfsError(
      `building the default root filesystem needs ${missing().join(', ')}, and installing them failed:\n  ` +
        `${lines.slice(-LOG_TAIL).join('\n  ')}\nInstall them:  ${command}\n  ${REMEDY}`,
    );
  }
}

function missing(): string[] {
  return [...NEEDED_PROGRAMS.filter((name) => !inPath(name)), ...NEEDED_FILES.filter((name) => !existsSync(name))];
}

function packagesOf(group: string): string[] {
  const lines = readFileSync(join(packageRoot(), 'rootfs/packages.list'), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith(`${group} `)).map((line) => line.slice(group.length + 1));
}

function inPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** Takes the cache's lock; the returned function gives it back. It goes with this process in any case. */
async function lock(cache: string, progress: Progress): Promise<() => void> {
  if (!inPath('flock')) return () => undefined;
  const child = spawn('flock', [join(cache, 'lock'), 'sh', '-c', 'echo locked; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.on('error', () => undefined);
  const waiting = setTimeout(() => progress.step('waiting for another process that builds it'), 500);
  const first = await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
  clearTimeout(waiting);
  if (!(first[0] instanceof Buffer)) throw new RootfsError(`${join(cache, 'lock')} cannot be locked`);
  child.unref();
  return () => child.stdin.end();
}
