/** Sockets: types and protocols, addresses with their lengths, messages, options. */
import * as so from '../../abi/flags/socket.js';
import * as opt from '../../abi/flags/socket-options.js';
import { ERRNO_NAMES } from '../../abi/errno.js';
import { FLAG_SETS, type FlagSetName } from '../../abi/flags/index.js';
import { viewOf, type Call, type StructView } from '../call.js';
import { address, enumeration, flags, hex, hexString, id, lookup, symbol, toInt, toUint, unsigned } from '../text.js';
import { iovec } from './kinds.js';
import { filterProgram } from './filters.js';
import { inet, inet6Field, ifindex, sockaddr } from './sockaddr.js';
import { printStruct } from './structs.js';
import { early, late, type ArgPrinter, type CallPrinter } from './types.js';

function socketType(c: Call, v: bigint): string {
  const bits = BigInt(toUint(v));
  const type = lookup(FLAG_SETS.socktypes, c, bits & 15n);
  const rest = type === undefined ? bits : bits & ~15n;
  const name = type === undefined ? '' : symbol(c, hex(bits & 15n), type);
  if (type !== undefined && rest === 0n) return name;
  return `${name === '' ? '' : `${name}|`}${flags(FLAG_SETS.sock_type_flags, c, rest)}`;
}
const swap16 = (v: number): number => ((v & 0xff) << 8) | ((v >> 8) & 0xff);
function protocol(c: Call, v: bigint): string {
  if (c.row.name === 'socketpair') return unsigned(v);
  switch (toInt(c.args[0])) {
    case so.AF_INET:
    case so.AF_INET6:
      return enumeration(FLAG_SETS.inet_protocols, c, BigInt(toUint(v)));
    case so.AF_NETLINK:
      return enumeration(FLAG_SETS.netlink_protocols, c, BigInt(toUint(v)));
    case so.AF_PACKET:
      return `htons(${enumeration(FLAG_SETS.ethernet_protocols, c, BigInt(swap16(toUint(v))), 'ETH_P_???')})`;
    default:
      return unsigned(v);
  }
}

/** accept, getsockname, getpeername: the address as far as it fitted, and the length before and after. */
const named: CallPrinter = {
  enter(c) {
    const head = `${c.fd(c.args[0])}, `;
    const length = c.args[1] === 0n ? null : c.peek(c.args[2], 4);
    if (length !== null) {
      c.saved = viewOf(length).getInt32(0, true);
      return head;
    }
    c.complete = true;
    return `${head}${address(c.args[1])}, ${address(c.args[2])}${acceptFlags(c)}`;
  },
  leave: (c) => nameAndLength(c, c.args[1], c.args[2]) + acceptFlags(c),
};
const acceptFlags = (c: Call): string =>
  c.row.name === 'accept4' ? `, ${flags(FLAG_SETS.sock_type_flags, c, BigInt(toUint(c.args[3])))}` : '';
function nameAndLength(c: Call, addr: bigint, lengthAddr: bigint): string {
  const before = c.saved as number;
  const bytes = c.failed ? null : c.peek(lengthAddr, 4);
  if (bytes === null) return `${address(addr)}, [${before}]`;
  const after = viewOf(bytes).getInt32(0, true);
  return `${sockaddr(c, addr, Math.min(before, after)).text}, ${changed(before, after)}`;
}
const changed = (before: number, after: number): string =>
  before === after ? `[${after}]` : `[${before} => ${after}]`;

const recvfrom: CallPrinter = {
  enter(c) {
    const length = c.args[4] === 0n ? null : c.peek(c.args[5], 4);
    c.saved = length === null ? 0 : viewOf(length).getInt32(0, true);
    return `${c.fd(c.args[0])}, `;
  },
  leave(c) {
    const [, buf, len, bits, addr, addrlen] = c.args;
    const shown = BigInt(c.result) < len ? BigInt(c.result) : len;
    const data = c.failed ? address(buf) : c.buffer(buf, shown);
    const head = `${data}, ${len}, ${flags(FLAG_SETS.msg_flags, c, BigInt(toUint(bits)))}, `;
    if (addr === 0n || c.peek(addrlen, 4) === null) return `${head}${address(addr)}, ${address(addrlen)}`;
    return head + nameAndLength(c, addr, addrlen);
  },
};

