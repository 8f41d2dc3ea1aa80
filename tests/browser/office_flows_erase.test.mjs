// Somebody is erased through the office, and the name is looked for everywhere: on every page, in every list and
// file that the server gives, in what the program prints, byte by byte in the data folder, in a backup of before that
// is restored, and on the phones: the one that was there, and the one that comes back days later.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startServer } from '../clients/server.mjs';
import { sheetsOf } from '../clients/sheets.mjs';
import { at, buildCity, EVENT, STATION } from './city.mjs';
import { firstAdministrator, goTo, openDesk, signedInDesk, signIn } from './office_desk.mjs';
import { apart, deviceOf } from './office_trouble.mjs';
import { allArrived, browserFor, enrolledPhone } from './phone.mjs';
import { filesWith, keptBy, printed, quietOf, secretsIn } from './traces.mjs';

// The id is a public number, and stays.
const PERSON = { id: '4452900900', name: '慕容栖梧', other: '慕容棲梧', third: '慕容栖吾', tail: '5837', phone: '13926125837', note: '住南门里三号，电话13926125837' };
const TWIN = 'w900';
const SECRETS = ['慕容', PERSON.phone, '南门里'];
// What is not sealed: that it is found shows that the search looks.
const CONTROL = '进东社区便民服务日';

let server, browser, folder, desk, one, two, near, far, handed, hours;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waystation-erase-'));
  server = await startServer();
  await buildCity(server, { people: 8 });
  await firstAdministrator(server);
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

const button = (page, name) => page.getByRole('button', { name, exact: true });
const key = (coll, id) => `${EVENT.scope}/${coll}/${id}`;
const record = (coll, id) => `#/records/${encodeURIComponent(EVENT.scope)}/${coll}/${encodeURIComponent(id)}`;
const ATTENDED = `${EVENT.id}~${PERSON.id}`;
const program = (...args) => printed(...args, '--data', server.data, '--server', new URL(server.url).host);

async function leadPhone(name) {
  const phone = await enrolledPhone(browser, server, { role: 'lead', name, scopes: [EVENT.scope] });
  await phone.page.getByRole('button', { name: new RegExp(CONTROL) }).click();
  await phone.page.locator('.person-row').first().waitFor();
  const { devices } = await server.admin('GET', '/v1/devices');
  return { ...phone, device: devices.find((row) => row.name === name).device };
}

async function walkIn({ page }, name) {
  await page.getByRole('button', { name: '现场登记' }).click();
  await page.getByLabel('姓名').fill(name);
  await page.getByLabel('统一志愿者编号（选填）').fill(PERSON.id);
  await page.getByLabel('手机号后四位（选填）').fill(PERSON.tail);
  await button(page, '登记并签到').click();
  await page.locator('.person-row', { hasText: name }).waitFor();
}

const roster = async ({ page }) => {
  await page.evaluate((hash) => (location.hash = hash), `#/event/${encodeURIComponent(EVENT.scope)}/${EVENT.id}`);
  await page.locator('.person-row').first().waitFor();
};

/** With the administrator's token, as bytes. */
async function bytesOf(path) {
  const reply = await fetch(server.url + path, { headers: { authorization: `Bearer ${server.adminToken}` } });
  if (reply.status === 503) return pause(50).then(() => bytesOf(path)); // a list that is being read in
  assert.equal(reply.status, 200, path);
  return Buffer.from(await reply.arrayBuffer());
}
const textOf = async (path) => {
  const bytes = await bytesOf(path);
  return path.includes('.xlsx') ? Object.values(sheetsOf(bytes)).map(({ xml }) => xml).join('\n') : bytes.toString('utf8');
};

const period = () => `from=${at(-1, 0).slice(0, 10)}&to=${at(1, 0).slice(0, 10)}`;
const COLLECTIONS = ['volunteer', 'attendance', 'event', 'note', 'refused', 'duplicate', 'station', 'scope', 'balance'];

async function requests() {
  const all = `/v1/records?scope=${encodeURIComponent(EVENT.scope)}&limit=1000`;
  const { records } = await server.admin('GET', all);
  const histories = records.filter(({ id }) => id.includes(PERSON.id) || id.includes(TWIN) || id === EVENT.id)
    .map(({ scope, coll, id }) => `/v1/history?scope=${encodeURIComponent(scope)}&coll=${coll}&id=${encodeURIComponent(id)}`);
  assert.ok(histories.length >= 3);
  return [all, '/v1/conflicts?limit=200', '/v1/conflicts?state=settled&limit=200', '/v1/quarantine?limit=200', ...histories, ...COLLECTIONS.map((coll) => `/v1/lists/${coll}?limit=200`),
          `/v1/reports/hours?by=person&${period()}`, `/v1/reports/attendance?${period()}`, `/v1/reports/attendance.csv?${period()}`, `/v1/reports/attendance.xlsx?${period()}`, `/v1/reports/hours.csv?by=person&${period()}`,
          '/v1/today', '/v1/devices', '/v1/audit?limit=200'];
}

