/** Names of host errno values, for messages only: the kernel's own errors live in src/abi/errno.ts. */
import { getSystemErrorName } from 'node:util';

export function errnoName(error: number): string {
  try {
    return getSystemErrorName(-error);
  } catch {
    return `errno ${error}`;
  }
}
