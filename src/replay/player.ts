/**
 * Player: makes recorded system calls again, in their order, on a kernel of the script platform, and tells what came out differently.
 *
 * Every task of the recording is a thread that computes (is parked) until its next event. A call is made where the text has it
 * begin; when its end comes up and it still sleeps, time is moved on and then the others go ahead of it. Signals that the
 * kernel has no reason to send (from outside the recording) are sent for it.
 */
import { SIGCHLD } from '../abi/flags/signal.js';
import { SYSCALL_NUMBERS } from '../abi/numbers.js';
import type { ArchName } from '../abi/types.js';
import type { Kernel } from '../kernel.js';
import { PARKED, type ScriptThread, type Step } from '../platform/script/thread.js';
import type { ScriptPlatform } from '../platform/script/platform.js';
import { sendSignalToTask } from '../../sched/signal/send.js';
import type { Task } from '../../sched/task.js';
import type { Row } from '../../syscalls/row.js';
import { Call } from '../trace/call.js';
import { CallTexts } from '../trace/printers/index.js';
import { latin1 } from '../trace/parse/bytes.js';
import { quote } from '../trace/text.js';
import { Encoder } from '../trace/parse/encode.js';
import type { Outcome, TraceEvent } from '../trace/parse/line.js';
import { parseArguments, TraceTextError, type Term } from '../trace/parse/term.js';
import { resultText } from '../trace/strace.js';
import { FULL_STYLE } from '../trace/style.js';
import { taskMemory } from '../trace/task-memory.js';
import { FUTEX_WAIT, FUTEX_WAIT_BITSET } from '../abi/flags/futex.js';
import { signalName } from '../abi/signals.js';
import { mapAnonymous } from './addresses.js';
import type { ReplayClock } from './clock.js';
import { Identities, RANGES, pages } from './identities.js';
import { PlayedTask, type BeginEvent, type EndEvent, type Playing, type SignalEvent } from './played-task.js';
import type { Ahead } from './source.js';
import { Verdict, type VerdictOptions } from './verdict.js';

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
export interface PlayerOptions extends VerdictOptions {
  readonly kernel: Kernel;
  readonly platform: ScriptPlatform;
  readonly clock: ReplayClock;
  readonly ends: Ahead;
  readonly differ: (difference: Difference) => void;
  /** Calls whose results are not compared. */
  readonly ignore?: ReadonlySet<string>;
}

/** Events of a task that waits for a call to end, before it is given up. */
const MOST_BACKLOG = 5000;

export class Player {
  calls = 0;
  differences = 0;
  private readonly options: PlayerOptions;
  private readonly kernel: Kernel;
  private readonly arch: ArchName;
  private readonly texts = new CallTexts();
  private readonly ids: Identities;
  private readonly verdict: Verdict;
  private readonly byPid = new Map<number, PlayedTask>();
  private readonly byTask = new Map<Task, PlayedTask>();
  private readonly byThread = new Map<ScriptThread, PlayedTask>();
  /** Tasks that were made and have not said anything yet, oldest first. */
  private unbound: { task: Task; parent: PlayedTask | null }[] = [];
  private acting: PlayedTask | null = null;
  private start = -1;
  private only: PlayedTask | null = null;

