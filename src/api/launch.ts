/** Starting process 1: its environment, where its program is, and what its end means to the host. */
import { EACCES, ENOENT, ENOTDIR, Errno, errno } from '../abi/errno.js';
import { DEFAULT_PATH } from '../cli/options.js';
import type { Task } from '../../sched/task.js';
import { chdir } from '../../fs/working-directory.js';
import type { Kernel } from '../kernel.js';
import type { Ended } from '../loop.js';
import type { Login } from './users.js';

/** The program cannot be run: exit status 126 (found) or 127 (not found). */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** How a run ended. */
export interface Outcome {
  /** Exit code, or null if a signal ended it. */
  status: number | null;
  /** Signal number, or null. */
  signal: number | null;
  timedOut: boolean;
}

export function outcome(ended: Ended): Outcome {
  const signal = ended.status & 0x7f;
  return {
    status: signal === 0 ? (ended.status >> 8) & 0xff : null,
    signal: signal === 0 ? null : signal,
    timedOut: ended.timedOut,
  };
}

/** The guest's environment in byte strings: defaults of a login, or exactly `given`. */
export function environment(user: Login, given?: Readonly<Record<string, string>>): Map<string, string> {
  if (given !== undefined)
    return new Map(Object.entries(given).map(([name, value]) => [toBytes(name), toBytes(value)]));
  return new Map([
    ['PATH', DEFAULT_PATH],
    ['HOME', user.home],
    ['USER', user.name],
    ['LOGNAME', user.name],
  ]);
}
const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** What was started in the end. */
export interface Launched {
  path: string;
  argv: string[];
  envp: string[];
}

/** Where execvp(3) looks for `name`. No name at all is not found, as there, rather than a folder of PATH. */
export function candidatePaths(name: string, env: ReadonlyMap<string, string>): string[] {
  if (name.includes('/') || name === '') return [name];
  return (env.get('PATH') ?? DEFAULT_PATH).split(':').map((folder) => `${folder === '' ? '.' : folder}/${name}`);
}

/** Finds argv[0] along PATH, loads it into `init`, ready to run. Throws LaunchError. */
export function findProgram(
  init: Task,
  argv: string[],
  env: ReadonlyMap<string, string>,
  cwd: string | undefined,
  kernel: Kernel,
): Launched {
  const [name] = argv;
  if (cwd !== undefined)
    try {
      chdir(init, cwd);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      throw new LaunchError(`cannot change to directory ${cwd} in the guest: ${error.name}`, 126);
    }
  const envp = [...env].map(([key, value]) => `${key}=${value}`);
  let worst = errno(ENOENT);
  for (const path of candidatePaths(name, env)) {
    try {
      kernel.exec(init, path, argv, envp);
      return { path, argv, envp };
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      if (error.errno !== ENOENT && error.errno !== ENOTDIR) worst = error;
      if (error.errno !== ENOENT && error.errno !== ENOTDIR && error.errno !== EACCES) break;
    }
  }
  const missing = worst.errno === ENOENT;
  throw new LaunchError(
    missing ? `${name}: not found in the guest` : `${name}: cannot be run (${worst.name})`,
    missing ? 127 : 126,
  );
}
