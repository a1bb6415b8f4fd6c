/**
 * termios(3) bits of asm-generic/termbits.h, tcflush and friends, modem lines.
 *
 * Constants as in Linux's uapi headers; sets in the order and spelling strace prints. Values that differ per architecture are
 * objects keyed by it.
 */
import { flagSet } from './flag-set.js';

export const IGNBRK = 1;
export const BRKINT = 2;
export const IGNPAR = 4;
export const PARMRK = 0o10;
export const INPCK = 0o20;
export const ISTRIP = 0o40;
export const INLCR = 0o100;
export const IGNCR = 0o200;
export const ICRNL = 0o400;
export const IUCLC = 0o1000;
export const IXON = 0o2000;
export const IXANY = 0o4000;
export const IXOFF = 0o10000;
export const IMAXBEL = 0o20000;
export const IUTF8 = 0o40000;
export const OPOST = 1;
export const OLCUC = 2;
export const ONLCR = 4;
export const OCRNL = 0o10;
export const ONOCR = 0o20;
export const ONLRET = 0o40;
export const OFILL = 0o100;
export const OFDEL = 0o200;
export const NL0 = 0;
export const NL1 = 0o400;
export const CR0 = 0;
export const CR1 = 0o1000;
export const CR2 = 0o2000;
export const CR3 = 0o3000;
export const XTABS = 0o14000;
export const TAB0 = 0;
export const TAB1 = 0o4000;
export const TAB2 = 0o10000;
export const TAB3 = 0o14000;
export const BS1 = 0o20000;
export const BS0 = 0;
export const FF0 = 0;
export const FF1 = 0o100000;
export const VT0 = 0;
export const VT1 = 0o40000;
export const CSTOPB = 0o100;
export const CREAD = 0o200;
export const PARENB = 0o400;
export const PARODD = 0o1000;
export const HUPCL = 0o2000;
export const CLOCAL = 0o4000;
export const CMSPAR = 0o10000000000;
export const CRTSCTS = 0o20000000000;
export const CS5 = 0;
export const CS6 = 0o20;
export const CS7 = 0o40;
export const CS8 = 0o60;
export const ISIG = 1;
export const ICANON = 2;
export const XCASE = 4;
export const ECHO = 0o10;
export const ECHOE = 0o20;
export const ECHOK = 0o40;
export const ECHONL = 0o100;
export const NOFLSH = 0o200;
export const IEXTEN = 0o100000;
export const ECHOCTL = 0o1000;
export const ECHOPRT = 0o2000;
export const ECHOKE = 0o4000;
export const FLUSHO = 0o10000;
export const PENDIN = 0o40000;
export const TOSTOP = 0o400;
export const EXTPROC = 0o200000;
export const N_TTY = 0;
export const N_SLIP = 1;
export const N_MOUSE = 2;
export const N_PPP = 3;
export const N_STRIP = 4;
export const N_AX25 = 5;
export const N_X25 = 6;
export const N_6PACK = 7;
export const N_MASC = 8;
export const N_R3964 = 9;
export const N_PROFIBUS_FDL = 10;
export const N_IRDA = 11;
export const N_SMSBLOCK = 12;
export const N_HDLC = 13;
export const N_SYNC_PPP = 14;
export const N_HCI = 15;
export const N_GIGASET_M101 = 16;
export const N_SLCAN = 17;
export const N_PPS = 18;
export const N_V253 = 19;
export const N_CAIF = 20;
export const N_GSM0710 = 21;
export const N_TI_WL = 22;
export const N_TRACESINK = 23;
export const N_TRACEROUTER = 24;
export const N_NCI = 25;
export const N_SPEAKUP = 26;
export const N_NULL = 27;
export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOL2 = 16;
export const VSWTC = 7;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VREPRINT = 12;
export const VDISCARD = 13;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VMIN = 6;
export const VTIME = 5;
export const VEOF = 4;
export const VEOL = 11;
export const B0 = 0;
export const B50 = 1;
export const B75 = 2;
export const B110 = 3;
export const B134 = 4;
export const B150 = 5;
export const B200 = 6;
export const B300 = 7;
export const B600 = 0o10;
export const B1200 = 0o11;
export const B1800 = 0o12;
export const B2400 = 0o13;
export const B4800 = 0o14;
export const B9600 = 0o15;
export const B19200 = 0o16;
export const B38400 = 0o17;
export const B57600 = 0o10001;
export const B115200 = 0o10002;
export const B230400 = 0o10003;
export const B460800 = 0o10004;
export const B500000 = 0o10005;
export const B576000 = 0o10006;
export const B921600 = 0o10007;
export const B1000000 = 0o10010;
export const B1152000 = 0o10011;
export const B1500000 = 0o10012;
export const B2000000 = 0o10013;
export const B2500000 = 0o10014;
export const B3000000 = 0o10015;
export const B3500000 = 0o10016;
export const B4000000 = 0o10017;
export const EXTA = 0o16;
export const EXTB = 0o17;
export const BOTHER = 0o10000;
export const TCIFLUSH = 0;
export const TCOFLUSH = 1;
export const TCIOFLUSH = 2;
export const TCOOFF = 0;
export const TCOON = 1;
export const TCIOFF = 2;
export const TCION = 3;
export const TIOCM_LE = 1;
export const TIOCM_DTR = 2;
export const TIOCM_RTS = 4;
export const TIOCM_ST = 8;
export const TIOCM_SR = 0x10;
export const TIOCM_CTS = 0x20;
export const TIOCM_CAR = 0x40;
export const TIOCM_RNG = 0x80;
export const TIOCM_DSR = 0x100;
export const TIOCM_OUT1 = 0x2000;
export const TIOCM_OUT2 = 0x4000;
export const TIOCM_LOOP = 0x8000;
export const CBAUD = 0o10017;
export const CBAUDEX = 0o10000;
export const CIBAUD = 0o2003600000;
export const CSIZE = 0o60;
export const NLDLY = 0o400;
export const CRDLY = 0o3000;
export const TABDLY = 0o14000;
export const BSDLY = 0o20000;
export const VTDLY = 0o40000;
export const FFDLY = 0o100000;
export const TIOCSER_TEMT = 1;

