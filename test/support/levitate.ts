/**
 * Runs a guest program inside levitate: the one place where the test support touches the embedding API.
 *
 * Until src/api/boot.ts exists it reports 'unavailable', and tests run only if LEVITATE_TEST_HOST_ONLY=1 says so.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from './host.js';

export interface LevitateRun {
  /** Files of the root filesystem by absolute path (mode 0755, owner root), beside /dev, /proc and /tmp. */
  files: Readonly<Record<string, Uint8Array>>;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  stdin: Uint8Array;
  timeoutMs: number;
}

const boot = join(import.meta.dirname, '../../src/api/boot.ts');

/** Null if scripts can run in levitate, otherwise the reason why not. */
export function unavailable(): string | null {
  return existsSync(boot)
    ? 'the adapter in test/support/levitate.ts is not written yet'
    : 'src/api/boot.ts does not exist yet';
}

export async function runInLevitate(_run: LevitateRun): Promise<RunResult> {
  return Promise.reject(new Error(`levitate is unavailable: ${unavailable()}`));
}
