/**
 * `#!` lines (fs/binfmt_script.c). What counts is the first 256 bytes: an interpreter path that they cut off is refused, an
 * argument that they cut off is passed cut. Everything behind the path is one argument, trailing blanks trimmed.
 */
import { EACCES, ENOEXEC, errno } from '../abi/errno.js';

/** How much of a file is looked at (BINPRM_BUF_SIZE). */
export const SCRIPT_HEAD_BYTES = 256;
/** A chain may hold this many scripts; the next one is ELOOP. */
export const MAX_SCRIPT_DEPTH = 5;

export interface ScriptLine {
  interpreter: string;
  /** Null when there is none. */
  argument: string | null;
}

/**
 * Parses the head of a file: its first 256 bytes, or the `length` bytes it has. Null: not a script. Throws ENOEXEC for a `#!` line that
 * names no interpreter or is cut off, EACCES for an empty one.
 */
export function parseShebang(head: Uint8Array, length: number): ScriptLine | null {
  // Zero-padded, as the kernel's buffer is.
  const bytes = Buffer.from(head.subarray(0, Math.min(length, SCRIPT_HEAD_BYTES)));
  const text = bytes.toString('latin1').padEnd(SCRIPT_HEAD_BYTES, '\0');
  if (!text.startsWith('#!')) return null;
  const last = SCRIPT_HEAD_BYTES - 1;
  let end = text.indexOf('\n');
  // strnchr stops at a NUL.
  const nul = text.indexOf('\0');
  if (end < 0 || (nul >= 0 && nul < end)) {
    const first = nextNonBlank(text, 2, last);
    if (first < 0 || nextTerminator(text, first, last) < 0) throw errno(ENOEXEC);
    end = last;
  }
  while (isBlank(text[end - 1])) end--;
  const name = nextNonBlank(text, 2, end);
  if (name < 0 || name === end) throw errno(ENOEXEC);
  const separator = nextTerminator(text, name, end);
  let argument: string | null = null;
  if (separator >= 0 && separator < end && text[separator] !== '\0') {
    const start = nextNonBlank(text, separator, end);
    if (start >= 0 && start < end) argument = cString(text.slice(start, end));
  }
  const interpreter = cString(text.slice(name, separator >= 0 && separator < end ? separator : end));
  // An empty path is the working directory to open_exec.
  if (interpreter === '') throw errno(EACCES);
  return { interpreter, argument };
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t';
}
function nextNonBlank(text: string, from: number, last: number): number {
  for (let i = from; i <= last; i++) if (!isBlank(text[i])) return i;
  return -1;
}
function nextTerminator(text: string, from: number, last: number): number {
  for (let i = from; i <= last; i++) if (isBlank(text[i]) || text[i] === '\0') return i;
  return -1;
}
function cString(text: string): string {
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}
