/**
 * What happened on one side: the executor's records put in order and replayed, so that memory is known after every operation.
 *
 * An event is one execution of one operation. Its owner is the process (named by the section it began with); memory belongs to
 * owners, copied at a fork and shared after vfork and CLONE_VM.
 */
import type { Mem, Pointer } from './memory.js';
import {
  RECORD_AUXV,
  RECORD_CALL,
  RECORD_MEMORY,
  RECORD_REGISTERS,
  RECORD_SIGNAL,
  RECORD_START,
  type TestRecords,
  type Unplayable,
} from './records.js';
import type { Call } from './builder.js';
import { OP_SPAWN, SECTION_PROCESS, type Op, type TestScript } from './script.js';

export interface Change {
  readonly address: number;
  readonly bytes: Buffer;
}

export interface Event {
  readonly key: string;
  readonly owner: number;
  readonly section: number;
  readonly op: number;
  /** Null for what a child finds changed before its first operation. */
  result: bigint | null;
  elapsedNs: number;
  readonly changes: Change[];
  /** Registers, strings and auxv that the operation reported. */
  readonly extra: { type: number; a: bigint; b: bigint; payload: Buffer }[];
}

export interface SignalEvent {
  readonly owner: number;
  readonly signal: number;
  readonly info: Buffer;
  readonly context: Buffer;
}

export interface Outcome {
  readonly side: string;
  /** Whether it is levitate, on whichever platform, and not Linux itself. */
  readonly levitate: boolean;
  readonly events: Event[];
  readonly byKey: Map<string, Event>;
  readonly signals: SignalEvent[];
  readonly status: number | null;
  readonly timedOut: boolean;
  readonly trouble: readonly string[];
  /** Why this side cannot play the script at all. */
  readonly unplayable: Unplayable | undefined;
}

/** What a check sees: results so far, and memory right after the operation it is attached to. */
export interface View {
  readonly side: string;
  bytes(address: number, length: number): Buffer;
  u32(at: Pointer | Mem): number;
  i32(at: Pointer | Mem): number;
  u64(at: Pointer | Mem): number;
  i64(at: Pointer | Mem): number;
  /** The result of a call (the last one, if it ran more than once). */
  value(call: Call): number;
  /** The bytes that the checked operation itself reported (peek), wherever they lie. */
  reported(): Buffer;
  /** What start() and registers() reported. */
  extra(call: Call): Event['extra'];
  /** Signals that handlers of this process see in the whole test. */
  readonly signals: readonly SignalEvent[];
}

export function outcomeOf(side: string, test: TestRecords): Outcome {
  const outcome: Outcome = {
    side,
    levitate: !side.startsWith('host'),
    events: [],
    byKey: new Map(),
    signals: [],
    status: test.status,
    timedOut: test.timedOut,
    trouble: test.trouble,
    unplayable: test.unplayable,
  };
  const open = new Map<string, Event>();
  const counts = new Map<string, number>();
  for (const record of test.records) {
    if (record.type === RECORD_SIGNAL) {
      outcome.signals.push({
        owner: record.owner,
        signal: Number(record.a),
        info: record.payload.subarray(0, 48),
        context: record.payload.subarray(48),
      });
      continue;
    }
    const place = `${record.owner}/${record.section}/${record.op}`;
    let event = open.get(place);
    // CALL is the first record of an operation; only what clone wrote for a child comes without one.
    if (event === undefined || record.type === RECORD_CALL) {
      const count = counts.get(place) ?? 0;
      counts.set(place, count + 1);
      event = {
        key: `${place}#${count}`,
        owner: record.owner,
        section: record.section,
        op: record.op,
        result: null,
        elapsedNs: 0,
        changes: [],
        extra: [],
      };
      open.set(place, event);
      outcome.events.push(event);
      outcome.byKey.set(event.key, event);
    }
    if (record.type === RECORD_CALL) {
      event.result = record.a;
      event.elapsedNs = Number(record.b);
    } else if (record.type === RECORD_MEMORY) {
      event.changes.push({ address: Number(record.a), bytes: record.payload });
    } else if (record.type === RECORD_REGISTERS || record.type === RECORD_START || record.type === RECORD_AUXV) {
      event.extra.push({ type: record.type, a: record.a, b: record.b, payload: record.payload });
    }
  }
  return outcome;
}

