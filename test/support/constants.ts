/** The constants of src/abi, with those that differ per architecture taken for the one the tests run on. */
import * as memory from '../../src/abi/flags/memory.js';
import * as open from '../../src/abi/flags/open.js';
import { hostArch } from './executor.js';

export * from '../../src/abi/flags/arch-prctl.js';
export * from '../../src/abi/flags/capability.js';
export * from '../../src/abi/flags/fcntl.js';
export * from '../../src/abi/flags/file.js';
export * from '../../src/abi/flags/filesystems.js';
export * from '../../src/abi/flags/futex.js';
export * from '../../src/abi/flags/ioctl.js';
export * from '../../src/abi/flags/ipc.js';
export * from '../../src/abi/flags/limits.js';
export * from '../../src/abi/flags/memory.js';
export * from '../../src/abi/flags/mount.js';
export * from '../../src/abi/flags/poll.js';
export * from '../../src/abi/flags/prctl.js';
export * from '../../src/abi/flags/process.js';
export * from '../../src/abi/flags/sched.js';
export * from '../../src/abi/flags/seccomp.js';
export * from '../../src/abi/flags/signal.js';
export * from '../../src/abi/flags/socket.js';
export * from '../../src/abi/flags/socket-options.js';
export * from '../../src/abi/flags/stat.js';
export * from '../../src/abi/flags/system.js';
export * from '../../src/abi/flags/termios.js';
export * from '../../src/abi/flags/time.js';
export * from '../../src/abi/flags/open.js';

export const O_DIRECT = open.O_DIRECT[hostArch];
export const O_DIRECTORY = open.O_DIRECTORY[hostArch];
export const O_LARGEFILE = open.O_LARGEFILE[hostArch];
export const O_NOFOLLOW = open.O_NOFOLLOW[hostArch];
export const O_TMPFILE = open.O_TMPFILE[hostArch];
export const MAP_32BIT = memory.MAP_32BIT[hostArch] ?? 0;

/** An address that is never mapped, and one that no address space reaches. */
export const WILD = 0x10;
export const NON_CANONICAL = { x86_64: 0x8000_0000_0000_0000n, aarch64: 0x8080_0000_0000_0000n }[hostArch];

// ioctl requests of any file and of terminals (asm-generic/ioctls.h)
export const TCGETS = 0x5401;
export const TIOCGWINSZ = 0x5413;
export const FIONREAD = 0x541b;
export const FIONBIO = 0x5421;
export const FIONCLEX = 0x5450;
export const FIOCLEX = 0x5451;

/** wait4's name for WSTOPPED. */
export const WUNTRACED = 2;

/** The first real-time signal, as the kernel counts (a libc keeps some for itself). */
export const SIGRTMIN = 32;
