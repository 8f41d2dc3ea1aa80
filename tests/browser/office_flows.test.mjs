// Flows through the office and the phones at once: a phone that drains with a day's queue, a conflict that is
// settled and seen on both phones that made it, two administrators at it, and what is told when a session ends or
// the server restarts.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { at, buildCity, EVENT, personId, personName } from './city.mjs';
import { account, goTo, signedInDesk, signIn, twoAdministrators } from './office_desk.mjs';
import { allArrived, browserFor, enrolledPhone } from './phone.mjs';

const PEOPLE = 12;

let server, browser, mei, jie;
before(async () => {
  server = await startServer();
  await buildCity(server, { people: PEOPLE });
  browser = await browserFor();
  ({ mei, jie } = await twoAdministrators(browser, server));
});
after(async () => {
  await browser?.close();
  await server?.remove();
  for (const desk of [mei, jie]) if (desk !== undefined) assert.deepEqual(desk.errors, []);
});

const button = (page, name) => page.getByRole('button', { name, exact: true });
const card = (page, name) => page.getByRole('region', { name, exact: true });
const title = new RegExp('进东社区便民服务日');
const eventNow = async () => (await server.admin('GET', `/v1/records?scope=${encodeURIComponent(EVENT.scope)}&coll=event&id=${EVENT.id}`)).records[0].fields;

async function phoneNamed(name, role) {
  const phone = await enrolledPhone(browser, server, { role, name, scopes: [EVENT.scope] });
  await phone.page.getByRole('button', { name: title }).click();
  await phone.page.locator('.person-row').first().waitFor();
  const { devices } = await server.admin('GET', '/v1/devices');
  return { ...phone, name, device: devices.find((row) => row.name === name).device };
}

describe('a phone that comes back with a queue after the office has told it to drain', () => {
  const QUEUED = 9;

  it('hands all of it in, is told that it is done, and the office’s figures have it', async () => {
    const { page } = mei;
    const period = `from=${at(-1, 0).slice(0, 10)}&to=${at(1, 0).slice(0, 10)}`;
    const counted = async () => (await server.admin('GET', `/v1/reports/hours?by=event&event=${EVENT.id}&${period}`));
    const phone = await phoneNamed('山里的手机', 'volunteer');
    await phone.context.setOffline(true);
    for (let i = 0; i < QUEUED; ++i) {
      await phone.page.getByRole('searchbox').fill(personId(i));
      await phone.page.locator('.person-row', { hasText: personName(i) }).getByRole('button', { name: /^签到/ }).click();
      await phone.page.locator('.sync-line', { hasText: `${i + 1} 条待上传` }).waitFor();
    }
    assert.equal((await counted()).rows.length, 0);

    await goTo(page, `#/devices/${phone.device}`);
    await button(page, '收尾').click();
    const dialog = page.getByRole('dialog', { name: `让“${phone.name}”收尾？` });
    await dialog.getByText('它把已经记下的交上来，不再新增，也不再收到更新。').waitFor();
    await button(dialog, '收尾').click();
    await page.locator('.toast', { hasText: '已通知它收尾' }).waitFor();
    await page.locator('.page-head').getByText('收尾中').waitFor();
    // It does not know yet, and goes on without coverage; what it writes now was written before it was told.
    await phone.page.locator('.sync-line', { hasText: `${QUEUED} 条待上传` }).waitFor();

    await phone.context.setOffline(false);
    await phone.page.getByText('全部已送达，请把手机交还办公室。现在不能再新增记录。').waitFor();
    await phone.page.getByText('本机的工作已由办公室结束').waitFor();
    // The page follows by itself: nothing is held any more.
    const holds = card(page, '本机还保留着');
    await holds.locator('div', { hasText: '待上传' }).locator('strong', { hasText: /^0$/ }).waitFor();
    await page.waitForFunction((n) => [...document.querySelectorAll('dl.facts dt')].some((dt) => dt.textContent === '已收到' && dt.nextElementSibling.textContent === String(n)), QUEUED);
    const row = await server.deviceRow(phone.device);
    assert.deepEqual([row.state, row.queued, row.applied, row.refused], ['draining', 0, QUEUED, 0]);

    const { columns, rows } = await counted();
    const nth = (name) => columns.findIndex((column) => column.name === name);
    assert.deepEqual([rows[0][nth('attendances')], rows[0][nth('present')]], [QUEUED, QUEUED]);
    await goTo(page, '#/today');
    await page.waitForFunction((n) => document.querySelector('[data-figure="came"] strong')?.textContent === String(n), QUEUED);
    await page.locator('[data-figure="waiting"]').getByText('全部已送达').waitFor();

    // What it tries now is not kept, and it says so.
    await phone.page.getByRole('searchbox').fill(personId(QUEUED));
    await phone.page.locator('.person-row').getByRole('button', { name: /^签到/ }).click();
    await phone.page.getByText(/这一条没有保存。办公室已结束本机的工作/).waitFor();
    assert.equal((await server.deviceRow(phone.device)).applied, QUEUED);
    await phone.context.close();
  });
});

