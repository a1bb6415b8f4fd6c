/** Recordings: what is written is read again, and whatever else a file may hold is refused with its place. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, openSync, closeSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { EventSink, RunHeader } from '../../src/trace/events.js';
import { gathered } from './gathered.js';
import { TraceFileError } from '../../src/trace/line-file.js';
import { readRecording } from '../../src/trace/recording-reader.js';
import { parseArguments } from '../../src/trace/parse/term.js';
import { RecordingWriter } from '../../src/trace/recording.js';
import { packed } from '../../src/trace/text.js';

let folder = '';
const file = (): string => join(folder, 'recording');
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'levitate-recording-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes in use once everything else is collected: what V8 has not collected yet says nothing. */
const collect = (setFlagsFromString('--expose-gc'), runInNewContext('gc') as () => void);
function held(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Every event as a list: its kind, then its values. */
function listing(): { sink: EventSink; events: unknown[][] } {
  const events: unknown[][] = [];
  const kinds = ['start', 'call', 'enter', 'leave', 'signal', 'stop', 'exit', 'task', 'wake', 'moved', 'end'];
  const sink = Object.fromEntries(
    kinds.map((kind) => [kind, (...values: unknown[]) => void events.push([kind, ...values])]),
  );
  return { sink: sink as unknown as EventSink, events };
}
function read(text: string | Uint8Array, limit?: number) {
  writeFileSync(file(), text);
  const { sink, events } = listing();
  return { end: readRecording(file(), sink, limit), events };
}

const HEADER: RunHeader = {
  arch: 'x86_64',
  pageSize: 4096,
  argv: ['sh', 'caf\xe9\n'],
  env: ['A=1'],
  cwd: '/',
  started: '17',
};
function play(sink: EventSink): void {
  sink.start(HEADER);
  sink.call(1, 10, 5, 'read', '3, "a\\n\\"b", 4096', '= 4');
  sink.enter(1, 20, 'wait4', '-1, ');
  sink.task(2, 1, 21, false);
  sink.signal(2, 22, 'SIGCHLD', '{si_signo=SIGCHLD}');
  sink.stop(2, 23, 'SIGSTOP');
  sink.exit(2, 24, 256);
  sink.wake(1, 2, 24, '');
  sink.wake(1, 0, 25, 'pipe:[1]');
  sink.leave(1, 26, 6, 'wait4', 'NULL, 0, NULL', '= 2');
  sink.moved!(1, 26, 3, 4096, Buffer.from([0, 255, 34, 92]));
  sink.end(27);
}
function written(): string {
  return gathered((out) => play(new RecordingWriter(out)));
}

describe('reading what was written', () => {
  test('every event comes back', () => {
    const { sink, events } = listing();
    play(sink);
    const found = read(written());
    expect(found.events).toEqual(events);
    expect(found.end).toEqual({ torn: false, complete: true, events: 11, lastAt: 27 });
  });

  test('the text is ASCII, a line an event, in the fixed form', () => {
    const text = written();
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(text.split('\n').slice(0, 3)).toEqual([
      '{"levitate":1,"arch":"x86_64","pageSize":4096,"argv":["sh","caf\\u00e9\\n"],"env":["A=1"],"cwd":"/","started":"17"}',
      '{"k":"call","tid":1,"at":10,"took":5,"call":"read","args":"3, \\"a\\\\n\\\\\\"b\\", 4096","ret":"= 4"}',
      '{"k":"enter","tid":1,"at":20,"call":"wait4","args":"-1, "}',
    ]);
  });

  test('any strings', () => {
    const char = fc.oneof(
      fc.integer({ min: 32, max: 126 }).map((c) => String.fromCharCode(c)),
      fc.constantFrom('b64"', '"', '\\', 'A'.repeat(300)),
    );
    const strings = fc.string({ unit: char });
    fc.assert(
      fc.property(strings, strings, (args, ret) => {
        const text = gathered((out) => {
          const writer = new RecordingWriter(out);
          writer.start(HEADER);
          writer.call(1, 2, 3, 'read', args, ret);
        });
        expect(read(text).events[1]).toEqual(['call', 1, 2, 3, 'read', args, ret]);
        const again = gathered((out) => {
          const writer = new RecordingWriter(out);
          const same = { written: null };
          for (let i = 1; i < 3; i++) writer.call(i, 2 * i, 3e10, 'read', args, ret, same);
        });
        expect(read(text + again).events.slice(2)).toEqual([
          ['call', 1, 2, 3e10, 'read', args, ret],
          ['call', 2, 4, 3e10, 'read', args, ret],
        ]);
      }),
      { numRuns: 200 },
    );
  });

  test('buffers, text or not, are read as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom('', 'text '.repeat(30)), (bytes, before) => {
        const buffer = Buffer.concat([Buffer.from(before), bytes]);
        const [term, next] = parseArguments(`${packed(buffer)}, 7`);
        expect(Buffer.from(term.text, 'latin1').equals(buffer)).toBe(true);
        expect(next.text).toBe('7');
      }),
    );
    expect(packed(Buffer.from('words\n'.repeat(50)))).toMatch(/^"words/);
    expect(packed(Buffer.alloc(100))).toBe(`b64"${Buffer.alloc(100).toString('base64')}"`);
    for (const text of ['b64"AAEC', 'b64"A*"']) expect(() => parseArguments(text)).toThrow();
  });

  test('a writer killed at any byte leaves whole events', () => {
    const text = written();
    const whole = read(text).events;
    const header = text.indexOf('\n');
    for (let length = header; length < text.length; length++) {
      const found = read(text.slice(0, length));
      const lines = text.slice(0, length).split('\n').length - 1;
      // A last line that only lacks its newline is an event, too.
      expect([lines, lines + 1]).toContain(found.events.length);
      expect(found.events).toEqual(whole.slice(0, found.events.length));
      expect(found.end.complete).toBe(length === text.length - 1);
    }
  });

  test('lines longer than a piece of the file, in memory that does not grow with the file', () => {
    const writer = openSync(file(), 'w');
    const line = `{"k":"call","tid":1,"at":1,"took":1,"call":"write","args":"${'x'.repeat(3_000_000)}","ret":"= 1"}\n`;
    writeSync(writer, `${JSON.stringify({ levitate: 1, ...HEADER })}\n`);
    for (let i = 0; i < 60; i++) writeSync(writer, line);
    closeSync(writer);
    const before = held();
    let calls = 0;
    let most = 0;
    const { sink } = listing();
    readRecording(file(), {
      ...sink,
      call: (_tid, _at, _took, _call, args) => {
        calls += args.length;
        if (calls % 30_000_000 === 0) most = Math.max(most, held());
      },
    });
    expect(calls).toBe(180_000_000);
    expect(most - before).toBeLessThan(30e6);
  });
});

