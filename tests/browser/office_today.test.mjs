// The city's day on a screen: it follows what devices hand in, says when it does not, and stands still while
// its figures change.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { enrolledDevice } from '../clients/fixtures.mjs';
import { startServer } from '../clients/server.mjs';
import { findings } from './barriers.mjs';
import { buildCity, EVENT, personId, STATION } from './city.mjs';
import { DESK, firstAdministrator, goTo, NARROW, openDesk, signedInDesk, signIn } from './office_desk.mjs';
import { browserFor } from './phone.mjs';


let server, browser, tablet;
before(async () => {
  server = await startServer();
  await firstAdministrator(server);
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

const figure = (page, name) => page.locator(`[data-figure="${name}"] strong`);
const shows = (page, name, n) => page.waitForFunction(([which, wanted]) => document.querySelector(`[data-figure="${which}"] strong`)?.textContent === wanted, [name, String(n)]);
const countOf = async (page, name) => Number((await figure(page, name).innerText()).replaceAll(',', ''));

/** One visit, handed in. Gives when its receipt came. */
async function visit(device = tablet) {
  device.edit(STATION.scope, 'visit', randomUUID(), { set: { visitor: 'courier', at: new Date().toISOString() }, add: { services: ['water'] } });
  await device.sync();
  return Date.now();
}

describe('a city in which nothing has happened', () => {
  it('says so on the first page and on the wall', async () => {
    const { page, errors, context } = await signedInDesk(browser, server, 'limei');
    await page.getByRole('heading', { name: '今日全市' }).waitFor();
    await page.getByText('今天还没有到访').waitFor();
    await page.getByText('今天还没有人签到').waitFor();
    assert.equal(await countOf(page, 'visits'), 0);
    await page.evaluate(() => (location.hash = '#/wall'));
    await page.locator('.wall').getByText('今天还没有人签到').waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });
});

describe('the wall', () => {
  let desk;
  before(async () => {
    await buildCity(server, { people: 6 });
    tablet = await enrolledDevice(server, [STATION.scope, EVENT.scope]);
    await tablet.sync();
    // A screen is opened at its address, and signs in there.
    desk = await openDesk(browser, server, { path: '/office/#/wall', viewport: { width: 1920, height: 1080 } });
    await signIn(desk.page, 'limei');
    await figure(desk.page, 'visits').waitFor();
  });
  after(() => desk?.context.close());

  it('shows a visit within a second of its receipt', async () => {
    const { page } = desk;
    const n = await countOf(page, 'visits');
    for (let i = 1; i <= 3; ++i) {
      const received = await visit();
      await shows(page, 'visits', n + i);
      assert.ok(Date.now() - received < 1000, `${Date.now() - received} ms`);
    }
    await page.locator(`[data-station="${STATION.scope}"]`, { hasText: '火炬暖蜂驿站' }).waitFor();
  });

  it('shows who signs in and who leaves', async () => {
    const { page } = desk;
    const id = `${EVENT.id}~${personId(1)}`;
    const now = Date.now();
    tablet.edit(EVENT.scope, 'attendance', id, { set: { event: EVENT.id, volunteer: personId(1), signed_in: new Date(now - 1000).toISOString() } });
    await tablet.sync();
    await shows(page, 'present', 1);
    await shows(page, 'came', 1);
    await page.locator('.wall-events li.live', { hasText: '进东社区便民服务日' }).waitFor();
    tablet.edit(EVENT.scope, 'attendance', id, { set: { signed_out: new Date(now).toISOString() } });
    await tablet.sync();
    await shows(page, 'present', 0);
    await shows(page, 'came', 1);
  });

  it('stands still while its figures change', async () => {
    const { page } = desk;
    const boxes = () => page.evaluate(() => [...document.querySelectorAll('.wall section, .figure, .tile, .station-bars > li')].map((box) => {
      const { x, y, width, height } = box.getBoundingClientRect();
      return [x, y, width, height].map(Math.round).join();
    }));
    const before = await boxes();
    const n = await countOf(page, 'visits');
    await visit();
    await shows(page, 'visits', n + 1);
    assert.deepEqual(await boxes(), before);
    const over = await page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]);
    assert.deepEqual(over, [0, 0]);
  });

  it('says since when it stands while the server is away, and goes on after the restart', async () => {
    const { page, errors } = desk;
    const n = await countOf(page, 'visits');
    await server.stop();
    await page.getByText(/^联系不上服务器，数字停在 \d\d:\d\d:\d\d$/).waitFor();
    assert.equal(await page.getByRole('alert').count(), 1);
    assert.equal(await countOf(page, 'visits'), n);
    await server.start();
    await page.getByText('实时', { exact: true }).waitFor();
    await visit();
    await shows(page, 'visits', n + 1);
    assert.deepEqual(errors, []);
  });
});

describe('the first page', () => {
  it('follows too, with every station in reach, and one banner while the server is away', async () => {
    const { page, errors, context } = await signedInDesk(browser, server, 'limei');
    await page.locator(`tr[data-station="${STATION.scope}"]`).waitFor();
    const n = await countOf(page, 'visits');
    const received = await visit();
    await shows(page, 'visits', n + 1);
    assert.ok(Date.now() - received < 1000, `${Date.now() - received} ms`);
    await server.stop();
    await page.getByText('联系不上服务器，正在重试').waitFor();
    assert.equal(await page.locator('.banner').count(), 1);
    await page.getByText(/^停在 \d\d:\d\d:\d\d$/).waitFor();
    await server.start();
    await page.getByText('实时', { exact: true }).waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  for (const [lang, colorScheme] of [['zh', 'light'], ['en', 'dark']]) {
    it(`has no barriers, nor has the wall: ${lang}, ${colorScheme}`, async () => {
      const { page, context } = await signedInDesk(browser, server, 'limei', { lang, colorScheme });
      const found = [];
      for (const viewport of [DESK, NARROW]) {
        await page.setViewportSize(viewport);
        await goTo(page, '#/today');
        await figure(page, 'visits').waitFor();
        found.push(...(await findings(page, `today ${viewport.width}`)));
        const width = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth));
        if (width > viewport.width) found.push(`today ${viewport.width}: ${width} wide`);
      }
      await page.setViewportSize({ width: 1920, height: 1080 });
      await page.evaluate(() => (location.hash = '#/wall'));
      await page.locator('.wall').waitFor();
      await figure(page, 'visits').waitFor();
      found.push(...(await findings(page, 'wall')));
      assert.deepEqual(found, []);
      await context.close();
    });
  }
});