/** What the server says to those who ask, request by request. */
async function told() {
  const found = [];
  for (const path of await requests()) found.push(...secretsIn(await textOf(path), SECRETS).map((secret) => `${path}: ${secret}`));
  const { total, matching = total } = await server.admin('GET', `/v1/lists/volunteer?q=${encodeURIComponent(PERSON.name)}`);
  if (matching !== 0) found.push(`a search finds ${matching}`);
  return found;
}

const conflictHref = ({ scope, coll, id, field, by, n }) => `#/conflicts/${[scope, coll, id, field, `${by}~${n}`].map(encodeURIComponent).join('/')}`;

/** Where the name stood; and `everywhere`, the rest of the office. */
async function places(everywhere) {
  const { conflicts } = await server.admin('GET', '/v1/conflicts?limit=200');
  const { rows } = JSON.parse(await textOf('/v1/lists/refused?limit=200'));
  const scope = encodeURIComponent(EVENT.scope);
  const stood = [`#/reports/hours?by=person&${period()}`, `#/reports/attendance?${period()}`, '#/lists/volunteer', record('volunteer', PERSON.id), record('volunteer', TWIN), record('attendance', ATTENDED), '#/conflicts', '#/conflicts?settled=1',
                 ...conflicts.map(conflictHref), '#/quarantine', ...rows.map(({ id }) => `#/quarantine/${encodeURIComponent(id)}`), '#/duplicates?state=merged', `#/duplicates/${scope}/${PERSON.id}?other=${TWIN}`];
  if (!everywhere) return stood;
  return [...stood, '#/today', '#/wall', ...COLLECTIONS.map((coll) => `#/lists/${coll}`), record('event', EVENT.id), '#/quarantine?state=all', '#/duplicates', '#/duplicates?state=all', `#/duplicates/${scope}/${PERSON.id}`,
          '#/devices', `#/devices/${near.device}`, `#/devices/${far.device}`, `#/access?device=${near.device}&scope=${scope}&coll=volunteer&id=${PERSON.id}`, '#/audit'];
}

/** What a page of the office shows, also to those who hear it. */
async function shownAt({ page, quiet }, place) {
  await page.evaluate((next) => (location.hash = next), place);
  await page.locator('.page-head h1, .wall').first().waitFor();
  // Nothing is on its way any more: names of what is mentioned have come too.
  await quiet();
  await page.waitForFunction(() => document.querySelector('main .waiting, main [aria-busy=true]') === null);
  return page.evaluate(() => document.title + document.body.innerHTML);
}

async function watched(opened) {
  const { page, ...rest } = await opened;
  return { page, quiet: quietOf(page), ...rest };
}

async function shown(at, { everywhere = false } = {}) {
  const found = [];
  for (const place of await places(everywhere)) found.push(...secretsIn(await shownAt(at, place), SECRETS).map((secret) => `${place}: ${secret}`));
  return found;
}

/** Hours of the person, as the report has them. */
async function hoursCounted() {
  const { columns, rows, totals } = JSON.parse(await textOf(`/v1/reports/hours?by=person&${period()}`));
  const nth = (name) => columns.findIndex((column) => column.name === name);
  const row = rows.find((cells) => cells[nth('person')] === PERSON.id);
  return { attendances: row[nth('attendances')], minutes: row[nth('minutes')], points: row[nth('points')], total: totals[nth('minutes')] };
}

/** What the program prints of the store, beside the server. */
async function printedOfThem() {
  const commands = [['export', '--coll', 'volunteer', '--format', 'jsonl'], ['export', '--coll', 'attendance'], ['export', '--coll', 'refused'], ['inspect', 'record', EVENT.scope, 'volunteer', PERSON.id],
                    ['inspect', 'device', near.device], ['inspect', 'op', near.device, '1'], ['audit', '--format', 'csv']];
  const texts = [];
  for (const [name, ...rest] of commands) {
    const { text, code } = await printed(name, ...rest, '--data', server.data);
    assert.equal(code, 0, `${name}: ${text}`);
    texts.push(text);
  }
  for (const name of ['conflicts', 'duplicates', 'refused']) texts.push((await program(name, 'list')).text);
  return texts.join('\n');
}

