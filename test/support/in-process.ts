/**
 * levitate in this Node process: does what `boot` of src/api does, with a root made of the given files, and counts what the
 * kernel holds between the tests of a script: the executor's records pass through here as it writes them. The program is
 * process 1, as on the host's side.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { environment, findProgram, outcome } from '../../src/api/launch.js';
import { InputStream, OutputStream } from '../../src/api/memory-stream.js';
import { System } from '../../src/api/system.js';
import { login } from '../../src/api/users.js';
import type { RunResult } from './host.js';
import type { Platform } from '../../src/platform/platform.js';
import { countsOf, growth, hostChildren, type Counts } from './leaks.js';
import type { LevitateRun } from './levitate.js';
import { RECORD_BEGIN, RECORD_END } from './records.js';

function makeRoot(files: LevitateRun['files']): string {
  const root = mkdtempSync(join(tmpdir(), 'levitate-root-'));
  chmodSync(root, 0o755);
  mkdirSync(join(root, 'tmp'));
  chmodSync(join(root, 'tmp'), 0o1777);
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
    chmodSync(join(root, path), 0o755);
  }
  return root;
}

/** Runs a program; on the ptrace platform unless another one is given. */
export async function runInProcess(run: LevitateRun, platform?: Platform): Promise<RunResult> {
  const root = makeRoot(run.files);
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const leaks = new Map<number, string[]>();
  const result: RunResult = { status: null, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), leaks };
  const children = hostChildren();
  try {
    const system = await System.start({ root, platform });
    try {
      const { kernel, init } = system;
      let before: Counts | null = null;
      const record = (bytes: Uint8Array): void => {
        out.push(Buffer.from(bytes));
        if (bytes[4] !== RECORD_BEGIN && bytes[4] !== RECORD_END) return;
        const counts = countsOf(kernel.state);
        const grown = bytes[4] === RECORD_END && before !== null ? growth(before, counts) : [];
        if (grown.length > 0) leaks.set(bytes[6] | (bytes[7] << 8), grown);
        before = counts;
      };
      const files = [
        new InputStream(kernel.state, run.stdin),
        new OutputStream(kernel.state, record),
        new OutputStream(kernel.state, (bytes) => err.push(Buffer.from(bytes))),
      ];
      files.forEach((file, fd) => init.files.set(fd, file, false));
      const user = login(undefined, (path) => system.readText(path));
      init.creds = user.creds;
      findProgram(init, [...run.argv], environment(user, run.env), undefined, kernel);
      const ended = outcome(await kernel.run({ timeoutMs: run.timeoutMs }));
      result.status = ended.status;
      result.signal = ended.timedOut ? 'time out' : ended.signal === null ? null : `signal ${ended.signal}`;
    } finally {
      system.close();
    }
    const left = hostChildren() - children;
    if (left > 0) throw new Error(`${left} host processes are left after the system was closed`);
  } catch (error) {
    // A kernel panic: the suite blames the test that was running and goes on after it.
    err.push(Buffer.from(describeError(error)));
    result.signal = 'an exception';
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  result.stdout = Buffer.concat(out);
  result.stderr = Buffer.concat(err);
  return result;
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}\n${error.cause.stack ?? ''}` : (error.stack ?? error.message);
}
