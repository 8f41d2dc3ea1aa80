// Every page of the office in the states that are seldom looked at: of a server that has nothing yet, of a full one,
// while the server answers with errors, and after it has gone. With what a program finds wrong in them.
// node office_states.mjs FOLDER [STATE…], with the server's binary in WAYSTATION.

import { mkdir } from 'node:fs/promises';
import { Device } from '../clients/client.mjs';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT, personId } from './city.mjs';
import { account, DESK, firstAdministrator, NARROW, signedInDesk } from './office_desk.mjs';
import { trouble } from './office_trouble.mjs';
import { browserFor } from './phone.mjs';

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) throw new Error('node office_states.mjs FOLDER [empty|full|broken|gone]');
await mkdir(folder, { recursive: true });

const scope = encodeURIComponent(EVENT.scope);
const PAGES = [
  ['today', '#/today'], ['reports', '#/reports'], ['report', '#/reports/visits'], ['people-report', '#/reports/attendance'],
  ['events', '#/lists/event'], ['stations', '#/lists/station'], ['people', '#/lists/volunteer'], ['filtered', '#/lists/volunteer?q=zzz'], ['lists', '#/lists'],
  ['conflicts', '#/conflicts'], ['duplicates', '#/duplicates'], ['quarantine', '#/quarantine'],
  ['devices', '#/devices'], ['enrol', '#/devices/new'], ['sheet', '#/devices/sheet'], ['codes', '#/devices/codes'],
  ['access', '#/access'], ['accounts', '#/accounts'], ['policy', '#/policy'], ['audit', '#/audit'], ['me', '#/me'], ['nowhere', '#/nowhere'],
];
/** Of one thing; it is missing where the server is empty. */
const THINGS = (device) => [
  ['record', `#/records/${scope}/event/${EVENT.id}`], ['person', `#/records/${scope}/volunteer/${personId(2)}`], ['device', `#/devices/${device}`],
  ['merge', `#/duplicates/${scope}/w1?other=w2`], ['access-told', `#/access?device=${device}&scope=${scope}&coll=attendance&id=${EVENT.id}~${personId(0)}`],
  ['conflict', '#/conflicts', 'a.row-link'], ['refused', '#/quarantine', 'a.row-link'],
];
const WALLS = [['wall', { width: 1920, height: 1080 }], ['wall', { width: 3840, height: 2160 }]];
const STATES = ['empty', 'full', 'broken', 'gone'].filter((state) => wanted.length === 0 || wanted.includes(state));
const PROBLEM = { status: 500, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: '', status: 500, code: 'io', detail: '' }) };

/** In words: what a person would see to be wrong at once. */
function wrongOn({ lang, width, empty }) {
  const found = [];
  const main = document.querySelector('main') ?? document.body;
  const text = main.innerText;
  for (const word of ['undefined', 'NaN', '[object', 'Invalid Date', 'null']) if (text.includes(word)) found.push(`says ${word}`);
  const code = [...main.querySelectorAll('.code, .num, time, [lang], .brand, h1 + .code')];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const said = node.textContent.trim();
    if (said === '' || !node.parentElement.checkVisibility() || code.some((element) => element.contains(node))) continue;
    if (lang === 'zh' && /[A-Za-z]{3,} [A-Za-z]{2,}/.test(said)) found.push(`English: ${said.slice(0, 60)}`);
    if (lang === 'en' && empty && /[\u4e00-\u9fff]/.test(said) && !['中文', '李梅'].includes(said)) found.push(`Chinese: ${said.slice(0, 40)}`);
    if (/^[a-z_]+\.[a-z_.]+$/.test(said)) found.push(`a key: ${said}`);
  }
  const wide = Math.max(document.documentElement.scrollWidth, main.scrollWidth);
  if (wide > width) found.push(`${wide} wide`);
  for (const element of document.querySelectorAll('button, a.button, h1, h2, .tag, .chip')) {
    if (element.checkVisibility() && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline') found.push(`cut: ${element.className} ${element.innerText.slice(0, 40)}`);
  }
  if (text.replace(/\s/g, '').length < 12) found.push('next to nothing on it');
  return found;
}

const server = await startServer();
const browser = await browserFor();
try {
  await firstAdministrator(server);
  if (STATES.includes('empty')) await pictures('empty', PAGES);
  await buildCity(server, { people: 12 });
  await trouble(server);
  await account(server, 'chenjie', '陈杰', 'office');
  await server.createCode([EVENT.scope], { role: 'lead', name: '蓝天救援队 领队' });
  const device = new Device({ url: server.url, app: 'companion 0.1.0' });
  await device.enroll(await server.createCode([EVENT.scope], { role: 'volunteer', name: '进东社区 2 号手机' }), '进东社区 2 号手机');
  const all = [...PAGES, ...THINGS(device.id)];
  for (const state of STATES) if (state !== 'empty') await pictures(state, all);
} finally {
  await browser.close();
  await server.remove();
}

async function pictures(state, pages) {
  for (const lang of ['zh', 'en']) {
    for (const viewport of [DESK, NARROW]) await desk(state, lang, viewport, pages);
    const { page, context } = await signedInDesk(browser, server, 'limei', { lang });
    for (const [name, viewport] of WALLS) {
      await page.setViewportSize(viewport);
      await show(page, state, '#/wall');
      await take(page, state, name, lang, viewport);
    }
    await context.close();
  }
}

async function desk(state, lang, viewport, pages) {
  const { page, context, errors } = await signedInDesk(browser, server, 'limei', { lang, viewport });
  for (const [name, hash, link] of pages) {
    await show(page, state, hash, link);
    await take(page, state, name, lang, viewport);
  }
  for (const error of errors) console.log(`${state} ${lang} ${viewport.width}: ${error}`);
  await context.close();
}

/** At a page in this state. What has gone goes once the page is read. */
async function show(page, state, hash, link) {
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  if (state === 'broken') await page.route(/\/v1\/(?!session)/, (route) => route.fulfill(PROBLEM));
  await page.evaluate(() => (location.hash = '#/me'));
  await page.evaluate((next) => (location.hash = next), hash);
  await page.waitForTimeout(state === 'broken' ? 500 : 700);
  if (link !== undefined && state !== 'broken') {
    await page.locator(link).first().click();
    await page.waitForTimeout(500);
  }
  if (state !== 'gone') return;
  await page.route(/\/(v1\/|healthz)/, (route) => route.abort());
  await page.evaluate(() => document.querySelector('[type=search]')?.dispatchEvent(new Event('focus')));
  // What is read anew finds that nobody is there.
  const again = page.getByRole('button', { name: /^(刷新|Reload|重新读取)$/ });
  if ((await again.count()) > 0) await again.first().click();
  await page.waitForTimeout(1_500);
}

async function take(page, state, name, lang, viewport) {
  await page.mouse.move(0, 0);
  for (const wrong of await page.evaluate(wrongOn, { lang, width: viewport.width, empty: state === 'empty' })) console.log(`${state} ${name} ${lang} ${viewport.width}: ${wrong}`);
  await page.screenshot({ path: `${folder}/${state}-${name}.${lang}.${viewport.width}.png` });
}
