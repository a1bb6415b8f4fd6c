/**
 * What a test writes: `S` is the script of one process (or thread, or signal handler), with a method for every system call
 * and helpers for what scripts need again and again. See test/README.md.
 */
import {
  AT_FDCWD,
  CLOCK_MONOTONIC,
  CLONE_FILES,
  CLONE_FS,
  CLONE_SIGHAND,
  CLONE_SYSVSEM,
  CLONE_THREAD,
  CLONE_VFORK,
  CLONE_VM,
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  SA_RESTORER,
  SA_SIGINFO,
  SIGCHLD,
  SIG_DFL,
  SIG_IGN,
} from './constants.js';
import { Call, Runtime, Section, describe, load32, symbol, type Arg, type SyscallName } from './builder.js';
import { Mem, Pointer, show, toBytes, type Bytes } from './memory.js';
import {
  NO_SECTION,
  OP_COPY,
  OP_FILL,
  OP_HANDLE,
  OP_REGISTERS,
  OP_REPORT,
  OP_SPIN,
  OP_START,
  OP_STORE,
  OP_TOUCH,
  OP_WAIT_BLOCKED,
  OP_WAIT_WORD,
  PAGE,
  SECTION_HANDLER,
  SECTION_PROCESS,
  SECTION_THREAD,
  SYMBOL_HANDLER,
  SYMBOL_RESTORER,
  type SectionData,
} from './script.js';
import { numberOf } from './builder.js';
import { hostArch } from './executor.js';
import { SLOWNESS } from './pace.js';
import { Struct, siginfoLayout, statLayout, statSize, type Layout } from './structs.js';

export type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 'ptr';
/** A field type or, after it, the field's value. */
export type PackItem = Arg;
const widths: Readonly<Record<FieldType, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, ptr: 8 };

/** A wait4 whose status word is being described. */
export class Waited {
  readonly call: Call;
  readonly status: Mem;
  constructor(call: Call, status: Mem) {
    this.call = call;
    this.status = status;
  }
  exited(code: number): this {
    this.status.u32(0, code << 8);
    return this;
  }
  killed(signal: number, core = false): this {
    this.status.u32(0, signal | (core ? 0x80 : 0));
    return this;
  }
  stopped(signal: number): this {
    this.status.u32(0, (signal << 8) | 0x7f);
    return this;
  }
  continued(): this {
    this.status.u32(0, 0xffff);
    return this;
  }
}

export class Script extends Section {
  // ---- memory ----

