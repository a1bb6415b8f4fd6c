/**
 * The third side itself: the executor as the script platform plays it reports what the real one reports on the host, a
 * difference is found, and what cannot be played is said and cannot hide a mistake.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Builder, load32, symbol } from '../support/builder.js';
import { judge, judgePlayed } from '../support/compare.js';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  O_CREAT,
  O_RDWR,
  SIGALRM,
  SIGSEGV,
  SIGUSR1,
  SIGUSR2,
} from '../support/constants.js';
import { Script, wrap, type S } from '../support/dsl.js';
import { encodeScripts } from '../support/encode.js';
import { buildExecutor } from '../support/executor.js';
import { runOnHost } from '../support/host.js';
import { outcomeOf, type Outcome } from '../support/outcome.js';
import { play } from '../support/played/side.js';
import { parseRecords, type TestRecords } from '../support/records.js';
import { FREE_BASE, PAGE, SECTION_PROCESS, SYMBOL_RETURN, type TestScript } from '../support/script.js';

const RWX = 7;
const MAP = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

function build(...writes: ((s: S) => void)[]): TestScript[] {
  return writes.map((write, number) => {
    const builder = new Builder('test', number);
    builder.section(SECTION_PROCESS, null, (data) => write(wrap(new Script(builder, data))));
    builder.script.regions.push(...builder.arena.finish());
    return builder.script;
  });
}

async function onHost(scripts: TestScript[]): Promise<Map<number, TestRecords>> {
  const records = parseRecords((await runOnHost(buildExecutor(), encodeScripts(scripts), 0, 20_000)).stdout);
  expect(records.done).toBe(true);
  return records.tests;
}

async function played(scripts: TestScript[]): Promise<Map<number, TestRecords>> {
  const result = await play(
    {
      files: { '/executor': readFileSync(buildExecutor()), '/script': encodeScripts(scripts) },
      argv: ['/executor', '/script', '0'],
      env: {},
      stdin: new Uint8Array(0),
      timeoutMs: 20_000,
    },
    scripts,
  );
  expect(result.stderr.toString()).toBe('');
  const records = parseRecords(result.stdout);
  expect(records.done).toBe(true);
  return records.tests;
}

/** What is said about `mine` on the host and `theirs` played. */
async function differences(mine: (s: S) => void, theirs = mine): Promise<string> {
  const [scripts, other] = [build(mine), build(theirs)];
  const host = outcomeOf('host', (await onHost(scripts)).get(0)!);
  const script = outcomeOf('script', (await played(other)).get(0)!);
  return judge(scripts[0], host, script).join('\n');
}

