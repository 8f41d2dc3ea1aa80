// Photos: kept on the phone, sent after the records, gone on with where they broke off, and let go when the
// server has them.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { buildCity, EVENT } from './city.mjs';
import { allArrived, browserFor, enrolledPhone, syncLine } from './phone.mjs';

const PHOTOS = 40;
const CUTS = 30;

let server, browser;
before(async () => {
  server = await startServer();
  await buildCity(server, { people: 5 });
  browser = await browserFor();
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

const onSite = async (name) => {
  const phone = await enrolledPhone(browser, server, { role: 'volunteer', name, scopes: [EVENT.scope] });
  await phone.page.locator('.event-card').first().waitFor();
  await phone.page.evaluate((hash) => (location.hash = hash), `#/site/${encodeURIComponent(EVENT.scope)}/${EVENT.id}`);
  await phone.page.getByRole('button', { name: '拍照' }).waitFor();
  return phone;
};

/** A picture such as a camera makes: large, and full of detail. */
const pictureOf = (page, seed, width = 3200, height = 2400) => page.evaluate(async ([first, w, h]) => {
  const canvas = new OffscreenCanvas(w, h);
  const context = canvas.getContext('2d');
  let state = first;
  for (let i = 0; i < 4000; ++i) {
    state = (state * 1103515245 + 12345) % 2147483648;
    context.fillStyle = `hsl(${state % 360} 60% ${30 + (state % 40)}%)`;
    context.fillRect(state % w, (state >> 7) % h, 20 + (state % 160), 20 + (state % 90));
  }
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}, [seed, width, height]);

const take = async (page, seed) => {
  const buffer = Buffer.from(await pictureOf(page, seed), 'base64');
  await page.locator('input[capture]').setInputFiles({ name: 'photo.jpg', mimeType: 'image/jpeg', buffer });
};
const photos = async () => (await server.all(`/v1/records?scope=${EVENT.scope}&coll=photo`, 'records')).filter(({ fields }) => fields);
const filesHeld = (page) => page.evaluate(() => new Promise((resolve, reject) => {
  const open = indexedDB.open('waystation');
  open.onerror = () => reject(open.error);
  open.onsuccess = () => {
    const keys = open.result.transaction('files').objectStore('files').getAllKeys();
    keys.onsuccess = () => resolve(keys.result);
  };
}));

describe('a photo', () => {
  it('is made smaller, kept offline through a reload, and sent with the network back', async () => {
    const { page, context, errors } = await onSite('拍照');
    await page.evaluate(async () => navigator.serviceWorker.ready);
    await page.reload();
    await page.getByRole('button', { name: '拍照' }).waitFor();
    await context.setOffline(true);
    await take(page, 7);
    await page.getByText('0 / 1 张已送达').waitFor();
    await page.reload();
    await page.getByText('0 / 1 张已送达').waitFor();
    assert.equal((await filesHeld(page)).length, 2);
    await context.setOffline(false);
    await page.getByText('1 / 1 张已送达').waitFor();
    await allArrived(page);
    const [{ id, fields }] = await photos();
    assert.ok(fields.present);
    const got = await fetch(`${server.url}/v1/blobs/${fields.blob}?scope=${EVENT.scope}&id=${id}`, { headers: { authorization: `Bearer ${server.adminToken}` } });
    const bytes = Buffer.from(await got.arrayBuffer());
    assert.equal(createHash('sha256').update(bytes).digest('hex'), fields.blob);
    assert.equal(bytes.length, fields.bytes);
    for (let tries = 0; (await filesHeld(page)).length > 0 && tries < 50; ++tries) await page.waitForTimeout(100);
    assert.deepEqual(await filesHeld(page), []);
    assert.deepEqual(errors, []);
  });

  it('of another phone is seen once the server has it, and why it is not without a network', async () => {
    const { page, context } = await onSite('看照片');
    await page.getByRole('button', { name: /^第 1 张照片/ }).click();
    await page.waitForFunction(() => document.querySelector('dialog img.picture')?.naturalWidth > 0);
    await page.getByRole('button', { name: '关闭' }).click();
    await context.setOffline(true);
    await page.getByRole('button', { name: /^第 1 张照片/ }).click();
    await page.getByText('现在读不到这张照片').waitFor();
  });

  it('goes on where it broke off: forty of them, cut off thirty times, send nothing twice that was confirmed', { timeout: 600_000 }, async () => {
    const { page, context } = await onSite('断断续续');
    const confirmed = new Map();
    const again = [];
    let pieces = 0;
    let cuts = 0;
    await page.route('**/v1/blobs/**', async (route) => {
      const request = route.request();
      if (request.method() !== 'PATCH') return route.continue();
      const offset = Number(request.headers()['upload-offset']);
      if (offset < (confirmed.get(request.url()) ?? 0)) again.push(`${request.url()} from ${offset}`);
      ++pieces;
      if (pieces % 3 === 0 || cuts >= CUTS) {
        const response = await route.fetch();
        confirmed.set(request.url(), Number(response.headers()['upload-offset']));
        return route.fulfill({ response });
      }
      ++cuts;
      // By turns the piece gets lost, or the answer to it.
      if (cuts % 2 === 0) await route.fetch();
      return route.abort('connectionreset');
    });
    const before = (await photos()).length;
    const files = [];
    for (let i = 0; i < PHOTOS; ++i) {
      files.push({ name: `${i}.jpg`, mimeType: 'image/jpeg', buffer: Buffer.from(await pictureOf(page, 1000 + i, 1280, 960), 'base64') });
    }
    await page.locator('input[multiple]').setInputFiles(files);
    await page.getByText(`${before + PHOTOS} / ${before + PHOTOS} 张已送达`).waitFor({ timeout: 500_000 });
    assert.equal(cuts, CUTS);
    assert.deepEqual(again, []);
    await context.close();
  });

  it('taken twice is stored once', async () => {
    const { page } = await onSite('同一张');
    const before = await photos();
    await take(page, 21);
    await take(page, 21);
    await page.getByText(`${before.length + 2} / ${before.length + 2} 张已送达`).waitFor({ timeout: 60_000 });
    const added = (await photos()).slice(-2);
    assert.equal(new Set((await photos()).map(({ fields }) => fields.blob)).size, before.length + 1);
    assert.equal(added.length, 2);
  });

  it('that is no picture is refused with a sentence', async () => {
    const { page } = await onSite('坏文件');
    await page.locator('input[capture]').setInputFiles({ name: 'x.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('not a picture') });
    await page.getByText('这个文件不是能读取的照片').waitFor();
    assert.doesNotMatch(await syncLine(page).innerText(), /照片/);
  });
});
