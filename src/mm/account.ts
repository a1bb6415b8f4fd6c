/**
 * Accounting: what memory the guests of one kernel have been promised, against the system limit (`--memory`).
 *
 * Like vm.overcommit_memory=2, except that NORESERVE is honoured unless a limit was asked for (`strict`): private writable mappings and the size of shared anonymous
 * objects are charged when they are made, frames when they are allocated. A shared object hands its charge over frame by
 * frame, so committed bytes plus used frames is always the whole promise.
 */
import { ENOMEM, errno } from '../abi/errno.js';
import type { FrameAllocator } from './frames.js';
import type { MemoryAccount } from './memory-map.js';

export class SystemMemory implements MemoryAccount {
  committedBytes = 0;
  limitBytes: number;
  readonly strict: boolean;

  constructor(limitBytes: number, strict = false) {
    this.limitBytes = limitBytes;
    this.strict = strict;
  }
}

/** Promises `bytes` more, or throws ENOMEM. */
export function charge(account: MemoryAccount, frames: FrameAllocator, bytes: number): void {
  if (account.committedBytes + frames.usedBytes + bytes > account.limitBytes) throw errno(ENOMEM);
  account.committedBytes += bytes;
}
export function uncharge(account: MemoryAccount, bytes: number): void {
  account.committedBytes -= bytes;
}
