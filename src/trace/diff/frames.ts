/**
 * What asynchronous signals do to a list of calls, taken out of it: the signal and its handler's calls come wherever the signal
 * happened to arrive, and the call that they interrupted is made again. What is left does not depend on when they came.
 */
import * as s from '../../abi/flags/signal.js';
import type { CallRecord, Entry, SignalRecord } from './record.js';

/** A signal, and the calls of its handler. */
export interface Frame {
  readonly signal: SignalRecord;
  readonly entries: readonly Entry[];
}

export interface Settled {
  readonly entries: Entry[];
  readonly frames: Frame[];
}

/** Signals of the thread's own doing: they have their place. */
const SYNCHRONOUS = new Set<number>([
  s.SIGSEGV,
  s.SIGBUS,
  s.SIGFPE,
  s.SIGILL,
  s.SIGTRAP,
  s.SIGSYS,
  s.SIGPIPE,
  s.SIGXFSZ,
]);

export function settle(entries: readonly Entry[]): Settled {
  const rest: Entry[] = [];
  const frames: Frame[] = [];
  const open: { signal: SignalRecord; from: number }[] = [];
  for (const entry of entries) {
    if (entry.kind === 'signal' && !SYNCHRONOUS.has(entry.signal)) {
      open.push({ signal: entry, from: rest.length });
      continue;
    }
    rest.push(entry);
    if (entry.kind !== 'call' || entry.row.name !== 'rt_sigreturn') continue;
    const frame = open.pop();
    if (frame === undefined) continue;
    frames.push({ signal: frame.signal, entries: rest.splice(frame.from) });
  }
  for (const { signal } of open) frames.push({ signal, entries: [] });
  return { entries: again(rest), frames: frames.sort((a, b) => a.signal.at - b.signal.at) };
}

const interrupted = (entry: Entry | undefined): entry is CallRecord =>
  entry?.kind === 'call' && entry.errno.startsWith('ERESTART');

/** A call that was interrupted and made again is one call. */
function again(entries: readonly Entry[]): Entry[] {
  const out: Entry[] = [];
  for (const entry of entries) {
    const before = out.at(-1);
    if (entry.kind === 'call' && interrupted(before)) {
      if (entry.row.name === 'restart_syscall') {
        const { result, value, errno, returned, at } = entry;
        out[out.length - 1] = { ...before, result, value, errno, returned, at };
        continue;
      }
      if (entry.row === before.row) out.pop();
    }
    out.push(entry);
  }
  return out;
}
