/**
 * Character classes as the kernel's lib/ctype.c has them: ISO 8859-1, not ASCII and not the locale's. The line
 * discipline's case mapping (IUCLC, OLCUC), word erase and ^X echo use exactly these.
 */
export function isCntrl(c: number): boolean {
  return c < 32 || c === 127;
}

function isUpper(c: number): boolean {
  return (c >= 65 && c <= 90) || (c >= 192 && c <= 222 && c !== 215);
}

function isLower(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 223 && c !== 247);
}

export function isAlnum(c: number): boolean {
  return (c >= 48 && c <= 57) || isUpper(c) || isLower(c);
}

export function toLower(c: number): number {
  return isUpper(c) ? c + 32 : c;
}

export function toUpper(c: number): number {
  return isLower(c) ? c - 32 : c;
}
