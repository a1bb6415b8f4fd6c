/** Memory for what the calls of a `.strace` script point to: constants with holes for run-time values, and room for results. */
import type { Placement } from '../../../src/trace/parse/encode.js';
import type { Arena } from '../memory.js';
import { FREE_BASE } from '../script.js';
import { Runtime } from '../builder.js';
import type { View } from '../outcome.js';
import type { Variable, Variables } from './variables.js';

/** No call needs more room. */
const MOST = 1 << 20;

/** A value that is stored right before the call. */
export interface Hole {
  readonly address: number;
  readonly width: number;
  readonly value: Variable | Runtime;
  readonly addend: number;
}
export interface Placed {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export class CallMemory implements Placement {
  readonly nowhere = BigInt(FREE_BASE + 0x7000_0000);
  readonly placed: Placed[] = [];
  readonly rooms: { readonly address: number; readonly size: number }[] = [];
  readonly holes: Hole[] = [];
  private readonly arena: Arena;
  private readonly variables: Variables;

  constructor(arena: Arena, variables: Variables) {
    this.arena = arena;
    this.variables = variables;
  }
  place(bytes: Uint8Array): bigint {
    return this.put(bytes, (initial) => this.arena.constant(initial).address);
  }
  edge(bytes: Uint8Array): bigint {
    return this.put(bytes, (initial) => this.arena.own(initial.length, { initial }).address);
  }
  private put(bytes: Uint8Array, at: (initial: Uint8Array) => number): bigint {
    const own = new Uint8Array(bytes);
    const found = this.takeHoles(own);
    const address = at(own);
    this.placed.push({ address, bytes: own });
    for (const hole of found) this.holes.push({ ...hole, address: address + hole.address });
    return BigInt(address);
  }
  room(size: number): bigint {
    const least = Math.min(Math.max(size, 1), MOST);
    const { address } = this.arena.own(least);
    this.rooms.push({ address, size: least });
    return BigInt(address);
  }
  /** Finds what stands for variables, and leaves zeros. */
  private takeHoles(bytes: Uint8Array): Hole[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const holes: Hole[] = [];
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      const found = this.variables.find(BigInt(view.getUint32(at, true)));
      if (found === null) continue;
      const width = found.variable.wide ? 8 : 4;
      holes.push({ address: at, width, value: found.variable, addend: found.addend });
      view.setUint32(at, 0, true);
    }
    return holes;
  }

  /** What was there when the call began. */
  before(view: View): (address: number, length: number) => Uint8Array {
    const { placed, holes } = this;
    return (address, length) => {
      const bytes = Uint8Array.from(view.bytes(address, length));
      for (const piece of placed) overlay(bytes, address, piece.address, piece.bytes);
      for (const { address: at, width, value, addend } of holes) {
        if (value instanceof Runtime) continue;
        const word = new Uint8Array(8);
        new DataView(word.buffer).setBigUint64(0, BigInt.asUintN(64, value.read(view) + BigInt(addend)), true);
        overlay(bytes, address, at, word.subarray(0, width));
      }
      return bytes;
    };
  }
}

function overlay(target: Uint8Array, address: number, from: number, bytes: Uint8Array): void {
  const low = Math.max(address, from);
  const high = Math.min(address + target.length, from + bytes.length);
  if (low < high) target.set(bytes.subarray(low - from, high - from), low - address);
}
