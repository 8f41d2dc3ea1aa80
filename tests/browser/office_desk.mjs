// A desk in the city office: an account made by its link, a browser that is signed in, an authenticator.

import { createHmac } from 'node:crypto';

export const DESK = { width: 1280, height: 800 };
export const NARROW = { width: 390, height: 844 };
export const PASSWORD = 'four plain words 四个词';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What an authenticator shows: RFC 6238 with SHA-1, six digits, 30 seconds. */
export function authenticatorCode(secret, now = Date.now()) {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)));
  const hash = createHmac('sha1', key).update(step).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

async function setUp(server, body) {
  const reply = await server.call('POST', '/v1/office/setup', { body: { password: PASSWORD, ...body } });
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
}

/** The first administrator, without a browser. */
export async function firstAdministrator(server, { name = 'limei', display = '李梅' } = {}) {
  const { secret } = await server.admin('POST', '/v1/office/first');
  await setUp(server, { secret, name, display });
  return name;
}

export async function account(server, name, display, role) {
  const { secret } = await server.admin('POST', '/v1/office/accounts', { name, display, role });
  await setUp(server, { secret });
  return name;
}

/** A browser at the office's first page. `errors`: of its scripts. */
export async function openDesk(browser, server, { viewport = DESK, path = '/office/', lang = 'zh', ...options } = {}) {
  const context = await browser.newContext({ viewport, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...options });
  await context.addInitScript((wanted) => {
    if (localStorage.getItem('waystation.lang') === null) localStorage.setItem('waystation.lang', wanted);
  }, lang);
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && !/Failed to load resource/.test(message.text()) && errors.push(message.text()));
  page.setDefaultTimeout(60_000); // beside other work a browser is slow
  await page.goto(`${server.url}${path}`);
  return { context, page, errors };
}

export async function signIn(page, name, password = PASSWORD) {
  const form = page.locator('.alone form, dialog[open] form:has(input[autocomplete="current-password"])').last();
  await form.getByRole('button', { name: /^(登录|Sign in)$/ }).waitFor();
  if ((await form.getByLabel(/^(用户名|User name)$/).count()) > 0) await form.getByLabel(/^(用户名|User name)$/).fill(name);
  await form.getByLabel(/^(密码|Password)$/).fill(password);
  await form.getByRole('button', { name: /^(登录|Sign in)$/ }).click();
}

export async function signedInDesk(browser, server, name, options = {}) {
  const desk = await openDesk(browser, server, options);
  await signIn(desk.page, name);
  await desk.page.locator('.side').waitFor({ state: 'attached' });
  return desk;
}

/** Two administrators at work at once, each with a browser. */
export async function twoAdministrators(browser, server) {
  await firstAdministrator(server);
  await account(server, 'chenjie', '陈杰', 'administrator');
  const [mei, jie] = await Promise.all([signedInDesk(browser, server, 'limei'), signedInDesk(browser, server, 'chenjie')]);
  return { mei, jie };
}

/** To another page of the office, by its address. */
export async function goTo(page, hash) {
  await page.evaluate((next) => (location.hash = next), hash);
  await page.locator('.page-head h1').waitFor();
}
