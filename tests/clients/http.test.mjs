// The rest of the HTTP interface.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createScopes, enrolledDevice } from './fixtures.mjs';
import { startServer } from './server.mjs';

const SCOPE = 'http';

let server, office;
before(async () => {
  server = await startServer();
  office = await createScopes(server, SCOPE);
  for (let i = 0; i < 25; i++) office.edit(SCOPE, 'note', `n${String(i).padStart(2, '0')}`, { set: { text: `${i}` } });
  office.edit(SCOPE, 'event', 'e1', { set: { title: 'x' } });
  await office.sync();
});
after(() => server.remove());

test('healthz and readyz', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const { status, body } = await server.call('GET', path);
    assert.deepEqual([status, body], [200, { status: 'ok' }]);
  }
});

test('records: by collection, by id, in pages', async () => {
  const notes = await server.all(`/v1/records?scope=${SCOPE}&coll=note&limit=10`, 'records');
  assert.equal(notes.length, 25);
  assert.equal(new Set(notes.map(({ id }) => id)).size, 25);
  const [one, ...others] = await server.all(`/v1/records?scope=${SCOPE}&coll=note&id=n07`, 'records');
  assert.deepEqual(others, []);
  assert.deepEqual(one, office.record(SCOPE, 'note', 'n07'));
  const page = await server.admin('GET', `/v1/records?scope=${SCOPE}&coll=note&limit=10`);
  assert.equal(page.records.length, 10);
  assert.ok(page.next);
  assert.deepEqual(await server.all(`/v1/records?scope=${SCOPE}&coll=volunteer`, 'records'), []);
});

test('records without a scope are refused', async () => {
  const { status } = await server.call('GET', '/v1/records', { as: server.adminToken });
  assert.equal(status, 400);
});

test('nothing under /v1/ is open to who has no token, or a wrong one', async () => {
  for (const path of [`/v1/records?scope=${SCOPE}`, '/v1/conflicts', '/v1/quarantine', '/v1/devices']) {
    for (const as of [undefined, 'wrong', `${office.id}.wrong`, `wrong.${office.token}`, '.', '']) {
      const { status, body } = await server.call('GET', path, { as });
      assert.equal(status, 401, `${path} as ${as}`);
      assert.match(body.code, /^auth\./);
    }
  }
});

test('a path that is not there, and a method that is not allowed', async () => {
  const nothing = await server.call('GET', '/v1/nothing', { as: server.adminToken });
  assert.deepEqual([nothing.status, nothing.body.code], [404, 'http.not_found']);
  const forbidden = await server.call('DELETE', '/v1/devices', { as: server.adminToken });
  assert.deepEqual([forbidden.status, forbidden.body.code], [405, 'http.method']);
});

test('bad bodies of the administrator are refused', async () => {
  for (const body of ['{', '[]', { scopes: 'town' }, { scopes: [] }, { scopes: [5] }, {}, { scopes: ['bad scope!'] }, { scopes: ['*'], uses: 0 }, { scopes: ['*'], uses: 'x' }]) {
    const { status } = await server.call('POST', '/v1/codes', { body, as: server.adminToken, unchecked: true });
    assert.equal(status, 400, JSON.stringify(body));
  }
  const device = await enrolledDevice(server, [SCOPE]);
  for (const body of [{}, { scopes: 'x' }, { scopes: ['bad scope!'] }]) {
    const { status } = await server.call('PUT', `/v1/devices/${device.id}/scopes`, { body, as: server.adminToken, unchecked: true });
    assert.equal(status, 400, JSON.stringify(body));
  }
});

test('the list of devices tells what the office needs', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  device.edit(SCOPE, 'note', 'n00', { set: { text: 'x' } });
  await device.sync();
  const row = await server.deviceRow(device.id);
  assert.deepEqual(row.scopes, [SCOPE]);
  assert.deepEqual([row.applied, row.refused, row.revoked, row.clock_wrong], [1, 0, false, false]);
  assert.ok(Math.abs(row.skew_ms) < 2000);
  assert.ok(row.last_seen >= row.enrolled && Math.abs(row.last_seen - Date.now()) < 10_000);
});

test('a code tells when it ends', async () => {
  const { expires, uses } = await server.admin('POST', '/v1/codes', { scopes: [SCOPE], uses: 3, expires_s: 600 });
  assert.equal(uses, 3);
  assert.ok(Math.abs(expires - Date.now() - 600_000) < 10_000);
});