test.each<[string, (s: S) => void]>([
  [
    'processes',
    (s) => {
      const word = s.word(1);
      const child = (value: number, end: number) => (c: S) => {
        c.store(word, 4, value);
        c.exit(end);
      };
      s.wait(s.fork(child(2, 3))).exited(3);
      word.u32(0, 1);
      s.wait(s.vfork(child(3, 4))).exited(4);
      word.u32(0, 3);
      const program = (x: S): void => {
        x.start();
        x.exit(5);
      };
      s.wait(s.fork((c) => void c.exec(program, { env: ['A=1'] }))).exited(5);
    },
  ],
  [
    'threads that wait for each other',
    (s) => {
      const [mine, theirs] = [s.word(), s.word()];
      const tid = s.thread((t) => {
        t.store(theirs, 4, 1);
        t.spin(mine, 1);
        t.futex(mine, 0, 1, null, null, 0).oneOf(0, -4).optional();
      });
      s.waitWord(theirs, 1);
      s.store(mine, 4, 1);
      s.waitBlocked(tid);
      s.exit(0);
    },
  ],
  [
    'handlers, nested, on another stack, and in a call that is restarted',
    (s) => {
      const stack = s.stack();
      s.sigaltstack(s.pack('ptr', stack, 'u32', 0, 'u64', stack.size), null).returns(0);
      const count = s.word();
      s.onSignal(SIGUSR1, (h) => {
        h.store(count, 4, load32(count).plus(1));
        h.kill(h.getpid().ignored(), SIGUSR2).ignored();
      });
      s.onSignal(SIGUSR2, (h) => void h.store(count, 4, load32(count).plus(10)), { flags: 0x0800_0000 });
      s.sees(SIGUSR1, SIGUSR2);
      s.kill(s.getpid().pid(), SIGUSR1).returns(0);
      count.u32(0, 11);
      const { r, w } = s.pipe();
      const child = s.fork((c) => {
        c.onSignal(SIGALRM, undefined, { flags: 0x1000_0000 });
        c.setitimer(0, c.pack('u64', 0, 'u64', 20_000, 'u64', 0, 'u64', 20_000), null).returns(0);
        c.reads(r, 'x');
      });
      s.sleep(60);
      s.write(w, 'x');
      s.wait(child).exited(0);
    },
  ],
  [
    'memory: faults, execution, copies that overlap',
    (s) => {
      s.onSignal(SIGSEGV);
      s.sees(SIGSEGV, SIGSEGV, SIGSEGV);
      s.touch(FREE_BASE).faults();
      s.touch(FREE_BASE, 'write').faults();
      s.touch(FREE_BASE, 'execute').faults();
      s.mmap(FREE_BASE, PAGE, RWX, MAP, -1, 0).returns(FREE_BASE);
      s.copy(FREE_BASE, symbol(SYMBOL_RETURN), 4);
      s.touch(FREE_BASE, 'execute').returns(0);
      const b = s.buffer(100, 0);
      s.store(b, 4, 0x04030201);
      s.copy(b.plus(4), b, 96);
      b.u32(96, 0x04030201);
    },
  ],
  [
    'registers and time',
    (s) => {
      s.registers('getuid', 1, 2, 3, 4, 5, 6).returns(0);
      s.nanosleep(s.ms(20), null).returns(0).takes(20);
    },
  ],
])('the played executor agrees with the host: %s', async (_, write) => {
  expect(await differences(write)).toBe('');
});

test('a side that does something else is found', async () => {
  const writes =
    (text: string, end: number) =>
    (s: S): void => {
      s.pwrite64(s.open('f', O_CREAT | O_RDWR, 0o600), text, 4, 0).ok();
      const b = s.buffer(4, 0);
      s.pread64(3, b, 4, 0).ok();
      s.wait(s.fork((c) => void c.exit(end)));
    };
  expect(await differences(writes('text', 0))).toBe('');
  expect(await differences(writes('test', 0), writes('text', 0))).toContain('memory differs');
  expect(await differences(writes('text', 0), writes('text', 1))).toContain('memory differs');
  const getuid = (s: S): void => void s.getuid().ok();
  const getpid = (s: S): void => void s.getppid().ok();
  expect(await differences(getpid, getuid)).toMatch(/host \d+, script 0/);
});

test('a script that hangs is ended, and the next one runs', async () => {
  const scripts = build(
    (s) => void s.pause(),
    (s) => void s.spin(s.word(), 1),
    (s) => void s.getuid().returns(0),
  );
  scripts[0].timeoutMs = scripts[1].timeoutMs = 50;
  const records = await played(scripts);
  expect(records.get(0)).toMatchObject({ timedOut: true, status: 9 });
  expect(records.get(1)).toMatchObject({ timedOut: true, status: 9 });
  expect(records.get(2)).toMatchObject({ timedOut: false, status: 0 });
});

test('instructions of its own cannot be played; that is said, and is no excuse for what ended elsewhere', async () => {
  const [script] = build((s) => {
    s.mmap(FREE_BASE, PAGE, RWX, MAP, -1, 0).returns(FREE_BASE);
    s.copy(FREE_BASE, Buffer.from('90c3', 'hex'), 2);
    s.touch(FREE_BASE, 'execute').ignored();
  });
  const third = outcomeOf('script', (await played([script])).get(0)!);
  expect(third.unplayable).toEqual({ op: 2, reason: 'it executes instructions of its own (90...)' });
  const real: Outcome = outcomeOf('host', (await onHost([script])).get(0)!);
  expect(judgePlayed(script, real, real, third).join()).toContain('not played, but #2 ended elsewhere');
  const killed: Outcome = { ...real, events: real.events.filter((event) => event.op !== 2) };
  expect(judgePlayed(script, killed, killed, third)).toEqual([]);
});
