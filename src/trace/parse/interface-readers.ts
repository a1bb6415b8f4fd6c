/** Requests of network interfaces as bytes: struct ifreq with the member of its union that the text names, struct ifconf. */
import { latin1 } from './bytes.js';
import { padded, type Encoder } from './encode.js';
import { socketAddress } from './socket-bytes.js';
import type { Term } from './term.js';

const NAME = 16;
const IFREQ = 40;

/** A name field; one without an end fills it. */
function nameBytes(term: Term): Uint8Array {
  const bytes = latin1(term.text).subarray(0, NAME);
  return term.cut ? Buffer.concat([bytes, Buffer.alloc(NAME - bytes.length, '_')]) : padded(bytes, NAME);
}

/** Whether a struct is one of these. */
export const isInterface = (term: Term): boolean => term.parts.some(({ name }) => /^if[rc]_/.test(name));

/** `{ifr_name="lo", ifr_mtu=65536}`; `{ifc_len=80, ifc_buf=[...]}` with its buffer placed. */
export function interfaceRequest(e: Encoder, term: Term): Uint8Array {
  const bytes = new Uint8Array(IFREQ);
  const view = new DataView(bytes.buffer);
  for (const part of term.parts) {
    const { name } = part;
    if (name === 'ifr_name') bytes.set(nameBytes(part));
    else if (name === 'ifr_newname' || name === 'ifr_slave') bytes.set(nameBytes(part), NAME);
    else if (name === 'ifr_hwaddr') bytes.set(hardwareAddress(e, part), NAME);
    else if (name === 'ifr_map') bytes.set(map(e, part), NAME);
    else if (name === 'ifc_len') view.setInt32(0, length(e, part), true);
    else if (name === 'ifc_buf') view.setBigUint64(8, buffer(e, part, length(e, term.field('ifc_len'))), true);
    else if (part.kind === 'struct') bytes.set(socketAddress(e, part).subarray(0, NAME), NAME);
    else if (name === 'ifr_flags') view.setUint16(NAME, Number(e.values.value(part) & 0xffffn), true);
    else if (name.startsWith('ifr_')) view.setInt32(NAME, Number(BigInt.asIntN(32, e.values.value(part))), true);
  }
  return bytes;
}
/** `120 => 80`: what was asked, or with outputs what came. */
function length(e: Encoder, term: Term | undefined): number {
  if (term === undefined) return 0;
  const changed = term.kind === 'operation' && term.text === '=>';
  return Number(BigInt.asIntN(32, e.values.value(changed && e.outputs ? term.parts[1] : term)));
}
function buffer(e: Encoder, term: Term, size: number): bigint {
  const room = Math.max(0, Math.min(size, 65_536));
  const entries = (t: Term): Uint8Array =>
    padded(Buffer.concat(t.parts.filter((p) => p.kind === 'struct').map((p) => interfaceRequest(e, p))), room);
  return e.pointer(term, room, entries, true);
}
function hardwareAddress(e: Encoder, term: Term): Uint8Array {
  const bytes = new Uint8Array(NAME);
  const family = term.field('sa_family');
  const data = term.field('sa_data');
  if (family !== undefined) new DataView(bytes.buffer).setUint16(0, Number(e.values.value(family) & 0xffffn), true);
  const pairs = data?.text.split(':').slice(0, NAME - 2) ?? [];
  bytes.set(
    data?.kind === 'string' ? latin1(data.text).subarray(0, NAME - 2) : pairs.map((pair) => parseInt(pair, 16)),
    2,
  );
  return bytes;
}
function map(e: Encoder, term: Term): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  const number = (name: string): bigint => {
    const field = term.field(name);
    return field === undefined ? 0n : e.values.value(field);
  };
  view.setBigUint64(0, BigInt.asUintN(64, number('mem_start')), true);
  view.setBigUint64(8, BigInt.asUintN(64, number('mem_end')), true);
  view.setUint16(16, Number(number('base_addr') & 0xffffn), true);
  ['irq', 'dma', 'port'].forEach((name, i) => view.setUint8(18 + i, Number(number(name) & 0xffn)));
  return bytes;
}
