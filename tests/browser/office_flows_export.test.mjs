// The province asks for figures: somebody chooses period, columns, part and order on the page, saves both files, and
// they say what the page says, in either language. Who may not see names gets files without them, and the audit log
// shows who took what.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { sheetsOf } from '../clients/sheets.mjs';
import { at, buildCity, EVENT, personId, personName, STATION } from './city.mjs';
import { csvRows } from '../clients/csv_file.mjs';
import { account, firstAdministrator, goTo, signedInDesk } from './office_desk.mjs';
import { deviceOf } from './office_trouble.mjs';
import { browserFor } from './phone.mjs';

const FROM = at(-6, 0).slice(0, 10);
const TO = at(0, 0).slice(0, 10);
const WORDS = {
  zh: { visits: '驿站到访', hours: '服务时长', from: '从', to: '到', by: '统计口径', day: '日期', station: '驿站', person: '志愿者', event: '活动', filters: '筛选', visitor: '到访者类别', courier: '快递员', heads: '到访人数', inHours: '服务时长（小时）', name: '姓名', note: '说明' },
  en: { visits: 'Visits to stations', hours: 'Hours of service', from: 'From', to: 'To', by: 'Counted by', day: 'Day', station: 'Station', person: 'Volunteer', event: 'Event', filters: 'Filters', visitor: 'Kind of visitor', courier: 'Courier', heads: 'Heads', inHours: 'Time of service (hours)', name: 'Name', note: 'About' },
};
const MINUTES = [95, 120, 61, 7];
const FORMULA = '=HYPERLINK("x")';

let server, browser, folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waystation-export-'));
  server = await startServer({ args: ['--policy', await policyWithoutNames()] });
  await firstAdministrator(server);
  const office = await buildCity(server, { people: 0 });
  fill(office);
  await office.sync();
  // A device of the office may not write them, by this policy.
  const lead = await deviceOf(server, '领队');
  for (let i = 0; i < 6; ++i) lead.edit(EVENT.scope, 'volunteer', personId(i), { set: { number: personId(i), name: i === 1 ? FORMULA : personName(i), state: 'active' } });
  await lead.sync();
  await account(server, 'huangmin', '黄敏', 'office');
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** As shipped, but that people of the office who are no administrators are not told who a volunteer is. */
async function policyWithoutNames() {
  const policy = JSON.parse(await readFile(new URL('../../schemas/policy.json', import.meta.url), 'utf8'));
  policy.roles.office.collections = { volunteer: { read: { all_but: ['name', 'number', 'phone_tail', 'note'] }, write: 'none' }, duplicate: { read: 'none', write: 'none' } };
  const path = join(folder, 'policy.json');
  await writeFile(path, JSON.stringify(policy));
  return path;
}

function fill(office) {
  for (let i = 0; i < 40; ++i) {
    const set = { visitor: ['courier', 'delivery_rider', 'lorry_driver'][i % 3], at: at(-(i % 8), 9 + (i % 5), i), party_size: 1 + ((i * i) % 4) };
    office.edit(STATION.scope, 'visit', `visit-${i}`, { set, add: { services: ['water'] } });
  }
  for (const [i, minutes] of MINUTES.entries()) {
    office.edit(EVENT.scope, 'attendance', `${EVENT.id}~${personId(i)}`, { set: { event: EVENT.id, volunteer: personId(i), signed_in: at(0, 0, 5), signed_out: at(0, 3, 5), minutes, points: 10 * i } });
  }
}

// --- the page -------------------------------------------------------------------------------------------

async function tableOf(page) {
  await page.locator('.report-page:not([aria-busy]) table.report').waitFor();
  return page.evaluate(() => {
    const cells = (row) => [...row.children].map((cell) => cell.textContent.trim()).map((text) => (text === '–' ? '' : text));
    const { tHead, tBodies } = document.querySelector('table.report');
    return { head: cells(tHead.rows[0]), rows: [...tBodies[0].rows].map(cells) };
  });
}

const chip = (page, words, name) => page.getByRole('group', { name: words.by }).getByRole('button', { name, exact: true });

