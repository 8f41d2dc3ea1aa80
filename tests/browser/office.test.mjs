// The city office at work: how its first administrator comes in, how phones are enrolled, moved and taken
// back, and what it does when a session ends, the server goes, or two decide at once.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { findings } from './barriers.mjs';
import { buildCity, EVENT, personId, STATION } from './city.mjs';
import { account, authenticatorCode, DESK, goTo, NARROW, openDesk, PASSWORD, signedInDesk, signIn } from './office_desk.mjs';
import { allArrived, browserFor, enroll, enrolledPhone, openPhone } from './phone.mjs';

let server, browser;
before(async () => {
  server = await startServer();
  await buildCity(server, { people: 6 });
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

const button = (page, name) => page.getByRole('button', { name, exact: true });
const deviceNamed = async (name) => (await server.admin('GET', '/v1/devices')).devices.find((row) => row.name === name);

async function pickScope(page, text) {
  await page.getByRole('combobox', { name: '添加范围' }).fill(text);
  await page.getByRole('option', { name: text }).click();
}

async function phoneNamed(name, options = {}) {
  const phone = await enrolledPhone(browser, server, { role: 'volunteer', name, scopes: [EVENT.scope], ...options });
  await phone.page.locator('.event-card').first().waitFor();
  return { ...phone, device: (await deviceNamed(name)).device };
}

describe('coming in', () => {
  it('the first link makes the administrator, who sets a second factor and needs it from then on', async () => {
    const { path, secret } = await server.admin('POST', '/v1/office/first');
    const { page, errors } = await openDesk(browser, server, { path });
    await page.getByLabel('用户名').fill('limei');
    await page.getByLabel('姓名').fill('李梅');
    await page.getByLabel('密码', { exact: true }).fill('short');
    await page.getByLabel('再输入一次密码').fill(PASSWORD);
    await button(page, '设置密码').click();
    await page.getByText('密码至少要有 12 个字符。').waitFor();
    await page.getByLabel('密码', { exact: true }).fill(PASSWORD);
    await button(page, '设置密码').click();
    await page.getByText('账号 limei 已设置好，请登录。').waitFor();
    assert.ok(!page.url().includes(secret), page.url());

    await signIn(page, 'limei');
    await page.locator('.side').waitFor();
    await goTo(page, '#/me');
    const factor = page.locator('.card', { hasText: '第二道验证' }).first();
    await factor.getByLabel('密码').fill(PASSWORD);
    await button(factor, '开启').click();
    await factor.getByRole('img', { name: '验证器的二维码' }).waitFor();
    const key = (await factor.locator('.secret').innerText()).replaceAll(' ', '');
    await factor.getByLabel('验证码').fill(authenticatorCode(key));
    await button(factor, '确认开启').click();
    await factor.locator('.recovery').waitFor();
    const codes = await factor.locator('.recovery li').allInnerTexts();
    assert.equal(codes.length, 10);

    await page.locator('.side').getByRole('button', { name: '退出' }).click();
    await signIn(page, 'limei');
    await page.getByLabel('验证码').fill(codes[3]);
    await button(page, '登录').click();
    await page.locator('.side').getByText('李梅').waitFor();
    assert.deepEqual(errors, []);

    const again = await openDesk(browser, server, { path });
    await again.page.getByText('链接无效、已用过或已过期，请向管理员要一个新的。').waitFor();
    await again.context.close();
    await page.context().close();
  });

  it('a colleague comes in by a link that is shown once, and is not offered what only administrators may do', async () => {
    await account(server, 'wangqi', '王琪', 'administrator');
    const { page } = await signedInDesk(browser, server, 'wangqi');
    await goTo(page, '#/accounts');
    await page.getByRole('link', { name: '添加账号' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('姓名').fill('陈杰');
    await dialog.getByLabel('用户名').fill('chenjie');
    await button(dialog, '添加并生成链接').click();
    const link = await page.locator('.link-box').innerText();
    await page.context().close();

    const { page: other, context } = await openDesk(browser, server, { path: new URL(link).pathname + new URL(link).hash });
    await other.getByLabel('密码', { exact: true }).fill(PASSWORD);
    await other.getByLabel('再输入一次密码').fill(PASSWORD);
    await button(other, '设置密码').click();
    await signIn(other, 'chenjie');
    await goTo(other, '#/devices');
    await other.locator('table.data').waitFor();
    assert.equal(await other.getByRole('link', { name: '登记设备' }).count(), 0);
    assert.deepEqual(await other.locator('.side nav a').allInnerTexts().then((names) => names.filter((name) => /账号|日志|查询/.test(name))), []);
    await other.evaluate(() => (location.hash = '#/accounts'));
    await other.getByText('没有这个页面').waitFor();
    await context.close();
  });
});

describe('devices', () => {
  let desk;
  before(async () => {
    await account(server, 'huangmin', '黄敏', 'administrator');
    desk = await signedInDesk(browser, server, 'huangmin');
  });

  it('a sheet of slips is made; where it breaks off it says which were made; a phone enrols with one', async () => {
    const { page } = desk;
    await goTo(page, '#/devices/sheet');
    await page.getByLabel('设备名称，每行一台').fill('陈伟的手机\n林静怡的手机\n黄嘉豪的手机');
    await page.getByLabel('角色').selectOption('lead');
    await pickScope(page, '进东社区便民服务日');
    let made = 0;
    await page.route('**/v1/codes', (route) => (++made === 3 ? route.abort() : route.continue()));
    await button(page, '生成 3 个登记码').click();
    await page.getByText('生成了 2 个，还差 1 个').waitFor();
    await page.getByText('已生成：陈伟的手机、林静怡的手机。可以先打印。').waitFor();
    await page.unroute('**/v1/codes');
    await button(page, '继续生成 1 个').click();
    await button(page, '打印 3 张').waitFor();
    assert.deepEqual(await page.locator('.slip h2').allInnerTexts(), ['陈伟的手机', '林静怡的手机', '黄嘉豪的手机']);
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.side').isVisible(), false);
    assert.equal(await page.locator('.slip svg').nth(2).isVisible(), true);
    await page.emulateMedia({ media: null });

    const code = await page.locator('.slip-code').nth(1).innerText();
    const phone = await openPhone(browser, server);
    await enroll(phone.page, code, '林静怡的手机');
    await phone.page.getByRole('button', { name: /进东社区便民服务日/ }).waitFor();
    await goTo(page, '#/devices?q=林静怡');
    await page.getByRole('link', { name: /林静怡的手机/ }).waitFor();
    await goTo(page, '#/devices/codes');
    await button(page, '撤回 陈伟的手机').click();
    await button(page.getByRole('dialog'), '撤回').click();
    await page.getByText('已撤回').waitFor();
    assert.ok(!(await server.admin('GET', '/v1/codes')).codes.some(({ name }) => name === '陈伟的手机'));
    await phone.context.close();
  });

  it('a sheet that is stopped half-way says how many were made, and no more are', async () => {
    const { page } = desk;
    await goTo(page, '#/devices/codes');
    await goTo(page, '#/devices/sheet');
    const names = Array.from({ length: 6 }, (_, i) => `停下的 ${i + 1} 号`);
    await page.getByLabel('设备名称，每行一台').fill(names.join('\n'));
    await page.getByLabel('全部范围').check();
    // The third one is on its way when it is stopped: it is made, and printed.
    let asked = 0;
    let answer;
    await page.route('**/v1/codes', async (route) => {
      if (route.request().method() === 'POST' && ++asked === 3) await new Promise((go) => (answer = go));
      await route.continue();
    });
    await button(page, '生成 6 个登记码').click();
    await page.getByText('已生成 2 / 6 个').waitFor();
    await button(page, '停下').click();
    answer();
    await page.getByText('生成了 3 个，还差 3 个').waitFor();
    await page.getByText('已按您的要求停下', { exact: false }).waitFor();
    await button(page, '打印 3 张').waitFor();
    const open = (await server.admin('GET', '/v1/codes')).codes.map(({ name }) => name).filter((name) => names.includes(name));
    assert.deepEqual(open.sort(), names.slice(0, 3));
    assert.deepEqual(await page.locator('.slip h2').allInnerTexts(), names.slice(0, 3));
    assert.equal(asked, 3);
    await page.unroute('**/v1/codes');
  });

  it('a phone that drains hands in its queue, and the page shows that nothing waits', async () => {
    const { page } = desk;
    const phone = await phoneNamed('收尾的手机');
    await phone.page.getByRole('button', { name: /进东社区便民服务日/ }).click();
    await phone.context.setOffline(true);
    await phone.page.locator('.person-row').getByRole('button', { name: /^签到/ }).first().click();
    await phone.page.locator('.sync-line.wait, .sync-line.plain').first().waitFor();
    await goTo(page, `#/devices/${phone.device}`);
    await button(page, '收尾').click();
    await button(page.getByRole('dialog'), '收尾').click();
    await page.locator('.page-head').getByText('收尾中').waitFor();
    await phone.context.setOffline(false);
    await phone.page.getByText('全部已送达，请把手机交还办公室。现在不能再新增记录。').waitFor();
    const row = await server.deviceRow(phone.device);
    assert.deepEqual([row.state, row.queued, row.applied], ['draining', 0, 1]);
    await phone.context.close();
  });

  it('a phone that is moved gets the new event and lets go of the old one', async () => {
    const { page } = desk;
    const phone = await phoneNamed('调动的手机');
    await goTo(page, `#/devices/${phone.device}`);
    await button(page, '调整').click();
    const dialog = page.getByRole('dialog');
    await button(dialog, `移除 ${EVENT.scope}`).click();
    await pickScope(dialog, '暖冬义诊进乡村');
    await button(dialog, '保存').click();
    await page.getByText('范围已调整').waitFor();
    await phone.page.getByRole('button', { name: /暖冬义诊进乡村/ }).waitFor();
    await phone.page.getByRole('button', { name: /进东社区便民服务日/ }).waitFor({ state: 'detached' });
    await phone.context.close();
  });

  it('a wipe asks for the device’s name, and the phone is empty afterwards', async () => {
    const { page } = desk;
    const phone = await phoneNamed('丢失的手机');
    await goTo(page, `#/devices/${phone.device}`);
    await button(page, '清除').click();
    const dialog = page.getByRole('dialog');
    assert.equal(await button(dialog, '清除').getAttribute('aria-disabled'), 'true');
    await dialog.getByLabel('请输入“丢失的手机”以确认').fill('丢失的手机');
    await button(dialog, '清除').click();
    await phone.page.getByRole('heading', { name: '本机的内容已清除' }).waitFor();
    await page.locator('.page-head').getByText('已清除').waitFor();
    await phone.context.close();
  });

  it('a new phone takes the place of another', async () => {
    const { page } = desk;
    const old = await phoneNamed('旧手机');
    await goTo(page, `#/devices/${old.device}`);
    await button(page, '换机').click();
    await button(page.getByRole('dialog'), '生成登记码').click();
    const next = await openPhone(browser, server);
    await enroll(next.page, await page.getByRole('dialog').locator('.big-code').innerText(), '新手机');
    await next.page.getByRole('button', { name: /进东社区便民服务日/ }).waitFor();
    assert.notEqual((await server.deviceRow(old.device)).replaced_by, null);
    await next.context.close();
    await old.context.close();
  });

  it('a form that was touched stays as it was typed while the page behind it goes on reading', async () => {
    const { page } = desk;
    const phone = await phoneNamed('边看边改');
    await goTo(page, `#/devices/${phone.device}`);
    await button(page, '更改').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('角色').selectOption('lead');
    await server.admin('PUT', `/v1/devices/${phone.device}/scopes`, { scopes: [EVENT.scope, 'event:e103'] });
    await page.getByText('暖冬义诊进乡村').first().waitFor({ state: 'attached', timeout: 40_000 });
    assert.equal(await dialog.getByLabel('角色').inputValue(), 'lead');
    await button(dialog, '取消').click();
    await phone.context.close();
  });

  it('why it may or may not is told in the language of the page', async () => {
    const { device } = await phoneNamed('问权限的手机');
    await account(server, 'luojing', '罗静', 'administrator');
    for (const [lang, foreign] of [['zh', /[A-Za-z]{3,}/], ['en', /[\u4e00-\u9fff]/]]) {
      const { page, context, errors } = await signedInDesk(browser, server, 'luojing', { lang });
      for (const [scope, coll, id] of [[EVENT.scope, 'volunteer', personId(0)], [EVENT.scope, 'attendance', `${EVENT.id}~${personId(0)}`], ['event:elsewhere', 'note', 'n1']]) {
        await goTo(page, `#/access?device=${device}&scope=${encodeURIComponent(scope)}&coll=${coll}&id=${id}`);
        await page.locator('.verdicts').waitFor();
        const said = await page.locator('.verdicts .two > .small:not(.code), .table-box td .two > .small:not(.code)').allInnerTexts();
        assert.ok(said.length > 5, coll);
        for (const text of said) assert.doesNotMatch(text.replaceAll(scope, ''), foreign, `${lang} ${coll}`);
      }
      assert.deepEqual(errors, []);
      await context.close();
    }
  });

  it('where two decide at once, the later sees what changed and keeps what was chosen', async () => {
    const { page } = desk;
    const phone = await phoneNamed('两人同改');
    await goTo(page, `#/devices/${phone.device}`);
    await button(page, '更改').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('角色').selectOption('lead');
    await server.admin('PUT', `/v1/devices/${phone.device}/role`, { role: 'station' });
    await button(dialog, '保存').click();
    await dialog.getByText('别人刚刚改过').first().waitFor();
    assert.deepEqual(await dialog.locator('.diff tbody td').allInnerTexts(), ['志愿者', '驿站值守', '领队']);
    await button(dialog, '仍按我的保存').click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal((await server.deviceRow(phone.device)).role, 'lead');
    await phone.context.close();
  });
});

describe('what can happen to a page', () => {
  it('a session that ends in the middle of an edit loses nothing: after the sign-in the edit goes through', async () => {
    await account(server, 'linxia', '林霞', 'administrator');
    await account(server, 'zhouping', '周平', 'office');
    const { page, context } = await signedInDesk(browser, server, 'linxia');
    await goTo(page, '#/accounts');
    await page.getByRole('link', { name: /周平/ }).click();
    const edit = page.getByRole('dialog', { name: '周平' });
    await edit.getByLabel('姓名').fill('周萍');
    await context.clearCookies();
    await button(edit, '保存').click();
    const again = page.getByRole('dialog', { name: '请重新登录' });
    await again.waitFor();
    // Browsers let a page prevent the first only.
    for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
    await again.waitFor();
    assert.equal(await edit.getByLabel('姓名').inputValue(), '周萍');
    await signIn(again.page(), 'linxia');
    await page.getByText('账号已保存').waitFor();
    const { accounts } = await server.admin('GET', '/v1/office/accounts');
    assert.equal(accounts.find(({ name }) => name === 'zhouping').display, '周萍');
    await context.close();
  });

  it('an edit is not sent under the name of somebody who has signed in in another tab', async () => {
    await account(server, 'sunli', '孙丽', 'administrator');
    await account(server, 'qiantao', '钱涛', 'administrator');
    await account(server, 'wujia', '吴佳', 'office');
    const { page, context } = await signedInDesk(browser, server, 'sunli');
    await goTo(page, '#/accounts');
    await page.getByRole('link', { name: /吴佳/ }).click();
    const edit = page.getByRole('dialog', { name: '吴佳' });
    await edit.getByLabel('姓名').fill('吴嘉');
    await context.clearCookies();
    const tab = await context.newPage();
    await tab.goto(`${server.url}/office/`);
    await signIn(tab, 'qiantao');
    await tab.locator('.side').getByText('钱涛').waitFor();
    await button(edit, '保存').click();
    await edit.getByText('现在登录的是 qiantao').waitFor();
    assert.equal(await edit.getByLabel('姓名').inputValue(), '吴嘉');
    const { accounts } = await server.admin('GET', '/v1/office/accounts');
    assert.equal(accounts.find(({ name }) => name === 'wujia').display, '吴佳');
    await context.close();
  });

  it('a sign-out ends the session that another tab has begun for the same person, and leaves that of somebody else', async () => {
    await account(server, 'maqian', '马倩', 'administrator');
    await account(server, 'gaofei', '高飞', 'office');
    const { page, context, errors } = await signedInDesk(browser, server, 'maqian');
    // A page that reads by itself would ask for a sign-in between the two sessions.
    await goTo(page, '#/me');
    const tab = await context.newPage();
    const elsewhere = async (name) => {
      await context.clearCookies();
      await tab.goto(`${server.url}/office/`);
      await signIn(tab, name);
      await tab.locator('.side').waitFor();
    };
    await elsewhere('gaofei');
    await button(page.locator('.side'), '退出').click();
    await page.getByText('现在登录的是 gaofei').waitFor();
    await page.locator('.side').getByText('高飞').waitFor();
    await tab.reload();
    await tab.locator('.side').getByText('高飞').waitFor();

    await elsewhere('gaofei');
    await button(page.locator('.side'), '退出').click();
    await page.getByLabel('用户名').waitFor();
    await tab.reload();
    await tab.getByLabel('用户名').waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('a sign-out that does not reach the server says so, and works later', async () => {
    await account(server, 'tanglin', '唐琳', 'office');
    const { page, context, errors } = await signedInDesk(browser, server, 'tanglin');
    await page.route('**/v1/session', (route) => (route.request().method() === 'DELETE' ? route.abort() : route.continue()));
    await button(page.locator('.side'), '退出').click();
    await page.getByText('没能退出').waitFor();
    await page.unroute('**/v1/session');
    await button(page.locator('.side'), '退出').click();
    await page.getByLabel('用户名').waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('Escape closes a dialog that nothing was typed into, and loses nothing of one that was', async () => {
    await account(server, 'shenyue', '沈悦', 'administrator');
    const { page, context, errors } = await signedInDesk(browser, server, 'shenyue');
    await goTo(page, '#/accounts?add=1');
    const dialog = page.getByRole('dialog', { name: '添加账号' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await goTo(page, '#/accounts?add=1');
    await dialog.getByLabel('用户名').fill('xinren');
    for (let i = 0; i < 3; i++) await page.keyboard.press('Escape');
    await page.mouse.click(5, 5);
    assert.equal(await dialog.getByLabel('用户名').inputValue(), 'xinren');
    await button(dialog, '取消').click();
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('the audit log is filtered by all words, in the address too, and says when nothing fits', async () => {
    await account(server, 'jiangtao', '江涛', 'administrator');
    const { page, context, errors } = await signedInDesk(browser, server, 'jiangtao');
    await goTo(page, '#/audit');
    const rows = page.locator('table.data tbody tr');
    await rows.nth(5).waitFor();
    await page.getByRole('searchbox').fill('JIANGTAO session.opened');
    await rows.filter({ hasNotText: '登录' }).first().waitFor({ state: 'detached' });
    assert.equal(await rows.count(), 1);
    assert.match(await rows.first().innerText(), /jiangtao/);
    await page.reload();
    await rows.filter({ hasText: 'jiangtao' }).first().waitFor();
    assert.equal(await page.getByRole('searchbox').inputValue(), 'JIANGTAO session.opened');
    await page.getByRole('searchbox').fill('没有这样的事');
    await page.getByRole('heading', { name: '没有符合的记录' }).waitFor();
    await page.getByRole('searchbox').fill('');
    await rows.nth(5).waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  it('another language keeps what was typed', async () => {
    await account(server, 'zhengke', '郑科', 'administrator');
    const { page, context } = await signedInDesk(browser, server, 'zhengke');
    await goTo(page, '#/devices/sheet');
    await page.getByLabel('设备名称，每行一台').fill('陈伟的手机');
    await page.locator('.side').getByRole('button', { name: 'English' }).click();
    await page.locator('.side').getByRole('button', { name: '中文' }).waitFor();
    assert.equal(await page.locator('form textarea').inputValue(), '陈伟的手机');
    assert.doesNotMatch(await page.locator('.page-head h1').innerText(), /[\u4e00-\u9fff]/);
    await context.close();
  });

  it('a server that restarts is waited for: the page says so, keeps what it shows, and goes on', async () => {
    await account(server, 'hejun', '何军', 'administrator');
    const { page, context } = await signedInDesk(browser, server, 'hejun');
    await goTo(page, '#/devices');
    await page.locator('table.data').waitFor();
    await server.stop();
    await page.getByLabel('名称或设备号').fill('新手机');
    await page.getByText('联系不上服务器，正在重试').waitFor();
    assert.ok(await page.locator('table.data').isVisible());
    await server.start();
    await page.getByText('联系不上服务器，正在重试').waitFor({ state: 'detached' });
    assert.equal(await page.getByLabel('名称或设备号').inputValue(), '新手机');
    await page.locator('.side').getByText('何军').waitFor();
    await context.close();
  });
});

describe('the policy', () => {
  it('on show is the server’s own; of an older server none is invented', async () => {
    await account(server, 'baoyu', '鲍雨', 'office');
    const { page, context } = await signedInDesk(browser, server, 'baoyu');
    const rule = { read: 'none', write: 'none' };
    const roles = Object.fromEntries(['volunteer', 'lead'].map((role) => [role, { title: { zh: `某${role}`, en: role }, others: rule, collections: { note: { read: { all_but: ['author'] }, write: { does: ['append'] } } } }]));
    await page.route('**/v1/policy', (route) => route.fulfill({ json: { version: 'a'.repeat(24), policy: { version: 1, roles } } }));
    await goTo(page, '#/policy');
    await page.getByRole('columnheader', { name: '某lead' }).waitFor();
    assert.match(await page.getByRole('row', { name: /note/ }).innerText(), /外的全部[\s\S]*只能追加/);
    await page.unroute('**/v1/policy');
    await page.route('**/v1/policy', (route) => route.fulfill({ status: 404, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: '', status: 404, code: 'http.not_found', detail: '/v1/policy' }) }));
    await goTo(page, '#/me');
    await goTo(page, '#/policy');
    await page.getByRole('heading', { name: '服务器给不出它的策略' }).waitFor();
    assert.equal(await page.locator('.matrix').count(), 0);
    await context.close();
  });
});

describe('no page has a barrier that axe-core can find', () => {
  // 2.5.8: what is clicked is at least 24 px in both directions, but for links in a sentence.
  const small = (page, where) => page.evaluate((place) => [...document.querySelectorAll('button, input, select, textarea, a.button, nav a')]
    .filter((element) => element.checkVisibility())
    .map((element) => ({ box: element.getBoundingClientRect(), html: element.outerHTML.slice(0, 90) }))
    .filter(({ box }) => box.width < 23.5 || box.height < 23.5)
    .map(({ box, html }) => `${place}: ${Math.round(box.width)}x${Math.round(box.height)}: ${html}`), where);

  for (const [lang, viewport, colorScheme] of [['zh', DESK, 'dark'], ['en', NARROW, 'light']]) {
    it(`${lang}, ${viewport.width} px, ${colorScheme}`, async () => {
      await account(server, `axe-${lang}`, `Axe ${lang}`, 'administrator');
      const { page, context } = await openDesk(browser, server, { lang, viewport, colorScheme });
      await page.locator('form').waitFor();
      const found = await findings(page, 'sign-in');
      await signIn(page, `axe-${lang}`);
      await page.locator('.side').waitFor({ state: 'attached' });
      const device = (await server.admin('GET', '/v1/devices')).devices.at(-1).device;
      const access = `#/access?device=${device}&scope=${encodeURIComponent(STATION.scope)}&coll=attendance&id=e101~${personId(0)}`;
      for (const [hash, ready] of [['#/devices', 'table.data'], [`#/devices/${device}`, '.decisions'], ['#/devices/new', 'form'], ['#/devices/sheet', 'form'], ['#/devices/codes', '.table-box'],
                                   ['#/accounts', 'table.data'], [access, '.verdicts'], ['#/policy', '.matrix'], ['#/audit', 'table.data'], ['#/me', 'form'], ['#/nowhere', '.empty'],
                                   ['#/accounts?add=1', 'dialog']]) {
        await page.evaluate((next) => (location.hash = next), hash);
        await page.locator(ready).first().waitFor();
        found.push(...(await findings(page, hash)), ...(await small(page, hash)));
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > viewport.width) found.push(`${hash}: wider than the screen: ${width}`);
      }
      assert.deepEqual(found, []);
      await context.close();
    });
  }
});
