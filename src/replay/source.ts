/**
 * Where events come from: files read in pieces, whatever their size, and each call that was interrupted in the text joined with
 * its end where that is near, because a call cannot be made before its arguments are known.
 */
import { ScriptSource } from './script.js';
import { signalName } from '../abi/signals.js';
import { LineFile } from '../trace/line-file.js';
import { LineReader, resultAt, type Outcome, type TraceEvent, type Wanted } from '../trace/parse/line.js';
import { TraceTextError } from '../trace/parse/term.js';
import { RecordingReader, type RecordedEvent } from '../trace/recording-reader.js';

/** Events that are held while the end of a call is looked for. */
const WINDOW = 20_000;

/** A script's lines that say what there is; the others are nothing to whoever only wants to know that. */
class DirectiveFile extends LineFile {
  override next(): string | null {
    for (;;) {
      const line = super.next();
      if (line === null || line.startsWith('@')) return line;
    }
  }
}
export interface EventSource {
  next(): TraceEvent | null;
  close(): void;
}

/** What strace writes. */
export class StraceSource implements EventSource {
  private readonly file: LineFile;
  private readonly reader: LineReader;

  constructor(file: LineFile, wanted: Wanted | null = null) {
    this.file = file;
    this.reader = new LineReader(wanted);
  }
  next(): TraceEvent | null {
    return this.file.read(this.read);
  }
  private readonly read = (line: string): TraceEvent | null => this.reader.read(line);
  close(): void {
    this.file.close();
  }
}

/** What `levitate-run --record` writes, the texts as in strace's lines. */
export class RecordingSource implements EventSource {
  private readonly reader: RecordingReader;

  constructor(file: LineFile, wanted: Wanted | null = null) {
    this.reader = new RecordingReader(file, wanted);
  }
  get arch(): string {
    return this.reader.header.arch;
  }
  get cwd(): string {
    return this.reader.header.cwd;
  }
  get pageSize(): number {
    return this.reader.header.pageSize;
  }
  next(): TraceEvent | null {
    for (;;) {
      const recorded = this.reader.next();
      if (recorded === null) return null;
      const event = this.event(recorded);
      if (event !== null) return event;
    }
  }
  close(): void {
    this.reader.close();
  }
  /** Null for what a replay finds out by itself: who was made and woken. */
  private event(recorded: RecordedEvent) {
    const { k, tid: pid, at: time, took, call: name, args, ret, signal, info, status } = recorded;
    const { line } = this.reader;
    const column = 0;
    switch (k) {
      case 'call': {
        const outcome = this.outcome(ret, took);
        if (outcome.value === null && outcome.error === '')
          return { pid, time, line, kind: 'lost', name, args, column, resumed: false } as const;
        return { pid, time, line, kind: 'call', name, args, column, outcome } as const;
      }
      case 'leave': {
        const outcome = this.outcome(ret, took);
        if (outcome.value === null && outcome.error === '')
          return { pid, time, line, kind: 'lost', name, args, column, resumed: true } as const;
        return { pid, time, line, kind: 'resumed', name, args, column, outcome } as const;
      }
      case 'enter':
        return { pid, time, line, kind: 'unfinished', name, args, column } as const;
      case 'signal':
        return { pid, time, line, kind: 'signal', signal, info } as const;
      case 'stop':
        return { pid, time, line, kind: 'stopped', signal } as const;
      case 'moved': {
        const { fd = -1, offset = 0, data = '' } = recorded;
        return { pid, time, line, kind: 'moved', fd, offset, data: Buffer.from(data, 'base64') } as const;
      }
      case 'exit':
        if ((status & 0x7f) === 0) return { pid, time, line, kind: 'exited', status: (status >> 8) & 255 } as const;
        return {
          pid,
          time,
          line,
          kind: 'killed',
          signal: signalName(status & 0x7f),
          core: (status & 0x80) !== 0,
        } as const;
      default:
        return null;
    }
  }
  private outcome(text: string, took: number): Outcome {
    try {
      return resultAt(text, 0, took);
    } catch (error) {
      if (error instanceof TraceTextError) this.reader.fail(error.message, error.column);
      throw error;
    }
  }
}

/** The source that a file's name (scripts end in .strace) or first line asks for; `wanted`: of what tells of files. */
export function openSource(path: string, wanted: Wanted | null = null): StraceSource | RecordingSource | ScriptSource {
  const script = path.endsWith('.strace');
  const file = script && wanted !== null ? new DirectiveFile(path) : new LineFile(path);
  try {
    if (script) return new ScriptSource(file);
    return file.startsWith('{') ? new RecordingSource(file, wanted) : new StraceSource(file, wanted);
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
    if (this.head === this.queue.length) {
      if (this.ended) return null;
      const event = this.source.next();
      // Nothing waits for its end: nearly always.
      if (event?.kind === 'call') return event;
      if (!this.hold(event)) return null;
    }
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
    return !this.ended && this.hold(this.source.next());
  }
  private hold(event: TraceEvent | null): boolean {
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
