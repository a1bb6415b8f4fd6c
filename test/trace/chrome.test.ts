/** Trace events of a run that is told, not made: tracks, slices, arrows, names. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ChromeWriter } from '../../src/trace/chrome.js';
import type { EventSink } from '../../src/trace/events.js';
import { gathered } from './gathered.js';
import { checkedEvents, type TraceEvent } from './chrome-rules.js';

const HEADER = { arch: 'x86_64', pageSize: 4096, argv: ['/bin/sh'], env: [], cwd: '/', started: '0' };
function events(play: (sink: EventSink) => void): TraceEvent[] {
  const text = gathered((out) => {
    const writer = new ChromeWriter(out);
    writer.start(HEADER);
    play(writer);
  });
  return checkedEvents(text);
}
const slices = (all: readonly TraceEvent[]): string[] =>
  all.flatMap(({ ph, tid, name, ts, dur }) => (ph === 'X' ? [`${tid} ${name} ${ts}+${dur}`] : []));

describe('a told run', () => {
  test('a call is a slice with its arguments and its result', () => {
    const all = events((sink) => {
      sink.call(1, 1500, 250, 'read', '3, "a\\n", 10', '= 2');
      sink.end(2000);
    });
    const [call] = all.filter(({ ph }) => ph === 'X');
    expect(call).toMatchObject({ name: 'read', cat: 'syscall', pid: 1, tid: 1, ts: 1.5, dur: 0.25 });
    expect(call.args).toEqual({ args: '3, "a\\n", 10', result: '= 2' });
  });

  test('a sleep is a slice inside the call, and an arrow comes from who ended it', () => {
    const all = events((sink) => {
      sink.task(2, 1, 1000, false);
      sink.enter(1, 2000, 'read', '3, ');
      sink.call(2, 5000, 1000, 'write', '4, "x", 1', '= 1');
      sink.wake(1, 2, 5500, 'pipe:[9]');
      sink.leave(1, 7000, 5000, 'read', '"x", 1', '= 1');
      sink.end(9000);
    });
    expect(slices(all)).toEqual(['2 write 5+1', '1 read 2+5', '1 blocked on pipe read 2+3.5']);
    const arrow = all.filter(({ cat }) => cat === 'wake').map(({ ph, tid, ts }) => [ph, tid, ts]);
    expect(arrow).toEqual([
      ['s', 2, 5.5],
      ['f', 1, 5.5],
    ]);
    expect(all.find(({ name }) => name === 'read')?.args['args']).toBe('3, "x", 1');
  });

  test('a child that ends wakes its parent: the arrow begins in its last slice', () => {
    const all = events((sink) => {
      sink.task(2, 1, 1000, false);
      sink.enter(1, 1500, 'wait4', '-1, ');
      sink.enter(2, 2000, 'exit_group', '3');
      sink.exit(2, 2500, 768);
      sink.wake(1, 2, 2600, '');
      sink.leave(1, 3000, 1500, 'wait4', 'NULL, 0, NULL', '= 2');
      sink.end(4000);
    });
    expect(slices(all)).toEqual(['2 exit_group 2+0.5', '1 wait4 1.5+1.5', '1 blocked on wait4 (a child) 1.5+1.1']);
    expect(all.filter(({ ph }) => ph === 'i').map(({ name }) => name)).toEqual(['exit 3']);
  });

  test('threads are in their process; exec, prctl and fork name tracks', () => {
    const all = events((sink) => {
      sink.task(2, 1, 100, true);
      sink.task(3, 2, 200, false);
      sink.call(3, 300, 10, 'execve', '"/bin/busybox", ["ls", "-l"], 0x7f /* 3 vars */', '= 0');
      sink.call(3, 350, 10, 'execve', '"/bin/nothing", ["x"], 0x7f', '= -1 ENOENT (No such file or directory)');
      sink.call(2, 400, 10, 'prctl', 'PR_SET_NAME, "worker"', '= 0');
      sink.call(3, 500, 10, 'execveat', 'AT_FDCWD, "/bin/cat", [], NULL, 0', '= 0');
      sink.end(600);
    });
    expect(all.filter(({ tid }) => tid === 2).every(({ pid }) => pid === 1)).toBe(true);
    const names = all.filter(({ ph }) => ph === 'M').map((e) => `${e.name} ${e.pid}/${e.tid} ${e.args['name']}`);
    expect(names).toEqual([
      'process_name 1/1 sh',
      'thread_name 1/1 sh',
      'thread_name 1/2 sh',
      'process_name 3/3 sh',
      'thread_name 3/3 sh',
      'process_name 3/3 ls',
      'thread_name 3/3 ls',
      'thread_name 1/2 worker',
      'process_name 3/3 cat',
      'thread_name 3/3 cat',
    ]);
  });

  test('signals and deaths are instants; who sleeps to the end is blocked to the end', () => {
    const all = events((sink) => {
      sink.enter(1, 1000, 'pause', '');
      sink.signal(2, 1500, 'SIGTERM', '{si_signo=SIGTERM}');
      sink.exit(2, 1600, 15);
      sink.stop(3, 1700, 'SIGSTOP');
      sink.end(3000);
    });
    expect(slices(all)).toEqual(['1 pause 1+2', '1 blocked on a signal 1+2']);
    expect(all.filter(({ ph }) => ph === 'i').map(({ name }) => name)).toEqual([
      'SIGTERM',
      'killed by signal 15',
      'stopped by SIGSTOP',
    ]);
  });

  test('nothing at all is a file, too', () => {
    expect(JSON.parse(gathered((out) => new ChromeWriter(out).end(0)))).toEqual([]);
  });
});

test('whatever is told, slices nest and arrows have both ends', () => {
  const step = fc.record({
    kind: fc.constantFrom('call', 'enter', 'leave', 'wake', 'exit', 'signal', 'task'),
    tid: fc.integer({ min: 1, max: 4 }),
    other: fc.integer({ min: 0, max: 4 }),
    later: fc.integer({ min: 1, max: 3000 }),
    took: fc.integer({ min: 0, max: 5000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const made = new Set([1]);
      const inside = new Map<number, number>();
      events((sink) => {
        let at = 10_000;
        for (const { kind, tid, other, later, took } of steps) {
          at += later;
          const since = inside.get(tid);
          if (!made.has(tid)) {
            if (kind !== 'task' || !made.has(other)) continue;
            sink.task(tid, other, at, false);
            made.add(tid);
          } else if (kind === 'signal') sink.signal(tid, at, 'SIGHUP', '{}');
          else if (kind === 'exit') {
            sink.exit(tid, at, 0);
            inside.delete(tid);
          } else if (since === undefined) {
            if (kind === 'call') sink.call(tid, at - Math.min(took, later), Math.min(took, later), 'read', '', '= 0');
            if (kind !== 'enter') continue;
            sink.enter(tid, at, 'read', '3, ');
            inside.set(tid, at);
          } else if (kind === 'wake') sink.wake(tid, other, at - (took % (at - since || 1)), '');
          else if (kind === 'leave') {
            sink.leave(tid, at, at - since, 'read', '', '= 0');
            inside.delete(tid);
          }
        }
        sink.end(at + 1);
      });
    }),
    { numRuns: 200 },
  );
});
