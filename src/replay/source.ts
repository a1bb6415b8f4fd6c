/**
 * Where events come from: files read in pieces, whatever their size, and each call that was interrupted in the text joined with
 * its end where that is near, because a call cannot be made before its arguments are known.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { LineReader, type Outcome, type TraceEvent } from '../trace/parse/line.js';
import { TraceTextError } from '../trace/parse/term.js';

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
  private readonly buffer = Buffer.allocUnsafe(PIECE);
  private text = '';
  private at = 0;
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
    for (;;) {
      const end = this.text.indexOf('\n', this.at);
      if (end >= 0) {
        const line = this.text.slice(this.at, end);
        this.at = end + 1;
        this.number++;
        return line;
      }
      if (this.ended) {
        if (this.at >= this.text.length) return null;
        const line = this.text.slice(this.at);
        this.at = this.text.length;
        this.number++;
        return line;
      }
      this.fill();
    }
  }
  close(): void {
    closeSync(this.fd);
  }
  fail(message: string, column: number): never {
    throw new TraceFileError(`${this.path}:${this.number}:${column + 1}: ${message}`);
  }
  private fill(): void {
    let n: number;
    try {
      n = readSync(this.fd, this.buffer, 0, PIECE, null);
    } catch (error) {
      throw new TraceFileError(`${this.path}: ${reason(error)}`);
    }
    if (n === 0) this.ended = true;
    this.text = this.text.slice(this.at) + this.buffer.toString('latin1', 0, n);
    this.at = 0;
    if (this.text.length > LONGEST_LINE) this.fail('this line has no end', 0);
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

/** The end of a call, for `unfinished` events whose end is in sight. */
export type Ahead = WeakMap<TraceEvent, { readonly args: string; readonly outcome?: Outcome }>;

/** Holds events back until the end of the call at the head is known, or too far away. */
export class Lookahead implements EventSource {
  readonly ends: Ahead = new WeakMap();
  private readonly source: EventSource;
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
