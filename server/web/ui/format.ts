// Times and numbers in words, in the local zone and the language on show.

import { currentLang, t } from './i18n';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${currentLang()}.${name}`;
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(currentLang() === 'zh' ? 'zh-CN' : 'en-GB', options);
    formats.set(key, made);
  }
  return made;
}

/** ms since 1970 of a time as it stands in a field; null where there is none. */
export function timeOf(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) ? null : ms;
}

export function clockText(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The local day, "2026-01-31". */
export function dayOf(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function two(n: number): string {
  return String(n).padStart(2, '0');
}

export function dayText(ms: number, now: number): string {
  const days = Math.round((startOfDay(ms) - startOfDay(now)) / 86_400_000);
  if (days === 0) return t('day.today');
  if (days === 1) return t('day.tomorrow');
  if (days === -1) return t('day.yesterday');
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return sameYear
    ? format('day', { month: 'short', day: 'numeric', weekday: 'short' }).format(ms)
    : format('date', { year: 'numeric', month: 'short', day: 'numeric' }).format(ms);
}

/** "08:31" today, "昨天 08:31" otherwise. */
export function momentText(ms: number, now: number): string {
  const time = clockText(ms);
  if (dayOf(ms) === dayOf(now)) return time;
  // Inside of a sentence.
  const near = Math.abs(startOfDay(ms) - startOfDay(now)) < 2 * 86_400_000;
  const day = dayText(ms, now);
  return `${near ? day.toLocaleLowerCase() : day} ${time}`;
}

export function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** Minutes as hours of service with at most one decimal: 90 → "1.5". */
export function hoursText(minutes: number): string {
  return String(Math.round(minutes / 6) / 10);
}

/** A span for people: "35 分钟", "2 小时". */
export function spanText(ms: number): string {
  const minutes = Math.max(1, Math.round(Math.abs(ms) / 60_000));
  if (minutes < 90) return t('span.minutes', { n: minutes });
  const hours = Math.round(minutes / 60);
  return hours < 48 ? t('span.hours', { n: hours }) : t('span.days', { n: Math.round(hours / 24) });
}

/** A time for a field: local time with its offset, to the second. */
export function fieldTime(ms: number): string {
  const date = new Date(ms);
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const ahead = Math.abs(offset);
  return `${dayOf(ms)}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}` +
    `${sign}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
}

export function sizeText(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.max(1, Math.round(bytes / 1000))} KB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1_000_000).toFixed(1)} MB` : `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}
