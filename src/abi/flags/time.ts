/**
 * Clocks, timers, adjtimex.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const CLOCK_REALTIME = 0;
export const CLOCK_MONOTONIC = 1;
export const CLOCK_PROCESS_CPUTIME_ID = 2;
export const CLOCK_THREAD_CPUTIME_ID = 3;
export const CLOCK_MONOTONIC_RAW = 4;
export const CLOCK_REALTIME_COARSE = 5;
export const CLOCK_MONOTONIC_COARSE = 6;
export const CLOCK_BOOTTIME = 7;
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_BOOTTIME_ALARM = 9;
export const CLOCK_SGI_CYCLE = 10;
export const CLOCK_TAI = 11;
export const CPUCLOCK_PROF = 0;
export const CPUCLOCK_VIRT = 1;
export const CPUCLOCK_SCHED = 2;
export const TIMER_ABSTIME = 1;
export const ITIMER_REAL = 0;
export const ITIMER_VIRTUAL = 1;
export const ITIMER_PROF = 2;
export const ADJ_OFFSET_SS_READ = 0xa001;
export const ADJ_OFFSET_SINGLESHOT = 0x8001;
export const ADJ_OFFSET = 1;
export const ADJ_FREQUENCY = 2;
export const ADJ_MAXERROR = 4;
export const ADJ_ESTERROR = 8;
export const ADJ_STATUS = 0x10;
export const ADJ_TIMECONST = 0x20;
export const ADJ_TAI = 0x80;
export const ADJ_SETOFFSET = 0x100;
export const ADJ_MICRO = 0x1000;
export const ADJ_NANO = 0x2000;
export const ADJ_TICK = 0x4000;
export const STA_PLL = 1;
export const STA_PPSFREQ = 2;
export const STA_PPSTIME = 4;
export const STA_FLL = 8;
export const STA_INS = 0x10;
export const STA_DEL = 0x20;
export const STA_UNSYNC = 0x40;
export const STA_FREQHOLD = 0x80;
export const STA_PPSSIGNAL = 0x100;
export const STA_PPSJITTER = 0x200;
export const STA_PPSWANDER = 0x400;
export const STA_PPSERROR = 0x800;
export const STA_CLOCKERR = 0x1000;
export const STA_NANO = 0x2000;
export const STA_MODE = 0x4000;
export const STA_CLK = 0x8000;
export const TIME_OK = 0;
export const TIME_INS = 1;
export const TIME_DEL = 2;
export const TIME_OOP = 3;
export const TIME_WAIT = 4;
export const TIME_ERROR = 5;

/** strace: clocknames. */
export const clocknames = flagSet('CLOCK_???', {
  CLOCK_REALTIME,
  CLOCK_MONOTONIC,
  CLOCK_PROCESS_CPUTIME_ID,
  CLOCK_THREAD_CPUTIME_ID,
  CLOCK_MONOTONIC_RAW,
  CLOCK_REALTIME_COARSE,
  CLOCK_MONOTONIC_COARSE,
  CLOCK_BOOTTIME,
  CLOCK_REALTIME_ALARM,
  CLOCK_BOOTTIME_ALARM,
  CLOCK_SGI_CYCLE,
  CLOCK_TAI,
});

/** strace: cpuclocknames. */
export const cpuclocknames = flagSet('CPUCLOCK_???', { CPUCLOCK_PROF, CPUCLOCK_VIRT, CPUCLOCK_SCHED });

/** strace: clockflags. */
export const clockflags = flagSet('TIMER_???', { TIMER_ABSTIME });

/** strace: itimer_which. */
export const itimer_which = flagSet('ITIMER_???', { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF });

/** strace: adjtimex_modes. */
export const adjtimex_modes = flagSet('ADJ_???', {
  ADJ_OFFSET_SS_READ,
  ADJ_OFFSET_SINGLESHOT,
  ADJ_OFFSET,
  ADJ_FREQUENCY,
  ADJ_MAXERROR,
  ADJ_ESTERROR,
  ADJ_STATUS,
  ADJ_TIMECONST,
  ADJ_TAI,
  ADJ_SETOFFSET,
  ADJ_MICRO,
  ADJ_NANO,
  ADJ_TICK,
});

/** strace: adjtimex_status. */
export const adjtimex_status = flagSet('STA_???', {
  STA_PLL,
  STA_PPSFREQ,
  STA_PPSTIME,
  STA_FLL,
  STA_INS,
  STA_DEL,
  STA_UNSYNC,
  STA_FREQHOLD,
  STA_PPSSIGNAL,
  STA_PPSJITTER,
  STA_PPSWANDER,
  STA_PPSERROR,
  STA_CLOCKERR,
  STA_NANO,
  STA_MODE,
  STA_CLK,
});

/** strace: adjtimex_state. */
export const adjtimex_state = flagSet('TIME_???', { TIME_OK, TIME_INS, TIME_DEL, TIME_OOP, TIME_WAIT, TIME_ERROR });
