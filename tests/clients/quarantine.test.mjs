// What is refused is kept whole, and does not hold up what comes after it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createScopes, enrolledDevice, opNow, syncFrame } from './fixtures.mjs';
import { startServer } from './server.mjs';

const SCOPE = 'q';

let server;
before(async () => { server = await startServer(); await createScopes(server, SCOPE); });
after(() => server.remove());

const quarantineOf = (device, as = `${device.id}.${device.token}`) => server.all(`/v1/quarantine?device=${device.id}`, 'quarantine', as);

// Bad ops and the code of each; `coll` and `id` where they differ from note and n1.
const BAD = {
  'scope.forbidden': { scope: 'nowhere', set: { text: 'x' } },
  'collection.unknown': { coll: 'unheard_of', set: { text: 'x' } },
  'field.type': { set: { done: 'yes' } },
  'field.kind': { inc: { text: 1 } },
  'field.limit': { coll: 'event', id: 'e1', set: { category: 'none of these' } },
  'field.required': { coll: 'visit', id: 'v1', set: { note: 'no visitor' } },
  'record.key': { coll: 'attendance', id: 'only-one-part', set: { role: 'x' } },
  'delete.forbidden': { coll: 'station_day', id: 's1~2026-01-01', del: true },
};

test('no refused op blocks the queue; the device and the office see each of them whole', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const sent = [];
  for (const bad of Object.values(BAD)) {
    const { scope = SCOPE, coll = 'note', id = 'n1', ...edits } = bad;
    sent.push(device.edit(scope, coll, id, edits));
    device.edit(SCOPE, 'note', 'good', { add: { tags: [`after-${sent.length}`] } });
  }
  await device.sync();
  assert.deepEqual(device.queue(), []);
  assert.deepEqual(device.refusals().map(({ refused }) => refused.code), Object.keys(BAD));
  assert.equal(device.view(SCOPE, 'note', 'good').fields.tags.length, sent.length);
  assert.equal(device.view(SCOPE, 'note', 'n1'), undefined);

  for (const as of [undefined, server.adminToken]) {
    const kept = await quarantineOf(device, as);
    assert.deepEqual(kept.map(({ n, code }) => [n, code]), sent.map(({ n }, i) => [n, Object.keys(BAD)[i]]));
    assert.deepEqual(kept.map(({ op }) => op), sent);
    assert.ok(kept.every((one) => one.device === device.id && Math.abs(one.received - Date.now()) < 60_000));
  }
  assert.equal((await server.deviceRow(device.id)).refused, sent.length);
});

test('a device sees its own and no others', async () => {
  const [mine, theirs] = [await enrolledDevice(server, [SCOPE]), await enrolledDevice(server, [SCOPE])];
  for (const device of [mine, theirs]) {
    device.edit('nowhere', 'note', 'n1', { set: { text: device.id } });
    await device.sync();
  }
  const own = await server.all('/v1/quarantine', 'quarantine', `${mine.id}.${mine.token}`);
  assert.deepEqual(own.map((one) => one.device), [mine.id]);
  const { status, body } = await server.call('GET', `/v1/quarantine?device=${theirs.id}`, { as: `${mine.id}.${mine.token}` });
  assert.ok(status === 403 || body.quarantine.every((one) => one.device === mine.id));
});

test('an op repeated after its refusal is not kept twice', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  const ops = [opNow(1, 'nowhere', 'note', 'n1', { set: { text: 'x' } })];
  for (let i = 0; i < 3; i++) await syncFrame(server, device, { push: { ops } });
  assert.equal((await quarantineOf(device)).length, 1);
});

test('it comes in pages', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  for (let i = 0; i < 10; i++) device.edit('nowhere', 'note', `n${i}`, { set: { text: 'x' } });
  await device.sync();
  const all = await server.all(`/v1/quarantine?device=${device.id}&limit=4`, 'quarantine');
  assert.deepEqual(all.map(({ n }) => n), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('it survives a kill', async () => {
  const device = await enrolledDevice(server, [SCOPE]);
  device.edit('nowhere', 'note', 'n1', { set: { text: '留下来' } });
  await device.sync();
  await server.killAndRestart();
  assert.equal((await quarantineOf(device))[0].op.set.text, '留下来');
});

test('a field that the schema does not know is kept and given back, whatever is in it', async () => {
  const [writer, reader] = [await enrolledDevice(server, [SCOPE]), await enrolledDevice(server, [SCOPE])];
  const unknown = { text: 'known', from_the_future: { deep: [1, 2.5, -0.001, null, true, { 'keys too': '水' }] }, list: [], zero: 0 };
  writer.edit(SCOPE, 'note', 'future', { set: unknown, inc: { likes: 2 }, add: { circle: ['b', 'a', 1, { x: 1 }] }, append: { diary: [{ mood: 'good' }] } },
              { schema: 7 });
  await writer.sync();
  await reader.sync();
  const { likes, circle, diary, ...set } = reader.view(SCOPE, 'note', 'future').fields;
  assert.deepEqual(set, unknown);
  assert.equal(likes, 2);
  assert.deepEqual(circle, ['a', 'b', 1, { x: 1 }]);
  assert.deepEqual(diary.map(({ v, by }) => [v, by]), [[{ mood: 'good' }, writer.id]]);
  assert.equal(reader.digest(SCOPE), writer.digest(SCOPE));
  assert.equal(reader.counts.digestsDiffered, 0);
  assert.deepEqual(writer.refusals(), []);
});
