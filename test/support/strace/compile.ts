/**
 * Compiles a `.strace` script for the executor: the same text that the replayer plays becomes operations that run natively, under
 * ptrace and on the script platform. Each call is encoded from the rows and checked by them.
 *
 * Tasks act in the order of the text (turns.ts). A call that a handler interrupts is one operation, whose end is where the text
 * makes it again or, without SA_RESTART, EINTR.
 */
import { EINTR } from '../../../src/abi/errno.js';
import { CLONE_THREAD, CLONE_VFORK, CLONE_VM } from '../../../src/abi/flags/process.js';
import { SA_RESTART, SA_RESTORER, SA_SIGINFO } from '../../../src/abi/flags/signal.js';
import { latin1 } from '../../../src/trace/parse/bytes.js';
import { Encoder } from '../../../src/trace/parse/encode.js';
import type { Outcome } from '../../../src/trace/parse/line.js';
import { Term, TraceTextError } from '../../../src/trace/parse/term.js';
import { Evaluator } from '../../../src/trace/parse/value.js';
import type { Row } from '../../../syscalls/row.js';
import { ROWS } from '../../../syscalls/table.js';
import { AT_FDCWD, O_CREAT, O_TRUNC, O_WRONLY } from '../constants.js';
import { Call, numberOf, Runtime, symbol, type Builder, type SyscallName } from '../builder.js';
import { hostArch } from '../executor.js';
import {
  ARG_CONST,
  ARG_LOAD32,
  ARG_LOAD64,
  OP_CALL,
  OP_HANDLE,
  OP_REPORT,
  OP_SPAWN,
  OP_STORE,
  PAGE,
  SECTION_HANDLER,
  SECTION_PROCESS,
  SYMBOL_HANDLER,
  SYMBOL_RESTORER,
  type EncodedArg,
  type SectionData,
} from '../script.js';
import { check, resultExpectation } from './check.js';
import { CallMemory } from './memory.js';
import { readSteps, type CallStep, type Step } from './script-file.js';
import { signalCheck } from './siginfo.js';
import { Turns } from './turns.js';
import { resultOf, sharedAt, Variables, type Variable } from './variables.js';

const FORKS: ReadonlySet<string> = new Set(['fork', 'vfork', 'clone', 'clone3']);
const BY_NAME = new Map(ROWS.map((row) => [row.name, row]));
/** Fields of struct sigaction, in bytes. */
const HANDLER = 0;
const RESTORER = 16;

interface Handled {
  readonly restart: boolean;
  /** Without SA_SIGINFO the frame's siginfo is whatever was there. */
  readonly siginfo: boolean;
}
/** A process of the script. */
interface Task {
  readonly label: number;
  /** Where its next operation goes: its own section or the handler that runs, innermost last. */
  readonly sections: SectionData[];
  handlers: Map<number, Handled>;
  /** First operation of its last call. */
  last: { section: SectionData; at: number } | null;
  /** The interrupted call that the text makes again. */
  again: { call: Call; step: CallStep } | null;
  /** The handler that returned last. */
  handler: SectionData | null;
  /** Signals it has caught. */
  signals: number;
}

export function compileScript(path: string, builder: Builder): void {
  new Compiler(path, builder).compile();
}

class Compiler {
  private readonly path: string;
  private readonly builder: Builder;
  private readonly steps: readonly Step[];
  private readonly variables = new Variables();
  private readonly memory: CallMemory;
  private readonly encoder: Encoder;
  private readonly turns: Turns;
  private readonly tasks = new Map<number, Task>();
  private readonly unborn: Task[] = [];
  private readonly labels: number[];

