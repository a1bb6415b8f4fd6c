/**
 * The test support itself: a script with a wrong expectation fails, and a side that differs in any way is found. The second
 * side is the host's own record with something changed in it.
 */
import { O_CREAT, O_RDWR, SIGUSR1, SIGUSR2 } from '../support/constants.js';
import { Builder } from '../support/builder.js';
import { judge } from '../support/compare.js';
import { Script, wrap, type S } from '../support/dsl.js';
import { encodeScripts } from '../support/encode.js';
import { buildExecutor } from '../support/executor.js';
import { runOnHost } from '../support/host.js';
import { growth } from '../support/leaks.js';
import { outcomeOf } from '../support/outcome.js';
import {
  parseRecords,
  RECORD_CALL,
  RECORD_MEMORY,
  RECORD_SIGNAL,
  type Record,
  type TestRecords,
} from '../support/records.js';
import { SECTION_PROCESS, type TestScript } from '../support/script.js';
import { expect, test } from '@jest/globals';

function build(write: (s: S) => void): TestScript {
  const builder = new Builder('test', 0);
  builder.section(SECTION_PROCESS, null, (data) => write(wrap(new Script(builder, data))));
  builder.script.regions.push(...builder.arena.finish());
  return builder.script;
}

async function runHost(script: TestScript): Promise<TestRecords> {
  const result = await runOnHost(buildExecutor(), encodeScripts([script]), 0, 20_000);
  const records = parseRecords(result.stdout);
  expect(result.stderr.toString()).toBe('');
  expect(records.done).toBe(true);
  return records.tests.get(0)!;
}

/** What is said about a script that ran on the host only. */
async function complaints(write: (s: S) => void): Promise<string> {
  const script = build(write);
  return judge(script, outcomeOf('host', await runHost(script)), null).join('\n');
}

/** What is said when the other side's records are the host's, changed. */
async function differences(
  write: (s: S) => void,
  change: (records: Record[]) => Record[],
  status?: number,
): Promise<string> {
  const script = build(write);
  const records = await runHost(script);
  const other: TestRecords = { ...records, records: change([...records.records]), status: status ?? records.status };
  return judge(script, outcomeOf('host', records), outcomeOf('levitate', other)).join('\n');
}

const changed = (type: number, nth: number, edit: (record: Record) => Record) => (records: Record[]) => {
  const index = records
    .map((record, i) => [record, i] as const)
    .filter(([record]) => record.type === type)
    .at(nth)![1];
  return records.map((record, i) => (i === index ? edit(record) : record));
};

test('a script without mistakes has no complaints', async () => {
  const write = (s: S): void => {
    s.write(s.open('f', O_CREAT | O_RDWR, 0o600), 'x');
    s.wait(s.fork((c) => void c.exit(3))).exited(3);
  };
  expect(await complaints(write)).toBe('');
  expect(await differences(write, (records) => records)).toBe('');
});

test('wrong expectations fail', async () => {
  expect(await complaints((s) => s.getuid().returns(1))).toContain('= 0, expected 1');
  expect(await complaints((s) => s.getuid().fails(2))).toContain('expected ENOENT');
  expect(await complaints((s) => s.call('close', 99).ok())).toContain('-EBADF, expected success');
  expect(await complaints((s) => s.getuid().takes(50))).toContain('ms, expected 50');
  expect(await complaints((s) => s.wait(s.fork((c) => void c.exit(3))).exited(4))).toContain('found 768');
  expect(await complaints((s) => s.sees(SIGUSR1))).toContain('saw signals [], expected [10]');
  expect(await complaints((s) => void s.kill(s.getpid().pid(), SIGUSR2))).toContain('death by signal 12');
});

test('memory is checked at its point of the script, also in children and after exec', async () => {
  const word = (s: S): void => {
    const w = s.word(1);
    s.store(w, 4, 2);
    w.u32(0, 2);
    s.wait(
      s.fork((c) => {
        c.store(w, 4, 3);
        w.u32(0, 3);
        c.exec((x) => {
          x.getpid().pid();
          w.u32(0, 1);
        });
      }),
    ).exited(0);
    w.u32(0, 2);
  };
  expect(await complaints(word)).toBe('');
  expect(
    await complaints((s) => {
      const w = s.word(1);
      s.store(w, 4, 2);
      w.u32(0, 1);
    }),
  ).toContain('u32 at 0 is 1: found 2');
});