describe('somebody who stands everywhere', () => {
  it('is entered by a phone, in conflict, refused, alike to another, and waits on a phone without coverage', async () => {
    near = await leadPhone('近处的手机');
    far = await leadPhone('远处的手机');
    await walkIn(near, PERSON.name);
    await allArrived(near.page);
    await far.page.locator('.person-row', { hasText: PERSON.name }).waitFor();

    one = await deviceOf(server, '领队一');
    two = await deviceOf(server, '领队二');
    await apart(one, two, [EVENT.scope, 'volunteer', PERSON.id], [{ note: PERSON.note }, { note: `${PERSON.name}不吃辣` }]);
    one.edit(EVENT.scope, 'attendance', ATTENDED, { set: { event: EVENT.id, volunteer: PERSON.id, signed_in: at(0, 8, 2), signed_out: at(0, 11, 12), minutes: 190, points: 19, note: `家属来电 ${PERSON.phone}` } });
    one.edit(EVENT.scope, 'volunteer', PERSON.id, { set: { name: PERSON.name, phone_tail: PERSON.phone } });
    one.edit(EVENT.scope, 'volunteer', TWIN, { set: { name: PERSON.name, phone_tail: PERSON.tail, state: 'active' } });
    await one.sync();
    const settled = (await server.admin('GET', '/v1/conflicts?limit=200')).conflicts.find(({ field }) => field === 'note');
    assert.equal((await program('conflicts', 'keep', `${key('volunteer', PERSON.id)}/note/${settled.by}~${settled.n}`)).code, 0);
    assert.equal((await program('duplicates', 'merge', EVENT.scope, TWIN, PERSON.id)).code, 0);
    // Both values of this one are their name, and it stays open.
    await apart(one, two, [EVENT.scope, 'volunteer', TWIN], [{ name: PERSON.other }, { name: PERSON.third }]);

    await far.context.setOffline(true);
    await walkIn(far, PERSON.other);
    await far.page.locator('.sync-line', { hasText: '2 条待上传' }).waitFor();
    // A file for another phone, made while the name could still be read.
    await far.page.evaluate(() => (location.hash = '#/handover'));
    const [file] = await Promise.all([far.page.waitForEvent('download'), button(far.page, '保存文件（2 条）').click()]);
    handed = join(folder, 'handover.json');
    await file.saveAs(handed);
    assert.deepEqual(await filesWith(folder, [PERSON.other]), [`${handed}: ${PERSON.other}`]);
  });

  it('is found before: on pages, in requests, in what is printed, and on both phones', async () => {
    desk = await watched(signedInDesk(browser, server, 'limei'));
    const said = await told();
    for (const part of ['/v1/records', '/v1/conflicts?limit', '/v1/conflicts?state=settled', '/v1/quarantine', '/v1/history', '/v1/lists/volunteer', '/v1/lists/attendance', '/v1/reports/hours', '/v1/reports/attendance.csv', '/v1/reports/attendance.xlsx', 'a search finds 1']) {
      assert.ok(said.some((found) => found.startsWith(part)), `${part} in ${said.join('\n')}`);
    }
    const pages = await shown(desk);
    for (const part of ['#/reports/hours', '#/reports/attendance', '#/lists/volunteer', record('volunteer', PERSON.id), record('attendance', ATTENDED), '#/conflicts', '#/conflicts?settled', '#/conflicts/', '#/quarantine/', '#/duplicates']) {
      assert.ok(pages.some((found) => found.startsWith(part)), `${part} in ${pages.join('\n')}`);
    }
    assert.deepEqual(secretsIn(await printedOfThem(), SECRETS), SECRETS);
    for (const phone of [near, far]) assert.ok((await keptBy(phone.page)).includes('慕容'));
    // In the folder it has never lain open, and what is not personal does: the search looks.
    assert.ok((await filesWith(server.data, [CONTROL])).length > 0);
    assert.deepEqual(await filesWith(server.data, SECRETS), []);
    hours = await hoursCounted();
    assert.deepEqual([hours.attendances, hours.minutes, hours.points], [1, 190, 19]);
  });

  it('a backup is made, and a phone writes the name once more after it', async () => {
    const { text, code } = await program('backup', '--to', join(folder, 'backup'));
    assert.equal(code, 0, text);
    await walkIn(near, PERSON.name);
    await allArrived(near.page);
  });
});

