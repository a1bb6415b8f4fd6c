/** Bytes as a program file: frames are filled when first touched, in one extent. */
import type { FileMapping } from '../../src/mm/file-mapping.js';
import type { FrameAllocator } from '../../src/mm/frames.js';
import type { ProgramFile } from '../../src/mm/elf.js';

export class HostFile implements ProgramFile, FileMapping {
  readonly mapping: FileMapping = this;
  readonly size: number;
  private readonly frames: FrameAllocator;
  private readonly content: Uint8Array;
  private offset = -1;

  constructor(frames: FrameAllocator, content: Uint8Array) {
    this.frames = frames;
    this.content = content;
    this.size = content.length;
  }
  read(dst: Uint8Array, dstOffset: number, offset: number, length: number): number {
    const part = this.content.subarray(offset, offset + length);
    dst.set(part, dstOffset);
    return part.length;
  }
  frameAt(offset: number): number {
    if (this.offset < 0) {
      const { pageSize } = this.frames;
      this.offset = this.frames.allocate(Math.ceil(this.size / pageSize) * pageSize)[0].offset;
      this.frames.physical.bytes.set(this.content, this.offset);
    }
    return this.offset + offset;
  }
  contiguous(offset: number, max: number): number {
    this.frameAt(offset);
    const { pageSize } = this.frames;
    return Math.min(max, Math.ceil(this.size / pageSize) * pageSize - offset);
  }
  cached(): boolean {
    return this.offset >= 0;
  }
  attach(): void {}
  detach(): void {}
  describe() {
    return { devMajor: 8, devMinor: 1, ino: 7, path: '/program' };
  }
}
