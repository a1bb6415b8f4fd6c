/**
 * Calls that were woken late: a sleeper here sees what woke it at once, one on a busy machine also what came after that, up to
 * where its end stands in the text.
 */
import { POLLIN } from '../abi/flags/poll.js';
import { WNOHANG } from '../abi/flags/process.js';
import type { Task } from '../../sched/task.js';
import type { Call } from '../trace/call.js';
import type { Placement } from '../trace/parse/encode.js';
import type { Outcome } from '../trace/parse/line.js';

/** Which argument of a call that asks for readiness is its time-out, and whether that is a pointer. */
const TIMEOUTS: Readonly<Record<string, { readonly at: number; readonly points: boolean } | undefined>> = {
  poll: { at: 2, points: false },
  ppoll: { at: 2, points: true },
  select: { at: 4, points: true },
  pselect6: { at: 4, points: true },
  epoll_wait: { at: 3, points: false },
  epoll_pwait: { at: 3, points: false },
  epoll_pwait2: { at: 3, points: true },
};
/** struct timespec and timeval. */
const TIME = 16;

/** Whether a call tells what is ready, and changes nothing by it. */
export const asksReadiness = (name: string): boolean => TIMEOUTS[name] !== undefined;

/** The arguments of such a call, to ask again without sleep. */
export function withoutWaiting(name: string, args: bigint[], memory: Placement): bigint[] {
  const timeout = TIMEOUTS[name]!;
  args[timeout.at] = timeout.points ? memory.place(new Uint8Array(TIME)) : 0n;
  return args;
}

/** Which argument of a call that waits for children has its options. */
const WAIT_OPTIONS: Readonly<Record<string, number | undefined>> = { wait4: 2, waitid: 3 };
/**
 * The arguments to ask again without sleep what a signal has interrupted here: a sleeper that runs late may find what it waits for
 * before it looks at its signals. Null: cannot be.
 */
export function uninterrupted(task: Task, name: string, args: bigint[]): bigint[] | null {
  const options = WAIT_OPTIONS[name];
  if (options !== undefined) {
    args[options] |= BigInt(WNOHANG);
    return args;
  }
  if (name !== 'read') return null;
  const file = task.files.find(Number(BigInt.asIntN(32, args[0])));
  return file === undefined || (file.poll(task) & POLLIN) === 0 ? null : args;
}

/** The arguments to read what a pipe or socket got after the reader was woken, if the recorded call read more; else null. */
export function restOfRead(task: Task, name: string, { args, result }: Call, { value }: Outcome): bigint[] | null {
  if (name !== 'read' || value === null || value <= BigInt(result) || result === 0) return null;
  const file = task.files.find(Number(BigInt.asIntN(32, args[0])));
  if (file === undefined || (file.poll(task) & POLLIN) === 0) return null;
  const got = BigInt(result);
  return [args[0], args[1] + got, args[2] - got];
}
