/**
 * Judges a test: each side against the script's expectations, then the sides against each other.
 *
 * `exact` results and all memory changes must be equal; `relation` values (pids, inode numbers) must map one to one; what the
 * script marks as ignored may be anything. Every complaint is one line of text.
 */
import { ERRNO_NAMES } from '../../src/abi/errno.js';
import { show } from './memory.js';
import { opOf, replay, type Event, type Outcome, type SignalEvent } from './outcome.js';
import {
  ARENA_BASE,
  FREE_BASE,
  OP_REPORT,
  SECTION_HANDLER,
  type Op,
  type ResultExpectation,
  type TestScript,
} from './script.js';

export function judge(script: TestScript, host: Outcome | null, levitate: Outcome | null): string[] {
  const complaints: string[] = [];
  const shots: Snapshots[] = [];
  for (const outcome of [host, levitate]) {
    if (outcome === null) continue;
    const other = outcome === host ? levitate : host;
    const result = judgeSide(script, outcome, other);
    complaints.push(...result.complaints);
    shots.push(result.snapshots);
  }
  if (host !== null && levitate !== null && complaints.length === 0) {
    complaints.push(...compareSides(script, host, levitate, shots[0], shots[1]));
  }
  return complaints;
}

/** The same for the script platform, against both other sides. */
export function judgePlayed(script: TestScript, host: Outcome | null, levitate: Outcome, played: Outcome): string[] {
  const { unplayable } = played;
  if (unplayable !== undefined) {
    // What came to its end elsewhere is no reason: memory that should hold the return instruction does not.
    const ended = levitate.events.some((event) => event.op === unplayable.op);
    return ended ? [`script: not played, but #${unplayable.op} ended elsewhere: ${unplayable.reason}`] : [];
  }
  const complaints = judge(script, host, played);
  return complaints.length > 0 ? complaints : judge(script, levitate, played);
}

/** Bytes after an event, by event and address: for every range that either side saw changing there. */
type Snapshots = Map<string, Map<string, { address: number; bytes: Buffer }>>;

function expectationOf(op: Op, outcome: Outcome): ResultExpectation {
  return outcome.levitate && op.differs !== undefined ? op.differs.expect : op.expect;
}

function resultText(result: bigint): string {
  return result < 0n && result > -4096n ? `-${ERRNO_NAMES[Number(-result)] ?? Number(-result)}` : String(result);
}

function judgeSide(
  script: TestScript,
  outcome: Outcome,
  other: Outcome | null,
): { complaints: string[]; snapshots: Snapshots } {
  const { side } = outcome;
  const complaints = outcome.trouble.map((text) => `${side}: executor: ${text}`);
  const say = (text: string): void => void complaints.push(`${side}: ${text}`);
  const snapshots: Snapshots = new Map();
  const ran = new Map<number, number>();
  replay(script, outcome, (event, view, read) => {
    const op = opOf(script, event);
    snapshots.set(event.key, snapshot(event, other?.byKey.get(event.key), read));
    if (op === undefined) return;
    ran.set(op.id, (ran.get(op.id) ?? 0) + 1);
    const where = `#${op.id} ${op.text}`;
    const expect = expectationOf(op, outcome);
    if (expect.accepts !== undefined && event.result !== null && !expect.accepts(Number(event.result))) {
      say(`${where} = ${resultText(event.result)}, expected ${expect.text}`);
    }
    if (op.takes !== undefined && op.differs === undefined) {
      const ms = event.elapsedNs / 1e6;
      if (ms < op.takes.min || ms > op.takes.max) {
        say(`${where} took ${ms.toFixed(2)} ms, expected ${op.takes.min} to ${op.takes.max}`);
      }
    }
    for (const check of op.checks) {
      const found = check.run(view);
      if (found !== true)
        say(
          `after ${where} = ${event.result === null ? '?' : resultText(event.result)}: ${check.text}: found ${found}`,
        );
    }
  });
  checkSignals(script, outcome, say);
  for (const section of script.sections) {
    for (const op of section.ops) {
      const count = ran.get(op.id) ?? 0;
      if (op.optional || section.kind === SECTION_HANDLER) continue;
      if (count === 0) {
        say(`#${op.id} ${op.text} did not run`);
        break; // nor did what follows
      }
      if (count > 1) say(`#${op.id} ${op.text} ran ${count} times`);
    }
  }
  if (outcome.timedOut) say('ran out of time and was killed');
  else if (outcome.status === null) say('the run ended before the test did');
  else if (outcome.status !== script.status) {
    const last = outcome.events.filter((event) => event.owner === 0).at(-1);
    const op = last === undefined ? undefined : opOf(script, last);
    say(
      `the test's process ended with ${statusText(outcome.status)}, expected ${statusText(script.status)}` +
        (op === undefined ? '' : ` (last operation: #${op.id} ${op.text})`),
    );
  }
  return { complaints, snapshots };
}

