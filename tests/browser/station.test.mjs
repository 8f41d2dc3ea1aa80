// Two tablets on one counter.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT, STATION } from './city.mjs';
import { allArrived, browserFor, enrolledPhone, syncSays, TABLET } from './phone.mjs';

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

const atCounter = async (name, options = {}) => {
  const tablet = await enrolledPhone(browser, server, { role: 'station', name, scopes: [STATION.scope], viewport: TABLET, ...options });
  await tablet.page.locator('.visitor').first().waitFor();
  return tablet;
};
const kind = (page, name) => page.locator('.visitor', { hasText: name });
const sum = async (page, name) => Number(await kind(page, name).locator('.sum').innerText());
const untilSum = (page, name, n) => kind(page, name).locator('.sum', { hasText: new RegExp(`^${n}$`) }).waitFor();
const total = (page) => page.locator('.big-figure b').innerText();
const page = (name) => `${server.url}/app/#/${name}/${encodeURIComponent(STATION.scope)}`;
const visits = async () => {
  await office.sync();
  return (await server.all(`/v1/records?scope=${STATION.scope}&coll=visit`, 'records')).map(({ id, fields }) => ({ id, ...fields }));
};

describe('visits', () => {
  it('are one fact a tap, with the services that were ticked and stay ticked', async () => {
    const { page: tablet, errors } = await atCounter('平板一');
    await tablet.getByRole('button', { name: '饮水', exact: true }).click();
    await tablet.getByRole('button', { name: '手机充电' }).click();
    await kind(tablet, '外卖骑手').click();
    await untilSum(tablet, '外卖骑手', 1);
    await allArrived(tablet);
    const [visit] = await visits();
    assert.deepEqual(visit.services, ['phone_charging', 'water']);
    assert.match(visit.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    await tablet.reload();
    await untilSum(tablet, '外卖骑手', 1);
    await tablet.getByRole('button', { name: '饮水', exact: true, pressed: true }).waitFor();
    assert.deepEqual(errors, []);
  });

  it('taken back do not count, and nothing is deleted', async () => {
    const { page: tablet } = await atCounter('平板二');
    const before = await visits();
    await kind(tablet, '环卫工人').click();
    await kind(tablet, '环卫工人').click();
    await untilSum(tablet, '环卫工人', 2);
    await tablet.locator('.toast').getByRole('button', { name: '撤销' }).click();
    await untilSum(tablet, '环卫工人', 1);
    await tablet.locator('.visit-row', { hasText: '环卫工人' }).getByRole('button').click();
    await untilSum(tablet, '环卫工人', 0);
    await allArrived(tablet);
    const now = await visits();
    assert.equal(now.length, before.length + 4);
    assert.equal(now.filter((visit) => visit.void === true && visit.corrects).length, 2);
  });

  it('of the other tablet are in today’s figures, also those from offline', async () => {
    const one = await atCounter('平板三');
    const two = await atCounter('平板四');
    const already = await sum(one.page, '快递员');
    await two.context.setOffline(true);
    for (let i = 0; i < 3; ++i) await kind(two.page, '快递员').click();
    await untilSum(two.page, '快递员', already + 3);
    await syncSays(two.page, '3 条待上传（离线）');
    await kind(one.page, '快递员').click();
    await untilSum(one.page, '快递员', already + 1);
    await two.context.setOffline(false);
    await untilSum(one.page, '快递员', already + 4);
    await untilSum(two.page, '快递员', already + 4);
    const hours = [new Date().getHours()];
    await one.page.goto(page('figures'));
    const now = await one.page.locator('.bars li.now').innerText();
    hours.push(new Date().getHours());
    assert.ok(hours.some((hour) => now.includes(String(hour))), `${now} is neither of ${hours}`);
    // The visits of one test may lie in two hours.
    const bars = await one.page.locator('.bars li .unseen').allTextContents();
    const counted = bars.map((bar) => Number(/：(\d+) 人次/.exec(bar)?.[1]));
    assert.equal(Number(await total(one.page)), counted.reduce((sum, one) => sum + one));
  });
});

describe('gifts', () => {
  it('are taken online, handed out offline, given back, and never more than there are', async () => {
    const { page: tablet, context } = await atCounter('平板五');
    await tablet.goto(page('gifts'));
    const left = (n) => tablet.locator('.gift-left b', { hasText: new RegExp(`^${n}$`) }).waitFor();
    await left(0);
    await tablet.getByRole('button', { name: '发一份', disabled: true }).waitFor();
    await tablet.getByRole('button', { name: '领取名额' }).click();
    await tablet.getByRole('button', { name: '领取 10 份' }).click();
    await left(10);
    await context.setOffline(true);
    for (let i = 0; i < 2; ++i) {
      await tablet.getByRole('button', { name: '发一份' }).click();
      await tablet.getByRole('button', { name: '已交给对方' }).click();
      await left(9 - i);
    }
    await tablet.getByRole('button', { name: '领取名额', disabled: true }).waitFor();
    await context.setOffline(false);
    await allArrived(tablet);
    await tablet.getByRole('button', { name: '退回 8 份' }).click();
    await left(0);
    await allArrived(tablet);
    await office.sync();
    const { places } = office.view(STATION.scope, 'quota', 'insurance').fields;
    assert.deepEqual([places.granted, places.free, places.spent], [40, 38, 2]);
  });
});

describe('the shift', () => {
  it('leaves a note that the other tablet sees and can mark as done', async () => {
    const one = await atCounter('早班');
    const two = await atCounter('晚班');
    await one.page.goto(page('shift'));
    await one.page.getByLabel('给下一班的话').fill('饮用水还剩半桶');
    await one.page.getByLabel(/署名/).fill('小陈');
    await one.page.getByRole('button', { name: '留言', exact: true }).click();
    await two.page.locator('.menu', { hasText: '饮用水还剩半桶' }).waitFor();
    await two.page.goto(page('shift'));
    await two.page.getByRole('button', { name: '标为已处理' }).click();
    await one.page.getByText('已处理', { exact: true }).waitFor();
  });
});

describe('a device with a station and events', () => {
  it('has a switch between the two', async () => {
    const { page: tablet } = await atCounter('两用', { scopes: [STATION.scope, EVENT.scope] });
    await tablet.getByRole('button', { name: '活动', exact: true }).click();
    await tablet.getByRole('button', { name: /进东社区便民服务日/ }).waitFor();
    await tablet.reload();
    await tablet.getByRole('button', { name: /进东社区便民服务日/ }).waitFor();
    await tablet.getByRole('button', { name: '火炬暖蜂驿站' }).click();
    await kind(tablet, '快递员').waitFor();
  });
});
