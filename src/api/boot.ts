/**
 * `boot`: runs one program in a fresh system in this process and gives its output and how it ended. The first step of the
 * embedding API.
 */
import type { OpenFile } from '../../fs/file.js';
import type { Log } from '../../sched/kernel-state.js';
import type { Platform } from '../platform/platform.js';
import type { Task } from '../../sched/task.js';
import type { Tracer } from '../trace/tracer.js';
import { environment, findProgram, outcome, type Outcome } from './launch.js';
import { InputStream, OutputStream } from './memory-stream.js';
import { System } from './system.js';
import { login } from './users.js';

export interface BootOptions {
  /** Program and arguments; the program is looked up in the guest's PATH if it has no slash. UTF-8 text. */
  argv: readonly string[];
  /** Host path of a directory, or tar, tar.gz or cpio archive. Default: the BusyBox root, built on first use. */
  root?: string;
  /** Replaces the default environment (PATH, HOME, USER, LOGNAME, TERM). */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** `USER[:GROUP]` of the guest; default root. */
  user?: string;
  hostname?: string;
  stdin?: string | Uint8Array;
  /** Milliseconds after which the system is killed. */
  timeoutMs?: number;
  memoryBytes?: number;
  /** Tasks alive at once. */
  pids?: number;
  /** Let hot system calls pass without a stop (default: yes, where the machine can). */
  gate?: boolean;
  onStdout?: (bytes: Uint8Array) => void;
  onStderr?: (bytes: Uint8Array) => void;
  log?: Log;
  /** For tests: another platform, a tracer. */
  platform?: Platform;
  tracer?: (system: System) => Tracer<Task>;
  /** For tests: called after the end, before everything is given back. */
  inspect?: (system: System) => void;
}

export interface BootResult extends Outcome {
  stdout: Buffer;
  stderr: Buffer;
}

/** Guest strings are bytes; the API speaks UTF-8. */
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

export async function boot(options: BootOptions): Promise<BootResult> {
  const { root, hostname, memoryBytes, pids, log, platform, timeoutMs, gate } = options;
  const system = await System.start({
    root,
    hostname: hostname === undefined ? undefined : bytes(hostname),
    memoryBytes,
    pids,
    log,
    platform,
    gate,
  });
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  try {
    const { kernel, init } = system;
    const input = options.stdin ?? '';
    const files: OpenFile[] = [
      new InputStream(kernel.state, typeof input === 'string' ? Buffer.from(input) : input),
      new OutputStream(kernel.state, options.onStdout ?? ((chunk) => stdout.push(chunk))),
      new OutputStream(kernel.state, options.onStderr ?? ((chunk) => stderr.push(chunk))),
    ];
    files.forEach((file, fd) => init.files.set(fd, file, false));
    const user = login(options.user, (path) => system.readText(path));
    const env = environment(user, options.env);
    init.creds = user.creds;
    if (options.tracer !== undefined) kernel.trace(options.tracer(system));
    const argv = options.argv.map(bytes);
    findProgram(init, argv, env, options.cwd === undefined ? undefined : bytes(options.cwd), kernel);
    const ended = await kernel.run({ timeoutMs });
    options.inspect?.(system);
    return { ...outcome(ended), stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
  } finally {
    system.close();
  }
}
