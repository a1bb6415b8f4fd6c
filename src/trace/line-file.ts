/**
 * LineFile: a file of text in lines, read in pieces whatever its size. Texts are bytes, one char each.
 *
 * A file comes from anywhere: what is wrong with it is told with file, line and column.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { latin1Slice } from './latin1.js';
import { TraceTextError } from './parse/term.js';

const PIECE = 1 << 18;
/** One call has written this much at most; V8 has no strings of more than twice as much. */
const LONGEST_LINE = 1 << 28;
const NEWLINE = 10;

/** A file that cannot be read as a trace; the message has file, line and column. */
export class TraceFileError extends Error {
  override readonly name = 'TraceFileError';
}

export class LineFile {
  readonly path: string;
  /** Of the line given last, from 1. */
  number = 0;
  /** Whether the last line had no end. */
  torn = false;
  private readonly limit: number;
  private readonly fd: number;
  /** Bytes that are read and not given yet are from `at` to `end`. Lines are cut from bytes: flat strings are read fastest. */
  private buffer = Buffer.allocUnsafe(PIECE);
  private at = 0;
  private end = 0;
  private ended = false;

  constructor(path: string, limit = LONGEST_LINE) {
    this.path = path;
    this.limit = limit;
    try {
      this.fd = openSync(path, 'r');
    } catch (error) {
      throw new TraceFileError(`${path}: ${reason(error)}`);
    }
  }
  /** The next line without its end; null at the end of the file. */
  next(): string | null {
    for (let from = this.at; ;) {
      const found = this.buffer.indexOf(NEWLINE, from);
      const whole = found >= 0 && found < this.end;
      const last = whole ? found : this.end;
      if (last - this.at > this.limit) {
        this.number++;
        this.fail(`a line of more than ${this.limit} bytes`, this.limit);
      }
      if (!whole && !this.ended) {
        from = this.end - this.at;
        this.fill();
        continue;
      }
      if (!whole && this.at >= this.end) return null;
      this.number++;
      const line = latin1Slice(this.buffer, this.at, last);
      this.at = whole ? last + 1 : last;
      this.torn = !whole;
      return line;
    }
  }
  /** What `read` makes of the next line that is something to it; null at the end of the file. */
  read<T>(read: (line: string) => T | null): T | null {
    for (;;) {
      const line = this.next();
      if (line === null) return null;
      try {
        const made = read(line);
        if (made !== null) return made;
      } catch (error) {
        if (error instanceof TraceTextError) this.fail(error.message, error.column);
        throw error;
      }
    }
  }
  startsWith(text: string): boolean {
    if (this.end === 0 && !this.ended) this.fill();
    return latin1Slice(this.buffer, this.at, Math.min(this.end, this.at + text.length)) === text;
  }
  close(): void {
    closeSync(this.fd);
  }
  /** `column` from 0. */
  fail(message: string, column: number): never {
    throw new TraceFileError(`${this.path}:${Math.max(1, this.number)}:${column + 1}: ${message}`);
  }
  /** What is left moves to the beginning; a line longer than the buffer makes it grow. */
  private fill(): void {
    const left = this.end - this.at;
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
const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a directory' : message;
};
