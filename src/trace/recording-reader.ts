/**
 * Reads a recording event by event, in constant memory whatever its size.
 *
 * Every line is checked, and what is wrong is told with file, line and column. Only a last line without its newline may be
 * broken: that is where a killed writer stopped.
 */
import { PAGE_SIZES } from '../platform/platform.js';
import type { EventSink, RunHeader } from './events.js';
import { LineFile } from './line-file.js';
import type { Wanted } from './parse/line.js';
import { VERSION } from './recording.js';

/** One line. Fields that its kind does not have say nothing. */
export interface RecordedEvent {
  readonly k: string;
  readonly tid: number;
  readonly at: number;
  readonly took: number;
  readonly call: string;
  readonly args: string;
  readonly ret: string;
  readonly signal: string;
  readonly info: string;
  readonly status: number;
  readonly parent: number;
  readonly by: number;
  readonly on?: unknown;
  readonly thread: boolean;
  readonly fd?: number;
  readonly offset?: number;
  /** base64 */
  readonly data?: string;
}

/** Fields of each kind, with their types. */
const FIELDS: Readonly<
  Record<string, Readonly<Partial<Record<keyof RecordedEvent, 'number' | 'string' | 'boolean'>>>>
> = {
  call: { tid: 'number', at: 'number', took: 'number', call: 'string', args: 'string', ret: 'string' },
  enter: { tid: 'number', at: 'number', call: 'string', args: 'string' },
  leave: { tid: 'number', at: 'number', took: 'number', call: 'string', args: 'string', ret: 'string' },
  signal: { tid: 'number', at: 'number', signal: 'string', info: 'string' },
  stop: { tid: 'number', at: 'number', signal: 'string' },
  exit: { tid: 'number', at: 'number', status: 'number' },
  task: { tid: 'number', parent: 'number', at: 'number', thread: 'boolean' },
  wake: { tid: 'number', by: 'number', at: 'number' },
  moved: { tid: 'number', at: 'number', fd: 'number', offset: 'number', data: 'string' },
  end: { at: 'number' },
};
const CHECKS = new Map(Object.entries(FIELDS).map(([kind, fields]) => [kind, Object.entries(fields)]));

/** What the end of a recording looked like. */
export interface RecordingEnd {
  /** The last line was broken off, and left out. */
  readonly torn: boolean;
  /** The run came to its end: there is an `end` event. */
  readonly complete: boolean;
  readonly events: number;
  /** Time of the last event. */
  readonly lastAt: number;
}

/** The events of one file, one after the other. */
export class RecordingReader {
  readonly header: RunHeader;
  /** The last line was broken off, and left out. */
  torn = false;
  private readonly file: LineFile;
  private readonly scanner: CallScanner;

  /** `wanted`: calls that it does not name come as events of no kind. */
  constructor(file: LineFile, wanted: Wanted | null = null) {
    this.file = file;
    this.scanner = new CallScanner(wanted);
    const line = file.next();
    if (line === null) file.fail('the file is empty', 0);
    this.header = headerOf(this.parse(line, 'not a recording of levitate-run --record'), file);
  }
  /** Of the event given last. */
  get line(): number {
    return this.file.number;
  }
  next(): RecordedEvent | null {
    const line = this.file.next();
    if (line === null) return null;
    const call = this.scanner.scan(line);
    if (call !== null) return call;
    if (this.file.torn && !isJson(line)) {
      this.torn = true;
      return null;
    }
    return eventOf(this.parse(line, 'not JSON'), this.file);
  }
  fail(message: string, column: number): never {
    this.file.fail(message, column);
  }
  close(): void {
    this.file.close();
  }
  private parse(line: string, otherwise: string): unknown {
    try {
      return JSON.parse(line);
    } catch (error) {
      this.file.fail(otherwise, columnOf(error, line));
    }
  }
}

/** Tells `sink` every event of the file. Throws TraceFileError. */
export function readRecording(path: string, sink: EventSink, lineLimit?: number): RecordingEnd {
  const file = new LineFile(path, lineLimit);
  try {
    const reader = new RecordingReader(file);
    sink.start(reader.header);
    let events = 0;
    let complete = false;
    let lastAt = 0;
    for (let event = reader.next(); event !== null; event = reader.next()) {
      events++;
      complete = event.k === 'end';
      if (event.at > lastAt) lastAt = event.at;
      tell(sink, event);
    }
    return { torn: reader.torn, complete, events, lastAt };
  } finally {
    file.close();
  }
}

/**
 * Reads calls in exactly the form that RecordingWriter gives them, which nearly all lines are, at a third of the cost of JSON.parse;
 * anything else is null, and for those who check.
 */
class CallScanner {
  private readonly wanted: Wanted | null;
  private at = 0;

