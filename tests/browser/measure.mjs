// How the companion feels on a slow phone: figures for docs/performance.md. The processor is throttled six times;
// 5,000 people are on the roster. node measure.mjs, with the server's binary in WAYSTATION.

import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT } from './city.mjs';
import { browserFor, enrolledPhone } from './phone.mjs';

const PEOPLE = 5000;
const SLOWER = Number(process.env.SLOWER ?? 6);
const TAPS = 25;
const FINGER_MS = 60; // that a finger rests on a button
const FLING = 3000; // px a second: four screens of a phone

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const most = (values) => Math.max(...values);
const line = (what, value) => console.log(`${what.padEnd(64)} ${value}`);

const server = await startServer();
const browser = await browserFor();
try {
  await buildCity(server, { people: PEOPLE });
  const { page, context } = await enrolledPhone(browser, server, { role: 'lead', scopes: [EVENT.scope] });
  await page.locator('.event-card').first().waitFor();
  await page.waitForFunction(() => !document.querySelector('.sync-main').textContent.includes('首次同步'), undefined, { timeout: 120_000 });
  const cdp = await context.newCDPSession(page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });

  let begun = Date.now();
  await page.locator('.event-card').first().click();
  await page.locator('.person-row').first().waitFor();
  line(`open the roster of ${PEOPLE} for the first time`, `${Date.now() - begun} ms`);

  await page.evaluate(watchTaps);
  const before = await threadMs(cdp);
  for (let i = 0; i < TAPS; ++i) {
    const { x, y } = await page.evaluate(nextButton);
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y }] });
    await page.waitForTimeout(FINGER_MS);
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await page.waitForTimeout(300);
  }
  line('a tap, all that comes of it: time of the processor', `${((await threadMs(cdp)) - before) / TAPS | 0} ms`);
  const taps = (await page.evaluate(() => globalThis.tapsSeen)).sort((a, b) => a - b);
  // Below 16 ms none is reported.
  while (taps.length < TAPS) taps.unshift(16);
  line('a finger’s tap until it is painted, median / nine of ten / most', `${median(taps)} / ${taps[Math.floor(TAPS * 0.9)]} / ${most(taps)} ms`);

  await page.evaluate(watchFrames);
  await cdp.send('Input.synthesizeScrollGesture', { x: 180, y: 500, yDistance: -4 * FLING, speed: FLING, gestureSourceType: 'touch', preventFling: true });
  const frames = await page.evaluate(() => globalThis.framesSeen());
  const times = frames.map(({ ms }) => ms);
  line(`a finger scrolls ${FLING} px a second: frames, with a row missing`, `${frames.length}, ${frames.filter(({ missing }) => missing).length}`);
  line('frames over 33 ms, the longest', `${times.filter((ms) => ms > 33).length}, ${most(times).toFixed(0)} ms`);

  await page.getByRole('searchbox').fill('c');
  const search = await page.evaluate(searchOnce);
  line('a search until it shows', `${search.toFixed(0)} ms`);

  begun = Date.now();
  await page.reload();
  await page.locator('.person-row').first().waitFor();
  line(`open the app at the roster of ${PEOPLE}, from the phone's storage`, `${Date.now() - begun} ms`);

  const first = await browser.newContext({ viewport: { width: 360, height: 740 } });
  const fresh = await first.newPage();
  const slow = await first.newCDPSession(fresh);
  await slow.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  await slow.send('Network.enable');
  // A 3G line: 1.6 Mbit/s down, 150 ms there and back.
  await slow.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 });
  let bytes = 0;
  slow.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  begun = Date.now();
  await fresh.goto(`${server.url}/app/`);
  await fresh.locator('.welcome').waitFor();
  line('the very first page, over 3G', `${Date.now() - begun} ms, ${Math.round(bytes / 1024)} KiB`);
} finally {
  await browser.close();
  await server.remove();
}

/** What the page's thread has worked, whatever else the machine does. */
async function threadMs(cdp) {
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  const { metrics } = await cdp.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
}

// --- Run inside the page ---

/** Collects how long taps took, from the finger’s leaving to the paint, in steps of 8 ms (Event Timing API). */
function watchTaps() {
  globalThis.tapsSeen = [];
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === 'click') globalThis.tapsSeen.push(duration);
  }).observe({ type: 'event', durationThreshold: 16 });
}

/** The next person to sign in, scrolled to where a thumb is. */
async function nextButton() {
  const button = document.querySelector('.person-row .button.soft');
  document.querySelector('.frame-body').scrollTop += button.closest('.item').offsetHeight;
  await new Promise((resolve) => setTimeout(resolve, 100));
  const inSight = [...document.querySelectorAll('.person-row .button.soft')].map((one) => one.getBoundingClientRect()).find(({ top, bottom }) => top > 250 && bottom < 600);
  return { x: inSight.left + inSight.width / 2, y: inSight.top + inSight.height / 2 };
}

/** Follows the frames from now on: how long each took, and whether the list had a hole where somebody looks. */
function watchFrames() {
  const scroller = document.querySelector('.frame-body');
  const taken = [];
  let last = 0;
  let on = true;
  const missing = () => {
    const { top, bottom, left } = scroller.getBoundingClientRect();
    return [top + 1, (top + bottom) / 2, bottom - 1].some((y) => document.elementFromPoint(left + 40, y)?.classList.contains('virtual'));
  };
  const look = (at) => {
    if (!on) return;
    if (last !== 0) taken.push({ ms: at - last, missing: missing() });
    last = at;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  globalThis.framesSeen = () => {
    on = false;
    return taken;
  };
}

async function searchOnce() {
  const field = document.querySelector('input[type=search]');
  const begun = performance.now();
  field.value = 'cjy';
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return performance.now() - begun;
}