describe('a headcount that two phones wrote without seeing each other', () => {
  let one, two;
  const site = `#/site/${encodeURIComponent(EVENT.scope)}/${EVENT.id}`;
  const headcount = ({ page }) => page.getByLabel('实际到场', { exact: true });
  const shows = ({ page }, n) => page.waitForFunction((wanted) => document.querySelector('input[inputmode=numeric], .stepper input')?.value === wanted, String(n));

  before(async () => {
    [one, two] = await Promise.all([phoneNamed('门口的手机', 'lead'), phoneNamed('操场的手机', 'lead')]);
    for (const { page } of [one, two]) await page.evaluate((hash) => (location.hash = hash), site);
  });
  after(() => Promise.all([one, two].map((phone) => phone?.context.close())));

  async function count(phone, n) {
    await headcount(phone).fill(String(n));
    await phone.page.getByRole('button', { name: '保存人数' }).click();
    await phone.page.getByText(`到场人数已记为 ${n}`).waitFor();
  }

  /** Both count without coverage, and the one that counted last comes back first. What was counted last is on show
   *  on both. */
  async function apart(first, second) {
    await Promise.all([one, two].map(async ({ page, context }) => {
      await context.setOffline(true);
      await page.evaluate((hash) => (location.hash = hash), site);
    }));
    await count(one, first);
    // Later by more than a hello may be on its way: by that the server knows what a phone's clock says.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await count(two, second);
    for (const { page, context } of [two, one]) {
      await context.setOffline(false);
      await allArrived(page);
    }
    await Promise.all([one, two].map((phone) => shows(phone, second)));
  }

  async function openConflict({ page }, lost, shown) {
    await goTo(page, '#/conflicts');
    await page.getByRole('row', { name: /到场人数/ }).first().click();
    await card(page, '落选的').locator('.side-value', { hasText: String(lost) }).waitFor();
    await card(page, '在用的').locator('.side-value', { hasText: String(shown) }).waitFor();
    // Who wrote which stands beside it.
    assert.match(await card(page, '落选的').innerText(), /门口的手机/);
    assert.match(await card(page, '在用的').innerText(), /操场的手机/);
  }

  const noneOpen = async () => (await server.admin('GET', '/v1/conflicts?limit=200')).conflicts.filter(({ field }) => field === 'headcount');

  it('is kept as it is: both phones go on showing it, and the one that lost is told', async () => {
    await apart(40, 42);
    await one.page.evaluate(() => (location.hash = '#/sync'));
    await one.page.getByText('与别人的修改不一致（1 条）').waitFor();
    await openConflict(mei, 40, 42);
    await button(card(mei.page, '在用的'), '保留这个').click();
    await mei.page.getByText('已了结：保留在用的').waitFor();
    assert.deepEqual(await noneOpen(), []);
    assert.equal((await eventNow()).headcount, 42);
    await one.page.evaluate((hash) => (location.hash = hash), site);
    for (const phone of [one, two]) await shows(phone, 42);
  });

  it('is taken: both phones show the one that had lost', async () => {
    await apart(51, 53);
    await openConflict(mei, 51, 53);
    await button(card(mei.page, '落选的'), '改用这个').click();
    await mei.page.getByText('已了结：改用落选的').waitFor();
    for (const phone of [one, two]) await shows(phone, 51);
    assert.deepEqual(await noneOpen(), []);
    await mei.page.getByText('已了结', { exact: true }).first().waitFor();
  });

  it('is written anew: both phones show the third value', async () => {
    await apart(60, 64);
    await openConflict(mei, 60, 64);
    await mei.page.getByLabel('到场人数').fill('-1');
    await button(mei.page, '写入并了结').click();
    await mei.page.getByText('不能小于 0。').waitFor();
    assert.equal((await eventNow()).headcount, 64);
    await mei.page.getByLabel('到场人数').fill('62');
    await button(mei.page, '写入并了结').click();
    await mei.page.getByText('已了结：写入了新值').waitFor();
    for (const phone of [one, two]) await shows(phone, 62);
    assert.deepEqual(await noneOpen(), []);
  });

  it('two administrators decide at once: one of them is told by whom it was settled, beside all three values', async () => {
    await apart(70, 74);
    await openConflict(mei, 70, 74);
    await openConflict(jie, 70, 74);
    await jie.page.getByLabel('到场人数').fill('72');
    // Within the same moment: the server puts one behind the other.
    await Promise.all([button(card(mei.page, '落选的'), '改用这个').click(), button(jie.page, '写入并了结').click()]);
    const told = await Promise.race([jie.page.getByText('李梅 刚刚了结了它').waitFor().then(() => 'jie'), mei.page.getByText('陈杰 刚刚了结了它').waitFor().then(() => 'mei')]);
    const [loser, winner] = told === 'jie' ? [jie, mei] : [mei, jie];
    const value = told === 'jie' ? 70 : 72;
    await winner.page.getByText(/已了结：(改用落选的|写入了新值)/).waitFor();
    const banner = loser.page.getByRole('alert').filter({ hasText: '刚刚了结了它' });
    assert.match(await banner.innerText(), /您的决定没有执行，填写的还在下面。/);
    assert.match(await banner.innerText(), new RegExp(told === 'jie' ? '74[\\s\\S]*70[\\s\\S]*72' : '74[\\s\\S]*72'));
    if (told === 'jie') assert.equal(await jie.page.getByLabel('到场人数').inputValue(), '72');
    for (const phone of [one, two]) await shows(phone, value);
    assert.equal((await eventNow()).headcount, value);
    const { audit } = await server.admin('GET', '/v1/audit?limit=1000');
    assert.equal(audit.filter(({ what }) => what === 'conflict.settled').length, 4);
  });
});

