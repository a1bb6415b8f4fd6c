/**
 * Connects scripts with Jest: `syscallTest` registers one, and the first test of a file that runs starts all scripts of that
 * file in one batch on each side (a process each, one after the other).
 *
 * LEVITATE_TEST_HOST_ONLY=1 leaves levitate out; LEVITATE_TEST_TWICE=1 puts a second run on the host in its place, which
 * shows what a script compares although it is not the same every time. LEVITATE_TEST_TIMES=20 prints tests that take
 * that many ms. Without them a levitate that cannot run is a
 * failure, never a silent skip.
 */
import { readFileSync } from 'node:fs';
import { Builder, Unsupported } from './builder.js';
import { judge, judgePlayed, statusText } from './compare.js';
import { Script, wrap, type S } from './dsl.js';
import { encodeScripts } from './encode.js';
import { buildExecutor, foreign } from './executor.js';
import { runOnHost, type RunResult } from './host.js';
import { playInLevitate, runInLevitate, unavailable, type LevitateRun } from './levitate.js';
import { outcomeOf, type Outcome } from './outcome.js';
import { SLOWNESS } from './pace.js';
import { parseRecords, type TestRecords } from './records.js';
import { SECTION_PROCESS, type TestScript } from './script.js';

interface JestTest {
  (name: string, run: () => Promise<void>, timeoutMs?: number): void;
  skip: JestTest;
}
declare const test: JestTest;

export interface TestOptions {
  timeoutMs?: number;
  /** Wait status that the test's process must end with, if not 0. */
  status?: number;
  /** The test says something about the host only, and does not run in levitate: why. */
  hostOnly?: string;
  /** What levitate lacks: the test runs there, and must fail as long as this stands here. */
  lacks?: string;
}

const twice = process.env['LEVITATE_TEST_TWICE'] === '1';
const root = process.getuid?.() === 0;
const hostOnly = process.env['LEVITATE_TEST_HOST_ONLY'] === '1';
const scripts: TestScript[] = [];
/** The first test of a file waits for all scripts of it; how long each may take is the executor's business. */
const JEST_TIMEOUT_MS = 900_000;
let sides: Promise<Sides> | null = null;

/** One test: `write` builds its script. */
export function syscallTest(name: string, write: (s: S) => void, options: TestOptions = {}): void {
  registerTest(
    name,
    (builder) => builder.section(SECTION_PROCESS, null, (data) => write(wrap(new Script(builder, data)))),
    options,
  );
}

/** The same for whatever builds a script. */
export function registerTest(name: string, build: (builder: Builder) => void, options: TestOptions = {}): void {
  const builder = new Builder(name, scripts.length);
  const { script } = builder;
  if (options.timeoutMs !== undefined) script.timeoutMs = options.timeoutMs * SLOWNESS;
  if (options.status !== undefined) script.status = options.status;
  if (options.hostOnly !== undefined) script.hostOnly = options.hostOnly;
  try {
    build(builder);
  } catch (error) {
    if (error instanceof Unsupported) test.skip(`${name} (${error.message})`, () => Promise.resolve());
    else {
      test(name, () => {
        throw error; // the other tests of the file run
      });
    }
    return;
  }
  script.regions.push(...builder.arena.finish());
  const index = scripts.push(script) - 1;
  test(
    name,
    async () => {
      sides ??= runAll();
      const { host, levitate, played } = await sides;
      if (foreign) {
        complain(judgeForeign(script, options, index, played!));
        return;
      }
      const mine = host.outcome(index);
      const theirs = script.hostOnly === undefined && levitate !== null ? levitate.outcome(index) : null;
      if (theirs !== null && twice === false && options.lacks !== undefined) {
        const alone = judge(script, mine, null);
        if (alone.length === 0 && judge(script, mine, theirs).length > 0) return;
        if (alone.length === 0) alone.push(`levitate does not lack this any more: ${options.lacks}`);
        throw new Error(alone.join('\n'));
      }
      // An ordinary user's namespace refuses some things to its root (mknod, other users): what the host cannot show is
      // then checked in levitate by the script's own expectations alone.
      const blind = !root && theirs !== null && !twice && judge(script, mine, null).length > 0;
      const complaints = [
        ...judge(script, blind ? null : mine, theirs),
        ...(theirs === null || levitate === null ? [] : levitate.leaks(index)),
      ];
      const third = theirs === null || played === null ? null : played.outcome(index);
      if (complaints.length === 0 && third !== null && played !== null)
        complaints.push(...judgePlayed(script, blind ? null : mine, theirs!, third), ...played.leaks(index));
      complain(complaints);
    },
    JEST_TIMEOUT_MS,
  );
}

function complain(complaints: readonly string[]): void {
  if (complaints.length === 0) return;
  const error = new Error(complaints.slice(0, 20).join('\n'));
  error.stack = error.message; // where it was thrown says nothing
  throw error;
}

