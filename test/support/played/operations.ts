/** The executor's operations: each ends with a record of its result and of every byte that changed. */
import type { Code, Processor } from '../../../src/platform/script/processor.js';
import { RECORD_AUXV, RECORD_CALL, RECORD_REGISTERS, RECORD_START } from '../records.js';
import {
  ARG_LOAD32,
  ARG_LOAD64,
  ARG_NEGATED,
  ARG_RESULT,
  ARG_SYMBOL,
  OP_CALL,
  OP_COPY,
  OP_FILL,
  OP_HANDLE,
  OP_REGISTERS,
  OP_REPORT,
  OP_SPAWN,
  OP_SPIN,
  OP_START,
  OP_STORE,
  OP_TIMED,
  OP_TOUCH,
  OP_WAIT_BLOCKED,
  OP_WAIT_WORD,
  SYMBOL_HANDLER,
  SYMBOL_RESTORER,
  SYMBOL_RETURN,
  type EncodedArg,
  type Op,
} from '../script.js';
import { ETIMEDOUT, type PlayedExecutor } from './executor.js';
import type { Out } from './records.js';
import { registers } from './registers.js';
import { startReport } from './start-report.js';
import { touch } from './touch.js';

/** How often a spinning thread looks at its word before the others get a turn. */
const LOOKS_PER_TURN = 2000;

function* valueOf(executor: PlayedExecutor, p: Processor, arg: EncodedArg): Code<bigint> {
  const { results } = executor.data(p);
  const { value, addend } = arg;
  switch (arg.kind) {
    case ARG_RESULT:
      return (results.get(Number(value)) ?? 0n) + addend;
    case ARG_NEGATED:
      return addend - (results.get(Number(value)) ?? 0n);
    case ARG_LOAD32:
      return BigInt((yield* p.load(Number(value), 4)).readInt32LE()) + addend;
    case ARG_LOAD64:
      return (yield* p.load(Number(value), 8)).readBigInt64LE() + addend;
    case ARG_SYMBOL: {
      const symbol = Number(value);
      if (symbol === SYMBOL_HANDLER) return BigInt(executor.symbol(executor.arch.handler));
      if (symbol === SYMBOL_RESTORER) return BigInt(executor.symbol('restorer'));
      if (symbol === SYMBOL_RETURN) return BigInt(executor.symbol('function_return'));
      return BigInt(p.sp) + addend;
    }
    default:
      return value + addend;
  }
}

/** As an address: where the bits lie in the lower half they are exact. */
const at = (value: bigint): number => Number(BigInt.asUintN(64, value));

