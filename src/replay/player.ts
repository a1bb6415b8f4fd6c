/**
 * Player: makes recorded system calls again, in their order, on a kernel of the script platform, and tells what came out differently.
 *
 * Every task of the recording is a thread that computes (is parked) until its next event. A call is made where the text has it
 * begin; when its end comes up and it still sleeps, time is moved on and then the others go ahead of it. Signals that the
 * kernel has no reason to send (from outside the recording) are sent for it.
 */
import { SIGCHLD } from '../abi/flags/signal.js';
import { ERRNO_NAMES } from '../abi/errno.js';
import { SYSCALL_NUMBERS } from '../abi/numbers.js';
import type { ArchName } from '../abi/types.js';
import type { Kernel } from '../kernel.js';
import { PARKED, type ScriptThread, type Step } from '../platform/script/thread.js';
import type { ScriptPlatform } from '../platform/script/platform.js';
import type { OpenFile } from '../../fs/file.js';
import { sendSignalToTask } from '../../sched/signal/send.js';
import type { Task } from '../../sched/task.js';
import type { Row } from '../../syscalls/row.js';
import { Call } from '../trace/call.js';
import { CallTexts } from '../trace/printers/index.js';
import { latin1 } from '../trace/parse/bytes.js';
import { quote } from '../trace/text.js';
import { MAP_ANONYMOUS, MAP_PRIVATE } from '../abi/flags/memory.js';
import { PROT_READ, PROT_WRITE } from '../platform/platform.js';
import { Encoder, SAME, type Translation } from '../trace/parse/encode.js';
import type { Outcome, TraceEvent } from '../trace/parse/line.js';
import { parseArguments, TraceTextError, type Term } from '../trace/parse/term.js';
import { Evaluator } from '../trace/parse/value.js';
import { resultText } from '../trace/strace.js';
import { FULL_STYLE } from '../trace/style.js';
import { taskMemory } from '../trace/task-memory.js';
import { FUTEX_WAIT, FUTEX_WAIT_BITSET } from '../abi/flags/futex.js';
import { signalName } from '../abi/signals.js';
import { Addresses } from './addresses.js';
import { Arena } from './arena.js';
import type { ReplayClock } from './clock.js';
import { classOf, classOfResult, Comparer, ownArgument, ownResult, type Comparison } from './compare.js';
import type { Ahead } from './source.js';

/** What came out differently. */
export interface Difference {
  readonly line: number;
  readonly pid: number;
  readonly call: string;
  readonly row: Row | null;
  readonly recorded: string;
  readonly now: string;
  /** One sentence. */
  readonly what: string;
}
export interface PlayerOptions {
  readonly kernel: Kernel;
  readonly platform: ScriptPlatform;
  readonly clock: ReplayClock;
  readonly ends: Ahead;
  readonly differ: (difference: Difference) => void;
  /** The file system is derived from the recording: a directory whose listing the text leaves out holds what is known. */
  readonly derived?: boolean;
  /** A script: numbers mean themselves, and names are variables. */
  readonly script?: boolean;
  /** Streams in place of what nobody knows: only their data are compared. */
  readonly standIns?: ReadonlySet<OpenFile>;
  /** Calls whose results are not compared. */
  readonly ignore?: ReadonlySet<string>;
}

type EndEvent = Extract<TraceEvent, { kind: 'call' | 'resumed' }>;
type BeginEvent = Extract<TraceEvent, { kind: 'call' | 'unfinished' | 'lost' }>;
type SignalEvent = Extract<TraceEvent, { kind: 'signal' }>;

/** Events of a task that waits for a call to end, before it is given up. */
const MOST_BACKLOG = 5000;

/** A call under way. */
interface Playing {
  readonly row: Row;
  readonly call: Call;
  readonly entered: string;
  readonly args: readonly bigint[];
  readonly terms: readonly Term[];
  done: boolean;
  text: string;
}

