/** Terminals: the kernel's termios (19 control characters, no speeds), termios2, window size, console structs. */
import { struct } from '../layout.js';

export const TERMIOS = struct('termios', {
  c_iflag: 'u32',
  c_oflag: 'u32',
  c_cflag: 'u32',
  c_lflag: 'u32',
  c_line: 'u8',
  c_cc: ['u8', 19],
});
export const TERMIOS2 = struct('termios2', {
  c_iflag: 'u32',
  c_oflag: 'u32',
  c_cflag: 'u32',
  c_lflag: 'u32',
  c_line: 'u8',
  c_cc: ['u8', 19],
  c_ispeed: 'u32',
  c_ospeed: 'u32',
});
export const TERMIO = struct('termio', {
  c_iflag: 'u16',
  c_oflag: 'u16',
  c_cflag: 'u16',
  c_lflag: 'u16',
  c_line: 'u8',
  c_cc: ['u8', 8],
});
export const WINSIZE = struct('winsize', { ws_row: 'u16', ws_col: 'u16', ws_xpixel: 'u16', ws_ypixel: 'u16' });
export const VT_STAT = struct('vt_stat', { v_active: 'u16', v_signal: 'u16', v_state: 'u16' });
export const VT_MODE = struct('vt_mode', { mode: 'i8', waitv: 'i8', relsig: 'i16', acqsig: 'i16', frsig: 'i16' });
