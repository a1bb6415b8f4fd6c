/**
 * One buffer for all address spaces of a platform: what is small goes through it on the way to or from guest memory. Contents
 * are valid until the next copy.
 */
export const SCRATCH_BYTES = 64 * 1024;

export class Scratch {
  readonly bytes = Buffer.alloc(SCRATCH_BYTES);
  readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, SCRATCH_BYTES);
}
