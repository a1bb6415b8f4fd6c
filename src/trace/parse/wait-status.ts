/** `[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]` and the like as the status word that wait4 stores. */
import type { Term } from './term.js';
import type { Evaluator } from './value.js';

const EXITED = 0;
const STOPPED = 0x7f;
const CORE = 0x80;
const CONTINUED = 0xffff;

export function waitStatus(values: Evaluator, term: Term): number {
  const inner = term.kind === 'array' ? term.parts.at(0) : term;
  if (inner === undefined) return 0;
  let status = 0;
  // A stop's status may have an event in its upper half: `{...}|PTRACE_EVENT_FORK<<16`.
  const [head, ...rest] = inner.kind === 'operation' && inner.text === '|' ? inner.parts : [inner];
  for (const part of rest) status |= Number(values.value(part));
  if (head.kind !== 'struct') return status | Number(values.value(head));
  const visit = (condition: Term): void => {
    const { kind, text, parts } = condition;
    if (kind === 'operation' && text === '&&') parts.forEach(visit);
    else if (kind === 'operation' && text === '==') {
      // Everything behind `==` is its right side: the value, and the conditions that follow.
      const [right, ...more] = parts[1].text === '&&' ? parts[1].parts : [parts[1]];
      more.forEach(visit);
      const value = Number(values.signalValue(right));
      if (parts[0].text === 'WTERMSIG') status |= value & 0x7f;
      else if (parts[0].text === 'WSTOPSIG') status |= STOPPED | ((value & 0xff) << 8);
      else status |= EXITED | ((value & 0xff) << 8);
    } else if (text === 'WCOREDUMP') status |= CORE;
    else if (text === 'WIFCONTINUED') status |= CONTINUED;
  };
  head.parts.forEach(visit);
  return status;
}
