/**
 * Where events come from: files read in pieces, whatever their size, and each call that was interrupted in the text joined with
 * its end where that is near, because a call cannot be made before its arguments are known.
 */
import { ScriptSource } from './script.js';
import { closeSync, openSync, readSync } from 'node:fs';
import { signalName } from '../abi/signals.js';
import { LineReader, resultAt, type Outcome, type TraceEvent } from '../trace/parse/line.js';
import { TraceTextError } from '../trace/parse/term.js';
import { VERSION } from '../trace/recording.js';

const PIECE = 1 << 18;
/** A line that is longer is no text. */
const LONGEST_LINE = 1 << 28;
/** Events that are held while the end of a call is looked for. */
const WINDOW = 20_000;

/** A file that cannot be read as a trace; the message has file, line and column. */
export class TraceFileError extends Error {
  override readonly name = 'TraceFileError';
}

/** Lines of a file as bytes, one char each. */
export class LineFile {
  readonly path: string;
  number = 0;
  private readonly fd: number;
  /** Bytes that are read and not given yet are from `at` to `end`. Lines are cut from bytes: flat strings are read fastest. */
  private buffer = Buffer.allocUnsafe(PIECE);
  private at = 0;
  private end = 0;
  private ended = false;

  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, 'r');
    } catch (error) {
      throw new TraceFileError(`${path}: ${reason(error)}`);
    }
  }
  /** The next line without its end; null at the end of the file. */
  next(): string | null {
    for (let from = this.at; ;) {
      const newline = this.buffer.subarray(0, this.end).indexOf(10, from);
      if (newline >= 0) {
        this.number++;
        const line = this.buffer.toString('latin1', this.at, newline);
        this.at = newline + 1;
        return line;
      }
      from = this.end - this.at;
      if (!this.ended) {
        this.fill();
        continue;
      }
      if (this.at >= this.end) return null;
      const line = this.buffer.toString('latin1', this.at, this.end);
      this.at = this.end;
      this.torn = true;
      this.number++;
      return line;
    }
  }
  /** Whether the last line had no end. */
  torn = false;
  startsWith(text: string): boolean {
    if (this.end === 0 && !this.ended) this.fill();
    return this.buffer.toString('latin1', this.at, Math.min(this.end, this.at + text.length)) === text;
  }
  close(): void {
    closeSync(this.fd);
  }
  fail(message: string, column: number): never {
    throw new TraceFileError(`${this.path}:${this.number}:${column + 1}: ${message}`);
  }
  private fill(): void {
    // What is left moves to the beginning; a line longer than the buffer makes it grow.
    const left = this.end - this.at;
    if (left > LONGEST_LINE) this.fail('this line has no end', 0);
    const larger = left > this.buffer.length / 2 ? Buffer.allocUnsafe(2 * this.buffer.length) : this.buffer;
    this.buffer.copy(larger, 0, this.at, this.end);
    this.buffer = larger;
    this.at = 0;
    this.end = left;
    let n: number;
    try {
      n = readSync(this.fd, larger, left, larger.length - left, null);
    } catch (error) {
      throw new TraceFileError(`${this.path}: ${reason(error)}`);
    }
    if (n === 0) this.ended = true;
    this.end += n;
  }
}
/** A script's lines that say what there is; the others are nothing to whoever only wants to know that. */
class DirectiveFile extends LineFile {
  override next(): string | null {
    for (;;) {
      const line = super.next();
      if (line === null || line.startsWith('@')) return line;
    }
  }
}
const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a directory' : message;
};

export interface EventSource {
  next(): TraceEvent | null;
  close(): void;
}

/** What strace writes. */
export class StraceSource implements EventSource {
  private readonly file: LineFile;
  private readonly reader = new LineReader();

  constructor(file: LineFile) {
    this.file = file;
  }
  next(): TraceEvent | null {
    for (;;) {
      const line = this.file.next();
      if (line === null) return null;
      try {
        const event = this.reader.read(line);
        if (event !== null) return event;
      } catch (error) {
        if (error instanceof TraceTextError) this.file.fail(error.message, error.column);
        throw error;
      }
    }
  }
  close(): void {
    this.file.close();
  }
}

/** The first line of levitate's own recordings. */
interface RecordingHead {
  levitate: number;
  arch?: string;
  cwd?: string;
}
/** What `levitate-run --record` writes: one JSON object a line, the texts as in strace's lines. */
export class RecordingSource implements EventSource {
  readonly arch: string | undefined;
  readonly cwd: string | undefined;
  private readonly file: LineFile;

