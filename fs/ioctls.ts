/** ioctl(2) requests that any descriptor may get; the numbers are the same on x86_64 and aarch64 (asm-generic/ioctls.h). */
export const FIONREAD = 0x541b;
export const FIONBIO = 0x5421;
export const FIONCLEX = 0x5450;
export const FIOCLEX = 0x5451;
export const FIOASYNC = 0x5452;
export const FIOQSIZE = 0x5460;
/** Block size of the file's filesystem. */
export const FIGETBSZ = 2;
