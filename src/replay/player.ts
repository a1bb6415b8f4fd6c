/**
 * Player: makes recorded system calls again, in their order, on a kernel of the script platform, and tells what came out differently.
 *
 * Every task of the recording is a thread that computes (is parked) until its next event. A call is made where the text has it
 * begin; when its end comes up and it still sleeps, time is moved on and then the others go ahead of it. Signals that the
 * kernel has no reason to send (from outside the recording) are sent for it.
 */
import { ERESTARTSYS } from '../abi/errno.js';
import { FUTEX_WAIT, FUTEX_WAIT_BITSET } from '../abi/flags/futex.js';
import { SIGCHLD } from '../abi/flags/signal.js';
import { SYSCALL_NUMBERS } from '../abi/numbers.js';
import { signalName } from '../abi/signals.js';
import type { ArchName } from '../abi/types.js';
import type { Kernel } from '../kernel.js';
import { PARKED, type ScriptThread, type Step } from '../platform/script/thread.js';
import type { ScriptPlatform } from '../platform/script/platform.js';
import type { Task } from '../../sched/task.js';
import type { Row } from '../../syscalls/row.js';
import { Call } from '../trace/call.js';
import { CallTexts } from '../trace/printers/index.js';
import { Encoder } from '../trace/parse/encode.js';
import type { Outcome, TraceEvent } from '../trace/parse/line.js';
import { parseArguments, TraceTextError, type Term } from '../trace/parse/term.js';
import { resultText } from '../trace/strace.js';
import { FULL_STYLE } from '../trace/style.js';
import type { ReplayClock } from './clock.js';
import { ignoresField } from './compare.js';
import { Happenings } from './happenings.js';
import { Identities, RANGES } from './identities.js';
import { asksReadiness, restOfRead, uninterrupted, withoutWaiting } from './late.js';
import { PlayedTask, type BeginEvent, type EndEvent, type Playing } from './played-task.js';
import { PlayedTasks } from './played-tasks.js';
import { RowPlans, type RowPlan } from './row-plan.js';
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

/** Arguments up to this length are worth remembering, so many of each call. */
const SHORT = 40;
const MOST_READ = 256;
/** Events of a task that waits for a call to end, before it is given up. */
const MOST_BACKLOG = 5000;
/** Timers that run out while somebody sleeps, before the sleep is taken to have no end: timers may repeat for ever. */
const MOST_TIMERS = 100_000;

export class Player {
  calls = 0;
  differences = 0;
  private readonly options: PlayerOptions;
  private readonly kernel: Kernel;
  private readonly arch: ArchName;
  private readonly texts: CallTexts;
  private readonly ids: Identities;
  private readonly verdict: Verdict;
  private readonly played: PlayedTasks;
  private readonly plans: RowPlans;
  private readonly happenings: Happenings;
  /** Tasks that wait for a call of theirs to end. */
  private waiting = 0;
  /** Tasks that asked what is ready, and have not been told yet. */
  private readonly asking = new Set<PlayedTask>();
  private start = -1;

  constructor(options: PlayerOptions) {
    this.options = options;
    this.kernel = options.kernel;
    this.arch = options.platform.arch;
    this.ids = new Identities(this.arch, options.script === true);
    const texts = new CallTexts();
    this.texts = texts;
    this.verdict = new Verdict(options, this.ids, texts);
    this.plans = new RowPlans(this.arch, (nr) => this.kernel.table.row(nr), texts);
    this.played = new PlayedTasks(this.ids, options.script === true);
    this.happenings = new Happenings(this.kernel, options.platform, this.ids, (event, recorded, now, what) =>
      this.differ(event, null, recorded, now, what),
    );
    const { state } = this.kernel;
    this.kernel.trace({
      enter: () => {},
      leave: (task, _row, _args, result, errno) => this.left(task, result, errno),
      signal: (task, { signal }) => this.played.ofTask(task)?.signals.push(signalName(signal)),
      stopped: () => {},
      exited: (task, status) => {
        const played = this.played.ofTask(task);
        if (played) played.status = status;
      },
    });
    const made = state.taskMade;
    state.taskMade = (task) => {
      made(task);
      this.played.made(task);
    };
  }