  constructor(wanted: Wanted | null) {
    this.wanted = wanted;
  }
  scan(line: string): RecordedEvent | null {
    if (!line.endsWith('"}')) return null;
    let k: 'call' | 'enter' | 'leave';
    if (line.startsWith(CALL)) k = 'call';
    else if (line.startsWith(LEAVE)) k = 'leave';
    else if (line.startsWith(ENTER)) k = 'enter';
    else return null;
    this.at = k === 'call' ? CALL.length : ENTER.length;
    const tid = this.number(line);
    if (!this.skip(line, ',"at":')) return null;
    const at = this.number(line);
    let took = 0;
    if (k !== 'enter') {
      if (!this.skip(line, ',"took":')) return null;
      took = this.number(line);
    }
    if (!this.skip(line, ',"call":"')) return null;
    const named = line.indexOf('"', this.at);
    const call = line.slice(this.at, named);
    this.at = named;
    if (!this.skip(line, '","args":"') || tid < 0 || at < 0 || took < 0) return null;
    if (this.wanted !== null && !this.wanted(tid, call, line, k === 'call' ? this.at : -1)) return UNWANTED;
    // Quotes in strings are behind a backslash, so this is the end of the arguments or no JSON.
    const end = k === 'enter' ? line.length - 2 : line.indexOf('","ret":"', this.at);
    if (end < 0 || call.includes('\\')) return null;
    const args = unquoted(line, this.at, end);
    const ret = k === 'enter' ? '' : unquoted(line, end + 9, line.length - 2);
    if (args === null || ret === null) return null;
    return callEvent(k, tid, at, took, call, args, ret);
  }
  /** -1 for anything but up to 15 digits. */
  private number(line: string): number {
    const from = this.at;
    let value = 0;
    for (;;) {
      const digit = line.charCodeAt(this.at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      this.at++;
    }
    const length = this.at - from;
    return length > 0 && length <= 15 && (length === 1 || line.charCodeAt(from) !== 48) ? value : -1;
  }
  private skip(line: string, text: string): boolean {
    const there = line.startsWith(text, this.at);
    this.at += text.length;
    return there;
  }
}
const CALL = '{"k":"call","tid":';
const ENTER = '{"k":"enter","tid":';
const LEAVE = '{"k":"leave","tid":';
/** Written out: spreading objects costs more than all the rest. */
function callEvent(
  k: string,
  tid: number,
  at: number,
  took: number,
  call: string,
  args: string,
  ret: string,
): RecordedEvent {
  return { k, tid, at, took, call, args, ret, signal: '', info: '', status: 0, parent: 0, by: 0, thread: false };
}
const UNWANTED = callEvent('', 0, 0, 0, '', '', '');
/** What JSON allows in a string, and no quote. */
const PLAIN = /^[^"\\\0-\x1f]*$/;

/** The JSON string between two quotes; null if it is none. */
function unquoted(line: string, from: number, to: number): string | null {
  const raw = line.slice(from, to);
  if (PLAIN.test(raw)) return raw;
  try {
    return JSON.parse(line.slice(from - 1, to + 1)) as string;
  } catch {
    return null;
  }
}
function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

/** Where JSON.parse gave up, from 0. V8 does not always say: then it is what is no token, or the end. */
function columnOf(error: unknown, text: string): number {
  const position = /position (\d+)/.exec(String(error));
  if (position !== null) return Number(position[1]);
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < text.length && TOKEN.test(text)) at = TOKEN.lastIndex;
  return at;
}
const TOKEN = /\s+|[{}[\],:]|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

function headerOf(value: unknown, file: LineFile): RunHeader {
  if (!isObject(value) || value['levitate'] === undefined) file.fail('not a recording of levitate-run --record', 0);
  if (value['levitate'] !== VERSION) {
    const found = JSON.stringify(value['levitate']);
    file.fail(`a recording of version ${found}; this program reads version ${VERSION}`, 0);
  }
  // Without pageSize: levitate 0.1 before it knew others.
  const { arch, pageSize = 4096, argv, env, cwd, started } = value;
  if (typeof arch !== 'string' || !isStrings(argv) || !isStrings(env) || typeof cwd !== 'string')
    file.fail('the header lacks arch, argv, env or cwd', 0);
  if (typeof pageSize !== 'number' || !PAGE_SIZES.includes(pageSize))
    file.fail(`pages of ${JSON.stringify(pageSize)} bytes`, 0);
  return { arch, pageSize, argv, env, cwd, started: typeof started === 'string' ? started : '0' };
}

function eventOf(value: unknown, file: LineFile): RecordedEvent {
  if (!isObject(value)) file.fail('not an event', 0);
  const event = value as unknown as RecordedEvent;
  const fields = CHECKS.get(event.k);
  if (fields === undefined) file.fail(`an event of unknown kind ${JSON.stringify(event.k)}`, 0);
  for (const [name, type] of fields)
    if (typeof value[name] !== type) file.fail(`${event.k} without its ${name}, which is a ${type}`, 0);
  return event;
}

function tell(sink: EventSink, event: RecordedEvent): void {
  const { tid, at, took, call, args, ret } = event;
  switch (event.k) {
    case 'call':
      return sink.call(tid, at, took, call, args, ret);
    case 'enter':
      return sink.enter(tid, at, call, args);
    case 'leave':
      return sink.leave(tid, at, took, call, args, ret);
    case 'signal':
      return sink.signal(tid, at, event.signal, event.info);
    case 'stop':
      return sink.stop(tid, at, event.signal);
    case 'exit':
      return sink.exit(tid, at, event.status);
    case 'task':
      return sink.task(tid, event.parent, at, event.thread);
    case 'wake':
      return sink.wake(tid, event.by, at, typeof event.on === 'string' ? event.on : '');
    case 'moved':
      return sink.moved?.(tid, at, event.fd ?? -1, event.offset ?? 0, Buffer.from(event.data ?? '', 'base64'));
    default:
      return sink.end(at);
  }
}
