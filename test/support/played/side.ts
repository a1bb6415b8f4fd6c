/** The third side: levitate on the script platform, with the executor played instead of executed. */
import { playing } from '../../../src/platform/script/processor.js';
import { ScriptPlatform } from '../../../src/platform/script/platform.js';
import { hostArch } from '../executor.js';
import type { RunResult } from '../host.js';
import { runInProcess } from '../in-process.js';
import type { LevitateRun } from '../levitate.js';
import type { TestScript } from '../script.js';
import { PlayedExecutor } from './executor.js';
import { readImage } from './image.js';

const GIB = 2 ** 30;

/** CPU time, not wall time: on a busy machine a guest that waits for its turn must not age. */
function usedNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

export function play(run: LevitateRun, scripts: readonly TestScript[]): Promise<RunResult> {
  const executor = new PlayedExecutor(scripts, readImage(Buffer.from(run.files[run.argv[0]])));
  const platform = new ScriptPlatform({
    ...playing(executor),
    arch: hostArch,
    physicalBytes: GIB,
    maxThreads: 16384,
    cpuClock: usedNs,
  });
  return runInProcess(run, platform);
}
