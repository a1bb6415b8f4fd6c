/**
 * process_vm_readv(2) and process_vm_writev(2): copies between two address spaces through the scratch buffer.
 *
 * Oddity kept: a bad remote page ends the transfer at the bytes moved so far and is EFAULT only when there were none; so
 * does a bad local page.
 */
import { EFAULT, EINVAL, Errno, errno } from '../abi/errno.js';
import { getU64 } from '../abi/layout.js';
import type { MemoryMap } from './memory-map.js';

export interface IoVector {
  base: number;
  length: number;
}

const IOV_MAX = 1024;
const IOVEC_BYTES = 16;
const PIECE = 64 * 1024;

/** Copies an array of struct iovec in; EINVAL for too many or negative lengths, EFAULT. */
export function readIoVectors(map: MemoryMap, addr: number, count: number): IoVector[] {
  if (count > IOV_MAX) throw errno(EINVAL);
  const vectors: IoVector[] = [];
  if (count === 0) return vectors;
  const view = map.readStruct(addr, count * IOVEC_BYTES);
  for (let at = 0; at < count * IOVEC_BYTES; at += IOVEC_BYTES) {
    if (view.getInt32(at + 12, true) < 0) throw errno(EINVAL);
    vectors.push({ base: getU64(view, at), length: getU64(view, at + 8) });
  }
  return vectors;
}

/** Moves bytes between the lists, as many as the shorter holds; `write`: from local to remote. Returns bytes moved. */
export function copyBetween(
  local: MemoryMap,
  localVectors: readonly IoVector[],
  remote: MemoryMap,
  remoteVectors: readonly IoVector[],
  write: boolean,
): number {
  const bytes = new Uint8Array(PIECE);
  let moved = 0;
  let index = 0;
  let within = 0;
  try {
    for (const { base, length } of remoteVectors) {
      for (let done = 0; done < length;) {
        while (index < localVectors.length && within === localVectors[index].length) {
          index++;
          within = 0;
        }
        if (index === localVectors.length) return moved;
        const here = localVectors[index];
        const wanted = Math.min(PIECE, length - done, here.length - within);
        const at = base + done;
        const from = here.base + within;
        const n = Math.min(
          write ? remote.writable(at, wanted) : remote.readable(at, wanted),
          write ? local.readable(from, wanted) : local.writable(from, wanted),
        );
        if (n === 0) throw errno(EFAULT);
        if (write) local.copyIn(here.base + within, bytes, 0, n);
        else remote.copyIn(at, bytes, 0, n);
        if (write) remote.copyOut(at, bytes, 0, n);
        else local.copyOut(here.base + within, bytes, 0, n);
        moved += n;
        done += n;
        within += n;
      }
    }
  } catch (error) {
    if (!(error instanceof Errno) || moved === 0) throw error;
  }
  return moved;
}