describe('a session that ends in the middle of an edit', () => {
  const record = `#/records/${encodeURIComponent(EVENT.scope)}/volunteer/${personId(3)}`;
  const volunteer = async () => (await server.admin('GET', `/v1/records?scope=${encodeURIComponent(EVENT.scope)}&coll=volunteer&id=${personId(3)}`)).records[0].fields;

  async function halfWritten(name) {
    const desk = await signedInDesk(browser, server, name);
    await goTo(desk.page, record);
    await button(desk.page, '编辑').click();
    await desk.page.getByLabel('所属队伍').fill('夜间巡河队');
    await desk.page.getByLabel('备注').fill('周末可到岗');
    // It ends on the server, as after its longest age; the browser goes on sending what it was known by.
    const ended = await desk.page.evaluate(async () => {
      const { csrf } = await (await fetch('/v1/session')).json();
      return (await fetch('/v1/session', { method: 'DELETE', headers: { 'x-csrf-token': csrf } })).status;
    });
    assert.ok(ended < 300, String(ended));
    return desk;
  }

  it('asks for the sign-in over the page; after a wrong password and the right one the edit goes through, once', async () => {
    const { page, context } = await halfWritten('limei');
    await button(page, '保存').click();
    const again = page.getByRole('dialog', { name: '请重新登录' });
    await again.getByText('登录已过期。已填写的内容都还在，登录后会接着做。').waitFor();
    assert.equal((await volunteer()).team === '夜间巡河队', false);
    await signIn(page, 'limei', 'not the password at all');
    await again.getByText('用户名、密码或验证码不对。').waitFor();
    assert.equal(await page.getByLabel('所属队伍').inputValue(), '夜间巡河队');
    await signIn(page, 'limei');
    await page.getByText('已保存').waitFor();
    const { team, note } = await volunteer();
    assert.deepEqual([team, note], ['夜间巡河队', '周末可到岗']);
    const { history } = await server.admin('GET', `/v1/history?scope=${encodeURIComponent(EVENT.scope)}&coll=volunteer&id=${personId(3)}`);
    assert.deepEqual(history.filter(({ op }) => op.set?.team === '夜间巡河队').map(({ name }) => name), ['李梅']);
    await context.close();
  });

  it('given up for somebody else’s sign-in it is not sent under their name', async () => {
    await account(server, 'xulan', '许兰', 'office');
    const before = await volunteer();
    const { page, context } = await halfWritten('chenjie');
    await page.getByLabel('备注').fill('这句不该以别人的名义写入');
    await button(page, '保存').click();
    const again = page.getByRole('dialog', { name: '请重新登录' });
    await again.waitFor();
    await button(again, '放弃，换个账号登录').click();
    await signIn(page, 'xulan');
    await page.locator('.side').getByText('许兰').waitFor();
    assert.deepEqual(await volunteer(), before);
    assert.equal(await page.getByText('这句不该以别人的名义写入').count(), 0);
    const { history } = await server.admin('GET', `/v1/history?scope=${encodeURIComponent(EVENT.scope)}&coll=volunteer&id=${personId(3)}`);
    assert.equal(history.filter(({ name }) => name === '许兰').length, 0);
    await context.close();
  });
});

