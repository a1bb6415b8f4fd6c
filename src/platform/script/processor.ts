/**
 * Processor: user code of a script thread as generator functions, one for each level: the program itself, and on top of it
 * every signal handler that interrupted what is below.
 *
 * The instruction pointer says which code goes on, as on a real CPU: code that stops names the addresses where it may go on; any
 * other address is an entry point (a new program after exec, a handler) that `Program.enter` knows. So the kernel's own
 * frames, restarts and sigreturn are played as they are, and a fault is retried by simply running again.
 */
import { SPINNING, type Script, type ScriptFault, type ScriptThread, type Step } from './thread.js';
import type { ScriptSpace } from './address-space.js';

/** User code: yields at every stop. */
export type Code<T = void> = Generator<Step, T, void>;

/** What runs: knows the code at its entry points. */
export interface Program {
  /** Where system calls are executed. */
  readonly callSite: number;
  /** The code that starts at the instruction pointer. `processor.reset()` drops all that ran before. */
  enter(processor: Processor): Code;
  /** A processor was made from another one, which is at its system call: `child.begin(code)` says what it runs. */
  cloned(child: Processor, parent: Processor): void;
}

interface Level {
  readonly code: Code;
  /** Where it may go on after its last stop. */
  resumesAt: readonly number[];
  /** It has executed sigreturn: the level below goes on. */
  left: boolean;
}

export class Processor {
  readonly thread: ScriptThread;
  private readonly program: Program;
  private levels: Level[] = [];

  constructor(thread: ScriptThread, program: Program) {
    this.thread = thread;
    this.program = program;
  }
  get space(): ScriptSpace {
    return this.thread.space;
  }
  get sp(): number {
    return this.thread.regs.sp;
  }
  set sp(value: number) {
    this.thread.regs.sp = value;
  }

  /** Runs up to the next stop. */
  run(): Step {
    const { regs } = this.thread;
    for (;;) {
      const fault = this.fetch();
      if (fault !== null) return fault;
      if (this.levels.at(-1)?.left === true) this.levels.pop();
      let top = this.levels.at(-1);
      if (top === undefined || !top.resumesAt.includes(regs.ip)) {
        const code = this.program.enter(this);
        this.levels.push((top = { code, resumesAt: [], left: false }));
      }
      const { done, value } = top.code.next();
      if (done !== true) return value;
      this.levels.pop();
      // Code that is at its end without having left has nowhere to go.
      if (this.levels.length === 0) return false;
    }
  }
  /** Forgets everything that ran: a new program starts. */
  reset(): void {
    this.levels = [];
  }
  /** For a new thread: the code that goes on where the system call of the one it was made from returns. */
  begin(code: Code): void {
    this.levels = [{ code, resumesAt: [this.thread.regs.ip], left: false }];
  }

  /** Stops; goes on at one of these addresses (default: the present one). */
  *stop(step: Step, ...resumesAt: number[]): Code {
    this.levels.at(-1)!.resumesAt = resumesAt.length > 0 ? resumesAt : [this.thread.regs.ip];
    yield step;
  }
  /** Lets others run, without a stop. */
  *spin(): Code {
    yield* this.stop(SPINNING);
  }

  /** A system call. A kernel that restarts it moves the instruction pointer back, and it is executed again. */
  *call(nr: number, ...args: (number | bigint)[]): Code<bigint> {
    const { thread } = this;
    const { regs } = thread;
    regs.ip = this.program.callSite;
    thread.call(nr, ...args);
    return yield* this.afterTrap(this.program.callSite);
  }
  /** The same with all registers as they are. */
  *trap(): Code<bigint> {
    const site = (this.thread.regs.ip = this.program.callSite);
    this.thread.trap();
    return yield* this.afterTrap(site);
  }
  *afterTrap(site: number): Code<bigint> {
    const { thread } = this;
    const { regs } = thread;
    for (;;) {
      yield* this.stop(true, site, site + regs.layout.syscallLength);
      if (regs.ip !== site) return BigInt.asIntN(64, thread.word(regs.layout.ret));
      thread.trap();
    }
  }
  /** Ends a handler: executes sigreturn, loaded by the caller, at the instruction pointer. */
  *leave(): Code {
    const level = this.levels.at(-1)!;
    this.thread.trap();
    level.left = true;
    yield* this.stop(true);
  }

  /** Reads memory; faults are the kernel's to resolve, and then it is tried again. */
  *load(address: number, length: number): Code<Buffer> {
    const bytes = Buffer.alloc(length);
    let done = 0;
    for (;;) {
      done += this.space.load(address + done, bytes, done, length - done);
      if (done === length) return bytes;
      yield* this.stop(this.thread.faultAt(address + done, 0));
    }
  }
  *store(address: number, bytes: Uint8Array): Code {
    let done = 0;
    for (;;) {
      done += this.space.store(address + done, bytes, done, bytes.length - done);
      if (done === bytes.length) return;
      yield* this.stop(this.thread.faultAt(address + done, 1));
    }
  }

  /** The fault of fetching the next instruction, or null. */
  fetch(): ScriptFault | null {
    const { ip } = this.thread.regs;
    return this.space.permits(ip, 2) ? null : this.thread.faultAt(ip, 2);
  }
}

/** Options of a ScriptPlatform that runs `program` on every thread. */
export function playing(program: Program): {
  script: Script;
  cloned: (child: ScriptThread, parent: ScriptThread) => void;
} {
  const processors = new WeakMap<ScriptThread, Processor>();
  const of = (thread: ScriptThread): Processor => {
    let processor = processors.get(thread);
    if (processor === undefined) processors.set(thread, (processor = new Processor(thread, program)));
    return processor;
  };
  return {
    script: (thread) => of(thread).run(),
    cloned: (child, parent) => program.cloned(of(child), of(parent)),
  };
}