  constructor(path: string, builder: Builder) {
    this.path = path;
    this.builder = builder;
    this.steps = readSteps(path);
    this.memory = new CallMemory(builder.arena, this.variables);
    const variables = (name: string): bigint | undefined => this.named.get(name) ?? this.variables.placeholder(name);
    this.encoder = new Encoder({ arch: hostArch, placement: this.memory, variables });
    this.labels = [...new Set(this.steps.map((step) => step.task))].filter((label) => label !== 0);
    this.turns = new Turns(builder, this.steps);
  }
  /** Memory of @memory, which lies at the same place everywhere. */
  private readonly named = new Map<string, bigint>();

  compile(): void {
    const { builder } = this;
    const main = builder.section(SECTION_PROCESS, null, () => {});
    this.tasks.set(0, {
      label: 0,
      sections: [main],
      handlers: new Map(),
      last: null,
      again: null,
      handler: null,
      signals: 0,
    });
    this.into(main, () => this.turns.begin());
    this.steps.forEach((step, i) => {
      try {
        this.step(step, i);
      } catch (error) {
        if (error instanceof TraceTextError) error.message = `${this.path}:${step.line}: ${error.message}`;
        else if (error instanceof Error) error.message = `${this.path}:${step.line}: ${error.message}`;
        throw error;
      }
    });
  }

  private into<T>(section: SectionData, add: () => T): T {
    this.builder.open.push(section);
    try {
      return add();
    } finally {
      this.builder.open.pop();
    }
  }
  private taskOf(step: Step): Task {
    let task = this.tasks.get(step.task);
    if (task === undefined) {
      task = this.unborn.shift();
      if (task === undefined || task.label !== step.task) throw new Error(`no call has made task ${step.task}`);
      this.tasks.set(step.task, task);
      const [section] = task.sections;
      this.into(section, () => this.turns.introduce(task!.label));
    }
    return task;
  }

  private step(step: Step, i: number): void {
    if (step.kind === 'end') {
      this.end(step);
      return;
    }
    const task = this.taskOf(step);
    if (step.kind === 'signal') {
      this.signal(task, step);
      return;
    }
    const section = task.sections[task.sections.length - 1];
    this.into(section, () => {
      if (step.kind === 'resumed') {
        this.turns.after(i);
        return;
      }
      const at = section.ops.length;
      this.turns.before(i);
      if (step.kind === 'directive') this.directive(step.directive.name, step.directive.terms);
      else this.call(task, step, i, { section, at });
      this.turns.after(i);
    });
    if (step.kind === 'call' && step.name === 'rt_sigreturn') task.handler = task.sections.pop()!;
  }

  // ---- calls ----