function controlData(c: Call, level: number, type: number, data: Uint8Array): string {
  if (level !== opt.SOL_SOCKET) return level === opt.SOL_IP ? `cmsg_type=${hex(type)}` : `cmsg_type=${hex(type)}`;
  const head = `cmsg_type=${enumeration(FLAG_SETS.scmvals, c, BigInt(type >>> 0))}`;
  const view = viewOf(data);
  if (type === so.SCM_RIGHTS && data.length >= 4) {
    return `${head}, cmsg_data=${c.list(data.length >> 2, (i) => c.fd(view.getInt32(4 * i, true)))}`;
  }
  if (type === so.SCM_CREDENTIALS && data.length >= 12) {
    const who = `{pid=${view.getInt32(0, true)}, uid=${id(view.getUint32(4, true))}, gid=${id(view.getUint32(8, true))}}`;
    return `${head}, cmsg_data=${who}`;
  }
  return head;
}
/** Ancillary data: `, msg_control=[{cmsg_len=20, ...}]`, or nothing without any. */
function control(c: Call, addr: bigint, length: bigint): string {
  if (length === 0n) return '';
  const size = Number(length > 131_072n ? 131_072n : length);
  const bytes = size < 16 ? null : c.peek(addr, size);
  if (bytes === null) return `, msg_control=${address(addr)}`;
  const view = viewOf(bytes);
  const parts: string[] = [];
  let at = 0;
  let left = size;
  while (left >= 16) {
    const long = view.getBigUint64(at, true);
    const level = view.getInt32(at + 8, true);
    const length = Number(long > BigInt(left) ? BigInt(left) : long);
    const data = controlData(
      c,
      level,
      view.getInt32(at + 12, true),
      bytes.subarray(at + 16, at + Math.max(16, length)),
    );
    parts.push(
      `{cmsg_len=${long}, cmsg_level=${enumeration(FLAG_SETS.socketlayers, c, BigInt(level >>> 0))}, ${data}}`,
    );
    if (length < 16) {
      left -= 16;
      break;
    }
    const step = Math.ceil(Number(long) / 8) * 8;
    if (step >= left) {
      left = 0;
      break;
    }
    at += step;
    left -= step;
  }
  if (left > 0) parts.push(`... /* ${address(addr + BigInt(size - left))} */`);
  return `, msg_control=[${parts.join(', ')}]`;
}
/** A message; `before` is the name length the guest gave, when it is printed on return; `total` how many bytes came. */
function message(c: Call, m: StructView, before: number | null, total: bigint | null): string {
  const after = m.num('msg_namelen');
  const name = sockaddr(c, m.big('msg_name'), before !== null && after > before ? before : after).text;
  const length = before !== null && before !== after ? `${before} => ${after}` : String(after);
  const iov = iovec(c, m.big('msg_iov'), m.big('msg_iovlen'), total);
  const extra = control(c, m.big('msg_control'), m.big('msg_controllen'));
  const bits = flags(FLAG_SETS.msg_flags, c, m.big('msg_flags'));
  return `{msg_name=${name}, msg_namelen=${length}, msg_iov=${iov}, msg_iovlen=${m.big('msg_iovlen')}${extra}, msg_controllen=${m.big('msg_controllen')}, msg_flags=${bits}}`;
}
const msgFlags = (c: Call, v: bigint): string => flags(FLAG_SETS.msg_flags, c, BigInt(toUint(v)));
const sendmsg: CallPrinter = {
  enter(c) {
    c.complete = true;
    const m = c.fetchStruct(c.args[1], 'msghdr');
    return `${c.fd(c.args[0])}, ${m === null ? address(c.args[1]) : message(c, m, null, null)}, ${msgFlags(c, c.args[2])}`;
  },
};
const recvmsg: CallPrinter = {
  enter(c) {
    const m = c.fetchStruct(c.args[1], 'msghdr');
    if (m !== null) {
      c.saved = m.num('msg_namelen');
      return `${c.fd(c.args[0])}, `;
    }
    c.complete = true;
    return `${c.fd(c.args[0])}, ${address(c.args[1])}, ${msgFlags(c, c.args[2])}`;
  },
  leave(c) {
    const before = c.saved as number;
    const m = c.failed ? null : c.fetchStruct(c.args[1], 'msghdr');
    const text = c.failed
      ? `{msg_namelen=${before}}`
      : m === null
        ? address(c.args[1])
        : message(c, m, before, BigInt(c.result));
    return `${text}, ${msgFlags(c, c.args[2])}`;
  },
};
function messages(c: Call, count: number, lengths: number, before: readonly number[] | null): string {
  let i = 0;
  return c.array(
    c.args[1],
    count,
    64,
    (bytes, at) => {
      const m = c.fetchStruct(at, 'msghdr', true)!;
      const length = viewOf(bytes).getUint32(56, true);
      const text = message(c, m, before?.[i] ?? null, before === null ? null : BigInt(length));
      return `{msg_hdr=${text}${i++ < lengths ? `, msg_len=${length}` : ''}}`;
    },
    true,
  );
}
const sendmmsg: CallPrinter = {
  enter: (c) => `${c.fd(c.args[0])}, `,
  leave: (c) =>
    `${messages(c, toUint(c.args[2]), c.failed ? 0 : c.result, null)}, ${toUint(c.args[2])}, ${msgFlags(c, c.args[3])}`,
};
const recvmmsg: CallPrinter = {
  enter(c) {
    const lengths: number[] = [];
    for (let i = 0; i < Math.min(toUint(c.args[2]), 1024); i++) {
      const m = c.fetchStruct(c.args[1] + BigInt(64 * i), 'msghdr');
      if (m === null) break;
      lengths.push(m.num('msg_namelen'));
    }
    c.saved = { lengths, timeout: printStruct(c, c.args[4], 'timespec') };
    return `${c.fd(c.args[0])}, `;
  },
  leave(c) {
    const saved = c.saved as { lengths: number[]; timeout: string };
    const text = c.failed ? address(c.args[1]) : messages(c, c.result, c.result, saved.lengths);
    if (!c.failed && c.result === 0) c.aux = 'Timeout';
    else if (!c.failed && c.args[4] !== 0n) c.aux = `left ${printStruct(c, c.args[4], 'timespec')}`;
    return `${text}, ${toUint(c.args[2])}, ${msgFlags(c, c.args[3])}, ${saved.timeout}`;
  },
};

