/** ioctl(2) requests of terminals: asm-generic/ioctls.h, the same on x86_64 and aarch64. */
export { TCGETS2, TCSETS2, TCSETSF2, TCSETSW2 } from '../abi/flags/ioctl.js';
export {
  TIOCGDEV,
  TIOCGEXCL,
  TIOCGPKT,
  TIOCGPTLCK,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCSIG,
  TIOCSPTLCK,
} from '../abi/flags/ioctl.js';
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TCSETSW = 0x5403;
export const TCSETSF = 0x5404;
export const TCGETA = 0x5405;
export const TCSETA = 0x5406;
export const TCSETAW = 0x5407;
export const TCSETAF = 0x5408;
export const TCSBRK = 0x5409;
export const TCXONC = 0x540a;
export const TCFLSH = 0x540b;
export const TIOCEXCL = 0x540c;
export const TIOCNXCL = 0x540d;
export const TIOCSCTTY = 0x540e;
export const TIOCGPGRP = 0x540f;
export const TIOCSPGRP = 0x5410;
export const TIOCOUTQ = 0x5411;
export const TIOCSTI = 0x5412;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
export const TIOCGSOFTCAR = 0x5419;
export const TIOCSSOFTCAR = 0x541a;
export const FIONREAD = 0x541b;
export const TIOCCONS = 0x541d;
export const TIOCPKT = 0x5420;
export const TIOCNOTTY = 0x5422;
export const TIOCSETD = 0x5423;
export const TIOCGETD = 0x5424;
export const TCSBRKP = 0x5425;
export const TIOCSBRK = 0x5427;
export const TIOCCBRK = 0x5428;
export const TIOCGSID = 0x5429;
export const TIOCVHANGUP = 0x5437;
