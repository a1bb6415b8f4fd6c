/** A `.strace` file as the steps of its tasks: each call with its end, in the order of the text. */
import { TraceTextError, parseArguments, type Term } from '../../../src/trace/parse/term.js';
import type { Outcome, TraceEvent } from '../../../src/trace/parse/line.js';
import { LineFile } from '../../../src/trace/line-file.js';
import { ScriptSource, type Directive } from '../../../src/replay/script.js';

/** A call; where it sleeps while others act, its end is a step of its own. */
export interface CallStep {
  readonly kind: 'call';
  readonly task: number;
  readonly line: number;
  readonly name: string;
  readonly terms: readonly Term[];
  /** Null for a call that never returns. */
  readonly outcome: Outcome | null;
  readonly keep: string | undefined;
  /** Others act before it ends. */
  readonly sleeps: boolean;
  /** The signal that follows is the end of its task. */
  readonly fatal: boolean;
}
export type Step =
  | CallStep
  | { readonly kind: 'resumed'; readonly task: number; readonly line: number }
  | { readonly kind: 'directive'; readonly task: number; readonly line: number; readonly directive: Directive }
  | {
      readonly kind: 'signal';
      readonly task: number;
      readonly line: number;
      readonly signal: string;
      readonly info: Term;
    }
  | { readonly kind: 'end'; readonly task: number; readonly line: number; readonly status: string };

export function readSteps(path: string): Step[] {
  const file = new LineFile(path);
  const source = new ScriptSource(file);
  const events: TraceEvent[] = [];
  try {
    for (let event = source.next(); event !== null; event = source.next()) events.push(event);
  } finally {
    source.close();
  }
  return events.flatMap((event, i): Step[] => {
    try {
      return step(event, events, i);
    } catch (error) {
      if (!(error instanceof TraceTextError)) throw error;
      throw new Error(`${path}:${event.line}:${error.column + 1}: ${error.message}`, { cause: error });
    }
  });
}

function step(event: TraceEvent, events: readonly TraceEvent[], at: number): Step[] {
  const { pid: task, line } = event;
  switch (event.kind) {
    case 'call':
    case 'unfinished':
      return [callStep(event, events, at)];
    case 'lost':
      if (event.resumed) return [{ kind: 'resumed', task, line }];
      return [callStep(event, events, at)];
    case 'resumed':
      return [{ kind: 'resumed', task, line }];
    case 'directive':
      return [{ kind: 'directive', task, line, directive: event.directive }];
    case 'signal':
      return [{ kind: 'signal', task, line, signal: event.signal, info: parseArguments(event.info)[0] }];
    case 'exited':
      return [{ kind: 'end', task, line, status: `exited ${event.status}` }];
    case 'killed':
      return [{ kind: 'end', task, line, status: `killed ${event.signal}` }];
    default:
      return [];
  }
}

type Begin = Extract<TraceEvent, { kind: 'call' | 'unfinished' | 'lost' }>;
function callStep(event: Begin, events: readonly TraceEvent[], at: number): CallStep {
  const { pid: task, line, name } = event;
  const [next, then] = events.slice(at + 1).filter((other) => other.pid === task && other.kind !== 'resumed') as (
    TraceEvent | undefined
  )[];
  const fatal = next?.kind === 'signal' && then?.kind === 'killed';
  const base = { kind: 'call', task, line, name, sleeps: event.kind === 'unfinished' || fatal, fatal } as const;
  if (event.kind !== 'unfinished') {
    const terms = parseArguments(event.args);
    if (event.kind === 'lost') return { ...base, terms, outcome: null, keep: undefined };
    return { ...base, terms, outcome: event.outcome, keep: event.keep };
  }
  const end = events.slice(at + 1).find((other) => other.pid === task && 'name' in other && other.name === name);
  const terms = parseArguments(event.args + (end !== undefined && 'args' in end ? end.args : ''));
  if (end?.kind !== 'resumed') return { ...base, terms, outcome: null, keep: undefined };
  return { ...base, terms, outcome: end.outcome, keep: end.keep };
}
