/**
 * futex(2): operations, FUTEX_WAKE_OP words, waitv flags.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const FUTEX_WAIT = 0;
export const FUTEX_WAKE = 1;
export const FUTEX_FD = 2;
export const FUTEX_REQUEUE = 3;
export const FUTEX_CMP_REQUEUE = 4;
export const FUTEX_WAKE_OP = 5;
export const FUTEX_LOCK_PI = 6;
export const FUTEX_UNLOCK_PI = 7;
export const FUTEX_TRYLOCK_PI = 8;
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_WAKE_BITSET = 10;
export const FUTEX_WAIT_REQUEUE_PI = 11;
export const FUTEX_CMP_REQUEUE_PI = 12;
export const FUTEX_LOCK_PI2 = 13;
export const FUTEX_WAIT_PRIVATE = 128;
export const FUTEX_WAKE_PRIVATE = 129;
export const FUTEX_PRIVATE_FLAG = 128;
export const FUTEX_REQUEUE_PRIVATE = 131;
export const FUTEX_CMP_REQUEUE_PRIVATE = 132;
export const FUTEX_WAKE_OP_PRIVATE = 133;
export const FUTEX_LOCK_PI_PRIVATE = 134;
export const FUTEX_UNLOCK_PI_PRIVATE = 135;
export const FUTEX_TRYLOCK_PI_PRIVATE = 136;
export const FUTEX_WAIT_BITSET_PRIVATE = 137;
export const FUTEX_WAKE_BITSET_PRIVATE = 138;
export const FUTEX_WAIT_REQUEUE_PI_PRIVATE = 139;
export const FUTEX_CMP_REQUEUE_PI_PRIVATE = 140;
export const FUTEX_LOCK_PI2_PRIVATE = 141;
export const FUTEX_CLOCK_REALTIME = 256;
export const FUTEX_BITSET_MATCH_ANY = 0xffffffff;
export const FUTEX_OP_SET = 0;
export const FUTEX_OP_ADD = 1;
export const FUTEX_OP_OR = 2;
export const FUTEX_OP_ANDN = 3;
export const FUTEX_OP_XOR = 4;
export const FUTEX_OP_CMP_EQ = 0;
export const FUTEX_OP_CMP_NE = 1;
export const FUTEX_OP_CMP_LT = 2;
export const FUTEX_OP_CMP_LE = 3;
export const FUTEX_OP_CMP_GT = 4;
export const FUTEX_OP_CMP_GE = 5;
export const FUTEX_32 = 2;
export const FUTEX_CMD_MASK = -385;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_WAITERS = 0x80000000;
export const FUTEX_TID_MASK = 0x3fffffff;
export const FUTEX2_SIZE_U8 = 0;
export const FUTEX2_SIZE_U16 = 1;
export const FUTEX2_SIZE_U32 = 2;
export const FUTEX2_SIZE_U64 = 3;
export const FUTEX2_NUMA = 4;
export const FUTEX2_MPOL = 8;
export const FUTEX2_PRIVATE = 128;
export const FUTEX_WAITV_MAX = 128;
export const ROBUST_LIST_LIMIT = 2048;

/** strace: futexops. */
export const futexops = flagSet('FUTEX_???', {
  FUTEX_WAIT,
  FUTEX_WAKE,
  FUTEX_FD,
  FUTEX_REQUEUE,
  FUTEX_CMP_REQUEUE,
  FUTEX_WAKE_OP,
  FUTEX_LOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_TRYLOCK_PI,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE_BITSET,
  FUTEX_WAIT_REQUEUE_PI,
  FUTEX_CMP_REQUEUE_PI,
  FUTEX_LOCK_PI2,
  FUTEX_WAIT_PRIVATE,
  FUTEX_WAKE_PRIVATE,
  'FUTEX_FD|FUTEX_PRIVATE_FLAG': FUTEX_FD | FUTEX_PRIVATE_FLAG,
  FUTEX_REQUEUE_PRIVATE,
  FUTEX_CMP_REQUEUE_PRIVATE,
  FUTEX_WAKE_OP_PRIVATE,
  FUTEX_LOCK_PI_PRIVATE,
  FUTEX_UNLOCK_PI_PRIVATE,
  FUTEX_TRYLOCK_PI_PRIVATE,
  FUTEX_WAIT_BITSET_PRIVATE,
  FUTEX_WAKE_BITSET_PRIVATE,
  FUTEX_WAIT_REQUEUE_PI_PRIVATE,
  FUTEX_CMP_REQUEUE_PI_PRIVATE,
  FUTEX_LOCK_PI2_PRIVATE,
  'FUTEX_WAIT|FUTEX_CLOCK_REALTIME': FUTEX_WAIT | FUTEX_CLOCK_REALTIME,
  'FUTEX_WAIT_PRIVATE|FUTEX_CLOCK_REALTIME': FUTEX_WAIT_PRIVATE | FUTEX_CLOCK_REALTIME,
  'FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME': FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME,
  'FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME': FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME,
  'FUTEX_WAIT_REQUEUE_PI|FUTEX_CLOCK_REALTIME': FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME,
  'FUTEX_WAIT_REQUEUE_PI_PRIVATE|FUTEX_CLOCK_REALTIME': FUTEX_WAIT_REQUEUE_PI_PRIVATE | FUTEX_CLOCK_REALTIME,
});

/** strace: futexbitset. */
export const futexbitset = flagSet('', { FUTEX_BITSET_MATCH_ANY });

/** strace: futexwakeops. */
export const futexwakeops = flagSet('FUTEX_OP_???', {
  FUTEX_OP_SET,
  FUTEX_OP_ADD,
  FUTEX_OP_OR,
  FUTEX_OP_ANDN,
  FUTEX_OP_XOR,
});

/** strace: futexwakecmps. */
export const futexwakecmps = flagSet('FUTEX_OP_CMP_???', {
  FUTEX_OP_CMP_EQ,
  FUTEX_OP_CMP_NE,
  FUTEX_OP_CMP_LT,
  FUTEX_OP_CMP_LE,
  FUTEX_OP_CMP_GT,
  FUTEX_OP_CMP_GE,
});

/** strace: futex_waiter_flags. */
export const futex_waiter_flags = flagSet('FUTEX_???', { FUTEX_32, FUTEX_PRIVATE_FLAG });
