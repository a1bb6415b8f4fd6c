/** The executor's signal handler: reports the siginfo and the frame that the kernel built, and runs the script's handler. */
import type { Code, Processor } from '../../../src/platform/script/processor.js';
import { RECORD_SIGNAL } from '../records.js';
import { NO_SECTION } from '../script.js';
import type { PlayedExecutor } from './executor.js';
import { Out } from './records.js';

const INFO_BYTES = 48;
const UCONTEXT_BYTES = 57 * 8;
const FRAME_BYTES = 4096 + 400;

export function* onSignal(executor: PlayedExecutor, p: Processor): Code {
  const { arch } = executor;
  const { regs } = p.thread;
  const [number, second, third] = regs.layout.args.map((word) => regs.get(word));
  const entry = p.sp;
  const info = arch.frame === null ? second : entry + arch.frame.info;
  const uc = arch.frame === null ? third : entry + arch.frame.context;
  const link = arch.stackReturn ? 0 : regs.get(30);
  const data = executor.data(p);
  const section = data.handlers.get(number) ?? NO_SECTION;
  p.sp = Math.floor(entry / 16) * 16 - FRAME_BYTES;

  const context = yield* p.load(uc, UCONTEXT_BYTES);
  const word = (index: number | null): bigint => (index === null ? 0n : context.readBigUInt64LE(index * 8));
  const shown = [word(arch.mask), word(0), word(2), word(3) & 0xffff_ffffn, word(4), BigInt(p.sp)];
  shown.push(word(arch.trap), word(arch.fault));
  const payload = Buffer.concat([yield* p.load(info, INFO_BYTES), Buffer.from(BigUint64Array.from(shown).buffer)]);
  const out = new Out(section);
  yield* executor.emit(p, out, RECORD_SIGNAL, 0, BigInt(number), 0n, payload);
  yield* executor.flush(p, out);

  // A touch that failed goes on behind the access.
  const pc = Number(word(arch.pc));
  const touching = pc >= executor.symbol('touch_read') && pc < executor.symbol('touch_end');
  const failed = touching
    ? executor.symbol('touch_failed')
    : data.touchTarget !== 0 && pc === data.touchTarget
      ? executor.symbol('touch_execute_failed')
      : null;
  if (failed !== null) yield* p.store(uc + arch.pc * 8, Buffer.from(BigUint64Array.of(BigInt(failed)).buffer));
  if (section !== NO_SECTION) yield* executor.run(p, section, NO_SECTION);

  p.sp = entry;
  let restorer = link;
  if (arch.stackReturn) {
    restorer = Number((yield* p.load(entry, 8)).readBigUInt64LE());
    p.sp = entry + 8;
  }
  if (restorer !== executor.symbol('restorer')) {
    yield* executor.trouble(p, `a handler returns to 0x${restorer.toString(16)}`, 0n);
    yield* executor.exitGroup(p, 117);
  }
  yield* executor.sigreturn(p);
}
