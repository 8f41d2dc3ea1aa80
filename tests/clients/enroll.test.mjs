import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Device, Faults, NoAnswer, Refused, systemClock } from './client.mjs';
import { createScopes, enrolledDevice } from './fixtures.mjs';
import { CHECKED } from './schemas.mjs';
import { startServer } from './server.mjs';

let server;
before(async () => { server = await startServer(); await createScopes(server, 'town', 'event:1'); });
after(() => server.remove());

const newRequest = () => randomBytes(16).toString('hex');
const enroll = (body) => server.call('POST', '/v1/enroll', { body: { name: 'raw', app: 'raw 1', ...body } });
const helloWith = (device, token) => server.call('POST', '/v1/sync', { body: { hello: { v: 1, device, token, clock: systemClock()() } } });

async function devicesNamed(name) {
  return (await server.admin('GET', '/v1/devices')).devices.filter((row) => row.name === name);
}

test('a device gets its id, its secret and the scopes of the code', async () => {
  const { status, body } = await enroll({ code: await server.createCode(['town', 'event:1']), request: newRequest() });
  assert.equal(status, 200);
  assert.deepEqual([...body.scopes].sort(), ['event:1', 'town']);
  const { body: reply } = await helloWith(body.device, body.token);
  assert.equal(reply.welcome.server.incarnation, body.incarnation);
  assert.equal(reply.welcome.applied, 0);
  assert.deepEqual([...reply.welcome.scopes].sort(), ['event:1', 'town']);
  assert.ok(Math.abs(reply.welcome.server.time - Date.now()) < 10_000);
});

test('the code says how many devices may use it', async () => {
  const code = await server.createCode(['town'], { uses: 2 });
  const first = await enroll({ code, request: newRequest() });
  const second = await enroll({ code, request: newRequest() });
  assert.notEqual(first.body.device, second.body.device);
  const third = await enroll({ code, request: newRequest() });
  assert.deepEqual([third.status, third.body.code], [403, 'code.used']);
});

test('a code that does not exist, or is none at all, is refused', async () => {
  for (const code of ['AAAA-BBBB-CC', 'no code!', 'Z']) {
    const { status, body } = await enroll({ code, request: newRequest() });
    assert.equal(body.code, 'code.invalid', code);
    assert.equal(status, 403);
  }
});

test('an expired code is refused', async () => {
  const code = await server.createCode(['town'], { expires_s: 1 });
  await new Promise((resolve) => setTimeout(resolve, 1200));
  assert.equal((await enroll({ code, request: newRequest() })).body.code, 'code.expired');
});

test('a code may be typed in small letters, with spaces or without hyphens, and with O I L', async () => {
  const code = await server.createCode(['town'], { uses: 3 });
  const spellings = [code.toLowerCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `];
  for (const spelling of spellings) assert.equal((await enroll({ code: spelling, request: newRequest() })).status, 200, spelling);
});

test('a request id that is too short is refused and does not use up the code', async () => {
  const code = await server.createCode(['town']);
  const reply = await server.call('POST', '/v1/enroll', { body: { code, request: 'short' }, unchecked: true });
  assert.ok(reply.status >= 400 && reply.status < 500);
  assert.equal((await enroll({ code, request: newRequest() })).status, 200);
});

test('lost answer: the device tries again and there is one device, not two', async () => {
  const faults = new Faults();
  faults.loseReplyOf('enroll');
  faults.loseReplyOf('enroll');
  const device = new Device({ url: server.url, watch: CHECKED, faults, firstBackoffMs: 1 });
  await device.enroll(await server.createCode(['town']), 'lost twice');
  assert.deepEqual((await devicesNamed('lost twice')).map((row) => row.device), [device.id]);
  await device.sync();
});

test('lost answer and a program that ends over it: still one device', async () => {
  const faults = new Faults();
  faults.loseReplyOf('enroll');
  const first = new Device({ url: server.url, watch: CHECKED, faults, attempts: 1 });
  const code = await server.createCode(['town']);
  await assert.rejects(first.enroll(code, 'ended'), NoAnswer);
  const again = new Device({ url: server.url, watch: CHECKED, storage: first.storage });
  await again.enroll(code, 'ended');
  assert.deepEqual((await devicesNamed('ended')).map((row) => row.device), [again.id]);
  await again.sync();
});

test('lost answer and a server that was killed meanwhile: still the same device', async () => {
  const code = await server.createCode(['town']);
  const request = newRequest();
  const first = await enroll({ code, request });
  await server.killAndRestart();
  const second = await enroll({ code, request });
  assert.equal(second.body.device, first.body.device);
});

test('repeated, it gives the same device with a new secret, until that device has said hello', async () => {
  const code = await server.createCode(['town']);
  const request = newRequest();
  const first = (await enroll({ code, request })).body;
  const second = (await enroll({ code, request })).body;
  assert.equal(second.device, first.device);
  assert.notEqual(second.token, first.token);
  assert.equal((await helloWith(first.device, first.token)).body.code, 'auth.bad_token');
  assert.ok((await helloWith(second.device, second.token)).body.welcome);
  assert.equal((await enroll({ code, request })).body.code, 'code.used');
  assert.ok((await helloWith(second.device, second.token)).body.welcome);
});

test('the same request repeated at the same time gives one device', async () => {
  const code = await server.createCode(['town']);
  const request = newRequest();
  const replies = await Promise.all(Array.from({ length: 6 }, () => enroll({ code, request })));
  assert.equal(new Set(replies.map(({ body }) => body.device)).size, 1);
});

test('many devices at once with one code: as many as it is for', async () => {
  const code = await server.createCode(['town'], { uses: 5 });
  const replies = await Promise.all(Array.from({ length: 12 }, () => enroll({ code, request: newRequest() })));
  assert.equal(replies.filter(({ status }) => status === 200).length, 5);
  assert.ok(replies.filter(({ status }) => status !== 200).every(({ body }) => body.code === 'code.used'));
});

test('a wrong secret and an unknown device are refused', async () => {
  const device = await enrolledDevice(server, ['town']);
  const wrong = await helloWith(device.id, `${device.token}x`);
  const unknown = await helloWith('0000000000', device.token);
  assert.deepEqual([wrong.status, wrong.body.code], [401, 'auth.bad_token']);
  assert.deepEqual([unknown.status, unknown.body.code], [401, 'auth.unknown_device']);
});

test('only the administrator makes codes and sees the devices', async () => {
  const device = await enrolledDevice(server, ['town']);
  for (const as of [undefined, 'wrong', `${device.id}.${device.token}`]) {
    const code = await server.call('POST', '/v1/codes', { body: { scopes: ['*'] }, as });
    const list = await server.call('GET', '/v1/devices', { as });
    for (const reply of [code, list]) assert.ok(reply.status === 401 || reply.status === 403, `${reply.status}`);
  }
});

test('the client reports a refusal instead of trying for ever', async () => {
  const device = new Device({ url: server.url, watch: CHECKED });
  await assert.rejects(device.enroll('AAAA-BBBB-CC'), Refused);
});