/** Exactly these columns: what is chosen beside them is taken back. */
async function countBy(page, words, names) {
  for (const name of names) {
    if ((await chip(page, words, name).getAttribute('aria-pressed')) === 'false') await chip(page, words, name).click();
    await page.locator('.dimensions .chip.on', { hasText: name }).waitFor();
  }
  const pressed = page.getByRole('group', { name: words.by }).locator('[aria-pressed=true]');
  for (const name of await pressed.allInnerTexts()) if (!names.includes(name.trim())) await chip(page, words, name.trim()).click();
  await page.waitForFunction((n) => document.querySelectorAll('.dimensions .chip.on').length === n, names.length);
}

async function periodOf(page, words) {
  await page.getByLabel(words.from, { exact: true }).fill(FROM);
  await page.getByLabel(words.to, { exact: true }).fill(TO);
}

async function sortBy(page, title) {
  await page.locator('table.report thead').getByRole('button', { name: title, exact: true }).click();
  await page.locator('th[aria-sort="descending"]', { hasText: title }).waitFor();
}

/** Saved as people do: by the link. */
async function saved(page, ending) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: ending, exact: true }).click()]);
  const path = join(folder, `${ending}-${Math.random()}`);
  await download.saveAs(path);
  return { name: download.suggestedFilename(), bytes: await readFile(path) };
}

// --- the files ------------------------------------------------------------------------------------------

const numberOf = (text) => (/^-?[\d,]+(\.\d+)?$/.test(text) ? Number(text.replaceAll(',', '')) : text);

function sameRows(shown, read, where) {
  assert.equal(read.length, shown.length, `${where}: rows`);
  shown.forEach((row, i) => row.forEach((cell, k) => {
    const [wanted, got] = [numberOf(cell), numberOf(String(read[i][k]))];
    const same = typeof wanted === 'number' && typeof got === 'number' ? Math.abs(wanted - got) < 0.005 : String(wanted) === String(got);
    assert.ok(same, `${where}: row ${i}, column ${k}: the page shows ${cell}, the file has ${read[i][k]}`);
  }));
}

