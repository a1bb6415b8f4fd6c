/** What uname(2) and /proc say this kernel is. New enough that no program finds it too old. */
export const UTS_SYSNAME = 'Linux';
export const UTS_RELEASE = '6.12.0-levitate';
export const UTS_VERSION = '#1 SMP PREEMPT_DYNAMIC levitate';
