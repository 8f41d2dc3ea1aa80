// What the office decides about a phone, a clock that is wrong, and the other language.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT, personId, personName } from './city.mjs';
import { allArrived, browserFor, enrolledPhone, openPhone } from './phone.mjs';

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

const phoneNamed = async (name, options) => {
  const phone = await enrolledPhone(browser, server, { role: 'volunteer', name, scopes: [EVENT.scope], ...options });
  await phone.page.getByRole('button', { name: /进东社区便民服务日/ }).click();
  await phone.page.locator('.person-row').first().waitFor();
  const { devices } = await server.admin('GET', '/v1/devices');
  return { ...phone, device: devices.find((row) => row.name === name).device };
};
const decide = (device, what, body) => server.admin('POST', `/v1/devices/${device}/${what}`, body);
const signInFirst = (page) => page.locator('.person-row').getByRole('button', { name: /^签到/ }).first().click();

describe('the office', () => {
  it('ends a phone’s work: it hands in, and says that nothing new is kept', async () => {
    const { page, device } = await phoneNamed('交回');
    await decide(device, 'drain');
    await page.getByText('本机的工作已由办公室结束').waitFor();
    await signInFirst(page);
    await page.getByText(/这一条没有保存。办公室已结束本机的工作/).waitFor();
  });

  it('shuts a phone out, and lets it in again', async () => {
    const { page, device } = await phoneNamed('停用');
    await decide(device, 'revoke');
    await page.getByRole('heading', { name: '这台手机已被停用' }).waitFor();
    await decide(device, 'restore');
    await page.getByRole('button', { name: '再试一次' }).click();
    await page.locator('.person-row').first().waitFor();
  });

  it('has a phone wiped: nothing is left on it, and it can be enrolled again', async () => {
    const { page, device } = await phoneNamed('清除');
    await decide(device, 'wipe', { now: false });
    await page.getByRole('heading', { name: '本机的内容已清除' }).waitFor();
    await page.getByRole('button', { name: '重新登记' }).click();
    await page.getByLabel('登记码').fill(await server.createCode([EVENT.scope], { role: 'volunteer' }));
    await page.getByRole('button', { name: '用登记码登记' }).click();
    await page.getByRole('heading', { name: '我的活动' }).waitFor();
  });
});

describe('signing out', () => {
  it('removes everything when all has arrived', async () => {
    const { page } = await phoneNamed('退出');
    await signInFirst(page);
    await allArrived(page);
    await page.goto(`${server.url}/app/#/about`);
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.getByRole('button', { name: '退出并清除' }).click();
    await page.getByRole('heading', { name: '本机的内容已清除' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: /登记这台手机|本机的内容已清除/ }).waitFor();
  });

  it('does not while something waits that cannot be sent, unless told to', async () => {
    const { page, context } = await phoneNamed('带着记录退出');
    await context.setOffline(true);
    await signInFirst(page);
    await page.locator('.sync-line', { hasText: '1 条待上传' }).waitFor();
    await page.evaluate(() => (location.hash = '#/about'));
    await page.getByRole('button', { name: '退出登录' }).click();
    await page.getByRole('button', { name: '先上传，再退出' }).click();
    await page.getByText('现在不能退出').waitFor();
    await page.getByRole('button', { name: '取消' }).click();
    await page.locator('.sync-line', { hasText: '1 条待上传' }).waitFor();
  });
});

describe('a clock that is wrong', () => {
  it('is told, and times in records are right all the same', async () => {
    const code = await server.createCode([EVENT.scope], { role: 'volunteer', name: '慢钟' });
    const { page, context } = await openPhone(browser, server);
    await context.addInitScript(() => {
      const RealDate = Date;
      const late = 50 * 60_000;
      globalThis.Date = class extends RealDate {
        constructor(...args) {
          super(...(args.length === 0 ? [RealDate.now() - late] : args));
        }
        static now() {
          return RealDate.now() - late;
        }
      };
    });
    await page.reload();
    await page.getByLabel('登记码').fill(code);
    await page.getByRole('button', { name: '用登记码登记' }).click();
    await page.getByText('手机时间慢了 50 分钟').waitFor();
    await page.getByRole('button', { name: /进东社区便民服务日/ }).click();
    await page.getByRole('searchbox').fill(personId(3));
    await page.locator('.person-row').getByRole('button', { name: /^签到/ }).click();
    let record;
    for (let tries = 0; record === undefined && tries < 100; ++tries) {
      await page.waitForTimeout(100);
      [record] = await server.all(`/v1/records?scope=${EVENT.scope}&coll=attendance&id=${EVENT.id}~${personId(3)}`, 'records');
    }
    assert.ok(Math.abs(Date.parse(record.fields.signed_in) - Date.now()) < 60_000);
  });
});

describe('English', () => {
  it('is one tap away, stays, and leaves no Chinese sentence behind', async () => {
    const { page } = await openPhone(browser, server);
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'Enrol this phone' }).waitFor();
    await page.locator('html[lang=en]').waitFor({ state: 'attached' });
    await page.getByLabel('Enrolment code').fill(await server.createCode([EVENT.scope], { role: 'lead' }));
    await page.getByRole('button', { name: 'Enrol with the code' }).click();
    await page.getByRole('heading', { name: 'My events' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'My events' }).waitFor();
    for (const hash of ['#/about', '#/sync', '#/handover', `#/walkin/${EVENT.scope}/${EVENT.id}`, `#/closing/${EVENT.scope}/${EVENT.id}`]) {
      await page.evaluate((next) => (location.hash = next), hash);
      await page.waitForTimeout(200);
      let words = (await page.locator('body').innerText()).replaceAll(/中文|进东社区便民服务日/g, '');
      for (let i = 0; i < 6; ++i) words = words.replaceAll(personName(i), '');
      assert.doesNotMatch(words, /[\u4e00-\u9fff]/, hash);
    }
  });
});
