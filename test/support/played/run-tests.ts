/** The executor's first process: runs every test in a process of its own, and what a script's execve runs. */
import type { Code, Processor } from '../../../src/platform/script/processor.js';
import { RECORD_BEGIN, RECORD_DONE, RECORD_END } from '../records.js';
import { NO_SECTION, PAGE } from '../script.js';
import { CHANNEL, EAGAIN, EINTR, type PlayedExecutor } from './executor.js';
import { Out } from './records.js';
import { readStack } from './start-report.js';

const SCRIPT_BASE = 0x10_0000_0000;
const SIGCHLD = 17;
const SIGKILL = 9;
const CHILD_MASK = 1 << (SIGCHLD - 1);
const AT_FDCWD = -100;

export function* start(executor: PlayedExecutor, p: Processor): Code {
  const { regs } = p.thread;
  let registers = 0n;
  for (const word of executor.arch.entryRegisters) registers |= p.thread.word(word);
  const data = executor.data(p);
  data.entry = { sp: regs.sp, registers };
  const { code } = executor.image;
  // Executing it would bring it into memory, too.
  if (!(yield* p.load(code.address, code.bytes.length)).equals(code.bytes)) {
    p.sp -= 4096;
    yield* executor.trouble(p, 'the program in memory is not the executor', 0n);
    yield* executor.exitGroup(p, 117);
  }
  const { argv, env } = yield* readStack(p, regs.sp);
  p.sp = Math.floor(p.sp / 16) * 16 - 4096;
  for (const { text } of [...argv, ...env]) {
    const mark = /^@(\d+):(\d+)/.exec(text);
    if (mark === null) continue;
    yield* loadScript(executor, p, '/script');
    data.testNumber = Number(mark[1]);
    data.owner = Number(mark[2]);
    yield* executor.mapRegions(p);
    yield* executor.run(p, data.owner, NO_SECTION);
    yield* executor.exitGroup(p, 0);
  }
  if (argv.length < 2) yield* executor.exitGroup(p, 119);
  yield* loadScript(executor, p, argv[1].text);
  yield* setUp(executor, p);
  for (let i = Number(argv[2]?.text ?? 0); i < executor.scripts.length; i++) yield* runTest(executor, p, i);
  const out = new Out(0);
  yield* executor.emit(p, out, RECORD_DONE, 0, 0n, 0n);
  yield* executor.flush(p, out);
  yield* executor.exitGroup(p, 0);
}

/** The scripts are known here, but the file is read all the same: memory and page cache are to be as the executor's. */
function* loadScript(executor: PlayedExecutor, p: Processor, file: string): Code {
  const fd = yield* executor.pathCall(p, 'openat', file, (path) => [AT_FDCWD, path, 0x80000]);
  if (fd < 0n) yield* executor.exitGroup(p, 121);
  const size = Number(yield* executor.call(p, 'lseek', fd, 0, 2));
  yield* executor.call(p, 'lseek', fd, 0, 0);
  yield* executor.map(p, SCRIPT_BASE, Math.ceil(size / PAGE) * PAGE);
  const n = yield* executor.call(p, 'read', fd, SCRIPT_BASE, size);
  if (n !== BigInt(size)) yield* executor.exitGroup(p, 124);
  yield* executor.call(p, 'close', fd);
}

/** Default signals; stdout out of the way of the scripts, which get /dev/null as descriptors 0 to 2. */
function* setUp(executor: PlayedExecutor, p: Processor): Code {
  for (let signal = 1; signal <= 64; signal++)
    yield* executor.onStackWords(p, [0, 0, 0, 0], (at) => executor.call(p, 'rt_sigaction', signal, at, 0, 8));
  yield* executor.onStackWords(p, [CHILD_MASK], (at) => executor.call(p, 'rt_sigprocmask', 2, at, 0, 8));
  yield* executor.call(p, 'dup3', 1, CHANNEL, 0);
  for (let fd = 3; fd < 32; fd++) yield* executor.call(p, 'close', fd);
  const nothing = yield* executor.pathCall(p, 'openat', '/dev/null', (path) => [AT_FDCWD, path, 2]);
  if (nothing < 0n) yield* executor.trouble(p, 'open of /dev/null', nothing);
  for (let fd = 0; fd < 3; fd++) yield* executor.call(p, 'dup3', nothing, fd, 0);
  yield* executor.call(p, 'close', nothing);
  yield* executor.call(p, 'prctl', 36 /* PR_SET_CHILD_SUBREAPER */, 1);
  yield* executor.onStackWords(p, [0, -1], (at) => executor.call(p, 'prlimit64', 0, 4 /* RLIMIT_CORE */, at, 0));
}

