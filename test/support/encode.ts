/** Writes scripts in the binary form of test/executor/script.h. */
import { MAX_OPS, type Op, type TestScript } from './script.js';

const MAGIC = 0x315453455456454cn;
const HEADER = 24;
const TEST = 32;
const REGION = 48;
const SECTION = 16;
const ARG = 24;
const OP = 16 + 7 * ARG;

export function encodeScripts(tests: readonly TestScript[]): Buffer {
  let size = HEADER + tests.length * TEST;
  for (const test of tests) {
    size += test.regions.length * REGION + test.sections.length * SECTION;
    for (const section of test.sections) size += section.ops.length * OP;
    for (const region of test.regions) size += (region.data.length + 7) & ~7;
  }
  const out = Buffer.alloc(size);
  out.writeBigUInt64LE(MAGIC, 0);
  out.writeUInt32LE(tests.length, 8);
  out.writeBigUInt64LE(BigInt(HEADER), 16);
  let free = HEADER + tests.length * TEST;
  const take = (length: number): number => {
    free += length;
    return free - length;
  };

  tests.forEach((test, index) => {
    const regions = take(test.regions.length * REGION);
    const sections = take(test.sections.length * SECTION);
    const at = HEADER + index * TEST;
    out.writeUInt32LE(test.noDiff ? 1 : 0, at);
    out.writeUInt32LE(test.timeoutMs, at + 4);
    out.writeUInt32LE(test.regions.length, at + 8);
    out.writeUInt32LE(test.sections.length, at + 12);
    out.writeBigUInt64LE(BigInt(regions), at + 16);
    out.writeBigUInt64LE(BigInt(sections), at + 24);
    test.regions.forEach((region, i) => {
      const data = take((region.data.length + 7) & ~7);
      out.set(region.data, data);
      const r = regions + i * REGION;
      [region.mapStart, region.mapEnd, region.dataStart, data, region.data.length].forEach((value, field) =>
        out.writeBigUInt64LE(BigInt(value), r + field * 8),
      );
      out.writeUInt32LE(region.fill, r + 40);
      out.writeUInt32LE(region.quiet ? 1 : 0, r + 44);
    });
    test.sections.forEach((section, i) => {
      const ops = take(section.ops.length * OP);
      const s = sections + i * SECTION;
      out.writeUInt32LE(section.kind, s);
      out.writeUInt32LE(section.ops.length, s + 4);
      out.writeBigUInt64LE(BigInt(ops), s + 8);
      section.ops.forEach((op, o) => writeOp(out, ops + o * OP, op));
    });
  });
  return out;
}

function writeOp(out: Buffer, at: number, op: Op): void {
  if (op.id >= MAX_OPS) throw new Error('too many operations in one test');
  out.writeUInt16LE(op.kind, at);
  out.writeUInt16LE(op.flags, at + 2);
  out.writeUInt32LE(op.id, at + 4);
  out.writeUInt32LE(op.nr >>> 0, at + 8);
  out.writeUInt32LE(op.target >>> 0, at + 12);
  op.args.forEach((arg, i) => {
    const a = at + 16 + i * ARG;
    out.writeUInt32LE(arg.kind, a);
    out.writeBigInt64LE(BigInt.asIntN(64, arg.value), a + 8);
    out.writeBigInt64LE(BigInt.asIntN(64, arg.addend), a + 16);
  });
}