  private call(task: Task, step: CallStep, i: number, place: { section: SectionData; at: number }): void {
    if (step.name === 'rt_sigreturn') {
      if (task.sections.length < 2) throw new Error('rt_sigreturn outside of a handler');
      return; // the restorer's
    }
    const { again } = task;
    if (again !== null) {
      if (step.name !== again.step.name && step.name !== 'restart_syscall')
        throw new Error(`${again.step.name} is restarted here`);
      task.again = null;
      // The handler's last operation: the call sleeps again at once.
      if (step.sleeps && task.handler !== null) this.into(task.handler, () => this.turns.during(i, true));
      this.expect(again.call, step, again.step.keep === undefined ? step : again.step);
      return;
    }
    const row = BY_NAME.get(step.name);
    if (row === undefined) throw new Error(`there is no system call ${step.name}`);
    const nr = numberOf(step.name as SyscallName);
    const outcome = step.outcome;
    this.memory.begin();
    const values = this.encoder.encode(row, step.terms, outcome?.error ?? '');
    this.catchHandler(task, step, values);
    const order = row.registers?.[hostArch];
    const read = values.map((value) => this.variables.argument(value));
    const registers: EncodedArg[] = Array.from({ length: 7 }, () => ({ kind: ARG_CONST, value: 0n, addend: 0n }));
    read.forEach(({ encoded }, k) => (registers[order?.[k] ?? k] = encoded));
    for (const hole of this.memory.holes) {
      const value = hole.value instanceof Runtime ? hole.value : this.valueOf(hole.value, hole.addend);
      this.builder.add(OP_STORE, { nr: hole.width, args: [hole.address, value], text: 'store of a run-time value' });
    }
    const text = `${step.name} of line ${step.line}`;
    const never = outcome === null;
    this.turns.during(i, step.sleeps || never);
    const call =
      FORKS.has(step.name) && outcome?.error === ''
        ? this.fork(task, step, nr, values, registers, text)
        : this.builder.add(OP_CALL, { nr, text });
    (call.op.args as EncodedArg[]).splice(0, 7, ...registers);
    if (call.op.kind === OP_SPAWN) (call.op.args as EncodedArg[])[6] = this.stackOf(step, registers);
    task.last = place;
    if (never) {
      call.optional().ignored();
      return;
    }
    this.tolerate(row);
    const details = { row, values, memory: this.snapshot(), args: read.map((one) => one.read) };
    this.details.set(call, details);
    if (outcome.error.startsWith('ERESTART')) this.interrupted(task, call, step, i);
    else this.expect(call, step, step);
  }
  private readonly details = new Map<
    Call,
    {
      readonly row: Row;
      readonly values: readonly bigint[];
      readonly memory: CallMemory;
      readonly args: readonly ((view: Parameters<Variable['read']>[0]) => bigint)[];
    }
  >();
  /** The memory of this call, for checks that run when others have been compiled. */
  private snapshot(): CallMemory {
    const copy = new CallMemory(this.builder.arena, this.variables);
    copy.placed = this.memory.placed;
    copy.rooms = this.memory.rooms;
    copy.holes = this.memory.holes;
    return copy;
  }
  private valueOf(variable: Variable, addend: number): Call | Runtime {
    return addend === 0 ? variable.value : variable.value.plus(addend);
  }

  /** `step` has the end, `made` the beginning. */
  private expect(call: Call, step: CallStep, made: CallStep): void {
    const { row, values, memory, args } = this.details.get(call)!;
    const outcome = step.outcome!;
    const errno = this.errno(outcome);
    if (errno !== null) call.fails(errno);
    else {
      const { agreement, relation, value } = resultExpectation(row, outcome);
      call.op.expect = {
        agreement,
        ...(relation !== undefined && { relation }),
        text: value === undefined ? 'success' : String(value),
        accepts: (r) => (value === undefined ? r >= 0 || r < -4095 : BigInt.asIntN(64, value) === BigInt(r)),
      };
    }
    const name = made.keep ?? step.keep;
    if (errno === null) this.capture(row, values, made);
    if (name !== undefined) this.define(name, resultOf(call, row.ret === 'addr'));
    const variables = this.variables.snapshot();
    const { terms } = made;
    const expected = {
      row,
      terms: step.terms.length > 0 ? step.terms : terms,
      outcome,
      variables,
      named: this.named,
      args,
      before: (view: Parameters<Variable['read']>[0]) => memory.before(view),
      nowhere: memory.nowhere,
      result: (view: Parameters<Variable['read']>[0]) => BigInt(view.value(call)),
    };
    this.builder.check(`${step.name} as line ${step.line} has it`, (view) => check(expected, view), null);
    // `check` is of the last operation; the turn may have been handed over since.
    const section = this.builder.open[this.builder.open.length - 1];
    const moved = section.ops[section.ops.length - 1].checks.pop()!;
    call.op.checks.push(moved);
  }
  private errno({ error }: Outcome): number | null {
    if (error === '') return null;
    const number = this.constants.number(symbolTerm(error));
    if (number === null) throw new Error(`unknown error ${error}`);
    return Number(number);
  }
  private readonly constants = new Evaluator(hostArch);