export function statusText(status: number): string {
  if ((status & 0x7f) === 0) return `exit status ${(status >> 8) & 0xff}`;
  if ((status & 0xff) === 0x7f) return `stop by signal ${(status >> 8) & 0xff}`;
  return `death by signal ${status & 0x7f}`;
}

function checkSignals(script: TestScript, outcome: Outcome, say: (text: string) => void): void {
  for (const section of script.sections) {
    if (section.signals === null) continue;
    const seen = outcome.signals.filter((signal) => signal.owner === section.index).map((signal) => signal.signal);
    if (seen.join() !== section.signals.join()) {
      say(`process ${section.index} saw signals [${seen.join(', ')}], expected [${section.signals.join(', ')}]`);
    }
  }
}

function snapshot(mine: Event, theirs: Event | undefined, read: (address: number, length: number) => Buffer) {
  const ranges = new Map<string, { address: number; bytes: Buffer }>();
  for (const { address, bytes } of [...mine.changes, ...(theirs?.changes ?? [])]) {
    ranges.set(`${address}+${bytes.length}`, { address, bytes: read(address, bytes.length) });
  }
  return ranges;
}

const inArena = (address: number): boolean => address >= ARENA_BASE && address < FREE_BASE;

/** One-to-one maps of values, one per kind of value. */
class Relations {
  readonly #there = new Map<string, string>();
  readonly #back = new Map<string, string>();

  /** Whether `a` of one side may correspond to `b` of the other. */
  agree(kind: string, a: string, b: string): boolean {
    if (a === '0' || b === '0') return a === b; // 0 means none
    const there = `${kind}:${a}`;
    const back = `${kind}:${b}`;
    if (!this.#there.has(there) && !this.#back.has(back)) {
      this.#there.set(there, b);
      this.#back.set(back, a);
    }
    return this.#there.get(there) === b && this.#back.get(back) === a;
  }
}

function compareSides(script: TestScript, one: Outcome, two: Outcome, a: Snapshots, b: Snapshots): string[] {
  const complaints: string[] = [];
  const relations = new Relations();
  for (const event of one.events) {
    const op = opOf(script, event);
    const theirs = two.byKey.get(event.key);
    if (theirs === undefined) {
      if (op !== undefined && !op.optional)
        complaints.push(`${two.side} did not run #${op.id} ${op.text} as often as ${one.side}`);
      continue;
    }
    const where = op === undefined ? `start of process ${event.owner}` : `#${op.id} ${op.text}`;
    if (op?.differs !== undefined && one.levitate !== two.levitate) continue;
    if (event.result !== null && theirs.result !== null && op !== undefined) {
      const { agreement, relation } = op.expect;
      const sameError = event.result === theirs.result || (event.result > 0n && theirs.result > 0n);
      const agrees =
        agreement === 'free' ||
        (agreement === 'exact'
          ? event.result === theirs.result
          : sameError && relations.agree(relation ?? '', String(event.result), String(theirs.result)));
      if (!agrees)
        complaints.push(`${where}: ${one.side} ${resultText(event.result)}, ${two.side} ${resultText(theirs.result)}`);
    }
    if (op?.kind === OP_REPORT && event.changes.some((change) => !inArena(change.address))) {
      const [mine, other] = [event, theirs].map((e) => Buffer.concat(e.changes.map((change) => change.bytes)));
      if (!mine.equals(other)) complaints.push(`${where}: ${one.side} ${show(mine)}, ${two.side} ${show(other)}`);
      continue;
    }
    for (const [key, range] of a.get(event.key) ?? []) {
      const other = b.get(event.key)?.get(key);
      if (other === undefined) continue;
      const difference = compareBytes(script, relations, range.address, range.bytes, other.bytes);
      if (difference !== null) complaints.push(`${where}: memory differs: ${difference}`);
    }
  }
  complaints.push(...compareSignals(script, relations, one, two));
  return complaints;
}