describe('erased through the office', () => {
  it('by a name that is typed; the report tells what went and what remains, and leads to the record that was merged', async () => {
    const { page } = desk;
    for (const id of [PERSON.id, TWIN]) {
      const { records: [{ fields: { name } }] } = await server.admin('GET', `/v1/records?scope=${encodeURIComponent(EVENT.scope)}&coll=volunteer&id=${id}`);
      // To the second through the report of the first.
      if (id === PERSON.id) await goTo(page, record('volunteer', id));
      else await page.getByRole('region', { name: '删除结果' }).getByRole('link', { name: id, exact: true }).click();
      await page.locator('.page-head .code', { hasText: id }).waitFor();
      await button(page, '删除个人信息').click();
      const dialog = page.getByRole('dialog');
      assert.equal(await button(dialog, '永久删除').getAttribute('aria-disabled'), 'true');
      await dialog.getByLabel(`请输入“${name}”以确认`).fill(name);
      await button(dialog, '永久删除').click();
      const report = page.getByRole('region', { name: '删除结果' });
      await report.getByText('个人信息已永久删除').waitFor();
      if (id !== PERSON.id) continue;
      const words = await report.innerText();
      for (const told of [/历史 \d+ 步/, /冲突值 [1-9]/, /未被接收的 1 条/, /与此人合并过的记录/, /还没有联系的设备/]) assert.match(words, told);
    }
  });

  it('is said by no request, shown on no page, printed by no command, and in no file and no log', async () => {
    assert.deepEqual(await told(), []);
    assert.deepEqual(await shown(desk, { everywhere: true }), []);
    assert.deepEqual(secretsIn(await printedOfThem(), SECRETS), []);
    assert.deepEqual(await filesWith(server.data, SECRETS), []);
    assert.deepEqual(await filesWith(join(folder, 'backup'), SECRETS), []);
    assert.deepEqual(secretsIn(server.log, SECRETS), []);
    await shownAt(desk, `#/lists/volunteer?q=${encodeURIComponent(PERSON.tail)}`);
    await desk.page.getByRole('heading', { name: '没有符合的' }).waitFor();
    assert.deepEqual(desk.errors, []);
  });

  it('counts as before', async () => {
    assert.deepEqual(await hoursCounted(), hours);
    const text = await shownAt(desk, `#/reports/hours?by=person&${period()}`);
    assert.match(text, new RegExp(PERSON.id));
  });

  it('is gone from the phone that was there, also from what it had written itself', async () => {
    await near.page.locator('.person-row', { hasText: '慕容' }).first().waitFor({ state: 'detached' });
    assert.deepEqual(secretsIn(await near.page.content(), SECRETS), []);
    await near.page.evaluate(() => (location.hash = '#/sync'));
    await button(near.page, '立即同步').click();
    await near.page.getByText('已同步').waitFor();
    assert.deepEqual(secretsIn(await keptBy(near.page) + await near.page.content(), SECRETS), []);
  });

  it('does not come back with a file of before that another phone hands in', async () => {
    await near.page.evaluate(() => (location.hash = '#/handover'));
    await near.page.locator('input[type=file]').setInputFiles(handed);
    await near.page.getByText('1 条未被接收，原设备和办公室会看到原因').waitFor();
    assert.deepEqual(secretsIn(await keptBy(near.page) + await near.page.content(), SECRETS), []);
    assert.deepEqual(await told(), []);
    assert.deepEqual(await filesWith(server.data, SECRETS), []);
  });

  it('is gone from the phone that comes back later, which is told why; what it did count is taken in', async () => {
    assert.ok((await keptBy(far.page)).includes(PERSON.other));
    await far.context.setOffline(false);
    await far.page.locator('.sync-line', { hasText: '1 条未被接收' }).waitFor();
    await far.page.locator('.sync-line').click();
    await far.page.getByText('此人的个人信息已按要求删除。').waitFor();
    assert.deepEqual(secretsIn(await keptBy(far.page) + await far.page.content(), SECRETS), []);
    await roster(far);
    assert.deepEqual(secretsIn(await far.page.content(), SECRETS), []);
    assert.deepEqual(await told(), []);
    assert.deepEqual(await filesWith(server.data, SECRETS), []);
    assert.deepEqual(secretsIn(server.log, SECRETS), []);
  });

  it('stays erased where the backup of before is restored, and a phone hands in again what that missed', async () => {
    await server.stop();
    const lost = join(folder, 'lost');
    await rename(server.data, lost);
    const { text, code } = await printed('restore', '--from', join(folder, 'backup'), '--data', server.data, '--master-key', join(lost, 'master.key'), '--erasures', join(lost, 'erasures.log'));
    assert.equal(code, 0, text);
    await server.start();
    await near.page.evaluate(() => (location.hash = '#/sync'));
    await near.page.waitForFunction(async () => (await (await fetch('/readyz')).json()).status === 'ready');
    await button(near.page, '立即同步').click();
    await near.page.getByText('已同步').first().waitFor();
    await near.page.locator('.sync-line', { hasText: '未被接收' }).waitFor();
    assert.deepEqual(secretsIn(await keptBy(near.page) + await near.page.content(), SECRETS), []);
    assert.deepEqual(await told(), []);
    assert.deepEqual(await filesWith(server.data, SECRETS), []);
    assert.deepEqual(secretsIn(server.log, SECRETS), []);
    await desk.context.close();
    const again = await watched(openDesk(browser, server));
    await signIn(again.page, 'limei');
    await again.page.locator('.side').waitFor();
    assert.deepEqual(await shown(again), []);
    assert.equal((await hoursCounted()).minutes, hours.minutes);
  });
});
