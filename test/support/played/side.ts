/** The third side: levitate on the script platform, with the executor played instead of executed. */
import { CLOCK_THREAD_CPUTIME_ID } from '../../../src/abi/flags/time.js';
import { hostIo } from '../../../src/platform/host-io.js';
import { playing } from '../../../src/platform/script/processor.js';
import { ScriptPlatform } from '../../../src/platform/script/platform.js';
import { hostArch } from '../executor.js';
import type { RunResult } from '../host.js';
import { runInProcess } from '../in-process.js';
import type { LevitateRun } from '../levitate.js';
import { PAGE, type TestScript } from '../script.js';
import { PlayedExecutor } from './executor.js';
import { readImage } from './image.js';

const GIB = 2 ** 30;

/** Plays the scripts; the guests are charged the CPU time (not the wall time: machines are busy) that playing them takes. */
export async function play(run: LevitateRun, scripts: readonly TestScript[]): Promise<RunResult> {
  const executor = new PlayedExecutor(scripts, readImage(Buffer.from(run.files[run.argv[0]])));
  const io = hostIo();
  const cpuClock = (): number => {
    io.clock(CLOCK_THREAD_CPUTIME_ID);
    return io.time[0] * 1e9 + io.time[1];
  };
  try {
    const platform = new ScriptPlatform({
      ...playing(executor),
      arch: hostArch,
      pageSize: PAGE,
      physicalBytes: GIB,
      maxThreads: 16384,
      cpuClock,
    });
    return await runInProcess(run, platform);
  } finally {
    io.close();
  }
}
