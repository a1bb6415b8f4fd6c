/** ioctl(2) on network interfaces: `{ifr_name="lo", ifr_mtu=65536}`, what is asked on entry, the answer on return. */
import * as io from '../../abi/flags/ioctl.js';
import { FLAG_SETS } from '../../abi/flags/index.js';
import { viewOf, type Call } from '../call.js';
import { address, enumeration, flags, hex, hexString, lookup, symbol } from '../text.js';
import { sockaddrBytes } from './sockaddr.js';

/** struct ifreq: a name, and a union. */
const NAME = 16;
export const IFREQ = 40;
const SOCKADDR = 16;

/** A field of the union by its bytes. */
type Field = (c: Call, union: Uint8Array) => string;

function name(c: Call, bytes: Uint8Array): string {
  const end = bytes.subarray(0, NAME).indexOf(0);
  return end < 0 ? `${c.quote(bytes, NAME - 1)}...` : c.quote(bytes, end);
}
const int =
  (field: string): Field =>
  (_c, union) =>
    `${field}=${viewOf(union).getInt32(0, true)}`;
const text =
  (field: string): Field =>
  (c, union) =>
    `${field}=${name(c, union)}`;
const socketAddress =
  (field: string): Field =>
  (c, union) =>
    `${field}=${sockaddrBytes(c, union, SOCKADDR).text}`;
const interfaceFlags: Field = (c, union) =>
  `ifr_flags=${flags(FLAG_SETS.iffflags, c, BigInt(viewOf(union).getUint16(0, true)))}`;
/** How long hardware addresses are, by family; all there is room for where strace knows no length. */
const ADDRESS_SIZES: readonly (readonly [size: number, names: readonly string[]])[] = [
  [1, ['ARCNET', 'MCTP', 'LOCALTLK', 'PHONET', 'PHONET_PIPE', 'CAIF']],
  [2, ['DLCI']],
  [4, ['TUNNEL', 'SIT', 'IPDDP', 'IPGRE', 'PIMREG', 'IRDA']],
  [5, ['ROSE', 'X25']],
  [6, ['ETHER', 'IEEE802', 'LOOPBACK', 'FDDI', 'HIPPI', 'IEEE80211', 'IEEE80211_PRISM', 'IEEE80211_RADIOTAP']],
  [7, ['NETROM', 'AX25']],
  [8, ['EUI64', 'IEEE802154', 'IEEE802154_MONITOR', '6LOWPAN', 'VSOCKMON']],
];
const SIZE_OF: ReadonlyMap<string, number> = new Map(
  ADDRESS_SIZES.flatMap(([size, names]) => names.map((one) => [`ARPHRD_${one}`, size] as const)),
);
const hardware: Field = (c, union) => {
  const family = BigInt(viewOf(union).getUint16(0, true));
  const size = SIZE_OF.get(lookup(FLAG_SETS.arp_hardware_types, c, family) ?? '') ?? SOCKADDR - 2;
  const bytes = Array.from(union.subarray(2, 2 + size), (byte) => byte.toString(16).padStart(2, '0')).join(':');
  const data = symbol(c, hexString(union.subarray(2, SOCKADDR)), bytes);
  return `ifr_hwaddr={sa_family=${enumeration(FLAG_SETS.arp_hardware_types, c, family, 'ARPHRD_???')}, sa_data=${data}}`;
};
const map: Field = (_c, union) => {
  const view = viewOf(union);
  const memory = `mem_start=${hex(view.getBigUint64(0, true))}, mem_end=${hex(view.getBigUint64(8, true))}`;
  const io = `base_addr=${hex(view.getUint16(16, true))}, irq=${hex(union[18])}, dma=${hex(union[19])}, port=${hex(union[20])}`;
  return `ifr_map={${memory}, ${io}}`;
};

