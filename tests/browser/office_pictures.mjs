// Pictures of the office's pages for the documents: both languages at a desk, and some on a narrow screen.
// node office_pictures.mjs [FOLDER], with the server's binary in WAYSTATION.

import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Device } from '../clients/client.mjs';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT, personId, STATION } from './city.mjs';
import { account, DESK, firstAdministrator, goTo, NARROW, openDesk, signIn } from './office_desk.mjs';
import { trouble } from './office_trouble.mjs';
import { browserFor } from './phone.mjs';
import { shrinkPng } from './small_png.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
await mkdir(folder, { recursive: true });

const PHONES = [['进东社区 1 号手机', 'volunteer', EVENT.scope], ['榕城轻骑兵 领队', 'lead', EVENT.scope], ['火炬驿站 平板一', 'station', STATION.scope],
                ['火炬驿站 平板二', 'station', STATION.scope], ['新亨卫生院 手机', 'volunteer', 'event:e103'], ['仙桥中学 手机', 'lead', 'event:e105'], ['揭阳楼 手机', 'volunteer', 'event:e104']];

/** Phones in all the states that a phone can be in. */
async function phones(server) {
  const ids = [];
  for (const [name, role, scope] of PHONES) {
    const device = new Device({ url: server.url, app: 'companion 0.1.0' });
    await device.enroll(await server.createCode([scope], { role, name }), name);
    await device.sync();
    ids.push(device.id);
  }
  await server.admin('POST', `/v1/devices/${ids[4]}/drain`);
  await server.admin('POST', `/v1/devices/${ids[5]}/revoke`);
  await server.admin('POST', `/v1/devices/${ids[6]}/wipe`, { now: false });
  await server.createCode([EVENT.scope], { role: 'lead', name: '蓝天救援队 领队' });
  await server.createCode([STATION.scope], { role: 'station', name: '火炬驿站 平板三', uses: 3 });
  return ids;
}

const server = await startServer();
const browser = await browserFor();
try {
  await buildCity(server, { people: 12 });
  const ids = await phones(server);
  await trouble(server);
  await firstAdministrator(server);
  await account(server, 'chenjie', '陈杰', 'office');
  await server.admin('POST', '/v1/office/accounts', { name: 'huangmin', display: '黄敏', role: 'office' });
  for (const lang of ['zh', 'en']) await picturesOf(lang, DESK, ids);
  await picturesOf('zh', NARROW, ids, ['sign-in', 'devices', 'device', 'enrol']);
} finally {
  await browser.close();
  await server.remove();
}

/** One code, and a sheet of them: what is made on the way to a picture. */
async function codes(page, lang, shot) {
  const words = lang === 'zh' ? { all: '全部范围', one: '生成登记码', names: '设备名称，每行一台' } : { all: 'All scopes', one: 'Make the code', names: 'Names of the devices, one a line' };
  await goTo(page, '#/devices/new');
  await page.getByLabel(words.all).check();
  await page.getByRole('button', { name: words.one }).click();
  await page.locator('.qr svg').first().waitFor();
  await shot(page, 'code');
  await goTo(page, '#/devices/sheet');
  await page.getByLabel(words.names).fill(['陈伟', '林静怡', '黄嘉豪', '郑晓敏', '吴志强', '杨雅婷'].join('\n'));
  await page.getByLabel(words.all).check();
  await page.locator('form button[type=submit]').click();
  await page.locator('.slip svg').nth(5).waitFor();
  await shot(page, 'sheet');
}

/** `only`: these, where not all are wanted. */
async function picturesOf(lang, viewport, ids, only) {
  const shot = async (page, name) => {
    if (only !== undefined && !only.includes(name)) return;
    await page.mouse.move(0, 0);
    await page.waitForTimeout(250);
    const path = `${folder}/office-${name}.${lang}.${viewport.width}.png`;
    await page.screenshot({ path });
    shrinkPng(path);
  };
  const { page } = await openDesk(browser, server, { lang, viewport });
  await page.locator('form').waitFor();
  await shot(page, 'sign-in');
  await signIn(page, 'limei');
  await page.locator('.side').waitFor();
  const access = `#/access?device=${ids[0]}&scope=${encodeURIComponent(EVENT.scope)}&coll=attendance&id=${EVENT.id}~${personId(0)}`;
  for (const [name, hash, ready] of [
    ['devices', '#/devices', 'table.data'], ['device', `#/devices/${ids[1]}`, '.decisions'], ['codes', '#/devices/codes', 'table.data'], ['enrol', '#/devices/new', 'form'],
    ['accounts', '#/accounts', 'table.data'], ['access', access, '.verdicts'], ['policy', '#/policy', '.matrix'], ['audit', '#/audit', 'table.data'], ['me', '#/me', 'form'],
    ['list', '#/lists/attendance', 'table.data'], ['people', '#/lists/volunteer', 'table.data'], ['record', `#/records/${encodeURIComponent(EVENT.scope)}/event/${EVENT.id}`, '.steps-past'],
    ['conflicts', '#/conflicts', 'table.data'], ['merge', `#/duplicates/${encodeURIComponent(EVENT.scope)}/w1?other=w2`, 'table.compare'], ['quarantine', '#/quarantine', 'table.data'],
  ]) {
    await goTo(page, hash);
    await page.locator(ready).first().waitFor();
    await shot(page, name);
  }
  // Of what waits, the first one.
  for (const [name, hash, ready] of [['conflict', '#/conflicts', '.side-card'], ['refused', '#/quarantine', 'form.card']]) {
    await goTo(page, hash);
    await page.locator('a.row-link').first().click();
    await page.locator(ready).first().waitFor();
    await shot(page, name);
  }
  if (only === undefined) await codes(page, lang, shot);
  await page.context().close();
}
