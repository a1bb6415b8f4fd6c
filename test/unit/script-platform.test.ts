/** The script platform: turns of threads, the processor's stops, restarts, handlers and new threads, without a kernel. */
import { expect, test } from '@jest/globals';
import { X86 } from '../../src/abi/registers.js';
import { HostError, STOP_INTERRUPTED, STOP_NONE, STOP_SIGNAL, STOP_SYSCALL } from '../../src/platform/platform.js';
import { ScriptPlatform } from '../../src/platform/script/platform.js';
import { playing, type Code, type Processor, type Program } from '../../src/platform/script/processor.js';
import { SPINNING, type ScriptThread } from '../../src/platform/script/thread.js';

const CODE = 0x1000;
const HANDLER = 0x1800;
const CALL_SITE = 0x1400;
const MIB = 2 ** 20;

/** A thread whose program is `main`, at CODE, with handlers at HANDLER. */
function machine(main: (p: Processor) => Code, handler: (p: Processor) => Code = main) {
  const children: Processor[] = [];
  const program: Program = {
    callSite: CALL_SITE,
    enter: (p) => (p.thread.regs.ip === HANDLER ? handler(p) : main(p)),
    cloned: (child) => {
      children.push(child);
      child.begin(main(child));
    },
  };
  const platform = new ScriptPlatform({ ...playing(program), physicalBytes: MIB, maxThreads: 3 });
  const { space, thread } = platform.createAddressSpace();
  space.mapAnonymous(0x1000, 0x1000, 5);
  thread.regs.ip = CODE;
  return { platform, space, thread, children };
}

const go = (platform: ScriptPlatform, thread: ScriptThread): number => {
  thread.resume();
  return platform.wait(0);
};

test('a system call, its result, and a restart', () => {
  const results: bigint[] = [];
  const { platform, thread } = machine(function* (p) {
    results.push(yield* p.call(39, 1, -1n, 0xffff_ffff_ffff_fff0n));
  });
  const { regs } = thread;
  expect(go(platform, thread)).toBe(STOP_SYSCALL);
  expect([regs.nr, regs.ret, regs.ip, regs.get(X86.rcx)]).toEqual([39, -38, CALL_SITE + 2, CALL_SITE + 2]);
  expect([thread.word(X86.rdi), thread.word(X86.rsi), thread.word(X86.rdx)]).toEqual([
    1n,
    0xffff_ffff_ffff_ffffn,
    0xffff_ffff_ffff_fff0n,
  ]);
  // What a kernel does to have restart_syscall run.
  regs.set(X86.rax, 219);
  regs.ip -= 2;
  expect(go(platform, thread)).toBe(STOP_SYSCALL);
  expect([regs.nr, regs.ip]).toEqual([219, CALL_SITE + 2]);
  regs.ret = -4;
  go(platform, thread);
  expect(results).toEqual([-4n]);
});

test('a fault is tried again; a fetch faults too', () => {
  const read: number[] = [];
  const { platform, space, thread } = machine(function* (p) {
    read.push(...(yield* p.load(0x5ffe, 4)));
    p.thread.regs.ip = 0x9000;
    yield* p.stop(SPINNING);
  });
  space.mapAnonymous(0x5000, 0x1000, 3);
  expect(go(platform, thread)).toBe(STOP_SIGNAL);
  expect(platform.stop).toMatchObject({ signal: 11, code: 1, address: 0x6000, access: 0 });
  space.mapAnonymous(0x6000, 0x1000, 3);
  expect(go(platform, thread)).toBe(STOP_NONE);
  expect(read).toEqual([0, 0, 0, 0]);
  expect(platform.wait(0)).toBe(STOP_SIGNAL);
  expect(platform.stop).toMatchObject({ signal: 11, code: 1, address: 0x9000, access: 2 });
  expect(thread.faultAt(2 ** 47, 0)).toMatchObject({ code: 128, address: 0 });
});

test('a handler runs on top of the program, which goes on where it was', () => {
  const said: string[] = [];
  const { platform, thread } = machine(
    function* (p) {
      said.push(`call ${yield* p.call(1)}`);
      yield* p.call(2);
    },
    function* (p) {
      said.push('handler');
      yield* p.call(3);
      yield* p.leave();
    },
  );
  const { regs } = thread;
  go(platform, thread);
  const back = regs.ip;
  regs.ip = HANDLER;
  expect(go(platform, thread)).toBe(STOP_SYSCALL);
  expect([regs.nr, said]).toEqual([3, ['handler']]);
  expect(go(platform, thread)).toBe(STOP_SYSCALL); // sigreturn
  regs.ip = back;
  regs.ret = 7;
  expect(go(platform, thread)).toBe(STOP_SYSCALL);
  expect([regs.nr, said]).toEqual([2, ['handler', 'call 7']]);
});

test('threads that spin take turns, and do not keep the kernel from its timers', () => {
  const { platform, thread, children } = machine(function* (p) {
    for (;;) yield* p.spin();
  });
  go(platform, thread);
  thread.interrupt();
  expect(platform.wait(0)).toBe(STOP_INTERRUPTED);
  const other = thread.cloneThread();
  expect(children.map((child) => child.thread)).toEqual([other]);
  thread.resume();
  other.resume();
  expect([platform.wait(0), platform.stop.thread, platform.runningCount]).toEqual([STOP_NONE, null, 2]);
  expect(thread.fork.bind(thread)).not.toThrow();
  expect(() => thread.fork()).toThrow(HostError);
});

test('user code does not see what the kernel has only queued', () => {
  const { space, thread } = machine(function* () {});
  expect(space.flush()).toBe(0);
  space.unmap(0x1000, 0x1000);
  expect(thread.load(0x1000, 1)).not.toBeNull();
  expect(space.read(0x1000, new Uint8Array(1), 0, 1)).toBe(0);
  expect(thread.load(0x1000, 1)).toBeNull();
});
