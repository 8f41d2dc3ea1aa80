// Law 14, one truth for numbers: 200 cells of random reports over a random city are the same on the page, in the CSV, in
// the XLSX, in the API's answer, and in a recount of what `waystation export` writes. CELLS_SEED=… makes the same city
// and the same questions again.

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { csvRows } from '../clients/csv_file.mjs';
import { startServer } from '../clients/server.mjs';
import { sheetsOf } from '../clients/sheets.mjs';
import { firstAdministrator, goTo, signedInDesk } from './office_desk.mjs';
import { browserFor } from './phone.mjs';
import { Chance, DAYS, Desk, randomCity } from './random_city.mjs';
import { cityTime, Recount } from './recount.mjs';
import { fileOf, tableOf } from './report_page.mjs';

const SEED = Number(process.env.CELLS_SEED ?? Math.floor(Math.random() * 2 ** 32));
const QUESTIONS = 20;
const CELLS = 10; // of each
const PAGE = 100;
const COLLECTIONS = ['visit', 'attendance', 'event', 'volunteer', 'station', 'scope', 'ledger'];
const PLACES = ['district', 'town', 'division'];
const TIMES = ['day', 'month', 'hour'];
const REPORTS = {
  visits: { weight: 8, by: ['day', 'month', 'hour', 'station', ...PLACES, 'kind', 'visitor', 'service'], measures: ['visits', 'heads'] },
  hours: { weight: 7, by: ['day', 'month', 'person', 'team', 'event', 'lead', 'category', ...PLACES],
           measures: ['attendances', 'minutes', 'points', 'closed', 'present'] },
  attendance: { weight: 3, by: ['team', 'category', ...PLACES], always: ['day', 'event', 'person'], measures: ['minutes', 'points', 'closed'] },
  points: { weight: 2, by: ['day', 'month', 'person', 'team'], measures: ['earned', 'granted', 'spent', 'left'] },
};

