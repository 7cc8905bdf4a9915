/** Small seeded randomness: a failing case is found again by its seed. */
export interface Random {
  /** 0 … limit - 1. */
  below(limit: number): number;
  chance(one: number, of: number): boolean;
  of<T>(things: readonly T[]): T | undefined;
}

export function seeded(seed: number): Random {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  const next = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return { below, chance: (one, of) => below(of) < one, of: (things) => things[below(things.length)] };
}
