// A newer version of the app: offered, not forced, and never taken while something typed would be lost.

import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT } from './city.mjs';
import { allArrived, browserFor, enrolledPhone, workerReady } from './phone.mjs';

const DIST = fileURLToPath(new URL('../../server/web/dist/', import.meta.url));

let server, browser, folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waystation-browser-'));
  await cp(DIST, join(folder, 'web'), { recursive: true });
  const config = join(folder, 'waystation.toml');
  await writeFile(config, `web = "${join(folder, 'web')}"\n`);
  server = await startServer({ args: ['--config', config] });
  await buildCity(server, { people: 3 });
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** The same pages as a version of their own: the worker's bytes tell versions apart. */
async function installNewVersion() {
  const app = join(folder, 'web', 'app');
  const compressed = (await readdir(app)).filter((name) => /^sw\.js\.(br|gz)$/.test(name));
  await Promise.all(compressed.map((name) => rm(join(app, name))));
  await appendFile(join(app, 'sw.js'), '\n// The next version.\n');
  await server.stop();
  await server.start();
}

it('is offered, waits for what is half typed, and keeps all that was recorded', async () => {
  const { page } = await enrolledPhone(browser, server, { role: 'lead', name: '领队', scopes: [EVENT.scope] });
  await page.locator('.event-card').first().click();
  await workerReady(page);
  await page.evaluate(() => (window.before = true));
  await installNewVersion();
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await page.getByText('有新版本').waitFor();

  await page.locator('.person-row').first().getByRole('button', { name: /^签到/ }).click();
  await page.getByRole('button', { name: '现场登记' }).click();
  await page.getByLabel('姓名').fill('欧阳明');
  await page.getByRole('button', { name: '现在更新' }).click();
  await page.getByText(/还有内容没有保存/).waitFor();
  assert.equal(await page.evaluate(() => window.before), true, 'the page is still the one with the half-typed name');
  assert.equal(await page.getByLabel('姓名').inputValue(), '欧阳明');

  await page.getByLabel('姓名').fill('');
  await page.getByRole('button', { name: '现在更新' }).click();
  await page.waitForFunction(() => window.before === undefined);
  await page.getByLabel('姓名').waitFor();
  assert.equal(await page.getByText('有新版本').count(), 0);
  await allArrived(page);
  await page.goBack();
  await page.locator('.person-row').first().getByRole('button', { name: /^签退/ }).waitFor();
});
