/** Replays one file: reads it once for the file system it began with, boots a kernel on that, and plays it. */
import { HOST_ARCH } from '../abi/host-arch.js';
import { ARCHS } from '../abi/numbers.js';
import type { OpenFile } from '../../fs/file.js';
import { openAt } from '../../fs/open.js';
import { chdir } from '../../fs/working-directory.js';
import { Errno } from '../abi/errno.js';
import { SEEK_END } from '../abi/flags/file.js';
import { AT_FDCWD, O_APPEND, O_RDWR } from '../abi/flags/open.js';
import { SIGCHLD, SIG_IGN } from '../abi/flags/signal.js';
import type { ArchName } from '../abi/types.js';
import { InputStream, OutputStream } from '../api/memory-stream.js';
import { System } from '../api/system.js';
import { ScriptPlatform } from '../platform/script/platform.js';
import { PARKED } from '../platform/script/thread.js';
import { TraceFileError } from '../trace/line-file.js';
import { TraceTextError } from '../trace/parse/term.js';
import type { TraceEvent } from '../trace/parse/line.js';
import { arrange } from './arrange.js';
import { ReplayClock, SeededRandom } from './clock.js';
import { FileFacts } from './files.js';
import { Player, type Difference } from './player.js';
import { ScriptSource } from './script.js';
import { Lookahead, RecordingSource, openSource, type EventSource } from './source.js';

export interface ReplayOptions {
  readonly file: string;
  /** Default: what the recording says, or this host's. */
  readonly arch?: ArchName | undefined;
  /** Directory or archive the recording began with; absent: derived from the recording. */
  readonly root?: string | undefined;
  readonly cwd?: string | undefined;
  readonly memoryBytes?: number;
  readonly ignore?: ReadonlySet<string>;
  /** Lines to give with a difference. */
  readonly context?: number;
  /** `before`: what was played before it, oldest first. */
  readonly differ: (difference: Difference, before: readonly string[]) => void;
}
export interface ReplayResult {
  readonly calls: number;
  readonly tasks: number;
  readonly differences: number;
  /** Wall time of the playing, in ns. */
  readonly ns: number;
}

const PHYSICAL = 1 << 30;
const MAX_TASKS = 8192;
const HEAP = 0x5555_5556_0000;

/** Throws TraceFileError for what cannot be read. */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const source = new Lookahead(openSource(options.file));
  const arch = options.arch ?? archOf(source.source) ?? HOST_ARCH;
  const facts = new FileFacts(arch);
  try {
    learnFiles(options.file, facts);
    return await play(options, source, facts, arch);
  } finally {
    facts.close();
    source.close();
  }
}

async function play(
  options: ReplayOptions,
  source: Lookahead,
  facts: FileFacts,
  arch: ArchName,
): Promise<ReplayResult> {
  const clock = new ReplayClock();
  const players: Player[] = [];
  const platform = new ScriptPlatform({
    script: (thread) => players.at(0)?.step(thread) ?? PARKED,
    arch,
    pageSize: facts.pageSize,
    physicalBytes: options.memoryBytes ?? PHYSICAL,
    maxThreads: MAX_TASKS,
  });
  const root = options.root === undefined ? { archive: facts.archive(options.file) } : { root: options.root };
  const system = await System.start({ ...root, platform, clock, random: new SeededRandom() });
  try {
    const { kernel, init } = system;
    if (options.root === undefined) arrange(init, facts.arrangement);
    const standIns = standardStreams(system, facts);
    const cwd = options.cwd ?? facts.cwd;
    if (cwd !== '') chdir(init, cwd);
    const { ignore, context = 0 } = options;
    const recent: TraceEvent[] = [];
    const differ = (difference: Difference): void => options.differ(difference, recent.map(eventText));
    const derived = options.root === undefined;
    const script = source.source instanceof ScriptSource;
    const player = new Player({
      kernel,
      platform,
      clock,
      ends: source.ends,
      differ,
      derived,
      standIns,
      script,
      ...(ignore && { ignore }),
    });
    players.push(player);
    // A script's program was never loaded, but has a heap.
    if (script) init.mm.layout.startBrk = init.mm.layout.brk = HEAP;
    player.begin(init);
    // Orphans of the recording are nobody's here.
    init.sighand.actions[SIGCHLD] = { ...init.sighand.actions[SIGCHLD], handler: SIG_IGN };
    const from = process.hrtime.bigint();
    for (let event = source.next(); event !== null; event = source.next()) {
      try {
        player.play(event);
        if (context > 0 && recent.push(event) > context) recent.shift();
      } catch (error) {
        if (error instanceof TraceTextError)
          throw new TraceFileError(`${options.file}:${event.line}:${error.column + 1}: ${error.message}`);
        throw error;
      }
    }
    player.finish();
    const ns = Number(process.hrtime.bigint() - from);
    return { calls: player.calls, tasks: player.tasks, differences: player.differences, ns };
  } finally {
    system.close();
  }
}