  constructor(file: LineFile) {
    this.file = file;
    const head = this.object(file.next() ?? '') as unknown as RecordingHead;
    if (head.levitate !== VERSION)
      file.fail(`a recording of version ${String(head.levitate)}; this levitate reads version ${VERSION}`, 0);
    this.arch = head.arch;
    this.cwd = head.cwd;
  }
  next(): TraceEvent | null {
    for (;;) {
      const line = this.file.next();
      if (line === null) return null;
      // A recording that was cut off ends in the middle of a line.
      if (line === '' || (this.file.torn && !line.endsWith('}'))) continue;
      const event = this.event(this.object(line));
      if (event !== null) return event;
    }
  }
  close(): void {
    this.file.close();
  }
  private object(line: string): Record<string, unknown> {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      this.file.fail('this line is no JSON', 0);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      this.file.fail('this line is no JSON object', 0);
    return value as Record<string, unknown>;
  }
  private event(record: Record<string, unknown>): TraceEvent | null {
    const pid = Number(record['tid'] ?? 0);
    const time = Number(record['at'] ?? -1);
    const line = this.file.number;
    const column = 0;
    switch (record['k']) {
      case 'call': {
        const outcome = this.outcome(record);
        const name = this.text(record, 'call');
        const args = this.text(record, 'args');
        if (outcome.value === null && outcome.error === '')
          return { pid, time, line, kind: 'lost', name, args, column, resumed: false };
        return { pid, time, line, kind: 'call', name, args, column, outcome };
      }
      case 'leave': {
        const outcome = this.outcome(record);
        const name = this.text(record, 'call');
        const args = this.text(record, 'args');
        if (outcome.value === null && outcome.error === '')
          return { pid, time, line, kind: 'lost', name, args, column, resumed: true };
        return { pid, time, line, kind: 'resumed', name, args, column, outcome };
      }
      case 'enter': {
        const name = this.text(record, 'call');
        return { pid, time, line, kind: 'unfinished', name, args: this.text(record, 'args'), column };
      }
      case 'signal': {
        const signal = this.text(record, 'signal');
        return { pid, time, line, kind: 'signal', signal, info: this.text(record, 'info') };
      }
      case 'stop':
        return { pid, time, line, kind: 'stopped', signal: this.text(record, 'signal') };
      case 'exit': {
        const status = Number(record['status'] ?? 0);
        if ((status & 0x7f) === 0) return { pid, time, line, kind: 'exited', status: (status >> 8) & 255 };
        const signal = signalName(status & 0x7f);
        return { pid, time, line, kind: 'killed', signal, core: (status & 0x80) !== 0 };
      }
      default:
        // Later versions may tell more.
        return null;
    }
  }
  private text(record: Record<string, unknown>, key: string): string {
    const value = record[key];
    return typeof value === 'string' ? value : this.file.fail(`'${key}' is missing`, 0);
  }
  private outcome(record: Record<string, unknown>): Outcome {
    const text = this.text(record, 'ret');
    try {
      return resultAt(text, 0, Number(record['took'] ?? -1));
    } catch (error) {
      if (error instanceof TraceTextError) this.file.fail(error.message, error.column);
      throw error;
    }
  }
}

/** The source that a file's name (scripts end in .strace) or first line asks for; `files`: of what tells of files. */
export function openSource(path: string, files = false): StraceSource | RecordingSource | ScriptSource {
  const script = path.endsWith('.strace');
  const file = script && files ? new DirectiveFile(path) : new LineFile(path);
  try {
    if (script) return new ScriptSource(file);
    return file.startsWith('{') ? new RecordingSource(file) : new StraceSource(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The end of a call, for `unfinished` events whose end is in sight. */
export type Ahead = WeakMap<TraceEvent, { readonly args: string; readonly outcome?: Outcome }>;

/** Holds events back until the end of the call at the head is known, or too far away. */
export class Lookahead implements EventSource {
  readonly ends: Ahead = new WeakMap();
  readonly source: EventSource;
  private queue: TraceEvent[] = [];
  private head = 0;
  private readonly open = new Map<number, TraceEvent>();
  private ended = false;

  constructor(source: EventSource) {
    this.source = source;
  }
  next(): TraceEvent | null {
    if (this.head === this.queue.length && !this.fill()) return null;
    const event = this.queue[this.head];
    if (event.kind === 'unfinished')
      while (!this.ends.has(event) && this.open.get(event.pid) === event && this.queue.length - this.head < WINDOW) {
        if (!this.fill()) break;
      }
    this.head++;
    if (this.head > 1024 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head);
      this.head = 0;
    }
    return event;
  }
  close(): void {
    this.source.close();
  }
  private fill(): boolean {
    if (this.ended) return false;
    const event = this.source.next();
    if (event === null) {
      this.ended = true;
      return false;
    }
    this.queue.push(event);
    if (event.kind === 'unfinished') this.open.set(event.pid, event);
    else if (event.kind === 'resumed' || (event.kind === 'lost' && event.resumed)) {
      const begun = this.open.get(event.pid);
      this.open.delete(event.pid);
      if (begun !== undefined) this.ends.set(begun, event);
    }
    return true;
  }
}
