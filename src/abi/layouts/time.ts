/**
 * Times, timers, resource usage. C names: __kernel_timespec, __kernel_old_timeval, __kernel_old_itimerval,
 * __kernel_itimerspec, __kernel_timex, rusage, tms, utimbuf, rlimit.
 */
import { struct } from '../layout.js';

export const TIMESPEC = struct('__kernel_timespec', { tv_sec: 'i64', tv_nsec: 'i64' });
export const TIMEVAL = struct('__kernel_old_timeval', { tv_sec: 'i64', tv_usec: 'i64' });
export const TIMEZONE = struct('timezone', { tz_minuteswest: 'i32', tz_dsttime: 'i32' });
export const ITIMERVAL = struct('itimerval', { it_interval: TIMEVAL, it_value: TIMEVAL });
export const ITIMERSPEC = struct('__kernel_itimerspec', { it_interval: TIMESPEC, it_value: TIMESPEC });
export const TIMEX = struct(
  '__kernel_timex',
  {
    modes: 'u32',
    offset: 'i64',
    freq: 'i64',
    maxerror: 'i64',
    esterror: 'i64',
    status: 'i32',
    constant: 'i64',
    precision: 'i64',
    tolerance: 'i64',
    time: TIMEVAL,
    tick: 'i64',
    ppsfreq: 'i64',
    jitter: 'i64',
    shift: 'i32',
    stabil: 'i64',
    jitcnt: 'i64',
    calcnt: 'i64',
    errcnt: 'i64',
    stbcnt: 'i64',
    tai: 'i32',
  },
  { size: 208 },
);
export const RUSAGE = struct('rusage', {
  ru_utime: TIMEVAL,
  ru_stime: TIMEVAL,
  ru_maxrss: 'i64',
  ru_ixrss: 'i64',
  ru_idrss: 'i64',
  ru_isrss: 'i64',
  ru_minflt: 'i64',
  ru_majflt: 'i64',
  ru_nswap: 'i64',
  ru_inblock: 'i64',
  ru_oublock: 'i64',
  ru_msgsnd: 'i64',
  ru_msgrcv: 'i64',
  ru_nsignals: 'i64',
  ru_nvcsw: 'i64',
  ru_nivcsw: 'i64',
});
export const RLIMIT = struct('rlimit', { rlim_cur: 'u64', rlim_max: 'u64' });
export const TMS = struct('tms', { tms_utime: 'i64', tms_stime: 'i64', tms_cutime: 'i64', tms_cstime: 'i64' });
export const UTIMBUF = struct('utimbuf', { actime: 'i64', modtime: 'i64' });
