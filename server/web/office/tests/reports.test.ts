// Periods, cells, and what a chart draws of a report's rows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pictureOf, MOST_RANKED, MOST_SERIES } from '../report_series';
import { cellText, nameColumn, periodOf, presetOf, timesOf, type Cell, type CellType, type ReportColumn, type ReportReply } from '../reports';

const WORDS = { none: '?', others: (n: number) => `+${n}` };

function column(name: string, type: CellType): ReportColumn {
  return { name, title: { zh: name, en: name }, type };
}

function reply(by: string[], columns: ReportColumn[], rows: Cell[][], more: Partial<ReportReply> = {}): ReportReply {
  return { report: 'r', title: { zh: '', en: '' }, from: '2026-03-01', to: '2026-03-03', by, zone: 'Asia/Shanghai', columns, rows, totals: null, count: rows.length, seq: 1, time: 0, ...more };
}

const ZONE = 'Asia/Shanghai';
const VISITS = column('visits', 'integer');

test('a week begins on Monday and a month ends on its last day', () => {
  const sunday = Date.parse('2026-03-01T12:00:00+08:00');
  assert.deepEqual(periodOf('week', sunday, ZONE), { from: '2026-02-23', to: '2026-03-01' });
  assert.deepEqual(periodOf('month', sunday, ZONE), { from: '2026-03-01', to: '2026-03-31' });
  assert.deepEqual(periodOf('last_month', sunday, ZONE), { from: '2026-02-01', to: '2026-02-28' });
  assert.deepEqual(periodOf('year', sunday, ZONE), { from: '2026-01-01', to: '2026-12-31' });
});

test('a period that is a preset is known by its days, any other is none', () => {
  const now = Date.parse('2026-03-11T12:00:00+08:00');
  assert.equal(presetOf(periodOf('last_month', now, ZONE), now, ZONE), 'last_month');
  assert.equal(presetOf({ from: '2026-03-02', to: '2026-03-11' }, now, ZONE), null);
});

test('a preset begins with the day of the city, whatever day it is at the screen', () => {
  const midnight = Date.parse('2026-03-01T00:00:00+08:00');
  for (const zone of ['Asia/Shanghai', '+08:00']) {
    assert.deepEqual(periodOf('today', midnight, zone), { from: '2026-03-01', to: '2026-03-01' });
    assert.deepEqual(periodOf('month', midnight - 1, zone), { from: '2026-02-01', to: '2026-02-28' });
  }
  assert.equal(periodOf('today', midnight, 'America/New_York').from, '2026-02-28');
});

test('January looks back into the year before', () => {
  assert.deepEqual(periodOf('last_month', Date.parse('2026-01-15T12:00:00+08:00'), ZONE), { from: '2025-12-01', to: '2025-12-31' });
});

test('minutes are shown as hours with two decimals, and numbers in groups of three', () => {
  assert.equal(cellText(95, column('minutes', 'minutes')), '1.58');
  assert.equal(cellText(6_000_000, column('minutes', 'minutes')), '100,000.00');
  assert.equal(cellText(1_234_567, VISITS), '1,234,567');
  assert.equal(cellText(-1_234, VISITS), '-1,234');
  assert.equal(cellText(0, VISITS), '0');
  assert.equal(cellText(null, VISITS), '');
  assert.equal(cellText(7, column('hour', 'hour')), '07:00');
});

test('a time is shown in the zone that is counted in, whatever offset its device wrote', () => {
  assert.equal(cellText('2026-03-01T00:30:00Z', column('signed_in', 'time'), 'Asia/Shanghai'), '2026-03-01 08:30:00');
});

test('a name beside an id is known by its column', () => {
  const columns = [column('station', 'text'), column('station_name', 'text'), column('team', 'text'), VISITS];
  assert.equal(nameColumn(columns, ['station', 'team'], 'station'), 1);
  assert.equal(nameColumn(columns, ['station', 'team'], 'team'), 2);
});

test('all days of a period are drawn, those without a row as nought', () => {
  const picture = pictureOf(reply(['day'], [column('day', 'date'), VISITS], [['2026-03-01', 4], ['2026-03-03', 2]]), 'visits', WORDS);
  assert.deepEqual(picture?.categories, ['2026-03-01', '2026-03-02', '2026-03-03']);
  assert.deepEqual(picture?.series, [{ name: '', values: [4, 0, 2] }]);
});

test('months cross the year', () => {
  assert.deepEqual(timesOf('month', { from: '2025-11-30', to: '2026-02-01' }), ['2025-11', '2025-12', '2026-01', '2026-02']);
});

test('hours are drawn by the clock, whatever form their cells have', () => {
  const picture = pictureOf(reply(['hour'], [column('hour', 'hour'), VISITS], [[8, 4], ['13', 5]]), 'visits', WORDS);
  assert.equal(picture?.series[0]?.values[8], 4);
  assert.equal(picture?.categories[8], '08:00');
});

test('names are ranked by size; the small ones are counted, not drawn', () => {
  const rows: Cell[][] = Array.from({ length: 40 }, (_, i) => [`s${i}`, i]);
  const picture = pictureOf(reply(['station'], [column('station', 'text'), VISITS], rows), 'visits', WORDS);
  assert.equal(picture?.categories[0], 's39');
  assert.equal(picture?.categories.length, MOST_RANKED);
  assert.equal(picture?.others, 40 - MOST_RANKED);
});

test('a second dimension is stacked, the small ones as one', () => {
  const rows: Cell[][] = Array.from({ length: 12 }, (_, i) => ['2026-03-01', `kind${i}`, 100 - i]);
  const picture = pictureOf(reply(['day', 'visitor'], [column('day', 'date'), column('visitor', 'text'), VISITS], rows), 'visits', WORDS);
  assert.equal(picture?.series.length, MOST_SERIES + 1);
  assert.equal(picture?.series[0]?.name, 'kind0');
  assert.equal(picture?.series.at(-1)?.name, '+5');
  const all = picture?.series.reduce((sum, { values }) => sum + (values[0] ?? 0), 0);
  assert.equal(all, rows.reduce((sum, row) => sum + Number(row[2]), 0));
});

test('different people of several rows are not added up into a bar', () => {
  const columns = [column('day', 'date'), column('team', 'text'), column('event', 'text'), column('people', 'integer')];
  const rows: Cell[][] = [['2026-03-01', 'a', 'x', 5], ['2026-03-01', 'a', 'y', 5]];
  assert.equal(pictureOf(reply(['day', 'team', 'event'], columns, rows, { totals: [null, null, null, 6] }), 'people', WORDS), null);
  assert.notEqual(pictureOf(reply(['day', 'team', 'event'], columns, rows, { totals: [null, null, null, 10] }), 'people', WORDS), null);
});

test('a value that is missing has a name too', () => {
  const picture = pictureOf(reply(['team'], [column('team', 'text'), VISITS], [[null, 3]]), 'visits', WORDS);
  assert.deepEqual(picture?.categories, ['?']);
});
