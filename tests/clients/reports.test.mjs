// What is counted, as the office reads it: JSON by pages, CSV and XLSX hold the same numbers.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createScopes, enrolledDevice } from './fixtures.mjs';
import { sheetsOf } from './sheets.mjs';
import { startServer } from './server.mjs';

let server;
let device;

before(async () => {
  server = await startServer();
  const office = await createScopes(server, 's', 'e');
  device = await enrolledDevice(server);
  device.edit('s', 'station', 's1', { set: { name: '榕华暖蜂驿站', division: '445202001001' } });
  for (const [id, at] of [['v1', '2026-01-05T08:10:00+08:00'], ['v2', '2026-01-05T23:59:59+08:00'], ['v3', '2026-01-06T00:00:00+08:00']]) {
    device.edit('s', 'visit', id, { set: { visitor: 'courier', at }, add: { services: ['water'] } });
  }
  device.edit('e', 'event', 'e1', { set: { title: '义诊, "进"社区', category: 'health' } });
  device.edit('e', 'volunteer', 'p1', { set: { name: '=1+1', number: '44001' } });
  device.edit('e', 'volunteer', 'p2', { set: { name: '林静' } });
  for (const [who, minutes] of [['p1', 90], ['p2', 20]]) {
    device.edit('e', 'attendance', `e1~${who}`, { set: { event: 'e1', volunteer: who, signed_in: '2026-01-05T00:30:00Z', signed_out: '2026-01-05T04:00:00Z', minutes } });
  }
  await device.sync();
  assert.deepEqual(device.refusals(), []);
  await office.sync();
});
after(() => server.remove());

const file = (path, as = server.adminToken) => fetch(new URL(path, server.url), { headers: { authorization: `Bearer ${as}` } });

test('the office is told which reports there are', async () => {
  const { reports } = await server.admin('GET', '/v1/reports');
  assert.deepEqual(reports.map(({ report }) => report), ['attendance', 'hours', 'points', 'visits']);
});

test('pages of a report come to the whole of it', async () => {
  const whole = await server.admin('GET', '/v1/reports/visits?by=hour');
  assert.deepEqual(whole.rows, [[0, 1, 1], [8, 1, 1], [23, 1, 1]]);
  assert.deepEqual(whole.totals, [null, 3, 3]);
  const rows = [];
  for (let at; ;) {
    const page = await server.admin('GET', `/v1/reports/visits?by=hour&limit=2${at ? `&after=${at}` : ''}`);
    rows.push(...page.rows);
    assert.equal(page.count, 3);
    if (!page.next) break;
    at = page.next;
  }
  assert.deepEqual(rows, whole.rows);
});

test('CSV opens in a spreadsheet: a mark in front, quotes, no formula, and a last line that says it is whole', async () => {
  const answer = await file('/v1/reports/hours.csv?by=person,event&from=2026-01-01&to=2026-12-31');
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /^text\/csv/);
  assert.match(answer.headers.get('content-disposition'), /^attachment; filename="hours_2026-01-01_2026-12-31\.csv"; filename\*=UTF-8''%E6%9C%8D/);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.equal(bytes.length, Number(answer.headers.get('content-length')));
  assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  const lines = bytes.toString('utf8', 3).split('\r\n');
  assert.equal(lines[0], '志愿者编号,姓名,统一志愿者编号,活动编号,活动,参加人次,服务时长（分钟）,积分,未签退（系统关闭）,尚未签退');
  assert.equal(lines[1], `p1,'=1+1,44001,e1,"义诊, ""进""社区",1,90,0,0,0`);
  assert.equal(lines[3], '# 2 rows');
  assert.equal(lines[4], '');
});

test('XLSX has a frozen heading, numbers as numbers, days as days, hours with two decimals, and says what it is', async () => {
  const answer = await file('/v1/reports/attendance.xlsx?lang=zh');
  assert.equal(answer.status, 200);
  const sheets = sheetsOf(Buffer.from(await answer.arrayBuffer()));
  assert.deepEqual(Object.keys(sheets), ['数据', '说明']);
  const { rows, xml } = sheets['数据'];
  assert.match(xml, /<pane ySplit="1"[^>]*state="frozen"/);
  assert.match(xml, /<cols>/);
  assert.equal(rows.length, 3);
  const headings = Object.values(rows[0]).map(({ value }) => value);
  const column = (title) => Object.keys(rows[0])[headings.indexOf(title)];
  assert.ok(rows[0].A.style > 0, 'the heading has a style of its own');
  assert.equal(rows[1][column('姓名')].value, '=1+1');
  assert.ok(!rows[1][column('姓名')].formula);
  assert.equal(rows[1][column('服务时长（小时）')].value, 1.5);
  assert.equal(rows[1][column('日期')].value, 46027, '2026-01-05 as a spreadsheet counts days');
  assert.equal(Math.round(rows[1][column('签到时间')].value * 1440) % 1440, 8 * 60 + 30, '00:30Z is half past eight');
  const about = Object.fromEntries(sheets['说明'].rows.map(({ A, B }) => [A.value, B?.value]));
  assert.equal(about['报表'], '出勤明细');
  assert.equal(about['行数'], '2');
  assert.equal(about['生成者'], "administrator's token");
  assert.equal(about['合计：服务时长'].toFixed(2), '1.83');
});

test('nothing is left of the files, and who read figures of people is in the audit log', async () => {
  assert.deepEqual(await readdir(join(server.data, 'exports')), []);
  await file('/v1/reports/visits.csv');
  const log = (await server.all('/v1/audit', 'audit')).map(({ what, on }) => `${what} ${on}`);
  assert.ok(log.includes('records.exported report/hours.csv'));
  assert.ok(log.includes('records.exported report/attendance.xlsx'));
  assert.ok(!log.some((line) => line.includes('report/visits')));
});

test('what cannot be asked for is said', async () => {
  const code = async (path, as = server.adminToken) => (await server.call('GET', path, { as })).body.code;
  assert.equal(await code('/v1/reports/nothing'), 'report.unknown');
  assert.equal(await code('/v1/reports/visits.pdf'), 'report.unknown');
  assert.equal(await code('/v1/reports/visits?by=colour'), 'report.query');
  assert.equal(await code('/v1/reports/visits?colour=red'), 'report.query');
  assert.equal(await code('/v1/reports/visits?from=2026-02-30'), 'report.query');
  assert.equal(await code('/v1/reports/visits?limit=1001'), 'report.query');
  assert.equal(await code('/v1/reports/visits', `${device.id}.${device.token}`), 'auth.forbidden');
});

test('a correction is in the numbers at once, and rebuild comes to the same', async () => {
  device.edit('s', 'visit', 'v4', { set: { visitor: 'courier', at: '2026-01-05T08:10:00+08:00', corrects: 'v1', void: true } });
  await device.sync();
  const { rows } = await server.admin('GET', '/v1/reports/visits?by=month');
  assert.deepEqual(rows, [['2026-01', 2, 2]]);
  await server.stop();
  const run = (command) => execFileSync(process.env.WAYSTATION, [command, '--data', server.data], { encoding: 'utf8' });
  assert.match(run('verify'), /rows of projections +[1-9][0-9]*\n.*no faults/s);
  assert.match(run('rebuild'), /counted anew from \d+ records/);
  assert.match(run('verify'), /no faults/);
  await server.start();
  assert.deepEqual((await server.admin('GET', '/v1/reports/visits?by=month')).rows, rows);
});
