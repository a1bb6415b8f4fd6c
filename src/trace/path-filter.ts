/**
 * -P: calls that touch one of some paths, by a path argument or by a descriptor that is open on it (strace: pathtrace.c).
 *
 * Paths are compared as text, as strace does after it has resolved its own. Which arguments are looked at follows from the row,
 * except where strace leaves some out.
 */
import { viewOf, type Call } from './call.js';

/** Arguments that are a path or descriptor and are not compared. */
const IGNORED = new Set(['symlink.target', 'symlinkat.target', 'epoll_ctl.epfd']);
/** Calls that are never shown: strace knows no file in them. */
const NEVER = /^(accept4?|bpf|io_uring_.*|landlock_.*|mq_.*|perf_event_open|signalfd4?|timerfd_.*)$/;
const CLASSES = ['file', 'desc', 'network'] as const;
const MAX_FDS = 1 << 20;

export function touches(c: Call, paths: ReadonlySet<string>): boolean {
  const { row } = c;
  if (!CLASSES.some((name) => row.classes.includes(name)) || NEVER.test(row.name)) return false;
  const open = (fd: number): boolean => {
    const name = fd < 0 ? null : (c.memory.descriptor?.(fd, 1) ?? null);
    return name !== null && paths.has(name.path);
  };
  if (row.name === 'poll' || row.name === 'ppoll') return polled(c).some(open);
  if (row.name === 'select' || row.name === 'pselect6') return selected(c).some(open);
  return row.args.some((arg, i) => {
    if (IGNORED.has(`${row.name}.${arg.name}`)) return false;
    if (arg.kind === 'fd' || arg.kind === 'dirfd') return open(Number(BigInt.asIntN(32, c.args[i])));
    if (arg.kind !== 'path') return false;
    const text = c.args[i] === 0n ? null : c.cstring(c.args[i], 4096);
    return text !== null && paths.has(Buffer.from(text.bytes).toString('latin1'));
  });
}
function polled(c: Call): number[] {
  const count = Math.min(Number(c.args[1] & 0xffff_ffffn), MAX_FDS);
  const bytes = c.read(c.args[0], 8 * count);
  return bytes === null ? [] : Array.from({ length: count }, (_, i) => viewOf(bytes).getInt32(8 * i, true));
}
function selected(c: Call): number[] {
  const count = Math.min(Math.max(0, Number(BigInt.asIntN(32, c.args[0]))), MAX_FDS);
  const fds: number[] = [];
  for (const addr of c.args.slice(1, 4)) {
    const bytes = count === 0 ? null : c.read(addr, Math.ceil(count / 64) * 8);
    for (let fd = 0; bytes !== null && fd < count; fd++) if (bytes[fd >> 3] & (1 << (fd & 7))) fds.push(fd);
  }
  return fds;
}
