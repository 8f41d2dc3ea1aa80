// What a device may see, and what becomes of it when that changes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { digestOf } from './canonical.mjs';
import { RawSocket, createScopes, enrolledDevice, syncFrame, timePasses } from './fixtures.mjs';
import { startServer } from './server.mjs';

let server;
let made = 0;
before(async () => { server = await startServer(); });
after(() => server.remove());

// Two scopes with five old notes each, and the device of the office that wrote them.
async function twoScopes() {
  const scopes = [`east-${++made}`, `west-${made}`];
  const office = await createScopes(server, ...scopes);
  for (const scope of scopes) for (let i = 0; i < 5; i++) office.edit(scope, 'note', `old${i}`, { set: { text: `${scope} ${i}` } });
  office.edit(scopes[1], 'note', 'gone', { set: { text: 'deleted before' } });
  office.edit(scopes[1], 'note', 'gone', { del: true });
  await office.sync();
  return [...scopes, office];
}

const setScopes = (device, scopes) => server.admin('PUT', `/v1/devices/${device.id}/scopes`, { scopes });
const notesIn = (device, scope) => device.records(scope).filter(({ coll, deleted }) => coll === 'note' && !deleted);
const atServer = async (scope) => digestOf(await server.all(`/v1/records?scope=${scope}`, 'records'));

test('a device sees its scopes and no others', async () => {
  const [east, west] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  await phone.sync();
  assert.deepEqual(phone.scopes, [east]);
  assert.equal(notesIn(phone, east).length, 5);
  assert.deepEqual(phone.records(west), []);
  phone.edit(west, 'note', 'n1', { set: { text: 'not allowed' } });
  await phone.sync();
  const [{ refused }] = phone.refusals();
  assert.equal(refused.code, 'scope.forbidden');
  assert.equal(phone.view(west, 'note', 'n1'), undefined);
});

test('over HTTP: what it left goes, what it gained comes with all its old records', async () => {
  const [east, west] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  await phone.sync();
  const row = await setScopes(phone, [west]);
  assert.deepEqual(row.scopes, [west]);
  phone.edit(west, 'note', 'mine', { set: { text: 'written in the new scope' } });
  await phone.sync();
  assert.deepEqual(phone.scopes, [west]);
  assert.deepEqual(phone.records(east), []);
  assert.equal(notesIn(phone, west).length, 6);
  assert.equal(phone.digest(west), await atServer(west));
  assert.equal(phone.counts.digestsDiffered, 0);
  assert.deepEqual(phone.refusals(), []);
});

test('the message itself: left, and the changes of the new scope after the same cursor', async () => {
  const [east, west] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  const before = (await syncFrame(server, phone, { pull: { cursor: '' } })).body.changes;
  await setScopes(phone, [west]);
  const { changes } = (await syncFrame(server, phone, { pull: { cursor: before.cursor } })).body;
  assert.deepEqual(changes.left, [east]);
  assert.ok(changes.changes.every(({ scope }) => scope === west));
  assert.equal(changes.changes.filter(({ coll, deleted }) => coll === 'note' && !deleted).length, 5);
  const later = (await syncFrame(server, phone, { pull: { cursor: changes.cursor } })).body.changes;
  assert.deepEqual([later.left, later.changes], [[], []]);
});

test('live: what it left goes and what it gained comes, without a word from the device', async () => {
  const [east, west, office] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  phone.connect();
  await phone.settled();
  await setScopes(phone, [west]);
  await phone.until(() => notesIn(phone, west).length === 5 && phone.records(east).length === 0, 'the scopes are changed');
  await phone.settled();
  office.edit(west, 'note', 'fresh', { set: { text: 'x' } });
  await office.sync();
  await phone.until(() => phone.view(west, 'note', 'fresh') !== undefined, 'a fresh note of the new scope');
  office.edit(east, 'note', 'fresh', { set: { text: 'x' } });
  office.edit(west, 'note', 'fresh2', { set: { text: 'x' } });
  await office.sync();
  await phone.until(() => phone.view(west, 'note', 'fresh2') !== undefined);
  assert.deepEqual(phone.records(east), []);
  assert.equal(phone.digest(west), await atServer(west));
  await phone.disconnect();
});

test('gained in small pages, and while others write', async () => {
  const [east, west, office] = await twoScopes();
  for (let i = 0; i < 40; i++) office.edit(west, 'note', `many${i}`, { set: { text: 'x' } });
  await office.sync();
  const phone = await enrolledDevice(server, [east], { pageLimit: 7 });
  await phone.sync();
  await setScopes(phone, [east, west]);
  const writing = (async () => {
    for (let i = 0; i < 10; i++) { office.edit(west, 'note', `many${i}`, { set: { text: 'changed' } }); await office.sync(); }
  })();
  await phone.sync();
  await writing;
  await phone.sync();
  assert.equal(notesIn(phone, west).length, 45);
  assert.equal(notesIn(phone, east).length, 5);
  for (const scope of [east, west]) assert.equal(phone.digest(scope), await atServer(scope));
  assert.equal(phone.counts.digestsDiffered, 0);
});

