// What time it is. Where the phone's clock is known to be wrong by more than the server lets pass
// (docs/merge-rules.md), times that go into records are corrected by what the server last told.

import { useEffect, useState } from 'preact/hooks';
import { device } from './device';

const MINUTE = 60_000;
/** A clock that is off by less is called right. */
export const CLOCK_LIMIT_MS = 2 * MINUTE;

export function clockOff(): number {
  const skew = device().status().skew ?? 0;
  return Math.abs(skew) > CLOCK_LIMIT_MS ? skew : 0;
}

export function now(): number {
  return Date.now() + clockOff();
}

/** The time, drawn anew with each minute and whenever the page is looked at again. */
export function useNow(): number {
  const [time, setTime] = useState(now);
  useEffect(() => {
    const tick = () => setTime(now());
    const timer = setInterval(tick, MINUTE);
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, []);
  return time;
}