const OPTION_SETS: Readonly<Record<number, readonly [FlagSetName, string]>> = {
  [opt.SOL_SOCKET]: ['sock_options', 'SO_???'],
  [opt.SOL_IP]: ['sock_ip_options', 'IP_???'],
  [opt.SOL_IPV6]: ['sock_ipv6_options', 'IPV6_???'],
  [opt.SOL_TCP]: ['sock_tcp_options', 'TCP_???'],
  [opt.SOL_UDP]: ['sock_udp_options', 'UDP_???'],
  [opt.SOL_NETLINK]: ['sock_netlink_options', 'NETLINK_???'],
  [opt.SOL_PACKET]: ['sock_packet_options', 'PACKET_???'],
};
function optionName(c: Call): string {
  const level = BigInt(toUint(c.args[1]));
  const name = BigInt(toUint(c.args[2]));
  const set = OPTION_SETS[Number(level)];
  // A few names are only known to one of the two calls.
  const own = c.row.name === 'getsockopt' ? FLAG_SETS.getsock_options : FLAG_SETS.setsock_options;
  const special = Number(level) === opt.SOL_SOCKET && lookup(own, c, name) !== undefined;
  const text = special
    ? enumeration(own, c, name)
    : set
      ? enumeration(FLAG_SETS[set[0]], c, name, set[1])
      : name.toString();
  return `${c.fd(c.args[0])}, ${enumeration(FLAG_SETS.socketlayers, c, level, 'SOL_??')}, ${text}`;
}
/** SOL_SOCKET options that are not an int. */
const BLOBS = new Set([
  opt.SO_LINGER,
  opt.SO_PEERCRED,
  opt.SO_ATTACH_FILTER,
  opt.SO_ERROR,
  opt.SO_RCVTIMEO_OLD,
  opt.SO_SNDTIMEO_OLD,
  opt.SO_BINDTODEVICE,
  opt.SO_PEERNAME,
  opt.SO_PEERSEC,
  opt.SO_PEERGROUPS,
  opt.SO_MEMINFO,
  opt.SO_COOKIE,
  opt.SO_RCVTIMEO_NEW,
  opt.SO_SNDTIMEO_NEW,
  opt.SO_PROTOCOL,
  opt.SO_DOMAIN,
  opt.SO_TYPE,
  opt.SO_ATTACH_BPF,
  opt.SO_GET_FILTER,
  opt.SO_MAX_PACING_RATE,
  so.SO_TXTIME,
  opt.SO_BINDTOIFINDEX,
  opt.SO_ATTACH_REUSEPORT_CBPF,
  opt.SO_ATTACH_REUSEPORT_EBPF,
  opt.SO_NETNS_COOKIE,
  opt.SO_BUF_LOCK,
  opt.SO_SECURITY_AUTHENTICATION,
]);
const linger = (b: DataView): string => `{l_onoff=${b.getInt32(0, true)}, l_linger=${b.getInt32(4, true)}}`;

