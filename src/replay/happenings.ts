/** Happenings: what a recording has besides calls: signals, ends, and a script's directives. */
import { signalName } from '../abi/signals.js';
import type { Kernel } from '../kernel.js';
import type { ScriptPlatform } from '../platform/script/platform.js';
import { sendSignalToTask } from '../../sched/signal/send.js';
import { latin1 } from '../trace/parse/bytes.js';
import type { TraceEvent } from '../trace/parse/line.js';
import { parseArguments } from '../trace/parse/term.js';
import { quote } from '../trace/text.js';
import { mapAnonymous, pages } from './addresses.js';
import type { Identities } from './identities.js';
import type { PlayedTask, SignalEvent } from './played-task.js';

/** Tells of a difference that is no call's. */
export type Differ = (event: TraceEvent, recorded: string, now: string, what: string) => void;

export class Happenings {
  private readonly kernel: Kernel;
  private readonly platform: ScriptPlatform;
  private readonly ids: Identities;
  private readonly differ: Differ;

  constructor(kernel: Kernel, platform: ScriptPlatform, ids: Identities, differ: Differ) {
    this.kernel = kernel;
    this.platform = platform;
    this.ids = ids;
    this.differ = differ;
  }

  direct(played: PlayedTask, event: Extract<TraceEvent, { kind: 'directive' }>): void {
    const { name, terms } = event.directive;
    if (name === 'memory') {
      const { mm } = played.task;
      const { pageSize } = mm.platform;
      const length = pages(mm, Number(this.ids.values.need(terms[1], 'size')));
      // Nothing lies next to it.
      const at = mapAnonymous(mm, 0, length + 2 * pageSize) + pageSize;
      mm.munmap(at - pageSize, pageSize);
      mm.munmap(at + length, pageSize);
      this.ids.variables.set(terms[0].text, BigInt(at));
      const content = latin1(terms.at(2)?.text ?? '');
      played.thread.space.write(at, content, 0, Math.min(content.length, length));
    } else if (name === 'expect') {
      const at = Number(this.ids.values.need(terms[0], 'memory'));
      const wanted = latin1(terms[1].text);
      const bytes = new Uint8Array(wanted.length);
      played.thread.space.read(at, bytes, 0, bytes.length);
      if (wanted.equals(bytes)) return;
      const label = terms[0].text;
      this.differ(event, `${label}: ${quote(wanted)}`, `${label}: ${quote(bytes)}`, 'memory differs');
    }
  }

  signal(played: PlayedTask, event: SignalEvent): void {
    if (this.delivered(played, event.signal)) return;
    // It may wait for the task to come by.
    this.interrupt(played);
    if (this.delivered(played, event.signal)) return;
    this.send(played, event);
    if (!this.delivered(played, event.signal))
      this.differ(event, `--- ${event.signal} ${event.info} ---`, '', 'the signal is not delivered here');
  }
  /** Makes a parked task look at its signals. */
  interrupt(played: PlayedTask): void {
    played.thread.interrupted = true;
    this.platform.unpark(played.thread);
    this.kernel.drain();
  }
  /** A script has no lines for signals without a handler: parked tasks take theirs when somebody may be waiting for that. */
  interruptParked(tasks: Iterable<PlayedTask>): void {
    for (const other of [...tasks]) if (other.thread.parked && other.thread.interrupted) this.interrupt(other);
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

  ended(played: PlayedTask, event: Extract<TraceEvent, { kind: 'exited' | 'killed' }>): void {
    if (played.status === null) this.interrupt(played);
    const recorded = event.kind === 'exited' ? `exited with ${event.status}` : `killed by ${event.signal}`;
    const { status } = played;
    const now =
      status === null
        ? 'still there'
        : (status & 0x7f) === 0
          ? `exited with ${(status >> 8) & 0xff}`
          : `killed by ${signalName(status & 0x7f)}`;
    if (recorded !== now) this.differ(event, `+++ ${recorded} +++`, `+++ ${now} +++`, 'the task ends differently');
  }
}
