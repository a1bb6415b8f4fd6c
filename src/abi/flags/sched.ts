/**
 * Scheduling: policies, flags, I/O priorities.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const SCHED_OTHER = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;
export const SCHED_DEADLINE = 6;
export const SCHED_FLAG_RESET_ON_FORK = 1;
export const SCHED_FLAG_RECLAIM = 2;
export const SCHED_FLAG_DL_OVERRUN = 4;
export const SCHED_FLAG_KEEP_POLICY = 8;
export const SCHED_FLAG_KEEP_PARAMS = 0x10;
export const SCHED_FLAG_UTIL_CLAMP_MIN = 0x20;
export const SCHED_FLAG_UTIL_CLAMP_MAX = 0x40;
export const IOPRIO_CLASS_NONE = 0;
export const IOPRIO_CLASS_RT = 1;
export const IOPRIO_CLASS_BE = 2;
export const IOPRIO_CLASS_IDLE = 3;
export const IOPRIO_WHO_PROCESS = 1;
export const IOPRIO_WHO_PGRP = 2;
export const IOPRIO_WHO_USER = 3;
export const SCHED_EXT = 7;

/** strace: schedulers. */
export const schedulers = flagSet('SCHED_???', {
  SCHED_OTHER,
  SCHED_FIFO,
  SCHED_RR,
  SCHED_BATCH,
  SCHED_IDLE,
  SCHED_DEADLINE,
});

/** strace: sched_flags. */
export const sched_flags = flagSet('SCHED_FLAG_???', {
  SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_RECLAIM,
  SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_UTIL_CLAMP_MIN,
  SCHED_FLAG_UTIL_CLAMP_MAX,
});

/** strace: ioprio_class. */
export const ioprio_class = flagSet('IOPRIO_CLASS_???', {
  IOPRIO_CLASS_NONE,
  IOPRIO_CLASS_RT,
  IOPRIO_CLASS_BE,
  IOPRIO_CLASS_IDLE,
});

/** strace: ioprio_who. */
export const ioprio_who = flagSet('IOPRIO_WHO_???', { IOPRIO_WHO_PROCESS, IOPRIO_WHO_PGRP, IOPRIO_WHO_USER });
