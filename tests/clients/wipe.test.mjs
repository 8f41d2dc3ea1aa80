// The office's decisions about a device: draining, a wipe that stands until it is confirmed, a new phone
// in the place of an old one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Device, Faults } from './client.mjs';
import { RawSocket, createScopes, enrolledDevice, enrolledDevices, helloOf, opNow, syncFrame, timePasses } from './fixtures.mjs';
import { CHECKED } from './schemas.mjs';
import { startServer } from './server.mjs';

const SCOPE = 'handed-back';

let server;
before(async () => { server = await startServer(); await createScopes(server, SCOPE); });
after(() => server.remove());

const decide = (device, what, body) => server.admin('POST', `/v1/devices/${device.id ?? device}/${what}`, body);
const note = (device, id) => device.edit(SCOPE, 'note', id, { set: { text: id } });
const notesOnServer = async () => (await server.all(`/v1/records?scope=${SCOPE}&coll=note`, 'records')).map(({ id }) => id);

function assertHoldsNothing(device) {
  assert.deepEqual([device.records().length, device.queue().length, device.id, device.token], [0, 0, undefined, undefined]);
}

test('a wiped device hands in its queue first, then holds nothing, and the office sees when', async () => {
  const [device, other] = await enrolledDevices(server, 2, [SCOPE]);
  note(other, 'seen');
  await other.sync();
  await device.sync();
  assert.equal(device.view(SCOPE, 'note', 'seen').fields.text, 'seen');
  const { id } = device;
  note(device, 'still-waiting');
  timePasses();
  const row = await decide(device, 'wipe');
  assert.deepEqual([row.state, row.wipe.now, row.wipe.confirmed], ['draining', false, null]);

  await device.sync();
  assert.equal(device.stopped, 'wiped');
  assertHoldsNothing(device);
  assert.ok((await notesOnServer()).includes('still-waiting'));
  const after = await server.deviceRow(id);
  assert.equal(after.state, 'closed');
  assert.ok(Math.abs(after.wipe.confirmed - Date.now()) < 60_000);
  assert.equal(after.wipe.discarded, 0);
});

test('at once: what waits is lost, and the office sees how much', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const { id } = device;
  note(device, 'lost-1');
  note(device, 'lost-2');
  await decide(device, 'wipe', { now: true });
  await device.sync();
  assertHoldsNothing(device);
  assert.equal((await server.deviceRow(id)).wipe.discarded, 2);
  assert.ok(!(await notesOnServer()).includes('lost-1'));
});

test('a live device obeys at once', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const { id } = device;
  device.connect();
  await device.settled();
  await decide(device, 'wipe');
  await device.until(() => device.isWiped, 'it has wiped itself');
  assertHoldsNothing(device);
  assert.notEqual((await server.deviceRow(id)).wipe.confirmed, null);
  await device.disconnect();
});

test('the order stands when the device is closed meanwhile and the server restarted; nothing else is taken', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const { id } = device;
  await device.sync();
  note(device, 'too-late');
  await decide(device, 'wipe');
  await decide(device, 'revoke');
  await server.killAndRestart();

  const push = { ops: [opNow(1, SCOPE, 'note', 'too-late', { set: { text: 'x' } })] };
  const reply = await syncFrame(server, device, { push, pull: { cursor: '' } });
  assert.equal(reply.status, 403);
  assert.deepEqual([reply.body.wipe.now, reply.body.error.code, reply.body.receipt], [true, 'auth.revoked', undefined]);
  const raw = await RawSocket.open(server);
  assert.equal((await raw.ask({ hello: helloOf(device) })).wipe.now, true);
  assert.equal((await raw.ask({ pull: { cursor: '' } })).error.code, 'auth.revoked');
  await raw.closed();

  const fresh = new Device({ url: server.url, storage: device.storage, watch: CHECKED });
  await fresh.sync();
  assertHoldsNothing(fresh);
  assert.ok(!(await notesOnServer()).includes('too-late'));
  assert.equal((await server.deviceRow(id)).wipe.discarded, 1);
});

