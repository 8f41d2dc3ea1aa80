// A secret that no longer works: for that device alone, at once, everywhere.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Refused } from './client.mjs';
import { RawSocket, createScopes, enrolledDevices, helloOf, opNow } from './fixtures.mjs';
import { startServer } from './server.mjs';

const SCOPE = 'revoked';

let server;
before(async () => { server = await startServer(); await createScopes(server, SCOPE); });
after(() => server.remove());

const revoke = (device) => server.admin('POST', `/v1/devices/${device.id}/revoke`);

test('a live connection is told and closed; the ops stay on the device; the others go on', async () => {
  const [lost, good] = await enrolledDevices(server, 2, [SCOPE]);
  for (const device of [lost, good]) device.connect();
  for (const device of [lost, good]) await device.settled();
  const row = await revoke(lost);
  assert.equal(row.device, lost.id);
  assert.equal(row.revoked, true);

  await lost.until(() => lost.stopped !== null, 'the device has stopped');
  assert.equal(lost.stopped, 'auth.revoked');
  lost.edit(SCOPE, 'note', 'kept', { set: { text: 'still on the device' } });
  assert.equal(lost.waiting().length, 1);

  good.edit(SCOPE, 'note', 'n1', { set: { text: 'goes on' } });
  await good.until(() => good.queue().length === 0, 'the good device is done');
  assert.equal(good.counts.connections, 1);
  assert.equal(lost.record(SCOPE, 'note', 'n1'), undefined);
  await lost.disconnect();
  await good.disconnect();
});

test('the close comes from the server, after the error', async () => {
  const [device] = await enrolledDevices(server, 1, [SCOPE]);
  const raw = await RawSocket.greeted(server, device);
  await revoke(device);
  assert.equal((await raw.next()).error.code, 'auth.revoked');
  assert.equal((await raw.closed()).code, 4403);
});

test('afterwards neither hello nor anything else is taken', async () => {
  const [device] = await enrolledDevices(server, 1, [SCOPE]);
  await device.sync();
  await revoke(device);
  const raw = await RawSocket.open(server);
  assert.equal((await raw.ask({ hello: helloOf(device) })).error.code, 'auth.revoked');
  await raw.closed();

  const push = { ops: [opNow(1, SCOPE, 'note', 'forbidden', { set: { text: 'x' } })] };
  const reply = await server.call('POST', '/v1/sync', { body: { hello: helloOf(device), push, pull: { cursor: '' } } });
  assert.equal(reply.status, 403);
  assert.equal(reply.body.code, 'auth.revoked');
  const records = await server.call('GET', `/v1/records?scope=${SCOPE}`, { as: `${device.id}.${device.token}` });
  assert.equal(records.body.code, 'auth.revoked');
  const all = await server.all(`/v1/records?scope=${SCOPE}`, 'records');
  assert.ok(all.every(({ id }) => id !== 'forbidden'));
});

test('it stays so after the server was killed', async () => {
  const [device, other] = await enrolledDevices(server, 2, [SCOPE]);
  await revoke(device);
  await server.killAndRestart();
  await assert.rejects(device.sync(), Refused);
  assert.equal(device.stopped, 'auth.revoked');
  await other.sync();
});

test('a wrong secret of a revoked device does not learn that it is revoked', async () => {
  const [device] = await enrolledDevices(server, 1, [SCOPE]);
  await revoke(device);
  const { body } = await server.call('POST', '/v1/sync', { body: { hello: { ...helloOf(device), token: 'guessed' } } });
  assert.equal(body.code, 'auth.bad_token');
});

test('what it had handed in before stays', async () => {
  const [device, other] = await enrolledDevices(server, 2, [SCOPE]);
  device.edit(SCOPE, 'note', 'before', { set: { text: 'handed in before' } });
  await device.sync();
  await revoke(device);
  await other.sync();
  assert.equal(other.view(SCOPE, 'note', 'before').fields.text, 'handed in before');
});

test('a device that does not exist cannot be revoked', async () => {
  const { status, body } = await server.call('POST', '/v1/devices/0000000000/revoke', { as: server.adminToken });
  assert.deepEqual([status, body.code], [404, 'http.not_found']);
});
