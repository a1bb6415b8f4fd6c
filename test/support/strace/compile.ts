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
import { numberOf, symbol, type Builder, type Call, type Runtime } from '../builder.js';
import {
  OP_CALL,
  OP_HANDLE,
  OP_REPORT,
  SECTION_HANDLER,
  SECTION_PROCESS,
  SYMBOL_HANDLER,
  SYMBOL_RESTORER,
  type SectionData,
} from '../script.js';
import { Calls, type MadeCall } from './calls.js';
import { Directives } from './directives.js';
import { constants, symbolTerm } from './names.js';
import { readSteps, type CallStep, type Step } from './script-file.js';
import { signalCheck } from './siginfo.js';
import { Turns } from './turns.js';
import { Variables } from './variables.js';

const FORKS: ReadonlySet<string> = new Set(['fork', 'vfork', 'clone', 'clone3']);
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
  again: { made: MadeCall; call: Call } | null;
  /** The handler that returned last. */
  handler: SectionData | null;
  /** Signals it has caught. */
  signals: number;
}

const newTask = (label: number, section: SectionData, handlers: ReadonlyMap<number, Handled>): Task => ({
  label,
  sections: [section],
  handlers: new Map(handlers),
  last: null,
  again: null,
  handler: null,
  signals: 0,
});
const signalNumber = (name: string): number => Number(constants.number(symbolTerm(name)) ?? 0n);

export function compileScript(path: string, builder: Builder): void {
  new Compiler(path, builder).compile();
}

class Compiler {
  private readonly path: string;
  private readonly builder: Builder;
  private readonly steps: readonly Step[];
  private readonly variables = new Variables();
  private readonly calls: Calls;
  private readonly turns: Turns;
  private readonly directives: Directives;
  private readonly tasks = new Map<number, Task>();
  private readonly unborn: Task[] = [];
  private readonly labels: number[];

  constructor(path: string, builder: Builder) {
    this.path = path;
    this.builder = builder;
    this.steps = readSteps(path);
    this.directives = new Directives(builder, this.variables);
    this.labels = [...new Set(this.steps.map((step) => step.task))].filter((label) => label !== 0);
    this.turns = new Turns(builder, this.steps);
    this.calls = new Calls(builder, this.variables, this.directives.named, this.turns);
  }
  compile(): void {
    const { builder } = this;
    const main = builder.section(SECTION_PROCESS, null, () => {});
    this.tasks.set(0, newTask(0, main, new Map()));
    this.into(main, () => this.turns.begin());
    this.steps.forEach((step, i) => {
      try {
        this.step(step, i);
      } catch (error) {
        if (error instanceof Error) error.message = `${this.path}:${step.line}: ${error.message}`;
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
        this.turns.resumed(i);
        return;
      }
      const at = section.ops.length;
      this.turns.before(i);
      if (step.kind === 'directive') this.directives.add(step.directive.name, step.directive.terms);
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
    if (task.again !== null) {
      this.restarted(task, task.again, step, i);
      return;
    }
    const made = this.calls.encode(step);
    this.catchHandler(task, step, made);
    this.calls.fillHoles(made);
    const never = step.outcome === null;
    this.turns.during(i, step.sleeps || never);
    const call = this.calls.add(made, this.childOf(task, step, made));
    task.last = place;
    if (step.outcome === null) call.optional().ignored();
    else if (step.outcome.error.startsWith('ERESTART')) this.interrupted(task, made, call, i);
    else this.calls.expect(made, call, step);
    if (step.fatal) call.optional();
  }
  /** The text makes the interrupted call again: it is still the same operation. */
  private restarted(task: Task, again: { made: MadeCall; call: Call }, step: CallStep, i: number): void {
    if (step.name !== again.made.step.name && step.name !== 'restart_syscall')
      throw new Error(`${again.made.step.name} is restarted here`);
    task.again = null;
    // The handler's last operation: the call sleeps again at once.
    if (step.sleeps && task.handler !== null) this.into(task.handler, () => this.turns.during(i, true));
    this.calls.expect(again.made, again.call, step);
  }
  /** A handler comes in the middle: EINTR, or the call again as the text makes it after rt_sigreturn. */
  private interrupted(task: Task, made: MadeCall, call: Call, i: number): void {
    const next = this.steps.slice(i + 1).find((other) => other.task === task.label && other.kind !== 'resumed');
    const handled = next?.kind === 'signal' ? task.handlers.get(signalNumber(next.signal)) : undefined;
    const { error } = made.step.outcome!;
    if (next?.kind === 'end' || made.step.fatal) call.optional().ignored();
    else if (handled === undefined || error === 'ERESTARTNOINTR' || (error === 'ERESTARTSYS' && handled.restart))
      task.again = { made, call };
    else call.fails(EINTR);
  }

  // ---- processes ----

  /** The section that a call which makes a process leaves to it; null for other calls. */
  private childOf(task: Task, step: CallStep, { values }: MadeCall): SectionData | null {
    if (!FORKS.has(step.name) || step.outcome?.error !== '') return null;
    const flags = step.name === 'vfork' ? CLONE_VM | CLONE_VFORK : step.name === 'clone' ? Number(values[0]) : 0;
    if ((flags & CLONE_THREAD) !== 0 || ((flags & CLONE_VM) !== 0 && (flags & CLONE_VFORK) === 0))
      throw new Error('tasks that run in shared memory cannot be compared: write this one in TypeScript');
    const label = this.labels.find((one) => !this.tasks.has(one) && !this.unborn.some((t) => t.label === one));
    if (label === undefined) throw new Error('the child does nothing in this script');
    const from = { section: task.sections[0].index, shared: (flags & CLONE_VM) !== 0 };
    const section = this.builder.section(SECTION_PROCESS, from, () => {});
    this.unborn.push(newTask(label, section, task.handlers));
    return section;
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
    this.builder.script.status = how === 'exited' ? Number(what) << 8 : signalNumber(what);
  }

  // ---- signals ----

  /** The executor's own handler takes the place of the script's. */
  private catchHandler(task: Task, step: CallStep, { values, memory }: MadeCall): void {
    if (step.name !== 'rt_sigaction' || step.outcome?.error !== '') return;
    const action = step.terms.at(1);
    if (action?.kind !== 'struct') return;
    const signal = Number(values[0]);
    const field = (name: string): bigint => {
      const term = action.field(name);
      return term === undefined ? 0n : (constants.number(term) ?? 0n);
    };
    if (field('sa_handler') <= 1n) {
      task.handlers.delete(signal);
      return;
    }
    const flags = Number(field('sa_flags'));
    task.handlers.set(signal, { restart: (flags & SA_RESTART) !== 0, siginfo: (flags & SA_SIGINFO) !== 0 });
    const address = Number(values[1]);
    const hole = (offset: number, value: Runtime): void =>
      void memory.holes.push({ address: address + offset, width: 8, value, addend: 0 });
    hole(HANDLER, symbol(SYMBOL_HANDLER));
    if ((flags & SA_RESTORER) !== 0) hole(RESTORER, symbol(SYMBOL_RESTORER));
  }
  private signal(task: Task, step: Extract<Step, { kind: 'signal' }>): void {
    const number = signalNumber(step.signal);
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
}
