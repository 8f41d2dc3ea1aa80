// The camera reads the office's code and people's codes.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startServer } from '../clients/server.mjs';
import { filmOf } from './camera_file.mjs';
import { buildCity, EVENT, personId, personName } from './city.mjs';
import { allArrived, browserFor, enrolledPhone, openPhone } from './phone.mjs';

let server, folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waystation-camera-'));
  server = await startServer();
  await buildCity(server, { people: 5 });
});
after(async () => {
  await server?.remove();
  await rm(folder, { recursive: true, force: true });
});

/** A browser whose camera sees a code with this text. */
const seeing = async (t, text) => {
  const camera = join(folder, 'code.y4m');
  await filmOf(text, camera);
  return browserFor(t, { camera });
};

describe('the camera', () => {
  it('enrols a phone from the office’s QR code', async (t) => {
    const { code, qr } = await server.admin('POST', '/v1/codes', { scopes: [EVENT.scope], role: 'volunteer', name: '扫码', uses: 1, expires_s: 600 });
    assert.ok(code);
    const browser = await seeing(t, qr.replace('{server}', encodeURIComponent(server.url)));
    const { page } = await openPhone(browser, server);
    await page.getByRole('button', { name: '扫描二维码' }).click();
    await page.getByRole('heading', { name: '我的活动' }).waitFor();
  });

  it('says where a code of another server leads', async (t) => {
    const browser = await seeing(t, 'waystation:enroll?code=7K3M9QX2PA&server=https%3A%2F%2Fsync.example.org');
    const { page } = await openPhone(browser, server);
    await page.getByRole('button', { name: '扫描二维码' }).click();
    await page.getByText('这个二维码属于另一台服务器').waitFor();
    assert.equal(await page.getByRole('link').getAttribute('href'), 'https://sync.example.org/app/#/enroll?code=7K3M9QX2PA');
  });

  it('signs in the person whose code it sees, and says when they are in already', async (t) => {
    const browser = await seeing(t, `waystation:person?id=${personId(2)}`);
    const { page } = await enrolledPhone(browser, server, { role: 'volunteer', scopes: [EVENT.scope] });
    await page.getByRole('button', { name: /进东社区便民服务日/ }).click();
    await page.getByRole('button', { name: '扫描个人码' }).click();
    await page.getByText(`${personName(2)} 已签到`).waitFor();
    await allArrived(page);
    const [record] = await server.all(`/v1/records?scope=${EVENT.scope}&coll=attendance`, 'records');
    assert.equal(record.id, `${EVENT.id}~${personId(2)}`);
    await page.reload();
    await page.getByText(`${personName(2)} 已经签到`).waitFor();
    await page.getByRole('main').getByRole('button', { name: '签退' }).click();
    await page.getByText(`${personName(2)} 已签退`).waitFor();
  });
});

describe('without a camera', () => {
  it('says what to do instead', async (t) => {
    const browser = await browserFor(t);
    const { page } = await openPhone(browser, server);
    await page.getByRole('button', { name: '扫描二维码' }).click();
    await page.getByText(/没有使用相机的权限|这里用不了相机/).waitFor();
    await page.getByRole('button', { name: '改为输入登记码' }).click();
    await page.getByLabel('登记码').waitFor();
  });
});
