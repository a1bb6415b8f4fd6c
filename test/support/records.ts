/** Reads the executor's records (test/executor/script.h) and sorts them by test. */

export const RECORD_CALL = 1;
export const RECORD_MEMORY = 2;
export const RECORD_SIGNAL = 3;
export const RECORD_BEGIN = 4;
export const RECORD_END = 5;
export const RECORD_START = 6;
export const RECORD_AUXV = 7;
export const RECORD_REGISTERS = 8;
export const RECORD_TROUBLE = 9;
export const RECORD_DONE = 10;
/** Only of the script platform: this test asks for something that cannot be played. a: operation; payload: why. */
export const RECORD_UNPLAYABLE = 11;

/** Bytes before the payload. */
export const HEADER = 32;

export interface Record {
  readonly type: number;
  readonly test: number;
  readonly owner: number;
  readonly section: number;
  readonly op: number;
  readonly a: bigint;
  readonly b: bigint;
  readonly payload: Buffer;
}

/** Why the script platform cannot play a test, and which operation it is. */
export interface Unplayable {
  readonly op: number;
  readonly reason: string;
}

/** Everything one side reported about one test. */
export interface TestRecords {
  readonly records: Record[];
  /** Wait status, or null if the run ended first. */
  status: number | null;
  timedOut: boolean;
  elapsedMs: number;
  /** Why there is no status. */
  trouble: string[];
  unplayable?: Unplayable;
}

export interface RunRecords {
  readonly tests: Map<number, TestRecords>;
  /** The executor said that it ran the last test. */
  done: boolean;
  /** What could not be read at the end. */
  rest: number;
}

export function parseRecords(bytes: Buffer): RunRecords {
  const run: RunRecords = { tests: new Map(), done: false, rest: 0 };
  const of = (number: number): TestRecords => {
    let test = run.tests.get(number);
    if (test === undefined)
      run.tests.set(number, (test = { records: [], status: null, timedOut: false, elapsedMs: 0, trouble: [] }));
    return test;
  };
  let at = 0;
  while (at + HEADER <= bytes.length) {
    const size = bytes.readUInt32LE(at);
    if (size < HEADER || at + size > bytes.length) break;
    const record: Record = {
      type: bytes.readUInt8(at + 4),
      test: bytes.readUInt16LE(at + 6),
      owner: bytes.readUInt16LE(at + 8),
      section: bytes.readUInt16LE(at + 10),
      op: bytes.readUInt32LE(at + 12),
      a: bytes.readBigInt64LE(at + 16),
      b: bytes.readBigInt64LE(at + 24),
      payload: bytes.subarray(at + HEADER, at + size),
    };
    at += size;
    if (record.type === RECORD_DONE) {
      run.done = true;
      continue;
    }
    const test = of(record.test);
    if (record.type === RECORD_END) {
      test.status = Number(record.a);
      test.timedOut = record.b !== 0n;
      test.elapsedMs = Number(record.payload.readBigUInt64LE(0)) / 1e6;
    } else if (record.type === RECORD_TROUBLE) {
      test.trouble.push(`${record.payload.toString()}: ${record.a}`);
    } else if (record.type === RECORD_UNPLAYABLE) {
      test.unplayable ??= { op: Number(record.a), reason: record.payload.toString() };
    } else if (record.type !== RECORD_BEGIN) {
      test.records.push(record);
    }
  }
  run.rest = bytes.length - at;
  return run;
}
