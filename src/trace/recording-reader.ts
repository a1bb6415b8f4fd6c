/**
 * Reads a recording event by event, in constant memory whatever its size.
 *
 * A file comes from anywhere: every line is checked, and what is wrong is told with file, line and column. Only a last line
 * without its newline may be broken: that is where a killed writer stopped.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { EventSink, RunHeader } from './events.js';
import { VERSION } from './recording.js';

export class RecordingError extends Error {
  override readonly name = 'RecordingError';
  constructor(file: string, line: number, column: number, message: string) {
    super(`${file}:${line}:${column}: ${message}`);
  }
}

const PIECE = 1 << 20;
/** One call has written this much at most; V8 has no strings of more than twice as much. */
const LINE_LIMIT = 1 << 28;
const NEWLINE = 10;

interface Event {
  k: string;
  tid: number;
  at: number;
  took: number;
  call: string;
  args: string;
  ret: string;
  signal: string;
  info: string;
  status: number;
  parent: number;
  by: number;
  on?: unknown;
  thread: boolean;
}

/** Fields of each kind, with their types. */
const FIELDS: Readonly<Record<string, Readonly<Partial<Record<keyof Event, 'number' | 'string' | 'boolean'>>>>> = {
  call: { tid: 'number', at: 'number', took: 'number', call: 'string', args: 'string', ret: 'string' },
  enter: { tid: 'number', at: 'number', call: 'string', args: 'string' },
  leave: { tid: 'number', at: 'number', took: 'number', call: 'string', args: 'string', ret: 'string' },
  signal: { tid: 'number', at: 'number', signal: 'string', info: 'string' },
  stop: { tid: 'number', at: 'number', signal: 'string' },
  exit: { tid: 'number', at: 'number', status: 'number' },
  task: { tid: 'number', parent: 'number', at: 'number', thread: 'boolean' },
  wake: { tid: 'number', by: 'number', at: 'number' },
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

/** Tells `sink` every event of the file. Throws RecordingError, or Node's error if the file cannot be read. */
export function readRecording(file: string, sink: EventSink, lineLimit = LINE_LIMIT): RecordingEnd {
  let number = 0;
  let complete = false;
  let torn = false;
  let lastAt = 0;
  for (const { text, whole } of lines(file, lineLimit)) {
    number++;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (number > 1 && !whole) {
        torn = true;
        break;
      }
      const message = number === 1 ? 'not a recording of levitate-run --record' : 'not JSON';
      throw new RecordingError(file, number, columnOf(error, text), message);
    }
    if (number === 1) sink.start(headerOf(value, file));
    else {
      const event = eventOf(value, file, number);
      complete = event.k === 'end';
      if (event.at > lastAt) lastAt = event.at;
      tell(sink, event);
    }
  }
  if (number === 0) throw new RecordingError(file, 1, 1, 'the file is empty');
  return { torn, complete, events: number - (torn ? 2 : 1), lastAt };
}

function* lines(file: string, limit: number): Generator<{ text: string; whole: boolean }> {
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(PIECE);
    let begun: Buffer[] = [];
    let length = 0;
    let number = 1;
    for (;;) {
      const size = readSync(fd, buffer, 0, PIECE, null);
      if (size === 0) break;
      let from = 0;
      for (;;) {
        const end = buffer.subarray(0, size).indexOf(NEWLINE, from);
        const part = end < 0 ? size : end;
        length += part - from;
        if (length > limit) throw new RecordingError(file, number, limit + 1, `a line of more than ${limit} bytes`);
        if (end < 0) break;
        let text = buffer.toString('latin1', from, end);
        if (begun.length > 0) {
          text = Buffer.concat(begun).toString('latin1') + text;
          begun = [];
        }
        yield { text, whole: true };
        number++;
        length = 0;
        from = end + 1;
      }
      if (from < size) begun.push(Buffer.from(buffer.subarray(from, size)));
    }
    if (begun.length > 0) yield { text: Buffer.concat(begun).toString('latin1'), whole: false };
  } finally {
    closeSync(fd);
  }
}

/** Where JSON.parse gave up, from 1. V8 does not always say: then it is what is no token, or the end. */
function columnOf(error: unknown, text: string): number {
  const position = /position (\d+)/.exec(String(error));
  if (position !== null) return Number(position[1]) + 1;
  TOKEN.lastIndex = 0;
  let at = 0;
  while (at < text.length && TOKEN.test(text)) at = TOKEN.lastIndex;
  return at + 1;
}
const TOKEN = /\s+|[{}[\],:]|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

function headerOf(value: unknown, file: string): RunHeader {
  if (!isObject(value) || value['levitate'] === undefined)
    throw new RecordingError(file, 1, 1, 'not a recording of levitate-run --record');
  if (value['levitate'] !== VERSION) {
    const found = JSON.stringify(value['levitate']);
    throw new RecordingError(file, 1, 1, `a recording of version ${found}; this program reads version ${VERSION}`);
  }
  const { arch, argv, env, cwd, started } = value;
  if (typeof arch !== 'string' || !isStrings(argv) || !isStrings(env) || typeof cwd !== 'string')
    throw new RecordingError(file, 1, 1, 'the header lacks arch, argv, env or cwd');
  return { arch, argv, env, cwd, started: typeof started === 'string' ? started : '0' };
}

function eventOf(value: unknown, file: string, line: number): Event {
  if (!isObject(value)) throw new RecordingError(file, line, 1, 'not an event');
  const event = value as unknown as Event;
  const fields = CHECKS.get(event.k);
  if (fields === undefined)
    throw new RecordingError(file, line, 1, `an event of unknown kind ${JSON.stringify(event.k)}`);
  for (const [name, type] of fields)
    if (typeof value[name] !== type)
      throw new RecordingError(file, line, 1, `${event.k} without its ${name}, which is a ${type}`);
  return event;
}

function tell(sink: EventSink, event: Event): void {
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
    default:
      return sink.end(at);
  }
}