  /** A handler comes in the middle: EINTR, or the call again as the text makes it after rt_sigreturn. */
  private interrupted(task: Task, call: Call, step: CallStep, i: number): void {
    const next = this.steps.slice(i + 1).find((other) => other.task === task.label && other.kind !== 'resumed');
    const signal = next?.kind === 'signal' ? this.signalNumber(next.signal) : 0;
    const handled = task.handlers.get(signal);
    const error = step.outcome!.error;
    if (next?.kind === 'end' || (next?.kind === 'signal' && this.dies(task, next))) call.optional().ignored();
    else if (handled === undefined || error === 'ERESTARTNOINTR' || (error === 'ERESTARTSYS' && handled.restart))
      task.again = { call, step };
    else call.fails(EINTR);
  }
  private dies(task: Task, signal: Step): boolean {
    const from = this.steps.indexOf(signal) + 1;
    return this.steps.slice(from).find((other) => other.task === task.label)?.kind === 'end';
  }

  private define(name: string, variable: Variable): void {
    this.variables.define(name, this.turns.share(variable, sharedAt));
  }
  /** Names that are new where the kernel writes: they are what is there then. */
  private capture(row: Row, values: readonly bigint[], step: CallStep): void {
    let next = 0;
    for (const arg of row.args) {
      if (arg.kind === 'unused') continue;
      const term = step.terms.at(next++);
      if (term === undefined || !('dir' in arg) || arg.dir === 'in') continue;
      const index = row.args.indexOf(arg);
      const base = values[index];
      for (const { name, offset } of this.newNames(row, step, index, term)) {
        const address = Number(base) + offset;
        const wide = arg.kind === 'word' && ['long', 'off', 'ulong', 'size'].includes(arg.of);
        const value = new Runtime(wide ? ARG_LOAD64 : ARG_LOAD32, address, 0, name);
        this.define(name, {
          value,
          negative: null,
          wide,
          read: (view) => {
            const bytes = view.bytes(address, 8);
            return wide ? bytes.readBigUInt64LE() : BigInt(bytes.readInt32LE());
          },
        });
      }
    }
  }
  /** Encodes the outputs of a call as if they had been written, with marks where unknown names stand. */
  private newNames(row: Row, step: CallStep, index: number, term: Term): { name: string; offset: number }[] {
    const candidates = symbolsOf(term).filter(
      (name) => name !== '_' && !this.variables.has(name) && !this.named.has(name) && !this.known(name),
    );
    if (candidates.length === 0) return [];
    const marks = new Map(candidates.map((name, k) => [name, 0x3d15_0000n + BigInt(k)]));
    const blocks = new Map<bigint, Uint8Array>();
    let free = 0x1000n;
    const place = (bytes: Uint8Array): bigint => {
      const at = free;
      blocks.set(at, bytes);
      free += BigInt(bytes.length) + 64n;
      return at;
    };
    const encoder = new Encoder({
      arch: hostArch,
      placement: { place, room: (size) => place(new Uint8Array(Math.min(size, 4096))), nowhere: 0n },
      variables: (name) => marks.get(name) ?? this.named.get(name) ?? this.variables.placeholder(name),
      outputs: true,
    });
    const bytes = blocks.get(encoder.encode(row, step.terms)[index]) ?? new Uint8Array(0);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const found: { name: string; offset: number }[] = [];
    for (const [name, mark] of marks)
      for (let at = 0; at + 4 <= bytes.length; at += 4)
        if (BigInt(view.getUint32(at, true)) === mark) {
          found.push({ name, offset: at });
          break;
        }
    return found;
  }
  private known(name: string): boolean {
    return this.constants.number(symbolTerm(name)) !== null || this.constants.signal(symbolTerm(name)) !== null;
  }

  /** What the text does not compare exactly may differ between the sides: times, ids, addresses in structs. */
  private tolerate(row: Row): void {
    const exact = row.args.every(
      (arg) =>
        !('dir' in arg) ||
        arg.dir === 'in' ||
        ((arg.kind === 'buffer' || arg.kind === 'iovec') && !row.varies.includes(arg.name)),
    );
    if (exact) return;
    for (const { address, size } of this.memory.rooms) this.builder.tolerate({ address, length: size });
    for (const { address, bytes } of this.memory.placed) this.builder.tolerate({ address, length: bytes.length });
  }