/** Requests that ask for a field and that set it, 0 where there is none. */
const FIELDS: readonly (readonly [get: number, set: number, field: Field])[] = [
  [io.SIOCGIFNAME, 0, text('ifr_name')],
  [0, io.SIOCSIFNAME, text('ifr_newname')],
  [io.SIOCGIFFLAGS, io.SIOCSIFFLAGS, interfaceFlags],
  [io.SIOCGIFADDR, io.SIOCSIFADDR, socketAddress('ifr_addr')],
  [io.SIOCGIFDSTADDR, io.SIOCSIFDSTADDR, socketAddress('ifr_dstaddr')],
  [io.SIOCGIFBRDADDR, io.SIOCSIFBRDADDR, socketAddress('ifr_broadaddr')],
  [io.SIOCGIFNETMASK, io.SIOCSIFNETMASK, socketAddress('ifr_netmask')],
  [io.SIOCGIFMETRIC, io.SIOCSIFMETRIC, int('ifr_metric')],
  [io.SIOCGIFMTU, io.SIOCSIFMTU, int('ifr_mtu')],
  [io.SIOCGIFHWADDR, io.SIOCSIFHWADDR, hardware],
  [io.SIOCGIFSLAVE, io.SIOCSIFSLAVE, text('ifr_slave')],
  [io.SIOCGIFINDEX, 0, int('ifr_ifindex')],
  [io.SIOCGIFTXQLEN, io.SIOCSIFTXQLEN, int('ifr_qlen')],
  [io.SIOCGIFMAP, io.SIOCSIFMAP, map],
];
const by = (side: 0 | 1): ReadonlyMap<number, Field> =>
  new Map(FIELDS.filter((row) => row[side] !== 0).map((row) => [row[side], row[2]]));
const READS = by(0);
const WRITES = by(1);

/** Whether the answer to this request is an interface's. */
export const isInterface = (request: number): boolean => request === io.SIOCGIFCONF || READS.has(request);

/** The first half of a call's text, whole if `c.complete` is set; null if it is about something else. */
export function enterInterface(c: Call, request: number, at: bigint): string | null {
  if (request === io.SIOCGIFCONF) return enterList(c, at);
  const write = WRITES.get(request);
  if (write === undefined && !isInterface(request)) return null;
  const bytes = c.peek(at, IFREQ);
  if (bytes === null || write !== undefined) c.complete = true;
  if (bytes === null) return address(at);
  if (write !== undefined) return `{ifr_name=${name(c, bytes)}, ${write(c, bytes.subarray(NAME))}}`;
  return request === io.SIOCGIFNAME ? `{${int('ifr_ifindex')(c, bytes.subarray(NAME))}` : `{ifr_name=${name(c, bytes)}`;
}
export function leaveInterface(c: Call, request: number, at: bigint): string {
  if (request === io.SIOCGIFCONF) return leaveList(c, at);
  const bytes = c.fetch(at, IFREQ);
  if (bytes === null) return '}';
  if (request === io.SIOCGIFNAME) return `, ifr_name=${name(c, bytes)}}`;
  return `, ${READS.get(request)!(c, bytes.subarray(NAME))}}`;
}

/** struct ifconf: a length, and a pointer at 8. strace reads it whatever the style. */
const IFCONF = 16;
const lengthText = (length: number): string =>
  length < IFREQ || length % IFREQ !== 0
    ? String(length)
    : `${length} /* ${Math.trunc(length / IFREQ)} * sizeof(struct ifreq) */`;
function enterList(c: Call, at: bigint): string {
  const bytes = c.read(at, IFCONF);
  if (bytes === null) {
    c.complete = true;
    return address(at);
  }
  const view = viewOf(bytes);
  c.saved = view.getInt32(0, true);
  // Without a buffer the length is only an answer.
  return view.getBigUint64(8, true) === 0n ? '{ifc_len=' : `{ifc_len=${lengthText(c.saved as number)}`;
}
function leaveList(c: Call, at: bigint): string {
  const bytes = c.read(at, IFCONF);
  if (bytes === null) return '}';
  const view = viewOf(bytes);
  const length = view.getInt32(0, true);
  const buffer = view.getBigUint64(8, true);
  if (buffer === 0n) return `${lengthText(length)}, ifc_buf=NULL}`;
  const change = c.failed || length === c.saved ? '' : ` => ${lengthText(length)}`;
  const one = (entry: Uint8Array): string =>
    `{ifr_name=${name(c, entry)}, ${socketAddress('ifr_addr')(c, entry.subarray(NAME))}}`;
  const list = c.failed ? address(buffer) : c.array(buffer, Math.trunc(length / IFREQ), IFREQ, one);
  return `${change}, ifc_buf=${list}}`;
}