class PlayedTask {
  readonly pid: number;
  readonly task: Task;
  readonly arena: Arena;
  encoder: Encoder | null = null;
  next: { nr: number; args: readonly bigint[]; sigreturn: boolean } | null = null;
  playing: Playing | null = null;
  /** What is yet to be compared with the call under way. */
  awaited: EndEvent | null = null;
  backlog: TraceEvent[] = [];
  signals: string[] = [];
  /** The exit that its last line completes. */
  last: BeginEvent | null = null;
  /** Wait status of its end. */
  status: number | null = null;
  lost = false;

  constructor(pid: number, task: Task, index: number) {
    this.pid = pid;
    this.task = task;
    this.arena = new Arena(index);
  }
  /** Another one after an execve that left a shared address space. */
  get thread(): ScriptThread {
    return this.task.thread as ScriptThread;
  }
}

export class Player {
  calls = 0;
  differences = 0;
  private readonly options: PlayerOptions;
  private readonly kernel: Kernel;
  private readonly arch: ArchName;
  private readonly texts = new CallTexts();
  private readonly values: Evaluator;
  private readonly comparer: Comparer;
  private readonly byPid = new Map<number, PlayedTask>();
  private readonly byTask = new Map<Task, PlayedTask>();
  private readonly byThread = new Map<ScriptThread, PlayedTask>();
  /** Tasks that were made and have not said anything yet, oldest first. */
  private unbound: { task: Task; parent: PlayedTask | null }[] = [];
  private readonly variables = new Map<string, bigint>();
  private readonly pids = new Map<number, number>();
  private readonly pidsNow = new Map<number, number>();
  private readonly addresses = new WeakMap<object, Addresses>();
  private readonly fds = new WeakMap<object, Map<number, number>>();
  private current: PlayedTask | null = null;
  private acting: PlayedTask | null = null;
  private start = -1;
  private only: PlayedTask | null = null;

  constructor(options: PlayerOptions) {
    this.options = options;
    this.kernel = options.kernel;
    this.arch = options.platform.arch;
    this.values = new Evaluator(this.arch, (name) => this.variables.get(name));
    this.comparer = new Comparer(
      this.values,
      {
        fd: (recorded, now) => this.sameFd(recorded, now),
        pid: (recorded, now) => this.samePid(recorded, now),
      },
      options.derived ?? false,
    );
    if (options.script === true)
      this.comparer.capture = (name, value) => {
        this.variables.set(name, value);
        return true;
      };
    const { state } = this.kernel;
    this.kernel.trace({
      enter: () => {},
      leave: (task, _row, _args, result, errno) => this.left(task, result, errno),
      signal: (task, { signal }) => this.byTask.get(task)?.signals.push(signalName(signal)),
      stopped: () => {},
      exited: (task, status) => {
        const played = this.byTask.get(task);
        if (played) played.status = status;
      },
    });
    const made = state.taskMade;
    state.taskMade = (task) => {
      made(task);
      // An execve that leaves a shared address space makes it known again, on another thread.
      if (!this.byTask.has(task)) this.unbound.push({ task, parent: this.acting });
    };
  }

  /** Makes the first task of the recording, a child of process 1; later ones are made by the calls of others. */
  begin(init: Task): void {
    const first = new PlayedTask(0, init, 0);
    this.byThread.set(first.thread, first);
    first.next = { nr: SYSCALL_NUMBERS[this.arch]['clone'], args: [BigInt(SIGCHLD)], sigreturn: false };
    this.kernel.state.returning.push(init);
    this.kernel.drain();
  }
  get tasks(): number {
    return this.byPid.size;
  }

  play(event: TraceEvent): void {
    if (event.kind === 'note') return;
    const played = this.taskOf(event);
    if (played === null || played.lost) return;
    if (event.time >= 0) {
      if (this.start < 0) this.begun(event.time);
      this.options.clock.reach(event.time - this.start);
    } else this.options.clock.tick(1000);
    if (played.awaited !== null) {
      played.backlog.push(event);
      if (played.backlog.length > MOST_BACKLOG) this.giveUp(played);
      return;
    }
    this.handle(played, event);
    this.catchUp();
  }
  /** The recording is over: what still sleeps has its last chance. */
  finish(): void {
    for (const played of this.byPid.values()) {
      const { last } = played;
      if (last !== null && played.status === null) this.startCall(played, last, last.name, last.args, null);
    }
    while (this.moveTime()) this.catchUp();
    for (const played of this.byPid.values()) if (played.awaited !== null) this.giveUp(played);
  }

