/**
 * Physical memory: the supervisor's view of the memfd that guests map file data and shared memory from.
 *
 * The memfd is sealed against shrinking, so touching `bytes` never faults beyond the host running out of memory.
 */
import type { NativeContext } from '../native.js';
import type { PhysicalPages } from '../platform.js';
import { errnoName } from './errors.js';

/**
 * V8 counts a view's bytes as memory that collecting garbage may free: it collects at once when it gets one of gigabytes, and starts
 * to look around from 64 MiB on. Most guests need less.
 */
const FIRST = 32 << 20;
const GROWTH = 2;

export class PhysicalMemory implements PhysicalPages {
  bytes: Uint8Array;
  readonly size: number;
  private readonly native: NativeContext;

  constructor(native: NativeContext) {
    this.native = native;
    this.size = native.physicalSize;
    this.bytes = this.view(FIRST);
  }

  reach(end: number): void {
    if (end > this.bytes.length) this.bytes = this.view(end * GROWTH);
  }
  private view(bytes: number): Uint8Array {
    return new Uint8Array(this.native.viewPhysical(Math.min(bytes, this.size)));
  }

  release(offset: number, length: number): void {
    const error = this.native.release(offset, length);
    if (error !== 0) throw new Error(`levitate: releasing physical memory failed: ${errnoName(error)}`);
  }

  clear(offset: number, length: number): void {
    const error = this.native.clear(offset, length);
    if (error !== 0) throw new Error(`levitate: clearing physical memory failed: ${errnoName(error)}`);
  }

  codeWritten(offset: number, length: number): void {
    if (!this.native.coherentCode) this.native.syncCode(offset, length);
  }

  residentBytes(): number {
    return this.native.physicalResident();
  }
}
