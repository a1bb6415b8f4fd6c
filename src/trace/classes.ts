/**
 * How much two values of an argument must agree, as far as its kind says: exactly; as the descriptor, the process or the address that
 * they stand for. Whoever compares decides what that means to him.
 */
import type { ArgKind } from '../../syscalls/row.js';

export type ValueClass = 'exact' | 'fd' | 'pid' | 'address';

export function classOf(kind: ArgKind | undefined): ValueClass {
  switch (kind?.kind) {
    case 'fd':
    case 'dirfd':
      return 'fd';
    case 'pid':
      return 'pid';
    case 'addr':
    case 'environ':
      return 'address';
    case 'word':
      return kind.of === 'fd' || kind.of === 'fdpair' ? 'fd' : 'exact';
    default:
      return 'exact';
  }
}
