// The clocks that an op carries (docs/merge-rules.md, "Correcting the clock"). Of ops with one boot id the server
// believes the monotonic clock alone, so an id must never span a time that this clock did not count.

import type { Clock } from './types';

// A wall clock that has run ahead of the other by more than this since it was last looked at: the machine slept
// (monotonic clocks of many browsers stand still then), or somebody set it. From then on it is another boot.
const STANDSTILL_MS = 250;

/** `mono` counts ms and never goes back while the program runs; `newBoot` makes an id that nobody else has. */
export function steadyClock(wall: () => number, mono: () => number, newBoot: () => string): () => Clock {
  let boot = newBoot();
  let ahead = wall() - mono();
  return () => {
    const now = { wall: Math.floor(wall()), mono: Math.floor(mono()) };
    const nowAhead = now.wall - now.mono;
    if (nowAhead - ahead > STANDSTILL_MS) boot = newBoot();
    ahead = nowAhead;
    return { ...now, boot };
  };
}
