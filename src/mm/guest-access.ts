/**
 * GuestAccess: the only way from a guest address to bytes. What may be touched is decided from the VMAs, never by asking the
 * host; pages a guest instruction would fault in (file windows, stack growth) are made present first.
 *
 * A copy inside one anonymous VMA, the usual case, is one range check and one native call and allocates nothing. As in
 * Linux's fault handler, any protection but PROT_NONE may be read.
 */
import { E2BIG, EFAULT, EINVAL, ENAMETOOLONG, Errno, errno } from '../abi/errno.js';
import { PROT_WRITE } from '../platform/platform.js';
import { SCRATCH_BYTES } from '../platform/scratch.js';
import { growStack } from './faults.js';
import { MapCore, type MapOptions } from './map-core.js';
import { VM_SHARED } from './memory-map.js';
import type { VmaRecord } from './vma-list.js';

/** Strings are read in a first piece of this size, then by pages. */
const STRING_PIECE = 256;
const TWO32 = 2 ** 32;
/** Added to the address in a shared futex key of private memory: words are aligned to 4. */
const KEY_SHARED = 2;

export abstract class GuestAccess extends MapCore {
  readonly scratch: Buffer;
  readonly scratchView: DataView;

  constructor(options: MapOptions) {
    super(options);
    const { bytes, view } = options.platform.scratch;
    this.scratch = bytes;
    this.scratchView = view;
  }

  readable(addr: number, len: number): number {
    return this.accessible(addr, len, false);
  }
  writable(addr: number, len: number): number {
    return this.accessible(addr, len, true);
  }
  /** Length of the prefix of [addr, addr+len) that an access may touch; makes it present. */
  private accessible(addr: number, len: number, write: boolean): number {
    // Far above, adding a length may change nothing.
    if (addr >= this.platform.taskSize) return 0;
    const end = addr + len;
    let at = addr;
    while (at < end) {
      const vma = this.list.find(at) ?? growStack(this, at);
      if (vma === null || (write ? (vma.prot & PROT_WRITE) === 0 : vma.prot === 0)) break;
      const to = vma.end < end ? vma.end : end;
      if (vma.file === null) at = to;
      else {
        const reached = this.presentTo(vma, at, to);
        at = reached < to ? reached : to;
        if (reached < to) break;
      }
    }
    return at < end ? at - addr : len;
  }
  /** Makes pages of a file VMA present; the address of the first that cannot be had, or `to`. */
  private presentTo(vma: VmaRecord, from: number, to: number): number {
    const covered = this.populated.coveredTo(from);
    if (covered >= to) return to;
    const start = covered > from ? covered : this.pageDown(from);
    try {
      const reached = this.populate(vma, start, this.pageUp(to));
      this.commit();
      return reached <= from ? from : Math.min(reached, to);
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      return Math.max(from, this.populated.coveredTo(from));
    }
  }
  private require(addr: number, len: number, write: boolean): void {
    const vma = this.list.find(addr);
    if (
      vma !== null &&
      vma.file === null &&
      addr + len <= vma.end &&
      (write ? (vma.prot & PROT_WRITE) !== 0 : vma.prot !== 0)
    )
      return;
    if (this.accessible(addr, len, write) < len) throw errno(EFAULT);
  }

  copyIn(addr: number, dst: Uint8Array, dstOffset: number, len: number): void {
    if (len === 0) return;
    this.require(addr, len, false);
    if (this.space.read(addr, dst, dstOffset, len) !== len) throw errno(EFAULT);
  }
  tryCopyIn(addr: number, dst: Uint8Array, dstOffset: number, len: number): boolean {
    const vma = this.list.find(addr);
    if (vma === null || vma.file !== null || vma.prot === 0 || addr + len > vma.end) return false;
    return this.space.read(addr, dst, dstOffset, len) === len;
  }
  copyOut(addr: number, src: Uint8Array, srcOffset: number, len: number): void {
    if (len === 0) return;
    const good = this.accessible(addr, len, true);
    if (good > 0 && this.space.write(addr, src, srcOffset, good) !== good) throw errno(EFAULT);
    if (good < len) throw errno(EFAULT);
  }
  copyInPhysical(addr: number, physOffset: number, len: number): number {
    if (len === 0) return 0;
    const good = this.accessible(addr, len, false);
    const moved = good === 0 ? 0 : this.space.readToPhysical(addr, physOffset, good);
    if (moved === 0) throw errno(EFAULT);
    return moved;
  }
  copyOutPhysical(addr: number, physOffset: number, len: number): number {
    if (len === 0) return 0;
    const good = this.accessible(addr, len, true);
    const moved = good === 0 ? 0 : this.space.writeFromPhysical(addr, physOffset, good);
    if (moved === 0) throw errno(EFAULT);
    return moved;
  }
  clearOut(addr: number, len: number): void {
    this.require(addr, len, true);
    const { scratch } = this;
    // For a few bytes the call costs more than the work.
    if (len <= 64) for (let i = 0; i < len; i++) scratch[i] = 0;
    else scratch.fill(0, 0, Math.min(len, SCRATCH_BYTES));
    for (let done = 0; done < len; done += SCRATCH_BYTES) {
      const n = Math.min(SCRATCH_BYTES, len - done);
      if (this.space.write(addr + done, scratch, 0, n) !== n) throw errno(EFAULT);
    }
  }
  handy(addr: number): number {
    return this.space.handy?.(addr) ?? 0;
  }
  readString(addr: number, max: number, tooLong = ENAMETOOLONG): string {
    const bytes = this.scratch;
    let text = '';
    let at = addr;
    while (text.length < max) {
      const toPageEnd = this.pageSize - (at % this.pageSize);
      let n = Math.min(toPageEnd, max - text.length, SCRATCH_BYTES);
      if (at === addr) {
        const handy = this.handy(addr);
        n = Math.min(n, handy > 0 ? handy : STRING_PIECE);
      }
      this.require(at, n, false);
      if (this.space.read(at, bytes, 0, n) !== n) throw errno(EFAULT);
      const nul = bytes.indexOf(0);
      if (nul >= 0 && nul < n) return text + bytes.toString('latin1', 0, nul);
      text += bytes.toString('latin1', 0, n);
      at += n;
    }
    throw errno(tooLong);
  }