  // ---- processes ----

  private fork(
    task: Task,
    step: CallStep,
    nr: number,
    values: readonly bigint[],
    _registers: readonly EncodedArg[],
    text: string,
  ): Call {
    const flags = step.name === 'vfork' ? CLONE_VM | CLONE_VFORK : step.name === 'clone' ? Number(values[0]) : 0;
    if ((flags & CLONE_THREAD) !== 0 || ((flags & CLONE_VM) !== 0 && (flags & CLONE_VFORK) === 0))
      throw new Error('tasks that run in shared memory cannot be compared: write this one in TypeScript');
    const label = this.labels.find((one) => !this.tasks.has(one) && !this.unborn.some((t) => t.label === one));
    if (label === undefined) throw new Error('the child does nothing in this script');
    const from = { section: task.sections[0].index, shared: (flags & CLONE_VM) !== 0 };
    const section = this.builder.section(SECTION_PROCESS, from, () => {});
    this.unborn.push({
      label,
      sections: [section],
      handlers: new Map(task.handlers),
      last: null,
      again: null,
      handler: null,
      signals: 0,
    });
    return this.builder.add(OP_SPAWN, { nr, target: section.index, text });
  }
  /** clone's second argument, as all register orders have it. */
  private stackOf(step: CallStep, registers: readonly EncodedArg[]): EncodedArg {
    return step.name === 'clone' ? registers[1] : { kind: ARG_CONST, value: 0n, addend: 0n };
  }
  private end(step: Extract<Step, { kind: 'end' }>): void {
    const [how, what] = step.status.split(' ');
    if (step.task !== 0) {
      // Its parent's wait tells; until somebody kills it, it is there.
      const { sections } = this.taskOf(step);
      const pause = (): Call =>
        this.builder.add(OP_CALL, { nr: numberOf('ppoll'), args: [null, 0, null, null, 8], text: 'wait for the end' });
      if (how === 'killed') this.into(sections[sections.length - 1], () => pause().optional().ignored());
      return;
    }
    this.builder.script.status = how === 'exited' ? Number(what) << 8 : this.signalNumber(what);
  }

  // ---- signals ----

  private signalNumber(name: string): number {
    return Number(this.constants.number(symbolTerm(name)) ?? 0n);
  }
  /** The executor's own handler takes the place of the script's. */
  private catchHandler(task: Task, step: CallStep, values: readonly bigint[]): void {
    if (step.name !== 'rt_sigaction' || step.outcome?.error !== '') return;
    const action = step.terms.at(1);
    if (action?.kind !== 'struct') return;
    const signal = Number(values[0]);
    const field = (name: string): bigint => {
      const term = action.field(name);
      return term === undefined ? 0n : (this.constants.number(term) ?? 0n);
    };
    if (field('sa_handler') <= 1n) {
      task.handlers.delete(signal);
      return;
    }
    const flags = Number(field('sa_flags'));
    task.handlers.set(signal, { restart: (flags & SA_RESTART) !== 0, siginfo: (flags & SA_SIGINFO) !== 0 });
    const address = Number(values[1]);
    const hole = (offset: number, value: Runtime): void =>
      void this.memory.holes.push({ address: address + offset, width: 8, value, addend: 0 });
    hole(HANDLER, symbol(SYMBOL_HANDLER));
    if ((flags & SA_RESTORER) !== 0 && hostArch === 'x86_64') hole(RESTORER, symbol(SYMBOL_RESTORER));
  }
  private signal(task: Task, step: Extract<Step, { kind: 'signal' }>): void {
    const number = this.signalNumber(step.signal);
    const handled = task.handlers.get(number);
    if (handled === undefined) return;
    const outer = task.sections[task.sections.length - 1];
    const from = { section: task.sections[0].index, shared: true };
    const handler = this.builder.section(SECTION_HANDLER, from, () => {});
    // It is this one's turn from the call on during which the signal comes.
    const { section, at } = task.last ?? { section: outer, at: outer.ops.length };
    const op = this.into(section, () =>
      this.builder.add(OP_HANDLE, { nr: number, target: handler.index, text: `handler of ${step.signal}` }),
    ).op;
    section.ops.splice(section.ops.indexOf(op), 1);
    section.ops.splice(at, 0, op);
    if (task.last !== null) task.last = { section, at: at + 1 };
    task.sections.push(handler);
    const variables = this.variables.snapshot();
    const nth = task.signals++;
    const info = handled.siginfo ? step.info : null;
    this.into(handler, () => {
      this.builder.add(OP_REPORT, { text: `handler of line ${step.line}` });
      this.builder.check(
        `${step.signal} as line ${step.line} has it`,
        (view) => signalCheck(view, nth, number, info, variables),
        null,
      );
    });
  }