function littleEndian(bytes: Buffer): string {
  return bytes.length === 4
    ? String(bytes.readInt32LE())
    : BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`).toString();
}

function compareBytes(script: TestScript, relations: Relations, address: number, a: Buffer, b: Buffer): string | null {
  const tolerated = new Uint8Array(a.length);
  for (const { address: from, length, relation } of script.tolerances) {
    const low = Math.max(from, address);
    const high = Math.min(from + length, address + a.length);
    if (low >= high) continue;
    tolerated.fill(1, low - address, high - address);
    if (relation === undefined || low !== from || high !== from + length) continue;
    const [x, y] = [a, b].map((bytes) => littleEndian(bytes.subarray(low - address, high - address)));
    if (!relations.agree(relation, x, y)) return `${relation} at 0x${low.toString(16)}: ${x}, levitate ${y}`;
  }
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i] || tolerated[i] === 1) continue;
    const end = Math.min(i + 32, a.length);
    return `at 0x${(address + i).toString(16)}: ${show(a.subarray(i, end))}, levitate ${show(b.subarray(i, end))}`;
  }
  return null;
}

const SI_USER = 0;
const SI_QUEUE = -1;
const SI_TIMER = -2;
const SI_TKILL = -6;
const SIGCHLD = 17;
const faults = [4, 5, 7, 8, 11];

/** Whether the script chose this address, so that it must be the same on every side. */
const chosen = (address: number): boolean =>
  address < 0x1_0000 || (address >= ARENA_BASE && address < FREE_BASE + 0x10_0000_0000);

/** The part of a siginfo that means something, as text; pids are looked up in `relate`. */
function signalText(signal: SignalEvent): { exact: string; pid: number | null } {
  const { info, context } = signal;
  const code = info.readInt32LE(8);
  let exact = `${signal.signal} signo ${info.readInt32LE(0)} errno ${info.readInt32LE(4)} code ${code} mask 0x${context.readBigUInt64LE(0).toString(16)}`;
  let pid: number | null = null;
  if (
    code === SI_USER ||
    code === SI_TKILL ||
    code === SI_QUEUE ||
    (signal.signal === SIGCHLD && code > 0 && code <= 6)
  ) {
    pid = info.readInt32LE(16);
    exact += ` uid ${info.readUInt32LE(20)}`;
    if (code === SI_QUEUE) exact += ` value 0x${info.readBigUInt64LE(24).toString(16)}`;
    if (signal.signal === SIGCHLD && code > 0) exact += ` status ${info.readInt32LE(24)}`;
  } else if (code === SI_TIMER) {
    exact += ` value 0x${info.readBigUInt64LE(24).toString(16)}`;
  } else if (faults.includes(signal.signal) && code > 0) {
    const address = info.readBigUInt64LE(16);
    exact += ` addr ${chosen(Number(address)) ? `0x${address.toString(16)}` : 'anywhere'} trap ${context.readBigUInt64LE(48)}`;
  }
  return { exact, pid };
}

function compareSignals(script: TestScript, relations: Relations, one: Outcome, two: Outcome): string[] {
  const complaints: string[] = [];
  for (const section of script.sections) {
    if (section.signals === null) continue; // asynchronous ones may come any number of times
    const [mine, theirs] = [one, two].map((side) =>
      side.signals.filter((signal) => signal.owner === section.index).map(signalText),
    );
    mine.forEach((signal, i) => {
      const other = theirs[i];
      if (other === undefined) return;
      if (signal.exact !== other.exact)
        complaints.push(`signal ${i}: ${one.side} ${signal.exact}, ${two.side} ${other.exact}`);
      if (signal.pid !== null && other.pid !== null && (signal.pid === 0) !== (other.pid === 0)) {
        complaints.push(`signal ${i}: sender ${one.side} ${signal.pid}, ${two.side} ${other.pid}`);
      } else if (
        signal.pid !== null &&
        other.pid !== null &&
        !relations.agree('pid', String(signal.pid), String(other.pid))
      ) {
        complaints.push(`signal ${i}: sender: ${one.side} ${signal.pid}, ${two.side} ${other.pid}`);
      }
    });
  }
  return complaints;
}