function* testProcess(executor: PlayedExecutor, p: Processor): Code {
  yield* executor.call(p, 'setsid');
  yield* executor.onStackWords(p, [0], (at) => executor.call(p, 'rt_sigprocmask', 2, at, 0, 8));
  yield* executor.call(p, 'umask', 0);
  const folder = `/tmp/t${executor.data(p).testNumber}`;
  const r = yield* executor.pathCall(p, 'chdir', folder, (path) => [path]);
  if (r < 0n) yield* executor.trouble(p, "chdir to the test's directory", r);
  yield* executor.call(p, 'umask', 0o22);
  yield* executor.mapRegions(p);
  yield* executor.run(p, 0, NO_SECTION);
  yield* executor.exitGroup(p, 0);
}

function* runTest(executor: PlayedExecutor, p: Processor, number: number): Code {
  const data = executor.data(p);
  data.testNumber = number;
  data.handlers.clear();
  const out = new Out(0);
  // Enough stack for a record.
  const { sp } = p;
  p.sp = sp - 4608;
  // A filesystem of its own: nothing of a test stays, and leaks can be counted.
  const folder = `/tmp/t${number}`;
  yield* executor.call(p, 'umask', 0);
  yield* executor.pathCall(p, 'mkdirat', folder, (path) => [AT_FDCWD, path, 0o777]);
  yield* executor.emit(p, out, RECORD_BEGIN, number, 0n, 0n);
  yield* executor.flush(p, out);
  let r = yield* mount(executor, p, folder);
  if (r < 0n) yield* executor.trouble(p, "mount of the test's directory", r);
  const from = yield* executor.nowNs(p);
  const pid = yield* executor.spawn(p, executor.number('clone'), [SIGCHLD], 0, (c) => testProcess(executor, c));
  if (pid < 0n) yield* executor.trouble(p, 'fork of a test', pid);
  const { status, timedOut } = pid > 0n ? yield* reap(executor, p, pid, from) : { status: -1, timedOut: 0 };
  yield* executor.call(p, 'kill', -1, SIGKILL);
  do {
    r = yield* executor.call(p, 'wait4', -1, 0, 0x40000000 /* __WALL */, 0);
  } while (r > 0n || r === EINTR);
  const elapsed = (yield* executor.nowNs(p)) - from;
  r = yield* executor.pathCall(p, 'umount2', folder, (path) => [path, 2 /* MNT_DETACH */]);
  if (r < 0n) yield* executor.trouble(p, "umount of the test's directory", r);
  const payload = Buffer.from(BigInt64Array.of(elapsed).buffer);
  yield* executor.emit(p, out, RECORD_END, number, BigInt(status), BigInt(timedOut), payload);
  yield* executor.flush(p, out);
  p.sp = sp;
}

function mount(executor: PlayedExecutor, p: Processor, folder: string): Code<bigint> {
  const strings = Buffer.from(`test\0tmpfs\0mode=777\0${folder}\0`);
  return executor.onStack(p, strings, (at) =>
    executor.call(
      p,
      'mount',
      at,
      at + 'test_tmpfs_mode=777_'.length,
      at + 'test_'.length,
      0,
      at + 'test_tmpfs_'.length,
    ),
  );
}

/** Waits for the test's process until its time is over, then kills it. */
function* reap(
  executor: PlayedExecutor,
  p: Processor,
  pid: bigint,
  from: bigint,
): Code<{ status: number; timedOut: number }> {
  let end = from + BigInt(executor.test(p).timeoutMs) * 1_000_000n;
  let timedOut = 0;
  for (;;) {
    const { r, status } = yield* executor.onStackWords(p, [-1], function* (at) {
      const got = yield* executor.call(p, 'wait4', pid, at, 1 /* WNOHANG */, 0);
      return { r: got, status: (yield* p.load(at, 4)).readInt32LE() };
    });
    if (r === pid) return { status, timedOut };
    if (r < 0n && r !== EINTR) {
      yield* executor.trouble(p, 'wait for a test', r);
      return { status, timedOut };
    }
    const now = yield* executor.nowNs(p);
    if (now > end) {
      if (timedOut++ === 20) return { status, timedOut }; // not even SIGKILL ends it
      yield* executor.call(p, 'kill', pid, SIGKILL);
      end = now + 100_000_000n;
    }
    yield* waitForChild(executor, p, end > now ? end - now : 1n);
  }
}

/** Waits for SIGCHLD (blocked) or the deadline, whichever comes first. */
function* waitForChild(executor: PlayedExecutor, p: Processor, left: bigint): Code {
  const words = [CHILD_MASK, left / 1_000_000_000n, left % 1_000_000_000n];
  const r = yield* executor.onStackWords(p, words, (at) => executor.call(p, 'rt_sigtimedwait', at, 0, at + 8, 8));
  if (r < 0n && r !== EAGAIN && r !== EINTR) yield* executor.sleepUs(p, 500);
}
