// How the companion feels on a slow phone: figures for docs/performance.md. The processor is throttled six times;
// 5,000 people are on the roster. node measure.mjs, with the server's binary in WAYSTATION.

import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT } from './city.mjs';
import { browserFor, enrolledPhone } from './phone.mjs';

const PEOPLE = 5000;
const SLOWER = Number(process.env.SLOWER ?? 6);
const TAPS = 25;

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

  const before = await threadMs(cdp);
  const taps = await page.evaluate(tapMany, TAPS);
  line('a tap, all that comes of it: time of the processor', `${((await threadMs(cdp)) - before) / TAPS | 0} ms`);
  const drawn = taps.map((tap) => tap.drawn);
  const shown = taps.map((tap) => tap.shown);
  line('a tap until the page is drawn and laid out, least / median', `${Math.min(...drawn).toFixed(1)} / ${median(drawn).toFixed(1)} ms`);
  line('a tap until it shows (next frame), median / most', `${median(shown).toFixed(0)} / ${most(shown).toFixed(0)} ms`);

  const frames = await page.evaluate(scrollThrough);
  line(`scroll through ${PEOPLE}: frames, of them over 33 ms`, `${frames.length}, ${frames.filter((ms) => ms > 33).length}`);
  line('the longest frame while scrolling', `${most(frames).toFixed(0)} ms`);

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

async function tapMany(times) {
  const message = () => new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(0);
  });
  const taken = [];
  for (let i = 0; i < times; ++i) {
    const button = document.querySelector('.person-row .button.soft');
    const row = button.closest('.person-row');
    const begun = performance.now();
    button.click();
    // Preact draws behind the current task.
    await message();
    void document.body.offsetHeight;
    const drawn = performance.now() - begun;
    await new Promise((resolve) => requestAnimationFrame(() => message().then(resolve)));
    if (row.querySelector('.button.soft') !== null) throw new Error('the tap does not show in the next frame');
    taken.push({ drawn, shown: performance.now() - begun });
    document.querySelector('.frame-body').scrollTop += row.parentElement.offsetHeight;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return taken;
}

async function scrollThrough() {
  const scroller = document.querySelector('.frame-body');
  const taken = [];
  let last = performance.now();
  for (let i = 0; i < 240; ++i) {
    scroller.scrollTop += 180;
    const at = await new Promise((resolve) => requestAnimationFrame(resolve));
    if (i > 1) taken.push(at - last);
    last = at;
  }
  return taken;
}

async function searchOnce() {
  const field = document.querySelector('input[type=search]');
  const begun = performance.now();
  field.value = 'cjy';
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return performance.now() - begun;
}
