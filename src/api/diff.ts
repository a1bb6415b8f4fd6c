/**
 * What levitate-diff does: one program, run by the host's kernel and by levitate's, from copies of one root filesystem, in one
 * environment; what both did is recorded and compared.
 *
 * The host's run comes first and is over before levitate's begins: the two are tracers of the same thread.
 */
import { HOST_ARCH } from '../abi/host-arch.js';
import {
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from '../abi/flags/process.js';
import { EPERM, ERRNO_NAMES, ERRNO_TEXTS } from '../abi/errno.js';
import type { ByteString } from '../abi/types.js';
import { loginCredentials } from '../../sched/credentials.js';
import { defaultLimits } from '../../sched/limits.js';
import type { Task } from '../../sched/task.js';
import { provideRootfs } from '../../rootfs/provide.js';
import type { HostLaunch } from '../platform/native.js';
import { firstByte, sameString } from '../trace/diff/compare.js';
import { Maps } from '../trace/diff/maps.js';
import { Recorder, type TaskTrace } from '../trace/diff/record.js';
import { compareRuns, type Comparison } from '../trace/diff/walk.js';
import { HostLaunchError, HostRun, type HostTask } from '../trace/host-run.js';
import { LaunchMemory } from '../trace/session.js';
import { taskMemory } from '../trace/task-memory.js';
import { candidatePaths, findProgram, LaunchError } from './launch.js';
import { InputStream, OutputStream } from './memory-stream.js';
import { ScratchRoot } from './scratch-root.js';
import { System } from './system.js';

export interface DiffOptions {
  argv: readonly ByteString[];
  /** Host path of a directory or archive; default: the BusyBox root. */
  root?: string | undefined;
  env: ReadonlyMap<ByteString, ByteString>;
  cwd?: ByteString | undefined;
  input?: Uint8Array | undefined;
  timeoutMs?: number | undefined;
  gate?: boolean | undefined;
  /** Names of calls to leave out. */
  ignore?: ReadonlySet<string> | undefined;
  /** Lines before each difference. */
  context: number;
}

/** The program cannot be run on the host, so there is nothing to compare with; the message is for the user. */
export class DiffError extends Error {
  override readonly name = 'DiffError';
}

export interface DiffResult extends Comparison {
  /** What is wrong with the runs as a whole: levitate cannot start the program, a time limit. */
  problems: string[];
  /** Neither run came to its end. */
  timedOut: boolean;
  host: { stdout: Buffer; stderr: Buffer };
  ours: { stdout: Buffer; stderr: Buffer };
}

interface Side {
  trace: TaskTrace | null;
  stdout: Buffer;
  stderr: Buffer;
  problem: string | null;
  timedOut: boolean;
}

const HOSTNAME = 'levitate';
const NOTHING: Comparison = { differences: [], calls: 0, tasks: 0 };

export async function diff(options: DiffOptions): Promise<DiffResult> {
  const root = options.root ?? (await provideRootfs());
  const host = await onHost(options, root);
  const ours = await inLevitate(options, root);
  const problems = [host.problem, ours.problem].filter((problem) => problem !== null);
  const compared =
    host.trace === null || ours.trace === null ? NOTHING : compareRuns(host.trace, ours.trace, options.context);
  if (problems.length === 0 && compared.differences.length === 0)
    for (const name of ['stdout', 'stderr'] as const)
      if (!sameOutput(host[name], ours[name])) problems.push(`${name} differs, ${firstByte(host[name], ours[name])}`);
  const timedOut = host.timedOut && ours.timedOut;
  return { ...compared, problems, timedOut, host, ours };
}

/** sendfile(2) and the like write what no trace shows. */
const sameOutput = (host: Buffer, ours: Buffer): boolean =>
  sameString(host.toString('latin1'), ours.toString('latin1'), new Maps());

/** Ways of keeping the program to its root, best first, as far as this user may hope for them. */
function enclosures(): Pick<HostLaunch, 'namespaces' | 'uidMap' | 'gidMap'>[] {
  const own = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET;
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const asRoot = { namespaces: own | CLONE_NEWUSER, uidMap: `0 ${uid} 1\n`, gidMap: `0 ${gid} 1\n` };
  if (uid !== 0) return [asRoot];
  const none = { uidMap: '', gidMap: '' };
  return [{ namespaces: own, ...none }, asRoot, { namespaces: 0, ...none }];
}

async function onHost(options: DiffOptions, root: string): Promise<Side> {
  const scratch = await ScratchRoot.make(root);
  const remove = (): void => scratch.remove();
  process.on('exit', remove);
  try {
    let refused: HostLaunchError | null = null;
    for (const enclosure of enclosures()) {
      const run = new HostRun(HOST_ARCH);
      const recorder = new Recorder<HostTask>({
        arch: HOST_ARCH,
        memory: (task) => run.memory(task),
        ...ignoring(options),
      });
      try {
        const end = await run.run(launchOf(options, scratch, enclosure), recorder, options);
        const problem = end.timedOut ? 'the run on the host was ended by --timeout' : null;
        const { stdout, stderr, timedOut } = end;
        return { trace: recorder.root, stdout, stderr, problem, timedOut };
      } catch (error) {
        if (!(error instanceof HostLaunchError)) throw error;
        if (['exec', 'chdir'].includes(error.step)) throw new DiffError(explain(error, options));
        refused ??= error;
      }
    }
    throw new DiffError(explain(refused!, options));
  } finally {
    process.off('exit', remove);
    scratch.remove();
  }
}

const ignoring = ({ ignore }: DiffOptions): { ignore?: ReadonlySet<string> } =>
  ignore === undefined ? {} : { ignore };

function launchOf(
  options: DiffOptions,
  scratch: ScratchRoot,
  enclosure: Pick<HostLaunch, 'namespaces' | 'uidMap' | 'gidMap'>,
): HostLaunch {
  const { argv, env, cwd, input } = options;
  const finite = (limit: number): number => (limit === Infinity ? 1e18 : limit);
  return {
    ...enclosure,
    root: Buffer.from(scratch.folder, 'utf8').toString('latin1'),
    mounts: enclosure.namespaces === 0 ? [] : scratch.mounts(),
    hostname: HOSTNAME,
    cwd: cwd ?? '/',
    candidates: candidatePaths(argv[0], env),
    argv,
    envp: [...env].map(([name, value]) => `${name}=${value}`),
    limits: defaultLimits(MOST_TASKS).flatMap(({ soft, hard }) => [finite(soft), finite(hard)]),
    input: input ?? new Uint8Array(0),
  };
}
/** As PidTable has it. */
const MOST_TASKS = 32768;

function explain({ errno, step }: HostLaunchError, { argv, cwd }: DiffOptions): string {
  const reason = `${ERRNO_TEXTS[errno] ?? ''} (${ERRNO_NAMES[errno] ?? errno})`;
  if (step === 'exec') return `${argv[0]}: cannot be run from this root on the host: ${reason}`;
  if (step === 'chdir') return `--cwd ${cwd}: ${reason}`;
  const hint =
    errno === EPERM
      ? '. Running a program in a root of its own takes root, or user namespaces: see the sysctls ' +
        'kernel.unprivileged_userns_clone and user.max_user_namespaces; in a container, its seccomp profile'
      : '';
  return `the program cannot be started on the host: ${step}: ${reason}${hint}`;
}

async function inLevitate(options: DiffOptions, root: string): Promise<Side> {
  const { gate, timeoutMs } = options;
  const system = await System.start({ root, hostname: HOSTNAME, gate });
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  let trace: TaskTrace | null = null;
  let problem: string | null = null;
  let timedOut = false;
  try {
    const { kernel, init } = system;
    [
      new InputStream(kernel.state, options.input ?? new Uint8Array(0)),
      new OutputStream(kernel.state, (chunk) => stdout.push(chunk)),
      new OutputStream(kernel.state, (chunk) => stderr.push(chunk)),
    ].forEach((file, fd) => init.files.set(fd, file, false));
    init.creds = loginCredentials(0, 0);
    const { path, argv, envp } = findProgram(init, [...options.argv], new Map(options.env), options.cwd, kernel);
    let launching: LaunchMemory | null = new LaunchMemory(init.regs.sp, path, argv, envp);
    const recorder = new Recorder<Task>({
      arch: HOST_ARCH,
      memory: (task) => launching ?? taskMemory(task),
      ...ignoring(options),
    });
    kernel.trace(recorder);
    const row = kernel.table.byName('execve');
    const args = [launching.path, launching.argv, launching.envp];
    recorder.enter(init, row, args);
    launching = null;
    recorder.leave(init, row, args, 0, 0);
    const ended = await kernel.run({ timeoutMs });
    ({ timedOut } = ended);
    if (timedOut) problem = "levitate's run was ended by --timeout";
    trace = recorder.root;
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    problem = `levitate cannot start the program: ${error.message}`;
  } finally {
    system.close();
  }
  return { trace, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), problem, timedOut };
}
