/** OP_TOUCH: one access, at the instruction where the executor makes it; -1 if a handler says that it failed. */
import type { Code, Processor } from '../../../src/platform/script/processor.js';
import type { Op } from '../script.js';
import type { PlayedExecutor } from './executor.js';

export const TOUCH_READ = 0;
export const TOUCH_WRITE = 1;

export function* touch(executor: PlayedExecutor, p: Processor, op: Op, address: number): Code<bigint> {
  const how = op.nr;
  const { regs } = p.thread;
  const { ip, sp } = regs;
  const data = executor.data(p);
  let result: bigint;
  if (how === TOUCH_READ || how === TOUCH_WRITE) result = yield* access(executor, p, how, address);
  else {
    data.touchTarget = address;
    result = yield* execute(executor, p, op, address);
    data.touchTarget = 0;
  }
  regs.ip = ip;
  regs.sp = sp;
  return result;
}

function* access(executor: PlayedExecutor, p: Processor, how: number, address: number): Code<bigint> {
  const { thread } = p;
  const site = executor.symbol(how === TOUCH_READ ? 'touch_read' : 'touch_write');
  const failed = executor.symbol('touch_failed');
  thread.regs.ip = site;
  const byte = Buffer.of(0x5a);
  while (thread.regs.ip !== failed) {
    const done = how === TOUCH_READ ? p.space.load(address, byte, 0, 1) : p.space.store(address, byte, 0, 1);
    if (done === 1) return how === TOUCH_READ ? BigInt(byte[0]) : 0n;
    yield* p.stop(thread.faultAt(address, how), site, failed);
  }
  return -1n;
}

/** Calls the address. The only code that can be played there is a return. */
function* execute(executor: PlayedExecutor, p: Processor, op: Op, address: number): Code<bigint> {
  const { arch } = executor;
  const { regs } = p.thread;
  const failed = executor.symbol('touch_execute_failed');
  if (arch.stackReturn) {
    regs.sp -= 16;
    yield* p.store(regs.sp, Buffer.from(BigUint64Array.of(BigInt(executor.symbol('touch_execute'))).buffer));
  }
  regs.ip = address;
  while (regs.ip !== failed) {
    const fault = p.fetch();
    if (fault === null) {
      const code = Buffer.alloc(arch.returnInstruction.length);
      const read = p.space.load(address, code, 0, code.length);
      if (read === code.length && code.equals(arch.returnInstruction)) return 0n;
      regs.ip = executor.callSite;
      return yield* executor.unplayable(p, op.id, `it executes instructions of its own (${code.toString('hex')}...)`);
    }
    yield* p.stop(fault, address, failed);
  }
  return -1n;
}
