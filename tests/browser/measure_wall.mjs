// How long it takes from the receipt of a device to the figure on the wall, while many devices push:
// node measure_wall.mjs [DEVICES] [SECONDS] [VISITS A SECOND], with the server's binary in WAYSTATION.
//
// The n-th visit is on the wall when its figure is n or more. A receipt and a figure are noted by one clock, for
// devices and browser run on one machine.

import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { enrolledDevice } from '../clients/fixtures.mjs';
import { startServer } from '../clients/server.mjs';
import { buildCity, STATION } from './city.mjs';
import { firstAdministrator, openDesk, signIn } from './office_desk.mjs';
import { browserFor } from './phone.mjs';

const DEVICES = Number(process.argv[2] ?? 500);
const SECONDS = Number(process.argv[3] ?? 30);
const RATE = Number(process.argv[4] ?? 50);
const AT_ONCE = 20;

async function enrolAll(server) {
  const devices = [];
  while (devices.length < DEVICES) {
    const part = Math.min(AT_ONCE, DEVICES - devices.length);
    // Unwatched: checking each frame against its schema would be what is measured.
    devices.push(...(await Promise.all(Array.from({ length: part }, () => enrolledDevice(server, [STATION.scope], { watch: undefined })))));
  }
  return devices;
}

/** Notes each change of the figure with its time. */
function watchFigure(page) {
  return page.evaluate(() => {
    window.seen = [];
    const read = () => {
      const n = Number(document.querySelector('[data-figure="visits"] strong').textContent.replaceAll(',', ''));
      if (window.seen.at(-1)?.n !== n) window.seen.push({ n, at: Date.now() });
    };
    new MutationObserver(read).observe(document.querySelector('.wall'), { subtree: true, childList: true, characterData: true });
    read();
  });
}

async function push(devices, received) {
  const end = Date.now() + SECONDS * 1000;
  const waits = [];
  for (let i = 0; Date.now() < end; ++i) {
    const device = devices[i % devices.length];
    device.edit(STATION.scope, 'visit', randomUUID(), { set: { visitor: 'courier', at: new Date().toISOString() } });
    waits.push(device.sync().then(() => received.push(Date.now())));
    await pause(1000 / RATE);
  }
  await Promise.all(waits);
}

function at(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

const server = await startServer();
const browser = await browserFor();
try {
  await firstAdministrator(server);
  await buildCity(server, { people: 1 });
  const devices = await enrolAll(server);
  const { page } = await openDesk(browser, server, { path: '/office/#/wall', viewport: { width: 1920, height: 1080 } });
  await signIn(page, 'limei');
  await page.locator('[data-figure="visits"] strong').waitFor();
  await watchFigure(page);
  const received = [];
  await push(devices, received);
  await page.waitForFunction((n) => window.seen.at(-1).n >= n, received.length, { timeout: 30_000 });
  const seen = await page.evaluate(() => window.seen);
  received.sort((a, b) => a - b);
  // The figure may be ahead of a receipt that is still on its way to its device.
  const late = received.map((time, i) => Math.max(0, seen.find(({ n }) => n > i).at - time)).sort((a, b) => a - b);
  console.log(`${devices.length} devices, ${received.length} visits in ${SECONDS} s: from receipt to wall ` +
    `median ${at(late, 0.5)} ms, p95 ${at(late, 0.95)} ms, p99 ${at(late, 0.99)} ms, most ${late.at(-1)} ms`);
} finally {
  await browser.close();
  await server.remove();
}
