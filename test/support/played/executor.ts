/**
 * The executor in TypeScript: the same scripts that test/executor/executor.c runs, played on the script platform without a process.
 *
 * It makes the same system calls in the same order and keeps the same memory (stack, regions, their copies), so that the kernel sees
 * the same program; the real executor is loaded by exec all the same, and says at which addresses the code lies. What
 * the C version keeps in its variables is `Data`, one per address space. operations.ts plays the operations.
 */
import type { ScriptSpace } from '../../../src/platform/script/address-space.js';
import type { Code, Processor, Program } from '../../../src/platform/script/processor.js';
import { numberOf, type SyscallName } from '../builder.js';
import { hostArch } from '../executor.js';
import { RECORD_MEMORY, RECORD_TROUBLE, RECORD_UNPLAYABLE } from '../records.js';
import { NO_SECTION, PAGE, SECTION_PROCESS, SECTION_THREAD, type Op, type TestScript } from '../script.js';
import { ARCHS } from './arch.js';
import type { Image } from './image.js';
import { onSignal } from './handler.js';
import { operate } from './operations.js';
import { Out } from './records.js';
import { start } from './run-tests.js';
import type { Entry } from './start-report.js';

/** Script addresses and descriptors of script.h. */
export const SHADOW_OFFSET = 0x1_0000_0000;
export const CHANNEL = 1000;

export const EINTR = -4n;
export const EAGAIN = -11n;
export const ETIMEDOUT = -110n;

/** Stack that a level of the executor takes: its records and its variables. */
const OUT_BYTES = 4096;
const FRAME_BYTES = OUT_BYTES + 272;

/** The executor's variables: in its memory, hence copied by fork and shared by threads and vfork. */
export class Data {
  testNumber = 0;
  owner = 0;
  readonly handlers = new Map<number, number>();
  readonly results = new Map<number, bigint>();
  /** Where a touch is trying to jump to. */
  touchTarget = 0;
  entry: Entry = { sp: 0, registers: 0n };

  copy(): Data {
    const copy = new Data();
    copy.testNumber = this.testNumber;
    copy.owner = this.owner;
    copy.touchTarget = this.touchTarget;
    copy.entry = this.entry;
    for (const [signal, section] of this.handlers) copy.handlers.set(signal, section);
    for (const [op, result] of this.results) copy.results.set(op, result);
    return copy;
  }
}

export class PlayedExecutor implements Program {
  readonly scripts: readonly TestScript[];
  readonly image: Image;
  readonly arch = ARCHS[hostArch];
  readonly callSite: number;
  readonly #data = new WeakMap<ScriptSpace, Data>();
  /** What the child of the system call that a processor is at will run. */
  readonly #children = new WeakMap<Processor, (child: Processor) => Code>();

  constructor(scripts: readonly TestScript[], image: Image) {
    this.scripts = scripts;
    this.image = image;
    this.callSite = this.symbol('registers');
  }

  symbol(name: string): number {
    const address = this.image.symbols.get(name);
    if (address === undefined) throw new Error(`the executor has no symbol ${name}`);
    return address;
  }
  data(p: Processor): Data {
    let data = this.#data.get(p.space);
    if (data === undefined) this.#data.set(p.space, (data = new Data()));
    return data;
  }
  test(p: Processor): TestScript {
    return this.scripts[this.data(p).testNumber];
  }

