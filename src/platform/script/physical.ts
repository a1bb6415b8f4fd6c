/** Physical pages of the script platform: one ordinary buffer (the host backs it lazily). */
import type { PhysicalPages } from '../platform.js';

export class ScriptPhysical implements PhysicalPages {
  readonly bytes: Uint8Array;
  readonly size: number;
  private readonly pageSize: number;

  constructor(size: number, pageSize: number) {
    this.bytes = new Uint8Array(size);
    this.size = size;
    this.pageSize = pageSize;
  }
  release(offset: number, length: number): void {
    if (offset % this.pageSize !== 0 || length % this.pageSize !== 0)
      throw new RangeError(`release(${offset}, ${length})`);
    this.bytes.fill(0, offset, offset + length);
  }
  reach(): void {
    // All of it is there.
  }
  codeWritten(): void {
    // Nobody executes it.
  }
  clear(offset: number, length: number): void {
    this.release(offset, length);
  }
  /** Pages that hold anything but zeros: what a host would really keep. */
  residentBytes(): number {
    const words = new Float64Array(this.bytes.buffer);
    const perPage = this.pageSize / 8;
    let resident = 0;
    for (let page = 0; page < words.length; page += perPage) {
      for (let i = page; i < page + perPage; i++)
        if (words[i] !== 0) {
          resident += this.pageSize;
          break;
        }
    }
    return resident;
  }
}
