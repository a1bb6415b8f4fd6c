/** Bytes that are needed for one call: a small array with a buffer of its own costs more than what is written into it. */
export class Room {
  private readonly buffer: ArrayBuffer;
  private used = 0;

  /** What goes beyond `size` bytes a call gets buffers of its own. */
  constructor(size: number) {
    this.buffer = new ArrayBuffer(size);
  }

  /** The next call: nobody needs the bytes of the last one. */
  begin(): void {
    this.used = 0;
  }
  /** Good until the next call; what is in them is left over from others. */
  take(length: number): Uint8Array {
    const at = this.used;
    if (length > this.buffer.byteLength - at) return new Uint8Array(length);
    this.used = (at + length + 7) & ~7;
    return new Uint8Array(this.buffer, at, length);
  }
}