  private begun(time: number): void {
    this.start = time;
    if (time > 1e15) this.options.clock.startAt(Math.floor(time / 1e9));
  }

  // ---- who ----

  private taskOf(event: TraceEvent): PlayedTask | null {
    if (event.pid === 0) {
      if (this.only !== null && !this.only.lost && this.only.status === null) return this.only;
      const alive = [...this.byPid.values()].filter((p) => p.status === null);
      if (alive.length > 0) return (this.only = alive[0]);
    }
    const known = this.byPid.get(event.pid);
    if (known !== undefined) return known;
    // strace shows pids once there are several tasks: lines without one were the first one's.
    const nameless = this.byPid.get(0);
    const mine = event.kind === 'resumed' || this.unbound.length === 0;
    if (nameless !== undefined && this.options.script !== true && mine && !this.pids.has(event.pid)) {
      this.byPid.delete(0);
      this.byPid.set(event.pid, nameless);
      this.bindPid(event.pid, nameless.task.tid);
      return nameless;
    }
    const wanted = this.pids.get(event.pid);
    const at = Math.max(
      0,
      this.unbound.findIndex(({ task }) => task.tid === wanted),
    );
    const next = this.unbound.at(at);
    if (next === undefined) {
      this.differ(
        event,
        null,
        null,
        'a task that no call has made',
        '',
        'the recording begins after it, or its clone differs',
      );
      const stray = new PlayedTask(event.pid, this.kernel.state.init!.leader, 0);
      stray.lost = true;
      this.byPid.set(event.pid, stray);
      return null;
    }
    this.unbound.splice(at, 1);
    const bound = this.bind(event.pid, next.task, next.parent);
    if (event.pid === 0) this.only = bound;
    return bound;
  }
  private bind(pid: number, task: Task, parent: PlayedTask | null): PlayedTask {
    const played = new PlayedTask(pid, task, this.byPid.size + 1);
    this.byPid.set(pid, played);
    this.byTask.set(task, played);
    this.byThread.set(played.thread, played);
    if (pid !== 0) this.bindPid(pid, task.tid);
    if (parent !== null) {
      const from = this.addresses.get(parent.task.mm);
      if (parent.task.mm !== task.mm && from !== undefined && !this.addresses.has(task.mm))
        this.addresses.set(task.mm, from.copy());
      const files = this.fds.get(parent.task.files);
      if (parent.task.files !== task.files && files !== undefined && !this.fds.has(task.files))
        this.fds.set(task.files, new Map(files));
    }
    return played;
  }
  private bindPid(recorded: number, now: number): void {
    this.pids.set(recorded, now);
    this.pidsNow.set(now, recorded);
  }
  private samePid(recorded: number, now: number): boolean {
    const known = this.pids.get(recorded);
    if (known !== undefined) return known === now;
    if (this.pidsNow.has(now)) return false;
    this.bindPid(recorded, now);
    return true;
  }
  private fdsOf(played: PlayedTask): Map<number, number> {
    const { files } = played.task;
    let map = this.fds.get(files);
    if (map === undefined) this.fds.set(files, (map = new Map<number, number>()));
    return map;
  }
  private sameFd(recorded: number, now: number): boolean {
    if (this.options.script === true) return recorded === now;
    const map = this.fdsOf(this.current!);
    // A descriptor as a result is a new one, whatever had its number before.
    if (recorded === now) map.delete(recorded);
    else map.set(recorded, now);
    return true;
  }
  private addressesOf(task: Task): Addresses {
    let table = this.addresses.get(task.mm);
    if (table === undefined) this.addresses.set(task.mm, (table = new Addresses()));
    return table;
  }

  // ---- what ----

