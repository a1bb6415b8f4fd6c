/** Repeatable random numbers (mulberry32) for tests that run far more cases than fast-check would. */
export interface Generator {
  /** Integer in [0, limit). */
  below: (limit: number) => number;
  pick: <T>(list: readonly T[]) => T;
}

export function generator(seed: number): Generator {
  let state = seed;
  function below(limit: number): number {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
  return { below, pick: (list) => list[below(list.length)] };
}
