// Pictures of the day, the wall and the reports for the documents. node report_pictures.mjs [FOLDER [NAME…]], with
// the server's binary in WAYSTATION.

import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { startServer } from '../clients/server.mjs';
import { at, buildCity, EVENT, personId } from './city.mjs';
import { DESK, firstAdministrator, goTo, NARROW, signedInDesk } from './office_desk.mjs';
import { browserFor } from './phone.mjs';
import { shrinkPng } from './small_png.mjs';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const wanted = process.argv.slice(3);
await mkdir(folder, { recursive: true });

const WALL = { width: 1920, height: 1080 };
const STATIONS = 48;
const VISITORS = ['delivery_rider', 'courier', 'delivery_rider', 'ride_hailing_driver', 'lorry_driver', 'sanitation_worker', 'traffic_police'];
const SERVICES = [['water'], ['water', 'phone_charging'], ['rest', 'cooling'], ['microwave'], ['ebike_charging', 'wifi']];
/** How busy each hour of a day is. */
const DAY = [1, 1, 0, 0, 0, 1, 3, 5, 6, 8, 10, 16, 20, 18, 13, 10, 9, 10, 14, 13, 9, 6, 3, 1];

/** The same city each time. */
let seed = 20_241_231;
function chance() {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return seed / 2_147_483_648;
}

async function villages() {
  const text = await readFile(new URL('../../schemas/data/jieyang-divisions.csv', import.meta.url), 'utf8');
  return text.trim().split('\n').slice(1).map((line) => line.trim().split(','));
}

/** As an import of the divisions makes them: a scope's id is its code. */
function districts(office, rows) {
  for (const [code, title] of new Map(rows.map(([code, name]) => [code, name]))) {
    office.edit(code, 'scope', code, { set: { title, kind: 'district', code } });
  }
}

function station(office, i, [, , , , code, village]) {
  const scope = `station:t${String(i).padStart(3, '0')}`;
  const name = `${village.replace(/(居民|村民)?委员会$/, '').replace(/村委会$/, '')}${i % 6 === 5 ? '司机之家' : '暖蜂驿站'}`;
  office.edit(scope, 'scope', scope, { set: { title: name, kind: 'station' } });
  office.edit(scope, 'station', scope.slice(8), { set: { name, kind: 'rest_station', division: code, state: 'open' } });
  return scope;
}

function visits(office, scope, busy, days) {
  const hourNow = new Date().getHours();
  for (let day = -days; day <= 0; ++day) {
    DAY.forEach((weight, hour) => {
      if (day === 0 && hour > hourNow) return;
      const n = Math.round(weight * busy * chance() * (day === 0 ? 0.8 : 0.25));
      for (let i = 0; i < n; ++i) {
        const set = { visitor: VISITORS[Math.floor(chance() * VISITORS.length)], at: at(day, hour, Math.min(59, Math.floor(chance() * 60))) };
        office.edit(scope, 'visit', `v${day}-${hour}-${i}-${scope.slice(-3)}`, { set, add: { services: SERVICES[i % SERVICES.length] } });
      }
    });
  }
}

function attendances(office) {
  for (const [event, people, gone] of [[EVENT.id, 42, 3], ['e102', 27, 4], ['e105', 18, 1]]) {
    for (let i = 0; i < people; ++i) {
      const set = { event, volunteer: personId(i), signed_in: at(0, 0, i), points: 15 };
      if (i % gone === 0) Object.assign(set, { signed_out: at(0, 0, i + 1), minutes: 60 + ((i * 37) % 180) });
      office.edit(`event:${event}`, 'attendance', `${event}~${personId(i)}`, { set });
    }
  }
}

async function fill(office) {
  const rows = await villages();
  districts(office, rows);
  await office.sync();
  const scopes = Array.from({ length: STATIONS }, (_, i) => station(office, i, rows[(i * 37) % rows.length]));
  await office.sync();
  for (const scope of scopes) {
    visits(office, scope, 0.15 + chance() ** 2 * 1.2, 14);
    await office.sync();
  }
  attendances(office);
  await office.sync();
}

const server = await startServer();
const browser = await browserFor();
try {
  const office = await buildCity(server, { people: 48 });
  await fill(office);
  await firstAdministrator(server);
  const period = `from=${at(-14, 0).slice(0, 10)}&to=${at(0, 0).slice(0, 10)}`;
  for (const lang of ['zh', 'en']) {
    await picture(lang, DESK, 'today', '#/today');
    await picture(lang, WALL, 'wall', '#/wall');
    await picture(lang, DESK, 'reports', '#/reports');
    await picture(lang, DESK, 'report', `#/reports/visits?by=day,visitor&${period}`);
  }
  await picture('zh', DESK, 'report-ranked', `#/reports/visits?by=station&sort=-visits&${period}`);
  await picture('zh', NARROW, 'today', '#/today');
  await picture('zh', NARROW, 'report', `#/reports/visits?by=day&${period}`);
} finally {
  await browser.close();
  await server.remove();
}

async function picture(lang, viewport, name, hash) {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  const { page, context } = await signedInDesk(browser, server, 'limei', { lang });
  await page.setViewportSize(viewport);
  if (hash === '#/wall') await page.evaluate((wanted) => (location.hash = wanted), hash);
  else await goTo(page, hash);
  await page.locator('.big-figures, .report-card, table.report').first().waitFor();
  // Charts have grown, and the wall's buttons are gone.
  await page.waitForTimeout(hash === '#/wall' ? 5_000 : 1_500);
  await page.mouse.move(0, 0);
  const path = `${folder}/office-${name}.${lang}.${viewport.width}.png`;
  await page.screenshot({ path });
  shrinkPng(path);
  await context.close();
}
