// Times as people say them, with the whole truth behind: relative on show, absolute with its zone on hover
// and for those who hear the page.

import { useEffect, useState } from 'preact/hooks';
import { spanText } from '../../ui/format';
import { t } from '../words';
import { cityClock, cityDay, cityMoment, cityZone } from '../zone';

const MINUTE = 60_000;
const DAY = 86_400_000;

/** The time, drawn anew with each minute. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE / 2);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** "2026-01-31 08:30:05" in the city. */
export function absoluteText(ms: number): string {
  return cityMoment(ms);
}

export function relativeText(ms: number, now: number): string {
  const ago = now - ms;
  if (Math.abs(ago) < MINUTE) return t('time.now');
  return ago > 0 ? t('time.ago', { span: spanText(ago) }) : t('time.in', { span: spanText(ago) });
}

/** Relative up to a week, then the day. `exact`: always day and clock. Nothing for 0 and null. */
export function When({ ms, exact = false }: { ms: number | null | undefined; exact?: boolean }) {
  const now = useNow();
  if (ms === null || ms === undefined || ms === 0) return <span class="quiet">{t('time.never')}</span>;
  const shown = exact ? `${cityDay(ms)} ${cityClock(ms)}` : Math.abs(now - ms) < 7 * DAY ? relativeText(ms, now) : cityDay(ms);
  return <time dateTime={new Date(ms).toISOString()} title={`${absoluteText(ms)} ${cityZone()}`} class="num">{shown}</time>;
}
