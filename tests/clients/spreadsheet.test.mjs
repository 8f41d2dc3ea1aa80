// A report in the program that the office opens it with: LibreOffice shows every cell as the API has it, and opens
// no file that was cut off.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createScopes, enrolledDevice } from './fixtures.mjs';
import { LibreOffice } from './libreoffice.mjs';
import { startServer } from './server.mjs';

const TEAMS = ['榕城轻骑兵', '+蓝天救援队', '"进东"社区, 志愿队'];
// What a spreadsheet could run, trim, split or decode.
const NAMES = ['陈静怡', '=1+1', '@SUM(A1)', '-2', "'林静", ' 黄 敏 ', '郑"志"强', '吴,建国',
               '杨\n思雨', '许\t俊杰', '_x0041_', '蔡😀琪', '0044', '2025-03-01', '1e5', '<刘>&amp;', '叶\u0001丽', '苏\r芳'];
const VISITORS = ['courier', 'delivery_rider', 'lorry_driver', 'streamer'];
const SERVICES = ['water', 'rest', 'phone_charging'];
const DAYS = ['2024-12-31', '2025-01-01', '2025-02-28', '2025-03-01'];
const QUESTIONS = {
  attendance: 'attendance?by=day,event,person',
  attendance_of_a_team: `attendance?team=${encodeURIComponent(TEAMS[1])}&from=2024-12-31&to=2025-02-28`,
  hours: 'hours?by=person,event',
  hours_by_month: 'hours?by=month,team,category&measures=attendances,people,minutes,points,closed,present',
  visits: 'visits?by=day,station',
  visits_by_hour: 'visits?by=hour,visitor&from=2025-01-01&to=2025-12-31',
  visits_by_service: 'visits?by=service,month',
};
const LANGS = ['zh', 'en'];
const WORDS = {
  zh: { data: '数据', about: '说明', hours: '（小时）', open: '不限', none: '无', total: '合计：',
        head: ['报表', '含义', '时间范围', '时区', '筛选', '生成时间', '生成者', '数据截至序号', '行数'] },
  en: { data: 'Data', about: 'About', hours: ' (hours)', open: 'open', none: 'none', total: 'Total: ',
        head: ['Report', 'Meaning', 'Period', 'Zone', 'Filters', 'Made at', 'Made by', 'As of seq', 'Rows'] },
};
const CITY_OFFSET_MS = 8 * 3_600_000;

let server;
let libreOffice;
/** Of every question in both languages: the API's answer, the file, and what LibreOffice made of it. */
let answers, files, seq, opened;

before(async () => {
  server = await startServer();
  const office = await createScopes(server, 's1', 's2', 'e');
  const device = await enrolledDevice(server);
  fillStations(device);
  fillEvents(device);
  await device.sync();
  assert.deepEqual(device.refusals(), []);
  await office.sync();
  ({ answers, files, seq } = await asked());
  libreOffice = await LibreOffice.start();
  opened = { shown: await libreOffice.open(files, { asShown: true }), kept: await libreOffice.open(files, { asShown: false }) };
});
after(async () => {
  await libreOffice?.remove();
  await server.remove();
});

function fillStations(device) {
  device.edit('s1', 'station', 's1', { set: { name: '榕华"暖蜂"驿站', division: '445202001001' } });
  device.edit('s2', 'station', 's2', { set: { name: '=HYPERLINK("x")' } });
  for (let i = 0; i < 200; ++i) {
    const at = `${DAYS[i % 4]}T${String(i % 24).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}:59+08:00`;
    const edits = { set: { visitor: VISITORS[i % 4], at, ...(i % 3 === 0 && { party_size: 1 + (i % 7) }) } };
    device.edit(i % 5 === 0 ? 's2' : 's1', 'visit', `v${i}`, { ...edits, ...(i % 2 === 0 && { add: { services: SERVICES.slice(i % 3) } }) });
  }
}

function fillEvents(device) {
  for (const [i, day] of DAYS.entries()) {
    const category = i > 0 && { category: ['health', 'ecology', 'science'][i - 1] };
    const set = { title: `义诊, "第 ${i} 场"`, starts: `${day}T08:00:00+08:00`, ends: `${day}T12:00:00+08:00`, ...category };
    device.edit('e', 'event', `e${i}`, { set });
  }
  for (const [i, name] of NAMES.entries()) {
    device.edit('e', 'volunteer', `p${i}`, { set: { name, ...(i % 3 > 0 && { team: TEAMS[i % 3] }), ...(i % 4 > 0 && { number: `00${4400 + i}` }) } });
    for (const [k, day] of DAYS.entries()) {
      const left = (i + k) % 3 > 0 && { signed_out: `${day}T0${1 + (i % 3)}:${10 + i}:42Z` };
      const more = { ...((i + k) % 4 === 0 && { minutes: 7 * i + k }), ...(i % 2 === 0 && { points: 10 * i }), ...(k === 2 && { role: '=领队' }) };
      device.edit('e', 'attendance', `e${k}~p${i}`, { set: { event: `e${k}`, volunteer: `p${i}`, signed_in: `${day}T08:0${k}:17+08:00`, ...left, ...more } });
    }
  }
}

async function file(path) {
  const reply = await fetch(new URL(path, server.url), { headers: { authorization: `Bearer ${server.adminToken}` } });
  assert.equal(reply.status, 200, path);
  return Buffer.from(await reply.arrayBuffer());
}

