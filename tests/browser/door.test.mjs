// A volunteer and a team lead at the door of an event.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT, personId, personName } from './city.mjs';
import { allArrived, browserFor, enrolledPhone, openPhone, syncSays } from './phone.mjs';

let server, browser, office;
before(async () => {
  server = await startServer();
  office = await buildCity(server);
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

const atDoor = async (role, name) => {
  const phone = await enrolledPhone(browser, server, { role, name, scopes: [EVENT.scope, 'event:e103', 'event:e105'] });
  await phone.page.getByRole('button', { name: /进东社区便民服务日/ }).click();
  await phone.page.locator('.person-row').first().waitFor();
  return phone;
};
const attendance = async (i) => {
  await office.sync();
  return office.view(EVENT.scope, 'attendance', `${EVENT.id}~${personId(i)}`)?.fields ?? {};
};
const row = (page, i) => page.locator('.person-row', { hasText: personName(i) });
// Only what is on screen is drawn: somebody is found first.
const find = async (page, text) => {
  await page.getByRole('searchbox').fill(text);
  await page.locator('.person-row').first().waitFor();
};
const tap = async (page, i, what) => {
  await find(page, personId(i));
  await row(page, i).getByRole('button', { name: new RegExp(`^${what}`) }).click();
};
const offers = async (page, i, what) => {
  await find(page, personId(i));
  await row(page, i).getByRole('button', { name: new RegExp(`^${what}`) }).waitFor();
};

describe('enrolment', () => {
  it('takes a typed code, and says what is wrong with a wrong one', async () => {
    const { page } = await openPhone(browser, server);
    await page.getByLabel('登记码').fill('abcde');
    await page.getByRole('button', { name: '用登记码登记' }).click();
    await page.getByText('登记码是 10 位字母和数字').waitFor();
    await page.getByLabel('登记码').fill('00000-00000');
    await page.getByRole('button', { name: '用登记码登记' }).click();
    await page.getByText('没有这个登记码').waitFor();
    await page.getByLabel('登记码').fill((await server.createCode([EVENT.scope], { role: 'volunteer' })).toLowerCase());
    await page.getByRole('button', { name: '用登记码登记' }).click();
    await page.getByRole('heading', { name: '我的活动' }).waitFor();
  });

  it('comes with the code from a link', async () => {
    const code = await server.createCode([EVENT.scope], { role: 'volunteer' });
    const { page } = await openPhone(browser, server, { path: `/app/#/enroll?code=${code.replace('-', '')}` });
    await page.getByRole('button', { name: '用登记码登记' }).click();
    await page.getByRole('heading', { name: '我的活动' }).waitFor();
  });
});

describe('my events', () => {
  it('are grouped by today, coming and past', async () => {
    const { page } = await enrolledPhone(browser, server, { role: 'volunteer', scopes: [EVENT.scope, 'event:e103', 'event:e105'] });
    await page.getByRole('heading', { name: '今天' }).waitFor();
    for (const event of ['进东社区便民服务日', '暖冬义诊进乡村', '非遗剪纸进校园']) await page.getByText(event).waitFor();
    const text = await page.locator('main').innerText();
    const order = ['今天', '进东社区便民服务日', '即将开始', '暖冬义诊进乡村', '已过去', '非遗剪纸进校园'].map((part) => text.indexOf(part));
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
    assert.ok(order.every((at) => at >= 0));
  });
});

describe('the roster', () => {
  it('signs in and out in one tap each, and each can be undone', async () => {
    const { page, errors } = await atDoor('lead', '门口一号');
    await row(page, 0).getByRole('button', { name: /^签到/ }).click();
    await row(page, 0).getByRole('button', { name: /^签退/ }).waitFor();
    await page.getByRole('button', { name: '已签到 1', exact: true }).waitFor();
    await allArrived(page);
    assert.match((await attendance(0)).signed_in, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);
    await row(page, 0).getByRole('button', { name: /^签退/ }).click();
    await row(page, 0).getByText('0 小时').waitFor();
    await page.locator('.toast').getByRole('button', { name: '撤销' }).click();
    await row(page, 0).getByRole('button', { name: /^签退/ }).waitFor();
    await row(page, 0).locator('.who').click();
    await page.getByRole('dialog').getByRole('button', { name: '撤销签到' }).click();
    await page.keyboard.press('Escape');
    await row(page, 0).getByRole('button', { name: /^签到/ }).waitFor();
    await allArrived(page);
    const { signed_in, signed_out } = await attendance(0);
    assert.equal(signed_in, undefined);
    assert.equal(signed_out, undefined);
    assert.deepEqual(errors, []);
  });

  it('is searched by name, number, and initials, also by how a surname is read', async () => {
    const { page } = await atDoor('volunteer', '门口二号');
    const search = page.getByRole('searchbox');
    await search.fill(personName(3).slice(0, 2));
    await row(page, 3).waitFor();
    await row(page, 4).waitFor({ state: 'detached' });
    await search.fill(personId(7));
    await page.waitForFunction((name) => document.querySelectorAll('.person-row').length === 1 && document.body.innerText.includes(name), personName(7));
    await search.fill('sw'); // 单伟: read "shan" as a surname
    await row(page, 18).waitFor();
    await search.fill('dw'); // and "dan" as a word
    await row(page, 18).waitFor();
    await search.fill('zzzz');
    await page.getByText('没有找到').waitFor();
  });

  it('shows who is here and who is still to leave', async () => {
    const { page } = await atDoor('volunteer', '门口三号');
    for (const i of [1, 2]) {
      await tap(page, i, '签到');
      await offers(page, i, '签退');
    }
    await tap(page, 2, '签退');
    await page.getByRole('searchbox').fill('');
    await page.getByRole('button', { name: /^未签退/ }).click();
    await row(page, 1).waitFor();
    await row(page, 2).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^已签到/ }).click();
    await row(page, 2).waitFor();
  });
});