  private handle(played: PlayedTask, event: TraceEvent): void {
    this.current = played;
    switch (event.kind) {
      case 'call':
        if (this.startCall(played, event, event.name, event.args, event.outcome))
          this.expectEnd(played, event, event.outcome.took);
        return;
      case 'unfinished': {
        if (this.ending(played, event)) return;
        const end = this.options.ends.get(event);
        this.startCall(played, event, event.name, event.args + (end?.args ?? ''), null);
        return;
      }
      case 'resumed':
        if (played.playing === null && event.name === 'restart_syscall') return;
        this.expectEnd(played, event, 0);
        return;
      case 'lost':
        if (!event.resumed && !this.ending(played, event)) this.startCall(played, event, event.name, event.args, null);
        return;
      case 'directive':
        this.direct(played, event);
        return;
      case 'signal':
        this.signal(played, event);
        return;
      case 'exited':
      case 'killed':
        this.ended(played, event);
        return;
      default:
        return;
    }
  }

  private startCall(
    played: PlayedTask,
    event: TraceEvent & { name: string; column: number },
    name: string,
    args: string,
    outcome: Outcome | null,
  ): boolean {
    const { kernel } = this;
    const row = this.rowOf(name);
    const nr = row?.numbers[this.arch];
    if (nr === undefined || row === undefined) {
      this.differ(event, null, null, `${name}(${args})`, '', `there is no system call ${name}`);
      return false;
    }
    if (outcome?.injected === true) return false;
    this.calls++;
    if (played.status !== null || played.thread.gone) {
      this.differ(event, row, null, `${name}(${args})`, '', 'the task has ended already');
      played.lost = true;
      return false;
    }
    const { task, arena } = played;
    arena.begin(task.mm, played.thread.space);
    let terms: Term[];
    let values: bigint[];
    try {
      terms = parseArguments(args);
      if (RANGES.has(name)) this.reachRange(played, terms);
      const encoder = (played.encoder ??= new Encoder({
        arch: this.arch,
        placement: arena,
        translation: this.options.script === true ? this.labels : this.translation(played),
        variables: (variable) => this.variables.get(variable),
      }));
      values = encoder.encode(row, terms, outcome?.error);
    } catch (error) {
      if (!(error instanceof TraceTextError)) throw error;
      throw new TraceTextError(error.message, event.column + error.column);
    }
    if (name === 'futex') this.setFutexWord(played, values, outcome ?? this.options.ends.get(event)?.outcome ?? null);
    if (task.regs.sp === 0) task.regs.sp = arena.stackTop;
    const call = new Call(row, values, this.arch, taskMemory(task), FULL_STYLE);
    const entered = this.texts.enter(call);
    played.playing = { row, call, entered, args: values, terms, done: false, text: '' };
    played.next = { nr, args: values, sigreturn: name === 'rt_sigreturn' };
    this.acting = played;
    // A signal that is due is taken when the call returns: the recording had the call first.
    played.thread.interrupted = false;
    this.options.platform.unpark(played.thread);
    kernel.drain();
    this.acting = null;
    return true;
  }
  /** strace sees the end of a task before its parent does: it ends where its last line says so. */
  private ending(played: PlayedTask, event: BeginEvent): boolean {
    if (event.name !== 'exit_group' && !(event.name === 'exit' && played.task.group.threads.size === 1)) return false;
    played.last = event;
    this.closeAll(played);
    return true;
  }
  /** What others see at once of a task that ends: its descriptors are closed. */
  private closeAll(played: PlayedTask): void {
    if (played.status !== null || played.task.files.users > 1) return;
    played.playing = null;
    played.next = { nr: SYSCALL_NUMBERS[this.arch]['close_range'], args: [0n, 0xffff_ffffn, 0n], sigreturn: false };
    this.options.platform.unpark(played.thread);
    this.kernel.drain();
  }
  /** A futex word is memory that no text shows: it is what its call was told it is, or found that it is not. */
  private setFutexWord(played: PlayedTask, args: readonly bigint[], outcome: Outcome | null): void {
    const operation = Number(args[1]) & 127;
    if (operation !== FUTEX_WAIT && operation !== FUTEX_WAIT_BITSET) return;
    const word = new Uint8Array(4);
    const value = outcome?.error === 'EAGAIN' ? args[2] + 1n : args[2];
    new DataView(word.buffer).setUint32(0, Number(value & 0xffff_ffffn), true);
    played.thread.space.write(Number(args[0]), word, 0, 4);
  }
  /** Memory that the recorded program had from elsewhere is mapped in one piece where a call means all of it. */
  private reachRange(played: PlayedTask, terms: readonly Term[]): void {
    const [address, length] = [this.values.number(terms[0]), this.values.number(terms[1])];
    if (address === null || length === null || address < 65_536n || address >= 1n << 47n || length > 1n << 30n) return;
    try {
      this.addressesOf(played.task).reach(played.task.mm, Number(address), Number(length));
    } catch {
      // Then the call itself will say why.
    }
  }
  private readonly rows = new Map<string, Row | undefined>();
  private rowOf(name: string): Row | undefined {
    if (this.rows.has(name)) return this.rows.get(name);
    const nr = (SYSCALL_NUMBERS[this.arch] as Readonly<Record<string, number | undefined>>)[name];
    const row = nr === undefined ? undefined : this.kernel.table.row(nr);
    this.rows.set(name, row);
    return row;
  }
  /** User code of every thread: the next call of its task, if it has one. */
  step(thread: ScriptThread): Step {
    const played = this.byThread.get(thread) ?? this.moved(thread);
    const next = played?.next;
    if (next === null || next === undefined) return PARKED;
    played!.next = null;
    const { regs } = thread;
    // The restorer's instructions: the return address has been popped where there is one.
    if (next.sigreturn && this.arch === 'x86_64') regs.sp += 8;
    const order = played!.playing?.row.registers?.[this.arch];
    const args = order === undefined ? next.args : registersOf(next.args, order);
    return thread.call(next.nr, ...args);
  }
  private moved(thread: ScriptThread): PlayedTask | undefined {
    for (const played of this.byPid.values())
      if (played.thread === thread) {
        this.byThread.set(thread, played);
        return played;
      }
    return undefined;
  }
  private left(task: Task, result: number, errno: number): void {
    const played = this.byTask.get(task);
    const playing = played?.playing;
    if (playing === null || playing === undefined || playing.done) return;
    const { call } = playing;
    call.result = errno === 0 ? result : -1;
    call.errno = errno;
    playing.done = true;
    playing.text = playing.entered + this.texts.leave(call);
    if (errno === 0) this.bindResult(played!, playing);
  }