  /** Makes the first task of the recording, a child of process 1; later ones are made by the calls of others. */
  begin(init: Task): void {
    const first = new PlayedTask(0, init, 0);
    this.played.addParent(first);
    first.next = { nr: SYSCALL_NUMBERS[this.arch]['clone'], args: [BigInt(SIGCHLD)], sigreturn: false };
    this.kernel.state.returning.push(init);
    this.kernel.drain();
  }
  get tasks(): number {
    return this.played.count;
  }

  play(event: TraceEvent): void {
    if (event.kind === 'note' || event.kind === 'moved') return;
    const played = this.played.of(event) ?? this.stray(event);
    if (played.lost) return;
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
    if (this.waiting > 0) this.catchUp();
  }
  /** The recording is over: what still sleeps has its last chance. */
  finish(): void {
    for (const played of this.played) {
      const { last } = played;
      if (last !== null && played.status === null) this.startCall(played, last, last.name, last.args, null);
    }
    for (let left = MOST_TIMERS; left > 0 && this.waiting > 0 && this.moveTime(); left--) this.catchUp();
    for (const played of this.played) if (played.awaited !== null) this.giveUp(played);
  }

  private stray(event: TraceEvent): PlayedTask {
    const what = 'the recording begins after it, or its clone differs';
    this.differ(event, null, 'a task that no call has made', '', what);
    return this.played.stray(event.pid, this.kernel.state.init!.leader);
  }
  private begun(time: number): void {
    this.start = time;
    if (time > 1e15) this.options.clock.startAt(Math.floor(time / 1e9));
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
        this.happenings.direct(played, event);
        return;
      case 'signal':
        this.happenings.signal(played, event);
        return;
      case 'exited':
      case 'killed': {
        const { last } = played;
        played.last = null;
        if (last !== null && played.status === null) this.startCall(played, last, last.name, last.args, null);
        this.happenings.ended(played, event);
        if (played.status !== null) this.played.forget(played);
        return;
      }
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
    const plan = this.plans.of(name);
    if (plan === null) {
      this.differ(event, null, `${name}(${args})`, '', `there is no system call ${name}`);
      return false;
    }
    if (outcome?.injected === true) return false;
    this.calls++;
    const { row } = plan;
    this.askAgain();
    if (played.status !== null || played.thread.gone) {
      this.differ(event, row, `${name}(${args})`, '', 'the task has ended already');
      played.lost = true;
      return false;
    }
    const source = event.kind === 'call' && args.length > SHORT ? event.source : undefined;
    let terms: readonly Term[];
    let values: bigint[];
    try {
      terms = this.termsOf(plan, event, args, source);
      if (RANGES.has(name)) this.ids.reachRange(played, terms);
      values = this.encode(played, row, terms, outcome?.error);
    } catch (error) {
      if (!(error instanceof TraceTextError)) throw error;
      throw new TraceTextError(error.message, error.column + (source === undefined ? event.column : 0));
    }
    const end = outcome ?? this.options.ends.get(event)?.outcome ?? null;
    if (name === 'futex') this.setFutexWord(played, values, end);
    else if (name === 'wait4' && this.options.script !== true) this.chooseChild(values, end);
    this.make(played, plan, terms, values, event.kind === 'call', end);
    if (event.kind !== 'call' && end !== null && asksReadiness(name)) this.asking.add(played);
    return true;
  }
  /** A sleeper that runs late finds what is ready then: it may have looked before any of the calls that others make now. */
  private askAgain(): void {
    for (const asked of this.asking) {
      const { playing } = asked;
      if (playing === null || asked.status !== null) this.asking.delete(asked);
      else if (playing.done && !playing.foundLater && this.verdict.of(asked, playing, playing.recorded!) !== null) {
        playing.foundLater = this.agreesLate(asked, playing, playing.recorded!);
        asked.playing = playing;
      }
    }
  }
  private encode(played: PlayedTask, row: Row, terms: readonly Term[], error?: string): bigint[] {
    const { task, arena } = played;
    arena.begin(task.mm, played.thread.space);
    const encoder = (played.encoder ??= new Encoder({
      arch: this.arch,
      placement: arena,
      translation: this.ids.translation(task),
      variables: (variable) => this.ids.variables.get(variable),
      strict: this.options.script === true,
    }));
    return encoder.encode(row, terms, error);
  }
  /** Has the task make a call; it has returned, if `playing.done` says so, or sleeps. */
  private make(
    played: PlayedTask,
    plan: RowPlan,
    terms: readonly Term[],
    args: readonly bigint[],
    direct: boolean,
    recorded: Outcome | null,
  ): Playing {
    const { row, nr } = plan;
    const { regs } = played.task;
    if (regs.sp === 0) regs.sp = played.arena.stackTop;
    const call = new Call(row, args, this.arch, played.memory, FULL_STYLE);
    // A printer of whole calls may keep something on entry for the return.
    const entered = plan.outputs === null ? this.texts.enter(call) : null;
    const playing = { plan, call, terms, direct, recorded, done: false, foundLater: false, entered, text: null };
    played.playing = playing;
    played.next = { nr, args, sigreturn: row.name === 'rt_sigreturn' };
    this.played.acting = played;
    // A signal that is due is taken when the call returns: the recording had the call first.
    played.thread.interrupted = false;
    this.options.platform.unpark(played.thread);
    this.kernel.drain();
    this.played.acting = null;
    return playing;
  }
  private termsOf({ read, lean }: RowPlan, event: { column: number }, args: string, source: string | undefined) {
    if (args.length <= SHORT) {
      let terms = read.get(args);
      if (terms === undefined) {
        terms = parseArguments(args, lean, ignoresField);
        if (read.size === MOST_READ) read.clear();
        read.set(args, terms);
      }
      return terms;
    }
    if (source === undefined) return parseArguments(args, lean, ignoresField);
    return parseArguments(source, lean, ignoresField, event.column, event.column + args.length);
  }
  /** strace sees the end of a task before its parent does: it ends where its last line says so. */
  private ending(played: PlayedTask, event: BeginEvent): boolean {
    if (event.name !== 'exit_group' && !(event.name === 'exit' && played.task.group.threads.size === 1)) return false;
    played.last = event;
    this.closeAll(played);
    return true;
  }
  /** What others see at once of a task that ends: its descriptors are closed, one after the other. */
  private closeAll(played: PlayedTask): void {
    const { files } = played.task;
    if (played.status !== null || files.users > 1) return;
    played.playing = null;
    if (this.asking.size > 0) {
      const open = [...files.entries()].map(([fd]) => fd);
      for (const fd of open) {
        this.askAgain();
        this.closeRange(played, fd, fd);
      }
    } else this.closeRange(played, 0, 0xffff_ffff);
  }
  private closeRange(played: PlayedTask, first: number, last: number): void {
    const nr = SYSCALL_NUMBERS[this.arch]['close_range'];
    played.next = { nr, args: [BigInt(first), BigInt(last), 0n], sigreturn: false };
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
  /** Which of several children that ended together is waited for first is chance: the one that was. */
  private chooseChild(args: bigint[], outcome: Outcome | null): void {
    const recorded = Number(outcome?.value ?? 0n);
    const now = recorded > 0 ? this.ids.pidNow(recorded) : undefined;
    if (now !== undefined && BigInt.asIntN(32, args[0]) === -1n) args[0] = BigInt(now);
  }
  /** User code of every thread: the next call of its task, if it has one. */
  step(thread: ScriptThread): Step {
    const played = this.played.ofThread(thread);
    const next = played?.next;
    if (next === null || next === undefined) return PARKED;
    played!.next = null;
    const { regs } = thread;
    // The restorer's instructions: the return address has been popped where there is one.
    if (next.sigreturn) regs.sp += regs.layout.sigreturnPops;
    const order = played!.playing?.plan.row.registers?.[this.arch];
    const args = order === undefined ? next.args : registersOf(next.args, order);
    return thread.call(next.nr, ...args);
  }
  private left(task: Task, result: number, errno: number): void {
    const played = this.played.ofTask(task);
    const playing = played?.playing;
    if (playing === null || playing === undefined || playing.done) return;
    const { call, plan } = playing;
    call.result = errno === 0 ? result : -1;
    call.errno = errno;
    call.exiting = true;
    playing.done = true;
    if (errno !== 0) return;
    if (!playing.direct && plan.outputs?.length !== 0) this.verdict.text(playing);
    this.ids.bindResult(played!, playing);
  }

  // ---- ends ----

  private expectEnd(played: PlayedTask, event: EndEvent, took: number): void {
    if (played.playing === null) return;
    if (!played.playing.done) {
      if (took > 0) {
        this.options.clock.tick(took);
        this.kernel.drain();
      }
      if (this.options.script === true && !played.playing.done) this.happenings.interruptParked(this.played);
      for (let left = MOST_TIMERS; left > 0; left--)
        if (played.playing.done || this.othersCanGo(played) || !this.moveTime()) break;
      if (!played.playing.done) {
        played.awaited = event;
        this.waiting++;
        return;
      }
    }
    this.compare(played, event, event.outcome);
  }
  /** Whether anything but time can end its sleep; then the recording goes on first. */
  private othersCanGo(played: PlayedTask): boolean {
    if (played.task.sleep.options.deadlineNs !== undefined) return false;
    return this.played.size > 1;
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
      for (const played of this.played) {
        const { awaited } = played;
        if (awaited === null || played.playing?.done !== true) continue;
        played.awaited = null;
        this.waiting--;
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
      played.playing?.plan.row ?? null,
      recordedText(played.playing, event),
      `${played.playing?.plan.row.name}(... still sleeps`,
      'it does not return here',
    );
    played.awaited = null;
    this.waiting--;
    played.backlog = [];
    played.lost = true;
  }
  private compare(played: PlayedTask, event: EndEvent, outcome: Outcome): void {
    const playing = played.playing!;
    played.playing = null;
    const { call, plan } = playing;
    const { row } = plan;
    if (outcome.value !== null && outcome.error === '' && call.errno === 0)
      this.ids.bindMemory(played, playing, outcome.value);
    if (this.options.ignore?.has(row.name)) return;
    if ('keep' in event && event.keep !== undefined && call.errno === 0)
      this.ids.variables.set(event.keep, BigInt(call.result));
    const what = this.verdict.of(played, playing, outcome);
    if (what !== null && !playing.foundLater && !this.agreesLate(played, playing, outcome)) {
      const now = `${row.name}(${this.verdict.text(playing)}) ${resultText(call)}`;
      this.differ(event, row, recordedText(playing, event), now, what);
    }
  }
  /** Whether a call that slept would have found what was recorded, had it been woken where its end stands. */
  private agreesLate(played: PlayedTask, playing: Playing, outcome: Outcome): boolean {
    const { plan, call, terms, direct } = playing;
    if (direct || played.status !== null) return false;
    if (call.errno !== 0) return call.errno >= ERESTARTSYS && this.agreesInterrupted(played, playing, outcome);
    const { task, arena } = played;
    const { name } = plan.row;
    const rest = restOfRead(task, name, call, outcome);
    if (rest === null && !asksReadiness(name)) return false;
    const args = rest ?? withoutWaiting(name, this.encode(played, plan.row, terms), arena);
    const again = this.make(played, plan, terms, args, false, outcome);
    played.playing = null;
    if (rest === null) return this.verdict.of(played, again, outcome) === null;
    if (again.call.errno !== 0) return false;
    call.result += again.call.result;
    playing.text = null;
    return this.verdict.of(played, playing, outcome) === null;
  }
  private agreesInterrupted(played: PlayedTask, { plan, terms }: Playing, outcome: Outcome): boolean {
    if (outcome.error !== '') return false;
    const same = this.encode(played, plan.row, terms);
    if (plan.row.name === 'wait4') this.chooseChild(same, outcome);
    const args = uninterrupted(played.task, plan.row.name, same);
    if (args === null) return false;
    const again = this.make(played, plan, terms, args, false, outcome);
    played.playing = null;
    return this.verdict.of(played, again, outcome) === null;
  }
  private differ(event: TraceEvent, row: Row | null, recorded: string, now: string, what: string): void {
    this.differences++;
    const call = row?.name ?? ('name' in event ? event.name : event.kind);
    this.options.differ({ line: event.line, pid: event.pid, call, row, recorded, now, what });
  }
}

function recordedText(playing: Playing | null, event: EndEvent): string {
  const begun = event.kind === 'call' ? event.args : `... ${event.args}`;
  return `${playing?.plan.row.name ?? event.name}(${begun}) ${event.outcome.text}`;
}
function registersOf(args: readonly bigint[], order: readonly number[]): bigint[] {
  const registers: bigint[] = [0n, 0n, 0n, 0n, 0n, 0n];
  args.forEach((value, i) => {
    registers[order[i]] = value;
  });
  return registers;
}
