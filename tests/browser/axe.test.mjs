// No page has a barrier that axe-core can find: in both languages, on a phone and at a desk, light and dark.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { findings } from './barriers.mjs';
import { buildCity, EVENT, STATION } from './city.mjs';
import { browserFor, enrolledPhone, openPhone, PHONE, TABLET } from './phone.mjs';

const event = `${encodeURIComponent(EVENT.scope)}/${EVENT.id}`;
const station = encodeURIComponent(STATION.scope);
const ROUTES = ['#/', `#/event/${event}`, `#/site/${event}`, `#/scan/${event}`, `#/walkin/${event}`, `#/closing/${event}`, '#/event/none/none',
                `#/gifts/${station}`, `#/figures/${station}`, `#/shift/${station}`, '#/sync', '#/handover', '#/about'];

let server, browser;
before(async () => {
  server = await startServer();
  await buildCity(server, { people: 20 });
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

for (const [lang, viewport, colorScheme] of [['zh', PHONE, 'light'], ['zh', TABLET, 'dark'], ['en', PHONE, 'dark'], ['en', TABLET, 'light']]) {
  describe(`${lang}, ${viewport.width} px, ${colorScheme}`, () => {
    it('the first page', async () => {
      const { page } = await openPhone(browser, server, { lang, viewport, colorScheme });
      await page.locator('.welcome').waitFor();
      assert.deepEqual(await findings(page, 'enrol'), []);
    });

    it('every page behind it', async () => {
      const { page } = await enrolledPhone(browser, server, { role: 'lead', scopes: [EVENT.scope, STATION.scope], lang, viewport, colorScheme });
      await page.locator('.event-card').first().waitFor();
      const found = [];
      for (const route of ROUTES) {
        await page.evaluate((hash) => (location.hash = hash), route);
        await page.waitForTimeout(250);
        found.push(...(await findings(page, route)));
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > viewport.width) found.push(`${route}: wider than the screen: ${width}`);
        found.push(...(await smallTargets(page, route)));
      }
      await page.evaluate((hash) => (location.hash = hash), `#/event/${event}`);
      await page.locator('.who').first().click();
      await page.getByRole('dialog').waitFor();
      await page.waitForTimeout(300);
      found.push(...(await findings(page, 'person')));
      assert.deepEqual(found, []);
    });

    it('the counter', async () => {
      const { page } = await enrolledPhone(browser, server, { role: 'station', scopes: [STATION.scope], lang, viewport, colorScheme });
      await page.locator('.visitor').first().click();
      await page.locator('.toggle').first().click();
      await page.waitForTimeout(300);
      assert.deepEqual([...(await findings(page, 'station')), ...(await smallTargets(page, 'station'))], []);
    });
  });
}

/** What is tapped is at least 48 px in both directions. */
function smallTargets(page, where) {
  return page.evaluate((place) => [...document.querySelectorAll('button, input, select, textarea, a.button')]
    .filter((element) => element.checkVisibility() && !element.hidden)
    .map((element) => ({ box: element.getBoundingClientRect(), html: element.outerHTML.slice(0, 90) }))
    .filter(({ box }) => box.width < 47.5 || box.height < 47.5)
    .map(({ box, html }) => `${place}: ${Math.round(box.width)}x${Math.round(box.height)}: ${html}`), where);
}
