/**
 * A recording: JSON lines, a header and then one event a line (`levitate-run --record`), ASCII throughout.
 *
 * Version 1 is fixed; what reads it (recording-reader.ts) takes whatever a killed writer left: whole lines, and perhaps a torn last one.
 */
import type { EventSink, RunHeader } from './events.js';
import { base64Slice } from './latin1.js';

export const VERSION = 1;

/** Lines are put together by hand: this runs for every call. Names of calls and signals need no quoting. */
export class RecordingWriter implements EventSink {
  private readonly write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.write = write;
  }

  start(header: RunHeader): void {
    const { arch, pageSize, argv, env, cwd, started } = header;
    this.write(`${ascii(JSON.stringify({ levitate: VERSION, arch, pageSize, argv, env, cwd, started }))}\n`);
  }
  call(tid: number, at: number, took: number, call: string, args: string, ret: string): void {
    this.write(
      `{"k":"call","tid":${tid},"at":${at},"took":${took},"call":"${call}","args":${quoted(args)},"ret":${quoted(ret)}}\n`,
    );
  }
  enter(tid: number, at: number, call: string, args: string): void {
    this.write(`{"k":"enter","tid":${tid},"at":${at},"call":"${call}","args":${quoted(args)}}\n`);
  }
  leave(tid: number, at: number, took: number, call: string, args: string, ret: string): void {
    this.write(
      `{"k":"leave","tid":${tid},"at":${at},"took":${took},"call":"${call}","args":${quoted(args)},"ret":${quoted(ret)}}\n`,
    );
  }
  signal(tid: number, at: number, signal: string, info: string): void {
    this.write(`{"k":"signal","tid":${tid},"at":${at},"signal":"${signal}","info":${JSON.stringify(info)}}\n`);
  }
  stop(tid: number, at: number, signal: string): void {
    this.write(`{"k":"stop","tid":${tid},"at":${at},"signal":"${signal}"}\n`);
  }
  exit(tid: number, at: number, status: number): void {
    this.write(`{"k":"exit","tid":${tid},"at":${at},"status":${status}}\n`);
  }
  task(tid: number, parent: number, at: number, thread: boolean): void {
    this.write(`{"k":"task","tid":${tid},"parent":${parent},"at":${at},"thread":${thread}}\n`);
  }
  wake(tid: number, by: number, at: number, on: string): void {
    const file = on === '' ? '' : `,"on":${ascii(JSON.stringify(on))}`;
    this.write(`{"k":"wake","tid":${tid},"by":${by},"at":${at}${file}}\n`);
  }
  moved(tid: number, at: number, fd: number, offset: number, data: Uint8Array): void {
    const text = base64Slice(data, 0, data.length);
    this.write(`{"k":"moved","tid":${tid},"at":${at},"fd":${fd},"offset":${offset},"data":"${text}"}\n`);
  }
  end(at: number): void {
    this.write(`{"k":"end","at":${at}}\n`);
  }
}

const LONG = 512;
const PACKED = 'b64"';
/** JSON of a text. What a packed buffer holds needs no look at each of its characters. */
function quoted(text: string): string {
  if (text.length < LONG) return JSON.stringify(text);
  const from = text.indexOf(PACKED) + PACKED.length;
  const to = text.indexOf('"', from);
  if (from < PACKED.length || to < from) return JSON.stringify(text);
  const packed = text.slice(from, to);
  if (packed.includes('\\')) return JSON.stringify(text);
  const head = JSON.stringify(text.slice(0, from)).slice(0, -1);
  return head + packed + JSON.stringify(text.slice(to)).slice(1);
}

/** Byte strings: whatever is not ASCII becomes an escape, in JSON text. */
export function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