test('a wrong secret is not told of the order', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  await decide(device, 'wipe');
  await decide(device, 'revoke');
  const { body } = await server.call('POST', '/v1/sync', { body: { hello: { ...helloOf(device), token: 'guessed' } } });
  assert.equal(body.code, 'auth.bad_token');
});

test('when the answer to the confirmation is lost it is said again', async () => {
  const faults = new Faults();
  const device = await enrolledDevice(server, [SCOPE], { faults });
  const { id } = device;
  await decide(device, 'wipe');
  faults.loseReplyOf('wiped');
  await device.sync();
  assertHoldsNothing(device);
  assert.notEqual((await server.deviceRow(id)).wipe.confirmed, null);
});

test('a wipe that was interrupted goes on after a restart of the app', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const { id } = device;
  note(device, 'handed-in');
  await device.sync();
  await decide(device, 'wipe');
  device.takeWipe({ now: false });
  assert.deepEqual(device.wipedMessage(), { discarded: 0 });  // it has removed everything and not said so
  const again = new Device({ url: server.url, storage: device.storage.clone(), watch: CHECKED });
  await again.sync();
  assertHoldsNothing(again);
  assert.equal((await server.deviceRow(id)).state, 'closed');
});

test('restoring takes back an order that was not carried out', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  await decide(device, 'wipe');
  await decide(device, 'restore');
  note(device, 'goes-on');
  await device.sync();
  assert.equal(device.stopped, null);
  assert.ok((await notesOnServer()).includes('goes-on'));
});

test('a draining device hands in what it wrote before and is sent nothing; restored it goes on', async () => {
  const [device, other] = await enrolledDevices(server, 2, [SCOPE]);
  device.connect();
  await device.settled();
  await device.disconnect();
  note(device, 'before');
  timePasses();
  assert.equal((await decide(device, 'drain')).state, 'draining');
  timePasses();
  note(device, 'after');
  note(other, 'news');
  await other.sync();

  await device.sync();
  assert.deepEqual(device.refusals().map(({ op, refused }) => [op.id, refused.code]), [['after', 'device.draining']]);
  assert.equal(device.view(SCOPE, 'note', 'news'), undefined);
  assert.ok((await notesOnServer()).includes('before'));
  const records = await server.call('GET', `/v1/records?scope=${SCOPE}`, { as: `${device.id}.${device.token}` });
  assert.equal(records.body.code, 'device.draining');
  const own = await server.call('GET', '/v1/quarantine', { as: `${device.id}.${device.token}` });
  assert.equal(own.body.quarantine.length, 1);

  await decide(device, 'restore');
  await device.sync();
  assert.equal(device.view(SCOPE, 'note', 'news').fields.text, 'news');
});

test('a live device that is drained and restored says hello again each time and ends up to date', async () => {
  const [device, other] = await enrolledDevices(server, 2, [SCOPE]);
  device.connect();
  await device.settled();
  await decide(device, 'drain');
  note(other, 'while-draining');
  await other.sync();
  await decide(device, 'restore');
  await device.until(() => device.view(SCOPE, 'note', 'while-draining') !== undefined, 'it has caught up');
  await device.disconnect();
});

test('a new phone takes the place of the old one, which hands in what it still holds', async () => {
  const old = await enrolledDevice(server, [SCOPE]);
  note(old, 'on-the-old-phone');
  const { code } = await server.admin('POST', '/v1/codes', { replaces: old.id });
  timePasses();
  const fresh = new Device({ url: server.url, watch: CHECKED });
  await fresh.enroll(code);
  assert.deepEqual(fresh.scopes, [SCOPE]);
  const rows = [await server.deviceRow(old.id), await server.deviceRow(fresh.id)];
  assert.deepEqual([rows[0].replaced_by, rows[0].state, rows[1].replaces], [fresh.id, 'draining', old.id]);
  await old.sync();
  await fresh.sync();
  assert.equal(fresh.view(SCOPE, 'note', 'on-the-old-phone').fields.text, 'on-the-old-phone');
  const again = await server.call('POST', '/v1/codes', { body: { replaces: old.id }, as: server.adminToken });
  assert.equal(again.body.code, 'device.replaced');
});
