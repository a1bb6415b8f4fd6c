/** What `levitate-run` does with its options: boots, connects the standard streams, runs, and gives the exit status. */
import { openSync, writeFileSync, writeSync } from 'node:fs';
import type { RunOptions } from '../cli/options.js';
import { EXIT_FAILED, EXIT_TIMEOUT, UsageError } from '../cli/options.js';
import { createLog } from '../cli/logging.js';
import { connectStdio, type Stdio } from '../tty/stdio.js';
import type { Kernel } from '../kernel.js';
import { KernelPanic } from '../loop.js';
import { ROWS } from '../../syscalls/table.js';
import { ExpressionError } from '../trace/call-set.js';
import { parseInject } from '../trace/inject.js';
import { Injector } from '../trace/injector.js';
import { ChromeWriter } from '../trace/chrome.js';
import type { EventSink } from '../trace/events.js';
import { RecordingWriter } from '../trace/recording.js';
import { TraceSession } from '../trace/session.js';
import type { TraceClock } from '../trace/stamps.js';
import { TextSink } from '../trace/text-sink.js';
import { findProgram, LaunchError, outcome } from './launch.js';
import { System } from './system.js';
import { login } from './users.js';

export async function run(options: RunOptions): Promise<number> {
  const log = createLog(options.logLevel);
  const { root, hostname, memoryBytes, pids, timeoutMs, gate } = options;
  const system = await System.start({ root, log, hostname, memoryBytes, pids, gate });
  const { kernel, init } = system;
  let stdio: Stdio | undefined;
  let trace: TraceSession | null = null;
  try {
    const user = login(options.user, (path) => system.readText(path));
    init.creds = user.creds;
    const env = new Map(Object.entries(options.env));
    if (!options.clearEnv)
      for (const [name, value] of [
        ['HOME', user.home],
        ['USER', user.name],
        ['LOGNAME', user.name],
      ] as const)
        if (!env.has(name)) env.set(name, value);
    stdio = connectStdio(kernel.state, init, system.io, options.tty);
    if (options.inject !== undefined) kernel.inject(injector(options.inject, kernel));
    trace = traceSession(options, kernel);
    const launched = findProgram(init, [...options.argv], env, options.cwd, kernel);
    if (trace !== null) {
      kernel.trace(trace);
      const row = kernel.table.byName('execve');
      trace.launched(init, row, launched.path, launched.argv, launched.envp);
    }
    const ended = await kernel.run({ timeoutMs });
    await stdio.drained();
    trace?.finish();
    trace = null;
    if (options.report) process.stderr.write(report(kernel));
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
    // After a panic, what led to it is worth the most.
    trace?.flush();
    stdio?.close();
    system.close();
  }
}

/** What is recorded is in its file soon, should the supervisor be killed. */
const LATE_MS = 100;

/** The tracing that the options ask for; files are made before the guest starts. */
function traceSession(options: RunOptions, kernel: Kernel): TraceSession | null {
  const { strace, straceSettings: settings, summary, record, traceEvents } = options;
  if ([strace, summary, record, traceEvents].every((target) => target === undefined)) return null;
  const sink = (target: true | string, lateMs?: number): TextSink => {
    const fd = target === true ? 2 : openSync(target, 'w');
    return new TextSink((bytes) => writeAll(fd, bytes), lateMs);
  };
  const eventTexts: TextSink[] = [];
  const events: EventSink[] = [];
  const add = (target: string | undefined, Writer: new (out: TextSink) => EventSink): void => {
    if (target === undefined) return;
    const texts = sink(target, LATE_MS);
    eventTexts.push(texts);
    events.push(new Writer(texts));
  };
  add(record, RecordingWriter);
  add(traceEvents, ChromeWriter);
  return new TraceSession({
    arch: kernel.platform.arch,
    clock: traceClock(kernel),
    settings,
    // A file per task has its own name, and the one without a number is not made.
    strace: strace === undefined || settings?.separately ? null : sink(strace),
    separate: settings?.separately ? (tid) => taskSink(`${String(strace)}.${tid}`) : undefined,
    toFile: typeof strace === 'string',
    summary: summary === undefined ? null : sink(summary),
    events,
    eventTexts,
    cwd: options.cwd ?? '/',
  });
}

function traceClock({ state: { clock } }: Kernel): TraceClock {
  return {
    monotonicNs: () => clock.monotonicNs(),
    realtime() {
      clock.readRealtime();
      return { sec: clock.realtimeSec, nsec: clock.realtimeNsec };
    },
  };
}

/** A file that is open only while it is written: there may be as many as there were tasks. */
function taskSink(path: string): TextSink {
  let flag = 'w';
  return new TextSink((bytes) => {
    writeFileSync(path, bytes, { flag });
    flag = 'a';
  });
}

/** The tampering that the options ask for. */
function injector(expressions: NonNullable<RunOptions['inject']>, kernel: Kernel): Injector {
  const rules = expressions.map(({ option, text }) => {
    try {
      return parseInject(text, option === 'fault', ROWS, kernel.platform.arch);
    } catch (error) {
      if (error instanceof ExpressionError) throw new UsageError(`--${option}: ${error.message}`);
      throw error;
    }
  });
  const word = new Uint8Array(4);
  return new Injector(rules, () => {
    kernel.state.random.fill(word, 0, 4);
    return new DataView(word.buffer).getUint32(0);
  });
}

/** Blocks until the host has taken it all: a trace loses nothing. A closed reader ends the trace, not the run. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') continue;
      return;
    }
  }
}

/** `--report`: calls that were refused or only pretended, most frequent first. */
function report(kernel: Kernel): string {
  const lines = kernel.table.missed().map(({ row, hits }) => {
    const { disposition } = row;
    const what =
      typeof disposition === 'object' && 'stub' in disposition ? `stub: ${disposition.stub}` : 'not implemented';
    return `  ${String(hits).padStart(8)}  ${row.name} (${what})\n`;
  });
  const calls =
    lines.length === 0 ? 'every system call made is implemented\n' : `system calls refused:\n${lines.join('')}`;
  return `levitate-run: ${calls}${kernel.gate === null ? '' : `levitate-run: ${kernel.gate.report()}`}`;
}