  // ---- ends ----

  private expectEnd(played: PlayedTask, event: EndEvent, took: number): void {
    if (played.playing === null) return;
    if (!played.playing.done) {
      if (took > 0) {
        this.options.clock.tick(took);
        this.kernel.drain();
      }
      while (!played.playing.done && !this.othersCanGo(played) && this.moveTime());
      if (!played.playing.done) {
        played.awaited = event;
        return;
      }
    }
    this.compare(played, event, event.outcome);
  }
  /** Whether anything but time can end its sleep; then the recording goes on first. */
  private othersCanGo(played: PlayedTask): boolean {
    if (played.task.sleep.options.deadlineNs !== undefined) return false;
    return this.byPid.size > 1;
  }
  private moveTime(): boolean {
    const next = this.kernel.state.timers.nextNs();
    if (next === Infinity) return false;
    this.options.clock.jump(next);
    this.kernel.drain();
    return true;
  }
  /** Sleeps that have ended meanwhile: what their tasks did next is up now. */
  private catchUp(): void {
    for (let again = true; again;) {
      again = false;
      for (const played of this.byPid.values()) {
        const { awaited } = played;
        if (awaited === null || played.playing?.done !== true) continue;
        played.awaited = null;
        again = true;
        this.current = played;
        this.compare(played, awaited, awaited.outcome);
        while (played.backlog.length > 0 && (played.awaited as EndEvent | null) === null)
          this.handle(played, played.backlog.shift()!);
      }
    }
  }
  private giveUp(played: PlayedTask): void {
    const event = played.awaited!;
    this.differ(
      event,
      played.playing?.row ?? null,
      null,
      this.recordedText(played, event),
      `${played.playing?.row.name}(... still sleeps`,
      'it does not return here',
    );
    played.awaited = null;
    played.backlog = [];
    played.lost = true;
  }
  private recordedText(played: PlayedTask, event: EndEvent): string {
    const begun = event.kind === 'call' ? event.args : `... ${event.args}`;
    return `${played.playing?.row.name ?? event.name}(${begun}) ${event.outcome.text}`;
  }