describe('walk-ins', () => {
  it('are added and signed in by a lead, both or neither', async () => {
    const { page } = await atDoor('lead', '领队');
    await page.getByRole('button', { name: '现场登记' }).click();
    await page.getByLabel('姓名').fill('欧阳明');
    await page.getByLabel(/统一志愿者编号/).fill('445299990001');
    await page.getByRole('button', { name: '登记并签到' }).click();
    await find(page, '欧阳明');
    await page.locator('.person-row', { hasText: '欧阳明' }).getByRole('button', { name: /^签退/ }).waitFor();
    await allArrived(page);
    await office.sync();
    assert.equal(office.view(EVENT.scope, 'volunteer', '445299990001').fields.name, '欧阳明');
    assert.ok(office.view(EVENT.scope, 'attendance', 'e101~445299990001').fields.signed_in);
  });

  it('are not offered to a volunteer, who is told whom to ask', async () => {
    const { page } = await atDoor('volunteer', '志愿者');
    await page.getByRole('button', { name: '现场登记' }).click();
    await page.getByText('现场登记由领队来做').waitFor();
    assert.equal(await page.getByLabel('姓名').count(), 0);
  });
});

describe('two phones at one door', () => {
  it('show one truth once both are online again', async () => {
    const one = await atDoor('volunteer', '甲');
    const two = await atDoor('volunteer', '乙');
    for (const { context } of [one, two]) await context.setOffline(true);
    await tap(one.page, 4, '签到');
    await tap(two.page, 4, '签到');
    await tap(two.page, 5, '签到');
    await offers(two.page, 5, '签退');
    await syncSays(one.page, '1 条待上传（离线）');
    await syncSays(two.page, '2 条待上传（离线）');
    for (const { context } of [one, two]) await context.setOffline(false);
    for (const { page } of [one, two]) await allArrived(page);
    for (const { page } of [one, two]) {
      await offers(page, 4, '签退');
      await offers(page, 5, '签退');
    }
  });
});

describe('the end of an event', () => {
  it('shows who is still in and what is open, and confirms hours', async () => {
    const { page } = await atDoor('lead', '收尾');
    await tap(page, 9, '签到');
    await offers(page, 9, '签退');
    await page.getByRole('button', { name: '现场', exact: true }).click();
    await page.getByRole('button', { name: '实际到场：加一' }).click();
    await page.getByRole('button', { name: '保存人数' }).click();
    await page.getByLabel('写一条记录').fill('下午有小雨，移到室内');
    await page.getByRole('button', { name: '添加' }).click();
    await page.getByText('下午有小雨，移到室内').waitFor();
    await page.getByRole('button', { name: '结束活动' }).click();
    await page.getByText(/\d+ 人未签退/).waitFor();
    await page.getByRole('button', { name: '全部签退' }).click();
    await page.getByText('所有人都已签退').waitFor();
    await page.getByRole('button', { name: '按签到签退确认' }).click();
    await page.getByText('时长都已确认').waitFor();
    await page.getByRole('main').getByRole('button', { name: '结束活动' }).click();
    await page.getByRole('button', { name: '重新打开活动' }).waitFor();
    await allArrived(page);
    assert.ok((await attendance(9)).signed_out);
    assert.equal((await attendance(9)).minutes, 0);
    assert.equal(office.view(EVENT.scope, 'event', EVENT.id).fields.state, 'closed');
  });
});