describe('a wall and a desk open side by side while the server restarts', () => {
  it('both say since when, keep what they show, and go on: also with what was handed in right after', async () => {
    const wall = await signedInDesk(browser, server, 'limei', { viewport: { width: 1920, height: 1080 } });
    await wall.page.evaluate(() => (location.hash = '#/wall'));
    const came = (page) => page.locator('[data-figure="came"] strong').innerText();
    await wall.page.getByText('实时', { exact: true }).waitFor();
    await goTo(mei.page, '#/today');
    const n = Number(await came(wall.page));
    const phone = await phoneNamed('车上的手机', 'volunteer');
    await server.kill(); // as in a power cut
    await wall.page.getByRole('alert').getByText(/^联系不上服务器，数字停在 \d\d:\d\d:\d\d$/).waitFor();
    await mei.page.getByText('联系不上服务器，正在重试').waitFor();
    await mei.page.getByText('显示的是断开前的内容，已填写的不会丢失。恢复后会自动继续。').waitFor();
    assert.deepEqual([await came(wall.page), await came(mei.page)], [String(n), String(n)]);
    await phone.page.getByRole('searchbox').fill(personId(PEOPLE - 1));
    await phone.page.locator('.person-row').getByRole('button', { name: /^签到/ }).click();
    await phone.page.locator('.sync-line', { hasText: '1 条待上传' }).waitFor();
    await server.start();
    await allArrived(phone.page);
    for (const { page } of [wall, mei]) {
      await page.waitForFunction((wanted) => document.querySelector('[data-figure="came"] strong')?.textContent === wanted, String(n + 1));
      await page.getByText('实时', { exact: true }).waitFor();
      assert.equal(await page.getByText(/联系不上服务器/).count(), 0);
    }
    assert.deepEqual(wall.errors, []);
    await Promise.all([wall, phone].map(({ context }) => context.close()));
  });
});
