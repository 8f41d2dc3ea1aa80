// Work without a network, and what comes of it when there is one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { digestOf } from './canonical.mjs';
import { clockOfTests, createScopes, enrolledDevice, enrolledDevices, timePasses } from './fixtures.mjs';
import { startServer } from './server.mjs';

const EVENT = 'event:offline';

let server;
before(async () => { server = await startServer(); });
after(() => server.remove());

// Every test has a scope of its own, so that none sees what another wrote.
let made = 0;
async function freshScope() {
  const scope = `scope-${++made}`;
  await createScopes(server, scope);
  return scope;
}

async function recordsOf(scope) {
  return server.all(`/v1/records?scope=${encodeURIComponent(scope)}`, 'records');
}

async function assertAllEqual(scope, devices) {
  const atServer = digestOf(await recordsOf(scope));
  for (const device of devices) {
    assert.equal(device.digest(scope), atServer);
    assert.equal(device.counts.digestsDiffered, 0);
    assert.ok(device.counts.digestsMatched > 0);
  }
}

const overHttp = (device) => device.sync();

async function overWebSocket(device) {
  device.connect();
  await device.settled();
  await device.disconnect();
}

for (const [how, sync] of [['HTTP', overHttp], ['WebSocket', overWebSocket]]) {
  test(`${how}: what was written offline shows at once and is handed in later`, async () => {
    const scope = await freshScope();
    const phone = await enrolledDevice(server, [scope]);
    phone.edit(scope, 'note', 'n1', { set: { text: 'first' } });
    phone.edit(scope, 'note', 'n1', { set: { done: true }, add: { tags: ['b', 'a'] } });
    phone.edit(scope, 'note', 'n2', { set: { text: 'second' } });
    phone.edit(scope, 'note', 'n2', { del: true });
    assert.deepEqual(phone.view(scope, 'note', 'n1').fields, { text: 'first', done: true, tags: ['a', 'b'] });
    assert.equal(phone.view(scope, 'note', 'n2'), undefined);

    await sync(phone);
    assert.deepEqual(phone.queue(), []);
    assert.deepEqual(phone.view(scope, 'note', 'n1').fields, { text: 'first', done: true, tags: ['a', 'b'] });
    assert.equal(phone.view(scope, 'note', 'n2'), undefined);
    const record = (await recordsOf(scope)).find(({ id }) => id === 'n1');
    assert.deepEqual(record, phone.record(scope, 'note', 'n1'));
    await assertAllEqual(scope, [phone]);
  });

  test(`${how}: two devices that worked apart come to the same`, async () => {
    const scope = await freshScope();
    const [one, two] = await enrolledDevices(server, 2, [scope]);
    for (let i = 0; i < 20; i++) {
      one.edit(scope, 'note', `n${i}`, { set: { text: `one ${i}` } });
      two.edit(scope, 'note', `n${i + 10}`, { set: { text: `two ${i}` }, add: { tags: ['t'] } });
    }
    for (const device of [one, two, one]) await sync(device);
    assert.deepEqual(one.records(), two.records());
    assert.equal(one.records(scope).filter(({ coll }) => coll === 'note').length, 30);
    await assertAllEqual(scope, [one, two]);
  });

  test(`${how}: taps of three devices add up`, async () => {
    const scope = await freshScope();
    const id = 'station-12~2026-01-01';
    const devices = await enrolledDevices(server, 3, [scope]);
    for (const device of devices) {
      for (let i = 0; i < 7; i++) device.edit(scope, 'station_day', id, { inc: { delivery_rider: 1, water: 2 } });
      device.edit(scope, 'station_day', id, { inc: { water: -1 } });
    }
    for (const device of [...devices, ...devices]) await sync(device);
    for (const device of devices) {
      const { delivery_rider, water } = device.view(scope, 'station_day', id).fields;
      assert.deepEqual({ delivery_rider, water }, { delivery_rider: 21, water: 39 });
    }
    await assertAllEqual(scope, devices);
  });
}

