/**
 * A booted system before its first program: platform, kernel, root filesystem, the usual mounts. Shared by `boot` and the
 * command line.
 */
import type { Archive } from '../../fs/archive/types.js';
import { openArchive } from '../../fs/archive/open.js';
import { loadArchive } from '../../fs/load-archive.js';
import { mountAt } from '../../fs/mount-ops.js';
import { resolve, LOOKUP_FOLLOW } from '../../fs/walk.js';
import { Program } from '../../fs/program.js';
import { AT_FDCWD } from '../abi/flags/open.js';
import { Errno } from '../abi/errno.js';
import { provideRootfs } from '../../rootfs/provide.js';
import type { Clock, Random } from '../../sched/clock.js';
import type { Log } from '../../sched/kernel-state.js';
import type { Task } from '../../sched/task.js';
import { Kernel } from '../kernel.js';
import { HostClock, HostRandom } from '../platform/host-clock.js';
import { hostIo, type HostIo } from '../platform/host-io.js';
import { createPtracePlatform } from '../platform/ptrace/index.js';
import type { Platform } from '../platform/platform.js';

export interface SystemOptions {
  /** Host path of a directory or archive; default: the BusyBox root, built on first use. */
  root?: string | undefined;
  hostname?: string | undefined;
  memoryBytes?: number | undefined;
  pids?: number | undefined;
  log?: Log | undefined;
  platform?: Platform | undefined;
  /** An archive that is open already, instead of `root`; closed with the system. */
  archive?: Archive | undefined;
  /** Default: the host's. */
  clock?: Clock | undefined;
  random?: Random | undefined;
  /** Let hot system calls pass without a stop (default: yes, where the machine can). */
  gate?: boolean | undefined;
}

/** What is mounted before process 1 runs; a missing directory is made. */
const MOUNTS = [
  ['devtmpfs', '/dev'],
  ['devpts', '/dev/pts'],
  ['tmpfs', '/dev/shm'],
  ['proc', '/proc'],
  ['sysfs', '/sys'],
] as const;

const QUIET: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** In one line unless asked: a root of a whole machine has hundreds of sockets and device nodes. */
function tellWarnings(log: Log, { name, warnings }: Archive): void {
  if (warnings.length === 0) return;
  log.warn({}, `${name}: not everything is taken over as it is (${warnings[0]}); --log-level info says what else`);
  for (const warning of warnings) log.info({}, warning);
}

export class System {
  readonly kernel: Kernel;
  /** The host's clocks, random bytes and descriptors; absent where clock and random are somebody else's. */
  private readonly host: HostIo | null;
  /** Process 1, not running yet. */
  readonly init: Task;
  private readonly archive: Archive;

  private constructor(kernel: Kernel, host: HostIo | null, init: Task, archive: Archive) {
    this.kernel = kernel;
    this.host = host;
    this.init = init;
    this.archive = archive;
  }

  static async start(options: SystemOptions): Promise<System> {
    const { clock, random } = options;
    const io = clock !== undefined && random !== undefined ? null : hostIo();
    const archive = options.archive ?? (await openArchive(options.root ?? (await provideRootfs())));
    let kernel: Kernel | undefined;
    try {
      kernel = new Kernel({
        platform: options.platform ?? createPtracePlatform(options.gate === undefined ? {} : { gate: options.gate }),
        clock: clock ?? new HostClock(io!),
        random: random ?? new HostRandom(io!),
        log: options.log ?? QUIET,
        hostname: options.hostname ?? 'levitate',
        memoryBytes: options.memoryBytes,
        pids: options.pids,
      });
      tellWarnings(kernel.state.log, archive);
      for (const problem of loadArchive(kernel.state, archive.entries).problems) kernel.state.log.warn({}, problem);
      const init = kernel.createInit();
      for (const [type, path] of MOUNTS) mountAt(init, type, type, path);
      return new System(kernel, io, init, archive);
    } catch (error) {
      kernel?.shutdown();
      archive.close();
      io?.close();
      throw error;
    }
  }

  get io(): HostIo {
    if (this.host === null) throw new Error('this system has no host streams');
    return this.host;
  }

  /** Text of a guest file as a byte string, or null when it cannot be read. */
  readText(path: string): string | null {
    try {
      const place = resolve(this.init, AT_FDCWD, path, LOOKUP_FOLLOW);
      const mapping = place.dentry.inode!.mapping?.() ?? null;
      if (mapping === null) return null;
      const program = new Program(this.init, place, mapping);
      const bytes = Buffer.alloc(mapping.size);
      program.read(bytes, 0, 0, bytes.length);
      program.close();
      return bytes.toString('latin1');
    } catch (error) {
      if (error instanceof Errno) return null;
      throw error;
    }
  }

  close(): void {
    this.kernel.shutdown();
    this.archive.close();
    this.host?.close();
  }
}
