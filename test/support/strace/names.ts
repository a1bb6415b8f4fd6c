/** Names that are new where the kernel writes: they are what it has written there. */
import { Encoder } from '../../../src/trace/parse/encode.js';
import { Term } from '../../../src/trace/parse/term.js';
import { Evaluator, type Variables } from '../../../src/trace/parse/value.js';
import type { Row } from '../../../syscalls/row.js';
import { hostArch } from '../executor.js';

export const constants = new Evaluator(hostArch);
export const symbolTerm = (text: string): Term => new Term('symbol', text, [], 0);
const symbolsOf = (term: Term): string[] =>
  term.kind === 'symbol' ? [term.text] : term.parts.flatMap((part) => symbolsOf(part));
const known = (name: string): boolean =>
  constants.number(symbolTerm(name)) !== null || constants.signal(symbolTerm(name)) !== null;

/** A number that nothing else in a call is. */
const MARK = 0x3d15_0000n;

/** The new names in argument `index`, which is `term`, each with the offset of its value in what the argument points to. */
export function newNames(
  row: Row,
  terms: readonly Term[],
  index: number,
  term: Term,
  variables: Variables,
): { name: string; offset: number }[] {
  const names = symbolsOf(term).filter((name) => name !== '_' && variables(name) === undefined && !known(name));
  if (names.length === 0) return [];
  const marks = new Map(names.map((name, k) => [name, MARK + BigInt(k)]));
  // Encoded as if the call had written its outputs already, with marks where the names stand.
  const blocks = new Map<bigint, Uint8Array>();
  let free = 0x1000n;
  const place = (bytes: Uint8Array): bigint => {
    const at = free;
    blocks.set(at, bytes);
    free += BigInt(bytes.length) + 64n;
    return at;
  };
  const encoder = new Encoder({
    arch: hostArch,
    placement: { place, edge: place, room: (size) => place(new Uint8Array(Math.min(size, 4096))), nowhere: 0n },
    variables: (name) => marks.get(name) ?? variables(name),
    outputs: true,
  });
  const bytes = blocks.get(encoder.encode(row, terms)[index]) ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: { name: string; offset: number }[] = [];
  for (const [name, mark] of marks)
    for (let offset = 0; offset + 4 <= bytes.length; offset += 4)
      if (BigInt(view.getUint32(offset, true)) === mark) {
        found.push({ name, offset });
        break;
      }
  return found;
}