  /** NUL-terminated string among the constants. */
  cstring(text: string): Mem {
    return this.script.arena.string(text);
  }
  /** Constant bytes. */
  bytes(content: Bytes): Mem {
    return this.script.arena.constant(toBytes(content));
  }
  /** Bytes that end right before an unmapped page: a kernel that reads too far is caught. */
  edge(content: Bytes): Mem {
    const initial = toBytes(content);
    return this.script.arena.own(initial.length, { initial });
  }
  /** Memory for results, filled with 0xa5, that ends right before an unmapped page. */
  buffer(size: number, fill = 0xa5): Mem {
    return this.script.arena.own(size, { fill });
  }
  /** Page-aligned memory between unmapped pages. */
  pages(count: number, fill = 0xa5): Mem {
    return this.script.arena.own(count * PAGE, { fill, aligned: true });
  }
  /** Stack for a thread or a signal handler: not compared. */
  stack(size = 65536): Mem {
    return this.script.arena.own(size, { fill: 0, quiet: true, aligned: true, name: 'stack' });
  }
  /** A 32-bit variable. */
  word(initial = 0): Mem {
    return this.pack('u32', initial);
  }
  /** A 64-bit variable. */
  quad(initial: number | bigint = 0): Mem {
    return this.pack('u64', initial);
  }
  /** A struct as C lays it out: `pack('u32', 1, 'ptr', buffer)`. Run-time values are stored when the script comes here. */
  pack(...items: PackItem[]): Mem {
    const parts: { at: number; width: number; value: Arg }[] = [];
    let size = 0;
    let align = 1;
    for (let i = 0; i < items.length; i += 2) {
      const width = widths[items[i] as FieldType];
      if (width === undefined) throw new Error(`pack: unknown type ${describe(items[i])}`);
      size = Math.ceil(size / width) * width;
      align = Math.max(align, width);
      parts.push({ at: size, width, value: items[i + 1] });
      size += width;
    }
    const bytes = Buffer.alloc(Math.ceil(size / align) * align);
    const later: typeof parts = [];
    for (const part of parts) {
      if (part.value instanceof Call || part.value instanceof Runtime) later.push(part);
      else {
        const { value } = this.script.encode(part.value);
        const little = Buffer.alloc(8);
        little.writeBigUInt64LE(BigInt.asUintN(64, value));
        little.copy(bytes, part.at, 0, part.width);
      }
    }
    const mem = this.script.arena.constant(bytes);
    for (const { at, width, value } of later) this.store(mem.plus(at), width, value);
    return mem;
  }
  struct(layout: Layout, size: number, name = 'struct'): Struct {
    const mem = this.script.arena.own(size, { name });
    const struct = new Struct(mem.host, mem.address, mem.size, name);
    struct.layout = layout;
    return struct;
  }
  /** For stat, fstat, ...: device, inode number and times are not compared. */
  stat(): Struct {
    return this.struct(statLayout, statSize, 'stat').ignoreFields(
      ...['dev', 'ino', 'atime', 'atimeNsec', 'mtime', 'mtimeNsec', 'ctime', 'ctimeNsec'],
    );
  }
  siginfo(): Struct {
    return this.struct(siginfoLayout, 128, 'siginfo');
  }
  iovec(...parts: (readonly [base: Arg, length: number])[]): Mem {
    return this.pack(...parts.flatMap(([base, length]): PackItem[] => ['ptr', base, 'u64', length]));
  }
  timespec(seconds: number, nanoseconds = 0): Mem {
    return this.pack('u64', seconds, 'u64', nanoseconds);
  }
  ms(time: number): Mem {
    const milliseconds = time * SLOWNESS;
    return this.timespec(Math.floor(milliseconds / 1000), (milliseconds % 1000) * 1e6);
  }
  sigset(...signals: number[]): Mem {
    return this.pack('u64', maskOf(...signals));
  }
  /** NULL-terminated array of strings. */
  strings(...texts: (string | Mem)[]): Mem {
    return this.pack(...texts.flatMap((text): PackItem[] => ['ptr', text]), 'ptr', 0);
  }

  /** Executes a store. */
  store(at: Arg, width: number, value: Arg): Call {
    // A pid differs from side to side wherever it lies.
    const relation = value instanceof Call ? value.op.expect.relation : undefined;
    if (relation !== undefined && (at instanceof Mem || at instanceof Pointer)) {
      this.script.tolerate({ address: at.address, length: width, relation });
    }
    return this.script.add(OP_STORE, {
      nr: width,
      args: [at, value],
      text: `store ${describe(value)} at ${describe(at)}`,
    });
  }
  fill(at: Arg, length: number, byte: number): Call {
    return this.script.add(OP_FILL, { args: [at, length, byte], text: `fill ${length} bytes at ${describe(at)}` });
  }
  copy(to: Arg, from: Arg, length: number): Call {
    return this.script.add(OP_COPY, { args: [to, from, length], text: `copy ${length} bytes to ${describe(to)}` });
  }
  /** Reads memory that the script has mapped itself: `expected` bytes are at `at` now. */
  peek(at: Arg, expected: Bytes): Call {
    const want = Buffer.from(toBytes(expected));
    const call = this.script.add(OP_REPORT, { args: [at, want.length], text: `peek at ${describe(at)}` });
    // Where it lies may differ from side to side, so the check finds it by what the operation reported.
    call.op.checks.push({
      text: `memory at ${describe(at)} is ${show(want)}`,
      run: (view) => {
        const got = view.reported();
        return want.equals(got) || show(got);
      },
    });
    return call;
  }
  /** Accesses one byte; `.returns(value)` for what a read finds, `.faults()` if a handler is entered. */
  touch(at: Arg, access: 'read' | 'write' | 'execute' = 'read'): Call {
    const nr = { read: 0, write: 1, execute: 2 }[access];
    return this.script.add(OP_TOUCH, { nr, args: [at], text: `${access} at ${describe(at)}` });
  }