/** Descriptors 0 to 2: devices and files as -y told, else streams that hold what was read, and take what is written. */
function standardStreams({ kernel, init }: System, facts: FileFacts): Set<OpenFile> {
  const standIns = new Set<OpenFile>();
  for (let fd = 0; fd <= 2; fd++) {
    const path = /^(\/[^<]*)/.exec(facts.standard.get(fd) ?? '')?.[1];
    const stream: OpenFile =
      fd === 0 ? new InputStream(kernel.state, facts.input()) : new OutputStream(kernel.state, () => {});
    let file = stream;
    if (path !== undefined && !path.startsWith('/dev/pts/'))
      try {
        file = openAt(init, AT_FDCWD, path, facts.appending.has(fd) ? O_RDWR | O_APPEND : O_RDWR, 0);
        // What was in it when the recording began was written before.
        if (fd > 0 && file.seekable) file.seek(init, 0, SEEK_END);
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
      }
    if (file === stream) standIns.add(stream);
    init.files.set(fd, file, false);
  }
  return standIns;
}

function learnFiles(path: string, facts: FileFacts): void {
  const source = openSource(path, (pid, name, text, at) => facts.mayTell(pid, name, text, at));
  try {
    if (source instanceof RecordingSource) {
      facts.cwd = source.cwd;
      facts.pageSize = source.pageSize;
    }
    if (source instanceof ScriptSource) facts.beginScript();
    const begun = new Map<number, string>();
    let first = 0;
    for (let event = source.next(); event !== null; event = source.next()) {
      first ||= event.pid;
      const pid = event.pid || first;
      if (event.kind === 'unfinished') begun.set(pid, event.args);
      else facts.learn(event, event.kind === 'resumed' ? (begun.get(pid) ?? '') + event.args : argsOf(event));
    }
  } finally {
    source.close();
  }
}
const argsOf = (event: TraceEvent): string => ('args' in event ? event.args : '');
function archOf(source: EventSource): ArchName | undefined {
  const name = source instanceof RecordingSource ? source.arch : undefined;
  return ARCHS.find((arch) => arch === name);
}
function eventText(event: TraceEvent): string {
  const who = event.pid === 0 ? '' : `[pid ${event.pid}] `;
  switch (event.kind) {
    case 'call':
      return `${who}${event.name}(${event.args}) ${event.outcome.text}`;
    case 'unfinished':
      return `${who}${event.name}(${event.args} <unfinished ...>`;
    case 'resumed':
      return `${who}<... ${event.name} resumed>${event.args}) ${event.outcome.text}`;
    case 'lost':
      return `${who}${event.name}(${event.args}) = ?`;
    case 'signal':
      return `${who}--- ${event.signal} ${event.info} ---`;
    case 'stopped':
      return `${who}--- stopped by ${event.signal} ---`;
    case 'exited':
      return `${who}+++ exited with ${event.status} +++`;
    case 'killed':
      return `${who}+++ killed by ${event.signal} +++`;
    default:
      return who;
  }
}
