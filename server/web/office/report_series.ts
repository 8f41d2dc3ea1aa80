// From a report's rows to what a chart draws: along a time where the rows have one, else the largest first.

import { cellText, isTime, nameColumn, timesOf, type ReportColumn, type ReportReply } from './reports';

export interface Series {
  name: string;
  values: number[];
}

export interface Picture {
  /** Along time, or ranked by size. */
  kind: 'time' | 'ranked';
  categories: string[];
  series: Series[];
  measure: ReportColumn;
  /** How many of the ranked are too small to be drawn: one bar of them all would dwarf the rest. */
  others: number;
}

export interface Words {
  none: string;
  others: (n: number) => string;
}

export const MOST_RANKED = 15;
export const MOST_SERIES = 7;

/** Sums of the rows by one or two names. */
type Sums = Map<string, Map<string, number>>;

function sumsOf({ rows }: ReportReply, across: (row: ReportReply['rows'][number]) => string, along: (row: ReportReply['rows'][number]) => string, measure: number): Sums {
  const sums: Sums = new Map();
  for (const row of rows) {
    const split = sums.get(along(row)) ?? new Map<string, number>();
    sums.set(along(row), split);
    split.set(across(row), (split.get(across(row)) ?? 0) + Number(row[measure] ?? 0));
  }
  return sums;
}

function totalsOf(sums: Iterable<Map<string, number>>): [string, number][] {
  const totals = new Map<string, number>();
  for (const split of sums) for (const [name, n] of split) totals.set(name, (totals.get(name) ?? 0) + n);
  return [...totals].sort((a, b) => b[1] - a[1]);
}

const sum = (split: Map<string, number> | undefined): number => [...(split?.values() ?? [])].reduce((a, b) => a + b, 0);

/** Different people of two days are not the people of both: what does not add up to its total is not added. */
function addsUp({ rows, totals, count }: ReportReply, measure: number): boolean {
  const total = totals?.[measure];
  if (typeof total !== 'number' || rows.length < count) return true;
  return rows.reduce((all, row) => all + Number(row[measure] ?? 0), 0) === total;
}

/** `null`: rows of one record each, or sums that would say something wrong. */
export function pictureOf(reply: ReportReply, measureName: string, words: Words): Picture | null {
  const { columns, by, rows } = reply;
  const at = columns.findIndex(({ name }) => name === measureName);
  const measure = columns[at];
  const dimensions = by.map((name) => columns.find((column) => column.name === name)).filter((column) => column !== undefined);
  if (measure === undefined || dimensions.length === 0 || rows.length === 0) return null;
  const time = dimensions.find(isTime);
  const names = dimensions.filter((column) => !isTime(column));
  const along = time ?? names[0];
  const across = time === undefined ? names[1] : names[0];
  if (along === undefined) return null;
  const adds = addsUp(reply, at);
  const drawn = across === undefined ? 1 : 2;
  if (!adds && dimensions.length > drawn) return null;
  const nameOf = (dimension: ReportColumn) => {
    const place = nameColumn(columns, by, dimension.name);
    const id = columns.indexOf(dimension);
    return (row: (typeof rows)[number]) => cellText(row[place] ?? row[id], columns[place] ?? dimension) || words.none;
  };
  const ownName = columns.indexOf(along);
  const alongOf = time === undefined ? nameOf(along) : (row: (typeof rows)[number]) => String(row[ownName] ?? words.none);
  const acrossOf = across === undefined ? () => '' : nameOf(across);
  const sums = sumsOf(reply, acrossOf, alongOf, at);
  const { categories, others } = time === undefined ? ranked(sums) : { categories: timesOf(time.type, reply), others: 0 };
  const series = across === undefined
    ? [{ name: '', values: categories.map((name) => sum(sums.get(name))) }]
    : stacked(sums, categories, words, adds);
  const texts = time === undefined ? categories : categories.map((text) => cellText(time.type === 'hour' ? Number(text) : text, time));
  return { kind: time === undefined ? 'ranked' : 'time', categories: texts, series, measure, others };
}

function ranked(sums: Sums): { categories: string[]; others: number } {
  const order = [...sums].map(([name, split]) => [name, sum(split)] as const).sort((a, b) => b[1] - a[1]).map(([name]) => name);
  // One more is drawn rather than "others (1)".
  const most = order.length <= MOST_RANKED + 1 ? order.length : MOST_RANKED;
  return { categories: order.slice(0, most), others: order.length - most };
}

function stacked(sums: Sums, categories: readonly string[], words: Words, adds: boolean): Series[] {
  const order = totalsOf(sums.values()).map(([name]) => name);
  const most = order.length <= MOST_SERIES + 1 ? order.length : MOST_SERIES;
  const own = order.slice(0, most);
  const series = own.map((name) => ({ name, values: categories.map((category) => sums.get(category)?.get(name) ?? 0) }));
  if (most === order.length || !adds) return series;
  const rest = categories.map((category) => sum(sums.get(category)) - own.reduce((all, name) => all + (sums.get(category)?.get(name) ?? 0), 0));
  return [...series, { name: words.others(order.length - most), values: rest }];
}
