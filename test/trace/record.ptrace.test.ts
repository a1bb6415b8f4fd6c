/** --record, --trace-events and levitate-trace with real programs. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventSink } from '../../src/trace/events.js';
import { readRecording, type RecordingEnd } from '../../src/trace/recording-reader.js';
import { checked, compile, levitate, LEVITATE, Run, scratch, sh } from '../e2e/leaks.js';
import { checkedEvents } from './chrome-rules.js';
import { replay } from '../../src/replay/replay.js';
import { parseArguments } from '../../src/trace/parse/term.js';
import { available } from './golden.js';

checked();
const compiled = available('musl-gcc') ? test : test.skip;
const TRACE = join(import.meta.dirname, '../../dist/bin/levitate-trace.cjs');

interface Recorded {
  tid: number;
  call: string;
  args: string;
  /** '' for a call that never left. */
  ret: string;
}
interface Recording {
  end: RecordingEnd;
  calls: Recorded[];
  /** Everything else, as text. */
  others: string[];
}

function recorded(file: string): Recording {
  const calls: Recorded[] = [];
  const others: string[] = [];
  const open = new Map<number, Recorded>();
  const sink: EventSink = {
    start: ({ arch, argv, cwd }) => others.push(`start ${arch} ${argv.join(' ')} ${cwd}`),
    call: (tid, _at, _took, call, args, ret) => calls.push({ tid, call, args, ret }),
    enter(tid, _at, call, args) {
      expect(open.has(tid)).toBe(false);
      const entered = { tid, call, args, ret: '' };
      open.set(tid, entered);
      calls.push(entered);
    },
    leave(tid, _at, took, call, args, ret) {
      const entered = open.get(tid)!;
      expect([entered.call, took >= 0]).toEqual([call, true]);
      entered.args += args;
      entered.ret = ret;
      open.delete(tid);
    },
    signal: (tid, _at, signal) => others.push(`signal ${tid} ${signal}`),
    stop: (tid, _at, signal) => others.push(`stop ${tid} ${signal}`),
    exit(tid, _at, status) {
      open.delete(tid);
      others.push(`exit ${tid} ${status}`);
    },
    task: (tid, parent, _at, thread) => others.push(`task ${tid} ${parent} ${thread}`),
    wake: (tid, by, _at, on) => others.push(`wake ${tid} ${by} ${on.replace(/\d+/, 'N')}`),
    moved: (tid, _at, fd, offset, data) => others.push(`moved ${tid} ${fd} ${offset} ${data.length}`),
    end: () => others.push('end'),
  };
  return { end: readRecording(file, sink), calls, others };
}

/** Names and the beginnings of results of one task's calls in a strace text. */
function traced(file: string, tid: number): string[] {
  return readFileSync(file, 'latin1')
    .split('\n')
    .flatMap((line) => {
      const [, by, resumed, called, ret] =
        /^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\().*?\) += (-?\w+|\?)/.exec(line) ?? [];
      return Number(by) === tid ? [`${resumed ?? called} ${ret}`] : [];
    });
}

/** The reader waits for the writer; who gets which number is a matter of timing. */
const SCRIPT = '(sleep 0.1; echo hello) | tr a-z A-Z; (exit 3); cat /etc/passwd > /dev/null; kill -CHLD $$';

