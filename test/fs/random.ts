/** One step of a 32-bit generator (xorshift with an odd start): the same numbers on every machine. */
export function fill(state: number): number {
  let x = (state * 2654435761 + 0x9e3779b9) >>> 0 || 1;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x >>> 0;
}
