/** What `levitate-run` does with its options: boots, connects the standard streams, runs, and gives the exit status. */
import type { RunOptions } from '../cli/options.js';
import { EXIT_FAILED, EXIT_TIMEOUT } from '../cli/options.js';
import { createLog } from '../cli/logging.js';
import { connectStdio, type Stdio } from '../tty/stdio.js';
import { KernelPanic } from '../loop.js';
import { findProgram, LaunchError, outcome } from './launch.js';
import { System } from './system.js';
import { login } from './users.js';

export async function run(options: RunOptions): Promise<number> {
  const log = createLog(options.logLevel);
  const { root, hostname, memoryBytes, pids, timeoutMs } = options;
  const system = await System.start({ root, log, hostname, memoryBytes, pids });
  const { kernel, init } = system;
  let stdio: Stdio | undefined;
  try {
    const user = login(options.user, (path) => system.readText(path));
    init.creds = user.creds;
    const env = new Map(Object.entries(options.env));
    if (!options.clearEnv)
      for (const [name, value] of [['HOME', user.home], ['USER', user.name], ['LOGNAME', user.name]] as const)
        if (!env.has(name)) env.set(name, value);
    stdio = connectStdio(kernel.state, init, system.io, options.tty);
    findProgram(init, [...options.argv], env, options.cwd, kernel);
    const ended = await kernel.run({ timeoutMs });
    await stdio.drained();
    const { status, signal, timedOut } = outcome(ended);
    if (timedOut) return EXIT_TIMEOUT;
    return status ?? 128 + signal!;
  } catch (error) {
    if (error instanceof LaunchError) {
      process.stderr.write(`levitate-run: ${error.message}\n`);
      return error.status;
    }
    if (error instanceof KernelPanic) {
      const cause = error.cause instanceof Error ? `\n${error.cause.stack ?? ''}` : '';
      process.stderr.write(`levitate-run: ${error.message}${cause}\n`);
      return EXIT_FAILED;
    }
    throw error;
  } finally {
    stdio?.close();
    system.close();
  }
}