/** strace: term_iflags. */
export const term_iflags = flagSet('', {
  IGNBRK,
  BRKINT,
  IGNPAR,
  PARMRK,
  INPCK,
  ISTRIP,
  INLCR,
  IGNCR,
  ICRNL,
  IUCLC,
  IXON,
  IXANY,
  IXOFF,
  IMAXBEL,
  IUTF8,
});

/** strace: term_oflags. */
export const term_oflags = flagSet('', { OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, OFILL, OFDEL });

/** strace: term_oflags_nldly. */
export const term_oflags_nldly = flagSet('', { NL0, NL1 });

/** strace: term_oflags_crdly. */
export const term_oflags_crdly = flagSet('', { CR0, CR1, CR2, CR3 });

/** strace: term_oflags_tabdly. */
export const term_oflags_tabdly = flagSet('', { XTABS, TAB0, TAB1, TAB2, TAB3 });

/** strace: term_oflags_bsdly. */
export const term_oflags_bsdly = flagSet('', { BS1, BS0 });

/** strace: term_oflags_ffdly. */
export const term_oflags_ffdly = flagSet('', { FF0, FF1 });

/** strace: term_oflags_vtdly. */
export const term_oflags_vtdly = flagSet('', { VT0, VT1 });

/** strace: term_cflags. */
export const term_cflags = flagSet('', { CSTOPB, CREAD, PARENB, PARODD, HUPCL, CLOCAL, CMSPAR, CRTSCTS });

/** strace: term_cflags_csize. */
export const term_cflags_csize = flagSet('CS?', { CS5, CS6, CS7, CS8 });

/** strace: term_lflags. */
export const term_lflags = flagSet('', {
  ISIG,
  ICANON,
  XCASE,
  ECHO,
  ECHOE,
  ECHOK,
  ECHONL,
  NOFLSH,
  IEXTEN,
  ECHOCTL,
  ECHOPRT,
  ECHOKE,
  FLUSHO,
  PENDIN,
  TOSTOP,
  EXTPROC,
});

/** strace: term_line_discs. */
export const term_line_discs = flagSet('N_???', {
  N_TTY,
  N_SLIP,
  N_MOUSE,
  N_PPP,
  N_STRIP,
  N_AX25,
  N_X25,
  N_6PACK,
  N_MASC,
  N_R3964,
  N_PROFIBUS_FDL,
  N_IRDA,
  N_SMSBLOCK,
  N_HDLC,
  N_SYNC_PPP,
  N_HCI,
  N_GIGASET_M101,
  N_SLCAN,
  N_PPS,
  N_V253,
  N_CAIF,
  N_GSM0710,
  N_TI_WL,
  N_TRACESINK,
  N_TRACEROUTER,
  N_NCI,
  N_SPEAKUP,
  N_NULL,
});

/** strace: termios_cc. */
export const termios_cc = flagSet('', {
  VINTR,
  VQUIT,
  VERASE,
  VKILL,
  VEOL2,
  VSWTC,
  VSTART,
  VSTOP,
  VSUSP,
  VREPRINT,
  VDISCARD,
  VWERASE,
  VLNEXT,
  VMIN,
  VTIME,
  VEOF,
  VEOL,
});

/** strace: baud_options. */
export const baud_options = flagSet('B???', {
  B0,
  B50,
  B75,
  B110,
  B134,
  B150,
  B200,
  B300,
  B600,
  B1200,
  B1800,
  B2400,
  B4800,
  B9600,
  B19200,
  B38400,
  B57600,
  B115200,
  B230400,
  B460800,
  B500000,
  B576000,
  B921600,
  B1000000,
  B1152000,
  B1500000,
  B2000000,
  B2500000,
  B3000000,
  B3500000,
  B4000000,
  EXTA,
  EXTB,
  BOTHER,
});

/** strace: tcflsh_options. */
export const tcflsh_options = flagSet('TC???', { TCIFLUSH, TCOFLUSH, TCIOFLUSH });

/** strace: tcxonc_options. */
export const tcxonc_options = flagSet('TC???', { TCOOFF, TCOON, TCIOFF, TCION });

/** strace: modem_flags. */
export const modem_flags = flagSet('TIOCM_???', {
  TIOCM_LE,
  TIOCM_DTR,
  TIOCM_RTS,
  TIOCM_ST,
  TIOCM_SR,
  TIOCM_CTS,
  TIOCM_CAR,
  TIOCM_RNG,
  TIOCM_DSR,
  TIOCM_OUT1,
  TIOCM_OUT2,
  TIOCM_LOOP,
});
