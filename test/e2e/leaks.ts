/**
 * Runs commands so that nothing they leave behind goes unseen, and checks it: each runs below `witness` (witness.c), to
 * which every orphan falls, and with a temporary folder of its own.
 *
 * `checked()` installs the check in a test file: after each test no process of its commands lives and no temporary file
 * is left.
 */
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { SLOWNESS } from '../support/pace.js';

const here = import.meta.dirname;
export const COMMAND = join(here, '../../dist/bin/levitate-run.cjs');
export const LEVITATE: readonly string[] = [process.execPath, COMMAND];

/** Longest time any single expectation may take: the machine may be busy, a hang is a failure. */
export const PATIENCE_MS = 15_000 * SLOWNESS;

let folder = '';
const running = new Set<Run>();
const finished: Run[] = [];

/** Scratch folder of the test file; `name` below it. */
export const scratch = (name: string): string => join(folder, name);

/** What a program of Node's said; without Node's own word about flags, which it has where the tests run it without a compiler. */
export const withoutWarning = (said: string): string => said.replaceAll(/^Warning: disabling flag[^\n]*\n/gm, '');

export interface Ending {
  /** Exit code, or null if a signal ended the command. */
  status: number | null;
  signal: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** A pseudo-terminal of this many rows and columns. */
  tty?: readonly [number, number];
  env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed; on a terminal nothing is closed. */
  input?: string | Uint8Array;
}

export class Run {
  readonly words: readonly string[];
  readonly ended: Promise<Ending>;
  /** `PID COMM` of each process that was still there a second after the command. */
  readonly leaks: string[] = [];
  readonly termios: string[] = [];
  /** How long descendants outlived the command. */
  leftMs = NaN;
  pid = 0;
  output = '';
  errors = '';
  private seen = 0;
  private readonly child: ChildProcess;
  private readonly waiting = new Set<() => void>();
  private readonly trees: ((counts: Record<string, number>) => void)[] = [];
  private end: [string, number] | null = null;

  constructor(words: readonly string[], options: RunOptions = {}) {
    this.words = words;
    const tty = options.tty ? ['-t', ...options.tty.map(String)] : [];
    this.child = spawn(scratch('witness'), [...tty, ...words], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, TERM: 'vt100', TMPDIR: scratch('tmp'), ...options.env },
    });
    running.add(this);
    const { child } = this;
    for (const stream of [child.stdin!, child.stdio[3] as Writable]) stream.on('error', () => {});
    child.stdout!.setEncoding('latin1').on('data', (text: string) => {
      this.output += text;
      this.wake();
    });
    child.stderr!.setEncoding('latin1').on('data', (text: string) => (this.errors += text));
    createInterface({ input: child.stdio[4] as Readable }).on('line', (line) => this.reported(line));
    this.ended = new Promise((resolve) => {
      child.on('close', () => {
        const [how, number] = this.end ?? ['signal', -1];
        finished.push(this);
        running.delete(this);
        this.end ??= ['signal', -1];
        this.wake();
        resolve({
          status: how === 'exit' ? number : null,
          signal: how === 'exit' ? null : number,
          stdout: this.output,
          stderr: withoutWarning(this.errors),
        });
      });
    });
    if (options.input !== undefined) child.stdin!.write(options.input);
    if (!options.tty) child.stdin!.end();
  }

  private wake(): void {
    for (const wake of [...this.waiting]) wake();
  }

  private reported(line: string): void {
    const [what, ...rest] = line.split(/[ \t]/);
    if (what === 'pid') this.pid = Number(rest[0]);
    else if (what === 'leak') this.leaks.push(rest.join(' '));
    else if (what === 'left') this.leftMs = Number(rest[0]);
    else if (what === 'termios') this.termios.push(rest[0]);
    else if (what === 'status') this.end = [rest[0], Number(rest[1])];
    else if (what === 'tree')
      this.trees.shift()?.(
        Object.fromEntries(
          rest.map((word) => {
            const at = word.lastIndexOf('=');
            return [word.slice(0, at), Number(word.slice(at + 1))];
          }),
        ),
      );
    this.wake();
  }

  /** Resolves once `done` holds; fails after `PATIENCE_MS` or when the command has ended. */
  async until(done: () => boolean, what: string): Promise<void> {
    const limit = Date.now() + PATIENCE_MS;
    while (!done()) {
      if (this.end !== null || Date.now() > limit)
        throw new Error(
          `${this.end !== null ? `ended (${this.end.join(' ')})` : 'timed out'} waiting for ${what}; ` +
            `output so far: ${JSON.stringify(this.output.slice(-2000))}, stderr: ${JSON.stringify(this.errors.slice(-2000))}`,
        );
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, 500);
        this.waiting.add(wake);
      });
    }
  }

  /** The output from the last match on to the end of this one of `pattern`. */
  async expect(pattern: RegExp | string): Promise<string> {
    const match = (): [number, number] | null => {
      const rest = this.output.slice(this.seen);
      if (typeof pattern === 'string') {
        const at = rest.indexOf(pattern);
        return at < 0 ? null : [at, pattern.length];
      }
      const found = pattern.exec(rest);
      return found === null ? null : [found.index, found[0].length];
    };
    await this.until(() => match() !== null, String(pattern));
    const [at, length] = match()!;
    const text = this.output.slice(this.seen, this.seen + at + length);
    this.seen += at + length;
    return text;
  }

  send(text: string): void {
    this.child.stdin!.write(Buffer.from(text, 'latin1'));
  }
  /** A command of witness.c. */
  tell(command: string): void {
    (this.child.stdio[3] as Writable).write(`${command}\n`);
  }
  /** Living descendants by process name. */
  tree(): Promise<Record<string, number>> {
    return new Promise((resolve) => {
      this.trees.push(resolve);
      this.tell('tree');
    });
  }
  async termiosNow(): Promise<string> {
    const { length } = this.termios;
    this.tell('termios');
    await this.until(() => this.termios.length > length, 'termios');
    return this.termios.at(-1)!;
  }
  kill(signal: number): void {
    this.tell(`kill ${signal}`);
  }
}

/** A shell script of the host, in which $L is levitate-run. */
export async function sh(script: string, options: RunOptions = {}): Promise<Ending> {
  const env = { ...options.env, L: LEVITATE.join(' ') };
  return new Run(['bash', '-c', script], { ...options, env }).ended;
}
export function levitate(words: readonly string[], options: RunOptions = {}): Promise<Ending> {
  return new Run([...LEVITATE, ...words], options).ended;
}

export function checked(): void {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'levitate-e2e-'));
    mkdirSync(scratch('tmp'));
    execFileSync('gcc', ['-O1', '-o', scratch('witness'), join(here, 'witness.c'), '-lutil']);
  });
  afterEach(async () => {
    const unfinished = [...running];
    for (const run of unfinished) run.kill(9);
    await Promise.all(unfinished.map((run) => run.ended));
    const leaks = finished.splice(0).map((run) => run.leaks);
    const files = readdirSync(scratch('tmp'));
    for (const file of files) rmSync(scratch(join('tmp', file)), { recursive: true, force: true });
    expect({ leaks: leaks.flat(), files }).toEqual({ leaks: [], files: [] });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
}

/** Compiles a C program for the guest, static with musl; `flags` e.g. `-nostdlib`. */
export function compile(source: string, name: string, flags: readonly string[] = [], compiler = 'musl-gcc'): string {
  const output = scratch(name);
  mkdirSync(join(output, '..'), { recursive: true });
  execFileSync(compiler, ['-x', 'c', '-O1', '-static', '-o', output, ...flags, '-'], { input: source });
  return output;
}
