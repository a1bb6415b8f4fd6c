/**
 * Runs a guest program inside levitate: the one place where the test support touches the kernel's parts.
 *
 * It does what `boot` of src/api does, with a root made of the given files, and counts what the kernel holds between the tests
 * of a script: the executor's records pass through here as it writes them. The program is process 1, as on the host's side.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RunResult } from './host.js';
import { countsOf, growth, hostChildren, type Counts } from './leaks.js';
import { RECORD_BEGIN, RECORD_END } from './records.js';

export interface LevitateRun {
  /** Files of the root filesystem by absolute path (mode 0755, owner root), beside /dev, /proc and /tmp. */
  files: Readonly<Record<string, Uint8Array>>;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  stdin: Uint8Array;
  timeoutMs: number;
}

/** Null if scripts can run in levitate, otherwise the reason why not. */
export function unavailable(): string | null {
  return existsSync(join(import.meta.dirname, '../../src/api/system.ts')) ? null : 'src/api/system.ts does not exist';
}

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

export async function runInLevitate(run: LevitateRun): Promise<RunResult> {
  const root = makeRoot(run.files);
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const leaks = new Map<number, string[]>();
  const result: RunResult = { status: null, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), leaks };
  const children = hostChildren();
  try {
    const [{ System }, { InputStream, OutputStream }, { findProgram, environment, outcome }, { login }] =
      await Promise.all([
        import('../../src/api/system.js'),
        import('../../src/api/memory-stream.js'),
        import('../../src/api/launch.js'),
        import('../../src/api/users.js'),
      ]);
    const system = await System.start({ root });
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
    const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.stack ?? ''}` : '';
    err.push(Buffer.from(error instanceof Error ? `${error.stack ?? error.message}${cause}` : String(error)));
    result.signal = 'an exception';
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  result.stdout = Buffer.concat(out);
  result.stderr = Buffer.concat(err);
  return result;
}
