/**
 * One FP state on its way between a thread and guest memory, with room on either side for the rest of a signal frame: so a frame
 * is one copy. One per platform, shared with the native addon; valid until the next FP call on any of its threads.
 */

/** Bytes before and behind the image; native/context.h has the same number. */
export const FP_ROOM = 1024;

/** What a state is, as HostThread.loadFp() finds it: a new program's; that but for x87 and SSE registers; anything. */
export const FP_INITIAL = 0;
export const FP_LEGACY = 1;
export const FP_FULL = 2;

export class FpArea {
  /** The image is at FP_ROOM. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly words: Uint32Array;
  /** Of the image. */
  readonly size: number;

  constructor(size: number, buffer: ArrayBuffer = new ArrayBuffer(size + 2 * FP_ROOM)) {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Uint32Array(buffer, 0, buffer.byteLength >> 2);
    this.size = size;
  }
  /** A copy of the image. */
  copy(): Uint8Array {
    return this.bytes.slice(FP_ROOM, FP_ROOM + this.size);
  }
}
