/**
 * Runs a guest program inside levitate, if it is there. The kernel is loaded only when it is needed (in-process.ts), so that
 * the host's side can be used alone.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from './host.js';
import type { TestScript } from './script.js';

export interface LevitateRun {
  /** Files of the root filesystem by absolute path (mode 0755, owner root), beside /dev, /proc and /tmp. */
  files: Readonly<Record<string, Uint8Array>>;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  stdin: Uint8Array;
  timeoutMs: number;
}

/** Null if scripts can run in levitate, otherwise the reason why not. */
export function unavailable(): string | null {
  return existsSync(join(import.meta.dirname, '../../src/api/system.ts')) ? null : 'src/api/system.ts does not exist';
}

export async function runInLevitate(run: LevitateRun): Promise<RunResult> {
  const { runInProcess } = await import('./in-process.js');
  return runInProcess(run);
}

/** The same on the script platform, where `scripts` are played instead of the executor's instructions. */
export async function playInLevitate(run: LevitateRun, scripts: readonly TestScript[]): Promise<RunResult> {
  const { play } = await import('./played/side.js');
  return play(run, scripts);
}
