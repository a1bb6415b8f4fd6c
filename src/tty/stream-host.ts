/**
 * StreamHost over HostIo and node:fs: what host-stream.ts needs of the host, for the real one. Regular files never block, so
 * the positional calls are plain pread and pwrite.
 */
import { fstatSync, ftruncateSync, readFileSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { EIO } from '../abi/errno.js';
import type { HostIo } from '../platform/host-io.js';
import type { StreamHost } from './host-stream.js';

/** -errno of an error of node:fs. */
function negative(error: unknown): number {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return -((constants.errno as Record<string, number | undefined>)[code] ?? EIO);
}

function fdinfo(fd: number, field: string, base: number): number {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
    return parseInt(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? '0', base);
  } catch {
    return 0;
  }
}

/** O_ access mode and status flags of a host descriptor; 0 if the host has no /proc. */
export function hostFlags(fd: number): number {
  return fdinfo(fd, 'flags', 8);
}

export function streamHost(io: HostIo): StreamHost {
  return {
    readSome: (fd, to, offset, length) => io.readSome(fd, to, offset, length),
    writeSome: (fd, from, offset, length) => io.writeSome(fd, from, offset, length),
    watch: (fd, events, callback) => io.watch(fd, events, callback),
    fstat: (fd) => fstatSync(fd),
    readAt(fd, to, offset, length, position) {
      try {
        return readSync(fd, to, offset, length, position);
      } catch (error) {
        return negative(error);
      }
    },
    writeAt(fd, from, offset, length, position) {
      try {
        return writeSync(fd, from, offset, length, position);
      } catch (error) {
        return negative(error);
      }
    },
    truncate(fd, size) {
      try {
        ftruncateSync(fd, size);
        return 0;
      } catch (error) {
        return -negative(error);
      }
    },
    offsetOf: (fd) => fdinfo(fd, 'pos', 10),
  };
}