  private compare(played: PlayedTask, event: EndEvent, outcome: Outcome): void {
    const playing = played.playing!;
    played.playing = null;
    const { row, call } = playing;
    if (outcome.value !== null && outcome.error === '' && call.errno === 0)
      this.bindMemory(played, playing, outcome.value);
    if (this.options.ignore?.has(row.name) || this.tellsOfMachine(played, playing)) return;
    if ('keep' in event && event.keep !== undefined && call.errno === 0)
      this.variables.set(event.keep, BigInt(call.result));
    const what = this.difference(playing, outcome);
    if (what !== null) {
      const now = `${row.name}(${playing.text}) ${resultText(call)}`;
      this.differ(event, row, played, this.recordedText({ playing } as PlayedTask, event), now, what);
    }
  }
  private difference(playing: Playing, outcome: Outcome): string | null {
    const { row, call } = playing;
    if (LISTINGS.has(row.name) && this.options.derived && playing.terms.at(1)?.kind === 'number') return null;
    // Its result is whatever the interrupted code had in that register.
    if (row.name === 'rt_sigreturn') return null;
    const error = call.errno === 0 ? '' : (ERRNO_NAMES[call.errno] ?? RESTARTS[call.errno] ?? String(call.errno));
    if (outcome.error !== error)
      return `the error is ${error === '' ? 'none' : error}, not ${outcome.error === '' ? 'none' : outcome.error}`;
    if (error !== '') return null;
    if (outcome.expects !== undefined && outcome.expects !== 'success') {
      const wanted = this.variables.get(outcome.expects);
      if (wanted === undefined) return `there is no variable ${outcome.expects}`;
      if (wanted !== BigInt(call.result)) return `the result is ${call.result}, not ${outcome.expects} (${wanted})`;
    }
    if (outcome.value !== null && (this.options.script === true || !ownResult(row))) {
      const how = copiesDescriptor(playing.terms, row) ? 'fd' : classOfResult(row.ret);
      if (!this.sameResult(outcome.value, BigInt(call.result), how))
        return `the result is ${call.result}, not ${outcome.value}`;
    }
    return this.argumentDifference(playing);
  }
  /** What /proc, /sys and devices say is the machine's own. */
  private tellsOfMachine(played: PlayedTask, { row, call }: Playing): boolean {
    const kind = row.args.at(0)?.kind;
    if (kind !== 'fd' && kind !== 'dirfd') return false;
    const file = played.task.files.find(Number(BigInt.asIntN(32, call.args[0])));
    if (file !== undefined && this.options.standIns?.has(file) && !STREAM_CALLS.has(row.name)) return true;
    return file !== undefined && DATA_CALLS.has(row.name) && KERNEL_FILES.has(file.inode.sb.fsType);
  }
  private sameResult(recorded: bigint, now: bigint, how: Comparison): boolean {
    if (how === 'ignored') return true;
    if (how === 'fd') return this.sameFd(Number(recorded), Number(now));
    if (how === 'pid') return recorded <= 0n ? recorded === now : this.samePid(Number(recorded), Number(now));
    return recorded === now;
  }
  private argumentDifference(playing: Playing): string | null {
    const { row, terms, text } = playing;
    if (terms.length === 0) return null;
    const now = parseArguments(text);
    let next = 0;
    for (const arg of row.args) {
      if (arg.kind === 'unused') continue;
      const i = next++;
      const [a, b] = [terms.at(i), now.at(i)];
      if (a === undefined || b === undefined) break;
      // What the call was given is what was recorded.
      const given = !('dir' in arg) ? arg.kind !== 'dynamic' : arg.dir === 'in';
      if (given || (this.options.script !== true && ownArgument(row, arg.name))) continue;
      this.comparer.where = '';
      if (!this.comparer.same(a, b, classOf(arg))) {
        const field = this.comparer.where === '' ? '' : ` in ${this.comparer.where}`;
        return `argument ${i + 1} (${arg.name}) differs${field}`;
      }
    }
    return null;
  }

