// Pictures of each page for the documents: both languages, a phone and a desk, empty, full and when something
// is wrong. node pictures.mjs [FOLDER], with the server's binary in WAYSTATION.

import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startServer } from '../clients/server.mjs';
import { at, buildCity, EVENT, personId, STATION } from './city.mjs';
import { allArrived, browserFor, enrolledPhone, openPhone, PHONE, TABLET } from './phone.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
await mkdir(folder, { recursive: true });

const event = `${encodeURIComponent(EVENT.scope)}/${EVENT.id}`;
const station = encodeURIComponent(STATION.scope);
const VISITORS = ['courier', 'delivery_rider', 'delivery_rider', 'ride_hailing_driver', 'lorry_driver', 'sanitation_worker', 'traffic_police'];
const SERVICES = [['water'], ['water', 'phone_charging'], ['rest', 'cooling'], ['microwave'], ['ebike_charging', 'wifi']];

async function fill(office) {
  for (let i = 0; i < 24; ++i) {
    const id = `${EVENT.id}~${personId(i)}`;
    const set = { event: EVENT.id, volunteer: personId(i), signed_in: at(0, 8, 20 + i) };
    if (i % 3 === 0) Object.assign(set, { signed_out: at(0, 11, 20 + (i % 30)), minutes: 180, points: 15 });
    office.edit(EVENT.scope, 'attendance', id, { set });
  }
  office.edit(EVENT.scope, 'event', EVENT.id, { set: { headcount: 52 } });
  office.edit(EVENT.scope, 'event', EVENT.id, { append: { remarks: ['上午义剪、小家电维修最受欢迎，居民排队约二十分钟。'] } });
  for (let hour = 8, n = 0; hour < 20; ++hour) {
    for (let i = 0; i < 3 + ((hour * 7) % 9); ++i, ++n) {
      const set = { visitor: VISITORS[n % VISITORS.length], at: at(0, hour, (i * 7) % 60) };
      office.edit(STATION.scope, 'visit', `visit-${n}`, { set, add: { services: SERVICES[n % SERVICES.length] } });
    }
  }
  office.edit(STATION.scope, 'note', '0198d9a0-1111-7000-8000-000000000001', {
    set: { text: '饮用水还剩半桶，已联系送水，下午三点到。微波炉门松动，请提醒使用者轻关。', author: '小陈', about: `station/${STATION.id}` },
    add: { tags: ['handover'] },
  });
  await office.sync();
}

const server = await startServer();
const browser = await browserFor();
try {
  const office = await buildCity(server, { people: 48 });
  await fill(office);
  await office.sync();
  for (const lang of ['zh', 'en']) {
    for (const viewport of [PHONE, TABLET]) await picturesOf(lang, viewport);
  }
} finally {
  await browser.close();
  await server.remove();
}

async function picturesOf(lang, viewport) {
  const size = viewport.width;
  const shot = async (page, name) => {
    await page.waitForTimeout(450);
    await page.screenshot({ path: `${folder}/${name}.${lang}.${size}.png` });
  };
  const show = async (page, hash, name) => {
    await page.evaluate((next) => (location.hash = next), hash);
    await shot(page, name);
  };
  const options = { lang, viewport };

  const blank = await openPhone(browser, server, options);
  await blank.page.locator('.welcome').waitFor();
  await shot(blank.page, 'enrol');
  const none = await enrolledPhone(browser, server, { role: 'volunteer', scopes: ['event:e104'], ...options });
  await none.page.locator('.event-card').waitFor();
  await show(none.page, '#/event/event%3Ae104/e104', 'event-empty');
  await show(none.page, '#/walkin/event%3Ae104/e104', 'walkin-not-allowed');

  const lead = await enrolledPhone(browser, server, { role: 'lead', name: '领队手机', scopes: [EVENT.scope, 'event:e102', 'event:e103', 'event:e105'], ...options });
  await lead.page.locator('.event-card').first().waitFor();
  await allArrived(lead.page);
  await shot(lead.page, 'events');
  await show(lead.page, `#/event/${event}`, 'event');
  await lead.page.locator('.who').nth(1).click();
  await shot(lead.page, 'person');
  await lead.page.keyboard.press('Escape');
  await show(lead.page, `#/site/${event}`, 'site');
  await lead.page.locator('input[capture]').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: await lead.page.screenshot() });
  await lead.page.locator('.photo .tag.good').first().waitFor();
  await lead.page.locator('.photo').first().scrollIntoViewIfNeeded();
  await shot(lead.page, 'photos');
  await show(lead.page, `#/closing/${event}`, 'closing');
  await show(lead.page, `#/walkin/${event}`, 'walkin');
  await show(lead.page, `#/scan/${event}`, 'scan-no-camera');
  await show(lead.page, '#/about', 'about');
  await show(lead.page, `#/event/${event}`, 'event');
  await lead.context.setOffline(true);
  const free = lead.page.locator('.person-row .button.soft');
  for (let i = 0; i < 3; ++i) await free.first().click();
  await shot(lead.page, 'event-offline');
  await show(lead.page, '#/sync', 'sync-waiting');
  await show(lead.page, '#/handover', 'handover');

  const tablet = await enrolledPhone(browser, server, { role: 'station', name: '平板一', scopes: [STATION.scope], ...options });
  await tablet.page.locator('.toggle').nth(2).click();
  await tablet.page.locator('.visitor').nth(1).click();
  await allArrived(tablet.page);
  await shot(tablet.page, 'station');
  await show(tablet.page, `#/figures/${station}`, 'figures');
  await show(tablet.page, `#/shift/${station}`, 'shift');
  await show(tablet.page, `#/gifts/${station}`, 'gifts');
  await tablet.page.locator('.button', { hasText: /领取名额|Take places/ }).click();
  await tablet.page.locator('dialog .button.primary').click();
  await tablet.page.locator('.gift-left b', { hasText: '10' }).waitFor();
  await shot(tablet.page, 'gifts-leased');
  await show(tablet.page, '#/sync', 'sync-arrived');

  // When something is wrong.
  await tablet.page.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('', 'QuotaExceededError');
    };
  });
  await show(tablet.page, '#/', 'station');
  await tablet.page.locator('.visitor').first().click();
  await shot(tablet.page, 'station-storage-full');
  const refused = await enrolledPhone(browser, server, { role: 'volunteer', name: `被拒 ${lang} ${size}`, scopes: [EVENT.scope], ...options });
  await refused.page.locator('.event-card').waitFor();
  await refused.context.setOffline(true);
  const { device } = (await server.admin('GET', '/v1/devices')).devices.find(({ name }) => name === `被拒 ${lang} ${size}`);
  await server.admin('PUT', `/v1/devices/${device}/role`, { role: 'station' });
  await refused.page.evaluate((next) => (location.hash = next), `#/event/${event}`);
  await refused.page.locator('.person-row .button.soft').first().click();
  await refused.context.setOffline(false);
  await refused.page.locator('.sync-line.bad').waitFor();
  await show(refused.page, '#/sync', 'sync-refused');
  await server.admin('POST', `/v1/devices/${device}/revoke`);
  await refused.page.getByText(/已被停用|has been shut out/).first().waitFor();
  await shot(refused.page, 'shut-out');
  for (const { context } of [blank, none, lead, tablet, refused]) await context.close();
}