  // ---- processes ----

  fork(child: (c: S) => void): Call {
    return this.#spawn('clone', [SIGCHLD, 0, 0, 0, 0], SECTION_PROCESS, false, undefined, child).pid();
  }
  /** vfork, or clone with CLONE_VM | CLONE_VFORK where there is none; the child gets its own stack by the executor. */
  vfork(child: (c: S) => void): Call {
    const args = [CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0];
    return this.#spawn('clone', args, SECTION_PROCESS, true, this.stack(), child).pid();
  }
  /** fork or vfork by its own number (x86_64 only), or any other call that makes a process. */
  spawn(name: SyscallName, args: Arg[], how: { shared?: boolean; stack?: Mem }, child: (c: S) => void): Call {
    return this.#spawn(name, args, SECTION_PROCESS, how.shared ?? false, how.stack, child).pid();
  }
  /** clone with these flags and, with CLONE_VM, a stack of its own. CLONE_THREAD makes the child a thread. */
  clone(flags: number, more: { parentTid?: Arg; childTid?: Arg; tls?: Arg; stack?: Mem }, child: (c: S) => void): Call {
    const shared = (flags & CLONE_VM) !== 0;
    const stack = more.stack ?? (shared ? this.stack() : undefined);
    const top = stack === undefined ? 0 : stack.plus(stack.size);
    const rest = [more.parentTid ?? 0, more.childTid ?? 0, more.tls ?? 0];
    const args = hostArch === 'aarch64' ? [rest[0], rest[2], rest[1]] : rest;
    const kind = (flags & CLONE_THREAD) !== 0 ? SECTION_THREAD : SECTION_PROCESS;
    if (kind === SECTION_THREAD || (shared && (flags & CLONE_VFORK) === 0)) this.script.script.noDiff = true;
    return this.#spawn('clone', [flags, top, ...args], kind, shared, stack, child).pid();
  }
  /** A thread like pthread_create's. From now on memory is compared only where a check reads it. */
  thread(child: (c: S) => void, more: { parentTid?: Arg; childTid?: Arg; flags?: number } = {}): Call {
    const flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | (more.flags ?? 0);
    return this.clone(flags, more, child);
  }
  #spawn(
    name: SyscallName,
    args: readonly Arg[],
    kind: number,
    shared: boolean,
    stack: Mem | undefined,
    child: (c: S) => void,
  ): Call {
    const how = { kind, shared, make: (data: SectionData) => wrap(new Script(this.script, data)) };
    return this.spawnWith(name, args, stack === undefined ? how : { ...how, stack }, (c) => child(c as S));
  }
  exit(code: number): Call {
    return this.call('exit_group', code).optional();
  }
  /** Waits for a child: `s.wait(pid).exited(3)`. */
  wait(pid: Arg = -1, options = 0): Waited {
    const status = this.word(0x5a5a5a5a);
    return new Waited(this.call('wait4', pid, status, options, null).pid(), status);
  }
  /** Replaces the program by the executor, which runs the section written by `program`. */
  exec(
    program: (c: S) => void,
    how: {
      path?: string;
      argv?: readonly string[];
      env?: readonly string[];
      name?: 'execve' | 'execveat';
      fd?: Arg;
      flags?: number;
    } = {},
  ): Call {
    const path = how.path ?? '/executor';
    const mark = this.continuation(program);
    const argv = this.strings(...(how.argv ?? [path]), mark);
    const env = this.strings(...(how.env ?? []));
    const call =
      how.name === 'execveat'
        ? this.call('execveat', how.fd ?? AT_FDCWD, path, argv, env, how.flags ?? 0)
        : this.call('execve', path, argv, env);
    return call.optional();
  }
  /** The word by which an executed executor finds its section; for scripts that build argv themselves. */
  continuation(program: (c: S) => void): string {
    const section = this.script.section(SECTION_PROCESS, null, (data) => program(wrap(new Script(this.script, data))));
    return `@${this.script.number}:${section.index}`;
  }
  /** Reports argc, strings, auxv and registers at entry (in an executed section). */
  start(): Call {
    return this.script.add(OP_START, { text: 'start' });
  }
  /** A system call that reports every register after it. */
  registers(name: SyscallName, ...args: Arg[]): Call {
    return this.script.add(OP_REGISTERS, { nr: numberOf(name), args, text: `registers of ${name}` });
  }
  /** Drops to an ordinary user without capabilities. */
  asUser(uid = 1000, gid = uid): void {
    this.call('setgroups', 0, null).returns(0);
    this.call('setresgid', gid, gid, gid).returns(0);
    this.call('setresuid', uid, uid, uid).returns(0);
  }

  // ---- signals ----

  sigaction(handler: Arg, flags = 0, mask: readonly number[] = []): Mem {
    const restorer = handler instanceof Runtime ? symbol(SYMBOL_RESTORER) : 0;
    const all = handler instanceof Runtime ? flags | SA_RESTORER : flags;
    return this.pack('u64', handler, 'u64', all >>> 0, 'u64', restorer, 'u64', maskOf(...mask));
  }
  /** Installs the executor's handler, which reports the signal and then runs `handler` if there is one. */
  onSignal(signal: number, handler?: (h: S) => void, how: { flags?: number; mask?: readonly number[] } = {}): Call {
    let target = NO_SECTION;
    if (handler !== undefined) {
      const from = { section: this.data.index, shared: true };
      const section = this.script.section(SECTION_HANDLER, from, (data) =>
        handler(wrap(new Script(this.script, data))),
      );
      for (const op of section.ops) op.optional = true;
      target = section.index;
    }
    this.script.add(OP_HANDLE, { nr: signal, target, text: `handler of signal ${signal}` });
    // Without SA_SIGINFO Linux leaves the siginfo of the frame as it was: nothing to compare.
    const action = this.sigaction(symbol(SYMBOL_HANDLER), (how.flags ?? 0) | SA_SIGINFO, how.mask ?? []);
    return this.call('rt_sigaction', signal, action, null, 8).returns(0);
  }
  ignoreSignal(signal: number): Call {
    return this.call('rt_sigaction', signal, this.sigaction(SIG_IGN), null, 8).returns(0);
  }
  defaultSignal(signal: number): Call {
    return this.call('rt_sigaction', signal, this.sigaction(SIG_DFL), null, 8).returns(0);
  }
  /** SIG_BLOCK (0), SIG_UNBLOCK (1) or SIG_SETMASK (2). */
  sigmask(how: number, ...signals: number[]): Call {
    return this.call('rt_sigprocmask', how, this.sigset(...signals), null, 8).returns(0);
  }
  /** The handlers of this process see exactly these signals, in this order. */
  sees(...signals: number[]): void {
    this.data.signals = signals;
  }

  // ---- waiting ----

  sleep(milliseconds: number): Call {
    return this.call('nanosleep', this.ms(milliseconds), null).returns(0);
  }
  /** Everything in `body` together lasts at least so many ms: for a timer that is set by one call and awaited by another. */
  lasts(milliseconds: number, body: () => void): void {
    const times = [this.buffer(16).ignore(), this.buffer(16).ignore()];
    this.call('clock_gettime', CLOCK_MONOTONIC, times[0]).returns(0);
    body();
    this.call('clock_gettime', CLOCK_MONOTONIC, times[1]).returns(0);
    this.check(`at least ${milliseconds} ms have passed`, (view) => {
      const [from, to] = times.map((time) => view.u64(time) * 1e3 + view.u64(time.plus(8)) / 1e6);
      return to - from >= milliseconds || `${to - from} ms`;
    });
  }
  /** Until the 32-bit variable has this value. */
  waitWord(at: Mem | Pointer, value: number, timeoutMs = 5000): Call {
    return this.script
      .add(OP_WAIT_WORD, { args: [at, value, timeoutMs * SLOWNESS], text: `wait for ${value}` })
      .returns(0);
  }
  /** The same without a system call: burns CPU time. */
  spin(at: Mem | Pointer, value: number, rounds = 2_000_000_000): Call {
    return this.script.add(OP_SPIN, { args: [at, value, rounds], text: `spin for ${value}` }).returns(0);
  }
  /** Until another process or thread sleeps in its call. */
  waitBlocked(id: Arg): Call {
    return this.script.add(OP_WAIT_BLOCKED, { args: [id], text: `wait until ${describe(id)} sleeps` }).returns(0);
  }

  // ---- files ----

  open(path: Arg, flags: number, mode = 0): Call {
    return this.call('openat', AT_FDCWD, path, flags, mode).fd();
  }
  close(fd: Arg): Call {
    return this.call('close', fd).returns(0);
  }
  /** Makes a file with this content. */
  file(path: string, content: Bytes = '', mode = 0o644): void {
    const fd = this.open(path, O_CREAT | O_TRUNC | O_WRONLY, mode);
    const bytes = toBytes(content);
    if (bytes.length > 0) this.call('write', fd, bytes, bytes.length).returns(bytes.length);
    this.close(fd);
  }
  mkdir(path: string, mode = 0o755): Call {
    return this.call('mkdirat', AT_FDCWD, path, mode).returns(0);
  }
  symlink(target: string, path: string): Call {
    return this.call('symlinkat', target, AT_FDCWD, path).returns(0);
  }
  /** A pipe: `{ r, w }` for arguments. */
  pipe(flags = 0): { r: Runtime; w: Runtime; fds: Mem } {
    const fds = this.pack('u32', 0, 'u32', 0);
    this.call('pipe2', fds, flags).returns(0);
    return { r: load32(fds), w: load32(fds, 4), fds };
  }
  write(fd: Arg, content: Bytes): Call {
    const bytes = toBytes(content);
    return this.call('write', fd, bytes.length === 0 ? 0 : bytes, bytes.length).returns(bytes.length);
  }
  /** Reads `size` bytes at most and finds exactly these. */
  reads(fd: Arg, expected: Bytes, size = toBytes(expected).length): Call {
    const buffer = this.buffer(size);
    const call = this.call('read', fd, buffer, size).returns(toBytes(expected).length);
    if (toBytes(expected).length > 0) buffer.is(expected);
    return call;
  }
}

export const maskOf = (...signals: number[]): bigint => signals.reduce((mask, s) => mask | (1n << BigInt(s - 1)), 0n);

type Raw = { readonly [K in Exclude<SyscallName, keyof Script>]: (...args: Arg[]) => Call };

/** A script with every system call as a method; a helper of the same name comes first. */
export type S = Script & Raw;

export function wrap(script: Script): S {
  return new Proxy(script, {
    get(target, property) {
      const own: unknown = Reflect.get(target, property);
      if (own !== undefined || typeof property !== 'string') {
        return typeof own === 'function' ? (own as (...args: never[]) => unknown).bind(target) : own;
      }
      return (...args: Arg[]) => target.call(property as SyscallName, ...args);
    },
  }) as S;
}