interface Chunk {
  readonly start: number;
  bytes: Buffer;
}

class Memory {
  readonly #chunks: Chunk[];
  /** Changes outside the script's regions (reports of memory the script mapped). */
  readonly #other: Change[];
  constructor(chunks: Chunk[], other: Change[]) {
    this.#chunks = chunks;
    this.#other = other;
  }

  copy(): Memory {
    return new Memory(
      this.#chunks.map(({ start, bytes }) => ({ start, bytes: Buffer.from(bytes) })),
      [...this.#other],
    );
  }

  apply(change: Change): void {
    for (const { start, bytes } of this.#chunks) {
      if (change.address >= start && change.address < start + bytes.length) {
        change.bytes.copy(bytes, change.address - start);
        return;
      }
    }
    this.#other.push(change);
  }

  read(address: number, length: number): Buffer {
    for (const { start, bytes } of this.#chunks) {
      if (address >= start && address + length <= start + bytes.length) {
        return bytes.subarray(address - start, address - start + length);
      }
    }
    const out = Buffer.alloc(length);
    for (const change of this.#other) {
      const from = Math.max(address, change.address);
      const to = Math.min(address + length, change.address + change.bytes.length);
      if (from < to) change.bytes.copy(out, from - address, from - change.address, to - change.address);
    }
    return out;
  }
}

function initialMemory(script: TestScript): Memory {
  const chunks = script.regions.map((region) => {
    const bytes = Buffer.alloc(region.mapEnd - region.mapStart, region.fill);
    bytes.set(region.data, region.dataStart - region.mapStart);
    return { start: region.mapStart, bytes };
  });
  return new Memory(chunks, []);
}

/** Plays the events in order and calls `visit` after each, with a view of that moment. */
export function replay(
  script: TestScript,
  outcome: Outcome,
  visit: (event: Event, view: View, read: (address: number, length: number) => Buffer) => void,
): void {
  const memories = new Map<number, Memory>();
  const initial = initialMemory(script);
  const results = new Map<number, Event>();
  const memoryOf = (owner: number): Memory => {
    let memory = memories.get(owner);
    if (memory === undefined) {
      const from = script.sections[owner]?.from ?? null;
      if (from === null) memory = owner === 0 ? initial : initialMemory(script);
      else memory = from.shared ? memoryOf(from.section) : memoryOf(from.section).copy();
      memories.set(owner, memory);
    }
    return memory;
  };
  memoryOf(0);
  for (const event of outcome.events) {
    const memory = memoryOf(event.owner);
    const op = opOf(script, event);
    if (op !== undefined) results.set(op.id, event);
    // A fork copies the memory of this moment, whether the parent or the child reports first.
    if (op?.kind === OP_SPAWN && script.sections[op.target].kind === SECTION_PROCESS) memoryOf(op.target);
    for (const change of event.changes) memory.apply(change);
    const view: View = {
      side: outcome.side,
      bytes: (address, length) => memory.read(address, length),
      u32: (at) => memory.read(at.address, 4).readUInt32LE(),
      i32: (at) => memory.read(at.address, 4).readInt32LE(),
      u64: (at) => Number(memory.read(at.address, 8).readBigUInt64LE()),
      i64: (at) => Number(memory.read(at.address, 8).readBigInt64LE()),
      value: (call) => Number(results.get(call.op.id)?.result ?? NaN),
      reported: () => Buffer.concat(event.changes.map((change) => change.bytes)),
      extra: (call) => results.get(call.op.id)?.extra ?? [],
      signals: outcome.signals.filter((signal) => signal.owner === event.owner),
    };
    visit(event, view, (address, length) => Buffer.from(memory.read(address, length)));
  }
}

export function opOf(script: TestScript, event: Event): Op | undefined {
  return script.sections[event.section]?.ops.find((op) => op.id === event.op);
}