  // ---- directives ----

  private directive(name: string, terms: readonly Term[]): void {
    if (name === 'memory') this.nameMemory(terms);
    else if (name === 'expect') this.expectMemory(terms);
    else this.prepare(name, terms);
  }
  private nameMemory(terms: readonly Term[]): void {
    const size = Number(this.constants.need(terms[1], 'size'));
    const initial = new Uint8Array(Math.ceil(size / PAGE) * PAGE);
    const content = latin1(terms.at(2)?.text ?? '');
    initial.set(content.subarray(0, initial.length));
    const memory = this.builder.arena.own(initial.length, {
      initial,
      fill: 0,
      aligned: true,
      quiet: true,
      name: terms[0].text,
    });
    this.named.set(terms[0].text, BigInt(memory.address));
  }
  private expectMemory(terms: readonly Term[]): void {
    const wanted = latin1(terms[1].text);
    const at = this.named.get(terms[0].text) ?? this.variables.placeholder(terms[0].text);
    if (at === undefined) throw new Error(`there is no memory ${terms[0].text}`);
    const report = this.builder.add(OP_REPORT, { args: [0, wanted.length], text: `report of ${terms[0].text}` });
    (report.op.args as EncodedArg[])[0] = this.variables.argument(at).encoded;
    this.builder.check(
      `${terms[0].text} is as expected`,
      (view) => {
        const got = view.reported();
        return got.equals(wanted) || JSON.stringify(got.toString('latin1'));
      },
      null,
    );
  }
  /** Files that are there when the script begins. */
  private prepare(name: string, terms: readonly Term[]): void {
    const path = terms[0].text;
    if (path.startsWith('/')) throw new Error(`@${name} ${path}: a path in the script's own directory belongs here`);
    const call = (syscall: SyscallName, args: Parameters<Builder['encode']>[0][]): Call =>
      this.builder.add(OP_CALL, { nr: numberOf(syscall), args, text: `@${name} ${path}` });
    if (name === 'symlink') {
      call('symlinkat', [terms[1].text, AT_FDCWD, path]).returns(0);
      return;
    }
    const mode = Number(this.constants.need(terms[1], 'mode'));
    call('umask', [0]).returns(0o22);
    if (name === 'dir') call('mkdirat', [AT_FDCWD, path, mode]).returns(0);
    else {
      const fd = call('openat', [AT_FDCWD, path, O_CREAT | O_TRUNC | O_WRONLY, mode]).fd();
      const content = latin1(terms.at(2)?.text ?? '');
      if (content.length > 0) call('write', [fd, content, content.length]).returns(content.length);
      call('close', [fd]).returns(0);
    }
    call('umask', [0o22]).returns(0);
  }
}

const symbolTerm = (text: string): Term => new Term('symbol', text, [], 0);
const symbolsOf = (term: Term): string[] =>
  term.kind === 'symbol' ? [term.text] : term.parts.flatMap((part) => symbolsOf(part));
