// Reports at a desk: what is asked stands in the address, the page and both files say the same, and what
// cannot be counted is said with a way back.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { sheetsOf } from '../clients/sheets.mjs';
import { findings } from './barriers.mjs';
import { at, buildCity, EVENT, personId, STATION } from './city.mjs';
import { csvRows } from '../clients/csv_file.mjs';
import { DESK, firstAdministrator, goTo, NARROW, signedInDesk } from './office_desk.mjs';
import { browserFor } from './phone.mjs';
import { fileOf, tableOf } from './report_page.mjs';

const VISITORS = ['courier', 'delivery_rider', 'lorry_driver'];
const MINUTES = [95, 120, 61];

let server, browser, desk;
before(async () => {
  server = await startServer();
  await firstAdministrator(server);
  const office = await buildCity(server, { people: 6 });
  fill(office);
  await office.sync();
  browser = await browserFor();
  desk = await signedInDesk(browser, server, 'limei');
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

/** 130 visits, each at an hour of its own; three people with hours that have no end in decimals, a name that a sheet could run. */
function fill(office) {
  for (let i = 0; i < 130; ++i) {
    const set = { visitor: VISITORS[i % 3], at: at(-1 - (i % 10), 8 + (i % 13), i % 60) };
    office.edit(STATION.scope, 'visit', `visit-${i}`, { set, add: { services: ['water'] } });
  }
  for (const [i, minutes] of MINUTES.entries()) {
    const set = { event: EVENT.id, volunteer: personId(i), signed_in: at(0, 0, 5), signed_out: at(0, 1, 5), minutes, points: 10 * i };
    office.edit(EVENT.scope, 'attendance', `${EVENT.id}~${personId(i)}`, { set });
  }
  office.edit(EVENT.scope, 'volunteer', personId(0), { set: { name: '=1+1' } });
}

const period = () => `from=${at(-12, 0).slice(0, 10)}&to=${at(0, 0).slice(0, 10)}`;

/** A cell of the page as the number or text that it stands for. */
function plainCell(text) {
  if (text === '–') return '';
  const number = text.replaceAll(',', '');
  return /^-?\d+(\.\d+)?$/.test(number) ? Number(number) : text;
}

const TIMES = ['签到时间', '签退时间', '系统关闭时间'];

/** "2026-01-31 08:30:05" of a time as a field holds it. */
function momentOf(text) {
  const date = new Date(text);
  const two = (n) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

/** A cell of the CSV in the terms of the page: minutes as hours, times of the zone, text without its guard. */
function ofCsv(cell, title) {
  if (cell === '') return '';
  if (title === '服务时长（小时）') return Number(cell) / 60;
  return TIMES.includes(title) ? momentOf(cell) : cell.replace(/^'(?=[=+\-@\t\r])/, '');
}

/** A cell of the sheet, where days and times are numbers of days since 1899-12-30. */
function ofXlsx(cell, title) {
  if (typeof cell !== 'number' || (title !== '日期' && !TIMES.includes(title))) return cell;
  const text = new Date(Math.round((cell - 25_569) * 86_400) * 1000).toISOString();
  return title === '日期' ? text.slice(0, 10) : text.slice(0, 19).replace('T', ' ');
}

const sameNumber = (a, b) => Math.abs(Number(a) - Number(b)) < 0.005;

function sameCells(shown, read, where) {
  assert.equal(read.length, shown.length, `${where}: rows`);
  shown.forEach((row, i) => row.forEach((cell, k) => {
    const wanted = plainCell(cell);
    const got = read[i][k] ?? '';
    const same = typeof wanted === 'number' && got !== '' ? sameNumber(wanted, got) : String(got) === String(wanted);
    assert.ok(same, `${where}: row ${i}, column ${k}: the page shows ${cell}, the file has ${got}`);
  }));
}

describe('one report', () => {
  it('is reached from the list of reports, with a chart and its words', async () => {
    const { page, errors } = desk;
    await goTo(page, '#/reports');
    await page.getByRole('link', { name: '驿站到访' }).click();
    await page.getByRole('heading', { name: '驿站到访' }).waitFor();
    await page.locator('.chart canvas').waitFor();
    assert.match(await page.getByRole('img', { name: /驿站到访/ }).getAttribute('aria-label'), /最多 .+，最少 .+。/);
    assert.deepEqual(errors, []);
  });

  it('says the same on the page, in CSV and in XLSX', async () => {
    const { page } = desk;
    for (const address of [`visits?by=day,station&${period()}`, `hours?by=person,event&${period()}`, `attendance?${period()}`]) {
      await goTo(page, `#/reports/${address}`);
      const { head, rows } = await tableOf(page);
      const csv = await fileOf(page, server, 'CSV');
      assert.deepEqual([...csv.bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf], 'a byte-order mark');
      assert.match(csv.disposition, /^attachment;.*filename\*=UTF-8''%[0-9A-F]{2}/);
      const { rows: lines, last } = csvRows(csv.bytes.toString('utf8'));
      assert.equal(last, `# ${rows.length} rows`);
      sameCells(rows, lines.slice(1).map((line) => line.map((cell, k) => ofCsv(cell, head[k]))), `${address} CSV`);
      const [headings, ...cells] = Object.values(sheetsOf((await fileOf(page, server, 'XLSX')).bytes))[0].rows;
      const letters = Object.keys(headings);
      assert.deepEqual(letters.map((letter) => headings[letter].value), head, `${address} XLSX: headings`);
      sameCells(rows, cells.map((row) => letters.map((letter, k) => ofXlsx(row[letter]?.value ?? '', head[k]))), `${address} XLSX`);
    }
  });

  it('is downloaded by a key, and the page says what came and what went wrong', async () => {
    const { page, errors } = desk;
    await goTo(page, `#/reports/visits?by=station&${period()}`);
    await tableOf(page);
    const link = page.getByRole('link', { name: 'CSV', exact: true });
    const [file] = await Promise.all([page.waitForEvent('download'), link.press('Enter')]);
    assert.match(file.suggestedFilename(), /^驿站到访_.+\.csv$/);
    const whole = await readFile(await file.path());
    assert.deepEqual(whole, (await fileOf(page, server, 'CSV')).bytes);
    const state = page.locator('.download[role=status]');
    await state.getByText(/已下载完整：驿站到访_.+\.csv/).waitFor();

    for (const [status, code, words] of [[507, 'report.disk', '磁盘空间不足'], [413, 'report.too_large', '报表太大']]) {
      await page.route('**/v1/reports/visits.csv?*', (route) => route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: '', status, code, detail: '' }) }));
      await link.click();
      await page.getByRole('alert').filter({ hasText: 'CSV 没有下载' }).getByText(words, { exact: false }).waitFor();
      await page.unroute('**/v1/reports/visits.csv?*');
    }
    await page.route('**/v1/reports/visits.csv?*', (route) => route.abort());
    await link.click();
    await page.getByRole('alert').getByText('服务器没有回应', { exact: false }).waitFor();
    await page.unroute('**/v1/reports/visits.csv?*');
    await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '重试' }).click()]);
    await state.getByText('已下载完整', { exact: false }).waitFor();
    assert.deepEqual(errors, []);
  });

  it('shows hours with two decimals, and totals', async () => {
    const { page } = desk;
    await goTo(page, `#/reports/hours?by=person&sort=-minutes&${period()}`);
    const { head, rows, total } = await tableOf(page);
    const at = head.indexOf('服务时长（小时）');
    assert.deepEqual(rows.map((row) => row[at]), ['2.00', '1.58', '1.02']);
    assert.equal(total[at], '4.60');
  });

  it('is asked for by its address: period, dimensions, filters and order stand in it', async () => {
    const { page } = desk;
    await goTo(page, '#/reports/visits');
    await page.getByRole('button', { name: '今年', exact: true }).click();
    assert.ok(page.url().includes(`from=${new Date().getFullYear()}-01-01`), page.url());
    const from = at(-12, 0).slice(0, 10);
    await page.getByLabel('从', { exact: true }).fill(from);
    const dimension = (name) => page.getByRole('group', { name: '统计口径' }).getByRole('button', { name, exact: true });
    await dimension('日期').click();
    await dimension('到访者类别').click();
    await page.getByText('筛选', { exact: true }).click();
    await page.getByLabel('到访者类别').selectOption({ label: '快递员' });
    await page.getByRole('button', { name: '到访人次' }).click();
    await page.waitForFunction(() => document.querySelectorAll('.report tbody tr').length === 1);
    const address = page.url();
    for (const part of [`from=${from}`, 'visitor=courier', 'sort=-visits']) assert.ok(address.includes(part), `${address}: ${part}`);
    const shown = await tableOf(page);
    await page.reload();
    assert.deepEqual(await tableOf(page), shown);
  });

  it('comes page by page, and back is the page before', async () => {
    const { page } = desk;
    const pager = page.getByRole('navigation', { name: '翻页' });
    await goTo(page, `#/reports/visits?by=day,hour&${period()}`);
    await pager.getByText('第 1–100 条，共 130 条').waitFor();
    const first = await tableOf(page);
    await page.getByRole('button', { name: '下一页' }).click();
    await pager.getByText('第 101–130 条，共 130 条').waitFor();
    const second = await tableOf(page);
    assert.equal(first.rows.length + second.rows.length, 130);
    assert.deepEqual(second.total, first.total);
    assert.equal(new Set([...first.rows, ...second.rows].map((row) => row.join())).size, 130);
    await page.getByRole('button', { name: '上一页' }).click();
    await pager.getByText('第 1–100 条，共 130 条').waitFor();
  });

  it('that is empty says so, with the period', async () => {
    const { page } = desk;
    await goTo(page, '#/reports/visits?from=2001-01-01&to=2001-01-31');
    await page.getByRole('heading', { name: '这段时间没有记录' }).waitFor();
    await page.getByText('2001-01-01 至 2001-01-31', { exact: false }).waitFor();
  });

  it('that cannot be counted says so, and leads back to one that can', async () => {
    const { page } = desk;
    await goTo(page, `#/reports/visits?by=visitor,service&${period()}`);
    await page.getByRole('alert').getByText('不能这样统计', { exact: false }).waitFor();
    await page.getByRole('button', { name: '恢复默认口径' }).click();
    await tableOf(page);
  });

  it('is printed as a table with its title and period, without the rest', async () => {
    const { page } = desk;
    await goTo(page, `#/reports/visits?by=station&${period()}`);
    await tableOf(page);
    await page.emulateMedia({ media: 'print' });
    assert.ok(await page.locator('table.report').isVisible());
    assert.ok(await page.locator('.print-head').isVisible());
    // The head of the table stands on each sheet.
    assert.equal(await page.locator('table.report thead').evaluate((head) => getComputedStyle(head).display), 'table-header-group');
    for (const hidden of ['.side', '.asking', '.chart-card', '.pager', '.actions']) assert.ok(!(await page.locator(hidden).first().isVisible()), hidden);
    await page.emulateMedia({ media: 'screen' });
  });
});

describe('barriers', () => {
  for (const [lang, colorScheme] of [['zh', 'dark'], ['en', 'light']]) {
    it(`none in ${lang}, ${colorScheme}, nor anything wider than the screen`, async () => {
      const { page, context } = await signedInDesk(browser, server, 'limei', { lang, colorScheme });
      const found = [];
      for (const [viewport, addresses] of [[DESK, ['', `/visits?by=day,visitor&${period()}`, `/attendance?${period()}`, '/visits?by=visitor,service']], [NARROW, ['', `/hours?by=event&team=x&${period()}`, `/visits?by=station&${period()}`]]]) {
        await page.setViewportSize(viewport);
        for (const address of addresses) {
          await goTo(page, `#/reports${address}`);
          await page.locator('.report-card, table.report, .empty, .banner').first().waitFor();
          found.push(...(await findings(page, `${address} ${viewport.width}`)));
          const width = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth));
          if (width > viewport.width) found.push(`${address} ${viewport.width}: ${width} wide`);
        }
      }
      assert.deepEqual(found, []);
      await context.close();
    });
  }
});