  readStruct(addr: number, len: number): DataView {
    if (len > SCRATCH_BYTES) throw errno(EINVAL);
    this.copyIn(addr, this.scratch, 0, len);
    return this.scratchView;
  }
  readSizedStruct(addr: number, size: number, least: number, known: number): DataView {
    if (size < least) throw errno(EINVAL);
    if (size > this.platform.pageSize) throw errno(E2BIG);
    this.scratch.fill(0, size, known);
    this.copyIn(addr, this.scratch, 0, size);
    for (let at = known; at < size; at++) if (this.scratch[at] !== 0) throw errno(E2BIG);
    return this.scratchView;
  }
  writeStruct(addr: number, len: number): void {
    this.copyOut(addr, this.scratch, 0, len);
  }
  readU8(addr: number): number {
    return this.readStruct(addr, 1).getUint8(0);
  }
  readU16(addr: number): number {
    return this.readStruct(addr, 2).getUint16(0, true);
  }
  readU32(addr: number): number {
    return this.readStruct(addr, 4).getUint32(0, true);
  }
  readI32(addr: number): number {
    return this.readStruct(addr, 4).getInt32(0, true);
  }
  readU64(addr: number): number {
    const view = this.readStruct(addr, 8);
    return view.getUint32(4, true) * TWO32 + view.getUint32(0, true);
  }
  readI64(addr: number): number {
    const view = this.readStruct(addr, 8);
    return view.getInt32(4, true) * TWO32 + view.getUint32(0, true);
  }
  writeU8(addr: number, value: number): void {
    this.scratchView.setUint8(0, value);
    this.writeStruct(addr, 1);
  }
  writeU16(addr: number, value: number): void {
    this.scratchView.setUint16(0, value, true);
    this.writeStruct(addr, 2);
  }
  writeU32(addr: number, value: number): void {
    this.scratchView.setUint32(0, value, true);
    this.writeStruct(addr, 4);
  }
  writeU64(addr: number, value: number): void {
    this.scratchView.setUint32(0, value, true);
    this.scratchView.setUint32(4, Math.floor(value / TWO32), true);
    this.writeStruct(addr, 8);
  }

  cmpxchgU32(addr: number, expected: number, value: number): number {
    if (addr % 4 !== 0) throw errno(EINVAL);
    this.require(addr, 4, true);
    const vma = this.list.find(addr)!;
    if (vma.file !== null && (vma.flags & VM_SHARED) !== 0) {
      const page = this.pageDown(addr);
      const physical = vma.file.frameAt(vma.fileOffset(page)) + (addr - page);
      const { bytes } = this.frames.physical;
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset + physical, 1);
      return Atomics.compareExchange(words, 0, expected, value);
    }
    const old = this.readU32(addr);
    if (old === expected >>> 0) this.writeU32(addr, value);
    return old;
  }
  /**
   * get_futex_key: private memory is named by address space and address, shared memory by object and offset. A shared key of
   * private memory is not the private key of the same word (FUT_OFF_MMSHARED).
   */
  futexKey(addr: number, shared: boolean): { object: object; offset: number } {
    if (addr % 4 !== 0) throw errno(EINVAL);
    if (addr + 4 > this.platform.taskSize) throw errno(EFAULT);
    if (!shared) return { object: this, offset: addr };
    if (this.accessible(addr, 4, false) < 4) throw errno(EFAULT);
    const vma = this.list.find(addr)!;
    // Linux pins the page for writing, and has no key for a read-only anonymous one (get_futex_key).
    if (vma.file === null && (vma.prot & PROT_WRITE) === 0) throw errno(EFAULT);
    if (vma.file !== null && (vma.flags & VM_SHARED) !== 0) return { object: vma.file, offset: vma.fileOffset(addr) };
    return { object: this, offset: addr + KEY_SHARED };
  }
}
