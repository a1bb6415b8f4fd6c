/** Socket addresses: `{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}`. */
import { FLAG_SETS } from '../../abi/flags/index.js';
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX } from '../../abi/flags/socket.js';
import { viewOf, type Call } from '../call.js';
import { address, enumeration, hex, hexString, symbol, type Naming } from '../text.js';

const STORAGE = 128;

export const ipv4 = (bytes: Uint8Array): string => Array.from(bytes.subarray(0, 4)).join('.');

/** Text of an IPv6 address as inet_ntop(3) makes it. */
export function ipv6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8) | bytes[2 * i + 1]);
  let best = { at: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && words[i + n] === 0) n++;
    if (n > best.length) best = { at: i, length: n };
  }
  const mapped = best.at === 0 && (best.length === 6 || (best.length === 5 && words[5] === 0xffff));
  const shown = mapped ? 6 : 8;
  let out = '';
  for (let i = 0; i < shown; i++) {
    if (best.at >= 0 && i >= best.at && i < best.at + best.length) {
      if (i === best.at) out += ':';
      continue;
    }
    out += `${i > 0 ? ':' : ''}${words[i].toString(16)}`;
  }
  if (mapped) return `${out}:${ipv4(bytes.subarray(12))}`;
  return best.at >= 0 && best.at + best.length === 8 ? `${out}:` : out;
}

const port = (c: Call, bytes: Uint8Array): string =>
  symbol(c, hexString(bytes.subarray(2, 4)), `htons(${viewOf(bytes).getUint16(2)})`);
export const inet = (c: Call, bytes: Uint8Array): string =>
  symbol(c, hexString(bytes.subarray(0, 4)), `inet_addr(${c.quoteText(ipv4(bytes))})`);

/** The address is no expression in C, so its field is named inside; as bytes it is. */
export function inet6Field(c: Call, name: string, bytes: Uint8Array): string {
  const text = c.quoteText(ipv6(bytes));
  if (c.constants === undefined || c.constants === 'abbrev') return `inet_pton(AF_INET6, ${text}, &${name})`;
  return `${name}=${symbol(c, hexString(bytes.subarray(0, 16)), `inet_pton(AF_INET6, ${text})`)}`;
}

function unix(c: Call, bytes: Uint8Array, length: number): string {
  const path = bytes.subarray(2, Math.min(length, 110));
  if (path[0] === 0) return `sun_path=@${c.quote(bytes.subarray(3), path.length - 1)}`;
  const end = path.indexOf(0);
  return `sun_path=${c.quote(path, end < 0 ? path.length : end)}`;
}

function inet6(c: Call, bytes: Uint8Array, length: number): string {
  const view = viewOf(bytes);
  const addr = bytes.subarray(8, 24);
  const head = `sin6_port=${port(c, bytes)}, sin6_flowinfo=${symbol(c, hexString(bytes.subarray(4, 8)), `htonl(${view.getUint32(4)})`)}`;
  const text = `${head}, ${inet6Field(c, 'sin6_addr', addr)}`;
  if (length <= 24) return text;
  const scope = view.getUint32(24, true);
  const local = (addr[0] === 0xfe && (addr[1] & 0xc0) === 0x80) || (addr[0] === 0xff && (addr[1] & 0x0f) === 2);
  return `${text}, sin6_scope_id=${local ? ifindex(c, scope) : scope}`;
}
/** An interface index: names are the host's to know, so only the loopback's is shown. */
export const ifindex = (c: Call, index: number): string =>
  index === 1 ? symbol(c, '1', `if_nametoindex(${c.quoteText('lo')})`) : String(index);
/** Numbers inside a name are not repeated. */
const abbreviated = ({ arch, constants }: Call): Naming => (constants === 'verbose' ? { arch } : { arch, constants });

function netlink(bytes: Uint8Array): string {
  const view = viewOf(bytes);
  const pad = view.getUint16(2, true);
  const groups = view.getUint32(8, true);
  const text = `nl_pid=${view.getInt32(4, true)}, nl_groups=${padded(groups, 8)}`;
  return pad === 0 ? text : `nl_pad=${hex(pad)}, ${text}`;
}
/** C's %#0*x: the width counts the prefix, and zero has none. */
const padded = (v: number, width: number): string =>
  v === 0 ? '0'.repeat(width) : `0x${v.toString(16).padStart(width - 2, '0')}`;

function packet(c: Call, bytes: Uint8Array): string {
  const view = viewOf(bytes);
  const halen = bytes[11];
  const parts = [
    `sll_protocol=${symbol(c, hexString(bytes.subarray(2, 4)), `htons(${enumeration(FLAG_SETS.ethernet_protocols, abbreviated(c), BigInt(view.getUint16(2)), 'ETH_P_???')})`)}`,
    `sll_ifindex=${ifindex(c, view.getInt32(4, true))}`,
    `sll_hatype=${enumeration(FLAG_SETS.arp_hardware_types, c, BigInt(view.getUint16(8, true)), 'ARPHRD_???')}`,
    `sll_pkttype=${enumeration(FLAG_SETS.af_packet_types, c, BigInt(bytes[10]), 'PACKET_???')}`,
    `sll_halen=${halen}`,
  ];
  if (halen > 0)
    parts.push(`sll_addr=[${Array.from(bytes.subarray(12, 12 + Math.min(halen, 8)), (b) => padded(b, 2)).join(', ')}]`);
  return parts.join(', ');
}

/** The text of an address in bytes already read (zero-padded beyond `length`). */
export function sockaddrBytes(c: Call, bytes: Uint8Array, length: number): { text: string; family: number } {
  const whole = new Uint8Array(STORAGE + 1);
  whole.set(bytes.subarray(0, Math.min(length, STORAGE)));
  const view = viewOf(whole);
  const family = view.getUint16(0, true);
  const head = `sa_family=${enumeration(FLAG_SETS.addrfams, c, BigInt(family))}`;
  if (length <= 2) return { text: `{${head}}`, family };
  let data: string | null = null;
  if (family === AF_UNIX) data = unix(c, whole, length);
  else if (family === AF_INET && length >= 16) {
    data = `sin_port=${port(c, whole)}, sin_addr=${inet(c, whole.subarray(4))}`;
  } else if (family === AF_INET6 && length >= 24) data = inet6(c, whole, length);
  else if (family === AF_NETLINK && length >= 12) data = netlink(whole);
  else if (family === AF_PACKET && length >= 20) data = packet(c, whole);
  data ??= `sa_data=${c.quote(whole.subarray(2), length - 2)}`;
  return { text: `{${head}, ${data}}`, family };
}

export function sockaddr(c: Call, addr: bigint, length: number): { text: string; family: number } {
  if (length < 2) return { text: address(addr), family: -1 };
  const size = Math.min(length, STORAGE);
  const bytes = c.fetch(addr, size);
  return bytes === null ? { text: address(addr), family: -1 } : sockaddrBytes(c, bytes, size);
}
