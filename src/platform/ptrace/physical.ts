/**
 * Physical memory: the supervisor's view of the memfd that guests map file data and shared memory from.
 *
 * The memfd is sealed against shrinking, so touching `bytes` never faults beyond the host running out of memory.
 */
import type { NativeContext } from '../native.js';
import type { PhysicalPages } from '../platform.js';
import { errnoName } from './errors.js';

export class PhysicalMemory implements PhysicalPages {
  readonly bytes: Uint8Array;
  readonly size: number;
  private readonly native: NativeContext;

  constructor(native: NativeContext) {
    this.native = native;
    this.bytes = new Uint8Array(native.physical);
    this.size = this.bytes.length;
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
