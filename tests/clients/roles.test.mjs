// What a device sees and writes by its role, and what becomes of it when it gets another.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createScopes } from './fixtures.mjs';
import { Device } from './client.mjs';
import { CHECKED } from './schemas.mjs';
import { startServer } from './server.mjs';

const SCOPE = 'town';
let server;
before(async () => {
  server = await startServer();
  const office = await createScopes(server, SCOPE);
  office.edit(SCOPE, 'volunteer', 'v1', { set: { name: '陈一', phone_tail: '1234' } });
  office.edit(SCOPE, 'visit', 'x1', { set: { visitor: 'courier', at: '2026-01-01T08:00:00+08:00' } });
  await office.sync();
});
after(() => server.remove());

async function enrolledAs(role) {
  const device = new Device({ url: server.url, watch: CHECKED });
  await device.enroll(await server.createCode([SCOPE], { role }));
  return device;
}
const setRole = (device, role) => server.admin('PUT', `/v1/devices/${device.id}/role`, { role });
const person = (device) => device.view(SCOPE, 'volunteer', 'v1')?.fields;

test('a volunteer holds neither phone numbers nor visits, and the digests agree', async () => {
  const phone = await enrolledAs('volunteer');
  await phone.sync();
  assert.deepEqual(person(phone), { name: '陈一' });
  assert.equal(phone.view(SCOPE, 'visit', 'x1'), undefined);
});

test('what a role does not allow is refused, and the phone goes on', async () => {
  const phone = await enrolledAs('volunteer');
  phone.edit(SCOPE, 'volunteer', 'v1', { set: { name: 'x' } });
  phone.edit(SCOPE, 'note', 'mine', { set: { text: 'allowed' } });
  await phone.sync();
  const [{ refused }] = phone.refusals();
  assert.equal(refused.code, 'access.denied');
  assert.equal(phone.view(SCOPE, 'note', 'mine').fields.text, 'allowed');
});

test('another role brings what it shows and takes what it hides, also while the phone is live', async () => {
  const phone = await enrolledAs('lead');
  phone.connect();
  await phone.settled();
  assert.equal(person(phone).phone_tail, '1234');
  assert.equal(phone.role, 'lead');
  assert.equal((await setRole(phone, 'volunteer')).role, 'volunteer');
  await phone.until(() => person(phone)?.phone_tail === undefined, 'it is hidden');
  assert.equal(phone.view(SCOPE, 'visit', 'x1'), undefined);
  await setRole(phone, 'lead');
  await phone.until(() => person(phone)?.phone_tail === '1234', 'it is shown again');
  await phone.disconnect();
  await setRole(phone, 'volunteer');
  await phone.sync();
  assert.equal(phone.role, 'volunteer');
});

test('GET /v1/access says why, to the administrator alone', async () => {
  const phone = await enrolledAs('volunteer');
  const path = `/v1/access?device=${phone.id}&scope=${SCOPE}&coll=volunteer&id=v1`;
  const told = await server.admin('GET', path);
  assert.equal(told.role, 'volunteer');
  const hidden = told.fields.find(({ field }) => field === 'phone_tail');
  assert.equal(hidden.read.allowed, false);
  assert.match(hidden.read.reason, /\/roles\/volunteer\/collections\/volunteer\/read/);
  assert.equal(hidden.read.code, 'policy');
  assert.equal(hidden.read.about.place, '/roles/volunteer/collections/volunteer/read');
  assert.ok(hidden.read.about.rule.all_but.includes('phone_tail'));
  const elsewhere = await server.admin('GET', path.replace(encodeURIComponent(SCOPE), 'event:none').replace(SCOPE, 'event:none'));
  assert.deepEqual([elsewhere.read.code, elsewhere.read.about], ['scope_not_held', { scope: 'event:none' }]);
  const as = `${phone.id}.${phone.token}`;
  assert.equal((await server.call('GET', path, { as })).body.code, 'auth.forbidden');
});

test('a new phone takes over the role of the old one', async () => {
  const old = await enrolledAs('station');
  const made = await server.admin('POST', '/v1/codes', { replaces: old.id });
  assert.equal(made.role, null);
  const fresh = new Device({ url: server.url, watch: CHECKED });
  await fresh.enroll(made.code);
  assert.equal((await server.deviceRow(fresh.id)).role, 'station');
});
