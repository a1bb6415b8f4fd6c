/** Forms the executor's records (test/executor/script.h), which travel through the guest's own channel as the executor's do. */
import { HEADER } from '../records.js';

/** What one write carries: a pipe keeps so many bytes together. */
const CAPACITY = 4096;

/** Records of one level of the executor, until they are written. */
export class Out {
  readonly section: number;
  #parts: Buffer[] = [];
  #used = 0;

  constructor(section: number) {
    this.section = section;
  }

  /** False when the record does not fit any more: flush first. */
  fits(length: number): boolean {
    return this.#used + HEADER + length <= CAPACITY;
  }

  add(
    type: number,
    where: { test: number; owner: number },
    op: number,
    a: bigint,
    b: bigint,
    payload: Uint8Array = new Uint8Array(0),
  ): void {
    const record = Buffer.alloc(HEADER + payload.length);
    record.writeUInt32LE(record.length, 0);
    record.writeUInt8(type, 4);
    record.writeUInt16LE(where.test, 6);
    record.writeUInt16LE(where.owner & 0xffff, 8);
    record.writeUInt16LE(this.section & 0xffff, 10);
    record.writeUInt32LE(op, 12);
    record.writeBigInt64LE(BigInt.asIntN(64, a), 16);
    record.writeBigInt64LE(BigInt.asIntN(64, b), 24);
    record.set(payload, HEADER);
    this.#parts.push(record);
    this.#used += record.length;
  }

  /** All bytes so far; empty afterwards. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#used = 0;
    return bytes;
  }
}
