/**
 * The memory of all channels (native/gate.h): views of the first ones, and longer views once a later one is used. Like physical
 * memory it is far larger than what most guests need, and V8 collects garbage for a view's size.
 */
import type { NativeContext } from '../native.js';

const FIRST = 1 << 20;
const GROWTH = 2;

export class Channels {
  /** To be looked up anew for every call: new threads make them longer. */
  bytes!: Uint8Array;
  words!: Int32Array;
  unsigned!: Uint32Array;
  /** Bytes from one channel to the next. */
  readonly step: number;
  private readonly native: NativeContext;

  constructor(native: NativeContext) {
    this.native = native;
    this.step = native.channelBytes;
    this.view(FIRST);
  }
  /** Channel `index` is about to be used. */
  reach(index: number): void {
    const end = (index + 1) * this.step;
    if (end > this.bytes.length) this.view(end * GROWTH);
  }
  private view(length: number): void {
    const memory = this.native.viewChannels(length);
    this.bytes = new Uint8Array(memory);
    this.words = new Int32Array(memory);
    this.unsigned = new Uint32Array(memory);
  }
}
