/**
 * AddressMap: the MemoryMap of one address space. The parts are in files of their own: state and primitives in map-core, guest
 * memory in guest-access, one file per family of calls. This file ties them together and does fork, exec and the end.
 *
 * Invariant: every public call leaves the host in step with the VMAs (nothing queued), except `clear()` and calls inside
 * `batch()`.
 */
import { brk, mmap, munmap } from './mmap.js';
import { fault, SpuriousFaults } from './faults.js';
import { GuestAccess } from './guest-access.js';
import { madvise } from './madvise.js';
import {
  VM_ACCOUNT,
  VM_DONTFORK,
  VM_GROWSDOWN,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_SHARED,
  VM_WIPEONFORK,
  type FaultResult,
  type MemoryMap,
  type MmapRequest,
  type Vma,
} from './memory-map.js';
import type { AddressSpace } from '../platform/platform.js';
import { MAP_FIXED, MREMAP_FIXED } from '../abi/flags/memory.js';
import { mincore, mlock, mlockall, mprotect, msync, munlock, munlockall, setName } from './mprotect.js';
import { mremap } from './mremap.js';

export class AddressMap extends GuestAccess implements MemoryMap {
  private readonly spurious = new SpuriousFaults();

  mmap(request: MmapRequest): number {
    if ((request.flags & MAP_FIXED) !== 0) this.takeBackCode(request.addr, request.length);
    return mmap(this, request);
  }
  munmap(addr: number, length: number): void {
    this.takeBackCode(addr, length);
    munmap(this, addr, length);
  }
  mprotect(addr: number, length: number, prot: number): void {
    this.takeBackCode(addr, length);
    mprotect(this, addr, length, prot);
  }
  mremap(addr: number, oldLength: number, newLength: number, flags: number, newAddr: number): number {
    this.takeBackCode(addr, oldLength);
    if ((flags & MREMAP_FIXED) !== 0) this.takeBackCode(newAddr, newLength);
    return mremap(this, addr, oldLength, newLength, flags, newAddr);
  }
  brk(addr: number): number {
    const { startBrk, brk: end } = this.layout;
    if (addr >= startBrk && addr < end) this.takeBackCode(addr, end - addr);
    return brk(this, addr);
  }
  madvise(addr: number, length: number, advice: number): void {
    this.takeBackCode(addr, length);
    madvise(this, addr, length, advice);
  }
  msync(addr: number, length: number, flags: number): void {
    msync(this, addr, length, flags);
  }
  mincore(addr: number, length: number): Uint8Array {
    return mincore(this, addr, length);
  }
  mlock(addr: number, length: number, onfault: boolean): void {
    mlock(this, addr, length, onfault);
  }
  munlock(addr: number, length: number): void {
    munlock(this, addr, length);
  }
  mlockall(flags: number): void {
    mlockall(this, flags);
  }
  munlockall(): void {
    munlockall(this);
  }
  setName(addr: number, length: number, name: string): void {
    setName(this, addr, length, name);
  }

  fault(address: number, access: number, _stackPointer: number): FaultResult {
    return fault(this, this.spurious, address, access);
  }
  /** For /proc: refreshes the names as show_map_vma computes them. */
  vmas(): readonly Vma[] {
    const { startBrk, brk: end, startStack } = this.layout;
    for (const vma of this.list.items) {
      if (vma.label !== '') vma.name = `[anon:${vma.label}]`;
      else if (vma.file !== null) vma.name = '';
      else if (vma.start <= end && vma.end >= startBrk && startBrk !== 0) vma.name = '[heap]';
      else if (vma.start <= startStack && vma.end >= startStack) vma.name = '[stack]';
      else vma.name = '';
    }
    return this.list.items;
  }
  find(address: number): Vma | null {
    return this.list.find(address);
  }
  get virtualBytes(): number {
    return this.totalBytes;
  }
  rssBytes(): number {
    return this.space.rssBytes();
  }
  peakRssBytes(): number {
    return this.space.peakRssBytes();
  }
  /** Lengths are the guest's: whatever they are. */
  private takeBackCode(addr: number, length: number): void {
    if (this.code.patches.length > 0) this.code.takeBack(this.pageDown(addr), addr + this.pageUp(length));
  }
  becomeShared(): void {
    this.takeBackCode(0, Infinity);
  }

  forkInto(space: AddressSpace): AddressMap {
    const { platform, frames, account, random, limits } = this;
    const child = new AddressMap({ platform, frames, account, random, space, limits, layout: { ...this.layout } });
    let accounted = 0;
    for (const vma of this.list.items)
      if ((vma.flags & (VM_ACCOUNT | VM_DONTFORK)) === VM_ACCOUNT) accounted += vma.end - vma.start;
    child.charge(accounted);
    this.populated.copyTo(child.populated);
    this.code.copyTo(child.code);
    for (const vma of this.list.items) {
      if ((vma.flags & VM_DONTFORK) !== 0) {
        space.unmap(vma.start, vma.end - vma.start);
        child.populated.remove(vma.start, vma.end);
        continue;
      }
      const copy = vma.copy();
      copy.flags &= ~(VM_LOCKED | VM_LOCKONFAULT);
      child.appendVma(copy);
      if ((vma.flags & VM_WIPEONFORK) !== 0) space.discard(vma.start, vma.end - vma.start);
    }
    try {
      child.commit();
    } catch (error) {
      child.release();
      throw error;
    }
    return child;
  }
  clear(): void {
    this.dropAll();
    this.detachAll();
    this.defaultFlags = 0;
    this.space.clear();
  }
  release(): void {
    this.dropAll();
    this.detachAll();
    this.settled();
  }
}

/** Flags of VMAs that /proc/PID/smaps and maps print as letters. */
export function permissionLetters(vma: Vma): string {
  const { prot, flags } = vma;
  return `${prot & 1 ? 'r' : '-'}${prot & 2 ? 'w' : '-'}${prot & 4 ? 'x' : '-'}${flags & VM_SHARED ? 's' : 'p'}`;
}
export { VM_GROWSDOWN };