test('left and gained again, with what happened in between', async () => {
  const [east, west, office] = await twoScopes();
  const phone = await enrolledDevice(server, [east, west]);
  await phone.sync();
  await setScopes(phone, [east]);
  await phone.sync();
  assert.deepEqual(phone.records(west), []);
  office.edit(west, 'note', 'old0', { del: true });
  office.edit(west, 'note', 'old1', { set: { text: 'changed meanwhile' } });
  await office.sync();
  await setScopes(phone, [east, west]);
  await phone.sync();
  assert.equal(notesIn(phone, west).length, 4);
  assert.equal(phone.view(west, 'note', 'old1').fields.text, 'changed meanwhile');
  assert.equal(phone.digest(west), await atServer(west));
});

test('left and gained again between two pulls: nothing is missing afterwards', async () => {
  const [east, west, office] = await twoScopes();
  const phone = await enrolledDevice(server, [east, west]);
  await phone.sync();
  await setScopes(phone, [east]);
  office.edit(west, 'note', 'old0', { set: { text: 'changed meanwhile' } });
  await office.sync();
  await setScopes(phone, [east, west]);
  await phone.sync();
  assert.equal(notesIn(phone, west).length, 5);
  assert.equal(phone.view(west, 'note', 'old0').fields.text, 'changed meanwhile');
  assert.equal(phone.digest(west), await atServer(west));
});

test('what was written before the device left a scope is taken, what was written after is refused and kept', async () => {
  const [east, west] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  await phone.sync();
  phone.edit(east, 'note', 'before', { set: { text: 'written before' } });
  timePasses();
  await setScopes(phone, [west]);
  timePasses();
  phone.edit(east, 'note', 'after', { set: { text: 'written after, without knowing' } });
  await phone.sync();
  assert.deepEqual(phone.refusals().map(({ op, refused }) => [op.id, refused.code]), [['after', 'scope.forbidden']]);
  const kept = await server.all(`/v1/quarantine?device=${phone.id}`, 'quarantine');
  assert.deepEqual(kept.map(({ op }) => op.set.text), ['written after, without knowing']);
  assert.ok((await server.all(`/v1/records?scope=${east}&coll=note`, 'records')).some(({ id }) => id === 'before'));
  assert.deepEqual(phone.records(east), []);
  assert.deepEqual(phone.queue(), []);
  assert.equal(phone.view(east, 'note', 'before'), undefined);
});

test('from some scopes to all, and back', async () => {
  const [east, west] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  await phone.sync();
  await setScopes(phone, ['*']);
  await phone.sync();
  assert.deepEqual(phone.scopes, ['*']);
  assert.equal(notesIn(phone, west).length, 5);
  await setScopes(phone, [east]);
  await phone.sync();
  assert.deepEqual([...new Set(phone.records().map(({ scope }) => scope))], [east]);
  assert.equal(phone.counts.digestsDiffered, 0);
});

test('a scope that is born while a device that may see all is live arrives at it', async () => {
  const [east] = await twoScopes();
  const all = await enrolledDevice(server);
  all.connect();
  await all.settled();
  await createScopes(server, `${east}-new`);
  await all.until(() => all.record(`${east}-new`, 'scope', `${east}-new`) !== undefined, 'the new scope');
  await all.disconnect();
});

test('a scope id may hold a slash, which its record id writes as a hyphen', async () => {
  await createScopes(server, 'town/village-1');
  const phone = await enrolledDevice(server, ['town/village-1']);
  await phone.sync();
  assert.deepEqual(phone.records().map(({ scope, id }) => [scope, id]), [['town/village-1', 'town-village-1']]);
  phone.edit('town/village-1', 'note', 'n1', { set: { text: 'x' } });
  await phone.sync();
  assert.equal((await server.all('/v1/records?scope=town%2Fvillage-1&coll=note', 'records')).length, 1);
});

test('only a device that may see all scopes can create one', async () => {
  const [east] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  phone.edit('not-born-yet', 'scope', 'not-born-yet', { set: { title: 'mine', kind: 'event' } });
  await phone.sync();
  assert.equal(phone.refusals().length, 1);
});

test('the administrator sees the records of every scope, a device those of its own', async () => {
  const [east, west] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  const as = `${phone.id}.${phone.token}`;
  assert.equal((await server.all(`/v1/records?scope=${east}&coll=note`, 'records', as)).filter(({ deleted }) => !deleted).length, 5);
  const other = await server.call('GET', `/v1/records?scope=${west}`, { as });
  assert.equal(other.status, 403);
});

test('a raw socket: after the scopes changed the server waits for the device to pull', async () => {
  const [east, west] = await twoScopes();
  const phone = await enrolledDevice(server, [east]);
  const raw = await RawSocket.greeted(server, phone);
  let { cursor } = await raw.pullAll();
  await setScopes(phone, [east, west]);
  const gained = [];
  for (let frame = await raw.next(); ; frame = await raw.ask({ pull: { cursor } })) {
    gained.push(...frame.changes.changes);
    cursor = frame.changes.cursor;
    if (!frame.changes.more) break;
  }
  assert.equal(gained.filter((change) => change.coll === 'note' && !change.deleted && change.scope === west).length, 5);
  await raw.close();
});