/** The whole answer of the API. */
async function answerTo(question) {
  let whole;
  for (let after = ''; after !== undefined;) {
    const page = await server.admin('GET', `/v1/reports/${question}&limit=100${after && `&after=${after}`}`);
    whole = whole === undefined ? page : { ...whole, rows: [...whole.rows, ...page.rows] };
    after = page.next;
  }
  assert.equal(whole.rows.length, whole.count);
  return whole;
}

const lastSeq = async () => (await server.admin('GET', '/v1/reports/visits')).seq;

/** All questions as JSON and as XLSX, as of one place in the log: the server closes sign-ins by itself. */
async function asked() {
  for (let tries = 0; tries < 10; ++tries) {
    const before = await lastSeq();
    const found = { seq: before, answers: {}, files: {} };
    for (const [name, question] of Object.entries(QUESTIONS)) {
      for (const lang of LANGS) {
        found.answers[`${name}_${lang}`] = { lang, ...(await answerTo(`${question}&lang=${lang}`)) };
        found.files[`${name}_${lang}`] = await file(`/v1/reports/${question.replace('?', '.xlsx?')}&lang=${lang}`);
      }
    }
    if ((await lastSeq()) === before) return found;
  }
  throw new Error('the store did not come to rest');
}

/** "2025-01-31 08:30:05", as a clock in the city shows it. */
const moment = (text) => new Date(Date.parse(text) + CITY_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');

/** A cell of the API as a spreadsheet shows it: text in quotes, numbers bare. */
function shown(cell, { type }) {
  if (cell === null) return { text: '', quoted: false };
  if (type === 'minutes') return { text: (cell / 60).toFixed(2), quoted: false };
  if (type === 'date') return { text: cell, quoted: false };
  if (type === 'time') return { text: moment(cell).slice(0, 16), quoted: false };
  return { text: String(cell), quoted: typeof cell !== 'number' };
}

/** As the sheet keeps it: times to the second, hours as exact as a double. */
function kept(cell, column) {
  if (cell === null || !['minutes', 'time'].includes(column.type)) return shown(cell, column);
  return { text: column.type === 'time' ? moment(cell) : String(Number((cell / 60).toPrecision(15))), quoted: false };
}

const text = (value) => ({ text: value, quoted: true });

for (const [how, cellOf] of [['shown', shown], ['kept', kept]]) {
  test(`every cell of every row is ${how} by LibreOffice as the API has it, in both languages`, () => {
    let cells = 0;
    for (const [name, { lang, columns, rows }] of Object.entries(answers)) {
      const { data, hours } = WORDS[lang];
      assert.ok(opened[how][name], `${name} opens`);
      const [head, ...sheet] = opened[how][name][data];
      assert.deepEqual(head, columns.map(({ title, type }) => text(title[lang] + (type === 'minutes' ? hours : ''))), `${name}: headings`);
      assert.equal(sheet.length, rows.length, `${name}: rows`);
      rows.forEach((row, i) => assert.deepEqual(sheet[i], row.map((cell, k) => cellOf(cell, columns[k])), `${name}: row ${i}`));
      cells += rows.length * columns.length;
    }
    assert.ok(cells > 3000, `${cells} cells`);
    for (const type of ['text', 'enum', 'date', 'month', 'hour', 'time', 'integer', 'minutes', 'points']) {
      assert.ok(Object.values(answers).some(({ columns }) => columns.some((column) => column.type === type)), `no column of type ${type}`);
    }
  });
}

test('the other sheet says what it is, of which period and filters, as of when, by whom, and its totals', async () => {
  const abouts = Object.fromEntries((await server.admin('GET', '/v1/reports')).reports.map(({ report, about }) => [report, about]));
  for (const [name, { lang, report, title, from, to, zone, columns, count, totals }] of Object.entries(answers)) {
    const words = WORDS[lang];
    const [, , , , filters, made] = opened.shown[name][words.about].map(([, value]) => value.text);
    const team = { zh: `所属队伍 = ${TEAMS[1]}`, en: `Team = ${TEAMS[1]}` }[lang];
    assert.equal(filters, name.startsWith('attendance_of_a_team') ? team : words.none);
    assert.match(made, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+08:00$/);
    const values = [title[lang], abouts[report][lang], `${from ?? words.open} – ${to ?? words.open}`, zone, filters, made, "administrator's token", String(seq), String(count)];
    const sums = columns.flatMap((column, i) => (typeof totals?.[i] === 'number'
      ? [[text(words.total + column.title[lang]), shown(totals[i], column)]]
      : []));
    assert.deepEqual(opened.shown[name][words.about], [...words.head.map((word, i) => [text(word), text(values[i])]), ...sums], name);
  }
  assert.ok(Object.values(answers).some(({ totals }) => totals === null) && Object.values(answers).some(({ totals }) => totals !== null));
});

test('LibreOffice opens no file that was cut off, wherever it was', async () => {
  const whole = files.attendance_zh;
  const parts = [99, 95, 90, 75, 50, 25, 10, 1].map((percent) => Math.floor((whole.length * percent) / 100));
  const ends = [...[1, 2, 22, 23, 100].map((bytes) => whole.length - bytes), ...parts];
  const cut = Object.fromEntries(ends.map((end) => [`cut_at_${end}`, whole.subarray(0, end)]));
  assert.deepEqual(Object.keys(await libreOffice.open({ ...cut, whole }, { asShown: true })), ['whole']);
});
