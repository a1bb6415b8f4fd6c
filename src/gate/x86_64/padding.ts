/**
 * Padding between pieces of x86-64 code: bytes behind a ret or jmp that are never executed and so may be overwritten. Only
 * what assemblers and compilers emit counts: the nop forms of gas and LLVM (90, and 0F 1F /0 with zero displacement, behind
 * any number of 66 and at most one 2E), int3, and zeros up to the end of the page (the tail of a section).
 *
 * Strict on purpose: a run counts only if it goes on, whole, up to the next 16-byte boundary, or 8-byte boundary (GCC aligns a
 * label to 16 if that takes no more than 10 bytes, else to 8), and never beyond it. A hand-aligned label, a function that starts
 * with nops or data between functions is then not taken for padding.
 */
const ALIGNMENTS = [16, 8];

/**
 * Length of the padding at `at`, 0 if there is none. `hi` is the end of the page; `code[0]` must lie at a multiple of 16.
 */
export function paddingLength(code: Uint8Array, at: number, hi: number): number {
  for (const alignment of ALIGNMENTS) {
    const end = Math.ceil(at / alignment) * alignment;
    if (end <= hi && isPadding(code, at, end, hi)) return end - at;
  }
  return 0;
}

/** Length of the one nop at `at` that reaches up to an aligned address, 0 if there is none. */
export function nopBeforeLabel(code: Uint8Array, at: number, hi: number): number {
  const length = nopLength(code, at);
  const end = at + length;
  return end <= hi && ALIGNMENTS.some((alignment) => end % alignment === 0) ? length : 0;
}

/** Whether [at, end) is padding. */
function isPadding(code: Uint8Array, at: number, end: number, hi: number): boolean {
  if (code[at] === 0) {
    for (let i = at; i < hi; i++) if (code[i] !== 0) return false;
    return true;
  }
  let pos = at;
  while (pos < end) {
    const length = code[pos] === 0xcc ? 1 : nopLength(code, pos);
    if (length === 0) return false;
    pos += length;
  }
  return pos === end;
}

/** Length of the nop instruction at `at` as assemblers emit it for padding, 0 if it is none. */
function nopLength(code: Uint8Array, at: number): number {
  let pos = at;
  while (code[pos] === 0x66) pos++;
  if (code[pos] === 0x90) return pos + 1 - at;
  if (code[pos] === 0x2e) pos++;
  if (code[pos] !== 0x0f || code[pos + 1] !== 0x1f) return 0;
  const modrm = code[pos + 2];
  if (modrm !== 0x00 && modrm !== 0x40 && modrm !== 0x44 && modrm !== 0x80 && modrm !== 0x84) return 0;
  const zeros = (modrm & 7) / 4 + (modrm >> 6 === 2 ? 4 : modrm >> 6); // SIB, displacement
  pos += 3;
  for (let i = 0; i < zeros; i++) if (code[pos + i] !== 0) return 0;
  return pos + zeros - at;
}