describe('recording', () => {
  test('holds the calls of the strace text, and the other events', async () => {
    const [rec, text] = [scratch('run.rec'), scratch('run.txt')];
    const words = [`--record=${rec}`, `--strace=${text}`, '--cwd', '/etc', 'busybox', 'sh', '-c', SCRIPT];
    expect(await levitate(words)).toMatchObject({ status: 0, stdout: 'HELLO\n', stderr: '' });
    const { end, calls, others } = recorded(rec);
    expect(end).toMatchObject({ torn: false, complete: true });
    expect(others[0]).toBe(`start x86_64 busybox sh -c ${SCRIPT} /etc`);
    for (const tid of [1, 2, 3, 4, 5, 6])
      expect(
        calls.filter((c) => c.tid === tid).map((c) => `${c.call} ${/^= (-?\w+|\?)/.exec(c.ret)?.[1] ?? '?'}`),
      ).toEqual(traced(text, tid));
    expect(calls[0]).toMatchObject({ tid: 1, call: 'execve', ret: '= 0' });
    expect(others).toEqual(
      expect.arrayContaining([
        'task 2 1 false',
        expect.stringMatching(/^task [3-9] 1 false$/),
        expect.stringMatching(/^task [3-9] 2 false$/),
        expect.stringMatching(/^exit \d 768$/),
        'signal 1 SIGCHLD',
        'exit 1 0',
        expect.stringMatching(/^wake \d [2-9] pipe:\[N\]$/),
        expect.stringMatching(/^wake 1 [2-9] $/),
      ]),
    );
    expect(others.at(-1)).toBe('end');
    expect(calls.some((c) => c.call === 'read' && /^0, "hello\\n"/.test(c.args) && c.ret === '= 6')).toBe(true);
  });

  test('nothing is cut short', async () => {
    const rec = scratch('run.rec');
    const input = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i & 0xff));
    await levitate([`--record=${rec}`, '-e', 'LONG=' + 'y'.repeat(300), 'busybox', 'cat'], { input });
    const { calls } = recorded(rec);
    expect(calls[0].args).toContain('y'.repeat(300));
    const written = calls.filter(({ call, args }) => call === 'write' && args.startsWith('1, '));
    const bytes = written.map(({ args }) => parseArguments(args)[1].text);
    expect(Buffer.from(bytes.join(''), 'latin1').equals(input)).toBe(true);
  });

  test('what sendfile moved is there, so that a replay knows it', async () => {
    const rec = scratch('run.rec');
    const script = 'tar c -C / etc | gzip -1 | md5sum; cat /etc/group';
    expect(await levitate([`--record=${rec}`, 'busybox', 'sh', '-c', script])).toMatchObject({ status: 0, stderr: '' });
    const { calls, others } = recorded(rec);
    expect(calls.some(({ call }) => call === 'sendfile')).toBe(true);
    expect(others).toContainEqual(expect.stringMatching(/^moved \d \d 0 \d+$/));
    const found: string[] = [];
    await replay({ file: rec, differ: ({ line, what, now }) => found.push(`${line}: ${what}: ${now.slice(0, 200)}`) });
    expect(found).toEqual([]);
  });

  test('what was injected says so', async () => {
    const rec = scratch('run.rec');
    await levitate([`--record=${rec}`, '--inject=getuid:retval=7', 'busybox', 'sh', '-c', 'exec id -u']);
    const found = recorded(rec).calls.filter(({ call }) => call === 'getuid');
    expect(found[0].ret).toBe('= 7 (INJECTED)');
  });

  test('a killed guest, and a run that is ended', async () => {
    const rec = scratch('run.rec');
    const killed = await levitate([`--record=${rec}`, 'busybox', 'sh', '-c', 'cd /tmp; kill -9 $$']);
    expect(killed.status).toBe(137);
    const { end, calls, others } = recorded(rec);
    expect(end.complete).toBe(true);
    expect(calls.some(({ call, ret }) => call === 'chdir' && ret === '= 0')).toBe(true);
    expect(calls.at(-1)).toMatchObject({ call: 'kill', args: '1, SIGKILL' });
    expect(others).toContain('exit 1 9');
    await levitate([`--record=${rec}`, '--timeout', '300ms', 'busybox', 'sleep', '100']);
    const ended = recorded(rec);
    expect(ended.end.complete).toBe(true);
    expect(ended.calls.at(-1)).toMatchObject({ call: expect.stringMatching(/nanosleep$/), ret: '' });
  });

  test('a killed supervisor leaves what is older than 100 ms', async () => {
    const rec = scratch('run.rec');
    const asleep = new Run([...LEVITATE, `--record=${rec}`, 'busybox', 'sh', '-c', 'echo on; exec sleep 100']);
    await asleep.expect('on\n');
    await asleep.until(() => existsSync(rec) && readFileSync(rec, 'latin1').includes('nanosleep'), 'the sleep');
    asleep.kill(9);
    await asleep.ended;
    const { end, calls } = recorded(rec);
    expect(end.complete).toBe(false);
    expect(calls.some(({ call, args }) => /^writev?$/.test(call) && args.includes('on\\n'))).toBe(true);
    expect(calls.at(-1)).toMatchObject({ call: expect.stringMatching(/nanosleep$/), ret: '' });

    // In the midst of its work: whole lines, and perhaps a torn one.
    const busy = new Run([...LEVITATE, `--record=${rec}`, 'busybox', 'sh', '-c', 'while :; do cd /; done']);
    await busy.until(() => existsSync(rec) && statSync(rec).size > 300_000, 'a recording');
    busy.kill(9);
    await busy.ended;
    const found = recorded(rec);
    expect(found.end.complete).toBe(false);
    expect(found.calls.length).toBeGreaterThan(1000);
    const converted = await sh(`${process.execPath} ${TRACE} convert ${rec} -o ${scratch('out.json')}`);
    expect(converted).toMatchObject({ status: 0, stdout: '' });
    expect(converted.stderr).toMatch(
      /^levitate-trace: \S+ stops (in the middle of a line|without the end of the run);/,
    );
    expect((JSON.parse(readFileSync(scratch('out.json'), 'utf8')) as unknown[]).length).toBeGreaterThan(1000);
  });
});

/** A thread that waits for main on a futex, and a vfork. */
const PROGRAM = `
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int go;
static void *waiter(void *p) {
  pthread_mutex_lock(&m);
  while (!go) pthread_cond_wait(&c, &m);
  pthread_mutex_unlock(&m);
  return p;
}
int main(void) {
  pthread_t t;
  pthread_create(&t, 0, waiter, 0);
  nanosleep(&(struct timespec){ 0, 50000000 }, 0);
  pthread_mutex_lock(&m);
  go = 1;
  pthread_cond_signal(&c);
  pthread_mutex_unlock(&m);
  pthread_join(t, 0);
  int p = vfork();
  if (p == 0) _exit(0);
  waitpid(p, 0, 0);
  return 0;
}
`;

