/** poll, select and epoll: what was asked on entry, what is ready beside the result. */
import { FLAG_SETS } from '../../abi/flags/index.js';
import { EPOLL_CTL_DEL } from '../../abi/flags/poll.js';
import { EPOLL_EVENT } from '../../abi/layouts/io.js';
import { forArch } from '../../abi/layout.js';
import { readInt, readShort, StructView, type Call } from '../call.js';
import { address, flagList, flags, toInt, toUint } from '../text.js';
import { setBits, sigset } from './kinds.js';
import { printStruct } from './structs.js';
import { early, late, type ArgPrinter, type ResultPrinter } from './types.js';

function pollfds(c: Call, addr: bigint): string {
  return c.array(addr, toUint(c.args[1]), 8, (bytes) => {
    const fd = readInt(bytes, 0);
    return fd < 0
      ? `{fd=${fd}}`
      : `{fd=${c.fd(fd)}, events=${flags(FLAG_SETS.pollflags, c, BigInt(readShort(bytes, 4)))}}`;
  });
}
/** strace has 1024 bytes for them, less what may still follow; where nothing is to be lost, there is no limit. */
const RESULT_ROOM = 997;
const LEFT_ROOM = 1016;
/** As many entries as are looked at for ready ones. */
const MAX_FDS = 1 << 16;
/** `[{fd=3, revents=POLLIN}], left {...}`. */
function pollResult(c: Call): void {
  if (c.failed) return;
  if (c.result === 0) {
    c.aux = 'Timeout';
    return;
  }
  if (c.style.addresses) return;
  const addr = c.args[0];
  const count = Math.min(toUint(c.args[1]), MAX_FDS);
  if (addr === 0n || count === 0) return;
  let ready = '';
  let shown = 0;
  const show = (text: string): void => {
    ready += shown++ > 0 ? `, ${text}` : text;
  };
  const room = c.style.strings === Infinity ? Infinity : RESULT_ROOM;
  const whole = c.peek(addr, 8 * count);
  for (let i = 0; i < count; i++) {
    const bytes = whole ?? c.peek(addr + BigInt(8 * i), 8);
    if (bytes === null) {
      show(address(addr + BigInt(8 * i)));
      break;
    }
    const at = whole === null ? 0 : 8 * i;
    const revents = readShort(bytes, at + 6);
    if (revents === 0) continue;
    if (shown >= c.elements) {
      show('...');
      break;
    }
    const text = `{fd=${readInt(bytes, at)}, revents=${flagList(FLAG_SETS.pollflags, c, BigInt(revents))}}`;
    if (1 + ready.length + (shown > 0 ? 2 : 0) + text.length >= room) {
      show('...');
      break;
    }
    show(text);
  }
  const list = shown > 0 ? `[${ready}]` : '';
  c.aux = list;
  if (c.row.name !== 'ppoll' || c.args[2] === 0n) return;
  const left = printStruct(c, c.args[2], 'timespec');
  const fits = room === Infinity || list.length + left.length < LEFT_ROOM;
  c.aux = `${list}${shown > 0 ? ', ' : ''}${fits ? `left ${left}` : '...'}`;
}

const SETS = ['in', 'out', 'except'];
/** `in [3 5], out [1], left {...}`. */
function selectResult(c: Call): void {
  if (c.failed) return;
  if (c.result === 0) {
    c.aux = 'Timeout';
    return;
  }
  const nfds = Math.min(Math.max(0, toInt(c.args[0])), 1 << 20);
  const size = Math.ceil(nfds / 64) * 8;
  let ready = c.result;
  const parts: string[] = [];
  for (let i = 0; i < 3 && ready > 0; i++) {
    const bytes = size === 0 ? null : c.read(c.args[i + 1], size);
    if (bytes === null) continue;
    const fds = setBits(bytes, nfds).slice(0, ready);
    ready -= fds.length;
    if (fds.length > 0) parts.push(`${SETS[i]} [${fds.join(' ')}]`);
  }
  if (c.args[4] !== 0n)
    parts.push(`left ${printStruct(c, c.args[4], c.row.name === 'select' ? 'timeval' : 'timespec')}`);
  c.aux = parts.join(', ');
}
function packedMask(c: Call, addr: bigint): string {
  return c.object(
    addr,
    'sigset_argpack',
    (s) => `{sigmask=${sigset(c, s.big('p'), s.big('size'))}, sigsetsize=${s.big('size')}}`,
  );
}

function epollEvent(c: Call, bytes: Uint8Array): string {
  const s = new StructView(forArch(EPOLL_EVENT, c.arch), bytes);
  const data = s.big('data');
  return `{events=${flags(FLAG_SETS.epollevents, c, s.big('events'))}, data={u32=${data & 0xffff_ffffn}, u64=${data}}}`;
}
const eventSize = (c: Call): number => EPOLL_EVENT[c.arch].size;
function oneEvent(c: Call, addr: bigint): string {
  if (toInt(c.args[1]) === EPOLL_CTL_DEL) return address(addr);
  const bytes = c.fetch(addr, eventSize(c));
  return bytes === null ? address(addr) : epollEvent(c, bytes);
}

export const POLL_ARGS: Record<string, ArgPrinter> = {
  pollfds: early(pollfds),
  pselect6_sigmask: early(packedMask),
  epoll_event: early(oneEvent),
  epoll_events: late((c, v) => c.array(v, c.failed ? -1 : c.result, eventSize(c), (bytes) => epollEvent(c, bytes))),
};
export const POLL_RESULTS: Record<string, ResultPrinter> = {
  poll: pollResult,
  ppoll: pollResult,
  select: selectResult,
  pselect6: selectResult,
};