  enter(p: Processor): Code {
    const { ip } = p.thread.regs;
    if (ip === this.symbol(this.arch.handler)) return onSignal(this, p);
    p.reset();
    if (ip !== this.image.entry) return this.#lost(p, ip);
    this.#data.set(p.space, new Data());
    return start(this, p);
  }
  cloned(child: Processor, parent: Processor): void {
    if (child.space !== parent.space) this.#data.set(child.space, this.data(parent).copy());
    const code = this.#children.get(parent);
    child.begin(code === undefined ? this.#stray(child) : code(child));
  }

  *#lost(p: Processor, ip: number): Code {
    p.sp = Math.floor(p.sp / 16) * 16 - 512;
    yield* this.trouble(p, `there is no code of the executor at 0x${ip.toString(16)}`, 0n);
    yield* this.exitGroup(p, 117);
  }
  *#stray(p: Processor): Code {
    yield* this.trouble(p, 'a process was made by an operation other than spawn', 0n);
    yield* this.exitGroup(p, 117);
  }
  /** What cannot be played: said in the records, so that the test counts as left out. */
  *unplayable(p: Processor, op: number, reason: string): Code<never> {
    yield* this.report(p, RECORD_UNPLAYABLE, reason, BigInt(op));
    return yield* this.exitGroup(p, 117);
  }
  *exitGroup(p: Processor, status: number): Code<never> {
    yield* this.call(p, 'exit_group', status);
    throw new Error('exit_group returned');
  }

  // ---- records ----

  *emit(p: Processor, out: Out, type: number, op: number, a: bigint, b: bigint, payload?: Uint8Array): Code {
    if (!out.fits(payload?.length ?? 0)) yield* this.flush(p, out);
    const { testNumber, owner } = this.data(p);
    out.add(type, { test: testNumber, owner }, op, a, b, payload);
  }
  *flush(p: Processor, out: Out): Code {
    const bytes = out.take();
    if (bytes.length === 0) return;
    const at = p.sp + 16;
    yield* p.store(at, bytes);
    for (let done = 0; done < bytes.length;) {
      const n = yield* this.call(p, 'write', CHANNEL, at + done, bytes.length - done);
      if (n > 0n) done += Number(n);
      else if (n !== EINTR && n !== EAGAIN) return;
    }
  }
  *trouble(p: Processor, text: string, error: bigint): Code {
    yield* this.report(p, RECORD_TROUBLE, text, error);
  }
  *report(p: Processor, type: number, text: string, a: bigint): Code {
    const out = new Out(0);
    const { sp } = p;
    p.sp = sp - FRAME_BYTES;
    yield* this.emit(p, out, type, 0, a, 0n, Buffer.from(text));
    yield* this.flush(p, out);
    p.sp = sp;
  }

  // ---- what a libc would have ----

  number(name: SyscallName): number {
    return numberOf(name);
  }
  call(p: Processor, name: SyscallName, ...args: (number | bigint)[]): Code<bigint> {
    return p.call(numberOf(name), ...args);
  }
  /** What the restorer does. */
  *sigreturn(p: Processor): Code {
    const { thread } = p;
    const { layout } = thread.regs;
    thread.regs.ip = this.symbol('restorer') + this.arch.restorerCall;
    thread.setWord(layout.arch === 'x86_64' ? layout.ret : layout.nr, numberOf('rt_sigreturn'));
    yield* p.leave();
  }

  /** Runs `body` with these bytes on the stack. */
  *onStack<T>(p: Processor, bytes: Uint8Array, body: (at: number) => Code<T>): Code<T> {
    const { sp } = p;
    p.sp = sp - Math.ceil(bytes.length / 16) * 16;
    yield* p.store(p.sp, bytes);
    const result = yield* body(p.sp);
    p.sp = sp;
    return result;
  }
  onStackWords<T>(p: Processor, words: readonly (number | bigint)[], body: (at: number) => Code<T>): Code<T> {
    return this.onStack(p, Buffer.from(BigInt64Array.from(words, BigInt).buffer), body);
  }
  /** A system call whose first pointer argument is a path. */
  pathCall(p: Processor, name: SyscallName, path: string, args: (path: number) => (number | bigint)[]): Code<bigint> {
    return this.onStack(p, Buffer.from(`${path}\0`), (at) => this.call(p, name, ...args(at)));
  }
  nowNs(p: Processor): Code<bigint> {
    const call = this.call.bind(this);
    return this.onStackWords(p, [0, 0], function* (at) {
      yield* call(p, 'clock_gettime', 1, at);
      const time = yield* p.load(at, 16);
      return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8);
    });
  }
  sleepUs(p: Processor, us: number): Code<bigint> {
    return this.onStackWords(p, [0, us * 1000], (at) => this.call(p, 'nanosleep', at, 0));
  }

  // ---- memory of a test ----

  /** MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS */
  map(p: Processor, address: number, length: number): Code<bigint> {
    return this.call(p, 'mmap', address, length, 3, 0x32, -1, 0);
  }
  *mapRegions(p: Processor): Code {
    for (const region of this.test(p).regions) {
      const length = region.mapEnd - region.mapStart;
      for (let copy = 0; copy < (region.quiet ? 1 : 2); copy++) {
        const base = region.mapStart + copy * SHADOW_OFFSET;
        const got = yield* this.map(p, base, length);
        if (got !== BigInt(base)) {
          yield* this.trouble(p, 'mmap of a region', got);
          continue;
        }
        if (region.fill !== 0) yield* p.store(base, Buffer.alloc(length, region.fill));
        if (region.data.length > 0) yield* p.store(base + region.dataStart - region.mapStart, region.data);
      }
    }
  }
  *emitMemory(p: Processor, out: Out, op: number, address: number, bytes: Buffer): Code {
    for (let at = 0; at < bytes.length; at += 2048)
      yield* this.emit(p, out, RECORD_MEMORY, op, BigInt(address + at), 0n, bytes.subarray(at, at + 2048));
  }

  // ---- sections ----

  *run(p: Processor, index: number, spawnedBy: number): Code {
    const { sp } = p;
    p.sp = Math.floor(sp / 16) * 16 - FRAME_BYTES;
    const out = new Out(index);
    const test = this.test(p);
    if (spawnedBy !== NO_SECTION) {
      yield* this.diff(p, out, spawnedBy); // what clone itself wrote for the child
      yield* this.flush(p, out);
    }
    for (const op of test.sections[index].ops) yield* operate(this, p, out, op);
    p.sp = sp;
  }
  *diff(p: Processor, out: Out, op: number): Code {
    const test = this.test(p);
    if (test.noDiff) return;
    for (const region of test.regions) {
      if (region.quiet) continue;
      for (let page = region.mapStart; page < region.mapEnd; page += PAGE) {
        const now = yield* p.load(page, PAGE);
        const then = yield* p.load(page + SHADOW_OFFSET, PAGE);
        if (!now.equals(then)) yield* this.#differences(p, out, op, page, now, then);
      }
    }
  }
  /** Words that changed, as runs. */
  *#differences(p: Processor, out: Out, op: number, page: number, now: Buffer, then: Buffer): Code {
    const same = (at: number): boolean => now.compare(then, at, at + 8, at, at + 8) === 0;
    for (let at = 0; at < PAGE;) {
      if (same(at)) {
        at += 8;
        continue;
      }
      const first = at;
      while (at < PAGE && !same(at)) at += 8;
      const changed = now.subarray(first, at);
      yield* p.store(page + first + SHADOW_OFFSET, changed);
      yield* this.emitMemory(p, out, op, page + first, changed);
    }
  }

  // ---- processes ----

  /** A system call that makes a process or a thread, which runs `child`. */
  *spawn(
    p: Processor,
    nr: number,
    args: readonly (number | bigint)[],
    stack: number,
    child: (p: Processor) => Code,
  ): Code<bigint> {
    const onItsStack = function* (c: Processor): Code {
      if (stack !== 0) c.sp = stack;
      c.sp = Math.floor(c.sp / 16) * 16 - 16;
      yield* child(c);
    };
    this.#children.set(p, onItsStack);
    const result = yield* p.call(nr, ...args);
    this.#children.delete(p);
    return result;
  }
  *childStart(p: Processor, op: Op): Code {
    const { kind } = this.test(p).sections[op.target];
    if (kind === SECTION_PROCESS) this.data(p).owner = op.target;
    yield* this.run(p, op.target, op.id);
    if (kind === SECTION_THREAD) yield* this.call(p, 'exit', 0);
    else yield* this.exitGroup(p, 0);
  }
}