describe('trace events', () => {
  test('keep the rules of the format, and are those of the recording', async () => {
    const [rec, json, out] = [scratch('run.rec'), scratch('run.json'), scratch('out.json')];
    const words = [`--record=${rec}`, `--trace-events=${json}`, 'busybox', 'sh', '-c', SCRIPT];
    expect(await levitate(words)).toMatchObject({ status: 0, stderr: '' });
    const live = readFileSync(json, 'utf8');
    const events = checkedEvents(live);
    expect(await sh(`${process.execPath} ${TRACE} convert ${rec} -o ${out}`)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(out, 'utf8')).toBe(live);
    expect((await sh(`${process.execPath} ${TRACE} convert ${rec}`)).stdout).toBe(live);
    const blocked = events.filter(({ cat }) => cat === 'blocked');
    expect(blocked.map(({ tid, name }) => `${tid} ${name}`)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^\d blocked on pipe read$/), '1 blocked on wait4 (a child)']),
    );
    expect(blocked.find(({ name }) => name === 'blocked on sleep')!.dur).toBeGreaterThan(90_000);
    const arrows = events.filter(({ ph }) => ph === 's' || ph === 'f');
    const pairs = arrows
      .filter(({ ph }) => ph === 's')
      .map((s) => `${s.tid} ${arrows.find((f) => f.ph === 'f' && f.id === s.id)!.tid}`);
    expect(pairs).toEqual(
      expect.arrayContaining([expect.stringMatching(/^[2-9] [2-9]$/), expect.stringMatching(/^[2-9] 1$/)]),
    );
    const names = events.filter(({ name }) => name === 'process_name').map(({ pid, args }) => `${pid} ${args['name']}`);
    expect(names).toEqual(expect.arrayContaining(['1 busybox', expect.stringMatching(/^\d tr$/)]));
    expect(events.filter(({ ph }) => ph === 'i').map(({ tid, name }) => `${tid} ${name}`)).toEqual(
      expect.arrayContaining([
        '1 SIGCHLD',
        '1 exit 0',
        expect.stringMatching(/^\d exit 3$/),
        expect.stringMatching(/^\d exec tr$/),
      ]),
    );
  });

  compiled('threads: who is woken at a futex, and by whom', async () => {
    compile(PROGRAM, 'threads/program', ['-pthread']);
    const json = scratch('run.json');
    for (const gate of ['--gate', '--no-gate']) {
      const words = [gate, `--trace-events=${json}`, '--root', scratch('threads'), '/program'];
      expect(await levitate(words)).toMatchObject({ status: 0, stderr: '' });
      const events = checkedEvents(readFileSync(json, 'utf8'));
      expect(events.filter(({ tid }) => tid === 2).every(({ pid }) => pid === 1)).toBe(true);
      const futex = events.find(({ tid, name }) => tid === 2 && name === 'blocked on futex')!;
      expect(futex.args['woken by']).toBe(1);
      expect(futex.dur).toBeGreaterThan(20_000);
      const end = events.find((e) => e.ph === 'f' && e.tid === 2)!;
      const start = events.find((e) => e.ph === 's' && e.id === end.id)!;
      expect(start.tid).toBe(1);
      const from = events.find(
        (e) => e.cat === 'syscall' && e.tid === 1 && e.ts <= start.ts && start.ts <= e.ts + e.dur,
      )!;
      expect(from.name).toBe('futex');
      expect(events.some(({ tid, name }) => tid === 1 && name === "blocked on vfork's child")).toBe(true);
    }
  });
});

test('levitate-trace says what is wrong', async () => {
  const run = (words: string) => sh(`${process.execPath} ${TRACE} ${words}`);
  writeFileSync(scratch('garbage'), 'hello\n');
  expect(await run(`convert ${scratch('garbage')}`)).toMatchObject({
    status: 1,
    stderr: `levitate-trace: ${scratch('garbage')}:1:1: not a recording of levitate-run --record\n`,
  });
  expect(await run('convert /nonexistent')).toMatchObject({
    status: 1,
    stderr: 'levitate-trace: /nonexistent: there is no such file\n',
  });
  expect(await run('')).toMatchObject({ status: 2, stderr: expect.stringContaining('no command given') });
  expect(await run('replay x')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("unknown command 'replay'"),
  });
  expect(await run('convert --wrong x')).toMatchObject({ status: 2, stderr: expect.stringContaining('wrong') });
  expect(await run('convert')).toMatchObject({ status: 2, stderr: expect.stringContaining('one recording') });
  expect((await run('--help')).stdout).toContain('ui.perfetto.dev');
});
