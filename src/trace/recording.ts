/**
 * A recording: JSON lines, a header and then one event a line (`levitate-run --record`), ASCII throughout.
 *
 * Version 1 is fixed; what reads it (recording-reader.ts) takes whatever a killed writer left: whole lines, and perhaps a torn last one.
 */
import type { EventSink, RunHeader, SameTexts } from './events.js';
import { base64Slice } from './latin1.js';
import { asciiJson, type TextSink } from './text-sink.js';

export const VERSION = 1;

/** Lines are put together by hand: this runs for every call. Names of calls and signals need no quoting. */
export class RecordingWriter implements EventSink {
  private readonly out: TextSink;

  constructor(out: TextSink) {
    this.out = out;
  }

  start(header: RunHeader): void {
    const { arch, pageSize, argv, env, cwd, started } = header;
    this.out.add(`${asciiJson({ levitate: VERSION, arch, pageSize, argv, env, cwd, started })}\n`);
  }
  call(
    tid: number,
    at: number,
    took: number,
    call: string,
    args: string,
    ret: string,
    same: SameTexts | null = null,
  ): void {
    if (same === null) {
      this.ended('{"k":"call","tid":', tid, at, took, call, args, ret);
      return;
    }
    this.begin('{"k":"call","tid":', tid, at, took);
    same.written ??= Buffer.from(`,"call":"${call}","args":${asciiJson(args)},"ret":${asciiJson(ret)}}\n`, 'latin1');
    this.out.bytes(same.written);
    this.out.end();
  }
  enter(tid: number, at: number, call: string, args: string): void {
    this.begin('{"k":"enter","tid":', tid, at);
    this.made(call, args);
    this.close();
  }
  leave(tid: number, at: number, took: number, call: string, args: string, ret: string): void {
    this.ended('{"k":"leave","tid":', tid, at, took, call, args, ret);
  }
  signal(tid: number, at: number, signal: string, info: string): void {
    this.out.add(`{"k":"signal","tid":${tid},"at":${at},"signal":"${signal}","info":${JSON.stringify(info)}}\n`);
  }
  stop(tid: number, at: number, signal: string): void {
    this.out.add(`{"k":"stop","tid":${tid},"at":${at},"signal":"${signal}"}\n`);
  }
  exit(tid: number, at: number, status: number): void {
    this.out.add(`{"k":"exit","tid":${tid},"at":${at},"status":${status}}\n`);
  }
  task(tid: number, parent: number, at: number, thread: boolean): void {
    this.out.add(`{"k":"task","tid":${tid},"parent":${parent},"at":${at},"thread":${thread}}\n`);
  }
  wake(tid: number, by: number, at: number, on: string): void {
    const file = on === '' ? '' : `,"on":${asciiJson(on)}`;
    this.out.add(`{"k":"wake","tid":${tid},"by":${by},"at":${at}${file}}\n`);
  }
  moved(tid: number, at: number, fd: number, offset: number, data: Uint8Array): void {
    const text = base64Slice(data, 0, data.length);
    this.out.add(`{"k":"moved","tid":${tid},"at":${at},"fd":${fd},"offset":${offset},"data":"${text}"}\n`);
  }
  end(at: number): void {
    this.out.add(`{"k":"end","at":${at}}\n`);
  }

  private begin(head: string, tid: number, at: number, took = -1): void {
    const { out } = this;
    out.put(head);
    out.number(tid);
    out.put(',"at":');
    out.number(at);
    if (took < 0) return;
    out.put(',"took":');
    out.number(took);
  }
  private made(call: string, args: string): void {
    const { out } = this;
    out.put(',"call":"');
    out.put(call);
    out.put('","args":');
    if (args.length < LONG) out.json(args);
    else this.long(args);
  }
  private ended(head: string, tid: number, at: number, took: number, call: string, args: string, ret: string): void {
    const { out } = this;
    this.begin(head, tid, at, took);
    this.made(call, args);
    out.put(',"ret":');
    out.json(ret);
    this.close();
  }
  private close(): void {
    this.out.put('}\n');
    this.out.end();
  }
  /** What a packed buffer holds needs no look at each of its characters. */
  private long(args: string): void {
    const from = args.indexOf(PACKED) + PACKED.length;
    const to = args.indexOf('"', from);
    const packed = from < PACKED.length || to < from ? '\\' : args.slice(from, to);
    if (packed.includes('\\')) {
      this.out.json(args);
      return;
    }
    this.out.put(asciiJson(args.slice(0, from)).slice(0, -1));
    this.out.put(packed);
    this.out.put(asciiJson(args.slice(to)).slice(1));
  }
}

const LONG = 512;
const PACKED = 'b64"';
