/** Runs a program on a pseudo-terminal of the host (terminal.c) and talks to it as a user would. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const here = import.meta.dirname;

export interface Ended {
  /** Exit code, or 128 + the signal. */
  status: number;
  /** The terminal's modes are as they were. */
  restored: boolean;
}

export class Terminal {
  /** Everything printed so far. */
  output = '';
  readonly ended: Promise<Ended>;
  private from = 0;
  private readonly child: ChildProcess;
  private readonly dir = mkdtempSync(join(tmpdir(), 'levitate-terminal-'));
  private changed: () => void = () => {};
  private isOver = false;

  constructor(argv: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const binary = join(this.dir, 'terminal');
    execFileSync('gcc', ['-O1', '-o', binary, join(here, 'terminal.c')]);
    this.child = spawn(binary, argv, { stdio: ['pipe', 'pipe', 'inherit', 'pipe'], env });
    let report = '';
    this.child.stdout!.on('data', (data: Buffer) => {
      this.output += data.toString('utf8');
      this.changed();
    });
    (this.child.stdio[3] as Readable).on('data', (data: Buffer) => (report += data.toString()));
    (this.child.stdin as Writable).on('error', () => {});
    this.ended = new Promise((resolve, reject) => {
      this.child.on('close', () => {
        this.isOver = true;
        this.changed();
        rmSync(this.dir, { recursive: true });
        const match = /^(\d+) (\d)/.exec(report);
        if (match === null) return reject(new Error('the terminal helper failed'));
        const wait = Number(match[1]);
        resolve({ status: (wait & 0x7f) === 0 ? wait >> 8 : 128 + (wait & 0x7f), restored: match[2] === '1' });
      });
    });
  }

  type(text: string): void {
    this.child.stdin!.write(`I ${Buffer.from(text, 'utf8').toString('hex')}\n`);
  }
  resize(rows: number, columns: number): void {
    this.child.stdin!.write(`S ${rows} ${columns}\n`);
  }
  hangUp(): void {
    this.child.stdin!.write('H\n');
  }
  /** Waits until what has been printed since the last match contains `text`; gives what came before it. */
  async see(text: string | RegExp, timeoutMs = 15000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const fresh = this.output.slice(this.from);
      const match = typeof text === 'string' ? { index: fresh.indexOf(text), 0: text } : text.exec(fresh);
      if (match !== null && match.index >= 0) {
        this.from += match.index + match[0].length;
        return fresh.slice(0, match.index);
      }
      const left = deadline - Date.now();
      if (left <= 0 || this.isOver) throw new Error(`did not see ${String(text)} in ${JSON.stringify(fresh)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  /** Kills the program if a test failed half-way. */
  kill(): void {
    this.child.kill('SIGKILL');
  }
}