describe('what is no recording', () => {
  const header = `${JSON.stringify({ levitate: 1, ...HEADER })}\n`;
  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', ':1:1: the file is empty'],
    ['text', 'hello\nworld\n', ':1:1: not a recording of levitate-run --record'],
    ['binary garbage', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 255, 10, 0]), ':1:1: not a recording'],
    ['other JSON', '{"traceEvents":[]}\n', ':1:1: not a recording of levitate-run --record'],
    ['a list', '[1]\n', ':1:1: not a recording of levitate-run --record'],
    ['another version', '{"levitate":2}\n', ':1:1: a recording of version 2; this program reads version 1'],
    ['a broken header', '{"levitate":1}\n', ':1:1: the header lacks arch, argv, env or cwd'],
    [
      'odd pages',
      '{"levitate":1,"arch":"x86_64","pageSize":4095,"argv":[],"env":[],"cwd":"/"}\n',
      ':1:1: pages of 4095 bytes',
    ],
    ['half a header', header.slice(0, 20), ':1:'],
    ['a broken line', `${header}{"k":"end","at":1}\n{"k":"end",at:1}\n{"k":"end","at":1}\n`, ':3:12: not JSON'],
    ['garbage inside', `${header}\0\0\0\n{"k":"end","at":1}\n`, ':2:1: not JSON'],
    ['an unknown kind', `${header}{"k":"call2"}\n`, ':2:1: an event of unknown kind "call2"'],
    ['a kind of objects', `${header}{"k":"toString"}\n`, ':2:1: an event of unknown kind "toString"'],
    ['no kind', `${header}{}\n`, ':2:1: an event of unknown kind undefined'],
    ['a number', `${header}7\n`, ':2:1: not an event'],
    ['a lacking field', `${header}{"k":"exit","tid":1,"at":2}\n`, ':2:1: exit without its status, which is a number'],
    ['a field of another type', `${header}{"k":"end","at":"1"}\n`, ':2:1: end without its at, which is a number'],
  ])('%s', (_what, text, message) => {
    expect(() => read(text)).toThrow(TraceFileError);
    expect(() => read(text)).toThrow(`recording${message}`);
  });

  test('a line without end', () => {
    expect(() => read(`${header}${'x'.repeat(5000)}`, 1000)).toThrow(':2:1001: a line of more than 1000 bytes');
    expect(() => read(`${header}${'x'.repeat(3 << 20)}`, 2 << 20)).toThrow(':2:2097153: a line of more than');
  });

  test('random bytes are refused, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, headed) => {
        try {
          read(headed ? Buffer.concat([Buffer.from(header), bytes]) : bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(TraceFileError);
        }
      }),
      { numRuns: 200 },
    );
  });
});