let server, browser, command, chance, desks;
before(async () => {
  console.log(`CELLS_SEED=${SEED}`);
  chance = new Chance(SEED ^ 0x5eed);
  server = await startServer();
  const { settled, ...done } = await randomCity(server, SEED);
  assert.deepEqual(done, { overspent: 1, merged: 3, replayed: 2, erased: 'erased' });
  assert.ok(settled > 0);
  command = new Desk(server);
  await firstAdministrator(server);
  browser = await browserFor();
  desks = { zh: await signedInDesk(browser, server, 'limei'), en: await signedInDesk(browser, server, 'limei', { lang: 'en' }) };
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

// --- questions -------------------------------------------------------------------------------------------

/** Some are not counted together, as docs/reports.md says. */
const countedTogether = (report, names) => report !== 'visits' || !names.includes('service') || !(names.includes('visitor') || names.includes('hour'));

function randomQuestion(recount) {
  const report = chance.one(Object.entries(REPORTS).flatMap(([name, { weight }]) => Array(weight).fill(name)));
  const { by: all, always = [], measures: usual } = REPORTS[report];
  const by = [...always, ...chance.shuffled(all).slice(0, always.length > 0 ? chance.below(3) : 1 + chance.below(3))];
  const filtered = chance.shuffled(all.filter((name) => !TIMES.includes(name))).slice(0, chance.one([0, 0, 1, 1, 2]));
  const filters = Object.fromEntries(filtered.map((name) => [name, randomValue(recount, report, name)]));
  const [from, to] = chance.happens(0.3) ? ['2025-01-01', '2025-12-31'] : [chance.one(DAYS), chance.one(DAYS)].sort();
  const named = report === 'hours' && chance.happens(0.5) ? chance.some(['people', ...usual], 0.6) : [];
  const measures = named.length > 0 ? named : usual;
  const sort = chance.happens(0.5) ? `${chance.one(['', '-'])}${chance.one([...by, ...measures])}` : '';
  // What was granted and who is there now belongs to today.
  const open = report === 'points' || chance.happens(0.2);
  return { report, by, filters, from, to: open ? cityTime(Date.now()).slice(0, 10) : to, measures, named: named.length > 0, sort };
}

function randomValue(recount, report, name) {
  const values = recount.facts(report).flatMap((fact) => (name === 'service' ? fact.services : [fact[name]])).filter((value) => value !== undefined && value !== '');
  return chance.one(values);
}

function addressOf({ report, by, filters, from, to, measures, named, sort }) {
  const query = new URLSearchParams({ from, to, by: by.join(), ...(named && { measures: measures.join() }), ...filters, ...(sort !== '' && { sort }) });
  return `${report}?${query}`;
}

// --- answers ---------------------------------------------------------------------------------------------

/** With the token that leads to each page but the first, by the row that it begins with. */
async function answerOf(address, lang) {
  let whole;
  const tokens = {};
  for (let after = ''; after !== undefined;) {
    const page = await server.admin('GET', `/v1/reports/${address}&lang=${lang}&limit=${PAGE}${after && `&after=${after}`}`);
    whole = whole === undefined ? page : { ...whole, rows: [...whole.rows, ...page.rows] };
    after = page.next;
    if (after !== undefined) tokens[whole.rows.length] = after;
  }
  return { ...whole, tokens };
}

/** The page from row `at` on, which `after` leads to. */
async function shownOf(page, address, at, after = '') {
  const path = `/v1/reports/${address.split('?')[0]}`;
  const isAnswer = (reply) => {
    const url = new URL(reply.url());
    return url.pathname === path && url.searchParams.get('limit') === String(PAGE) && (url.searchParams.get('after') ?? '') === after;
  };
  await Promise.all([page.waitForResponse(isAnswer), goTo(page, `#/reports/${address}${after && `&after=${after}&at=${at}`}`)]);
  return tableOf(page);
}

const MEASURES = ['integer', 'minutes', 'points'];

/** Cells in the terms of the API; times as the clocks of the city show them. */
const ofApi = (cell, { type }) => (type === 'time' && cell !== null ? cityTime(cell) : cell);

function ofPage(text, { type }) {
  if (text === '–') return null;
  if (type === 'minutes') return Math.round(Number(text.replaceAll(',', '')) * 60);
  if (MEASURES.includes(type)) return Number(text.replaceAll(',', ''));
  return type === 'hour' ? Number(/^(\d\d):00$/.exec(text)[1]) : text;
}

function ofCsv(text, { type }) {
  if (text === '') return null;
  if (MEASURES.includes(type) || type === 'hour') return Number(text);
  return type === 'time' ? cityTime(text) : text.replace(/^'(?=[=+\-@\t\r])/, '');
}

function ofXlsx(cell, { type }) {
  const value = cell?.value ?? null;
  if (value === null) return null;
  if (type === 'minutes') return Math.round(value * 60);
  if (type !== 'date' && type !== 'time') return value;
  const text = new Date(Math.round((value - 25_569) * 86_400) * 1000).toISOString().replace('T', ' ');
  return type === 'date' ? text.slice(0, 10) : text.slice(0, 19);
}

const letterOf = (column) => String.fromCharCode(65 + column);

/** One question, answered five times over: rows of cells by where they stand. */
async function answers(question, lang) {
  const address = addressOf(question);
  const api = await answerOf(address, lang);
  const { columns, count } = api;
  if (count === 0) return { address, api, count };
  const at = PAGE * chance.below(Math.ceil(count / PAGE));
  const { page } = desks[lang];
  const shown = await shownOf(page, address, at, api.tokens[at]);
  assert.equal(shown.head.length, columns.length, address);
  const { rows: [, ...lines], last } = csvRows((await fileOf(page, server, 'CSV')).bytes.toString('utf8'));
  assert.equal(last, `# ${count} rows`, address);
  const [, ...sheet] = Object.values(sheetsOf((await fileOf(page, server, 'XLSX')).bytes))[0].rows;
  assert.deepEqual([api.rows.length, lines.length, sheet.length, shown.rows.length], [count, count, count, Math.min(PAGE, count - at)], `${address}: rows`);
  return {
    address, api, count, at,
    api_rows: api.rows.map((row) => row.map((cell, i) => ofApi(cell, columns[i]))),
    page_rows: shown.rows.map((row) => row.map((cell, i) => ofPage(cell, columns[i]))),
    csv_rows: lines.map((row) => row.map((cell, i) => ofCsv(cell, columns[i]))),
    xlsx_rows: sheet.map((row) => columns.map((column, i) => ofXlsx(row[letterOf(i)], column))),
  };
}

/** All questions at one place in the log: the server closes sign-ins by itself. */
async function asked() {
  for (let tries = 0; tries < 5; ++tries) {
    const seq = await rest();
    const recount = new Recount(Object.fromEntries(await Promise.all(COLLECTIONS.map(async (coll) => [coll, await command.exported(coll)]))));
    const all = [];
    const counts = []; // also of those without rows
    for (let drawn = 0; all.length < QUESTIONS && drawn < 10 * QUESTIONS; ++drawn) {
      const question = randomQuestion(recount);
      if (!countedTogether(question.report, [...question.by, ...Object.keys(question.filters)])) continue;
      const lang = all.length % 2 === 0 ? 'zh' : 'en';
      const answer = await answers(question, lang);
      const counted = recount.rows(question, lang);
      counts.push({ address: answer.address, api: answer.count, recount: counted.length });
      if (answer.count > 0) all.push({ question, counted, ...answer });
    }
    if ((await seqNow()) === seq) return { all, counts };
  }
  throw new Error('the store did not come to rest');
}

const seqNow = async () => (await server.admin('GET', '/v1/reports/visits?limit=1')).seq;

async function rest() {
  for (let seq = await seqNow(); ;) {
    await pause(500);
    const next = await seqNow();
    if (next === seq) return seq;
    seq = next;
  }
}

// --- comparing -------------------------------------------------------------------------------------------

/** What the recount has in the rows of these dimensions; merged people may stand in several rows of one key. */
function countedCells({ question: { by }, counted, api: { columns }, api_rows }, row, column) {
  const { name, type } = columns[column];
  const places = by.map((dimension) => columns.findIndex((one) => one.name === dimension));
  const key = places.map((place) => api_rows[row][place]);
  return {
    counted: counted.filter((values) => by.every((dimension, i) => values[dimension] === key[i])).map((values) => ofApi(values[name] ?? null, { type })).sort(),
    api: api_rows.filter((cells) => places.every((place, i) => cells[place] === key[i])).map((cells) => cells[column]).sort(),
  };
}

function compareCell(answer, row, column) {
  const { address, at, api, api_rows, page_rows, csv_rows, xlsx_rows } = answer;
  const where = `CELLS_SEED=${SEED}, ${address}: row ${row} (${JSON.stringify(api_rows[row])}), ${api.columns[column].name}`;
  const value = api_rows[row][column];
  const page = page_rows[row - at]; // one page of them is on show
  const found = { csv: csv_rows[row][column], xlsx: xlsx_rows[row][column], page: page === undefined ? value : page[column] };
  assert.deepEqual(found, { csv: value, xlsx: value, page: value }, where);
  const { counted, api: those } = countedCells(answer, row, column);
  assert.deepEqual(counted, those, `${where}: the recount`);
}

describe('a random city', () => {
  let all, counts;
  before(async () => { ({ all, counts } = await asked()); });

  it('has as many rows to each question as the recount', () => {
    assert.equal(all.length, QUESTIONS, `CELLS_SEED=${SEED}: questions with rows`);
    for (const { address, api, recount } of counts) assert.equal(api, recount, `CELLS_SEED=${SEED}, ${address}`);
  });

  it(`has ${QUESTIONS * CELLS} cells that are the same on the page, in CSV, in XLSX, by the API and by a recount of the exported records`, () => {
    const types = new Set();
    for (const answer of all) {
      const { api: { columns }, at, page_rows } = answer;
      const measures = columns.flatMap(({ type }, i) => (MEASURES.includes(type) ? [i] : []));
      for (let i = 0; i < CELLS; ++i) {
        const column = chance.happens(0.7) ? chance.one(measures) : chance.below(columns.length);
        types.add(columns[column].type);
        compareCell(answer, at + chance.below(page_rows.length), column);
      }
    }
    assert.ok(types.has('integer') && types.has('minutes') && types.has('text'), [...types].join());
  });

  it('has no other cell in those tables that is not', () => {
    for (const answer of all) {
      for (let row = 0; row < answer.count; ++row) answer.api.columns.forEach((_, column) => compareCell(answer, row, column));
    }
  });

  it('has the totals of the recount, wherever a sum says what is so', () => {
    const withTotals = all.filter(({ api }) => api.totals !== null);
    assert.ok(withTotals.length > 0);
    for (const { address, api: { columns, totals }, counted } of withTotals) {
      for (const [i, { name, type }] of columns.entries()) {
        if (MEASURES.includes(type)) assert.equal(totals[i], counted.reduce((sum, row) => sum + row[name], 0), `CELLS_SEED=${SEED}, ${address}: total of ${name}`);
      }
    }
  });
});
