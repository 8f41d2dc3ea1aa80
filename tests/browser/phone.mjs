// Phones and tablets: browser contexts of their own, each with its storage and its network.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

export const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
              '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

export const PHONE = { width: 360, height: 740 };
export const TABLET = { width: 1280, height: 800 };

/** A browser, ended with the test. `camera`: a file (.y4m or .mjpeg) that it shows in place of a camera. */
export async function browserFor(t, { camera } = {}) {
  if (!existsSync(EXECUTABLE)) throw new Error(`no browser at ${EXECUTABLE}: install Debian's chromium`);
  const args = camera === undefined ? ARGS : [...ARGS, '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${camera}`];
  const browser = await chromium.launch({ executablePath: EXECUTABLE, headless: true, args });
  t?.after(() => browser.close());
  return browser;
}

/** One device with a page open on the companion. `errors`: of its scripts; that there is
 *  no network is none. */
export async function openPhone(browser, server, { viewport = PHONE, path = '/app/', lang = 'zh', ...options } = {}) {
  const touch = viewport.width < 800;
  const context = await browser.newContext({ viewport, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', hasTouch: touch, isMobile: touch, ...options });
  await context.addInitScript((wanted) => {
    if (localStorage.getItem('waystation.lang') === null) localStorage.setItem('waystation.lang', wanted);
  }, lang);
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && !/Failed to load resource|WebSocket connection to/.test(message.text()) && errors.push(message.text()));
  page.setDefaultTimeout(30_000); // beside other work a browser is slow
  await page.goto(`${server.url}${path}`);
  return { context, page, errors };
}

/** Types the office's code on the first page, and waits for the home. */
export async function enroll(page, code, name = '测试手机') {
  await page.getByLabel(/登记码|Enrolment code/).first().fill(code);
  await page.getByLabel(/起个名字|A name for/).fill(name);
  await page.getByRole('button', { name: /用登记码登记|Enrol with the code/ }).click();
  await page.locator('.sync-line').waitFor();
}

export async function enrolledPhone(browser, server, { role, scopes, name, ...options }) {
  const code = await server.createCode(scopes, { role, name: name ?? role });
  const phone = await openPhone(browser, server, options);
  await enroll(phone.page, code, name);
  return phone;
}

export function syncLine(page) {
  return page.locator('.sync-line');
}

/** Until the sync line says this. */
export async function syncSays(page, text) {
  await syncLine(page).filter({ hasText: text }).waitFor();
}

/** Until the service worker serves the page. */
export function workerReady(page) {
  return page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (navigator.serviceWorker.controller === null) await new Promise((resolve) => setTimeout(resolve, 50));
  });
}

/** Until the sync line says that all has arrived. */
export async function allArrived(page) {
  await page.locator('.sync-line.good').waitFor();
}