test('the same person signed in by two devices is one attendance record', async () => {
  await createScopes(server, EVENT);
  const [gate, tent] = await enrolledDevices(server, 2, [EVENT]);
  const signIn = (device, time, more) => device.edit(EVENT, 'attendance', 'e1~v7',
    { set: { event: 'e1', volunteer: 'v7', signed_in: time, ...more } });
  signIn(gate, '2026-01-01T08:30:00+08:00', { role: 'guide' });
  timePasses();
  signIn(tent, '2026-01-01T08:31:00+08:00', { points: 3 });
  for (const device of [gate, tent, gate]) await device.sync();

  const attendance = (await recordsOf(EVENT)).filter(({ coll }) => coll === 'attendance');
  assert.equal(attendance.length, 1);
  assert.equal(attendance[0].id, 'e1~v7');
  // So old a sign-in without a sign-out is closed by the server, in its own time.
  const { signed_in: signedIn, closed_at: _, ...fields } = attendance[0].fields;
  assert.deepEqual(fields, { event: 'e1', volunteer: 'v7', role: 'guide', points: 3 });
  // Tent wrote later, so its time is on show; the other is kept for review, equal values are not.
  assert.equal(signedIn, '2026-01-01T08:31:00+08:00');
  assert.equal(attendance[0].conflicts, 1);
  assert.deepEqual(gate.view(EVENT, 'attendance', 'e1~v7').fields, tent.view(EVENT, 'attendance', 'e1~v7').fields);
});

test('facts of two devices: visits are never merged into each other', async () => {
  const scope = await freshScope();
  const [one, two] = await enrolledDevices(server, 2, [scope]);
  one.edit(scope, 'visit', 'a-1', { set: { visitor: 'courier', at: '2026-01-01T09:00:00+08:00' }, add: { services: ['water'] } });
  two.edit(scope, 'visit', 'b-1', { set: { visitor: 'courier', at: '2026-01-01T09:00:00+08:00', corrects: 'a-1' } });
  for (const device of [one, two, one]) await device.sync();
  assert.equal(one.records(scope).filter(({ coll }) => coll === 'visit').length, 2);
  assert.deepEqual(one.refusals(), []);
  await assertAllEqual(scope, [one, two]);
});

test('a log holds the entries of all devices in the order of their writing', async () => {
  const scope = await freshScope();
  const [one, two] = await enrolledDevices(server, 2, [scope]);
  await pause(2_500); // nothing counts as written before its device was enrolled
  for (const [device, text] of [[one, 'first'], [two, 'second'], [one, 'third']]) {
    device.edit(scope, 'event', 'e1', { append: { remarks: [text] } });
    timePasses(800);
  }
  for (const device of [two, one, two]) await device.sync();
  const { remarks } = two.view(scope, 'event', 'e1').fields;
  assert.deepEqual(remarks.map(({ v, by }) => [v, by]), [['first', one.id], ['second', two.id], ['third', one.id]]);
  assert.ok(remarks.every(({ at }, i) => i === 0 || at >= remarks[i - 1].at));
  await assertAllEqual(scope, [one, two]);
});

test('the office sees how much waits on a device, since when, and that its clock is wrong', async () => {
  const scope = await freshScope();
  const clock = () => ({ wall: Date.now() + 3_600_000, mono: Math.floor(performance.now()), boot: 'fast' });
  const phone = await enrolledDevice(server, [scope], { clock });
  for (const id of ['n1', 'n2', 'n3']) phone.edit(scope, 'note', id, { set: { text: id } });
  const [first] = phone.waiting();
  await server.call('POST', '/v1/sync', { body: { hello: phone.hello() } });
  const row = await server.deviceRow(phone.id);
  assert.equal(row.queued, 3);
  assert.ok(Math.abs(row.oldest - (first.wall - 3_600_000)) < 5_000, `${row.oldest}: by the server's time, not by the phone's`);
  assert.equal(row.clock_wrong, true);
  assert.ok(Math.abs(Math.abs(row.skew_ms) - 3_600_000) < 5_000, `${row.skew_ms}`);
  assert.equal(row.app, phone.app);
  await phone.sync();
  assert.equal((await server.deviceRow(phone.id)).applied, 3);
  await phone.sync();
  assert.equal((await server.deviceRow(phone.id)).queued, 0);
});

test('a clock that is wrong by a day is corrected: who wrote last is on show', async () => {
  const scope = await freshScope();
  const fast = await enrolledDevice(server, [scope], { clock: clockOfTests(86_400_000) });
  const exact = await enrolledDevice(server, [scope]);
  fast.edit(scope, 'note', 'n1', { set: { text: 'earlier, on a fast clock' } });
  timePasses();
  exact.edit(scope, 'note', 'n1', { set: { text: 'later' } });
  for (const device of [exact, fast, exact]) await device.sync();
  assert.equal(exact.view(scope, 'note', 'n1').fields.text, 'later');
  assert.equal(exact.view(scope, 'note', 'n1').conflicts, 1);
});

test('nothing new: a second sync brings nothing', async () => {
  const scope = await freshScope();
  const phone = await enrolledDevice(server, [scope]);
  await phone.sync();
  const { body } = await server.call('POST', '/v1/sync', { body: { hello: phone.hello(), pull: phone.pullMessage() } });
  assert.deepEqual(body.changes.changes, []);
  assert.equal(body.changes.more, false);
});
