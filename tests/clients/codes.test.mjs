// Enrolment codes: listed without their secret, withdrawn, and not to be found by trying.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createScopes } from './fixtures.mjs';
import { startServer } from './server.mjs';

let server;
before(async () => { server = await startServer(); await createScopes(server, 'town'); });
after(() => server.remove());

const request = () => crypto.randomUUID();
const enroll = (code) => server.call('POST', '/v1/enroll', { body: { code, request: request() } });
const listed = async () => (await server.admin('GET', '/v1/codes')).codes;

test('a code is listed until it is withdrawn, and its secret is not', async () => {
  const made = await server.admin('POST', '/v1/codes', { scopes: ['town'], name: '平板', uses: 2 });
  const [row] = (await listed()).filter(({ id }) => id === made.id);
  assert.deepEqual([row.name, row.scopes, row.uses, row.expires], ['平板', ['town'], 2, made.expires]);
  const digits = made.code.replace('-', '');
  assert.ok(!JSON.stringify(await listed()).includes(digits));
  assert.equal(made.qr, `waystation:enroll?code=${digits}&server={server}`);
  await server.admin('DELETE', `/v1/codes/${made.id}`);
  assert.equal((await enroll(made.code)).body.code, 'code.invalid');
  const again = await server.call('DELETE', `/v1/codes/${made.id}`, { as: server.adminToken });
  assert.equal(again.body.code, 'http.not_found');
});

test('a device may neither list nor withdraw codes', async () => {
  const { body } = await enroll(await server.createCode(['town']));
  const as = `${body.device}.${body.token}`;
  assert.equal((await server.call('GET', '/v1/codes', { as })).body.code, 'auth.forbidden');
  assert.equal((await server.call('DELETE', '/v1/codes/000000000000', { as })).body.code, 'auth.forbidden');
});

test('who guesses is made to wait, and is told for how long', async () => {
  const right = await server.createCode(['town']);
  let reply;
  for (let i = 0; i < 40; i++) {
    reply = await enroll('AAAAA-AAAAA');
    if (reply.status === 429) break;
  }
  assert.equal(reply.body.code, 'code.limited');
  assert.ok(Number(reply.headers.get('retry-after')) > 0);
  // From the same address a right code has to wait too; from others it has not (guess_limit_test.cc).
  assert.equal((await enroll(right)).body.code, 'code.limited');
});
