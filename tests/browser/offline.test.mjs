// Without coverage and without worry: the server away, reloads, two tabs, a full phone, a file from hand to hand.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT, personId, personName } from './city.mjs';
import { allArrived, browserFor, enrolledPhone, syncLine, syncSays, workerReady } from './phone.mjs';

let server, browser, office, folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waystation-browser-'));
  server = await startServer();
  office = await buildCity(server, { people: 12 });
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

const atDoor = async (role, name, options) => {
  const phone = await enrolledPhone(browser, server, { role, name, scopes: [EVENT.scope], ...options });
  await openDoor(phone.page);
  return phone;
};
const openDoor = async (page) => {
  await page.getByRole('button', { name: /进东社区便民服务日/ }).click();
  await page.getByRole('searchbox').waitFor();
};
const person = async (page, i) => {
  await page.getByRole('searchbox').fill(personId(i));
  return page.locator('.person-row', { hasText: personName(i) });
};
const tap = async (page, i, what) => (await person(page, i)).getByRole('button', { name: new RegExp(`^${what}`) }).click();
const offers = async (page, i, what) => (await person(page, i)).getByRole('button', { name: new RegExp(`^${what}`) }).waitFor();
const attendance = async (i) => {
  await office.sync();
  return office.view(EVENT.scope, 'attendance', `${EVENT.id}~${personId(i)}`)?.fields ?? {};
};

describe('with the server stopped', () => {
  it('the app opens, shows what it holds, takes edits, and hands them in later', async () => {
    const { page, errors } = await atDoor('volunteer', '离线');
    await workerReady(page);
    await server.kill();
    await page.goto(`${server.url}/app/`);
    await openDoor(page);
    await tap(page, 0, '签到');
    await offers(page, 0, '签退');
    await page.reload();
    await offers(page, 0, '签退');
    await syncSays(page, '1 条待上传');
    await syncLine(page).click();
    await page.getByText(/签到：/).waitFor();
    await server.start();
    await page.getByRole('button', { name: '立即同步' }).click();
    await allArrived(page);
    assert.ok((await attendance(0)).signed_in);
    assert.deepEqual(errors.filter((text) => !text.includes('WebSocket')), []);
  });
});

describe('a reload in the middle of an edit', () => {
  it('keeps what was shown as kept', async () => {
    const { page, context } = await atDoor('volunteer', '重载');
    await workerReady(page);
    await context.setOffline(true);
    for (let i = 1; i < 5; ++i) {
      await tap(page, i, '签到');
      // No longer "being saved": it waits to be sent.
      await (await person(page, i)).getByText('待上传').waitFor();
      await page.reload();
      await offers(page, i, '签退');
    }
    await syncSays(page, '4 条待上传');
    await context.setOffline(false);
    await allArrived(page);
    for (let i = 1; i < 5; ++i) assert.ok((await attendance(i)).signed_in);
  });
});

describe('two tabs', () => {
  it('show the same, say so, and send each edit once', async () => {
    const { page, context } = await atDoor('volunteer', '两窗');
    const second = await context.newPage();
    await second.goto(`${server.url}/app/`);
    await second.getByText('本应用在另一个窗口也打开着').waitFor();
    await openDoor(second);
    await tap(page, 6, '签到');
    await offers(second, 6, '签退');
    await tap(second, 6, '签退');
    await (await person(page, 6)).getByText('0 小时').waitFor();
    await allArrived(page);
    await allArrived(second);
    const { signed_in, signed_out } = await attendance(6);
    assert.ok(signed_in && signed_out);
    const history = await server.all(`/v1/history?scope=${EVENT.scope}&coll=attendance&id=${EVENT.id}~${personId(6)}`, 'history');
    assert.equal(history.length, 2);
  });
});

describe('a full phone', () => {
  it('says that the edit was not kept, and shows nothing as kept that is not', async () => {
    const { page } = await atDoor('volunteer', '已满');
    // From now on the browser refuses to store, as a full disk makes it.
    await page.evaluate(() => {
      IDBObjectStore.prototype.put = function put() {
        throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
      };
    });
    await tap(page, 7, '签到');
    await page.getByText('手机存储已满：刚才的记录没有保存').waitFor();
    await syncSays(page, '存储已满');
    await offers(page, 7, '签到');
    await page.reload();
    await tap(page, 7, '签到');
    await offers(page, 7, '签退');
    assert.equal(await page.getByText('手机存储已满').count(), 0);
  });
});

describe('a phone without Internet', () => {
  it('gives its day to another as a file, and nothing arrives twice', async () => {
    const far = await atDoor('volunteer', '山里');
    await far.context.setOffline(true);
    await tap(far.page, 8, '签到');
    await tap(far.page, 9, '签到');
    await syncLine(far.page).click();
    await far.page.getByRole('button', { name: '交给另一台手机' }).click();
    const [download] = await Promise.all([far.page.waitForEvent('download'), far.page.getByRole('button', { name: '保存文件（2 条）' }).click()]);
    const file = join(folder, 'queue.json');
    await download.saveAs(file);
    const near = await enrolledPhone(browser, server, { role: 'volunteer', name: '镇上', scopes: ['event:e103'] });
    await near.page.goto(`${server.url}/app/#/handover`);
    await near.page.locator('input[type=file]').setInputFiles(file);
    await near.page.getByText('已收下 2 条').waitFor();
    await near.page.getByText('2 条已送达').waitFor();
    assert.ok((await attendance(8)).signed_in);
    await far.context.setOffline(false);
    await allArrived(far.page);
    const history = await server.all(`/v1/history?scope=${EVENT.scope}&coll=attendance&id=${EVENT.id}~${personId(8)}`, 'history');
    assert.equal(history.length, 1);
  });

  it('is told when a file is none of ours', async () => {
    const { page } = await atDoor('volunteer', '误选');
    await page.goto(`${server.url}/app/#/handover`);
    await page.locator('input[type=file]').setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from('not json') });
    await page.getByText('这不是驿站随行的文件').waitFor();
  });
});

describe('an edit that is refused', () => {
  it('is told with its reason and what to do, and leaves the line when read', async () => {
    const { page, context } = await atDoor('volunteer', '被拒');
    await context.setOffline(true);
    const { devices } = await server.admin('GET', '/v1/devices');
    const { device } = devices.find((row) => row.name === '被拒');
    await server.admin('PUT', `/v1/devices/${device}/role`, { role: 'station' });
    await tap(page, 10, '签到');
    await offers(page, 10, '签退');
    await context.setOffline(false);
    await page.locator('.sync-line.bad').click();
    await page.getByText('这台手机的角色不能做这项修改。').waitFor();
    await page.getByText('请领队来改，或请办公室更改角色。').waitFor();
    await page.getByRole('button', { name: '知道了' }).click();
    await allArrived(page);
  });
});
