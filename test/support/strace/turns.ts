/**
 * Order among the tasks of a script: a word in memory that all share counts the steps. Who acts after another task waits for
 * its number; the other has stored it once its own call was done or, if that sleeps, right before it.
 */
import type { Builder } from '../builder.js';
import { Call, Runtime, numberOf } from '../builder.js';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_SHARED } from '../constants.js';
import { ARG_LOAD32, FREE_BASE, OP_CALL, OP_STORE, OP_WAIT_BLOCKED, OP_WAIT_WORD, PAGE } from '../script.js';
import type { Step } from './script-file.js';
import type { Variable } from './variables.js';

const SHARED = FREE_BASE + 0x6000_0000;
const PIDS = SHARED + 64;
const ENDED = SHARED + 512;
const VARIABLES = SHARED + 1024;
const TIMEOUT_MS = 5000;
const READ_WRITE = 3;

/** Steps that are operations of their task. */
const acts = (step: Step): boolean => step.kind === 'call' || step.kind === 'directive' || step.kind === 'resumed';

export class Turns {
  private readonly builder: Builder;
  private readonly steps: readonly Step[];
  private readonly several: boolean;
  private readonly pids = new Map<number, number>();
  private shared = 0;

  constructor(builder: Builder, steps: readonly Step[]) {
    this.builder = builder;
    this.steps = steps;
    this.several = steps.some((step) => step.task !== 0);
  }
  /** The first operations of the first task. */
  begin(): void {
    if (!this.several) return;
    this.builder
      .add(OP_CALL, {
        nr: numberOf('mmap'),
        args: [SHARED, PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0],
        text: 'memory for turns',
      })
      .returns(SHARED);
    this.introduce(0);
  }
  /** The first operations of a task: others must know who it is. */
  introduce(label: number): void {
    if (!this.several) return;
    const at = PIDS + 8 * this.pids.size;
    this.pids.set(label, at);
    const pid = this.builder.add(OP_CALL, { nr: numberOf('gettid'), text: 'gettid' }).pid();
    this.store(at, 4, pid);
  }
  /** Keeps a variable where every task finds it. */
  share(variable: Variable, at: (address: number, variable: Variable) => Variable): Variable {
    if (!this.several) return variable;
    const address = VARIABLES + 16 * this.shared++;
    if (address >= SHARED + PAGE) throw new Error('too many variables in a script of several tasks');
    this.store(address, 8, variable.value);
    if (variable.negative !== null) this.store(address + 8, 8, variable.negative);
    return at(address, variable);
  }

  /** What comes before step `i`. */
  before(i: number): void {
    const from = this.previous(i);
    if (from === null || this.steps[from].task === this.steps[i].task) return;
    this.builder.add(OP_WAIT_WORD, { args: [SHARED, i, TIMEOUT_MS], text: `turn of step ${i}` }).returns(0);
    const other = this.steps[from];
    const asleep = other.kind === 'call' && (other.sleeps || other.outcome === null);
    const pid = this.pids.get(other.task);
    if (!asleep || other.name === 'vfork' || pid === undefined) return;
    const id = new Runtime(ARG_LOAD32, pid, 0, `task ${other.task}`);
    this.builder.add(OP_WAIT_BLOCKED, { args: [id], text: `until task ${other.task} sleeps` }).returns(0);
  }
  /** Right before the call of step `i`. */
  during(i: number, sleeps: boolean): void {
    if (sleeps) this.handOver(i);
  }
  /** What comes after step `i`. */
  after(i: number): void {
    const step = this.steps[i];
    if (step.kind === 'call' && (step.sleeps || step.outcome === null)) return;
    this.handOver(i);
  }
  private handOver(i: number): void {
    const to = this.next(i);
    if (to === null) return;
    const next = this.steps[to];
    if (next.task === this.steps[i].task) return;
    // Who goes on in its call needs no turn.
    // Who acts next may kill this task before it has reported the store; a store that did not happen is missed there.
    this.store(next.kind === 'resumed' ? this.ended(to) : SHARED, 4, to).optional();
  }
  /** What comes after a call that has been resumed: who made it go on is to be done with that, too. */
  resumed(i: number): void {
    const from = this.previous(i);
    if (from !== null && this.steps[from].task !== this.steps[i].task)
      this.builder.add(OP_WAIT_WORD, { args: [this.ended(i), i, TIMEOUT_MS], text: `end of step ${from}` }).returns(0);
    this.after(i);
  }
  private readonly endings = new Map<number, number>();
  private ended(i: number): number {
    const at = this.endings.get(i) ?? ENDED + 4 * this.endings.size;
    if (at >= VARIABLES) throw new Error('too many calls that sleep');
    this.endings.set(i, at);
    return at;
  }
  private previous(i: number): number | null {
    for (let at = i - 1; at >= 0; at--) if (acts(this.steps[at])) return at;
    return null;
  }
  private next(i: number): number | null {
    for (let at = i + 1; at < this.steps.length; at++) if (acts(this.steps[at])) return at;
    return null;
  }
  private store(address: number, width: number, value: number | Call | Runtime): Call {
    return this.builder.add(OP_STORE, { nr: width, args: [address, value], text: 'store for others' });
  }
}