  // ---- what calls bring ----

  private bindResult(played: PlayedTask, playing: Playing): void {
    const { row, terms } = playing;
    if (row.name === 'execve' || row.name === 'execveat') this.addresses.delete(played.task.mm);
    if (row.name === 'munmap') {
      const [address, length] = [this.values.number(terms[0]), this.values.number(terms[1])];
      if (address !== null && length !== null) this.addressesOf(played.task).unbind(Number(address), Number(length));
    }
  }
  /** Where recorded memory lies now. */
  private bindMemory(played: PlayedTask, playing: Playing, recorded: bigint): void {
    const { row, terms, call } = playing;
    const number = (i: number): number => Number(this.values.number(terms[i]) ?? 0n);
    const table = this.addressesOf(played.task);
    const start = Number(recorded);
    switch (row.name) {
      case 'mmap':
        table.bind(start, pages(number(1)), call.result);
        return;
      case 'mremap':
        table.unbind(number(0), pages(number(1)));
        table.bind(start, pages(number(2)), call.result);
        return;
      case 'shmat':
        table.bind(start, 1 << 24, call.result);
        return;
      case 'brk':
        if (number(0) === 0 && table.find(start) === null) table.bind(start, HEAP, call.result);
        return;
      default:
        return;
    }
  }

  private differ(
    event: TraceEvent,
    row: Row | null,
    played: PlayedTask | null,
    recorded: string,
    now: string,
    what: string,
  ): void {
    void played;
    this.differences++;
    const call = row?.name ?? ('name' in event ? event.name : event.kind);
    this.options.differ({ line: event.line, pid: event.pid, call, row, recorded, now, what });
  }

  // ---- scripts ----

  /** A script's pids are labels until a result has been one. */
  private readonly labels: Translation = { ...SAME, pid: (pid) => BigInt(this.pids.get(Number(pid)) ?? Number(pid)) };

  private direct(played: PlayedTask, event: Extract<TraceEvent, { kind: 'directive' }>): void {
    const { name, terms } = event.directive;
    const { mm } = played.task;
    if (name === 'memory') {
      const length = pages(Number(this.values.need(terms[1], 'size')));
      const flags = MAP_PRIVATE | MAP_ANONYMOUS;
      const at = mm.mmap({
        addr: 0,
        length,
        prot: PROT_READ | PROT_WRITE,
        flags,
        file: null,
        offset: 0,
        mayWrite: true,
      });
      this.variables.set(terms[0].text, BigInt(at));
      const content = latin1(terms.at(2)?.text ?? '');
      played.thread.space.write(at, content, 0, Math.min(content.length, length));
    } else if (name === 'expect') {
      const at = Number(this.values.need(terms[0], 'memory'));
      const wanted = latin1(terms[1].text);
      const bytes = new Uint8Array(wanted.length);
      played.thread.space.read(at, bytes, 0, bytes.length);
      if (wanted.equals(bytes)) return;
      this.differ(
        event,
        null,
        played,
        `${terms[0].text}: ${quote(wanted)}`,
        `${terms[0].text}: ${quote(bytes)}`,
        'memory differs',
      );
    }
  }

  // ---- signals and ends ----

