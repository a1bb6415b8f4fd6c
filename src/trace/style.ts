/**
 * How calls are printed: what strace's -s, -v, -x, -y and -X choose.
 *
 * Every printer asks the style of its call and nothing else, so that one text serves for reading (the default) and another, which
 * hides nothing, for recordings.
 */

/** How calls are printed: strace's -s, -v, -x/-xx, -y/-yy. */
export interface Style {
  /** Bytes of strings and elements of arrays shown (-s); Infinity: all of them. */
  readonly strings: number;
  /** -v: structs, environments, lists of directory entries whole. */
  readonly verbose: boolean;
  /** -x 'unprintable', -xx 'all' */
  readonly hex: 'no' | 'unprintable' | 'all';
  /** 0; 1: -y (path of each descriptor in <>); 2: -yy (sockets, devices, pidfds, signalfds too) */
  readonly descriptors: 0 | 1 | 2;
  /** Long buffers that are no text as base64, `b64"AAEC"`: for our own recordings, where an escape a byte costs too much. */
  readonly base64?: boolean;
}

/** Named constants as names, as numbers, or as numbers with their names in a comment (-X). */
export type Constants = 'abbrev' | 'raw' | 'verbose';

/** A style with what only the strace command offers. */
export interface StraceStyle extends Style {
  readonly constants?: Constants;
  /** -e verbose=!SET: pointers to structs stay addresses. */
  readonly addresses?: boolean;
  /** -e raw=SET: every argument in hexadecimal. */
  readonly raw?: boolean;
}

export const DEFAULT_STYLE: Style = { strings: 32, verbose: false, hex: 'no', descriptors: 0 };
/** Loses nothing: what recordings are written in. */
export const FULL_STYLE: Style = { strings: Infinity, verbose: true, hex: 'no', descriptors: 0 };
/** The same for files that no person reads first. */
export const RECORD_STYLE: Style = { ...FULL_STYLE, base64: true };
