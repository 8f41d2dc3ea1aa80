// Days and clocks of the city, in the zone that the server counts in, whatever the zone of the screen. That
// zone is a name, or an offset such as "+08:00", which older browsers do not take as one.

import { two } from '../ui/format';

export interface CityTime {
  day: string;
  hour: number;
  minute: number;
  second: number;
}

const OFFSET = /^([+-])(\d\d):(\d\d)$/;
const formats = new Map<string, Intl.DateTimeFormat>();

/** A zone that every browser knows, and the ms to be added for it. */
export function knownZone(zone: string): { timeZone: string; shift: number } {
  const [, sign, hours, minutes] = OFFSET.exec(zone) ?? [];
  if (sign === undefined) return { timeZone: zone, shift: 0 };
  return { timeZone: 'UTC', shift: (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000 };
}

export function cityTime(ms: number, zone = cityZone()): CityTime {
  const { timeZone, shift } = knownZone(zone);
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    });
    formats.set(timeZone, format);
  }
  const parts: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(ms + shift)) parts[type] = value;
  return { day: `${parts.year?.padStart(4, '0')}-${parts.month}-${parts.day}`, hour: Number(parts.hour), minute: Number(parts.minute), second: Number(parts.second) };
}

let told = '';

/** The session names the city's zone, and so does each answer that counts days. */
export function tellZone(zone: string): void {
  told = zone;
}

/** The city's zone; that of this browser until the server has told it. */
export function cityZone(): string {
  return told === '' ? Intl.DateTimeFormat().resolvedOptions().timeZone : told;
}

/** "2026-01-31". */
export function cityDay(ms: number): string {
  return cityTime(ms).day;
}

/** "08:30", or "08:30:05". */
export function cityClock(ms: number, zone = cityZone(), seconds = false): string {
  const { hour, minute, second } = cityTime(ms, zone);
  return `${two(hour)}:${two(minute)}${seconds ? `:${two(second)}` : ''}`;
}

/** "2026-01-31 08:30:05". */
export function cityMoment(ms: number, zone = cityZone()): string {
  return `${cityTime(ms, zone).day} ${cityClock(ms, zone, true)}`;
}

/** By how much the city's clocks are ahead of UTC, ms. */
export function cityOffset(ms: number): number {
  const { day } = cityTime(ms);
  return Date.parse(`${day}T${cityClock(ms, cityZone(), true)}Z`) - Math.floor(ms / 1000) * 1000;
}

/** The instant at which the city's clocks show "2026-01-31T08:30" or "…:05"; NaN for what is no time. */
export function cityInstant(local: string): number {
  const shown = Date.parse(`${local}Z`);
  if (Number.isNaN(shown)) return shown;
  // Near a change of the clocks the first offset is that of the other side.
  return shown - cityOffset(shown - cityOffset(shown));
}
