/**
 * Builds the executor with the host's C compiler and caches it under a hash of its sources. LEVITATE_TEST_EXECUTOR names a
 * ready-made one, for machines without a compiler.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { HOST_ARCH } from '../../src/abi/host-arch.js';
import type { ArchName } from '../../src/abi/types.js';

const folder = join(import.meta.dirname, '../executor');
const sources = ['executor.c', 'script.h', 'arch-x86_64.h', 'arch-aarch64.h'];
const flags =
  '-static -nostdlib -nostartfiles -ffreestanding -fno-stack-protector -fno-pie -no-pie -fno-asynchronous-unwind-tables ' +
  '-mgeneral-regs-only -O1 -Wall -Wextra -Werror';

/** What scripts are for: this machine, unless LEVITATE_TEST_ARCH names another. Then they are only played. */
export const hostArch = (process.env['LEVITATE_TEST_ARCH'] ?? HOST_ARCH) as ArchName;
export const foreign = hostArch !== HOST_ARCH;

function compilers(arch: ArchName): string[] {
  if (process.env['CC'] !== undefined && arch === HOST_ARCH) return [process.env['CC']];
  const cross = arch === 'aarch64' ? 'aarch64-linux-gnu-gcc' : 'x86_64-linux-gnu-gcc';
  return arch === HOST_ARCH ? ['gcc', 'cc', 'musl-gcc', 'clang'] : [cross];
}

/** Path of the executor for `arch`. */
export function buildExecutor(arch: ArchName = hostArch): string {
  const ready = process.env['LEVITATE_TEST_EXECUTOR'];
  if (ready !== undefined) return ready;
  const hash = createHash('sha256').update(flags);
  for (const source of sources) hash.update(readFileSync(join(folder, source)));
  const cache = join(tmpdir(), `levitate-test-${userInfo().uid}`);
  const path = join(cache, `executor-${arch}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const scratch = `${path}.${process.pid}`;
  let message = 'no C compiler found';
  for (const compiler of compilers(arch)) {
    const result = spawnSync(compiler, [...flags.split(' '), '-o', scratch, join(folder, 'executor.c')], {
      encoding: 'utf8',
    });
    if (result.error !== undefined) continue;
    if (result.status !== 0) message = `${compiler}: ${result.stderr}`;
    else {
      renameSync(scratch, path);
      return path;
    }
  }
  throw new Error(`cannot build test/executor: ${message}`);
}