function getOption(c: Call, addr: bigint, length: number): string {
  const level = toInt(c.args[1]);
  const name = toInt(c.args[2]);
  if (addr !== 0n && level === opt.SOL_SOCKET) {
    const bytes = c.fetch(addr, Math.min(length, 32));
    const view = bytes === null ? null : viewOf(bytes);
    if (name === opt.SO_LINGER && length >= 8) return view === null ? address(addr) : linger(view);
    if (name === opt.SO_PEERCRED && length >= 12) {
      if (view === null) return address(addr);
      return `{pid=${view.getInt32(0, true)}, uid=${id(view.getUint32(4, true))}, gid=${id(view.getUint32(8, true))}}`;
    }
    if (name === opt.SO_ERROR && length >= 4) {
      if (view === null) return address(addr);
      const error = view.getUint32(0, true);
      return `[${error === 0 ? '0' : (ERRNO_NAMES[error] ?? error)}]`;
    }
    if (!BLOBS.has(name)) {
      if (length >= 4) return c.indirect(addr, 'i32');
      return bytes === null ? address(addr) : hexString(bytes);
    }
  }
  if (level === opt.SOL_NETLINK) return c.indirect(addr, 'i32');
  return length === 4 ? c.indirect(addr, 'i32') : c.buffer(addr, BigInt(length));
}
const getsockopt: CallPrinter = {
  enter(c) {
    const length = c.peek(c.args[4], 4);
    if (length !== null) {
      c.saved = viewOf(length).getInt32(0, true);
      return `${optionName(c)}, `;
    }
    c.complete = true;
    return `${optionName(c)}, ${address(c.args[3])}, ${address(c.args[4])}`;
  },
  leave(c) {
    const before = c.saved as number;
    const bytes = c.failed ? null : c.peek(c.args[4], 4);
    if (bytes === null) return `${address(c.args[3])}, [${before}]`;
    const after = viewOf(bytes).getInt32(0, true);
    const value = before <= 0 || after <= 0 ? address(c.args[3]) : getOption(c, c.args[3], after);
    return `${value}, ${changed(before, after)}`;
  },
};
function setOption(c: Call, addr: bigint): string {
  if (c.style.addresses) return address(addr);
  const level = toInt(c.args[1]);
  const name = toInt(c.args[2]);
  const length = toInt(c.args[4]);
  const fixed = (size: number, print: (bytes: Uint8Array) => string): string => {
    const bytes = length < size ? null : c.fetch(addr, size);
    return bytes === null ? address(addr) : print(bytes);
  };
  if (addr !== 0n && level === opt.SOL_SOCKET) {
    if (name === opt.SO_LINGER) return fixed(8, (b) => linger(viewOf(b)));
    if (name === opt.SO_ATTACH_FILTER) return length === 16 ? filterProgram(c, addr, 'socket') : address(addr);
    if (!BLOBS.has(name)) return length < 4 ? address(addr) : c.indirect(addr, 'i32');
  }
  if (level === opt.SOL_IP && (name === opt.IP_ADD_MEMBERSHIP || name === opt.IP_DROP_MEMBERSHIP)) {
    return fixed(8, (b) => `{imr_multiaddr=${inet(c, b)}, imr_interface=${inet(c, b.subarray(4))}}`);
  }
  if (level === opt.SOL_IPV6 && (name === opt.IPV6_ADD_MEMBERSHIP || name === opt.IPV6_DROP_MEMBERSHIP)) {
    return fixed(
      20,
      (b) => `{${inet6Field(c, 'ipv6mr_multiaddr', b)}, ipv6mr_interface=${ifindex(c, viewOf(b).getUint32(16, true))}}`,
    );
  }
  if (level === opt.SOL_NETLINK) return length < 4 ? address(addr) : c.indirect(addr, 'i32');
  return length === 4 ? c.indirect(addr, 'i32') : length < 0 ? address(addr) : c.buffer(addr, BigInt(length));
}
const setsockopt: CallPrinter = {
  enter(c) {
    c.complete = true;
    return `${optionName(c)}, ${setOption(c, c.args[3])}, ${toInt(c.args[4])}`;
  },
};

export const SOCKET_ARGS: Record<string, ArgPrinter> = {
  socket_type: early(socketType),
  socket_protocol: early(protocol),
  sockaddr_len: late((c, v) => c.indirect(v, 'i32')),
};
export const SOCKET_CALLS: Record<string, CallPrinter> = {
  accept: named,
  accept4: named,
  getsockname: named,
  getpeername: named,
  recvfrom,
  sendmsg,
  recvmsg,
  sendmmsg,
  recvmmsg,
  getsockopt,
  setsockopt,
};
