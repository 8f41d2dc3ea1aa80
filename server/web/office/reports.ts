// Reports: what the server answers, the periods that are asked for, and what stands in a cell. Days are the
// city's days as text; nothing here knows of the page.

import { COLLECTIONS } from '../sdk/collections';
import type { CollectionInfo } from '../sdk/schema';
import { timeOf, two } from '../ui/format';
import { titled, type Title } from '../ui/i18n';
import { hasSentence, t } from './words';
import { cityMoment, cityTime } from './zone';

export type CellType = 'text' | 'enum' | 'date' | 'month' | 'hour' | 'time' | 'integer' | 'minutes' | 'points';
export type Cell = string | number | boolean | null;

export interface ReportColumn {
  name: string;
  title: Title;
  type: CellType;
}

export interface ReportInfo {
  report: string;
  title: Title;
  about: Title;
  dimensions: ReportColumn[];
  measures: ReportColumn[];
  /** The dimensions of a row, when nothing else is asked for. */
  by: string[];
  filters: string[];
  /** One row a record, in place of groups. */
  detail: boolean;
}

export interface ReportReply {
  report: string;
  title: Title;
  from: string;
  to: string;
  by: string[];
  zone: string;
  columns: ReportColumn[];
  rows: Cell[][];
  totals: Cell[] | null;
  count: number;
  seq: number;
  time: number;
  next?: string;
}

const MEASURES: readonly CellType[] = ['integer', 'minutes', 'points'];
const TIMES: readonly CellType[] = ['date', 'month', 'hour'];

export function isMeasure({ type }: ReportColumn): boolean {
  return MEASURES.includes(type);
}

export function isTime({ type }: ReportColumn): boolean {
  return TIMES.includes(type);
}

/** What people choose by: a district, though the column holds its code and the name stands beside it. */
export function dimensionTitle({ name, title }: ReportColumn): string {
  const key = `dimension.${name}`;
  return hasSentence(key) ? t(key) : titled(title);
}

/** What can be filtered by; times are the period's affair. */
export function filtersOf({ filters, dimensions }: ReportInfo): string[] {
  const times = new Set(dimensions.filter(isTime).map(({ name }) => name));
  return filters.filter((name) => name !== 'from' && name !== 'to' && !times.has(name));
}

// --- cells -----------------------------------------------------------------------------------------------

/** Minutes as hours, as they are handed in: 95 → "1.58". */
export function hoursOf(minutes: number): string {
  return (minutes / 60).toFixed(2);
}

/** A number in groups of three; the grouping is the same in both languages. */
function grouped(text: string): string {
  const [whole = '', part] = text.split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return part === undefined ? groups : `${groups}.${part}`;
}

export function numberText(value: number, type: CellType): string {
  return grouped(type === 'minutes' ? hoursOf(value) : String(value));
}

/** What a cell shows, times in `zone`; nothing for a value that is missing. */
export function cellText(value: Cell | undefined, column: ReportColumn, zone = 'Asia/Shanghai'): string {
  if (value === null || value === undefined || value === '') return '';
  if (isMeasure(column) && typeof value === 'number') return numberText(value, column.type);
  if (column.type === 'hour') return `${two(Number(value))}:00`;
  if (column.type === 'time') {
    const ms = timeOf(value);
    return ms === null ? String(value) : cityMoment(ms, zone);
  }
  if (column.type === 'enum') return choiceTitle(column.name, String(value));
  return String(value);
}

/** The titles of the values that a dimension can have, where a schema lists them. */
const LISTED: Readonly<Record<string, readonly [coll: string, field: string]>> = {
  visitor: ['visit', 'visitor'],
  service: ['visit', 'services'],
  kind: ['station', 'kind'],
  category: ['event', 'category'],
};
const infos: Readonly<Record<string, CollectionInfo>> = COLLECTIONS;

export function choicesOf(dimension: string): readonly (readonly [string, string])[] {
  const [coll, field] = LISTED[dimension] ?? [];
  const choices = coll === undefined || field === undefined ? undefined : infos[coll]?.fields[field]?.enum;
  return Object.entries(choices ?? {}).map(([value, title]) => [value, titled(title as Title)] as const);
}

function choiceTitle(dimension: string, value: string): string {
  return choicesOf(dimension).find(([choice]) => choice === value)?.[1] ?? value;
}

/** The column that names what `dimension` stands for: a station's name beside its id. */
export function nameColumn(columns: readonly ReportColumn[], by: readonly string[], dimension: string): number {
  const at = columns.findIndex(({ name }) => name === dimension);
  const beside = columns[at + 1];
  const names = beside !== undefined && beside.type === 'text' && !by.includes(beside.name) && beside.name.startsWith(`${dimension}_`);
  return names ? at + 1 : at;
}

// --- periods ---------------------------------------------------------------------------------------------

export const PRESETS = ['today', 'week', 'month', 'last_month', 'year'] as const;
export type Preset = (typeof PRESETS)[number];

export interface Period {
  from: string;
  to: string;
}

/** The days of a preset, both included, as seen from the day of `now` in `zone`. Weeks begin on Monday. */
export function periodOf(preset: Preset, now: number, zone: string): Period {
  const [year = 0, month = 0, day = 0] = cityTime(now, zone).day.split('-').map(Number);
  const date = (inMonth: number, onDay: number) => new Date(Date.UTC(year, inMonth - 1, onDay));
  const days = (from: Date, to: Date) => ({ from: from.toISOString().slice(0, 10), to: to.toISOString().slice(0, 10) });
  switch (preset) {
    case 'today': return days(date(month, day), date(month, day));
    case 'week': {
      const monday = day - ((date(month, day).getUTCDay() + 6) % 7);
      return days(date(month, monday), date(month, monday + 6));
    }
    case 'month': return days(date(month, 1), date(month + 1, 0));
    case 'last_month': return days(date(month - 1, 1), date(month, 0));
    case 'year': return days(date(1, 1), date(12, 31));
  }
}

export function presetOf({ from, to }: Period, now: number, zone: string): Preset | null {
  return PRESETS.find((preset) => {
    const days = periodOf(preset, now, zone);
    return days.from === from && days.to === to;
  }) ?? null;
}

/** All days, months or hours of a period, so that a time without a row is a gap that is seen. */
export function timesOf(type: CellType, { from, to }: Period): string[] {
  if (type === 'hour') return Array.from({ length: 24 }, (_, hour) => String(hour));
  const found: string[] = [];
  const length = type === 'month' ? 7 : 10;
  const end = to.slice(0, length);
  for (const at = new Date(`${from}T12:00:00Z`); found.length < 1000; at.setUTCDate(at.getUTCDate() + 1)) {
    const text = at.toISOString().slice(0, length);
    if (text > end) break;
    if (found.at(-1) !== text) found.push(text);
  }
  return found;
}