test('an operation that does not run is noticed', async () => {
  const write = (s: S): void => void s.wait(s.fork((c) => void c.getuid()));
  const lost = await differences(write, (records) => records.filter((record) => record.section !== 1));
  expect(lost).toContain('did not run');
});

test('different results, memory, signals and ends are found', async () => {
  const write = (s: S): void => {
    s.onSignal(SIGUSR1);
    s.sees(SIGUSR1);
    s.kill(s.getpid().pid(), SIGUSR1);
    const b = s.buffer(8, 0);
    s.call('read', s.open('/dev/zero', O_RDWR), b, 8);
    s.store(b, 4, 7);
  };
  const last = build(write).sections[0].ops.length - 1;
  const result = changed(RECORD_CALL, last, (record) => ({ ...record, a: 99n }));
  expect(await differences(write, result)).toContain('host 0, levitate 99');
  const memory = changed(RECORD_MEMORY, -1, (record) => ({ ...record, payload: Buffer.from(record.payload).fill(1) }));
  expect(await differences(write, memory)).toContain('memory differs');
  const signal = changed(RECORD_SIGNAL, 0, (record) => {
    const payload = Buffer.from(record.payload);
    payload.writeInt32LE(77, 8);
    return { ...record, payload };
  });
  expect(await differences(write, signal)).toContain('code 77');
  expect(await differences(write, (records) => records.filter((record) => record.type !== RECORD_SIGNAL))).toContain(
    'saw signals []',
  );
  expect(await differences(write, (records) => records, 11)).toContain('death by signal 11');
});

test('pids may differ, but must map one to one', async () => {
  const write = (s: S): void => {
    s.getpid().pid();
    s.getpid().pid();
    s.getppid().pid();
  };
  const shifted = (records: Record[]): Record[] => records.map((record) => ({ ...record, a: record.a + 1000n }));
  expect(await differences(write, shifted)).toBe('');
  expect(
    await differences(
      write,
      changed(RECORD_CALL, 1, (record) => ({ ...record, a: 4000n })),
    ),
  ).toContain('levitate 4000');
});

test('differs() states another expectation for levitate, with a reason', async () => {
  const write = (s: S): void =>
    void s
      .getuid()
      .returns(0)
      .differs('a test', (call) => call.returns(5));
  expect(
    await differences(
      write,
      changed(RECORD_CALL, 0, (record) => ({ ...record, a: 5n })),
    ),
  ).toBe('');
  expect(await differences(write, (records) => records)).toContain('levitate: #0 getuid() = 0, expected 5');
});

test('what is marked is not compared', async () => {
  const write = (s: S): void => {
    const b = s.buffer(4, 0);
    b.ignore(0, 2);
    s.store(b, 4, 0x01010101);
  };
  const low = changed(RECORD_MEMORY, 0, (record) => {
    const payload = Buffer.from(record.payload);
    payload[payload.length - 4] = 9;
    return { ...record, payload };
  });
  const high = changed(RECORD_MEMORY, 0, (record) => {
    const payload = Buffer.from(record.payload);
    payload[payload.length - 1] = 9;
    return { ...record, payload };
  });
  expect(await differences(write, low)).toBe('');
  expect(await differences(write, high)).toContain('memory differs');
});

test('a script that hangs is ended, and the next one runs', async () => {
  const script = build((s) => void s.pause());
  script.timeoutMs = 50;
  const next = build((s) => void s.getuid().returns(0));
  const result = await runOnHost(buildExecutor(), encodeScripts([script, next]), 0, 20_000);
  const records = parseRecords(result.stdout);
  expect(records.tests.get(0)).toMatchObject({ timedOut: true, status: 9 });
  expect(records.tests.get(1)).toMatchObject({ timedOut: false, status: 0 });
});

test('the leak check names what grew', () => {
  expect(growth({ tasks: 1, mounts: 5 }, { tasks: 1, mounts: 5 })).toEqual([]);
  expect(growth({ tasks: 1, mounts: 5 }, { tasks: 3, mounts: 4 })).toEqual(['2 more tasks (3)']);
});