export function* operate(executor: PlayedExecutor, p: Processor, out: Out, op: Op): Code {
  const data = executor.data(p);
  const me = data.owner;
  const v: bigint[] = [];
  for (const arg of op.args) v.push(yield* valueOf(executor, p, arg));
  const timed = (op.flags & OP_TIMED) !== 0;
  const start = timed ? yield* executor.nowNs(p) : 0n;
  let result = 0n;
  let saved: Buffer | null = null;
  switch (op.kind) {
    case OP_CALL:
      result = yield* p.call(op.nr, ...v.slice(0, 6));
      break;
    case OP_SPAWN:
      result = yield* executor.spawn(p, op.nr, v.slice(0, 6), at(v[6]), (c) => executor.childStart(c, op));
      data.owner = me; // a vfork child has set it
      break;
    case OP_STORE: {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt.asUintN(64, v[1]));
      yield* p.store(at(v[0]), bytes.subarray(0, op.nr));
      break;
    }
    case OP_REPORT:
    case OP_HANDLE:
    case OP_START:
      if (op.kind === OP_HANDLE) data.handlers.set(op.nr, op.target);
      break;
    case OP_FILL:
      yield* p.store(at(v[0]), Buffer.alloc(at(v[1]), at(v[2]) & 0xff));
      break;
    case OP_COPY:
      yield* copy(p, at(v[0]), at(v[1]), at(v[2]));
      break;
    case OP_TOUCH:
      result = yield* touch(executor, p, op, at(v[0]));
      break;
    case OP_WAIT_WORD:
      result = yield* waitWord(executor, p, at(v[0]), Number(BigInt.asUintN(32, v[1])), v[2]);
      break;
    case OP_SPIN:
      result = yield* spin(p, at(v[0]), Number(BigInt.asUintN(32, v[1])), Number(v[2]));
      break;
    case OP_WAIT_BLOCKED:
      result = yield* waitBlocked(executor, p, v[0]);
      break;
    case OP_REGISTERS:
      ({ result, saved } = yield* registers(p, op.nr, v.slice(0, 6)));
      break;
    default:
      yield* executor.trouble(p, 'unknown operation', BigInt(op.kind));
  }
  const elapsed = timed ? (yield* executor.nowNs(p)) - start : 0n;
  data.results.set(op.id, result);
  yield* executor.emit(p, out, RECORD_CALL, op.id, result, elapsed);
  if (op.kind === OP_REPORT) yield* executor.emitMemory(p, out, op.id, at(v[0]), yield* p.load(at(v[0]), at(v[1])));
  if (op.kind === OP_START) {
    const report = yield* startReport(executor, p);
    yield* executor.emit(p, out, RECORD_START, op.id, report.argc, report.envc, report.strings);
    yield* executor.emit(p, out, RECORD_AUXV, op.id, report.sp, report.registers, report.auxv);
    yield* executor.flush(p, out);
  }
  if (saved !== null) yield* executor.emit(p, out, RECORD_REGISTERS, op.id, result, 0n, saved);
  yield* executor.diff(p, out, op.id);
  yield* executor.flush(p, out);
}

/** Byte by byte upwards, as the executor does it: what lies within reach of its own result repeats itself. */
function* copy(p: Processor, to: number, from: number, length: number): Code {
  const distance = to - from;
  const step = distance > 0 && distance < length ? distance : length;
  for (let done = 0; done < length; done += step) {
    const n = Math.min(step, length - done);
    yield* p.store(to + done, yield* p.load(from + done, n));
  }
}

function* waitWord(
  executor: PlayedExecutor,
  p: Processor,
  address: number,
  value: number,
  timeoutMs: bigint,
): Code<bigint> {
  const end = (yield* executor.nowNs(p)) + timeoutMs * 1_000_000n;
  while ((yield* p.load(address, 4)).readUInt32LE() !== value) {
    if ((yield* executor.nowNs(p)) > end) return ETIMEDOUT;
    yield* executor.sleepUs(p, 100);
  }
  return 0n;
}

function* spin(p: Processor, address: number, value: number, rounds: number): Code<bigint> {
  for (let round = 1; (yield* p.load(address, 4)).readUInt32LE() !== value; round++) {
    if (round > rounds) return ETIMEDOUT;
    if (round % LOOKS_PER_TURN === 0) yield* p.spin();
  }
  return 0n;
}

/** Until /proc says that the task sleeps; without /proc, 10 ms. */
function* waitBlocked(executor: PlayedExecutor, p: Processor, id: bigint): Code<bigint> {
  for (let round = 0; round < 2000; round++) {
    const path = `/proc/${BigInt.asUintN(64, id)}/stat`;
    const fd = yield* executor.pathCall(p, 'openat', path, (name) => [-100, name, 0x80000]);
    if (fd < 0n) {
      yield* executor.sleepUs(p, 10_000);
      return 0n;
    }
    const text = yield* executor.onStack(p, Buffer.alloc(256), function* (buffer) {
      const n = yield* executor.call(p, 'read', fd, buffer, 256);
      return n > 0n ? (yield* p.load(buffer, Number(n))).toString('latin1') : '';
    });
    yield* executor.call(p, 'close', fd);
    if (/\) [SZT]/.test(text)) return 0n;
    yield* executor.sleepUs(p, 200);
  }
  return ETIMEDOUT;
}
