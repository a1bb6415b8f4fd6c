/** Socket addresses and messages as bytes, from their terms. */
import { AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX } from '../../abi/flags/socket.js';
import { LAYOUTS } from '../../abi/layouts/index.js';
import { latin1, wordBytes } from './bytes.js';
import type { Encoder } from './encode.js';
import type { Term } from './term.js';

const stringIn = (term: Term | undefined): string =>
  term === undefined ? '' : term.kind === 'call' ? stringIn(term.parts.find((p) => p.kind === 'string')) : term.text;

function ipv4(text: string): Uint8Array {
  return Uint8Array.from(text.split('.', 4).map(Number));
}
function ipv6(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const plain = dotted ? `${dotted[1]}0:0` : text;
  const [head, tail] = plain.split('::', 2) as [string, string | undefined];
  const words = (part: string | undefined): number[] => (part ? part.split(':').map((word) => parseInt(word, 16)) : []);
  const before = words(head);
  const after = words(tail);
  const all =
    tail === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  all.slice(0, 8).forEach((word, i) => bytes.set([word >> 8, word & 255], 2 * i));
  if (dotted) bytes.set(ipv4(dotted[2]), 12);
  return bytes;
}

/** The bytes of `inet_addr("127.0.0.1")` or `inet_pton(AF_INET6, "::1")`; undefined for any other term. */
export function internetAddress(term: Term): Uint8Array | undefined {
  if (term.kind !== 'call') return undefined;
  if (term.text === 'inet_addr') return ipv4(stringIn(term));
  return term.text === 'inet_pton' ? ipv6(stringIn(term)) : undefined;
}

/** `{sa_family=AF_UNIX, sun_path="/x"}` as the kernel takes it; its exact length is the length argument's business. */
export function socketAddress(e: Encoder, term: Term): Uint8Array {
  const number = (name: string): bigint => {
    const field = term.field(name);
    return field === undefined ? 0n : e.values.value(field);
  };
  const family = Number(number('sa_family') & 0xffffn);
  const bytes = new Uint8Array(family === AF_UNIX ? 110 : 128);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  const raw = term.field('sa_data');
  if (raw !== undefined) bytes.set(latin1(raw.text).subarray(0, bytes.length - 2), 2);
  else if (family === AF_UNIX) bytes.set(latin1(term.field('sun_path')?.text ?? '').subarray(0, 108), 2);
  else if (family === AF_INET) {
    view.setUint16(2, Number(number('sin_port')), true);
    bytes.set(ipv4(stringIn(term.field('sin_addr'))), 4);
  } else if (family === AF_INET6) {
    view.setUint16(2, Number(number('sin6_port')), true);
    view.setUint32(4, Number(number('sin6_flowinfo') & 0xffff_ffffn), true);
    bytes.set(ipv6(stringIn(term.parts.find((part) => part.text === 'inet_pton'))), 8);
    view.setUint32(24, Number(number('sin6_scope_id')), true);
  } else if (family === AF_NETLINK) {
    view.setUint16(2, Number(number('nl_pad')), true);
    view.setInt32(4, Number(number('nl_pid')), true);
    view.setUint32(8, Number(number('nl_groups') & 0xffff_ffffn), true);
  } else if (family === AF_PACKET) {
    view.setUint16(2, Number(number('sll_protocol')), true);
    view.setInt32(4, Number(number('sll_ifindex')), true);
    view.setUint16(8, Number(number('sll_hatype')), true);
    bytes[10] = Number(number('sll_pkttype') & 255n);
    bytes[11] = Number(number('sll_halen') & 255n);
  }
  return bytes;
}

/** A struct msghdr, with everything it points to placed. */
export function messageHeader(e: Encoder, term: Term, out: boolean): Uint8Array {
  const number = (name: string): bigint => {
    const field = term.field(name);
    return field === undefined ? 0n : e.values.value(field);
  };
  const bytes = new Uint8Array(56);
  const view = new DataView(bytes.buffer);
  const name = term.field('msg_name');
  if (name !== undefined) {
    view.setBigUint64(
      0,
      e.pointer(name, 128, (t) => socketAddress(e, t), out),
      true,
    );
  }
  view.setInt32(8, Number(number('msg_namelen')), true);
  const iov = term.field('msg_iov');
  if (iov !== undefined) {
    view.setBigUint64(
      16,
      e.pointer(iov, 16, (t) => e.pieces(t, out)),
      true,
    );
  }
  view.setBigUint64(24, number('msg_iovlen'), true);
  const control = term.field('msg_control');
  const length = number('msg_controllen');
  // What came is what there was room for, at least.
  const room = out ? Math.max(Number(length), 256) : Number(length);
  if (control !== undefined) {
    view.setBigUint64(
      32,
      e.pointer(control, room, (t) => controlMessages(e, t, room), out),
      true,
    );
  }
  view.setBigUint64(40, length, true);
  view.setUint32(48, Number(number('msg_flags')), true);
  return bytes;
}

const HEADER = 16;
function controlMessages(e: Encoder, term: Term, room: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const part of term.parts) {
    if (part.kind !== 'struct') continue;
    const head = e.structs.of(LAYOUTS.cmsghdr, part, (field) => field === 'cmsg_data');
    const data = part.field('cmsg_data');
    let bytes: Uint8Array = new Uint8Array(0);
    if (data?.kind === 'array') {
      bytes = wordBytes(
        'i32',
        data.parts.map((fd) => e.fd(fd)),
      );
    } else if (data?.kind === 'struct') bytes = e.structs.of(LAYOUTS.ucred, data);
    // What lies behind data that strace does not show is where the length says, as far as there is room.
    const length = Number(new DataView(head.buffer).getBigUint64(0, true));
    const whole = new Uint8Array(Math.ceil(Math.max(HEADER + bytes.length, Math.min(length, room)) / 8) * 8);
    whole.set(head);
    whole.set(bytes, HEADER);
    pieces.push(whole);
  }
  const all = Buffer.concat(pieces);
  return all.subarray(0, Math.max(room, 0));
}