/** The script platform alone: what the script itself expects. */
function judgeForeign(script: TestScript, { lacks }: TestOptions, index: number, played: Side): string[] {
  const outcome = played.outcome(index);
  if (script.hostOnly !== undefined || outcome.unplayable !== undefined) return [];
  const complaints = judge(script, null, outcome);
  if (lacks === undefined) return [...complaints, ...played.leaks(index)];
  return complaints.length > 0 ? [] : [`levitate does not lack this any more: ${lacks}`];
}

/** The same test for each of several cases, named after them. */
export function syscallTests<T>(cases: Readonly<Record<string, T>>, write: (s: S, item: T) => void): void {
  for (const [name, item] of Object.entries(cases)) syscallTest(name, (s) => write(s, item));
}

type Run = (script: Buffer, first: number) => Promise<RunResult>;

/** All scripts of the file on one side. A script that takes the whole run down is blamed; the rest runs in a new one. */
class Side {
  readonly name: string;
  readonly #run: Run;
  readonly #results = new Map<number, TestRecords>();
  readonly #leaks = new Map<number, readonly string[]>();

  constructor(name: string, run: Run) {
    this.name = name;
    this.#run = run;
  }

  async runAll(script: Buffer): Promise<this> {
    let first = 0;
    while (first < scripts.length) {
      const result = await this.#run(script, first);
      const records = parseRecords(result.stdout);
      for (const [number, test] of records.tests) this.#results.set(number, test);
      for (const [number, grown] of result.leaks ?? []) this.#leaks.set(number, grown);
      if (process.env['LEVITATE_TEST_TIMES'] !== undefined)
        this.#printTimes(Number(process.env['LEVITATE_TEST_TIMES']));
      if (records.done) break;
      let victim = first;
      while (this.#results.get(victim)?.status != null) victim++;
      if (victim >= scripts.length) break;
      const how = result.signal ?? (result.status === null ? 'no status' : statusText(result.status << 8));
      const error = result.stderr.toString().trim().split('\n').slice(-15).join('\n');
      const test = this.#results.get(victim) ?? {
        records: [],
        status: null,
        timedOut: false,
        elapsedMs: 0,
        trouble: [],
      };
      test.trouble.push(`the run ended in this test (${how})${error === '' ? '' : `: ${error}`}`);
      this.#results.set(victim, test);
      first = victim + 1;
    }
    return this;
  }

  #printTimes(leastMs: number): void {
    for (const [number, { elapsedMs }] of this.#results) {
      if (elapsedMs >= leastMs)
        process.stderr.write(`${this.name}: ${elapsedMs.toFixed(1)} ms: ${scripts[number].name}\n`);
    }
  }

  /** Says how many scripts were left out here, and why. */
  printUnplayable(): void {
    const left = scripts.map((script, index) => [script.name, this.outcome(index).unplayable] as const);
    const count = left.filter(([, unplayable]) => unplayable !== undefined).length;
    if (count === 0) return;
    process.stderr.write(`${this.name}: ${scripts.length - count} of ${scripts.length} scripts played\n`);
    for (const [name, unplayable] of left)
      if (unplayable !== undefined) process.stderr.write(`  not played: ${name}: ${unplayable.reason}\n`);
  }

  outcome(index: number): Outcome {
    const none: TestRecords = { records: [], status: null, timedOut: false, elapsedMs: 0, trouble: [] };
    return outcomeOf(this.name, this.#results.get(index) ?? none);
  }

  leaks(index: number): string[] {
    return (this.#leaks.get(index) ?? []).map((text) => `${this.name}: leak: ${text}`);
  }
}

interface Sides {
  /** Empty where scripts are of another architecture. */
  host: Side;
  /** On the ptrace platform. */
  levitate: Side | null;
  /** On the script platform. */
  played: Side | null;
}

async function runAll(): Promise<Sides> {
  const reason = unavailable();
  if (!hostOnly && !twice && reason !== null) {
    throw new Error(`levitate cannot run: ${reason}. LEVITATE_TEST_HOST_ONLY=1 checks the scripts on the host alone.`);
  }
  const executor = buildExecutor();
  const script = encodeScripts(scripts);
  const budgetMs = (20_000 + scripts.length * 1000) * SLOWNESS;
  const onHost = (name: string): Promise<Side> =>
    new Side(name, (bytes, first) => runOnHost(executor, bytes, first, budgetMs)).runAll(script);
  const binary = readFileSync(executor);
  const run = (bytes: Buffer, first: number): LevitateRun => ({
    files: { '/executor': binary, '/script': bytes },
    argv: ['/executor', '/script', String(first)],
    env: {},
    stdin: new Uint8Array(0),
    timeoutMs: budgetMs * 2,
  });
  const play = async (): Promise<Side> => {
    const side = new Side('script', (bytes, first) => playInLevitate(run(bytes, first), scripts));
    await side.runAll(script);
    side.printUnplayable();
    return side;
  };
  if (foreign)
    return { host: new Side('host', () => Promise.reject(new Error('not run'))), levitate: null, played: await play() };
  const host = await onHost('host');
  if (twice) return { host, levitate: await onHost('host again'), played: null };
  if (hostOnly) return { host, levitate: null, played: null };
  const levitate = await new Side('levitate', (bytes, first) => runInLevitate(run(bytes, first))).runAll(script);
  return { host, levitate, played: await play() };
}
