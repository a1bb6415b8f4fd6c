/**
 * The host's own pty as an oracle (host-pty.c, compiled on first use), and our line discipline behind the same command
 * language. A test runs one list of commands on both and compares the answers.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WOULD_BLOCK } from '../../sched/wait.js';
import type { TtyDriver } from '../../src/tty/driver.js';
import { LineDiscipline } from '../../src/tty/line-discipline.js';
import { ReadProgress } from '../../src/tty/read.js';
import * as t from '../../src/tty/termios.js';

const here = dirname(fileURLToPath(import.meta.url));

export const hex = (bytes: Uint8Array): string => (bytes.length ? Buffer.from(bytes).toString('hex') : '-');

export class HostPty {
  private readonly dir = mkdtempSync(join(tmpdir(), 'levitate-pty-'));
  private readonly child: ChildProcess;
  private readonly waiting: ((line: string) => void)[] = [];

  constructor() {
    const binary = join(this.dir, 'host-pty');
    execFileSync('gcc', ['-O1', '-o', binary, join(here, 'host-pty.c')]);
    this.child = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.waiting.shift()?.(line));
    this.child.on('exit', (code) => {
      for (const resolve of this.waiting) resolve(`helper ended: ${code}`);
    });
  }

  run(commands: readonly string[]): Promise<string[]> {
    const answers = commands.map(() => new Promise<string>((resolve) => this.waiting.push(resolve)));
    this.child.stdin!.write(commands.join('\n') + '\n');
    return Promise.all(answers);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin!.end();
    await ended;
    rmSync(this.dir, { recursive: true });
  }
}

/** A driver without limits that remembers. */
export class Sink implements TtyDriver {
  out: number[] = [];
  signals: number[] = [];
  room = 1 << 20;
  events = 0;
  resumed = 0;
  writeRoom(): number {
    return this.room - this.out.length;
  }
  output(bytes: Uint8Array, start: number, end: number): number {
    const n = Math.min(end - start, this.writeRoom());
    for (let i = 0; i < n; i++) this.out.push(bytes[start + i]);
    return n;
  }
  /** Output was lost to a flush. */
  discarded = false;
  discardOutput(): void {
    this.discarded ||= this.out.length > 0;
    this.out = [];
  }
  signal(signal: number): void {
    this.signals.push(signal);
  }
  wakeReaders(): void {}
  wakeWriters(): void {}
  resumeInput(): void {
    this.resumed++;
  }
  packetEvent(bits: number): void {
    this.events |= bits;
  }
  take(): Uint8Array {
    const out = Uint8Array.from(this.out);
    this.out = [];
    return out;
  }
}

const POLLIN = 1;
const POLLOUT = 4;
const EINTR = 4;
const EAGAIN = 11;
const EINVAL = 22;

export class ModelPty {
  private sink = new Sink();
  private termios = t.ptySlaveTermios();
  private ld = new LineDiscipline(this.termios, this.sink);
  /** Input the discipline had no room for. */
  private held: number[] = [];
  mostHeld = 0;
  private readonly buffer = new Uint8Array(1 << 16);

  run(commands: readonly string[]): string[] {
    return commands.map((command) => {
      const answer = this.command(command[0], command.slice(2).split(' '));
      const signals = [...new Set(this.sink.signals)].sort((a, b) => a - b);
      this.sink.signals = [];
      return `${answer} ${hex(this.sink.take())} ${signals.length ? signals.join() : '-'}`;
    });
  }

  get discarded(): boolean {
    return this.sink.discarded;
  }

  private command(op: string, args: string[]): string | number {
    const { ld, sink } = this;
    switch (op) {
      case 'N':
        this.sink = new Sink();
        this.termios = t.ptySlaveTermios();
        this.ld = new LineDiscipline(this.termios, this.sink);
        this.held = [];
        return 0;
      case 'D':
        return 0;
      case 'T': {
        const old = this.termios.clone();
        if (args[0] === '2') ld.dropInput();
        this.termios.decode(Buffer.from(args[1], 'hex'), 'termios');
        this.termios.cflag = (this.termios.cflag & ~(t.CSIZE | t.PARENB)) | t.CS8 | t.CREAD;
        ld.termiosChanged(old);
        if (args[0] === '2') this.deliver();
        return 0;
      }
      case 'G':
        return hex(this.termios.encode('termios'));
      case 'I':
        this.held.push(...Buffer.from(args[0], 'hex'));
        this.deliver();
        return 0;
      case 'W': {
        const bytes = Buffer.from(args[0], 'hex');
        const n = ld.write(bytes, 0, bytes.length);
        return n === 0 && bytes.length > 0 ? `E${EAGAIN}` : n;
      }
      case 'R': {
        const n = new ReadProgress().attempt(ld, this.buffer, Number(args[0]), 0, true);
        if (n === WOULD_BLOCK) return `E${EAGAIN}`;
        const answer = hex(this.buffer.subarray(0, n));
        this.deliver();
        return answer;
      }
      case 'Q':
        return ld.inputCount();
      case 'P':
        return (ld.readable(true) ? POLLIN : 0) | (ld.output.room() > 0 ? POLLOUT : 0);
      case 'F': {
        const which = Number(args[0]);
        if (which === t.TCIFLUSH || which === t.TCIOFLUSH) ld.flushInput();
        if (which === t.TCOFLUSH || which === t.TCIOFLUSH) ld.flushOutput();
        this.deliver();
        return which > 2 ? `E${EINVAL}` : 0;
      }
      case 'X': {
        const which = Number(args[0]);
        if (which === t.TCOOFF || which === t.TCOON) ld.holdOutput(which === t.TCOOFF);
        else if (which === t.TCIOFF) ld.sendFlowChar(t.VSTOP);
        else if (which === t.TCION) ld.sendFlowChar(t.VSTART);
        return which > 3 ? `E${EINVAL}` : 0;
      }
    }
    sink.signals = [];
    throw new Error(`no command ${op}`);
  }

  /** read(2) that sleeps until `alarmMs`, when a signal comes; nothing else happens meanwhile. */
  blockingRead(size: number, alarmMs: number): { result: string; elapsedMs: number } {
    const { buffer, ld } = this;
    const progress = new ReadProgress();
    let elapsedMs = 0;
    let n = progress.attempt(ld, buffer, size, 0, false);
    if (n === WOULD_BLOCK) {
      elapsedMs = Math.min(progress.deadlineNs / 1e6, alarmMs);
      n = progress.attempt(ld, buffer, size, elapsedMs * 1e6, elapsedMs === alarmMs);
    }
    return { result: n === WOULD_BLOCK ? `E${EINTR}` : hex(buffer.subarray(0, n)), elapsedMs };
  }

  private deliver(): void {
    const n = this.ld.receive(Uint8Array.from(this.held));
    this.held = this.held.slice(n);
    this.mostHeld = Math.max(this.mostHeld, this.held.length);
  }
}

export function setTermios(how: number, change: (termios: t.Termios) => void): string {
  const termios = t.ptySlaveTermios();
  change(termios);
  return `T ${how} ${hex(termios.encode('termios'))}`;
}