  private signal(played: PlayedTask, event: SignalEvent): void {
    if (!this.delivered(played, event.signal)) {
      // It may wait for the task to come by.
      played.thread.interrupted = true;
      this.options.platform.unpark(played.thread);
      this.kernel.drain();
      if (!this.delivered(played, event.signal)) {
        this.send(played, event);
        this.kernel.drain();
        if (!this.delivered(played, event.signal)) {
          this.differ(
            event,
            null,
            played,
            `--- ${event.signal} ${event.info} ---`,
            '',
            'the signal is not delivered here',
          );
        }
      }
    }
  }
  private delivered(played: PlayedTask, name: string): boolean {
    const at = played.signals.indexOf(name);
    if (at < 0) return false;
    played.signals.splice(at, 1);
    return true;
  }
  private send(played: PlayedTask, event: SignalEvent): void {
    const info = parseArguments(event.info)[0];
    const field = (name: string): number => {
      const term = info.field(name);
      return term === undefined ? 0 : Number(this.values.number(term) ?? 0n);
    };
    const signo = Number(this.values.number(parseArguments(event.signal)[0]) ?? 0n);
    if (!(signo > 0 && signo <= 64) || played.task.exited) return;
    const pid = this.pids.get(field('si_pid')) ?? 0;
    sendSignalToTask(played.task, { signo, code: field('si_code'), pid, uid: field('si_uid') });
    played.thread.interrupted = true;
    this.options.platform.unpark(played.thread);
  }
  private ended(played: PlayedTask, event: Extract<TraceEvent, { kind: 'exited' | 'killed' }>): void {
    const { last } = played;
    played.last = null;
    if (last !== null && played.status === null) this.startCall(played, last, last.name, last.args, null);
    if (played.status === null) {
      played.thread.interrupted = true;
      this.options.platform.unpark(played.thread);
      this.kernel.drain();
    }
    const recorded = event.kind === 'exited' ? `exited with ${event.status}` : `killed by ${event.signal}`;
    const { status } = played;
    const now =
      status === null
        ? 'still there'
        : (status & 0x7f) === 0
          ? `exited with ${(status >> 8) & 0xff}`
          : `killed by ${signalName(status & 0x7f)}`;
    if (recorded !== now)
      this.differ(event, null, played, `+++ ${recorded} +++`, `+++ ${now} +++`, 'the task ends differently');
  }

  private translation(played: PlayedTask): Translation {
    const { task } = played;
    return {
      fd: (fd) => BigInt(this.fdsOf(played).get(Number(fd)) ?? Number(fd)),
      pid: (pid) => BigInt(this.pids.get(Number(pid)) ?? Number(pid)),
      address: (address) => {
        if (address >= 1n << 47n) return address;
        const table = this.addressesOf(task);
        try {
          return BigInt(table.reach(task.mm, Number(address), 1));
        } catch {
          return address;
        }
      },
    };
  }
}

const RANGES: ReadonlySet<string> = new Set([
  'mprotect',
  'madvise',
  'munmap',
  'msync',
  'mlock',
  'munlock',
  'mlock2',
  'mincore',
  'pkey_mprotect',
]);
const copiesDescriptor = (terms: readonly Term[], row: Row): boolean =>
  row.name === 'fcntl' && terms.length > 1 && terms[1].text.startsWith('F_DUPFD');
const STREAM_CALLS: ReadonlySet<string> = new Set(['read', 'readv', 'write', 'writev', 'sendfile', 'close']);
const LISTINGS: ReadonlySet<string> = new Set(['getdents', 'getdents64']);
const DATA_CALLS: ReadonlySet<string> = new Set([
  'read',
  'pread64',
  'readv',
  'preadv',
  'lseek',
  'getdents64',
  'fstat',
  'fstatfs',
]);
const KERNEL_FILES: ReadonlySet<string> = new Set(['proc', 'sysfs', 'devtmpfs', 'devpts']);
/** How far a heap may grow. */
const HEAP = 1 << 30;
const pages = (length: number): number => Math.ceil(length / 4096) * 4096;

function registersOf(args: readonly bigint[], order: readonly number[]): bigint[] {
  const registers: bigint[] = [0n, 0n, 0n, 0n, 0n, 0n];
  args.forEach((value, i) => {
    registers[order[i]] = value;
  });
  return registers;
}
const RESTARTS: Readonly<Record<number, string>> = {
  512: 'ERESTARTSYS',
  513: 'ERESTARTNOINTR',
  514: 'ERESTARTNOHAND',
  516: 'ERESTART_RESTARTBLOCK',
};
