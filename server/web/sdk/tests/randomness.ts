// Chance that can be had again: a test that fails says with which seed.

import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';

export interface Randomness {
  below(n: number): number;
  chance(p: number): boolean;
  of<T>(choices: readonly T[]): T;
}

/** The seed of the environment variable, or a new one. */
export function randomFrom(t: TestContext, variable: string): Randomness {
  const seed = Number(process.env[variable] ?? randomInt(2 ** 31));
  t.diagnostic(`${variable}=${seed}`);
  // mulberry32
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (n) => Math.floor(next() * n),
    chance: (p) => next() < p,
    of: (choices) => choices[Math.floor(next() * choices.length)]!,
  };
}