/** The CSV in the terms of the page: minutes as hours, text without the guard against formulas. */
function rowsOfCsv(bytes, head, words) {
  assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  const { rows: [, ...rows], last } = csvRows(bytes.toString('utf8'));
  assert.equal(last, `# ${rows.length} rows`);
  return rows.map((row) => row.map((cell, k) => (head[k] === words.inHours && cell !== '' ? (Number(cell) / 60).toFixed(2) : cell.replace(/^'(?==)/, ''))));
}

function rowsOfXlsx(bytes, head, words) {
  const [headings, ...rows] = Object.values(sheetsOf(bytes))[0].rows;
  const letters = Object.keys(headings);
  assert.deepEqual(letters.map((letter) => headings[letter].value), head);
  const day = (value) => new Date((value - 25_569) * 86_400_000).toISOString().slice(0, 10);
  return rows.map((row) => letters.map((letter, k) => {
    const cell = row[letter];
    assert.ok(cell?.formula !== true, 'nothing in the sheet runs');
    return cell === undefined ? '' : head[k] === words.day ? day(cell.value) : cell.value;
  }));
}

async function filesSayWhatThePageSays(page, words, title) {
  const { head, rows } = await tableOf(page);
  assert.ok(rows.length > 2);
  const csv = await saved(page, 'CSV');
  const xlsx = await saved(page, 'XLSX');
  assert.deepEqual([csv.name, xlsx.name], [`${title}_${FROM}_${TO}.csv`, `${title}_${FROM}_${TO}.xlsx`]);
  sameRows(rows, rowsOfCsv(csv.bytes, head, words), `${title}, CSV`);
  sameRows(rows, rowsOfXlsx(xlsx.bytes, head, words), `${title}, XLSX`);
  return { head, rows, csv, xlsx };
}

const describeSheet = (bytes) => Object.values(sheetsOf(bytes)).at(-1).xml;

describe('an export', () => {
  for (const lang of ['zh', 'en']) {
    it(`has what was chosen on the page, in that order, as CSV and XLSX: ${lang}`, async () => {
      const words = WORDS[lang];
      const { page, errors, context } = await signedInDesk(browser, server, 'limei', { lang });
      await goTo(page, '#/reports');
      await page.getByRole('link', { name: words.visits, exact: true }).click();
      await periodOf(page, words);
      await countBy(page, words, [words.station, words.day]);
      await page.getByText(words.filters, { exact: true }).click();
      await page.getByLabel(words.visitor).selectOption({ label: words.courier });
      await sortBy(page, words.heads);
      const visits = await filesSayWhatThePageSays(page, words, words.visits);
      const heads = visits.rows.map((row) => Number(row[visits.head.indexOf(words.heads)]));
      assert.deepEqual(heads, heads.toSorted((a, b) => b - a));
      assert.ok(heads[0] > heads.at(-1));
      // The sheet that says what it is: period, part, by whom.
      for (const part of [words.visits, FROM, TO, 'limei']) assert.ok(describeSheet(visits.xlsx.bytes).includes(part), part);

      await goTo(page, '#/reports');
      await page.getByRole('link', { name: words.hours, exact: true }).click();
      await periodOf(page, words);
      await countBy(page, words, [words.person]);
      await sortBy(page, words.inHours);
      const hours = await filesSayWhatThePageSays(page, words, words.hours);
      assert.deepEqual(hours.rows.map((row) => row[hours.head.indexOf(words.name)]), [FORMULA, personName(0), personName(2), personName(3)]);
      assert.deepEqual(errors, []);
      await context.close();
    });
  }

  it('by somebody who may not see names has none, on the page and in both files', async () => {
    const { page, errors, context } = await signedInDesk(browser, server, 'huangmin');
    await goTo(page, `#/reports/hours?by=person&from=${FROM}&to=${TO}&sort=-minutes`);
    const { head, rows, csv, xlsx } = await filesSayWhatThePageSays(page, WORDS.zh, WORDS.zh.hours);
    assert.deepEqual(rows.map((row) => row[0]), [1, 0, 2, 3].map(personId));
    assert.ok(!head.includes('姓名') && !head.includes('统一志愿者编号'), head.join());
    await goTo(page, `#/reports/attendance?from=${FROM}&to=${TO}`);
    await tableOf(page);
    const detail = [await saved(page, 'CSV'), await saved(page, 'XLSX')];
    const texts = [await page.locator('main').innerText(), csv.bytes.toString('utf8'), detail[0].bytes.toString('utf8'), ...[xlsx, detail[1]].flatMap(({ bytes }) => Object.values(sheetsOf(bytes)).map(({ xml }) => xml))];
    for (const text of texts) for (const name of [...[0, 2, 3].map(personName), 'HYPERLINK']) assert.ok(!text.includes(name), name);
    // Nor is anybody found by what is hidden.
    const found = await page.evaluate(async (q) => (await fetch(`/v1/lists/volunteer?q=${q}`)).json(), encodeURIComponent(personName(0)));
    assert.deepEqual([found.total, found.matching], [6, 0]);
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('is in the audit log, with who took it; a stranger gets none; none stays on the disk', async () => {
    const { page, context } = await signedInDesk(browser, server, 'limei');
    await goTo(page, '#/audit?q=records.exported');
    const entries = page.locator('table.data tbody tr', { hasText: '导出记录' });
    await entries.first().waitFor();
    const lines = (await entries.allInnerTexts()).map((line) => line.replaceAll(/\s+/g, ' '));
    // Of the visits nobody is named, and nothing is written down.
    for (const [who, what] of [['办公室 limei', 'report/hours'], ['办公室 huangmin', 'report/hours'], ['办公室 huangmin', 'report/attendance']]) {
      assert.equal(lines.filter((line) => line.includes(who) && line.includes(what)).length, who.endsWith('limei') ? 4 : 2, `${who} ${what} in ${lines.join('\n')}`);
    }
    await context.close();
    const reply = await fetch(`${server.url}/v1/reports/hours.csv?by=person&from=${FROM}&to=${TO}`);
    assert.equal(reply.status, 401);
    assert.deepEqual(await readdir(join(server.data, 'exports')), []);
  });
});