  constructor(options: PlayerOptions) {
    this.options = options;
    this.kernel = options.kernel;
    this.arch = options.platform.arch;
    this.ids = new Identities(this.arch, options.script === true);
    this.verdict = new Verdict(options, this.ids);
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
    if (nameless !== undefined && this.options.script !== true && mine && this.ids.pidNow(event.pid) === undefined) {
      this.byPid.delete(0);
      this.byPid.set(event.pid, nameless);
      this.ids.bindPid(event.pid, nameless.task.tid);
      return nameless;
    }
    const wanted = this.ids.pidNow(event.pid);
    const at = Math.max(
      0,
      this.unbound.findIndex(({ task }) => task.tid === wanted),
    );
    const next = this.unbound.at(at);
    if (next === undefined) {
      this.differ(
        event,
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
    if (pid !== 0) this.ids.bindPid(pid, task.tid);
    if (parent !== null) this.ids.inherit(task, parent.task);
    return played;
  }
  // ---- what ----

  private handle(played: PlayedTask, event: TraceEvent): void {
    this.ids.current = played;
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
      this.differ(event, null, `${name}(${args})`, '', `there is no system call ${name}`);
      return false;
    }
    if (outcome?.injected === true) return false;
    this.calls++;
    if (played.status !== null || played.thread.gone) {
      this.differ(event, row, `${name}(${args})`, '', 'the task has ended already');
      played.lost = true;
      return false;
    }
    const { task, arena } = played;
    arena.begin(task.mm, played.thread.space);
    let terms: Term[];
    let values: bigint[];
    try {
      terms = parseArguments(args);
      if (RANGES.has(name)) this.ids.reachRange(played, terms);
      const encoder = (played.encoder ??= new Encoder({
        arch: this.arch,
        placement: arena,
        translation: this.ids.translation(task),
        variables: (variable) => this.ids.variables.get(variable),
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
    if (errno === 0) this.ids.bindResult(played!, playing);
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
        this.ids.current = played;
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
      recordedText(played.playing, event),
      `${played.playing?.row.name}(... still sleeps`,
      'it does not return here',
    );
    played.awaited = null;
    played.backlog = [];
    played.lost = true;
  }
  private compare(played: PlayedTask, event: EndEvent, outcome: Outcome): void {
    const playing = played.playing!;
    played.playing = null;
    const { row, call } = playing;
    if (outcome.value !== null && outcome.error === '' && call.errno === 0)
      this.ids.bindMemory(played, playing, outcome.value);
    if (this.options.ignore?.has(row.name)) return;
    if ('keep' in event && event.keep !== undefined && call.errno === 0)
      this.ids.variables.set(event.keep, BigInt(call.result));
    const what = this.verdict.of(played, playing, outcome);
    if (what !== null) {
      const now = `${row.name}(${playing.text}) ${resultText(call)}`;
      this.differ(event, row, recordedText(playing, event), now, what);
    }
  }
  private differ(event: TraceEvent, row: Row | null, recorded: string, now: string, what: string): void {
    this.differences++;
    const call = row?.name ?? ('name' in event ? event.name : event.kind);
    this.options.differ({ line: event.line, pid: event.pid, call, row, recorded, now, what });
  }

  // ---- scripts ----

  private direct(played: PlayedTask, event: Extract<TraceEvent, { kind: 'directive' }>): void {
    const { name, terms } = event.directive;
    if (name === 'memory') {
      const length = pages(Number(this.ids.values.need(terms[1], 'size')));
      const at = mapAnonymous(played.task.mm, 0, length);
      this.ids.variables.set(terms[0].text, BigInt(at));
      const content = latin1(terms.at(2)?.text ?? '');
      played.thread.space.write(at, content, 0, Math.min(content.length, length));
    } else if (name === 'expect') {
      const at = Number(this.ids.values.need(terms[0], 'memory'));
      const wanted = latin1(terms[1].text);
      const bytes = new Uint8Array(wanted.length);
      played.thread.space.read(at, bytes, 0, bytes.length);
      if (wanted.equals(bytes)) return;
      this.differ(
        event,
        null,
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
      this.interrupt(played);
      if (!this.delivered(played, event.signal)) {
        this.send(played, event);
        if (!this.delivered(played, event.signal)) {
          this.differ(event, null, `--- ${event.signal} ${event.info} ---`, '', 'the signal is not delivered here');
        }
      }
    }
  }
  /** Makes a parked task look at its signals. */
  private interrupt(played: PlayedTask): void {
    played.thread.interrupted = true;
    this.options.platform.unpark(played.thread);
    this.kernel.drain();
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
      return term === undefined ? 0 : Number(this.ids.values.number(term) ?? 0n);
    };
    const signo = Number(this.ids.values.number(parseArguments(event.signal)[0]) ?? 0n);
    if (!(signo > 0 && signo <= 64) || played.task.exited) return;
    const pid = this.ids.pidNow(field('si_pid')) ?? 0;
    sendSignalToTask(played.task, { signo, code: field('si_code'), pid, uid: field('si_uid') });
    this.interrupt(played);
  }
  private ended(played: PlayedTask, event: Extract<TraceEvent, { kind: 'exited' | 'killed' }>): void {
    const { last } = played;
    played.last = null;
    if (last !== null && played.status === null) this.startCall(played, last, last.name, last.args, null);
    if (played.status === null) {
      this.interrupt(played);
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
      this.differ(event, null, `+++ ${recorded} +++`, `+++ ${now} +++`, 'the task ends differently');
  }
}

function recordedText(playing: Playing | null, event: EndEvent): string {
  const begun = event.kind === 'call' ? event.args : `... ${event.args}`;
  return `${playing?.row.name ?? event.name}(${begun}) ${event.outcome.text}`;
}
function registersOf(args: readonly bigint[], order: readonly number[]): bigint[] {
  const registers: bigint[] = [0n, 0n, 0n, 0n, 0n, 0n];
  args.forEach((value, i) => {
    registers[order[i]] = value;
  });
  return registers;
}
